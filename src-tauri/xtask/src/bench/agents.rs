//! Benchmarks of an agent's view: 16 agents stream from hosted models at those models' pace.

use std::time::Instant;

use anyhow::Result;

use super::client::{self, Streamed};
use super::dialect::Dialect;
use super::figures::{median, percentile};
use super::ground::{Ground, Rounds};
use super::home::Vault;
use super::report::{Figure, Target};
use super::traffic::{CONNECTIONS, count, has_gap, ms};
use super::upstream::{AGENT, Pace, THINKING};

/// Answers of each agent in a round: about ten seconds.
const ANSWERS: usize = 4;

/// The measurements of one contender's round.
struct Round {
    streams: Vec<Streamed>,
    /// Processor time of Gatehouse as a share of one core, for every contender.
    processor_percent: f64,
}

/// 300 ms to the first token, then 50 pieces a second each.
pub(crate) fn hosted(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let rounds = rounds(ground, AGENT)?;
    let first = rounds.each(|round| percentile(&first_ms(round), 99));
    let gap = rounds.each(|round| percentile(&gaps_ms(round), 99));
    let late = rounds.each(|round| count(round.streams.iter().filter(|one| has_gap(one)).count()));
    let busy: Vec<f64> = rounds.gatehouse.iter().map(|round| round.processor_percent).collect();
    let (first_beyond, gap_beyond) = (first.beyond_nginx(), gap.beyond_nginx());
    let late_beyond = late.gatehouse.iter().sum::<f64>() - late.direct.iter().sum::<f64>();
    Ok(vec![
        Figure::compared(
            "16 agents: first token ms p99",
            &first,
            first_beyond,
            Target::AtMost(0.5),
        )
        .noted("result: beyond nginx"),
        Figure::compared("16 agents: gap ms p99", &gap, gap_beyond, Target::AtMost(0.3))
            .noted("result: beyond nginx"),
        Figure::compared(
            "16 agents: answers with a gap > 30 ms",
            &late,
            Some(late_beyond.max(0.0)),
            Target::AtMost(0.0),
        )
        .noted("result: beyond direct, all rounds"),
        Figure::own("16 agents: % of one core", median(&busy), Target::AtMost(2.0)),
    ])
}

/// 170 pieces a second each, without a wait for the first.
pub(crate) fn thinking(ground: &Ground<'_>) -> Result<Vec<Figure>> {
    let rounds = rounds(ground, THINKING)?;
    let gap = rounds.each(|round| percentile(&gaps_ms(round), 99));
    let beyond = gap.beyond_nginx();
    let quantity = "16 agents at 170 pieces/s: gap ms p99";
    Ok(vec![
        Figure::compared(quantity, &gap, beyond, Target::AtMost(1.0)).noted("result: beyond nginx"),
    ])
}

fn rounds(ground: &Ground<'_>, pace: Pace) -> Result<Rounds<Round>> {
    let home = ground.home()?;
    let served = home.serve(Vault::File)?;
    ground.interleaved(Dialect::Chat, &served.door, |door| {
        let begin = Instant::now();
        let used = served.process.processor_seconds()?;
        let all = CONNECTIONS * ANSWERS;
        let streams = ground.wait(client::streams(door, pace, CONNECTIONS, all, ground.epoch))?;
        let streams = streams.into_iter().collect::<Result<Vec<_>>>()?;
        let used = served.process.processor_seconds()? - used;
        let processor_percent = 100.0 * used / begin.elapsed().as_secs_f64();
        Ok(Round { streams, processor_percent })
    })
}

fn first_ms(round: &Round) -> Vec<f64> {
    let first = |one: &Streamed| one.arrivals.first().map(|piece| piece.arrived_us - one.asked_us);
    round.streams.iter().filter_map(first).map(ms).collect()
}

fn gaps_ms(round: &Round) -> Vec<f64> {
    let pairs = round.streams.iter().flat_map(|one| one.arrivals.windows(2));
    pairs
        .filter_map(|pair| match pair {
            [one, next] => Some(ms(next.arrived_us.saturating_sub(one.arrived_us))),
            _ => None,
        })
        .collect()
}
