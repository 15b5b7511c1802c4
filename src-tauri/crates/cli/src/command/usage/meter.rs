//! `gatehouse usage --by meter`: what the invoice counts.

use control::view::{CostBasis, UsageFilter, UsageView};

use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count, format_money};
use crate::text::{Column, StyledText, TextTable};

/// Refuses what is not counted by meter.
pub(in crate::command) fn check(
    filter: &UsageFilter,
    basis: CostBasis,
) -> Result<(), CommandError> {
    if basis == CostBasis::Reported {
        return Err(CommandError::new(Exit::Usage, "backends report no cost by meter")
            .with_hint("Use --basis computed: the cost of a meter comes from the price list."));
    }
    if *filter != UsageFilter::default() {
        return Err(CommandError::new(
            Exit::Usage,
            "meters are counted for all requests only, not for those of a filter",
        )
        .with_hint("Leave the filter out to see them."));
    }
    Ok(())
}

pub(in crate::command) fn table(usage: &UsageView) -> StyledText {
    let mut text = StyledText::new();
    super::append_finding(&mut text, usage);
    if usage.meters.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("Counted"),
        Column::Right("Quantity"),
        Column::Left("Unit"),
        Column::Right("Unpriced").hidden_at_rank(1),
        Column::Right("Cost"),
        Column::Right("Share").hidden_at_rank(2),
    ]);
    for total in &usage.meters {
        let share = total.cost_share_percent.map_or_else(String::new, |share| format!("{share} %"));
        table.row([
            total.label.as_str().into(),
            format_count(total.quantity).into(),
            total.unit.word().into(),
            match total.unpriced_quantity.0 {
                0 => "".into(),
                _ => format_count(total.unpriced_quantity).into(),
            },
            match total.is_cost_unknown {
                true => "unpriced".into(),
                false => format_money(total.cost_nano_usd).into(),
            },
            share.into(),
        ]);
    }
    text.end().table(&table);
    text
}

pub(in crate::command) fn csv(usage: &UsageView) -> Result<String, CommandError> {
    let columns = ["meter", "unit", "quantity", "unpriced_quantity", "cost_usd"];
    let rows = usage.meters.iter().map(|total| {
        let [quantity, unpriced] =
            [total.quantity, total.unpriced_quantity].map(|number| number.0.to_string());
        let [meter, unit] = [total.meter.word(), total.unit.word()].map(str::to_owned);
        [meter, unit, quantity, unpriced, CostSum::from(total).exact_dollars()]
    });
    super::write_csv(columns, rows)
}
