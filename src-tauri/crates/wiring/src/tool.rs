//! The client tools that can be wired, each with what wiring needs to know of it.

mod claude_code;
mod codex;
mod gemini_cli;

use std::path::PathBuf;

use domain::ClientId;
use serde_json::Value;

use crate::client_tool::{ClientTool, ConflictLayer, WiringRung};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::KeyEdit;

/// Where a wired tool sends its requests, and whose token it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringTarget {
    pub client: ClientId,
    /// The gateway's address without a path, such as `http://127.0.0.1:4283`.
    pub address: String,
    /// The command line program, which prints the token.
    pub program: PathBuf,
}

impl WiringTarget {
    /// Arguments of the program that print the token.
    fn token_arguments(&self) -> [&str; 2] {
        ["token", self.client.as_str()]
    }
}

/// One file of a tool, and the keys that wiring changes in it.
pub(crate) struct ToolFile {
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
    pub(crate) edits: fn(&WiringTarget) -> Vec<KeyEdit>,
}

/// A file of another layer that may outrank the keys of a wired tool.
pub(crate) struct LayerFile {
    pub(crate) layer: ConflictLayer,
    pub(crate) path: PathBuf,
    pub(crate) format: Format,
}

/// What wiring needs to know of a tool.
pub(crate) struct ToolDefinition {
    pub(crate) rung: WiringRung,
    /// True if the tool reads its files only when it starts.
    pub(crate) restart: bool,
    /// Name of the program in the search path.
    pub(crate) program: &'static str,
    /// Folder that the tool creates for its files.
    pub(crate) folder: fn(&ToolEnvironment) -> PathBuf,
    pub(crate) files: fn(&ToolEnvironment) -> Vec<ToolFile>,
    /// Places of the same keys that win over the user's file.
    pub(crate) layers: fn(&ToolEnvironment) -> Vec<LayerFile>,
    /// Environment variables that win over the user's file.
    pub(crate) variables: &'static [&'static str],
    /// The key of a profile in the user's own file that wins over the wired keys.
    pub(crate) profile_key: fn(&Value) -> Option<String>,
}

impl ClientTool {
    /// Name of its program in the search path.
    #[must_use]
    pub const fn program(self) -> &'static str {
        self.definition().program
    }

    pub(crate) const fn definition(self) -> &'static ToolDefinition {
        match self {
            Self::ClaudeCode => &claude_code::DEFINITION,
            Self::Codex => &codex::DEFINITION,
            Self::GeminiCli => &gemini_cli::DEFINITION,
        }
    }
}
