//! The programs whose agents can be given our MCP server.

use domain::SessionTool;

domain::words! {
    /// A program whose agents can be given the MCP server of Gatehouse.
    AgentProgram {
        ClaudeCode = "claude-code",
        Codex = "codex",
        ClaudeDesktop = "claude-desktop",
        GeminiCli = "gemini-cli",
    }
}

impl AgentProgram {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => SessionTool::ClaudeCode.name(),
            Self::Codex => SessionTool::Codex.name(),
            Self::ClaudeDesktop => "Claude Desktop",
            Self::GeminiCli => SessionTool::GeminiCli.name(),
        }
    }
}
