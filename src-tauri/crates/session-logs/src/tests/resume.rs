//! Imports that go on where the last one stopped.

use super::*;

fn line(number: usize) -> String {
    format!(
        r#"{{"type":"assistant","sessionId":"s1","timestamp":"2026-11-20T10:00:00Z","message":{{"id":"msg_01AAAAAAAAAAAAAAAAA{number:06}","model":"m","content":"{CANARY}","usage":{{"output_tokens":{}}}}}}}"#,
        number + 1
    ) + "\n"
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.map(line).collect()
}

fn outputs(parts: &[FilePart]) -> Vec<u64> {
    let records = parts.iter().flat_map(|part| &part.records);
    records.map(|record| record.usage.output_visible).collect()
}

/// Reads again with the progress of the last part, as after a kill.
fn go_on(folder: &Path, known: Option<FileProgress>) -> Vec<FilePart> {
    let mut files = planned(SessionTool::ClaudeCode, folder);
    files[0].known = known;
    read_parts(&files, usize::MAX)
}

#[test]
fn a_reading_that_was_cut_off_goes_on_behind_its_last_part() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a.jsonl", lines(0..1_300));
    let first = read_parts(&planned(SessionTool::ClaudeCode, folder.path()), 1);
    let known = first[0].progress.clone().expect("a progress");
    assert_eq!((outputs(&first).len(), known.lines, known.is_complete), (512, 512, false));
    assert!(!known.is_current(&planned(SessionTool::ClaudeCode, folder.path())[0].file));
    let rest = go_on(folder.path(), Some(known));
    let all: Vec<u64> = [outputs(&first), outputs(&rest)].concat();
    assert_eq!(all, (1..=1_300).collect::<Vec<_>>());
    assert_eq!(rest[0].records[0].line, 513);
    assert!(rest.last().is_some_and(|part| part.is_last));
}

#[test]
fn only_what_was_appended_is_read_and_an_unfinished_line_when_it_is_finished() {
    let folder = tempfile::tempdir().expect("a folder");
    let half = &line(2)[..100];
    write(folder.path(), "a.jsonl", lines(0..2) + half);
    let parts = go_on(folder.path(), None);
    assert_eq!(outputs(&parts), [1, 2]);
    assert_eq!(told(&parts[0].problems), ["3 ends in the middle, at the end of the file"]);
    write(folder.path(), "a.jsonl", lines(0..4));
    let parts = go_on(folder.path(), parts[0].progress.clone());
    assert_eq!(outputs(&parts), [3, 4]);
    assert_eq!((parts[0].from_line, parts[0].problems.len()), (3, 0));
    let known = parts[0].progress.clone();
    assert!(outputs(&go_on(folder.path(), known)).is_empty());
}

#[test]
fn a_file_that_was_written_anew_or_cut_is_read_from_its_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a.jsonl", lines(0..3));
    let known = go_on(folder.path(), None)[0].progress.clone();
    write(folder.path(), "a.jsonl", lines(5..9));
    assert_eq!(outputs(&go_on(folder.path(), known.clone())), [6, 7, 8, 9]);
    write(folder.path(), "a.jsonl", lines(0..1));
    assert_eq!(outputs(&go_on(folder.path(), known)), [1]);
}

#[test]
fn what_codex_said_before_is_remembered() {
    let event = |time: &str, kind: &str, payload: &str| {
        format!(r#"{{"timestamp":"2026-11-20T{time}Z","type":"{kind}","payload":{payload}}}"#)
            + "\n"
    };
    let total = |time: &str, input: u64| {
        let info =
            format!(r#"{{"total_token_usage":{{"input_tokens":{input},"output_tokens":1}}}}"#);
        event(time, "event_msg", &format!(r#"{{"type":"token_count","info":{info}}}"#))
    };
    let head = event("10:00:00", "session_meta", r#"{"id":"a","cwd":"/home/dev/api"}"#)
        + &event("10:00:01", "turn_context", r#"{"model":"gpt-5.4"}"#)
        + &total("10:00:02", 100);
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a.jsonl", &head);
    let known = read_parts(&planned(SessionTool::Codex, folder.path()), usize::MAX);
    write(folder.path(), "a.jsonl", head + &total("10:00:09", 130));
    let mut files = planned(SessionTool::Codex, folder.path());
    files[0].known = known[0].progress.clone();
    let records = read_parts(&files, usize::MAX).remove(0).records;
    assert_eq!(records.len(), 1);
    assert_eq!(tokens(&records[0].usage), [30, 0, 0, 0, 0, 0]);
    assert_eq!(records[0].model.as_deref(), Some("gpt-5.4"));
    assert_eq!(records[0].session.as_deref(), Some("a"));
}

#[test]
fn many_files_are_read_by_several_threads_once_each() {
    let folder = tempfile::tempdir().expect("a folder");
    for number in 0..300 {
        write(folder.path(), &format!("p{}/{number}.jsonl", number % 7), line(number));
    }
    let files = planned(SessionTool::ClaudeCode, folder.path());
    let (parts, stop) = (Mutex::new(Vec::new()), AtomicBool::new(false));
    let options = ReadOptions { workers: 8, now: NOW, stop: &stop };
    read_files(&files, &options, &|part| {
        parts.lock().push(part);
        ControlFlow::Continue(())
    });
    let mut read = outputs(&parts.into_inner());
    read.sort_unstable();
    assert_eq!(read, (1..=300).collect::<Vec<_>>());
}

proptest::proptest! {
    /// The record that is left does not depend on the order of the files.
    #[test]
    fn replacing_is_an_order(values in proptest::collection::vec((0u64..3, 0u64..3, 0i64..3), 3)) {
        let record = |(output_visible, input_uncached, ms): (u64, u64, i64)| UsageRecord {
            time: WallTime::from_unix_ms(ms),
            usage: TokenUsage { output_visible, input_uncached, ..TokenUsage::default() },
            ..read_text(SessionTool::ClaudeCode, line(1)).0.remove(0)
        };
        let [a, b, c] = [0, 1, 2].map(|index| record(values[index]));
        proptest::prop_assert!(!(a.replaces(&b) && b.replaces(&a)));
        proptest::prop_assert!(a == b || a.replaces(&b) || b.replaces(&a));
        if a.replaces(&b) && b.replaces(&c) {
            proptest::prop_assert!(a.replaces(&c));
        }
    }
}
