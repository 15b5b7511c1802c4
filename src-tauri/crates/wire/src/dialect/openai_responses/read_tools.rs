//! Parses the tools of a client's request and the tool choice.

use domain::Dialect;

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{ModelRequest, ToolChoice, ToolDefinition, ToolKind};

/// Parses a list of tools. The tools of a namespace (Codex) are added one by one.
pub(super) fn read_tools(
    node: &JsonNode<'_>,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    node.array()?.iter().try_for_each(|tool| read_tool(tool, None, request))
}

fn read_tool(
    node: &JsonNode<'_>,
    namespace: Option<&str>,
    request: &mut ModelRequest,
) -> Result<(), RequestError> {
    let tool = node.object()?;
    let declared = tool.required_text("type")?;
    let kind = match declared.as_str() {
        "function" => read_function(&tool, request)?,
        "custom" => {
            keep_unknown_members(&tool, &["name", "description", "format"], request);
            ToolKind::Custom { format: tool.get("format").map(|format| format.json()) }
        }
        "namespace" => return read_namespace(&tool, request),
        _ => {
            let kind =
                ToolKind::Server { origin: Dialect::OpenAiResponses, declaration: node.json() };
            let (namespace, description, cache) = (None, None, None);
            request.tools.push(ToolDefinition {
                name: declared,
                namespace,
                description,
                kind,
                cache,
            });
            return Ok(());
        }
    };
    request.tools.push(ToolDefinition {
        name: tool.required_text("name")?,
        namespace: namespace.map(str::to_owned),
        description: tool.text("description")?,
        kind,
        cache: None,
    });
    Ok(())
}

fn read_function(
    tool: &JsonObject<'_>,
    request: &mut ModelRequest,
) -> Result<ToolKind, RequestError> {
    keep_unknown_members(tool, &["name", "description", "parameters", "strict"], request);
    let schema = tool.get("parameters");
    if let Some(schema) = &schema {
        schema.object()?;
    }
    let strict = tool.get("strict").map(|strict| strict.flag()).transpose()?;
    Ok(ToolKind::Function { schema: schema.map(|schema| schema.json()), strict })
}

/// Parses a namespace's tools. The description of the namespace is put before that of its first
/// tool: no other dialect has a field for it, and the model must see it.
fn read_namespace(tool: &JsonObject<'_>, request: &mut ModelRequest) -> Result<(), RequestError> {
    keep_unknown_members(tool, &["name", "description", "tools"], request);
    let name = tool.required_text("name")?;
    let first = request.tools.len();
    for nested in tool.required("tools")?.array()? {
        read_tool(&nested, Some(&name), request)?;
    }
    let about = tool.text("description")?.filter(|about| !about.trim().is_empty());
    if let (Some(about), Some(tool)) = (about, request.tools.get_mut(first)) {
        let own = tool.description.take().unwrap_or_default();
        let described = format!("({name}: {about})\n\n{own}");
        tool.description = Some(described.trim_end().to_owned());
    }
    Ok(())
}

/// Keeps a tool's members that are not part of the neutral form; members that are `false` are
/// skipped.
fn keep_unknown_members(tool: &JsonObject<'_>, known: &[&str], request: &mut ModelRequest) {
    for (key, node) in tool.entries() {
        if key != "type" && !known.contains(&key) && node.raw() != "false" {
            request.extras.push(node.extra(FieldKind::Unknown));
        }
    }
}

/// A parsed `tool_choice`: the choice, and the allowed tools.
#[derive(Debug)]
pub(super) struct ParsedToolChoice {
    choice: ToolChoice,
    /// Names and namespaces of the allowed tools; `None` allows all.
    allowed: Option<Vec<(String, Option<String>)>>,
}

impl ParsedToolChoice {
    fn unrestricted(choice: ToolChoice) -> Option<Self> {
        Some(Self { choice, allowed: None })
    }

    /// Applies the choice to the request. Tools that are not allowed are removed from the list,
    /// because no other dialect can offer a tool that must not be called.
    pub(super) fn apply(self, request: &mut ModelRequest) {
        request.tool_choice = Some(self.choice);
        let Some(allowed) = self.allowed else { return };
        let is_allowed = |tool: &ToolDefinition| {
            allowed.iter().any(|(name, namespace)| {
                *name == tool.name && (namespace.is_none() || *namespace == tool.namespace)
            })
        };
        request.tools.retain(is_allowed);
    }
}

/// Parses `tool_choice`; `None` if it is kept as an extra.
pub(super) fn read_choice(
    node: &JsonNode<'_>,
    request: &mut ModelRequest,
) -> Result<Option<ParsedToolChoice>, RequestError> {
    if node.is_text() {
        return Ok(ParsedToolChoice::unrestricted(read_mode(node)?));
    }
    let choice = node.object()?;
    Ok(match choice.required_text("type")?.as_str() {
        "function" | "custom" => ParsedToolChoice::unrestricted(ToolChoice::Named {
            name: choice.required_text("name")?,
            namespace: choice.text("namespace")?,
        }),
        "allowed_tools" => {
            let mode = choice.get("mode").map(|mode| read_mode(&mode)).transpose()?;
            let allowed: Result<_, _> =
                choice.required("tools")?.array()?.iter().map(read_allowed).collect();
            Some(ParsedToolChoice {
                choice: mode.unwrap_or(ToolChoice::Auto),
                allowed: Some(allowed?),
            })
        }
        _ => {
            request.extras.push(node.extra(FieldKind::ServerTool));
            None
        }
    })
}

fn read_mode(node: &JsonNode<'_>) -> Result<ToolChoice, RequestError> {
    match node.text()?.as_str() {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        _ => Err(node.bad_value("use 'none', 'auto', 'required' or an object that names a tool")),
    }
}

/// A tool in an `allowed_tools` list; OpenAI's own tools are named by their type.
fn read_allowed(node: &JsonNode<'_>) -> Result<(String, Option<String>), RequestError> {
    let tool = node.object()?;
    let kind = tool.required_text("type")?;
    Ok((tool.text("name")?.unwrap_or(kind), tool.text("namespace")?))
}
