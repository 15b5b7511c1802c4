//! Coding tools whose session logs can be imported.

crate::words! {
    /// A coding tool that writes session logs on this machine.
    SessionTool {
        ClaudeCode = "claude-code",
        Codex = "codex",
        GeminiCli = "gemini-cli",
        OpenCode = "opencode",
    }
}

impl SessionTool {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => "Claude Code",
            Self::Codex => "Codex CLI",
            Self::GeminiCli => "Gemini CLI",
            Self::OpenCode => "OpenCode",
        }
    }
}
