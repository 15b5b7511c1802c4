//! Codex CLI.

use domain::PriceTier;

use super::*;

fn at(time: &str, kind: &str, payload: &str) -> String {
    format!(r#"{{"timestamp":"2026-11-20T{time}Z","type":"{kind}","payload":{payload}}}"#) + "\n"
}

fn meta(id: &str, more: &str) -> String {
    let payload = format!(
        r#"{{"id":"{id}"{more},"timestamp":"2026-11-20T10:00:00Z","cwd":"/home/dev/api","originator":"codex-tui","base_instructions":"{CANARY}"}}"#
    );
    at("10:00:00.000", "session_meta", &payload)
}

fn turn(model: &str) -> String {
    at("10:00:01.000", "turn_context", &format!(r#"{{"cwd":"/home/dev/api","model":"{model}"}}"#))
}

/// Input with its cached part, and output with its reasoning part.
fn usage([input, cached, output, reasoning]: [u64; 4]) -> String {
    format!(
        r#"{{"input_tokens":{input},"cached_input_tokens":{cached},"output_tokens":{output},"reasoning_output_tokens":{reasoning},"total_tokens":{}}}"#,
        input + output
    )
}

fn count(time: &str, total: [u64; 4], last: [u64; 4]) -> String {
    let payload = format!(
        r#"{{"type":"token_count","info":{{"total_token_usage":{},"last_token_usage":{},"model_context_window":258400}},"rate_limits":{{"primary":{{"used_percent":1.5}}}}}}"#,
        usage(total),
        usage(last)
    );
    at(time, "event_msg", &payload)
}

fn response(time: &str, id: &str, of: [u64; 4]) -> String {
    let payload = format!(r#"{{"thread_id":"t","response_id":"{id}","usage":{}}}"#, usage(of));
    at(time, "token_usage_record", &payload)
}

fn answer() -> String {
    let payload = format!(r#"{{"type":"message","role":"assistant","content":"{CANARY}"}}"#);
    at("10:00:02.000", "response_item", &payload)
}

fn read(text: &str) -> Vec<UsageRecord> {
    let (records, problems) = read_text(SessionTool::Codex, text);
    assert_eq!(problems, []);
    records
}

fn all_tokens(records: &[UsageRecord]) -> Vec<[u64; 6]> {
    records.iter().map(|record| tokens(&record.usage)).collect()
}

/// ccusage#950 and its kind: totals grow with each answer, and are told again without news.
#[test]
fn each_answer_is_counted_once_with_the_model_of_its_turn() {
    let text = [
        meta("a", ""),
        turn("gpt-5.4"),
        answer(),
        at("10:00:02.500", "event_msg", r#"{"type":"token_count","info":null}"#),
        count("10:00:03.000", [1_000, 400, 50, 20], [1_000, 400, 50, 20]),
        count("10:00:03.500", [1_000, 400, 50, 20], [1_000, 400, 50, 20]),
        turn("gpt-5.4-mini"),
        count("10:00:09.000", [2_500, 1_400, 80, 20], [1_500, 1_000, 30, 0]),
    ];
    let records = read(&text.concat());
    assert_eq!(all_tokens(&records), [[600, 400, 0, 0, 30, 20], [500, 1_000, 0, 0, 30, 0]]);
    let models: Vec<_> = records.iter().map(|record| record.model.as_deref()).collect();
    assert_eq!(models, [Some("gpt-5.4"), Some("gpt-5.4-mini")]);
    assert_eq!(records[0].session.as_deref(), Some("a"));
    assert_eq!(records[0].project.as_deref(), Some("/home/dev/api"));
    assert_eq!((records[0].line, records[1].line), (5, 8));
}

#[test]
fn totals_alone_are_counted_by_their_growth_and_begin_anew_when_they_shrink() {
    let only_total = |time: &str, total| {
        let info = format!(r#"{{"total_token_usage":{}}}"#, usage(total));
        at(time, "event_msg", &format!(r#"{{"type":"token_count","info":{info}}}"#))
    };
    let text = [
        meta("a", ""),
        only_total("10:00:03.000", [100, 0, 10, 0]),
        only_total("10:00:04.000", [250, 50, 30, 5]),
        only_total("10:00:05.000", [80, 0, 4, 0]),
    ];
    let told = all_tokens(&read(&text.concat()));
    assert_eq!(told, [[100, 0, 0, 0, 10, 0], [100, 50, 0, 0, 15, 5], [80, 0, 0, 0, 4, 0]]);
}

#[test]
fn cache_writes_and_a_priority_tier_are_read() {
    let counts = r#"{"input_tokens":100,"cached_input_tokens":30,"cache_write_input_tokens":20,"output_tokens":5}"#;
    let text = [
        meta("a", ""),
        turn("gpt-6-sol"),
        at(
            "10:00:01.000",
            "event_msg",
            r#"{"type":"thread_settings_applied","thread_settings":{"service_tier":"fast"}}"#,
        ),
        at(
            "10:00:02.000",
            "event_msg",
            &format!(r#"{{"type":"token_count","info":{{"last_token_usage":{counts}}}}}"#),
        ),
    ];
    let record = read(&text.concat()).remove(0);
    assert_eq!(tokens(&record.usage), [50, 30, 20, 0, 5, 0]);
    assert_eq!(record.service_tier, PriceTier::Priority);
}

#[test]
fn an_unknown_tier_is_named() {
    for (tier, unread) in [
        ("default", None),
        ("flex", None),
        ("auto", Some("service_tier")),
        ("warp", Some("service_tier")),
    ] {
        let settings = format!(
            r#"{{"type":"thread_settings_applied","thread_settings":{{"service_tier":"{tier}"}}}}"#
        );
        let counts = r#"{"type":"token_count","info":{"last_token_usage":{"input_tokens":100,"output_tokens":5}}}"#;
        let text = [
            meta("a", ""),
            turn("gpt-6-sol"),
            at("10:00:01.000", "event_msg", &settings),
            at("10:00:02.000", "event_msg", counts),
        ];
        let record = read(&text.concat()).remove(0);
        assert_eq!(record.unread.as_deref(), unread, "{tier}");
    }
}

/// ccusage#897, #1349, #1370, tokscale#679: a fork begins with its parent's counts.
#[test]
fn copies_of_the_parent_in_forks_and_subagents_are_counted_once() {
    let first = [1_000, 0, 50, 0];
    let second = [2_200, 900, 90, 0];
    let parent = [
        meta("1", ""),
        turn("gpt-5.4"),
        count("10:00:03.000", first, first),
        count("10:00:09.000", second, [1_200, 900, 40, 0]),
    ];
    // The copied counts have the time of the fork.
    let fork = |id: &str, more: &str, own: [u64; 4], last: [u64; 4]| {
        let meta = meta(id, more);
        let copied = count("11:00:00.000", first, first);
        let more = count("11:00:00.000", second, [1_200, 900, 40, 0]);
        [meta, turn("gpt-5.4"), copied, more, count("11:00:30.000", own, last)].concat()
    };
    let by_id = fork("2", r#","forked_from_id":"1""#, [3_000, 900, 99, 0], [800, 0, 9, 0]);
    let spawned = r#","source":{"subagent":{"thread_spawn":{"parent_thread_id":"1"}}}"#;
    let spawned = fork("3", spawned, [3_100, 900, 98, 0], [900, 0, 8, 0]);
    // A fork of a fork: the head of each ancestor follows its own.
    let own_head = meta("4", r#","forked_from_id":"2""#);
    let again = own_head + &by_id + &meta("1", "") + &parent[1..].concat();

    let folder = tempfile::tempdir().expect("a folder");
    let files = [("a", parent.concat()), ("b", by_id), ("c", spawned), ("d", again)];
    for (name, text) in files {
        write(folder.path(), &format!("2026/11/20/rollout-{name}.jsonl"), text);
    }
    let (records, problems) = read_folder(SessionTool::Codex, folder.path());
    assert_eq!(problems, []);
    let mut records = merged(records);
    records.sort_by_key(|record| (record.time, record.usage.input()));
    let input: Vec<_> = records.iter().map(|record| record.usage.input()).collect();
    assert_eq!(input, [1_000, 1_200, 800, 900]);
    let sessions: Vec<_> = records.iter().filter_map(|record| record.session.clone()).collect();
    assert_eq!(sessions, ["1", "1", "2", "3"]);
}

#[test]
fn an_answer_with_a_record_and_a_count_is_counted_once_in_either_order() {
    let (one, two) = ([1_000, 0, 50, 0], [700, 0, 10, 0]);
    let text = [
        meta("a", ""),
        turn("gpt-6-sol"),
        response("10:00:02.000", "resp_1", one),
        count("10:00:03.000", one, one),
        count("10:00:08.000", [1_700, 0, 60, 0], two),
        response("10:00:08.100", "resp_2", two),
    ];
    assert_eq!(all_tokens(&read(&text.concat())), [[1_000, 0, 0, 0, 50, 0], [700, 0, 0, 0, 10, 0]]);
}

#[test]
fn a_compaction_that_has_a_record_alone_is_counted() {
    let one = [1_000, 0, 50, 0];
    let text = [
        meta("a", ""),
        turn("gpt-6-sol"),
        count("10:00:03.000", one, one),
        response("10:00:04.000", "resp_compact", [9_000, 8_000, 400, 0]),
        at(
            "10:00:05.000",
            "compacted",
            r#"{"message":"","compaction_response_id":"resp_compact"}"#,
        ),
    ];
    let records = read(&text.concat());
    assert_eq!(all_tokens(&records)[1], [1_000, 8_000, 0, 0, 400, 0]);
    assert_eq!(records[1].message_id.as_deref(), Some("resp_compact"));
    assert_eq!((records[1].line, records.len()), (4, 2));
}

#[test]
fn a_compressed_log_has_the_same_answers() {
    let text = [meta("a", ""), turn("gpt-5.4"), count("10:00:03.000", [9, 0, 1, 0], [9, 0, 1, 0])];
    let plain = text.concat();
    let folder = tempfile::tempdir().expect("a folder");
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    write(folder.path(), "b.jsonl.zst", ruzstd::encoding::compress_to_vec(plain.as_bytes(), level));
    write(folder.path(), "a.jsonl", plain);
    let (records, problems) = read_folder(SessionTool::Codex, folder.path());
    assert_eq!((records.len(), problems), (2, vec![]));
    assert_eq!(records[0], records[1]);
}

#[test]
fn a_count_under_an_unknown_name_is_named() {
    let event = |usage: &str| {
        let info = format!(r#"{{"last_token_usage":{usage}}}"#);
        at("10:00:02.000", "event_msg", &format!(r#"{{"type":"token_count","info":{info}}}"#))
    };
    for (more, unread) in [
        (r#""total_tokens":12,"audio_tokens":0"#, None),
        (r#""audio_tokens":3"#, Some("payload.info.last_token_usage.audio_tokens")),
    ] {
        let usage = format!(r#"{{"input_tokens":7,"output_tokens":5,{more}}}"#);
        let record = read(&[meta("a", ""), event(&usage)].concat()).remove(0);
        assert_eq!(record.unread.as_deref(), unread, "{more}");
    }
    let told =
        r#"{"response_id":"r","usage":{"input_tokens":7,"output_tokens":5,"audio_tokens":3}}"#;
    let record = read(&[meta("a", ""), at("10:00:02.000", "token_usage_record", told)].concat());
    assert_eq!(record[0].unread.as_deref(), Some("payload.usage.audio_tokens"));
}

fn item(kind: &str, action: &str) -> String {
    let payload = format!(r#"{{"type":"{kind}","status":"completed"{action}}}"#);
    at("10:00:02.000", "response_item", &payload)
}

fn search(action: &str) -> String {
    item("web_search_call", &format!(r#","action":{{"type":"{action}","query":"{CANARY}"}}"#))
}

#[test]
fn searches_of_the_web_are_of_the_answer_whose_usage_follows() {
    let text = [
        meta("a", ""),
        search("search"),
        search("open_page"),
        item("web_search_call", ""),
        count("10:00:03.000", [100, 0, 10, 0], [100, 0, 10, 0]),
        count("10:00:03.500", [100, 0, 10, 0], [100, 0, 10, 0]),
        count("10:00:04.000", [150, 0, 20, 0], [50, 0, 10, 0]),
        search("search"),
        count("10:00:05.000", [150, 0, 20, 0], [50, 0, 10, 0]),
        count("10:00:06.000", [180, 0, 22, 0], [30, 0, 2, 0]),
    ];
    let searches: Vec<_> = read(&text.concat()).iter().map(|record| record.web_searches).collect();
    assert_eq!(searches, [2, 0, 1]);
}

#[test]
fn searches_stay_with_an_answer_that_has_a_record_of_its_own() {
    let told = format!(r#"{{"response_id":"r","usage":{}}}"#, usage([100, 0, 10, 0]));
    let told = at("10:00:02.500", "token_usage_record", &told);
    let counted = count("10:00:03.000", [100, 0, 10, 0], [100, 0, 10, 0]);
    for lines in [
        [search("search"), told.clone(), String::new()],
        [search("search"), told.clone(), counted.clone()],
        [search("search"), counted, told],
    ] {
        let records = read(&[meta("a", ""), lines.concat()].concat());
        let searches: Vec<_> = records.iter().map(|record| record.web_searches).collect();
        assert_eq!(searches, [1], "{lines:?}");
    }
}

#[test]
fn calls_of_unknown_price_are_named() {
    let unread = |item: String| {
        let counted = count("10:00:03.000", [100, 0, 10, 0], [100, 0, 10, 0]);
        let record = read(&[meta("a", ""), item, counted].concat()).remove(0);
        record.unread.map(std::borrow::Cow::into_owned)
    };
    assert_eq!(unread(search("dream")).as_deref(), Some("web_search_call.action"));
    let image = item("image_generation_call", "");
    assert_eq!(unread(image).as_deref(), Some("image_generation_call"));
    assert_eq!(unread(item("function_call", "")), None);
}
