//! The state of an endpoint as the panel shows it.

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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The breaker's own state, ignoring a manual setting.
    pub breaker: AccessState,
    /// The rule behind the breaker's state; `None` if it never changed.
    pub rule: Option<TransitionRule>,
    /// When the breaker entered it; `None` if before the program's start, or never.
    pub since: Option<Moment>,
    /// The manual setting in force.
    pub override_: Option<Override>,
    /// The rate limit of the whole endpoint. For limits of single models see
    /// `Accesses::model_cooldowns`.
    pub cooldown: Option<Until>,
    /// The error that the user has to fix.
    pub block: Option<Block>,
    /// The counts in the window.
    pub recent: Tally,
    /// Threshold for a slow first token.
    pub slow_after: Duration,
    /// The state in force and its cause, in one sentence.
    pub reason: String,
    /// When that state ends; `None` if time alone does not end it.
    pub until: Option<Moment>,
}

/// A cooldown of a single model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCooldown {
    pub model: String,
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
