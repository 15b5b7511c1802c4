//! `gatehouse usage plans`: what is left of the plans that coding tools are signed in to.

use control::Core;
use control::view::{PlanValueView, PlanView, PlanWindowView, PlansView, UnixMs};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, UNKNOWN, format_count, format_distance};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable};

pub(super) async fn run(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let plans = control::plans(core).await?;
    let now = console.now();
    console.print_view(&plans, |plans| render(plans, now))?;
    Ok(Exit::Success)
}

pub(in crate::command) fn render(plans: &PlansView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &plans.finding);
    if !plans.plans.is_empty() {
        let mut table = TextTable::new(&[
            Column::Left("Plan"),
            Column::Left("Window"),
            Column::Right("Used"),
            Column::Left("State"),
            Column::Left("Starts again"),
            Column::Left("Used up").hidden_at_rank(2),
            Column::Left("As of").hidden_at_rank(3),
        ]);
        for plan in &plans.plans {
            for window in &plan.windows {
                table.row(window_row(plan, window, now));
            }
        }
        text.end().table(&table);
    }
    append_values(&mut text, &plans.values);
    text
}

fn window_row(plan: &PlanView, window: &PlanWindowView, now: UnixMs) -> [TableCell; 7] {
    // Rounded down, so that only what is used up is 100 %.
    let used = window.used_percent.map(|used| format!("{:.0} %", used.floor()));
    [
        plan.label.as_str().into(),
        window.label.as_str().into(),
        used.unwrap_or_else(|| UNKNOWN.to_owned()).into(),
        Sign::from(window.state).into(),
        format_distance(now, window.resets_at).into(),
        window.runs_out_at.map_or_else(String::new, |at| format_distance(now, at)).into(),
        format_distance(now, window.read_at).into(),
    ]
}

fn append_values(text: &mut StyledText, values: &[PlanValueView]) {
    if values.is_empty() {
        text.line(Tone::Muted, "`gatehouse usage import-logs` tells what usage of plans is worth.");
        return;
    }
    let mut table = TextTable::new(&[
        Column::Left("Last 30 days"),
        Column::Right("List value"),
        Column::Right("Answers"),
    ]);
    for value in values {
        table.row([
            value.tool_name.as_str().into(),
            CostSum::from(value).text().into(),
            format_count(value.answers).into(),
        ]);
    }
    text.end().table(&table);
    let note = "The value is what the providers' APIs would have charged. It is not money spent.";
    text.end().line(Tone::Muted, note);
}
