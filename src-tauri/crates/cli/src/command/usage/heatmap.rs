//! `gatehouse usage heatmap`: costs by weekday and hour.

use control::Core;
use control::view::{UsageHeatmapView, UsageSegmentView};

use super::period::PeriodArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_money;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};

pub(super) async fn run(
    wanted: &PeriodArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let heatmap = control::usage_heatmap(core, wanted.query(console.now())?).await?;
    console.print_view(&heatmap, text)?;
    Ok(Exit::Success)
}

/// A row for each hour with requests, a column for each weekday.
pub(in crate::command) fn text(heatmap: &UsageHeatmapView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &heatmap.finding);
    let days = heatmap.weekdays.iter().map(|day| Column::named(&day.weekday));
    let columns: Vec<Column> = [Column::Left("Hour")].into_iter().chain(days).collect();
    let mut table = TextTable::new(&columns);
    for hour in 0..24 {
        let cells: Vec<UsageSegmentView> =
            heatmap.weekdays.iter().filter_map(|day| day.hours.get(hour).copied()).collect();
        if cells.iter().all(|cell| cell.requests.0 == 0) {
            continue;
        }
        let name = TableCell::from(&format!("{hour:02}:00"));
        table.row_of([name].into_iter().chain(cells.iter().map(cell)).collect());
    }
    text.end().table(&table);
    text
}

fn cell(cell: &UsageSegmentView) -> TableCell {
    match cell.requests.0 {
        0 => "".into(),
        _ => format_money(cell.cost_nano_usd).into(),
    }
}
