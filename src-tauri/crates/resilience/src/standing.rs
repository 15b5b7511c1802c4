//! What a panel shows of an access.

use std::time::Duration;

use domain::Moment;

use crate::block::Block;
use crate::cooldown::Until;
use crate::entry::Entry;
use crate::forced::{Forced, Override};
use crate::rules::BreakerRules;
use crate::state::{AccessState, State};
use crate::transition::TransitionRule;
use crate::window::Tally;

/// Everything about an access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The breaker's state, whatever is set by hand.
    pub breaker: AccessState,
    /// Why the breaker is in it; `None` if it was never in another.
    pub rule: Option<TransitionRule>,
    /// When the breaker entered it; `None` if that was before the program's start, or never.
    pub since: Option<Moment>,
    /// What is set by hand.
    pub override_: Option<Override>,
    /// The rate limit of the whole access; those of models: `Accesses::model_cooldowns`.
    pub cooldown: Option<Until>,
    /// What the user has to mend.
    pub block: Option<Block>,
    /// The calls of the window.
    pub recent: Tally,
    /// A first token later than this is slow.
    pub slow_after: Duration,
    /// What holds, and why, in a sentence.
    pub reason: String,
    /// When that ends; `None` if not by time.
    pub until: Option<Moment>,
}

/// A model that cools down by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCooldown {
    /// Its name.
    pub model: String,
    /// The wait.
    pub cooldown: Until,
}

impl Entry {
    pub(crate) fn model_cooldowns(&self, now: Moment) -> Vec<ModelCooldown> {
        let holding = self.cooldowns.models.iter().filter(|(_, own)| own.holds(now));
        holding
            .map(|(model, own)| ModelCooldown {
                model: model.clone(),
                cooldown: Until { at: own.until, kind: own.kind },
            })
            .collect()
    }

    pub(crate) fn standing(&self, now: Moment, rules: &BreakerRules) -> Standing {
        let breaker = self.breaker.settled(now, rules);
        let cooldown = self.cooldowns.access.filter(|cooldown| cooldown.holds(now));
        let cooldown = cooldown.map(|own| Until { at: own.until, kind: own.kind });
        let override_ = self.forced_at(now);
        let rule = breaker.rule;
        let (reason, until) = match (self.block, override_, cooldown) {
            (Some(block), ..) => (format!("Blocked: {}.", block.reason.rule().clause()), None),
            (_, Some(set), _) => (forced_sentence(set.forced).to_owned(), set.until),
            (.., Some(cooling)) => {
                let clause = cooling.kind.rule().clause();
                (format!("Cooling down: {clause}."), Some(cooling.at))
            }
            _ => (breaker_sentence(breaker.state, rule), end(breaker.state)),
        };
        Standing {
            breaker: breaker.state.shown(),
            rule,
            since: rule.map(|_| breaker.changed),
            override_,
            cooldown,
            block: self.block,
            recent: breaker.tally(now, rules),
            slow_after: self.slow_after(rules),
            reason,
            until,
        }
    }
}

const fn end(state: State) -> Option<Moment> {
    match state {
        State::Open { until, .. } => Some(until),
        State::Recovering { ends, .. } => Some(ends),
        State::Closed { .. } | State::HalfOpen { .. } => None,
    }
}

fn breaker_sentence(state: State, rule: Option<TransitionRule>) -> String {
    let clause = rule.map_or("no failures have been seen", TransitionRule::clause);
    match state.shown() {
        AccessState::Closed => format!("Healthy: {clause}."),
        AccessState::Open => format!("Tripped: {clause}."),
        AccessState::HalfOpen => format!("Testing recovery with single requests: {clause}."),
        AccessState::Recovering { percent } => {
            format!("Recovering with {percent} % of requests: {clause}.")
        }
    }
}

const fn forced_sentence(forced: Forced) -> &'static str {
    match forced {
        Forced::Open => "Traffic is blocked manually.",
        Forced::Closed => "Traffic is allowed manually: failures do not trip the breaker.",
        Forced::MonitorOnly => {
            "Monitor only, set manually: failures are counted but block \
                                nothing."
        }
        Forced::Disabled => "The breaker is disabled manually.",
    }
}
