//! Reads what the log and the present state say of a backend.

use std::collections::BTreeMap;

use domain::{BackendId, CredentialId, Endpoint, WallTime};
use engine::{Engine, endpoints_of};
use ledger::{TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery};

use super::{EndpointRestrictions, TimelineStep, build_spans, count_trips};
use crate::ApiError;
use crate::view::BreakerStripView;

/// What held a backend back over time.
pub(in crate::operation) struct BackendRestrictions {
    /// One for each of its keys.
    pub(in crate::operation) strips: Vec<BreakerStripView>,
    /// When a breaker tripped, and why; oldest first.
    pub(in crate::operation) trips: Vec<(WallTime, &'static str)>,
    /// What was before is not kept, or not read.
    pub(in crate::operation) known_from: WallTime,
}

/// From a time on until now.
pub(in crate::operation) async fn restrictions_since(
    engine: &Engine,
    backend: &BackendId,
    from: WallTime,
) -> Result<BackendRestrictions, ApiError> {
    let to = engine.clock().wall();
    let newest_first = load_steps(engine, backend, from).await?;
    let strips = build_strips(engine, backend, &newest_first, from, to);
    let oldest = newest_first.last().filter(|_| newest_first.len() >= TRANSITIONS_PAGE_ROWS_MAX);
    let is_trip = |step: &&TimelineStep| count_trips(std::iter::once((step.from, step.to))) > 0;
    let trips = newest_first.iter().rev().filter(is_trip);
    Ok(BackendRestrictions {
        known_from: oldest.map_or(from, |step| step.at),
        trips: trips.map(|step| (step.at, step.rule.clause())).collect(),
        strips,
    })
}

/// The steps from a time on until now, newest first.
pub(super) async fn load_steps(
    engine: &Engine,
    backend: &BackendId,
    from: WallTime,
) -> Result<Vec<TimelineStep>, ApiError> {
    // Includes what happened in this very millisecond.
    let end = engine.clock().wall().plus_ms(1);
    let limit = TRANSITIONS_PAGE_ROWS_MAX;
    let query = TransitionQuery { backend: Some(backend.clone()), from, to: end, limit };
    let found = engine.ledger().transitions(query).await?;
    Ok(found.into_iter().filter_map(TimelineStep::parse).collect())
}

/// A strip for each key that the backend has or had.
pub(super) fn build_strips(
    engine: &Engine,
    backend: &BackendId,
    newest_first: &[TimelineStep],
    from: WallTime,
    to: WallTime,
) -> Vec<BreakerStripView> {
    let settings = engine.settings();
    let own = endpoints_of(&settings, engine.mock_id(), backend);
    let mut strips: BTreeMap<Option<CredentialId>, Vec<&TimelineStep>> =
        own.map(|endpoint| (endpoint.credential, Vec::new())).collect();
    for step in newest_first.iter().rev().filter(|step| step.model.is_none()) {
        strips.entry(step.credential.clone()).or_default().push(step);
    }
    let strip = |(credential, steps): (Option<CredentialId>, Vec<&TimelineStep>)| {
        let endpoint = Endpoint { backend: backend.clone(), credential };
        let now = EndpointRestrictions::from_status(&engine.endpoint_registry().status(&endpoint));
        let credential = endpoint.credential.as_ref().map(ToString::to_string);
        BreakerStripView { credential, spans: build_spans(&steps, now, from, to) }
    };
    strips.into_iter().map(strip).collect()
}
