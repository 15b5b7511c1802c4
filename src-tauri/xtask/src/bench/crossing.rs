//! Benchmarks of dialects: the time added for a client and a backend of different dialects, the same
//! for Messages on both sides, and the memory left in use afterwards.

use std::time::Duration;

use anyhow::Result;

use super::client::{self, Answer};
use super::dialect::Dialect;
use super::fault::Fault;
use super::figures::{median, percentile};
use super::ground::Ground;
use super::home::{Served, Vault};
use super::report::{Figure, Target};
use super::traffic::{self, CONNECTIONS, SINGLE_REQUESTS, beginnings_ms, count};
use super::upstream::MODEL;

/// Requests between two memory readings.
const MEMORY_REQUESTS: usize = 10_000;

/// Wait until work that outlives a request has ended.
const SETTLING: Duration = Duration::from_secs(2);

/// Megabytes that a hostile answer may leave in use: the allocator keeps some for the next large
/// buffer.
const FAULT_GROWTH_MB_MAX: f64 = 2.0;

/// A client's and a backend's dialect, and the names of the pair's figures.
struct Pair {
    client: Dialect,
    backend: Dialect,
    half: &'static str,
    most: &'static str,
    half_ms_max: f64,
    token_half: &'static str,
    token_most: &'static str,
    dropped: &'static str,
    late: &'static str,
}

const PASSED: Pair = Pair {
    client: Dialect::Messages,
    backend: Dialect::Messages,
    half: "Messages passed through: added ms p50",
    most: "Messages passed through: added ms p99",
    half_ms_max: 0.12,
    token_half: "Messages passed through: first token ms p50",
    token_most: "Messages passed through: first token ms p99",
    dropped: "Messages passed through: 300 streams, dropped",
    late: "Messages passed through: 300, chunk ms p99",
};

const TO_MESSAGES: Pair = Pair {
    client: Dialect::Chat,
    backend: Dialect::Messages,
    half: "Chat to Messages: added ms p50",
    most: "Chat to Messages: added ms p99",
    half_ms_max: 0.25,
    token_half: "Chat to Messages: first token ms p50",
    token_most: "Chat to Messages: first token ms p99",
    dropped: "Chat to Messages: 300 streams, dropped",
    late: "Chat to Messages: 300, chunk ms p99",
};

const TO_CHAT: Pair = Pair {
    client: Dialect::Messages,
    backend: Dialect::Chat,
    half: "Messages to Chat: added ms p50",
    most: "Messages to Chat: added ms p99",
    half_ms_max: 0.25,
    token_half: "Messages to Chat: first token ms p50",
    token_most: "Messages to Chat: first token ms p99",
    dropped: "Messages to Chat: 300 streams, dropped",
    late: "Messages to Chat: 300, chunk ms p99",
};

const PAIRS: [Pair; 3] = [PASSED, TO_MESSAGES, TO_CHAT];

/// Time of an answer on one connection.
pub(crate) fn latency(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let served = home.serve(Vault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let door = served.crossing(pair.client, pair.backend);
        let rounds = ground.interleaved(pair.backend, &door, |door| {
            let request = door.request(MODEL, Answer::Whole);
            ground.wait(client::times_ms(door, &request, SINGLE_REQUESTS))
        })?;
        let half = rounds.each(|times| percentile(times, 50));
        let most = rounds.each(|times| percentile(times, 99));
        let target = Target::AtMost(pair.half_ms_max);
        figures.push(Figure::compared(pair.half, &half, Some(half.added()), target));
        figures.push(Figure::compared(pair.most, &most, Some(most.added()), Target::AtMost(1.0)));
    }
    Ok(figures)
}

/// Time to a stream's first piece, on one connection.
pub(crate) fn first_token(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let served = home.serve(Vault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let door = served.crossing(pair.client, pair.backend);
        let rounds = ground
            .interleaved(pair.backend, &door, |door| ground.wait(beginnings_ms(ground, door)))?;
        let half = rounds.each(|times| percentile(times, 50));
        let most = rounds.each(|times| percentile(times, 99));
        let (added, target) = (half.added(), Target::AtMost(0.4));
        figures.push(Figure::compared(pair.token_half, &half, Some(added), target));
        let (added, target) = (most.added(), Target::AtMost(3.0));
        figures.push(Figure::compared(pair.token_most, &most, Some(added), target));
    }
    Ok(figures)
}

/// Many streams at once.
pub(crate) fn many_streams(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let home = ground.home()?;
    let served = home.serve(Vault::File)?;
    let mut figures = Vec::new();
    for pair in &PAIRS {
        let door = served.crossing(pair.client, pair.backend);
        let rounds = ground.interleaved(pair.backend, &door, |door| traffic::wave(ground, door))?;
        let dropped: usize = rounds.gatehouse.iter().map(|wave| wave.dropped).sum();
        let complaint = rounds.gatehouse.iter().find_map(|wave| wave.complaint.clone());
        let delay = rounds.each(|wave| wave.chunk_ms_p99);
        let lost = Figure::own(pair.dropped, count(dropped), Target::AtMost(0.0));
        figures.push(lost.noted(complaint.unwrap_or_default()));
        let (added, target) = (delay.added(), Target::AtMost(5.0));
        figures.push(Figure::compared(pair.late, &delay, Some(added), target));
    }
    Ok(figures)
}

/// Memory before and after translated requests, and after hostile answers.
pub(crate) fn memory(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let (mut before, mut worked, mut grown) = (vec![], vec![], vec![]);
    let mut left: [Vec<f64>; 4] = Default::default();
    let mut most = [0.0_f64; 4];
    let mut said: [String; 4] = Default::default();
    for _ in 0..ground.rounds {
        let home = ground.home()?;
        let served = home.serve(Vault::File)?;
        let door = served.crossing(Dialect::Chat, Dialect::Messages);
        let work = |requests: usize| {
            let request = door.request(MODEL, Answer::Whole);
            ground.wait(client::ask_many(&door, &request, CONNECTIONS, requests))?;
            std::thread::sleep(SETTLING);
            served.process.memory()
        };
        let (first, once, twice) =
            (work(CONNECTIONS)?, work(MEMORY_REQUESTS)?, work(MEMORY_REQUESTS)?);
        before.push(first.rss_mb);
        worked.push(once.rss_mb);
        grown.push(twice.rss_mb - once.rss_mb);
        let looks = left.iter_mut().zip(&mut most).zip(&mut said);
        for (fault, ((left, most), said)) in Fault::ALL.into_iter().zip(looks) {
            let looked = suffer(ground, &served, fault)?;
            left.push(looked.left_mb);
            *most = most.max(looked.peak_mb);
            *said = looked.said;
        }
    }
    let note = format!("{:.1} before", median(&before));
    let quantity = "RSS MB after 10,000 translated requests";
    let mut figures =
        vec![Figure::own(quantity, median(&worked), Target::AtMost(60.0)).noted(note)];
    let quantity = "RSS MB growth over 10,000 translated more";
    figures.push(Figure::own(quantity, median(&grown), Target::AtMost(1.0)));
    for (((fault, left), most), said) in Fault::ALL.into_iter().zip(&left).zip(most).zip(said) {
        let target = Target::AtMost(FAULT_GROWTH_MB_MAX);
        let figure = Figure::own(quantity_of(fault), median(left), target);
        figures.push(figure.noted(format!("at most {most:.1} more meanwhile; {said}")));
    }
    Ok(figures)
}

const fn quantity_of(fault: Fault) -> &'static str {
    match fault {
        Fault::Line => "RSS MB growth: a line of 16 MiB",
        Fault::Endless => "RSS MB growth: an endless stream, to its cap",
        Fault::Bomb => "RSS MB growth: a gzip bomb of 256 MiB",
        Fault::Brackets => "RSS MB growth: a MiB of [",
    }
}

/// The effect of a hostile answer on the memory.
struct Suffered {
    left_mb: f64,
    peak_mb: f64,
    said: String,
}

fn suffer(ground: &Ground<'_>, served: &Served, fault: Fault) -> Result<Suffered> {
    let door = served.crossing(Dialect::Chat, Dialect::Messages);
    let before = served.process.memory()?;
    served.process.forget_peak()?;
    let request = door.request(fault.model(), fault.asked());
    let (status, bytes) = ground.wait(async {
        let mut connection = door.connect().await?;
        connection.exhaust(&request).await
    })?;
    std::thread::sleep(SETTLING);
    let after = served.process.memory()?;
    Ok(Suffered {
        left_mb: after.rss_mb - before.rss_mb,
        peak_mb: after.peak_mb - before.rss_mb,
        said: format!("the client got {status} and {bytes} bytes"),
    })
}
