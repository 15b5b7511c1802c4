//! Counts and costs that no attempt can have are not priced: a backend once reported 1e18 tokens,
//! which would have booked a million dollars.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use domain::{BackendId, Meter, NanoUsd, TokenUsage, Unit, Usage, WallTime};
use pricing::{
    ATTEMPT_COST_MAX, ATTEMPT_TOKENS_MAX, Price, PriceTerms, Rate, Rates, UnpricedReason,
};

/// The cost of an answer of `tokens` at this price of a million.
fn cost(per_million: &str, tokens: u64) -> Result<NanoUsd, UnpricedReason> {
    let rate = Rate::from_quote(per_million, Unit::Tokens).expect("a rate");
    let rates: Rates = [(Meter::Output, rate)].into_iter().collect();
    let backend = BackendId::new("corp").expect("an id");
    let terms = PriceTerms::flat(rates);
    let price = Price::declared(&backend, "m", terms, WallTime::from_unix_ms(0));
    let usage = Usage::from(TokenUsage { output_visible: tokens, ..TokenUsage::default() });
    let (lines, total) = price.invoice(&usage);
    assert_eq!(lines.iter().map(|line| line.quantity).sum::<u64>(), tokens, "the lines are kept");
    total.map_err(|unpriced| unpriced.reason)
}

#[test]
fn more_tokens_than_an_attempt_can_have_are_unpriced() {
    let most = NanoUsd::new(100_000_000_000);
    assert_eq!(cost("1", ATTEMPT_TOKENS_MAX), Ok(most));
    for tokens in [ATTEMPT_TOKENS_MAX + 1, 1_000_000_000_000_000_000] {
        assert_eq!(cost("1", tokens), Err(UnpricedReason::Implausible), "{tokens}");
    }
}

#[test]
fn more_money_than_an_attempt_can_cost_is_unpriced() {
    // A thousand dollars a million.
    assert_eq!(cost("1000", 1_000_000), Ok(ATTEMPT_COST_MAX));
    assert_eq!(cost("1000", 1_000_001), Err(UnpricedReason::Implausible));
}
