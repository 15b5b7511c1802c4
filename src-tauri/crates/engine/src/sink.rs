//! Learns from traffic: health of backends, status of keys, clients seen. A backend that answers
//! real requests needs no probe.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::{Access, BackendId, CredentialId};
use gateway::{EventSink, FailureReason, GatewayEvent, RequestSummary, Verdict};
use ledger::Purpose;
use monitor::{Finding, Observation, Reading, Source};

use crate::engine::{Engine, Parts};
use crate::events::Topic;
use crate::resilience;
use crate::standing::KeyState;

pub(crate) struct TrafficSink(Weak<Parts>);

impl TrafficSink {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self::of(Arc::downgrade(&engine.parts))
    }

    pub(crate) const fn of(parts: Weak<Parts>) -> Self {
        Self(parts)
    }
}

impl EventSink for TrafficSink {
    fn emit(&self, event: GatewayEvent) {
        let Some(parts) = self.0.upgrade() else { return };
        match event {
            GatewayEvent::RequestStarted { .. } => parts.events.changed(&[Topic::Status]),
            GatewayEvent::AccessesChanged(transitions) => {
                resilience::changed(&parts, &transitions);
            }
            GatewayEvent::FailedOver { backend, credential, verdict, duration } => {
                let at = Reading::of(&*parts.clock);
                parts.learn((&backend, credential.as_ref()), verdict, duration, at);
            }
            GatewayEvent::RequestSettled(summary) => settled(&parts, &summary),
        }
    }
}

fn settled(parts: &Parts, summary: &RequestSummary) {
    parts.access_log.learnt();
    let at = Reading::of(&*parts.clock);
    if summary.purpose == Purpose::User {
        parts.standings.note_client(&summary.client, at.wall);
        parts.request_seen.store(true, Ordering::Relaxed);
        parts.events.changed(&[Topic::Usage, Topic::Status, Topic::Clients, Topic::Backends]);
    }
    let (Some(backend), Some(verdict)) = (&summary.backend, summary.verdict) else { return };
    let duration = summary.timings.first_byte.or(summary.timings.total).unwrap_or_default();
    parts.learn((backend, summary.credential.as_ref()), verdict, duration, at);
}

impl Parts {
    /// Applies the result of one attempt to the backend's health and the key's status.
    fn learn(
        &self,
        (backend, key): (&BackendId, Option<&CredentialId>),
        verdict: Verdict,
        duration: Duration,
        at: Reading,
    ) {
        // One rejected key among several concerns that key only; the backend still works with the
        // others.
        let is_the_keys = verdict == Verdict::KeyRejected && self.has_key_left(backend);
        if let Some((finding, reason)) = finding(verdict).filter(|_| !is_the_keys) {
            let reason = reason.to_owned();
            let observation = Observation { source: Source::Passive, finding, reason, duration };
            self.monitor.observe(backend, observation, at);
        }
        let Some(key) = key else { return };
        self.standings.note_use(key, at.wall);
        let changed = match verdict {
            Verdict::Success => self.standings.note_key(key, KeyState::Valid, None, at.wall),
            Verdict::KeyRejected => {
                let reason = format!("{backend} rejected it; replace it");
                self.standings.note_key(key, KeyState::Rejected, Some(reason), at.wall)
            }
            _ => false,
        };
        if changed {
            self.events.changed(&[Topic::Keys]);
        }
    }

    /// True if the backend has a key that is neither blocked nor missing from the vault.
    fn has_key_left(&self, backend: &BackendId) -> bool {
        let settings = self.settings.current();
        let Some(known) = settings.backends.get(backend) else { return false };
        known.pool.credentials().any(|key| {
            let access = Access { backend: backend.clone(), credential: Some(key.clone()) };
            self.live.standing(&access).block.is_none()
                && self.standings.key(key).state != KeyState::Missing
        })
    }
}

/// What a verdict says about the backend's health; `None` if it says nothing.
const fn finding(verdict: Verdict) -> Option<(Finding, &'static str)> {
    match verdict {
        Verdict::Success => Some((Finding::Answered, "")),
        Verdict::BackendFailure(reason) => Some((Finding::Failed, sentence(reason))),
        Verdict::KeyRejected => Some((Finding::KeyRejected, "it rejected the key")),
        Verdict::RateLimited => Some((Finding::RateLimited, "its rate limit is reached")),
        Verdict::KeyUnpaid | Verdict::ClientFault | Verdict::Cancelled | Verdict::NotSent => None,
    }
}

const fn sentence(reason: FailureReason) -> &'static str {
    match reason {
        FailureReason::Dns => "its name could not be resolved",
        FailureReason::Connect => "it could not be reached",
        FailureReason::Tls => "no secure connection could be made",
        FailureReason::Timeout => "it did not answer in time",
        FailureReason::Broken => "its response was cut off",
        FailureReason::Unreadable => "its response could not be read",
        FailureReason::Status => "it reported an internal error",
        FailureReason::Overloaded => "it is overloaded",
        FailureReason::Redirected => "it redirected the request to another address",
    }
}
