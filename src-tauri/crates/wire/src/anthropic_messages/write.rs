//! Writes a request for a backend, in version 2023-06-01.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::model::refuses_sampling;
use super::thinking::{Thinking, WrittenReasoning, write_reasoning};
use super::write_tools::{WrittenChoice, WrittenTool, write_choice, write_tools};
use super::write_turns::{
    WrittenPart, WrittenTurn, continues_without_thinking, write_system, write_turns,
};
use crate::crossing::{Crossings, Field, Write};
use crate::dialect::Written;
use crate::names::ToolNames;
use crate::neutral::{Json, OutputFormat, Request};
use crate::turns::{alternate, split_system};
use crate::{OUTPUT_TOKENS_UNKNOWN_MODEL, RequestError, Target};

/// Longest `metadata.user_id`, in characters.
const USER_ID_CHARS_MAX: usize = 256;

#[derive(Serialize)]
struct Body<'a> {
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
    temperature: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<Json>,
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
    format: Option<Format<'a>>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: &'a Json,
}

#[derive(Serialize)]
struct Metadata<'a> {
    user_id: &'a str,
}

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, RequestError> {
    let mut crossings = Crossings::into_dialect(Dialect::AnthropicMessages, target.crossing);
    crossings.settle(request)?;
    let names = ToolNames::of(request, Dialect::AnthropicMessages);
    let (system, turns) = split_system(&request.messages);
    let turns = alternate(turns);
    let system = write_system(&system, &mut crossings);
    let messages = write_turns(&turns, &names, &mut crossings)?;
    if messages.is_empty() {
        let why = "Anthropic needs at least one user message";
        return Err(RequestError::BadValue { param: "messages".to_owned(), why });
    }
    let max_tokens = tokens_max(request, target);
    let reasoning = reasoning_after(&messages, request, target, &mut crossings);
    let sampling = write_sampling(request, target, &reasoning, &mut crossings)?;
    if request.choices.is_some_and(|count| count > 1) {
        crossings.judge(Field::Choices, "n")?;
    }
    let body = Body {
        model: &target.model,
        max_tokens,
        system,
        messages,
        tools: write_tools(request, &names, &mut crossings)?,
        tool_choice: write_choice(request, &names),
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
    Ok(Written { body, dropped: crossings.into_dropped() })
}

/// Writes the reasoning settings, given the turns already written.
fn reasoning_after(
    messages: &[WrittenTurn<'_>],
    request: &Request,
    target: &Target,
    crossings: &mut Crossings,
) -> WrittenReasoning {
    let max_tokens = tokens_max(request, target);
    let mut reasoning = write_reasoning(request, &target.model, max_tokens, crossings);
    if matches!(reasoning.thinking, Some(Thinking::Enabled { .. }))
        && continues_without_thinking(messages)
    {
        // A tool turn that began without thinking (at another provider) cannot continue with it.
        crossings.dropped("reasoning");
        reasoning.thinking = None;
    }
    reasoning
}

/// The dialect requires a limit. The client's limit applies, capped at the model's.
fn tokens_max(request: &Request, target: &Target) -> u64 {
    let model = target.output_tokens_max;
    match request.output_tokens_max {
        Some(wanted) => model.map_or(wanted, |most| wanted.min(most)),
        None => model.unwrap_or(OUTPUT_TOKENS_UNKNOWN_MODEL),
    }
}

fn write_output<'a>(
    request: &'a Request,
    reasoning: &WrittenReasoning,
    crossings: &mut Crossings,
) -> Result<Option<OutputConfig<'a>>, RequestError> {
    let format = match &request.output {
        OutputFormat::Text => None,
        OutputFormat::AnyJson => {
            crossings.judge(Field::AnyJson, "response_format")?;
            None
        }
        OutputFormat::Schema { schema, .. } => Some(Format { kind: "json_schema", schema }),
    };
    let effort = reasoning.effort;
    Ok((effort.is_some() || format.is_some()).then_some(OutputConfig { effort, format }))
}

#[derive(Default)]
struct Sampling {
    temperature: Option<Json>,
    top_p: Option<Json>,
    top_k: Option<Json>,
}

/// Writes the sampling fields that the model accepts. A default value is left out, since newer
/// models refuse the field whatever its value. Beside thinking, only `top_p` is allowed, and only
/// near one.
fn write_sampling(
    request: &Request,
    target: &Target,
    reasoning: &WrittenReasoning,
    crossings: &mut Crossings,
) -> Result<Sampling, RequestError> {
    let number = |json: &Json| json.get().parse::<f64>().unwrap_or(f64::NAN);
    let is_default = |json: &&Json| (number(json) - 1.0).abs() < f64::EPSILON;
    let refuses = refuses_sampling(&target.model);
    let thinks = reasoning.thinking.is_some();
    let mut sampling = Sampling::default();
    if let Some(temperature) = request.temperature.as_ref().filter(|json| !is_default(json)) {
        sampling.temperature = if refuses || thinks {
            judged(Field::Sampling, "temperature", temperature, crossings)?
        } else if number(temperature) > 1.0 {
            // Anthropic's range ends at 1, OpenAI's and Gemini's at 2.
            crossings.judge(Field::Sampling, "temperature")?;
            Json::parse("1")
        } else {
            Some(temperature.clone())
        };
    }
    if let Some(top_p) = request.top_p.as_ref().filter(|json| !is_default(json)) {
        sampling.top_p = if refuses || thinks && number(top_p) < TOP_P_MIN_THINKING {
            judged(Field::Sampling, "top_p", top_p, crossings)?
        } else {
            Some(top_p.clone())
        };
    }
    if let Some(top_k) = &request.top_k {
        let field = if refuses || thinks { Field::Sampling } else { Field::TopK };
        sampling.top_k = judged(field, "top_k", top_k, crossings)?;
    }
    Ok(sampling)
}

/// Lowest `top_p` allowed beside thinking
/// (<https://docs.claude.com/en/docs/build-with-claude/extended-thinking>).
const TOP_P_MIN_THINKING: f64 = 0.95;

fn judged(
    field: Field,
    path: &str,
    value: &Json,
    crossings: &mut Crossings,
) -> Result<Option<Json>, RequestError> {
    Ok((crossings.judge(field, path)? == Write::Yes).then(|| value.clone()))
}

/// Anthropic refuses stop texts that are only white space.
fn write_stop<'a>(
    request: &'a Request,
    crossings: &mut Crossings,
) -> Result<Vec<&'a str>, RequestError> {
    let mut stop = Vec::new();
    for text in &request.stop {
        if text.trim().is_empty() {
            crossings.lacking("stop")?;
        } else {
            stop.push(text.as_str());
        }
    }
    Ok(stop)
}

fn write_user<'a>(request: &'a Request, crossings: &mut Crossings) -> Option<Metadata<'a>> {
    let user_id = request.user.as_deref().filter(|user| !user.is_empty())?;
    if user_id.chars().count() > USER_ID_CHARS_MAX {
        crossings.dropped("user");
        return None;
    }
    Some(Metadata { user_id })
}

#[cfg(test)]
mod tests;
