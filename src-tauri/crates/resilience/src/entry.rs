//! The state of one endpoint: its breaker, cooldowns, block and manual override.

use domain::{Access, Moment, RequestId};

use crate::accesses::ProbeOutcome;
use crate::availability::{Availability, ClosedWhy};
use crate::baseline::Baseline;
use crate::block::{Block, BlockReason};
use crate::breaker::{Breaker, Change, Outcome, Setting, Trial, Trips};
use crate::cooldown::{Cooldown, Cooldowns};
use crate::forced::{Forced, Override};
use crate::rules::BreakerRules;
use crate::state::{AccessState, State};
use crate::transition::{Transition, TransitionRule, TransitionState};

#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) breaker: Breaker,
    pub(crate) baseline: Baseline,
    pub(crate) cooldowns: Cooldowns,
    pub(crate) block: Option<Block>,
    pub(crate) forced: Option<Override>,
    /// Incremented when a block is lifted, so that calls that began before cannot set it again.
    pub(crate) key_generation: u32,
}

impl Entry {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            breaker: Breaker::new(now),
            baseline: Baseline::default(),
            cooldowns: Cooldowns::default(),
            block: None,
            forced: None,
            key_generation: 0,
        }
    }

    pub(crate) fn availability(
        &self,
        model: &str,
        now: Moment,
        rules: &BreakerRules,
    ) -> Availability {
        if let Some(block) = self.block {
            return Availability::Closed { why: ClosedWhy::Blocked(block.reason), until: None };
        }
        let forced = self.forced_at(now);
        if let Some(Override { forced: Forced::Open, until }) = forced {
            return Availability::Closed { why: ClosedWhy::ForcedOpen, until };
        }
        let cooling = self.cooldowns.of(model, now);
        let held = match (forced, self.breaker.state_at(now, rules)) {
            (Some(_), _) | (_, State::Closed { .. }) => Availability::Ready,
            (_, State::Open { until, .. }) => {
                let why = match cooling {
                    Some(cooling) if cooling.at > until => ClosedWhy::CoolingDown(cooling.kind),
                    _ => ClosedWhy::BreakerOpen,
                };
                let until = cooling.map_or(until, |cooling| cooling.at.max(until));
                return Availability::Closed { why, until: Some(until) };
            }
            (_, State::HalfOpen { out, successes, .. }) if State::trial_free(out, successes) => {
                Availability::Trial
            }
            (_, State::HalfOpen { .. }) => {
                Availability::Closed { why: ClosedWhy::HalfOpenBusy, until: None }
            }
            (_, state @ State::Recovering { .. }) => state.ramp(),
        };
        cooling.map_or(held, |cooling| Availability::Closed {
            why: ClosedWhy::CoolingDown(cooling.kind),
            until: Some(cooling.at),
        })
    }

    /// When its open breaker may admit a sole trial; `None` if the breaker is not open.
    pub(crate) fn sole_trial_at(&self, now: Moment, rules: &BreakerRules) -> Option<Moment> {
        match self.breaker.state_at(now, rules) {
            State::Open { trial_at, .. } => Some(trial_at),
            _ => None,
        }
    }

    /// When the breaker reopens and when the wait asked for by the server ends. `None` unless the
    /// breaker alone holds `model` back.
    pub(crate) fn open_only(
        &self,
        model: &str,
        now: Moment,
        rules: &BreakerRules,
    ) -> Option<(Moment, Moment)> {
        let free =
            self.block.is_none() && self.forced_at(now).is_none() && !self.cools_down(model, now);
        match self.breaker.state_at(now, rules) {
            State::Open { until, told_until, .. } if free => Some((until, told_until)),
            _ => None,
        }
    }

    pub(crate) fn is_half_open(&self, now: Moment, rules: &BreakerRules) -> bool {
        matches!(self.breaker.state_at(now, rules), State::HalfOpen { .. })
    }

    pub(crate) fn cools_down(&self, model: &str, now: Moment) -> bool {
        self.cooldowns.of(model, now).is_some()
    }

    pub(crate) fn forced_at(&self, now: Moment) -> Option<Override> {
        self.forced.filter(|forced| forced.holds(now))
    }

    /// True if the breaker counts calls.
    pub(crate) fn counts(&self, now: Moment) -> bool {
        self.forced_at(now).is_none_or(|forced| forced.forced != Forced::Disabled)
    }

    fn trips(&self, now: Moment) -> Trips {
        match self.forced_at(now) {
            Some(Override { forced: Forced::Closed | Forced::Disabled, .. }) => Trips::No,
            _ => Trips::Yes,
        }
    }

    /// Applies and logs the transitions due by `now`.
    pub(crate) fn settle(
        &mut self,
        access: &Access,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<Transition>,
    ) {
        let mut changes = Vec::new();
        self.breaker.settle(now, rules, &mut changes);
        push(access, changes, log);
        if let Some(until) = self.forced.and_then(|forced| forced.until)
            && until <= now
            && let Some(expired) = self.forced.take()
        {
            let to = TransitionState::Automatic;
            let rule = TransitionRule::ForceExpired;
            log.push(entry_of(access, expired.forced.state(), to, rule, until));
        }
        let own = self.cooldowns.models.iter_mut().map(|(name, own)| (Some(&*name), own));
        for (model, cooldown) in self.cooldowns.access.iter_mut().map(|c| (None, c)).chain(own) {
            if !cooldown.over && !cooldown.holds(now) {
                cooldown.over = true;
                let (from, to) = (TransitionState::CoolingDown, TransitionState::Ready);
                let rule = TransitionRule::CooldownOver;
                let over = entry_of(access, from, to, rule, cooldown.until);
                log.push(Transition { model: model.cloned(), ..over });
            }
        }
    }

    pub(crate) fn judge_first_token(
        &mut self,
        first_token: Option<std::time::Duration>,
        rules: &BreakerRules,
    ) -> Outcome {
        let Some(first_token) = first_token else { return Outcome::Good };
        let slow = first_token > self.slow_after(rules);
        self.baseline.learn(first_token);
        if slow { Outcome::Slow } else { Outcome::Good }
    }

    /// Threshold for a slow first token.
    pub(crate) fn slow_after(&self, rules: &BreakerRules) -> std::time::Duration {
        let usual = self.baseline.p95().unwrap_or_default();
        usual.saturating_mul(rules.slow_factor).max(rules.slow_floor)
    }

    pub(crate) fn count(
        &mut self,
        access: &Access,
        (outcome, trial): (Outcome, Trial),
        evidence: RequestId,
        at: Setting<'_>,
        log: &mut Vec<Transition>,
    ) {
        let mut changes = Vec::new();
        let trips = self.trips(at.now);
        self.breaker.count(outcome, evidence, (trips, trial), at, &mut changes);
        push(access, changes, log);
    }

    pub(crate) fn answering(
        &mut self,
        access: &Access,
        evidence: RequestId,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<Transition>,
    ) {
        let mut changes = Vec::new();
        self.breaker.answering(evidence, now, rules, &mut changes);
        push(access, changes, log);
    }

    pub(crate) fn probed(
        &mut self,
        access: &Access,
        outcome: ProbeOutcome,
        at: Setting<'_>,
        log: &mut Vec<Transition>,
    ) {
        if !self.counts(at.now) {
            return;
        }
        let mut changes = Vec::new();
        let trips = self.trips(at.now);
        self.breaker.probed(outcome == ProbeOutcome::Good, trips, at, &mut changes);
        push(access, changes, log);
    }

    pub(crate) fn cut_short(
        &mut self,
        access: &Access,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<Transition>,
    ) {
        let mut changes = Vec::new();
        self.settle(access, now, rules, log);
        self.breaker.cut_short(now, rules, &mut changes);
        push(access, changes, log);
    }

    pub(crate) fn block(
        &mut self,
        access: &Access,
        reason: BlockReason,
        evidence: RequestId,
        now: Moment,
        log: &mut Vec<Transition>,
    ) {
        if self.block.is_some() {
            return;
        }
        self.block = Some(Block { reason, since: now });
        let (from, to) = (TransitionState::Ready, TransitionState::Blocked);
        let blocked = entry_of(access, from, to, reason.rule(), now);
        log.push(Transition { evidence: vec![evidence], ..blocked });
    }

    pub(crate) fn lift_block(
        &mut self,
        access: &Access,
        rule: TransitionRule,
        now: Moment,
        log: &mut Vec<Transition>,
    ) {
        self.key_generation = self.key_generation.wrapping_add(1);
        if self.block.take().is_some() {
            let (from, to) = (TransitionState::Blocked, TransitionState::Ready);
            log.push(entry_of(access, from, to, rule, now));
        }
    }

    pub(crate) fn lift_cooldowns(
        &mut self,
        access: &Access,
        rule: TransitionRule,
        now: Moment,
        log: &mut Vec<Transition>,
    ) {
        let Cooldowns { access: own, models } = std::mem::take(&mut self.cooldowns);
        let models = models.into_iter().map(|(name, cooldown)| (Some(name), cooldown));
        for (model, cooldown) in own.map(|own| (None, own)).into_iter().chain(models) {
            if cooldown.holds(now) {
                let (from, to) = (TransitionState::CoolingDown, TransitionState::Ready);
                log.push(Transition { model, ..entry_of(access, from, to, rule, now) });
            }
        }
    }

    pub(crate) fn force(
        &mut self,
        access: &Access,
        next: Override,
        now: Moment,
        log: &mut Vec<Transition>,
    ) {
        let before = self.forced.map_or(TransitionState::Automatic, |set| set.forced.state());
        self.forced = Some(next);
        log.push(Transition {
            until: next.until.map(|until| until.since(now)),
            ..entry_of(access, before, next.forced.state(), TransitionRule::Forced, now)
        });
        if matches!(next.forced, Forced::Closed | Forced::Disabled) {
            let mut changes = Vec::new();
            self.breaker.start_afresh(TransitionRule::Forced, now, &mut changes);
            push(access, changes, log);
        }
    }

    pub(crate) fn reset(&mut self, access: &Access, now: Moment, log: &mut Vec<Transition>) {
        let rule = TransitionRule::Reset;
        if let Some(forced) = self.forced.take() {
            let to = TransitionState::Automatic;
            log.push(entry_of(access, forced.forced.state(), to, rule, now));
        }
        let mut changes = Vec::new();
        self.breaker.start_afresh(rule, now, &mut changes);
        push(access, changes, log);
        self.lift_block(access, rule, now, log);
        self.lift_cooldowns(access, rule, now, log);
    }

    pub(crate) fn wants_probe(&self, now: Moment, rules: &BreakerRules) -> bool {
        let free = self.block.is_none()
            && !self.cools_down("", now)
            && self.forced_at(now).is_none_or(|set| set.forced == Forced::MonitorOnly);
        let silent = matches!(
            self.breaker.state_at(now, rules),
            State::HalfOpen { out: 0, probe_at, .. } if probe_at <= now
        );
        free && silent
    }

    /// True if the entry can be dropped without losing more than the learned baseline.
    pub(crate) fn is_at_rest(&self, now: Moment, rules: &BreakerRules) -> bool {
        let state = self.breaker.state_at(now, rules);
        matches!(state, State::Closed { calm_at } if calm_at <= now)
            && self.block.is_none()
            && self.forced_at(now).is_none()
            && self.cooldowns.are_over(now)
    }
}

impl State {
    fn ramp(&self) -> Availability {
        match self.shown() {
            AccessState::Recovering { percent } => Availability::Ramp { percent },
            _ => Availability::Ready,
        }
    }
}

impl Cooldown {
    /// The log entry for a cooldown that starts now.
    pub(crate) fn transition(
        &self,
        access: &Access,
        model: Option<&str>,
        evidence: RequestId,
        now: Moment,
    ) -> Transition {
        let (from, to) = (TransitionState::Ready, TransitionState::CoolingDown);
        Transition {
            model: model.map(str::to_owned),
            evidence: vec![evidence],
            until: Some(self.until.since(now)),
            ..entry_of(access, from, to, self.kind.rule(), now)
        }
    }
}

fn push(access: &Access, changes: Vec<Change>, log: &mut Vec<Transition>) {
    log.extend(changes.into_iter().map(|change| Transition {
        access: access.clone(),
        model: None,
        from: change.from,
        to: change.to,
        rule: change.rule,
        evidence: change.evidence,
        at: change.at,
        until: change.until,
    }));
}

fn entry_of(
    access: &Access,
    from: TransitionState,
    to: TransitionState,
    rule: TransitionRule,
    at: Moment,
) -> Transition {
    let access = access.clone();
    Transition { access, model: None, from, to, rule, evidence: Vec::new(), at, until: None }
}
