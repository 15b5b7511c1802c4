//! One endpoint under test, with a manual clock.

use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint, Moment, RequestId, SeededEntropy, WallTime};
use resilience::{
    Availability, BlockReason, BreakerRules, CallOutcome, ClosedReason, EndpointTransition,
    Endpoints, FailureWeight, LimitKind, LimitScope, Permit, ProbeOutcome,
};

pub(crate) const MODEL: &str = "m";
pub(crate) const GOOD: CallOutcome =
    CallOutcome::Success { first_token: Some(Duration::from_millis(300)) };
pub(crate) const SLOW: CallOutcome =
    CallOutcome::Success { first_token: Some(Duration::from_secs(11)) };
pub(crate) const BAD: CallOutcome =
    CallOutcome::Failure { weight: FailureWeight::Full, retry_after: None };
pub(crate) const HALF: CallOutcome =
    CallOutcome::Failure { weight: FailureWeight::Half, retry_after: None };

pub(crate) struct World {
    pub(crate) endpoints: Endpoints,
    pub(crate) one: Endpoint,
    pub(crate) now: Moment,
    /// Jitter of the next open time; 0.5 means none.
    pub(crate) chance: f64,
    pub(crate) log: Vec<EndpointTransition>,
    calls: i64,
}

pub(crate) fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(crate) fn endpoint(backend: &str) -> Endpoint {
    let credential = Some(CredentialId::new("key").unwrap());
    Endpoint { backend: BackendId::new(backend).unwrap(), credential }
}

pub(crate) fn request(number: i64) -> RequestId {
    RequestId::generate(WallTime::from_unix_ms(number), &SeededEntropy::new(7))
}

pub(crate) fn rate_limited(wait: Option<Duration>) -> CallOutcome {
    CallOutcome::RateLimited { scope: LimitScope::Endpoint, wait, kind: LimitKind::Rate }
}

pub(crate) fn failed_with_wait(wait: Duration) -> CallOutcome {
    CallOutcome::Failure { weight: FailureWeight::Full, retry_after: Some(wait) }
}

pub(crate) fn rejected() -> CallOutcome {
    CallOutcome::Blocked(BlockReason::KeyRejected)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(BreakerRules::default())
    }

    pub(crate) fn with(rules: BreakerRules) -> Self {
        Self {
            endpoints: Endpoints::new(rules),
            one: endpoint("one"),
            now: Moment::from_secs(1_000),
            chance: 0.5,
            log: Vec::new(),
            calls: 0,
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    pub(crate) fn look(&self) -> Availability {
        self.endpoints.availability(&self.one, MODEL, self.now)
    }

    /// How long its breaker stays open.
    pub(crate) fn open_for(&self) -> Duration {
        match self.look() {
            Availability::Closed { reason: ClosedReason::BreakerOpen, until: Some(until) } => {
                until.since(self.now)
            }
            other => panic!("not open but {other:?}"),
        }
    }

    pub(crate) fn begin(&mut self) -> Permit {
        self.endpoints.admit(&self.one, MODEL, self.now).expect("a permit")
    }

    pub(crate) fn end(&mut self, permit: Permit, happened: CallOutcome) {
        self.calls += 1;
        let evidence = request(self.calls);
        self.log.extend(self.endpoints.report(permit, happened, evidence, self.now, self.chance));
    }

    pub(crate) fn call(&mut self, happened: CallOutcome) {
        let permit = self.begin();
        self.end(permit, happened);
    }

    pub(crate) fn calls(&mut self, count: usize, happened: CallOutcome) {
        for _ in 0..count {
            self.call(happened);
        }
    }

    pub(crate) fn probe(&mut self, outcome: ProbeOutcome) {
        self.log.extend(self.endpoints.report_probe(&self.one, outcome, self.now, self.chance));
    }

    /// Trips the breaker and waits until it is half-open.
    pub(crate) fn half_open(&mut self) {
        self.calls(3, BAD);
        self.pass(self.open_for());
        assert_eq!(self.look(), Availability::Trial);
    }

    pub(crate) fn recovering(&mut self) {
        self.half_open();
        self.calls(3, GOOD);
        assert_eq!(self.look(), Availability::Ramp { percent: 10 });
    }

    /// Takes the log so far, as `from>to rule`, including transitions caused by time.
    pub(crate) fn logged(&mut self) -> Vec<String> {
        self.log.extend(self.endpoints.apply_elapsed_time(self.now));
        self.log.drain(..).map(|t| format!("{}>{} {}", t.from, t.to, t.rule)).collect()
    }
}
