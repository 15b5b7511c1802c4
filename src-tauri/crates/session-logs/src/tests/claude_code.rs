//! Claude Code.

use domain::PriceTier;

use super::*;

fn line(id: &str, request: &str, usage: &str) -> String {
    format!(
        r#"{{"parentUuid":"p","isSidechain":false,"userType":"external","cwd":"/home/dev/shop","sessionId":"s1","version":"2.1.29","type":"assistant","message":{{"id":"{id}","type":"message","role":"assistant","model":"claude-opus-4-5-20251101","content":[{{"type":"text","text":"{CANARY} \"usage\":{{\"output_tokens\":999}}"}}],"stop_reason":null,"usage":{usage}}},"requestId":"{request}","uuid":"u","timestamp":"2026-11-20T10:00:00.123Z"}}"#
    ) + "\n"
}

fn usage(output: u64) -> String {
    format!(
        r#"{{"input_tokens":4,"cache_creation_input_tokens":900,"cache_read_input_tokens":16000,"cache_creation":{{"ephemeral_5m_input_tokens":600,"ephemeral_1h_input_tokens":300}},"output_tokens":{output},"service_tier":"standard"}}"#
    )
}

const ID: &str = "msg_01ABCDEFGHIJKLMNOPQRSTUV";

fn read(text: &str) -> Vec<UsageRecord> {
    let (records, problems) = read_text(SessionTool::ClaudeCode, text);
    assert_eq!(problems, []);
    records
}

/// ccusage#994, #901, #938: a line for each block, the first ones with a placeholder.
#[test]
fn blocks_of_one_answer_are_counted_once_with_the_last_output() {
    let text = [1, 1, 260].map(|output| line(ID, "req_1", &usage(output))).concat();
    let records = read(&text);
    assert_eq!(records.len(), 1);
    let record = &records[0];
    assert_eq!(tokens(&record.usage), [4, 16_000, 600, 300, 260, 0]);
    assert_eq!(record.line, 3);
    assert_eq!(record.session.as_deref(), Some("s1"));
    assert_eq!(record.message_id.as_deref(), Some(ID));
    assert_eq!(record.request_id.as_deref(), Some("req_1"));
    assert_eq!(record.model.as_deref(), Some("claude-opus-4-5-20251101"));
    assert_eq!(record.project.as_deref(), Some("/home/dev/shop"));
    assert_eq!(record.time.to_rfc3339(), "2026-11-20T10:00:00.123Z");
}

/// ccusage#913: a side conversation repeats answers under other request ids.
#[test]
fn a_copy_in_another_file_or_under_another_request_is_the_same_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "-home-dev-shop/s1.jsonl", line(ID, "req_1", &usage(50)));
    let copy = line(ID, "req_2", &usage(50)).replace("10:00:00", "10:00:09");
    write(folder.path(), "-home-dev-shop/s1/subagents/agent-a.jsonl", copy);
    let (records, _) = read_folder(SessionTool::ClaudeCode, folder.path());
    assert_eq!(records.len(), 2);
    let records = merged(records);
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].request_id.as_deref(), Some("req_1"));
}

#[test]
fn ids_that_a_server_numbers_are_told_apart_by_request_and_session() {
    let other = |text: &str| text.replace("\"s1\"", "\"s2\"");
    let text = [
        line("msg_1", "req_1", &usage(5)),
        line("msg_1", "req_2", &usage(5)),
        line("msg_1", "req_2", &usage(6)),
        line("msg_2", "", &usage(5)),
        other(&line("msg_2", "", &usage(5))),
    ];
    let outputs: Vec<_> =
        read(&text.concat()).iter().map(|record| record.usage.output_visible).collect();
    assert_eq!(outputs, [5, 6, 5, 5]);
}

#[test]
fn lines_without_tokens_of_a_model_are_no_records() {
    let synthetic = line(ID, "req_1", &usage(5)).replace("claude-opus-4-5-20251101", "<synthetic>");
    let user = format!(
        r#"{{"type":"user","toolUseResult":{{"usage":{{"output_tokens":7}}}},"message":{{"role":"user","content":"{CANARY}"}}}}"#
    );
    let zero = line("msg_01ZZZZZZZZZZZZZZZZZZZZZZ", "req_3", r#"{"input_tokens":0}"#);
    assert_eq!(read(&format!("{synthetic}{user}\n\n{{\"type\":\"summary\"}}\n{zero}")), []);
}

#[test]
fn compactions_are_added_and_advisors_are_answers_of_their_own() {
    let usage = r#"{"input_tokens":23000,"output_tokens":1000,"iterations":[{"type":"compaction","input_tokens":180000,"output_tokens":3500},{"type":"message","input_tokens":23000,"output_tokens":1000},{"type":"advisor_message","model":"claude-fable-5","input_tokens":70,"output_tokens":9}]}"#;
    let records = read(&line(ID, "req_1", usage));
    let told: Vec<_> = records
        .iter()
        .map(|record| (record.model.as_deref().unwrap_or_default(), tokens(&record.usage)))
        .collect();
    assert_eq!(
        told,
        [
            ("claude-fable-5", [70, 0, 0, 0, 9, 0]),
            ("claude-opus-4-5-20251101", [203_000, 0, 0, 0, 4_500, 0]),
        ]
    );
    let calls: Vec<_> = records.iter().map(|record| record.inner_calls.as_slice()).collect();
    assert_eq!(calls[0], []);
    assert_eq!(calls[1].iter().map(tokens).collect::<Vec<_>>(), [[180_000, 0, 0, 0, 3_500, 0]]);
}

#[test]
fn rounds_of_an_answer_are_calls_of_their_own_if_they_are_what_it_counts() {
    let check = |usage: &str, calls: &[[u64; 6]], unread| {
        let record = read(&line(ID, "req_1", usage)).remove(0);
        let got: Vec<_> = record.inner_calls.iter().map(tokens).collect();
        assert_eq!((got.as_slice(), record.unread.as_deref()), (calls, unread), "{usage}");
    };
    let rounds = |input: u64| {
        format!(
            r#"{{"input_tokens":{input},"output_tokens":9,"output_tokens_details":{{"thinking_tokens":7}},"iterations":[{{"type":"message","input_tokens":30,"output_tokens":4}},{{"type":"message","input_tokens":40,"output_tokens":5}}]}}"#
        )
    };
    check(&rounds(70), &[[30, 0, 0, 0, 2, 2]], None);
    check(&rounds(71), &[[30, 0, 0, 0, 2, 2]], Some("message.usage.iterations"));
    check(&rounds(29), &[], Some("message.usage.iterations"));
}

#[test]
fn an_answer_of_too_many_calls_has_no_price() {
    const MAX: usize = domain::Usage::INNER_CALLS_MAX;
    const UNREAD: Option<&str> = Some("message.usage.iterations");
    let answer = |rounds: usize, others: Vec<&str>| {
        let round = r#"{"type":"message","input_tokens":3,"output_tokens":1}"#;
        let calls = [vec![r#"{"type":"compaction"}"#; MAX / 2], others, vec![round; rounds]];
        let (input, calls) = (3 * rounds, calls.concat().join(","));
        let usage = format!(
            r#"{{"input_tokens":{input},"output_tokens":{rounds},"iterations":[{calls}]}}"#
        );
        read(&line(ID, "req_1", &usage))
    };
    let check = |rounds: usize, compactions: usize, kept: usize, unread| {
        let compaction = r#"{"type":"compaction","input_tokens":3,"output_tokens":1}"#;
        let record = answer(rounds, vec![compaction; compactions]).remove(0);
        let of_all = (rounds + compactions) as u64;
        assert_eq!(record.usage.output(), of_all, "all are counted");
        assert_eq!((record.inner_calls.len(), record.unread.as_deref()), (kept, unread));
    };
    check(1, MAX, MAX, None);
    check(1, MAX + 1, MAX, UNREAD);
    check(MAX + 1, 0, MAX, None);
    check(MAX + 2, 0, MAX, UNREAD);
    let advice = r#"{"type":"advisor_message","model":"m","input_tokens":3,"output_tokens":1}"#;
    let check = |advices: usize, unread| {
        let records = answer(1, vec![advice; advices]);
        let answer = records.last().expect("the answer");
        assert_eq!((records.len(), answer.unread.as_deref()), (MAX / 2 + 2, unread));
    };
    check(MAX / 2 + 1, None);
    check(MAX / 2 + 2, UNREAD);
}

#[test]
fn cache_writes_of_an_unknown_term_have_no_price_as_in_the_gateway() {
    let check = |split: &str, expected: [u64; 6], unread| {
        let usage = format!(
            r#"{{"input_tokens":1,"cache_creation_input_tokens":900{split},"output_tokens":5}}"#
        );
        let record = read(&line(ID, "req_1", &usage)).remove(0);
        assert_eq!(
            (tokens(&record.usage), record.unread.as_deref()),
            (expected, unread),
            "{usage}"
        );
    };
    let ages = |short: u64, long: u64| {
        format!(
            r#","cache_creation":{{"ephemeral_5m_input_tokens":{short},"ephemeral_1h_input_tokens":{long}}}"#
        )
    };
    check("", [1, 0, 900, 0, 5, 0], None);
    check(&ages(0, 300), [1, 0, 0, 900, 5, 0], None);
    check(&ages(600, 0), [1, 0, 900, 0, 5, 0], None);
    check(&ages(600, 200), [1, 0, 600, 200, 5, 0], Some("message.usage.cache_creation"));
    check(&ages(0, 0), [1, 0, 0, 0, 5, 0], Some("message.usage.cache_creation"));
}

#[test]
fn thinking_searches_speed_and_a_stated_cost_are_read() {
    let usage = r#"{"input_tokens":4,"output_tokens":100,"output_tokens_details":{"thinking_tokens":60},"server_tool_use":{"web_search_requests":2},"speed":"fast","service_tier":"standard","inference_geo":"us"}"#;
    let text =
        line(ID, "req_1", usage).replace("\"requestId\"", "\"costUSD\":0.0123,\"requestId\"");
    let record = read(&text).remove(0);
    assert_eq!(tokens(&record.usage), [4, 0, 0, 0, 40, 60]);
    assert_eq!((record.web_searches, record.service_tier), (2, PriceTier::Fast));
    assert_eq!(record.region.as_deref(), Some("us"));
    assert_eq!(record.stated_cost, Some(NanoUsd::new(12_300_000)));
}

#[test]
fn what_may_cost_something_and_is_not_understood_is_named() {
    for (more, unread) in [
        (r#""service_tier":"standard","speed":"standard""#, None),
        (r#""service_tier":null,"speed":null"#, None),
        (r#""service_tier":"batch""#, None),
        (r#""service_tier":"turbo""#, Some("message.usage.service_tier")),
        (r#""speed":"fast","service_tier":"batch""#, Some("message.usage.service_tier")),
        (r#""speed":"warp","service_tier":"standard""#, Some("message.usage.speed")),
        (r#""server_tool_use":{"web_search_requests":1,"web_fetch_requests":2}"#, None),
        (r#""server_tool_use":{"code_execution_requests":0}"#, None),
        (
            r#""server_tool_use":{"code_execution_requests":1}"#,
            Some("message.usage.server_tool_use"),
        ),
        (r#""iterations":[{"type":"message","input_tokens":4,"output_tokens":1}]"#, None),
        (r#""iterations":[{"type":"dream","input_tokens":4}]"#, Some("message.usage.iterations")),
        (r#""new_tokens":0,"new_kind":"standard","total_tokens":5,"id":"x""#, None),
        (r#""new_tokens":7"#, Some("message.usage.new_tokens")),
        (r#""new_tokens":{"of":["7"]}"#, Some("message.usage.new_tokens")),
        (r#""new_kind":"turbo""#, Some("message.usage.new_kind")),
        (
            r#""cache_creation":{"ephemeral_1d_input_tokens":9}"#,
            Some("message.usage.cache_creation.ephemeral_1d_input_tokens"),
        ),
        (r#""fallback_credit":{"status":{"type":"not_applied"}}"#, None),
        (
            r#""fallback_credit":{"status":{"type":"redeemed"}}"#,
            Some("message.usage.fallback_credit"),
        ),
    ] {
        let usage = format!(r#"{{"input_tokens":4,"output_tokens":1,{more}}}"#);
        let record = read(&line(ID, "req_1", &usage)).remove(0);
        assert_eq!(record.unread.as_deref(), unread, "{more}");
    }
}
