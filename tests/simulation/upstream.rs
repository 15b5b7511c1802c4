//! Providers that fail by a script: their answers depend on time, key and their own limits, never
//! on the gateway's state.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint, Moment};
use resilience::{AttemptFailure, FailureClass, ServerRetryHint};

use super::chance::Chance;

/// A provider's failure mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ProviderFault {
    /// The connection is refused.
    Refuse,
    /// This share of the calls fails with 500.
    Errors { percent: u8 },
    /// Status 529.
    Overloaded,
    /// Status 429, with this `retry-after` if any.
    RateLimited { wait: Option<Duration> },
    /// Status 429 until the fault is over, with a `retry-after` up to its end.
    Quota,
    /// Headers, then silence.
    Stall,
    /// The connection breaks before any content.
    Cut,
    /// The connection breaks in the middle of the answer.
    CutInAnswer,
    /// First tokens after 11 to 20 s.
    Slow,
    /// Alternates between five seconds down and five seconds up.
    Flapping,
    /// Status 200 with a web page.
    Nonsense,
    /// Status 404 for the model.
    ModelGone,
    /// Status 503 with the advice not to retry.
    NoRetryAdvised,
    /// Status 408.
    Timeout,
}

impl ProviderFault {
    const ALL: [Self; 17] = [
        Self::Refuse,
        Self::Errors { percent: 100 },
        Self::Errors { percent: 33 },
        Self::Overloaded,
        Self::RateLimited { wait: None },
        Self::RateLimited { wait: Some(Duration::from_secs(2)) },
        Self::RateLimited { wait: Some(Duration::from_secs(30)) },
        Self::Quota,
        Self::Stall,
        Self::Cut,
        Self::CutInAnswer,
        Self::Slow,
        Self::Flapping,
        Self::Nonsense,
        Self::ModelGone,
        Self::NoRetryAdvised,
        Self::Timeout,
    ];
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct FaultPhase {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    pub(crate) fault: ProviderFault,
}

/// The outcome of a call, and the time it takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProviderAnswer {
    pub(crate) after: Duration,
    pub(crate) how: AnswerOutcome,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum AnswerOutcome {
    Whole {
        first_token: Duration,
        tokens: u64,
    },
    /// The connection broke after content had reached the client.
    CutInAnswer,
    Failed(AttemptFailure),
}

#[derive(Debug, Clone)]
pub(crate) struct SimulatedUpstream {
    pub(crate) backend: BackendId,
    /// In order of time, without overlaps.
    pub(crate) faults: Vec<FaultPhase>,
    /// Rejected keys, with the failure class of the rejection.
    pub(crate) dead_keys: BTreeMap<CredentialId, FailureClass>,
    /// Most concurrent calls; more get a 429.
    pub(crate) capacity: Option<usize>,
    /// Most calls within any 60 s; more get a 429.
    pub(crate) per_minute: Option<usize>,
    pub(crate) in_flight: usize,
    recent: VecDeque<Moment>,
    /// Calls that met one of the two limits.
    pub(crate) over_limit: u64,
}

impl SimulatedUpstream {
    pub(crate) fn healthy(backend: &str) -> Self {
        Self {
            backend: BackendId::new(backend).expect("a name"),
            faults: Vec::new(),
            dead_keys: BTreeMap::new(),
            capacity: None,
            per_minute: None,
            in_flight: 0,
            recent: VecDeque::new(),
            over_limit: 0,
        }
    }

    pub(crate) fn taking_at_once(self, capacity: usize) -> Self {
        Self { capacity: Some(capacity), ..self }
    }

    pub(crate) fn taking_per_minute(self, per_minute: usize) -> Self {
        Self { per_minute: Some(per_minute), ..self }
    }

    pub(crate) fn with_fault(mut self, fault: ProviderFault, from_secs: u64, to_secs: u64) -> Self {
        let (from, to) = (Moment::from_secs(from_secs), Moment::from_secs(to_secs));
        self.faults.push(FaultPhase { from, to, fault });
        self
    }

    /// A provider with random faults until `end`: each lasts half a minute to a quarter of an hour,
    /// after a healthy time of `mean_well` on average.
    pub(crate) fn with_random_faults(
        backend: &str,
        end: Moment,
        mean_well: Duration,
        chance: &Chance,
    ) -> Self {
        let mut upstream = Self::healthy(backend);
        let mut from = Moment::default() + chance.pause(mean_well);
        while from < end {
            let to = from + chance.between(Duration::from_secs(30), Duration::from_secs(900));
            upstream.faults.push(FaultPhase { from, to, fault: chance.pick(&ProviderFault::ALL) });
            from = to + chance.pause(mean_well);
        }
        upstream
    }

    /// True if no limit, dead key or fault can affect a call of `endpoint` from `from` to `to`.
    pub(crate) fn was_healthy(&self, endpoint: &Endpoint, from: Moment, to: Moment) -> bool {
        let limited = self.capacity.is_some() || self.per_minute.is_some();
        let key = endpoint.credential.as_ref();
        let overlaps = |phase: &FaultPhase| phase.from <= to && phase.to >= from;
        !limited
            && !key.is_some_and(|key| self.dead_keys.contains_key(key))
            && !self.faults.iter().any(overlaps)
    }

    /// The answer to a call at this moment.
    pub(crate) fn answer(
        &mut self,
        endpoint: &Endpoint,
        now: Moment,
        chance: &Chance,
    ) -> ProviderAnswer {
        self.in_flight += 1;
        while self.recent.front().is_some_and(|at| now.since(*at) >= Duration::from_secs(60)) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let dead = endpoint.credential.as_ref().and_then(|key| self.dead_keys.get(key));
        if let Some(class) = dead {
            return failed_answer(*class, Duration::from_millis(80));
        }
        let crowded = self.capacity.is_some_and(|most| self.in_flight > most)
            || self.per_minute.is_some_and(|most| self.recent.len() > most);
        if crowded {
            self.over_limit += 1;
            return failed_answer(FailureClass::RateLimited, Duration::from_millis(60));
        }
        self.phase_at(now)
            .map_or_else(|| healthy_answer(chance), |phase| faulty_answer(phase, now, chance))
    }

    pub(crate) fn fault_at(&self, now: Moment) -> Option<ProviderFault> {
        self.phase_at(now).map(|phase| phase.fault)
    }

    fn phase_at(&self, now: Moment) -> Option<&FaultPhase> {
        self.faults.iter().find(|phase| phase.from <= now && now < phase.to)
    }

    pub(crate) const fn ended(&mut self) {
        self.in_flight -= 1;
    }
}

fn healthy_answer(chance: &Chance) -> ProviderAnswer {
    let first_token = chance.between(Duration::from_millis(150), Duration::from_millis(900));
    let after = first_token + chance.pause(Duration::from_secs(3));
    ProviderAnswer { after, how: AnswerOutcome::Whole { first_token, tokens: 300 } }
}

fn faulty_answer(phase: &FaultPhase, now: Moment, chance: &Chance) -> ProviderAnswer {
    let ms = Duration::from_millis;
    let secs = Duration::from_secs;
    let dead_now = (now.as_micros() / 5_000_000).is_multiple_of(2);
    match phase.fault {
        ProviderFault::Refuse => failed_answer(FailureClass::Connect, ms(2)),
        ProviderFault::Flapping if dead_now => failed_answer(FailureClass::Connect, ms(2)),
        ProviderFault::Errors { percent } if chance.happens(f64::from(percent) / 100.0) => {
            failed_answer(FailureClass::Server, ms(120))
        }
        ProviderFault::Flapping | ProviderFault::Errors { .. } => healthy_answer(chance),
        ProviderFault::Overloaded => failed_answer(FailureClass::Overloaded, ms(300)),
        ProviderFault::RateLimited { wait } => rate_limited_answer(FailureClass::RateLimited, wait),
        ProviderFault::Quota => rate_limited_answer(FailureClass::Quota, Some(phase.to.since(now))),
        ProviderFault::Stall => failed_answer(FailureClass::Stalled, secs(30)),
        ProviderFault::Cut => failed_answer(FailureClass::Stalled, ms(400)),
        ProviderFault::CutInAnswer => {
            ProviderAnswer { after: secs(2), how: AnswerOutcome::CutInAnswer }
        }
        ProviderFault::Slow => {
            let first_token = chance.between(secs(11), secs(20));
            let after = first_token + secs(3);
            ProviderAnswer { after, how: AnswerOutcome::Whole { first_token, tokens: 300 } }
        }
        ProviderFault::Nonsense => failed_answer(FailureClass::NonConforming, ms(90)),
        ProviderFault::ModelGone => failed_answer(FailureClass::ModelMissing, ms(70)),
        ProviderFault::Timeout => failed_answer(FailureClass::ConflictOrTimeout, ms(900)),
        ProviderFault::NoRetryAdvised => {
            let failure = AttemptFailure {
                advice: ServerRetryHint::DoNotRetry,
                ..FailureClass::Server.into()
            };
            ProviderAnswer { after: ms(150), how: AnswerOutcome::Failed(failure) }
        }
    }
}

fn failed_answer(class: FailureClass, after: Duration) -> ProviderAnswer {
    ProviderAnswer { after, how: AnswerOutcome::Failed(class.into()) }
}

fn rate_limited_answer(class: FailureClass, wait: Option<Duration>) -> ProviderAnswer {
    let failure = AttemptFailure { wait, ..class.into() };
    ProviderAnswer { after: Duration::from_millis(60), how: AnswerOutcome::Failed(failure) }
}
