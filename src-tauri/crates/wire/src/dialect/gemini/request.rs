//! Reads a Gemini client's request.

use domain::Dialect;

use super::fields::RemainingMembers;
use super::generation_options::GenerationOptions;
use super::read_contents::{ConversationReader, read_instructions};
use super::tools::{read_tool_choice, read_tools};
use crate::dialect::field_filter::{FieldKind, fields_of};
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ExtraField, ModelRequest, ParallelCalls};
use crate::{Delivery, RequestError};

pub(crate) fn read_request(
    text: &str,
    model: &str,
    delivery: Delivery,
) -> Result<ModelRequest, RequestError> {
    let mut fields = RemainingMembers::from_object(&JsonObject::root(text)?)?;
    let mut extras = Vec::new();
    // The path names the model; some clients repeat it in the body.
    let _ = fields.take("model");
    let mut messages = Vec::new();
    if let Some(node) = fields.take("systemInstruction") {
        messages.extend(read_instructions(&node, &mut extras)?);
    }
    let contents = fields.take("contents");
    let contents = contents.ok_or_else(|| RequestError::Missing("contents".to_owned()))?;
    messages.extend(ConversationReader::new(&mut extras).read(&contents)?);
    let mut tools = read_tools(fields.take("tools").as_ref(), &mut extras)?;
    let tool_choice =
        read_tool_choice(fields.take("toolConfig").as_ref(), &mut tools, &mut extras)?;
    let options = GenerationOptions::read(fields.take("generationConfig").as_ref(), &mut extras)?;
    take_extras(&mut fields, &mut extras)?;
    fields.keep_rest(&mut extras);
    Ok(ModelRequest {
        model: model.to_owned(),
        delivery,
        messages,
        tools,
        tool_choice,
        parallel_calls: ParallelCalls::Unset,
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
fn take_extras(
    fields: &mut RemainingMembers<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<(), RequestError> {
    let says = |node: &JsonNode<'_>| !matches!(node.raw(), "[]" | "{}" | "\"\"");
    if let Some(node) = fields.take("safetySettings").filter(says) {
        extras.push(node.extra(classify_safety_settings(&node)?));
    }
    for (key, field) in fields_of(Dialect::Gemini) {
        let node = fields.take(key).filter(says);
        extras.extend(node.map(|node| node.extra(field)));
    }
    Ok(())
}

/// [`FieldKind::SafetyOff`] if the settings only turn filters off.
fn classify_safety_settings(node: &JsonNode<'_>) -> Result<FieldKind, RequestError> {
    for setting in node.array()? {
        let threshold = RemainingMembers::from_node(&setting)?.take_text("threshold")?;
        if !matches!(threshold.as_deref(), Some("OFF" | "BLOCK_NONE")) {
            return Ok(FieldKind::SafetySettings);
        }
    }
    Ok(FieldKind::SafetyOff)
}
