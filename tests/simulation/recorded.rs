//! The accesses with a log of all their inputs, for replay. Replay reveals a state that depends on
//! anything else, such as on reads.

use std::collections::BTreeMap;

use domain::{Access, CredentialId, Moment, RequestId};
use resilience::{
    Accesses, Availability, BreakerRules, Happened, Permit, ProbeOutcome, Transition,
};

/// The number of a permit in the log.
pub(crate) type PermitNumber = usize;

#[derive(Debug, Clone)]
enum Put {
    Admit { place: usize, among: Vec<(Access, String)>, permit: PermitNumber },
    AdmitNearest { among: Vec<(Access, String)>, permit: PermitNumber },
    Answering { permit: PermitNumber, evidence: RequestId },
    Report { permit: PermitNumber, happened: Happened, evidence: RequestId, chance: f64 },
    Release { permit: PermitNumber },
    Probed { access: Access, outcome: ProbeOutcome, chance: f64 },
    KeyChanged { credential: CredentialId },
    Restart,
}

/// [`Accesses`] and the log of its inputs.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) accesses: Accesses,
    rules: BreakerRules,
    permits: BTreeMap<PermitNumber, Permit>,
    issued: PermitNumber,
    record: Vec<(Moment, Put)>,
    /// Transitions that the checker has not seen yet.
    pub(crate) transitions: Vec<Transition>,
}

impl Recorded {
    pub(crate) fn new(rules: BreakerRules) -> Self {
        Self {
            accesses: Accesses::new(rules),
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
        among: &[(Access, String)],
        now: Moment,
    ) -> Option<PermitNumber> {
        match admit(&mut self.accesses, place, among, now) {
            Ok(permit) => {
                let among = among.to_vec();
                Some(self.issue(permit, now, |permit| Put::Admit { place, among, permit }))
            }
            Err(Availability::Closed { .. }) => None,
            Err(open) => panic!("refused although {open:?}"),
        }
    }

    pub(crate) fn admit_nearest(
        &mut self,
        among: &[(Access, String)],
        now: Moment,
    ) -> Option<(usize, PermitNumber)> {
        let pairs: Vec<_> = among.iter().map(|(access, model)| (access, model.as_str())).collect();
        let (place, permit) = self.accesses.admit_nearest(&pairs, now)?;
        let among = among.to_vec();
        Some((place, self.issue(permit, now, |permit| Put::AdmitNearest { among, permit })))
    }

    fn issue(
        &mut self,
        permit: Permit,
        now: Moment,
        put: impl FnOnce(PermitNumber) -> Put,
    ) -> PermitNumber {
        let number = self.issued;
        self.issued += 1;
        self.permits.insert(number, permit);
        self.record.push((now, put(number)));
        number
    }

    pub(crate) fn answering(&mut self, permit: PermitNumber, evidence: RequestId, now: Moment) {
        self.record.push((now, Put::Answering { permit, evidence }));
        let changed = self.accesses.answering(&self.permits[&permit], evidence, now);
        self.transitions.extend(changed);
    }

    pub(crate) fn report(
        &mut self,
        permit: PermitNumber,
        happened: Happened,
        evidence: RequestId,
        now: Moment,
        chance: f64,
    ) {
        self.record.push((now, Put::Report { permit, happened, evidence, chance }));
        let permit = self.permits.remove(&permit).expect("a permit that is out");
        let changed = self.accesses.report(permit, happened, evidence, now, chance);
        self.transitions.extend(changed);
    }

    pub(crate) fn release(&mut self, permit: PermitNumber, now: Moment) {
        self.record.push((now, Put::Release { permit }));
        let permit = self.permits.remove(&permit).expect("a permit that is out");
        self.accesses.release(permit, now);
    }

    pub(crate) fn probed(
        &mut self,
        access: &Access,
        outcome: ProbeOutcome,
        now: Moment,
        chance: f64,
    ) {
        self.record.push((now, Put::Probed { access: access.clone(), outcome, chance }));
        self.transitions.extend(self.accesses.probed(access, outcome, now, chance));
    }

    pub(crate) fn key_changed(&mut self, credential: &CredentialId, now: Moment) {
        self.record.push((now, Put::KeyChanged { credential: credential.clone() }));
        self.transitions.extend(self.accesses.credential_changed(credential, now));
    }

    /// The program ends and restarts at once: the saved states are restored.
    pub(crate) fn restart(&mut self, now: Moment) {
        self.record.push((now, Put::Restart));
        self.permits.clear();
        self.transitions.extend(self.accesses.lapse(now));
        self.accesses = restarted(&self.accesses, self.rules, now);
    }

    /// The number of permits in use.
    pub(crate) fn out(&self) -> usize {
        self.permits.len()
    }

    /// The state that the log alone leads to.
    pub(crate) fn replayed(&self) -> Accesses {
        let mut again = Accesses::new(self.rules);
        let mut permits = BTreeMap::new();
        for (now, put) in self.record.iter().cloned() {
            match put {
                Put::Admit { place, among, permit } => {
                    let admitted = admit(&mut again, place, &among, now);
                    permits.insert(permit, admitted.expect("admitted as before"));
                }
                Put::AdmitNearest { among, permit } => {
                    let pairs: Vec<_> =
                        among.iter().map(|(access, model)| (access, model.as_str())).collect();
                    let admitted = again.admit_nearest(&pairs, now).expect("admitted as before");
                    permits.insert(permit, admitted.1);
                }
                Put::Answering { permit, evidence } => {
                    again.answering(&permits[&permit], evidence, now);
                }
                Put::Report { permit, happened, evidence, chance } => {
                    let permit = permits.remove(&permit).expect("a permit that is out");
                    again.report(permit, happened, evidence, now, chance);
                }
                Put::Release { permit } => {
                    again.release(permits.remove(&permit).expect("a permit that is out"), now);
                }
                Put::Probed { access, outcome, chance } => {
                    again.probed(&access, outcome, now, chance);
                }
                Put::KeyChanged { credential } => {
                    again.credential_changed(&credential, now);
                }
                Put::Restart => {
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
    accesses: &mut Accesses,
    place: usize,
    among: &[(Access, String)],
    now: Moment,
) -> Result<Permit, Availability> {
    let (access, model) = &among[place];
    let others = among.iter().enumerate().filter(|(other, _)| *other != place);
    let others = others.map(|(_, (access, model))| (access, model.as_str()));
    accesses.admit_beside(access, model, others, now)
}

fn restarted(before: &Accesses, rules: BreakerRules, now: Moment) -> Accesses {
    let mut after = Accesses::new(rules);
    after.restore(before.save(now), std::time::Duration::ZERO, now);
    after
}
