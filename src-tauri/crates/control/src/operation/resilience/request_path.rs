//! The path of a request: its attempts, its skipped candidates and its cache outcome.

use domain::{NanoUsd, RequestId, RouteId};
use engine::Engine;
use ledger::{AttemptRecord, RequestRow, UsageBasis};
use serde::Deserialize;

use super::super::{cache, input};
use super::failure_cause::failure_cause;
use crate::ApiError;
use crate::operation::invoice::invoice_view;
use crate::operation::requests::request_view;
use crate::operation::time_figures::milliseconds;
use crate::operation::usage::cost_view;
use crate::view::{
    ExcludedCandidateView, InvoiceView, RequestAttemptView, RequestCacheView, RequestPathView,
    RequestRef,
};

pub(crate) async fn request_path(
    engine: &Engine,
    req: RequestRef,
) -> Result<RequestPathView, ApiError> {
    let id: RequestId = input::parse_id("id", &req.id)?;
    let Some((row, attempts)) = engine.ledger().request(id).await? else {
        return Err(ApiError::not_found(format!(
            "there is no request {id} in the ledger; it may have been deleted"
        )));
    };
    let decision = engine.ledger().routing_decision(id).await?;
    let route = row.request.route.parse::<RouteId>().ok();
    let route = route.filter(|id| engine.settings().routes.contains_key(id));
    let failure = failure_cause(&row, &attempts);
    let last = attempts.len().saturating_sub(1);
    let mut views = Vec::with_capacity(attempts.len());
    for (place, attempt) in attempts.iter().enumerate() {
        // The usage basis is recorded only for the last attempt.
        let basis = row.usage_basis.filter(|_| place == last);
        views.push(attempt_view(attempt, basis, invoice_view(engine, attempt).await?));
    }
    Ok(RequestPathView {
        route: route.map(|id| id.to_string()),
        queued_ms: row.timings.queue.map(milliseconds),
        attempts: views,
        passed_over: decision.as_deref().map(parse_exclusions).unwrap_or_default(),
        cache: cache_view(&row),
        failure,
        request: request_view(row),
    })
}

fn attempt_view(
    attempt: &AttemptRecord,
    tokens: Option<UsageBasis>,
    invoice: InvoiceView,
) -> RequestAttemptView {
    let (cost, cost_basis) = cost_view(&attempt.cost, tokens);
    let class = attempt.class.as_deref().or(attempt.error_class.as_deref());
    RequestAttemptView {
        backend: attempt.backend.to_string(),
        credential: attempt.credential.as_ref().map(ToString::to_string),
        model: attempt.model.clone(),
        waited_ms: milliseconds(attempt.waited),
        duration_ms: milliseconds(attempt.duration),
        http_status: attempt.http_status,
        class: class.map(|word| word.replace(['-', '_'], " ")),
        owner: attempt.owner.as_deref().and_then(|word| word.parse().ok()),
        error: attempt.message.clone(),
        cost_nano_usd: cost,
        cost_basis,
        invoice,
    }
}

/// The part of a recorded decision that is shown here. Other fields are ignored.
#[derive(Deserialize)]
struct RecordedDecision {
    #[serde(default)]
    passed_over: Vec<RecordedExclusion>,
}

#[derive(Deserialize)]
struct RecordedExclusion {
    backend: String,
    #[serde(default)]
    credential: Option<String>,
    #[serde(default)]
    model: String,
    #[serde(default)]
    reason: String,
}

/// Returns nothing for a decision that another version wrote in another format.
fn parse_exclusions(json: &str) -> Vec<ExcludedCandidateView> {
    let decision: Option<RecordedDecision> = serde_json::from_str(json).ok();
    let passed = decision.map(|decision| decision.passed_over).unwrap_or_default();
    let view = |passed: RecordedExclusion| ExcludedCandidateView {
        backend: passed.backend,
        credential: passed.credential,
        model: passed.model,
        reason: passed.reason,
    };
    passed.into_iter().map(view).collect()
}

fn cache_view(row: &RequestRow) -> RequestCacheView {
    let outcome = row.cache;
    RequestCacheView {
        outcome,
        reason: cache::outcome_sentence(outcome, row.cache_reason.as_deref()),
        saved_nano_usd: row.saved.map(NanoUsd::into),
        saved_ms: row.saved_time.map(milliseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excluded_candidates_are_read_from_a_decision_and_other_json_gives_none() {
        let json = r#"{"route":"fast","policy":"ordered","candidates":[{"backend":"a"}],
            "passed_over":[{"backend":"b","model":"m","reason":"it has no tools"}]}"#;
        let passed = parse_exclusions(json);
        assert_eq!((passed.len(), passed[0].reason.as_str()), (1, "it has no tools"));
        assert_eq!((passed[0].backend.as_str(), &passed[0].credential), ("b", &None));
        for foreign in ["{}", "[]", "{\"passed_over\":7}", "no JSON"] {
            assert!(parse_exclusions(foreign).is_empty(), "{foreign}");
        }
    }
}
