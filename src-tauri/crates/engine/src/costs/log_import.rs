//! Imports the session logs of coding tools: off the request path, one import at a time.
//!
//! Threads read what is new in the files; this part prices it and stores it in batches. An import
//! that is cancelled, fails or is killed keeps what it has stored, and the next one goes on there.
//!
//! While the user wants it, an import begins by itself soon after the start and then every ten
//! minutes. It reads only what has changed, so it costs next to nothing. A failure is told where the
//! last import is told, and tried again at the next time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::{Clock, Meter, MeteredUsage, Moment, SessionTool, Usage, WallTime};
use ledger::{Ledger, LedgerError, SESSION_ROWS_MAX, SessionPart};
use parking_lot::Mutex;
use session_logs::{
    FilePart, LogRoot, PlanReading, PlannedFile, ReadOptions, UsageRecord, WORKERS_MAX, find_files,
    read_files, read_plan_limits,
};
use settings::SettingsStore;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::costs::prices_in_use::PricesInUse;
use crate::costs::session_answer::SessionAnswer;
use crate::events::{EngineEvent, EventBus};
use crate::process::tasks::Tasks;
use crate::topic::Topic;

/// Parts stored in one transaction; most files are one part. `BENCHMARKS.md` compares 32, 64 and
/// 128: an import takes the same time with each, and requests wait least with this.
const PARTS_PER_BATCH: usize = 32;

/// Records after which a batch is stored even if it has fewer parts.
const RECORDS_PER_BATCH: usize = 2_000;

/// Parts that wait to be stored; reading then waits too.
const PARTS_WAITING_MAX: usize = 128;

/// Time between two events about progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// Time between the end of an import and the next one that begins by itself.
const IMPORT_INTERVAL: Duration = Duration::from_secs(600);

/// Pause between two looks if one is due; also the wait after the start, which comes first.
const DUE_CHECK_SECS: u64 = 5;

/// Most places listed that could not be looked into.
const SKIPPED_MAX: usize = 100;

domain::words! {
    LogImportState {
        Running = "running",
        Finished = "finished",
        /// Stopped by the user or by the end of the program.
        Cancelled = "cancelled",
        Failed = "failed",
    }
}

/// An import, running or ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogImportProgress {
    pub state: LogImportState,
    pub started: WallTime,
    pub ended: Option<WallTime>,
    pub files: u64,
    /// Of these, files that have not changed since an earlier import.
    pub unchanged: u64,
    /// Files that are read to their end, unchanged ones included.
    pub done: u64,
    /// Answers that are new, or known more completely.
    pub answers: u64,
    /// Rows found to be measured by the gateway.
    pub measured: u64,
    /// Problems in the lines that were read.
    pub problems: u64,
    /// Places that could not be looked into, with the reason; at most 100.
    pub skipped: Vec<(String, String)>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogImportError {
    #[error("session logs are being imported already; wait for the end, or cancel it")]
    AlreadyRunning,
}

/// Runs imports. Cheap to clone.
#[derive(Clone)]
pub struct LogImport {
    pub(crate) ledger: Ledger,
    pub(crate) prices: PricesInUse,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) roots: Arc<Vec<LogRoot>>,
    /// The import in progress or the last one, and what cancels it.
    pub(crate) latest: Arc<Mutex<Option<(LogImportProgress, CancellationToken)>>>,
}

impl LogImport {
    /// Where logs are looked for.
    #[must_use]
    pub fn roots(&self) -> &[LogRoot] {
        &self.roots
    }

    /// The import in progress, else the last one of this process.
    #[must_use]
    pub fn latest(&self) -> Option<LogImportProgress> {
        self.latest.lock().as_ref().map(|(progress, _)| progress.clone())
    }

    /// What the tools were last told of their plans' limits; none if no tool wrote one in the last
    /// eight days. Read when it is asked, in milliseconds, and not stored.
    pub async fn plan_limits(&self) -> Vec<PlanReading> {
        let (roots, now) = (Arc::clone(&self.roots), self.clock.wall());
        let read = tokio::task::spawn_blocking(move || read_plan_limits(&roots, now)).await;
        read.unwrap_or_else(|error| {
            tracing::error!(%error, "the limits of plans could not be read");
            Vec::new()
        })
    }

    /// Imports by itself while the setting is on. Not in the first moments after sleep, when the machine
    /// has much else to do.
    pub(crate) fn spawn_regular(
        &self,
        settings: Arc<SettingsStore>,
        is_resuming: impl Fn() -> bool + Send + 'static,
    ) {
        let (import, mut schedule) = (self.clone(), ImportSchedule::default());
        self.tasks.spawn("regular import of session logs", async move {
            while import.tasks.sleep(Duration::from_secs(DUE_CHECK_SECS)).await {
                let wanted = settings.current().session_logs.import && !is_resuming();
                let is_due = schedule.is_due(wanted, import.is_running(), import.clock.now());
                // The user may have started one in this moment.
                if is_due && let Err(LogImportError::AlreadyRunning) = import.start() {
                    tracing::debug!("session logs are being imported already");
                }
            }
        });
    }

    fn is_running(&self) -> bool {
        let latest = self.latest.lock();
        latest.as_ref().is_some_and(|(last, _)| last.state == LogImportState::Running)
    }

    /// Cancels the import in progress. What it has stored stays.
    pub fn cancel(&self) {
        if let Some((_, cancel)) = &*self.latest.lock() {
            cancel.cancel();
        }
    }

    /// Starts an import. Progress comes as events.
    pub fn start(&self) -> Result<LogImportProgress, LogImportError> {
        let mut latest = self.latest.lock();
        if latest.as_ref().is_some_and(|(last, _)| last.state == LogImportState::Running) {
            return Err(LogImportError::AlreadyRunning);
        }
        let first = LogImportProgress {
            state: LogImportState::Running,
            started: self.clock.wall(),
            ended: None,
            files: 0,
            unchanged: 0,
            done: 0,
            answers: 0,
            measured: 0,
            problems: 0,
            skipped: Vec::new(),
            error: None,
        };
        let cancel = self.tasks.stop_token().child_token();
        *latest = Some((first.clone(), cancel.clone()));
        drop(latest);
        let (import, progress) = (self.clone(), first.clone());
        self.tasks.spawn("import of session logs", async move {
            let told = Progress { progress, told: import.clock.now() };
            import.run(told, cancel).await;
        });
        Ok(first)
    }

    async fn run(&self, mut progress: Progress, cancel: CancellationToken) {
        let outcome = self.import(&mut progress, &cancel).await;
        let mut last = progress.progress;
        last.ended = Some(self.clock.wall());
        last.state = match &outcome {
            Err(_) => LogImportState::Failed,
            Ok(()) if cancel.is_cancelled() => LogImportState::Cancelled,
            Ok(()) => LogImportState::Finished,
        };
        if let Err(error) = outcome {
            tracing::error!(%error, "session logs could not be imported");
            last.error = Some(error.to_string());
        }
        self.publish(last);
        self.events.send_changed(&[Topic::SessionLogs]);
    }

    async fn import(
        &self,
        progress: &mut Progress,
        cancel: &CancellationToken,
    ) -> Result<(), ImportFailure> {
        if self.ledger.session_rows().await? >= SESSION_ROWS_MAX {
            return Err(ImportFailure::Full);
        }
        let files = self.plan(progress).await?;
        self.store_all(files, progress, cancel).await?;
        let measured = self.ledger.match_sessions().await?;
        progress.progress.measured = as_count(measured);
        Ok(())
    }

    /// Finds the files that have changed since they were read.
    async fn plan(&self, progress: &mut Progress) -> Result<Vec<PlannedFile>, ImportFailure> {
        let mut known = self.ledger.session_progress().await?;
        let roots = Arc::clone(&self.roots);
        let scan = tokio::task::spawn_blocking(move || find_files(&roots)).await;
        let scan = scan.map_err(|_| ImportFailure::Stopped)?;
        let told = &mut progress.progress;
        told.files = as_count(scan.files.len());
        let skipped = scan.skipped.into_iter().take(SKIPPED_MAX);
        told.skipped = skipped.map(|(path, what)| (path.display().to_string(), what)).collect();
        let plan = |file: session_logs::LogFile| {
            let known = known.remove(&*file.path.to_string_lossy());
            let is_current = known.as_ref().is_some_and(|known| known.is_current(&file));
            (!is_current).then_some(PlannedFile { file, known })
        };
        let files: Vec<_> = scan.files.into_iter().filter_map(plan).collect();
        told.unchanged = told.files.saturating_sub(as_count(files.len()));
        told.done = told.unchanged;
        self.publish(told.clone());
        Ok(files)
    }

    /// Reads and stores.
    async fn store_all(
        &self,
        files: Vec<PlannedFile>,
        progress: &mut Progress,
        cancel: &CancellationToken,
    ) -> Result<(), ImportFailure> {
        let (sender, mut parts) = mpsc::channel(PARTS_WAITING_MAX);
        let (files, stop) = (Arc::new(files), Arc::new(AtomicBool::new(false)));
        let (read, stopped, now) = (Arc::clone(&files), Arc::clone(&stop), self.clock.wall());
        let reading = tokio::task::spawn_blocking(move || {
            let workers = std::thread::available_parallelism().map_or(1, usize::from);
            let options = ReadOptions { workers: workers.min(WORKERS_MAX), now, stop: &stopped };
            read_files(&read, &options, &|part| match sender.blocking_send(part) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
        });
        let mut batch = Batch::default();
        let outcome = loop {
            let part = tokio::select! {
                biased;
                () = cancel.cancelled() => break Ok(()),
                part = parts.recv() => part,
            };
            let is_end = part.is_none();
            if let Some(part) = part {
                batch.add(self.price(&files, part));
            }
            if (is_end || batch.is_full())
                && let Err(error) = self.store(batch.take(), progress).await
            {
                break Err(error.into());
            }
            if is_end {
                break Ok(());
            }
        };
        stop.store(true, Ordering::Relaxed);
        drop(parts);
        // The threads stop at the next part, which nobody takes.
        let _ended = reading.await;
        outcome
    }

    async fn store(
        &self,
        parts: Vec<SessionPart>,
        progress: &mut Progress,
    ) -> Result<(), LedgerError> {
        if parts.is_empty() {
            return Ok(());
        }
        let told = &mut progress.progress;
        told.done += as_count(parts.iter().filter(|part| part.part.is_last).count());
        told.problems += parts.iter().map(|part| part.part.problems_total).sum::<u64>();
        told.answers += as_count(self.ledger.store_session_parts(parts).await?);
        let now = self.clock.now();
        if now.since(progress.told) >= PROGRESS_INTERVAL {
            progress.told = now;
            self.publish(progress.progress.clone());
        }
        Ok(())
    }

    fn price(&self, files: &[PlannedFile], part: FilePart) -> SessionPart {
        let planned = files.get(part.file);
        let tool = planned.map_or(SessionTool::ClaudeCode, |planned| planned.file.tool);
        let path = planned.map(|planned| planned.file.path.to_string_lossy().into_owned());
        let (prices, now) = (self.prices.load_full(), self.clock.wall());
        let value = |record: &UsageRecord| {
            let mut quantities = MeteredUsage::from(record.usage);
            quantities.count(Meter::WebSearch, record.web_searches);
            let inner_calls = record.inner_calls.iter().copied().map(MeteredUsage::from).collect();
            let (tier, region) = (record.service_tier, record.region.clone());
            let unread = record.unread.as_deref().map(str::to_owned);
            let usage = Usage { quantities, inner_calls, tier, region, unread, ..Usage::default() };
            let answer = SessionAnswer {
                tool,
                provider: record.provider.as_deref(),
                model: record.model.as_deref()?,
                time: record.time,
                usage: &usage,
            };
            answer.value(&prices, now)
        };
        let values = part.records.iter().map(value).collect();
        SessionPart { path: path.unwrap_or_default(), tool, part, values }
    }

    fn publish(&self, progress: LogImportProgress) {
        if let Some((latest, _)) = &mut *self.latest.lock() {
            latest.clone_from(&progress);
        }
        self.events.send(EngineEvent::LogImport(Arc::new(progress)));
    }
}

/// When an import begins by itself.
#[derive(Debug, Default)]
struct ImportSchedule {
    /// When an import was last begun or seen to run, also one that the user started.
    last: Option<Moment>,
}

impl ImportSchedule {
    /// True if an import is to begin now, which then counts as begun. `wanted` is false while the
    /// setting is off and in moments that do not suit.
    fn is_due(&mut self, wanted: bool, is_running: bool, now: Moment) -> bool {
        if is_running {
            self.last = Some(now);
            return false;
        }
        let is_due = wanted && self.last.is_none_or(|last| now.since(last) >= IMPORT_INTERVAL);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

/// The progress of an import and when it was last published.
struct Progress {
    progress: LogImportProgress,
    told: Moment,
}

#[derive(Default)]
struct Batch {
    parts: Vec<SessionPart>,
    records: usize,
}

impl Batch {
    fn add(&mut self, part: SessionPart) {
        self.records += part.part.records.len();
        self.parts.push(part);
    }

    fn is_full(&self) -> bool {
        self.parts.len() >= PARTS_PER_BATCH || self.records >= RECORDS_PER_BATCH
    }

    fn take(&mut self) -> Vec<SessionPart> {
        std::mem::take(self).parts
    }
}

#[derive(Debug, thiserror::Error)]
enum ImportFailure {
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(
        "the ledger holds {SESSION_ROWS_MAX} answers from session logs, which is the most it takes"
    )]
    Full,
    #[error("Gatehouse is stopping")]
    Stopped,
}

fn as_count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
