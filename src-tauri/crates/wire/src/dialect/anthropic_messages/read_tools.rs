//! Reads the tools and the tool choice of a client's request.

use domain::Dialect;

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::neutral::{
    CacheBreakpoint, ExtraField, ParallelCalls, ToolChoice, ToolDefinition, ToolKind,
};

/// Placeholder tool of Claude Code. It only marks that there are deferred tools, and a model that
/// does not know this would call it.
const DEFERRED_TOOL_PLACEHOLDER: &str = "DeferredToolPlaceholder";

pub(super) fn read_tools(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ToolDefinition>, RequestError> {
    let Some(list) = root.get("tools") else { return Ok(Vec::new()) };
    let mut tools = Vec::new();
    for node in list.array()? {
        tools.extend(read_tool(&node, extras)?);
    }
    Ok(tools)
}

fn read_tool(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ToolDefinition>, RequestError> {
    let tool = node.object()?;
    let cache = tool.get("cache_control").map(|mark| CacheBreakpoint(mark.json()));
    let kind = tool.text("type")?;
    if let Some(kind) = kind.filter(|kind| kind != "custom") {
        // The provider's own tool, whose schema the model knows: `web_search_…`, `bash_…`.
        let name = tool.text("name")?.unwrap_or(kind);
        let (origin, declaration) = (Dialect::AnthropicMessages, node.json());
        let kind = ToolKind::Server { origin, declaration };
        return Ok(Some(ToolDefinition { name, namespace: None, description: None, kind, cache }));
    }
    let name = tool.required_text("name")?;
    let is_deferred = tool.get("defer_loading").is_some_and(|flag| flag.raw() == "true");
    if name == DEFERRED_TOOL_PLACEHOLDER && is_deferred {
        extras.push(node.extra(FieldKind::Presentation));
        return Ok(None);
    }
    let schema = tool.required("input_schema")?;
    schema.object()?;
    // These members only change how a tool is loaded and how its input is sent. A deferred tool is
    // sent like any other, since no other backend could load it later.
    extras.extend(
        tool.entries()
            .filter(|(key, value)| !is_known_member(key) && value.raw() != "false")
            .map(|(_, value)| value.extra(FieldKind::Presentation)),
    );
    let strict = tool.get("strict").map(|flag| flag.flag()).transpose()?;
    let kind = ToolKind::Function { schema: Some(schema.json()), strict };
    let description = tool.text("description")?;
    Ok(Some(ToolDefinition { name, namespace: None, description, kind, cache }))
}

/// True for members of a tool that the neutral form has.
fn is_known_member(key: &str) -> bool {
    matches!(key, "type" | "name" | "description" | "input_schema" | "cache_control" | "strict")
}

/// `tool_choice`, split into its two neutral settings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ToolChoiceSettings {
    pub(super) tool_choice: Option<ToolChoice>,
    pub(super) parallel_calls: ParallelCalls,
}

pub(super) fn read_tool_choice(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<ToolChoiceSettings, RequestError> {
    let Some(choice) = root.get("tool_choice") else {
        return Ok(ToolChoiceSettings { tool_choice: None, parallel_calls: ParallelCalls::Unset });
    };
    let choice = choice.object()?;
    let kind = choice.required("type")?;
    let tool_choice = match kind.text()?.as_str() {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Named { name: choice.required_text("name")?, namespace: None },
        _ => return Err(kind.bad_value("the types are auto, any, tool and none")),
    };
    let is_single = choice.get("disable_parallel_tool_use").map(|flag| flag.flag()).transpose()?;
    let parallel_calls = match is_single {
        None => ParallelCalls::Unset,
        Some(true) => ParallelCalls::OneAtATime,
        Some(false) => ParallelCalls::Allowed,
    };
    let known = ["type", "name", "disable_parallel_tool_use"];
    let others = choice.entries().filter(|(key, _)| !known.contains(key));
    extras.extend(others.map(|(_, node)| node.extra(FieldKind::Unknown)));
    Ok(ToolChoiceSettings { tool_choice: Some(tool_choice), parallel_calls })
}
