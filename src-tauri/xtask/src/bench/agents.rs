//! Benchmarks of an agent's view: 16 agents stream from hosted models at those models' pace.

use std::time::Instant;

use anyhow::Result;

use super::client::{self, StreamTimings};
use super::dialect::BenchDialect;
use super::environment::{BenchEnvironment, Rounds};
use super::figures::{median, percentile};
use super::home::BenchVault;
use super::report::{Figure, FigureTarget};
use super::traffic::{CONNECTIONS, has_gap, to_figure, to_ms};
use super::upstream::{AGENT, StreamPace, THINKING};

/// Answers of each agent in a round: about ten seconds.
const ANSWERS: usize = 4;

/// The measurements of one contender's round.
struct AgentRound {
    streams: Vec<StreamTimings>,
    /// Processor time of Gatehouse as a share of one core, for every contender.
    processor_percent: f64,
}

/// 300 ms to the first token, then 50 pieces a second each.
pub(crate) fn hosted(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let rounds = rounds(environment, AGENT)?;
    let first = rounds.each(|round| percentile(&first_ms(round), 99));
    let gap = rounds.each(|round| percentile(&gaps_ms(round), 99));
    let late =
        rounds.each(|round| to_figure(round.streams.iter().filter(|one| has_gap(one)).count()));
    let busy: Vec<f64> = rounds.gatehouse.iter().map(|round| round.processor_percent).collect();
    let (first_beyond, gap_beyond) = (first.beyond_nginx(), gap.beyond_nginx());
    let late_beyond = late.gatehouse.iter().sum::<f64>() - late.direct.iter().sum::<f64>();
    Ok(vec![
        Figure::from_rounds(
            "16 agents: first token ms p99",
            &first,
            first_beyond,
            FigureTarget::AtMost(0.5),
        )
        .with_note("result: beyond nginx"),
        Figure::from_rounds("16 agents: gap ms p99", &gap, gap_beyond, FigureTarget::AtMost(0.3))
            .with_note("result: beyond nginx"),
        Figure::from_rounds(
            "16 agents: answers with a gap > 30 ms",
            &late,
            Some(late_beyond.max(0.0)),
            FigureTarget::AtMost(0.0),
        )
        .with_note("result: beyond direct, all rounds"),
        Figure::of_gatehouse("16 agents: % of one core", median(&busy), FigureTarget::AtMost(2.0)),
    ])
}

/// 170 pieces a second each, without a wait for the first.
pub(crate) fn thinking(environment: &BenchEnvironment<'_>) -> Result<Vec<Figure>> {
    let rounds = rounds(environment, THINKING)?;
    let gap = rounds.each(|round| percentile(&gaps_ms(round), 99));
    let beyond = gap.beyond_nginx();
    let quantity = "16 agents at 170 pieces/s: gap ms p99";
    Ok(vec![
        Figure::from_rounds(quantity, &gap, beyond, FigureTarget::AtMost(1.0))
            .with_note("result: beyond nginx"),
    ])
}

fn rounds(environment: &BenchEnvironment<'_>, pace: StreamPace) -> Result<Rounds<AgentRound>> {
    let home = environment.create_home()?;
    let served = home.serve(BenchVault::File)?;
    environment.measure_interleaved(BenchDialect::Chat, &served.server, |server| {
        let begin = Instant::now();
        let used = served.process.processor_seconds()?;
        let all = CONNECTIONS * ANSWERS;
        let streams = environment.block_on(client::stream_answers(
            server,
            pace,
            CONNECTIONS,
            all,
            environment.epoch,
        ))?;
        let streams = streams.into_iter().collect::<Result<Vec<_>>>()?;
        let used = served.process.processor_seconds()? - used;
        let processor_percent = 100.0 * used / begin.elapsed().as_secs_f64();
        Ok(AgentRound { streams, processor_percent })
    })
}

fn first_ms(round: &AgentRound) -> Vec<f64> {
    let first =
        |one: &StreamTimings| one.arrivals.first().map(|piece| piece.arrived_us - one.asked_us);
    round.streams.iter().filter_map(first).map(to_ms).collect()
}

fn gaps_ms(round: &AgentRound) -> Vec<f64> {
    let pairs = round.streams.iter().flat_map(|one| one.arrivals.windows(2));
    pairs
        .filter_map(|pair| match pair {
            [one, next] => Some(to_ms(next.arrived_us.saturating_sub(one.arrived_us))),
            _ => None,
        })
        .collect()
}
