//! Writes a request for a backend, in version 2023-06-01.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::model_features::refuses_sampling;
use super::thinking::{Thinking, WrittenReasoning, write_reasoning};
use super::write_tools::{WrittenChoice, WrittenTool, write_tool_choice, write_tools};
use super::write_turns::{
    WrittenPart, WrittenTurn, continues_without_thinking, write_system, write_turns,
};
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::ToolNames;
use crate::dialect::translation::TranslatedRequest;
use crate::dialect::turns::{alternate_turns, split_system};
use crate::neutral::{JsonText, ModelRequest, OutputFormat};
use crate::{OUTPUT_TOKENS_UNKNOWN_MODEL, RequestError, Target};

/// Longest `metadata.user_id`, in characters.
const USER_ID_CHARS_MAX: usize = 256;

#[derive(Serialize)]
struct AnthropicRequestBody<'a> {
    model: &'a str,
    max_tokens: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<WrittenPart<'a>>,
    messages: Vec<WrittenTurn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WrittenTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WrittenChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<JsonText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Metadata<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<bool>,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<OutputFormatBody<'a>>,
}

#[derive(Serialize)]
struct OutputFormatBody<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: &'a JsonText,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

pub(crate) fn write_request(
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    let mut crossings = FieldFilter::for_dialect(Dialect::AnthropicMessages, target.crossing);
    crossings.filter_extras(request)?;
    let names = ToolNames::for_request(request, Dialect::AnthropicMessages);
    let (system, turns) = split_system(&request.messages);
    let turns = alternate_turns(turns);
    let system = write_system(&system, &mut crossings);
    let messages = write_turns(&turns, &names, &mut crossings)?;
    if messages.is_empty() {
        let why = "Anthropic needs at least one user message";
        return Err(RequestError::BadValue { param: "messages".to_owned(), why });
    }
    let max_tokens = output_tokens_limit(request, target);
    let reasoning = write_reasoning_for_turns(&messages, request, target, &mut crossings);
    let sampling = write_sampling(request, target, &reasoning, &mut crossings)?;
    if request.choices.is_some_and(|count| count > 1) {
        crossings.check(FieldKind::Choices, "n")?;
    }
    let body = AnthropicRequestBody {
        model: &target.model,
        max_tokens,
        system,
        messages,
        tools: write_tools(request, &names, &mut crossings)?,
        tool_choice: write_tool_choice(request, &names),
        output_config: write_output(request, &reasoning, &mut crossings)?,
        thinking: reasoning.thinking,
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k,
        stop_sequences: write_stop(request, &mut crossings)?,
        metadata: write_user(request, &mut crossings),
        stream: request.delivery.is_streamed().then_some(true),
    };
    let body = Bytes::from(serde_json::to_vec(&body).unwrap_or_default());
    Ok(TranslatedRequest { body, dropped: crossings.into_dropped() })
}

/// Writes the reasoning settings, given the turns already written.
fn write_reasoning_for_turns(
    messages: &[WrittenTurn<'_>],
    request: &ModelRequest,
    target: &Target,
    crossings: &mut FieldFilter,
) -> WrittenReasoning {
    let max_tokens = output_tokens_limit(request, target);
    let mut reasoning = write_reasoning(request, &target.model, max_tokens, crossings);
    if matches!(reasoning.thinking, Some(Thinking::Enabled { .. }))
        && continues_without_thinking(messages)
    {
        // A tool turn that began without thinking (at another provider) cannot continue with it.
        crossings.record_dropped("reasoning");
        reasoning.thinking = None;
    }
    reasoning
}

/// The dialect requires a limit. The client's limit applies, capped at the model's.
fn output_tokens_limit(request: &ModelRequest, target: &Target) -> u64 {
    let model = target.output_tokens_max;
    match request.output_tokens_max {
        Some(wanted) => model.map_or(wanted, |most| wanted.min(most)),
        None => model.unwrap_or(OUTPUT_TOKENS_UNKNOWN_MODEL),
    }
}

fn write_output<'a>(
    request: &'a ModelRequest,
    reasoning: &WrittenReasoning,
    crossings: &mut FieldFilter,
) -> Result<Option<OutputConfig<'a>>, RequestError> {
    let format = match &request.output {
        OutputFormat::Text => None,
        OutputFormat::AnyJson => {
            crossings.check(FieldKind::AnyJson, "response_format")?;
            None
        }
        OutputFormat::Schema { schema, .. } => {
            Some(OutputFormatBody { kind: "json_schema", schema })
        }
    };
    let effort = reasoning.effort;
    Ok((effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format }))
}

#[derive(Default)]
struct Sampling {
    temperature: Option<JsonText>,
    top_p: Option<JsonText>,
    top_k: Option<JsonText>,
}

/// Writes the sampling fields that the model accepts. A default value is left out, since newer
/// models refuse the field whatever its value. Beside thinking, only `top_p` is allowed, and only
/// near one.
fn write_sampling(
    request: &ModelRequest,
    target: &Target,
    reasoning: &WrittenReasoning,
    crossings: &mut FieldFilter,
) -> Result<Sampling, RequestError> {
    let number = |json: &JsonText| json.get().parse::<f64>().unwrap_or(f64::NAN);
    let is_default = |json: &&JsonText| (number(json) - 1.0).abs() < f64::EPSILON;
    let refuses = refuses_sampling(&target.model);
    let thinks = reasoning.thinking.is_some();
    let mut sampling = Sampling::default();
    if let Some(temperature) = request.temperature.as_ref().filter(|json| !is_default(json)) {
        sampling.temperature = if refuses || thinks {
            keep_if_allowed(FieldKind::Sampling, "temperature", temperature, crossings)?
        } else if number(temperature) > 1.0 {
            // Anthropic's range ends at 1, OpenAI's and Gemini's at 2.
            crossings.check(FieldKind::Sampling, "temperature")?;
            JsonText::parse("1")
        } else {
            Some(temperature.clone())
        };
    }
    if let Some(top_p) = request.top_p.as_ref().filter(|json| !is_default(json)) {
        sampling.top_p = if refuses || thinks && number(top_p) < TOP_P_MIN_THINKING {
            keep_if_allowed(FieldKind::Sampling, "top_p", top_p, crossings)?
        } else {
            Some(top_p.clone())
        };
    }
    if let Some(top_k) = &request.top_k {
        let field = if refuses || thinks { FieldKind::Sampling } else { FieldKind::TopK };
        sampling.top_k = keep_if_allowed(field, "top_k", top_k, crossings)?;
    }
    Ok(sampling)
}

/// Lowest `top_p` allowed beside thinking
/// (<https://docs.claude.com/en/docs/build-with-claude/extended-thinking>).
const TOP_P_MIN_THINKING: f64 = 0.95;

fn keep_if_allowed(
    field: FieldKind,
    path: &str,
    value: &JsonText,
    crossings: &mut FieldFilter,
) -> Result<Option<JsonText>, RequestError> {
    Ok((crossings.check(field, path)? == FieldDecision::Keep).then(|| value.clone()))
}

/// Anthropic refuses stop texts that are only white space.
fn write_stop<'a>(
    request: &'a ModelRequest,
    crossings: &mut FieldFilter,
) -> Result<Vec<&'a str>, RequestError> {
    let mut stop = Vec::new();
    for text in &request.stop {
        if text.trim().is_empty() {
            crossings.check_unsupported("stop")?;
        } else {
            stop.push(text.as_str());
        }
    }
    Ok(stop)
}

fn write_user<'a>(request: &'a ModelRequest, crossings: &mut FieldFilter) -> Option<Metadata<'a>> {
    let user_id = request.user.as_deref().filter(|user| !user.is_empty())?;
    if user_id.chars().count() > USER_ID_CHARS_MAX {
        crossings.record_dropped("user");
        return None;
    }
    Some(Metadata { user_id })
}

#[cfg(test)]
mod tests;
