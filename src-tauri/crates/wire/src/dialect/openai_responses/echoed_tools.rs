//! The request's tools as an answer repeats them, with namespaces restored.

use serde::Serialize;

use crate::neutral::{JsonText, ModelRequest, ToolChoice, ToolDefinition, ToolKind};

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum EchoedTool<'a> {
    Client(EchoedClientTool<'a>),
    Namespace(EchoedNamespace<'a>),
    Server(&'a JsonText),
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum EchoedClientTool<'a> {
    Function {
        name: &'a str,
        description: Option<&'a str>,
        parameters: Option<&'a JsonText>,
        strict: Option<bool>,
    },
    Custom {
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        format: Option<&'a JsonText>,
    },
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "namespace")]
pub(super) struct EchoedNamespace<'a> {
    name: &'a str,
    description: &'a str,
    tools: Vec<EchoedClientTool<'a>>,
}

impl<'a> EchoedTool<'a> {
    pub(super) fn from_request(request: &'a ModelRequest) -> Vec<Self> {
        let mut list = Vec::new();
        for tool in &request.tools {
            match (EchoedClientTool::of(tool), tool.namespace.as_deref(), list.last_mut()) {
                (Err(declaration), _, _) => list.push(Self::Server(declaration)),
                (Ok(plain), None, _) => list.push(Self::Client(plain)),
                (Ok(plain), Some(name), Some(Self::Namespace(last))) if last.name == name => {
                    last.tools.push(plain);
                }
                (Ok(plain), Some(name), _) => {
                    let tools = vec![plain];
                    list.push(Self::Namespace(EchoedNamespace { name, description: name, tools }));
                }
            }
        }
        list
    }
}

impl<'a> EchoedClientTool<'a> {
    /// The tool, or as an error the declaration of a tool that the provider runs itself.
    fn of(tool: &'a ToolDefinition) -> Result<Self, &'a JsonText> {
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
    Mode(&'static str),
    Named(EchoedNamedChoice<'a>),
}

#[derive(Debug, Serialize)]
pub(super) struct EchoedNamedChoice<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'a str,
}

impl<'a> EchoedChoice<'a> {
    pub(super) fn of(request: &'a ModelRequest) -> Self {
        match &request.tool_choice {
            None | Some(ToolChoice::Auto) => Self::Mode("auto"),
            Some(ToolChoice::None) => Self::Mode("none"),
            Some(ToolChoice::Required) => Self::Mode("required"),
            Some(ToolChoice::Named { name, .. }) => {
                Self::Named(EchoedNamedChoice::of(request, name))
            }
        }
    }
}

impl<'a> EchoedNamedChoice<'a> {
    pub(super) fn of(request: &ModelRequest, name: &'a str) -> Self {
        let is_custom = |tool: &ToolDefinition| {
            tool.name == name && matches!(tool.kind, ToolKind::Custom { .. })
        };
        let kind = if request.tools.iter().any(is_custom) { "custom" } else { "function" };
        Self { kind, name }
    }

    /// `function` or `custom`.
    pub(super) const fn kind(&self) -> &'static str {
        self.kind
    }
}
