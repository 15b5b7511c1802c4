//! The request's tools as an answer repeats them, with namespaces restored.

use serde::Serialize;

use crate::neutral::{Json, Request, Tool, ToolChoice, ToolKind};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EchoedTool<'a> {
    Plain(PlainTool<'a>),
    Namespace(Namespace<'a>),
    Server(&'a Json),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum PlainTool<'a> {
    Function {
        name: &'a str,
        description: Option<&'a str>,
        parameters: Option<&'a Json>,
        strict: Option<bool>,
    },
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a Json>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "namespace")]
pub(super) struct Namespace<'a> {
    name: &'a str,
    description: &'a str,
    tools: Vec<PlainTool<'a>>,
}

impl<'a> EchoedTool<'a> {
    pub(super) fn list(request: &'a Request) -> Vec<Self> {
        let mut list = Vec::new();
        for tool in &request.tools {
            match (PlainTool::of(tool), tool.namespace.as_deref(), list.last_mut()) {
                (Err(declaration), _, _) => list.push(Self::Server(declaration)),
                (Ok(plain), None, _) => list.push(Self::Plain(plain)),
                (Ok(plain), Some(name), Some(Self::Namespace(last))) if last.name == name => {
                    last.tools.push(plain);
                }
                (Ok(plain), Some(name), _) => {
                    let tools = vec![plain];
                    list.push(Self::Namespace(Namespace { name, description: name, tools }));
                }
            }
        }
        list
    }
}

impl<'a> PlainTool<'a> {
    /// The tool, or as an error the declaration of a tool that the provider runs itself.
    fn of(tool: &'a Tool) -> Result<Self, &'a Json> {
        let (name, description) = (tool.name.as_str(), tool.description.as_deref());
        match &tool.kind {
            ToolKind::Function { schema, strict } => {
                let parameters = schema.as_ref();
                Ok(Self::Function { name, description, parameters, strict: *strict })
            }
            ToolKind::Custom { format } => {
                Ok(Self::Custom { name, description, format: format.as_ref() })
            }
            ToolKind::Server { declaration, .. } => Err(declaration),
        }
    }
}

/// The value of `tool_choice`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EchoedChoice<'a> {
    Word(&'static str),
    Named(NamedChoice<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct NamedChoice<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

impl<'a> EchoedChoice<'a> {
    pub(super) fn of(request: &'a Request) -> Self {
        match &request.tool_choice {
            None | Some(ToolChoice::Auto) => Self::Word("auto"),
            Some(ToolChoice::None) => Self::Word("none"),
            Some(ToolChoice::Required) => Self::Word("required"),
            Some(ToolChoice::Named { name, .. }) => Self::Named(NamedChoice::of(request, name)),
        }
    }
}

impl<'a> NamedChoice<'a> {
    pub(super) fn of(request: &Request, name: &'a str) -> Self {
        let is_custom =
            |tool: &Tool| tool.name == name && matches!(tool.kind, ToolKind::Custom { .. });
        let kind = if request.tools.iter().any(is_custom) { "custom" } else { "function" };
        Self { kind, name }
    }

    /// `function` or `custom`.
    pub(super) const fn kind(&self) -> &'static str {
        self.kind
    }
}
