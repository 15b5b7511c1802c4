//! The benchmark of five minutes of ordinary traffic in which the first of two backends fails
//! twice. It tests the built program in real time, so it runs only when chosen.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::task::JoinSet;

use super::client::{Answer, Door};
use super::figures::percentile;
use super::ground::Ground;
use super::home::Vault;
use super::report::{Figure, Target};
use super::traffic::count;
use super::upstream::{Answering, MODEL, Mood, Upstream};

/// Number of requests and their interval: ten a second for 300 seconds.
const REQUESTS: usize = 3_000;
const PACE: Duration = Duration::from_millis(100);

/// The outages of the first backend, in request numbers: first it is busy, then gone, 30 seconds
/// each. The time after each is long enough to recover.
const OUTAGES: [Outage; 2] = [
    Outage { begin: 600, end: 900, how: Answering::Busy },
    Outage { begin: 1_800, end: 2_100, how: Answering::Gone },
];

/// Requests at the end of a phase that one backend must answer alone for the phase to count as
/// settled: ten seconds.
const SETTLED: usize = 100;

/// The header with the backend's name.
const BACKEND: &str = "x-gatehouse-backend";

struct Outage {
    begin: usize,
    end: usize,
    how: Answering,
}

/// The outcome of one request.
#[derive(Debug, Clone)]
struct Fate {
    number: usize,
    /// The backend that answered with 200, or the error.
    answered: Result<String, String>,
    ms: f64,
}

/// Ten requests a second for five minutes with two outages.
pub(crate) fn profile(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let (one, two) = (Upstream::start(ground.epoch, 0)?, Upstream::start(ground.epoch, 0)?);
    let home = ground.home()?;
    home.add_settings(&settings(&one, &two))?;
    let served = home.serve(Vault::File)?;
    let fates = ground.wait(run(&served.routed(), &one.mood))?;
    let good = fates.iter().filter(|fate| fate.answered.is_ok()).count();
    let complaint = fates.iter().find_map(|fate| fate.answered.as_ref().err().cloned());
    let all = Figure::own("reliability: answered of 3,000", count(good), at_least(REQUESTS));
    let trips = OUTAGES.iter().filter(|outage| was_noticed(outage, &fates)).count();
    let back = OUTAGES.iter().filter(|outage| came_back(outage, &fates)).count();
    let trips = Figure::own("reliability: outages routed around, of 2", count(trips), at_least(2));
    let back = Figure::own("reliability: recoveries, of 2", count(back), at_least(2));
    let met = Figure::own(
        "reliability: calls that met an outage",
        count(one.mood.failures()),
        Target::Nothing,
    );
    let times: Vec<f64> = fates.iter().map(|fate| fate.ms).collect();
    let slow = Figure::own("reliability: ms p99 of all", percentile(&times, 99), Target::Nothing);
    let note = "600 requests fell into an outage; health probes included";
    Ok(vec![all.noted(complaint.unwrap_or_default()), trips, back, met.noted(note), slow])
}

async fn run(door: &Door, mood: &Mood) -> Result<Vec<Fate>> {
    let request = door.request("reliable", Answer::Whole);
    let mut pace = tokio::time::interval(PACE);
    let mut asking = JoinSet::new();
    for number in 0..REQUESTS {
        pace.tick().await;
        for outage in &OUTAGES {
            if number == outage.begin {
                mood.set(outage.how);
            } else if number == outage.end {
                mood.set(Answering::Well);
            }
        }
        let (door, request) = (door.clone(), request.clone());
        asking.spawn(async move { fate(number, &door, &request).await });
    }
    let mut fates = Vec::with_capacity(REQUESTS);
    while let Some(fate) = asking.join_next().await {
        fates.push(fate.context("a request was lost")?);
    }
    fates.sort_by_key(|fate| fate.number);
    Ok(fates)
}

async fn fate(number: usize, door: &Door, request: &[u8]) -> Fate {
    let begin = Instant::now();
    let read = async { door.connect().await?.read(request, BACKEND).await }.await;
    let answered = match read {
        Ok(read) if read.status == 200 => Ok(read.said.unwrap_or_default()),
        Ok(read) => Err(format!("{}: {}", read.status, String::from_utf8_lossy(&read.body()))),
        Err(error) => Err(format!("{error:#}")),
    };
    Fate { number, answered, ms: begin.elapsed().as_secs_f64() * 1_000.0 }
}

/// True if the second backend answered all of the last requests in the outage.
fn was_noticed(outage: &Outage, fates: &[Fate]) -> bool {
    all_by("two", fates.get(outage.end - SETTLED..outage.end))
}

/// True if the first backend answered all of the last requests before the next outage or the end.
fn came_back(outage: &Outage, fates: &[Fate]) -> bool {
    let next = OUTAGES.iter().map(|other| other.begin).find(|begin| *begin > outage.begin);
    let next = next.unwrap_or(REQUESTS);
    all_by("one", fates.get(next - SETTLED..next))
}

fn all_by(backend: &str, fates: Option<&[Fate]>) -> bool {
    let by = |fate: &Fate| fate.answered.as_deref() == Ok(backend);
    fates.is_some_and(|fates| fates.iter().all(by))
}

fn at_least(number: usize) -> Target {
    Target::AtLeast(count(number))
}

/// All requests are the same, so stickiness is off: it would keep them on the backend that
/// answered.
fn settings(one: &Upstream, two: &Upstream) -> String {
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
