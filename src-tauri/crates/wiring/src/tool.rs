//! The tools whose files can be changed, each with what wiring needs to know of it.

mod aider;
mod claude_code;
mod codex;
pub(crate) mod continue_dev;
mod gemini_cli;
mod mcp_entry;
pub(crate) mod opencode;
mod zed;

use std::path::{Path, PathBuf};

use domain::{ClientId, WallTime, Word};
use serde_json::Value;

use crate::agent_program::AgentProgram;
use crate::client_tool::{ClientTool, ConflictLayer, WiringRung};
use crate::conflict::Conflict;
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::{KeyPath, ValueEdit};

/// The variable, or the secret, that holds the token for a tool whose file names one, and for Zed,
/// which derives this name from the name of our provider.
pub(crate) const TOKEN_VARIABLE: &str = "GATEHOUSE_API_KEY";

/// Models that a tool with a list of its own is told, at most.
pub(crate) const TOOL_MODELS_MAX: usize = 200;

/// Where a wired tool sends its requests, and whose token it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WiringTarget {
    pub client: ClientId,
    /// The gateway's address without a path, such as `http://127.0.0.1:4283`.
    pub address: String,
    /// The command line program, which prints the token.
    pub program: PathBuf,
    /// The folder that the program is told, where it is not the system's.
    pub home: Option<PathBuf>,
    /// For tools with a list of their own; at most `TOOL_MODELS_MAX` are written.
    pub models: Vec<ToolModel>,
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
    fn token_arguments(&self) -> Vec<String> {
        program_arguments(self.home.as_deref(), &[TOKEN, self.client.as_str()])
    }
}

/// The MCP server that a program's agents get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct McpServerTarget {
    /// The command line program, which is the server.
    pub program: PathBuf,
    /// The folder that the program is told, where it is not the system's.
    pub home: Option<PathBuf>,
}

/// The option that tells our program its folder. A tool that starts it has another environment.
const HOME_OPTION: &str = "--home";

/// The command of our program that prints a token.
const TOKEN: &str = "token";

/// `arguments` for a program that keeps its data in `home`.
fn program_arguments(home: Option<&Path>, arguments: &[&str]) -> Vec<String> {
    let home = home.map(|home| [HOME_OPTION.to_owned(), home.to_string_lossy().into_owned()]);
    let arguments = arguments.iter().map(|argument| (*argument).to_owned());
    home.into_iter().flatten().chain(arguments).collect()
}

/// What a tool's own file says of a Gatehouse: where requests go, and what the tool starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolPointer {
    /// As it stands in the file, with its path.
    pub base_url: Option<String>,
    /// A program with its arguments, for the token or as the MCP server.
    pub command: Vec<String>,
}

impl ToolPointer {
    /// True if the file says nothing of a Gatehouse.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    #[must_use]
    pub fn program(&self) -> Option<&Path> {
        self.command.first().map(Path::new)
    }

    /// The folder that the program is told.
    #[must_use]
    pub fn home(&self) -> Option<&Path> {
        let option = self.command.iter().position(|word| word == HOME_OPTION)?;
        self.command.get(option + 1).map(Path::new)
    }
}

/// True for a command of this program that prints a token, and for nothing else.
pub(crate) fn is_token_command(command: &str) -> bool {
    let words = claude_code::split_command(command);
    let Some((program, arguments)) = words.split_first() else { return false };
    let rest = match arguments {
        [option, _, rest @ ..] if option == HOME_OPTION => rest,
        rest => rest,
    };
    let is_client = |name: &String| ClientId::new(name.clone()).is_ok();
    is_gatehouse(program) && matches!(rest, [token, client] if token == TOKEN && is_client(client))
}

/// True for a path of our command line program.
fn is_gatehouse(program: &str) -> bool {
    Path::new(program).file_stem().is_some_and(|name| name == "gatehouse")
}

/// The text at `path` in a tool's file.
fn text_at(config: &Value, path: &[&str]) -> Option<String> {
    KeyPath::new(path).find(config)?.as_str().map(str::to_owned)
}

/// The program of `command` at `path` in a tool's file, with its `args`.
fn command_at(config: &Value, path: &[&str]) -> Vec<String> {
    let Some(object) = KeyPath::new(path).find(config) else { return Vec::new() };
    let arguments = object.get("args").and_then(Value::as_array).into_iter().flatten();
    let words = object.get("command").into_iter().chain(arguments);
    words.filter_map(|word| word.as_str().map(str::to_owned)).collect()
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

    /// What in its files keeps it from the gateway although `gatehouse run` starts it.
    #[doc(hidden)]
    fn run_conflicts(self, _: &ToolEnvironment) -> Vec<Conflict> {
        Vec::new()
    }
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
    /// The environment variable with a configuration that wins over the user's file.
    pub(crate) config_variable: Option<&'static str>,
    /// What the tool's first file says.
    pub(crate) pointer: fn(&Value) -> ToolPointer,
    /// The key in the user's own file that wins over the wired keys.
    pub(crate) own_conflict: fn(&Value) -> Option<(ConflictLayer, String)>,
    /// What wins over the edited keys in files of another form.
    pub(crate) other_conflicts: fn(&ToolEnvironment, &[ValueEdit]) -> Vec<Conflict>,
}

impl ClientTool {
    /// Variables that outrank the wiring of some tool where it is started.
    pub fn outranking_variables() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().flat_map(|tool| tool.definition().variables).copied()
    }

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
            Self::Aider => &aider::DEFINITION,
            Self::Continue => &continue_dev::DEFINITION,
        }
    }

    fn origin(target: &WiringTarget) -> WiringOrigin {
        WiringOrigin {
            client: Some(target.client.to_string()),
            address: Some(target.address.clone()),
            since: Some(target.now),
        }
    }

    fn run_conflicts(self, environment: &ToolEnvironment) -> Vec<Conflict> {
        match self {
            Self::ClaudeCode => claude_code::run_conflicts(environment),
            Self::Codex => codex::run_conflicts(environment),
            _ => Vec::new(),
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
