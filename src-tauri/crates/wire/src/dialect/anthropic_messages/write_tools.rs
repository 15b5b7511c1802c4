//! Writes the tools and the tool choice of a request for a backend.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;

use crate::RequestError;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::{CUSTOM_INPUT, ToolNames};
use crate::json::Members;
use crate::neutral::{
    ContentPart, JsonText, ModelRequest, ParallelCalls, ToolChoice, ToolDefinition, ToolKind,
};

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WrittenTool<'a> {
    Function(WrittenFunction<'a>),
    Server(&'a JsonText),
}

/// A tool that the client runs.
#[derive(Serialize)]
pub(super) struct WrittenFunction<'a> {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    input_schema: JsonText,
    #[serde(skip_serializing_if = "Option::is_none")]
    strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_control: Option<&'a JsonText>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct WrittenChoice {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    disable_parallel_tool_use: Option<bool>,
}

/// Writes the tools of `request`. If it has none, writes those that its history calls: a history
/// with calls is refused without a tool list.
pub(super) fn write_tools<'a>(
    request: &'a ModelRequest,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<WrittenTool<'a>>, RequestError> {
    let mut written = Vec::new();
    for tool in &request.tools {
        written.extend(write_tool(tool, names, crossings)?);
    }
    if written.is_empty() {
        let plain = |name: String| WrittenFunction {
            name,
            description: None,
            input_schema: add_object_type(None),
            strict: None,
            cache_control: None,
        };
        let called = called_tool_names(request, names).into_iter();
        written.extend(called.map(|name| WrittenTool::Function(plain(name))));
    }
    Ok(written)
}

fn write_tool<'a>(
    tool: &'a ToolDefinition,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Option<WrittenTool<'a>>, RequestError> {
    let (description, schema, strict) = match &tool.kind {
        ToolKind::Function { schema, strict } => {
            let strict = strict.filter(|strict| *strict);
            (tool.description.clone(), add_object_type(schema.as_ref()), strict)
        }
        ToolKind::Custom { format } => {
            (Some(custom_tool_description(tool, format.as_ref())), custom_tool_schema(), None)
        }
        ToolKind::Server { origin, declaration } => {
            if *origin == domain::Dialect::AnthropicMessages
                || crossings.check(FieldKind::ServerTool, &tool.path())? == FieldDecision::Keep
            {
                return Ok(Some(WrittenTool::Server(declaration)));
            }
            return Ok(None);
        }
    };
    Ok(Some(WrittenTool::Function(WrittenFunction {
        name: names.wire_name(&tool.name, tool.namespace.as_deref()),
        description: description.filter(|text| !text.is_empty()),
        input_schema: schema,
        strict,
        cache_control: tool.cache.as_ref().map(|mark| &mark.0),
    })))
}

/// Adds the top-level `type` that the dialect requires; the rest stays unchanged.
fn add_object_type(schema: Option<&JsonText>) -> JsonText {
    let text = schema.map_or("{}", JsonText::get);
    let Ok(members) = Members::parse(text) else {
        return add_object_type(None);
    };
    if members.get("type").is_some() {
        return schema.cloned().unwrap_or_else(JsonText::empty_object);
    }
    let rest = text.trim_start().strip_prefix('{').unwrap_or_default();
    let start = match members.last() {
        Some(_) => r#"{"type":"object","#,
        None => r#"{"type":"object","properties":{}"#,
    };
    JsonText::parse(&format!("{start}{rest}")).unwrap_or_else(JsonText::empty_object)
}

fn custom_tool_schema() -> JsonText {
    JsonText::from_value(&json!({
        "type": "object",
        "properties": {CUSTOM_INPUT: {"type": "string"}},
        "required": [CUSTOM_INPUT],
        "additionalProperties": false,
    }))
}

/// Describes the format in the description: the dialect cannot enforce a grammar.
fn custom_tool_description(tool: &ToolDefinition, format: Option<&JsonText>) -> String {
    let mut text = tool.description.clone().unwrap_or_default();
    if let Some(format) = format {
        text.push_str("\n\nThe input is free text of this format: ");
        text.push_str(format.get());
    }
    text
}

fn called_tool_names(request: &ModelRequest, names: &ToolNames) -> BTreeSet<String> {
    let parts = request.messages.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match part {
            ContentPart::ToolCall(call) => {
                Some(names.wire_name(&call.name, call.namespace.as_deref()))
            }
            _ => None,
        })
        .collect()
}

pub(super) fn write_tool_choice(
    request: &ModelRequest,
    names: &ToolNames,
) -> Option<WrittenChoice> {
    let plain = |kind| WrittenChoice { kind, name: None, disable_parallel_tool_use: None };
    if request.tools.is_empty() {
        // Tools declared only for the history must not be called.
        return (!called_tool_names(request, names).is_empty()).then(|| plain("none"));
    }
    let single = match request.parallel_calls {
        ParallelCalls::Unset => None,
        ParallelCalls::Allowed => Some(false),
        ParallelCalls::OneAtATime => Some(true),
    };
    let choice = match (&request.tool_choice, single) {
        (None, None | Some(false)) => return None,
        (Some(ToolChoice::None), _) => return Some(plain("none")),
        (None | Some(ToolChoice::Auto), _) => plain("auto"),
        (Some(ToolChoice::Required), _) => plain("any"),
        (Some(ToolChoice::Named { name, namespace }), _) => WrittenChoice {
            name: Some(names.wire_name(name, namespace.as_deref())),
            ..plain("tool")
        },
    };
    Some(WrittenChoice { disable_parallel_tool_use: single, ..choice })
}
