//! Benchmarks of requests: throughput, latency, gaps in streams, memory.

use std::time::Duration;

use anyhow::{Result, bail};

use super::client::{self, MeasuredServer, StreamTimings};
use super::dialect::{AnswerFormat, BenchDialect};
use super::environment::BenchEnvironment;
use super::figures::{median, percentile};
use super::home::BenchVault;
use super::report::{Figure, FigureTarget};
use super::upstream::{MODEL, SHORT, STEADY};

/// Connections of the throughput row.
pub(crate) const CONNECTIONS: usize = 16;

/// Load time for each contender in a round.
const LOAD_TIME: Duration = Duration::from_secs(2);

/// Requests on one connection in a round.
pub(crate) const SINGLE_REQUESTS: usize = 2_000;

/// Requests on each of several connections in a round.
const BUSY_REQUESTS: usize = 500;

/// Streams per round in which the first piece is timed.
const SHORT_STREAMS: usize = 500;

/// Shortest pause in a stream that counts as visible, in microseconds. Two small writes that wait
/// for each other's acknowledgement cause one of 40 ms.
pub(crate) const GAP_US_MAX: u64 = 30_000;

/// Streamed answers checked for gaps, over all rounds.
const GAP_ANSWERS: usize = 1_000;

/// Connections that share them.
const GAP_CONNECTIONS: usize = 10;

/// Concurrent streams in the row about many streams.
const STREAMS_AT_ONCE: usize = 300;

/// Answers per second over 16 connections.
pub(crate) fn throughput(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        let request = server.request(MODEL, AnswerFormat::Whole);
        environment.block_on(client::measure_answers_per_second(
            server,
            &request,
            CONNECTIONS,
            LOAD_TIME,
        ))
    })?;
    let quantity = "answers/s at 16 connections; share of nginx";
    let share = rounds.share_of_nginx();
    let figure = Figure::from_rounds(quantity, &rounds, share, FigureTarget::AtLeast(0.45));
    let note = share.map_or("nginx is not installed", |_| "");
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        let request = server.request(MODEL, AnswerFormat::Whole);
        let times =
            client::measure_concurrent_times_ms(server, &request, CONNECTIONS, BUSY_REQUESTS);
        Ok(percentile(&environment.block_on(times)?, 99))
    })?;
    let quantity = "ms p99 at 16 connections; times nginx's";
    let slowest =
        Figure::from_rounds(quantity, &rounds, rounds.share_of_nginx(), FigureTarget::AtMost(4.0));
    Ok(vec![figure.with_note(note), slowest])
}

/// Time of an answer on one connection.
pub(crate) fn latency(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        let request = server.request(MODEL, AnswerFormat::Whole);
        environment.block_on(client::measure_times_ms(server, &request, SINGLE_REQUESTS))
    })?;
    let half = rounds.each(|times| percentile(times, 50));
    let most = rounds.each(|times| percentile(times, 99));
    let quantity = "ms p50 at 1 connection; times nginx's";
    let half =
        Figure::from_rounds(quantity, &half, half.share_of_nginx(), FigureTarget::AtMost(1.5));
    let quantity = "ms p99 at 1 connection; times nginx's";
    let most =
        Figure::from_rounds(quantity, &most, most.share_of_nginx(), FigureTarget::AtMost(3.0));
    Ok(vec![half, most])
}

/// Time to a stream's first piece, on one connection.
pub(crate) fn first_token(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        environment.block_on(measure_first_pieces_ms(environment, server))
    })?;
    let half = rounds.each(|times| percentile(times, 50));
    let most = rounds.each(|times| percentile(times, 99));
    let quantity = "added ms to first token, p50";
    let half = Figure::from_rounds(quantity, &half, Some(half.added()), FigureTarget::AtMost(0.5));
    let quantity = "added ms to first token, p99";
    let most = Figure::from_rounds(quantity, &most, Some(most.added()), FigureTarget::AtMost(2.0));
    Ok(vec![half, most])
}

/// Times to the first piece of several streams, in milliseconds.
pub(crate) async fn measure_first_pieces_ms(
    environment: &BenchEnvironment<'_>,
    server: &MeasuredServer,
) -> Result<Vec<f64>> {
    let request = server.request(SHORT.model, AnswerFormat::Streamed);
    let mut connection = server.connect().await?;
    let mut times = Vec::with_capacity(SHORT_STREAMS);
    for _ in 0..SHORT_STREAMS {
        let streamed = connection.stream(&request, environment.epoch, SHORT.pieces).await?;
        let first = streamed.arrivals.first().map_or(0, |arrival| arrival.arrived_us);
        times.push(to_ms(first.saturating_sub(streamed.asked_us)));
    }
    Ok(times)
}

/// Counts answers in which a piece arrived late although it was sent in time.
pub(crate) fn gaps(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let answers = GAP_ANSWERS.div_ceil(environment.rounds).next_multiple_of(GAP_CONNECTIONS);
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        let streams =
            client::stream_answers(server, STEADY, GAP_CONNECTIONS, answers, environment.epoch);
        environment.block_on(streams)?.into_iter().collect::<Result<Vec<_>>>()
    })?;
    let late = rounds.each(|streams| to_figure(streams.iter().filter(|one| has_gap(one)).count()));
    let all = |counts: &[f64]| counts.iter().sum::<f64>();
    let (direct, ours) = (all(&late.direct), all(&late.gatehouse));
    let caused = (ours - direct).max(0.0);
    let quantity = "answers with a gap > 30 ms, in 1,000 streams";
    let figure = Figure {
        direct: Some(direct),
        nginx: (!late.nginx.is_empty()).then(|| all(&late.nginx)),
        gatehouse: Some(ours),
        ..Figure::of_gatehouse(quantity, caused, FigureTarget::AtMost(0.0))
    };
    Ok(vec![figure.with_note(format!("of {} answers each", answers * environment.rounds))])
}

/// True if a piece arrived late although it was sent in time.
pub(crate) fn has_gap(streamed: &StreamTimings) -> bool {
    streamed.arrivals.iter().zip(streamed.arrivals.iter().skip(1)).any(|(one, next)| {
        next.arrived_us.saturating_sub(one.arrived_us) > GAP_US_MAX
            && next.sent_us.saturating_sub(one.sent_us) <= GAP_US_MAX
    })
}

/// The result of many concurrent streams.
pub(crate) struct ConcurrentStreams {
    pub(crate) dropped: usize,
    /// 99th percentile of the time from sending to arrival of a piece, in milliseconds.
    pub(crate) chunk_ms_p99: f64,
    /// The error of the first incomplete stream.
    pub(crate) complaint: Option<String>,
}

/// Many concurrent streams: none lost, none late, and memory within bounds.
pub(crate) fn many_streams(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    // Checking the passphrase takes 128 MB for a moment; the vault is open after the first answer.
    environment.block_on(client::send_requests(
        &served.server,
        &served.server.request(MODEL, AnswerFormat::Whole),
        1,
        1,
    ))?;
    served.process.reset_peak()?;
    let rounds = environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        run_concurrent_streams(environment, server)
    })?;
    let peak = served.process.memory()?.peak_mb;
    let dropped: usize = rounds.gatehouse.iter().map(|wave| wave.dropped).sum();
    let complaint = rounds.gatehouse.iter().find_map(|wave| wave.complaint.clone());
    let delay = rounds.each(|wave| wave.chunk_ms_p99);
    let quantity = "300 streams at once: dropped, all rounds";
    let lost = Figure::of_gatehouse(quantity, to_figure(dropped), FigureTarget::AtMost(0.0));
    let quantity = "300 streams: chunk ms p99; times nginx's";
    let late =
        Figure::from_rounds(quantity, &delay, delay.share_of_nginx(), FigureTarget::AtMost(2.0));
    let quantity = "300 streams at once: peak RSS MB";
    let most = Figure::of_gatehouse(quantity, peak, FigureTarget::AtMost(60.0));
    Ok(vec![lost.with_note(complaint.unwrap_or_default()), late, most])
}

/// Runs many concurrent streams once.
pub(crate) fn run_concurrent_streams(
    environment: &BenchEnvironment<'_>,
    server: &MeasuredServer,
) -> Result<ConcurrentStreams> {
    let streams =
        client::stream_answers(server, STEADY, STREAMS_AT_ONCE, STREAMS_AT_ONCE, environment.epoch);
    let streams = environment.block_on(streams)?;
    let complaint = streams.iter().find_map(|one| one.as_ref().err().map(ToString::to_string));
    let whole: Vec<StreamTimings> = streams.into_iter().flatten().collect();
    if whole.is_empty() {
        bail!("no stream came whole: {}", complaint.unwrap_or_default());
    }
    let pieces = whole.iter().flat_map(|streamed| &streamed.arrivals);
    let delays: Vec<f64> =
        pieces.map(|piece| to_ms(piece.arrived_us.saturating_sub(piece.sent_us))).collect();
    let dropped = STREAMS_AT_ONCE - whole.len();
    Ok(ConcurrentStreams { dropped, chunk_ms_p99: percentile(&delays, 99), complaint })
}

/// Converts microseconds to milliseconds.
pub(crate) fn to_ms(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

/// Converts a count to a figure.
pub(crate) fn to_figure(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// Memory of an idle program, after work, and after as much work again.
pub(crate) fn memory(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    /// Requests between two memory readings.
    const REQUESTS: usize = 10_000;
    /// Wait until work that outlives a request or a start has ended.
    const SETTLE_TIME: Duration = Duration::from_secs(2);
    let (mut idle, mut worked, mut grown, mut pss) = (vec![], vec![], vec![], vec![]);
    for _ in 0..environment.rounds {
        let home = environment.create_home()?;
        let served = home.serve(BenchVault::File)?;
        let work = || {
            let request = served.server.request(MODEL, AnswerFormat::Whole);
            environment.block_on(client::send_requests(
                &served.server,
                &request,
                CONNECTIONS,
                REQUESTS,
            ))?;
            std::thread::sleep(SETTLE_TIME);
            served.process.memory()
        };
        std::thread::sleep(SETTLE_TIME);
        let before = served.process.memory()?;
        let (once, twice) = (work()?, work()?);
        idle.push(before.rss_mb);
        pss.extend(before.pss_mb);
        worked.push(once.rss_mb);
        grown.push(twice.rss_mb - once.rss_mb);
    }
    let note = if pss.is_empty() { String::new() } else { format!("PSS {:.1}", median(&pss)) };
    let idle = Figure::of_gatehouse("RSS MB idle", median(&idle), FigureTarget::AtMost(40.0))
        .with_note(note);
    let worked = Figure::of_gatehouse(
        "RSS MB after 10,000 requests",
        median(&worked),
        FigureTarget::AtMost(60.0),
    );
    let quantity = "RSS MB growth over 10,000 more";
    Ok(vec![
        idle,
        worked,
        Figure::of_gatehouse(quantity, median(&grown), FigureTarget::AtMost(1.0)),
    ])
}
