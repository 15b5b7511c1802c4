//! The client tools that can be wired.

use domain::SessionTool;

domain::words! {
    /// A client tool that can be wired to the gateway.
    ClientTool {
        ClaudeCode = "claude-code",
        Codex = "codex",
        GeminiCli = "gemini-cli",
        OpenCode = "opencode",
        Zed = "zed",
        Aider = "aider",
        Continue = "continue",
    }
}

domain::words! {
    /// How a wired tool gets its local token, best first.
    WiringRung {
        /// The tool runs a command that prints the token.
        Command = "command",
        /// The tool's file names a variable or a file that holds the token.
        Reference = "reference",
        /// The user enters the token once, and the tool keeps it in the system keychain.
        Keychain = "keychain",
        /// The tool is started with the token in its environment.
        Environment = "environment",
        /// The user puts the token into a file that the tool reads.
        Token = "token",
    }
}

impl WiringRung {
    /// True if the user gives the tool its token, which it does not get by itself.
    #[must_use]
    pub const fn is_token_entered(self) -> bool {
        matches!(self, Self::Keychain | Self::Token)
    }
}

domain::words! {
    /// State of a tool's wiring.
    WiringState {
        /// Neither the tool nor its folder was found.
        NotInstalled = "not_installed",
        NotWired = "not_wired",
        /// The tool's requests go to the gateway.
        Wired = "wired",
        /// Its files are as they should be, and the user has not entered the token yet.
        TokenNotEntered = "token_not_entered",
        /// Something else changed the wired keys.
        Drifted = "drifted",
        /// Another layer of the tool's configuration outranks the wired keys.
        Conflict = "conflict",
        /// A file of the tool cannot be read, and is left alone.
        Broken = "broken",
    }
}

domain::words! {
    /// Where a value stands that outranks a wired key.
    ConflictLayer {
        /// A variable of the environment.
        Environment = "environment",
        /// A file of the project in the current folder.
        Project = "project",
        /// Settings that an administrator manages.
        Managed = "managed",
        /// The profile in use, in the same file.
        Profile = "profile",
        /// A file that a variable of the environment names.
        NamedFile = "named_file",
        /// A list or a switch in the same file that keeps our provider out.
        Excluded = "excluded",
    }
}

impl ClientTool {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClaudeCode => SessionTool::ClaudeCode.name(),
            Self::Codex => SessionTool::Codex.name(),
            Self::GeminiCli => SessionTool::GeminiCli.name(),
            Self::OpenCode => SessionTool::OpenCode.name(),
            Self::Zed => "Zed",
            Self::Aider => "Aider",
            Self::Continue => "Continue",
        }
    }

    /// True if its environment does not lead it to the gateway without a change of its files.
    #[must_use]
    pub(crate) const fn needs_wired_files(self) -> bool {
        matches!(self, Self::GeminiCli | Self::Zed | Self::Continue)
    }

    /// True if `gatehouse run` leads it to the gateway while its files are in this state, these layers
    /// outrank them and they have run conflicts or none. Nothing that is run outranks managed settings.
    #[must_use]
    pub fn is_run_through_gateway(
        self,
        state: WiringState,
        mut outranked_by: impl Iterator<Item = ConflictLayer>,
        has_run_conflict: bool,
    ) -> bool {
        use WiringState::{NotInstalled, TokenNotEntered, Wired};
        let is_ready = matches!(state, Wired | TokenNotEntered | NotInstalled);
        !has_run_conflict
            && (is_ready || !self.needs_wired_files())
            && !outranked_by.any(|layer| layer == ConflictLayer::Managed)
    }

    /// True for a program that a person uses in a terminal.
    #[must_use]
    pub const fn is_used_in_terminal(self) -> bool {
        !matches!(self, Self::Zed)
    }

    /// Arguments of `gatehouse` that start it with the token of `client`.
    #[must_use]
    pub fn run_arguments(self, client: &str) -> Vec<&str> {
        match client == self.word() {
            true => vec!["run", self.word()],
            false => vec!["run", client, "--", self.program()],
        }
    }
}
