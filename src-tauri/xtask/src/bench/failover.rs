//! Benchmarks of a backend that refuses connections: the time until another one answers, with the
//! breaker closed and open.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::{Answer, Connection, Door};
use super::figures::percentile;
use super::ground::Ground;
use super::home::Vault;
use super::report::{Figure, Target};
use super::upstream::MODEL;

/// The header with the number of attempts.
const TRIES: &str = "x-gatehouse-attempts";

/// Backends without a listener. Each gives one first failure.
const DEAD: usize = 60;

/// Successful requests between two first failures. Failover draws on a budget that is a share of
/// all requests, and normal traffic would refill it in the same way.
const GOOD: usize = 20;

/// Most requests until a breaker opens.
const OPENING: usize = 10;

/// Requests with an open breaker, and the time limit for all of them: the first open period lasts
/// five seconds, plus or minus a fifth.
const OPEN: usize = 400;
const OPEN_TIME_MAX: Duration = Duration::from_secs(3);

/// Measures requests whose first backend refuses the connection, and requests whose first breaker
/// is open.
pub(crate) fn refused(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    home.add_settings(&settings(nobody))?;
    let served = home.serve(Vault::File)?;
    let (first, open) = ground.wait(async {
        let good = served.door.request(MODEL, Answer::Whole);
        let door = served.routed();
        let mut connection = door.connect().await?;
        let mut first = Vec::with_capacity(DEAD);
        for number in 0..DEAD {
            for _ in 0..GOOD {
                connection.ask(&good).await?;
            }
            let (ms, tries) = timed(&mut connection, &asked(&door, number)).await?;
            if tries < 2 {
                bail!("a dead backend was not tried at all");
            }
            first.push(ms);
        }
        let open = beside_open(&door, &mut connection).await?;
        anyhow::Ok((first, open))
    })?;
    let quantity = "failover from a refused connection, ms p95";
    let first_p95 = Figure::own(quantity, percentile(&first, 95), Target::AtMost(500.0));
    let quantity = "the same with the breaker open, ms p95";
    let open_p95 = Figure::own(quantity, percentile(&open, 95), Target::AtMost(50.0));
    let first_note = format!("p50 {:.1}, {DEAD} first failures", percentile(&first, 50));
    let open_note = format!("p50 {:.3}, {} requests", percentile(&open, 50), open.len());
    Ok(vec![first_p95.noted(first_note), open_p95.noted(open_note)])
}

/// Opens the breaker of one backend, then measures requests that skip it.
async fn beside_open(door: &Door, connection: &mut Connection) -> Result<Vec<f64>> {
    let request = asked(door, DEAD);
    for _ in 0..OPENING {
        if timed(connection, &request).await?.1 == 1 {
            break;
        }
    }
    let until = Instant::now() + OPEN_TIME_MAX;
    let mut times = Vec::with_capacity(OPEN);
    while times.len() < OPEN && Instant::now() < until {
        let (ms, tries) = timed(connection, &request).await?;
        if tries != 1 {
            bail!("the breaker is not open: an answer took {tries} tries");
        }
        times.push(ms);
    }
    Ok(times)
}

async fn timed(connection: &mut Connection, request: &[u8]) -> Result<(f64, usize)> {
    let begin = Instant::now();
    let read = connection.read(request, TRIES).await?;
    let ms = begin.elapsed().as_secs_f64() * 1_000.0;
    if read.status != 200 {
        bail!("answered {}: {}", read.status, String::from_utf8_lossy(&read.body()));
    }
    Ok((ms, read.said.and_then(|tries| tries.parse().ok()).unwrap_or_default()))
}

fn asked(door: &Door, number: usize) -> Vec<u8> {
    door.request(&format!("past-{number}"), Answer::Whole)
}

/// Health probes would otherwise open the breakers before a request has failed.
const PROBES: &str = "\n[resilience]\nbad_probes = 20\n";

/// One route for each dead backend, with the working one as fallback. All requests are the same, so
/// stickiness is off: it would keep them on the backend that answered.
fn settings(nobody: SocketAddr) -> String {
    let routes: String = (0..=DEAD)
        .map(|number| {
            format!(
                "
[backends.dead-{number}]
kind = \"openai-compatible\"
base_url = \"http://{nobody}/v1\"
models = [\"{MODEL}\"]

[routes.past-{number}]
policy = \"ordered\"
sticky_secs = 0
cache = \"off\"
candidates = [
  {{ backend = \"dead-{number}\", model = \"{MODEL}\" }},
  {{ backend = \"keyed\", model = \"{MODEL}\" }},
]
"
            )
        })
        .collect();
    PROBES.to_owned() + &routes
}
