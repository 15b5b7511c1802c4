//! `gatehouse usage --by meter`: what the invoice counts.

use control::view::{MeterTotalsView, UsageView};

use crate::exit::CommandError;
use crate::quantity::{UNKNOWN, format_count, format_exact_dollars, format_money};
use crate::text::{Column, StyledText, TextTable};

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
        Column::Right("Without a rate").hidden_at_rank(1),
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
            cost(total).unwrap_or_else(|| UNKNOWN.to_owned()).into(),
            share.into(),
        ]);
    }
    text.end().table(&table);
    text
}

/// `None` if nothing has a rate: unknown is not zero.
fn cost(total: &MeterTotalsView) -> Option<String> {
    (total.quantity.0 > total.unpriced_quantity.0).then(|| format_money(total.cost_nano_usd))
}

pub(in crate::command) fn csv(usage: &UsageView) -> Result<String, CommandError> {
    let broken = |error: csv::Error| CommandError::internal(&error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let columns = ["meter", "unit", "quantity", "unpriced_quantity", "cost_usd"];
    writer.write_record(columns).map_err(broken)?;
    for total in &usage.meters {
        let has_cost = total.quantity.0 > total.unpriced_quantity.0;
        let cost = has_cost.then(|| format_exact_dollars(total.cost_nano_usd));
        let (meter, unit) = (total.meter.word(), total.unit.word());
        let (quantity, unpriced) = (total.quantity.0, total.unpriced_quantity.0);
        let cells = [meter, unit, &quantity.to_string(), &unpriced.to_string()];
        let cost = cost.unwrap_or_default();
        writer.write_record(cells.into_iter().chain([cost.as_str()])).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| CommandError::internal(&error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
