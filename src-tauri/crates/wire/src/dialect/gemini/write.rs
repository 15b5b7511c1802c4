//! Writes a request for a Gemini backend.

use bytes::Bytes;
use domain::Dialect;
use serde::Serialize;

use super::body::GeminiContentBody;
use super::generation_config::{GenerationConfig, omits_tools};
use super::model_features::ModelGeneration;
use super::write_contents::ConversationBody;
use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::dialect::tool_names::{CUSTOM_INPUT, ToolNames};
use crate::dialect::translation::TranslatedRequest;
use crate::neutral::{JsonText, ModelRequest, ParallelCalls, ToolChoice, ToolKind};
use crate::{RequestError, Target};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<GeminiContentBody>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<ToolEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig>,
    contents: Vec<GeminiContentBody>,
    #[serde(skip_serializing_if = "is_default")]
    generation_config: GenerationConfig,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ToolEntry {
    #[serde(rename_all = "camelCase")]
    Functions {
        function_declarations: Vec<FunctionDeclaration>,
    },
    Server(JsonText),
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FunctionDeclaration {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<JsonText>,
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

pub(crate) fn write_request(
    request: &ModelRequest,
    target: &Target,
) -> Result<TranslatedRequest, RequestError> {
    let mut crossings = FieldFilter::for_dialect(Dialect::Gemini, target.crossing);
    crossings.filter_extras(request)?;
    if request.user.is_some() {
        crossings.check(FieldKind::Metadata, "user")?;
    }
    if request.parallel_calls == ParallelCalls::OneAtATime {
        crossings.check(FieldKind::ParallelCalls, "parallel_tool_calls")?;
    }
    let generation = ModelGeneration::from_model_name(&target.model);
    let names = ToolNames::for_request(request, Dialect::Gemini);
    let history = ConversationBody::from_request(request, generation, &names, &mut crossings)?;
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
        generation_config: GenerationConfig::from_request(request, generation, &mut crossings)?,
    };
    // Every key is text and every raw value was parsed before, so this cannot fail.
    let body = serde_json::to_vec(&body).map(Bytes::from).unwrap_or_default();
    Ok(TranslatedRequest { body, dropped: crossings.into_dropped() })
}

fn is_default(config: &GenerationConfig) -> bool {
    *config == GenerationConfig::default()
}

fn write_tools(
    request: &ModelRequest,
    generation: ModelGeneration,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<ToolEntry>, RequestError> {
    let (mut function_declarations, mut entries) = (Vec::new(), Vec::new());
    for tool in &request.tools {
        let schema = match &tool.kind {
            ToolKind::Server { origin: Dialect::Gemini, declaration } => {
                entries.push(ToolEntry::Server(declaration.clone()));
                continue;
            }
            ToolKind::Server { .. } => {
                crossings.check(FieldKind::ServerTool, &tool.path())?;
                continue;
            }
            ToolKind::Function { schema, .. } => schema.clone(),
            ToolKind::Custom { .. } => Some(custom_tool_schema()),
        };
        function_declarations.push(FunctionDeclaration {
            name: names.wire_name(&tool.name, tool.namespace.as_deref()),
            description: tool.description.clone(),
            parameters_json_schema: schema,
        });
    }
    if !function_declarations.is_empty() && !omits_tools(request, generation) {
        entries.insert(0, ToolEntry::Functions { function_declarations });
    }
    Ok(entries)
}

fn custom_tool_schema() -> JsonText {
    // Formatted as text, so that a tool always has the same bytes: providers cache prompts by them.
    let schema = format!(
        r#"{{"type":"object","properties":{{"{CUSTOM_INPUT}":{{"type":"string"}}}},"required":["{CUSTOM_INPUT}"]}}"#
    );
    JsonText::parse(&schema).unwrap_or_else(JsonText::empty_object)
}

fn tool_config(choice: &ToolChoice, names: &ToolNames) -> ToolConfig {
    let (mode, allowed_function_names) = match choice {
        ToolChoice::Auto => ("AUTO", Vec::new()),
        ToolChoice::None => ("NONE", Vec::new()),
        ToolChoice::Required => ("ANY", Vec::new()),
        ToolChoice::Named { name, namespace } => {
            ("ANY", vec![names.wire_name(name, namespace.as_deref())])
        }
    };
    ToolConfig { function_calling_config: CallingConfig { mode, allowed_function_names } }
}
