//! `gatehouse routes simulate`: shows how routing would distribute many requests. Nothing is sent.

use control::Core;
use control::view::{RouteSimulation, RouteSimulationView, SIMULATION_DRAWS_MAX};

use super::{ExplainArguments, build_route_request};
use crate::command::completers;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};

/// Many requests that are not sent.
#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArguments {
    #[command(flatten)]
    request: ExplainArguments,
    /// Number of requests
    #[arg(long, short = 'n', value_name = "N", default_value_t = 1_000,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(SIMULATION_DRAWS_MAX)))]
    requests: u32,
    /// Assume that this backend is down (repeatable)
    #[arg(long = "down", value_name = "BACKEND", add = completers::candidates_from(completers::backend_names))]
    down: Vec<String>,
}

pub(super) async fn run(
    wanted: SimulateArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let SimulateArguments { request, requests: draws, down: closed } = wanted;
    let simulation = RouteSimulation { ask: build_route_request(request), draws, closed };
    let view = control::route_simulate(core, simulation).await?;
    console.print_view(&view, render_simulation)?;
    Ok(if view.failures < view.draws { Exit::Success } else { Exit::Negative })
}

fn render_simulation(view: &RouteSimulationView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &view.sentence);
    if let Some(failure) = &view.failure {
        text.line(Tone::Bad, failure);
    }
    if view.shares.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Backend"),
        Column::Left("Model"),
        Column::Right("Share"),
        Column::Right("By weight").hidden_at_rank(1),
    ]);
    let percent = |share: f64| format!("{share:.1} %");
    for share in &view.shares {
        table.row([
            TableCell::styled(Tone::Strong, &share.backend),
            share.model.as_str().into(),
            percent(share.percent).into(),
            share.expected_percent.map_or_else(String::new, percent).into(),
        ]);
    }
    text.end().table(&table);
    text
}
