//! A routing decision as the ledger stores it: the candidates considered, in order, with the reasons.

use routing::{Candidate, Decision, ExcludedCandidate};
use serde_json::{Value, json};

/// The decision as JSON text; `None` if there was nothing to decide.
pub(super) fn to_json(decision: &Decision) -> Option<String> {
    if decision.candidates.len() + decision.excluded.len() < 2 {
        return None;
    }
    let candidates: Vec<Value> = decision.candidates.iter().map(candidate).collect();
    let passed_over: Vec<Value> = decision.excluded.iter().map(passed_over).collect();
    let json = json!({
        "route": decision.route, "policy": decision.policy.word(),
        "candidates": candidates, "passed_over": passed_over,
    });
    Some(json.to_string())
}

fn candidate(candidate: &Candidate) -> Value {
    json!({
        "backend": candidate.endpoint.backend,
        "credential": candidate.endpoint.credential,
        "model": candidate.model,
        "why": candidate.ranking.to_string(),
    })
}

fn passed_over(passed: &ExcludedCandidate) -> Value {
    json!({"backend": passed.backend, "model": passed.model, "reason": passed.reason.to_string()})
}
