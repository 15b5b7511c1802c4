//! Benchmarks without traffic: idle load, start, `gatehouse status`, profiles, dashboard queries.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::agent_tools;
use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::figures::{median, percentile};
use super::home::{BenchHome, BenchVault};
use super::report::{Figure, FigureTarget};
use super::upstream::MODEL;
use crate::call::ProgramCall;

/// Starts in a round.
const STARTS: usize = 4;

/// Calls of `gatehouse status` in a round.
const STATUS_CALLS: usize = 20;

/// Requests in the ledger for the dashboard queries.
const LEDGER_REQUESTS: usize = 1_000_000;

/// Dashboard queries in a round, each with a period and a dimension.
const DASHBOARD_QUERIES: usize = 40;

/// Processor time of an idle program.
pub(crate) fn idle(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    // By then the work of the start is over, above all the vault's key derivation.
    std::thread::sleep(Duration::from_secs(5));
    let before = served.process.processor_seconds()?;
    std::thread::sleep(environment.idle);
    let used = served.process.processor_seconds()? - before;
    let percent = 100.0 * used / environment.idle.as_secs_f64();
    let note = format!("one window of {} s, health probes included", environment.idle.as_secs());
    Ok(vec![
        Figure::of_gatehouse("idle: % of a core", percent, FigureTarget::AtMost(0.1))
            .with_note(note),
    ])
}

/// Time from `gatehouse serve` to the first answer.
pub(crate) fn start(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let (mut bare, mut opened) = (Vec::new(), Vec::new());
    for _ in 0..environment.rounds * STARTS {
        bare.push(start_ms(environment, &home, BenchVault::Env)?);
        opened.push(start_ms(environment, &home, BenchVault::File)?);
    }
    let quantity = "serve: start to first answer, ms";
    let bare = Figure::of_gatehouse(quantity, median(&bare), FigureTarget::AtMost(100.0));
    let quantity = "the same with a passphrase to check, ms";
    let opened = Figure::of_gatehouse(quantity, median(&opened), FigureTarget::Nothing);
    Ok(vec![bare, opened.with_note("the file vault is made slow to guess")])
}

fn start_ms(
    environment: &BenchEnvironment<'_>,
    home: &BenchHome,
    vault: BenchVault,
) -> Result<f64> {
    let begin = Instant::now();
    let served = home.serve(vault)?;
    environment.block_on(async {
        let request = served.server.request(MODEL, AnswerFormat::Whole);
        served.server.connect().await?.send_and_check(&request).await
    })?;
    Ok(begin.elapsed().as_secs_f64() * 1_000.0)
}

/// `gatehouse status` beside a running engine.
pub(crate) fn status(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let _served = home.serve(BenchVault::File)?;
    let mut times = Vec::new();
    for _ in 0..environment.rounds * STATUS_CALLS {
        let begin = Instant::now();
        let said = home.command(BenchVault::File, &["status"]).output()?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if !String::from_utf8_lossy(&said.stdout).contains("running") {
            bail!("`gatehouse status` did not see the gateway");
        }
    }
    let mut help = Vec::new();
    for _ in 0..environment.rounds * STATUS_CALLS {
        let begin = Instant::now();
        let said = home.command(BenchVault::File, &["--help"]).output()?;
        help.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if !said.status.success() {
            bail!("`gatehouse --help` failed");
        }
    }
    let figure = |quantity, times: &[f64], target| {
        Figure::of_gatehouse(quantity, median(times), target)
            .with_note(format!("p95 {:.1}", percentile(times, 95)))
    };
    let quantity = "gatehouse status beside an engine, ms";
    Ok(vec![
        figure(quantity, &times, FigureTarget::AtMost(30.0)),
        figure("gatehouse --help, ms", &help, FigureTarget::AtMost(10.0)),
    ])
}

/// A change of the profile in use until the operation has answered: its settings are saved and in
/// force by then.
pub(crate) fn profile(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let _served = home.serve(BenchVault::File)?;
    let server = home.control_api()?;
    let times = environment.block_on(async {
        let mut connection = server.connect().await?;
        for (name, backend) in [("work", "keyed"), ("home", "open")] {
            let profile = format!(r#"{{"name":"{name}","backends":["{backend}"]}}"#);
            let request = server.post("/control/v1/profile_set", &profile);
            connection.send_and_check(&request).await?;
        }
        let mut times = Vec::new();
        for name in ["work", "home"].iter().cycle().take(environment.rounds * STATUS_CALLS) {
            let switch = format!(r#"{{"name":"{name}"}}"#);
            let begin = Instant::now();
            let request = server.post("/control/v1/profile_switch", &switch);
            connection.send_and_check(&request).await?;
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        anyhow::Ok(times)
    })?;
    let note = format!("p50 {:.1}", median(&times));
    let quantity = "profile switched and in force, ms p95";
    let figure =
        Figure::of_gatehouse(quantity, percentile(&times, 95), FigureTarget::AtMost(200.0));
    Ok(vec![figure.with_note(note)])
}

/// Dashboard totals over a large ledger, queried as the panel does.
pub(crate) fn usage(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let root = &environment.repository.root;
    ProgramCall::cargo("build --release -p ledger --example fill", root).run()?;
    let fill = environment.repository.target.join("release/examples/fill");
    let begin = Instant::now();
    ProgramCall::new(fill, root).arg(home.ledger()).arg(LEDGER_REQUESTS.to_string()).run()?;
    let note = format!("the ledger was written in {:.0} s", begin.elapsed().as_secs_f64());
    let _served = home.serve(BenchVault::File)?;
    let mut slowest = Vec::new();
    for _ in 0..environment.rounds {
        slowest.push(percentile(&measure_queries_ms(environment, &home)?, 95));
    }
    let quantity = "usage over 1,000,000 requests, ms p95";
    let mut figures = vec![
        Figure::of_gatehouse(quantity, median(&slowest), FigureTarget::AtMost(50.0))
            .with_note(note),
    ];
    figures.extend(agent_tools::usage_summary(&home, environment.rounds)?);
    Ok(figures)
}

fn measure_queries_ms(environment: &BenchEnvironment<'_>, home: &BenchHome) -> Result<Vec<f64>> {
    let server = home.control_api()?;
    let periods = ["today", "last_day", "last_week", "last_month"];
    let dimensions = ["model", "backend", "client", "credential"];
    let every = dimensions.iter().flat_map(|by| periods.iter().map(move |period| (period, by)));
    environment.block_on(async {
        let mut connection = server.connect().await?;
        let mut times = Vec::new();
        for (period, by) in every.cycle().take(DASHBOARD_QUERIES) {
            let question = format!(r#"{{"range":"{period}","group_by":"{by}","zone":"utc"}}"#);
            let begin = Instant::now();
            connection.send_and_check(&server.post("/control/v1/usage", &question)).await?;
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(times)
    })
}
