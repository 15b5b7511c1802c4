//! Combines the failures of all candidates into the one error that the client gets.

use std::fmt::Write;
use std::time::Duration;

use domain::{BackendId, Endpoint, Moment};
use endpoints::{BackendBusy, Verdict};
use resilience::{Availability, BlockReason, ClosedReason, FailureClass};
use routing::Candidate;
use wire::ErrorKind;

use crate::handle::failure::{BACKEND_KEY_STATUS, Failure};
use crate::handle::response::{Refusal, RetryAdvice};
use crate::limits::RETRY_AFTER_SECS_MAX;

/// Characters of one candidate's reason in the combined error; the ledger has the full text.
const REASON_CHARS_MAX: usize = 200;
/// Reasons named in the combined error.
const REASONS_SHOWN_MAX: usize = 5;

/// Why each candidate failed, in the order of the attempts.
#[derive(Default)]
pub(crate) struct FailureReasons(Vec<(Endpoint, Failure)>);

impl FailureReasons {
    pub(crate) fn add(&mut self, candidate: &Candidate, failure: Failure) {
        self.0.push((candidate.endpoint.clone(), failure));
    }

    /// Forgets why `candidate` was refused: it is asked after all.
    pub(crate) fn remove(&mut self, candidate: &Candidate) {
        self.0.retain(|(endpoint, _)| *endpoint != candidate.endpoint);
    }

    /// The failure of the last backend that was asked, with the reasons of the others.
    pub(crate) fn into_failure(mut self) -> Failure {
        let said = self.said();
        let was_sent = |(_, failure): &(Endpoint, Failure)| failure.verdict != Verdict::NotSent;
        let index = self.0.iter().rposition(was_sent).unwrap_or(self.0.len().saturating_sub(1));
        let endpoints = self.endpoints();
        if index >= self.0.len() {
            return Failure::none_ready(said, None);
        }
        let (_, mut failure) = self.0.swap_remove(index);
        if endpoints > 1 && failure.class != FailureClass::BadRequest {
            failure.refusal.message = said.into();
        }
        failure.for_good()
    }

    /// The failure when no candidate could be asked. `reopens` is the time until the first of them may be
    /// asked again.
    pub(crate) fn all_closed(mut self, reopens: Option<Duration>) -> Failure {
        // A request that cannot be written in a candidate's dialect is the client's fault.
        let own = |(_, failure): &(Endpoint, Failure)| failure.class == FailureClass::BadRequest;
        if let Some(index) = self.0.iter().position(own) {
            return self.0.swap_remove(index).1;
        }
        match self.0.as_slice() {
            [_] => match self.0.pop() {
                Some((_, failure)) => failure.reopening(reopens),
                None => Failure::none_ready(String::new(), reopens),
            },
            all if all.iter().all(|(_, failure)| failure.refusal.kind == ErrorKind::BackendKey) => {
                let code = "backend_key_rejected";
                let said = self.said();
                let refusal = Refusal::new(BACKEND_KEY_STATUS, ErrorKind::BackendKey, code, said);
                Failure::not_sent(refusal).reopening(reopens)
            }
            // One cause on this machine, such as a locked vault.
            all if all.iter().all(|(_, failure)| failure.class == FailureClass::Local) => {
                self.0.swap_remove(0).1
            }
            _ => Failure::none_ready(self.said(), reopens),
        }
    }

    fn endpoints(&self) -> usize {
        let mut known: Vec<&Endpoint> = self.0.iter().map(|(endpoint, _)| endpoint).collect();
        known.sort();
        known.dedup();
        known.len()
    }

    fn said(&self) -> String {
        let mut said = String::from("No backend could answer.");
        for (endpoint, failure) in self.0.iter().take(REASONS_SHOWN_MAX) {
            let short: String = failure.refusal.message.chars().take(REASON_CHARS_MAX).collect();
            // Writing to a string cannot fail.
            let _ = write!(said, " {endpoint}: {short}");
        }
        said
    }
}

impl Failure {
    /// The endpoint may not be asked now.
    pub(crate) fn closed(endpoint: &Endpoint, closed: &Availability, now: Moment) -> Self {
        let (why, until) = match closed {
            Availability::Closed { reason: why, until } => (*why, *until),
            _ => (ClosedReason::HalfOpenBusy, None),
        };
        let left = until.map(|until| until.since(now));
        let (status, kind, code, what) = match why {
            ClosedReason::CoolingDown(_) => {
                (429, ErrorKind::RateLimit, "rate_limited", "is rate limited")
            }
            ClosedReason::Blocked(BlockReason::Unpaid | BlockReason::QuotaExhausted) => {
                (429, ErrorKind::Billing, "insufficient_quota", "is out of credit or quota")
            }
            ClosedReason::Blocked(BlockReason::KeyRejected | BlockReason::Forbidden) => (
                BACKEND_KEY_STATUS,
                ErrorKind::BackendKey,
                "backend_key_rejected",
                "rejected its key; replace the key in Gatehouse (your local token is fine)",
            ),
            ClosedReason::BreakerOpen => (
                503,
                ErrorKind::Overloaded,
                "overloaded",
                "failed repeatedly, so its breaker is tripped; single requests test whether it has \
                 recovered",
            ),
            ClosedReason::HalfOpenBusy => (
                503,
                ErrorKind::Overloaded,
                "overloaded",
                "failed repeatedly; another request is testing whether it has recovered",
            ),
            ClosedReason::ForcedOpen => {
                (503, ErrorKind::Overloaded, "overloaded", "is blocked manually in Gatehouse")
            }
        };
        // An open breaker admits a trial early if nothing else can answer, so its time is not stated.
        let stated = left.filter(|_| why != ClosedReason::BreakerOpen);
        let message = match stated {
            Some(left) => {
                format!(
                    "The backend {endpoint} {what}. It will be tried again in {} s.",
                    seconds(left)
                )
            }
            None => format!("The backend {endpoint} {what}."),
        };
        let refusal = Refusal::new(status, kind, code, message);
        Self { class: FailureClass::Overloaded, ..Self::not_sent(refusal) }.reopening(left)
    }

    /// The backend's limits are reached.
    pub(crate) fn busy(backend: &BackendId, busy: &BackendBusy) -> Self {
        let message = format!("The backend {backend} {}.", busy.reason);
        let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
        let wait = busy.wait.unwrap_or(Duration::from_secs(1)).min(longest);
        let refusal = Refusal::new(503, ErrorKind::Overloaded, "backend_limit", message)
            .retry(RetryAdvice::After(wait));
        Self { class: FailureClass::Overloaded, ..Self::not_sent(refusal) }
    }

    /// No candidate may be asked now.
    fn none_ready(message: String, reopens: Option<Duration>) -> Self {
        let refusal = Refusal::new(503, ErrorKind::Overloaded, "overloaded", message);
        Self::not_sent(refusal).reopening(reopens)
    }

    /// Tells the client when to retry, and not to retry before. Keeps a wait that is already stated.
    fn reopening(mut self, reopens: Option<Duration>) -> Self {
        if let RetryAdvice::After(_) = self.refusal.retry {
            return self;
        }
        let longest = Duration::from_secs(RETRY_AFTER_SECS_MAX);
        self.refusal.retry = match reopens {
            Some(wait) => RetryAdvice::NotBefore(wait.min(longest)),
            None => RetryAdvice::Never,
        };
        self
    }

    /// Tells the client not to retry a backend's failure by itself: the gateway has used its attempts, and
    /// the client's retries would multiply them.
    pub(crate) fn for_good(mut self) -> Self {
        let is_backends = matches!(self.verdict, Verdict::BackendFailure(_));
        if is_backends && self.refusal.retry == RetryAdvice::AsStatusSays {
            self.refusal.retry = RetryAdvice::Never;
        }
        self
    }
}

fn seconds(left: Duration) -> u64 {
    left.as_secs() + u64::from(left.subsec_nanos() > 0)
}
