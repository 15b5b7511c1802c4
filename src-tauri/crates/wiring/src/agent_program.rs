//! The programs whose agents can be given our MCP server.

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
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex CLI",
            Self::ClaudeDesktop => "Claude Desktop",
            Self::GeminiCli => "Gemini CLI",
        }
    }
}
