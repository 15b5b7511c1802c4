//! Rate limits: waits exactly as long as the provider says, for an endpoint or one of its models.
//!
//! If the provider names no time, the wait is a guess that grows with repeated refusals and is
//! reset by a success. A wait from the provider overrides a guess; of two waits of the same kind
//! the later one holds.

use std::time::Duration;

use domain::{Moment, words};

use crate::rules::{BreakerRules, COOLDOWN_MAX, double_capped};
use crate::transition::TransitionCause;

/// Maximum number of models with their own cooldown per endpoint. At the limit, the one that ends
/// first is dropped.
pub const MODEL_COOLDOWNS_MAX: usize = 32;

/// Maximum length of a model name with its own cooldown, in bytes. A longer name was made up by the
/// client.
pub const MODEL_BYTES_MAX: usize = 256;

/// How long after a cooldown its growth is kept.
pub const GROWTH_RESET_AFTER: Duration = Duration::from_secs(600);

/// What a rate limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// Every model of the endpoint.
    Endpoint,
    /// The requested model.
    Model,
}

words! {
    /// The kind of limit that was exceeded.
    LimitKind {
        /// Requests or tokens within a short time.
        Rate = "rate",
        /// A quota for a day or longer.
        DailyQuota = "daily-quota",
    }
}

/// A wait in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CooldownEnd {
    pub at: Moment,
    pub kind: LimitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) until: Moment,
    pub(crate) growth_reset_at: Moment,
    pub(crate) kind: LimitKind,
    /// True if `until` is our guess and not from the provider.
    pub(crate) guessed: bool,
    /// Guesses since the last success.
    pub(crate) step: u8,
    /// True once its end has been logged.
    pub(crate) end_logged: bool,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Cooldowns {
    pub(crate) endpoint: Option<Cooldown>,
    pub(crate) models: Vec<(String, Cooldown)>,
}

/// The contents of a rate-limit response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RateLimitSignal {
    pub(crate) wait: Option<Duration>,
    pub(crate) kind: LimitKind,
}

impl LimitKind {
    /// What happened, as a sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Rate => "The provider's rate limit is reached.",
            Self::DailyQuota => "The daily quota is used up.",
        }
    }

    /// As [`Self::sentence`], of a limit of one model.
    #[must_use]
    pub fn sentence_for(self, model: &str) -> String {
        match self {
            Self::Rate => format!("The provider's rate limit for the model {model} is reached."),
            Self::DailyQuota => format!("The daily quota for the model {model} is used up."),
        }
    }

    pub(crate) const fn transition_cause(self) -> TransitionCause {
        match self {
            Self::Rate => TransitionCause::RateLimited,
            Self::DailyQuota => TransitionCause::DailyQuota,
        }
    }
}

impl Cooldown {
    fn start(
        before: Option<&Self>,
        told: RateLimitSignal,
        now: Moment,
        rules: &BreakerRules,
    ) -> Self {
        let growing = before.filter(|before| now < before.growth_reset_at);
        let step = growing.map_or(0, |before| before.step);
        let guess = match told.kind {
            LimitKind::Rate => double_capped(rules.cooldown_first, step, rules.cooldown_longest),
            LimitKind::DailyQuota => double_capped(rules.quota_first, step, rules.quota_longest),
        };
        let guessed = told.wait.is_none();
        let until = now + told.wait.unwrap_or(guess).min(COOLDOWN_MAX);
        Self {
            until,
            growth_reset_at: until + GROWTH_RESET_AFTER,
            kind: told.kind,
            guessed,
            step: step.saturating_add(u8::from(guessed)),
            end_logged: false,
        }
    }

    pub(crate) fn is_active(&self, now: Moment) -> bool {
        now < self.until
    }

    /// True if `next` replaces `self`, which is in force.
    fn is_replaced_by(&self, next: &Self) -> bool {
        match (self.kind == next.kind, self.guessed, next.guessed) {
            (true, true, false) => true,
            // Concurrent calls report the same limit; it counts once.
            (true, _, true) => false,
            _ => next.until > self.until,
        }
    }
}

/// The cooldown in force after `told`; `None` if it does not change.
pub(crate) fn next_cooldown(
    before: Option<&Cooldown>,
    told: RateLimitSignal,
    now: Moment,
    rules: &BreakerRules,
) -> Option<Cooldown> {
    let next = Cooldown::start(before, told, now, rules);
    match before {
        Some(before) if before.is_active(now) && !before.is_replaced_by(&next) => None,
        _ => Some(next),
    }
}

impl Cooldowns {
    /// The wait in force for `model` at `now`: the later one of the endpoint's and the model's own.
    pub(crate) fn active_for(&self, model: &str, now: Moment) -> Option<CooldownEnd> {
        let own = self.models.iter().find(|(name, _)| name == model).map(|(_, own)| own);
        [self.endpoint.as_ref(), own]
            .into_iter()
            .flatten()
            .filter(|cooldown| cooldown.is_active(now))
            .max_by_key(|cooldown| cooldown.until)
            .map(|cooldown| CooldownEnd { at: cooldown.until, kind: cooldown.kind })
    }

    /// Starts a cooldown. Returns it, or `None` if the one in force continues.
    pub(crate) fn apply_limit(
        &mut self,
        model: Option<&str>,
        told: RateLimitSignal,
        now: Moment,
        rules: &BreakerRules,
    ) -> Option<Cooldown> {
        let Some(model) = model else {
            let begun = next_cooldown(self.endpoint.as_ref(), told, now, rules)?;
            self.endpoint = Some(begun);
            return Some(begun);
        };
        if model.len() > MODEL_BYTES_MAX {
            return None;
        }
        if let Some((_, own)) = self.models.iter_mut().find(|(name, _)| name == model) {
            *own = next_cooldown(Some(own), told, now, rules)?;
            return Some(*own);
        }
        let begun = next_cooldown(None, told, now, rules)?;
        if self.models.len() >= MODEL_COOLDOWNS_MAX {
            let first = self.models.iter().enumerate().min_by_key(|(_, (_, own))| own.until);
            if let Some(place) = first.map(|(place, _)| place) {
                self.models.swap_remove(place);
            }
        }
        self.models.push((model.to_owned(), begun));
        Some(begun)
    }

    /// A call of `model` succeeded: drops expired cooldowns and resets their growth.
    pub(crate) fn record_success(&mut self, model: &str, now: Moment) {
        if self.endpoint.is_some_and(|cooldown| !cooldown.is_active(now)) {
            self.endpoint = None;
        }
        self.models.retain(|(name, own)| name != model || own.is_active(now));
    }

    /// True if no cooldown is in force.
    pub(crate) fn is_idle(&self, now: Moment) -> bool {
        let own = self.models.iter().map(|(_, own)| own);
        !self.endpoint.iter().chain(own).any(|cooldown| cooldown.is_active(now))
    }
}
