//! Writes tools and the tool choice for a backend.

use domain::Dialect;
use serde::Serialize;

use super::echoed_tools::EchoedNamedChoice;
use crate::RequestError;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::dialect::tool_names::ToolNames;
use crate::neutral::{JsonText, ModelRequest, ToolChoice, ToolDefinition, ToolKind};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ResponsesTool<'a> {
    Client(ResponsesClientTool<'a>),
    Server(&'a JsonText),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ResponsesClientTool<'a> {
    Function {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: JsonText,
        /// Always written: in this dialect, unlike in others, the default is strict.
        strict: bool,
    },
    Custom {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a JsonText>,
    },
}

/// The value of `tool_choice`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ResponsesToolChoice {
    Mode(&'static str),
    Named {
        #[serde(rename = "type")]
        kind: &'static str,
        name: String,
    },
}

pub(super) fn write_tools<'a>(
    request: &'a ModelRequest,
    names: &ToolNames,
    crossings: &mut FieldFilter,
) -> Result<Vec<ResponsesTool<'a>>, RequestError> {
    let mut list = Vec::new();
    for tool in &request.tools {
        match &tool.kind {
            ToolKind::Server { origin, declaration } if *origin == Dialect::OpenAiResponses => {
                list.push(ResponsesTool::Server(declaration));
            }
            ToolKind::Server { .. } => {
                // Another provider's tool cannot run here.
                let _: FieldDecision = crossings.check(FieldKind::ServerTool, &tool.path())?;
            }
            ToolKind::Function { schema, strict } => {
                list.push(ResponsesTool::from_function(tool, names, schema.as_ref(), *strict));
            }
            ToolKind::Custom { format } => {
                list.push(ResponsesTool::Client(ResponsesClientTool::Custom {
                    name: names.wire_name(&tool.name, tool.namespace.as_deref()),
                    description: tool.description.as_deref(),
                    format: format.as_ref(),
                }));
            }
        }
    }
    Ok(list)
}

pub(super) fn write_choice(
    request: &ModelRequest,
    names: &ToolNames,
) -> Option<ResponsesToolChoice> {
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => ResponsesToolChoice::Mode("auto"),
        ToolChoice::None => ResponsesToolChoice::Mode("none"),
        ToolChoice::Required => ResponsesToolChoice::Mode("required"),
        ToolChoice::Named { name, namespace } => ResponsesToolChoice::Named {
            kind: EchoedNamedChoice::of(request, name).kind(),
            name: names.wire_name(name, namespace.as_deref()),
        },
    })
}

impl<'a> ResponsesTool<'a> {
    fn from_function(
        tool: &'a ToolDefinition,
        names: &ToolNames,
        schema: Option<&JsonText>,
        strict: Option<bool>,
    ) -> Self {
        Self::Client(ResponsesClientTool::Function {
            name: names.wire_name(&tool.name, tool.namespace.as_deref()),
            description: tool.description.as_deref(),
            parameters: schema.cloned().unwrap_or_else(empty_schema),
            strict: strict.unwrap_or(false),
        })
    }
}

/// The schema of a function without arguments.
fn empty_schema() -> JsonText {
    JsonText::parse(r#"{"type":"object","properties":{}}"#).unwrap_or_else(JsonText::empty_object)
}
