//! Reads `tools` and `toolConfig` of a client's request.

use domain::Dialect;

use super::fields::{Fields, extra};
use super::schema::json_schema;
use crate::RequestError;
use crate::crossing::Field;
use crate::json::quote;
use crate::neutral::{Extra, Json, Tool, ToolChoice, ToolKind};
use crate::node::Node;

pub(super) fn read_tools(
    node: Option<&Node<'_>>,
    extras: &mut Vec<Extra>,
) -> Result<Vec<Tool>, RequestError> {
    let mut tools = Vec::new();
    for entry in node.map(Node::array).transpose()?.unwrap_or_default() {
        let mut fields = Fields::of(&entry)?;
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
pub(super) fn read_choice(
    node: Option<&Node<'_>>,
    tools: &mut Vec<Tool>,
    extras: &mut Vec<Extra>,
) -> Result<Option<ToolChoice>, RequestError> {
    let Some(node) = node else { return Ok(None) };
    let mut fields = Fields::of(node)?;
    let calling = fields.take("functionCallingConfig");
    fields.take_extra("retrievalConfig", Field::ServerTool, extras);
    fields.rest(extras);
    let Some(calling) = calling else { return Ok(None) };
    let mut fields = Fields::of(&calling)?;
    let mode = fields.take("mode");
    let allowed = read_allowed(&mut fields)?;
    fields.rest(extras);
    let word = mode.as_ref().map(Node::text).transpose()?.unwrap_or_default();
    match (word.to_ascii_uppercase().as_str(), mode) {
        ("" | "MODE_UNSPECIFIED", _) => Ok(None),
        ("AUTO", _) => Ok(Some(ToolChoice::Auto)),
        ("NONE", _) => Ok(Some(ToolChoice::None)),
        ("ANY", _) => Ok(Some(required(allowed, tools))),
        ("VALIDATED", Some(mode)) => {
            keep_only(&allowed, tools);
            // Only Google checks calls against their schemas; no other dialect can express it.
            extras.push(extra(Field::Presentation, &mode));
            Ok(Some(ToolChoice::Auto))
        }
        (_, Some(mode)) => Err(mode.bad("use AUTO, ANY, NONE or VALIDATED")),
        (_, None) => Ok(None),
    }
}

fn read_declaration(node: &Node<'_>, extras: &mut Vec<Extra>) -> Result<Tool, RequestError> {
    let mut fields = Fields::of(node)?;
    let name = fields.take_required_text("name")?;
    let description = fields.take_text("description")?;
    let own = fields.take("parameters").map(|node| json_schema(&node.json()));
    let schema = fields.take("parametersJsonSchema").map(|node| node.json()).or(own);
    for key in ["response", "responseJsonSchema", "behavior"] {
        fields.take_extra(key, Field::Presentation, extras);
    }
    fields.rest(extras);
    let kind = ToolKind::Function { schema, strict: None };
    Ok(Tool { name, namespace: None, description, kind, cache: None })
}

/// A tool that Google runs (`googleSearch`, `codeExecution`, `urlContext`, …).
fn server_tool(name: String, node: &Node<'_>) -> Tool {
    let declaration = Json::parse(&format!("{{{}:{}}}", quote(&name), node.raw()));
    let declaration = declaration.unwrap_or_else(Json::empty_object);
    let kind = ToolKind::Server { origin: Dialect::Gemini, declaration };
    Tool { name, namespace: None, description: None, kind, cache: None }
}

fn read_allowed(fields: &mut Fields<'_>) -> Result<Vec<String>, RequestError> {
    let list = fields.take("allowedFunctionNames").map(|list| list.array()).transpose()?;
    list.unwrap_or_default().iter().map(Node::text).collect()
}

fn required(allowed: Vec<String>, tools: &mut Vec<Tool>) -> ToolChoice {
    keep_only(&allowed, tools);
    match <[String; 1]>::try_from(allowed) {
        Ok([name]) => ToolChoice::Named { name, namespace: None },
        Err(_) => ToolChoice::Required,
    }
}

fn keep_only(allowed: &[String], tools: &mut Vec<Tool>) {
    if allowed.len() > 1 {
        let is_server = |tool: &Tool| matches!(tool.kind, ToolKind::Server { .. });
        tools.retain(|tool| is_server(tool) || allowed.contains(&tool.name));
    }
}
