//! Benchmarks of dialects: the time added for a client and a backend of different dialects, the same
//! for Messages on both sides, and the memory left in use afterwards.

use std::time::Duration;

use anyhow::Result;

use super::client;
use super::dialect::{AnswerFormat, BenchDialect};
use super::environment::BenchEnvironment;
use super::figures::{median, percentile};
use super::home::{BenchGateway, BenchVault};
use super::hostile_answer::HostileAnswer;
use super::report::{Figure, FigureTarget};
use super::traffic::{self, CONNECTIONS, SINGLE_REQUESTS, measure_first_pieces_ms, to_figure};
use super::upstream::MODEL;

/// Requests between two memory readings.
const MEMORY_REQUESTS: usize = 10_000;

/// Wait until work that outlives a request has ended.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// Megabytes that a hostile answer may leave in use: the allocator keeps some for the next large
/// buffer.
const FAULT_GROWTH_MB_MAX: f64 = 2.0;

/// A client's and a backend's dialect, and the names of the pair's figures.
struct DialectPair {
    client: BenchDialect,
    backend: BenchDialect,
    median_name: &'static str,
    p99_name: &'static str,
    half_ms_max: f64,
    token_median_name: &'static str,
    token_p99_name: &'static str,
    dropped: &'static str,
    late: &'static str,
}

const PASSED: DialectPair = DialectPair {
    client: BenchDialect::Messages,
    backend: BenchDialect::Messages,
    median_name: "Messages passed through: added ms p50",
    p99_name: "Messages passed through: added ms p99",
    half_ms_max: 0.12,
    token_median_name: "Messages passed through: first token ms p50",
    token_p99_name: "Messages passed through: first token ms p99",
    dropped: "Messages passed through: 300 streams, dropped",
    late: "Messages passed through: 300, chunk ms p99",
};

const TO_MESSAGES: DialectPair = DialectPair {
    client: BenchDialect::Chat,
    backend: BenchDialect::Messages,
    median_name: "Chat to Messages: added ms p50",
    p99_name: "Chat to Messages: added ms p99",
    half_ms_max: 0.25,
    token_median_name: "Chat to Messages: first token ms p50",
    token_p99_name: "Chat to Messages: first token ms p99",
    dropped: "Chat to Messages: 300 streams, dropped",
    late: "Chat to Messages: 300, chunk ms p99",
};

const TO_CHAT: DialectPair = DialectPair {
    client: BenchDialect::Messages,
    backend: BenchDialect::Chat,
    median_name: "Messages to Chat: added ms p50",
    p99_name: "Messages to Chat: added ms p99",
    half_ms_max: 0.25,
    token_median_name: "Messages to Chat: first token ms p50",
    token_p99_name: "Messages to Chat: first token ms p99",
    dropped: "Messages to Chat: 300 streams, dropped",
    late: "Messages to Chat: 300, chunk ms p99",
};

const PAIRS: [DialectPair; 3] = [PASSED, TO_MESSAGES, TO_CHAT];

/// Time of an answer on one connection.
pub(crate) fn latency(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let server = served.with_dialects(pair.client, pair.backend);
        let rounds = environment.measure_interleaved(pair.backend, &server, |server| {
            let request = server.request(MODEL, AnswerFormat::Whole);
            environment.block_on(client::measure_times_ms(server, &request, SINGLE_REQUESTS))
        })?;
        let half = rounds.each(|times| percentile(times, 50));
        let most = rounds.each(|times| percentile(times, 99));
        let target = FigureTarget::AtMost(pair.half_ms_max);
        figures.push(Figure::from_rounds(pair.median_name, &half, Some(half.added()), target));
        figures.push(Figure::from_rounds(
            pair.p99_name,
            &most,
            Some(most.added()),
            FigureTarget::AtMost(1.0),
        ));
    }
    Ok(figures)
}

/// Time to a stream's first piece, on one connection.
pub(crate) fn first_token(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let server = served.with_dialects(pair.client, pair.backend);
        let rounds = environment.measure_interleaved(pair.backend, &server, |server| {
            environment.block_on(measure_first_pieces_ms(environment, server))
        })?;
        let half = rounds.each(|times| percentile(times, 50));
        let most = rounds.each(|times| percentile(times, 99));
        let (added, target) = (half.added(), FigureTarget::AtMost(0.4));
        figures.push(Figure::from_rounds(pair.token_median_name, &half, Some(added), target));
        let (added, target) = (most.added(), FigureTarget::AtMost(3.0));
        figures.push(Figure::from_rounds(pair.token_p99_name, &most, Some(added), target));
    }
    Ok(figures)
}

/// Many streams at once.
pub(crate) fn many_streams(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let server = served.with_dialects(pair.client, pair.backend);
        let rounds = environment.measure_interleaved(pair.backend, &server, |server| {
            traffic::run_concurrent_streams(environment, server)
        })?;
        let dropped: usize = rounds.gatehouse.iter().map(|wave| wave.dropped).sum();
        let complaint = rounds.gatehouse.iter().find_map(|wave| wave.complaint.clone());
        let delay = rounds.each(|wave| wave.chunk_ms_p99);
        let lost =
            Figure::of_gatehouse(pair.dropped, to_figure(dropped), FigureTarget::AtMost(0.0));
        figures.push(lost.with_note(complaint.unwrap_or_default()));
        let (added, target) = (delay.added(), FigureTarget::AtMost(5.0));
        figures.push(Figure::from_rounds(pair.late, &delay, Some(added), target));
    }
    Ok(figures)
}

/// Memory before and after translated requests, and after hostile answers.
pub(crate) fn memory(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let (mut before, mut worked, mut grown) = (vec![], vec![], vec![]);
    let mut left: [Vec<f64>; 4] = Default::default();
    let mut most = [0.0_f64; 4];
    let mut said: [String; 4] = Default::default();
    for _ in 0..environment.rounds {
        let home = environment.create_home()?;
        let served = home.serve(BenchVault::File)?;
        let server = served.with_dialects(BenchDialect::Chat, BenchDialect::Messages);
        let work = |requests: usize| {
            let request = server.request(MODEL, AnswerFormat::Whole);
            environment.block_on(client::send_requests(
                &server,
                &request,
                CONNECTIONS,
                requests,
            ))?;
            std::thread::sleep(SETTLE_TIME);
            served.process.memory()
        };
        let (first, once, twice) =
            (work(CONNECTIONS)?, work(MEMORY_REQUESTS)?, work(MEMORY_REQUESTS)?);
        before.push(first.rss_mb);
        worked.push(once.rss_mb);
        grown.push(twice.rss_mb - once.rss_mb);
        let looks = left.iter_mut().zip(&mut most).zip(&mut said);
        for (fault, ((left, most), said)) in HostileAnswer::ALL.into_iter().zip(looks) {
            let looked = measure_hostile_answer(environment, &served, fault)?;
            left.push(looked.left_mb);
            *most = most.max(looked.peak_mb);
            *said = looked.said;
        }
    }
    let note = format!("{:.1} before", median(&before));
    let quantity = "RSS MB after 10,000 translated requests";
    let mut figures = vec![
        Figure::of_gatehouse(quantity, median(&worked), FigureTarget::AtMost(60.0)).with_note(note),
    ];
    let quantity = "RSS MB growth over 10,000 translated more";
    figures.push(Figure::of_gatehouse(quantity, median(&grown), FigureTarget::AtMost(1.0)));
    for (((fault, left), most), said) in
        HostileAnswer::ALL.into_iter().zip(&left).zip(most).zip(said)
    {
        let target = FigureTarget::AtMost(FAULT_GROWTH_MB_MAX);
        let figure = Figure::of_gatehouse(quantity_name(fault), median(left), target);
        figures.push(figure.with_note(format!("at most {most:.1} more meanwhile; {said}")));
    }
    Ok(figures)
}

const fn quantity_name(fault: HostileAnswer) -> &'static str {
    match fault {
        HostileAnswer::Line => "RSS MB growth: a line of 16 MiB",
        HostileAnswer::Endless => "RSS MB growth: an endless stream, to its cap",
        HostileAnswer::Bomb => "RSS MB growth: a gzip bomb of 256 MiB",
        HostileAnswer::Brackets => "RSS MB growth: a MiB of [",
    }
}

/// The effect of a hostile answer on the memory.
struct MemoryEffect {
    left_mb: f64,
    peak_mb: f64,
    said: String,
}

fn measure_hostile_answer(
    environment: &BenchEnvironment<'_>,
    served: &BenchGateway,
    fault: HostileAnswer,
) -> Result<MemoryEffect> {
    let server = served.with_dialects(BenchDialect::Chat, BenchDialect::Messages);
    let before = served.process.memory()?;
    served.process.reset_peak()?;
    let request = server.request(fault.model(), fault.answer_format());
    let (status, bytes) = environment.block_on(async {
        let mut connection = server.connect().await?;
        connection.read_hostile(&request).await
    })?;
    std::thread::sleep(SETTLE_TIME);
    let after = served.process.memory()?;
    Ok(MemoryEffect {
        left_mb: after.rss_mb - before.rss_mb,
        peak_mb: after.peak_mb - before.rss_mb,
        said: format!("the client got {status} and {bytes} bytes"),
    })
}
