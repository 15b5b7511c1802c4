//! `cargo xtask test`: runs every test, in steps that can each run alone.
//!
//! Cheap steps come first, so that a formatting error fails in a second and not after the window
//! tests. A failed step does not stop the others, so one run reports everything. The prerequisites
//! of all steps are installed before the first one starts.

mod audit;
mod counts;
mod hermetic;
mod node;
mod rust;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::builder::PossibleValuesParser;

use crate::install::{self, Need};
use crate::repository::Repository;
use counts::Counts;
use hermetic::Hermetic;
use steps::STEPS;

/// What `test` understands.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Run these steps only, in their usual order
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = step_names())]
    only: Vec<String>,
    /// Say which steps there are, and run none
    #[arg(long)]
    list: bool,
}

struct Step {
    name: &'static str,
    says: &'static str,
    needs: &'static [Need],
    run: fn(&Surroundings<'_>) -> Result<Outcome>,
}

/// The context of all steps.
struct Surroundings<'a> {
    repository: &'a Repository,
    hermetic: Hermetic,
}

/// The outcome of a step that could run.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Outcome {
    /// The step is a single check, and it passed.
    Well,
    /// The step ran tests; it failed if one of them failed.
    Counted(Counts),
    /// The step cannot run here, with the reason.
    Skipped(&'static str),
}

/// The result of a step, for the table.
struct Ran {
    name: &'static str,
    took: Duration,
    counts: Counts,
    note: String,
}

/// Runs the chosen steps. The exit code is 0 only if no step failed.
pub(crate) fn run(repository: &Repository, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.says);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen: Vec<&Step> = STEPS
        .iter()
        .filter(|step| arguments.only.is_empty() || arguments.only.iter().any(|o| o == step.name))
        .collect();
    let needs: Vec<Need> = chosen.iter().flat_map(|step| step.needs.iter().copied()).collect();
    install::ensure(repository, &needs)?;
    let testing = chosen.iter().any(|step| step.name != steps::HERMETIC);
    let hermetic = Hermetic::prepare(repository, testing)?;
    let surroundings = Surroundings { repository, hermetic };
    let ran: Vec<Ran> = chosen.iter().map(|step| carry_out(step, &surroundings)).collect();
    Ok(report(&ran))
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

fn carry_out(step: &Step, surroundings: &Surroundings<'_>) -> Ran {
    println!("\n=== {}: {}", step.name, step.says);
    let start = Instant::now();
    let outcome = (step.run)(surroundings);
    let took = start.elapsed();
    let (counts, note) = match outcome {
        Ok(Outcome::Well) => (Counts::one_passed(), String::new()),
        Ok(Outcome::Counted(counts)) => (counts, String::new()),
        Ok(Outcome::Skipped(why)) => (Counts::one_skipped(), why.to_owned()),
        Err(error) => {
            println!("{error:#}");
            (Counts::one_failed(), String::new())
        }
    };
    let mut ran = Ran { name: step.name, took, counts, note };
    if ran.is_red() {
        ran.note = format!("repeat: cargo xtask test --only {}", step.name);
    }
    println!("=== {}: {} in {}  {}", step.name, ran.word(), seconds(took), ran.note);
    ran
}

fn report(ran: &[Ran]) -> ExitCode {
    println!(
        "\n{:<10} {:<8} {:>8} {:>7} {:>7} {:>8}",
        "step", "", "time", "passed", "failed", "skipped"
    );
    let mut total = Counts::default();
    for step in ran {
        let Counts { passed, failed, skipped } = step.counts;
        let line = format!(
            "{:<10} {:<8} {:>8} {passed:>7} {failed:>7} {skipped:>8}  {}",
            step.name,
            step.word(),
            seconds(step.took),
            step.note
        );
        println!("{}", line.trim_end());
        total = total.plus(step.counts);
    }
    println!("\n{total}");
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl Ran {
    fn is_red(&self) -> bool {
        self.counts.failed > 0
    }

    fn word(&self) -> &'static str {
        match self.counts {
            Counts { failed: 1.., .. } => "FAILED",
            Counts { passed: 0, .. } => "skipped",
            Counts { .. } => "ok",
        }
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
