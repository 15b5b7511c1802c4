//! Writes a request for a backend of this dialect, usually OpenAI itself.

use domain::Dialect;
use serde::Serialize;

use super::response_object::TextFormat;
use super::write_input::{InputItem, write_input};
use super::write_tools::{ResponsesTool, ResponsesToolChoice, write_choice, write_tools};
use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::TranslatedRequest;
use crate::neutral::{
    JsonText, ModelRequest, OutputFormat, ParallelCalls, Reasoning, ThinkingEffort,
};
use crate::{RequestError, Target};

/// Smallest `max_output_tokens` that OpenAI accepts, in tokens; clients' probes ask for one.
const OUTPUT_TOKENS_MIN: u64 = 16;

/// Longest `safety_identifier`, in characters.
const USER_CHARS_MAX: usize = 64;

pub(crate) fn write_request(
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    let mut crossings = FieldFilter::for_dialect(Dialect::OpenAiResponses, target.crossing);
    crossings.filter_extras(request)?;
    check_unsupported(request, &mut crossings)?;
    let names = ToolNames::for_request(request, Dialect::OpenAiResponses);
    let family = OpenAiModelFamily::of(&target.model);
    let (temperature, top_p) = sampling_options(request, family, &mut crossings)?;
    let body = ResponsesBody {
        model: &target.model,
        input: write_input(request, &names, &mut crossings)?,
        stream: request.delivery.is_streamed(),
        store: false,
        include: ["reasoning.encrypted_content"].as_slice(),
        tools: write_tools(request, &names, &mut crossings)?,
        tool_choice: write_choice(request, &names),
        parallel_tool_calls: match request.parallel_calls {
            ParallelCalls::Unset => None,
            ParallelCalls::Allowed => Some(true),
            ParallelCalls::OneAtATime => Some(false),
        },
        text: text_options(request),
        reasoning: reasoning_options(request.reasoning, family, &mut crossings),
        max_output_tokens: request.output_tokens_max.map(|most| most.max(OUTPUT_TOKENS_MIN)),
        temperature,
        top_p,
        safety_identifier: safety_identifier(request, &mut crossings),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default().into();
    Ok(TranslatedRequest { body, dropped: crossings.into_dropped() })
}

#[derive(Debug, Serialize)]
struct ResponsesBody<'a> {
    model: &'a str,
    input: Vec<InputItem<'a>>,
    stream: bool,
    store: bool,
    include: &'a [&'a str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ResponsesTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<ResponsesToolChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<ResponsesText<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<ResponsesReasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct ResponsesText<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<TextFormat<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a JsonText>,
}

#[derive(Debug, Serialize)]
struct ResponsesReasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

/// A model's family, as far as its name reveals it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenAiModelFamily {
    /// No reasoning; rejects a reasoning effort.
    NonReasoning,
    /// `o1` to `o4`: always reasons, rejects sampling options.
    OSeries,
    /// `gpt-5`, `gpt-5-mini`: reasons at least minimally, rejects sampling options.
    Gpt5,
    /// `gpt-5.1` and later: reasoning can be disabled.
    Gpt5Later,
    /// Not an OpenAI name: written as the client requested.
    Unknown,
}

impl OpenAiModelFamily {
    fn of(model: &str) -> Self {
        // Fine-tuned models are named `ft:gpt-4o:…`.
        let name = model.strip_prefix("ft:").unwrap_or(model);
        let plain = ["gpt-3", "gpt-4", "chatgpt-4", "gpt-5-chat"];
        let second = name.strip_prefix('o').and_then(|rest| rest.chars().next());
        if plain.iter().any(|start| name.starts_with(start)) {
            Self::NonReasoning
        } else if second.is_some_and(|c| c.is_ascii_digit()) {
            Self::OSeries
        } else if name.starts_with("gpt-5.") {
            Self::Gpt5Later
        } else if name.starts_with("gpt-5") {
            Self::Gpt5
        } else {
            Self::Unknown
        }
    }
}

/// Rejects or drops fields that the dialect does not have.
fn check_unsupported(
    request: &ModelRequest,
    crossings: &mut FieldFilter,
) -> Result<(), RequestError> {
    if !request.stop.is_empty() {
        crossings.check(FieldKind::Stop, "stop")?;
    }
    if request.top_k.is_some() {
        crossings.check(FieldKind::TopK, "top_k")?;
    }
    if request.choices.is_some_and(|choices| choices > 1) {
        crossings.check(FieldKind::Choices, "n")?;
    }
    Ok(())
}

/// Temperature and `top_p`. Reasoning models reject both; omitting a default value loses nothing.
fn sampling_options<'a>(
    request: &'a ModelRequest,
    family: OpenAiModelFamily,
    crossings: &mut FieldFilter,
) -> Result<(Option<&'a JsonText>, Option<&'a JsonText>), RequestError> {
    let thinks = match family {
        OpenAiModelFamily::NonReasoning | OpenAiModelFamily::Unknown => false,
        OpenAiModelFamily::OSeries | OpenAiModelFamily::Gpt5 => true,
        OpenAiModelFamily::Gpt5Later => request.reasoning != Reasoning::Off,
    };
    let is_default = |value: &JsonText| matches!(value.get(), "1" | "1.0");
    let mut judge = |value: Option<&'a JsonText>, path: &str| match value {
        Some(value) if thinks && is_default(value) => Ok(None),
        Some(_) if thinks => crossings.check(FieldKind::Sampling, path).map(|_| None),
        value => Ok(value),
    };
    Ok((
        judge(request.temperature.as_ref(), "temperature")?,
        judge(request.top_p.as_ref(), "top_p")?,
    ))
}

/// Writes `reasoning` as an object, and only for models that reason.
fn reasoning_options(
    said: Reasoning,
    family: OpenAiModelFamily,
    crossings: &mut FieldFilter,
) -> Option<ResponsesReasoning> {
    let summary = said.is_visible().then_some("auto");
    let effort = match (said, family) {
        (Reasoning::Unset, _) | (Reasoning::Off, OpenAiModelFamily::NonReasoning) => return None,
        (_, OpenAiModelFamily::NonReasoning) => {
            crossings.record_dropped("reasoning");
            return None;
        }
        (Reasoning::Off, OpenAiModelFamily::OSeries) => Some("low"),
        (Reasoning::Off, OpenAiModelFamily::Gpt5) => Some("minimal"),
        (Reasoning::Off, _) => Some("none"),
        (_, OpenAiModelFamily::OSeries) => said
            .effort()
            .map(|effort| effort.clamp(ThinkingEffort::Low, ThinkingEffort::High).word()),
        (_, OpenAiModelFamily::Gpt5) => {
            said.effort().map(|effort| effort.min(ThinkingEffort::High).word())
        }
        _ => said.effort().map(ThinkingEffort::word),
    };
    (effort.is_some() || summary.is_some()).then_some(ResponsesReasoning { effort, summary })
}

fn text_options(request: &ModelRequest) -> Option<ResponsesText<'_>> {
    let format = (request.output != OutputFormat::Text).then(|| TextFormat::of(&request.output));
    let verbosity = request.extras.iter().find(|extra| extra.field == FieldKind::Verbosity);
    let verbosity = verbosity.map(|extra| &extra.value);
    (format.is_some() || verbosity.is_some()).then_some(ResponsesText { format, verbosity })
}

fn safety_identifier<'a>(
    request: &'a ModelRequest,
    crossings: &mut FieldFilter,
) -> Option<&'a str> {
    let user = request.user.as_deref()?;
    if user.chars().count() <= USER_CHARS_MAX {
        return Some(user);
    }
    crossings.record_dropped("user");
    None
}

#[cfg(test)]
mod tests;
