//! Rate limits: waiting exactly as long as the provider says, for the access or for one model.
//!
//! A provider that names no time gets a guess that grows while it goes on refusing, and begins anew
//! after a success. Being told outdoes a guess; of two times of the same kind the later holds.

use std::time::Duration;

use domain::{Moment, words};

use crate::rules::{BreakerRules, COOLDOWN_MAX, doubled};
use crate::transition::TransitionRule;

/// Most models of one access that cool down by themselves. At the limit the one that ends first is
/// forgotten.
pub const MODEL_COOLDOWNS_MAX: usize = 32;

/// Longest model name that cools down by itself, in bytes; a longer one is the client's invention.
pub const MODEL_BYTES_MAX: usize = 256;

/// Time after the end of a cooldown at which its growth is forgotten.
pub const GROWTH_FORGOTTEN_AFTER: Duration = Duration::from_secs(600);

/// What a rate limit holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitScope {
    /// Every model of the access.
    Access,
    /// The model that was asked for.
    Model,
}

words! {
    /// What was exceeded.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(rename_all = "kebab-case")]
    LimitKind {
        /// Requests or tokens in a short time.
        Rate = "rate",
        /// The quota of a day, or of another long time.
        DailyQuota = "daily-quota",
    }
}

/// A wait in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// When it ends.
    pub at: Moment,
    /// What was exceeded.
    pub kind: LimitKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cooldown {
    pub(crate) until: Moment,
    /// From here on it does not grow.
    pub(crate) forgotten_at: Moment,
    pub(crate) kind: LimitKind,
    /// Whether `until` is our guess and not the provider's word.
    pub(crate) guessed: bool,
    /// Guesses so far without a success.
    pub(crate) step: u8,
    /// Whether its end was written down.
    pub(crate) over: bool,
}

/// All cooldowns of one access.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cooldowns {
    pub(crate) access: Option<Cooldown>,
    pub(crate) models: Vec<(String, Cooldown)>,
}

/// What a rate limit said.
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

    /// `self` is in force and `next` has come: which of them holds.
    fn outdone_by(&self, next: &Self) -> bool {
        match (self.kind == next.kind, self.guessed, next.guessed) {
            (true, true, false) => true,
            // Calls that were out together say the same thing once.
            (true, _, true) => false,
            _ => next.until > self.until,
        }
    }
}

/// The cooldown that holds after `told`, if it is another than before.
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
    /// The wait in force for `model` at `now`: the later of the access's and the model's own.
    pub(crate) fn of(&self, model: &str, now: Moment) -> Option<Until> {
        let own = self.models.iter().find(|(name, _)| name == model).map(|(_, own)| own);
        [self.access.as_ref(), own]
            .into_iter()
            .flatten()
            .filter(|cooldown| cooldown.holds(now))
            .max_by_key(|cooldown| cooldown.until)
            .map(|cooldown| Until { at: cooldown.until, kind: cooldown.kind })
    }

    /// Begins one; says what holds if that is new.
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

    /// A call of `model` succeeded: cooldowns that are over are forgotten, and their growth with them.
    pub(crate) fn succeeded(&mut self, model: &str, now: Moment) {
        if self.access.is_some_and(|cooldown| !cooldown.holds(now)) {
            self.access = None;
        }
        self.models.retain(|(name, own)| name != model || own.holds(now));
    }

    /// Whether none is in force.
    pub(crate) fn are_over(&self, now: Moment) -> bool {
        let own = self.models.iter().map(|(_, own)| own);
        !self.access.iter().chain(own).any(|cooldown| cooldown.holds(now))
    }
}
