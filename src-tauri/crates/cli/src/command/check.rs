//! `gatehouse check`: starts a readiness run, follows its progress and prints the report.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use control::view::{
    CheckSet, ReadinessRunStateView, ReadinessRunView, ReadinessStart, ReadinessVerdict,
};
use control::{ChangeTag, Core, CoreEvents, PanelEvent};
use tokio::time::timeout;

use crate::console::{Console, ConsoleFormat, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::output_file::write_file;
use crate::serve::serve_without_panel;
use crate::sign::Tone;
use crate::text::StyledText;
use crate::unlock::unlock_interactively;
use crate::word::word;

mod report;

pub(super) use report::{ReportDetail, append_finished_check, render_report};

/// Which checks, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckArguments {
    /// Which checks to run
    #[arg(long, value_parser = word::<CheckSet>(), default_value_t = CheckSet::Full)]
    set: CheckSet,
    /// Output format
    #[arg(long, value_enum)]
    format: Option<CheckFormat>,
    /// Write the report to a file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Give up after this many seconds
    #[arg(long, value_name = "SECS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    Text,
    Json,
}

pub(crate) async fn run(
    wanted: &CheckArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let format = choose_check_format(wanted.format, console.format)?;
    unlock_interactively(core, console).await?;
    serve_without_panel(core).await?;
    run_within(Duration::from_secs(wanted.timeout), wanted, format, core, console).await
}

async fn run_within(
    limit: Duration,
    wanted: &CheckArguments,
    format: CheckFormat,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let mut told = CheckProgress::new(format, console);
    let run = tokio::select! {
        outcome = timeout(limit, follow_readiness_run(wanted, core, &mut told, console)) => match outcome {
            Ok(run) => run?,
            Err(_) => return cancel_on_timeout(limit, core).await,
        },
        _ = tokio::signal::ctrl_c() => {
            control::readiness_cancel(core).await?;
            return Err(CommandError::new(Exit::Negative, "the checks were cancelled"));
        }
    };
    output_report(&run, format, wanted, &told, console)?;
    Ok(exit(&run))
}

/// `--json` means `--format json` and conflicts with `--format text`.
pub(super) fn choose_check_format(
    named: Option<CheckFormat>,
    global: ConsoleFormat,
) -> Result<CheckFormat, CommandError> {
    match (named, global) {
        (None | Some(CheckFormat::Json), ConsoleFormat::Json) => Ok(CheckFormat::Json),
        (Some(CheckFormat::Text), ConsoleFormat::Json) => {
            Err(CommandError::new(Exit::Usage, "--json and --format cannot be combined")
                .with_hint("Use one of them."))
        }
        (named, ConsoleFormat::Text) => Ok(named.unwrap_or(CheckFormat::Text)),
    }
}

/// A cancelled run has no verdict and counts as not ready.
pub(super) const fn exit(run: &ReadinessRunView) -> Exit {
    match run.verdict {
        Some(ReadinessVerdict::Ready | ReadinessVerdict::ReadyWithWarnings) => Exit::Success,
        Some(ReadinessVerdict::NotReady | ReadinessVerdict::NotSetUp) | None => Exit::Negative,
    }
}

async fn cancel_on_timeout(limit: Duration, core: &Core) -> Result<Exit, CommandError> {
    control::readiness_cancel(core).await?;
    let message = format!("the checks did not finish within {} s", limit.as_secs());
    Err(CommandError::new(Exit::TimedOut, message)
        .with_hint("Allow more time with --timeout, or run fewer checks with --set quick."))
}

async fn follow_readiness_run(
    wanted: &CheckArguments,
    core: &Core,
    told: &mut CheckProgress,
    console: &mut Console,
) -> Result<ReadinessRunView, CommandError> {
    // Subscribe before the run starts, so that its end cannot be missed.
    let mut events = CoreEvents::subscribe(core).await?;
    let started = control::readiness_start(core, ReadinessStart { set: wanted.set }).await?;
    loop {
        let run = match events.next().await {
            Some(PanelEvent::RunProgress { run }) => Some(*run),
            // Events may have been lost, so fetch the newest run instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::Readiness) => {
                control::readiness(core).await?.run
            }
            Some(_) => None,
            None => {
                let message = "Gatehouse stopped before the checks finished";
                return Err(CommandError::new(Exit::Internal, message));
            }
        };
        let Some(run) = run.filter(|run| run.id == started.id) else { continue };
        told.print_finished_checks(&run, console);
        if run.state != ReadinessRunStateView::Running {
            return Ok(run);
        }
    }
}

/// Progress output of a run: remembers the checks already printed.
struct CheckProgress {
    live: StreamPeer,
    checks: HashSet<String>,
}

impl CheckProgress {
    /// Progress is printed only to a terminal, and only for text output.
    fn new(format: CheckFormat, console: &Console) -> Self {
        let live = match format {
            CheckFormat::Text => console.stderr,
            CheckFormat::Json => StreamPeer::Other,
        };
        Self { live, checks: HashSet::new() }
    }

    fn print_finished_checks(&mut self, run: &ReadinessRunView, console: &mut Console) {
        if self.live == StreamPeer::Other {
            return;
        }
        let mut text = StyledText::new();
        for check in &run.checks {
            if report::has_ended(check.state) && self.checks.insert(check.id.clone()) {
                append_finished_check(&mut text, check);
            }
        }
        console.print_remark(&text);
    }

    /// The detail of the final report: findings only where the checks were printed as progress.
    const fn remaining_detail(&self) -> ReportDetail {
        match self.live {
            StreamPeer::Terminal => ReportDetail::Findings,
            StreamPeer::Other => ReportDetail::EveryCheck,
        }
    }
}

fn output_report(
    run: &ReadinessRunView,
    format: CheckFormat,
    wanted: &CheckArguments,
    told: &CheckProgress,
    console: &mut Console,
) -> Result<(), CommandError> {
    let Some(path) = &wanted.output else {
        return match format {
            CheckFormat::Json => {
                let json = console.render_json(run)?;
                console.print(&json)
            }
            CheckFormat::Text => {
                console.print(&render_report(run, told.remaining_detail()).to_string())
            }
        };
    };
    let content = match format {
        CheckFormat::Json => console.render_json(run)?,
        CheckFormat::Text => {
            anstream::adapter::strip_str(&render_report(run, ReportDetail::EveryCheck).to_string())
                .to_string()
        }
    };
    write_file(path, &content)?;
    let mut text = StyledText::new();
    text.line(Tone::Plain, &format!("{} (report in {})", run.sentence, path.display()));
    console.print_remark(&text);
    Ok(())
}

#[cfg(test)]
mod tests;
