//! Benchmarks of a backend that refuses connections: the time until another one answers, with the
//! breaker closed and open.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::client::{LoadConnection, MeasuredServer};
use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::figures::percentile;
use super::home::BenchVault;
use super::report::{Figure, FigureTarget};
use super::upstream::MODEL;

/// The header with the number of attempts.
const ATTEMPTS_HEADER: &str = "x-gatehouse-attempts";

/// Backends without a listener. Each gives one first failure.
const DEAD_BACKENDS: usize = 60;

/// Successful requests between two first failures. Failover draws on a budget that is a share of
/// all requests, and normal traffic would refill it in the same way.
const GOOD_REQUESTS: usize = 20;

/// Most requests until a breaker opens.
const OPENING_REQUESTS_MAX: usize = 10;

/// Requests with an open breaker, and the time limit for all of them: the first open period lasts
/// five seconds, plus or minus a fifth.
const OPEN_REQUESTS: usize = 400;
const OPEN_TIME_MAX: Duration = Duration::from_secs(3);

/// Measures requests whose first backend refuses the connection, and requests whose first breaker
/// is open.
pub(crate) fn refused(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    home.add_settings(&route_settings(nobody))?;
    let served = home.serve(BenchVault::File)?;
    let (first, open) = environment.block_on(async {
        let good = served.server.request(MODEL, AnswerFormat::Whole);
        let server = served.with_route_models();
        let mut connection = server.connect().await?;
        let mut first = Vec::with_capacity(DEAD_BACKENDS);
        for number in 0..DEAD_BACKENDS {
            for _ in 0..GOOD_REQUESTS {
                connection.send_and_check(&good).await?;
            }
            let (ms, tries) =
                measure_request(&mut connection, &encode_request(&server, number)).await?;
            if tries < 2 {
                bail!("a dead backend was not tried at all");
            }
            first.push(ms);
        }
        let open = measure_open_breaker(&server, &mut connection).await?;
        anyhow::Ok((first, open))
    })?;
    let quantity = "failover from a refused connection, ms p95";
    let first_p95 =
        Figure::of_gatehouse(quantity, percentile(&first, 95), FigureTarget::AtMost(500.0));
    let quantity = "the same with the breaker open, ms p95";
    let open_p95 =
        Figure::of_gatehouse(quantity, percentile(&open, 95), FigureTarget::AtMost(50.0));
    let first_note = format!("p50 {:.1}, {DEAD_BACKENDS} first failures", percentile(&first, 50));
    let open_note = format!("p50 {:.3}, {} requests", percentile(&open, 50), open.len());
    Ok(vec![first_p95.with_note(first_note), open_p95.with_note(open_note)])
}

/// Opens the breaker of one backend, then measures requests that skip it.
async fn measure_open_breaker(
    server: &MeasuredServer,
    connection: &mut LoadConnection,
) -> Result<Vec<f64>> {
    let request = encode_request(server, DEAD_BACKENDS);
    for _ in 0..OPENING_REQUESTS_MAX {
        if measure_request(connection, &request).await?.1 == 1 {
            break;
        }
    }
    let until = Instant::now() + OPEN_TIME_MAX;
    let mut times = Vec::with_capacity(OPEN_REQUESTS);
    while times.len() < OPEN_REQUESTS && Instant::now() < until {
        let (ms, tries) = measure_request(connection, &request).await?;
        if tries != 1 {
            bail!("the breaker is not open: an answer took {tries} tries");
        }
        times.push(ms);
    }
    Ok(times)
}

async fn measure_request(connection: &mut LoadConnection, request: &[u8]) -> Result<(f64, usize)> {
    let begin = Instant::now();
    let read = connection.send_and_read(request, ATTEMPTS_HEADER).await?;
    let ms = begin.elapsed().as_secs_f64() * 1_000.0;
    if read.status != 200 {
        bail!("answered {}: {}", read.status, String::from_utf8_lossy(&read.body()));
    }
    Ok((ms, read.header_value.and_then(|tries| tries.parse().ok()).unwrap_or_default()))
}

fn encode_request(server: &MeasuredServer, number: usize) -> Vec<u8> {
    server.request(&format!("past-{number}"), AnswerFormat::Whole)
}

/// Health probes would otherwise open the breakers before a request has failed.
const PROBE_SETTINGS: &str = "\n[resilience]\nbad_probes = 20\n";

/// One route for each dead backend, with the working one as fallback. All requests are the same, so
/// stickiness is off: it would keep them on the backend that answered.
fn route_settings(nobody: SocketAddr) -> String {
    let routes: String = (0..=DEAD_BACKENDS)
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
    PROBE_SETTINGS.to_owned() + &routes
}
