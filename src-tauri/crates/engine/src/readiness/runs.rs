//! Readiness runs: one at a time, published step by step, stored in the ledger at the end.

use std::sync::Arc;

use domain::{CheckSet, Clock, Entropy, ReadinessVerdict, RunId};
use ledger::{Ledger, LedgerError, ReadinessRunRecord, ReadinessRunSummary};
use parking_lot::Mutex;
use readiness::{
    ConcurrencyLimits, Plan, PlanError, ReadinessEnvironment, ReadinessReport, RunEnd,
    RunParameters, RunSnapshot,
};
use settings::SettingsStore;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::events::{EngineEvent, EventBus};
use crate::gateway::snapshot::SnapshotStore;
use crate::process::tasks::Tasks;
use crate::readiness::environment::check_inputs;
use crate::topic::Topic;

/// Starts and stores runs. Cheap to clone.
#[derive(Clone)]
pub struct ReadinessRuns {
    pub(crate) ledger: Ledger,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) events: EventBus,
    pub(crate) tasks: Tasks,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) environment: Arc<dyn ReadinessEnvironment>,
    pub(crate) snapshots: Arc<SnapshotStore>,
    /// The run in progress, if any.
    pub(crate) active: Arc<Mutex<Option<ActiveRun>>>,
}

pub(crate) struct ActiveRun {
    snapshots: watch::Receiver<RunSnapshot>,
    cancel: CancellationToken,
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("checks are already running; wait for them to finish, or cancel them")]
    AlreadyRunning,
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The score of the previous run cannot be read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl ReadinessRuns {
    /// Present snapshot of the run in progress.
    #[must_use]
    pub fn in_progress(&self) -> Option<RunSnapshot> {
        self.active.lock().as_ref().map(|going| going.snapshots.borrow().clone())
    }

    /// Cancels the run in progress. Its report keeps the results so far.
    pub fn cancel(&self) {
        if let Some(going) = &*self.active.lock() {
            going.cancel.cancel();
        }
    }

    /// Starts a run of the built-in checks and returns its first snapshot. Progress is published as
    /// events.
    pub async fn start(&self, set: CheckSet) -> Result<RunSnapshot, RunError> {
        let served = self.snapshots.current().routes.served_models();
        let inputs = check_inputs(&self.settings.current(), &served);
        let previous = self.ledger.runs(1).await?;
        let previous = previous.first().filter(|run| run.verdict != ReadinessVerdict::NotSetUp);
        let previous = previous.map(|run| run.score);
        let checks = readiness::built_in_checks(&self.environment, set, &inputs);
        let order = RunParameters {
            run: RunId::generate(self.clock.wall(), &*self.entropy),
            set,
            previous_score_tenths: previous.map(u32::from),
            concurrency: ConcurrencyLimits::default(),
        };
        let plan = Plan::build(checks)?;
        let mut place = self.active.lock();
        if place.is_some() {
            return Err(RunError::AlreadyRunning);
        }
        let cancel = self.tasks.stop_token().child_token();
        let clock = Arc::clone(&self.clock);
        let (snapshots, run) =
            readiness::start_run(plan, order, clock, cancel.clone().cancelled_owned());
        let first = snapshots.borrow().clone();
        *place = Some(ActiveRun { snapshots: snapshots.clone(), cancel });
        drop(place);
        let runs = self.clone();
        self.tasks.spawn("readiness run", async move {
            let report = runs.publish_progress(snapshots, run).await;
            runs.end_run(report).await;
        });
        Ok(first)
    }

    async fn publish_progress(
        &self,
        mut snapshots: watch::Receiver<RunSnapshot>,
        run: impl Future<Output = ReadinessReport>,
    ) -> ReadinessReport {
        let mut run = std::pin::pin!(run);
        loop {
            tokio::select! {
                biased;
                report = &mut run => return report,
                Ok(()) = snapshots.changed() => {
                    let snapshot = Arc::new(snapshots.borrow_and_update().clone());
                    self.events.send(EngineEvent::RunProgress(snapshot));
                }
            }
        }
    }

    async fn end_run(&self, report: ReadinessReport) {
        self.store_report(&report).await;
        *self.active.lock() = None;
        self.events.send(EngineEvent::RunEnded(Arc::new(report)));
        self.events.send_changed(&[Topic::Readiness, Topic::Status]);
    }

    /// Stores the report. A cancelled run has no verdict, so it is not stored.
    async fn store_report(&self, report: &ReadinessReport) {
        let (RunEnd::Finished, Some(verdict)) = (report.end, report.judgement.verdict) else {
            return;
        };
        let score = report.judgement.score_tenths.unwrap_or(0);
        let summary = ReadinessRunSummary {
            id: report.run,
            started: report.started,
            ended: report.ended,
            set: report.set,
            score: u8::try_from(score).unwrap_or(u8::MAX),
            verdict,
        };
        let kept = match serde_json::to_string(report) {
            Ok(report) => self.ledger.record_run(ReadinessRunRecord { summary, report }).await,
            Err(error) => return tracing::error!(%error, "a readiness report could not be written"),
        };
        if let Err(error) = kept {
            tracing::error!(%error, "a readiness run could not be saved");
        }
    }
}
