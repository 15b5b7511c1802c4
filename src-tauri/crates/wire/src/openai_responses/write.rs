//! Writes a request for a backend of this dialect, usually OpenAI itself.

use serde::Serialize;

use super::input::DIALECT;
use super::response::Format;
use super::write_input::{InputItem, write_input};
use super::write_tools::{WrittenChoice, WrittenTool, write_choice, write_tools};
use crate::crossing::{Crossings, Field};
use crate::dialect::Written;
use crate::names::ToolNames;
use crate::neutral::{Effort, Json, OutputFormat, ParallelCalls, Reasoning, Request};
use crate::{RequestError, Target};

/// Smallest `max_output_tokens` that OpenAI accepts, in tokens; clients' probes ask for one.
const OUTPUT_TOKENS_MIN: u64 = 16;

/// Longest `safety_identifier`, in characters.
const USER_CHARS_MAX: usize = 64;

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, RequestError> {
    let mut crossings = Crossings::into_dialect(DIALECT, target.crossing);
    crossings.settle(request)?;
    settle_limits(request, &mut crossings)?;
    let names = ToolNames::of(request, DIALECT);
    let family = Family::of(&target.model);
    let (temperature, top_p) = sampling(request, family, &mut crossings)?;
    let body = Body {
        model: &target.model,
        input: write_input(request, &names, &mut crossings)?,
        stream: request.delivery.is_streamed(),
        store: false,
        include: ["reasoning.encrypted_content"].as_slice(),
        tools: write_tools(request, &names, &mut crossings)?,
        tool_choice: write_choice(request, &names),
        parallel_tool_calls: match request.parallel_calls {
            ParallelCalls::Unsaid => None,
            ParallelCalls::Allowed => Some(true),
            ParallelCalls::OneAtATime => Some(false),
        },
        text: text(request),
        reasoning: reasoning(request.reasoning, family, &mut crossings),
        max_output_tokens: request.output_tokens_max.map(|most| most.max(OUTPUT_TOKENS_MIN)),
        temperature,
        top_p,
        safety_identifier: user(request, &mut crossings),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default().into();
    Ok(Written { body, dropped: crossings.into_dropped() })
}

#[derive(Debug, Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<InputItem<'a>>,
    stream: bool,
    store: bool,
    include: &'a [&'a str],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<WrittenTool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<WrittenChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<WrittenReasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    safety_identifier: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a Json>,
}

#[derive(Debug, Serialize)]
struct WrittenReasoning {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<&'static str>,
}

/// A model's family, as far as its name reveals it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// No reasoning; rejects a reasoning effort.
    Plain,
    /// `o1` to `o4`: always reasons, rejects sampling options.
    O,
    /// `gpt-5`, `gpt-5-mini`: reasons at least minimally, rejects sampling options.
    Five,
    /// `gpt-5.1` and later: reasoning can be disabled.
    FiveLater,
    /// Not an OpenAI name: written as the client requested.
    Unknown,
}

impl Family {
    fn of(model: &str) -> Self {
        // Fine-tuned models are named `ft:gpt-4o:…`.
        let name = model.strip_prefix("ft:").unwrap_or(model);
        let plain = ["gpt-3", "gpt-4", "chatgpt-4", "gpt-5-chat"];
        let second = name.strip_prefix('o').and_then(|rest| rest.chars().next());
        if plain.iter().any(|start| name.starts_with(start)) {
            Self::Plain
        } else if second.is_some_and(|c| c.is_ascii_digit()) {
            Self::O
        } else if name.starts_with("gpt-5.") {
            Self::FiveLater
        } else if name.starts_with("gpt-5") {
            Self::Five
        } else {
            Self::Unknown
        }
    }
}

/// Rejects or drops fields that the dialect does not have.
fn settle_limits(request: &Request, crossings: &mut Crossings) -> Result<(), RequestError> {
    if !request.stop.is_empty() {
        crossings.judge(Field::Stop, "stop")?;
    }
    if request.top_k.is_some() {
        crossings.judge(Field::TopK, "top_k")?;
    }
    if request.choices.is_some_and(|choices| choices > 1) {
        crossings.judge(Field::Choices, "n")?;
    }
    Ok(())
}

/// Temperature and `top_p`. Reasoning models reject both; omitting a default value loses nothing.
fn sampling<'a>(
    request: &'a Request,
    family: Family,
    crossings: &mut Crossings,
) -> Result<(Option<&'a Json>, Option<&'a Json>), RequestError> {
    let thinks = match family {
        Family::Plain | Family::Unknown => false,
        Family::O | Family::Five => true,
        Family::FiveLater => request.reasoning != Reasoning::Off,
    };
    let is_default = |value: &Json| matches!(value.get(), "1" | "1.0");
    let mut judge = |value: Option<&'a Json>, path: &str| match value {
        Some(value) if thinks && is_default(value) => Ok(None),
        Some(_) if thinks => crossings.judge(Field::Sampling, path).map(|_| None),
        value => Ok(value),
    };
    Ok((
        judge(request.temperature.as_ref(), "temperature")?,
        judge(request.top_p.as_ref(), "top_p")?,
    ))
}

/// Writes `reasoning` as an object, and only for models that reason.
fn reasoning(
    said: Reasoning,
    family: Family,
    crossings: &mut Crossings,
) -> Option<WrittenReasoning> {
    let summary = said.is_visible().then_some("auto");
    let effort = match (said, family) {
        (Reasoning::Unsaid, _) | (Reasoning::Off, Family::Plain) => return None,
        (_, Family::Plain) => {
            crossings.dropped("reasoning");
            return None;
        }
        (Reasoning::Off, Family::O) => Some("low"),
        (Reasoning::Off, Family::Five) => Some("minimal"),
        (Reasoning::Off, _) => Some("none"),
        (_, Family::O) => {
            said.effort().map(|effort| effort.clamp(Effort::Low, Effort::High).word())
        }
        (_, Family::Five) => said.effort().map(|effort| effort.min(Effort::High).word()),
        _ => said.effort().map(Effort::word),
    };
    (effort.is_some() || summary.is_some()).then_some(WrittenReasoning { effort, summary })
}

fn text(request: &Request) -> Option<Text<'_>> {
    let format = (request.output != OutputFormat::Text).then(|| Format::of(&request.output));
    let verbosity = request.extras.iter().find(|extra| extra.field == Field::Verbosity);
    let verbosity = verbosity.map(|extra| &extra.value);
    (format.is_some() || verbosity.is_some()).then_some(Text { format, verbosity })
}

fn user<'a>(request: &'a Request, crossings: &mut Crossings) -> Option<&'a str> {
    let user = request.user.as_deref()?;
    if user.chars().count() <= USER_CHARS_MAX {
        return Some(user);
    }
    crossings.dropped("user");
    None
}

#[cfg(test)]
mod tests;
