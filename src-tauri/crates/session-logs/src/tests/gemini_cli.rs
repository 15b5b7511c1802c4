//! Gemini CLI.

use super::*;

fn message(id: &str, tokens: &str) -> String {
    format!(
        r#"{{"id":"{id}","timestamp":"2026-11-20T10:00:00.000Z","type":"gemini","content":"{CANARY}","thoughts":[],"tokens":{tokens},"model":"gemini-3-pro-preview"}}"#
    )
}

const TOKENS: &str =
    r#"{"input":7000,"output":100,"cached":5000,"thoughts":30,"tool":11,"total":7141}"#;

const HEAD: &str = r#"{"sessionId":"s1","projectHash":"5eb9","startTime":"2026-11-20T09:59:00.000Z","kind":"main"}"#;

#[test]
fn a_message_that_is_written_again_is_counted_once() {
    let all = format!(r#"{{"$set":{{"messages":[{}]}}}}"#, message("m1", TOKENS));
    let lines = [
        HEAD.to_owned(),
        r#"{"id":"u1","timestamp":"2026-11-20T10:00:00.000Z","type":"user","content":"hi"}"#.into(),
        message("m1", "null"),
        message("m1", TOKENS),
        r#"{"$set":{"lastUpdated":"2026-11-20T10:00:00.000Z"}}"#.to_owned(),
        all,
        r#"{"$rewindTo":"m1"}"#.to_owned(),
        message("m2", r#"{"input":10,"output":2,"cached":0}"#),
    ];
    let (records, problems) = read_text(SessionTool::GeminiCli, lines.join("\n"));
    assert_eq!(problems, []);
    let usages: Vec<_> = records.iter().map(|record| tokens(&record.usage)).collect();
    assert_eq!(usages, [[2_011, 5_000, 0, 0, 100, 30], [10, 0, 0, 0, 2, 0]]);
    assert_eq!(records[0].session.as_deref(), Some("s1"));
    assert_eq!(records[0].message_id.as_deref(), Some("m1"));
    assert_eq!(records[0].model.as_deref(), Some("gemini-3-pro-preview"));
    assert_eq!(records[0].project.as_deref(), Some("shop"));
    assert_eq!((records[0].line, records[1].line), (4, 8));
}

#[test]
fn an_old_document_is_read_with_the_lines_of_its_messages() {
    let folder = tempfile::tempdir().expect("a folder");
    let (good, bad) = (message("m1", TOKENS), message("m2", r#"{"input":-3,"output":2}"#));
    let document = format!(
        "{{\n  \"sessionId\": \"s1\",\n  \"messages\": [\n    {good},\n    {bad}\n  ]\n}}\n"
    );
    write(folder.path(), "5eb9/chats/session-1.json", document);
    write(folder.path(), "5eb9/.project_root", "/home/dev/shop\n");
    write(folder.path(), "5eb9/logs.json", "[]");
    let (records, problems) = read_folder(SessionTool::GeminiCli, folder.path());
    let lines: Vec<_> = records.iter().map(|record| record.line).collect();
    assert_eq!(lines, [4, 5]);
    assert_eq!(records[0].project.as_deref(), Some("/home/dev/shop"));
    assert_eq!(tokens(&records[1].usage), [0, 0, 0, 0, 2, 0]);
    assert_eq!(told(&problems), ["5 tokens.input is negative (-3)"]);
}

#[test]
fn a_broken_document_is_reported_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("{{\n\"sessionId\": \"s1\",\n\"messages\": [{{\"content\": \"{CANARY}");
    write(folder.path(), "5eb9/chats/session-1.json", text);
    let (records, problems) = read_folder(SessionTool::GeminiCli, folder.path());
    assert_eq!(records, []);
    assert_eq!(told(&problems), ["3 ends in the middle of a JSON value"]);
}

#[test]
fn a_count_under_an_unknown_name_is_named() {
    let tokens = TOKENS.replace("\"tool\"", "\"audio\":3,\"tool\"");
    let text = [message("m1", TOKENS), message("m2", &tokens)].join("\n");
    let (records, _) = read_text(SessionTool::GeminiCli, text);
    let unread: Vec<_> = records.iter().map(|record| record.unread.as_deref()).collect();
    assert_eq!(unread, [None, Some("tokens.audio")]);
}
