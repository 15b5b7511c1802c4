//! Costs of attempts, wasted costs of failed ones, and savings of the cache.

use std::sync::Arc;

use domain::{HOUR_MS, Meter, NanoUsd, Usage};
use pricing::{AttemptPricing, Cost, Price, PriceBook, PriceTerms, UnpricedReason};

use super::{LedgerFixture, answered_attempt, at, attempt, backend, request, settlement};
use crate::columns::text_columns::DECISION_BYTES_MAX;
use crate::file::spill::SpilledRecord;
use crate::requests::failed_attempts::FAILURE_GROUPS_MAX;
use crate::write::writes::LedgerWrite;
use crate::{
    AttemptRecord, CacheOutcome, CacheTotals, FailedAttempts, MeterTotals, Purpose, Settlement,
};

const fn reported(nanos: i64) -> Cost {
    Cost::Reported(NanoUsd::new(nanos))
}

#[tokio::test]
async fn what_failed_attempts_cost_is_reported_by_request_and_by_where_they_failed() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let away = |class: &str, cost: Cost| AttemptRecord {
        class: Some(class.to_owned()),
        cost,
        ..attempt("away", Some("timeout"))
    };
    let mut twice = settlement(1);
    twice.attempts = vec![
        away("server", reported(7)),
        away("server", Cost::Unpriced),
        AttemptRecord { class: None, cost: reported(90), ..attempt("far", Some("cut")) },
        answered_attempt(),
    ];
    twice.cost = Cost::total(twice.attempts.iter().map(|attempt| &attempt.cost));
    ledger.settle(twice.clone()).await.expect("settled");
    ledger.settle(twice).await.expect("accepted, and not counted again");
    let mut drill = settlement(2);
    drill.request.purpose = Purpose::Check;
    ledger.settle(drill).await.expect("settled");
    let mut given_up = settlement(3);
    given_up.attempts = vec![AttemptRecord { cost: Cost::Unpriced, ..attempt("away", None) }];
    ledger.settle(given_up).await.expect("settled");

    let (row, _) = ledger.request(request(1).id).await.expect("read").expect("a row");
    assert_eq!((row.wasted, row.unpriced_attempts), (NanoUsd::new(97), 1));
    assert_eq!(row.cost.amount(), Some(NanoUsd::new(1_000_097)));
    let failed = ledger.failed_attempts(at(0), at(HOUR_MS)).await.expect("read");
    let kind = |name: &str, class: &str, attempts, nanos, unpriced_attempts| FailedAttempts {
        endpoint: domain::Endpoint { backend: backend(name), credential: None },
        class: class.to_owned(),
        attempts,
        cost: NanoUsd::new(nanos),
        unpriced_attempts,
    };
    assert_eq!(failed, [kind("far", "cut", 1, 90, 0), kind("away", "server", 2, 7, 1)]);
    assert_eq!(ledger.failed_attempts(at(HOUR_MS), at(2 * HOUR_MS)).await.expect("read"), []);
}

#[tokio::test]
async fn the_lines_of_an_invoice_are_kept_and_their_sums_agree() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let rates = r#"{"rates":{"input":2,"output":10,"web_search":10}}"#;
    let terms: PriceTerms = serde_json::from_str(rates).expect("terms");
    let price = Price::declared(&backend("home"), "m", terms, at(0));
    let mut usage = Usage::default();
    for (meter, count) in [(Meter::Input, 1_200), (Meter::Output, 50), (Meter::WebSearch, 2)] {
        usage.quantities.count(meter, count);
    }
    let pricing = AttemptPricing {
        prices: Arc::new(PriceBook::default().with_price(price)),
        provider: None,
        backend: backend("home"),
        model: "m".to_owned(),
    };
    let mut priced = answered_attempt();
    priced.set_cost(pricing.cost(&usage, None, at(0)));
    usage.quantities.count(Meter::InputAudio, 7);
    let mut unpriced = answered_attempt();
    unpriced.set_cost(pricing.cost(&usage, None, at(0)));
    for (number, attempt) in [(1, &priced), (2, &unpriced)] {
        let mut ended = settlement(number);
        ended.attempts = vec![attempt.clone()];
        ended.cost = attempt.cost.clone();
        ledger.settle(ended).await.expect("settled");
        let (row, attempts) = ledger.request(request(number).id).await.expect("read").expect("it");
        assert_eq!((&attempts[0].lines, &attempts[0].cost), (&attempt.lines, &attempt.cost));
        assert_eq!((&attempts[0].unpriced, &row.unpriced), (&attempt.unpriced, &attempt.unpriced));
    }
    assert_eq!(priced.cost.amount(), Some(NanoUsd::new(2_400_000 + 500_000 + 20_000_000)));
    let why = unpriced.unpriced.map(|why| (why.reason, why.detail));
    assert_eq!(why, Some((UnpricedReason::NoRate, Some("input_audio".to_owned()))));
    let sums = ledger.meter_totals(at(0), at(HOUR_MS)).await.expect("read");
    let total = |meter, quantity, nanos, unpriced_quantity| MeterTotals {
        meter,
        quantity,
        cost: NanoUsd::new(nanos),
        unpriced_quantity,
    };
    assert_eq!(
        sums,
        [
            total(Meter::Input, 2_400, 2_400_000, 1_200),
            total(Meter::InputAudio, 7, 0, 7),
            total(Meter::Output, 100, 500_000, 50),
            total(Meter::WebSearch, 4, 20_000_000, 2),
        ]
    );
    let all: NanoUsd = sums.iter().map(|sum| sum.cost).sum();
    assert_eq!(Some(all), priced.cost.amount(), "as the total");
}

#[tokio::test]
async fn kinds_of_failures_are_listed_up_to_a_limit() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    for number in 0..=u32::try_from(FAILURE_GROUPS_MAX).expect("small") {
        let mut settlement = settlement(number);
        settlement.attempts = vec![attempt("away", Some("x"))];
        settlement.attempts[0].class = Some(format!("class-{number}"));
        drop(ledger.settle(settlement).await);
    }
    let failed = ledger.failed_attempts(at(0), at(HOUR_MS)).await.expect("read");
    assert_eq!(failed.len(), FAILURE_GROUPS_MAX);
}

#[tokio::test]
async fn what_the_cache_saved_is_summed_over_what_it_was_asked_about() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let from_cache = |number, outcome, saved: Option<i64>| Settlement {
        cost: Cost::NotBilled,
        usage: None,
        cache: outcome,
        saved: saved.map(NanoUsd::new),
        saved_time: saved.map(|_| std::time::Duration::from_millis(900)),
        attempts: Vec::new(),
        ..settlement(number)
    };
    let hit = from_cache(1, CacheOutcome::Hit, Some(500));
    let bypass = Settlement { cache: CacheOutcome::Bypass, ..settlement(4) };
    for settlement in [
        hit.clone(),
        from_cache(2, CacheOutcome::Coalesced, Some(40)),
        from_cache(3, CacheOutcome::Hit, None),
        bypass,
        settlement(5),
    ] {
        ledger.settle(settlement).await.expect("settled");
    }
    let (row, _) = ledger.request(request(1).id).await.expect("read").expect("a row");
    assert_eq!((row.saved, row.saved_time), (hit.saved, hit.saved_time));
    assert_eq!((row.cache, row.cache_reason), (hit.cache, hit.cache_reason));
    let (from, to) = (at(0), at(HOUR_MS));
    let zone = jiff::tz::TimeZone::UTC;
    let asked =
        crate::UsageQuery::new(from, to, crate::BucketWidth::Hour, &zone, crate::GroupBy::Model);
    let totals = ledger.usage(asked.expect("a range")).await.expect("read").totals;
    let expected = CacheTotals {
        hits: 2,
        shared: 1,
        misses: 1,
        saved: NanoUsd::new(540),
        saved_us: 1_800_000,
    };
    assert_eq!((totals.cache, totals.cache.eligible()), (expected, 4));
    assert_eq!((totals.retries, totals.wasted), (2, NanoUsd::new(468_000)));
}

#[tokio::test]
async fn a_decision_is_kept_whole_or_not_at_all_and_goes_with_its_request() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let longest = "7".repeat(DECISION_BYTES_MAX);
    for (number, decision) in
        [(1, Some(longest.clone())), (2, Some(format!("{longest}7"))), (3, None)]
    {
        ledger.settle(Settlement { decision, ..settlement(number) }).await.expect("settled");
    }
    let decision = async |number| ledger.routing_decision(request(number).id).await.expect("read");
    assert_eq!(decision(1).await, Some(longest));
    assert_eq!((decision(2).await, decision(3).await), (None, None));
    assert_eq!(ledger.purge_before(at(9_999_000)).await.expect("purged"), 3);
    assert_eq!(decision(1).await, None);
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

/// A journal record of version 2.
#[test]
fn a_settlement_of_version_2_is_still_understood() {
    let json = r#"{"request":{"id":"req_01a1fd1e8fe8715c8289ec2d0a9167ec","started":1795248001000,
        "client":"editor","project":"website","route":"fast","model_asked":"fast",
        "dialect":"openai","streamed":true,"purpose":"user"},"ended":1795248001900,
        "outcome":"complete","backend":"home","credential":"home-key",
        "model_billed":"gpt-4.1-2025-04-14","http_status":200,"finish_reason":"stop",
        "error_class":null,"usage":null,"usage_basis":null,"usage_raw":null,
        "cost":{"reported":1234},"cache":"miss","timings":{"queue":null,"first_byte":null,
        "first_token":null,"total":{"secs":0,"nanos":900000000}},"bytes_in":700,"bytes_out":1900,
        "explanation":"home: first","attempts":[{"backend":"home","credential":null,
        "model":"gpt-4.1","started":1795248000000,"duration":{"secs":0,"nanos":400000000},
        "error_class":null,"http_status":200,"message":null}]}"#;
    let old: SpilledRecord =
        serde_json::from_str(&format!(r#"{{"settle":{json}}}"#)).expect("understood");
    let LedgerWrite::Settle(old) = LedgerWrite::from(old) else { panic!("a settlement") };
    // Its micro-dollars are nano-dollars now.
    assert_eq!((old.cost, old.decision, old.saved), (reported(1_234_000), None, None));
    let attempt = &old.attempts[0];
    assert_eq!((&attempt.cost, attempt.waited.as_millis()), (&Cost::Unpriced, 0));
    assert_eq!((&attempt.class, &attempt.owner, attempt.usage), (&None, &None, None));
}
