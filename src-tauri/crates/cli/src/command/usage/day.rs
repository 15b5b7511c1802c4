//! `gatehouse usage --by day`: what each step of time cost.

use control::view::UsageView;
use domain::WallTime;

use super::write_csv;
use crate::exit::CommandError;
use crate::quantity::{CostSum, format_count};
use crate::text::{Column, StyledText, TextTable};

/// One row for each time step, empty ones included.
pub(in crate::command) fn table(usage: &UsageView) -> StyledText {
    let mut table = TextTable::new(&[
        Column::Left("When"),
        Column::Right("Cost"),
        Column::Right("Requests"),
        Column::Right("Tokens").hidden_at_rank(1),
    ]);
    for bucket in &usage.buckets {
        table.row([
            bucket.label.as_str().into(),
            CostSum::from(&bucket.total).text_on(usage.cost_basis).into(),
            format_count(bucket.total.requests).into(),
            format_count(bucket.total.tokens).into(),
        ]);
    }
    let mut text = StyledText::new();
    super::append_finding(&mut text, usage);
    text.end().table(&table);
    text
}

/// One row for each time step, empty ones included, in US dollars.
pub(in crate::command) fn csv(usage: &UsageView) -> Result<String, CommandError> {
    let columns = ["start_utc", "cost_usd", "requests", "unpriced_requests", "tokens"];
    let rows = usage.buckets.iter().map(|bucket| {
        let total = &bucket.total;
        let numbers = [total.requests, total.unpriced_requests, total.tokens];
        let [requests, unpriced, tokens] = numbers.map(|number| number.0.to_string());
        [
            WallTime::from_unix_ms(bucket.start.0).to_rfc3339(),
            CostSum::from(total).exact_dollars(),
            requests,
            unpriced,
            tokens,
        ]
    });
    write_csv(columns, rows)
}
