//! Providers that fail by a script: what they answer depends on the time and the key alone, never on
//! what the gateway knows of them.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use domain::{Access, BackendId, CredentialId, Moment};
use resilience::{Advice, Failure, FailureClass};

use super::chance::Chance;

/// How a provider is ill.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    /// Nobody listens.
    Refuse,
    /// This share of the calls ends with a 500.
    Errors { percent: u8 },
    /// 529.
    Overloaded,
    /// 429, with this `retry-after` if any.
    RateLimited { wait: Option<Duration> },
    /// 429 until the fault is over, and it says until when.
    Quota,
    /// Headers, and then silence.
    Stall,
    /// The connection breaks before any content.
    Cut,
    /// The connection breaks in the middle of the answer.
    CutInAnswer,
    /// First tokens after 11 to 20 s.
    Slow,
    /// Five seconds dead, five alive.
    Flapping,
    /// 200 with a web page.
    Nonsense,
    /// 404 for the model.
    ModelGone,
    /// 503 with the advice not to try again.
    NotAgain,
    /// 408.
    Timeout,
}

impl Fault {
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
        Self::NotAgain,
        Self::Timeout,
    ];
}

/// A fault and its time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) from: Moment,
    pub(crate) to: Moment,
    pub(crate) fault: Fault,
}

/// What a call comes to, and after which time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub(crate) after: Duration,
    pub(crate) how: How,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Whole {
        first_token: Duration,
        tokens: u64,
    },
    /// Broken off after content has reached the client.
    CutInAnswer,
    Failed(Failure),
}

/// One provider.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) backend: BackendId,
    /// By time, none overlapping.
    pub(crate) faults: Vec<Phase>,
    /// Keys that are not accepted, and how that is said.
    pub(crate) dead_keys: BTreeMap<CredentialId, FailureClass>,
    /// Most calls at once; beyond it 429.
    pub(crate) capacity: Option<usize>,
    /// Most calls within any 60 s; beyond it 429.
    pub(crate) per_minute: Option<usize>,
    pub(crate) in_flight: usize,
    recent: VecDeque<Moment>,
    /// Calls that met one of the two limits.
    pub(crate) over_limit: u64,
}

impl Upstream {
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

    pub(crate) fn with_fault(mut self, fault: Fault, from_secs: u64, to_secs: u64) -> Self {
        let (from, to) = (Moment::from_secs(from_secs), Moment::from_secs(to_secs));
        self.faults.push(Phase { from, to, fault });
        self
    }

    /// Ill every now and then until `end`: half a minute to a quarter of an hour, after `mean_well`.
    pub(crate) fn ill_at_random(
        backend: &str,
        end: Moment,
        mean_well: Duration,
        chance: &Chance,
    ) -> Self {
        let mut upstream = Self::healthy(backend);
        let mut from = Moment::default() + chance.pause(mean_well);
        while from < end {
            let to = from + chance.between(Duration::from_secs(30), Duration::from_secs(900));
            upstream.faults.push(Phase { from, to, fault: chance.pick(&Fault::ALL) });
            from = to + chance.pause(mean_well);
        }
        upstream
    }

    /// Whether it answered well all the time from one moment to the other, and will go on so for as
    /// long as a call takes.
    pub(crate) fn was_well(&self, access: &Access, from: Moment, to: Moment) -> bool {
        let limited = self.capacity.is_some() || self.per_minute.is_some();
        let key = access.credential.as_ref();
        let overlaps = |phase: &Phase| phase.from <= to && phase.to >= from;
        !limited
            && !key.is_some_and(|key| self.dead_keys.contains_key(key))
            && !self.faults.iter().any(overlaps)
    }

    /// What a call that comes now gets.
    pub(crate) fn answer(&mut self, access: &Access, now: Moment, chance: &Chance) -> Answer {
        self.in_flight += 1;
        while self.recent.front().is_some_and(|at| now.since(*at) >= Duration::from_secs(60)) {
            self.recent.pop_front();
        }
        self.recent.push_back(now);
        let dead = access.credential.as_ref().and_then(|key| self.dead_keys.get(key));
        if let Some(class) = dead {
            return failed(*class, Duration::from_millis(80));
        }
        let crowded = self.capacity.is_some_and(|most| self.in_flight > most)
            || self.per_minute.is_some_and(|most| self.recent.len() > most);
        if crowded {
            self.over_limit += 1;
            return failed(FailureClass::RateLimited, Duration::from_millis(60));
        }
        self.phase_at(now).map_or_else(|| well(chance), |phase| ill(phase, now, chance))
    }

    pub(crate) fn fault_at(&self, now: Moment) -> Option<Fault> {
        self.phase_at(now).map(|phase| phase.fault)
    }

    fn phase_at(&self, now: Moment) -> Option<&Phase> {
        self.faults.iter().find(|phase| phase.from <= now && now < phase.to)
    }

    pub(crate) const fn ended(&mut self) {
        self.in_flight -= 1;
    }
}

fn well(chance: &Chance) -> Answer {
    let first_token = chance.between(Duration::from_millis(150), Duration::from_millis(900));
    let after = first_token + chance.pause(Duration::from_secs(3));
    Answer { after, how: How::Whole { first_token, tokens: 300 } }
}

fn ill(phase: &Phase, now: Moment, chance: &Chance) -> Answer {
    let ms = Duration::from_millis;
    let secs = Duration::from_secs;
    let dead_now = (now.as_micros() / 5_000_000).is_multiple_of(2);
    match phase.fault {
        Fault::Refuse => failed(FailureClass::Connect, ms(2)),
        Fault::Flapping if dead_now => failed(FailureClass::Connect, ms(2)),
        Fault::Errors { percent } if chance.happens(f64::from(percent) / 100.0) => {
            failed(FailureClass::Server, ms(120))
        }
        Fault::Flapping | Fault::Errors { .. } => well(chance),
        Fault::Overloaded => failed(FailureClass::Overloaded, ms(300)),
        Fault::RateLimited { wait } => waiting(FailureClass::RateLimited, wait),
        Fault::Quota => waiting(FailureClass::Quota, Some(phase.to.since(now))),
        Fault::Stall => failed(FailureClass::Stalled, secs(30)),
        Fault::Cut => failed(FailureClass::Stalled, ms(400)),
        Fault::CutInAnswer => Answer { after: secs(2), how: How::CutInAnswer },
        Fault::Slow => {
            let first_token = chance.between(secs(11), secs(20));
            let after = first_token + secs(3);
            Answer { after, how: How::Whole { first_token, tokens: 300 } }
        }
        Fault::Nonsense => failed(FailureClass::NonConforming, ms(90)),
        Fault::ModelGone => failed(FailureClass::ModelMissing, ms(70)),
        Fault::Timeout => failed(FailureClass::ConflictOrTimeout, ms(900)),
        Fault::NotAgain => {
            let failure = Failure { advice: Advice::NotAgain, ..FailureClass::Server.into() };
            Answer { after: ms(150), how: How::Failed(failure) }
        }
    }
}

fn failed(class: FailureClass, after: Duration) -> Answer {
    Answer { after, how: How::Failed(class.into()) }
}

fn waiting(class: FailureClass, wait: Option<Duration>) -> Answer {
    let failure = Failure { wait, ..class.into() };
    Answer { after: Duration::from_millis(60), how: How::Failed(failure) }
}
