//! Parses a client's tools, tool choice and response format.

use domain::Dialect;

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ExtraField, OutputFormat, ToolChoice, ToolDefinition, ToolKind};

/// Parses `tools`, or the older `functions`, and the choice in an `allowed_tools` list.
pub(super) fn read_tools(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<(Vec<ToolDefinition>, Option<ToolChoice>), RequestError> {
    let mut tools = Vec::new();
    for node in root.get("tools").map(|list| list.array()).transpose()?.unwrap_or_default() {
        tools.push(read_tool(&node)?);
    }
    for node in root.get("functions").map(|list| list.array()).transpose()?.unwrap_or_default() {
        tools.push(read_function(&node.object()?)?);
    }
    let allowed = root.get("tool_choice").map(|node| read_allowed(&node, extras)).transpose()?;
    let Some(Some(allowed)) = allowed else { return Ok((tools, None)) };
    // No other dialect has such a list; offering only these tools is equivalent.
    tools.retain(|tool| allowed.names.contains(&tool.name));
    Ok((tools, Some(allowed.choice)))
}

fn read_tool(node: &JsonNode<'_>) -> Result<ToolDefinition, RequestError> {
    let tool = node.object()?;
    match tool.text("type")?.as_deref() {
        Some("function") | None => read_function(&tool.required("function")?.object()?),
        Some("custom") => {
            let custom = tool.required("custom")?.object()?;
            let format = custom.get("format").map(|format| format.json());
            tool_from_object(&custom, ToolKind::Custom { format })
        }
        Some(kind) => {
            let (origin, declaration) = (Dialect::OpenAiChat, node.json());
            let kind_of = ToolKind::Server { origin, declaration };
            let (name, namespace, description) = (kind.to_owned(), None, None);
            Ok(ToolDefinition { name, namespace, description, kind: kind_of, cache: None })
        }
    }
}

fn read_function(function: &JsonObject<'_>) -> Result<ToolDefinition, RequestError> {
    let schema = function.get("parameters");
    if let Some(schema) = schema.as_ref().filter(|schema| !schema.is_object()) {
        return Err(schema.wrong_type("a JSON schema (an object)"));
    }
    let strict = function.get("strict").map(|node| node.flag()).transpose()?;
    tool_from_object(
        function,
        ToolKind::Function { schema: schema.map(|node| node.json()), strict },
    )
}

fn tool_from_object(
    object: &JsonObject<'_>,
    kind: ToolKind,
) -> Result<ToolDefinition, RequestError> {
    let name = object.required_text("name")?;
    let description = object.text("description")?;
    Ok(ToolDefinition { name, namespace: None, description, kind, cache: None })
}

/// Parses `tool_choice`; `None` for an `allowed_tools` list, which [`read_tools`] handles.
pub(super) fn read_choice(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ToolChoice>, RequestError> {
    if node.is_text() {
        return read_choice_mode(node).map(Some);
    }
    let choice = node.object()?;
    let name = |key: &str| choice.required(key)?.object()?.required_text("name");
    let name = match choice.text("type")?.as_deref() {
        Some("function") | None => name("function")?,
        Some("custom") => name("custom")?,
        Some("allowed_tools") => return Ok(None),
        Some(_) => {
            extras.push(node.extra(FieldKind::ServerTool));
            return Ok(None);
        }
    };
    Ok(Some(ToolChoice::Named { name, namespace: None }))
}

/// Parses `function_call`, the older `tool_choice`.
pub(super) fn read_legacy_choice(node: &JsonNode<'_>) -> Result<ToolChoice, RequestError> {
    if node.is_text() {
        return read_choice_mode(node);
    }
    let name = node.object()?.required_text("name")?;
    Ok(ToolChoice::Named { name, namespace: None })
}

fn read_choice_mode(node: &JsonNode<'_>) -> Result<ToolChoice, RequestError> {
    Ok(match node.text()?.as_str() {
        "auto" => ToolChoice::Auto,
        "none" => ToolChoice::None,
        "required" | "any" => ToolChoice::Required,
        _ => return Err(node.bad_value("use none, auto, required or an object that names a tool")),
    })
}

struct AllowedTools {
    names: Vec<String>,
    choice: ToolChoice,
}

fn read_allowed(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<AllowedTools>, RequestError> {
    if !node.is_object() {
        return Ok(None);
    }
    let choice = node.object()?;
    if choice.text("type")?.as_deref() != Some("allowed_tools") {
        return Ok(None);
    }
    let allowed = choice.required("allowed_tools")?.object()?;
    let mode = allowed.get("mode").map(|mode| read_choice_mode(&mode)).transpose()?;
    let mut names = Vec::new();
    for tool in allowed.required("tools")?.array()? {
        let members = tool.object()?;
        match members.first_of(&["function", "custom"]) {
            Some(inner) => names.push(inner.object()?.required_text("name")?),
            None => extras.push(tool.extra(FieldKind::ServerTool)),
        }
    }
    Ok(Some(AllowedTools { names, choice: mode.unwrap_or(ToolChoice::Auto) }))
}

pub(super) fn read_format(node: &JsonNode<'_>) -> Result<OutputFormat, RequestError> {
    let format = node.object()?;
    match format.required_text("type")?.as_str() {
        "text" => Ok(OutputFormat::Text),
        "json_object" => Ok(OutputFormat::AnyJson),
        "json_schema" => {
            let inner = format.required("json_schema")?.object()?;
            let Some(schema) = inner.get("schema") else { return Ok(OutputFormat::AnyJson) };
            if !schema.is_object() {
                return Err(schema.wrong_type("a JSON schema (an object)"));
            }
            Ok(OutputFormat::Schema {
                name: inner.text("name")?,
                description: inner.text("description")?,
                schema: schema.json(),
                strict: inner.get("strict").map(|node| node.flag()).transpose()?,
            })
        }
        _ => Err(format.required("type")?.bad_value("use text, json_object or json_schema")),
    }
}
