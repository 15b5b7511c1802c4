//! The tools whose files can be changed, each with what wiring needs to know of it.

mod claude_code;
mod codex;
mod gemini_cli;
mod mcp_entry;
pub(crate) mod opencode;
mod zed;

use std::path::PathBuf;

use domain::{ClientId, WallTime, Word};
use serde_json::Value;

use crate::agent_program::AgentProgram;
use crate::client_tool::{ClientTool, ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::ValueEdit;

/// The variable that holds the token for a tool whose file names one, and for Zed, which derives
/// this name from the name of our provider.
pub(crate) const TOKEN_VARIABLE: &str = "GATEHOUSE_API_KEY";

/// Models that a tool with a list of its own is told, at most.
pub const TOOL_MODELS_MAX: usize = 200;

/// Where a wired tool sends its requests, and whose token it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringTarget {
    pub client: ClientId,
    /// The gateway's address without a path, such as `http://127.0.0.1:4283`.
    pub address: String,
    /// The command line program, which prints the token.
    pub program: PathBuf,
    /// For tools with a list of their own; at most [`TOOL_MODELS_MAX`] are written.
    pub models: Vec<ToolModel>,
    /// The time of the wiring.
    pub now: WallTime,
}

/// A model of the gateway, as a tool's list describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolModel {
    /// As requests name it.
    pub name: String,
    /// None if they are not known.
    pub limits: Option<ToolModelLimits>,
    /// False only if it is known to have no tool calls.
    pub tools: bool,
    /// True only if it is known to read images.
    pub images: bool,
}

impl ToolModel {
    /// A model of which nothing else is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), limits: None, tools: true, images: false }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ToolModelLimits {
    pub input_tokens_max: u64,
    pub output_tokens_max: u64,
}

impl WiringTarget {
    /// Arguments of the program that print the token.
    fn token_arguments(&self) -> [&str; 2] {
        ["token", self.client.as_str()]
    }
}

/// The MCP server that a program's agents get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServerTarget {
    /// The command line program, which is the server.
    pub program: PathBuf,
}

/// Tools whose files are changed for one purpose.
pub trait WiredTool: Word + std::fmt::Debug + Eq {
    /// What the keys are made of.
    type Target;

    /// End of the names of its records. A tool may be changed for several purposes.
    const RECORD_SUFFIX: &'static str;

    /// What a changed tool is, as in "Codex CLI is not wired".
    const CHANGED: &'static str;

    /// The tool's own name.
    fn full_name(self) -> &'static str;

    #[doc(hidden)]
    fn definition(self) -> &'static ClientToolDefinition<Self::Target>;

    /// What is remembered of the target.
    #[doc(hidden)]
    fn origin(target: &Self::Target) -> WiringOrigin;
}

/// Whose token a wired tool uses, where, and since when; each is None for a tool that uses no gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WiringOrigin {
    pub(crate) client: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) since: Option<WallTime>,
}

/// One file of a tool, and the keys that wiring changes in it.
pub(crate) struct ToolFile<G> {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) edits: fn(&G) -> Vec<ValueEdit>,
}

/// A file of another layer that may outrank the keys of a wired tool.
pub(crate) struct LayerFile {
    pub(crate) layer: ConflictLayer,
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
}

/// What wiring needs to know of a tool.
pub struct ClientToolDefinition<G> {
    pub(crate) rung: WiringRung,
    /// True if the tool reads its files only when it starts.
    pub(crate) restart: bool,
    /// Name of the program in the search path.
    pub(crate) program: &'static str,
    /// Folder that the tool creates for its files.
    pub(crate) folder: fn(&ToolEnvironment) -> PathBuf,
    pub(crate) files: fn(&ToolEnvironment) -> Vec<ToolFile<G>>,
    /// Places of the same keys that win over the user's file.
    pub(crate) layers: fn(&ToolEnvironment) -> Vec<LayerFile>,
    /// Environment variables that win over the user's file.
    pub(crate) variables: &'static [&'static str],
    /// The key in the user's own file that wins over the wired keys.
    pub(crate) own_conflict: fn(&Value) -> Option<(ConflictLayer, String)>,
}

impl ClientTool {
    /// Name of its program in the search path.
    #[must_use]
    pub fn program(self) -> &'static str {
        self.definition().program
    }
}

impl WiredTool for ClientTool {
    type Target = WiringTarget;

    const RECORD_SUFFIX: &'static str = "";
    const CHANGED: &'static str = "wired";

    fn full_name(self) -> &'static str {
        self.name()
    }

    fn definition(self) -> &'static ClientToolDefinition<WiringTarget> {
        match self {
            Self::ClaudeCode => &claude_code::DEFINITION,
            Self::Codex => &codex::DEFINITION,
            Self::GeminiCli => &gemini_cli::DEFINITION,
            Self::OpenCode => &opencode::DEFINITION,
            Self::Zed => &zed::DEFINITION,
        }
    }

    fn origin(target: &WiringTarget) -> WiringOrigin {
        WiringOrigin {
            client: Some(target.client.to_string()),
            address: Some(target.address.clone()),
            since: Some(target.now),
        }
    }
}

impl WiredTool for AgentProgram {
    type Target = McpServerTarget;

    const RECORD_SUFFIX: &'static str = "-mcp";
    const CHANGED: &'static str = "set up for agents";

    fn full_name(self) -> &'static str {
        self.name()
    }

    fn definition(self) -> &'static ClientToolDefinition<McpServerTarget> {
        match self {
            Self::ClaudeCode => &mcp_entry::CLAUDE_CODE,
            Self::Codex => &mcp_entry::CODEX,
            Self::ClaudeDesktop => &mcp_entry::CLAUDE_DESKTOP,
            Self::GeminiCli => &mcp_entry::GEMINI_CLI,
        }
    }

    fn origin(_: &McpServerTarget) -> WiringOrigin {
        WiringOrigin::default()
    }
}
