//! Learns from traffic: health of backends, status of keys, clients seen. A backend that answers
//! real requests needs no probe.

use std::sync::Arc;
use std::time::Duration;

use domain::{BackendId, Clock, CredentialId, Endpoint};
use endpoints::{EndpointRegistry, FailureReason, KeyGeneration, Verdict};
use gateway::{EventSink, GatewayEvent, RequestSummary};
use ledger::{KeyVerdictSource, Purpose};
use monitor::{HealthFinding, Observation, ObservationSource};
use settings::SettingsStore;

use crate::clients::activity::ClientActivity;
use crate::events::EventBus;
use crate::health::backend_watch::HealthWatch;
use crate::health::endpoint_saver::EndpointSaver;
use crate::keys::statuses::{KeyResult, KeyState, KeyStatuses};
use crate::telemetry::collector::Telemetry;
use crate::telemetry::metrics_exporter::MetricsExporter;
use crate::topic::Topic;

pub(crate) struct TrafficSink {
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) clients: Arc<ClientActivity>,
    pub(crate) saver: Arc<EndpointSaver>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
    pub(crate) metrics: Arc<MetricsExporter>,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl EventSink for TrafficSink {
    fn emit(&self, event: GatewayEvent) {
        match event {
            GatewayEvent::RequestStarted { id, client, .. } => {
                self.health.record_use();
                let changed: &[Topic] =
                    match self.clients.record_start(id, &client, self.clock.wall()) {
                        true => &[Topic::Status, Topic::Clients],
                        false => &[Topic::Status],
                    };
                self.events.send_changed(changed);
            }
            GatewayEvent::ClientSeen { client, program } => {
                self.clients.record_program(&client, program);
            }
            GatewayEvent::ClientRefused { client } => {
                self.clients.record_refusal(&client, self.clock.wall());
                self.events.send_changed(&[Topic::Clients]);
            }
            GatewayEvent::FailedOver { backend, credential, key_generation, verdict, duration } => {
                let key = credential.as_ref().map(|key| (key, key_generation));
                self.apply_attempt_result((&backend, key), verdict, duration);
            }
            GatewayEvent::RequestSettled(summary) => self.apply_settled_request(&summary),
        }
    }
}

impl TrafficSink {
    fn apply_settled_request(&self, summary: &RequestSummary) {
        self.saver.mark_unsaved();
        self.metrics.record(summary);
        self.telemetry.record(summary);
        self.clients.record_end(&summary.id);
        if summary.purpose == Purpose::User {
            self.clients.record_request(&summary.client, self.clock.wall());
            let stale = [Topic::Usage, Topic::Status, Topic::Clients, Topic::Backends];
            self.events.send_changed(&stale);
        }
        let (Some(backend), Some(verdict)) = (&summary.backend, summary.verdict) else { return };
        let duration = summary.timings.first_byte.or(summary.timings.total).unwrap_or_default();
        let key = summary.credential.as_ref().map(|key| (key, summary.key_generation));
        self.apply_attempt_result((backend, key), verdict, duration);
    }

    /// Applies the result of one attempt to the backend's health and the key's status.
    fn apply_attempt_result(
        &self,
        (backend, key): (&BackendId, Option<(&CredentialId, KeyGeneration)>),
        verdict: Verdict,
        duration: Duration,
    ) {
        let is_replaced = key.is_some_and(|(key, sent)| sent != self.keys.generation(key));
        // One rejected key among several concerns that key only; the backend still works with the
        // others.
        let is_the_keys =
            verdict == Verdict::KeyRejected && (is_replaced || self.has_usable_key(backend));
        if let Some((finding, reason)) = health_finding(verdict).filter(|_| !is_the_keys) {
            let reason = reason.to_owned();
            let observation =
                Observation { source: ObservationSource::Passive, finding, reason, duration };
            match verdict.is_unreached() {
                true => self.health.observe_unreached(backend, observation),
                false => self.health.observe(backend, observation),
            }
        }
        let Some((key, generation)) = key.filter(|_| !is_replaced) else { return };
        let now = self.clock.wall();
        self.keys.record_use(key, now);
        let (state, reason) = match verdict {
            Verdict::Success => (KeyState::Valid, None),
            Verdict::KeyRejected => {
                (KeyState::Rejected, Some(format!("the backend {backend} rejected it; replace it")))
            }
            _ => return,
        };
        let (place, source) = (backend.as_str(), KeyVerdictSource::Request);
        let result = KeyResult { key, generation, place, source, state, reason, at: now };
        if self.keys.record_result(result) {
            self.events.send_changed(&[Topic::Keys]);
        }
    }

    /// True if the backend has a key that is neither blocked nor missing from the vault.
    fn has_usable_key(&self, backend: &BackendId) -> bool {
        let settings = self.settings.current();
        let Some(known) = settings.backends.get(backend) else { return false };
        known.pool.credentials().any(|key| {
            let endpoint = Endpoint { backend: backend.clone(), credential: Some(key.clone()) };
            self.registry.status(&endpoint).block.is_none()
                && self.keys.status(key).state != KeyState::Missing
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

#[cfg(test)]
mod tests {
    use domain::{ManualClock, Origin, Secret};
    use monitor::HealthCause;
    use settings::{BackendKind, KeyPoolSettings};

    use super::*;
    use crate::Engine;
    use crate::gateway::response_cache::tests::opened_at;
    use crate::test_parts::{NOW, backend_settings, credential_settings};

    fn sink(engine: &Engine) -> TrafficSink {
        let parts = &engine.parts;
        TrafficSink {
            health: Arc::clone(&parts.backends.health),
            keys: Arc::clone(&parts.backends.keys),
            clients: Arc::clone(&parts.clients),
            saver: Arc::clone(&parts.backends.saver),
            registry: Arc::clone(&parts.backends.registry),
            settings: Arc::clone(&parts.base.settings),
            clock: Arc::clone(&parts.base.clock),
            events: parts.base.events.clone(),
            metrics: Arc::clone(&parts.metrics),
            telemetry: Arc::clone(&parts.telemetry),
        }
    }

    #[tokio::test]
    async fn what_a_request_met_with_an_earlier_key_is_not_told_of_the_present_one() {
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened_at(&home, Arc::new(ManualClock::starting_at(NOW))).await;
        let backend = BackendId::new("up").expect("a name");
        let key = CredentialId::new("up").expect("a name");
        let url = "https://api.example.com/v1";
        let mut known = backend_settings(BackendKind::OpenAiCompatible, url);
        known.pool = KeyPoolSettings::from_credential(Some(key.clone()));
        let secret = Secret::parse("sk-0123456789".to_owned()).expect("a secret");
        let origin = Origin::from_url(&known.base_url).ok();
        let bound = domain::BoundSecret::new(secret, origin.clone());
        engine.vault().put(&key, bound).await.expect("stored");
        let (place, stored) = (backend.clone(), key.clone());
        let add = move |draft: &mut settings::Settings| {
            draft.credentials.insert(stored, credential_settings(origin, NOW));
            draft.backends.insert(place, known);
        };
        engine.settings_editor().edit(add).await.expect("added");
        let (sink, keys) = (sink(&engine), &engine.parts.backends.keys);
        let failed = |key_generation| GatewayEvent::FailedOver {
            backend: backend.clone(),
            credential: Some(key.clone()),
            key_generation,
            verdict: Verdict::KeyRejected,
            duration: Duration::from_millis(5),
        };
        let cause = || engine.parts.backends.health.health(&backend).map(|it| it.cause);
        let before = cause();
        let earlier = keys.generation(&key);
        keys.forget_secret(&key, NOW);
        // The backend has no key that could be used, so a rejected one would be its health.
        keys.record_result(KeyResult {
            key: &key,
            generation: keys.generation(&key),
            place: "up",
            source: KeyVerdictSource::Check,
            state: KeyState::Missing,
            reason: None,
            at: NOW,
        });
        sink.emit(failed(earlier));
        assert_eq!(keys.status(&key).state, KeyState::Missing);
        assert_eq!(cause(), before, "the backend may accept the new key");
        sink.emit(failed(keys.generation(&key)));
        assert_eq!(keys.status(&key).state, KeyState::Rejected);
        assert_eq!(cause(), Some(HealthCause::KeyRejected));
    }
}
