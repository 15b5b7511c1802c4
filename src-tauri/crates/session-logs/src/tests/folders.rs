//! Which files are logs.

use super::*;

#[cfg(unix)]
#[test]
fn links_are_not_followed_out_of_the_tools_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let elsewhere = tempfile::tempdir().expect("another folder");
    write(elsewhere.path(), "private.jsonl", "{}");
    write(folder.path(), "projects/p/a.jsonl", "{}");
    write(folder.path(), "projects/p/notes.txt", "{}");
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, folder.path().join(name)).expect("a link");
    };
    link(elsewhere.path(), "projects/out");
    link(&elsewhere.path().join("private.jsonl"), "projects/p/b.jsonl");
    link(Path::new("/nowhere"), "projects/p/latest");
    link(&folder.path().join("projects"), "linked");
    let root = |name| LogRoot { tool: SessionTool::ClaudeCode, path: folder.path().join(name) };
    let scan = find_files(&[root("projects"), root("linked"), root("missing")]);
    let names: Vec<_> = scan.files.iter().filter_map(|file| file.path.file_name()).collect();
    assert_eq!(names, ["a.jsonl"]);
    let skipped: Vec<_> = scan
        .skipped
        .iter()
        .map(|(path, what)| format!("{} {what}", path.file_name().unwrap_or_default().display()))
        .collect();
    let is_link = |name| format!("{name} is a link, which is not followed");
    assert_eq!(skipped[..2], [is_link("out"), is_link("b.jsonl")]);
}

#[test]
fn the_file_name_decides_how_a_file_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let found = |tool, name: &str| {
        let root = folder.path().join(tool_name(tool));
        write(&root, name, "{}");
        let files = find_files(&[LogRoot { tool, path: root.clone() }]).files;
        std::fs::remove_dir_all(root).expect("removed");
        files.first().map(|file: &LogFile| file.format)
    };
    fn tool_name(tool: SessionTool) -> &'static str {
        tool.word()
    }
    let (codex, gemini) = (SessionTool::Codex, SessionTool::GeminiCli);
    assert_eq!(found(codex, "2026/11/20/rollout-a.jsonl"), Some(LogFormat::Lines));
    assert_eq!(found(codex, "rollout-a.jsonl.zst"), Some(LogFormat::CompressedLines));
    assert_eq!(found(gemini, "p/chats/session-1.jsonl"), Some(LogFormat::Lines));
    assert_eq!(found(gemini, "p/chats/s1/sub.jsonl"), Some(LogFormat::Lines));
    assert_eq!(found(gemini, "p/chats/session-1.json"), Some(LogFormat::Document));
    assert_eq!(found(gemini, "p/chats/session-1.json.tmp-77"), None);
    assert_eq!(found(gemini, "p/logs.json"), None);
    assert_eq!(found(SessionTool::OpenCode, "opencode-local.db"), Some(LogFormat::Database));
    assert_eq!(found(SessionTool::OpenCode, "storage/session/p/ses_1.json"), None);
}
