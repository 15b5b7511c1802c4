//! What a request may cost, before it is sent.

use budgets::{PromptCacheKey, Reservation};
use domain::{NanoUsd, TokenUsage, WallTime};
use routing::{Candidate, find_model_facts};

use super::Learnt;
use crate::context::RequestContext;

/// The size of a call, as far as it is known before it is answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSize {
    /// Estimated.
    pub(crate) input_tokens: u64,
    pub(crate) output: OutputLimit,
    /// Answers asked for at once, each of that length.
    pub(crate) answers: u64,
}

/// Most output tokens of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OutputLimit {
    /// It has no output, as embeddings have none.
    None,
    Stated(u64),
    /// The model's own.
    Model,
}

/// What a call may cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EstimatedPrice {
    pub(super) reservation: Reservation,
    /// With an answer of the expected length and nothing read from a cache, which another attempt
    /// cannot count on.
    pub(super) uncached: NanoUsd,
}

/// The price of a call at `candidate`; `None` if it is unknown.
pub(super) fn estimate(
    context: &RequestContext,
    size: CallSize,
    candidate: &Candidate,
    learnt: &Learnt,
    now: WallTime,
) -> Option<EstimatedPrice> {
    let price = context.snapshot.price();
    let price_of = |input: TokenUsage, output_each: u64| {
        let tokens =
            TokenUsage { output_visible: output_each.saturating_mul(size.answers), ..input };
        price(&candidate.endpoint.backend, &candidate.model, &tokens, now)
    };
    let none_read = TokenUsage { input_uncached: size.input_tokens, ..TokenUsage::default() };
    let expected = learnt.answers.expected(&candidate.model);
    let longest = match size.output {
        OutputLimit::None => Some(0),
        OutputLimit::Stated(tokens) => Some(tokens),
        OutputLimit::Model => longest_answer(context, candidate),
    };
    let output = longest.map_or(expected, |longest| expected.min(longest));
    let uncached = price_of(none_read, output)?;
    // A price of zero is zero for any length.
    let at_most = match uncached {
        NanoUsd::ZERO => Some(NanoUsd::ZERO),
        _ => longest
            .and_then(|longest| dearest_input(size.input_tokens, |input| price_of(input, longest))),
    };
    // What is read from a cache is assumed only where the slack can say by how much it may be wrong.
    let cached = at_most.and_then(|_| {
        let key = PromptCacheKey {
            client: context.client.id.clone(),
            backend: candidate.endpoint.backend.clone(),
            credential: candidate.endpoint.credential.clone(),
            model: candidate.model.clone(),
        };
        let cache_read = learnt.cache_reads.expected(&key, size.input_tokens, now);
        let input_uncached = size.input_tokens.saturating_sub(cache_read);
        let input = TokenUsage { input_uncached, cache_read, ..TokenUsage::default() };
        (cache_read > 0).then(|| price_of(input, output)).flatten()
    });
    let amount = cached.map_or(uncached, |cached| cached.min(uncached));
    Some(EstimatedPrice { reservation: Reservation { amount, at_most }, uncached })
}

/// The price of a prompt of which a cache has nothing: it is not written to one, or it is, for a term
/// that has a price of its own. `None` if the first of these is unknown.
fn dearest_input(
    input_tokens: u64,
    price_of: impl Fn(TokenUsage) -> Option<NanoUsd>,
) -> Option<NanoUsd> {
    let none = TokenUsage::default();
    let plain = price_of(TokenUsage { input_uncached: input_tokens, ..none })?;
    let written = [
        TokenUsage { cache_write_5m: input_tokens, ..none },
        TokenUsage { cache_write_1h: input_tokens, ..none },
    ];
    Some(written.into_iter().filter_map(price_of).fold(plain, NanoUsd::max))
}

/// Most output tokens of the candidate's model.
fn longest_answer(context: &RequestContext, candidate: &Candidate) -> Option<u64> {
    let backend = context.snapshot.backends.get(&candidate.endpoint.backend);
    let own = backend.and_then(|backend| backend.output_tokens_max(&candidate.model));
    own.or_else(|| find_model_facts(&candidate.model)?.output_tokens_max)
}

/// What covers either of two prices.
pub(super) fn dearer(one: EstimatedPrice, other: EstimatedPrice) -> EstimatedPrice {
    let uncached = one.uncached.max(other.uncached);
    let (one, other) = (one.reservation, other.reservation);
    let at_most = one.at_most.zip(other.at_most).map(|(one, other)| one.max(other));
    let reservation = Reservation { amount: one.amount.max(other.amount), at_most };
    EstimatedPrice { reservation, uncached }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_that_is_written_to_a_cache_may_cost_more_than_one_that_is_not() {
        let price = |write_5m: Option<i64>, write_1h: Option<i64>| {
            dearest_input(10, |tokens| {
                let of = |count: u64, rate: Option<i64>| match count {
                    0 => Some(0),
                    count => Some(i64::try_from(count).ok()? * rate?),
                };
                let nanos = of(tokens.input_uncached, Some(100))?
                    + of(tokens.cache_write_5m, write_5m)?
                    + of(tokens.cache_write_1h, write_1h)?;
                Some(NanoUsd::new(nanos))
            })
        };
        assert_eq!(price(None, None), Some(NanoUsd::new(1_000)));
        assert_eq!(price(Some(125), None), Some(NanoUsd::new(1_250)));
        assert_eq!(price(Some(125), Some(200)), Some(NanoUsd::new(2_000)));
        assert_eq!(price(Some(0), Some(0)), Some(NanoUsd::new(1_000)));
        assert_eq!(dearest_input(10, |_| None), None);
    }
}
