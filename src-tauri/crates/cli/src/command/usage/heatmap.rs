//! `gatehouse usage heatmap`: costs by weekday and hour.

use control::Core;
use control::view::{Count, UsageHeatmapView, UsageSegmentView};

use super::period::PeriodArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_counted_noun, format_money};
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

/// A row for each hour with requests or a cost, a column for each weekday.
pub(in crate::command) fn text(heatmap: &UsageHeatmapView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &heatmap.finding);
    let days = heatmap.weekdays.iter().map(|day| Column::named(&day.weekday));
    let columns: Vec<Column> = [Column::Left("Hour")].into_iter().chain(days).collect();
    let mut table = TextTable::new(&columns);
    for hour in 0..24 {
        let cells: Vec<UsageSegmentView> =
            heatmap.weekdays.iter().filter_map(|day| day.hours.get(hour).copied()).collect();
        if cells.iter().all(|cell| CostSum::from(cell).is_nothing()) {
            continue;
        }
        let name = TableCell::from(&format!("{hour:02}:00"));
        table.row_of([name].into_iter().chain(cells.iter().map(cell)).collect());
    }
    text.end().table(&table);
    let hours = heatmap.weekdays.iter().flat_map(|day| &day.hours);
    let unpriced = Count(hours.map(|hour| hour.unpriced_requests.0).sum());
    if unpriced.0 > 0 {
        let left_out = format_counted_noun(unpriced, "unpriced request");
        text.line(Tone::Muted, &format!("Costs with +? exclude some of {left_out}."));
    }
    text
}

fn cell(cell: &UsageSegmentView) -> TableCell {
    let sum = CostSum::from(cell);
    match sum.unpriced.0 {
        _ if sum.is_nothing() => "".into(),
        0 => sum.text().into(),
        _ if sum.is_unknown => sum.text().into(),
        // Seven columns leave no room for the number, which is below the table.
        _ => format!("{} +?", format_money(sum.cost)).into(),
    }
}
