//! The benchmark of cache hits: the same bytes, served from memory.

use std::time::Instant;

use anyhow::{Result, bail};

use super::client::{MeasuredServer, ReceivedAnswer};
use super::dialect::{AnswerFormat, BenchDialect};
use super::environment::BenchEnvironment;
use super::figures::percentile;
use super::home::BenchVault;
use super::report::{Figure, FigureTarget};
use super::traffic::{SINGLE_REQUESTS, to_figure};
use super::upstream::MODEL;

/// The header with the cache result.
const CACHE_HEADER: &str = "x-gatehouse-cache";

/// Cached streams in a round. Each has 20 pieces.
const STREAMS: usize = 200;

/// A route with the cache on for all requests.
const ROUTE: &str = "
[routes.bench-model]
cache = \"on\"
candidates = [{ backend = \"keyed\", model = \"bench-model\" }]
";

/// Measures whole and streamed answers from memory.
pub(crate) fn hits(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    home.add_settings(ROUTE)?;
    let served = home.serve(BenchVault::File)?;
    let server = served.with_route_models();
    let firsts = [AnswerFormat::Whole, AnswerFormat::Streamed]
        .map(|answer| environment.block_on(fill_cache(&server, &server.request(MODEL, answer))));
    let [whole, streamed] = firsts;
    let (whole, streamed) = (whole?, streamed?);
    let mut differing = 0;
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &server, |contender| {
        let ours = contender.address == server.address;
        let request = contender.request(MODEL, AnswerFormat::Whole);
        let mut again =
            RepeatedRequest { server: contender, request, first: ours.then_some(&whole) };
        let (times, others) = environment.block_on(again.ask(SINGLE_REQUESTS))?;
        differing += others;
        Ok(times)
    })?;
    let mut stream_ms = Vec::new();
    for _ in 0..environment.rounds {
        let request = server.request(MODEL, AnswerFormat::Streamed);
        let mut again = RepeatedRequest { server: &server, request, first: Some(&streamed) };
        let (times, others) = environment.block_on(again.ask(STREAMS))?;
        stream_ms.extend(times);
        differing += others;
    }
    let half = rounds.each(|times| percentile(times, 50));
    let ours = super::figures::median(&half.gatehouse);
    let quantity = "cache hit from memory, ms p50";
    let half = Figure::from_rounds(quantity, &half, Some(ours), FigureTarget::AtMost(0.15));
    let quantity = "cached stream of 20 pieces, ms p50";
    let stream = Figure::of_gatehouse(quantity, percentile(&stream_ms, 50), FigureTarget::Nothing);
    let quantity = "cache hits that differ in a byte or a piece";
    let differing = Figure::of_gatehouse(quantity, to_figure(differing), FigureTarget::AtMost(0.0));
    let note = format!("of {}", (SINGLE_REQUESTS + STREAMS) * environment.rounds);
    Ok(vec![
        half.with_note("the whole time, not what was added"),
        stream,
        differing.with_note(note),
    ])
}

/// Sends the request that fills the cache, and returns its answer.
async fn fill_cache(server: &MeasuredServer, request: &[u8]) -> Result<ReceivedAnswer> {
    let read = server.connect().await?.send_and_read(request, CACHE_HEADER).await?;
    match (read.status, read.header_value.as_deref()) {
        (200, Some("miss")) => Ok(read),
        (status, said) => {
            let said = said.unwrap_or("nothing");
            bail!("the first answer has status {status} and says {said} of the cache, not miss")
        }
    }
}

/// A request that is sent repeatedly.
struct RepeatedRequest<'a> {
    server: &'a MeasuredServer,
    request: Vec<u8>,
    /// The expected answer, from the cache; `None` turns the comparison off.
    first: Option<&'a ReceivedAnswer>,
}

impl RepeatedRequest<'_> {
    /// Returns the time of each answer in milliseconds, and the number of answers that differ.
    async fn ask(&mut self, times: usize) -> Result<(Vec<f64>, usize)> {
        let mut connection = self.server.connect().await?;
        let (mut taken, mut differing) = (Vec::with_capacity(times), 0);
        for _ in 0..times {
            let begin = Instant::now();
            let read = connection.send_and_read(&self.request, CACHE_HEADER).await?;
            taken.push(begin.elapsed().as_secs_f64() * 1_000.0);
            let Some(first) = self.first else { continue };
            if read.header_value.as_deref() != Some("hit") {
                bail!("an answer says {:?} of the cache, not hit", read.header_value);
            }
            differing += usize::from(read.pieces != first.pieces);
        }
        Ok((taken, differing))
    }
}
