//! The tool `run_checks`: starts a readiness run and waits for its end.

use std::time::Duration;

use control::view::{ReadinessRunStateView, ReadinessRunView, ReadinessStart};
use control::{ApiError, ChangeTag, Core, CoreEvents, PanelEvent};
use tokio::time::{Instant, timeout_at};

use crate::agent_call::{AgentCall, CallProgress, ProgressReporter, WaitReports};
use crate::answer::{cancelled_error, timed_out_error};
use crate::core_source::serve_gateway;

/// Longest readiness run, in seconds; as for the command line.
pub(crate) const RUN_SECS_MAX: u64 = 120;

/// Runs the checks. A run that takes too long is stopped.
pub(crate) async fn run_checks(
    core: &Core,
    start: ReadinessStart,
    call: &mut AgentCall,
    deadline: Instant,
) -> Result<ReadinessRunView, ApiError> {
    serve_gateway(core).await?;
    match timeout_at(deadline, follow_run(core, start, call)).await {
        Ok(Ok(Some(run))) => Ok(run),
        Ok(Err(error)) => Err(error),
        Ok(Ok(None)) => {
            control::readiness_cancel(core).await?;
            Err(cancelled_error())
        }
        Err(_) => {
            control::readiness_cancel(core).await?;
            Err(timed_out_error("the readiness run", RUN_SECS_MAX))
        }
    }
}

/// The run at its end; `None` once the call is cancelled.
async fn follow_run(
    core: &Core,
    start: ReadinessStart,
    call: &mut AgentCall,
) -> Result<Option<ReadinessRunView>, ApiError> {
    // Subscribe before the run starts, so that its end cannot be missed.
    let mut events = CoreEvents::subscribe(core).await?;
    let started = control::readiness_start(core, start).await?;
    let mut waits = WaitReports::new(Duration::from_secs(RUN_SECS_MAX));
    let (mut ended, mut checks) = (0, started.checks.len());
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            () = call.cancelled() => return Ok(None),
            progress = waits.next(ended, checks) => {
                call.report_progress(progress).await;
                continue;
            }
        };
        let run = match event {
            Some(PanelEvent::RunProgress { run }) => Some(*run),
            // Events may have been lost, so fetch the newest run instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::Readiness) => {
                control::readiness(core).await?.run
            }
            Some(_) => None,
            None => return Err(ApiError::failed("Gatehouse stopped before the checks finished")),
        };
        let Some(run) = run.filter(|run| run.id == started.id) else { continue };
        if run.state != ReadinessRunStateView::Running {
            return Ok(Some(run));
        }
        ended = run.checks.iter().filter(|check| check.state.is_final()).count();
        checks = run.checks.len();
        call.report_progress(CallProgress::step(ended, checks, "checks have ended")).await;
    }
}
