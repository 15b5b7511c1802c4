//! Keeps the ledger whole: checks its file, makes daily backups and announces problems.

use std::time::Duration;

use domain::WallTime;
use ledger::{LedgerError, LedgerState, Recovery};

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::ledger_problem::{
    BackupFailure, FILE_CHECK_SECS, LedgerProblem, backup_problem, file_problem, incident_problem,
    state_problem,
};
use crate::ledger_watch::BackupStatus;
use crate::topic::Topic;

/// File checks between two notes of the ledger's position: once a minute.
const FILE_CHECKS_PER_POSITION_SAVE: u32 = 6;
/// Interval of the state check while something is wrong, in seconds. The number and age of waiting
/// records change without an event.
const STATE_CHECK_SECS: u64 = 1;
/// Age of the newest backup from which another is due, in milliseconds: a day.
const BACKUP_EVERY_MS: i64 = 86_400_000;
/// Maximum time a due backup waits for a moment without requests, in milliseconds: an hour.
const BACKUP_DELAY_MS_MAX: i64 = 3_600_000;
/// Delay after a failed backup, in milliseconds: an hour.
const BACKUP_RETRY_MS: i64 = 3_600_000;
/// Free space required for a backup beyond the ledger's size, in bytes.
const BACKUP_HEADROOM_BYTES: u64 = 200_000_000;

/// Whether a backup would stand beside the work of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    /// None is in flight, and all are written down.
    Quiet,
    Busy,
}

impl Engine {
    /// Access to the ledger's file: backups, restore, repair.
    #[must_use]
    pub fn ledger_recovery(&self) -> &Recovery {
        &self.parts.ledger_watch.recovery
    }

    /// Failure of the last backup; `None` if it succeeded.
    #[must_use]
    pub fn backup_failure(&self) -> Option<BackupFailure> {
        self.parts.ledger_watch.backup.lock().failure.clone()
    }

    /// Present problems of the ledger, most severe first.
    #[must_use]
    pub fn ledger_problems(&self) -> Vec<LedgerProblem> {
        let state = state_problem(self.parts.ledger.state(), self.wall_time());
        let incident = self.ledger_recovery().incident().as_ref().map(incident_problem);
        let file = self.parts.ledger_watch.file_error.lock().as_deref().map(file_problem);
        let backup = self.backup_failure().map(|failure| backup_problem(&failure));
        let problems = state.into_iter().chain(file).chain(incident).chain(backup);
        let mut problems: Vec<_> = problems.collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        problems
    }

    /// Makes a backup now, even if none is due.
    ///
    /// # Errors
    /// As for [`Recovery::back_up`]; [`LedgerError::Full`] if the disk has too little space.
    pub async fn back_up_ledger(&self) -> Result<ledger::LedgerBackup, LedgerError> {
        let recovery = self.ledger_recovery();
        let free = recovery.path().parent().and_then(|folder| fs4::available_space(folder).ok());
        let needed = self.parts.ledger.size_bytes().saturating_add(BACKUP_HEADROOM_BYTES);
        let made = match free {
            Some(free) if free < needed => Err(LedgerError::Full),
            _ => recovery.back_up().await,
        };
        let found_damage = matches!(made, Err(LedgerError::Corrupt { .. }));
        // Damage is reported as an incident instead.
        let failure = made
            .as_ref()
            .err()
            .filter(|_| !found_damage)
            .map(|error| BackupFailure { at: self.wall_time(), reason: error.with_detail() });
        *self.parts.ledger_watch.backup.lock() = BackupStatus { due_since: None, failure };
        if found_damage {
            self.check_ledger_integrity().await;
        }
        self.announce_ledger_change();
        made
    }

    /// Marks all displayed ledger data as stale after a restore, repair, acknowledgement or new
    /// problem.
    pub fn announce_ledger_change(&self) {
        self.parts.ledger_watch.changed.notify_one();
        let stale = [Topic::Ledger, Topic::Status, Topic::Usage, Topic::Readiness];
        self.parts.events.send_changed(&stale);
    }

    /// Spawns the tasks that check the file, make backups and announce problems.
    pub(crate) fn spawn_ledger_watch(&self) {
        let (engine, stop) = (self.clone(), self.parts.tasks.stop_token());
        self.parts.tasks.spawn("ledger file", async move {
            engine.check_ledger_integrity().await;
            let mut looks = 0_u32;
            while !stop.is_cancelled() {
                engine.check_ledger_file(looks.is_multiple_of(FILE_CHECKS_PER_POSITION_SAVE)).await;
                engine.back_up_if_due(engine.traffic()).await;
                looks = looks.wrapping_add(1);
                tokio::select! {
                    () = stop.cancelled() => {}
                    () = tokio::time::sleep(Duration::from_secs(FILE_CHECK_SECS)) => {}
                }
            }
        });
        let (engine, stop) = (self.clone(), self.parts.tasks.stop_token());
        self.parts.tasks.spawn("ledger state", async move {
            let mut state = engine.parts.ledger.watch_state();
            let mut told = Vec::new();
            loop {
                engine.announce_ledger_problems(&mut told).await;
                let is_current = state.borrow_and_update().backlog().is_none();
                let again = tokio::time::sleep(Duration::from_secs(STATE_CHECK_SECS));
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.parts.ledger_watch.changed.notified() => {}
                    () = again, if !is_current => {}
                    changed = state.changed() => if changed.is_err() { return },
                }
            }
        });
    }

    /// Announces the present problems if they differ from those in `told`.
    async fn announce_ledger_problems(&self, told: &mut Vec<LedgerProblem>) {
        if let LedgerState::Behind(backlog) | LedgerState::Refusing(backlog) =
            self.parts.ledger.state()
            && backlog.reason == ledger::BacklogReason::Damaged
        {
            self.check_ledger_integrity().await;
        }
        let problems = self.ledger_problems();
        let is_news = problems != *told;
        if is_news {
            self.parts.events.send_changed(&[Topic::Status, Topic::Ledger]);
        }
        let ids = |problems: &[LedgerProblem]| -> Vec<String> {
            problems.iter().map(|problem| problem.id.clone()).collect()
        };
        if ids(&problems) != ids(told) {
            self.parts.events.send(EngineEvent::Ledger(problems.first().cloned()));
        }
        *told = problems;
    }

    /// Checks the whole file. A damaged ledger is replaced by a new one.
    async fn check_ledger_integrity(&self) {
        match self.ledger_recovery().check_integrity().await {
            Ok(Some(_)) => self.announce_ledger_change(),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, cause = ?error, "the ledger was not checked"),
        }
    }

    async fn check_ledger_file(&self, notes: bool) {
        let recovery = self.ledger_recovery();
        let looked = recovery.check_file().await;
        let fault = looked.as_ref().err().map(LedgerError::with_detail);
        let before =
            std::mem::replace(&mut *self.parts.ledger_watch.file_error.lock(), fault.clone());
        if before != fault {
            self.announce_ledger_change();
        }
        match looked {
            Ok(Some(_)) => self.announce_ledger_change(),
            Ok(None) if notes => {
                if let Err(error) = recovery.save_progress().await {
                    tracing::warn!(%error, "the ledger's position could not be saved");
                }
            }
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(%error, cause = ?error, "the ledger file could not be checked");
            }
        }
    }

    fn traffic(&self) -> Traffic {
        let is_quiet =
            self.requests_in_flight() == 0 && self.parts.ledger.state() == LedgerState::Current;
        if is_quiet { Traffic::Quiet } else { Traffic::Busy }
    }

    async fn back_up_if_due(&self, traffic: Traffic) {
        let now = self.wall_time();
        // A folder that cannot be read is told by the backup that fails there.
        let backups = self.ledger_recovery().backups().unwrap_or_default();
        let age = |at: WallTime| now.unix_ms() - at.unix_ms();
        if backups.first().is_some_and(|newest| (0..BACKUP_EVERY_MS).contains(&age(newest.at))) {
            return;
        }
        if !self.any_request_seen().await.unwrap_or(false) {
            return;
        }
        let waited = {
            let mut standing = self.parts.ledger_watch.backup.lock();
            let failed = standing.failure.as_ref();
            if failed.is_some_and(|failure| age(failure.at) < BACKUP_RETRY_MS) {
                return;
            }
            age(*standing.due_since.get_or_insert(now))
        };
        if (traffic == Traffic::Quiet || waited > BACKUP_DELAY_MS_MAX)
            && let Err(error) = self.back_up_ledger().await
        {
            tracing::warn!(%error, cause = ?error, "the ledger was not backed up");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use domain::ManualClock;

    use super::*;
    use crate::cache_upkeep::tests::{NOW, opened_at};

    const DAY: Duration = Duration::from_secs(86_400);
    const HOUR: Duration = Duration::from_secs(3_600);
    const MOMENT: Duration = Duration::from_millis(1);

    /// An engine that has answered a request, and the clock by which it makes backups.
    async fn with_a_request(home: &tempfile::TempDir) -> (Engine, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let engine = opened_at(home, Arc::clone(&clock)).await;
        engine.parts.request_seen.store(true, Ordering::Relaxed);
        (engine, clock)
    }

    /// The number of backups after a look at this moment.
    async fn look(engine: &Engine, traffic: Traffic) -> usize {
        engine.back_up_if_due(traffic).await;
        engine.ledger_recovery().backups().expect("a folder").len()
    }

    #[tokio::test]
    async fn a_backup_is_made_once_a_day_while_nobody_asks() {
        let home = tempfile::tempdir().expect("a folder");
        let (engine, clock) = with_a_request(&home).await;
        engine.parts.request_seen.store(false, Ordering::Relaxed);
        assert_eq!(look(&engine, Traffic::Quiet).await, 0, "there is nothing to keep yet");
        engine.parts.request_seen.store(true, Ordering::Relaxed);
        assert_eq!(look(&engine, Traffic::Busy).await, 0);
        assert_eq!(look(&engine, Traffic::Quiet).await, 1);
        assert_eq!(look(&engine, Traffic::Quiet).await, 1, "the next look finds one of today");
        clock.advance(DAY - MOMENT);
        assert_eq!(look(&engine, Traffic::Quiet).await, 1);
        clock.advance(MOMENT);
        assert_eq!(look(&engine, Traffic::Busy).await, 1);
        // With requests at every moment it is made beside them in the end.
        clock.advance(HOUR);
        assert_eq!(look(&engine, Traffic::Busy).await, 1);
        clock.advance(MOMENT);
        assert_eq!(look(&engine, Traffic::Busy).await, 2);
        assert_eq!(look(&engine, Traffic::Quiet).await, 2);
        engine.stop().await;
    }

    #[tokio::test]
    async fn a_backup_that_failed_is_reported_and_tried_again_after_an_hour() {
        let home = tempfile::tempdir().expect("a folder");
        let (engine, clock) = with_a_request(&home).await;
        let told = || engine.ledger_problems().iter().any(|problem| problem.id == "ledger/backup");
        let folder = engine.ledger_recovery().backup_folder();
        // A folder stands where the copy is made.
        std::fs::create_dir_all(folder.join("ledger.partial/in the way")).expect("created");
        assert_eq!((look(&engine, Traffic::Quiet).await, told()), (0, true));
        std::fs::remove_dir_all(&folder).expect("removed");
        clock.advance(HOUR - MOMENT);
        assert_eq!((look(&engine, Traffic::Quiet).await, told()), (0, true));
        clock.advance(MOMENT);
        assert_eq!((look(&engine, Traffic::Quiet).await, told()), (1, false));
        // A file stands in the place of the folder.
        clock.advance(DAY);
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::File::create(&folder).expect("created");
        engine.back_up_if_due(Traffic::Quiet).await;
        assert!(told());
        engine.stop().await;
    }
}
