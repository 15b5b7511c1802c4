//! Runs a plan concurrently, in dependency order and within limits, always to an end.
//!
//! One future owns the whole run, so dropping it cancels everything and the caller chooses its
//! task. Progress goes through a watch channel: a slow reader skips snapshots but always sees the
//! newest.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Moment, RunId};
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::watch;

use crate::check::{
    Applies, Check, EVIDENCE_CHARS_MAX, EVIDENCE_LINES_MAX, Outcome, Reach, Status, TIMEOUT_HARD,
};
use crate::plan::Plan;
use crate::report::{
    CheckRow, CheckSet, REPORT_SCHEMA_VERSION, Report, RunEnd, RunSnapshot, RunState,
};
use crate::score::judge;

/// Default number of checks that run at once.
pub const AT_ONCE_DEFAULT: usize = 8;
/// Maximum number of checks that run at once.
pub const AT_ONCE_MAX: usize = 16;
/// Default number of network checks that run at once. More would measure this machine's connection
/// instead of the backends.
pub const NETWORK_AT_ONCE_DEFAULT: usize = 3;
/// Maximum time between two snapshots while checks run.
pub const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Parameters of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOrder {
    pub run: RunId,
    /// The set the plan was built for.
    pub set: CheckSet,
    /// Score of the previous run, in tenths of a point.
    pub previous_score_tenths: Option<u32>,
    pub at_once: AtOnce,
}

/// Concurrency limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtOnce {
    /// All checks; clamped to 1..=[`AT_ONCE_MAX`].
    pub checks: usize,
    /// Network checks; at least 1.
    pub network: usize,
}

impl Default for AtOnce {
    fn default() -> Self {
        Self { checks: AT_ONCE_DEFAULT, network: NETWORK_AT_ONCE_DEFAULT }
    }
}

/// Prepares a run. Returns its snapshots and the future that runs it and yields the report. When
/// `cancel` is ready, running checks are dropped and the report ends as cancelled.
pub fn start(
    plan: Plan,
    order: RunOrder,
    clock: Arc<dyn Clock>,
    cancel: impl Future<Output = ()> + Send + 'static,
) -> (watch::Receiver<RunSnapshot>, impl Future<Output = Report> + Send + 'static) {
    let snapshot = RunSnapshot {
        run: order.run,
        set: order.set,
        started: clock.wall(),
        state: RunState::Running,
        checks: plan.checks.iter().map(CheckRow::waiting).collect(),
    };
    let (progress, snapshots) = watch::channel(snapshot.clone());
    let begun = vec![None; plan.checks.len()];
    let running = Running { plan, order, clock, progress, snapshot, begun };
    (snapshots, running.finish(cancel))
}

struct Running {
    plan: Plan,
    order: RunOrder,
    clock: Arc<dyn Clock>,
    progress: watch::Sender<RunSnapshot>,
    snapshot: RunSnapshot,
    /// Start of each running check, by index.
    begun: Vec<Option<Moment>>,
}

/// A completed check.
struct Ended {
    place: usize,
    status: Status,
    outcome: Outcome,
    took: Duration,
}

impl Running {
    async fn finish(mut self, cancel: impl Future<Output = ()> + Send) -> Report {
        let mut cancel = std::pin::pin!(cancel);
        let mut going = FuturesUnordered::new();
        let end = loop {
            self.settle_without_running();
            going.extend(self.begin_ready());
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
        self.close(end)
    }

    /// Settles checks that will not run. One can settle the next, so it repeats until nothing
    /// changes.
    fn settle_without_running(&mut self) {
        loop {
            let settled: Vec<_> = (0..self.snapshot.checks.len())
                .filter_map(|place| Some((place, self.settled_untried(place)?)))
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

    fn settled_untried(&self, place: usize) -> Option<(Status, String)> {
        if self.snapshot.checks.get(place)?.status != Status::Waiting {
            return None;
        }
        if let Applies::No(why) = &self.plan.checks.get(place)?.applies {
            return Some((Status::NotApplicable, why.clone()));
        }
        let mut waits_for = self.waits_for(place);
        let held_up =
            waits_for.find(|row| row.status.is_final() && !row.status.lets_others_run())?;
        let cause = match (held_up.status, &held_up.cause) {
            // Users need the root cause of a chain of skipped checks.
            (Status::Skipped, Some(root)) => root.clone(),
            _ => format!("because {} ({}) did not pass", held_up.id, held_up.title),
        };
        Some((Status::Skipped, cause))
    }

    fn waits_for(&self, place: usize) -> impl Iterator<Item = &CheckRow> {
        let waits = self.plan.waits_for.get(place).map(Vec::as_slice).unwrap_or_default();
        waits.iter().filter_map(|wait| self.snapshot.checks.get(*wait))
    }

    /// Starts checks that are ready, in display order, up to the concurrency limits.
    fn begin_ready(&mut self) -> Vec<BoxFuture<'static, Ended>> {
        let mut begun = Vec::new();
        let now = self.clock.now();
        for place in 0..self.snapshot.checks.len() {
            if !self.may_begin(place) {
                continue;
            }
            let check = self.plan.checks.get(place).cloned();
            let row = self.snapshot.checks.get_mut(place);
            let moment = self.begun.get_mut(place);
            if let (Some(check), Some(row), Some(moment)) = (check, row, moment) {
                row.status = Status::Running;
                *moment = Some(now);
                begun.push(try_check(place, check, Arc::clone(&self.clock)).boxed());
            }
        }
        begun
    }

    fn may_begin(&self, place: usize) -> bool {
        let row = self.snapshot.checks.get(place);
        if row.is_none_or(|row| row.status != Status::Waiting)
            || !self.waits_for(place).all(|row| row.status.lets_others_run())
        {
            return false;
        }
        let is_network =
            |place: usize| self.plan.checks.get(place).is_some_and(|c| c.reach == Reach::Network);
        let rows = self.snapshot.checks.iter().enumerate();
        let running = rows.filter(|(_, row)| row.status == Status::Running).map(|(place, _)| place);
        let (mut all, mut network) = (0, 0);
        for place in running {
            all += 1;
            network += usize::from(is_network(place));
        }
        let limits = self.order.at_once;
        all < limits.checks.clamp(1, AT_ONCE_MAX)
            && (!is_network(place) || network < limits.network.max(1))
    }

    fn record(&mut self, ended: Ended) {
        if let Some(moment) = self.begun.get_mut(ended.place) {
            *moment = None;
        }
        let Some(row) = self.snapshot.checks.get_mut(ended.place) else { return };
        tracing::debug!(
            check = %row.id, status = ?ended.status, ms = ended.took.as_millis(),
            "checked"
        );
        row.status = ended.status;
        row.duration_ms = Some(millis(ended.took));
        let lines = ended.outcome.evidence.iter().take(EVIDENCE_LINES_MAX);
        row.evidence = lines.map(|line| cut(line)).collect();
        row.cause = ended.outcome.cause.as_deref().map(cut);
        row.fix = ended.outcome.fix.as_deref().map(cut);
        row.action = ended.outcome.action;
    }

    fn publish(&mut self) {
        let now = self.clock.now();
        for (row, begun) in self.snapshot.checks.iter_mut().zip(&self.begun) {
            if let Some(begun) = begun {
                row.duration_ms = Some(millis(now.since(*begun)));
            }
        }
        self.progress.send_replace(self.snapshot.clone());
    }

    fn close(mut self, end: RunEnd) -> Report {
        for row in &mut self.snapshot.checks {
            if !row.status.is_final() {
                row.status = Status::Cancelled;
            }
        }
        self.snapshot.state = RunState::Ended(end);
        self.publish();
        let previous_score_tenths = self.order.previous_score_tenths;
        Report {
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

async fn try_check(place: usize, check: Check, clock: Arc<dyn Clock>) -> Ended {
    let begun = clock.now();
    let limit = check.timeout.min(TIMEOUT_HARD);
    let work = async { AssertUnwindSafe(check.run.run()).catch_unwind().await };
    let (status, outcome) = match tokio::time::timeout(limit, work).await {
        Ok(Ok(outcome)) => (outcome.status, outcome),
        Ok(Err(payload)) => {
            tracing::error!(check = %check.id, "a readiness check crashed");
            (Status::Crashed, crash(&*payload))
        }
        Err(_elapsed) => (Status::Fail, overdue(limit)),
    };
    Ended { place, status, outcome, took: clock.now().since(begun) }
}

fn overdue(limit: Duration) -> Outcome {
    let cause = format!("no response within {} s", limit.as_secs_f32());
    Outcome::fail(
        cause,
        "Run the checks again. If this happens again, restart what the check tests.",
    )
}

fn crash(payload: &(dyn Any + Send)) -> Outcome {
    let message = payload
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| payload.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    let fix = "This is a bug in Gatehouse, not a problem with your machine. Please report it.";
    Outcome::fail("the check crashed", fix).saw(message)
}

fn cut(text: &str) -> String {
    if text.chars().count() <= EVIDENCE_CHARS_MAX {
        return text.to_owned();
    }
    let kept: String = text.chars().take(EVIDENCE_CHARS_MAX - 1).collect();
    format!("{kept}…")
}

fn millis(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}
