//! Faults in logs: each is told with its line and field, and costs nothing but itself.

use std::io::Read;

use super::*;
use crate::lines::LINE_BYTES_MAX;

fn line(id: u32, usage: &str, time: &str) -> String {
    format!(
        r#"{{"type":"assistant","sessionId":"s1","cwd":"/a","timestamp":"{time}","requestId":"r","message":{{"id":"msg_01AAAAAAAAAAAAAAAAAAA{id}","model":"m","content":"{CANARY}","usage":{usage}}}}}"#
    ) + "\n"
}

const TIME: &str = "2026-11-20T10:00:00Z";

fn good(id: u32) -> String {
    line(id, r#"{"input_tokens":10,"output_tokens":5}"#, TIME)
}

fn check(text: impl AsRef<[u8]>, outputs: &[u64], problems: &[&str]) -> Vec<UsageRecord> {
    let (records, found) = read_text(SessionTool::ClaudeCode, text);
    assert_eq!(told(&found), problems);
    let read: Vec<_> = records.iter().map(|record| record.usage.output()).collect();
    assert_eq!(read, outputs);
    records
}

#[test]
fn wrong_numbers_are_named_and_the_others_count() {
    let usage = r#"{"input_tokens":-7,"cache_read_input_tokens":"12","output_tokens":5,"cache_creation":[1]}"#;
    let huge = r#"{"input_tokens":1000000000000000000,"output_tokens":6}"#;
    let text = [good(1), line(2, usage, TIME), line(3, huge, TIME), good(4)].concat();
    let records = check(
        text,
        &[5, 5, 6, 5],
        &[
            "2 message.usage.input_tokens is negative (-7)",
            "2 message.usage.cache_read_input_tokens is not a number",
            "2 message.usage.cache_creation is not a JSON object",
            "3 message.usage.input_tokens is implausible (1000000000000000000); at most 100000000 are \
         believed",
        ],
    );
    assert_eq!((records[1].usage.input(), records[2].usage.input()), (0, 0));
    let unread: Vec<_> = records.iter().map(|record| record.unread.is_some()).collect();
    assert_eq!(unread, [false, true, true, false], "what was not counted has no price");
}

#[test]
fn impossible_times_are_named_and_replaced_by_the_last_good_one() {
    let usage = r#"{"output_tokens":5}"#;
    let text = [
        good(1),
        line(2, usage, "2031-01-01T00:00:00Z"),
        line(3, usage, "1969-12-31T00:00:00Z"),
        line(4, usage, "yesterday"),
    ];
    let records = check(
        text.concat(),
        &[5, 5, 5, 5],
        &[
            "2 timestamp is in the future (2031-01-01T00:00:00.000Z)",
            "3 timestamp is before 2020 (1969-12-31T00:00:00.000Z)",
            "4 timestamp is not a time",
        ],
    );
    assert!(records.iter().all(|record| record.time == records[0].time));
}

#[test]
fn lines_that_are_not_json_are_skipped() {
    let half = &good(2)[..200];
    let text = format!("{}{half}\n{{\"usage\" nonsense\n[\"usage\"]\n{}", good(1), good(5));
    check(
        text,
        &[5, 5],
        &[
            "2 ends in the middle of a JSON value",
            "3 is not JSON at byte 10",
            "4 is not a JSON object",
        ],
    );
}

#[test]
fn a_line_with_damaged_text_still_counts() {
    let mut bytes = good(2).into_bytes();
    let place = bytes.windows(CANARY.len()).position(|part| part == CANARY.as_bytes());
    bytes[place.expect("the text") + 3] = 0xFF;
    let text = [good(1).into_bytes(), bytes, good(3).into_bytes()].concat();
    check(text, &[5, 5, 5], &["2 is not UTF-8 at byte 171"]);
}

#[test]
fn a_mark_of_utf_8_is_skipped_and_utf_16_is_named() {
    check(format!("\u{feff}{}", good(1)), &[5], &[]);
    let wide: Vec<u8> =
        format!("\u{feff}{}", good(1)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(
        wide,
        &[],
        &["1 is UTF-16; session logs are UTF-8", "2 ends in the middle, at the end of the file"],
    );
}

#[test]
fn a_line_of_a_hundred_megabytes_is_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut file = std::fs::File::create(folder.path().join("a.jsonl")).expect("a file");
    file.write_all(good(1).as_bytes()).expect("written");
    let mut long = std::io::repeat(b'x').take(100_000_000);
    std::io::copy(&mut long, &mut file).expect("written");
    file.write_all(format!("\n{}", good(3)).as_bytes()).expect("written");
    let (records, problems) = read_folder(SessionTool::ClaudeCode, folder.path());
    assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 3]);
    let what = format!("2 is longer than {LINE_BYTES_MAX} bytes (100000000)");
    assert_eq!(told(&problems), [what]);
}

#[test]
fn many_problems_are_counted_and_the_first_are_listed() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a.jsonl", "{\"usage\"\n".repeat(1_000) + &good(1));
    let parts = read_parts(&planned(SessionTool::ClaudeCode, folder.path()), usize::MAX);
    assert_eq!(parts.len(), 1);
    assert_eq!((parts[0].problems.len(), parts[0].problems_total), (100, 1_000));
    assert_eq!(parts[0].records.len(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_is_reported_and_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "a.jsonl", good(1));
    write(folder.path(), "b.jsonl", good(2));
    let files = planned(SessionTool::ClaudeCode, folder.path());
    std::fs::remove_file(folder.path().join("a.jsonl")).expect("removed");
    let parts = read_parts(&files, usize::MAX);
    assert_eq!(told(&parts[0].problems), ["0 could not be read: entity not found"]);
    assert_eq!((parts[0].progress.as_ref(), parts[1].records.len()), (None, 1));
}

#[test]
fn a_part_larger_than_its_whole_has_no_price() {
    let claude = r#"{"type":"assistant","timestamp":"2026-11-20T10:00:00Z","message":{"id":"m","model":"x",
        "usage":{"input_tokens":4,"output_tokens":1,"output_tokens_details":{"thinking_tokens":2}}}}"#;
    let codex = r#"{"timestamp":"2026-11-20T10:00:00Z","type":"event_msg","payload":{"type":"token_count",
        "info":{"last_token_usage":{"input_tokens":4,"cached_input_tokens":5,"output_tokens":1}}}}"#;
    let gemini = r#"{"id":"m","timestamp":"2026-11-20T10:00:00Z","model":"x",
        "tokens":{"input":4,"cached":5,"output":1}}"#;
    for (tool, text) in [
        (SessionTool::ClaudeCode, claude),
        (SessionTool::Codex, codex),
        (SessionTool::GeminiCli, gemini),
    ] {
        let (records, problems) = read_text(tool, text.replace('\n', ""));
        assert_eq!((records.len(), problems.len()), (1, 0), "{tool}");
        let unread = records[0].unread.as_deref();
        assert_eq!(unread, Some("a part larger than its whole"), "{tool}");
    }
}
