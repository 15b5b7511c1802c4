//! OpenCode.

use rusqlite::Connection;

use super::*;

fn message(session: &str, created: i64, provider: &str, tokens: &str) -> String {
    format!(
        r#"{{"role":"assistant","sessionID":"{session}","time":{{"created":{created},"completed":{}}},"modelID":"m","providerID":"{provider}","path":{{"cwd":"/home/dev/app","root":"/"}},"cost":0.0021,"tokens":{tokens},"finish":"stop"}}"#,
        created + 900
    )
}

const TOKENS: &str =
    r#"{"total":21373,"input":241,"output":50,"reasoning":20,"cache":{"read":20509,"write":573}}"#;

/// 2026-11-20
const DAY_MS: i64 = 1_795_132_800_000;

fn database(folder: &Path) -> Connection {
    let connection = Connection::open(folder.join("opencode.db")).expect("a database");
    let sql = "CREATE TABLE session (id text PRIMARY KEY, directory text NOT NULL);
        CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL,
            time_created integer NOT NULL, time_updated integer NOT NULL, data text NOT NULL);
        CREATE TABLE session_message (id text PRIMARY KEY, session_id text NOT NULL,
            type text NOT NULL, seq integer NOT NULL, time_created integer NOT NULL,
            time_updated integer NOT NULL, data text NOT NULL);
        INSERT INTO session VALUES ('s1', '/home/dev/app'), ('s2', '/home/dev/two');";
    connection.execute_batch(sql).expect("tables");
    connection
}

fn insert(connection: &Connection, id: &str, session: &str, updated: i64, data: &str) {
    let sql = "INSERT OR REPLACE INTO message VALUES (?1, ?2, ?3, ?3, ?4)";
    connection.execute(sql, (id, session, updated, data)).expect("a row");
}

#[test]
fn a_fork_and_a_document_of_the_same_answer_are_counted_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = message("s1", DAY_MS, "anthropic", TOKENS);
    let rows = database(folder.path());
    insert(&rows, "msg_1", "s1", DAY_MS, &data);
    insert(&rows, "msg_9", "s2", DAY_MS + 5, &data.replace("\"s1\"", "\"s2\""));
    let user = format!(r#"{{"role":"user","summary":"{CANARY}"}}"#);
    insert(&rows, "msg_2", "s1", DAY_MS, &user);
    write(folder.path(), "storage/message/s1/msg_1.json", &data);
    write(folder.path(), "storage/part/msg_1/prt_1.json", CANARY);
    write(folder.path(), "repos/x/storage/message/msg_1.json", "not looked into");
    let (records, problems) = read_folder(SessionTool::OpenCode, folder.path());
    assert_eq!(problems, []);
    assert_eq!(records.len(), 2);
    let records = merged(records);
    assert_eq!(records.len(), 1);
    assert_eq!(tokens(&records[0].usage), [241, 20_509, 573, 0, 30, 20]);
    assert_eq!(records[0].session.as_deref(), Some("s1"));
    assert_eq!(records[0].provider.as_deref(), Some("anthropic"));
    assert_eq!(records[0].model.as_deref(), Some("m"));
    assert_eq!(records[0].project.as_deref(), Some("/home/dev/app"));
    assert_eq!(records[0].stated_cost, Some(NanoUsd::new(2_100_000)));
}

#[test]
fn the_total_tells_whether_reasoning_is_part_of_the_output() {
    let read = |provider: &str, tokens: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let data = message("s1", DAY_MS, provider, tokens);
        write(folder.path(), "storage/message/s1/msg_1.json", data);
        let record = read_folder(SessionTool::OpenCode, folder.path()).0.remove(0);
        (record.usage.output_visible, record.usage.reasoning)
    };
    let counts = r#""input":5,"output":50,"reasoning":20,"cache":{"read":0,"write":0}"#;
    assert_eq!(read("openai", &format!(r#"{{"total":55,{counts}}}"#)), (30, 20));
    assert_eq!(read("openai", &format!(r#"{{"total":75,{counts}}}"#)), (50, 20));
    assert_eq!(read("google", &format!(r#"{{{counts}}}"#)), (50, 20));
    assert_eq!(read("anthropic", &format!(r#"{{{counts}}}"#)), (30, 20));
}

#[test]
fn newer_messages_name_the_model_by_a_reference_and_the_folder_by_the_session() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = database(folder.path());
    let data = r#"{"type":"assistant","model":{"id":"gpt-5.4","providerID":"openai"},"time":{"created":1795132800000,"completed":1795132801000},"tokens":{"input":7,"output":2,"reasoning":0,"cache":{"read":0,"write":0}}}"#;
    let sql = "INSERT INTO session_message VALUES ('m1', 's2', 'assistant', 1, 1, 2, ?1)";
    rows.execute(sql, [data]).expect("a row");
    let (records, problems) = read_folder(SessionTool::OpenCode, folder.path());
    assert_eq!(problems, []);
    assert_eq!(records[0].model.as_deref(), Some("gpt-5.4"));
    assert_eq!(records[0].session.as_deref(), Some("s2"));
    assert_eq!(records[0].project.as_deref(), Some("/home/dev/two"));
}

#[test]
fn only_changed_rows_are_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let rows = database(folder.path());
    rows.pragma_update(None, "journal_mode", "WAL").expect("a log of changes");
    for number in 0..600 {
        let data = message("s1", DAY_MS + number * 1_000, "openai", TOKENS);
        insert(&rows, &format!("msg_{number}"), "s1", DAY_MS + number, &data);
    }
    let files = planned(SessionTool::OpenCode, folder.path());
    let parts = read_parts(&files, usize::MAX);
    let sizes: Vec<_> = parts.iter().map(|part| part.records.len()).collect();
    assert_eq!(sizes, [512, 88]);
    let known = parts[1].progress.clone().expect("a progress");
    assert!(known.is_current(&planned(SessionTool::OpenCode, folder.path())[0].file));

    insert(&rows, "msg_new", "s1", DAY_MS + 9_999, &message("s1", DAY_MS + 77, "openai", TOKENS));
    let file = planned(SessionTool::OpenCode, folder.path()).remove(0).file;
    assert!(!known.is_current(&file));
    let again = read_parts(&[PlannedFile { file, known: Some(known) }], usize::MAX);
    let ids: Vec<_> =
        again[0].records.iter().filter_map(|record| record.message_id.as_deref()).collect();
    assert_eq!(ids, ["msg_599", "msg_new"]);
}

#[test]
fn a_file_that_is_no_database_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "opencode.db", CANARY.repeat(400));
    let rows = read_folder(SessionTool::OpenCode, folder.path());
    assert_eq!(told(&rows.1), ["0 is a database that could not be read: NotADatabase"]);
}

#[test]
fn a_count_under_an_unknown_name_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, tokens) in [
        ("1", TOKENS.to_owned()),
        ("2", TOKENS.replace("\"write\"", "\"write_1h\":9,\"write\"")),
        ("3", TOKENS.replace("\"input\"", "\"audio\":9,\"input\"")),
    ] {
        let created = DAY_MS + name.parse::<i64>().expect("a number");
        let data = message("s1", created, "anthropic", &tokens);
        write(folder.path(), &format!("storage/message/s1/msg_{name}.json"), &data);
    }
    let (mut records, _) = read_folder(SessionTool::OpenCode, folder.path());
    records.sort_by_key(|record| record.time);
    let unread: Vec<_> = records.iter().map(|record| record.unread.as_deref()).collect();
    assert_eq!(unread, [None, Some("tokens.cache.write_1h"), Some("tokens.audio")]);
}
