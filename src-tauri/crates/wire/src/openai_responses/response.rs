//! The `response` object: the answer's own fields and those repeated from the request. Clients that
//! validate types expect every field of the published schema, so all required ones are written.

use serde::Serialize;

use super::item::Item;
use super::reply_tools::{EchoedChoice, EchoedTool};
use super::usage::Usage;
use crate::UsageReport;
use crate::crossing::Field;
use crate::dialect::Echo;
use crate::neutral::{
    Effort, FinishReason, Json, OutputFormat, ParallelCalls, Part, Reasoning, Request, Role,
};

/// Name for a schema that the client did not name.
const SCHEMA_NAME: &str = "response";

#[derive(Debug, Serialize)]
pub(super) struct Response<'a> {
    id: String,
    object: &'static str,
    created_at: i64,
    status: &'static str,
    background: bool,
    error: Option<ResponseError<'a>>,
    incomplete_details: Option<IncompleteDetails>,
    instructions: Option<&'a str>,
    max_output_tokens: Option<u64>,
    model: &'a str,
    output: &'a [Item],
    parallel_tool_calls: bool,
    previous_response_id: Option<&'a str>,
    reasoning: EchoedReasoning,
    store: bool,
    temperature: Option<&'a Json>,
    text: Text<'a>,
    tool_choice: EchoedChoice<'a>,
    tools: Vec<EchoedTool<'a>>,
    top_p: Option<&'a Json>,
    truncation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    metadata: Json,
}

/// State of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State<'a> {
    InProgress,
    Completed,
    /// Truncated, for this reason.
    Incomplete(&'static str),
    Failed(ResponseError<'a>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct ResponseError<'a> {
    pub(super) code: &'a str,
    pub(super) message: &'a str,
}

#[derive(Debug, Serialize)]
struct IncompleteDetails {
    reason: &'static str,
}

#[derive(Debug, Serialize)]
struct EchoedReasoning {
    effort: Option<&'static str>,
    summary: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct Text<'a> {
    format: Format<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a Json>,
}

/// `text.format`, in answers to clients and in requests to backends.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Format<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a Json,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

impl<'a> Format<'a> {
    pub(super) fn of(output: &'a OutputFormat) -> Self {
        match output {
            OutputFormat::Text => Self::Text,
            OutputFormat::AnyJson => Self::JsonObject,
            OutputFormat::Schema { name, description, schema, strict } => Self::JsonSchema {
                name: name.as_deref().unwrap_or(SCHEMA_NAME),
                description: description.as_deref(),
                schema,
                strict: *strict,
            },
        }
    }
}

impl State<'_> {
    /// The state for a finish reason. `refused` tells whether the answer contains a refusal text:
    /// then it is complete.
    pub(super) const fn of(reason: FinishReason, refused: bool) -> Self {
        match reason {
            FinishReason::MaxTokens | FinishReason::ContextWindow => {
                Self::Incomplete("max_output_tokens")
            }
            FinishReason::Refusal if !refused => Self::Incomplete("content_filter"),
            FinishReason::Fault => Self::Failed(ResponseError {
                code: "server_error",
                message: "the model stopped before its response was complete; try again or choose \
                          another model",
            }),
            FinishReason::EndTurn
            | FinishReason::StopSequence
            | FinishReason::ToolUse
            | FinishReason::Pause
            | FinishReason::Refusal => Self::Completed,
        }
    }

    /// The status, and the last part of the event's name.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Incomplete(_) => "incomplete",
            Self::Failed(_) => "failed",
        }
    }
}

impl<'a> Response<'a> {
    /// Builds the object in this state, for an answer by `model` to `echo`'s request.
    pub(super) fn new(
        echo: &'a Echo,
        model: Option<&'a str>,
        output: &'a [Item],
        state: State<'a>,
        usage: Option<&UsageReport>,
    ) -> Self {
        let request = &*echo.request;
        Self {
            id: format!("resp_{}", echo.id),
            object: "response",
            created_at: echo.created_unix_s,
            status: state.word(),
            background: false,
            error: if let State::Failed(error) = state { Some(error) } else { None },
            incomplete_details: match state {
                State::Incomplete(reason) => Some(IncompleteDetails { reason }),
                _ => None,
            },
            instructions: instructions(request),
            max_output_tokens: request.output_tokens_max,
            model: model.unwrap_or(&request.model),
            output,
            parallel_tool_calls: request.parallel_calls != ParallelCalls::OneAtATime,
            previous_response_id: None,
            reasoning: EchoedReasoning::of(request),
            store: false,
            temperature: request.temperature.as_ref(),
            text: Text {
                format: Format::of(&request.output),
                verbosity: extra(request, "text.verbosity"),
            },
            tool_choice: EchoedChoice::of(request),
            tools: EchoedTool::list(request),
            top_p: request.top_p.as_ref(),
            truncation: "disabled",
            usage: usage.map(|report| Usage::of(&report.tokens)),
            user: request.user.as_deref(),
            metadata: extra(request, "metadata").cloned().unwrap_or_else(Json::empty_object),
        }
    }
}

impl EchoedReasoning {
    fn of(request: &Request) -> Self {
        let effort = match request.reasoning {
            Reasoning::Off => Some("none"),
            other => other.effort().map(Effort::word),
        };
        let asked = request
            .extras
            .iter()
            .any(|extra| extra.field == Field::Presentation && extra.path == "reasoning.summary");
        let summary = (asked || request.reasoning.is_visible()).then_some("auto");
        Self { effort, summary }
    }
}

/// The system text before the conversation.
fn instructions(request: &Request) -> Option<&str> {
    let first = request.messages.first().filter(|first| first.role == Role::System)?;
    match first.parts.as_slice() {
        [Part::Text { text, .. }] => Some(text),
        _ => None,
    }
}

fn extra<'a>(request: &'a Request, path: &str) -> Option<&'a Json> {
    request.extras.iter().find(|extra| extra.path == path).map(|extra| &extra.value)
}
