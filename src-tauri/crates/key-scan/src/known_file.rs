//! The files in which people and tools keep keys, from the tools' documentation.
//!
//! Files with the login of an account (`~/.claude/.credentials.json`, `gh`'s `hosts.yml`) are left
//! out: their tokens belong to the tool that renews them.

/// A file that is looked into on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KnownFile {
    /// From the home folder.
    pub(crate) path: &'static str,
    /// The program that reads it.
    pub(crate) reader: &'static str,
}

const fn file(path: &'static str, reader: &'static str) -> KnownFile {
    KnownFile { path, reader }
}

pub(crate) const KNOWN_FILES: &[KnownFile] = &[
    file(".bashrc", "Bash"),
    file(".bash_profile", "Bash"),
    file(".profile", "the login shell"),
    file(".zshenv", "Zsh"),
    file(".zprofile", "Zsh"),
    file(".zshrc", "Zsh"),
    file(".config/fish/config.fish", "Fish"),
    file(".env", "tools that load .env"),
    file(".aider.conf.yml", "Aider"),
    file(".claude/settings.json", "Claude Code"),
    file(".claude/settings.local.json", "Claude Code"),
    file(".claude/config.json", "Claude Code"),
    file(".claude.json", "Claude Code"),
    file(".cline/data/secrets.json", "Cline"),
    file(".codex/auth.json", "Codex CLI"),
    file(".codex/config.toml", "Codex CLI"),
    file(".codex/.env", "Codex CLI"),
    file(".config/crush/crush.json", "Crush"),
    file(".config/goose/config.yaml", "Goose"),
    file(".config/io.datasette.llm/keys.json", "LLM"),
    file(".config/opencode/opencode.json", "OpenCode"),
    file(".config/opencode/opencode.jsonc", "OpenCode"),
    file(".local/share/opencode/auth.json", "OpenCode"),
    file(".config/zed/settings.json", "Zed"),
    file(".continue/.env", "Continue"),
    file(".continue/config.json", "Continue"),
    file(".continue/config.yaml", "Continue"),
    file(".gemini/.env", "Gemini CLI"),
    file(".gemini/settings.json", "Gemini CLI"),
    file(".qwen/.env", "Qwen Code"),
    file(".qwen/settings.json", "Qwen Code"),
];
