//! Asks a person before an agent changes something, through the agent's own program where that can ask
//! (elicitation). Where it cannot, the setting alone decides, which the audit log tells apart.

use std::time::Duration;

use control::{ApiError, PersonAnswer};
use domain::one_line;
use rmcp::RoleServer;
use rmcp::model::{
    ClientResult, ElicitRequest, ElicitRequestParams, ElicitationSchema, InputRequest,
    InputRequiredResult, ProtocolVersion, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, RequestContext};
use serde_json::Value;

use crate::answer::cancelled_error;
use crate::open_questions::{ANSWER_SECS_MAX, QUESTION, person_answer};
use crate::tool::title;

/// Longest shown arguments of a call, in characters.
const ARGUMENTS_CHARS_MAX: usize = 500;

pub(crate) enum Confirmation {
    Answered(PersonAnswer),
    /// Without a session the question is the answer: the program repeats the call with what the person says.
    Required(InputRequiredResult),
}

/// True for a program that answers a question with another call.
pub(crate) fn is_without_session(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28)
}

/// The question as an answer to the call. The program sends `id` back.
pub(crate) fn required(question: String, id: String) -> InputRequiredResult {
    let question = InputRequest::Elicitation(elicit_request(question));
    InputRequiredResult::new(Some([(QUESTION.to_owned(), question)].into()), Some(id))
}

/// Asks `question` within a session.
pub(crate) async fn ask_person(
    context: &RequestContext<RoleServer>,
    question: String,
) -> Result<PersonAnswer, ApiError> {
    tokio::select! {
        answer = send(context, elicit_request(question)) => Ok(answer),
        () = context.ct.cancelled() => Err(cancelled_error()),
    }
}

fn elicit_request(question: String) -> ElicitRequest {
    ElicitRequest::new(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: question,
        requested_schema: ElicitationSchema::new([].into()),
    })
}

async fn send(context: &RequestContext<RoleServer>, request: ElicitRequest) -> PersonAnswer {
    let options = PeerRequestOptions::with_timeout(Duration::from_secs(ANSWER_SECS_MAX));
    let request = ServerRequest::ElicitRequest(request);
    let answer = match context.peer.send_cancellable_request(request, options).await {
        Ok(asked) => asked.await_response().await,
        Err(error) => Err(error),
    };
    match answer {
        Ok(ClientResult::ElicitResult(answer)) => person_answer(&answer),
        Ok(_) => PersonAnswer::Missing,
        Err(error) => {
            tracing::debug!(%error, "a question of the server was not answered");
            PersonAnswer::Missing
        }
    }
}

/// True for a program that shows forms. The first revisions knew no other kind and named none.
pub(crate) fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let declared = context.client_capabilities().and_then(|it| it.elicitation);
    declared.is_some_and(|kinds| kinds.form.is_some() || kinds.url.is_none())
}

/// The question about a call of `tool`. An agent wrote the arguments, so they are shown as they are, on one
/// line, cut and without what looks like a key.
pub(crate) fn question(agent: Option<&str>, tool: &str, arguments: &Value) -> String {
    let agent = agent.unwrap_or("The agent");
    let what = title(tool);
    let shown = one_line(&domain::redact(&arguments.to_string()), ARGUMENTS_CHARS_MAX);
    format!("{agent} wants to change something in Gatehouse. {what}: {shown}")
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
        let key = format!("sk-ant-api03-{}", "a1".repeat(ARGUMENTS_CHARS_MAX));
        let whole = question(None, "set_route", &json!({"name": key}));
        assert!(whole.ends_with('}'), "it fits once the key is out: {whole}");
    }
}
