//! The limits of a plan in the logs of Codex CLI.

use super::*;
use crate::{PlanReading, PlanWindowReading, read_plan_limits};

fn line(time: &str, limits: &str) -> String {
    format!(
        r#"{{"timestamp":"{time}","type":"event_msg","payload":{{"type":"token_count","info":null,"rate_limits":{limits}}}}}"#
    )
}

fn limits(used: f64, resets_at: i64) -> String {
    format!(
        r#"{{"limit_id":"codex","limit_name":null,"primary":{{"used_percent":{used},"window_minutes":300,"resets_at":{resets_at}}},"secondary":{{"used_percent":61.0,"window_minutes":10080,"resets_at":1795700000}},"credits":{{"has_credits":false}},"plan_type":"plus"}}"#
    )
}

/// The readings of files, each named and changed at [`NOW`].
fn readings(files: &[(&str, String)]) -> Vec<PlanReading> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in files {
        write(folder.path(), name, content);
        let file = std::fs::File::options().append(true).open(folder.path().join(name));
        let changed =
            std::time::UNIX_EPOCH + std::time::Duration::from_millis(NOW.unix_ms().unsigned_abs());
        file.expect("the file").set_modified(changed).expect("a time");
    }
    let roots = [LogRoot { tool: SessionTool::Codex, path: folder.path().to_owned() }];
    read_plan_limits(&roots, NOW)
}

#[test]
fn the_newest_line_of_all_files_counts() {
    let older = [
        line("2026-11-22T21:00:00Z", &limits(70.0, 1_795_389_000)),
        line("2026-11-22T22:00:00Z", &limits(80.0, 1_795_389_000)),
    ];
    let newer = [line("2026-11-22T23:00:00Z", &limits(12.5, 1_795_400_000)), "{".to_owned()];
    let found = readings(&[
        ("2026/11/22/rollout-b.jsonl", newer.join("\n")),
        ("2026/11/22/rollout-a.jsonl", older.join("\n")),
    ]);
    let read = WallTime::from_unix_ms(1_795_388_400_000);
    let window = |minutes, used_percent, resets_s: i64| PlanWindowReading {
        minutes,
        used_percent,
        resets: WallTime::from_unix_ms(resets_s * 1_000),
        read,
    };
    assert_eq!(
        found,
        [PlanReading {
            tool: SessionTool::Codex,
            read,
            plan: Some("plus".to_owned()),
            limit: None,
            id: "codex".to_owned(),
            windows: vec![window(300, 12.5, 1_795_400_000), window(10_080, 61.0, 1_795_700_000)],
        }]
    );
}

#[test]
fn a_forks_copy_of_old_lines_is_no_newer_reading() {
    let parent = line("2026-11-22T22:00:00Z", &limits(95.0, 1_795_400_000));
    // Told again with the time of the fork: less of the same window, and one that is over.
    let same = line("2026-11-22T23:59:00Z", &limits(12.0, 1_795_400_060));
    let over = line("2026-11-22T23:59:30Z", &limits(80.0, 1_795_380_000));
    for copied in [same, over] {
        let found =
            readings(&[("rollout-parent.jsonl", parent.clone()), ("rollout-fork.jsonl", copied)]);
        assert_eq!(found[0].windows[0].used_percent, 95.0);
        assert_eq!(found[0].windows[0].resets, WallTime::from_unix_ms(1_795_400_000_000));
    }
}

#[test]
fn a_limit_of_its_own_stands_beside_the_plans() {
    let own = r#"{"limit_id":"codex_fast","limit_name":"Fast models","primary":{"used_percent":3,"window_minutes":300,"resets_at":1795400000}}"#;
    let text = [
        line("2026-11-22T22:00:00Z", &limits(40.0, 1_795_400_000)),
        line("2026-11-22T22:30:00Z", own),
    ];
    let found = readings(&[("rollout.jsonl", text.join("\n"))]);
    let named: Vec<_> = found.iter().map(|reading| reading.limit.as_deref()).collect();
    assert_eq!(named, [None, Some("Fast models")]);
    assert_eq!(found[1].windows.len(), 1);
}

#[test]
fn what_cannot_be_believed_is_no_reading() {
    let time = "2026-11-22T23:00:00Z";
    for (what, text) in [
        ("a null", line(time, "null")),
        ("more than all", line(time, &limits(101.0, 1_795_400_000)).replace("61.0", "-1")),
        (
            "a text",
            line(
                time,
                r#"{"primary":{"used_percent":"9","window_minutes":300,"resets_at":1795400000}}"#,
            ),
        ),
        (
            "a reset in milliseconds",
            line(time, &limits(9.0, 1_795_400_000_000)).replace("1795700000", "1"),
        ),
        (
            "the seconds until the reset",
            line(
                time,
                r#"{"primary":{"used_percent":9,"window_minutes":300,"resets_in_seconds":60}}"#,
            ),
        ),
        ("no reset", line(time, r#"{"primary":{"used_percent":9,"window_minutes":300}}"#)),
        ("a time to come", line("2026-11-23T00:00:01Z", &limits(1.0, 1_795_400_000))),
        (
            "a window of no time",
            line(
                time,
                r#"{"primary":{"used_percent":9,"window_minutes":0,"resets_at":1795400000}}"#,
            ),
        ),
    ] {
        assert_eq!(readings(&[("rollout.jsonl", text)]), [], "{what}");
    }
    // One window of another shape costs only itself.
    let half = limits(12.0, 1_795_400_000).replace("\"used_percent\":61.0", "\"used\":61.0");
    assert_eq!(readings(&[("rollout.jsonl", line(time, &half))])[0].windows.len(), 1);
}

#[test]
fn only_the_end_of_a_file_and_the_newest_files_are_looked_into() {
    let counted = line("2026-11-22T23:00:00Z", &limits(12.0, 1_795_400_000));
    let tail = usize::try_from(crate::plan_limits::PLAN_TAIL_BYTES_MAX).expect("a small number");
    let after = |bytes: usize| format!("{counted}\n{}", "x".repeat(bytes));
    let room = tail - counted.len() - 1;
    assert_eq!(readings(&[("rollout.jsonl", after(room))]).len(), 1);
    assert_eq!(readings(&[("rollout.jsonl", after(room + 1))]), []);
}
