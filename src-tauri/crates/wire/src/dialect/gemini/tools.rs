//! Reads `tools` and `toolConfig` of a client's request.

use domain::Dialect;

use super::fields::RemainingMembers;
use super::schema::to_json_schema;
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::JsonNode;
use crate::json::quote;
use crate::neutral::{ExtraField, JsonText, ToolChoice, ToolDefinition, ToolKind};

pub(super) fn read_tools(
    node: Option<&JsonNode<'_>>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ToolDefinition>, RequestError> {
    let mut tools = Vec::new();
    for entry in node.map(JsonNode::array).transpose()?.unwrap_or_default() {
        let mut fields = RemainingMembers::from_node(&entry)?;
        if let Some(list) = fields.take("functionDeclarations") {
            for declaration in list.array()? {
                tools.push(read_declaration(&declaration, extras)?);
            }
        }
        for (name, node) in fields.into_members() {
            tools.push(server_tool(name, &node));
        }
    }
    Ok(tools)
}

/// Reads `toolConfig`. Functions that are not allowed are removed from `tools`, so that the model
/// can call exactly the allowed ones.
pub(super) fn read_tool_choice(
    node: Option<&JsonNode<'_>>,
    tools: &mut Vec<ToolDefinition>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ToolChoice>, RequestError> {
    let Some(node) = node else { return Ok(None) };
    let mut fields = RemainingMembers::from_node(node)?;
    let calling = fields.take("functionCallingConfig");
    fields.take_extra("retrievalConfig", FieldKind::ServerTool, extras);
    fields.keep_rest(extras);
    let Some(calling) = calling else { return Ok(None) };
    let mut fields = RemainingMembers::from_node(&calling)?;
    let mode = fields.take("mode");
    let allowed = read_allowed_names(&mut fields)?;
    fields.keep_rest(extras);
    let word = mode.as_ref().map(JsonNode::text).transpose()?.unwrap_or_default();
    match (word.to_ascii_uppercase().as_str(), mode) {
        ("" | "MODE_UNSPECIFIED", _) => Ok(None),
        ("AUTO", _) => Ok(Some(ToolChoice::Auto)),
        ("NONE", _) => Ok(Some(ToolChoice::None)),
        ("ANY", _) => Ok(Some(required_choice(allowed, tools))),
        ("VALIDATED", Some(mode)) => {
            retain_allowed(&allowed, tools);
            // Only Google checks calls against their schemas; no other dialect can express it.
            extras.push(mode.extra(FieldKind::Presentation));
            Ok(Some(ToolChoice::Auto))
        }
        (_, Some(mode)) => Err(mode.bad_value("use AUTO, ANY, NONE or VALIDATED")),
        (_, None) => Ok(None),
    }
}

fn read_declaration(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<ToolDefinition, RequestError> {
    let mut fields = RemainingMembers::from_node(node)?;
    let name = fields.take_required_text("name")?;
    let description = fields.take_text("description")?;
    let own = fields.take("parameters").map(|node| to_json_schema(&node.json()));
    let schema = fields.take("parametersJsonSchema").map(|node| node.json()).or(own);
    for key in ["response", "responseJsonSchema", "behavior"] {
        fields.take_extra(key, FieldKind::Presentation, extras);
    }
    fields.keep_rest(extras);
    let kind = ToolKind::Function { schema, strict: None };
    Ok(ToolDefinition { name, namespace: None, description, kind, cache: None })
}

/// A tool that Google runs (`googleSearch`, `codeExecution`, `urlContext`, …).
fn server_tool(name: String, node: &JsonNode<'_>) -> ToolDefinition {
    let declaration = JsonText::parse(&format!("{{{}:{}}}", quote(&name), node.raw()));
    let declaration = declaration.unwrap_or_else(JsonText::empty_object);
    let kind = ToolKind::Server { origin: Dialect::Gemini, declaration };
    ToolDefinition { name, namespace: None, description: None, kind, cache: None }
}

fn read_allowed_names(fields: &mut RemainingMembers<'_>) -> Result<Vec<String>, RequestError> {
    let list = fields.take("allowedFunctionNames").map(|list| list.array()).transpose()?;
    list.unwrap_or_default().iter().map(JsonNode::text).collect()
}

fn required_choice(allowed: Vec<String>, tools: &mut Vec<ToolDefinition>) -> ToolChoice {
    retain_allowed(&allowed, tools);
    match <[String; 1]>::try_from(allowed) {
        Ok([name]) => ToolChoice::Named { name, namespace: None },
        Err(_) => ToolChoice::Required,
    }
}

fn retain_allowed(allowed: &[String], tools: &mut Vec<ToolDefinition>) {
    if allowed.len() > 1 {
        let is_server = |tool: &ToolDefinition| matches!(tool.kind, ToolKind::Server { .. });
        tools.retain(|tool| is_server(tool) || allowed.contains(&tool.name));
    }
}
