//! What a provider says is left behind a key, in words.

use domain::{BalanceKind, ShownCurrency, count_noun};
use engine::{BalanceReading, KeyBalance};

use crate::view::KeyBalanceView;

/// `None` if the provider sets no limit.
pub(super) fn key_balance_view(
    KeyBalance { reading, problem }: KeyBalance,
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
