//! What backends stated, beside what the price list computes.

use domain::{DAY_MS, Meter, NanoUsd};
use pricing::{Cost, LineItem, Rate};

use super::{LedgerFixture, at, settlement};
use crate::{Settlement, StatedCosts};

fn line(quantity: u64, rate: Option<i64>) -> LineItem {
    let rate = rate.map(Rate::new);
    let amount = rate.map(|rate| rate.amount(quantity));
    LineItem { meter: Meter::Input, quantity, rate, amount }
}

/// A request whose answer cost `stated` by its backend.
fn answered(number: u32, stated: i64, lines: Vec<LineItem>) -> Settlement {
    let mut ended = settlement(number);
    ended.attempts.remove(0);
    let attempt = ended.attempts.first_mut().expect("the answer");
    attempt.cost = Cost::Reported(NanoUsd::new(stated));
    attempt.lines = lines;
    ended.cost = attempt.cost.clone();
    ended
}

#[tokio::test]
async fn what_was_stated_is_compared_where_every_line_has_a_rate() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let dollar_a_million = Some(1_000_000_000);
    for ended in [
        answered(1, 1_100, vec![line(1, dollar_a_million)]),
        answered(2, 4_000, vec![line(3, dollar_a_million), line(1, dollar_a_million)]),
        answered(3, 9_000, vec![line(3, dollar_a_million), line(7, None)]),
        answered(4, 9_000, Vec::new()),
        // Computed only: not of this table.
        Settlement { attempts: settlement(5).attempts.split_off(1), ..settlement(5) },
    ] {
        ledger.settle(ended).await.expect("settled");
    }
    let expected = StatedCosts {
        backend: "home".to_owned(),
        model: "gpt-4.1".to_owned(),
        answers: 4,
        compared: 2,
        stated: NanoUsd::new(5_100),
        computed: NanoUsd::new(5_000),
    };
    let sums = |from, to| ledger.stated_costs(at(from), at(to));
    assert_eq!(sums(0, DAY_MS).await.expect("read"), std::slice::from_ref(&expected));
    assert_eq!(sums(2 * DAY_MS, 3 * DAY_MS).await.expect("read"), []);
    // Once more is no other request.
    ledger.settle(answered(1, 1_100, vec![line(1, dollar_a_million)])).await.expect("settled");
    assert_eq!(sums(0, DAY_MS).await.expect("read"), [expected]);
}
