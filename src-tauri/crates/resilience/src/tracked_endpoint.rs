//! The state of one endpoint: its breaker, cooldowns, block and manual override.

use domain::{Endpoint, Moment, RequestId};

use crate::availability::{Availability, ClosedReason};
use crate::baseline::LatencyBaseline;
use crate::block::{BlockReason, EndpointBlock};
use crate::breaker::{Breaker, BreakerChange, BreakerEvent, CountedOutcome, TrialKind, TripPolicy};
use crate::cooldown::{Cooldown, Cooldowns};
use crate::manual_override::{ActiveOverride, BreakerOverride};
use crate::probe_outcome::ProbeOutcome;
use crate::rules::BreakerRules;
use crate::state::{EndpointState, State};
use crate::transition::{EndpointTransition, TransitionCause, TransitionState};

#[derive(Debug, Clone)]
pub(crate) struct TrackedEndpoint {
    pub(crate) breaker: Breaker,
    pub(crate) baseline: LatencyBaseline,
    pub(crate) cooldowns: Cooldowns,
    pub(crate) block: Option<EndpointBlock>,
    pub(crate) forced: Option<ActiveOverride>,
    /// Incremented when a block is lifted, so that calls that began before cannot set it again.
    pub(crate) key_generation: u32,
}

impl TrackedEndpoint {
    pub(crate) fn new(now: Moment) -> Self {
        Self {
            breaker: Breaker::new(now),
            baseline: LatencyBaseline::default(),
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
            return Availability::Closed {
                reason: ClosedReason::Blocked(block.reason),
                until: None,
            };
        }
        let forced = self.forced_at(now);
        if let Some(ActiveOverride { forced: BreakerOverride::Open, until }) = forced {
            return Availability::Closed { reason: ClosedReason::ForcedOpen, until };
        }
        let cooling = self.cooldowns.active_for(model, now);
        let held = match (forced, self.breaker.state_at(now, rules)) {
            (Some(_), _) | (_, State::Closed { .. }) => Availability::Ready,
            (_, State::Open { until, .. }) => {
                let why = match cooling {
                    Some(cooling) if cooling.at > until => ClosedReason::CoolingDown(cooling.kind),
                    _ => ClosedReason::BreakerOpen,
                };
                let until = cooling.map_or(until, |cooling| cooling.at.max(until));
                return Availability::Closed { reason: why, until: Some(until) };
            }
            (_, State::HalfOpen { out, successes, .. })
                if State::has_trial_slot(out, successes) =>
            {
                Availability::Trial
            }
            (_, State::HalfOpen { .. }) => {
                Availability::Closed { reason: ClosedReason::HalfOpenBusy, until: None }
            }
            (_, state @ State::Recovering { .. }) => state.ramp_availability(),
        };
        cooling.map_or(held, |cooling| Availability::Closed {
            reason: ClosedReason::CoolingDown(cooling.kind),
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
    pub(crate) fn breaker_only_wait(
        &self,
        model: &str,
        now: Moment,
        rules: &BreakerRules,
    ) -> Option<(Moment, Moment)> {
        let free =
            self.block.is_none() && self.forced_at(now).is_none() && !self.cools_down(model, now);
        match self.breaker.state_at(now, rules) {
            State::Open { until, server_wait_until: told_until, .. } if free => {
                Some((until, told_until))
            }
            _ => None,
        }
    }

    pub(crate) fn is_half_open(&self, now: Moment, rules: &BreakerRules) -> bool {
        matches!(self.breaker.state_at(now, rules), State::HalfOpen { .. })
    }

    pub(crate) fn cools_down(&self, model: &str, now: Moment) -> bool {
        self.cooldowns.active_for(model, now).is_some()
    }

    pub(crate) fn forced_at(&self, now: Moment) -> Option<ActiveOverride> {
        self.forced.filter(|forced| forced.is_active(now))
    }

    /// True if the breaker counts calls.
    pub(crate) fn counts_calls(&self, now: Moment) -> bool {
        self.forced_at(now).is_none_or(|forced| forced.forced != BreakerOverride::Disabled)
    }

    fn trip_policy(&self, now: Moment) -> TripPolicy {
        match self.forced_at(now) {
            Some(ActiveOverride {
                forced: BreakerOverride::Closed | BreakerOverride::Disabled,
                ..
            }) => TripPolicy::No,
            _ => TripPolicy::Yes,
        }
    }

    /// Applies and logs the transitions due by `now`.
    pub(crate) fn apply_due(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<EndpointTransition>,
    ) {
        let mut changes = Vec::new();
        self.breaker.apply_due(now, rules, &mut changes);
        log_changes(endpoint, changes, log);
        if let Some(until) = self.forced.and_then(|forced| forced.until)
            && until <= now
            && let Some(expired) = self.forced.take()
        {
            let to = TransitionState::Automatic;
            let rule = TransitionCause::ForceExpired;
            log.push(new_transition(endpoint, expired.forced.transition_state(), to, rule, until));
        }
        let own = self.cooldowns.models.iter_mut().map(|(name, own)| (Some(&*name), own));
        for (model, cooldown) in self.cooldowns.endpoint.iter_mut().map(|c| (None, c)).chain(own) {
            if !cooldown.end_logged && !cooldown.is_active(now) {
                cooldown.end_logged = true;
                let (from, to) = (TransitionState::CoolingDown, TransitionState::Ready);
                let rule = TransitionCause::CooldownOver;
                let over = new_transition(endpoint, from, to, rule, cooldown.until);
                log.push(EndpointTransition { model: model.cloned(), ..over });
            }
        }
    }

    pub(crate) fn judge_first_token(
        &mut self,
        first_token: Option<std::time::Duration>,
        rules: &BreakerRules,
    ) -> CountedOutcome {
        let Some(first_token) = first_token else { return CountedOutcome::Good };
        let slow = first_token > self.slow_threshold(rules);
        self.baseline.learn(first_token);
        if slow { CountedOutcome::Slow } else { CountedOutcome::Good }
    }

    /// Threshold for a slow first token.
    pub(crate) fn slow_threshold(&self, rules: &BreakerRules) -> std::time::Duration {
        let usual = self.baseline.p95().unwrap_or_default();
        usual.saturating_mul(rules.slow_factor).max(rules.slow_floor)
    }

    pub(crate) fn record_outcome(
        &mut self,
        endpoint: &Endpoint,
        (outcome, trial): (CountedOutcome, TrialKind),
        evidence: RequestId,
        at: BreakerEvent<'_>,
        log: &mut Vec<EndpointTransition>,
    ) {
        let mut changes = Vec::new();
        let trips = self.trip_policy(at.now);
        self.breaker.record_outcome(outcome, evidence, (trips, trial), at, &mut changes);
        log_changes(endpoint, changes, log);
    }

    pub(crate) fn close_on_answer(
        &mut self,
        endpoint: &Endpoint,
        evidence: RequestId,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<EndpointTransition>,
    ) {
        let mut changes = Vec::new();
        self.breaker.close_on_answer(evidence, now, rules, &mut changes);
        log_changes(endpoint, changes, log);
    }

    pub(crate) fn record_probe(
        &mut self,
        endpoint: &Endpoint,
        outcome: ProbeOutcome,
        at: BreakerEvent<'_>,
        log: &mut Vec<EndpointTransition>,
    ) {
        if !self.counts_calls(at.now) {
            return;
        }
        let mut changes = Vec::new();
        let trips = self.trip_policy(at.now);
        self.breaker.record_probe(outcome == ProbeOutcome::Passed, trips, at, &mut changes);
        log_changes(endpoint, changes, log);
    }

    pub(crate) fn forget_failures(
        &mut self,
        endpoint: &Endpoint,
        doubtful: Moment,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        let mut changes = Vec::new();
        self.breaker.forget_failures(doubtful, now, &mut changes);
        log_changes(endpoint, changes, log);
    }

    pub(crate) fn end_open_early(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
        rules: &BreakerRules,
        log: &mut Vec<EndpointTransition>,
    ) {
        let mut changes = Vec::new();
        self.apply_due(endpoint, now, rules, log);
        self.breaker.end_open_early(now, rules, &mut changes);
        log_changes(endpoint, changes, log);
    }

    pub(crate) fn block(
        &mut self,
        endpoint: &Endpoint,
        reason: BlockReason,
        evidence: RequestId,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        if self.block.is_some() {
            return;
        }
        self.block = Some(EndpointBlock { reason, since: now });
        let (from, to) = (TransitionState::Ready, TransitionState::Blocked);
        let blocked = new_transition(endpoint, from, to, reason.transition_cause(), now);
        log.push(EndpointTransition { evidence: vec![evidence], ..blocked });
    }

    pub(crate) fn lift_block(
        &mut self,
        endpoint: &Endpoint,
        rule: TransitionCause,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        self.key_generation = self.key_generation.wrapping_add(1);
        if self.block.take().is_some() {
            let (from, to) = (TransitionState::Blocked, TransitionState::Ready);
            log.push(new_transition(endpoint, from, to, rule, now));
        }
    }

    pub(crate) fn lift_cooldowns(
        &mut self,
        endpoint: &Endpoint,
        rule: TransitionCause,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        let Cooldowns { endpoint: own, models } = std::mem::take(&mut self.cooldowns);
        let models = models.into_iter().map(|(name, cooldown)| (Some(name), cooldown));
        for (model, cooldown) in own.map(|own| (None, own)).into_iter().chain(models) {
            if cooldown.is_active(now) {
                let (from, to) = (TransitionState::CoolingDown, TransitionState::Ready);
                log.push(EndpointTransition {
                    model,
                    ..new_transition(endpoint, from, to, rule, now)
                });
            }
        }
    }

    pub(crate) fn force(
        &mut self,
        endpoint: &Endpoint,
        next: ActiveOverride,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        let before =
            self.forced.map_or(TransitionState::Automatic, |set| set.forced.transition_state());
        self.forced = Some(next);
        log.push(EndpointTransition {
            until: next.until.map(|until| until.since(now)),
            ..new_transition(
                endpoint,
                before,
                next.forced.transition_state(),
                TransitionCause::Forced,
                now,
            )
        });
        if matches!(next.forced, BreakerOverride::Closed | BreakerOverride::Disabled) {
            let mut changes = Vec::new();
            self.breaker.reset(TransitionCause::Forced, now, &mut changes);
            log_changes(endpoint, changes, log);
        }
    }

    pub(crate) fn reset(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
        log: &mut Vec<EndpointTransition>,
    ) {
        let rule = TransitionCause::Reset;
        if let Some(forced) = self.forced.take() {
            let to = TransitionState::Automatic;
            log.push(new_transition(endpoint, forced.forced.transition_state(), to, rule, now));
        }
        let mut changes = Vec::new();
        self.breaker.reset(rule, now, &mut changes);
        log_changes(endpoint, changes, log);
        self.lift_block(endpoint, rule, now, log);
        self.lift_cooldowns(endpoint, rule, now, log);
    }

    pub(crate) fn needs_probe(&self, now: Moment, rules: &BreakerRules) -> bool {
        let free = self.block.is_none()
            && !self.cools_down("", now)
            && self.forced_at(now).is_none_or(|set| set.forced == BreakerOverride::MonitorOnly);
        let silent = matches!(
            self.breaker.state_at(now, rules),
            State::HalfOpen { out: 0, probe_at, .. } if probe_at <= now
        );
        free && silent
    }

    /// True if the entry can be dropped without losing more than the learned baseline.
    pub(crate) fn is_idle(&self, now: Moment, rules: &BreakerRules) -> bool {
        let state = self.breaker.state_at(now, rules);
        matches!(state, State::Closed { backoff_reset_at } if backoff_reset_at <= now)
            && self.block.is_none()
            && self.forced_at(now).is_none()
            && self.cooldowns.is_idle(now)
    }
}

impl State {
    fn ramp_availability(&self) -> Availability {
        match self.visible_state() {
            EndpointState::Recovering { percent } => Availability::Ramp { percent },
            _ => Availability::Ready,
        }
    }
}

impl Cooldown {
    /// The log entry for a cooldown that starts now.
    pub(crate) fn transition(
        &self,
        endpoint: &Endpoint,
        model: Option<&str>,
        evidence: RequestId,
        now: Moment,
    ) -> EndpointTransition {
        let (from, to) = (TransitionState::Ready, TransitionState::CoolingDown);
        EndpointTransition {
            model: model.map(str::to_owned),
            evidence: vec![evidence],
            until: Some(self.until.since(now)),
            ..new_transition(endpoint, from, to, self.kind.transition_cause(), now)
        }
    }
}

fn log_changes(
    endpoint: &Endpoint,
    changes: Vec<BreakerChange>,
    log: &mut Vec<EndpointTransition>,
) {
    log.extend(changes.into_iter().map(|change| EndpointTransition {
        endpoint: endpoint.clone(),
        model: None,
        from: change.from,
        to: change.to,
        rule: change.rule,
        evidence: change.evidence,
        at: change.at,
        until: change.until,
    }));
}

fn new_transition(
    endpoint: &Endpoint,
    from: TransitionState,
    to: TransitionState,
    rule: TransitionCause,
    at: Moment,
) -> EndpointTransition {
    let endpoint = endpoint.clone();
    EndpointTransition {
        endpoint,
        model: None,
        from,
        to,
        rule,
        evidence: Vec::new(),
        at,
        until: None,
    }
}
