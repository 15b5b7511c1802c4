//! Writes tools and the tool choice for a backend.

use serde::Serialize;

use super::input::DIALECT;
use super::reply_tools::NamedChoice;
use crate::RequestError;
use crate::crossing::{Crossings, Field, Write};
use crate::names::ToolNames;
use crate::neutral::{Json, Request, Tool, ToolChoice, ToolKind};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum WrittenTool<'a> {
    Own(OwnTool<'a>),
    Server(&'a Json),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum OwnTool<'a> {
    Function {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        parameters: Json,
        /// Always written: in this dialect, unlike in others, the default is strict.
        strict: bool,
    },
    Custom {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a Json>,
    },
}

/// The value of `tool_choice`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum WrittenChoice {
    Word(&'static str),
    Named {
        #[serde(rename = "type")]
        kind: &'static str,
        name: String,
    },
}

pub(super) fn write_tools<'a>(
    request: &'a Request,
    names: &ToolNames,
    crossings: &mut Crossings,
) -> Result<Vec<WrittenTool<'a>>, RequestError> {
    let mut list = Vec::new();
    for tool in &request.tools {
        match &tool.kind {
            ToolKind::Server { origin, declaration } if *origin == DIALECT => {
                list.push(WrittenTool::Server(declaration));
            }
            ToolKind::Server { .. } => {
                // Another provider's tool cannot run here.
                let _: Write = crossings.judge(Field::ServerTool, &tool.path())?;
            }
            ToolKind::Function { schema, strict } => {
                list.push(WrittenTool::function(tool, names, schema.as_ref(), *strict));
            }
            ToolKind::Custom { format } => list.push(WrittenTool::Own(OwnTool::Custom {
                name: names.wire(&tool.name, tool.namespace.as_deref()),
                description: tool.description.as_deref(),
                format: format.as_ref(),
            })),
        }
    }
    Ok(list)
}

pub(super) fn write_choice(request: &Request, names: &ToolNames) -> Option<WrittenChoice> {
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => WrittenChoice::Word("auto"),
        ToolChoice::None => WrittenChoice::Word("none"),
        ToolChoice::Required => WrittenChoice::Word("required"),
        ToolChoice::Named { name, namespace } => WrittenChoice::Named {
            kind: NamedChoice::of(request, name).kind(),
            name: names.wire(name, namespace.as_deref()),
        },
    })
}

impl<'a> WrittenTool<'a> {
    fn function(
        tool: &'a Tool,
        names: &ToolNames,
        schema: Option<&Json>,
        strict: Option<bool>,
    ) -> Self {
        Self::Own(OwnTool::Function {
            name: names.wire(&tool.name, tool.namespace.as_deref()),
            description: tool.description.as_deref(),
            parameters: schema.cloned().unwrap_or_else(no_arguments),
            strict: strict.unwrap_or(false),
        })
    }
}

/// The schema of a function without arguments.
fn no_arguments() -> Json {
    Json::parse(r#"{"type":"object","properties":{}}"#).unwrap_or_else(Json::empty_object)
}
