//! What is left at a provider before it refuses requests: prepaid credit, or the spending limit of a
//! key; and what the key may do, where the same answer says it. Each is told for the key that requests
//! carry, and asking is not billed.
//!
//! Sources: OpenRouter "Get current API key" (`/api/v1/key`; the credit of the whole account needs a
//! management key), DeepSeek "Get User Balance" (`/user/balance`), Moonshot "Check Balance"
//! (`/v1/users/me/balance`; in yuan at its Chinese address), Vercel AI Gateway "Check credit balance"
//! (`/v1/credits`), xAI "Get information about an API key" (`/v1/api-key`, which tells no balance).

use domain::{BalanceKind, CurrencyCode, ExchangeRate, NanoUsd, Origin, reference_rates};
use jiff::civil::Date;
use jiff::{ToSpan, Unit, Zoned};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::amount::Amount;
use crate::report::{ReportError, malformed, parse};

/// An endpoint that tells a balance, or what a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceEndpoint {
    OpenRouter,
    DeepSeek,
    Moonshot,
    MoonshotChina,
    Vercel,
    XAi,
}

const ADDRESSES: [(&str, BalanceEndpoint); 6] = [
    ("https://openrouter.ai", BalanceEndpoint::OpenRouter),
    ("https://api.deepseek.com", BalanceEndpoint::DeepSeek),
    ("https://api.moonshot.ai", BalanceEndpoint::Moonshot),
    ("https://api.moonshot.cn", BalanceEndpoint::MoonshotChina),
    ("https://ai-gateway.vercel.sh", BalanceEndpoint::Vercel),
    ("https://api.x.ai", BalanceEndpoint::XAi),
];

/// When a limit is full again, by UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitReset {
    Daily,
    /// On Monday.
    Weekly,
    Monthly,
    /// In a period that is not known here.
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Balance {
    pub kind: BalanceKind,
    /// By currency: an account may hold several.
    pub amounts: Vec<(CurrencyCode, Decimal)>,
    pub reset: Option<LimitReset>,
}

/// What a provider says that a key may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPermissions {
    /// It makes and deletes keys of the account, and asks no model.
    ManagesKeys,
    AsksModels {
        is_free_tier: bool,
        limit: SpendingLimit,
    },
    /// In the provider's own words, at most [`GRANTS_MAX`].
    Granted(Vec<String>),
}

/// Most that a key may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SpendingLimit {
    #[default]
    NotTold,
    /// It has no limit of its own.
    Unlimited,
    /// In US dollars.
    Dollars(Decimal),
}

/// Most grants that are kept of one key.
pub const GRANTS_MAX: usize = 50;

/// Longest grant that is kept, in bytes.
const GRANT_BYTES_MAX: usize = 100;

impl BalanceEndpoint {
    /// The endpoint of the provider at `origin`; `None` if it has none that is known.
    #[must_use]
    pub fn at(origin: &Origin) -> Option<Self> {
        let is_at = |address: &str| address.parse::<Origin>().is_ok_and(|known| known == *origin);
        ADDRESSES.iter().find(|(address, _)| is_at(address)).map(|(_, endpoint)| *endpoint)
    }

    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::OpenRouter => "/api/v1/key",
            Self::DeepSeek => "/user/balance",
            Self::Moonshot | Self::MoonshotChina => "/v1/users/me/balance",
            Self::Vercel => "/v1/credits",
            Self::XAi => "/v1/api-key",
        }
    }

    #[must_use]
    pub const fn tells_balance(self) -> bool {
        !matches!(self, Self::XAi)
    }

    /// Reads an answer. `None` if the provider sets the key no limit.
    ///
    /// # Errors
    /// If the body is not what the provider documents; names the field.
    pub fn read(self, body: &str) -> Result<Option<Balance>, ReportError> {
        let account = |currency, amount: Amount| Balance {
            kind: BalanceKind::Account,
            amounts: vec![(currency, amount.0)],
            reset: None,
        };
        Ok(match self {
            Self::OpenRouter => parse::<OpenRouterAnswer>(body)?.data.balance(),
            Self::DeepSeek => Some(parse::<DeepSeekAnswer>(body)?.balance()?),
            Self::Moonshot => {
                let left = parse::<MoonshotAnswer>(body)?.data.available_balance;
                Some(account(CurrencyCode::USD, left))
            }
            Self::MoonshotChina => {
                let left = parse::<MoonshotAnswer>(body)?.data.available_balance;
                Some(account(currency("CNY", "data")?, left))
            }
            Self::Vercel => Some(account(CurrencyCode::USD, parse::<VercelAnswer>(body)?.balance)),
            Self::XAi => None,
        })
    }

    /// What an answer says that the key may do; `None` if it says nothing.
    #[must_use]
    pub fn permissions(self, body: &str) -> Option<KeyPermissions> {
        match self {
            Self::OpenRouter => parse::<OpenRouterAnswer>(body).ok()?.data.permissions(),
            Self::XAi => parse::<XAiAnswer>(body).ok()?.permissions(),
            Self::DeepSeek | Self::Moonshot | Self::MoonshotChina | Self::Vercel => None,
        }
    }
}

impl Balance {
    /// All of it in US dollars, other currencies by the reference rates that come with the program;
    /// `None` for a currency without one.
    #[must_use]
    pub fn in_dollars(&self) -> Option<NanoUsd> {
        self.amounts.iter().try_fold(NanoUsd::ZERO, |sum, (currency, amount)| {
            let rate = match *currency {
                CurrencyCode::USD => ExchangeRate::ONE,
                other => reference_rates().rate(other)?,
            };
            let dollars = amount.checked_div(rate.units_per_dollar())?;
            Some(sum + NanoUsd::from_dollars(&dollars.to_string()).ok()?)
        })
    }

    /// True if requests are refused now.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.amounts.iter().all(|(_, amount)| *amount <= Decimal::ZERO)
    }

    /// How many whole days it lasts if `a_day` is spent each day; `None` if it lasts until its limit
    /// is reset, if it is not known when that is, if nothing is spent, or if nothing is left.
    #[must_use]
    pub fn days_left(&self, a_day: NanoUsd, now: &Zoned) -> Option<u64> {
        let left = self.in_dollars()?.nanos();
        let is_reset_unknown = self.reset == Some(LimitReset::Unknown);
        if left <= 0 || a_day <= NanoUsd::ZERO || is_reset_unknown {
            return None;
        }
        let until_reset = self.reset.and_then(|reset| reset.hours_from(now));
        let hours = left.saturating_mul(24) / a_day.nanos();
        let lasts = until_reset.is_some_and(|reset| i128::from(hours) >= i128::from(reset));
        u64::try_from(hours / 24).ok().filter(|_| !lasts)
    }
}

impl LimitReset {
    /// Hours until the limit is full again, rounded up; `None` if that is not known.
    fn hours_from(self, now: &Zoned) -> Option<i64> {
        let today = now.with_time_zone(jiff::tz::TimeZone::UTC);
        let next: Date = match self {
            Self::Daily => today.date().tomorrow().ok()?,
            Self::Weekly => {
                let passed = today.date().weekday().to_monday_zero_offset();
                today.date().checked_add((7 - i64::from(passed)).days()).ok()?
            }
            Self::Monthly => today.date().last_of_month().tomorrow().ok()?,
            Self::Unknown => return None,
        };
        let next = next.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        let minutes = today.until((Unit::Minute, &next)).ok()?.get_minutes();
        Some((minutes + 59) / 60)
    }
}

fn currency(code: &str, field: &str) -> Result<CurrencyCode, ReportError> {
    code.parse().map_err(|_| malformed(field.to_owned(), "this is no currency"))
}

#[derive(Deserialize)]
struct OpenRouterAnswer {
    data: OpenRouterKey,
}

/// Without the balance there is no answer. Each other field that is of another type than documented
/// loses itself alone.
#[derive(Deserialize)]
struct OpenRouterKey {
    /// `null` for a key without a limit. A missing one is no answer.
    #[serde(deserialize_with = "Option::deserialize")]
    limit_remaining: Option<Amount>,
    #[serde(default, deserialize_with = "limit_reset")]
    limit_reset: Option<LimitReset>,
    #[serde(default, deserialize_with = "spending_limit")]
    limit: SpendingLimit,
    #[serde(default, deserialize_with = "if_documented")]
    is_free_tier: Option<bool>,
    #[serde(default, deserialize_with = "if_documented")]
    is_management_key: Option<bool>,
    /// The name that management keys had before.
    #[serde(default, deserialize_with = "if_documented")]
    is_provisioning_key: Option<bool>,
}

/// `None` for a value of another type.
fn if_documented<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let raw = <Box<RawValue>>::deserialize(deserializer)?;
    Ok(serde_json::from_str(raw.get()).ok())
}

fn spending_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SpendingLimit, D::Error> {
    let told = if_documented::<D, Option<Amount>>(deserializer)?;
    Ok(match told {
        None => SpendingLimit::NotTold,
        Some(None) => SpendingLimit::Unlimited,
        Some(Some(limit)) => SpendingLimit::Dollars(limit.0),
    })
}

fn limit_reset<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<LimitReset>, D::Error> {
    let told = if_documented::<D, Option<String>>(deserializer)?;
    let period = |period: String| match period.as_str() {
        "daily" => LimitReset::Daily,
        "weekly" => LimitReset::Weekly,
        "monthly" => LimitReset::Monthly,
        _ => LimitReset::Unknown,
    };
    Ok(told.map_or(Some(LimitReset::Unknown), |told| told.map(period)))
}

impl OpenRouterKey {
    fn permissions(&self) -> Option<KeyPermissions> {
        let told = [self.is_management_key, self.is_provisioning_key];
        if told.contains(&Some(true)) {
            return Some(KeyPermissions::ManagesKeys);
        }
        told.iter().any(Option::is_some).then(|| KeyPermissions::AsksModels {
            is_free_tier: self.is_free_tier.unwrap_or_default(),
            limit: self.limit,
        })
    }

    fn balance(self) -> Option<Balance> {
        self.limit_remaining.map(|left| Balance {
            kind: BalanceKind::KeyLimit,
            amounts: vec![(CurrencyCode::USD, left.0)],
            reset: self.limit_reset,
        })
    }
}

#[derive(Deserialize)]
struct DeepSeekAnswer {
    balance_infos: Vec<DeepSeekBalance>,
}

#[derive(Deserialize)]
struct DeepSeekBalance {
    currency: String,
    total_balance: Amount,
}

impl DeepSeekAnswer {
    fn balance(self) -> Result<Balance, ReportError> {
        let mut amounts = Vec::with_capacity(self.balance_infos.len());
        for (index, info) in self.balance_infos.into_iter().enumerate() {
            let field = format!("balance_infos[{index}].currency");
            amounts.push((currency(&info.currency, &field)?, info.total_balance.0));
        }
        if amounts.is_empty() {
            return Err(malformed("balance_infos".to_owned(), "it names no balance"));
        }
        // An empty purse beside a full one says nothing.
        let is_empty = amounts.iter().all(|(_, amount)| amount.is_zero());
        let first = amounts.first().copied();
        amounts.retain(|(_, amount)| !amount.is_zero());
        amounts.extend(first.filter(|_| is_empty));
        Ok(Balance { kind: BalanceKind::Account, amounts, reset: None })
    }
}

#[derive(Deserialize)]
struct MoonshotAnswer {
    data: MoonshotBalance,
}

#[derive(Deserialize)]
struct MoonshotBalance {
    available_balance: Amount,
}

#[derive(Deserialize)]
struct VercelAnswer {
    balance: Amount,
}

#[derive(Deserialize)]
struct XAiAnswer {
    acls: Vec<String>,
    #[serde(default)]
    api_key_blocked: bool,
    #[serde(default)]
    api_key_disabled: bool,
    #[serde(default)]
    team_blocked: bool,
}

impl XAiAnswer {
    /// `None` for a key that may be used for nothing now, and for a list that cannot be shown whole:
    /// of many grants, or with a text that has no form of one.
    fn permissions(self) -> Option<KeyPermissions> {
        let is_off = self.api_key_blocked || self.api_key_disabled || self.team_blocked;
        let is_grant_byte = |byte: u8| byte.is_ascii_alphanumeric() || b":*.-_/".contains(&byte);
        let is_grant = |text: &String| {
            !text.is_empty() && text.len() <= GRANT_BYTES_MAX && text.bytes().all(is_grant_byte)
        };
        let is_whole = self.acls.len() <= GRANTS_MAX && self.acls.iter().all(is_grant);
        (is_whole && !is_off).then_some(KeyPermissions::Granted(self.acls))
    }
}
