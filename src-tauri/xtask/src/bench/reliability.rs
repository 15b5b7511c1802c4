//! The benchmark of five minutes of ordinary traffic in which the first of two backends fails
//! twice. It tests the built program in real time, so it runs only when chosen.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::client::MeasuredServer;
use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::figures::percentile;
use super::home::BenchVault;
use super::report::{Figure, FigureTarget};
use super::traffic::to_figure;
use super::upstream::{AnswerMode, BenchUpstream, MODEL, UpstreamBehaviour};

/// Number of requests and their interval: ten a second for 300 seconds.
const REQUESTS: usize = 3_000;
const REQUEST_INTERVAL: Duration = Duration::from_millis(100);

/// The outages of the first backend, in request numbers: first it is busy, then gone, 30 seconds
/// each. The time after each is long enough to recover.
const OUTAGES: [Outage; 2] = [
    Outage { begin: 600, end: 900, mode: AnswerMode::Busy },
    Outage { begin: 1_800, end: 2_100, mode: AnswerMode::Gone },
];

/// Requests at the end of a phase that one backend must answer alone for the phase to count as
/// settled: ten seconds.
const SETTLED_REQUESTS: usize = 100;

/// The header with the backend's name.
const BACKEND_HEADER: &str = "x-gatehouse-backend";

struct Outage {
    begin: usize,
    end: usize,
    mode: AnswerMode,
}

#[derive(Debug, Clone)]
struct RequestResult {
    number: usize,
    /// The backend that answered with 200, or the error.
    answered: Result<String, String>,
    ms: f64,
}

/// Ten requests a second for five minutes with two outages.
pub(crate) fn profile(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let (one, two) =
        (BenchUpstream::start(environment.epoch, 0)?, BenchUpstream::start(environment.epoch, 0)?);
    let home = environment.create_home()?;
    home.add_settings(&route_settings(&one, &two))?;
    let served = home.serve(BenchVault::File)?;
    let fates = environment.block_on(run(&served.with_route_models(), &one.behaviour))?;
    let good = fates.iter().filter(|fate| fate.answered.is_ok()).count();
    let complaint = fates.iter().find_map(|fate| fate.answered.as_ref().err().cloned());
    let all =
        Figure::of_gatehouse("reliability: answered of 3,000", to_figure(good), at_least(REQUESTS));
    let trips = OUTAGES.iter().filter(|outage| was_noticed(outage, &fates)).count();
    let back = OUTAGES.iter().filter(|outage| came_back(outage, &fates)).count();
    let trips = Figure::of_gatehouse(
        "reliability: outages routed around, of 2",
        to_figure(trips),
        at_least(2),
    );
    let back = Figure::of_gatehouse("reliability: recoveries, of 2", to_figure(back), at_least(2));
    let met = Figure::of_gatehouse(
        "reliability: calls that met an outage",
        to_figure(one.behaviour.failures()),
        FigureTarget::Nothing,
    );
    let times: Vec<f64> = fates.iter().map(|fate| fate.ms).collect();
    let slow = Figure::of_gatehouse(
        "reliability: ms p99 of all",
        percentile(&times, 99),
        FigureTarget::Nothing,
    );
    let note = "600 requests fell into an outage; health probes included";
    Ok(vec![all.with_note(complaint.unwrap_or_default()), trips, back, met.with_note(note), slow])
}

async fn run(server: &MeasuredServer, behaviour: &UpstreamBehaviour) -> Result<Vec<RequestResult>> {
    let request = server.request("reliable", AnswerFormat::Whole);
    let mut pace = tokio::time::interval(REQUEST_INTERVAL);
    let mut asking = JoinSet::new();
    for number in 0..REQUESTS {
        pace.tick().await;
        for outage in &OUTAGES {
            if number == outage.begin {
                behaviour.set(outage.mode);
            } else if number == outage.end {
                behaviour.set(AnswerMode::Well);
            }
        }
        let (server, request) = (server.clone(), request.clone());
        asking.spawn(async move { send_request(number, &server, &request).await });
    }
    let mut fates = Vec::with_capacity(REQUESTS);
    while let Some(fate) = asking.join_next().await {
        fates.push(fate.context("a request was lost")?);
    }
    fates.sort_by_key(|fate| fate.number);
    Ok(fates)
}

async fn send_request(number: usize, server: &MeasuredServer, request: &[u8]) -> RequestResult {
    let begin = Instant::now();
    let read = async { server.connect().await?.send_and_read(request, BACKEND_HEADER).await }.await;
    let answered = match read {
        Ok(read) if read.status == 200 => Ok(read.header_value.unwrap_or_default()),
        Ok(read) => Err(format!("{}: {}", read.status, String::from_utf8_lossy(&read.body()))),
        Err(error) => Err(format!("{error:#}")),
    };
    RequestResult { number, answered, ms: begin.elapsed().as_secs_f64() * 1_000.0 }
}

/// True if the second backend answered all of the last requests in the outage.
fn was_noticed(outage: &Outage, fates: &[RequestResult]) -> bool {
    all_answered_by("two", fates.get(outage.end - SETTLED_REQUESTS..outage.end))
}

/// True if the first backend answered all of the last requests before the next outage or the end.
fn came_back(outage: &Outage, fates: &[RequestResult]) -> bool {
    let next = OUTAGES.iter().map(|other| other.begin).find(|begin| *begin > outage.begin);
    let next = next.unwrap_or(REQUESTS);
    all_answered_by("one", fates.get(next - SETTLED_REQUESTS..next))
}

fn all_answered_by(backend: &str, fates: Option<&[RequestResult]>) -> bool {
    let by = |fate: &RequestResult| fate.answered.as_deref() == Ok(backend);
    fates.is_some_and(|fates| fates.iter().all(by))
}

fn at_least(number: usize) -> FigureTarget {
    FigureTarget::AtLeast(to_figure(number))
}

/// All requests are the same, so stickiness is off: it would keep them on the backend that
/// answered.
fn route_settings(one: &BenchUpstream, two: &BenchUpstream) -> String {
    let (one, two) = (one.address, two.address);
    format!(
        "
[backends.one]
kind = \"openai-compatible\"
base_url = \"http://{one}/v1\"
models = [\"{MODEL}\"]

[backends.two]
kind = \"openai-compatible\"
base_url = \"http://{two}/v1\"
models = [\"{MODEL}\"]

[routes.reliable]
policy = \"ordered\"
sticky_secs = 0
cache = \"off\"
candidates = [
  {{ backend = \"one\", model = \"{MODEL}\" }},
  {{ backend = \"two\", model = \"{MODEL}\" }},
]
"
    )
}
