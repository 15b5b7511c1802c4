//! Asks a model of a backend for one short answer, which is billed. The price is said first and must be
//! accepted; nothing else in the program sends such a request.
//!
//! It is a request of the gateway's, of a client of its own: booked in the ledger as a health
//! measurement, counted by no budget, and learnt from like any other request to this backend.

use std::time::Duration;

use domain::{BackendId, NanoUsd, ShownCurrency, TokenUsage};
use engine::Engine;
use ledger::{AttemptRecord, RequestRow, UsageBasis};
use playground::{
    PlaygroundParameters, PlaygroundRun, PlaygroundState, PromptSender, TIME_LIMIT_CODE,
};
use routing::find_model_facts;
use settings::{RouteSettings, Settings};

use crate::ApiError;
use crate::operation::currency::shown_currency;
use crate::operation::input;
use crate::operation::playground::playground_error;
use crate::operation::resilience::failure_cause::failure_cause;
use crate::operation::time_figures::{latency_text, milliseconds};
use crate::operation::usage::cost_view;
use crate::view::{
    AskOutcome, AskedModelView, BackendAnswerView, BackendAsk, BackendAskPriceView,
    BackendAskQuery, BackendRef, FailureCauseView,
};

/// The prompt. Any model that works can answer it.
const PROMPT: &str = "Reply with the word OK.";

/// Most tokens of the prompt with what is put before it: chat templates, and at some providers a hidden
/// prompt of several hundred tokens.
const INPUT_TOKENS_MAX: u64 = 2_048;

/// Most tokens of the answer. A model that reasons needs some before it answers, and fails with very
/// few; one that does not writes two.
const OUTPUT_TOKENS_MAX: u32 = 256;

/// Time for the answer, in seconds: a local server may have to load the model first.
const TIME_LIMIT_SECS: u32 = 120;

pub(crate) async fn backend_ask_price(
    engine: &Engine,
    req: BackendAskQuery,
) -> Result<BackendAskPriceView, ApiError> {
    let settings = engine.settings();
    let id = parse_backend(engine, &settings, &req.id)?;
    let named = req.model.map(|model| parse_model(&id, &model)).transpose()?;
    let is_on = id == *engine.mock_id() || settings.is_backend_on(&id);
    let mut known = known_models(engine, &settings, &id);
    if is_on && named.is_none() && known.is_empty() {
        // A probe, which is free, fetches the list.
        engine.prober().probe_now(&id).await;
        known = known_models(engine, &settings, &id);
    }
    if let Some(named) = named.as_ref().filter(|named| known.iter().all(|(it, _)| it != *named)) {
        known.push((named.clone(), false));
    }
    let mut ranked = rank_models(known, cost_max(engine, &id));
    ranked.sort_by_key(|model| Some(&model.name) != named.as_ref());
    let currency = shown_currency(engine);
    let models = ranked.into_iter().map(|model| model.view(currency)).collect();
    let label = settings.backends.get(&id).map_or_else(|| id.to_string(), |it| it.label.clone());
    Ok(BackendAskPriceView {
        backend: id.to_string(),
        label,
        prompt: PROMPT.to_owned(),
        output_tokens_max: OUTPUT_TOKENS_MAX,
        time_limit_secs: TIME_LIMIT_SECS,
        models,
    })
}

pub(crate) async fn backend_ask(
    engine: &Engine,
    req: BackendAsk,
) -> Result<BackendAnswerView, ApiError> {
    let settings = engine.settings();
    let id = parse_backend(engine, &settings, &req.id)?;
    let model = parse_model(&id, &req.model)?;
    if let Some(why) = settings.why_backend_is_off(&id).filter(|_| id != *engine.mock_id()) {
        let message = format!("the backend {id} {why}, so it gets no requests");
        return Err(ApiError::invalid("id", message).with_hint("Switch it on first."));
    }
    let accepted = req.accepted_nano_usd.map(|amount| NanoUsd::new(amount.0));
    check_accepted(accepted, cost_max(engine, &id)(&model), shown_currency(engine))?;
    let order = PlaygroundParameters {
        model: format!("{id}/{model}"),
        system: None,
        prompt: PROMPT.to_owned(),
        temperature: None,
        tokens_max: Some(OUTPUT_TOKENS_MAX),
        effort: None,
        sender: PromptSender::HealthCheck,
        client: None,
        time_limit: Some(Duration::from_secs(TIME_LIMIT_SECS.into())),
    };
    let run = engine
        .playground()
        .run_to_end(order)
        .await
        .map_err(|error| playground_error(engine, &error))?;
    Ok(answer_view(&id, model, run))
}

pub(crate) async fn backend_ask_cancel(engine: &Engine, req: BackendRef) -> Result<(), ApiError> {
    let id = parse_backend(engine, &engine.settings(), &req.id)?;
    engine.playground().cancel_health_check(&id);
    Ok(())
}

fn parse_backend(engine: &Engine, settings: &Settings, text: &str) -> Result<BackendId, ApiError> {
    match text.trim() == engine.mock_id().as_str() {
        true => Ok(engine.mock_id().clone()),
        false => input::parse_known_backend(settings, text),
    }
}

/// The model's name at the backend, also if it is written `backend/model`.
fn parse_model(backend: &BackendId, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    let prefix = format!("{backend}/");
    match text.strip_prefix(&prefix).unwrap_or(text) {
        "" => Err(ApiError::invalid("model", "no model is named; name one")),
        model => Ok(model.to_owned()),
    }
}

/// Refuses a price that is higher than the one that was shown, and one that became known after "Price
/// unknown" was shown.
fn check_accepted(
    accepted: Option<NanoUsd>,
    now: Option<NanoUsd>,
    currency: ShownCurrency,
) -> Result<(), ApiError> {
    let is_accepted = match now {
        None => accepted.is_none(),
        Some(now) => now <= accepted.unwrap_or(NanoUsd::ZERO),
    };
    if is_accepted {
        return Ok(());
    }
    let price = price_in_words(now, currency);
    let message = format!("the price changed since it was shown; now: {price}");
    Err(ApiError::invalid("accepted_nano_usd", message).with_hint("Look at the price again."))
}

/// Most that asking a model of this backend costs; `None` if that is not known.
fn cost_max(engine: &Engine, backend: &BackendId) -> impl Fn(&str) -> Option<NanoUsd> {
    let (snapshot, at) = (engine.snapshots().current(), engine.clock().wall());
    let tokens = (INPUT_TOKENS_MAX, OUTPUT_TOKENS_MAX.into());
    move |model| snapshot.text_cost_max((backend, model), tokens, at)
}

/// A model that a backend has, or that a route asks it for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct KnownModel {
    name: String,
    in_routes: bool,
    cost_max: Option<NanoUsd>,
}

impl KnownModel {
    fn view(self, currency: ShownCurrency) -> AskedModelView {
        AskedModelView {
            price: price_in_words(self.cost_max, currency),
            id: self.name,
            in_routes: self.in_routes,
            cost_nano_usd_max: self.cost_max.map(Into::into),
        }
    }
}

fn price_in_words(cost_max: Option<NanoUsd>, currency: ShownCurrency) -> String {
    match cost_max {
        None => "Price unknown".to_owned(),
        Some(NanoUsd::ZERO) => "Free".to_owned(),
        Some(amount) => format!("At most {}", currency.format_bound(amount)),
    }
}

/// The models of a backend, with `true` for those that routes lead to.
fn known_models(engine: &Engine, settings: &Settings, id: &BackendId) -> Vec<(String, bool)> {
    let mut known: Vec<(String, bool)> =
        engine.model_catalogue().models(id).into_iter().map(|model| (model, false)).collect();
    for routed in routed_models(settings, id) {
        match known.iter_mut().find(|(name, _)| name == routed) {
            Some((_, in_routes)) => *in_routes = true,
            None => known.push((routed.clone(), true)),
        }
    }
    known
}

/// The models that routes in use ask a backend for by name.
fn routed_models<'a>(
    settings: &'a Settings,
    id: &'a BackendId,
) -> impl Iterator<Item = &'a String> {
    let routes = settings.routes.values().filter(|route| settings.is_route_on(route));
    routes.flat_map(move |route| models_asked_for(route, id))
}

/// Without a model of its own, a candidate is asked for the name that the route was asked for.
fn models_asked_for<'a>(route: &'a RouteSettings, id: &BackendId) -> Vec<&'a String> {
    let candidates = route.candidates.iter().filter(|candidate| candidate.backend == *id);
    let names = || route.models.iter().filter(|name| !name.contains('*'));
    candidates
        .flat_map(|candidate| match &candidate.model {
            Some(model) => vec![model],
            None => names().collect(),
        })
        .collect()
}

/// The model to propose first: one that routes lead to, of a known kind (embeddings are none), with a
/// known price, the cheapest.
fn rank_models(
    known: Vec<(String, bool)>,
    cost_max: impl Fn(&str) -> Option<NanoUsd>,
) -> Vec<KnownModel> {
    let known = known.into_iter().map(|(name, in_routes)| {
        let cost_max = cost_max(&name);
        KnownModel { name, in_routes, cost_max }
    });
    let mut ranked: Vec<KnownModel> = known.collect();
    ranked.sort_by_key(|model| {
        let is_unknown = find_model_facts(&model.name).is_none();
        (!model.in_routes, is_unknown, model.cost_max.is_none(), model.cost_max)
    });
    ranked
}

fn answer_view(id: &BackendId, model: String, run: PlaygroundRun) -> BackendAnswerView {
    let outcome = outcome(&run);
    let record = run.record.as_deref();
    let cost = record.map(|(row, _)| cost_view(&row.cost, row.usage_basis));
    let usage = reported_usage(record);
    let failure = (outcome != AskOutcome::Answered).then(|| failure_view(outcome, &run, record));
    BackendAnswerView {
        backend: id.to_string(),
        finding: finding(&model, outcome, &run),
        model,
        outcome,
        first_token_ms: run.first_piece.map(milliseconds),
        elapsed_ms: milliseconds(run.elapsed),
        input_tokens: usage.map(|usage| usage.input().into()),
        output_tokens: usage.map(|usage| usage.output().into()),
        cost_nano_usd: cost.and_then(|(amount, _)| amount),
        cost_basis: cost.map(|(_, basis)| basis),
        failure,
        request: run.request.map(|id| id.to_string()),
        text: run.text,
    }
}

/// What the backend reported; what was estimated is no report.
fn reported_usage(record: Option<&(RequestRow, Vec<AttemptRecord>)>) -> Option<&TokenUsage> {
    let (row, _) = record.filter(|(row, _)| row.usage_basis != Some(UsageBasis::Estimated))?;
    row.usage.as_ref()
}

/// True if the model wrote something. One that reasons may use up all its tokens before it comes to the
/// answer; one that ends without any token has not answered.
fn has_answered(run: &PlaygroundRun) -> bool {
    let written = reported_usage(run.record.as_deref()).map_or(0, TokenUsage::output);
    !run.text.trim().is_empty() || written > 0
}

fn outcome(run: &PlaygroundRun) -> AskOutcome {
    let code = run.fault.as_ref().and_then(|fault| fault.code.as_deref());
    match run.state {
        PlaygroundState::Complete if has_answered(run) => AskOutcome::Answered,
        PlaygroundState::Complete => AskOutcome::Failed,
        PlaygroundState::Cancelled => AskOutcome::Cancelled,
        _ if code == Some(TIME_LIMIT_CODE) => AskOutcome::TimedOut,
        _ => AskOutcome::Failed,
    }
}

fn finding(model: &str, outcome: AskOutcome, run: &PlaygroundRun) -> String {
    match outcome {
        AskOutcome::Answered => {
            let first =
                run.first_piece.map(|first| format!(", first token {}", latency_text(first)));
            let first = first.unwrap_or_default();
            let without_text = match run.text.trim() {
                "" => ", with tokens but without text: most likely reasoning",
                _ => "",
            };
            format!("{model} answered in {}{first}{without_text}.", latency_text(run.elapsed))
        }
        AskOutcome::Failed if run.text.is_empty() => format!("{model} did not answer."),
        AskOutcome::Failed => format!("{model} did not finish its answer."),
        AskOutcome::TimedOut => format!("{model} did not answer within {TIME_LIMIT_SECS} s."),
        AskOutcome::Cancelled => format!("Stopped asking {model}."),
    }
}

fn failure_view(
    outcome: AskOutcome,
    run: &PlaygroundRun,
    record: Option<&(RequestRow, Vec<AttemptRecord>)>,
) -> FailureCauseView {
    let recorded = record.and_then(|(row, attempts)| failure_cause(row, attempts));
    if let (AskOutcome::Failed, Some(recorded)) = (outcome, recorded) {
        return recorded;
    }
    let told = run.fault.as_ref().map(|fault| fault.message.clone());
    let (cause, next_step) = match outcome {
        AskOutcome::Cancelled => ("It was stopped.", "Output generated before that may be billed."),
        AskOutcome::TimedOut => (
            "The answer took too long.",
            "Ask again if the model was still being loaded, or ask a faster one. What it wrote may \
             be billed.",
        ),
        _ if run.state == PlaygroundState::Complete => {
            ("The answer was empty.", "Ask again, or try the model in the Playground.")
        }
        _ => ("The reason was not recorded.", "See the request in the log."),
    };
    let cause = told.unwrap_or_else(|| cause.to_owned());
    FailureCauseView { class: None, cause, next_step: next_step.to_owned() }
}

#[cfg(test)]
mod tests;
