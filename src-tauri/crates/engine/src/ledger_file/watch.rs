//! Keeps the ledger whole: checks its file, makes daily backups and announces problems.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use archive::ArchiveWatch;
use domain::{Clock, DAY_MS, HOUR_MS, WallTime};
use ledger::{Ledger, LedgerError, LedgerState, MergeReport, Recovery};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::backups::progress::BackupTask;
use crate::backups::progress_teller::ProgressTeller;
use crate::clients::activity::ClientActivity;
use crate::events::{EngineEvent, EventBus};
use crate::ledger_file::problem::{
    BackupFailure, FILE_CHECK_SECS, LedgerProblem, backup_problem, file_problem, incident_problem,
    state_problem,
};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// File checks between two notes of the ledger's position: once a minute.
const FILE_CHECKS_PER_POSITION_SAVE: u32 = 6;
/// Interval of the state check while something is wrong, in seconds. The number and age of waiting
/// records change without an event.
const STATE_CHECK_SECS: u64 = 1;
/// Age of the newest backup from which another is due, in milliseconds: a day.
const BACKUP_EVERY_MS: i64 = DAY_MS;
/// Maximum time a due backup waits for a moment without requests, in milliseconds: an hour.
const BACKUP_DELAY_MS_MAX: i64 = HOUR_MS;
/// Delay after a failed backup, in milliseconds: an hour.
const BACKUP_RETRY_MS: i64 = HOUR_MS;
/// Free space required for a backup beyond the ledger's size, in bytes.
const BACKUP_HEADROOM_BYTES: u64 = 200_000_000;

/// Whether a backup would stand beside the work of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    /// None is in flight, and all are written down.
    Quiet,
    Busy,
}

/// Watches the ledger's file, and knows its problems.
pub struct LedgerWatch {
    ledger: Ledger,
    recovery: Recovery,
    clients: Arc<ClientActivity>,
    clock: Arc<dyn Clock>,
    events: EventBus,
    backup: Mutex<BackupStatus>,
    /// Why the last file check or rewrite failed.
    file_error: Mutex<Option<String>>,
    checked: Mutex<Option<FileCheck>>,
    /// Wakes the task that announces changes.
    changed: Notify,
    merge_cancelled: Arc<AtomicBool>,
}

/// The last check of the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileCheck {
    pub at: WallTime,
    pub is_sound: bool,
}

#[derive(Debug, Default)]
struct BackupStatus {
    due_since: Option<WallTime>,
    failure: Option<BackupFailure>,
}

impl LedgerWatch {
    pub(crate) fn new(
        ledger: Ledger,
        recovery: Recovery,
        clients: Arc<ClientActivity>,
        clock: Arc<dyn Clock>,
        events: EventBus,
    ) -> Self {
        let (backup, file_error, changed) = (Mutex::default(), Mutex::default(), Notify::new());
        let checked = Mutex::default();
        let merge_cancelled = Arc::default();
        Self {
            ledger,
            recovery,
            clients,
            clock,
            events,
            backup,
            file_error,
            checked,
            changed,
            merge_cancelled,
        }
    }

    /// Access to the ledger's file: backups, restore, repair.
    #[must_use]
    pub const fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Failure of the last backup; `None` if it succeeded.
    #[must_use]
    pub(crate) fn backup_failure(&self) -> Option<BackupFailure> {
        self.backup.lock().failure.clone()
    }

    /// The last check of the whole file since the start; `None` while the first one runs.
    #[must_use]
    pub fn last_check(&self) -> Option<FileCheck> {
        *self.checked.lock()
    }

    /// Present problems of the ledger, most severe first.
    #[must_use]
    pub fn problems(&self) -> Vec<LedgerProblem> {
        let state = state_problem(self.ledger.state(), self.clock.wall());
        let incident = self.recovery.incident().as_ref().map(incident_problem);
        let file = self.file_error.lock().as_deref().map(file_problem);
        let backup = self.backup_failure().map(|failure| backup_problem(&failure));
        let problems = state.into_iter().chain(file).chain(incident).chain(backup);
        let mut problems: Vec<_> = problems.collect();
        problems.sort_by_key(|problem| std::cmp::Reverse(problem.severity));
        problems
    }

    /// Free space on the disk with the ledger; `None` if the system does not say.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        fs4::available_space(self.recovery.path().parent()?).ok()
    }

    /// Makes a backup now, even if none is due.
    ///
    /// # Errors
    /// As for [`Recovery::back_up`]; [`LedgerError::Full`] if the disk has too little space.
    pub async fn back_up(&self) -> Result<ledger::LedgerBackup, LedgerError> {
        let recovery = &self.recovery;
        let free = self.free_bytes();
        let needed = self.ledger.size_bytes().saturating_add(BACKUP_HEADROOM_BYTES);
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
            .map(|error| BackupFailure { at: self.clock.wall(), reason: error.with_detail() });
        *self.backup.lock() = BackupStatus { due_since: None, failure };
        if found_damage {
            self.check_integrity().await;
        } else if made.is_ok() {
            // A backup is checked before it counts.
            self.note_check(true);
        }
        self.announce_change();
        made
    }

    /// Adds what an export of another machine has, and tells how far it is.
    ///
    /// # Errors
    /// As for [`Recovery::merge`].
    pub async fn merge(&self, source: PathBuf) -> Result<MergeReport, LedgerError> {
        let (events, cancelled) = (self.events.clone(), Arc::clone(&self.merge_cancelled));
        let teller = ProgressTeller::begin(BackupTask::Merge, events, cancelled);
        let merged = self.recovery.merge(source, |done, total| teller.goes_on(done, total)).await;
        self.announce_change();
        merged
    }

    /// Stops the merge in progress after the requests that it is adding. What it added stays.
    pub fn cancel_merge(&self) {
        self.merge_cancelled.store(true, Ordering::Relaxed);
    }

    /// Marks all displayed ledger data as stale after a restore, repair, deletion, acknowledgement or
    /// new problem.
    pub fn announce_change(&self) {
        self.clients.forget_ledger();
        self.changed.notify_one();
        let stale = [Topic::Ledger, Topic::Status, Topic::Usage, Topic::Readiness];
        self.events.send_changed(&stale);
    }

    /// Spawns the tasks that check the file, make backups and announce problems.
    pub(crate) fn spawn(
        self: &Arc<Self>,
        requests_in_flight: impl Fn() -> u32 + Send + Sync + 'static,
        tasks: &Tasks,
    ) {
        let (watch, ticks, stop) = (Arc::clone(self), tasks.clone(), tasks.stop_token());
        tasks.spawn("ledger file", async move {
            watch.check_integrity().await;
            for look in 0_u32.. {
                // A large file takes long to check; no backup begins after the stop.
                if stop.is_cancelled() {
                    return;
                }
                watch.check_file(look.is_multiple_of(FILE_CHECKS_PER_POSITION_SAVE)).await;
                watch.back_up_if_due(watch.traffic(requests_in_flight())).await;
                if !ticks.sleep(Duration::from_secs(FILE_CHECK_SECS)).await {
                    return;
                }
            }
        });
        let (watch, stop) = (Arc::clone(self), tasks.stop_token());
        tasks.spawn("ledger state", async move {
            let mut state = watch.ledger.watch_state();
            let mut told = Vec::new();
            loop {
                watch.announce_problems(&mut told).await;
                let is_current = state.borrow_and_update().backlog().is_none();
                let again = tokio::time::sleep(Duration::from_secs(STATE_CHECK_SECS));
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = watch.changed.notified() => {}
                    () = again, if !is_current => {}
                    changed = state.changed() => if changed.is_err() { return },
                }
            }
        });
    }

    /// Announces the present problems if they differ from those in `told`.
    async fn announce_problems(&self, told: &mut Vec<LedgerProblem>) {
        if let LedgerState::Behind(backlog) | LedgerState::Refusing(backlog) = self.ledger.state()
            && backlog.reason == ledger::BacklogReason::Damaged
        {
            self.check_integrity().await;
        }
        let problems = self.problems();
        let is_news = problems != *told;
        if is_news {
            self.events.send_changed(&[Topic::Status, Topic::Ledger]);
        }
        let ids = |problems: &[LedgerProblem]| -> Vec<String> {
            problems.iter().map(|problem| problem.id.clone()).collect()
        };
        if ids(&problems) != ids(told) {
            self.events.send(EngineEvent::Ledger(problems.first().cloned()));
        }
        *told = problems;
    }

    /// Checks the whole file. A damaged ledger is replaced by a new one.
    async fn check_integrity(&self) {
        match self.recovery.check_integrity().await {
            Ok(Some(_)) => {
                self.note_check(false);
                self.announce_change();
            }
            Ok(None) => self.note_check(true),
            Err(error) => tracing::warn!(%error, cause = ?error, "the ledger was not checked"),
        }
    }

    fn note_check(&self, is_sound: bool) {
        *self.checked.lock() = Some(FileCheck { at: self.clock.wall(), is_sound });
    }

    async fn check_file(&self, notes: bool) {
        let recovery = &self.recovery;
        let looked = recovery.check_file().await;
        let fault = looked.as_ref().err().map(LedgerError::with_detail);
        let before = std::mem::replace(&mut *self.file_error.lock(), fault.clone());
        if before != fault {
            self.announce_change();
        }
        match looked {
            Ok(Some(_)) => self.announce_change(),
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

    fn traffic(&self, requests_in_flight: u32) -> Traffic {
        let is_quiet = requests_in_flight == 0 && self.ledger.state() == LedgerState::Current;
        if is_quiet { Traffic::Quiet } else { Traffic::Busy }
    }

    async fn back_up_if_due(&self, traffic: Traffic) {
        let now = self.clock.wall();
        // A folder that cannot be read is told by the backup that fails there.
        let backups = self.recovery.backups().unwrap_or_default();
        let age = |at: WallTime| now.unix_ms() - at.unix_ms();
        if backups.first().is_some_and(|newest| (0..BACKUP_EVERY_MS).contains(&age(newest.at))) {
            return;
        }
        if !self.clients.any_request_seen().await.unwrap_or(false) {
            return;
        }
        let waited = {
            let mut standing = self.backup.lock();
            let failed = standing.failure.as_ref();
            if failed.is_some_and(|failure| age(failure.at) < BACKUP_RETRY_MS) {
                return;
            }
            age(*standing.due_since.get_or_insert(now))
        };
        if (traffic == Traffic::Quiet || waited > BACKUP_DELAY_MS_MAX)
            && let Err(error) = self.back_up().await
        {
            tracing::warn!(%error, cause = ?error, "the ledger was not backed up");
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{ClientId, ManualClock};
    use ledger::LedgerLimits;

    use super::*;
    use crate::clients::programs::ClientPrograms;
    use crate::test_parts::NOW;

    const DAY: Duration = Duration::from_secs(86_400);
    const HOUR: Duration = Duration::from_secs(3_600);
    const MOMENT: Duration = Duration::from_millis(1);

    /// The watch of a new ledger, and the clock by which it makes backups.
    fn watch_in(home: &tempfile::TempDir) -> (LedgerWatch, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        let shared: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let path = home.path().join("ledger.sqlite");
        let (ledger, recovery) =
            Recovery::open(&path, LedgerLimits::default(), Arc::clone(&shared)).expect("a ledger");
        let programs = ClientPrograms::open(home.path().join("client-programs.json"));
        let clients = Arc::new(ClientActivity::new(ledger.clone(), programs));
        let watch = LedgerWatch::new(ledger, recovery, clients, shared, EventBus::default());
        (watch, clock)
    }

    fn record_a_request(watch: &LedgerWatch) {
        watch.clients.record_request(&ClientId::new("codex").expect("a name"), NOW);
    }

    /// The number of backups after a look at this moment.
    async fn look(watch: &LedgerWatch, traffic: Traffic) -> usize {
        watch.back_up_if_due(traffic).await;
        watch.recovery().backups().expect("a folder").len()
    }

    #[tokio::test]
    async fn a_backup_is_made_once_a_day_while_nobody_asks() {
        let home = tempfile::tempdir().expect("a folder");
        let (watch, clock) = watch_in(&home);
        assert_eq!(look(&watch, Traffic::Quiet).await, 0, "there is nothing to keep yet");
        record_a_request(&watch);
        assert_eq!(look(&watch, Traffic::Busy).await, 0);
        assert_eq!(look(&watch, Traffic::Quiet).await, 1);
        assert_eq!(look(&watch, Traffic::Quiet).await, 1, "the next look finds one of today");
        clock.advance(DAY - MOMENT);
        assert_eq!(look(&watch, Traffic::Quiet).await, 1);
        clock.advance(MOMENT);
        assert_eq!(look(&watch, Traffic::Busy).await, 1);
        // With requests at every moment it is made beside them in the end.
        clock.advance(HOUR);
        assert_eq!(look(&watch, Traffic::Busy).await, 1);
        clock.advance(MOMENT);
        assert_eq!(look(&watch, Traffic::Busy).await, 2);
        assert_eq!(look(&watch, Traffic::Quiet).await, 2);
    }

    #[tokio::test]
    async fn a_backup_that_failed_is_reported_and_tried_again_after_an_hour() {
        let home = tempfile::tempdir().expect("a folder");
        let (watch, clock) = watch_in(&home);
        record_a_request(&watch);
        let told = || watch.problems().iter().any(|problem| problem.id == "ledger/backup");
        let folder = watch.recovery().backup_folder();
        // A folder stands where the copy is made.
        std::fs::create_dir_all(folder.join("ledger.partial/in the way")).expect("created");
        assert_eq!((look(&watch, Traffic::Quiet).await, told()), (0, true));
        std::fs::remove_dir_all(&folder).expect("removed");
        clock.advance(HOUR - MOMENT);
        assert_eq!((look(&watch, Traffic::Quiet).await, told()), (0, true));
        clock.advance(MOMENT);
        assert_eq!((look(&watch, Traffic::Quiet).await, told()), (1, false));
        // A file stands in the place of the folder.
        clock.advance(DAY);
        std::fs::remove_dir_all(&folder).expect("removed");
        std::fs::File::create(&folder).expect("created");
        watch.back_up_if_due(Traffic::Quiet).await;
        assert!(told());
    }
}
