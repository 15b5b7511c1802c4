//! Formats numbers for people: times as distances, counts with thousands separators, durations with
//! a unit.

use std::sync::OnceLock;
use std::time::Duration;

use control::view::{
    CostBasis, Count, FailureClassView, MeterTotalsView, NanoDollars, PlanValueView, SavedFile,
    SessionLogTotalsView, SpendView, UnixMs, UsageEfficiencyView, UsageSegmentView,
    UsageTotalsView, UsageWasteView,
};
use domain::ShownCurrency;

const SECOND_MS: u64 = 1_000;

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
    domain::format_length(Duration::from_millis(ms))
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

/// Formats a size as `412 B`, `48 kB` or `4.1 MB`.
pub(crate) fn format_bytes(bytes: Count) -> String {
    match bytes.0 {
        few @ 0..1_000 => format!("{few} B"),
        some @ 1_000..1_000_000 => format!("{} kB", some / 1_000),
        many => format!("{}.{} MB", many / 1_000_000, many % 1_000_000 / 100_000),
    }
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

/// A sum of costs, and what of it is not known. Whether nothing is known says the core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CostSum {
    pub(crate) cost: NanoDollars,
    /// True if nothing is known of it.
    pub(crate) is_unknown: bool,
    /// The requests, attempts or answers in it, or what a meter counted.
    pub(crate) counted: Count,
    pub(crate) unpriced: Count,
}

impl CostSum {
    /// Formats as `$4.10`, `$4.10 + 2 unpriced` or `unpriced`: an unknown price is never shown as zero.
    pub(crate) fn text(self) -> String {
        self.text_on(CostBasis::Known)
    }

    /// The same on a basis: `$4.10 + 2 unreported`.
    pub(crate) fn text_on(self, basis: CostBasis) -> String {
        let (word, cost) = (basis.unknown_word(), format_money(self.cost));
        match self.unpriced.0 {
            _ if self.is_unknown => word.to_owned(),
            _ if self.is_nothing() => UNKNOWN.to_owned(),
            0 => cost,
            some => format!("{cost} + {} {word}", domain::group_digits(some)),
        }
    }

    /// Exact dollars, for programs; empty if nothing is known, since that is not zero.
    pub(crate) fn exact_dollars(self) -> String {
        match self.is_unknown {
            true => String::new(),
            false => format_exact_dollars(self.cost),
        }
    }

    /// True if there is nothing to show. A model that only failed attempts were made at has a cost and
    /// no request.
    pub(crate) fn is_nothing(self) -> bool {
        (self.cost.0, self.counted.0, self.unpriced.0) == (0, 0, 0) && !self.is_unknown
    }
}

/// Makes a [`CostSum`] of a view by the names of its fields.
macro_rules! cost_sums {
    ($($view:ty: $cost:ident $is_unknown:ident $counted:ident $unpriced:ident),+ $(,)?) => {$(
        impl From<&$view> for CostSum {
            fn from(view: &$view) -> Self {
                Self {
                    cost: view.$cost,
                    is_unknown: view.$is_unknown,
                    counted: view.$counted,
                    unpriced: view.$unpriced,
                }
            }
        }
    )+};
}

cost_sums! {
    SpendView: cost_nano_usd is_cost_unknown requests unpriced_requests,
    UsageTotalsView: cost_nano_usd is_cost_unknown requests unpriced_requests,
    UsageSegmentView: cost_nano_usd is_cost_unknown requests unpriced_requests,
    UsageEfficiencyView: cost_nano_usd is_cost_unknown requests unpriced_requests,
    UsageWasteView: cost_nano_usd is_cost_unknown requests unpriced,
    FailureClassView: cost_nano_usd is_cost_unknown attempts unpriced_attempts,
    MeterTotalsView: cost_nano_usd is_cost_unknown quantity unpriced_quantity,
    SavedFile: cost_nano_usd is_cost_unknown requests unpriced_requests,
    PlanValueView: value_nano_usd is_value_unknown answers unpriced_answers,
    SessionLogTotalsView: value_nano_usd is_value_unknown answers unpriced_answers,
}

/// Exact dollars, for programs: `0.001234`, `0.000000160`.
fn format_exact_dollars(amount: NanoDollars) -> String {
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
    fn a_small_file_has_a_size() {
        let shown = |bytes: u64| format_bytes(bytes.into());
        assert_eq!([0, 412, 48_900].map(shown), ["0 B", "412 B", "48 kB"]);
        assert_eq!([999_999, 1_000_000, 4_190_000].map(shown), ["999 kB", "1.0 MB", "4.1 MB"]);
    }

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
        let check = |nanos: i64, counted: u64, unpriced: u64, shown: &str| {
            let (counted, unpriced) = (Count(counted), Count(unpriced));
            let is_unknown = shown == "unpriced";
            let sum = CostSum { cost: NanoDollars(nanos), is_unknown, counted, unpriced };
            assert_eq!(sum.text(), shown);
            assert_eq!(sum.exact_dollars().is_empty(), is_unknown);
        };
        check(0, 0, 0, "–");
        // Failed attempts cost something, and no request counts here.
        check(4_100_000_000, 0, 0, "$4.10");
        check(0, 2, 2, "unpriced");
        check(0, 0, 1, "unpriced");
        check(4_100_000_000, 3, 1, "$4.10 + 1 unpriced");
        check(4_100_000_000, 3_000, 1_000, "$4.10 + 1,000 unpriced");
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
