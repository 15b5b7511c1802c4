//! Watches the ledger: describes its problems for the status, panel, tray, notifications and
//! readiness checks, and keeps it whole by checking its file and making daily backups.

use std::time::Duration;

use domain::WallTime;
use ledger::{Backlog, IncidentCause, LedgerError, LedgerIncident, LedgerState, Recovery};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::engine::Engine;
use crate::events::EngineEvent;
use crate::topic::Topic;

/// Interval of the file check, in seconds.
const FILE_CHECK_SECS: u64 = 10;
/// File checks between two notes of the ledger's position: once a minute.
const FILE_CHECKS_PER_POSITION_SAVE: u32 = 6;
/// Interval of the state check while something is wrong, in seconds. The number and age of waiting
/// records change without an event.
const STATE_CHECK_SECS: u64 = 1;
/// Age of the oldest waiting record from which the ledger counts as behind, in milliseconds.
const BEHIND_AFTER_MS: i64 = 1_000;
/// Age of the newest backup from which another is due, in milliseconds: a day.
const BACKUP_EVERY_MS: i64 = 86_400_000;
/// Maximum time a due backup waits for a moment without requests, in milliseconds: an hour.
const BACKUP_DELAY_MS_MAX: i64 = 3_600_000;
/// Delay after a failed backup, in milliseconds: an hour.
const BACKUP_RETRY_MS: i64 = 3_600_000;
/// Free space required for a backup beyond the ledger's size, in bytes.
const BACKUP_HEADROOM_BYTES: u64 = 200_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LedgerSeverity {
    /// Requests are answered, but something needs attention.
    Attention,
    /// Requests are refused, or records are missing.
    Problem,
}

/// A problem of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerProblem {
    /// Identifies the cause; stable while the problem lasts.
    pub id: String,
    pub severity: LedgerSeverity,
    pub title: String,
    /// The consequence and what to do.
    pub detail: String,
    /// The next step as one short sentence, for a notification.
    pub fix: String,
    pub since: Option<WallTime>,
}

#[derive(Debug)]
pub(crate) struct LedgerWatch {
    pub(crate) recovery: Recovery,
    backup: Mutex<BackupStatus>,
    /// Why the last file check or rewrite failed.
    file_error: Mutex<Option<String>>,
    /// Wakes the task that announces changes.
    changed: Notify,
}

#[derive(Debug, Default)]
struct BackupStatus {
    due_since: Option<WallTime>,
    failure: Option<BackupFailure>,
}

/// Why the last backup failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupFailure {
    /// Time of the attempt.
    pub at: WallTime,
    pub reason: String,
}

/// Whether a backup would stand beside the work of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    /// None is in flight, and all are written down.
    Quiet,
    Busy,
}

impl LedgerWatch {
    pub(crate) fn new(recovery: Recovery) -> Self {
        Self {
            recovery,
            backup: Mutex::default(),
            file_error: Mutex::default(),
            changed: Notify::new(),
        }
    }
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

/// The number of waiting records as a clause.
fn waiting_records_clause(backlog: &Backlog) -> String {
    match backlog.records {
        1 => "1 record is waiting in memory".to_owned(),
        number => format!("{} records are waiting in memory", domain::group_digits(number as u64)),
    }
}

fn state_problem(state: LedgerState, now: WallTime) -> Option<LedgerProblem> {
    let (severity, title, backlog, impact) = match state {
        LedgerState::Current => return None,
        LedgerState::Behind(backlog) => {
            let oldest = backlog.oldest.map_or(0, |oldest| now.unix_ms() - oldest.unix_ms());
            if oldest < BEHIND_AFTER_MS {
                return None;
            }
            let impact = "Requests still work, but a crash now would lose these records.";
            (LedgerSeverity::Attention, "The ledger is behind", backlog, impact)
        }
        LedgerState::Refusing(backlog) => {
            let impact = "New requests are refused with 503 until it can be written.";
            (LedgerSeverity::Problem, "The ledger cannot be written", backlog, impact)
        }
    };
    Some(LedgerProblem {
        id: format!("ledger/{}", backlog.reason),
        severity,
        title: title.to_owned(),
        detail: format!(
            "{} {impact} {}.",
            backlog.reason.sentence(),
            waiting_records_clause(&backlog)
        ),
        fix: backlog.reason.sentence().to_owned(),
        since: backlog.oldest,
    })
}

fn incident_problem(incident: &LedgerIncident) -> LedgerProblem {
    let before = match incident.requests_before {
        Some(1) => "1 request".to_owned(),
        Some(number) => format!("{} requests", domain::group_digits(number)),
        None => "Requests".to_owned(),
    };
    let (title, detail) = match incident.cause {
        IncidentCause::Damaged => (
            "The ledger file was damaged",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Emptied => (
            "The ledger file was emptied",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Missing => (
            "The ledger file was deleted",
            format!("{before} recorded before that are missing; a new ledger was started."),
        ),
        IncidentCause::Replaced => (
            "The ledger file is a different one",
            format!("{before} from the previous ledger are missing."),
        ),
        IncidentCause::Older => (
            "The ledger file is an older copy",
            format!("It had {} when Gatehouse last ran and has fewer now.", before.to_lowercase()),
        ),
        IncidentCause::DeletedInUse => (
            "The ledger file was deleted while in use",
            "It was written again with all records. Nothing is lost.".to_owned(),
        ),
        IncidentCause::ReplacedInUse => (
            "The ledger file was replaced while in use",
            "The ledger was written again with all records. Nothing is lost.".to_owned(),
        ),
    };
    let kept = incident.kept.as_ref().map(|kept| format!(" The old file is kept as {kept}."));
    let fix = match (incident.cause, &incident.kept) {
        (IncidentCause::Damaged, Some(_)) => {
            "`gatehouse ledger restore` restores the newest backup; `gatehouse ledger repair` \
             recovers what can be read."
        }
        (cause, _) if cause.lacks_records() => {
            "`gatehouse ledger restore` restores the newest backup."
        }
        _ => "`gatehouse ledger acknowledge` removes this message.",
    };
    LedgerProblem {
        id: format!("ledger/{}", incident.cause.as_str()),
        severity: match incident.cause.lacks_records() {
            true => LedgerSeverity::Problem,
            false => LedgerSeverity::Attention,
        },
        title: title.to_owned(),
        detail: format!("{detail}{} {fix}", kept.unwrap_or_default()),
        fix: fix.to_owned(),
        since: Some(incident.at),
    }
}

fn file_problem(reason: &str) -> LedgerProblem {
    let reason = reason.trim_end_matches('.');
    LedgerProblem {
        id: "ledger/file".to_owned(),
        severity: LedgerSeverity::Problem,
        title: "The ledger file cannot be reached".to_owned(),
        detail: format!("{reason}. Gatehouse tries again every {FILE_CHECK_SECS} s."),
        fix: "Check the data folder and the free space.".to_owned(),
        since: None,
    }
}

fn backup_problem(failure: &BackupFailure) -> LedgerProblem {
    let reason = failure.reason.trim_end_matches('.');
    LedgerProblem {
        id: "ledger/backup".to_owned(),
        severity: LedgerSeverity::Attention,
        title: "The ledger could not be backed up".to_owned(),
        detail: format!(
            "{reason}. Older backups are kept. `gatehouse ledger backup` tries again now."
        ),
        fix: "`gatehouse ledger backup` tries again.".to_owned(),
        since: Some(failure.at),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::Ordering;

    use domain::ManualClock;
    use ledger::BacklogReason;

    use super::*;
    use crate::response_cache::tests::{NOW, opened_at};

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
    async fn a_backup_that_failed_is_told_and_tried_again_after_an_hour() {
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

    fn backlog(reason: BacklogReason, waited_ms: i64) -> Backlog {
        let oldest = Some(WallTime::from_unix_ms(10_000 - waited_ms));
        Backlog { reason, records: 1_200, oldest }
    }

    #[test]
    fn a_ledger_that_refuses_is_a_problem_at_once_and_one_that_is_behind_after_a_second() {
        let now = WallTime::from_unix_ms(10_000);
        assert_eq!(state_problem(LedgerState::Current, now), None);
        let behind = |ms| state_problem(LedgerState::Behind(backlog(BacklogReason::Slow, ms)), now);
        assert_eq!(behind(BEHIND_AFTER_MS - 1), None);
        assert_eq!(behind(BEHIND_AFTER_MS).expect("told").severity, LedgerSeverity::Attention);
        let full = LedgerState::Refusing(backlog(BacklogReason::DiskFull, 0));
        let full = state_problem(full, now).expect("told");
        assert_eq!(
            (full.severity, full.id.as_str()),
            (LedgerSeverity::Problem, "ledger/disk-full")
        );
        assert_eq!(
            full.detail,
            "The disk is full. Free some space. New requests are refused with 503 until it can be \
             written. 1,200 records are waiting in memory."
        );
    }

    #[test]
    fn each_incident_says_what_is_missing_and_what_to_do() {
        let told = |cause, kept: Option<&str>| {
            incident_problem(&LedgerIncident {
                cause,
                at: WallTime::from_unix_ms(0),
                detail: None,
                kept: kept.map(str::to_owned),
                requests_before: Some(4_636),
            })
        };
        let damaged = told(IncidentCause::Damaged, Some("ledger.sqlite.kept-damaged"));
        assert_eq!(damaged.severity, LedgerSeverity::Problem);
        assert_eq!(
            damaged.detail,
            "4,636 requests recorded before that are missing; a new ledger was started. The old file is \
             kept as ledger.sqlite.kept-damaged. `gatehouse ledger restore` restores the newest backup; `gatehouse ledger repair` recovers what can be read."
        );
        assert!(told(IncidentCause::Emptied, None).detail.ends_with("the newest backup."));
        let deleted = told(IncidentCause::DeletedInUse, None);
        assert_eq!(deleted.severity, LedgerSeverity::Attention);
        assert!(deleted.detail.contains("Nothing is lost."));
    }
}
