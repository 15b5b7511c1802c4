//! Why a backend that answers is degraded: the one place that every screen, command and tool asks.

use domain::{BackendId, WallTime};
use engine::Engine;
use service_levels::Degradation;
use settings::Settings;

use crate::operation::resilience::sentence_from_clause;
use crate::operation::routes::backend_availability;
use crate::view::AvailabilityState;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operation) struct BackendDegradation {
    pub(in crate::operation) by: DegradedBy,
    pub(in crate::operation) since: Option<WallTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::operation) enum DegradedBy {
    /// Measured on requests.
    Answers(Degradation),
    /// Its breaker lets more requests through step by step. The reason is a sentence.
    Recovering(String),
}

/// `None` for a backend that answers well, or about which too little is known.
pub(in crate::operation) fn backend_degradation(
    engine: &Engine,
    settings: &Settings,
    id: &BackendId,
) -> Option<BackendDegradation> {
    if let Some(degraded) = engine.quality().degraded(id) {
        let by = DegradedBy::Answers(degraded.what);
        return Some(BackendDegradation { by, since: Some(degraded.since) });
    }
    let availability = backend_availability(engine, settings, id);
    let since = availability.since.map(|since| WallTime::from_unix_ms(since.0));
    matches!(availability.state, AvailabilityState::Recovering | AvailabilityState::Trial)
        .then(|| BackendDegradation { by: DegradedBy::Recovering(availability.why), since })
}

impl BackendDegradation {
    /// Without the backend's name: "first token 4.2 s, usually 0.9 s".
    pub(in crate::operation) fn clause(&self) -> String {
        match &self.by {
            DegradedBy::Answers(what) => what.clause(),
            DegradedBy::Recovering(why) => why.trim_end_matches('.').to_owned(),
        }
    }

    /// The clause as a sentence.
    pub(in crate::operation) fn reason(&self) -> String {
        sentence_from_clause(&self.clause())
    }
}
