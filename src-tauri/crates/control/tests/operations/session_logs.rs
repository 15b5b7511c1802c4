//! Session logs through the API: imported with progress, counted apart from the gateway's requests;
//! and what they say of the limits of plans.

use std::io::Write;

use control::view::*;
use control::{CoreEvents, PanelEvent};
use domain::{Clock as _, SessionTool, SystemClock};
use session_logs::LogRoot;

use crate::world::{World, new_home};

const LINE: &str = r#"{"type":"assistant","sessionId":"s1","cwd":"/home/dev/shop","timestamp":"2026-11-20T10:00:00Z","message":{"id":"msg_01AAAAAAAAAAAAAAAAAAAAAA","model":"claude-opus-4-5-20251101","content":"PROMPT-CANARY","usage":{"input_tokens":1000,"output_tokens":-1}}}"#;

fn by(group_by: SessionGroupBy) -> SessionLogsQuery {
    SessionLogsQuery { from: None, group_by, zone: TimeZoneChoice::Utc }
}

/// An engine that finds one log with this line.
async fn world_with(line: &str) -> World {
    let home = new_home();
    let folder = home.path().join("projects/p");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut file = std::fs::File::create(folder.join("s1.jsonl")).expect("a file");
    file.write_all(format!("{line}\n").as_bytes()).expect("written");
    World::open(home, |config| {
        let path = config.folders.data.with_file_name("projects");
        config.log_roots = vec![LogRoot { tool: SessionTool::ClaudeCode, path }];
    })
    .await
}

/// Imports to the end.
async fn import(world: &World) -> LogImportView {
    let mut events = CoreEvents::subscribe(&world.core).await.expect("events");
    control::session_logs_import(&world.core).await.expect("started");
    loop {
        if let PanelEvent::LogImport { import } = events.next().await.expect("the engine runs")
            && import.state != LogImportState::Running
        {
            return *import;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_worth_something_once_its_price_is_known_until_that_is_taken_back() {
    let line = LINE.replace("claude-opus-4-5-20251101", "not-yet-listed");
    let world = world_with(&line.replace(r#""output_tokens":-1"#, r#""output_tokens":0"#)).await;
    import(&world).await;
    let totals = async || {
        let logs = control::session_logs(&world.core, by(SessionGroupBy::Tool)).await;
        let totals = logs.expect("logs").totals;
        (totals.value_nano_usd.0, totals.unpriced_answers.0)
    };
    assert_eq!(totals().await, (0, 1));
    let text = r#"{"prices": [{"provider": "anthropic", "model": "not-yet-listed", "from": "2026-11-01",
        "source": "https://www.anthropic.com", "rates": {"input": 2, "output": 10}}]}"#;
    let list = PriceImport::Text { name: "list.json".to_owned(), text: text.to_owned() };
    let seen = control::price_import(&world.core, list).await.expect("a preview");
    let apply = PriceImportRef { id: seen.id };
    control::price_import_apply(&world.core, apply).await.expect("applied");
    assert_eq!(totals().await, (2_000_000, 0));
    control::price_undo(&world.core).await.expect("undone");
    assert_eq!(totals().await, (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn session_logs_are_imported_and_stand_apart() {
    let world = world_with(LINE).await;

    let before = control::session_logs(&world.core, by(SessionGroupBy::Tool)).await.expect("logs");
    assert_eq!(before.finding, "No usage from session logs");
    assert_eq!(before.places[0].tool_name, "Claude Code");
    assert!(before.import.is_none());

    let last = import(&world).await;
    assert_eq!(last.state, LogImportState::Finished);
    assert_eq!(
        last.sentence,
        "1 answer new or completed, 1 problem in 1 file, 0 of them unchanged"
    );

    let after = control::session_logs(&world.core, by(SessionGroupBy::Tool)).await.expect("logs");
    assert_eq!(after.finding, "1 answer from session logs, of unknown price");
    assert_eq!(after.groups[0].label, "Claude Code");
    assert_eq!(after.totals.input_tokens, Count(1_000));
    let problem = &after.problems[0];
    assert_eq!(problem.line, Some(Count(1)));
    let told = format!("{} {}", problem.field, problem.what);
    assert_eq!(told, "message.usage.output_tokens is negative (-1)");
    assert!(!format!("{after:?} {last:?}").contains("PROMPT-CANARY"));

    let query = UsageReportQuery {
        range: UsageRange::LastMonth,
        group_by: GroupBy::Model,
        zone: TimeZoneChoice::Utc,
        from: None,
        to: None,
        filter: UsageFilter::default(),
        compare: false,
        basis: CostBasis::Known,
    };
    let usage = control::usage(&world.core, query).await.expect("usage");
    assert_eq!(usage.totals.requests, Count(0), "no sum of the gateway holds session logs");
}

/// What Codex CLI wrote with an answer five minutes ago, three hours into a window of five.
const LIMITS: &str = r#"{"timestamp":"READ","type":"event_msg","payload":{"type":"token_count","info":null,"rate_limits":{"limit_id":"codex","primary":{"used_percent":74.0,"window_minutes":300,"resets_at":SOON},"secondary":{"used_percent":3.0,"window_minutes":10080,"resets_at":LATER},"plan_type":"plus"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_of_a_plan_is_read_from_the_newest_log_and_nothing_is_made_up() {
    let home = new_home();
    let folder = home.path().join("sessions/2026/11/20");
    std::fs::create_dir_all(&folder).expect("a folder");
    let world = World::open(home, |config| {
        let path = config.folders.data.with_file_name("sessions");
        config.log_roots = vec![LogRoot { tool: SessionTool::Codex, path }];
    })
    .await;
    let none = control::plans(&world.core).await.expect("plans");
    assert_eq!((none.plans.len(), none.values.len()), (0, 0));
    assert!(none.finding.starts_with("No tool has written down"), "{}", none.finding);

    let now_ms = SystemClock::new().wall().unix_ms();
    let read = jiff::Timestamp::from_millisecond(now_ms - 300_000).expect("a time");
    let line = LIMITS
        .replace("READ", &read.to_string())
        .replace("SOON", &(now_ms / 1_000 + 7_200).to_string())
        .replace("LATER", &(now_ms / 1_000 + 86_400).to_string());
    let mut file = std::fs::File::create(folder.join("rollout.jsonl")).expect("a file");
    file.write_all(format!("{line}\n").as_bytes()).expect("written");
    let plans = control::plans(&world.core).await.expect("plans");
    let [plan] = plans.plans.as_slice() else { panic!("{plans:?}") };
    assert_eq!((plan.label.as_str(), plan.windows.len()), ("Codex CLI (plus)", 2));
    let [short, long] = plan.windows.as_slice() else { panic!("{plan:?}") };
    assert_eq!((short.label.as_str(), short.state), ("5 hours", PlanWindowState::RunsOut));
    assert_eq!(short.used_percent, Some(74.0));
    assert!(short.runs_out_at.is_some_and(|at| at < short.resets_at), "{short:?}");
    assert_eq!((long.label.as_str(), long.state), ("7 days", PlanWindowState::Lasts));
    assert_eq!(
        plans.finding,
        "Codex CLI (plus): at this pace the window of 5 hours is used up early"
    );
}
