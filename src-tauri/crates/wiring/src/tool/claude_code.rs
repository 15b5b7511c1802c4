//! Claude Code: `settings.json` in its folder.
//!
//! The helper ranks below the variables that hold a key, and a variable that selects a cloud
//! provider makes the base URL void. Both are therefore removed from the file's `env`. The values of
//! `env` win over the shell's, so only variables that the file does not set can conflict.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    ClientToolDefinition, LayerFile, ToolFile, ToolPointer, WiringTarget, is_gatehouse, text_at,
};
use crate::client_tool::{ConflictLayer, WiringRung};
use crate::conflict::{Conflict, read_document};
use crate::document::Format;
use crate::environment::ToolEnvironment;
use crate::key::{KeyPath, ValueEdit};

/// Variables that win over `apiKeyHelper` or over the base URL.
const OUTRANKING: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
];

pub(super) const DEFINITION: ClientToolDefinition<WiringTarget> = ClientToolDefinition {
    rung: WiringRung::Command,
    restart: false,
    program: "claude",
    folder: |environment| environment.folder("CLAUDE_CONFIG_DIR", ".claude"),
    files: tool_files,
    layers: layer_files,
    variables: OUTRANKING,
    config_variable: None,
    pointer: read_pointer,
    own_conflict: |_| None,
    other_conflicts: |_, _| Vec::new(),
};

fn tool_files(environment: &ToolEnvironment) -> Vec<ToolFile<WiringTarget>> {
    let path = (DEFINITION.folder)(environment).join("settings.json");
    vec![ToolFile { path, format: Format::Json, edits: key_edits }]
}

fn key_edits(target: &WiringTarget) -> Vec<ValueEdit> {
    let program = target.program.to_string_lossy();
    let arguments = target.token_arguments();
    let words = arguments.iter().map(String::as_str);
    let helper = std::iter::once(program.as_ref()).chain(words);
    let set = |path: &[&str], value: String| ValueEdit::set(path, Value::String(value));
    let removed = OUTRANKING.iter().map(|name| ValueEdit::remove(&["env", name]));
    let mut edits = vec![
        set(&["apiKeyHelper"], shell_command(helper)),
        set(&["env", "ANTHROPIC_BASE_URL"], target.address.clone()),
    ];
    edits.extend(removed);
    edits
}

/// A helper that is no Gatehouse says nothing of one.
fn read_pointer(config: &Value) -> ToolPointer {
    let helper = config.get("apiKeyHelper").and_then(Value::as_str).unwrap_or_default();
    let command = split_command(helper);
    if !command.first().is_some_and(|program| is_gatehouse(program)) {
        return ToolPointer::default();
    }
    ToolPointer { base_url: text_at(config, &["env", "ANTHROPIC_BASE_URL"]), command }
}

/// The words of a command that [`shell_command`] has quoted.
pub(super) fn split_command(command: &str) -> Vec<String> {
    if !cfg!(windows) {
        return shlex::split(command).unwrap_or_default();
    }
    let parts = command.split('"').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    words.map(str::to_owned).collect()
}

/// Quotes the words for the shell that Claude Code runs the helper with.
fn shell_command<'a>(words: impl Iterator<Item = &'a str>) -> String {
    if cfg!(windows) {
        let quoted = words.map(|word| match word.contains(' ') {
            true => format!("\"{word}\""),
            false => word.to_owned(),
        });
        return quoted.collect::<Vec<_>>().join(" ");
    }
    // Only a NUL byte cannot be quoted, and no path has one.
    shlex::try_join(words).unwrap_or_default()
}

/// Most files in the folder of managed settings that are looked at.
const MANAGED_FILES_MAX: usize = 100;

/// Managed settings win over all others, then those of a project: of the folder in which it is started,
/// and of none above it.
fn layer_files(environment: &ToolEnvironment) -> Vec<LayerFile> {
    let managed = match () {
        () if cfg!(target_os = "macos") => "Library/Application Support/ClaudeCode",
        () if cfg!(windows) => "Program Files/ClaudeCode",
        () => "etc/claude-code",
    };
    let file = |layer, path| LayerFile { layer, path, format: Format::Json };
    let managed = environment.system_root.join(managed);
    let mut layers = vec![file(ConflictLayer::Managed, managed.join("managed-settings.json"))];
    let more = json_files(&managed.join("managed-settings.d")).into_iter();
    layers.extend(more.map(|path| file(ConflictLayer::Managed, path)));
    if let Some(project) = &environment.project {
        for name in ["settings.local.json", "settings.json"] {
            layers.push(file(ConflictLayer::Project, project.join(".claude").join(name)));
        }
    }
    layers
}

/// In the order of their names, as they are merged. None if the folder cannot be read.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = folder.read_dir().into_iter().flatten().flatten().map(|entry| entry.path());
    let is_json = |path: &PathBuf| path.extension().is_some_and(|end| end == "json");
    let mut files: Vec<_> = entries.filter(is_json).collect();
    files.sort();
    files.truncate(MANAGED_FILES_MAX);
    files
}

/// What `gatehouse run` cannot outrank: the `env` of every settings file wins over the environment that
/// holds the token. A key there would be sent to the gateway instead, and a cloud asked past it.
pub(super) fn run_conflicts(environment: &ToolEnvironment) -> Vec<Conflict> {
    let own = tool_files(environment).into_iter().map(|ToolFile { path, format, .. }| LayerFile {
        layer: ConflictLayer::Excluded,
        path,
        format,
    });
    let mut found = Vec::new();
    for LayerFile { layer, path, format } in own.chain(layer_files(environment)) {
        let Some(document) = read_document(format, &path) else { continue };
        let is_set = |name: &&str| document.get(&KeyPath::new(&["env", name])).is_some_and(is_on);
        found.extend(
            OUTRANKING.iter().copied().find(is_set).map(|name| {
                Conflict::new(layer, path.display().to_string(), &format!("env.{name}"))
            }),
        );
    }
    found
}

fn is_on(value: Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !matches!(text.trim(), "" | "0" | "false"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::{MANAGED_FILES_MAX, json_files, read_pointer, shell_command};

    #[test]
    fn of_too_many_managed_files_the_first_by_name_are_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |number: usize| folder.path().join(format!("{number:04}.json"));
        let all = MANAGED_FILES_MAX * 2;
        for number in (0..all).rev() {
            std::fs::File::create(path(number)).expect("a file");
        }
        assert_eq!(json_files(folder.path()), (0..MANAGED_FILES_MAX).map(path).collect::<Vec<_>>());
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_is_read_as_it_was_written() {
        for program in ["/usr/bin/gatehouse", "/opt/My Apps/gatehouse", "/opt/g'h/gatehouse"] {
            let helper = shell_command([program, "--home", "/a b", "token", "x"].into_iter());
            let config = json!({"apiKeyHelper": helper, "env": {"ANTHROPIC_BASE_URL": "http://a"}});
            let pointer = read_pointer(&config);
            assert_eq!(pointer.program(), Some(Path::new(program)));
            assert_eq!(pointer.home(), Some(Path::new("/a b")));
            assert_eq!(pointer.base_url.as_deref(), Some("http://a"));
        }
        let other =
            json!({"apiKeyHelper": "~/bin/other", "env": {"ANTHROPIC_BASE_URL": "http://a"}});
        assert!(read_pointer(&other).is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_helper_with_spaces_and_quotes_is_quoted_for_the_shell() {
        let command = |program| shell_command([program, "token", "claude-code"].into_iter());
        assert_eq!(command("/usr/bin/gatehouse"), "/usr/bin/gatehouse token claude-code");
        assert_eq!(command("/opt/My Apps/g'h"), "\"/opt/My Apps/g'h\" token claude-code");
        assert!(command("/opt/$(x)/g").starts_with('\''), "{}", command("/opt/$(x)/g"));
    }
}
