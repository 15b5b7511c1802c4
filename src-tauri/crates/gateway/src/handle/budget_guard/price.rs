//! What a request may cost, before it is sent.

use budgets::{PromptCacheKey, Reservation};
use domain::{MeteredUsage, NanoUsd, PriceTier, TokenUsage, Usage, WallTime};
use routing::{Candidate, find_model_facts};
use wire::BillingTerms;

use super::Learnt;
use crate::handle::context::RequestContext;

/// The size of a call, as far as it is known before it is answered.
#[derive(Debug, Clone)]
pub(crate) struct CallSize {
    /// Estimated.
    pub(crate) input_tokens: u64,
    pub(crate) output: OutputLimit,
    /// Answers asked for at once, each of that length.
    pub(crate) answers: u64,
    pub(crate) terms: BillingTerms,
}

/// Most output tokens of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OutputLimit {
    /// It has no output, as embeddings have none.
    None,
    Stated(u64),
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
    size: &CallSize,
    candidate: &Candidate,
    learnt: &Learnt,
    now: WallTime,
) -> Option<EstimatedPrice> {
    let place = (&candidate.endpoint.backend, candidate.model.as_str());
    let price_of = |terms: &BillingTerms, input: TokenUsage, output_each: u64| {
        let tokens =
            TokenUsage { output_visible: output_each.saturating_mul(size.answers), ..input };
        dearest_tier(terms, tokens, |usage| context.snapshot.usage_cost(place, usage, now))
    };
    let none_read = TokenUsage { input_uncached: size.input_tokens, ..TokenUsage::default() };
    let expected = learnt.answers.expected(&candidate.model);
    let longest = match size.output {
        OutputLimit::None => Some(0),
        OutputLimit::Stated(tokens) => Some(tokens),
        OutputLimit::Model => longest_answer(context, candidate),
    };
    let output = longest.map_or(expected, |longest| expected.min(longest));
    let (terms, uncached) = priced_terms(&size.terms, |terms| price_of(terms, none_read, output))?;
    let possible = BillingTerms { tiers: terms.tiers_possible, ..terms.clone() };
    let dearest =
        price_of(&possible, none_read, output).map_or(uncached, |most| most.max(uncached));
    // Tokens that cost nothing do so at any length.
    let of_one_call = match dearest {
        NanoUsd::ZERO => Some(NanoUsd::ZERO),
        _ => longest.and_then(|longest| {
            dearest_input(size.input_tokens, |input| {
                let standard = BillingTerms { tiers: STANDARD, ..terms.clone() };
                let others = [&standard, &possible].map(|terms| price_of(terms, input, longest));
                let asked = price_of(&terms, input, longest)?;
                Some(others.into_iter().flatten().fold(asked, NanoUsd::max))
            })
        }),
    };
    // What is read from a cache is assumed only where the slack can say by how much it may be wrong.
    let cached = of_one_call.and_then(|_| {
        let key = PromptCacheKey {
            client: context.client.id.clone(),
            backend: candidate.endpoint.backend.clone(),
            credential: candidate.endpoint.credential.clone(),
            model: candidate.model.clone(),
        };
        let cache_read = learnt.cache_reads.expected(&key, size.input_tokens, now);
        let input_uncached = size.input_tokens.saturating_sub(cache_read);
        let input = TokenUsage { input_uncached, cache_read, ..TokenUsage::default() };
        (cache_read > 0).then(|| price_of(&terms, input, output)).flatten()
    });
    let amount = cached.map_or(uncached, |cached| cached.min(uncached));
    let at_most = of_one_call.filter(|most| is_bounded(&size.terms, &terms, *most));
    Some(EstimatedPrice { reservation: Reservation { amount, at_most }, uncached })
}

/// True if no answer costs more than `of_one_call` of the model, at the `priced` ones of the terms that
/// were `asked` for. Free tokens are free in each further round, the calls of tools need not be.
fn is_bounded(asked: &BillingTerms, priced: &BillingTerms, of_one_call: NanoUsd) -> bool {
    let is_free = of_one_call == NanoUsd::ZERO && !asked.has_provider_tools;
    is_free || (priced == asked && !asked.has_rounds)
}

const STANDARD: &[PriceTier] = &[PriceTier::Standard];

/// The cost at the dearest of the tiers that are asked for and have a price.
fn dearest_tier(
    terms: &BillingTerms,
    tokens: TokenUsage,
    cost: impl Fn(&Usage) -> Option<NanoUsd>,
) -> Option<NanoUsd> {
    let mut usage = Usage { region: terms.region.clone(), ..tokens.into() };
    usage.quantities += terms.tool_calls;
    let costs = terms.tiers.iter().filter_map(|tier| {
        usage.tier = *tier;
        cost(&usage)
    });
    costs.max()
}

/// The terms nearest to the `asked` ones that have a price, and the price: a provider without a rate
/// for a tool, a region or a tier may have ignored that it was asked for it. `None` if none have one.
fn priced_terms(
    asked: &BillingTerms,
    price_of: impl Fn(&BillingTerms) -> Option<NanoUsd>,
) -> Option<(BillingTerms, NanoUsd)> {
    let steps: [fn(&mut BillingTerms); 4] = [
        |_| {},
        |terms| terms.tool_calls = MeteredUsage::default(),
        |terms| terms.region = None,
        |terms| terms.tiers = STANDARD,
    ];
    let mut terms = asked.clone();
    steps.into_iter().find_map(|leave_out| {
        leave_out(&mut terms);
        Some((terms.clone(), price_of(&terms)?))
    })
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
    use domain::Meter;

    use super::*;

    #[test]
    fn what_has_no_price_is_left_out_and_the_dearest_tier_is_taken() {
        let asked = BillingTerms {
            tiers: PriceTier::ALL,
            tiers_possible: PriceTier::ALL,
            region: Some("us".to_owned()),
            tool_calls: [(Meter::WebSearch, 2)].into_iter().collect(),
            has_rounds: true,
            has_provider_tools: true,
        };
        // One for a call, ten for the priority tier, five for the flex tier, a hundred for a search.
        let price = |has_search: bool, has_region: bool| {
            move |usage: &Usage| {
                let tier = match usage.tier {
                    PriceTier::Standard => 0,
                    PriceTier::Flex => 5,
                    PriceTier::Priority => 10,
                    _ => return None,
                };
                let searches = i64::try_from(usage.quantities.get(Meter::WebSearch)).ok()?;
                let is_priced =
                    (has_search || searches == 0) && (has_region || usage.region.is_none());
                is_priced.then(|| NanoUsd::new(1 + tier + 100 * searches))
            }
        };
        let check = |terms: &BillingTerms, has_search, has_region, expected: i64, is_as_asked| {
            let cost = price(has_search, has_region);
            let found =
                priced_terms(terms, |terms| dearest_tier(terms, TokenUsage::default(), cost));
            let (used, amount) = found.expect("a price");
            assert_eq!((amount.nanos(), used == *terms), (expected, is_as_asked));
        };
        check(&asked, true, true, 211, true);
        check(&asked, false, true, 11, false);
        check(&asked, true, false, 11, false);
        let fast = BillingTerms { tiers: &[PriceTier::Fast], ..BillingTerms::default() };
        check(&fast, true, true, 1, false);
        assert_eq!(priced_terms(&asked, |_| None), None);
    }

    #[test]
    fn free_tokens_are_a_bound_only_without_tools_of_the_provider() {
        // Tokens cost nothing, and a search costs a hundred, or has no price.
        let check = |asked: &BillingTerms, search: Option<i64>, amount: i64, expected: bool| {
            let cost = |usage: &Usage| match usage.quantities.get(Meter::WebSearch) {
                0 => Some(NanoUsd::ZERO),
                count => Some(NanoUsd::new(i64::try_from(count).ok()? * search?)),
            };
            let tokens = TokenUsage { input_uncached: 9, ..TokenUsage::default() };
            let found = priced_terms(asked, |terms| dearest_tier(terms, tokens, cost));
            let (priced, most) = found.expect("a price");
            assert_eq!((most.nanos(), is_bounded(asked, &priced, most)), (amount, expected));
        };
        let compaction = BillingTerms { has_rounds: true, ..BillingTerms::default() };
        check(&BillingTerms::default(), Some(100), 0, true);
        check(&compaction, Some(100), 0, true);
        // As often as the model likes.
        let open = BillingTerms { has_provider_tools: true, ..compaction };
        check(&open, Some(100), 0, false);
        // A search for each answer, without further rounds.
        let tool_calls = [(Meter::WebSearch, 1)].into_iter().collect();
        let one = BillingTerms { tool_calls, has_provider_tools: true, ..BillingTerms::default() };
        check(&one, Some(100), 100, true);
        check(&one, None, 0, false);
    }

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
