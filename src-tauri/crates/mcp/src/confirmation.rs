//! Asks a person before an agent changes something, through the agent's own program where that can ask
//! (elicitation). Where it cannot, the setting alone decides, which the audit log tells apart.

use std::time::Duration;

use rmcp::RoleServer;
use rmcp::model::{
    ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationSchema, InputRequest, InputRequiredResult, InputResponses, ProtocolVersion,
    ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext};
use serde_json::Value;

/// Time for an answer, in seconds.
const ANSWER_SECS_MAX: u64 = 120;

/// Longest shown arguments of a call, in characters.
const ARGUMENTS_CHARS_MAX: usize = 500;

/// Name of the question where it is an answer to the call.
const QUESTION: &str = "confirm";

pub(crate) enum Confirmation {
    Confirmed,
    /// Also if nobody answered in time.
    Declined,
    /// Without a session the question is the answer: the program repeats the call with what the person says.
    Required(InputRequiredResult),
}

/// Asks `question` through a program that can. `answers` are those that came with the call.
pub(crate) async fn ask_person(
    context: &RequestContext<RoleServer>,
    question: String,
    answers: Option<&InputResponses>,
) -> Confirmation {
    let request = ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question,
        requested_schema: ElicitationSchema::new([].into()),
    });
    if context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28) {
        let answer = answers.and_then(|all| all.get(QUESTION)).cloned();
        return match answer.map(serde_json::from_value::<ElicitResult>) {
            Some(answer) => confirmation(answer.ok()),
            None => {
                let question = (QUESTION.to_owned(), InputRequest::Elicitation(request));
                Confirmation::Required(InputRequiredResult::from_input_requests([question].into()))
            }
        };
    }
    tokio::select! {
        answer = send(context, request) => confirmation(answer),
        () = context.ct.cancelled() => Confirmation::Declined,
    }
}

async fn send(
    context: &RequestContext<RoleServer>,
    request: ElicitRequest,
) -> Option<ElicitResult> {
    let options = PeerRequestOptions::with_timeout(Duration::from_secs(ANSWER_SECS_MAX));
    let request = ServerRequest::ElicitRequest(request);
    let answer = match context.peer.send_cancellable_request(request, options).await {
        Ok(asked) => asked.await_response().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(ClientResult::ElicitResult(answer)) => Some(answer),
        Ok(_) => None,
        Err(error) => {
            tracing::debug!(%error, "a question of the server was not answered");
            None
        }
    }
}

fn confirmation(answer: Option<ElicitResult>) -> Confirmation {
    match answer {
        Some(answer) if answer.action == ElicitationAction::Accept => Confirmation::Confirmed,
        _ => Confirmation::Declined,
    }
}

/// True for a program that shows forms. The first revisions knew no other kind and named none.
pub(crate) fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let declared = context.client_capabilities().and_then(|it| it.elicitation);
    declared.is_some_and(|kinds| kinds.form.is_some() || kinds.url.is_none())
}

/// The question about a call of `tool`. An agent wrote the arguments, so they are shown as they are, cut
/// and without what looks like a key.
pub(crate) fn question(agent: Option<&str>, tool: &str, arguments: &Value) -> String {
    let agent = agent.unwrap_or("The agent");
    let what = domain::capitalize(&tool.replace('_', " "));
    let text = arguments.to_string();
    let shown: String = domain::redact(&text).chars().take(ARGUMENTS_CHARS_MAX).collect();
    let cut = if text.chars().count() > ARGUMENTS_CHARS_MAX { "…" } else { "" };
    format!("{agent} wants to change something in Gatehouse. {what}: {shown}{cut}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_names_the_call_and_shows_no_key_and_no_more_than_fits() {
        let asked = question(Some("codex"), "set_route", &json!({"name": "fast"}));
        assert_eq!(
            asked,
            "codex wants to change something in Gatehouse. Set route: {\"name\":\"fast\"}"
        );
        let key = "sk-ant-api03-7f3a9c51e2b84d06";
        assert!(!question(None, "set_route", &json!({"name": key})).contains("7f3a9c51"));
        let long = question(None, "set_route", &json!({"name": "x".repeat(9_000)}));
        assert!(long.ends_with('…') && long.chars().count() < ARGUMENTS_CHARS_MAX + 80, "{long}");
    }
}
