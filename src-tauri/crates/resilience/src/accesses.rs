//! All accesses of the gateway: whether each may be used now, and what became of its calls.
//!
//! Three mechanisms side by side. The breaker is for failures of the endpoint, the cooldown for rate
//! limits, the block for what only the user can mend; none of them counts what belongs to another.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{Access, CredentialId, Moment, RequestId};

use crate::availability::{Availability, ClosedWhy};
use crate::block::BlockReason;
use crate::breaker::{Admitted, Outcome, Setting, Trial};
use crate::cooldown::{LimitKind, LimitScope, Told};
use crate::entry::Entry;
use crate::forced::{Forced, Override};
use crate::rules::BreakerRules;
use crate::standing::{ModelCooldown, Standing};
use crate::transition::{Transition, TransitionRule};

/// Most accesses that are remembered. At the limit one with nothing to remember makes room; if there
/// is none, a further access is always ready.
pub const ACCESSES_MAX: usize = 512;

/// Most transitions that wait to be handed out; beyond it the oldest are dropped.
pub const TRANSITIONS_WAITING_MAX: usize = 1_024;

/// The hint when to try again while a trial is out, whose end nobody knows.
pub const TRIAL_HINT: Duration = Duration::from_secs(1);

/// The state of every access.
#[derive(Debug, Clone, Default)]
pub struct Accesses {
    pub(crate) rules: BreakerRules,
    pub(crate) entries: BTreeMap<Access, Entry>,
    waiting: Vec<Transition>,
}

/// The right to make one call. Hand it back through [`Accesses::report`] or [`Accesses::release`],
/// whatever becomes of the call: in half-open nothing else goes out meanwhile.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a permit that is not given back keeps a half-open breaker busy"]
pub struct Permit {
    access: Access,
    model: String,
    /// The breaker's generation; `None` if the breaker does not count this call.
    generation: Option<u32>,
    key_generation: u32,
    trial: Trial,
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// It was answered.
    Success {
        /// Time to the first token; `None` if the answer has none (embeddings, lists).
        first_token: Option<Duration>,
    },
    /// The endpoint failed.
    Failure {
        /// How much it counts.
        weight: FailureWeight,
        /// The wait the server asks for; longer than our open time, it wins.
        retry_after: Option<Duration>,
    },
    /// 429.
    RateLimited {
        /// What the limit holds for.
        scope: LimitScope,
        /// The wait as the server says it; `None`: it says nothing.
        wait: Option<Duration>,
        /// What was exceeded.
        kind: LimitKind,
    },
    /// Only the user can mend it.
    Blocked(BlockReason),
    /// The caller's fault (400, 404, 413, 422), a cancelled call, a local fault: says nothing about
    /// the access.
    Nothing,
}

/// How much a failure counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureWeight {
    /// Fully.
    Full,
    /// Half: overload (529) and non-conforming answers.
    Half,
}

/// What a light probe came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbeOutcome {
    /// The endpoint answered.
    Good,
    /// It did not.
    Bad,
}

impl Permit {
    /// Through which access the call goes.
    #[must_use]
    pub const fn access(&self) -> &Access {
        &self.access
    }

    /// For which model.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl Accesses {
    /// With nothing remembered: every access is ready.
    #[must_use]
    pub fn new(rules: BreakerRules) -> Self {
        Self { rules, ..Self::default() }
    }

    /// Puts other numbers in force. Times that run already end as they would have.
    pub fn set_rules(&mut self, rules: BreakerRules) {
        if rules.bucket() != self.rules.bucket() {
            self.entries.values_mut().for_each(|entry| entry.breaker.forget_calls());
        }
        self.rules = rules;
    }

    /// The numbers in force.
    #[must_use]
    pub const fn rules(&self) -> &BreakerRules {
        &self.rules
    }

    /// Whether `access` may be used for `model` at `now`. Asking changes nothing, and costs a look-up:
    /// it is asked for each candidate of each request.
    #[must_use]
    pub fn availability(&self, access: &Access, model: &str, now: Moment) -> Availability {
        self.entries
            .get(access)
            .map_or(Availability::Ready, |entry| entry.availability(model, now, &self.rules))
    }

    /// Everything about `access`, for a panel. Asking changes nothing.
    #[must_use]
    pub fn standing(&self, access: &Access, now: Moment) -> Standing {
        self.entries.get(access).map_or_else(
            || Entry::new(now).standing(now, &self.rules),
            |entry| entry.standing(now, &self.rules),
        )
    }

    /// The models of `access` that cool down by themselves at `now`.
    #[must_use]
    pub fn model_cooldowns(&self, access: &Access, now: Moment) -> Vec<ModelCooldown> {
        self.entries.get(access).map_or_else(Vec::new, |entry| entry.model_cooldowns(now))
    }

    /// Lets a call out; refuses with [`Availability::Closed`].
    pub fn admit(
        &mut self,
        access: &Access,
        model: &str,
        now: Moment,
    ) -> Result<Permit, Availability> {
        if !self.entries.contains_key(access) && !self.make_room(now) {
            return Ok(Permit::new(access, model, None, 0));
        }
        let mut log = Vec::new();
        let entry = self.entries.entry(access.clone()).or_insert_with(|| Entry::new(now));
        entry.settle(access, now, &self.rules, &mut log);
        let availability = entry.availability(model, now, &self.rules);
        let admitted = match availability {
            Availability::Closed { .. } => Err(availability),
            _ => Ok(entry.breaker.admit(now, &self.rules)),
        };
        // A breaker that is only watched or off lets out what it does not count.
        let permit = admitted.map(|admitted| {
            let generation = (admitted == Admitted::Counted && entry.counts(now))
                .then_some(entry.breaker.generation);
            Permit::new(access, model, generation, entry.key_generation)
        });
        self.keep(log);
        permit
    }

    /// As [`Self::admit`], for a request that `others` could answer too. While all of them are closed,
    /// a trial that succeeds closes the breaker at once: a ramp would spare nobody.
    pub fn admit_beside<'a>(
        &mut self,
        access: &Access,
        model: &str,
        others: impl IntoIterator<Item = (&'a Access, &'a str)>,
        now: Moment,
    ) -> Result<Permit, Availability> {
        let permit = self.admit(access, model, now)?;
        let is_trial =
            self.entries.get(access).is_some_and(|entry| entry.is_half_open(now, &self.rules));
        let is_closed = |(other, model): (&Access, &str)| {
            other == access
                || matches!(self.availability(other, model, now), Availability::Closed { .. })
        };
        let is_sole = is_trial && others.into_iter().all(is_closed);
        Ok(if is_sole { Permit { trial: Trial::Sole, ..permit } } else { permit })
    }

    /// When all of `accesses` are closed: a permit for the one whose breaker reopens first, as a single
    /// trial, with its place. Its success closes the breaker at once.
    ///
    /// Never for what is blocked, cools down, is held open by hand or asked for a wait; not while a trial
    /// of any of them is out; and not before each of the open ones has been so for
    /// [`crate::SOLE_TRIAL_AFTER`], lest a dead group is called by every request.
    pub fn admit_nearest(
        &mut self,
        accesses: &[(&Access, &str)],
        now: Moment,
    ) -> Option<(usize, Permit)> {
        let mut nearest: Option<(Moment, usize, &Access, &str)> = None;
        for (place, (access, model)) in accesses.iter().enumerate() {
            match self.availability(access, model, now) {
                Availability::Closed { why: ClosedWhy::HalfOpenBusy, .. } => return None,
                Availability::Closed { .. } => {}
                _ => return None,
            }
            let entry = self.entries.get(*access)?;
            if entry.sole_trial_at(now, &self.rules).is_some_and(|trial_at| trial_at > now) {
                return None;
            }
            if let Some((until, told_until)) = entry.open_only(model, now, &self.rules)
                && told_until <= now
                && nearest.is_none_or(|(earliest, ..)| until < earliest)
            {
                nearest = Some((until, place, access, model));
            }
        }
        let (_, place, access, model) = nearest?;
        let entry = self.entries.get_mut(access)?;
        let mut log = Vec::new();
        entry.cut_short(access, now, &self.rules, &mut log);
        self.keep(log);
        let permit = self.admit(access, model, now).ok()?;
        Some((place, Permit { trial: Trial::Sole, ..permit }))
    }

    /// How long until a request that only `accesses` can answer may be sent to one of them; `None` if
    /// time opens none of them.
    #[must_use]
    pub fn nearest_reopen<'a>(
        &self,
        accesses: impl Iterator<Item = (&'a Access, &'a str)>,
        now: Moment,
    ) -> Option<Duration> {
        let (mut reopens, mut told_until, mut trial_at) = (None, None, now);
        for (access, model) in accesses {
            let wait = match self.availability(access, model, now) {
                Availability::Closed { why: ClosedWhy::HalfOpenBusy, .. } => Some(TRIAL_HINT),
                Availability::Closed { until, .. } => until.map(|until| until.since(now)),
                _ => return Some(Duration::ZERO),
            };
            reopens = least(reopens, wait);
            let Some(entry) = self.entries.get(access) else { continue };
            trial_at = trial_at.max(entry.sole_trial_at(now, &self.rules).unwrap_or(now));
            let open = entry.open_only(model, now, &self.rules);
            told_until = least(told_until, open.map(|(_, told_until)| told_until));
        }
        let trial = told_until.map(|told_until| trial_at.max(told_until).since(now));
        least(reopens, trial)
    }

    /// The call of `permit` has begun to answer. Where nothing else can answer, that is what requests
    /// wait for: an answer may take minutes to its end, whose result still counts.
    pub fn answering(
        &mut self,
        permit: &Permit,
        evidence: RequestId,
        now: Moment,
    ) -> Vec<Transition> {
        let Permit { access, generation, trial, .. } = permit;
        let rules = self.rules;
        let mut log = Vec::new();
        let (Trial::Sole, Some(entry)) = (trial, self.entries.get_mut(access)) else { return log };
        entry.settle(access, now, &rules, &mut log);
        if *generation == Some(entry.breaker.generation) && entry.counts(now) {
            entry.answering(access, evidence, now, &rules, &mut log);
        }
        self.hand_out(log)
    }

    /// Takes a permit back with what became of the call. `chance` (0 to 1) spreads open times.
    pub fn report(
        &mut self,
        permit: Permit,
        happened: Happened,
        evidence: RequestId,
        now: Moment,
        chance: f64,
    ) -> Vec<Transition> {
        let Permit { access, model, generation, key_generation, trial } = permit;
        let rules = self.rules;
        if !self.entries.contains_key(&access) && !self.make_room(now) {
            return self.take_waiting();
        }
        let mut log = Vec::new();
        let entry = self.entries.entry(access.clone()).or_insert_with(|| Entry::new(now));
        entry.settle(&access, now, &rules, &mut log);
        let at = Setting { now, chance, rules: &rules };
        let counted = generation == Some(entry.breaker.generation) && entry.counts(now);
        let outcome = match happened {
            Happened::Success { first_token } => {
                entry.cooldowns.succeeded(&model, now);
                Some(entry.judge_first_token(first_token, &rules))
            }
            Happened::Failure { weight, retry_after } => {
                Some(Outcome::Failed { halves: weight.halves(), retry_after })
            }
            Happened::RateLimited { scope, wait, kind } => {
                let model = (scope == LimitScope::Model).then_some(model.as_str());
                let told = Told { wait, kind };
                if let Some(begun) = entry.cooldowns.limit(model, told, now, &rules) {
                    log.push(begun.transition(&access, model, evidence, now));
                }
                None
            }
            Happened::Blocked(reason) if key_generation == entry.key_generation => {
                entry.block(&access, reason, evidence, now, &mut log);
                None
            }
            Happened::Blocked(_) | Happened::Nothing => None,
        };
        match outcome {
            Some(outcome) if counted => {
                entry.count(&access, (outcome, trial), evidence, at, &mut log);
            }
            None if counted => entry.breaker.give_back(),
            _ => {}
        }
        self.hand_out(log)
    }

    /// Takes a permit back of a call that was never made or was dropped.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is given back once")]
    pub fn release(&mut self, permit: Permit, now: Moment) {
        let mut log = Vec::new();
        if let Some(entry) = self.entries.get_mut(&permit.access) {
            entry.settle(&permit.access, now, &self.rules, &mut log);
            if permit.generation == Some(entry.breaker.generation) {
                entry.breaker.give_back();
            }
        }
        self.keep(log);
    }

    /// Takes a light probe into account.
    pub fn probed(
        &mut self,
        access: &Access,
        outcome: ProbeOutcome,
        now: Moment,
        chance: f64,
    ) -> Vec<Transition> {
        let rules = self.rules;
        self.change(access, now, |entry, access, log| {
            entry.probed(access, outcome, Setting { now, chance, rules: &rules }, log);
        })
    }

    /// The accesses that had no call for [`BreakerRules::trial_silence`] in half-open: a light probe
    /// takes its place. Silence never closes one. Asking changes nothing.
    #[must_use]
    pub fn wants_probe(&self, now: Moment) -> Vec<Access> {
        self.entries
            .iter()
            .filter(|(_, entry)| entry.wants_probe(now, &self.rules))
            .map(|(access, _)| access.clone())
            .collect()
    }

    /// The key was replaced: blocks and cooldowns of the old one are lifted, and what its last calls
    /// still say about it is ignored.
    pub fn credential_changed(
        &mut self,
        credential: &CredentialId,
        now: Moment,
    ) -> Vec<Transition> {
        let mut log = Vec::new();
        for (access, entry) in &mut self.entries {
            if access.credential.as_ref() == Some(credential) {
                entry.settle(access, now, &self.rules, &mut log);
                entry.lift_block(access, TransitionRule::CredentialChanged, now, &mut log);
                entry.lift_cooldowns(access, TransitionRule::CredentialChanged, now, &mut log);
            }
        }
        self.hand_out(log)
    }

    /// A check by hand succeeded: the block is lifted.
    pub fn recheck_passed(&mut self, access: &Access, now: Moment) -> Vec<Transition> {
        self.change(access, now, |entry, access, log| {
            entry.lift_block(access, TransitionRule::RecheckPassed, now, log);
        })
    }

    /// Sets the breaker by hand; `until: None` holds until [`Self::reset`].
    pub fn force(
        &mut self,
        access: &Access,
        forced: Forced,
        until: Option<Moment>,
        now: Moment,
    ) -> Vec<Transition> {
        self.change(access, now, |entry, access, log| {
            entry.force(access, Override { forced, until }, now, log);
        })
    }

    /// Begins anew: closed, not cooling down, not blocked, nothing set by hand.
    pub fn reset(&mut self, access: &Access, now: Moment) -> Vec<Transition> {
        self.change(access, now, |entry, access, log| entry.reset(access, now, log))
    }

    /// What time alone has changed, for the log. The states do not depend on its being called.
    pub fn lapse(&mut self, now: Moment) -> Vec<Transition> {
        let mut log = Vec::new();
        for (access, entry) in &mut self.entries {
            entry.settle(access, now, &self.rules, &mut log);
        }
        self.hand_out(log)
    }

    /// Forgets what is no longer configured.
    pub fn retain(&mut self, known: impl Fn(&Access) -> bool) {
        self.entries.retain(|access, _| known(access));
    }

    /// Settles the entry of `access` (made if there is none) and changes it.
    fn change(
        &mut self,
        access: &Access,
        now: Moment,
        change: impl FnOnce(&mut Entry, &Access, &mut Vec<Transition>),
    ) -> Vec<Transition> {
        if !self.entries.contains_key(access) && !self.make_room(now) {
            return self.take_waiting();
        }
        let mut log = Vec::new();
        let entry = self.entries.entry(access.clone()).or_insert_with(|| Entry::new(now));
        entry.settle(access, now, &self.rules, &mut log);
        change(entry, access, &mut log);
        self.hand_out(log)
    }

    /// Whether there is room for one more entry, made if need be.
    pub(crate) fn make_room(&mut self, now: Moment) -> bool {
        if self.entries.len() < ACCESSES_MAX {
            return true;
        }
        let at_rest = |entry: &Entry| entry.is_at_rest(now, &self.rules);
        let idle = self.entries.iter().find(|(_, entry)| at_rest(entry));
        let Some(idle) = idle.map(|(access, _)| access.clone()) else { return false };
        self.entries.remove(&idle);
        true
    }

    fn keep(&mut self, log: Vec<Transition>) {
        self.waiting.extend(log);
        let excess = self.waiting.len().saturating_sub(TRANSITIONS_WAITING_MAX);
        self.waiting.drain(..excess);
    }

    fn take_waiting(&mut self) -> Vec<Transition> {
        std::mem::take(&mut self.waiting)
    }

    fn hand_out(&mut self, log: Vec<Transition>) -> Vec<Transition> {
        let mut all = self.take_waiting();
        all.extend(log);
        all
    }
}

impl FailureWeight {
    const fn halves(self) -> u32 {
        match self {
            Self::Full => 2,
            Self::Half => 1,
        }
    }
}

impl Permit {
    fn new(access: &Access, model: &str, generation: Option<u32>, key_generation: u32) -> Self {
        let (access, model) = (access.clone(), model.to_owned());
        Self { access, model, generation, key_generation, trial: Trial::OneOfSeveral }
    }
}

/// The smaller of two, of which either may be missing.
fn least<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}
