//! Measures a page of requests with each filter: `pages PATH`, on a ledger of the example `fill`.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of its own")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::{BackendId, ClientId, CredentialId, NanoUsd, RequestId};
use ledger::{CacheOutcome, Ledger, RequestQuery, RequestState};

/// Pages of each filter.
const ROUNDS: usize = 100;
const PAGE_ROWS: usize = 100;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: pages PATH")?;
    let ledger = Ledger::open(Path::new(&path))?;
    println!("{:>8} MB", ledger.size_bytes() / 1_000_000);
    for (name, query) in queries()? {
        measure(&ledger, name, query).await?;
    }
    Ok(())
}

/// Every page from the newest on, again from the newest after the last.
async fn measure(ledger: &Ledger, name: &str, query: RequestQuery) -> Result<(), Box<dyn Error>> {
    let (mut before, mut took, mut rows) = (None::<RequestId>, Vec::new(), 0);
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let page = ledger.request_page(RequestQuery { before, ..query.clone() }).await?;
        took.push(started.elapsed());
        rows += page.rows.len();
        before = page.next;
    }
    took.sort();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    let (p50, p95, most) = (at(50), at(95), at(99));
    println!("{name:<28} p50 {p50:>9.1?} p95 {p95:>9.1?} most {most:>9.1?} rows {rows}");
    Ok(())
}

fn queries() -> Result<Vec<(&'static str, RequestQuery)>, Box<dyn Error>> {
    let all = RequestQuery::newest(PAGE_ROWS);
    let text = |text: &str| Some(text.to_owned());
    let cost = |nanos| Some(NanoUsd::new(nanos));
    let took = |ms| Some(Duration::from_millis(ms));
    let agent = Some(ClientId::new("agent")?);
    let groq = Some(BackendId::new("groq")?);
    Ok(vec![
        ("none", all.clone()),
        ("client", RequestQuery { client: agent.clone(), ..all.clone() }),
        ("backend", RequestQuery { backend: groq.clone(), ..all.clone() }),
        ("key", RequestQuery { credential: Some(CredentialId::new("groq-key")?), ..all.clone() }),
        ("project", RequestQuery { project: text("website"), ..all.clone() }),
        ("route", RequestQuery { route: text("coder"), ..all.clone() }),
        ("model", RequestQuery { model: text("gpt-5-mini"), ..all.clone() }),
        ("model asked for", RequestQuery { model: text("vision"), ..all.clone() }),
        ("model, none", RequestQuery { model: text("gpt-2"), ..all.clone() }),
        ("part of a model", RequestQuery { model: text("*MINI*"), ..all.clone() }),
        ("part of no model", RequestQuery { model: text("*command-r*"), ..all.clone() }),
        ("state failed", RequestQuery { state: Some(RequestState::Failed), ..all.clone() }),
        ("state complete", RequestQuery { state: Some(RequestState::Complete), ..all.clone() }),
        ("state running", RequestQuery { state: Some(RequestState::Running), ..all.clone() }),
        ("status 503", RequestQuery { http_status: Some(503..=503), ..all.clone() }),
        ("status 404, none", RequestQuery { http_status: Some(404..=404), ..all.clone() }),
        ("status 2xx", RequestQuery { http_status: Some(200..=299), ..all.clone() }),
        ("failure", RequestQuery { failure: text("overloaded"), ..all.clone() }),
        ("failure, none", RequestQuery { failure: text("dns"), ..all.clone() }),
        ("cache hit, none", RequestQuery { cache: Some(CacheOutcome::Hit), ..all.clone() }),
        ("cost at least, rare", RequestQuery { cost_min: cost(185_000_000), ..all.clone() }),
        ("cost at least, none", RequestQuery { cost_min: cost(1_000_000_000), ..all.clone() }),
        ("cost at most", RequestQuery { cost_max: cost(2_000_000), ..all.clone() }),
        ("unpriced, none", RequestQuery { is_unpriced: true, ..all.clone() }),
        ("slower than, rare", RequestQuery { took_min: took(39_300), ..all.clone() }),
        ("slower than, none", RequestQuery { took_min: took(60_000), ..all.clone() }),
        ("faster than", RequestQuery { took_max: took(500), ..all.clone() }),
        (
            "client, backend, rare cost",
            RequestQuery { client: agent, backend: groq, cost_min: cost(185_000_000), ..all },
        ),
    ])
}
