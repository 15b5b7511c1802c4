//! Builds the sentence that explains a decision. It is stored with every request, so it is short
//! and written in one pass: the first candidate and its figures, those that would come before it
//! but are not ready, and those that were left out.

use std::fmt::Write as _;

use crate::candidates::{BackendCandidate, Tier};
use crate::exclusion::ExcludedCandidate;
use crate::ranking::{Candidate, RankingFactor};
use crate::request::RoutingRequest;
use crate::route::Route;
use crate::signals::CandidateAvailability;

/// Initial capacity for a typical sentence, in bytes, so that the string grows at most once.
const SENTENCE_BYTES: usize = 160;

/// Explains a route's decision. `parts` must be in their final order.
pub(crate) fn explain_route(
    route: &Route,
    model: &str,
    parts: &[BackendCandidate<'_>],
    excluded: &[ExcludedCandidate],
) -> String {
    let mut text = String::with_capacity(SENTENCE_BYTES);
    let Some(first) = parts.first() else { return text };
    // Writing to a `String` never fails.
    let _ = write!(text, "{}", first.backend.models.backend);
    if first.model != model {
        let _ = write!(text, " ({})", first.model);
    }
    let _ = write_reason(&mut text, route, parts, first);
    finish_explanation(text, parts, excluded)
}

/// For a client that may not use all candidates.
pub(crate) fn of_client(
    request: &RoutingRequest<'_>,
    first: &Candidate,
    left_out: &[ExcludedCandidate],
) -> String {
    let mut text = String::with_capacity(SENTENCE_BYTES);
    let _ = write!(text, "{}", first.endpoint.backend);
    if first.model != request.model {
        let _ = write!(text, " ({})", first.model);
    }
    let _ = write!(text, " is the first that the client {} may use", request.client);
    if let closed @ CandidateAvailability::Closed { .. } = &first.ranking.available {
        let _ = write!(text, ", even though it is not ready: {closed}");
    }
    skipped(&mut text, left_out);
    text.push('.');
    text
}

/// Adds the candidates that are not ready, the ones that were left out, and the full stop.
pub(crate) fn finish_explanation(
    mut text: String,
    parts: &[BackendCandidate<'_>],
    excluded: &[ExcludedCandidate],
) -> String {
    let first = parts.first().map(|part| (part.tier(), part.place));
    let waits = |part: &&BackendCandidate<'_>| {
        part.tier() > Tier::Now && first.is_some_and(|(tier, _)| part.tier() > tier)
    };
    let is_closed = first.is_some_and(|(tier, _)| tier > Tier::Now);
    if let Some(part) = parts.first().filter(|_| is_closed) {
        let _ = write!(text, ", even though it is not ready: {}", part.available());
    }
    if let Some(part) = parts.iter().filter(waits).min_by_key(|part| part.place) {
        let _ =
            write!(text, "; {} is not ready: {}", part.backend.models.backend, part.available());
        write_others_count(&mut text, parts.iter().filter(waits).count());
    }
    skipped(&mut text, excluded);
    text.push('.');
    text
}

fn skipped(text: &mut String, excluded: &[ExcludedCandidate]) {
    if let Some(one) = excluded.first() {
        let _ = write!(text, "; skipped: {one}");
        write_others_count(text, excluded.len());
    }
}

fn write_reason(
    text: &mut String,
    route: &Route,
    parts: &[BackendCandidate<'_>],
    first: &BackendCandidate<'_>,
) -> std::fmt::Result {
    let (id, count) = (&route.id, parts.len());
    let next = parts.get(1).map(|part| &part.factor);
    if first.is_sticky {
        write!(text, " answered this conversation last and keeps it in the route {id}")?;
        return match &first.factor {
            RankingFactor::Position(_)
            | RankingFactor::Drawn { .. }
            | RankingFactor::InFlight(_) => Ok(()),
            factor => write_comparison(text, factor, next),
        };
    }
    match &first.factor {
        RankingFactor::Share { weight, of } => {
            write!(
                text,
                " gets {weight} of {of} conversations of the route {id}, including this one"
            )
        }
        RankingFactor::Largest(tokens) => write!(
            text,
            " accepts the most tokens in the route {id}, {tokens}; no backend is known to accept \
             this request"
        ),
        _ if count == 1 => write!(text, " is the only candidate in the route {id} that can answer"),
        RankingFactor::Pinned | RankingFactor::Position(_) => {
            write!(text, " is the first of {count} in the route {id}")
        }
        RankingFactor::Drawn { weight, of } => {
            write!(
                text,
                " was picked at random with weight {weight} of {of}, from {count} in the route \
                 {id}"
            )
        }
        factor @ RankingFactor::Price(_) => {
            write!(text, " is the cheapest of {count} in the route {id}")?;
            write_comparison(text, factor, next)
        }
        factor @ RankingFactor::FirstToken(_) => {
            write!(text, " is the fastest of {count} in the route {id}")?;
            write_comparison(text, factor, next)
        }
        factor @ RankingFactor::InFlight(_) => {
            write!(text, " is the least busy of {count} in the route {id}")?;
            write_comparison(text, factor, next)
        }
        factor @ RankingFactor::Score(_) => {
            write!(text, " is the best balanced of {count} in the route {id}")?;
            write_comparison(text, factor, next)
        }
    }
}

fn write_comparison(
    text: &mut String,
    factor: &RankingFactor,
    next: Option<&RankingFactor>,
) -> std::fmt::Result {
    write!(text, ": {factor}")?;
    match next {
        Some(RankingFactor::Score(next)) => write!(text, ", the next {:.2}", next.total),
        Some(next) => write!(text, ", the next {next}"),
        None => Ok(()),
    }
}

fn write_others_count(text: &mut String, count: usize) {
    if count > 1 {
        let _ = write!(text, " and {} more", count - 1);
    }
}
