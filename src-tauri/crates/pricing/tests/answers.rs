//! What an answer costs beside its tokens, and when another model answered.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
use std::sync::Arc;

use domain::{BackendId, Meter, NanoUsd, TokenUsage, Usage, WallTime};
use pricing::{
    AttemptCost, AttemptPricing, Cost, Price, PriceBook, PriceOwner, PriceTerms, Provider,
    UnpricedReason,
};

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
    // What costs nothing need not be counted.
    let free = cost(r#"{"rates":{"input":2,"output":10,"second":0}}"#, None, 0);
    assert_eq!(amount(&free), amount(&cost(PLAIN, None, 0)));
}

/// Prices the answer `billed` of a thousand tokens in and ten out to a request for `sent`.
fn answer_cost(price: Price, (sent, billed): (&str, &str)) -> AttemptCost {
    let backend = BackendId::new("up").expect("a name");
    let tokens = TokenUsage { input_uncached: 1_000, output_visible: 10, ..TokenUsage::default() };
    let (prices, model) = (Arc::new(PriceBook::default().with_price(price)), sent.to_owned());
    AttemptPricing { prices, provider: Some(Provider::OpenAi), backend, model }.cost(
        &tokens.into(),
        Some(billed),
        AT,
    )
}

#[test]
fn another_model_that_answered_has_not_the_listed_price_of_the_one_that_was_sent() {
    let backend = BackendId::new("up").expect("a name");
    let terms: PriceTerms = serde_json::from_str(PLAIN).expect("terms");
    let own = Price::declared(&backend, "gpt-4o", terms, WallTime::from_unix_ms(0));
    let listed = Price { owner: PriceOwner::Provider(Provider::OpenAi), ..own };
    let sent = amount(&cost(PLAIN, None, 0));
    assert!(sent.is_some());
    for same in ["gpt-4o", "gpt-4o-2024-08-06", "openai/gpt-4o"] {
        let cost = answer_cost(listed.clone(), ("gpt-4o", same));
        assert_eq!(amount(&cost), sent, "{same}");
    }
    for other in ["gpt-4o-mini", "llama-70b", "gpt-4"] {
        let cost = answer_cost(listed.clone(), ("gpt-4o", other));
        assert_eq!(cost.cost, Cost::Unpriced, "{other}");
        let why = cost.unpriced.expect("a reason");
        let expected = (UnpricedReason::NoPrice, Some(other));
        assert_eq!((why.reason, why.detail.as_deref()), expected);
        assert_eq!(cost.lines.len(), 2, "kept, to be priced later");
    }
}

#[test]
fn an_own_price_of_the_name_that_was_sent_holds_whatever_the_answer_names() {
    let backend = BackendId::new("up").expect("a name");
    let own = |model: &str, terms: &str| {
        let terms: PriceTerms = serde_json::from_str(terms).expect("terms");
        Price::declared(&backend, model, terms, WallTime::from_unix_ms(0))
    };
    let names = ("prod-chat", "gpt-4o-2024-08-06");
    assert_eq!(amount(&answer_cost(own("prod-chat", PLAIN), names)), Some(2_100_000));
    // It is of this backend, and of no other name.
    let other = Price::declared(
        &BackendId::new("other").expect("a name"),
        "prod-chat",
        serde_json::from_str(PLAIN).expect("terms"),
        WallTime::from_unix_ms(0),
    );
    assert_eq!(amount(&answer_cost(other, names)), None);
    assert_eq!(amount(&answer_cost(own("prod", PLAIN), names)), None);
    assert_eq!(amount(&answer_cost(own(names.1, PLAIN), names)), Some(2_100_000));
    // What it does not state is as at the model that answered, or unknown.
    let part = r#"{"rates":{"input":1}}"#;
    assert_eq!(amount(&answer_cost(own("prod-chat", part), names)), None);
}

#[test]
fn an_own_price_stands_before_that_of_the_model_that_answered_in_what_it_states() {
    let backend = BackendId::new("up").expect("a name");
    let terms = |json: &str| serde_json::from_str::<PriceTerms>(json).expect("terms");
    let from = WallTime::from_unix_ms(0);
    let own = Price::declared(&backend, "prod-chat", terms(r#"{"rates":{"input":1}}"#), from);
    let listed = Price {
        owner: PriceOwner::Provider(Provider::OpenAi),
        ..Price::declared(&backend, "gpt-4o", terms(PLAIN), from)
    };
    let of_answer = Price::declared(&backend, "gpt-4o", terms(r#"{"rates":{"input":3}}"#), from);
    let usage = Usage::from(TokenUsage { input_uncached: 1_000, ..TokenUsage::default() });
    for (prices, expected) in [
        (vec![listed.clone()], 2_000_000),
        (vec![listed.clone(), own.clone()], 1_000_000),
        (vec![listed, own, of_answer], 3_000_000),
    ] {
        let prices = prices.into_iter().fold(PriceBook::default(), PriceBook::with_price);
        let pricing = AttemptPricing {
            prices: Arc::new(prices),
            provider: Some(Provider::OpenAi),
            backend: backend.clone(),
            model: "prod-chat".to_owned(),
        };
        assert_eq!(amount(&pricing.cost(&usage, Some("gpt-4o"), AT)), Some(expected));
    }
}

#[test]
fn lines_beside_what_is_not_understood_have_no_amount() {
    let backend = BackendId::new("up").expect("a name");
    let terms: PriceTerms = serde_json::from_str(PLAIN).expect("terms");
    let price = Price::declared(&backend, "gpt-4o", terms, WallTime::from_unix_ms(0));
    let prices = Arc::new(PriceBook::default().with_price(price));
    let pricing = AttemptPricing { prices, provider: None, backend, model: "gpt-4o".to_owned() };
    let tokens = TokenUsage { input_uncached: 1_000, ..TokenUsage::default() };
    let unread = Some("usage.new".to_owned());
    let cost = pricing.cost(&Usage { unread, ..Usage::from(tokens) }, None, AT);
    assert_eq!(cost.cost, Cost::Unpriced);
    let lines: Vec<_> = cost.lines.iter().map(|line| (line.quantity, line.amount)).collect();
    assert_eq!(lines, [(1_000, None)]);
}
