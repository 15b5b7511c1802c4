//! Currencies that amounts are shown in. Amounts are stored in US dollars; `ShownCurrency` is the
//! one place that converts them, and it rounds once: half away from zero, as the panel does.

mod reference_rates;

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::NanoUsd;

pub use reference_rates::{ReferenceRates, reference_rates};

/// Highest exchange rate, in units per US dollar.
const RATE_MAX: Decimal = Decimal::from_parts(10_000_000, 0, 0, false, 0);
/// Most digits after the decimal point of an exchange rate.
const RATE_DECIMALS_MAX: u32 = 9;

/// A currency of ISO 4217 with a minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrencyCode(iso_currency::Currency);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no currency code of ISO 4217, such as EUR or JPY")]
pub struct CurrencyCodeError;

impl CurrencyCode {
    pub const USD: Self = Self(iso_currency::Currency::USD);

    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal point: 2 for most currencies, 0 for the yen.
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        self.0.exponent().map_or(2, u32::from)
    }

    /// The sign of a currency that shares it with no other; `$` is the US dollar's.
    #[must_use]
    pub fn symbol(self) -> Option<&'static str> {
        Some(match self.code() {
            "USD" => "$",
            "EUR" => "€",
            "GBP" => "£",
            "ILS" => "₪",
            "INR" => "₹",
            "JPY" => "¥",
            "KRW" => "₩",
            "PHP" => "₱",
            _ => return None,
        })
    }
}

impl Default for CurrencyCode {
    fn default() -> Self {
        Self::USD
    }
}

impl fmt::Display for CurrencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for CurrencyCode {
    type Err = CurrencyCodeError;
    /// Upper or lower case. Codes without a minor unit, such as gold and test codes, are no
    /// currencies.
    fn from_str(text: &str) -> Result<Self, CurrencyCodeError> {
        let known = iso_currency::Currency::from_code(&text.trim().to_ascii_uppercase());
        known.filter(|currency| currency.exponent().is_some()).map(Self).ok_or(CurrencyCodeError)
    }
}

/// Units of a currency for one US dollar, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeRate(Decimal);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no exchange rate: a decimal number above 0 and up to 10,000,000, with at most nine \
     decimals"
)]
pub struct ExchangeRateError;

impl ExchangeRate {
    pub const ONE: Self = Self(Decimal::ONE);

    #[must_use]
    pub const fn units_per_dollar(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for ExchangeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl FromStr for ExchangeRate {
    type Err = ExchangeRateError;
    fn from_str(text: &str) -> Result<Self, ExchangeRateError> {
        let text = text.trim();
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let rate: Decimal = text.parse().map_err(|_| ExchangeRateError)?;
        let fits = rate > Decimal::ZERO && rate <= RATE_MAX && rate.scale() <= RATE_DECIMALS_MAX;
        (is_plain && fits).then_some(Self(rate)).ok_or(ExchangeRateError)
    }
}

/// The currency that amounts are shown in, with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownCurrency {
    pub code: CurrencyCode,
    pub rate: ExchangeRate,
}

impl ShownCurrency {
    pub const USD: Self = Self { code: CurrencyCode::USD, rate: ExchangeRate::ONE };

    /// Formats an amount: `$4.10`, with two more decimals below a minor unit (`$0.0042`), and
    /// `<$0.0001` below that, so that a cost never shows as zero.
    #[must_use]
    pub fn format(self, amount: NanoUsd) -> String {
        let amount = self.convert(amount);
        let (size, decimals) = (amount.abs(), self.decimals(amount));
        let smallest = Decimal::new(1, self.code.minor_digits() + 2);
        let is_below = !size.is_zero() && size < smallest;
        let (below, size) = if is_below { ("<", smallest) } else { ("", size) };
        let sign = if amount.is_sign_negative() && !amount.is_zero() { "-" } else { "" };
        let digits = size.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        self.with_symbol(&format!("{sign}{below}"), digits, decimals)
    }

    /// Formats an upper bound of at least zero: as [`Self::format`], rounded up.
    #[must_use]
    pub fn format_bound(self, bound: NanoUsd) -> String {
        let bound = self.convert(bound);
        let decimals = self.decimals(bound);
        let digits = bound.round_dp_with_strategy(decimals, RoundingStrategy::AwayFromZero);
        self.with_symbol("", digits, decimals)
    }

    /// Two more decimals below a minor unit.
    fn decimals(self, amount: Decimal) -> u32 {
        let minor = self.code.minor_digits();
        let is_small = !amount.is_zero() && amount.abs() < Decimal::new(1, minor);
        if is_small { minor + 2 } else { minor }
    }

    fn with_symbol(self, before: &str, digits: Decimal, decimals: u32) -> String {
        let decimals = usize::try_from(decimals).unwrap_or_default();
        match self.code.symbol() {
            Some(symbol) => format!("{before}{symbol}{digits:.decimals$}"),
            None => format!("{before}{}\u{a0}{digits:.decimals$}", self.code),
        }
    }

    /// The amount in units of the currency, not rounded to any of its digits.
    fn convert(self, amount: NanoUsd) -> Decimal {
        // At most 19 digits times 16: what does not fit is cut far behind the last digit shown.
        let dollars = Decimal::from_i128_with_scale(amount.nanos().into(), 9);
        dollars.checked_mul(self.rate.0).unwrap_or(Decimal::MAX)
    }
}

/// Where an exchange rate comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateSource {
    /// US dollars need none.
    None,
    /// The user's own rate, with its day if given.
    Own(Option<Date>),
    /// A bundled reference rate.
    Reference(&'static ReferenceRates),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_never_shown_lower_than_it_is() {
        let check = |nanos: i64, shown: &str| {
            assert_eq!(ShownCurrency::USD.format_bound(NanoUsd::new(nanos)), shown);
        };
        check(0, "$0.00");
        check(1, "$0.0001");
        check(100_000, "$0.0001");
        check(140_000, "$0.0002");
        check(10_000_000, "$0.01");
        check(10_000_001, "$0.02");
    }

    fn shown(code: &str, rate: &str) -> ShownCurrency {
        ShownCurrency { code: code.parse().expect("a code"), rate: rate.parse().expect("a rate") }
    }

    #[test]
    fn dollars_are_short_for_people() {
        let check = |nanos: i64, text: &str| {
            assert_eq!(ShownCurrency::USD.format(NanoUsd::new(nanos)), text);
        };
        check(0, "$0.00");
        check(1, "<$0.0001");
        check(-1, "-<$0.0001");
        check(99_999, "<$0.0001");
        check(100_000, "$0.0001");
        check(123_000, "$0.0001");
        check(9_949_000, "$0.0099");
        check(9_999_999, "$0.0100");
        check(10_000_000, "$0.01");
        check(4_104_999_999, "$4.10");
        check(4_105_000_000, "$4.11");
        check(-2_500_000_000, "-$2.50");
        check(i64::MAX, "$9223372036.85");
        check(i64::MIN, "-$9223372036.85");
    }

    #[test]
    fn an_amount_is_converted_exactly_and_rounded_once() {
        let check = |currency: ShownCurrency, nanos: i64, text: &str| {
            assert_eq!(currency.format(NanoUsd::new(nanos)), text);
        };
        let euros = shown("EUR", "0.85");
        check(euros, 0, "€0.00");
        check(euros, 1_000_000_000, "€0.85");
        // 0.0499999995: rounded to cents before the conversion it would be 0.05.
        check(euros, 58_823_530, "€0.05");
        check(euros, -4_100_000_000, "-€3.49");
        // Exactly half a cent: 0.0105 / 0.85 is not, 0.03 * 0.85 = 0.0255 is.
        check(euros, 30_000_000, "€0.03");
        check(euros, 5_000_000, "€0.0043");
        check(euros, 1, "<€0.0001");
        let yen = shown("jpy", "156.76");
        check(yen, 1_000_000_000, "¥157");
        check(yen, 3_000_000, "¥0.47");
        check(yen, 1_000, "<¥0.01");
        check(shown("KWD", "0.3"), 4_100_000_000, "KWD\u{a0}1.230");
        check(shown("CHF", "0.7785"), 2_000_000_000, "CHF\u{a0}1.56");
        check(shown("IDR", "10000000"), i64::MAX, "IDR\u{a0}92233720368547758.07");
        check(shown("IDR", "9999999.999999999"), i64::MIN, "-IDR\u{a0}92233720368547748.86");
    }

    #[test]
    fn codes_and_rates_that_are_none_are_refused() {
        for wrong in ["", "EU", "EURO", "XYZ", "XAU", "XTS", "€", "12 "] {
            assert_eq!(wrong.parse::<CurrencyCode>(), Err(CurrencyCodeError), "{wrong}");
        }
        assert_eq!(" eur ".parse::<CurrencyCode>().map(CurrencyCode::code), Ok("EUR"));
        for wrong in ["", "0", "0.000", "-1", "1e3", "1,5", "NaN", "10000001", "0.0000000001", "+1"]
        {
            assert_eq!(wrong.parse::<ExchangeRate>(), Err(ExchangeRateError), "{wrong}");
        }
        assert_eq!("0.9200".parse::<ExchangeRate>().expect("a rate").to_string(), "0.92");
    }
}
