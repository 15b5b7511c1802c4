//! Rates as vendors quote them: dollars per million tokens, per thousand calls, per image.

use std::collections::BTreeMap;

use domain::{Meter, MeteredUsage, NanoUsd, TokenUsage, Unit};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// Units that a [`Rate`] is the price of.
const RATE_UNITS: i128 = 1_000_000;

/// Nano-dollars for a million units of a meter, so that every quoted price is a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    #[error("this is no price; write dollars as a decimal number such as 2.5")]
    NotANumber,
    #[error("a price is not negative; write 0 for what is free")]
    Negative,
    #[error("a price has at most nine decimals and is below nine billion dollars")]
    OutOfRange,
}

impl Rate {
    /// Takes nano-dollars for a million units.
    #[must_use]
    pub const fn new(nanos_per_million: i64) -> Self {
        Self(nanos_per_million)
    }

    #[must_use]
    pub const fn nanos_per_million(self) -> i64 {
        self.0
    }

    /// Reads dollars as they are quoted for `unit`, from their digits.
    ///
    /// # Errors
    /// If the text is no price.
    pub fn from_quote(text: &str, unit: Unit) -> Result<Self, RateError> {
        let dollars = match text.contains(['e', 'E']) {
            true => Decimal::from_scientific(text),
            false => text.parse(),
        };
        let dollars = dollars.map_err(|_| RateError::NotANumber)?;
        if dollars.is_sign_negative() && !dollars.is_zero() {
            return Err(RateError::Negative);
        }
        let nanos = dollars.checked_mul(nanos_per_quoted_dollar(unit));
        let whole = nanos.map(|nanos| nanos.normalize()).filter(|nanos| nanos.scale() == 0);
        whole.and_then(|nanos| nanos.to_i64()).map(Self).ok_or(RateError::OutOfRange)
    }

    /// The price in dollars as it is quoted for `unit`, without trailing zeros.
    #[must_use]
    pub fn quote(self, unit: Unit) -> Decimal {
        let quoted = Decimal::from(self.0).checked_div(nanos_per_quoted_dollar(unit));
        quoted.unwrap_or_default().normalize()
    }

    /// The price of `quantity` units, rounded half up to a nano-dollar.
    #[must_use]
    pub fn amount(self, quantity: u64) -> NanoUsd {
        let millionths = i128::from(quantity).saturating_mul(i128::from(self.0));
        let rounded = (millionths + RATE_UNITS / 2).div_euclid(RATE_UNITS);
        NanoUsd::new(i64::try_from(rounded).unwrap_or(i64::MAX))
    }

    /// The rate times a factor in thousandths.
    #[must_use]
    pub(crate) fn times_permille(self, permille: u32) -> Self {
        let scaled = i128::from(self.0).saturating_mul(permille.into()) / 1_000;
        Self(i64::try_from(scaled).unwrap_or(i64::MAX))
    }
}

fn nanos_per_quoted_dollar(unit: Unit) -> Decimal {
    let quotes_per_million = 1_000_000 / unit.quoted_for();
    Decimal::from(quotes_per_million) * Decimal::from(1_000_000_000)
}

/// A rate for each meter that has one. A meter without a rate has no price: unknown is never zero.
///
/// In JSON an object of quotes by meter: `{"input": 2.5, "web_search": 10}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rates(BTreeMap<Meter, Rate>);

impl Rates {
    /// The rate of `meter`, or of the one that it is priced as.
    #[must_use]
    pub fn of(&self, meter: Meter) -> Option<Rate> {
        let own = self.0.get(&meter).copied();
        own.or_else(|| self.0.get(&meter.priced_as()?).copied())
    }

    /// The rate that is listed for `meter` itself.
    #[must_use]
    pub fn listed(&self, meter: Meter) -> Option<Rate> {
        self.0.get(&meter).copied()
    }

    /// The rates that are listed, in the order of the meters.
    pub fn iter(&self) -> impl Iterator<Item = (Meter, Rate)> {
        self.0.iter().map(|(meter, rate)| (*meter, *rate))
    }

    /// What text costs at these rates; `None` if a used class has none.
    #[must_use]
    pub fn text_cost(&self, tokens: &TokenUsage) -> Option<NanoUsd> {
        let usage = MeteredUsage::from(*tokens);
        usage.iter().map(|(meter, quantity)| Some(self.of(meter)?.amount(quantity))).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rates of what counts no tokens.
    pub(crate) fn of_calls(&self) -> Self {
        self.iter().filter(|(meter, _)| meter.unit() != Unit::Tokens).collect()
    }

    /// The rates of tokens times a factor in thousandths, and nothing else.
    pub(crate) fn tokens_times(&self, permille: u32) -> Self {
        let tokens = self.iter().filter(|(meter, _)| meter.unit() == Unit::Tokens);
        tokens.map(|(meter, rate)| (meter, rate.times_permille(permille))).collect()
    }

    /// These rates, and those of `base` for what they do not state. A rate that is stated also stands
    /// for the meters that are priced as its own.
    #[must_use]
    pub(crate) fn over(&self, base: &Self) -> Self {
        let is_stated = |meter: Meter| self.of(meter).is_some();
        let rest = base.iter().filter(|(meter, _)| !is_stated(*meter));
        self.iter().chain(rest).collect()
    }

    /// These rates, and those of `shared` for meters that have none here.
    #[must_use]
    pub fn or(mut self, shared: &Self) -> Self {
        for (meter, rate) in shared.iter() {
            self.0.entry(meter).or_insert(rate);
        }
        self
    }
}

impl FromIterator<(Meter, Rate)> for Rates {
    fn from_iter<I: IntoIterator<Item = (Meter, Rate)>>(rates: I) -> Self {
        Self(rates.into_iter().collect())
    }
}

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let quote = |(meter, rate): (Meter, Rate)| {
            let quote = RawValue::from_string(rate.quote(meter.unit()).to_string());
            quote.map(|quote| (meter, quote)).map_err(S::Error::custom)
        };
        serializer.collect_map(self.iter().map(quote).collect::<Result<BTreeMap<_, _>, _>>()?)
    }
}

impl<'de> Deserialize<'de> for Rates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quotes = BTreeMap::<Meter, Box<RawValue>>::deserialize(deserializer)?;
        let rate = |(meter, quote): (Meter, Box<RawValue>)| {
            let rate = Rate::from_quote(quote.get(), meter.unit());
            rate.map(|rate| (meter, rate))
                .map_err(|error| D::Error::custom(format!("{meter}: {error}")))
        };
        quotes.into_iter().map(rate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(json: &str) -> Result<Rates, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn a_quote_is_read_exactly_and_written_back() {
        let text = r#"{"input":0.0375,"cache_read":0.02,"output":12,"web_search":10,"image":0.04}"#;
        let read = rates(text).expect("rates");
        let nanos = |meter| read.of(meter).map(Rate::nanos_per_million);
        assert_eq!(nanos(Meter::Input), Some(37_500_000));
        assert_eq!(nanos(Meter::WebSearch), Some(10_000_000_000_000));
        assert_eq!(nanos(Meter::Image), Some(40_000_000_000_000));
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        assert_eq!(rates(r#"{"input":2e0}"#), rates(r#"{"input":2.000}"#));
    }

    #[test]
    fn what_is_no_price_is_refused_with_its_meter() {
        for (text, error) in [
            (r#"{"input":"2"}"#, "input: this is no price"),
            (r#"{"input":null}"#, "input: this is no price"),
            (r#"{"output":-1}"#, "output: a price is not negative"),
            (r#"{"output":1e-12}"#, "output: a price has at most nine decimals"),
            (r#"{"output":1e30}"#, "output: "),
            (r#"{"prompt":1}"#, "unknown variant `prompt`"),
        ] {
            let refused = rates(text).expect_err(text);
            assert!(refused.contains(error), "{text}: {refused}");
        }
    }

    #[test]
    fn amounts_are_rounded_once_and_reasoning_costs_what_output_does() {
        let rate = Rate::from_quote("0.0375", Unit::Tokens).expect("a rate");
        assert_eq!([1, 2, 3].map(|count| rate.amount(count).nanos()), [38, 75, 113]);
        assert_eq!(Rate::new(i64::MAX).amount(u64::MAX), NanoUsd::new(i64::MAX));
        let read = rates(r#"{"output":1}"#).expect("rates");
        assert_eq!(read.of(Meter::Reasoning), read.of(Meter::Output));
        assert_eq!(read.of(Meter::OutputAudio), None);
    }
}
