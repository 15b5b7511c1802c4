//! Changes of prices: what they price later, and their undo.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{HOUR_MS, Meter, MeteredUsage, NanoUsd, PriceTier, Usage};
use pricing::{AttemptPricing, Cost, Price, PriceBook, PriceTerms, Provider};

use super::rollups::{check_against_recount, totals};
use super::{LedgerFixture, answered_attempt, at, attempt, backend, request, settlement};
use crate::{GroupBy, Ledger, MeterTotals, RepricedAttempt};

pub(super) fn pricing(prices: PriceBook) -> AttemptPricing {
    AttemptPricing {
        prices: Arc::new(prices),
        provider: None,
        backend: backend("home"),
        model: "m".to_owned(),
    }
}

fn price() -> Price {
    price_at(2, HOUR_MS)
}

/// A price for input in dollars, set at a time in milliseconds.
pub(super) fn price_at(input: u8, ms: i64) -> Price {
    let terms = format!(
        r#"{{"rates":{{"input":{input},"output":10}},"tiers":{{"batch":{{"rates":{{"input":1,"output":5}}}}}}}}"#
    );
    let terms: PriceTerms = serde_json::from_str(&terms).expect("terms");
    Price::declared(&backend("home"), "m", terms, at(ms))
}

pub(super) fn usage() -> Usage {
    let quantities = [(Meter::Input, 1_000), (Meter::Output, 100)].into_iter().collect();
    Usage { quantities, tier: PriceTier::Batch, ..Usage::default() }
}

/// One request with a price, one without, and one whose failed attempt has none.
async fn settle_all(ledger: &Ledger) {
    let mut unpriced = answered_attempt();
    unpriced.set_cost(pricing(PriceBook::default()).cost(&usage(), None, at(0)));
    assert_eq!(unpriced.cost, Cost::Unpriced);
    let mut failed = attempt("home", Some("cut"));
    failed.set_cost(pricing(PriceBook::default()).cost(&usage(), None, at(0)));
    for (number, attempts) in
        [(1, vec![answered_attempt()]), (2, vec![unpriced]), (3, vec![failed, answered_attempt()])]
    {
        let mut ended = settlement(number);
        ended.cost = Cost::total(attempts.iter().map(|attempt| &attempt.cost));
        ended.attempts = attempts;
        ended.model_billed = None;
        ledger.settle(ended).await.expect("settled");
    }
}

async fn meters(ledger: &Ledger) -> Vec<MeterTotals> {
    ledger.meter_totals(at(0), at(HOUR_MS)).await.expect("read")
}

pub(super) async fn reprice(ledger: &Ledger, change: i64) -> u64 {
    let pricing = pricing(ledger.price_book().await.expect("read"));
    let (mut after, mut requests) = (None, 0);
    loop {
        let page = ledger.unpriced_attempts(after, 1).await.expect("read");
        let Some(last) = page.last() else { return requests };
        after = Some((last.request, last.number));
        let priced = page.iter().map(|found| RepricedAttempt {
            request: found.request,
            number: found.number,
            priced: pricing.late_cost(&found.usage, found.model_billed.as_deref(), found.started),
        });
        requests += ledger.reprice(change, priced.collect()).await.expect("repriced");
    }
}

#[tokio::test]
async fn requests_without_a_price_get_one_later_and_lose_it_with_the_undo() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    settle_all(&ledger).await;
    let (before, meters_before) = (totals(&ledger).await, meters(&ledger).await);
    // The price of the third one's answer is not all that it may have cost.
    assert_eq!((before.unpriced_requests, before.cost), (2, NanoUsd::new(2_000_000)));

    let change = ledger.add_prices(at(9), "Set".to_owned(), vec![price()]).await.expect("added");
    assert_eq!(reprice(&ledger, change).await, 2);
    // By the rates of the batch tier: 1,000 × $1 + 100 × $5 for a million.
    let amount = NanoUsd::new(1_000_000 + 500_000);
    let after = totals(&ledger).await;
    assert_eq!((after.unpriced_requests, after.unpriced_attempts), (0, 0));
    assert_eq!(after.cost, before.cost + amount + amount);
    assert_eq!(after.wasted, before.wasted + amount);
    let cost: NanoUsd = meters(&ledger).await.iter().map(|total| total.cost).sum();
    assert_eq!(cost, amount + amount);
    check_against_recount(&ledger, GroupBy::Model).await;
    let (row, attempts) = ledger.request(request(2).id).await.expect("read").expect("a request");
    assert_eq!((row.unpriced, attempts[0].tier), (None, PriceTier::Batch));
    assert_eq!(row.cost.price_id(), Some(price().id.as_str()));
    // What has a price keeps it.
    let (known, _) = ledger.request(request(1).id).await.expect("read").expect("a request");
    assert_eq!(known.cost, answered_attempt().cost);
    assert_eq!(reprice(&ledger, change).await, 0);

    let undone = ledger.undo_price_change(at(10)).await.expect("undone").expect("a change");
    assert_eq!((undone.what.as_str(), undone.prices, undone.repriced), ("Set", 1, 2));
    assert_eq!((totals(&ledger).await, meters(&ledger).await), (before, meters_before));
    check_against_recount(&ledger, GroupBy::Model).await;
    let book = ledger.price_book().await.expect("read");
    assert_eq!(book.find(&backend("home"), None, "m", at(HOUR_MS)), None);
    assert_eq!(ledger.unpriced_attempts(None, 9).await.expect("read").len(), 2);
    assert_eq!(ledger.undo_price_change(at(11)).await.expect("read"), None);
}

#[tokio::test]
async fn the_calls_of_an_answer_are_told_apart_when_it_is_priced_later() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let call = |input, output| -> MeteredUsage {
        [(Meter::Input, input), (Meter::Output, output)].into_iter().collect()
    };
    let usage = Usage {
        quantities: call(1_000, 100),
        inner_calls: vec![call(600, 60)],
        tier: PriceTier::Standard,
        ..usage()
    };
    let mut unpriced = answered_attempt();
    unpriced.set_cost(pricing(PriceBook::default()).cost(&usage, None, at(0)));
    let mut ended = settlement(1);
    (ended.cost, ended.attempts, ended.model_billed) = (Cost::Unpriced, vec![unpriced], None);
    ledger.settle(ended).await.expect("settled");
    let found = async || ledger.unpriced_attempts(None, 9).await.expect("read").remove(0).usage;
    let before = found().await;
    assert_eq!((before.quantities, before.calls()), (usage.quantities, usage.calls()));

    // 600 tokens are more than 500, the other 400 are not: 600 × $4 + 60 × $20 + 400 × $2 + 40 × $10
    // for a million.
    let terms = r#"{"rates":{"input":2,"output":10},"above":{"input_tokens":500,"rates":{"input":4,"output":20}}}"#;
    let terms: PriceTerms = serde_json::from_str(terms).expect("terms");
    let price = Price::declared(&backend("home"), "m", terms, at(0));
    let change = ledger.add_prices(at(9), "Set".to_owned(), vec![price]).await.expect("added");
    assert_eq!(reprice(&ledger, change).await, 1);
    assert_eq!(totals(&ledger).await.cost, NanoUsd::new(4_800_000));
    ledger.undo_price_change(at(10)).await.expect("undone");
    assert_eq!(found().await.calls(), usage.calls());
}

/// A price for `m` by these rates.
fn price_of(rates: &str, ms: i64) -> Price {
    let terms = format!(r#"{{"rates":{rates},"tiers":{{"batch":{{"rates":{rates}}}}}}}"#);
    let terms: PriceTerms = serde_json::from_str(&terms).expect("terms");
    Price::declared(&backend("home"), "m", terms, at(ms))
}

/// A request whose only attempt has the cost that it has by `prices`.
async fn settle_by(ledger: &Ledger, number: u32, prices: PriceBook) -> pricing::AttemptCost {
    let priced = pricing(prices).cost(&usage(), None, at(0));
    let mut made = answered_attempt();
    made.set_cost(priced.clone());
    let mut ended = settlement(number);
    (ended.cost, ended.attempts, ended.model_billed) = (made.cost.clone(), vec![made], None);
    ledger.settle(ended).await.expect("settled");
    priced
}

#[tokio::test]
async fn a_line_for_the_answer_itself_ends_with_the_price_that_has_it() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    settle_by(&ledger, 1, PriceBook::default()).await;
    let fee = price_of(r#"{"input":1,"output":5,"request":0.01}"#, 2 * HOUR_MS);
    let change = ledger.add_prices(at(9), "Set".to_owned(), vec![fee]).await.expect("added");
    assert_eq!(reprice(&ledger, change).await, 1);
    ledger.undo_price_change(at(10)).await.expect("undone").expect("a change");
    let (_, attempts) = ledger.request(request(1).id).await.expect("read").expect("a request");
    assert!(attempts[0].lines.iter().all(|line| line.meter != Meter::Request), "{attempts:?}");
    let change = ledger.add_prices(at(11), "Set".to_owned(), vec![price()]).await.expect("added");
    assert_eq!(reprice(&ledger, change).await, 1);
    assert_eq!(totals(&ledger).await.cost, NanoUsd::new(1_500_000));
}

#[tokio::test]
async fn what_nothing_counted_is_priced_once_the_price_does_not_name_it() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let timed = price_of(r#"{"input":1,"output":5,"second":0.01}"#, 0);
    let priced = settle_by(&ledger, 1, PriceBook::default().with_price(timed)).await;
    let why = priced.unpriced.map(|why| why.reason);
    assert_eq!(why, Some(pricing::UnpricedReason::NotCounted));
    let change = ledger.add_prices(at(9), "Set".to_owned(), vec![price()]).await.expect("added");
    assert_eq!(reprice(&ledger, change).await, 1);
    assert_eq!(totals(&ledger).await.cost, NanoUsd::new(1_500_000));
}

#[tokio::test]
async fn the_last_attempt_is_read_with_the_billed_name_also_if_it_broke_off() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let unpriced = |error| {
        let mut made = attempt("home", Some(error));
        made.set_cost(pricing(PriceBook::default()).cost(&usage(), None, at(0)));
        made
    };
    let mut ended = settlement(1);
    ended.attempts = vec![unpriced("timeout"), unpriced("cut")];
    (ended.cost, ended.model_billed) = (Cost::Unpriced, Some("other".to_owned()));
    ledger.settle(ended).await.expect("settled");
    let found = ledger.unpriced_attempts(None, 9).await.expect("read");
    let names: Vec<_> = found.iter().map(|found| found.model_billed.as_deref()).collect();
    assert_eq!(names, [None, Some("other")]);
}

#[tokio::test]
async fn a_list_price_of_the_user_stands_before_the_bundled_one() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let own = Price { owner: pricing::PriceOwner::Provider(Provider::OpenAi), ..price() };
    let own = Price { model: "gpt-4.1".to_owned(), ..own };
    ledger.add_prices(at(1), "Imported".to_owned(), vec![own.clone()]).await.expect("added");
    drop(ledger);
    let ledger = place.open();
    let book = ledger.price_book().await.expect("read");
    let find = |book: &PriceBook| {
        book.find(&backend("home"), Some(Provider::OpenAi), "gpt-4.1", at(2 * HOUR_MS))
            .map(Cow::into_owned)
    };
    assert_eq!(find(&book).map(|price| price.id), Some(own.id));
    ledger.undo_price_change(at(2)).await.expect("undone").expect("a change");
    let bundled = find(&ledger.price_book().await.expect("read")).expect("a bundled price");
    assert!(bundled.id.starts_with("openai/gpt-4.1@"), "{bundled:?}");
}

#[tokio::test]
async fn a_bundled_price_is_kept_once_it_priced_a_request() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    ledger.settle(settlement(1)).await.expect("settled");
    drop(ledger);
    let kept: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM prices", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(kept, 1);
}

#[tokio::test]
async fn the_meters_of_a_project_are_those_of_its_requests() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    settle_all(&ledger).await;
    let all = meters(&ledger).await;
    let of = |project: &str| ledger.project_meter_totals(at(0), at(HOUR_MS), project.to_owned());
    assert_eq!(of("website").await.expect("read"), Some(all.clone()));
    assert_eq!(of("").await.expect("read"), Some(Vec::new()));
    let mut other = settlement(4);
    other.request.project = None;
    let mut attempt = answered_attempt();
    attempt.set_cost(pricing(PriceBook::default().with_price(price())).cost(
        &usage(),
        None,
        at(HOUR_MS),
    ));
    other.attempts = vec![attempt];
    ledger.settle(other).await.expect("settled");
    assert_eq!(of("website").await.expect("read"), Some(all));
    let without = of("").await.expect("read").expect("all of its requests");
    let quantities: Vec<_> = without.iter().map(|total| (total.meter, total.quantity)).collect();
    assert_eq!(quantities, [(Meter::Input, 1_000), (Meter::Output, 100)]);
    // Lines that are gone are not guessed.
    ledger.purge_before(request(2).started).await.expect("purged");
    assert_eq!(of("website").await.expect("read"), None);
}
