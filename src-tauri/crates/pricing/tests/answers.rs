//! What an answer costs beside its tokens, and when another model answered.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
use std::sync::Arc;

use domain::{BackendId, Meter, NanoUsd, TokenUsage, Usage, WallTime};
use pricing::{AttemptCost, AttemptPricing, Cost, Price, PriceBook, PriceTerms, UnpricedReason};

const AT: WallTime = WallTime::from_unix_ms(1_795_200_000_000);

/// Prices a thousand tokens in and ten out of `gpt-4o`, whose terms are these.
fn cost(terms: &str, billed: Option<&str>, seconds: u64) -> AttemptCost {
    let backend = BackendId::new("up").expect("a name");
    let terms: PriceTerms = serde_json::from_str(terms).expect("terms");
    let price = Price::declared(&backend, "gpt-4o", terms, WallTime::from_unix_ms(0));
    let prices = Arc::new(PriceBook::default().with_price(price));
    let model = "gpt-4o".to_owned();
    let tokens = TokenUsage { input_uncached: 1_000, output_visible: 10, ..TokenUsage::default() };
    let mut usage = Usage::from(tokens);
    usage.quantities.count(Meter::Second, seconds);
    AttemptPricing { prices, provider: None, backend, model }.cost(&usage, billed, AT)
}

const PLAIN: &str = r#"{"rates":{"input":2,"output":10}}"#;

fn amount(cost: &AttemptCost) -> Option<i64> {
    cost.cost.amount().map(NanoUsd::nanos)
}

#[test]
fn a_rate_for_requests_is_charged_once_an_answer() {
    let plain = amount(&cost(PLAIN, None, 0)).expect("priced");
    let with = cost(r#"{"rates":{"input":2,"output":10,"request":0.005}}"#, None, 0);
    let line = with.lines.iter().find(|line| line.meter == Meter::Request).expect("a line");
    let fee = line.amount.expect("rated").nanos();
    assert_eq!(line.quantity, 1);
    assert!(fee > 0);
    assert_eq!(amount(&with), Some(plain + fee));
}

#[test]
fn a_rate_for_seconds_that_nothing_counts_has_no_price_and_says_so() {
    let terms = r#"{"rates":{"input":2,"output":10,"second":0.01}}"#;
    let uncounted = cost(terms, None, 0);
    assert_eq!(uncounted.cost, Cost::Unpriced);
    let why = uncounted.unpriced.expect("a reason");
    assert_eq!((why.reason, why.detail.as_deref()), (UnpricedReason::NotCounted, Some("second")));
    assert!(amount(&cost(terms, None, 3)) > amount(&cost(PLAIN, None, 0)));
}

#[test]
fn another_model_that_answered_is_not_priced_as_the_one_that_was_sent() {
    let sent = amount(&cost(PLAIN, None, 0));
    assert!(sent.is_some());
    for same in ["gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o"] {
        assert_eq!(amount(&cost(PLAIN, Some(same), 0)), sent, "{same}");
    }
    for other in ["gpt-4o-mini", "llama-70b", "gpt-4"] {
        let cost = cost(PLAIN, Some(other), 0);
        assert_eq!(cost.cost, Cost::Unpriced, "{other}");
        let why = cost.unpriced.expect("a reason");
        let expected = (UnpricedReason::NoPrice, Some(other));
        assert_eq!((why.reason, why.detail.as_deref()), expected);
        assert_eq!(cost.lines.len(), 2, "kept, to be priced later");
    }
}
