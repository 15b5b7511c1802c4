//! Suggestions that spend less, each measured on the ledger's own past.
//!
//! A rule says what it would have saved in the period that it is given, and nothing where that is
//! less than it takes to be worth a look. The same rule on the period before is its test.

use std::cmp::Reverse;

use domain::{NanoUsd, TokenUsage};

/// Least saving in a period that is worth a suggestion.
pub const SAVING_MIN: NanoUsd = NanoUsd::new(1_000_000_000);

/// Requests before their mean says anything.
const REQUESTS_MIN: u64 = 100;

/// Mean tokens of a request that is short and simple.
const SHORT_INPUT_TOKENS_MAX: u64 = 4_000;
const SHORT_OUTPUT_TOKENS_MAX: u64 = 400;
/// Share of the output that is reasoning, in percent. A request that needs more is not simple.
const REASONING_PERCENT_MAX: u64 = 10;

/// How far the price list may be off what was paid, in percent. Past it something else was billed,
/// such as searches or another tier, and a comparison of tokens says nothing.
const LIST_OFF_PERCENT_MAX: i64 = 5;
/// Share of the cost at which another model is cheaper enough to be worth a try, in percent.
const CHEAPER_PERCENT_MAX: i64 = 50;

/// Mean input from which a provider's cache is worth a thought, in tokens.
const LARGE_INPUT_TOKENS_MIN: u64 = 5_000;

/// What one model of one backend used and cost in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelUse {
    pub requests: u64,
    pub unpriced_requests: u64,
    pub tokens: TokenUsage,
    pub cost: NanoUsd,
}

impl ModelUse {
    /// Input and output tokens of the mean request; zeros without a request.
    #[must_use]
    pub fn mean_tokens(&self) -> (u64, u64) {
        let mean = |tokens: u64| tokens.checked_div(self.requests).unwrap_or_default();
        (mean(self.tokens.input()), mean(self.tokens.output()))
    }

    /// True if another model is worth a try: many short, simple requests, whose cost the price list
    /// explains (`listed` is what it makes of the tokens).
    #[must_use]
    pub fn is_simple(&self, listed: NanoUsd) -> bool {
        let (input, output) = self.mean_tokens();
        let off = (self.cost.nanos() - listed.nanos()).saturating_mul(100).saturating_abs();
        self.requests >= REQUESTS_MIN
            && self.unpriced_requests == 0
            && input <= SHORT_INPUT_TOKENS_MAX
            && output <= SHORT_OUTPUT_TOKENS_MAX
            && self.tokens.reasoning * 100 <= self.tokens.output() * REASONING_PERCENT_MAX
            && off <= self.cost.nanos().saturating_mul(LIST_OFF_PERCENT_MAX)
    }

    /// True for many requests with a large input that the provider never cached.
    #[must_use]
    pub fn is_large_and_uncached(&self) -> bool {
        let TokenUsage { cache_read, cache_write_5m, cache_write_1h, .. } = self.tokens;
        self.requests >= REQUESTS_MIN
            && cache_read + cache_write_5m + cache_write_1h == 0
            && self.tokens.input() >= self.requests * LARGE_INPUT_TOKENS_MIN
            && self.cost >= SAVING_MIN
    }
}

/// What the same tokens would have cost with another model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    pub model: String,
    pub cost: NanoUsd,
}

/// The cheaper model that is the smallest step away from `model`: of those that cost at most half,
/// the one whose name begins most alike, then has the shortest name, then costs most. `None` if
/// none saves enough.
#[must_use]
pub fn cheaper_model<'a>(
    model: &str,
    cost: NanoUsd,
    alternatives: &'a [Alternative],
) -> Option<&'a Alternative> {
    let is_worth_it = |other: &&Alternative| {
        let is_half = other.cost.nanos().saturating_mul(100)
            <= cost.nanos().saturating_mul(CHEAPER_PERCENT_MAX);
        is_half && cost.nanos() - other.cost.nanos() >= SAVING_MIN.nanos()
    };
    let family = model.split('-').next().unwrap_or(model);
    let kin = |other: &&Alternative| other.model.split('-').next() == Some(family);
    alternatives.iter().filter(is_worth_it).filter(kin).min_by_key(|other| {
        let alike = common_prefix(model, &other.model);
        (Reverse(alike), other.model.len(), Reverse(other.cost), other.model.as_str())
    })
}

fn common_prefix(model: &str, other: &str) -> usize {
    model.bytes().zip(other.bytes()).take_while(|(one, two)| one == two).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dollars(cents: i64) -> NanoUsd {
        NanoUsd::new(cents * 10_000_000)
    }

    fn simple() -> ModelUse {
        let tokens =
            TokenUsage { input_uncached: 200_000, output_visible: 20_000, ..TokenUsage::default() };
        ModelUse { requests: 200, unpriced_requests: 0, tokens, cost: dollars(500) }
    }

    #[test]
    fn only_many_short_requests_that_the_list_explains_are_simple() {
        let check = |usage: ModelUse, listed: NanoUsd, expected: bool| {
            assert_eq!(usage.is_simple(listed), expected, "{usage:?}");
        };
        check(simple(), dollars(500), true);
        check(simple(), dollars(476), true);
        check(simple(), dollars(474), false);
        check(ModelUse { requests: 99, ..simple() }, dollars(500), false);
        check(ModelUse { unpriced_requests: 1, ..simple() }, dollars(500), false);
        let with = |tokens| ModelUse { tokens, ..simple() };
        let tokens = simple().tokens;
        check(with(TokenUsage { input_uncached: 800_200, ..tokens }), dollars(500), false);
        check(with(TokenUsage { output_visible: 80_200, ..tokens }), dollars(500), false);
        check(with(TokenUsage { reasoning: 3_000, ..tokens }), dollars(500), false);
    }

    #[test]
    fn the_smallest_step_to_a_cheaper_model_is_chosen() {
        let check = |model: &str, others: &[(&str, i64)], expected: Option<&str>| {
            let others: Vec<Alternative> = others
                .iter()
                .map(|(model, cost)| Alternative {
                    model: (*model).to_owned(),
                    cost: dollars(*cost),
                })
                .collect();
            let found = cheaper_model(model, dollars(500), &others);
            assert_eq!(found.map(|other| other.model.as_str()), expected);
        };
        let gpt = [
            ("gpt-4.1", 500),
            ("gpt-4.1-mini", 100),
            ("gpt-4.1-nano", 25),
            ("gpt-4.1-mini-audio", 200),
            ("gpt-4o-mini", 37),
            ("o4-mini", 240),
        ];
        check("gpt-4.1", &gpt, Some("gpt-4.1-mini"));
        check("gpt-5", &gpt[..2], Some("gpt-4.1-mini"));
        check("o3", &gpt, None);
        check(
            "claude-opus-4-5",
            &[("claude-sonnet-4-5", 300), ("claude-haiku-4-5", 100)],
            Some("claude-haiku-4-5"),
        );
        check("gpt-4.1", &[("gpt-4.1-mini", 251)], None);
        check("gpt-4.1", &[], None);
        let little = [Alternative { model: "m-b".to_owned(), cost: dollars(1) }];
        assert_eq!(cheaper_model("m-a", dollars(100), &little), None);
    }

    #[test]
    fn a_large_input_counts_only_where_nothing_was_cached() {
        let large = |input_uncached, cache_read| ModelUse {
            tokens: TokenUsage { input_uncached, cache_read, ..TokenUsage::default() },
            ..simple()
        };
        assert!(large(1_000_000, 0).is_large_and_uncached());
        assert!(!large(999_999, 0).is_large_and_uncached());
        assert!(!large(1_000_000, 1).is_large_and_uncached());
        assert!(!ModelUse { cost: dollars(99), ..large(1_000_000, 0) }.is_large_and_uncached());
    }
}
