//! Measures how long a request waits for the ledger: `pace PATH REQUESTS LANES`.
//!
//! Each worker thread reserves and settles made-up requests one after the other, as the gateway
//! does for a backend that answers at once. Prints the median and the 99th percentile of both calls
//! together, including the commit, and the requests per second until all were readable.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of its own: it reads its arguments and prints"
)]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::{
    BackendId, ClientId, Clock, Endpoint, Entropy, NanoUsd, RequestId, SeededEntropy, SystemClock,
    TokenUsage, WallTime,
};
use futures_util::future::try_join_all;
use ledger::{
    AttemptRecord, Ledger, NewRequest, Purpose, RequestOutcome, Settlement, Timings, UsageBasis,
};
use pricing::Cost;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let usage = "usage: pace PATH REQUESTS LANES";
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or(usage)?;
    let requests: usize = arguments.next().ok_or(usage)?.parse()?;
    let clients: usize = arguments.next().ok_or(usage)?.parse()?;
    let ledger = Ledger::open(Path::new(&path))?;
    let (entropy, clock) = (SeededEntropy::new(1), SystemClock::new());
    let begun = Instant::now();
    let client = async |_| {
        let mut took = Vec::new();
        for _ in 0..requests / clients.max(1) {
            let settlement = made_up(clock.wall(), &entropy)?;
            let called = Instant::now();
            ledger.reserve(settlement.request.clone())?;
            ledger.settle(settlement).await?;
            took.push(called.elapsed());
            tokio::task::yield_now().await;
        }
        Ok::<_, Box<dyn Error>>(took)
    };
    let mut took = try_join_all((0..clients).map(client)).await?.concat();
    let answered = begun.elapsed();
    let (from, to) = (WallTime::from_unix_ms(0), WallTime::from_unix_ms(i64::MAX / 2));
    let counted = ledger.spend(from, to).await?.requests;
    let readable = begun.elapsed();
    took.sort_unstable();
    let at = |share: usize| took.get(took.len() * share / 100).copied().unwrap_or_default();
    let pace = |all: Duration| requests as f64 / all.as_secs_f64();
    println!(
        "clients {clients}: p50 {:?}, p99 {:?}, {:.0}/s answered, {:.0}/s readable, {counted} counted",
        at(50),
        at(99),
        pace(answered),
        pace(readable)
    );
    Ok(())
}

/// As long as a decision with three candidates.
const DECISION: &str = r#"{"route":"fast","policy":"ordered","candidates":[{"backend":"home","model":"small-mini","why":"first in the list"},{"backend":"away","credential":"away-key","model":"small-mini","why":"second in the list"},{"backend":"cloud","credential":"cloud-key","model":"small-mini","why":"third in the list, and cooling down for 12 s"}],"passed_over":[],"explanation":"home: first in the list and healthy"}"#;

fn made_up(started: WallTime, entropy: &dyn Entropy) -> Result<Settlement, domain::IdError> {
    let backend = BackendId::new("home")?;
    let model = "small-mini".to_owned();
    let attempt = AttemptRecord {
        duration: Duration::from_millis(3),
        http_status: Some(200),
        cost: Cost::Reported(NanoUsd::new(1)),
        ..AttemptRecord::started(
            Endpoint { backend: backend.clone(), credential: None },
            &model,
            started,
        )
    };
    let request = NewRequest {
        id: RequestId::generate(started, entropy),
        started,
        client: ClientId::new("editor")?,
        project: None,
        route: model.clone(),
        model_asked: model.clone(),
        dialect: "openai-chat".to_owned(),
        streamed: false,
        purpose: Purpose::User,
    };
    Ok(Settlement {
        outcome: RequestOutcome::Complete,
        backend: Some(backend),
        model_billed: Some(model),
        http_status: Some(200),
        finish_reason: Some("stop".to_owned()),
        usage: Some(TokenUsage { input_uncached: 7, ..TokenUsage::default() }),
        usage_basis: Some(UsageBasis::Reported),
        usage_raw: Some(r#"{"prompt_tokens":7,"completion_tokens":0,"total_tokens":7}"#.to_owned()),
        cost: Cost::Reported(NanoUsd::new(3)),
        timings: Timings { total: Some(Duration::from_millis(3)), ..Timings::default() },
        bytes_in: 400,
        bytes_out: 500,
        explanation: Some("home: first in the list and healthy".to_owned()),
        decision: Some(DECISION.to_owned()),
        attempts: vec![attempt],
        ..Settlement::unfinished(request)
    })
}
