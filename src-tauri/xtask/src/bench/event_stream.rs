//! The benchmark of the event stream: how soon 200 panels know that something changed.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::MeasuredServer;
use super::dialect::AnswerFormat;
use super::environment::BenchEnvironment;
use super::figures::{median, percentile};
use super::home::{BenchGateway, BenchVault};
use super::report::{Figure, FigureTarget};
use super::upstream::MODEL;

const SUBSCRIBERS: usize = 200;

/// Changes in a round.
const CHANGES: usize = 20;

/// Between two changes: longer than changes are collected.
const PAUSE: Duration = Duration::from_millis(250);

/// Longest wait for a subscriber.
const ARRIVAL_TIME_MAX: Duration = Duration::from_secs(5);

/// What a subscriber received first of something, and when.
type Arrivals = mpsc::UnboundedReceiver<(usize, Instant)>;

/// Time from sending a request to the arrival of its first event at each subscriber.
pub(crate) fn changes(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let control = home.control_api()?;
    let slowest = environment.block_on(async {
        let (mut arrivals, _subscribers) = subscribe(&control).await?;
        let mut slowest = Vec::new();
        for _ in 0..environment.rounds {
            slowest.push(percentile(&measure_round(&served, &mut arrivals).await?, 95));
        }
        anyhow::Ok(slowest)
    })?;
    let quantity = "a change to 200 subscribers, ms p95";
    Ok(vec![
        Figure::of_gatehouse(quantity, median(&slowest), FigureTarget::AtMost(50.0))
            .with_note("from the request that causes it"),
    ])
}

/// Connects every subscriber and waits until each is welcomed.
async fn subscribe(control: &MeasuredServer) -> Result<(Arrivals, JoinSet<()>)> {
    let (sender, mut arrivals) = mpsc::unbounded_channel();
    let mut subscribers = JoinSet::new();
    let request = control.get("/control/v1/events");
    for number in 0..SUBSCRIBERS {
        let (mut connection, request) = (control.connect().await?, request.clone());
        let sender = sender.clone();
        subscribers.spawn(async move {
            let told = |_piece: &[u8]| {
                let _gone = sender.send((number, Instant::now()));
            };
            // It ends with the gateway.
            let _ended = connection.follow(&request, told).await;
        });
    }
    await_every_subscriber(&mut arrivals).await?;
    Ok((arrivals, subscribers))
}

/// The first arrival at each subscriber.
async fn await_every_subscriber(arrivals: &mut Arrivals) -> Result<Vec<Instant>> {
    let mut first = [None; SUBSCRIBERS];
    while first.contains(&None) {
        let next = tokio::time::timeout(ARRIVAL_TIME_MAX, arrivals.recv()).await;
        let (number, at) =
            next.context("a subscriber was not told")?.context("the subscribers are gone")?;
        if let Some(place) = first.get_mut(number) {
            place.get_or_insert(at);
        }
    }
    Ok(first.into_iter().flatten().collect())
}

async fn measure_round(served: &BenchGateway, arrivals: &mut Arrivals) -> Result<Vec<f64>> {
    let request = served.server.request(MODEL, AnswerFormat::Whole);
    let mut client = served.server.connect().await?;
    let mut times = Vec::new();
    for _ in 0..CHANGES {
        tokio::time::sleep(PAUSE).await;
        while arrivals.try_recv().is_ok() {}
        let begin = Instant::now();
        client.send_and_check(&request).await?;
        let told = await_every_subscriber(arrivals).await?;
        times.extend(told.iter().map(|at| at.duration_since(begin).as_secs_f64() * 1_000.0));
    }
    Ok(times)
}
