//! Writes a request for a Gemini backend.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::body::Content;
use super::generation::{GenerationConfig, leaves_tools_out};
use super::history::History;
use super::model::Generation;
use crate::crossing::{Crossings, Field};
use crate::dialect::Written;
use crate::names::{CUSTOM_INPUT, ToolNames};
use crate::neutral::{Json, ParallelCalls, Request, ToolChoice, ToolKind};
use crate::{RequestError, Target};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Content>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig>,
    contents: Vec<Content>,
    #[serde(skip_serializing_if = "is_default")]
    generation_config: GenerationConfig,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ToolEntry {
    #[serde(rename_all = "camelCase")]
    Functions {
        function_declarations: Vec<Declaration>,
    },
    Server(Json),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<Json>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig {
    function_calling_config: CallingConfig,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallingConfig {
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_function_names: Vec<String>,
}

pub(crate) fn write_request(request: &Request, target: &Target) -> Result<Written, RequestError> {
    let mut crossings = Crossings::into_dialect(Dialect::Gemini, target.crossing);
    crossings.settle(request)?;
    if request.user.is_some() {
        crossings.judge(Field::Metadata, "user")?;
    }
    if request.parallel_calls == ParallelCalls::OneAtATime {
        crossings.judge(Field::ParallelCalls, "parallel_tool_calls")?;
    }
    let generation = Generation::of(&target.model);
    let names = ToolNames::of(request, Dialect::Gemini);
    let history = History::of(request, generation, &names, &mut crossings)?;
    let tools = write_tools(request, generation, &names, &mut crossings)?;
    let has_functions = tools.iter().any(|entry| matches!(entry, ToolEntry::Functions { .. }));
    let body = RequestBody {
        system_instruction: history.system,
        tool_config: request
            .tool_choice
            .as_ref()
            .filter(|_| has_functions)
            .map(|choice| tool_config(choice, &names)),
        tools,
        contents: history.contents,
        generation_config: GenerationConfig::of(request, generation, &mut crossings)?,
    };
    // Every key is text and every raw value was parsed before, so this cannot fail.
    let body = serde_json::to_vec(&body).map(Bytes::from).unwrap_or_default();
    Ok(Written { body, dropped: crossings.into_dropped() })
}

fn is_default(config: &GenerationConfig) -> bool {
    *config == GenerationConfig::default()
}

fn write_tools(
    request: &Request,
    generation: Generation,
    names: &ToolNames,
    crossings: &mut Crossings,
) -> Result<Vec<ToolEntry>, RequestError> {
    let (mut function_declarations, mut entries) = (Vec::new(), Vec::new());
    for tool in &request.tools {
        let schema = match &tool.kind {
            ToolKind::Server { origin: Dialect::Gemini, declaration } => {
                entries.push(ToolEntry::Server(declaration.clone()));
                continue;
            }
            ToolKind::Server { .. } => {
                crossings.judge(Field::ServerTool, &tool.path())?;
                continue;
            }
            ToolKind::Function { schema, .. } => schema.clone(),
            ToolKind::Custom { .. } => Some(custom_schema()),
        };
        function_declarations.push(Declaration {
            name: names.wire(&tool.name, tool.namespace.as_deref()),
            description: tool.description.clone(),
            parameters_json_schema: schema,
        });
    }
    if !function_declarations.is_empty() && !leaves_tools_out(request, generation) {
        entries.insert(0, ToolEntry::Functions { function_declarations });
    }
    Ok(entries)
}

fn custom_schema() -> Json {
    // Formatted as text, so that a tool always has the same bytes: providers cache prompts by them.
    let schema = format!(
        r#"{{"type":"object","properties":{{"{CUSTOM_INPUT}":{{"type":"string"}}}},"required":["{CUSTOM_INPUT}"]}}"#
    );
    Json::parse(&schema).unwrap_or_else(Json::empty_object)
}

fn tool_config(choice: &ToolChoice, names: &ToolNames) -> ToolConfig {
    let (mode, allowed_function_names) = match choice {
        ToolChoice::Auto => ("AUTO", Vec::new()),
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Named { name, namespace } => {
            ("ANY", vec![names.wire(name, namespace.as_deref())])
        }
    };
    ToolConfig { function_calling_config: CallingConfig { mode, allowed_function_names } }
}
