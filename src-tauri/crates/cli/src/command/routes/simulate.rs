//! `gatehouse routes simulate`: shows how routing would distribute many requests. Nothing is sent.

use control::Core;
use control::view::{RouteSimulation, RouteSimulationView, SIMULATION_DRAWS_MAX};

use super::{Explain, asked};
use crate::command::completions;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// Many requests that are not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct Simulate {
    #[command(flatten)]
    request: Explain,
    /// Number of requests
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SIMULATION_DRAWS_MAX)))]
    requests: u32,
    /// Assume that this backend is down (repeatable)
    #[arg(long = "down", value_name = "BACKEND", add = completions::of(completions::backends))]
    down: Vec<String>,
}

pub(super) async fn run(
    wanted: Simulate,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let Simulate { request, requests: draws, down: closed } = wanted;
    let simulation = RouteSimulation { ask: asked(request), draws, closed };
    let view = control::route_simulate(core, simulation).await?;
    console.answer(&view, shown)?;
    Ok(if view.failures < view.draws { Exit::Fine } else { Exit::No })
}

fn shown(view: &RouteSimulationView) -> Text {
    let mut text = Text::new();
    text.line(Tone::Strong, &view.sentence);
    if let Some(failure) = &view.failure {
        text.line(Tone::Bad, failure);
    }
    if view.shares.is_empty() {
        return text;
    }
    let mut table = Table::new(&[
        Column::Left("Backend"),
        Column::Left("Model"),
        Column::Right("Share"),
        Column::Right("By weight").minor(1),
    ]);
    let percent = |share: f64| format!("{share:.1} %");
    for share in &view.shares {
        table.row([
            Piece::toned(Tone::Strong, &share.backend),
            share.model.as_str().into(),
            percent(share.percent).into(),
            share.expected_percent.map_or_else(String::new, percent).into(),
        ]);
    }
    text.end().table(&table);
    text
}
