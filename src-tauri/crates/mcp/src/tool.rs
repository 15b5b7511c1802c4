//! The tools as clients list them.

use std::sync::{Arc, OnceLock};

use control::view::{AskQuery, AskView};
use control::{AgentPermission, AgentTool, ApiError, SchemaError, agent_tools, json_schema};
use rmcp::model::{Tool, ToolAnnotations};
use serde_json::{Map, Value, json};

use crate::answer::LIST_FIELD;
use crate::arguments::{check_known, close_objects};

/// The tool that sends prompts. It asks several models and waits for their ends, so its schemas are
/// not those of its operation.
pub(crate) const ASK: &str = "ask";
/// The tool that waits for a readiness run.
pub(crate) const RUN_CHECKS: &str = "run_checks";

pub(crate) fn find_tool(name: &str) -> Option<AgentTool> {
    agent_tools().find(|tool| tool.name == name)
}

/// All tools with their schemas, made once.
pub(crate) fn listed_tools() -> &'static [Tool] {
    static TOOLS: OnceLock<Vec<Tool>> = OnceLock::new();
    TOOLS.get_or_init(|| agent_tools().filter_map(|tool| build_tool(&tool)).collect())
}

/// Errors on an argument that the tool does not know.
pub(crate) fn check_arguments(tool: &AgentTool, arguments: &Value) -> Result<(), ApiError> {
    match listed_tools().iter().find(|listed| listed.name == tool.name) {
        Some(listed) => check_known(&listed.input_schema, arguments),
        None => Ok(()),
    }
}

/// A tool without a schema is left out; a test asserts that each has one.
fn build_tool(tool: &AgentTool) -> Option<Tool> {
    let schemas = match tool.name {
        ASK => (json_schema::<AskQuery>(), json_schema::<AskView>()),
        _ => ((tool.input_schema)(), (tool.output_schema)()),
    };
    let (input, output) = match schemas {
        (Ok(input), Ok(output)) => (input, output),
        (Err(error), _) | (_, Err(error)) => {
            report_missing_schema(tool, &error);
            return None;
        }
    };
    Some(
        Tool::new(tool.name, description(tool), Arc::new(closed(input)))
            .with_title(title(tool.name))
            .with_raw_output_schema(Arc::new(object_schema(output)))
            .with_annotations(annotations(tool)),
    )
}

/// The schema of a tool's arguments, none of which is ignored.
fn closed(schema: Map<String, Value>) -> Map<String, Value> {
    let mut schema = Value::Object(schema);
    close_objects(&mut schema);
    match schema {
        Value::Object(closed) => closed,
        _ => Map::new(),
    }
}

fn report_missing_schema(tool: &AgentTool, error: &SchemaError) {
    tracing::error!(tool = tool.name, %error, "a tool has no schema");
}

/// A schema whose root is an object, as results must be.
fn object_schema(mut root: Map<String, Value>) -> Map<String, Value> {
    if root.get("type") == Some(&Value::from("object")) {
        return root;
    }
    let definitions = root.remove("$defs");
    let mut object = Map::new();
    object.insert("type".to_owned(), Value::from("object"));
    object.insert("properties".to_owned(), json!({ LIST_FIELD: root }));
    object.insert("required".to_owned(), json!([LIST_FIELD]));
    object.extend(definitions.map(|all| ("$defs".to_owned(), all)));
    object
}

fn description(tool: &AgentTool) -> String {
    let said = match tool.name {
        ASK => {
            "Sends a prompt to one to four models at once, through the router, and returns each \
             answer with its cost and backend. Costs money."
        }
        RUN_CHECKS => {
            "Runs the readiness checks and returns the report with causes and fixes. Nothing is \
             billed."
        }
        _ => tool.description.trim(),
    };
    let allowed = match tool.permission.setting_key() {
        Some(key) => format!(" The user allows it with the setting {key}."),
        None => String::new(),
    };
    format!("{said}{allowed}")
}

/// `usage_summary` → `Usage summary`.
pub(crate) fn title(name: &str) -> String {
    domain::capitalize(&name.replace('_', " "))
}

fn annotations(tool: &AgentTool) -> ToolAnnotations {
    let permission = tool.permission;
    ToolAnnotations::with_title(title(tool.name))
        .read_only(permission == AgentPermission::Read)
        .destructive(permission == AgentPermission::Change)
        .open_world(matches!(permission, AgentPermission::Spend | AgentPermission::Checks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_listed_with_objects_on_both_sides() {
        let listed = listed_tools();
        assert_eq!(listed.len(), agent_tools().count());
        for tool in listed {
            let root = |schema: &Map<String, Value>| schema.get("type").cloned();
            assert_eq!(root(&tool.input_schema), Some(Value::from("object")), "{}", tool.name);
            let more = tool.input_schema.get("additionalProperties");
            assert_eq!(more, Some(&Value::Bool(false)), "{}", tool.name);
            let output = tool.output_schema.as_deref().and_then(root);
            assert_eq!(output, Some(Value::from("object")), "{}", tool.name);
        }
    }

    /// Texts that a model reads: ours alone, and each change of them is seen.
    #[test]
    fn s57_names_and_descriptions_are_fixed() {
        let text = |tool: &Tool| {
            format!("{}: {}", tool.name, tool.description.as_deref().unwrap_or_default())
        };
        insta::assert_snapshot!(listed_tools().iter().map(text).collect::<Vec<_>>().join("\n"));
    }

    #[test]
    fn only_reading_is_called_reading() {
        for (tool, row) in listed_tools().iter().zip(agent_tools()) {
            let hints = tool.annotations.as_ref().expect("annotations");
            assert_eq!(hints.read_only_hint, Some(row.permission == AgentPermission::Read));
            let said = tool.description.as_deref().unwrap_or_default();
            assert_eq!(said.contains("mcp_"), row.permission != AgentPermission::Read, "{said}");
        }
    }
}
