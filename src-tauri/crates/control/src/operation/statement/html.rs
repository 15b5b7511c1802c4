//! A statement as a page to print: one file, no script, nothing fetched.

use domain::{NanoUsd, group_digits};
use ledger::UsageTotals;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{Statement, StatementLine};

/// Black on white, tables that break between rows, and headers on each page.
const STYLE: &str = "
:root{color-scheme:light;font:14px/1.45 system-ui,sans-serif;color:#1b1b1a;background:#fff}
body{max-width:60rem;margin:2rem auto;padding:0 1.5rem}
h1{font-size:1.6rem;margin:0 0 .25rem}h2{font-size:1.05rem;margin:2rem 0 .5rem}
p{margin:.25rem 0;color:#55534e}dl{display:flex;gap:2.5rem;margin:1.5rem 0 0}
dt{color:#55534e}p.note{margin-top:1.5rem}dd{margin:0;font-size:1.35rem;font-weight:600}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th{font-weight:600;text-align:left;border-bottom:1px solid #1b1b1a}
th,td{padding:.3rem .5rem;vertical-align:baseline}
th:first-child,td:first-child{padding-left:0}th:last-child,td:last-child{padding-right:0}td{border-bottom:1px solid #e3e1da}
th.n,td.n{text-align:right;white-space:nowrap}td{overflow-wrap:anywhere}
tr.day td{border-top:1px solid #8a877f}tfoot td{font-weight:600;border-top:2px solid #1b1b1a}
thead{display:table-header-group}tr{break-inside:avoid}
@page{margin:16mm}@media print{body{margin:0;max-width:none;padding:0}}";

pub(super) fn render(statement: &Statement) -> String {
    let title = title(statement);
    let decimals = decimals(statement);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                p { (scope(statement)) }
                (summary(statement, decimals))
                (days(statement, decimals))
                (meters(statement, decimals))
                p.note { "Made by Gatehouse on " (statement.made_at) ". US dollars, exact: the rows add up to the total. "
                    "Amounts are what providers stated or Gatehouse computed from listed prices; the provider's invoice decides." }
            }
        }
    }
    .into_string()
}

fn title(statement: &Statement) -> String {
    let month = statement.month_name.as_str();
    match statement.project.as_deref() {
        None => format!("AI usage, {month}"),
        Some("") => format!("AI usage without a project, {month}"),
        Some(project) => format!("AI usage of {project}, {month}"),
    }
}

fn scope(statement: &Statement) -> String {
    let ended = if statement.is_partial { " The month has not ended." } else { "" };
    format!("Days in {}.{ended}", statement.time_zone)
}

fn summary(statement: &Statement, decimals: usize) -> Markup {
    let total = &statement.total;
    html! {
        dl {
            div { dt { "Cost" } dd { (known_dollars(total.known_cost(), decimals)) } }
            div { dt { "Requests" } dd { (group_digits(total.requests)) } }
            div { dt { "Tokens in" } dd { (group_digits(total.tokens.input())) } }
            div { dt { "Tokens out" } dd { (group_digits(total.tokens.output())) } }
        }
        @if total.unpriced_requests > 0 {
            p { "The cost of " (group_digits(total.unpriced_requests)) " of these requests is not known, or only a part of it. What is not known is in no amount." }
        }
    }
}

fn days(statement: &Statement, decimals: usize) -> Markup {
    if statement.rows.is_empty() {
        return html! { h2 { "Days" } p { "No requests." } };
    }
    let begins_day = |index: usize, row: &StatementLine| {
        index > 0 && statement.rows.get(index - 1).is_some_and(|before| before.day != row.day)
    };
    html! {
        h2 { "Days" }
        table {
            thead { tr {
                th { "Day" } th { "Backend" } th { "Model" } th.n { "Requests" } th.n { "Unpriced" }
                th.n { "Tokens in" } th.n { "Cached" } th.n { "Tokens out" } th.n { "Cost" }
            } }
            tbody { @for (index, row) in statement.rows.iter().enumerate() {
                tr.day[begins_day(index, row)] {
                    td { (row.day) } td { @if row.backend.is_empty() { "no backend" } @else { (row.backend) } }
                    td { (row.model) } (amounts(&row.amounts, decimals))
                }
            } }
            tfoot { tr { td colspan="3" { "Total" } (amounts(&statement.total, decimals)) } }
        }
    }
}

fn amounts(it: &UsageTotals, decimals: usize) -> Markup {
    html! {
        td.n { (group_digits(it.requests)) } td.n { (group_digits(it.unpriced_requests)) }
        td.n { (group_digits(it.tokens.input())) } td.n { (group_digits(it.tokens.cache_read)) }
        td.n { (group_digits(it.tokens.output())) }
        td.n { (known_dollars(it.known_cost(), decimals)) }
    }
}

fn meters(statement: &Statement, decimals: usize) -> Markup {
    if statement.meters.is_empty() {
        return html! {};
    }
    html! {
        h2 { "What was counted" }
        p { "Failed attempts are included, and amounts are at listed rates, so that this table may add up to more than the days." }
        table {
            thead { tr { th { "Counted" } th.n { "Quantity" } th.n { "Unpriced" } th.n { "Cost" } } }
            tbody { @for line in &statement.meters {
                tr {
                    td { (line.meter) } td.n { (group_digits(line.quantity)) }
                    td.n { (group_digits(line.unpriced_quantity)) }
                    td.n { (known_dollars(line.cost_nano_usd.map(NanoUsd::new), decimals)) }
                }
            } }
        }
    }
}

/// Decimals that write every amount exactly, at least two.
fn decimals(statement: &Statement) -> usize {
    let rows = statement.rows.iter().map(|row| row.amounts.cost.nanos());
    let amounts = rows.chain(statement.meters.iter().filter_map(|line| line.cost_nano_usd));
    let needed = |nanos: i64| {
        let digits = format!("{:09}", nanos.unsigned_abs() % 1_000_000_000);
        digits.trim_end_matches('0').len()
    };
    amounts.map(needed).max().unwrap_or_default().max(2)
}

fn known_dollars(cost: Option<NanoUsd>, decimals: usize) -> String {
    cost.map_or_else(|| "not known".to_owned(), |cost| dollars(cost.nanos(), decimals))
}

fn dollars(nanos: i64, decimals: usize) -> String {
    let exact = NanoUsd::new(nanos).to_string();
    let decimals_text = exact.split_once('.').map_or("", |(_, decimals)| decimals);
    let rest: String = decimals_text.chars().chain(std::iter::repeat('0')).take(decimals).collect();
    let sign = if nanos < 0 { "-" } else { "" };
    format!("{sign}${}.{rest}", group_digits(nanos.unsigned_abs() / 1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_and_grouped() {
        assert_eq!(dollars(1_234_567_000_000_160, 9), "$1,234,567.000000160");
        assert_eq!(dollars(-2_500_000_000, 2), "-$2.50");
        assert_eq!(dollars(0, 2), "$0.00");
    }
}
