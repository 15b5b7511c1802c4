//! `gatehouse usage expensive`: the most expensive requests, and how many cost how much.

use control::Core;
use control::view::{UnixMs, UsageExpensiveView};

use super::period::PeriodArguments;
use crate::command::requests;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_count, format_money};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

pub(super) async fn run(
    wanted: &PeriodArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let costs = control::usage_expensive(core, wanted.query(console.now())?).await?;
    let now = console.now();
    console.print_view(&costs, |costs| text(costs, now))?;
    Ok(Exit::Success)
}

pub(in crate::command) fn text(costs: &UsageExpensiveView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &costs.finding);
    if costs.histogram.is_empty() {
        return text;
    }
    text.end().table(&requests::request_rows(&costs.requests, now));
    let mut table = TextTable::new(&[
        Column::Left("Cost of a request"),
        Column::Right("Requests"),
        Column::Right("Cost"),
    ]);
    for step in &costs.histogram {
        table.row([
            step.label.as_str().into(),
            format_count(step.requests).into(),
            format_money(step.cost_nano_usd).into(),
        ]);
    }
    text.end().table(&table);
    text
}
