//! Formats numbers for people: times as distances, counts with thousands separators, durations with
//! a unit.

use std::sync::OnceLock;

use control::view::{CostBasis, Count, NanoDollars, SpendView, UnixMs};
use domain::ShownCurrency;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Printed for an unknown value.
pub(crate) const UNKNOWN: &str = "–";

/// The distance from `now` to `then`: `3 min ago`, `in 2 d`.
pub(crate) fn format_distance(now: UnixMs, then: UnixMs) -> String {
    let apart = now.0.abs_diff(then.0);
    if apart < SECOND_MS {
        return "just now".to_owned();
    }
    let length = format_length(apart);
    if then > now { format!("in {length}") } else { format!("{length} ago") }
}

/// A time in its largest whole unit: `42 s`, `12 min`, `3 h`, `4 d`.
pub(crate) fn format_length(ms: u64) -> String {
    match ms {
        0..MINUTE_MS => format!("{} s", ms / SECOND_MS),
        MINUTE_MS..HOUR_MS => format!("{} min", ms / MINUTE_MS),
        HOUR_MS..DAY_MS => format!("{} h", ms / HOUR_MS),
        _ => format!("{} d", ms / DAY_MS),
    }
}

pub(crate) fn format_distance_if_known(now: UnixMs, then: Option<UnixMs>) -> String {
    then.map_or_else(|| UNKNOWN.to_owned(), |then| format_distance(now, then))
}

/// Formats a count that may be cut off: `500 or more`.
pub(crate) fn format_at_least(count: Count, is_cut: bool) -> String {
    let number = format_count(count);
    if is_cut { format!("{number} or more") } else { number }
}

/// Formats a count as `1,234,567`.
pub(crate) fn format_count(count: Count) -> String {
    domain::group_digits(count.0)
}

/// Formats a duration as `340 ms` or `1.2 s`.
pub(crate) fn format_duration(ms: f64) -> String {
    if ms < 1_000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1_000.0) }
}

/// The currency that amounts are printed in, for this process: like the width of the terminal, it
/// is the same for everything that a command prints.
static CURRENCY: OnceLock<ShownCurrency> = OnceLock::new();

/// Sets the currency that amounts are printed in, once.
pub(crate) fn set_currency(currency: ShownCurrency) {
    let _ = CURRENCY.set(currency);
}

/// Formats an amount in the currency of this process: `$4.10`, `€3.49`.
pub(crate) fn format_money(amount: NanoDollars) -> String {
    amount.shown_in(CURRENCY.get().copied().unwrap_or(ShownCurrency::USD))
}

/// Formats a spend as `$4.10`, or `$4.10 + 2 unpriced`.
pub(crate) fn format_spend(spend: &SpendView) -> String {
    format_cost(spend.cost_nano_usd, spend.requests, spend.unpriced_requests)
}

/// True if nothing is known of what the requests of a sum cost. A model that only failed attempts were
/// made at may have unpriced ones and answered none.
pub(crate) fn is_wholly_unpriced(cost: NanoDollars, requests: Count, unpriced: Count) -> bool {
    unpriced.0 > 0 && requests.0 <= unpriced.0 && cost.0 == 0
}

/// Formats a sum of which a part may be unknown; an unknown price is never shown as zero.
pub(crate) fn format_cost(cost: NanoDollars, requests: Count, unpriced: Count) -> String {
    let is_unknown = is_wholly_unpriced(cost, requests, unpriced);
    format_cost_on(CostBasis::Known, cost, requests, unpriced, is_unknown)
}

/// The same on a basis, where it is known whether nothing of the cost is.
pub(crate) fn format_cost_on(
    basis: CostBasis,
    cost: NanoDollars,
    requests: Count,
    unknown: Count,
    is_unknown: bool,
) -> String {
    let word = basis.unknown_word();
    match (requests.0, unknown.0) {
        _ if is_unknown => word.to_owned(),
        // A model that only failed attempts were made at has a cost and no request.
        (0, 0) if cost.0 == 0 => UNKNOWN.to_owned(),
        (_, 0) => format_money(cost),
        (_, some) => format!("{} + {some} {word}", format_money(cost)),
    }
}

/// Exact dollars, for programs: `0.001234`, `0.000000160`.
pub(crate) fn format_exact_dollars(amount: NanoDollars) -> String {
    domain::NanoUsd::new(amount.0).to_string()
}

/// Exact dollars with the decimals that they need, at least two: `$2.50`, `$0.00000016`.
pub(crate) fn format_shortest_dollars(amount: NanoDollars) -> String {
    let exact = format_exact_dollars(amount);
    let (dollars, decimals) = exact.split_once('.').unwrap_or((&exact, ""));
    let (sign, dollars) = dollars.strip_prefix('-').map_or(("", dollars), |rest| ("-", rest));
    format!("{sign}${dollars}.{:0<2}", decimals.trim_end_matches('0'))
}

/// Formats a count with its noun: `1 request`, `2 requests`.
pub(crate) fn format_counted_noun(count: Count, noun: &str) -> String {
    let plural = if count.0 == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", format_count(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_change_their_unit_at_its_size() {
        let now = UnixMs(100 * 86_400_000);
        let check =
            |back: i64, shown: &str| assert_eq!(format_distance(now, UnixMs(now.0 - back)), shown);
        check(0, "just now");
        check(999, "just now");
        check(1_000, "1 s ago");
        check(59_999, "59 s ago");
        check(60_000, "1 min ago");
        check(3_600_000, "1 h ago");
        check(86_399_999, "23 h ago");
        check(86_400_000, "1 d ago");
        check(-172_800_000, "in 2 d");
        assert_eq!(format_distance_if_known(now, None), "–");
    }

    #[test]
    fn numbers_are_grouped_and_an_unknown_cost_is_not_zero() {
        let check = |number: u64, shown: &str| assert_eq!(format_count(Count(number)), shown);
        check(0, "0");
        check(999, "999");
        check(1_000, "1,000");
        check(1_234_567, "1,234,567");
        let check = |nanos: i64, all: u64, unpriced: u64, shown: &str| {
            assert_eq!(format_cost(NanoDollars(nanos), Count(all), Count(unpriced)), shown);
        };
        check(0, 0, 0, "–");
        // Failed attempts cost something, and no request counts here.
        check(4_100_000_000, 0, 0, "$4.10");
        check(0, 2, 2, "unpriced");
        check(0, 0, 1, "unpriced");
        check(4_100_000_000, 3, 1, "$4.10 + 1 unpriced");
        check(0, 3, 0, "$0.00");
        assert_eq!(format_exact_dollars(NanoDollars(1_000_234_005)), "1.000234005");
        for (nanos, text) in [(160, "$0.00000016"), (-2_500_000_000, "-$2.50"), (0, "$0.00")] {
            assert_eq!(format_shortest_dollars(NanoDollars(nanos)), text);
        }
        assert_eq!(format_exact_dollars(NanoDollars(-5)), "-0.000000005");
        assert_eq!(
            (format_duration(340.4), format_duration(1_250.0)),
            ("340 ms".to_owned(), "1.2 s".to_owned())
        );
    }
}
