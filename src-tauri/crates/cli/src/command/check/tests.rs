//! Follows runs on a real core in a temporary folder. Rendering is tested elsewhere with fixed
//! views.

use clap::Parser;
use control::EngineConfig;

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    check: CheckArguments,
}

/// Runs the quick checks on a new core with `limit` and the typed options.
async fn outcome(
    typed: &[&str],
    limit: Duration,
    format: ConsoleFormat,
) -> (Result<Exit, Exit>, String, String) {
    let home = tempfile::tempdir().expect("a folder");
    let own =
        [("GATEHOUSE_HOME", home.path().to_str().expect("text")), ("GATEHOUSE_VAULT", "memory")];
    let own = own.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut config = EngineConfig::from_variables(own).expect("a config");
    config.port = Some(0);
    let core = Core::open(config).await.expect("a core");
    serve_without_panel(&core).await.expect("serving");
    let (mut console, answers, remarks) = Console::for_test(format, StreamPeer::Other);
    let line = ["check", "--set", "quick"].iter().chain(typed);
    let wanted = Line::try_parse_from(line).expect("understood").check;
    let chosen = choose_check_format(wanted.format, format).expect("no contradiction");
    let ended = run_within(limit, &wanted, chosen, &core, &mut console).await;
    core.stop().await;
    (ended.map_err(|failure| failure.exit()), answers.text(), remarks.text())
}

const ENOUGH: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_run_is_followed_to_its_end() {
    let (ended, answer, remarks) = outcome(&[], ENOUGH, ConsoleFormat::Json).await;
    let run: ReadinessRunView = serde_json::from_str(&answer).expect("a run");
    assert_eq!(run.verdict, Some(ReadinessVerdict::NotSetUp), "the mock alone: {answer}");
    assert_eq!((run.score_tenths, ended), (None, Ok(Exit::Negative)), "{answer}");
    assert_eq!(run.state, ReadinessRunStateView::Finished);
    assert!(run.checks.iter().all(|check| report::has_ended(check.state)), "{answer}");
    assert_eq!(remarks, "", "a program gets the answer and nothing else");
}

#[tokio::test]
async fn a_report_in_a_file_is_whole_and_without_colours() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.txt");
    let typed = ["--output", path.to_str().expect("text")];
    let (ended, answer, remarks) = outcome(&typed, ENOUGH, ConsoleFormat::Text).await;
    assert_eq!((ended, answer.as_str()), (Ok(Exit::Negative), ""));
    assert!(remarks.contains("report.txt"), "{remarks}");
    let report = std::fs::read_to_string(&path).expect("the report");
    assert!(report.contains("R-02") && !report.contains('\u{1b}'), "{report}");
}

#[tokio::test]
async fn a_run_that_takes_too_long_is_a_time_out() {
    let (ended, answer, _) = outcome(&[], Duration::ZERO, ConsoleFormat::Text).await;
    assert_eq!((ended, answer.as_str()), (Err(Exit::TimedOut), ""));
}
