//! What went wrong with a request at its origin, and what to do about it.

use ledger::{AttemptRecord, RequestRow, RequestState};
use resilience::FailureClass;

use crate::view::FailureCauseView;

/// `None` for a request that ended well or still runs.
///
/// The cause is the last failed attempt: what the client got may only say that nothing was left to
/// try. Without an attempt the gateway itself refused, and its message is the cause.
pub(in crate::operation) fn failure_cause(
    row: &RequestRow,
    attempts: &[AttemptRecord],
) -> Option<FailureCauseView> {
    if matches!(row.state, RequestState::Complete | RequestState::Running) {
        return None;
    }
    let failed = attempts.iter().rev().find(|attempt| attempt.class.is_some());
    let class = failed.and_then(|attempt| attempt.class.as_deref()?.parse::<FailureClass>().ok());
    let cause = failed.and_then(|attempt| {
        let message = attempt.message.as_deref().filter(|text| !text.is_empty())?;
        Some(format!("{}: {message}", attempt.backend))
    });
    let next_step = match (row.state, class, row.error_class.as_deref()) {
        (RequestState::Cancelled, ..) => next_step(FailureClass::Cancelled),
        (RequestState::Unknown, ..) => {
            "Send it again if its answer is still needed. The provider may have billed it."
        }
        (_, Some(class), _) => next_step(class),
        (_, None, code) => refusal_step(code.unwrap_or_default()),
    };
    Some(FailureCauseView {
        class,
        cause: cause.or_else(|| row.error_message.clone()).unwrap_or_else(|| unnamed(row.state)),
        next_step: next_step.to_owned(),
    })
}

fn unnamed(state: RequestState) -> String {
    let sentence = match state {
        RequestState::Cancelled => "The client disconnected before the answer ended.",
        RequestState::Unknown => "Gatehouse was stopped while the request ran.",
        RequestState::Partial => "The answer broke off after its first content.",
        _ => "The reason was not recorded.",
    };
    sentence.to_owned()
}

const fn next_step(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Local => "Look at Readiness: something on this machine is not ready.",
        FailureClass::Offline => "Connect this machine to the network, then send it again.",
        FailureClass::Paused => "Send it again: the machine slept while it ran.",
        FailureClass::Connect => {
            "Start the server, or check the backend's address and your network."
        }
        FailureClass::Dns => "Check the host in the backend's address, and your network's DNS.",
        FailureClass::Tls => {
            "Check the backend's address, this machine's clock, and any proxy in between."
        }
        FailureClass::FirstTokenTimeout => {
            "Try a faster model, or raise the first token timeout in Settings."
        }
        FailureClass::Stalled => {
            "Send it again. If it happens often, raise the stall timeout in Settings."
        }
        FailureClass::BadRequest => "Change the request: every backend would refuse it.",
        FailureClass::ModelMissing => "Choose a model that the backend lists under Backends.",
        FailureClass::KeyRejected => "Replace the key under Keys.",
        FailureClass::KeyExpired => "See under Keys why it could not be refreshed.",
        FailureClass::Forbidden => "Give the key this permission at the provider.",
        FailureClass::Unpaid => "Add credit at the provider, then check the key under Keys.",
        FailureClass::SpendLimit => "Raise the spend limit at the provider.",
        FailureClass::RateLimited => "Wait, or add a second key or backend to the route.",
        FailureClass::Quota => "Wait until the quota renews, or add another key to the backend.",
        FailureClass::Server | FailureClass::Overloaded => {
            "Send it again later, or add another backend to the route."
        }
        FailureClass::NonConforming => {
            "Check that the backend's address is that of its API, and its kind."
        }
        FailureClass::ConflictOrTimeout => "Send it again.",
        FailureClass::Cancelled => "Raise the client's timeout if it gave up too early.",
    }
}

/// For requests that no backend was asked for.
fn refusal_step(code: &str) -> &'static str {
    match code {
        "budget_exceeded" => "Allow more for now, or change the budget, under Budgets.",
        "client_blocked" => "Allow the client again under Clients.",
        "gateway_paused" => "Resume the gateway, here or with `gatehouse resume`.",
        "request_too_large" => "Send less at once, or raise the maximum request size in Settings.",
        "client_limit" => "Wait, or raise the client's limits under Clients.",
        "too_many_requests" => "Send fewer at once, or raise the concurrent requests in Settings.",
        "runaway_guard" => "Stop the tool that repeats itself, then send it again.",
        "not_allowed" => "Widen what this client may ask for, under Clients.",
        "model_not_found" => "Ask for a model that Gatehouse lists: `gatehouse models`.",
        "ledger_unavailable" => "Free disk space, or see the ledger's state in Settings.",
        "stopped" | "paused" => "Send it again.",
        _ => "See Backends for what holds requests back, or explain the route under Routing.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_step_that_is_a_sentence() {
        let classes: Vec<FailureClass> =
            FailureClass::WORDS.iter().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(classes.len(), FailureClass::WORDS.len());
        for step in classes.into_iter().map(next_step).chain(["", "client_limit"].map(refusal_step))
        {
            assert!(step.ends_with('.') && step.starts_with(char::is_uppercase), "{step}");
        }
    }

    #[test]
    fn refusals_that_end_by_another_step_have_one_of_their_own() {
        for (code, place) in [
            ("budget_exceeded", "Budgets"),
            ("client_blocked", "Clients"),
            ("gateway_paused", "gatehouse resume"),
            ("request_too_large", "Settings"),
        ] {
            let step = refusal_step(code);
            assert!(step.contains(place) && step.ends_with('.'), "{code}: {step}");
        }
    }
}
