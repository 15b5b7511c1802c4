//! What a provider says is left behind a key, in words.

use domain::{BalanceKind, CredentialId, count_noun};
use engine::{Engine, ToldBalance};
use settings::Settings;

use crate::view::KeyBalanceView;

/// `None` while nothing is known: the provider tells no balance, sets no limit, or was not asked yet.
pub(super) fn key_balance_view(
    engine: &Engine,
    settings: &Settings,
    id: &CredentialId,
) -> Option<KeyBalanceView> {
    let known = engine.key_balances().balance(id)?;
    if known.told.is_none() && known.problem.is_none() {
        return None;
    }
    let shown = settings.currency.shown().0;
    let left = known.told.as_ref().map(|told| told.amount(shown));
    let sentence = match (&known.told, &left, &known.problem) {
        (Some(told), Some(left), _) => sentence(told, left),
        (_, _, Some(problem)) => format!("Not known: {problem}."),
        _ => String::new(),
    };
    Some(KeyBalanceView {
        left,
        sentence,
        told_at: known.told.as_ref().map(|told| told.at.into()),
        days_left: known
            .told
            .as_ref()
            .and_then(|told| told.days_left)
            .map(|days| u32::try_from(days).unwrap_or(u32::MAX)),
        is_used_up: known.told.is_some_and(|told| told.is_used_up()),
        problem: known.problem,
    })
}

/// `$4.12 left, for 3 days at the pace of the last week`.
fn sentence(told: &ToldBalance, left: &str) -> String {
    let of = match told.balance.kind {
        BalanceKind::Account => "",
        BalanceKind::KeyLimit => " of the key's limit",
    };
    let lasts = match told.days_left {
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

    fn told(kind: BalanceKind, days_left: Option<u64>) -> ToldBalance {
        let amounts = vec![(CurrencyCode::USD, "4.12".parse().expect("an amount"))];
        let balance = Balance { kind, amounts, reset: None };
        ToldBalance { at: WallTime::from_unix_ms(0), balance, days_left }
    }

    #[test]
    fn a_sentence_says_what_is_left_and_for_how_long() {
        let account = |days| sentence(&told(BalanceKind::Account, days), "$4.12");
        assert_eq!(account(None), "$4.12 left");
        assert_eq!(
            account(Some(0)),
            "$4.12 left, for less than a day at the pace of the last week"
        );
        assert_eq!(account(Some(1)), "$4.12 left, for 1 day at the pace of the last week");
        let limit = sentence(&told(BalanceKind::KeyLimit, Some(3)), "$4.12");
        assert_eq!(limit, "$4.12 left of the key's limit, for 3 days at the pace of the last week");
    }
}
