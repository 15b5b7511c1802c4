//! Session logs through the API: imported with progress, counted apart from the gateway's requests.

use std::io::Write;

use control::view::*;
use control::{CoreEvents, PanelEvent};
use domain::SessionTool;
use session_logs::LogRoot;

use crate::world::{World, new_home};

const LINE: &str = r#"{"type":"assistant","sessionId":"s1","cwd":"/home/dev/shop","timestamp":"2026-11-20T10:00:00Z","message":{"id":"msg_01AAAAAAAAAAAAAAAAAAAAAA","model":"claude-opus-4-5-20251101","content":"PROMPT-CANARY","usage":{"input_tokens":1000,"output_tokens":-1}}}"#;

fn by(group_by: SessionGroupBy) -> SessionLogsQuery {
    SessionLogsQuery { from: None, group_by, zone: TimeZoneChoice::Utc }
}

#[tokio::test(flavor = "multi_thread")]
async fn session_logs_are_imported_and_stand_apart() {
    let home = new_home();
    let folder = home.path().join("projects/p");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut file = std::fs::File::create(folder.join("s1.jsonl")).expect("a file");
    file.write_all(format!("{LINE}\n").as_bytes()).expect("written");
    let world = World::open(home, |config| {
        let path = config.folders.data.with_file_name("projects");
        config.log_roots = vec![LogRoot { tool: SessionTool::ClaudeCode, path }];
    })
    .await;

    let before = control::session_logs(&world.core, by(SessionGroupBy::Tool)).await.expect("logs");
    assert_eq!(before.finding, "No usage from session logs");
    assert_eq!(before.places[0].tool_name, "Claude Code");
    assert!(before.import.is_none());

    let mut events = CoreEvents::subscribe(&world.core).await.expect("events");
    control::session_logs_import(&world.core).await.expect("started");
    let last = loop {
        if let PanelEvent::LogImport { import } = events.next().await.expect("the engine runs")
            && import.state != LogImportState::Running
        {
            break import;
        }
    };
    assert_eq!(last.state, LogImportState::Finished);
    assert_eq!(
        last.sentence,
        "1 answer new or completed, 1 problem in 1 file, 0 of them unchanged"
    );

    let after = control::session_logs(&world.core, by(SessionGroupBy::Tool)).await.expect("logs");
    assert_eq!(after.finding, "1 answer from session logs, worth $0.0050 at list prices");
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
    };
    let usage = control::usage(&world.core, query).await.expect("usage");
    assert_eq!(usage.totals.requests, Count(0), "no sum of the gateway holds session logs");
}
