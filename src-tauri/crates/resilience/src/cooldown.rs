//! Rate limits: waits exactly as long as the provider says, for an endpoint or one of its models.
//!
//! If the provider names no time, the wait is a guess that grows with repeated refusals and is
//! reset by a success. A wait from the provider overrides a guess; of two waits of the same kind
//! the later one holds.

use std::time::Duration;

use domain::{Moment, words};

use crate::rules::{BreakerRules, COOLDOWN_MAX, doubled};
use crate::transition::TransitionRule;

/// Maximum number of models with their own cooldown per endpoint. At the limit, the one that ends
/// first is dropped.
pub const MODEL_COOLDOWNS_MAX: usize = 32;

/// Maximum length of a model name with its own cooldown, in bytes. A longer name was made up by the
/// client.
pub const MODEL_BYTES_MAX: usize = 256;

/// How long after a cooldown its growth is kept.
pub const GROWTH_FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// What a rate limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// Every model of the endpoint.
    Access,
    /// The requested model.
    Model,
}

words! {
    /// The kind of limit that was exceeded.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    LimitKind {
        /// Requests or tokens within a short time.
        Rate = "rate",
        /// A quota for a day or longer.
        DailyQuota = "daily-quota",
    }
}

/// A wait in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    pub at: Moment,
    pub kind: LimitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) until: Moment,
    /// When growth is reset.
    pub(crate) forgotten_at: Moment,
    pub(crate) kind: LimitKind,
    /// True if `until` is our guess and not from the provider.
    pub(crate) guessed: bool,
    /// Guesses since the last success.
    pub(crate) step: u8,
    /// True once its end has been logged.
    pub(crate) over: bool,
}

/// All cooldowns of one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cooldowns {
    pub(crate) access: Option<Cooldown>,
    pub(crate) models: Vec<(String, Cooldown)>,
}

/// The contents of a rate-limit response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) wait: Option<Duration>,
    pub(crate) kind: LimitKind,
}

impl LimitKind {
    pub(crate) const fn rule(self) -> TransitionRule {
        match self {
            Self::Rate => TransitionRule::RateLimited,
            Self::DailyQuota => TransitionRule::DailyQuota,
        }
    }
}

impl Cooldown {
    fn begun(before: Option<&Self>, told: Told, now: Moment, rules: &BreakerRules) -> Self {
        let growing = before.filter(|before| now < before.forgotten_at);
        let step = growing.map_or(0, |before| before.step);
        let guess = match told.kind {
            LimitKind::Rate => doubled(rules.cooldown_first, step, rules.cooldown_longest),
            LimitKind::DailyQuota => doubled(rules.quota_first, step, rules.quota_longest),
        };
        let guessed = told.wait.is_none();
        let until = now + told.wait.unwrap_or(guess).min(COOLDOWN_MAX);
        Self {
            until,
            forgotten_at: until + GROWTH_FORGOTTEN_AFTER,
            kind: told.kind,
            guessed,
            step: step.saturating_add(u8::from(guessed)),
            over: false,
        }
    }

    pub(crate) fn holds(&self, now: Moment) -> bool {
        now < self.until
    }

    /// True if `next` replaces `self`, which is in force.
    fn outdone_by(&self, next: &Self) -> bool {
        match (self.kind == next.kind, self.guessed, next.guessed) {
            (true, true, false) => true,
            // Concurrent calls report the same limit; it counts once.
            (true, _, true) => false,
            _ => next.until > self.until,
        }
    }
}

/// The cooldown in force after `told`; `None` if it does not change.
pub(crate) fn next(
    before: Option<&Cooldown>,
    told: Told,
    now: Moment,
    rules: &BreakerRules,
) -> Option<Cooldown> {
    let next = Cooldown::begun(before, told, now, rules);
    match before {
        Some(before) if before.holds(now) && !before.outdone_by(&next) => None,
        _ => Some(next),
    }
}

impl Cooldowns {
    /// The wait in force for `model` at `now`: the later one of the endpoint's and the model's own.
    pub(crate) fn of(&self, model: &str, now: Moment) -> Option<Until> {
        let own = self.models.iter().find(|(name, _)| name == model).map(|(_, own)| own);
        [self.access.as_ref(), own]
            .into_iter()
            .flatten()
            .filter(|cooldown| cooldown.holds(now))
            .max_by_key(|cooldown| cooldown.until)
            .map(|cooldown| Until { at: cooldown.until, kind: cooldown.kind })
    }

    /// Starts a cooldown. Returns it, or `None` if the one in force continues.
    pub(crate) fn limit(
        &mut self,
        model: Option<&str>,
        told: Told,
        now: Moment,
        rules: &BreakerRules,
    ) -> Option<Cooldown> {
        let Some(model) = model else {
            let begun = next(self.access.as_ref(), told, now, rules)?;
            self.access = Some(begun);
            return Some(begun);
        };
        if model.len() > MODEL_BYTES_MAX {
            return None;
        }
        if let Some((_, own)) = self.models.iter_mut().find(|(name, _)| name == model) {
            *own = next(Some(own), told, now, rules)?;
            return Some(*own);
        }
        let begun = next(None, told, now, rules)?;
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
    pub(crate) fn succeeded(&mut self, model: &str, now: Moment) {
        if self.access.is_some_and(|cooldown| !cooldown.holds(now)) {
            self.access = None;
        }
        self.models.retain(|(name, own)| name != model || own.holds(now));
    }

    /// True if no cooldown is in force.
    pub(crate) fn are_over(&self, now: Moment) -> bool {
        let own = self.models.iter().map(|(_, own)| own);
        !self.access.iter().chain(own).any(|cooldown| cooldown.holds(now))
    }
}
