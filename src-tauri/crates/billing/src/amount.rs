//! Reads amounts from their digits, never through a float.

use domain::NanoUsd;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, de};
use serde_json::Number;
use serde_json::value::RawValue;

/// An amount in dollars, written as a JSON number or as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dollars(pub(crate) NanoUsd);

/// An amount of any currency, written as a JSON number or as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Amount(pub(crate) Decimal);

/// An amount in cents, written as text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cents(pub(crate) NanoUsd);

const NO_AMOUNT: &str = "this is no decimal amount";

impl<'de> Deserialize<'de> for Dollars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = digits(deserializer)?;
        parse_dollars(&digits).map(Self).ok_or_else(|| de::Error::custom(NO_AMOUNT))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = digits(deserializer)?;
        let digits = digits.trim();
        let amount = digits.parse().ok().or_else(|| Decimal::from_scientific(digits).ok());
        amount.map(Self).ok_or_else(|| de::Error::custom(NO_AMOUNT))
    }
}

/// The digits of a JSON number or of a text.
fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let raw = <Box<RawValue>>::deserialize(deserializer)?;
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => Ok(text),
        Err(_) if serde_json::from_str::<Number>(raw.get()).is_ok() => Ok(raw.get().to_owned()),
        Err(_) => Err(de::Error::custom(NO_AMOUNT)),
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let cents: Option<Decimal> = text.parse().ok();
        let dollars = cents.and_then(|cents| cents.checked_div(Decimal::ONE_HUNDRED));
        let amount = dollars.and_then(|dollars| parse_dollars(&dollars.to_string()));
        amount.map(Self).ok_or_else(|| de::Error::custom(NO_AMOUNT))
    }
}

pub(crate) fn parse_dollars(text: &str) -> Option<NanoUsd> {
    NanoUsd::from_dollars(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        let dollars = |text: &str| {
            serde_json::from_str::<Dollars>(text).map(|dollars| dollars.0.nanos()).ok()
        };
        assert_eq!(dollars("0.06"), Some(60_000_000));
        assert_eq!(dollars("\"0.003835980000000000000000000000\""), Some(3_835_980));
        assert_eq!(dollars("1.5e-7"), Some(150));
        assert_eq!(dollars("-2"), Some(-2_000_000_000));
        for wrong in ["null", "\"\"", "\"=1+1\"", "true", "[1]", "1e300", "{\"value\": 1}"] {
            assert_eq!(dollars(wrong), None, "{wrong}");
        }
        let cents =
            |text: &str| serde_json::from_str::<Cents>(text).map(|cents| cents.0.nanos()).ok();
        assert_eq!(cents("\"123.78912\""), Some(1_237_891_200));
        assert_eq!(cents("\"0.00000004\""), Some(0));
        for wrong in ["123", "\"1,5\"", "\"NaN\"", "null"] {
            assert_eq!(cents(wrong), None, "{wrong}");
        }
    }
}
