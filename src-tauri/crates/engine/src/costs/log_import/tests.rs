//! Imports of a small folder of logs: progress, cancelling, going on, and what they are worth.

use std::io::Write;
use std::path::Path;

use arc_swap::ArcSwap;
use domain::NanoUsd;
use ledger::{SessionGroupBy, SessionQuery, SessionSummary};
use pricing::PriceBook;
use settings::{Settings, SettingsStore};
use tempfile::TempDir;
use tokio::sync::broadcast::Receiver;

use super::*;
use crate::test_parts;

struct Importing {
    home: TempDir,
    import: LogImport,
    events: Receiver<EngineEvent>,
}

impl Importing {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("projects");
        let events = EventBus::default();
        let import = LogImport {
            ledger: test_parts::ledger_in(&home),
            prices: Arc::new(ArcSwap::from_pointee(PriceBook::bundled())),
            clock: test_parts::clock(),
            events: events.clone(),
            tasks: Tasks::default(),
            roots: Arc::new(vec![LogRoot { tool: SessionTool::ClaudeCode, path }]),
            latest: Arc::default(),
        };
        Self { home, import, events: events.subscribe() }
    }

    fn write(&self, name: &str, text: &str) {
        write(&self.home.path().join("projects").join(name), text);
    }

    /// Imports to the end; panics if it was no success.
    async fn import(&mut self) -> LogImportProgress {
        self.import.start().expect("none is running");
        let last = self.wait().await;
        assert_eq!((last.state, &last.error), (LogImportState::Finished, &None));
        last
    }

    async fn wait(&mut self) -> LogImportProgress {
        loop {
            if let EngineEvent::LogImport(progress) = self.events.recv().await.expect("an event")
                && progress.state != LogImportState::Running
            {
                return (*progress).clone();
            }
        }
    }

    async fn sums(&self) -> SessionSummary {
        let query = SessionQuery {
            from: WallTime::from_unix_ms(0),
            to: WallTime::from_unix_ms(i64::MAX),
            group_by: SessionGroupBy::Model,
            zone: jiff::tz::TimeZone::UTC,
        };
        self.import.ledger.session_usage(query).await.expect("sums")
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

fn line(number: usize, more: &str) -> String {
    format!(
        r#"{{"type":"assistant","sessionId":"s1","cwd":"/home/dev/shop","timestamp":"2026-11-20T10:00:00Z","message":{{"id":"msg_01AAAAAAAAAAAAAAAAA{number:06}","model":"claude-opus-4-5-20251101","usage":{{"input_tokens":1000,"output_tokens":100{more}}}}}}}"#
    ) + "\n"
}

#[tokio::test]
async fn an_import_reads_what_is_new_and_the_next_one_what_has_changed() {
    let mut importing = Importing::new();
    importing.write("p/a.jsonl", &(line(1, "") + &line(2, "") + "{\"usage\" broken\n"));
    importing.write("p/b.jsonl", &(line(2, "") + &line(3, "")));
    let first = importing.import().await;
    assert_eq!((first.files, first.unchanged, first.done), (2, 0, 2));
    assert_eq!((first.answers, first.problems), (3, 1));
    assert_eq!(importing.import.latest(), Some(first));

    importing.write("p/b.jsonl", &(line(2, "") + &line(3, "") + &line(4, "")));
    let second = importing.import().await;
    assert_eq!((second.files, second.unchanged, second.done), (2, 1, 2));
    assert_eq!((second.answers, second.problems), (1, 0));
    let sums = importing.sums().await;
    assert_eq!((sums.totals.answers, sums.problems_total), (4, 1));
    assert_eq!(sums.problems[0].problem.line, 3);
}

#[tokio::test]
async fn answers_are_worth_the_list_price_or_an_unknown_amount() {
    let mut importing = Importing::new();
    let old = line(1, "").replace("2026-11-20", "2025-12-01");
    let unknown = line(3, "").replace("claude-opus-4-5-20251101", "not-in-the-list");
    importing.write("p/a.jsonl", &[old, line(2, ""), unknown].concat());
    importing.import().await;
    let totals = importing.sums().await.totals;
    assert_eq!((totals.answers, totals.unpriced), (3, 1));
    // 1,000 tokens at $5 and 100 at $25 per million, twice.
    assert_eq!(totals.value, NanoUsd::new(2 * (5_000_000 + 2_500_000)));
}

/// The model costs five times as much above 100,000 tokens of input: 115,000 of two calls are not.
#[tokio::test]
async fn calls_of_an_answer_are_worth_what_each_of_them_costs() {
    let mut importing = Importing::new();
    let more = r#","iterations":[{"type":"compaction","input_tokens":114000,"output_tokens":10},{"type":"message","input_tokens":1000,"output_tokens":100}]"#;
    let of_model = |text: &str| text.replace("claude-opus-4-5-20251101", "claude-haiku-5-5");
    let short = more.replace("114000", "99900");
    importing.write("p/a.jsonl", &of_model(&line(1, &short)));
    importing.write("p/b.jsonl", &of_model(&line(2, more)));
    importing.import().await;
    let totals = importing.sums().await.totals;
    // $0.10 and $0.50 per million: 100,900 and 110 tokens; then $0.50 and $2.50 for the compaction.
    let (short, long) = (10_090_000 + 55_000, 57_000_000 + 25_000 + 100_000 + 50_000);
    assert_eq!((totals.unpriced, totals.value), (0, NanoUsd::new(short + long)));
}

#[tokio::test]
async fn a_search_and_another_tier_are_worth_more_than_the_same_tokens_or_unknown() {
    let value = async |more: &str| {
        let mut importing = Importing::new();
        importing.write("p/a.jsonl", &line(1, more));
        importing.import().await;
        let totals = importing.sums().await.totals;
        (totals.unpriced == 0).then_some(totals.value)
    };
    let plain = value("").await;
    for more in [r#","speed":"fast""#, r#","server_tool_use":{"web_search_requests":9}"#] {
        let found = value(more).await;
        assert!(found.is_none() || found > plain, "{more}: {found:?}");
    }
    for more in [r#","service_tier":"turbo""#, r#","server_tool_use":{"dream_requests":1}"#] {
        assert_eq!(value(more).await, None, "{more}");
    }
}

#[tokio::test]
async fn one_import_runs_at_a_time_and_a_cancelled_one_keeps_what_it_has() {
    let mut importing = Importing::new();
    for file in 0..400 {
        importing.write(&format!("p/{file}.jsonl"), &line(file, ""));
    }
    importing.import.start().expect("none is running");
    assert_eq!(importing.import.start(), Err(LogImportError::AlreadyRunning));
    importing.import.cancel();
    let cancelled = importing.wait().await;
    assert_eq!(cancelled.state, LogImportState::Cancelled);
    let kept = importing.sums().await.totals.answers;
    assert_eq!(kept, cancelled.answers);
    let rest = importing.import().await;
    assert_eq!((kept + rest.answers, rest.done), (400, 400));
    assert_eq!(importing.sums().await.totals.answers, 400);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_fails_the_import_and_is_named() {
    let mut importing = Importing::new();
    importing.write("p/a.jsonl", &line(1, ""));
    importing.import.ledger.close().await;
    importing.import.start().expect("none is running");
    let failed = importing.wait().await;
    assert_eq!(failed.state, LogImportState::Failed);
    assert!(failed.error.is_some(), "{failed:?}");
    assert_eq!(failed.answers, 0);
}

#[test]
fn an_import_is_due_at_once_and_then_ten_minutes_after_the_last_one() {
    let mut schedule = ImportSchedule::default();
    let mut check = |wanted, is_running, secs, expected| {
        let due = schedule.is_due(wanted, is_running, Moment::from_secs(secs));
        assert_eq!(due, expected, "at {secs} s");
    };
    check(false, false, 0, false);
    check(true, false, 5, true);
    check(true, true, 10, false);
    check(true, false, 15, false);
    check(true, false, 609, false);
    check(true, false, 610, true);
    // The user imports meanwhile.
    check(true, true, 900, false);
    check(true, false, 1_499, false);
    check(false, false, 1_500, false);
    check(true, false, 1_505, true);
}

/// Time passes by itself while nothing is to be done, so only its least is known.
#[tokio::test(start_paused = true)]
async fn imports_begin_by_themselves_while_the_setting_is_on_and_the_machine_is_awake() {
    let mut importing = Importing::new();
    importing.import.clock = Arc::new(domain::SystemClock::new());
    importing.write("p/a.jsonl", &line(1, ""));
    let settings = SettingsStore::open(importing.home.path().join("settings.toml"));
    let settings = Arc::new(settings.expect("settings"));
    let is_resuming = Arc::new(AtomicBool::new(true));
    let resuming = Arc::clone(&is_resuming);
    importing.import.spawn_regular(Arc::clone(&settings), move || resuming.load(Ordering::Relaxed));
    let hour = Duration::from_secs(3_600);
    tokio::time::sleep(hour).await;
    assert_eq!(importing.import.latest(), None, "it is off by default");
    set_import(&settings, true);
    tokio::time::sleep(hour).await;
    assert_eq!(importing.import.latest(), None, "the machine has just been woken");

    is_resuming.store(false, Ordering::Relaxed);
    let first = importing.wait().await;
    assert_eq!((first.state, first.answers), (LogImportState::Finished, 1));
    importing.write("p/a.jsonl", &(line(1, "") + &line(2, "")));
    let ended = importing.import.clock.now();
    let second = importing.wait().await;
    assert_eq!((second.state, second.answers), (LogImportState::Finished, 1));
    let passed = importing.import.clock.now().since(ended);
    assert!(passed >= IMPORT_INTERVAL - Duration::from_secs(DUE_CHECK_SECS), "{passed:?}");

    // A failure is told as the last import, and the next one comes all the same.
    set_import(&settings, false);
    importing.import.ledger.close().await;
    importing.write("p/a.jsonl", &(line(1, "") + &line(2, "") + &line(3, "")));
    set_import(&settings, true);
    assert_eq!(importing.wait().await.state, LogImportState::Failed);
    assert_eq!(importing.wait().await.state, LogImportState::Failed);

    set_import(&settings, false);
    // One may have begun before that.
    tokio::time::sleep(hour).await;
    let last = importing.import.latest();
    tokio::time::sleep(hour).await;
    assert_eq!(importing.import.latest(), last);
    importing.import.tasks.stop().await;
}

fn set_import(settings: &SettingsStore, is_on: bool) {
    let edited = settings.edit(|settings: &mut Settings| {
        settings.session_logs.import = is_on;
        Ok::<(), std::convert::Infallible>(())
    });
    edited.expect("saved");
}
