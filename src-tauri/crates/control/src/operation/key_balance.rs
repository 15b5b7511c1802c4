//! What a provider says is left behind a key, and what the key may do, in words.

use billing::KeyPermissions;
use domain::{BalanceKind, NanoUsd, ShownCurrency, count_noun};
use engine::{BalanceReading, KeyBalance};

use crate::view::{KeyBalanceView, KeyPermissionsView};

/// `None` if the provider sets no limit.
pub(super) fn key_balance_view(
    KeyBalance { reading, problem, .. }: KeyBalance,
    shown: ShownCurrency,
) -> Option<KeyBalanceView> {
    let left = reading.as_ref().map(|reading| reading.amount(shown));
    let sentence = match (reading.as_ref().zip(left.as_ref()), problem) {
        (None, None) => return None,
        (None, Some(problem)) => format!("Not known: {problem}"),
        (Some((reading, left)), None) => sentence(reading, left),
        (Some((reading, left)), Some(problem)) => {
            format!("{}; the last check failed: {problem}", sentence(reading, left))
        }
    };
    let days = reading.as_ref().and_then(|reading| reading.days_left);
    Some(KeyBalanceView {
        left,
        sentence,
        read_at: reading.as_ref().map(|reading| reading.at.into()),
        days_left: days.map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        is_used_up: reading.is_some_and(|reading| reading.is_used_up()),
    })
}

pub(super) fn key_permissions_view(
    known: &KeyPermissions,
    shown: ShownCurrency,
) -> KeyPermissionsView {
    let sentence = match known {
        KeyPermissions::ManagesKeys => {
            "It makes and deletes keys of the account, and cannot ask models".to_owned()
        }
        KeyPermissions::AsksModels { is_free_tier, limit } => {
            let tier = if *is_free_tier { " on the free tier" } else { "" };
            let limit = limit.and_then(|limit| NanoUsd::from_dollars(&limit.to_string()).ok());
            match limit {
                Some(limit) => {
                    format!("It may ask models{tier}, with a limit of {}", shown.format(limit))
                }
                None => format!("It may ask models{tier}, without a limit of its own"),
            }
        }
        KeyPermissions::Granted(grants) if grants.is_empty() => "It may do nothing".to_owned(),
        KeyPermissions::Granted(grants) => format!("It may use {}", grants.join(", ")),
    };
    KeyPermissionsView { sentence, manages_keys: *known == KeyPermissions::ManagesKeys }
}

/// `$4.12 left, for 3 days at the pace of the last week`.
fn sentence(reading: &BalanceReading, left: &str) -> String {
    let of = match reading.balance.kind {
        BalanceKind::Account => "",
        BalanceKind::KeyLimit => " of the key's limit",
    };
    let lasts = match reading.days_left {
        None => String::new(),
        Some(0) => ", for less than a day at the pace of the last week".to_owned(),
        Some(days) => format!(", for {} at the pace of the last week", count_noun(days, "day")),
    };
    format!("{left} left{of}{lasts}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use billing::Balance;
    use domain::{CurrencyCode, WallTime};

    fn reading(kind: BalanceKind, days_left: Option<u64>) -> BalanceReading {
        let amounts = vec![(CurrencyCode::USD, "4.12".parse().expect("an amount"))];
        let balance = Balance { kind, amounts, reset: None };
        BalanceReading { at: WallTime::from_unix_ms(0), balance, days_left }
    }

    #[test]
    fn a_sentence_says_what_a_key_may_do() {
        let said = |known| {
            let view = key_permissions_view(&known, ShownCurrency::USD);
            (view.sentence, view.manages_keys)
        };
        let asks = |is_free_tier, limit: Option<&str>| KeyPermissions::AsksModels {
            is_free_tier,
            limit: limit.map(|limit| limit.parse().expect("an amount")),
        };
        for (known, sentence) in [
            (asks(false, Some("100")), "It may ask models, with a limit of $100.00"),
            (asks(true, None), "It may ask models on the free tier, without a limit of its own"),
            (
                KeyPermissions::Granted(vec!["api-key:model:*".to_owned()]),
                "It may use api-key:model:*",
            ),
        ] {
            assert_eq!(said(known), (sentence.to_owned(), false));
        }
        assert!(said(KeyPermissions::ManagesKeys).1);
    }

    #[test]
    fn a_sentence_says_what_is_left_and_for_how_long() {
        let account = |days| sentence(&reading(BalanceKind::Account, days), "$4.12");
        assert_eq!(account(None), "$4.12 left");
        assert_eq!(
            account(Some(0)),
            "$4.12 left, for less than a day at the pace of the last week"
        );
        assert_eq!(account(Some(1)), "$4.12 left, for 1 day at the pace of the last week");
        let limit = sentence(&reading(BalanceKind::KeyLimit, Some(3)), "$4.12");
        assert_eq!(limit, "$4.12 left of the key's limit, for 3 days at the pace of the last week");
    }
}
