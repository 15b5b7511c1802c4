//! How a route puts its candidates in order: one function for each policy, over parts of one tier.
//!
//! A conversation whose route is sticky stays where its last answer came from while that backend may
//! be asked, since a move loses the discount of the provider's prompt cache. Under a policy that
//! compares (`cheapest`, `fastest`, `balanced`) it moves all the same if somebody else is better by
//! more than [`HYSTERESIS_PERCENT`]; the backend that has it is then counted with the price of a warm
//! cache and the others without, so that what a move would lose stands in the comparison.

use domain::{BackendId, RoutePolicy};

use crate::digest::Digest;
use crate::part::{Choosing, Part, Tier};
use crate::{BalanceWeights, Ground, Measured, Route, Score};

/// By how much a candidate must be better than the one that has the conversation, in percent.
pub(crate) const HYSTERESIS_PERCENT: f64 = 15.0;
/// Scores within this many percent of the best are alike; the less busy of two of them is taken.
const ALIKE_PERCENT: f64 = 5.0;
/// Prices below this count as this, in millionths of a dollar: a hundredth of a cent decides nothing.
const COST_MICROS_MIN: u64 = 100;
/// Times below this count as this, in milliseconds: nobody sees the difference.
const FIRST_TOKEN_MS_MIN: u32 = 50;

impl Choosing<'_> {
    /// Puts `parts`, which [`look`](Choosing::look) has put in tiers, in the order of the route's
    /// policy within each tier.
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

    /// The part of a split that a conversation belongs to, by weighted rendezvous hashing: a part that
    /// comes or goes moves only its own conversations. Without a conversation it is drawn.
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

    /// Where the conversation is, if it is to stay there.
    fn kept(&self, route: &Route) -> Option<(BackendId, String)> {
        route.sticky.filter(|_| route.policy != RoutePolicy::Split)?;
        self.conditions.stays_with(self.asking.conversation?)
    }

    fn weighted(&mut self, parts: &mut [Part<'_>]) {
        let of = parts.iter().map(|part| u32::from(part.weight)).sum();
        self.race(parts, |part| (part.weight, None));
        parts.iter_mut().for_each(|part| part.ground = Ground::Drawn { weight: part.weight, of });
    }

    /// Ties are drawn by weight, or one that answers one request at a time would get them all.
    fn least_busy(&mut self, parts: &mut [Part<'_>]) {
        self.race(parts, |part| (part.weight, None));
        let busy = |part: &Part<'_>| self.conditions.in_flight(&part.backend.models.backend);
        parts.iter_mut().for_each(|part| part.ground = Ground::InFlight(busy(part)));
        parts.sort_by_key(|part| (part.weight == 0, busy(part)));
    }

    /// A price that is not known is no low price: such candidates come last.
    fn cheapest(&self, parts: &mut [Part<'_>]) {
        let price = |part: &Part<'_>| self.price(part).unwrap_or(u64::MAX);
        parts.iter_mut().for_each(|part| part.ground = Ground::Price(self.price(part)));
        parts.sort_by_key(|part| (price(part), part.place));
        stay_if_near(parts, |kept, best| match (self.price(kept), self.price(best)) {
            (Some(kept), Some(best)) => is_near(kept as f64, best as f64),
            (kept, best) => kept.is_some() || best.is_none(),
        });
    }

    /// Whoever was not measured lately is asked once, or it would never be measured again.
    fn fastest(&self, parts: &mut [Part<'_>]) {
        let time = |part: &Part<'_>| self.first_token_ms(part).unwrap_or(0);
        parts
            .iter_mut()
            .for_each(|part| part.ground = Ground::FirstToken(self.first_token_ms(part)));
        parts.sort_by_key(|part| (time(part), part.place));
        // To measure somebody is no reason to lose a warm cache.
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
            // Unknown: as quick as the best, so that it is measured; as dear as the dearest.
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

    /// Of two drawn among the first `alike` parts the one with fewer requests in flight (Mitzenmacher
    /// 2001): the best of all would draw every request until its figures move.
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

    /// A number from 0 to below `count`.
    fn draw(&mut self, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at most `count`, and never below 0"
        )]
        let place = ((self.chance)() * count as f64) as usize;
        place.min(count.saturating_sub(1))
    }

    /// Of this request; of a warm cache if the conversation is there.
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

/// Puts the part that has the conversation first if `is_near` says that the best is not much better.
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

/// Whether `best`, where less is better, is not better than `kept` by more than the hysteresis.
fn is_near(kept: f64, best: f64) -> bool {
    best >= kept * (1.0 - HYSTERESIS_PERCENT / 100.0)
}

fn total(part: &Part<'_>) -> f64 {
    match &part.ground {
        Ground::Score(score) => score.total,
        _ => 0.0,
    }
}

/// Moves the part at `place` to the front; the others keep their order.
fn to_front(parts: &mut [Part<'_>], place: usize) {
    if let Some(head) = parts.get_mut(..=place) {
        head.rotate_right(1);
    }
}
