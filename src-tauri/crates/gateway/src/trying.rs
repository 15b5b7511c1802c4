//! The one loop of the product: which candidate is asked next, and when it is over.
//!
//! [`Attempts`] decides and this acts, for answers, streams and vectors alike. Nothing has reached the
//! client while it runs: an [`Errand`] is done as soon as a candidate begins to answer.

use std::future::Future;
use std::time::Duration;

use domain::Access;
use resilience::{Attempts, Availability, Circumstances, FailureClass, Step};
use routing::{Candidate, Decision};
use tokio_util::sync::CancellationToken;

use crate::answer::RetryAdvice;
use crate::failure::Failure;
use crate::gateway::Gateway;
use crate::limits::RETRY_AFTER_SECS_MAX;
use crate::live::{self, Trial, Work};
use crate::reasons::Reasons;
use crate::record::Record;
use crate::snapshot::{Backend, Snapshot};

/// What candidates are tried for.
pub(crate) trait Errand: Sync {
    /// What the first candidate that can gives.
    type Answer: Send;

    /// Asks one candidate, once. A try begins with [`Record::begin_try`]; a failure before that is none
    /// of the backend's and costs no attempt.
    fn ask(
        &self,
        gateway: &Gateway,
        to: Place<'_>,
        record: &mut Record,
    ) -> impl Future<Output = Result<Self::Answer, Failure>> + Send;
}

/// Where an errand goes.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) backend: &'a Backend,
    pub(crate) candidate: &'a Candidate,
    pub(crate) share: Share,
}

/// How much of the time that is left a try may be silent for: a whole answer gives no sign of life until
/// it is ready, and one that never comes must leave time for another backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// Another backend is left to ask.
    Half,
    /// None is.
    All,
}

impl Share {
    pub(crate) fn of(self, left: Duration) -> Duration {
        match self {
            Self::Half => left / 2,
            Self::All => left,
        }
    }
}

/// What a tour works with.
#[derive(Clone, Copy)]
pub(crate) struct Tour<'a> {
    pub(crate) work: Work,
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) decision: &'a Decision,
    /// The time for answers after a stop is over.
    pub(crate) stopped: &'a CancellationToken,
}

impl<'a> Tour<'a> {
    fn candidates(&self) -> impl Iterator<Item = (&'a Access, &'a str)> {
        let candidates = self.decision.candidates.iter();
        candidates.map(|candidate| (&candidate.access, candidate.model.as_str()))
    }

    fn share(&self, candidate: &Candidate, tries: usize) -> Share {
        let attempts_max = usize::from(self.snapshot.resilience.attempts.attempts_max);
        let later = self.decision.candidates.iter().skip_while(|it| !std::ptr::eq(*it, candidate));
        let mut others = later.filter(|it| it.access.backend != candidate.access.backend);
        if tries + 1 < attempts_max && others.next().is_some() { Share::Half } else { Share::All }
    }

    fn plan(&self) -> Attempts {
        Attempts::new(self.snapshot.resilience.attempts, self.candidates())
    }
}

/// Why a candidate gave nothing.
enum Refused {
    /// It was not asked.
    NotTried(Failure),
    /// It was, and failed.
    Tried(Failure),
}

impl Gateway {
    /// Tries candidates until one begins to answer; else the failure to tell the client.
    pub(crate) async fn tour<E: Errand>(
        &self,
        errand: &E,
        tour: Tour<'_>,
        record: &mut Record,
    ) -> Result<E::Answer, Failure> {
        tokio::select! {
            biased;
            outcome = self.go_on_tour(errand, tour, record) => return outcome,
            () = tour.stopped.cancelled() => {}
        }
        let failure = Failure::stopped();
        record.failed_try(&failure);
        Err(failure)
    }

    async fn go_on_tour<E: Errand>(
        &self,
        errand: &E,
        tour: Tour<'_>,
        record: &mut Record,
    ) -> Result<E::Answer, Failure> {
        let mut reasons = Reasons::default();
        let candidates = &tour.decision.candidates;
        let mut attempts = tour.plan();
        let mut step = attempts.begin();
        loop {
            let place = match step {
                Step::Try(place) => place,
                Step::TryAfter(place, wait) => {
                    tokio::time::sleep(wait).await;
                    record.waits(wait);
                    place
                }
                Step::Stop(_) => break,
            };
            let Some(candidate) = candidates.get(place) else { break };
            step = match self.try_one(errand, tour, candidate, record).await {
                Ok(answer) => return Ok(answer),
                Err(Refused::NotTried(failure)) if failure.class == FailureClass::Local => {
                    return Err(failure);
                }
                Err(Refused::NotTried(failure)) => {
                    reasons.add(candidate, failure);
                    let at = self.circumstances(tour, record);
                    attempts.not_admitted(place, &mut self.live.budget(), at)
                }
                Err(Refused::Tried(failure)) => {
                    let said = failure.for_plan();
                    reasons.add(candidate, failure);
                    let at = self.circumstances(tour, record);
                    attempts.failed(place, said, &mut self.live.budget(), at)
                }
            };
        }
        if record.tries() > 0 {
            return Err(reasons.told());
        }
        self.last_resort(errand, tour, reasons, record).await
    }

    fn circumstances(&self, tour: Tour<'_>, record: &Record) -> Circumstances {
        let left = tour.snapshot.limits.total_timeout.saturating_sub(record.elapsed());
        Circumstances { now: self.clock().now(), left, chance: self.live.chance() }
    }

    async fn try_one<E: Errand>(
        &self,
        errand: &E,
        tour: Tour<'_>,
        candidate: &Candidate,
        record: &mut Record,
    ) -> Result<E::Answer, Refused> {
        let backend = self.reachable(tour.snapshot, candidate).map_err(Refused::NotTried)?;
        let admitted = self.live.admit(candidate, &tour.decision.candidates, backend, tour.work);
        let trial = admitted.map_err(|refused| match refused {
            live::Refused::Closed(closed) => Refused::NotTried(self.closed(candidate, &closed)),
            live::Refused::Busy(busy) => Refused::NotTried(busy.failure(&backend.id)),
        })?;
        let share = tour.share(candidate, record.tries());
        self.go(errand, Place { backend, candidate, share }, trial, record).await
    }

    async fn go<E: Errand>(
        &self,
        errand: &E,
        to: Place<'_>,
        trial: Trial,
        record: &mut Record,
    ) -> Result<E::Answer, Refused> {
        let tries = record.tries();
        record.admitted(trial);
        match errand.ask(self, to, record).await {
            Ok(answer) => Ok(answer),
            Err(failure) if record.tries() == tries => {
                record.not_tried();
                Err(Refused::NotTried(failure))
            }
            Err(failure) => {
                let mut failure = match record.tried_since() {
                    Some(since) => self.live.explained(failure, &to.backend.id, since),
                    None => failure,
                };
                record.failed_try(&failure);
                self.tell_cooldown(&mut failure, to.candidate);
                Err(Refused::Tried(failure))
            }
        }
    }

    /// All candidates are closed: the one that opens first may be tried, a request at a time, so that a
    /// backend that is back is used at once although nobody could tell.
    async fn last_resort<E: Errand>(
        &self,
        errand: &E,
        tour: Tour<'_>,
        reasons: Reasons,
        record: &mut Record,
    ) -> Result<E::Answer, Failure> {
        let reachable = |candidate| {
            let backend = self.reachable(tour.snapshot, candidate).ok()?;
            Some((candidate, backend))
        };
        let reached: Vec<_> = tour.decision.candidates.iter().filter_map(reachable).collect();
        let nearest = self.live.admit_nearest(&reached, tour.work);
        let found = nearest.and_then(|(place, trial)| {
            let (candidate, backend) = *reached.get(place)?;
            Some((Place { backend, candidate, share: Share::All }, trial))
        });
        let Some((to, trial)) = found else {
            let reopens = self.live.nearest_reopen(tour.candidates());
            return Err(reasons.all_closed(reopens));
        };
        match self.go(errand, to, trial, record).await {
            Ok(answer) => Ok(answer),
            Err(Refused::NotTried(failure) | Refused::Tried(failure)) => Err(failure.for_good()),
        }
    }

    /// A backend that limits its rate and names no wait is left alone for a while all the same: that is
    /// what its client is told.
    fn tell_cooldown(&self, failure: &mut Failure, candidate: &Candidate) {
        if failure.class != FailureClass::RateLimited
            || failure.refusal.retry != RetryAdvice::AsStatusSays
        {
            return;
        }
        let Candidate { access, model, .. } = candidate;
        if let Availability::Closed { until: Some(until), .. } =
            self.live.availability(access, model)
        {
            let wait = until.since(self.clock().now());
            let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
            failure.refusal.retry = RetryAdvice::After(wait.min(longest));
        }
    }

    fn closed(&self, candidate: &Candidate, closed: &Availability) -> Failure {
        Failure::closed(&candidate.access, closed, self.clock().now())
    }
}
