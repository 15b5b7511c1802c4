//! When services were down, from the log of their health, and when this machine was offline.

use alerts::ServiceFact;
use domain::{HealthState, ServiceId, WallTime};
use ledger::{LedgerError, SERVICE_HEALTH_LOG_ENTRIES_MAX, WatchSpan};
use settings::ServiceSettings;

use super::gaps::unwatched;
use super::{AlertHistory, PastFacts};
use crate::health::service_level_watch::kept_time;

/// The services of today where they are today: what was at another address is another service.
pub(super) struct ServiceStates {
    services: Vec<ServicePast>,
    /// Oldest first.
    spans: Vec<WatchSpan>,
}

struct ServicePast {
    /// Without `is_down`.
    fact: ServiceFact,
    /// Changes of state, oldest first.
    states: Vec<(WallTime, HealthState)>,
}

impl AlertHistory {
    /// False if nothing is known of any service.
    pub(super) async fn read_services(
        &self,
        facts: &mut PastFacts,
        until: WallTime,
    ) -> Result<bool, LedgerError> {
        let mut services = Vec::new();
        let settings = self.settings.current();
        for (id, known) in settings.services.iter().filter(|(_, known)| known.enabled) {
            let mut log = self.ledger.service_health_log(id.clone()).await?;
            // Newest first; a full one may lack what was before.
            let is_full = log.len() >= SERVICE_HEALTH_LOG_ENTRIES_MAX;
            let oldest = log.last().map(|row| row.since).filter(|_| is_full);
            facts.know_from(oldest);
            log.retain(|row| row.address == known.address.to_string());
            let states = log.into_iter().rev().map(|row| (row.since, row.state)).collect();
            services.push(ServicePast { fact: fact_of(id, known), states });
        }
        let first = services.iter().filter_map(|it| it.states.first()).map(|(at, _)| *at).min();
        if !facts.know_from(first) {
            return Ok(false);
        }
        facts.know_from(Some(until - kept_time(&settings)));
        let spans = self.ledger.watch_spans(facts.known_from).await?;
        facts.gaps = Some(unwatched(&spans, facts.known_from, until));
        facts.changes.extend(services.iter().flat_map(|it| it.states.iter().map(|(at, _)| *at)));
        facts.changes.extend(spans.iter().flat_map(|span| [span.from, span.until]));
        facts.services = Some(ServiceStates { services, spans });
        Ok(true)
    }
}

impl ServiceStates {
    pub(super) fn is_offline(&self, at: WallTime) -> bool {
        let place = self.spans.partition_point(|span| span.from <= at);
        let span = place.checked_sub(1).and_then(|place| self.spans.get(place));
        span.is_some_and(|span| !span.is_online)
    }

    pub(super) fn at(&self, at: WallTime) -> Vec<ServiceFact> {
        let fact = |service: &ServicePast| {
            let place = service.states.partition_point(|(since, _)| *since <= at);
            let known = place.checked_sub(1).and_then(|place| service.states.get(place));
            let is_down = known.and_then(|(_, state)| state.is_up()).map(|is_up| !is_up);
            ServiceFact { is_down, ..service.fact.clone() }
        };
        self.services.iter().map(fact).collect()
    }
}

fn fact_of(id: &ServiceId, known: &ServiceSettings) -> ServiceFact {
    ServiceFact {
        id: id.clone(),
        label: known.label.clone(),
        is_local: known.address.is_loopback(),
        is_required: known.required,
        is_down: None,
        reason: String::new(),
    }
}
