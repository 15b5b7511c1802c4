//! Operations on playground runs: checks their requests and builds their views, without secrets.

mod snippets;

pub(super) use snippets::{ANTHROPIC_TOKENS_DEFAULT, render_snippets};

use domain::{RunId, TokenClass, TokenUsage};
use engine::{Engine, GatewayStatus};
use ledger::{AttemptRecord, RequestRow};
use playground::{
    PLAYGROUND_PROMPT_BYTES_MAX, PlaygroundDelta, PlaygroundError, PlaygroundParameters,
    PlaygroundRun, PromptSender,
};

use crate::ApiError;
use crate::operation::input;
use crate::operation::time_figures::milliseconds;
use crate::operation::usage::cost_view;
use crate::view::{
    Count, PlaygroundAttemptView, PlaygroundDeltaView, PlaygroundErrorView,
    PlaygroundRawExchangeView, PlaygroundRecordView, PlaygroundRef, PlaygroundRunView,
    PlaygroundSend, PlaygroundSnippetsView, PlaygroundUsageView,
};

/// Highest temperature that any dialect accepts.
const TEMPERATURE_MAX: f64 = 2.0;

/// Most tokens that can be requested; no model writes as many.
const TOKENS_MAX: u32 = 1_000_000;

/// Shortest writing time that a speed is computed from, in seconds. Several pieces must have
/// arrived one after another.
const WRITING_SECS_MIN: f64 = 0.02;

/// The client that snippets name while none exists.
pub(super) const CLIENT_PLACEHOLDER: &str = "my-tool";

pub(crate) async fn playground(engine: &Engine) -> Result<Vec<PlaygroundRunView>, ApiError> {
    Ok(engine.playground().runs().iter().map(playground_run_view).collect())
}

pub(crate) async fn playground_send(
    engine: &Engine,
    req: PlaygroundSend,
) -> Result<PlaygroundRunView, ApiError> {
    let order = parse_parameters(req)?;
    if order.prompt.trim().is_empty() {
        return Err(ApiError::invalid("prompt", "the prompt is empty; write a prompt"));
    }
    let started =
        engine.playground().start(order).map_err(|error| playground_error(engine, &error))?;
    Ok(playground_run_view(&started))
}

/// Why no run was started.
pub(super) fn playground_error(engine: &Engine, error: &PlaygroundError) -> ApiError {
    let message = error.to_string();
    match error {
        PlaygroundError::TooLong(_) => ApiError::invalid("prompt", message),
        PlaygroundError::NoGateway(_) => {
            let hint = match engine.gateway().status() {
                GatewayStatus::Paused => "Resume it: `gatehouse resume`.",
                _ => "Free its port, or choose another one in Settings.",
            };
            ApiError::failed(message).with_hint(hint)
        }
        PlaygroundError::TooManyRuns | PlaygroundError::AlreadyAsked => ApiError::failed(message),
    }
}

pub(crate) async fn playground_cancel(engine: &Engine, req: PlaygroundRef) -> Result<(), ApiError> {
    engine.playground().cancel(parse_run_id(&req)?);
    Ok(())
}

pub(crate) async fn playground_raw(
    engine: &Engine,
    req: PlaygroundRef,
) -> Result<PlaygroundRawExchangeView, ApiError> {
    let raw = engine.playground().raw_exchange(parse_run_id(&req)?);
    let raw = raw.ok_or_else(|| ApiError::not_found("this run is no longer in memory"))?;
    Ok(PlaygroundRawExchangeView {
        request_head: raw.request_head,
        request_body: raw.request_body,
        answer_head: raw.answer_head,
        answer_body: String::from_utf8_lossy(&raw.answer_body).into_owned(),
        answer_bytes_cut: to_count(raw.answer_bytes_cut),
    })
}

pub(crate) async fn playground_snippets(
    engine: &Engine,
    req: PlaygroundSend,
) -> Result<PlaygroundSnippetsView, ApiError> {
    let order = parse_parameters(req)?;
    let known = engine.settings().clients.keys().next().map(ToString::to_string);
    let connected = known.is_some();
    let client = known.unwrap_or_else(|| CLIENT_PLACEHOLDER.to_owned());
    let limit = engine.playground().token_limit_field(&order.model);
    let snippets = render_snippets(&engine.gateway().address(), &client, &order, limit);
    Ok(PlaygroundSnippetsView { client, connected, snippets })
}

fn parse_run_id(req: &PlaygroundRef) -> Result<RunId, ApiError> {
    input::parse_id("run", &req.run)
}

fn parse_parameters(req: PlaygroundSend) -> Result<PlaygroundParameters, ApiError> {
    let model = req.model.trim().to_owned();
    if model.is_empty() {
        return Err(ApiError::invalid("model", "no model is selected; select one"));
    }
    if let Some(temperature) = req.temperature
        && !(0.0..=TEMPERATURE_MAX).contains(&temperature)
    {
        let message = format!("the temperature must be from 0 to {TEMPERATURE_MAX}");
        return Err(ApiError::invalid("temperature", message));
    }
    if let Some(tokens) = req.max_tokens
        && !(1..=TOKENS_MAX).contains(&tokens)
    {
        return Err(ApiError::invalid("max_tokens", format!("choose 1 to {TOKENS_MAX} tokens")));
    }
    let order = PlaygroundParameters {
        model,
        system: req.system.filter(|system| !system.trim().is_empty()),
        prompt: req.prompt,
        temperature: req.temperature,
        tokens_max: req.max_tokens,
        effort: req.effort,
        sender: if req.by_agent { PromptSender::Agent } else { PromptSender::User },
        client: req.client,
        time_limit: None,
    };
    match order.prompt_bytes() {
        0..=PLAYGROUND_PROMPT_BYTES_MAX => Ok(order),
        bytes => Err(ApiError::invalid("prompt", PlaygroundError::TooLong(bytes).to_string())),
    }
}

pub(crate) fn playground_run_view(run: &PlaygroundRun) -> PlaygroundRunView {
    let record = run.record.as_deref();
    let written = record.and_then(|(row, _)| row.backend.as_ref().map(ToString::to_string));
    PlaygroundRunView {
        id: run.id.to_string(),
        model: run.model.clone(),
        started_at: run.started.into(),
        state: run.state,
        is_running: run.state.is_running(),
        text: run.text.clone(),
        thinking: run.thinking.clone(),
        first_token_ms: run.first_piece.map(milliseconds),
        elapsed_ms: milliseconds(run.elapsed),
        http_status: run.http_status,
        error: run.fault.as_ref().map(|fault| PlaygroundErrorView {
            message: fault.message.clone(),
            code: fault.code.clone(),
        }),
        backend: written.or_else(|| run.backend.clone()),
        dropped: run.dropped.clone(),
        finish_reason: run.finish_reason.clone(),
        request: run.request.map(|id| id.to_string()),
        record: record.map(|(row, attempts)| record_view(run, row, attempts)),
    }
}

pub(crate) fn playground_piece_view(piece: &PlaygroundDelta) -> PlaygroundDeltaView {
    PlaygroundDeltaView {
        run: piece.run.to_string(),
        text_at: to_count(piece.text_at),
        text: piece.text.clone(),
        thinking_at: to_count(piece.thinking_at),
        thinking: piece.thinking.clone(),
        first_token_ms: piece.first_piece.map(milliseconds),
        elapsed_ms: milliseconds(piece.elapsed),
    }
}

fn record_view(
    run: &PlaygroundRun,
    row: &RequestRow,
    tries: &[AttemptRecord],
) -> PlaygroundRecordView {
    let (cost, cost_basis) = cost_view(&row.cost, row.usage_basis);
    let writing = run.first_piece.map(|first| run.elapsed.saturating_sub(first).as_secs_f64());
    let speed = |usage: &TokenUsage| tokens_per_second(usage.output(), writing?);
    PlaygroundRecordView {
        model_billed: row.model_billed.clone(),
        explanation: row.explanation.clone().unwrap_or_default(),
        usage: row.usage.as_ref().map(usage_view),
        cost_nano_usd: cost,
        cost_basis,
        tokens_per_second: row.usage.as_ref().and_then(speed),
        attempts: tries.iter().map(attempt_view).collect(),
    }
}

/// Returns `None` if all tokens arrived at once, which gives no speed.
#[expect(clippy::cast_precision_loss, reason = "a number of tokens stays far below 2^53")]
fn tokens_per_second(tokens: u64, seconds: f64) -> Option<f64> {
    (tokens > 0 && seconds >= WRITING_SECS_MIN).then(|| tokens as f64 / seconds)
}

fn usage_view(usage: &TokenUsage) -> PlaygroundUsageView {
    let mut view = PlaygroundUsageView {
        input: usage.input().into(),
        output: usage.output().into(),
        ..PlaygroundUsageView::default()
    };
    for class in TokenClass::ALL {
        let part = match class {
            TokenClass::InputUncached => &mut view.input_uncached,
            TokenClass::CacheRead => &mut view.cache_read,
            TokenClass::CacheWrite5m | TokenClass::CacheWrite1h => &mut view.cache_write,
            TokenClass::OutputVisible => &mut view.output_visible,
            TokenClass::Reasoning => &mut view.reasoning,
        };
        *part = part.0.saturating_add(usage.get(*class)).into();
    }
    view
}

fn attempt_view(attempt: &AttemptRecord) -> PlaygroundAttemptView {
    PlaygroundAttemptView {
        backend: attempt.backend.to_string(),
        model: attempt.model.clone(),
        duration_ms: milliseconds(attempt.duration),
        http_status: attempt.http_status,
        error: attempt.message.clone().or_else(|| attempt.error_class.clone()),
    }
}

fn to_count(number: usize) -> Count {
    Count(u64::try_from(number).unwrap_or(u64::MAX))
}
