//! `gatehouse check`: starts a readiness run, follows its progress and prints the report.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use control::view::{CheckSetView, ReadinessStart, RunStateView, RunVerdictView, RunView};
use control::{Core, CoreEvents, PanelEvent, Tag};
use tokio::time::timeout;

use crate::console::{Console, Format, Peer};
use crate::exit::{Exit, Failure};
use crate::serve::serve_quietly;
use crate::session::unlock_by_hand;
use crate::sign::Tone;
use crate::text::Text;

mod report;

pub(super) use report::{Detail, finished_check, report};

/// Which checks, and where the answer goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// quick: local parts only, takes a few seconds; full: all checks, also free
    #[arg(long, value_enum, default_value_t = Set::Full)]
    set: Set,
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

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Set {
    Quick,
    Full,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckFormat {
    Text,
    Json,
}

pub(crate) async fn run(
    wanted: &Check,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let format = chosen(wanted.format, console.format)?;
    unlock_by_hand(core, console).await?;
    serve_quietly(core).await?;
    run_within(Duration::from_secs(wanted.timeout), wanted, format, core, console).await
}

async fn run_within(
    limit: Duration,
    wanted: &Check,
    format: CheckFormat,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let mut told = Told::new(format, console);
    let run = tokio::select! {
        outcome = timeout(limit, follow(wanted, core, &mut told, console)) => match outcome {
            Ok(run) => run?,
            Err(_) => return give_up(limit, core).await,
        },
        _ = tokio::signal::ctrl_c() => {
            control::readiness_cancel(core).await?;
            return Err(Failure::new(Exit::No, "the checks were cancelled"));
        }
    };
    answer(&run, format, wanted, &told, console)?;
    Ok(exit(&run))
}

/// `--json` means `--format json` and conflicts with `--format text`.
pub(super) fn chosen(named: Option<CheckFormat>, global: Format) -> Result<CheckFormat, Failure> {
    match (named, global) {
        (None | Some(CheckFormat::Json), Format::Json) => Ok(CheckFormat::Json),
        (Some(CheckFormat::Text), Format::Json) => {
            Err(Failure::new(Exit::Usage, "--json and --format cannot be combined")
                .with_hint("Use one of them."))
        }
        (named, Format::Text) => Ok(named.unwrap_or(CheckFormat::Text)),
    }
}

/// A cancelled run has no verdict and counts as not ready.
pub(super) const fn exit(run: &RunView) -> Exit {
    match run.verdict {
        Some(RunVerdictView::Ready | RunVerdictView::ReadyWithWarnings) => Exit::Fine,
        Some(RunVerdictView::NotReady) | None => Exit::No,
    }
}

async fn give_up(limit: Duration, core: &Core) -> Result<Exit, Failure> {
    control::readiness_cancel(core).await?;
    let message = format!("the checks did not finish within {} s", limit.as_secs());
    Err(Failure::new(Exit::TimeOut, message)
        .with_hint("Allow more time with --timeout, or run fewer checks with --set quick."))
}

async fn follow(
    wanted: &Check,
    core: &Core,
    told: &mut Told,
    console: &mut Console,
) -> Result<RunView, Failure> {
    // Subscribe before the run starts, so that its end cannot be missed.
    let mut events = CoreEvents::of(core).await?;
    let set = match wanted.set {
        Set::Quick => CheckSetView::Quick,
        Set::Full => CheckSetView::Full,
    };
    let started = control::readiness_start(core, ReadinessStart { set }).await?;
    loop {
        let run = match events.next().await {
            Some(PanelEvent::RunProgress { run }) => Some(*run),
            // Events may have been lost, so fetch the newest run instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&Tag::Readiness) => {
                control::readiness(core).await?.run
            }
            Some(_) => None,
            None => {
                let message = "Gatehouse stopped before the checks finished";
                return Err(Failure::new(Exit::Fault, message));
            }
        };
        let Some(run) = run.filter(|run| run.id == started.id) else { continue };
        told.tell(&run, console);
        if run.state != RunStateView::Running {
            return Ok(run);
        }
    }
}

/// Progress output of a run: remembers the checks already printed.
struct Told {
    live: Peer,
    checks: HashSet<String>,
}

impl Told {
    /// Progress is printed only to a terminal, and only for text output.
    fn new(format: CheckFormat, console: &Console) -> Self {
        let live = match format {
            CheckFormat::Text => console.watching,
            CheckFormat::Json => Peer::Other,
        };
        Self { live, checks: HashSet::new() }
    }

    fn tell(&mut self, run: &RunView, console: &mut Console) {
        if self.live == Peer::Other {
            return;
        }
        let mut text = Text::new();
        for check in &run.checks {
            if report::has_ended(check.state) && self.checks.insert(check.id.clone()) {
                finished_check(&mut text, check);
            }
        }
        console.remark(&text);
    }

    /// The detail of the final report: findings only where the checks were printed as progress.
    const fn rest(&self) -> Detail {
        match self.live {
            Peer::Terminal => Detail::Findings,
            Peer::Other => Detail::EveryCheck,
        }
    }
}

fn answer(
    run: &RunView,
    format: CheckFormat,
    wanted: &Check,
    told: &Told,
    console: &mut Console,
) -> Result<(), Failure> {
    let Some(path) = &wanted.output else {
        return match format {
            CheckFormat::Json => {
                let json = console.json(run)?;
                console.print(&json)
            }
            CheckFormat::Text => console.print(&report(run, told.rest()).to_string()),
        };
    };
    let content = match format {
        CheckFormat::Json => console.json(run)?,
        CheckFormat::Text => {
            anstream::adapter::strip_str(&report(run, Detail::EveryCheck).to_string()).to_string()
        }
    };
    report::write_file(path, &content)?;
    let mut text = Text::new();
    text.line(Tone::Plain, &format!("{} (report in {})", run.sentence, path.display()));
    console.remark(&text);
    Ok(())
}

#[cfg(test)]
mod tests;
