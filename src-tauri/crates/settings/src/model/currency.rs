//! Settings of the currency that amounts are shown in.

use domain::{CurrencyCode, ExchangeRate, RateSource, ShownCurrency, reference_rates};
use jiff::civil::Date;

use crate::setting::settings;

settings! {
    /// The currency that amounts are shown in. Amounts are stored in US dollars.
    #[derive(Copy)]
    pub CurrencySettings in "currency", keys "currency_" {
        /// Currency of all amounts on the screen, by its ISO 4217 code.
        show: CurrencyCode, panel Currency "Show amounts in", summary "Currency";
        /// Own rate: units of that currency for one US dollar, such as 0.92. Without one the
        /// bundled reference rate is used.
        rate: Option<ExchangeRate>, panel Currency "Own rate";
        /// The day of the own rate, such as 2026-11-20.
        rate_date: Option<Date>, panel Currency "Day of the own rate";
    }
}

impl CurrencySettings {
    /// The currency with its rate, and the rate's source. Dollars if there is no rate, which the
    /// reader of the file refuses.
    #[must_use]
    pub fn shown(&self) -> (ShownCurrency, RateSource) {
        let of = |rate| ShownCurrency { code: self.show, rate };
        if self.show == CurrencyCode::USD {
            return (ShownCurrency::USD, RateSource::None);
        }
        match (self.rate, reference_rates().rate(self.show)) {
            (Some(own), _) => (of(own), RateSource::Own(self.rate_date)),
            (None, Some(rate)) => (of(rate), RateSource::Reference(reference_rates())),
            (None, None) => (ShownCurrency::USD, RateSource::None),
        }
    }
}
