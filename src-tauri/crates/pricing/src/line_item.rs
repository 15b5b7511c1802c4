//! An attempt as an invoice has it: lines of meter, quantity, rate and amount.

use domain::{Meter, MeteredUsage, NanoUsd, Usage};
use serde::{Deserialize, Serialize};

use crate::Rate;

/// One line: what a meter counted, and what that costs.
///
/// In JSON the array `["input", 1200, 2000000000, 2400000]`: word, quantity, nano-dollars for a
/// million units, nano-dollars. A line without a rate has `null` in both places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredLine", into = "StoredLine")]
pub struct LineItem {
    pub meter: Meter,
    pub quantity: u64,
    /// `None` if the price list has no rate for the meter.
    pub rate: Option<Rate>,
    pub amount: Option<NanoUsd>,
}

type StoredLine = (Meter, u64, Option<i64>, Option<NanoUsd>);

impl LineItem {
    pub(crate) fn new(meter: Meter, quantity: u64, rate: Option<Rate>) -> Self {
        Self { meter, quantity, rate, amount: rate.map(|rate| rate.amount(quantity)) }
    }
}

impl LineItem {
    /// What recorded lines counted. A meter that is not after the one before it begins another call of
    /// the model ([`Usage::calls`]).
    #[must_use]
    pub fn usage_of(lines: &[Self]) -> Usage {
        let mut calls = lines
            .chunk_by(|one, next| one.meter < next.meter)
            .map(|call| call.iter().map(|line| (line.meter, line.quantity)).collect());
        let first: MeteredUsage = calls.next().unwrap_or_default();
        let inner_calls: Vec<MeteredUsage> = calls.collect();
        let quantities = inner_calls.iter().fold(first, |sum, call| sum + *call);
        Usage { quantities, inner_calls, ..Usage::default() }
    }

    /// The same quantity, without a price.
    #[must_use]
    pub fn without_rate(self) -> Self {
        Self { rate: None, amount: None, ..self }
    }
}

impl From<StoredLine> for LineItem {
    fn from((meter, quantity, rate, amount): StoredLine) -> Self {
        Self { meter, quantity, rate: rate.map(Rate::new), amount }
    }
}

impl From<LineItem> for StoredLine {
    fn from(LineItem { meter, quantity, rate, amount }: LineItem) -> Self {
        (meter, quantity, rate.map(Rate::nanos_per_million), amount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_array_and_reads_back() {
        let priced = LineItem::new(Meter::Input, 1_200, Some(Rate::new(2_000_000_000)));
        let lines = [priced, LineItem::new(Meter::WebSearch, 2, None)];
        let json = serde_json::to_string(&lines).expect("JSON");
        assert_eq!(json, r#"[["input",1200,2000000000,2400000],["web_search",2,null,null]]"#);
        assert_eq!(serde_json::from_str::<[LineItem; 2]>(&json).expect("lines"), lines);
    }

    #[test]
    fn lines_tell_the_calls_that_they_are_of() {
        let of = |counts: &[(Meter, u64)]| counts.iter().copied().collect::<MeteredUsage>();
        let usage = Usage {
            quantities: of(&[(Meter::Input, 100), (Meter::Output, 9), (Meter::WebSearch, 2)]),
            inner_calls: vec![
                of(&[(Meter::Input, 60)]),
                of(&[(Meter::Input, 30), (Meter::Output, 4)]),
            ],
            ..Usage::default()
        };
        let calls = usage.calls();
        let counts = calls.iter().flat_map(MeteredUsage::iter);
        let lines: Vec<_> =
            counts.map(|(meter, count)| LineItem::new(meter, count, None)).collect();
        let read = LineItem::usage_of(&lines);
        assert_eq!((read.quantities, read.calls()), (usage.quantities, calls));
        assert_eq!(LineItem::usage_of(&[]), Usage::default());
    }
}
