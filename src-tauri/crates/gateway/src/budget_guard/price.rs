//! What a request may cost, before it is sent.

use budgets::Reservation;
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

/// The price of a call at `candidate`; `None` if it is unknown.
pub(super) fn estimate(
    context: &RequestContext,
    size: CallSize,
    candidate: &Candidate,
    learnt: &Learnt,
    now: WallTime,
) -> Option<Reservation> {
    let price = context.snapshot.price();
    let price_of = |cache_read: u64, output_each: u64| {
        let tokens = TokenUsage {
            input_uncached: size.input_tokens.saturating_sub(cache_read),
            cache_read,
            output_visible: output_each.saturating_mul(size.answers),
            ..TokenUsage::default()
        };
        price(&candidate.endpoint.backend, &candidate.model, &tokens, now)
    };
    let expected = learnt.answers.expected(&candidate.model);
    let longest = match size.output {
        OutputLimit::None => Some(0),
        OutputLimit::Stated(tokens) => Some(tokens),
        OutputLimit::Model => longest_answer(context, candidate),
    };
    let output = longest.map_or(expected, |longest| expected.min(longest));
    let uncached = price_of(0, output)?;
    // A price of zero is zero for any length.
    let at_most = match uncached {
        NanoUsd::ZERO => Some(NanoUsd::ZERO),
        _ => longest.and_then(|longest| price_of(0, longest)),
    };
    // What is read from a cache is assumed only where the slack can say by how much it may be wrong.
    let cached = at_most.and_then(|_| {
        let (client, model) = (&context.client.id, &candidate.model);
        match learnt.cache_reads.expected(client, model, size.input_tokens, now) {
            0 => None,
            tokens => price_of(tokens, output),
        }
    });
    let amount = cached.map_or(uncached, |cached| cached.min(uncached));
    Some(Reservation { amount, at_most })
}

/// Most output tokens of the candidate's model.
fn longest_answer(context: &RequestContext, candidate: &Candidate) -> Option<u64> {
    let backend = context.snapshot.backends.get(&candidate.endpoint.backend);
    let own = backend.and_then(|backend| backend.output_tokens_max(&candidate.model));
    own.or_else(|| find_model_facts(&candidate.model)?.output_tokens_max)
}

/// What covers either of two prices.
pub(super) fn dearer(one: Reservation, other: Reservation) -> Reservation {
    let at_most = one.at_most.zip(other.at_most).map(|(one, other)| one.max(other));
    Reservation { amount: one.amount.max(other.amount), at_most }
}
