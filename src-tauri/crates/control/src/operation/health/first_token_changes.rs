//! Whether first tokens come later than before, or whether that may be chance.

use std::ops::RangeInclusive;
use std::time::Duration;

use ledger::LatencyHistogram;
use service_levels::{CHANGE_CONFIDENCE_PERCENT, QuantileChange, quantile_ranks};

use crate::operation::time_figures::latency_text;
use crate::view::{FirstTokenChangeView, LatencyChange};

/// What is compared, and its name at the beginning of a sentence.
const PERCENTILES: [(u32, &str); 2] = [(50, "The median"), (95, "The 95th percentile")];

/// The percentiles of which both times have enough.
pub(super) fn first_token_changes(
    before: &LatencyHistogram,
    now: &LatencyHistogram,
) -> Vec<FirstTokenChangeView> {
    let view = |(percentile, name): (u32, &str)| {
        let [before, now] = [before, now].map(|it| interval(it, f64::from(percentile)));
        let found = QuantileChange::between(&before?, &now?);
        let change = match found.is_rise() {
            Some(true) => LatencyChange::Slower,
            Some(false) => LatencyChange::Faster,
            None => LatencyChange::Unclear,
        };
        Some(FirstTokenChangeView {
            percentile,
            change,
            low_ms: found.low,
            high_ms: found.high,
            sentence: sentence(name, change, found),
        })
    };
    PERCENTILES.into_iter().filter_map(view).collect()
}

/// Between which milliseconds a percentile lies.
fn interval(histogram: &LatencyHistogram, percent: f64) -> Option<RangeInclusive<f64>> {
    let ranks = quantile_ranks(histogram.count(), percent)?;
    let (low, high) = (histogram.at_rank(*ranks.start())?, histogram.at_rank(*ranks.end())?);
    let ms = |time: &Duration| time.as_secs_f64() * 1_000.0;
    Some(ms(low.start())..=ms(high.end()))
}

fn sentence(name: &str, change: LatencyChange, found: QuantileChange) -> String {
    let text = |ms: f64| latency_text(Duration::from_secs_f64(ms.abs() / 1_000.0));
    let (low, high, word) = match change {
        LatencyChange::Slower => (text(found.low), text(found.high), "later"),
        LatencyChange::Faster => (text(found.high), text(found.low), "earlier"),
        LatencyChange::Unclear => {
            return format!("{name} has not changed measurably from the seven days before");
        }
    };
    format!(
        "{name} is {low} to {high} {word} than in the seven days before, with \
         {CHANGE_CONFIDENCE_PERCENT} % confidence"
    )
}
