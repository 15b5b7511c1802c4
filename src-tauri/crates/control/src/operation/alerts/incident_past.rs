//! What happened around an alert: the lanes of what it is about, the requests that failed, and what was
//! changed meanwhile.

use domain::{AuditOutcome, BackendId, DAY_MS, WallTime};
use engine::Engine;
use ledger::{AlertRow, AuditRow, RequestQuery, RequestState};

use crate::ApiError;
use crate::operation::audit;
use crate::operation::health::lanes_and_markers;
use crate::view::{FailedRequestsView, HealthTimelineView, IncidentEventView, IncidentSource};

/// Shown before and after an alert as a share of its length, and the least of it.
const MARGIN_SHARE: i64 = 4;
const MARGIN_MS_MIN: i64 = 600_000;
/// Longest time before an alert's end that is drawn; alerts can fire for weeks.
const SHOWN_MS_MAX: i64 = 7 * DAY_MS;
/// Failed requests that are counted.
const FAILED_COUNTED_MAX: usize = 500;
/// Most changes in a time line.
const ACTIONS_MAX: usize = 50;

/// The backends in the settings that an alert is about.
pub(in crate::operation) fn affected_backends(engine: &Engine, row: &AlertRow) -> Vec<BackendId> {
    let settings = engine.settings();
    let known = |scope: &String| {
        let id = BackendId::new(scope.as_str()).ok()?;
        settings.backends.contains_key(&id).then_some(id)
    };
    row.scopes.iter().filter_map(known).collect()
}

pub(in crate::operation) async fn timeline(
    engine: &Engine,
    row: &AlertRow,
    backends: &[BackendId],
    entries: &[AuditRow],
) -> Result<HealthTimelineView, ApiError> {
    let now = engine.clock().wall();
    let (from, to) = shown_range(row.since, row.ended, now);
    let (lanes, markers) = lanes_and_markers(engine, backends, entries, (from, to)).await?;
    Ok(HealthTimelineView {
        finding: row.title.clone(),
        from: from.into(),
        to: to.into(),
        lanes,
        markers,
    })
}

/// The alert with a margin on both sides, not past the present.
pub(in crate::operation) fn shown_range(
    since: WallTime,
    ended: Option<WallTime>,
    now: WallTime,
) -> (WallTime, WallTime) {
    let end = ended.unwrap_or(now).unix_ms();
    let since = since.unix_ms().max(end - SHOWN_MS_MAX);
    let margin = ((end - since) / MARGIN_SHARE).max(MARGIN_MS_MIN);
    let to = (end + margin).min(now.unix_ms().max(end));
    (WallTime::from_unix_ms(since - margin), WallTime::from_unix_ms(to))
}

/// Requests that failed during the alert at the backends that it is about, or all if it has no
/// scope. `None` if it is about something else, whose requests cannot be told from others.
pub(in crate::operation) async fn failed_requests(
    engine: &Engine,
    row: &AlertRow,
    backends: &[BackendId],
) -> Result<Option<FailedRequestsView>, ApiError> {
    let counted: Vec<Option<BackendId>> = match backends {
        [] if row.scopes.is_empty() => vec![None],
        [] => return Ok(None),
        some => some.iter().cloned().map(Some).collect(),
    };
    let (mut count, mut is_at_least) = (0, false);
    for backend in counted {
        let query = RequestQuery {
            since: Some(row.since),
            until: row.ended,
            state: Some(RequestState::Failed),
            backend,
            ..RequestQuery::newest(FAILED_COUNTED_MAX)
        };
        let page = engine.ledger().request_page(query).await?;
        count += page.rows.len() as u64;
        is_at_least |= page.next.is_some() || page.is_cut;
    }
    let backend = match backends {
        [only] => Some(only.to_string()),
        _ => None,
    };
    Ok(Some(FailedRequestsView { count: count.into(), is_at_least, backend }))
}

/// What was changed from `from` to `to`, by entries of the audit log, newest first.
pub(in crate::operation) fn actions(
    entries: &[AuditRow],
    from: WallTime,
    to: WallTime,
) -> Vec<IncidentEventView> {
    let is_within = |at: WallTime| from <= at && at <= to;
    let is_action = |row: &&AuditRow| {
        is_within(row.record.at)
            && row.record.outcome == AuditOutcome::Done
            // They are in the time line as what they are.
            && !row.record.operation.starts_with("incident_")
            && !row.record.operation.starts_with("alert_acknowledge")
            // They change nothing.
            && !row.record.operation.starts_with("playground_")
            && !row.record.operation.starts_with("readiness_")
    };
    let event = |row: &AuditRow| {
        let by = row.record.agent.as_ref().map_or_else(
            || row.record.caller.word().replace('-', " "),
            |agent| format!("agent {agent}"),
        );
        IncidentEventView {
            at: row.record.at.into(),
            source: IncidentSource::Action,
            text: format!("{} (by {by})", audit::change_text(&row.record)),
        }
    };
    entries.iter().filter(is_action).take(ACTIONS_MAX).map(event).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_shown_with_a_margin_that_ends_at_the_present() {
        let at = |minute: i64| WallTime::from_unix_ms(1_795_248_000_000 + minute * 60_000);
        assert_eq!(shown_range(at(0), Some(at(80)), at(500)), (at(-20), at(100)));
        assert_eq!(shown_range(at(0), Some(at(4)), at(500)), (at(-10), at(14)), "the least margin");
        assert_eq!(shown_range(at(0), Some(at(80)), at(85)), (at(-20), at(85)));
        assert_eq!(shown_range(at(0), None, at(80)), (at(-20), at(80)), "it still fires");
        let week = 7 * 1_440;
        let (from, to) = shown_range(at(0), Some(at(week + 60)), at(2 * week));
        assert_eq!((from, to), (at(60 - week / 4), at(week + 60 + week / 4)), "the end of it");
    }
}
