//! The currency that amounts are shown in, with its rate, source and date.

use domain::{RateSource, ShownCurrency};
use engine::Engine;
use settings::Settings;

use crate::ApiError;
use crate::view::CurrencyView;

pub(crate) async fn currency(engine: &Engine) -> Result<CurrencyView, ApiError> {
    Ok(currency_view(&engine.settings()))
}

/// The currency that sentences show amounts in.
pub(super) fn shown_currency(engine: &Engine) -> ShownCurrency {
    engine.settings().currency.shown().0
}

pub(super) fn currency_view(settings: &Settings) -> CurrencyView {
    let (shown, source) = settings.currency.shown();
    let ShownCurrency { code, rate } = shown;
    let (source_name, source_url, as_of) = match source {
        RateSource::None => (None, None, None),
        RateSource::Own(day) => (Some("own rate".to_owned()), None, day.map(|day| day.to_string())),
        RateSource::Reference(rates) => {
            (Some(rates.source.clone()), Some(rates.source_url.clone()), Some(rates.as_of.clone()))
        }
    };
    let finding = source_name.as_ref().map(|name| {
        let day = as_of.as_ref().map_or_else(String::new, |day| format!(", {day}"));
        format!("1 USD = {rate} {code} ({name}{day})")
    });
    CurrencyView {
        code: code.to_string(),
        rate: rate.to_string(),
        minor_digits: code.minor_digits(),
        has_symbol: code.symbol().is_some(),
        source: source_name,
        source_url,
        as_of,
        is_own: matches!(source, RateSource::Own(_)),
        finding,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(show: &str, rate: Option<&str>, day: Option<&str>) -> CurrencyView {
        let mut settings = Settings::default();
        settings.currency.show = show.parse().expect("a code");
        settings.currency.rate = rate.map(|rate| rate.parse().expect("a rate"));
        settings.currency.rate_date = day.map(|day| day.parse().expect("a day"));
        currency_view(&settings)
    }

    #[test]
    fn the_rate_is_shown_with_its_source_and_date() {
        let check = |view: CurrencyView, finding: Option<&str>, is_own: bool| {
            assert_eq!((view.finding.as_deref(), view.is_own), (finding, is_own));
        };
        check(view("USD", None, None), None, false);
        let ecb =
            "1 USD = 0.85026783 EUR (European Central Bank, euro reference rates, 2026-05-08)";
        check(view("EUR", None, None), Some(ecb), false);
        check(view("EUR", Some("0.920"), None), Some("1 USD = 0.92 EUR (own rate)"), true);
        let own = "1 USD = 155 JPY (own rate, 2026-11-20)";
        check(view("JPY", Some("155"), Some("2026-11-20")), Some(own), true);
    }

    #[test]
    fn a_view_formats_as_the_settings_do() {
        for (show, text) in [("USD", "$2.00"), ("EUR", "€1.70"), ("JPY", "¥314")] {
            let view = view(show, None, None);
            assert_eq!(view.shown().format(domain::NanoUsd::new(2_000_000_000)), text);
        }
    }
}
