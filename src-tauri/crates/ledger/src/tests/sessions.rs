//! Usage from session logs: stored once, summed apart, and told from what the gateway measured.

use domain::{PriceTier, SessionTool};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use session_logs::{FilePart, FileProgress, LogProblem, RecordKey, UsageRecord};

use super::*;
use crate::session_matches::unmatched_sql;
use crate::session_usage::SESSION_GROUPS_MAX;
use crate::{SessionGroupBy, SessionPart, SessionQuery, SessionSummary, SessionTotals};

pub(super) fn record(key: &str, ms: i64, tokens: [u64; 2]) -> UsageRecord {
    let [input_uncached, output_visible] = tokens;
    UsageRecord {
        key: RecordKey::of(SessionTool::ClaudeCode, &[key]),
        session: Some("s1".to_owned()),
        message_id: Some(key.to_owned()),
        request_id: None,
        time: at(ms),
        model: Some("claude-opus-4-5-20251101".to_owned()),
        provider: None,
        project: Some("/home/dev/shop".to_owned()),
        usage: TokenUsage { input_uncached, output_visible, ..TokenUsage::default() },
        inner_calls: Vec::new(),
        web_searches: 0,
        service_tier: PriceTier::Standard,
        region: None,
        unread: None,
        stated_cost: None,
        line: 1,
    }
}

pub(super) fn part(records: Vec<UsageRecord>) -> SessionPart {
    let value = |record: &UsageRecord| {
        let nanos = i64::try_from(record.usage.total()).expect("few tokens") * 1_000;
        (record.usage.output() != 99).then(|| (NanoUsd::new(nanos), "listed@1".to_owned()))
    };
    SessionPart {
        path: "/logs/a.jsonl".to_owned(),
        tool: SessionTool::ClaudeCode,
        values: records.iter().map(value).collect(),
        part: FilePart {
            file: 0,
            records,
            problems: Vec::new(),
            problems_total: 0,
            from_line: 1,
            progress: Some(progress(100)),
            is_last: true,
        },
    }
}

fn progress(position: u64) -> FileProgress {
    FileProgress {
        bytes: 200,
        modified_ns: 1_795_248_000_000_000_001,
        position,
        lines: 7,
        head: u64::MAX - 5,
        head_bytes: 100,
        state: "{}".to_owned(),
        is_complete: true,
    }
}

pub(super) async fn sums(ledger: &Ledger, group_by: SessionGroupBy) -> SessionSummary {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    let query = SessionQuery { from: at(i64::MIN / 4), to: at(i64::MAX / 4), group_by, zone };
    ledger.session_usage(query).await.expect("sums")
}

fn told(summary: &SessionSummary) -> Vec<(&str, u64, u64)> {
    let groups = summary.groups.iter();
    groups.map(|(name, sums)| (name.as_str(), sums.answers, sums.tokens.total())).collect()
}

/// A price that becomes known later must not price it either.
#[tokio::test]
async fn what_was_not_understood_stays_with_the_answer() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let field = Some("message.usage.speed");
    // 99 output tokens have no value in this test.
    let odd = UsageRecord { unread: field.map(Into::into), ..record("a", 0, [100, 99]) };
    // Its calls are not stored, and each has its own price.
    let compacted = TokenUsage { input_uncached: 90, ..TokenUsage::default() };
    let of_two = UsageRecord { inner_calls: vec![compacted], ..record("c", 0, [100, 99]) };
    let records = vec![odd, record("b", 0, [7, 99]), of_two];
    ledger.store_session_parts(vec![part(records)]).await.expect("kept");
    let unpriced = ledger.unpriced_answers(0, 10).await.expect("read");
    let unread: Vec<_> = unpriced.iter().map(|answer| answer.usage.unread.as_deref()).collect();
    assert_eq!(unread, [field, None, Some("message.usage.iterations")]);
}

#[tokio::test]
async fn usage_is_summed_by_tool_model_project_and_day() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let hour = 3_600_000;
    let other = UsageRecord { model: None, project: None, ..record("b", 16 * hour, [5, 99]) };
    let stated =
        UsageRecord { stated_cost: Some(NanoUsd::new(7)), ..record("c", 14 * hour, [10, 3]) };
    let codex = SessionPart { tool: SessionTool::Codex, ..part(vec![other]) };
    let parts = vec![part(vec![record("a", 0, [100, 20]), stated]), codex];
    assert_eq!(ledger.store_session_parts(parts).await.ok(), Some(3));

    let tools = sums(&ledger, SessionGroupBy::Tool).await;
    assert_eq!(told(&tools), [("claude-code", 2, 133), ("codex", 1, 104)]);
    assert_eq!((tools.totals.answers, tools.totals.unpriced), (3, 1));
    assert_eq!(tools.totals.value, NanoUsd::new(133_000));
    assert_eq!((tools.totals.stated, tools.files), (NanoUsd::new(7), 1));
    let models = sums(&ledger, SessionGroupBy::Model).await;
    assert_eq!(told(&models), [("claude-opus-4-5-20251101", 2, 133), ("", 1, 104)]);
    let projects = sums(&ledger, SessionGroupBy::Project).await;
    assert_eq!(told(&projects), [("/home/dev/shop", 2, 133), ("", 1, 104)]);
    // 08:00 UTC and 14 and 16 hours later: 22:00 and midnight, in Berlin an hour more.
    let days = sums(&ledger, SessionGroupBy::Day).await;
    assert_eq!(told(&days), [("2026-11-21", 2, 133), ("2026-11-22", 1, 104)]);
}

#[tokio::test]
async fn rows_and_progress_survive_a_kill_together() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.store_session_parts(vec![part(vec![record("a", 0, [1, 2])])]).await.expect("stored");
    let killed = place.as_if_killed();
    let reopened = killed.open();
    assert_eq!(sums(&reopened, SessionGroupBy::Tool).await.totals.answers, 1);
    let known = reopened.session_progress().await.expect("progress");
    assert_eq!(known.get("/logs/a.jsonl"), Some(&progress(100)));
    // The same part again, as after a kill between two files.
    let again = vec![part(vec![record("a", 0, [1, 2])])];
    assert_eq!(reopened.store_session_parts(again).await.ok(), Some(0));
}

#[tokio::test]
async fn problems_are_replaced_from_the_line_that_is_read_again() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let with = |from_line: u64, lines: &[u64], total: u64| {
        let mut part = part(Vec::new());
        let problem =
            |line: &u64| LogProblem { line: *line, field: "f".into(), what: "is wrong".into() };
        part.part.problems = lines.iter().map(problem).collect();
        (part.part.problems_total, part.part.from_line) = (total, from_line);
        vec![part]
    };
    ledger.store_session_parts(with(1, &[2, 4, 9], 12)).await.expect("stored");
    let first = sums(&ledger, SessionGroupBy::Tool).await;
    assert_eq!((first.problems.len(), first.problems_total), (3, 12));
    assert_eq!(first.problems[0].path, "/logs/a.jsonl");
    ledger.store_session_parts(with(9, &[11], 1)).await.expect("stored");
    let second = sums(&ledger, SessionGroupBy::Tool).await;
    let lines: Vec<_> = second.problems.iter().map(|problem| problem.problem.line).collect();
    assert_eq!((lines, second.problems_total), (vec![2, 4, 11], 3));
}

/// The settlement of a request of `number` seconds after the start that used these tokens.
async fn measure(ledger: &Ledger, number: u32, model: &str, tokens: [u64; 2]) {
    let [input_uncached, output_visible] = tokens;
    let mut ended = settlement(number);
    ended.model_billed = Some(model.to_owned());
    ended.usage = Some(TokenUsage {
        input_uncached: input_uncached - 1,
        cache_read: 1,
        output_visible: output_visible - 1,
        reasoning: 1,
        ..TokenUsage::default()
    });
    ledger.settle(ended).await.expect("settled");
}

#[tokio::test]
async fn what_a_kill_left_unmatched_is_matched_by_the_next_import() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    measure(&ledger, 100, "claude-opus-4-5", [500, 40]).await;
    let rows = vec![record("a", 101_000, [500, 40])];
    ledger.store_session_parts(vec![part(rows)]).await.expect("stored");
    let killed = place.as_if_killed();
    let reopened = killed.open();
    let measured = async |ledger: &Ledger| sums(ledger, SessionGroupBy::Tool).await.totals.measured;
    assert_eq!(measured(&reopened).await, 0);
    // Later rows do not hide it.
    let later = vec![record("b", 900_000, [1, 2])];
    reopened.store_session_parts(vec![part(later)]).await.expect("stored");
    assert_eq!(reopened.match_sessions().await.ok(), Some(1));
    assert_eq!(measured(&reopened).await, 1);
    // Nothing is left to look for.
    measure(&reopened, 900, "claude-opus-4-5", [1, 2]).await;
    assert_eq!(reopened.match_sessions().await.ok(), Some(0));
}

#[tokio::test]
async fn rows_and_the_rest_are_the_total() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let day = 86_400_000;
    let days = i64::try_from(SESSION_GROUPS_MAX).expect("few") + 3;
    let rows = (0..days).map(|number| {
        let project = Some(format!("/home/dev/{number:03}"));
        UsageRecord { project, ..record(&number.to_string(), number * day, [10, 1]) }
    });
    let rows: Vec<_> = rows.collect();
    ledger.store_session_parts(vec![part(rows)]).await.expect("stored");
    for group_by in [SessionGroupBy::Day, SessionGroupBy::Project] {
        let found = sums(&ledger, group_by).await;
        assert_eq!((found.groups.len(), found.groups_left_out), (SESSION_GROUPS_MAX, 3));
        let mut all = found.rest;
        found.groups.iter().for_each(|(_, sums)| all += *sums);
        assert_eq!((all, found.rest.answers), (found.totals, 3));
    }
    // The newest days are kept, in their order.
    let days = sums(&ledger, SessionGroupBy::Day).await.groups;
    assert_eq!(days.first().map(|(day, _)| day.as_str()), Some("2026-11-24"));
    assert!(days.is_sorted_by(|(one, _), (other, _)| one < other));
    let few = sums(&ledger, SessionGroupBy::Tool).await;
    assert_eq!((few.groups_left_out, few.rest), (0, SessionTotals::default()));
}

#[tokio::test]
async fn an_answer_that_the_gateway_measured_is_in_no_sum() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let model = "claude-opus-4-5";
    measure(&ledger, 100, model, [500, 40]).await;
    measure(&ledger, 200, model, [600, 50]).await;
    measure(&ledger, 300, "gpt-5.4", [700, 60]).await;
    measure(&ledger, 400, model, [800, 70]).await;
    measure(&ledger, 500, model, [900, 80]).await;
    let second = 1_000;
    let rows = vec![
        record("the same", 101 * second, [500, 40]),
        record("the same again", 102 * second, [500, 40]),
        record("other tokens", 200 * second, [600, 51]),
        record("another model", 300 * second, [700, 60]),
        record("an hour later", 4_000 * second, [800, 70]),
        record("a second early", 499 * second, [900, 80]),
    ];
    ledger.store_session_parts(vec![part(rows.clone())]).await.expect("stored");
    assert_eq!(ledger.match_sessions().await.ok(), Some(2));
    assert_eq!(ledger.match_sessions().await.ok(), Some(0));
    let totals = sums(&ledger, SessionGroupBy::Tool).await.totals;
    assert_eq!((totals.answers, totals.measured), (4, 2));
    assert_eq!(totals.tokens.input(), 500 + 600 + 700 + 800);
    // Read again with the log, it stays measured.
    ledger.store_session_parts(vec![part(rows)]).await.expect("stored");
    assert_eq!(sums(&ledger, SessionGroupBy::Tool).await.totals.measured, 2);
}

#[tokio::test]
async fn requests_and_rows_are_paired_by_index() {
    let place = LedgerFixture::new();
    drop(place.open());
    let plan = place.query_plan(&unmatched_sql(), &[&"req_", &1, &1]);
    assert!(plan.contains("SEARCH r USING PRIMARY KEY"), "{plan}");
    assert!(plan.contains("SEARCH s USING INDEX session_usage_sums"), "{plan}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The ledger replaces rows as `UsageRecord::replaces` says, whatever comes first.
    #[test]
    fn the_order_of_files_does_not_matter(
        values in proptest::collection::vec((0u64..3, 0u64..3, 0i64..2, 0usize..2), 1..6),
    ) {
        let records: Vec<_> = values.iter().map(|(input, output, ms, session)| UsageRecord {
            session: [None, Some("s2".to_owned())][*session].clone(),
            ..record("a", *ms, [*input, *output])
        }).collect();
        let best = records.iter().fold(&records[0], |best, other| {
            if other.replaces(best) { other } else { best }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let place = LedgerFixture::new();
            let ledger = place.open();
            for record in &records {
                let stored = ledger.store_session_parts(vec![part(vec![record.clone()])]).await;
                stored.expect("stored");
            }
            let totals = sums(&ledger, SessionGroupBy::Tool).await.totals;
            assert_eq!((totals.answers, totals.tokens), (1, best.usage));
            drop(ledger);
            let read = "SELECT time_ms, session FROM session_usage";
            let row = place.raw().query_row(read, [], |row| Ok((row.get(0)?, row.get(1)?)));
            let session = best.session.clone().unwrap_or_default();
            assert_eq!(row, Ok((best.time.unix_ms(), session)));
        });
    }
}

/// Stores an answer for each key.
pub(super) async fn store(ledger: &Ledger, keys: &[&str]) {
    let records = keys.iter().map(|key| record(key, 0, [1, 2])).collect();
    ledger.store_session_parts(vec![part(records)]).await.expect("stored");
}

pub(super) async fn answers(ledger: &Ledger) -> u64 {
    sums(ledger, SessionGroupBy::Tool).await.totals.answers
}
