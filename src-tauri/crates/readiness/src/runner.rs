//! Runs a plan concurrently, in dependency order and within limits, always to an end.
//!
//! One future owns the whole run, so dropping it cancels everything and the caller chooses its
//! task. Progress goes through a watch channel: a slow reader skips snapshots but always sees the
//! newest.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::{CheckSet, Clock, Moment, RunId};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;

use crate::check::{
    Applicability, CheckOutcome, CheckStatus, EVIDENCE_CHARS_MAX, EVIDENCE_LINES_MAX, NetworkScope,
    ReadinessCheck, TIMEOUT_HARD,
};
use crate::plan::Plan;
use crate::report::{
    CheckResult, REPORT_SCHEMA_VERSION, ReadinessReport, RunEnd, RunSnapshot, RunState,
};
use crate::score::judge;

/// Default number of checks that run at once.
pub const CONCURRENCY_DEFAULT: usize = 8;
/// Maximum number of checks that run at once.
pub const CONCURRENCY_MAX: usize = 16;
/// Default number of network checks that run at once. More would measure this machine's connection
/// instead of the backends.
pub const NETWORK_CONCURRENCY_DEFAULT: usize = 3;
/// Maximum time between two snapshots while checks run.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunParameters {
    pub run: RunId,
    /// The set the plan was built for.
    pub set: CheckSet,
    /// Score of the previous run, in tenths of a point.
    pub previous_score_tenths: Option<u32>,
    pub concurrency: ConcurrencyLimits,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConcurrencyLimits {
    /// All checks; clamped to 1..=[`CONCURRENCY_MAX`].
    pub checks: usize,
    /// Network checks; at least 1.
    pub network: usize,
}

impl Default for ConcurrencyLimits {
    fn default() -> Self {
        Self { checks: CONCURRENCY_DEFAULT, network: NETWORK_CONCURRENCY_DEFAULT }
    }
}

/// Prepares a run. Returns its snapshots and the future that runs it and yields the report. When
/// `cancel` is ready, running checks are dropped and the report ends as cancelled.
pub fn start_run(
    plan: Plan,
    order: RunParameters,
    clock: Arc<dyn Clock>,
    cancel: impl Future<Output = ()> + Send + 'static,
) -> (watch::Receiver<RunSnapshot>, impl Future<Output = ReadinessReport> + Send + 'static) {
    let snapshot = RunSnapshot {
        run: order.run,
        set: order.set,
        started: clock.wall(),
        state: RunState::Running,
        checks: plan.checks.iter().map(CheckResult::from_check).collect(),
    };
    let (progress, snapshots) = watch::channel(snapshot.clone());
    let begun = vec![None; plan.checks.len()];
    let running = RunInProgress { plan, order, clock, progress, snapshot, started_at: begun };
    (snapshots, running.run_to_end(cancel))
}

struct RunInProgress {
    plan: Plan,
    order: RunParameters,
    clock: Arc<dyn Clock>,
    progress: watch::Sender<RunSnapshot>,
    snapshot: RunSnapshot,
    /// Start of each running check, by index.
    started_at: Vec<Option<Moment>>,
}

struct CompletedCheck {
    index: usize,
    status: CheckStatus,
    outcome: CheckOutcome,
    duration: Duration,
}

impl RunInProgress {
    async fn run_to_end(mut self, cancel: impl Future<Output = ()> + Send) -> ReadinessReport {
        let mut cancel = std::pin::pin!(cancel);
        let mut going = FuturesUnordered::new();
        let end = loop {
            self.settle_unrunnable();
            going.extend(self.start_ready());
            self.publish();
            if going.is_empty() {
                break RunEnd::Finished;
            }
            tokio::select! {
                biased;
                () = &mut cancel => break RunEnd::Cancelled,
                Some(ended) = going.next() => self.record(ended),
                () = tokio::time::sleep(PROGRESS_EVERY) => {}
            }
        };
        // Drop the checks before reporting them: each undoes what it has begun.
        drop(going);
        self.finish_report(end)
    }

    /// Settles checks that will not run. One can settle the next, so it repeats until nothing
    /// changes.
    fn settle_unrunnable(&mut self) {
        loop {
            let settled: Vec<_> = (0..self.snapshot.checks.len())
                .filter_map(|place| Some((place, self.untried_status(place)?)))
                .collect();
            if settled.is_empty() {
                return;
            }
            for (place, (status, cause)) in settled {
                if let Some(row) = self.snapshot.checks.get_mut(place) {
                    row.status = status;
                    row.cause = Some(cause);
                }
            }
        }
    }

    fn untried_status(&self, place: usize) -> Option<(CheckStatus, String)> {
        if self.snapshot.checks.get(place)?.status != CheckStatus::Waiting {
            return None;
        }
        if let Applicability::No(why) = &self.plan.checks.get(place)?.applies {
            return Some((CheckStatus::NotApplicable, why.clone()));
        }
        let mut waits_for = self.dependency_rows(place);
        let held_up =
            waits_for.find(|row| row.status.is_final() && !row.status.allows_dependents())?;
        let cause = match (held_up.status, &held_up.cause) {
            // Users need the root cause of a chain of skipped checks.
            (CheckStatus::Skipped, Some(root)) => root.clone(),
            _ => format!("because {} ({}) did not pass", held_up.id, held_up.title),
        };
        Some((CheckStatus::Skipped, cause))
    }

    fn dependency_rows(&self, place: usize) -> impl Iterator<Item = &CheckResult> {
        let waits = self.plan.dependencies.get(place).map(Vec::as_slice).unwrap_or_default();
        waits.iter().filter_map(|wait| self.snapshot.checks.get(*wait))
    }

    /// Starts checks that are ready, in display order, up to the concurrency limits.
    fn start_ready(&mut self) -> Vec<BoxFuture<'static, CompletedCheck>> {
        let mut begun = Vec::new();
        let now = self.clock.now();
        for place in 0..self.snapshot.checks.len() {
            if !self.may_start(place) {
                continue;
            }
            let check = self.plan.checks.get(place).cloned();
            let row = self.snapshot.checks.get_mut(place);
            let moment = self.started_at.get_mut(place);
            if let (Some(check), Some(row), Some(moment)) = (check, row, moment) {
                row.status = CheckStatus::Running;
                *moment = Some(now);
                begun.push(run_check(place, check, Arc::clone(&self.clock)).boxed());
            }
        }
        begun
    }

    fn may_start(&self, place: usize) -> bool {
        let row = self.snapshot.checks.get(place);
        if row.is_none_or(|row| row.status != CheckStatus::Waiting)
            || !self.dependency_rows(place).all(|row| row.status.allows_dependents())
        {
            return false;
        }
        let is_network = |place: usize| {
            self.plan.checks.get(place).is_some_and(|c| c.network_scope == NetworkScope::Network)
        };
        let rows = self.snapshot.checks.iter().enumerate();
        let running =
            rows.filter(|(_, row)| row.status == CheckStatus::Running).map(|(place, _)| place);
        let (mut all, mut network) = (0, 0);
        for place in running {
            all += 1;
            network += usize::from(is_network(place));
        }
        let limits = self.order.concurrency;
        all < limits.checks.clamp(1, CONCURRENCY_MAX)
            && (!is_network(place) || network < limits.network.max(1))
    }

    fn record(&mut self, ended: CompletedCheck) {
        if let Some(moment) = self.started_at.get_mut(ended.index) {
            *moment = None;
        }
        let Some(row) = self.snapshot.checks.get_mut(ended.index) else { return };
        tracing::debug!(
            check = %row.id, status = ?ended.status, ms = ended.duration.as_millis(),
            "checked"
        );
        row.status = ended.status;
        row.duration_ms = Some(millis(ended.duration));
        let lines = ended.outcome.evidence.iter().take(EVIDENCE_LINES_MAX);
        row.evidence = lines.map(|line| cut_line(line)).collect();
        row.cause = ended.outcome.cause.as_deref().map(cut_line);
        row.fix = ended.outcome.fix.as_deref().map(cut_line);
        row.action = ended.outcome.action;
    }

    fn publish(&mut self) {
        let now = self.clock.now();
        for (row, begun) in self.snapshot.checks.iter_mut().zip(&self.started_at) {
            if let Some(begun) = begun {
                row.duration_ms = Some(millis(now.since(*begun)));
            }
        }
        self.progress.send_replace(self.snapshot.clone());
    }

    fn finish_report(mut self, end: RunEnd) -> ReadinessReport {
        for row in &mut self.snapshot.checks {
            if !row.status.is_final() {
                row.status = CheckStatus::Cancelled;
            }
        }
        self.snapshot.state = RunState::Ended(end);
        self.publish();
        let previous_score_tenths = self.order.previous_score_tenths;
        ReadinessReport {
            schema_version: REPORT_SCHEMA_VERSION,
            run: self.snapshot.run,
            set: self.snapshot.set,
            started: self.snapshot.started,
            ended: self.clock.wall(),
            end,
            previous_score_tenths,
            judgement: judge(&self.snapshot.checks, end, previous_score_tenths),
            checks: self.snapshot.checks,
        }
    }
}

async fn run_check(place: usize, check: ReadinessCheck, clock: Arc<dyn Clock>) -> CompletedCheck {
    let begun = clock.now();
    let limit = check.timeout.min(TIMEOUT_HARD);
    let work = async { AssertUnwindSafe(check.run.run()).catch_unwind().await };
    let (status, outcome) = match tokio::time::timeout(limit, work).await {
        Ok(Ok(outcome)) => (outcome.status, outcome),
        Ok(Err(payload)) => {
            tracing::error!(check = %check.id, "a readiness check crashed");
            (CheckStatus::Crashed, crash_outcome(&*payload))
        }
        Err(_elapsed) => (CheckStatus::Fail, timeout_outcome(limit)),
    };
    CompletedCheck { index: place, status, outcome, duration: clock.now().since(begun) }
}

fn timeout_outcome(limit: Duration) -> CheckOutcome {
    let cause = format!("no response within {} s", limit.as_secs_f32());
    CheckOutcome::fail(
        cause,
        "Run the checks again. If this happens again, restart what the check tests.",
    )
}

fn crash_outcome(payload: &(dyn Any + Send)) -> CheckOutcome {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let fix = "This is a bug in Gatehouse, not a problem with your machine. Please report it.";
    CheckOutcome::fail("the check crashed", fix).with_evidence(message)
}

fn cut_line(text: &str) -> String {
    if text.chars().count() <= EVIDENCE_CHARS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(EVIDENCE_CHARS_MAX - 1).collect();
    format!("{kept}…")
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
