//! View type for the currency that amounts are shown in.

use domain::ShownCurrency;
use serde::{Deserialize, Serialize};
use specta::Type;

/// The currency that amounts are shown in. Every view has its amounts in US dollars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct CurrencyView {
    /// ISO 4217: `EUR`.
    pub code: String,
    /// Units of the currency for one US dollar, exact decimal text: `0.85026783`.
    pub rate: String,
    /// Digits after the decimal point: 2, for the yen 0.
    pub minor_digits: u32,
    /// True if its sign is shown (`€4.10`), false if its code is (`CHF 4.10`).
    pub has_symbol: bool,
    /// Who published the rate; None for US dollars.
    pub source: Option<String>,
    pub source_url: Option<String>,
    /// The day of the rate: `2026-05-08`.
    pub as_of: Option<String>,
    /// True if the rate is the user's own.
    pub is_own: bool,
    /// `1 USD = 0.85026783 EUR (European Central Bank, euro reference rates, 2026-05-08)`; None for
    /// US dollars.
    pub finding: Option<String>,
}

impl CurrencyView {
    /// The currency, to format amounts with; dollars for a view that this version cannot read.
    #[must_use]
    pub fn shown(&self) -> ShownCurrency {
        let parsed = (self.code.parse(), self.rate.parse());
        match parsed {
            (Ok(code), Ok(rate)) => ShownCurrency { code, rate },
            _ => ShownCurrency::USD,
        }
    }
}
