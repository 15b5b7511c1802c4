//! What a provider says is left behind a key, and what the key may do, in words.

use billing::{KeyPermissions, SpendingLimit};
use domain::{BalanceKind, NanoUsd, ShownCurrency, count_noun};
use engine::{BalanceReading, KeyBalance, KeyState};

use crate::view::{KeyBalanceView, KeyPermissionsView};

/// What the provider of a key said that it may do. `None` once it no longer accepts the key, which may
/// then do nothing.
pub(in crate::operation) fn current_permissions(
    known: Option<&KeyBalance>,
    state: KeyState,
    shown: ShownCurrency,
) -> Option<KeyPermissionsView> {
    let is_in_force = matches!(state, KeyState::Valid | KeyState::Unverified);
    let permissions = known?.permissions.as_ref().filter(|_| is_in_force)?;
    Some(key_permissions_view(permissions, shown))
}

/// `None` if the provider sets no limit.
pub(in crate::operation) fn key_balance_view(
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

fn key_permissions_view(known: &KeyPermissions, shown: ShownCurrency) -> KeyPermissionsView {
    let sentence = match known {
        KeyPermissions::ManagesKeys => {
            "It makes and deletes keys of the account, and cannot ask models".to_owned()
        }
        KeyPermissions::AsksModels { is_free_tier, limit } => {
            let tier = if *is_free_tier { " on the free tier" } else { "" };
            let limit = match limit {
                SpendingLimit::NotTold => String::new(),
                SpendingLimit::Unlimited => ", without a limit of its own".to_owned(),
                SpendingLimit::Dollars(limit) => match NanoUsd::from_dollars(&limit.to_string()) {
                    Ok(limit) => format!(", with a limit of {}", shown.format(limit)),
                    Err(_) => String::new(),
                },
            };
            format!("It may ask models{tier}{limit}")
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
        let asks = |is_free_tier, limit| KeyPermissions::AsksModels { is_free_tier, limit };
        let hundred = SpendingLimit::Dollars("100".parse().expect("an amount"));
        for (known, sentence) in [
            (asks(false, hundred), "It may ask models, with a limit of $100.00"),
            (asks(false, SpendingLimit::NotTold), "It may ask models"),
            (
                asks(true, SpendingLimit::Unlimited),
                "It may ask models on the free tier, without a limit of its own",
            ),
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
    fn a_key_that_is_not_accepted_is_said_to_be_allowed_nothing() {
        let permissions = Some(KeyPermissions::ManagesKeys);
        let known = KeyBalance { permissions, ..KeyBalance::default() };
        for state in KeyState::ALL {
            let told = current_permissions(Some(&known), *state, ShownCurrency::USD);
            let is_in_force = matches!(state, KeyState::Valid | KeyState::Unverified);
            assert_eq!(told.is_some(), is_in_force, "{state}");
        }
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
