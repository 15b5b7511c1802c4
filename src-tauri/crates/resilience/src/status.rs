//! The state of an endpoint as the panel shows it.

use std::time::Duration;

use domain::Moment;

use crate::block::EndpointBlock;
use crate::cooldown::CooldownEnd;
use crate::manual_override::{ActiveOverride, BreakerOverride};
use crate::rules::BreakerRules;
use crate::state::{EndpointState, State};
use crate::tracked_endpoint::TrackedEndpoint;
use crate::transition::TransitionCause;
use crate::window::CallCounts;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointStatus {
    /// The breaker's own state, ignoring a manual setting.
    pub breaker: EndpointState,
    /// The rule behind the breaker's state; `None` if it never changed.
    pub rule: Option<TransitionCause>,
    /// When the breaker entered it; `None` if before the program's start, or never.
    pub since: Option<Moment>,
    /// The manual setting in force.
    pub override_: Option<ActiveOverride>,
    /// The rate limit of the whole endpoint. For limits of single models see
    /// `Accesses::model_cooldowns`.
    pub cooldown: Option<CooldownEnd>,
    /// The error that the user has to fix.
    pub block: Option<EndpointBlock>,
    /// The counts in the window.
    pub recent: CallCounts,
    /// Threshold for a slow first token.
    pub slow_after: Duration,
    /// The state in force and its cause, in one sentence.
    pub reason: String,
    /// When that state ends; `None` if time alone does not end it.
    pub until: Option<Moment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelCooldown {
    pub model: String,
    pub cooldown: CooldownEnd,
}

impl TrackedEndpoint {
    pub(crate) fn model_cooldowns(&self, now: Moment) -> Vec<ModelCooldown> {
        let holding = self.cooldowns.models.iter().filter(|(_, own)| own.is_active(now));
        holding
            .map(|(model, own)| ModelCooldown {
                model: model.clone(),
                cooldown: CooldownEnd { at: own.until, kind: own.kind },
            })
            .collect()
    }

    pub(crate) fn status(&self, now: Moment, rules: &BreakerRules) -> EndpointStatus {
        let breaker = self.breaker.advanced_to(now, rules);
        let cooldown = self.cooldowns.endpoint.filter(|cooldown| cooldown.is_active(now));
        let cooldown = cooldown.map(|own| CooldownEnd { at: own.until, kind: own.kind });
        let override_ = self.forced_at(now);
        let rule = breaker.rule;
        let (reason, until) = match (self.block, override_, cooldown) {
            (Some(block), ..) => {
                (format!("Blocked: {}.", block.reason.transition_cause().clause()), None)
            }
            (_, Some(set), _) => (override_sentence(set.forced).to_owned(), set.until),
            (.., Some(cooling)) => {
                let clause = cooling.kind.transition_cause().clause();
                (format!("Cooling down: {clause}."), Some(cooling.at))
            }
            _ => (breaker_sentence(breaker.state, rule), end_of(breaker.state)),
        };
        EndpointStatus {
            breaker: breaker.state.visible_state(),
            rule,
            since: rule.map(|_| breaker.changed_at),
            override_,
            cooldown,
            block: self.block,
            recent: breaker.tally(now, rules),
            slow_after: self.slow_threshold(rules),
            reason,
            until,
        }
    }
}

const fn end_of(state: State) -> Option<Moment> {
    match state {
        State::Open { until, .. } => Some(until),
        State::Recovering { ends, .. } => Some(ends),
        State::Closed { .. } | State::HalfOpen { .. } => None,
    }
}

fn breaker_sentence(state: State, rule: Option<TransitionCause>) -> String {
    let clause = rule.map_or("no failures have been seen", TransitionCause::clause);
    match state.visible_state() {
        EndpointState::Closed => format!("Healthy: {clause}."),
        EndpointState::Open => format!("Tripped: {clause}."),
        EndpointState::HalfOpen => format!("Testing recovery with single requests: {clause}."),
        EndpointState::Recovering { percent } => {
            format!("Recovering with {percent} % of requests: {clause}.")
        }
    }
}

const fn override_sentence(forced: BreakerOverride) -> &'static str {
    match forced {
        BreakerOverride::Open => "Traffic is blocked manually.",
        BreakerOverride::Closed => "Traffic is allowed manually: failures do not trip the breaker.",
        BreakerOverride::MonitorOnly => {
            "Monitor only, set manually: failures are counted but block \
                                nothing."
        }
        BreakerOverride::Disabled => "The breaker is disabled manually.",
    }
}
