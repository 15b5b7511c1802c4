//! The `response` object: the answer's own fields and those repeated from the request. Clients that
//! validate types expect every field of the published schema, so all required ones are written.

use serde::Serialize;

use super::echoed_tools::{EchoedChoice, EchoedTool};
use super::output_item::OutputItem;
use super::usage::ResponsesUsage;
use crate::UsageReport;
use crate::dialect::field_filter::FieldKind;
use crate::dialect::translation::RequestEcho;
use crate::neutral::{
    ContentPart, FinishReason, JsonText, ModelRequest, OutputFormat, ParallelCalls, Reasoning,
    Role, ThinkingEffort,
};

/// Name for a schema that the client did not name.
const SCHEMA_NAME: &str = "response";

#[derive(Debug, Serialize)]
pub(super) struct ResponseObject<'a> {
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
    output: &'a [OutputItem],
    parallel_tool_calls: bool,
    previous_response_id: Option<&'a str>,
    reasoning: EchoedReasoning,
    store: bool,
    temperature: Option<&'a JsonText>,
    text: EchoedText<'a>,
    tool_choice: EchoedChoice<'a>,
    tools: Vec<EchoedTool<'a>>,
    top_p: Option<&'a JsonText>,
    truncation: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<ResponsesUsage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    metadata: JsonText,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResponseState<'a> {
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
struct EchoedText<'a> {
    format: TextFormat<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a JsonText>,
}

/// `text.format`, in answers to clients and in requests to backends.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum TextFormat<'a> {
    Text,
    JsonObject,
    JsonSchema {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        schema: &'a JsonText,
        #[serde(skip_serializing_if = "Option::is_none")]
        strict: Option<bool>,
    },
}

impl<'a> TextFormat<'a> {
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

impl ResponseState<'_> {
    /// The state for a finish reason. `refused` tells whether the answer contains a refusal text:
    /// then it is complete.
    pub(super) const fn from_finish(reason: FinishReason, refused: bool) -> Self {
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

impl<'a> ResponseObject<'a> {
    /// Builds the object in this state, for an answer by `model` to `echo`'s request.
    pub(super) fn new(
        echo: &'a RequestEcho,
        model: Option<&'a str>,
        output: &'a [OutputItem],
        state: ResponseState<'a>,
        usage: Option<&UsageReport>,
    ) -> Self {
        let request = &*echo.request;
        Self {
            id: format!("resp_{}", echo.id),
            object: "response",
            created_at: echo.created_unix_s,
            status: state.word(),
            background: false,
            error: if let ResponseState::Failed(error) = state { Some(error) } else { None },
            incomplete_details: match state {
                ResponseState::Incomplete(reason) => Some(IncompleteDetails { reason }),
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
            text: EchoedText {
                format: TextFormat::of(&request.output),
                verbosity: find_extra(request, "text.verbosity"),
            },
            tool_choice: EchoedChoice::of(request),
            tools: EchoedTool::from_request(request),
            top_p: request.top_p.as_ref(),
            truncation: "disabled",
            usage: usage.map(|report| ResponsesUsage::of(&report.tokens())),
            user: request.user.as_deref(),
            metadata: find_extra(request, "metadata")
                .cloned()
                .unwrap_or_else(JsonText::empty_object),
        }
    }
}

impl EchoedReasoning {
    fn of(request: &ModelRequest) -> Self {
        let effort = match request.reasoning {
            Reasoning::Off => Some("none"),
            other => other.effort().map(ThinkingEffort::word),
        };
        let asked = request.extras.iter().any(|extra| {
            extra.field == FieldKind::Presentation && extra.path == "reasoning.summary"
        });
        let summary = (asked || request.reasoning.is_visible()).then_some("auto");
        Self { effort, summary }
    }
}

/// The system text before the conversation.
fn instructions(request: &ModelRequest) -> Option<&str> {
    let first = request.messages.first().filter(|first| first.role == Role::System)?;
    match first.parts.as_slice() {
        [ContentPart::Text { text, .. }] => Some(text),
        _ => None,
    }
}

fn find_extra<'a>(request: &'a ModelRequest, path: &str) -> Option<&'a JsonText> {
    request.extras.iter().find(|extra| extra.path == path).map(|extra| &extra.value)
}
