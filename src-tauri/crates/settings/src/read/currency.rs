//! Reads the currency that amounts are shown in, and checks its rate.

use std::fmt;
use std::str::FromStr;

use domain::{CurrencyCode, ExchangeRate, reference_rates};
use jiff::civil::Date;
use rust_decimal::Decimal;
use toml_edit::Value;

use crate::CurrencySettings;
use crate::finding::{Findings, quote_value};
use crate::section_reader::SectionReader;
use crate::setting::{Setting, SettingKind, SettingType};

impl SettingType for CurrencyCode {
    const KIND: SettingKind = SettingKind::Text;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        let text = section.text(setting.name, findings)?;
        parse(section, setting, text, "write a code such as show = \"EUR\"", findings)
    }

    fn write(&self) -> Option<Value> {
        Some(self.code().into())
    }
}

impl SettingType for ExchangeRate {
    const KIND: SettingKind = SettingKind::Text;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        let hint = "write it like rate = \"0.92\"";
        let Some(digits) = section.item(setting.name)?.as_value().and_then(decimal_digits) else {
            section.report_error(setting.name, "this is no number", hint, None, findings);
            return None;
        };
        parse(section, setting, &digits, hint, findings)
    }

    fn write(&self) -> Option<Value> {
        Some(self.to_string().into())
    }
}

impl SettingType for Date {
    const KIND: SettingKind = SettingKind::Text;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        let text = match section.item(setting.name)?.as_datetime() {
            Some(date) => date.to_string(),
            None => section.text(setting.name, findings)?.to_owned(),
        };
        let date = text.trim().parse();
        date.map_err(|_| {
            let what = format!("{} is no day", quote_value(&text));
            let hint = format!("write it like {} = \"2026-11-20\"", setting.name);
            section.report_error(setting.name, what, hint, None, findings);
        })
        .ok()
    }

    fn write(&self) -> Option<Value> {
        Some(self.to_string().into())
    }
}

fn parse<T: FromStr<Err: fmt::Display>>(
    section: &SectionReader,
    setting: &Setting,
    text: &str,
    hint: &str,
    findings: &mut Findings,
) -> Option<T> {
    let value = text.parse();
    value
        .map_err(|error: T::Err| {
            section.report_error(setting.name, error.to_string(), hint, None, findings);
        })
        .ok()
}

/// The digits of a number. The shortest text of a float is what was written, up to 15 digits.
pub(super) fn decimal_digits(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.value().clone()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        _ => None,
    }
}

/// An own rate further from the reference rate than this factor is probably for another currency.
const RATE_FACTOR_MAX: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

pub(super) fn check_currency(
    section: &SectionReader,
    currency: &CurrencySettings,
    findings: &mut Findings,
) {
    // A rate that could not be read is reported already.
    let has_own = section.item("rate").is_some();
    let reference = reference_rates().rate(currency.show);
    if reference.is_none() && !has_own {
        let what = format!("there is no bundled exchange rate for {}", currency.show);
        let hint = "set currency.rate to the units of it for one US dollar, such as 0.92, first";
        section.report_error("show", what, hint, None, findings);
    }
    let Some(own) = currency.rate else { return };
    if currency.show == CurrencyCode::USD {
        let hint = "set currency.show to another currency, or remove the rate";
        let what = "amounts are shown in US dollars, so this has no effect";
        section.report_warning("rate", what, hint, None, findings);
    } else if let Some(reference) = reference.filter(|reference| is_far(own, *reference)) {
        let what = format!("this is far from the reference rate of {reference} {}", currency.show);
        let hint = "check that it is the rate of this currency, in units for one US dollar";
        section.report_warning("rate", what, hint, None, findings);
    }
}

fn is_far(own: ExchangeRate, reference: ExchangeRate) -> bool {
    let (own, reference) = (own.units_per_dollar(), reference.units_per_dollar());
    own > reference * RATE_FACTOR_MAX || own * RATE_FACTOR_MAX < reference
}
