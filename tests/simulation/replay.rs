//! The accesses with a log of all their inputs, for replay. Replay reveals a state that depends on
//! anything else, such as on reads.

use std::collections::BTreeMap;

use domain::{CredentialId, Endpoint, Moment, RequestId};
use resilience::{
    Availability, BreakerRules, CallOutcome, EndpointTransition, Endpoints, Permit, ProbeOutcome,
};

/// The number of a permit in the log.
pub(crate) type PermitNumber = usize;

#[derive(Debug, Clone)]
enum RecordedInput {
    Admit { place: usize, among: Vec<(Endpoint, String)>, permit: PermitNumber },
    AdmitNearest { among: Vec<(Endpoint, String)>, permit: PermitNumber },
    Answering { permit: PermitNumber, evidence: RequestId },
    Report { permit: PermitNumber, happened: CallOutcome, evidence: RequestId, chance: f64 },
    Release { permit: PermitNumber },
    Probed { endpoint: Endpoint, outcome: ProbeOutcome, chance: f64 },
    KeyChanged { credential: CredentialId },
    Restart,
}

/// [`Endpoints`] and the log of its inputs.
#[derive(Debug)]
pub(crate) struct ReplayableEndpoints {
    pub(crate) endpoints: Endpoints,
    rules: BreakerRules,
    permits: BTreeMap<PermitNumber, Permit>,
    issued: PermitNumber,
    record: Vec<(Moment, RecordedInput)>,
    /// Transitions that the checker has not seen yet.
    pub(crate) transitions: Vec<EndpointTransition>,
}

impl ReplayableEndpoints {
    pub(crate) fn new(rules: BreakerRules) -> Self {
        Self {
            endpoints: Endpoints::new(rules),
            rules,
            permits: BTreeMap::new(),
            issued: 0,
            record: Vec::new(),
            transitions: Vec::new(),
        }
    }

    pub(crate) fn admit(
        &mut self,
        place: usize,
        among: &[(Endpoint, String)],
        now: Moment,
    ) -> Option<PermitNumber> {
        match admit(&mut self.endpoints, place, among, now) {
            Ok(permit) => {
                let among = among.to_vec();
                Some(self.issue(permit, now, |permit| RecordedInput::Admit {
                    place,
                    among,
                    permit,
                }))
            }
            Err(Availability::Closed { .. }) => None,
            Err(open) => panic!("refused although {open:?}"),
        }
    }

    pub(crate) fn admit_nearest(
        &mut self,
        among: &[(Endpoint, String)],
        now: Moment,
    ) -> Option<(usize, PermitNumber)> {
        let pairs: Vec<_> =
            among.iter().map(|(endpoint, model)| (endpoint, model.as_str())).collect();
        let (place, permit) = self.endpoints.admit_sole_trial(&pairs, now)?;
        let among = among.to_vec();
        Some((
            place,
            self.issue(permit, now, |permit| RecordedInput::AdmitNearest { among, permit }),
        ))
    }

    fn issue(
        &mut self,
        permit: Permit,
        now: Moment,
        put: impl FnOnce(PermitNumber) -> RecordedInput,
    ) -> PermitNumber {
        let number = self.issued;
        self.issued += 1;
        self.permits.insert(number, permit);
        self.record.push((now, put(number)));
        number
    }

    pub(crate) fn answering(&mut self, permit: PermitNumber, evidence: RequestId, now: Moment) {
        self.record.push((now, RecordedInput::Answering { permit, evidence }));
        let changed = self.endpoints.answer_started(&self.permits[&permit], evidence, now);
        self.transitions.extend(changed);
    }

    pub(crate) fn report(
        &mut self,
        permit: PermitNumber,
        happened: CallOutcome,
        evidence: RequestId,
        now: Moment,
        chance: f64,
    ) {
        self.record.push((now, RecordedInput::Report { permit, happened, evidence, chance }));
        let permit = self.permits.remove(&permit).expect("a permit that is out");
        let changed = self.endpoints.report(permit, happened, evidence, now, chance);
        self.transitions.extend(changed);
    }

    pub(crate) fn release(&mut self, permit: PermitNumber, now: Moment) {
        self.record.push((now, RecordedInput::Release { permit }));
        let permit = self.permits.remove(&permit).expect("a permit that is out");
        self.endpoints.release(permit, now);
    }

    pub(crate) fn probed(
        &mut self,
        endpoint: &Endpoint,
        outcome: ProbeOutcome,
        now: Moment,
        chance: f64,
    ) {
        self.record
            .push((now, RecordedInput::Probed { endpoint: endpoint.clone(), outcome, chance }));
        self.transitions.extend(self.endpoints.report_probe(endpoint, outcome, now, chance));
    }

    pub(crate) fn key_changed(&mut self, credential: &CredentialId, now: Moment) {
        self.record.push((now, RecordedInput::KeyChanged { credential: credential.clone() }));
        self.transitions.extend(self.endpoints.lift_after_credential_change(credential, now));
    }

    /// The program ends and restarts at once: the saved states are restored.
    pub(crate) fn restart(&mut self, now: Moment) {
        self.record.push((now, RecordedInput::Restart));
        self.permits.clear();
        self.transitions.extend(self.endpoints.apply_elapsed_time(now));
        self.endpoints = restarted(&self.endpoints, self.rules, now);
    }

    /// The number of permits in use.
    pub(crate) fn permits_in_use(&self) -> usize {
        self.permits.len()
    }

    /// The state that the log alone leads to.
    pub(crate) fn replay(&self) -> Endpoints {
        let mut again = Endpoints::new(self.rules);
        let mut permits = BTreeMap::new();
        for (now, put) in self.record.iter().cloned() {
            match put {
                RecordedInput::Admit { place, among, permit } => {
                    let admitted = admit(&mut again, place, &among, now);
                    permits.insert(permit, admitted.expect("admitted as before"));
                }
                RecordedInput::AdmitNearest { among, permit } => {
                    let pairs: Vec<_> =
                        among.iter().map(|(endpoint, model)| (endpoint, model.as_str())).collect();
                    let admitted = again.admit_sole_trial(&pairs, now).expect("admitted as before");
                    permits.insert(permit, admitted.1);
                }
                RecordedInput::Answering { permit, evidence } => {
                    again.answer_started(&permits[&permit], evidence, now);
                }
                RecordedInput::Report { permit, happened, evidence, chance } => {
                    let permit = permits.remove(&permit).expect("a permit that is out");
                    again.report(permit, happened, evidence, now, chance);
                }
                RecordedInput::Release { permit } => {
                    again.release(permits.remove(&permit).expect("a permit that is out"), now);
                }
                RecordedInput::Probed { endpoint, outcome, chance } => {
                    again.report_probe(&endpoint, outcome, now, chance);
                }
                RecordedInput::KeyChanged { credential } => {
                    again.lift_after_credential_change(&credential, now);
                }
                RecordedInput::Restart => {
                    permits.clear();
                    again = restarted(&again, self.rules, now);
                }
            }
        }
        again
    }
}

/// Requests a permit for a call to one of a request's candidates.
fn admit(
    endpoints: &mut Endpoints,
    place: usize,
    among: &[(Endpoint, String)],
    now: Moment,
) -> Result<Permit, Availability> {
    let (endpoint, model) = &among[place];
    let others = among.iter().enumerate().filter(|(other, _)| *other != place);
    let others = others.map(|(_, (endpoint, model))| (endpoint, model.as_str()));
    endpoints.admit_with_alternatives(endpoint, model, others, now)
}

fn restarted(before: &Endpoints, rules: BreakerRules, now: Moment) -> Endpoints {
    let mut after = Endpoints::new(rules);
    after.restore(before.save(now), std::time::Duration::ZERO, now);
    after
}
