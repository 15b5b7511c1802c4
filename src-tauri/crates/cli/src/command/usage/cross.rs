//! `gatehouse usage --by model --across client`: the costs of two dimensions crossed.

use control::Core;
use control::view::{
    CostBasis, UsageCrossQuery, UsageCrossView, UsagePeriodQuery, UsageTotalsView,
};

use super::{GroupByArgument, UsageFormat, escape_csv_cell, write_csv};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::CostSum;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};

pub(super) async fn run(
    (by, across): (GroupByArgument, GroupByArgument),
    period: UsagePeriodQuery,
    basis: CostBasis,
    format: UsageFormat,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let (Some(rows), Some(columns)) = (by.dimension(), across.dimension()) else {
        return Err(CommandError::new(Exit::Usage, "day and meter cannot be crossed")
            .with_hint("Use model, backend, client, key, project or route for both."));
    };
    let query = UsageCrossQuery { period, rows, columns, basis };
    let crossed = control::usage_cross(core, query).await?;
    let answer = match format {
        UsageFormat::Table => table(&crossed).to_string(),
        UsageFormat::Json => console.render_json(&crossed)?,
        UsageFormat::Csv => csv(&crossed)?,
    };
    console.print(&answer)?;
    Ok(Exit::Success)
}

fn cost_cell(totals: &UsageTotalsView, basis: CostBasis) -> TableCell {
    let sum = CostSum::from(totals);
    if sum.is_nothing() { "".into() } else { sum.text_on(basis).into() }
}

pub(in crate::command) fn table(crossed: &UsageCrossView) -> StyledText {
    let mut text = StyledText::new();
    if crossed.rows.is_empty() {
        text.line(Tone::Strong, "No requests in this period");
        return text;
    }
    text.line(Tone::Muted, &crossed.basis).end();
    let basis = crossed.cost_basis;
    let names = crossed.columns.iter().map(|column| Column::named(&column.label));
    let columns = [Column::Left("")].into_iter().chain(names).chain([Column::Right("Total")]);
    let mut table = TextTable::new(&columns.collect::<Vec<_>>());
    let line = |name: TableCell, cells: Vec<TableCell>, total: &UsageTotalsView| {
        [vec![name], cells, vec![cost_cell(total, basis)]].concat()
    };
    for (row, cells) in crossed.rows.iter().zip(&crossed.cells) {
        let cells = cells.iter().map(|cell| cost_cell(cell, basis)).collect();
        table.row_of(line(TableCell::from(&row.label), cells, &row.totals));
    }
    let sums = crossed.columns.iter().map(|column| cost_cell(&column.totals, basis)).collect();
    table.row_of(line(TableCell::styled(Tone::Strong, "Total"), sums, &crossed.totals));
    text.table(&table);
    text
}

/// One row for each cell with requests or a cost, in US dollars: failed attempts cost money where they
/// were made, and their request counts where it was answered.
pub(in crate::command) fn csv(crossed: &UsageCrossView) -> Result<String, CommandError> {
    let columns = ["row", "column", "cost_usd", "requests", "unpriced_requests"];
    let cells = crossed.rows.iter().zip(&crossed.cells).flat_map(|(row, cells)| {
        crossed.columns.iter().zip(cells).map(move |(column, cell)| (row, column, cell))
    });
    let filled = cells.filter(|(_, _, cell)| !CostSum::from(*cell).is_nothing());
    let rows = filled.map(|(row, column, cell)| {
        [
            escape_csv_cell(&row.label),
            escape_csv_cell(&column.label),
            CostSum::from(cell).exact_dollars(),
            cell.requests.0.to_string(),
            cell.unpriced_requests.0.to_string(),
        ]
    });
    write_csv(columns, rows)
}
