//! The result of routing: ordered candidates, each with the reason for its position. Reasons are
//! values that are formatted on demand. Only the explanation stored with each request is formatted
//! at once.

use std::time::Duration;

use domain::{BackendId, CacheMode, Endpoint, RoutePolicy, TranslationMode};

use crate::exclusion::{ExcludedCandidate, ExclusionReason};
use crate::explanation;
use crate::ranking::Candidate;
use crate::request::RoutingRequest;

/// Where a request may be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Name of the rule that decided, for the ledger: a route's id, `pinned`, the model's name, or
    /// `*`.
    pub route: String,
    /// How the candidates were ordered.
    pub policy: RoutePolicy,
    /// In the order of the attempts, one for each key; never empty. Candidates that are closed at
    /// this moment come last.
    pub candidates: Vec<Candidate>,
    /// Candidates that were left out, with the reason.
    pub excluded: Vec<ExcludedCandidate>,
    /// Why the first candidate is first, in one sentence.
    pub explanation: String,
    /// How to treat fields that a backend's dialect cannot express; `None` for the backend's
    /// setting.
    pub crossing: Option<TranslationMode>,
    /// Cache mode of the route; `None` for the client's setting.
    pub cache: Option<CacheMode>,
    /// How long the conversation stays with the backend that answers; `None` if it does not.
    pub sticky: Option<Duration>,
    /// Fingerprint of the rule's definition, stable over restarts.
    pub fingerprint: u64,
}

impl Decision {
    /// Leaves out the backends that the asking client may not use; `None` if nobody is left.
    #[must_use]
    pub fn only(
        mut self,
        request: &RoutingRequest<'_>,
        may_use: impl Fn(&BackendId) -> bool,
    ) -> Option<Self> {
        let is_kept = |candidate: &Candidate| may_use(&candidate.endpoint.backend);
        if self.candidates.iter().all(is_kept) {
            return Some(self);
        }
        let (kept, left_out): (Vec<_>, Vec<_>) = self.candidates.into_iter().partition(is_kept);
        self.candidates = kept;
        let mut skipped: Vec<ExcludedCandidate> = Vec::new();
        for Candidate { endpoint: Endpoint { backend, .. }, model, .. } in left_out {
            let one = ExcludedCandidate { backend, model, reason: ExclusionReason::NotForClient };
            // A backend is a candidate once for each of its keys.
            if !skipped.contains(&one) {
                skipped.push(one);
            }
        }
        self.explanation = explanation::of_client(request, self.candidates.first()?, &skipped);
        self.excluded.extend(skipped);
        Some(self)
    }
}
