//! The endpoint registry with a log of all its inputs, for replay. Replay reveals a state that
//! depends on anything else, such as on reads.

use std::collections::BTreeMap;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use domain::{Clock, CredentialId, Endpoint, ManualClock, Moment, SeededEntropy, WallTime};
use endpoints::{
    AdmittedAttempt, BackendTraffic, EndpointRegistry, NotAdmitted, RequestLoad, ResilienceRules,
};
use resilience::{CallOutcome, EndpointTransition, ProbeOutcome};
use routing::Candidate;

/// The number of an admitted attempt in the log.
pub(crate) type AttemptNumber = usize;

#[derive(Debug, Clone)]
enum RecordedInput {
    /// Refusals for lack of room are logged too: they take a permit and return it.
    Admit {
        place: usize,
        among: Vec<Candidate>,
        traffic: BackendTraffic,
        load: RequestLoad,
    },
    /// Logged whether or not it was granted, for the same reason.
    AdmitSoleTrial {
        among: Vec<Candidate>,
        traffic: Vec<BackendTraffic>,
        load: RequestLoad,
    },
    AnswerStarted {
        attempt: AttemptNumber,
    },
    Report {
        attempt: AttemptNumber,
        happened: CallOutcome,
        tokens: u64,
    },
    Probed {
        endpoint: Endpoint,
        outcome: ProbeOutcome,
    },
    KeyChanged {
        credential: CredentialId,
    },
    Restart,
}

/// [`EndpointRegistry`] and the log of its inputs.
pub(crate) struct ReplayableRegistry {
    live: RegistryRun,
    record: Vec<(Moment, RecordedInput)>,
    /// Announced before the last restart and not seen by the checker yet.
    before_restart: Vec<EndpointTransition>,
}

/// A registry over the restarts of its program, on a clock of its own.
pub(crate) struct RegistryRun {
    seed: u64,
    clock: Arc<ManualClock>,
    registry: Arc<EndpointRegistry>,
    transitions: mpsc::Receiver<Vec<EndpointTransition>>,
    attempts: BTreeMap<AttemptNumber, AdmittedAttempt>,
    attempts_admitted: AttemptNumber,
}

impl ReplayableRegistry {
    pub(crate) fn new(seed: u64) -> Self {
        Self { live: RegistryRun::new(seed), record: Vec::new(), before_restart: Vec::new() }
    }

    /// The registry at `now`, for reads and for the retry budget.
    pub(crate) fn at(&self, now: Moment) -> &EndpointRegistry {
        self.live.at(now)
    }

    pub(crate) fn admit(
        &mut self,
        place: usize,
        among: &[Candidate],
        traffic: BackendTraffic,
        load: RequestLoad,
        now: Moment,
    ) -> Result<AttemptNumber, NotAdmitted> {
        let admitted = self.live.admit(place, among, traffic, load, now);
        if !matches!(admitted, Err(NotAdmitted::Closed(_))) {
            let among = among.to_vec();
            self.record.push((now, RecordedInput::Admit { place, among, traffic, load }));
        }
        admitted
    }

    pub(crate) fn admit_sole_trial(
        &mut self,
        among: &[Candidate],
        traffic: Vec<BackendTraffic>,
        load: RequestLoad,
        now: Moment,
    ) -> Option<(usize, AttemptNumber)> {
        let admitted = self.live.admit_sole_trial(among, &traffic, load, now);
        let among = among.to_vec();
        self.record.push((now, RecordedInput::AdmitSoleTrial { among, traffic, load }));
        admitted
    }

    pub(crate) fn answer_started(&mut self, attempt: AttemptNumber, now: Moment) {
        self.put(RecordedInput::AnswerStarted { attempt }, now);
    }

    pub(crate) fn report(
        &mut self,
        attempt: AttemptNumber,
        happened: CallOutcome,
        tokens: u64,
        now: Moment,
    ) {
        self.put(RecordedInput::Report { attempt, happened, tokens }, now);
    }

    pub(crate) fn probed(&mut self, endpoint: &Endpoint, outcome: ProbeOutcome, now: Moment) {
        self.put(RecordedInput::Probed { endpoint: endpoint.clone(), outcome }, now);
    }

    pub(crate) fn key_changed(&mut self, credential: &CredentialId, now: Moment) {
        self.put(RecordedInput::KeyChanged { credential: credential.clone() }, now);
    }

    /// The program is killed and restarts at once: the saved states are restored.
    pub(crate) fn restart(&mut self, now: Moment) {
        self.before_restart = self.take_transitions(now);
        self.put(RecordedInput::Restart, now);
    }

    /// Transitions that the checker has not seen yet.
    pub(crate) fn take_transitions(&mut self, now: Moment) -> Vec<EndpointTransition> {
        self.live.at(now).apply_elapsed_time();
        let mut transitions = std::mem::take(&mut self.before_restart);
        transitions.extend(self.live.transitions.try_iter().flatten());
        transitions
    }

    pub(crate) fn attempts_in_flight(&self) -> usize {
        self.live.attempts.len()
    }

    /// The registry that the log alone leads to.
    pub(crate) fn replay(&self) -> RegistryRun {
        let mut again = RegistryRun::new(self.live.seed);
        for (now, input) in &self.record {
            again.apply(input, *now);
        }
        let (admitted, before) = (again.attempts_admitted, self.live.attempts_admitted);
        assert_eq!(admitted, before, "other attempts were admitted than before");
        again
    }

    fn put(&mut self, input: RecordedInput, now: Moment) {
        self.live.apply(&input, now);
        self.record.push((now, input));
    }
}

impl RegistryRun {
    fn new(seed: u64) -> Self {
        let clock = Arc::new(ManualClock::starting_at(WallTime::default()));
        let (registry, transitions) = registry(seed, &clock);
        let (attempts, attempts_admitted) = (BTreeMap::new(), 0);
        Self { seed, clock, registry, transitions, attempts, attempts_admitted }
    }

    pub(crate) fn at(&self, now: Moment) -> &EndpointRegistry {
        self.clock.advance(now.since(self.clock.now()));
        &self.registry
    }

    fn apply(&mut self, input: &RecordedInput, now: Moment) {
        match input {
            RecordedInput::Admit { place, among, traffic, load } => {
                drop(self.admit(*place, among, *traffic, *load, now));
            }
            RecordedInput::AdmitSoleTrial { among, traffic, load } => {
                self.admit_sole_trial(among, traffic, *load, now);
            }
            RecordedInput::AnswerStarted { attempt } => {
                self.at(now);
                self.attempts[attempt].answer_started();
            }
            RecordedInput::Report { attempt, happened, tokens } => {
                self.at(now);
                let attempt = self.attempts.remove(attempt).expect("an attempt in flight");
                attempt.ended(*happened, *tokens);
            }
            RecordedInput::Probed { endpoint, outcome } => {
                self.at(now).report_probe(endpoint, *outcome);
            }
            RecordedInput::KeyChanged { credential } => {
                self.at(now).lift_after_credential_change(credential);
            }
            RecordedInput::Restart => self.restart(now),
        }
    }

    fn admit(
        &mut self,
        place: usize,
        among: &[Candidate],
        traffic: BackendTraffic,
        load: RequestLoad,
        now: Moment,
    ) -> Result<AttemptNumber, NotAdmitted> {
        self.at(now);
        let attempt = self.registry.admit(&among[place], among, traffic, load)?;
        Ok(self.number(attempt))
    }

    fn admit_sole_trial(
        &mut self,
        among: &[Candidate],
        traffic: &[BackendTraffic],
        load: RequestLoad,
        now: Moment,
    ) -> Option<(usize, AttemptNumber)> {
        self.at(now);
        let pairs: Vec<_> = among.iter().zip(traffic.iter().copied()).collect();
        let (place, attempt) = self.registry.admit_sole_trial(&pairs, load)?;
        Some((place, self.number(attempt)))
    }

    fn number(&mut self, attempt: AdmittedAttempt) -> AttemptNumber {
        let number = self.attempts_admitted;
        self.attempts_admitted += 1;
        self.attempts.insert(number, attempt);
        number
    }

    fn restart(&mut self, now: Moment) {
        let saved = self.at(now).save();
        let seed = self.seed.wrapping_add(u64::try_from(self.attempts_admitted).expect("few"));
        (self.registry, self.transitions) = registry(seed, &self.clock);
        self.registry.restore(saved, Duration::ZERO);
        // They report to the registry of before, whose announcements nobody receives.
        self.attempts.clear();
    }
}

/// A new registry, and its announcements.
fn registry(
    seed: u64,
    clock: &Arc<ManualClock>,
) -> (Arc<EndpointRegistry>, mpsc::Receiver<Vec<EndpointTransition>>) {
    let (announce, announced) = mpsc::channel();
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    let sink = Box::new(move |transitions| drop(announce.send(transitions)));
    let entropy = SeededEntropy::new(seed);
    (EndpointRegistry::new(&ResilienceRules::default(), clock, &entropy, sink), announced)
}
