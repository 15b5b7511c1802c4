//! The exchange rates that come with the program, as of one day: `rates/reference.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::Deserialize;

use super::{CurrencyCode, ExchangeRate};

/// Reference rates of one day, from one source.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ReferenceRates {
    pub source: String,
    pub source_url: String,
    /// The day: `2026-05-08`.
    pub as_of: String,
    /// Units of each currency for one euro, as published.
    per_euro: BTreeMap<String, String>,
}

/// Significant digits of a rate between two currencies; published rates have at most seven.
const RATE_DIGITS: u32 = 8;

impl ReferenceRates {
    /// The rate of a currency against the US dollar, by the euro rates of both; `None` for a
    /// currency that the source does not publish.
    #[must_use]
    pub fn rate(&self, code: CurrencyCode) -> Option<ExchangeRate> {
        let per_euro = |code: &str| match code {
            "EUR" => Some(Decimal::ONE),
            other => self.per_euro.get(other)?.parse().ok(),
        };
        let rate = per_euro(code.code())?.checked_div(per_euro("USD")?)?;
        let rounded =
            rate.round_sf_with_strategy(RATE_DIGITS, RoundingStrategy::MidpointAwayFromZero)?;
        Some(ExchangeRate(rounded.normalize()))
    }
}

#[must_use]
pub fn reference_rates() -> &'static ReferenceRates {
    static RATES: LazyLock<ReferenceRates> = LazyLock::new(|| {
        // A test reads the file, so a built program never has the default, which has no rate.
        serde_json::from_str(include_str!("../../rates/reference.json")).unwrap_or_default()
    });
    &RATES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_rates_are_read_and_every_code_is_a_currency() {
        let rates = reference_rates();
        assert_eq!(rates.as_of, "2026-05-08");
        assert_eq!(rates.per_euro.len(), 28);
        for code in rates.per_euro.keys() {
            assert!(code.parse::<CurrencyCode>().is_ok(), "{code}");
        }
    }

    #[test]
    fn a_rate_is_the_quotient_of_two_euro_rates() {
        let check = |code: &str, rate: Option<&str>| {
            let found = reference_rates().rate(code.parse().expect("a code"));
            assert_eq!(found.map(|rate| rate.to_string()).as_deref(), rate, "{code}");
        };
        check("USD", Some("1"));
        check("EUR", Some("0.85026783"));
        check("JPY", Some("156.76388"));
        check("IDR", Some("17365.947"));
        check("ZAR", None);
        check("KWD", None);
    }
}
