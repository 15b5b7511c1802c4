//! Learns from traffic: health of backends, status of keys, clients seen. A backend that answers
//! real requests needs no probe.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::{BackendId, CredentialId, Endpoint};
use endpoints::{FailureReason, TransitionSink, Verdict};
use gateway::{EventSink, GatewayEvent, RequestSummary};
use ledger::Purpose;
use monitor::{ClockReading, HealthFinding, Observation, ObservationSource};

use crate::engine::{Engine, EngineParts};
use crate::statuses::KeyState;
use crate::topic::Topic;

pub(crate) struct TrafficSink(Weak<EngineParts>);

impl TrafficSink {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self::from_parts(Arc::downgrade(&engine.parts))
    }

    pub(crate) const fn from_parts(parts: Weak<EngineParts>) -> Self {
        Self(parts)
    }

    /// Records and announces what changes about endpoints.
    pub(crate) fn for_transitions(self) -> TransitionSink {
        Box::new(move |transitions| {
            if let Some(parts) = self.0.upgrade() {
                parts.endpoint_saver.record_transitions(&transitions);
            }
        })
    }
}

impl EventSink for TrafficSink {
    fn emit(&self, event: GatewayEvent) {
        let Some(parts) = self.0.upgrade() else { return };
        match event {
            GatewayEvent::RequestStarted { .. } => parts.events.send_changed(&[Topic::Status]),
            GatewayEvent::FailedOver { backend, credential, verdict, duration } => {
                let at = ClockReading::read(&*parts.clock);
                parts.apply_attempt_result((&backend, credential.as_ref()), verdict, duration, at);
            }
            GatewayEvent::RequestSettled(summary) => apply_settled_request(&parts, &summary),
        }
    }
}

fn apply_settled_request(parts: &EngineParts, summary: &RequestSummary) {
    parts.endpoint_saver.mark_unsaved();
    let at = ClockReading::read(&*parts.clock);
    if summary.purpose == Purpose::User {
        parts.statuses.record_client_request(&summary.client, at.wall);
        parts.request_seen.store(true, Ordering::Relaxed);
        parts.events.send_changed(&[Topic::Usage, Topic::Status, Topic::Clients, Topic::Backends]);
    }
    let (Some(backend), Some(verdict)) = (&summary.backend, summary.verdict) else { return };
    let duration = summary.timings.first_byte.or(summary.timings.total).unwrap_or_default();
    parts.apply_attempt_result((backend, summary.credential.as_ref()), verdict, duration, at);
}

impl EngineParts {
    /// Applies the result of one attempt to the backend's health and the key's status.
    fn apply_attempt_result(
        &self,
        (backend, key): (&BackendId, Option<&CredentialId>),
        verdict: Verdict,
        duration: Duration,
        at: ClockReading,
    ) {
        // One rejected key among several concerns that key only; the backend still works with the
        // others.
        let is_the_keys = verdict == Verdict::KeyRejected && self.has_usable_key(backend);
        if let Some((finding, reason)) = health_finding(verdict).filter(|_| !is_the_keys) {
            let reason = reason.to_owned();
            let observation =
                Observation { source: ObservationSource::Passive, finding, reason, duration };
            self.monitor.observe(backend, observation, at);
        }
        let Some(key) = key else { return };
        self.statuses.record_key_use(key, at.wall);
        let changed = match verdict {
            Verdict::Success => {
                self.statuses.record_key_result(key, KeyState::Valid, None, at.wall)
            }
            Verdict::KeyRejected => {
                let reason = format!("{backend} rejected it; replace it");
                self.statuses.record_key_result(key, KeyState::Rejected, Some(reason), at.wall)
            }
            _ => false,
        };
        if changed {
            self.events.send_changed(&[Topic::Keys]);
        }
    }

    /// True if the backend has a key that is neither blocked nor missing from the vault.
    fn has_usable_key(&self, backend: &BackendId) -> bool {
        let settings = self.settings.current();
        let Some(known) = settings.backends.get(backend) else { return false };
        known.pool.credentials().any(|key| {
            let endpoint = Endpoint { backend: backend.clone(), credential: Some(key.clone()) };
            self.endpoint_registry.status(&endpoint).block.is_none()
                && self.statuses.key_status(key).state != KeyState::Missing
        })
    }
}

/// What a verdict says about the backend's health; `None` if it says nothing.
const fn health_finding(verdict: Verdict) -> Option<(HealthFinding, &'static str)> {
    match verdict {
        Verdict::Success => Some((HealthFinding::Answered, "")),
        Verdict::BackendFailure(reason) => Some((HealthFinding::Failed, failure_sentence(reason))),
        Verdict::KeyRejected => Some((HealthFinding::KeyRejected, "it rejected the key")),
        Verdict::RateLimited => Some((HealthFinding::RateLimited, "its rate limit is reached")),
        Verdict::KeyUnpaid | Verdict::ClientFault | Verdict::Cancelled | Verdict::NotSent => None,
    }
}

const fn failure_sentence(reason: FailureReason) -> &'static str {
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
