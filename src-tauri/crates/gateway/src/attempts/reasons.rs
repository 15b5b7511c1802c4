//! What all candidates of a request said, made into the one error that its client gets.

use std::fmt::Write;
use std::time::Duration;

use domain::{BackendId, Endpoint, Moment};
use endpoints::{BackendBusy, Verdict};
use resilience::{Availability, BlockReason, ClosedReason, FailureClass};
use routing::Candidate;
use wire::ErrorKind;

use crate::failure::{BACKEND_KEY_STATUS, Failure};
use crate::limits::RETRY_AFTER_SECS_MAX;
use crate::response::{Refusal, RetryAdvice};

/// Characters of one candidate's reason in the common error; the whole one is in the ledger.
const REASON_CHARS_MAX: usize = 200;
/// Reasons named in the common error.
const REASONS_SHOWN_MAX: usize = 5;

/// Why each candidate gave nothing, in the order of trial.
#[derive(Default)]
pub(crate) struct FailureReasons(Vec<(Endpoint, Failure)>);

impl FailureReasons {
    pub(crate) fn add(&mut self, candidate: &Candidate, failure: Failure) {
        self.0.push((candidate.access.clone(), failure));
    }

    /// The failure to tell: the last backend's, with what the others said.
    pub(crate) fn into_failure(mut self) -> Failure {
        let said = self.said();
        let tried = |(_, failure): &(Endpoint, Failure)| failure.verdict != Verdict::NotSent;
        let place = self.0.iter().rposition(tried).unwrap_or(self.0.len().saturating_sub(1));
        let accesses = self.accesses();
        if place >= self.0.len() {
            return Failure::none_ready(said, None);
        }
        let (_, mut failure) = self.0.swap_remove(place);
        if accesses > 1 && failure.class != FailureClass::BadRequest {
            failure.refusal.message = said.into();
        }
        failure.for_good()
    }

    /// None was asked: all are held back. `reopens` is when the first of them may be asked again.
    pub(crate) fn all_closed(mut self, reopens: Option<Duration>) -> Failure {
        // A request that no candidate could be asked in its words is the client's matter.
        let own = |(_, failure): &(Endpoint, Failure)| failure.class == FailureClass::BadRequest;
        if let Some(place) = self.0.iter().position(own) {
            return self.0.swap_remove(place).1;
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
            _ => Failure::none_ready(self.said(), reopens),
        }
    }

    fn accesses(&self) -> usize {
        let mut known: Vec<&Endpoint> = self.0.iter().map(|(access, _)| access).collect();
        known.sort();
        known.dedup();
        known.len()
    }

    fn said(&self) -> String {
        let mut said = String::from("No backend could answer.");
        for (access, failure) in self.0.iter().take(REASONS_SHOWN_MAX) {
            let short: String = failure.refusal.message.chars().take(REASON_CHARS_MAX).collect();
            // Writing to a string cannot fail.
            let _ = write!(said, " {access}: {short}");
        }
        said
    }
}

impl Failure {
    /// An access may not be asked now.
    pub(crate) fn closed(access: &Endpoint, closed: &Availability, now: Moment) -> Self {
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
        // An open breaker lets a trial out before its time where nothing else can answer.
        let told = left.filter(|_| why != ClosedReason::BreakerOpen);
        let message = match told {
            Some(left) => {
                format!(
                    "The backend {access} {what}. It will be tried again in {} s.",
                    seconds(left)
                )
            }
            None => format!("The backend {access} {what}."),
        };
        let refusal = Refusal::new(status, kind, code, message);
        Self { class: FailureClass::Overloaded, ..Self::not_sent(refusal) }.reopening(left)
    }

    /// The limits of the backend are reached.
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

    /// Tells the client when to come back, and not to try before by itself.
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

    /// The gateway has tried what it may: a client that tried again by itself would multiply that.
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
