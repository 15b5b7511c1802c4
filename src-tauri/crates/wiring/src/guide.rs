//! How the tools reach the gateway that wiring does not set up.
//!
//! The files of these have no place for a command that prints the token, so wiring them would put a
//! token into a file. A tool that reads its provider from variables is started by `gatehouse run`;
//! for the others a guide says what to enter, and for one why nothing helps. Sources: each vendor's
//! documentation of custom providers, read in 2026-11.

use crate::environment::ToolEnvironment;
use crate::installation::Installation;

domain::words! {
    /// A client tool with a guide.
    GuidedTool {
        OpenCode = "opencode",
        Aider = "aider",
        Zed = "zed",
        Continue = "continue",
        Cline = "cline",
        Cursor = "cursor",
    }
}

domain::words! {
    /// How a tool with a guide reaches the gateway.
    GuideKind {
        /// `gatehouse run` starts it; none of its files is changed.
        Run = "run",
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
            Self::OpenCode => "OpenCode",
            Self::Aider => "Aider",
            Self::Zed => "Zed",
            Self::Continue => "Continue",
            Self::Cline => "Cline",
            Self::Cursor => "Cursor",
        }
    }

    #[must_use]
    pub const fn kind(self) -> GuideKind {
        match self {
            Self::OpenCode | Self::Aider => GuideKind::Run,
            Self::Zed | Self::Continue | Self::Cline => GuideKind::Manual,
            Self::Cursor => GuideKind::Impossible,
        }
    }

    /// Name of its program in the search path; None for an extension of an editor.
    #[must_use]
    pub const fn program(self) -> Option<&'static str> {
        match self {
            Self::OpenCode => Some("opencode"),
            Self::Aider => Some("aider"),
            Self::Zed => Some("zed"),
            Self::Cursor => Some("cursor"),
            Self::Continue | Self::Cline => None,
        }
    }

    /// A folder that the tool creates, from the home folder.
    const fn folder(self) -> &'static str {
        match self {
            Self::OpenCode => ".config/opencode",
            Self::Aider => ".aider",
            Self::Zed => ".config/zed",
            Self::Continue => ".continue",
            Self::Cline => ".cline",
            Self::Cursor => ".cursor",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::OpenCode => "Started by `gatehouse run`, it gets the gateway as a provider.",
            Self::Aider => "Started by `gatehouse run`, it gets address and token as variables.",
            Self::Zed => "It keeps the token in the system keychain; its settings hold none.",
            Self::Continue => "It reads secrets from `~/.continue/.env`, so the token lies there.",
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

fn steps(tool: GuidedTool, v1: &str, model: &str) -> Vec<GuideStep> {
    let client = tool.word();
    let step = |text: &str, code: String| GuideStep { text: text.to_owned(), code: Some(code) };
    let token = |text: &str| step(text, format!("gatehouse clients add {client}"));
    match tool {
        GuidedTool::OpenCode => vec![
            step("Start it in your project:", "gatehouse run opencode".to_owned()),
            GuideStep {
                text: format!("Choose a model of the provider Gatehouse, such as {model}."),
                code: None,
            },
        ],
        GuidedTool::Aider => {
            let code = format!("gatehouse run aider -- aider --model openai/{model}");
            vec![step("Start it in your project, with a model after `openai/`:", code)]
        }
        GuidedTool::Zed => vec![
            step("Add this to the settings of Zed:", zed_settings(v1, model)),
            token("Create a token; it is printed once:"),
            GuideStep {
                text: "In the settings of the agent panel, paste it as the key of Gatehouse."
                    .to_owned(),
                code: None,
            },
        ],
        GuidedTool::Continue => vec![
            step("Add this to `~/.continue/config.yaml`:", continue_config(v1, model)),
            step("Create a token and put it where Continue reads secrets:", continue_secret()),
        ],
        GuidedTool::Cline => vec![
            step("In its settings, choose OpenAI Compatible with this base URL:", v1.to_owned()),
            token("Create a token, printed once, and paste it as the API key:"),
            step("Enter a model of the gateway as the model ID:", model.to_owned()),
        ],
        GuidedTool::Cursor => Vec::new(),
    }
}

/// <https://zed.dev/docs/ai/llm-providers>, "OpenAI API Compatible".
fn zed_settings(v1: &str, model: &str) -> String {
    let model = serde_json::json!({"name": model, "max_tokens": 200_000});
    let provider = serde_json::json!({"api_url": v1, "available_models": [model]});
    let settings = serde_json::json!({
        "language_models": {"openai_compatible": {"Gatehouse": provider}}
    });
    format!("{settings:#}")
}

/// <https://docs.continue.dev/reference>, "models" and "secrets".
fn continue_config(v1: &str, model: &str) -> String {
    format!(
        "models:\n  - name: Gatehouse\n    provider: openai\n    model: {model}\n    \
         apiBase: {v1}\n    apiKey: ${{{{ secrets.GATEHOUSE_TOKEN }}}}"
    )
}

fn continue_secret() -> String {
    "echo \"GATEHOUSE_TOKEN=$(gatehouse clients add continue)\" >> ~/.continue/.env".to_owned()
}
