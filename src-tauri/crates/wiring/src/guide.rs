//! How the tools reach the gateway that wiring does not set up.
//!
//! What they are told lies in storage of their own. A guide says what to enter, or why nothing helps.
//! Sources: each vendor's documentation of custom providers, read in 2026-11.

use crate::client_tool::ClientTool;
use crate::environment::ToolEnvironment;
use crate::installation::Installation;
use crate::tool::TOKEN_VARIABLE;
use crate::tool::continue_dev::{FOLDER_VARIABLE, MODELS_FILE};

domain::words! {
    /// A client tool with a guide.
    GuidedTool {
        Cline = "cline",
        Cursor = "cursor",
    }
}

domain::words! {
    /// How a tool with a guide reaches the gateway.
    GuideKind {
        /// The user enters address and token.
        Manual = "manual",
        /// It cannot use a gateway on this machine.
        Impossible = "impossible",
    }
}

/// One thing to do, with what to run or to paste.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuideStep {
    pub text: String,
    pub code: Option<String>,
}

#[derive(Debug, Clone)]
pub struct ToolGuide {
    pub tool: GuidedTool,
    pub kind: GuideKind,
    /// What is special about the tool.
    pub sentence: &'static str,
    /// Empty if nothing helps.
    pub steps: Vec<GuideStep>,
    /// None if it was not found.
    pub installation: Option<Installation>,
}

/// Name of a model in an example, if no route is known.
const MODEL_EXAMPLE: &str = "mock/echo";

impl GuidedTool {
    /// The tool's own name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cline => "Cline",
            Self::Cursor => "Cursor",
        }
    }

    #[must_use]
    pub const fn kind(self) -> GuideKind {
        match self {
            Self::Cline => GuideKind::Manual,
            Self::Cursor => GuideKind::Impossible,
        }
    }

    /// Name of its program in the search path; None for an extension of an editor.
    #[must_use]
    pub const fn program(self) -> Option<&'static str> {
        match self {
            Self::Cursor => Some("cursor"),
            Self::Cline => None,
        }
    }

    /// A folder that the tool creates, from the home folder.
    const fn folder(self) -> &'static str {
        match self {
            Self::Cline => ".cline",
            Self::Cursor => ".cursor",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Cline => "It keeps the token in the secret storage of the editor.",
            Self::Cursor => {
                "It sends requests through its own servers, which cannot reach this machine."
            }
        }
    }

    fn find(self, environment: &ToolEnvironment) -> Option<Installation> {
        Installation::find(self.program(), &environment.home.join(self.folder()), environment)
    }
}

impl ToolGuide {
    /// With the gateway at `address`, which has no path. `model` stands in the examples.
    pub(crate) fn new(
        tool: GuidedTool,
        environment: &ToolEnvironment,
        address: &str,
        model: Option<&str>,
    ) -> Self {
        Self {
            tool,
            kind: tool.kind(),
            sentence: tool.sentence(),
            steps: steps(tool, &format!("{address}/v1"), model.unwrap_or(MODEL_EXAMPLE)),
            installation: tool.find(environment),
        }
    }
}

impl ClientTool {
    /// What is typed into a terminal to start it with the token of `client`.
    #[must_use]
    pub fn run_command(self, client: &str) -> String {
        format!("gatehouse {}", self.run_arguments(client).join(" "))
    }

    /// What the user does once it is wired, for a tool that does not get its token by itself.
    /// `client` is the one whose token it uses.
    #[must_use]
    pub fn user_steps(self, client: &str) -> Vec<GuideStep> {
        let step = |text: &str, code: Option<String>| GuideStep { text: text.to_owned(), code };
        let run = self.run_command(client);
        match self {
            Self::ClaudeCode | Self::Codex => Vec::new(),
            Self::GeminiCli | Self::Aider => vec![step("Start it in your project:", Some(run))],
            Self::OpenCode => vec![
                step("Start it in your project:", Some(run)),
                step("Choose a model of the provider Gatehouse.", None),
            ],
            Self::Zed => vec![
                step("Print the token:", Some(format!("gatehouse token {client}"))),
                step(
                    "In Zed, run `agent: open settings` and paste it as the key of Gatehouse.",
                    None,
                ),
                step("Or start Zed with it, while no other window of Zed is open:", Some(run)),
            ],
            Self::Continue => vec![
                step(
                    "Start your editor with the token, while no other window of it is open:",
                    Some(format!("gatehouse run {client} -- code")),
                ),
                step(
                    "Or put the token where Continue reads secrets, and replace the line if there \
                     is one:",
                    Some(secret_line(client)),
                ),
                step("Choose a model with Gatehouse in its name.", None),
                step(
                    "In a terminal, Continue takes this file only by name. This names it, and \
                     passes the token:",
                    Some(format!("gatehouse run {client} -- cn")),
                ),
                step("Or name it yourself:", Some(command_line(client))),
            ],
        }
    }
}

fn steps(tool: GuidedTool, v1: &str, model: &str) -> Vec<GuideStep> {
    let client = tool.word();
    let step = |text: &str, code: String| GuideStep { text: text.to_owned(), code: Some(code) };
    let token = |text: &str| step(text, format!("gatehouse clients add {client}"));
    match tool {
        GuidedTool::Cline => vec![
            step("In its settings, choose OpenAI Compatible with this base URL:", v1.to_owned()),
            token("Create a token, printed once, and paste it as the API key:"),
            step("Enter a model of the gateway as the model ID:", model.to_owned()),
        ],
        GuidedTool::Cursor => Vec::new(),
    }
}

/// Adds the token of `client` to the secrets of Continue, in the folder that it reads.
fn secret_line(client: &str) -> String {
    let folder = format!("${{{FOLDER_VARIABLE}:-$HOME/.continue}}");
    format!("echo \"{TOKEN_VARIABLE}=$(gatehouse token {client})\" >> \"{folder}/.env\"")
}

/// Starts Continue's command line with the file of `client` and its token.
fn command_line(client: &str) -> String {
    let folder = format!("${{{FOLDER_VARIABLE}:-$HOME/.continue}}");
    format!(
        "{TOKEN_VARIABLE}=\"$(gatehouse token {client})\" cn --config \"{folder}/{MODELS_FILE}\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_continue_is_told_its_file() {
        let steps = ClientTool::Continue.user_steps("editor");
        let codes: Vec<_> = steps.iter().filter_map(|step| step.code.as_deref()).collect();
        assert!(codes.contains(&"gatehouse run editor -- cn"), "{codes:?}");
        assert_eq!(
            codes.last().copied(),
            Some(
                "GATEHOUSE_API_KEY=\"$(gatehouse token editor)\" cn --config \
                 \"${CONTINUE_GLOBAL_DIR:-$HOME/.continue}/models/gatehouse.yaml\""
            )
        );
    }

    #[test]
    fn the_token_of_continue_goes_to_the_folder_that_it_reads() {
        let steps = ClientTool::Continue.user_steps("editor");
        let step = steps.get(1).expect("a step");
        assert!(step.text.contains("replace the line if there is one"), "{}", step.text);
        assert_eq!(
            step.code.as_deref(),
            Some(
                "echo \"GATEHOUSE_API_KEY=$(gatehouse token editor)\" >> \
                 \"${CONTINUE_GLOBAL_DIR:-$HOME/.continue}/.env\""
            )
        );
    }
}
