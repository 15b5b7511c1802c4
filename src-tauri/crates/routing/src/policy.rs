//! Orders a route's candidates: one function for each policy, applied within each tier.
//!
//! On a sticky route, a conversation stays with the backend that answered last while that backend
//! is available, because a move loses the discount of the provider's prompt cache. Under a policy
//! that compares (`cheapest`, `fastest`, `balanced`) it still moves if another backend is better by
//! more than [`HYSTERESIS_PERCENT`]. The current backend is then compared at its warm-cache price
//! and the others at the full price, so the comparison includes the cost of moving.

use domain::{BackendId, RoutePolicy};

use crate::digest::Digest;
use crate::part::{Choosing, Part, Tier};
use crate::{BalanceWeights, Ground, Measured, Route, Score};

/// By how much another candidate must be better than the conversation's current one, in percent.
pub(crate) const HYSTERESIS_PERCENT: f64 = 15.0;
/// Scores within this percentage of the best are considered equal; among two of them the less busy
/// one is chosen.
const ALIKE_PERCENT: f64 = 5.0;
/// Minimum price used in comparisons, in millionths of a dollar: below a hundredth of a cent the
/// price does not matter.
const COST_MICROS_MIN: u64 = 100;
/// Minimum time used in comparisons, in milliseconds: users do not notice the difference below.
const FIRST_TOKEN_MS_MIN: u32 = 50;

impl Choosing<'_> {
    /// Orders `parts` by the route's policy within each tier. [`look`](Choosing::look) must have
    /// sorted them by tier before.
    pub(crate) fn order(&mut self, route: &Route, parts: &mut [Part<'_>]) {
        let kept = self.kept(route);
        for part in parts.iter_mut().filter(|part| part.tier() == Tier::Now) {
            part.stays = kept.as_ref().is_some_and(|(backend, model)| {
                part.backend.models.backend == *backend && part.model == model
            });
        }
        for tier in parts.chunk_by_mut(|a, b| a.tier() == b.tier()) {
            match route.policy {
                RoutePolicy::Ordered | RoutePolicy::Split => {}
                RoutePolicy::Weighted => self.weighted(tier),
                RoutePolicy::LeastBusy => self.least_busy(tier),
                RoutePolicy::Cheapest => self.cheapest(tier),
                RoutePolicy::Fastest => self.fastest(tier),
                RoutePolicy::Balanced => self.balanced(route.weights, tier),
            }
            let compares = matches!(
                route.policy,
                RoutePolicy::Cheapest | RoutePolicy::Fastest | RoutePolicy::Balanced
            );
            if let Some(place) = tier.iter().position(|part| part.stays && !compares) {
                to_front(tier, place);
            }
        }
        if let Some((_, others)) = parts.split_first_mut() {
            others.iter_mut().for_each(|part| part.stays = false);
        }
    }

    /// Selects the candidate of a split for this conversation, by weighted rendezvous hashing:
    /// adding or removing a candidate moves only that candidate's conversations. Draws at random if
    /// there is no conversation.
    pub(crate) fn share(&mut self, parts: &mut [Part<'_>]) -> Option<usize> {
        let of: u32 = parts.iter().map(|part| u32::from(part.weight)).sum();
        let conversation = self.asking.conversation;
        let conversation = conversation.map(|conversation| Digest::new().number(conversation));
        let mut best: Option<(f64, usize)> = None;
        for (place, part) in parts.iter_mut().enumerate() {
            part.ground = Ground::Share { weight: part.weight, of };
            let weight = if of == 0 { 1 } else { part.weight };
            let backend = part.backend.models.backend.as_str();
            let time = self.time(weight, conversation.map(|it| it.text(backend).text(part.model)));
            if best.is_none_or(|(least, _)| time < least) {
                best = Some((time, place));
            }
        }
        best.map(|(_, place)| place)
    }

    /// The backend and model that the conversation stays with, on a sticky route.
    fn kept(&self, route: &Route) -> Option<(BackendId, String)> {
        route.sticky.filter(|_| route.policy != RoutePolicy::Split)?;
        self.conditions.stays_with(self.asking.conversation?)
    }

    fn weighted(&mut self, parts: &mut [Part<'_>]) {
        let of = parts.iter().map(|part| u32::from(part.weight)).sum();
        self.race(parts, |part| (part.weight, None));
        parts.iter_mut().for_each(|part| part.ground = Ground::Drawn { weight: part.weight, of });
    }

    /// Ties are drawn by weight. Without the draw, the first of several idle candidates would get
    /// every request.
    fn least_busy(&mut self, parts: &mut [Part<'_>]) {
        self.race(parts, |part| (part.weight, None));
        let busy = |part: &Part<'_>| self.conditions.in_flight(&part.backend.models.backend);
        parts.iter_mut().for_each(|part| part.ground = Ground::InFlight(busy(part)));
        parts.sort_by_key(|part| (part.weight == 0, busy(part)));
    }

    /// Candidates without a known price come last.
    fn cheapest(&self, parts: &mut [Part<'_>]) {
        let price = |part: &Part<'_>| self.price(part).unwrap_or(u64::MAX);
        parts.iter_mut().for_each(|part| part.ground = Ground::Price(self.price(part)));
        parts.sort_by_key(|part| (price(part), part.place));
        stay_if_near(parts, |kept, best| match (self.price(kept), self.price(best)) {
            (Some(kept), Some(best)) => is_near(kept as f64, best as f64),
            (kept, best) => kept.is_some() || best.is_none(),
        });
    }

    /// Candidates without recent measurements come first, so that they are measured again.
    fn fastest(&self, parts: &mut [Part<'_>]) {
        let time = |part: &Part<'_>| self.first_token_ms(part).unwrap_or(0);
        parts
            .iter_mut()
            .for_each(|part| part.ground = Ground::FirstToken(self.first_token_ms(part)));
        parts.sort_by_key(|part| (time(part), part.place));
        // A measurement is no reason to lose a warm cache.
        stay_if_near(parts, |kept, best| match self.first_token_ms(best) {
            Some(best) => is_near(f64::from(time(kept)), f64::from(best)),
            None => true,
        });
    }

    fn balanced(&mut self, weights: BalanceWeights, parts: &mut [Part<'_>]) {
        let measured: Vec<Measured> = parts.iter().map(|part| self.measured(part)).collect();
        let costs = measured.iter().filter_map(|one| one.cost_micros);
        let least_cost = costs.clone().min().unwrap_or(0).max(COST_MICROS_MIN) as f64;
        let most_cost = costs.max().unwrap_or(0).max(COST_MICROS_MIN) as f64;
        let times = measured.iter().filter_map(|one| one.first_token_ms);
        let least_time = f64::from(times.min().unwrap_or(0).max(FIRST_TOKEN_MS_MIN));
        for (part, measured) in parts.iter_mut().zip(measured) {
            // An unknown time counts as the best, so that it gets measured; an unknown price as the
            // highest.
            let time = measured.first_token_ms.map(|ms| f64::from(ms.max(FIRST_TOKEN_MS_MIN)));
            let cost = measured.cost_micros.map(|micros| micros.max(COST_MICROS_MIN) as f64);
            let headroom = measured.headroom_percent.unwrap_or(100).min(100);
            part.ground = Ground::Score(Score::new(
                weights,
                measured,
                least_time / time.unwrap_or(least_time),
                least_cost / cost.unwrap_or(most_cost),
                f64::from(headroom) / 100.0,
            ));
        }
        parts.sort_by(|a, b| total(b).total_cmp(&total(a)).then(a.place.cmp(&b.place)));
        let Some(best) = parts.first().map(total) else { return };
        if parts.iter().any(|part| part.stays) {
            stay_if_near(parts, |kept, best| {
                total(kept) * (1.0 + HYSTERESIS_PERCENT / 100.0) >= total(best)
            });
        } else {
            let is_alike = |part: &&Part<'_>| total(part) >= best * (1.0 - ALIKE_PERCENT / 100.0);
            let alike = parts.iter().take_while(is_alike).count();
            let taken = self.less_busy_of_two(parts, alike);
            to_front(parts, taken);
        }
    }

    /// Draws two of the first `alike` parts and returns the one with fewer requests in flight
    /// (power of two choices, Mitzenmacher 2001). The best candidate would otherwise get every
    /// request until its figures change.
    fn less_busy_of_two(&mut self, parts: &[Part<'_>], alike: usize) -> usize {
        if alike < 2 {
            return 0;
        }
        let one = self.draw(alike);
        let other = (one + 1 + self.draw(alike - 1)) % alike;
        let busy = |place: usize| {
            parts.get(place).map(|part| self.conditions.in_flight(&part.backend.models.backend))
        };
        if busy(other) < busy(one) { other } else { one }
    }

    /// A random number, at least 0 and less than `count`.
    fn draw(&mut self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most `count`, and never below 0"
        )]
        let place = ((self.chance)() * count as f64) as usize;
        place.min(count.saturating_sub(1))
    }

    /// The price of this request, with a warm cache if the conversation is there.
    fn price(&self, part: &Part<'_>) -> Option<u64> {
        let (backend, needs) = (&part.backend.models.backend, &self.asking.needs);
        let warm = part.stays.then(|| self.conditions.warm_cost_micros(backend, part.model, needs));
        warm.flatten().or_else(|| self.conditions.cost_micros(backend, part.model, needs))
    }

    fn measured(&self, part: &Part<'_>) -> Measured {
        Measured {
            first_token_ms: self.first_token_ms(part),
            cost_micros: self.price(part),
            headroom_percent: part.headroom_percent(self.conditions),
        }
    }

    fn first_token_ms(&self, part: &Part<'_>) -> Option<u32> {
        self.conditions.first_token_ms(&part.backend.models.backend, part.model)
    }
}

/// Moves the conversation's current candidate to the front if `is_near` says that the best one is
/// not much better.
fn stay_if_near(parts: &mut [Part<'_>], is_near: impl Fn(&Part<'_>, &Part<'_>) -> bool) {
    let Some(place) = parts.iter().position(|part| part.stays) else { return };
    let near = matches!((parts.get(place), parts.first()), (Some(kept), Some(best)) if is_near(kept, best));
    if near {
        to_front(parts, place);
    }
    if let Some(kept) = parts.iter_mut().find(|part| part.stays) {
        kept.stays = near;
    }
}

/// True if `best` is not lower than `kept` by more than the hysteresis. Lower is better.
fn is_near(kept: f64, best: f64) -> bool {
    best >= kept * (1.0 - HYSTERESIS_PERCENT / 100.0)
}

fn total(part: &Part<'_>) -> f64 {
    match &part.ground {
        Ground::Score(score) => score.total,
        _ => 0.0,
    }
}

/// Moves the part at `place` to the front and keeps the order of the others.
fn to_front(parts: &mut [Part<'_>], place: usize) {
    if let Some(head) = parts.get_mut(..=place) {
        head.rotate_right(1);
    }
}
