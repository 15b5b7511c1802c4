//! Reads a Gemini client's request.

use super::contents::{Conversation, read_instructions};
use super::fields::{Fields, extra};
use super::options::Options;
use super::tools::{read_choice, read_tools};
use crate::crossing::Field;
use crate::neutral::{Extra, ParallelCalls, Request};
use crate::node::{Node, Object};
use crate::{Delivery, RequestError};

/// Fields that the neutral form does not have.
const EXTRAS: [(&str, Field); 4] = [
    ("cachedContent", Field::StoredPrompt),
    ("labels", Field::Metadata),
    ("store", Field::Store),
    ("serviceTier", Field::Serving),
];

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<Request, RequestError> {
    let mut fields = Fields::of_object(&Object::root(text)?)?;
    let mut extras = Vec::new();
    // The path names the model; some clients repeat it in the body.
    let _ = fields.take("model");
    let mut messages = Vec::new();
    if let Some(node) = fields.take("systemInstruction") {
        messages.extend(read_instructions(&node, &mut extras)?);
    }
    let contents = fields.take("contents");
    let contents = contents.ok_or_else(|| RequestError::Missing("contents".to_owned()))?;
    messages.extend(Conversation::new(&mut extras).read(&contents)?);
    let mut tools = read_tools(fields.take("tools").as_ref(), &mut extras)?;
    let tool_choice = read_choice(fields.take("toolConfig").as_ref(), &mut tools, &mut extras)?;
    let options = Options::read(fields.take("generationConfig").as_ref(), &mut extras)?;
    take_extras(&mut fields, &mut extras)?;
    fields.rest(&mut extras);
    Ok(Request {
        model: model.to_owned(),
        delivery,
        messages,
        tools,
        tool_choice,
        parallel_calls: ParallelCalls::Unsaid,
        output: options.output,
        reasoning: options.reasoning,
        output_tokens_max: options.output_tokens_max,
        temperature: options.temperature,
        top_p: options.top_p,
        top_k: options.top_k,
        stop: options.stop,
        choices: options.choices,
        user: None,
        extras,
    })
}

/// Empty lists, objects and texts are not kept as extras.
fn take_extras(fields: &mut Fields<'_>, extras: &mut Vec<Extra>) -> Result<(), RequestError> {
    let says = |node: &Node<'_>| !matches!(node.raw(), "[]" | "{}" | "\"\"");
    if let Some(node) = fields.take("safetySettings").filter(says) {
        extras.push(extra(safety_field(&node)?, &node));
    }
    for (key, field) in EXTRAS {
        let node = fields.take(key).filter(says);
        extras.extend(node.map(|node| extra(field, &node)));
    }
    Ok(())
}

/// [`Field::SafetyOff`] if the settings only turn filters off.
fn safety_field(node: &Node<'_>) -> Result<Field, RequestError> {
    for setting in node.array()? {
        let threshold = Fields::of(&setting)?.take_text("threshold")?;
        if !matches!(threshold.as_deref(), Some("OFF" | "BLOCK_NONE")) {
            return Ok(Field::SafetySettings);
        }
    }
    Ok(Field::SafetyOff)
}
