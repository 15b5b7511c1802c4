//! `cargo xtask test`: runs every test, in steps that can each run alone.
//!
//! Cheap steps come first, so that a formatting error fails in a second and not after the window
//! tests. A failed step does not stop the others, so one run reports everything. The prerequisites
//! of all steps are installed before the first one starts.

mod audit;
mod counts;
mod hermetic;
mod junit;
mod node;
mod rust;
mod sdk_packages;
mod steps;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::builder::PossibleValuesParser;

use crate::install::{self, Prerequisite};
use crate::repository::Repository;
use counts::TestCounts;
use hermetic::HermeticHome;
use steps::STEPS;

#[derive(clap::Args)]
pub(crate) struct TestArguments {
    /// Run these steps only, in their usual order
    #[arg(long, value_name = "STEP", value_delimiter = ',', value_parser = step_names())]
    only: Vec<String>,
    /// Say which steps there are, and run none
    #[arg(long)]
    list: bool,
}

struct TestStep {
    name: &'static str,
    description: &'static str,
    needs: &'static [Prerequisite],
    run: fn(&StepContext<'_>) -> Result<StepOutcome>,
}

struct StepContext<'a> {
    repository: &'a Repository,
    hermetic: HermeticHome,
}

/// The outcome of a step that could run.
#[derive(Clone, PartialEq, Eq, Debug)]
enum StepOutcome {
    /// The step is a single check, and it passed.
    Passed,
    /// The step ran tests; it failed if one of them failed.
    Counted(TestCounts),
    /// The step cannot run here, with the reason.
    Skipped(&'static str),
}

struct StepResult {
    name: &'static str,
    took: Duration,
    counts: TestCounts,
    note: String,
}

/// Runs the chosen steps. The exit code is 0 only if no step failed.
pub(crate) fn run(repository: &Repository, arguments: &TestArguments) -> Result<ExitCode> {
    if arguments.list {
        for step in STEPS {
            println!("{:<10} {}", step.name, step.description);
        }
        return Ok(ExitCode::SUCCESS);
    }
    let chosen: Vec<&TestStep> = STEPS
        .iter()
        .filter(|step| arguments.only.is_empty() || arguments.only.iter().any(|o| o == step.name))
        .collect();
    let needs: Vec<Prerequisite> =
        chosen.iter().flat_map(|step| step.needs.iter().copied()).collect();
    install::ensure(repository, &needs)?;
    let testing = chosen.iter().any(|step| step.name != steps::HERMETIC);
    let hermetic = HermeticHome::prepare(repository, testing)?;
    let context = StepContext { repository, hermetic };
    let ran: Vec<StepResult> = std::thread::scope(|scope| {
        if chosen.iter().any(|step| step.name == steps::SDK) {
            scope.spawn(|| install_early(repository));
        }
        chosen.iter().map(|step| run_step(step, &context)).collect()
    });
    Ok(report(&ran))
}

/// Installs the SDKs while other steps run. A failure is only told: the step tries once more, and
/// reports it.
fn install_early(repository: &Repository) {
    if let Err(error) = sdk_packages::install(repository) {
        println!("the vendors' SDKs could not be installed yet: {error:#}");
    }
}

fn step_names() -> PossibleValuesParser {
    PossibleValuesParser::new(STEPS.iter().map(|step| step.name))
}

fn run_step(step: &TestStep, context: &StepContext<'_>) -> StepResult {
    println!("\n=== {}: {}", step.name, step.description);
    let start = Instant::now();
    let outcome = (step.run)(context);
    let took = start.elapsed();
    let (counts, note) = match outcome {
        Ok(StepOutcome::Passed) => (TestCounts::one_passed(), String::new()),
        Ok(StepOutcome::Counted(counts)) => (counts, String::new()),
        Ok(StepOutcome::Skipped(why)) => (TestCounts::one_skipped(), why.to_owned()),
        Err(error) => {
            println!("{error:#}");
            (TestCounts::one_failed(), String::new())
        }
    };
    let mut ran = StepResult { name: step.name, took, counts, note };
    if ran.is_red() {
        ran.note = format!("repeat: cargo xtask test --only {}", step.name);
    }
    println!("=== {}: {} in {}  {}", step.name, ran.word(), format_seconds(took), ran.note);
    ran
}

fn report(ran: &[StepResult]) -> ExitCode {
    println!(
        "\n{:<10} {:<8} {:>8} {:>7} {:>7} {:>8}",
        "step", "", "time", "passed", "failed", "skipped"
    );
    let mut total = TestCounts::default();
    for step in ran {
        let TestCounts { passed, failed, skipped } = step.counts;
        let line = format!(
            "{:<10} {:<8} {:>8} {passed:>7} {failed:>7} {skipped:>8}  {}",
            step.name,
            step.word(),
            format_seconds(step.took),
            step.note
        );
        println!("{}", line.trim_end());
        total = total.plus(step.counts);
    }
    println!("\n{total}");
    if total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

impl StepResult {
    fn is_red(&self) -> bool {
        self.counts.failed > 0
    }

    fn word(&self) -> &'static str {
        match self.counts {
            TestCounts { failed: 1.., .. } => "FAILED",
            TestCounts { passed: 0, .. } => "skipped",
            TestCounts { .. } => "ok",
        }
    }
}

fn format_seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
