//! Orders a route's candidates: one function for each policy, applied within each tier.
//!
//! On a sticky route, a conversation stays with the backend that answered last while that backend
//! is available, because a move loses the discount of the provider's prompt cache. Under a policy
//! that compares (`cheapest`, `fastest`, `balanced`) it still moves if another backend is better by
//! more than [`HYSTERESIS_PERCENT`]. The current backend is then compared at its warm-cache price
//! and the others at the full price, so the comparison includes the cost of moving.

use domain::{BackendId, RoutePolicy};

use crate::candidates::{BackendCandidate, SelectionContext, Tier};
use crate::ranking::{Measurements, RankingFactor, Score};
use crate::route::{BalanceWeights, Route};
use crate::stable_hash::StableHasher;

/// By how much another candidate must be better than the conversation's current one, in percent.
pub(crate) const HYSTERESIS_PERCENT: f64 = 15.0;
/// Scores within this percentage of the best are considered equal; among two of them the less busy
/// one is chosen.
const SCORE_TIE_PERCENT: f64 = 5.0;
/// Minimum price used in comparisons, in billionths of a dollar: below a hundredth of a cent the
/// price does not matter.
const COST_NANOS_MIN: u64 = 100_000;
/// Minimum time used in comparisons, in milliseconds: users do not notice the difference below.
const FIRST_TOKEN_MS_MIN: u32 = 50;

impl SelectionContext<'_> {
    /// Orders `parts` by the route's policy within each tier. [`assign_tiers`](Choosing::look) must have
    /// sorted them by tier before.
    pub(crate) fn order(&mut self, route: &Route, parts: &mut [BackendCandidate<'_>]) {
        let kept = self.sticky_target(route);
        for part in parts.iter_mut().filter(|part| part.tier() == Tier::Now) {
            part.is_sticky = kept.as_ref().is_some_and(|(backend, model)| {
                part.backend.models.backend == *backend && part.model == model
            });
        }
        for tier in parts.chunk_by_mut(|a, b| a.tier() == b.tier()) {
            match route.policy {
                RoutePolicy::Ordered | RoutePolicy::Split => {}
                RoutePolicy::Weighted => self.order_weighted(tier),
                RoutePolicy::LeastBusy => self.order_least_busy(tier),
                RoutePolicy::Cheapest => self.order_cheapest(tier),
                RoutePolicy::Fastest => self.order_fastest(tier),
                RoutePolicy::Balanced => self.order_balanced(route.weights, tier),
            }
            let compares = matches!(
                route.policy,
                RoutePolicy::Cheapest | RoutePolicy::Fastest | RoutePolicy::Balanced
            );
            if let Some(place) = tier.iter().position(|part| part.is_sticky && !compares) {
                move_to_front(tier, place);
            }
        }
        if let Some((_, others)) = parts.split_first_mut() {
            others.iter_mut().for_each(|part| part.is_sticky = false);
        }
    }

    /// Selects the candidate of a split for this conversation, by weighted rendezvous hashing:
    /// adding or removing a candidate moves only that candidate's conversations. Draws at random if
    /// there is no conversation.
    pub(crate) fn choose_split_candidate(
        &mut self,
        parts: &mut [BackendCandidate<'_>],
    ) -> Option<usize> {
        let of: u32 = parts.iter().map(|part| u32::from(part.weight)).sum();
        let conversation = self.request.conversation;
        let conversation =
            conversation.map(|conversation| StableHasher::new().write_number(conversation));
        let mut best: Option<(f64, usize)> = None;
        for (place, part) in parts.iter_mut().enumerate() {
            part.factor = RankingFactor::Share { weight: part.weight, of };
            let weight = if of == 0 { 1 } else { part.weight };
            let backend = part.backend.models.backend.as_str();
            let time = self.exponential_time(
                weight,
                conversation.map(|it| it.write_text(backend).write_text(part.model)),
            );
            if best.is_none_or(|(least, _)| time < least) {
                best = Some((time, place));
            }
        }
        best.map(|(_, place)| place)
    }

    /// The backend and model that the conversation stays with, on a sticky route.
    fn sticky_target(&self, route: &Route) -> Option<(BackendId, String)> {
        route.sticky.filter(|_| route.policy != RoutePolicy::Split)?;
        self.signals.last_answered_by(self.request.conversation?)
    }

    fn order_weighted(&mut self, parts: &mut [BackendCandidate<'_>]) {
        let of = parts.iter().map(|part| u32::from(part.weight)).sum();
        self.weighted_shuffle(parts, |part| (part.weight, None));
        parts
            .iter_mut()
            .for_each(|part| part.factor = RankingFactor::Drawn { weight: part.weight, of });
    }

    /// Ties are drawn by weight. Without the draw, the first of several idle candidates would get
    /// every request.
    fn order_least_busy(&mut self, parts: &mut [BackendCandidate<'_>]) {
        self.weighted_shuffle(parts, |part| (part.weight, None));
        let busy =
            |part: &BackendCandidate<'_>| self.signals.in_flight(&part.backend.models.backend);
        parts.iter_mut().for_each(|part| part.factor = RankingFactor::InFlight(busy(part)));
        parts.sort_by_key(|part| (part.weight == 0, busy(part)));
    }

    /// Candidates without a known price come last.
    fn order_cheapest(&self, parts: &mut [BackendCandidate<'_>]) {
        let price = |part: &BackendCandidate<'_>| self.price(part).unwrap_or(u64::MAX);
        parts.iter_mut().for_each(|part| part.factor = RankingFactor::Price(self.price(part)));
        parts.sort_by_key(|part| (price(part), part.place));
        keep_sticky_if_near(parts, |kept, best| match (self.price(kept), self.price(best)) {
            (Some(kept), Some(best)) => is_within_hysteresis(kept as f64, best as f64),
            (kept, best) => kept.is_some() || best.is_none(),
        });
    }

    /// Candidates without recent measurements come first, so that they are measured again.
    fn order_fastest(&self, parts: &mut [BackendCandidate<'_>]) {
        let time = |part: &BackendCandidate<'_>| self.first_token_ms(part).unwrap_or(0);
        parts
            .iter_mut()
            .for_each(|part| part.factor = RankingFactor::FirstToken(self.first_token_ms(part)));
        parts.sort_by_key(|part| (time(part), part.place));
        // A measurement is no reason to lose a warm cache.
        keep_sticky_if_near(parts, |kept, best| match self.first_token_ms(best) {
            Some(best) => is_within_hysteresis(f64::from(time(kept)), f64::from(best)),
            None => true,
        });
    }

    fn order_balanced(&mut self, weights: BalanceWeights, parts: &mut [BackendCandidate<'_>]) {
        let measured: Vec<Measurements> = parts.iter().map(|part| self.measure(part)).collect();
        let costs = measured.iter().filter_map(|one| one.cost_nanos);
        let least_cost = costs.clone().min().unwrap_or(0).max(COST_NANOS_MIN) as f64;
        let most_cost = costs.max().unwrap_or(0).max(COST_NANOS_MIN) as f64;
        let times = measured.iter().filter_map(|one| one.first_token_ms);
        let least_time = f64::from(times.min().unwrap_or(0).max(FIRST_TOKEN_MS_MIN));
        for (part, measured) in parts.iter_mut().zip(measured) {
            // An unknown time counts as the best, so that it gets measured; an unknown price as the
            // highest.
            let time = measured.first_token_ms.map(|ms| f64::from(ms.max(FIRST_TOKEN_MS_MIN)));
            let cost = measured.cost_nanos.map(|nanos| nanos.max(COST_NANOS_MIN) as f64);
            let headroom = measured.headroom_percent.unwrap_or(100).min(100);
            part.factor = RankingFactor::Score(Score::new(
                weights,
                measured,
                least_time / time.unwrap_or(least_time),
                least_cost / cost.unwrap_or(most_cost),
                f64::from(headroom) / 100.0,
            ));
        }
        parts.sort_by(|a, b| total_score(b).total_cmp(&total_score(a)).then(a.place.cmp(&b.place)));
        let Some(best) = parts.first().map(total_score) else { return };
        if parts.iter().any(|part| part.is_sticky) {
            keep_sticky_if_near(parts, |kept, best| {
                total_score(kept) * (1.0 + HYSTERESIS_PERCENT / 100.0) >= total_score(best)
            });
        } else {
            let is_alike = |part: &&BackendCandidate<'_>| {
                total_score(part) >= best * (1.0 - SCORE_TIE_PERCENT / 100.0)
            };
            let alike = parts.iter().take_while(is_alike).count();
            let taken = self.pick_less_busy_of_two(parts, alike);
            move_to_front(parts, taken);
        }
    }

    /// Draws two of the first `alike` parts and returns the one with fewer requests in flight
    /// (power of two choices, Mitzenmacher 2001). The best candidate would otherwise get every
    /// request until its figures change.
    fn pick_less_busy_of_two(&mut self, parts: &[BackendCandidate<'_>], alike: usize) -> usize {
        if alike < 2 {
            return 0;
        }
        let one = self.draw_index(alike);
        let other = (one + 1 + self.draw_index(alike - 1)) % alike;
        let busy = |place: usize| {
            parts.get(place).map(|part| self.signals.in_flight(&part.backend.models.backend))
        };
        if busy(other) < busy(one) { other } else { one }
    }

    /// A random number, at least 0 and less than `count`.
    fn draw_index(&mut self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most `count`, and never below 0"
        )]
        let place = ((self.chance)() * count as f64) as usize;
        place.min(count.saturating_sub(1))
    }

    /// The price of this request, with a warm cache if the conversation is there.
    fn price(&self, part: &BackendCandidate<'_>) -> Option<u64> {
        let (backend, needs) = (&part.backend.models.backend, &self.request.needs);
        let warm = part.is_sticky.then(|| self.signals.warm_cost_nanos(backend, part.model, needs));
        warm.flatten().or_else(|| self.signals.cost_nanos(backend, part.model, needs))
    }

    fn measure(&self, part: &BackendCandidate<'_>) -> Measurements {
        Measurements {
            first_token_ms: self.first_token_ms(part),
            cost_nanos: self.price(part),
            headroom_percent: part.headroom_percent(self.signals),
        }
    }

    fn first_token_ms(&self, part: &BackendCandidate<'_>) -> Option<u32> {
        self.signals.first_token_ms(&part.backend.models.backend, part.model)
    }
}

/// Moves the conversation's current candidate to the front if `is_near` says that the best one is
/// not much better.
fn keep_sticky_if_near(
    parts: &mut [BackendCandidate<'_>],
    is_near: impl Fn(&BackendCandidate<'_>, &BackendCandidate<'_>) -> bool,
) {
    let Some(place) = parts.iter().position(|part| part.is_sticky) else { return };
    let near = matches!((parts.get(place), parts.first()), (Some(kept), Some(best)) if is_near(kept, best));
    if near {
        move_to_front(parts, place);
    }
    if let Some(kept) = parts.iter_mut().find(|part| part.is_sticky) {
        kept.is_sticky = near;
    }
}

/// True if `best` is not lower than `kept` by more than the hysteresis. Lower is better.
fn is_within_hysteresis(kept: f64, best: f64) -> bool {
    best >= kept * (1.0 - HYSTERESIS_PERCENT / 100.0)
}

fn total_score(part: &BackendCandidate<'_>) -> f64 {
    match &part.factor {
        RankingFactor::Score(score) => score.total,
        _ => 0.0,
    }
}

/// Moves the part at `place` to the front and keeps the order of the others.
fn move_to_front(parts: &mut [BackendCandidate<'_>], place: usize) {
    if let Some(head) = parts.get_mut(..=place) {
        head.rotate_right(1);
    }
}
