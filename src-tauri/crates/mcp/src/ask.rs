//! The tool `ask`: one prompt for several models at once, each with its own deadline. A model that is
//! slow or fails keeps no other from answering.

use std::time::Duration;

use control::view::{
    AskAnswerView, AskOutcome, AskQuery, AskView, NanoDollars, PlaygroundRef, PlaygroundRunView,
    PlaygroundSend, PlaygroundState,
};
use control::{ApiError, ChangeTag, Core, CoreEvents, PanelEvent};
use domain::ClientId;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::agent_call::{AgentCall, CallProgress, ProgressReporter, WaitReports};
use crate::core_source::serve_gateway;

/// Most models in one call.
const MODELS_MAX: usize = 4;
/// Time for each model without `timeout_secs`, and the longest, in seconds.
const SECS_DEFAULT: u32 = 120;
const SECS_MAX: u32 = 600;

/// Time for each model that the arguments of a call name, or that it has if they are not valid.
pub(crate) fn ask_secs(arguments: &Value) -> u64 {
    let named = arguments.get("timeout_secs").and_then(Value::as_u64);
    named.unwrap_or(SECS_DEFAULT.into()).clamp(1, SECS_MAX.into())
}

/// Each model has until `deadline`.
pub(crate) async fn ask(
    core: &Core,
    query: AskQuery,
    call: &mut AgentCall,
    deadline: Instant,
) -> Result<AskView, ApiError> {
    check_limits(&query)?;
    serve_gateway(core).await?;
    let asked: FuturesUnordered<_> = query
        .models
        .iter()
        .enumerate()
        .map(|(place, model)| {
            let request = build_request(&query, model.clone(), call.client());
            let stop = call.stop_signal();
            async move { (place, ask_model(core, request, deadline, &stop).await) }
        })
        .collect();
    let limit = Duration::from_secs(query.timeout_secs.unwrap_or(SECS_DEFAULT).into());
    let mut answers = collect_answers(asked, limit, call).await;
    answers.sort_by_key(|(place, _)| *place);
    Ok(sum_answers(answers.into_iter().map(|(_, answer)| answer).collect()))
}

/// Waits for all answers, which take `limit` at most. Reports each, and that the others go on.
async fn collect_answers<T>(
    mut asked: FuturesUnordered<impl Future<Output = T>>,
    limit: Duration,
    reporter: &mut impl ProgressReporter,
) -> Vec<T> {
    let (mut waits, total) = (WaitReports::new(limit), asked.len());
    let mut answers = Vec::with_capacity(total);
    loop {
        let progress = tokio::select! {
            answer = asked.next() => {
                let Some(answer) = answer else { return answers };
                answers.push(answer);
                CallProgress::step(answers.len(), total, "models have answered")
            }
            progress = waits.next(answers.len(), total) => progress,
        };
        reporter.report_progress(progress).await;
    }
}

fn check_limits(query: &AskQuery) -> Result<(), ApiError> {
    if !(1..=MODELS_MAX).contains(&query.models.len()) {
        return Err(ApiError::invalid("models", format!("name one to {MODELS_MAX} models")));
    }
    let secs = query.timeout_secs.unwrap_or(SECS_DEFAULT);
    if !(1..=SECS_MAX).contains(&secs) {
        return Err(ApiError::invalid("timeout_secs", format!("choose 1 to {SECS_MAX} seconds")));
    }
    Ok(())
}

fn build_request(query: &AskQuery, model: String, client: Option<&ClientId>) -> PlaygroundSend {
    PlaygroundSend {
        model,
        system: query.system.clone(),
        prompt: query.prompt.clone(),
        temperature: query.temperature,
        max_tokens: query.max_tokens,
        effort: query.effort,
        by_agent: true,
        client: client.cloned(),
    }
}

/// Sends the prompt to one model. A failure is an answer too, so that it hides no other.
async fn ask_model(
    core: &Core,
    request: PlaygroundSend,
    deadline: Instant,
    stop: &CancellationToken,
) -> AskAnswerView {
    let model = request.model.clone();
    match ask_within(core, request, deadline, stop).await {
        Ok((run, is_late)) => answer_view(model, run, is_late),
        Err(error) => failed_answer(model, &error),
    }
}

/// The run at its end, and whether it was stopped because its time was over.
async fn ask_within(
    core: &Core,
    request: PlaygroundSend,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<(PlaygroundRunView, bool), ApiError> {
    // Subscribe before the run starts, so that no event is missed.
    let mut events = CoreEvents::subscribe(core).await?;
    let started = control::playground_send(core, request).await?;
    let is_late = tokio::select! {
        run = follow_run(core, &mut events, &started.id) => return Ok((run?, false)),
        () = sleep_until(deadline) => true,
        () = stop.cancelled() => false,
    };
    control::playground_cancel(core, PlaygroundRef { run: started.id.clone() }).await?;
    Ok((follow_run(core, &mut events, &started.id).await?, is_late))
}

async fn follow_run(
    core: &Core,
    events: &mut CoreEvents,
    id: &str,
) -> Result<PlaygroundRunView, ApiError> {
    loop {
        let run = match events.next().await {
            Some(PanelEvent::PlaygroundRun { run }) if run.id == id => Some(*run),
            // Events may have been lost, so fetch the run instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::Playground) => {
                control::playground(core).await?.into_iter().find(|run| run.id == id)
            }
            Some(_) => None,
            None => {
                let message = "Gatehouse stopped before the answer was complete";
                return Err(ApiError::failed(message));
            }
        };
        if let Some(run) = run.filter(has_ended) {
            return Ok(run);
        }
    }
}

const fn has_ended(run: &PlaygroundRunView) -> bool {
    !run.is_running
}

fn answer_view(model: String, run: PlaygroundRunView, is_late: bool) -> AskAnswerView {
    let outcome = match run.state {
        PlaygroundState::Complete => AskOutcome::Answered,
        _ if is_late => AskOutcome::TimedOut,
        PlaygroundState::Cancelled => AskOutcome::Cancelled,
        _ => AskOutcome::Failed,
    };
    let error = match outcome {
        AskOutcome::TimedOut => Some("the time for this model was over".to_owned()),
        _ => run.error.map(|error| error.message),
    };
    let record = run.record;
    AskAnswerView {
        model,
        outcome,
        text: run.text,
        error,
        backend: run.backend,
        model_billed: record.as_ref().and_then(|record| record.model_billed.clone()),
        usage: record.as_ref().and_then(|record| record.usage),
        cost_nano_usd: record.as_ref().and_then(|record| record.cost_nano_usd),
        cost_basis: record.map(|record| record.cost_basis),
        elapsed_ms: run.elapsed_ms,
        request: run.request,
    }
}

fn failed_answer(model: String, error: &ApiError) -> AskAnswerView {
    AskAnswerView {
        model,
        outcome: AskOutcome::Failed,
        text: String::new(),
        error: Some(error.message.clone()),
        backend: None,
        model_billed: None,
        usage: None,
        cost_nano_usd: None,
        cost_basis: None,
        elapsed_ms: 0.0,
        request: None,
    }
}

fn sum_answers(answers: Vec<AskAnswerView>) -> AskView {
    let known = answers.iter().filter_map(|answer| answer.cost_nano_usd);
    let cost = known.fold(0_i64, |sum, cost| sum.saturating_add(cost.0));
    let sent_without_cost =
        |answer: &&AskAnswerView| answer.request.is_some() && answer.cost_nano_usd.is_none();
    let unpriced = answers.iter().filter(sent_without_cost).count();
    AskView {
        cost_nano_usd: NanoDollars(cost),
        unpriced_answers: u32::try_from(unpriced).unwrap_or(u32::MAX),
        answers,
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    impl ProgressReporter for Vec<(Instant, CallProgress)> {
        async fn report_progress(&mut self, progress: CallProgress) {
            self.push((sleep(Duration::ZERO).deadline(), progress));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_model_is_told_of_every_few_seconds() {
        let begun = sleep(Duration::ZERO).deadline();
        let asked: FuturesUnordered<_> =
            [3, 11].map(|secs| sleep(Duration::from_secs(secs))).into_iter().collect();
        let mut told = Vec::new();
        let limit = Duration::from_secs(120);
        assert_eq!(collect_answers(asked, limit, &mut told).await.len(), 2);
        let at: Vec<_> = told.iter().map(|(at, _)| at.duration_since(begun).as_secs()).collect();
        assert_eq!(at, [3, 4, 8, 11]);
        assert!(told.is_sorted_by(|one, next| one.1.done < next.1.done), "{told:?}");
        assert_eq!(told[1].1.message, "waiting for 4 s");
    }
}
