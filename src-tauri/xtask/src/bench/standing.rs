//! Benchmarks without traffic: idle load, start, `gatehouse status`, dashboard queries.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::Answer;
use super::figures::{median, percentile};
use super::ground::Ground;
use super::home::{Home, Vault};
use super::report::{Figure, Target};
use super::upstream::MODEL;
use crate::call::Call;

/// Starts in a round.
const STARTS: usize = 4;

/// Calls of `gatehouse status` in a round.
const STATUS_CALLS: usize = 20;

/// Requests in the ledger for the dashboard queries.
const LEDGER_REQUESTS: usize = 1_000_000;

/// Dashboard queries in a round, each with a period and a dimension.
const QUESTIONS: usize = 40;

/// Processor time of an idle program.
pub(crate) fn idle(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let served = home.serve(Vault::File)?;
    // By then the work of the start is over, above all the vault's key derivation.
    std::thread::sleep(Duration::from_secs(5));
    let before = served.process.processor_seconds()?;
    std::thread::sleep(ground.idle);
    let used = served.process.processor_seconds()? - before;
    let percent = 100.0 * used / ground.idle.as_secs_f64();
    let note = format!("one window of {} s, health probes included", ground.idle.as_secs());
    Ok(vec![Figure::own("idle: % of a core", percent, Target::AtMost(0.1)).noted(note)])
}

/// Time from `gatehouse serve` to the first answer.
pub(crate) fn start(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let (mut bare, mut opened) = (Vec::new(), Vec::new());
    for _ in 0..ground.rounds * STARTS {
        bare.push(start_ms(ground, &home, Vault::Env)?);
        opened.push(start_ms(ground, &home, Vault::File)?);
    }
    let quantity = "serve: start to first answer, ms";
    let bare = Figure::own(quantity, median(&bare), Target::AtMost(100.0));
    let quantity = "the same with a passphrase to check, ms";
    let opened = Figure::own(quantity, median(&opened), Target::Nothing);
    Ok(vec![bare, opened.noted("the file vault is made slow to guess")])
}

fn start_ms(ground: &Ground<'_>, home: &Home, vault: Vault) -> Result<f64> {
    let begin = Instant::now();
    let served = home.serve(vault)?;
    ground.wait(async {
        let request = served.door.request(MODEL, Answer::Whole);
        served.door.connect().await?.ask(&request).await
    })?;
    Ok(begin.elapsed().as_secs_f64() * 1_000.0)
}

/// `gatehouse status` beside a running engine.
pub(crate) fn status(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let _served = home.serve(Vault::File)?;
    let mut times = Vec::new();
    for _ in 0..ground.rounds * STATUS_CALLS {
        let begin = Instant::now();
        let said = home.command(Vault::File, &["status"]).output()?;
        times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        if !String::from_utf8_lossy(&said.stdout).contains("running") {
            bail!("`gatehouse status` did not see the gateway");
        }
    }
    let note = format!("p95 {:.1}", percentile(&times, 95));
    let quantity = "gatehouse status beside an engine, ms";
    Ok(vec![Figure::own(quantity, median(&times), Target::AtMost(30.0)).noted(note)])
}

/// Dashboard totals over a large ledger, queried as the panel does.
pub(crate) fn usage(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let root = &ground.repository.root;
    Call::cargo("build --release -p ledger --example fill", root).run()?;
    let fill = ground.repository.target.join("release/examples/fill");
    let begin = Instant::now();
    Call::new(fill, root).arg(home.ledger()).arg(LEDGER_REQUESTS.to_string()).run()?;
    let note = format!("the ledger was written in {:.0} s", begin.elapsed().as_secs_f64());
    let _served = home.serve(Vault::File)?;
    let mut slowest = Vec::new();
    for _ in 0..ground.rounds {
        slowest.push(percentile(&questions_ms(ground, &home)?, 95));
    }
    let quantity = "usage over 1,000,000 requests, ms p95";
    Ok(vec![Figure::own(quantity, median(&slowest), Target::AtMost(50.0)).noted(note)])
}

fn questions_ms(ground: &Ground<'_>, home: &Home) -> Result<Vec<f64>> {
    let door = home.control()?;
    let periods = ["today", "last_day", "last_week", "last_month"];
    let dimensions = ["model", "backend", "client", "credential"];
    let every = dimensions.iter().flat_map(|by| periods.iter().map(move |period| (period, by)));
    ground.wait(async {
        let mut connection = door.connect().await?;
        let mut times = Vec::new();
        for (period, by) in every.cycle().take(QUESTIONS) {
            let question = format!(r#"{{"range":"{period}","group_by":"{by}","zone":"utc"}}"#);
            let begin = Instant::now();
            connection.ask(&door.post("/control/v1/usage", &question)).await?;
            times.push(begin.elapsed().as_secs_f64() * 1_000.0);
        }
        Ok(times)
    })
}
