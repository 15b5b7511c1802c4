//! The benchmark of cache hits: the same bytes, served from memory.

use std::time::Instant;

use anyhow::{Result, bail};

use super::client::{Answer, Door, Read};
use super::dialect::Dialect;
use super::figures::percentile;
use super::ground::Ground;
use super::home::Vault;
use super::report::{Figure, Target};
use super::traffic::{SINGLE_REQUESTS, count};
use super::upstream::MODEL;

/// The header with the cache result.
const FROM: &str = "x-gatehouse-cache";

/// Cached streams in a round. Each has 20 pieces.
const STREAMS: usize = 200;

/// A route with the cache on for all requests.
const ROUTE: &str = "
[routes.bench-model]
cache = \"on\"
candidates = [{ backend = \"keyed\", model = \"bench-model\" }]
";

/// Measures whole and streamed answers from memory.
pub(crate) fn hits(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    home.add_settings(ROUTE)?;
    let served = home.serve(Vault::File)?;
    let door = served.routed();
    let firsts = [Answer::Whole, Answer::Streamed]
        .map(|answer| ground.wait(first(&door, &door.request(MODEL, answer))));
    let [whole, streamed] = firsts;
    let (whole, streamed) = (whole?, streamed?);
    let mut differing = 0;
    let rounds = ground.interleaved(Dialect::Chat, &door, |contender| {
        let ours = contender.address == door.address;
        let request = contender.request(MODEL, Answer::Whole);
        let mut again = Again { door: contender, request, first: ours.then_some(&whole) };
        let (times, others) = ground.wait(again.ask(SINGLE_REQUESTS))?;
        differing += others;
        Ok(times)
    })?;
    let mut stream_ms = Vec::new();
    for _ in 0..ground.rounds {
        let request = door.request(MODEL, Answer::Streamed);
        let mut again = Again { door: &door, request, first: Some(&streamed) };
        let (times, others) = ground.wait(again.ask(STREAMS))?;
        stream_ms.extend(times);
        differing += others;
    }
    let half = rounds.each(|times| percentile(times, 50));
    let ours = super::figures::median(&half.gatehouse);
    let quantity = "cache hit from memory, ms p50";
    let half = Figure::compared(quantity, &half, Some(ours), Target::AtMost(0.15));
    let quantity = "cached stream of 20 pieces, ms p50";
    let stream = Figure::own(quantity, percentile(&stream_ms, 50), Target::Nothing);
    let quantity = "cache hits that differ in a byte or a piece";
    let differing = Figure::own(quantity, count(differing), Target::AtMost(0.0));
    let note = format!("of {}", (SINGLE_REQUESTS + STREAMS) * ground.rounds);
    Ok(vec![half.noted("the whole time, not what was added"), stream, differing.noted(note)])
}

/// Sends the request that fills the cache, and returns its answer.
async fn first(door: &Door, request: &[u8]) -> Result<Read> {
    let read = door.connect().await?.read(request, FROM).await?;
    match (read.status, read.said.as_deref()) {
        (200, Some("miss")) => Ok(read),
        (status, said) => {
            let said = said.unwrap_or("nothing");
            bail!("the first answer has status {status} and says {said} of the cache, not miss")
        }
    }
}

/// A request that is sent repeatedly.
struct Again<'a> {
    door: &'a Door,
    request: Vec<u8>,
    /// The expected answer, from the cache; `None` turns the comparison off.
    first: Option<&'a Read>,
}

impl Again<'_> {
    /// Returns the time of each answer in milliseconds, and the number of answers that differ.
    async fn ask(&mut self, times: usize) -> Result<(Vec<f64>, usize)> {
        let mut connection = self.door.connect().await?;
        let (mut taken, mut differing) = (Vec::with_capacity(times), 0);
        for _ in 0..times {
            let begin = Instant::now();
            let read = connection.read(&self.request, FROM).await?;
            taken.push(begin.elapsed().as_secs_f64() * 1_000.0);
            let Some(first) = self.first else { continue };
            if read.said.as_deref() != Some("hit") {
                bail!("an answer says {:?} of the cache, not hit", read.said);
            }
            differing += usize::from(read.pieces != first.pieces);
        }
        Ok((taken, differing))
    }
}
