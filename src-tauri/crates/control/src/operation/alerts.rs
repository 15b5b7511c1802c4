//! Operations on alerts, silences, the inbox and incidents.

pub(in crate::operation) mod channels;
pub(in crate::operation) mod incident_past;
pub(in crate::operation) mod ladder;
pub(in crate::operation) mod noise;
pub(in crate::operation) mod rules;
pub(in crate::operation) mod trials;

use std::fmt::Write as _;

use alerts::{Alert, AlertEnding, SILENCES_MAX, Silence, SilenceMatcher};
use domain::{BackendId, DAY_MS, HealthState, WallTime};
use engine::Engine;
use ledger::{ALERT_NOTES_MAX, AlertQuery, AlertRow, SENTENCE_CHARS_MAX, TransitionQuery};

use super::audit;
use crate::ApiError;
use crate::view::{
    AlertRef, AlertSilence, AlertState, AlertView, AlertsView, FailedRequestsView, InboxEntryView,
    InboxQuery, InboxRead, InboxView, IncidentEventView, IncidentNote, IncidentSource,
    IncidentView, SilenceRef, SilenceView, SuppressedAlertView,
};

/// Most entries of one page of the inbox.
const INBOX_PAGE_MAX: u32 = 200;
/// Longest silence, in days.
const SILENCE_DAYS_MAX: i64 = 30;
/// What happened so long before an alert is part of its time line.
const LEAD_MS: i64 = 300_000;
/// Most changes of a backend in a time line.
const INCIDENT_CHANGES_MAX: usize = 200;

pub(crate) async fn alerts(engine: &Engine) -> Result<AlertsView, ApiError> {
    let watch = engine.alerts();
    let suppressed = watch.suppressed().into_iter().map(|it| SuppressedAlertView {
        rule: it.condition.rule,
        title: it.condition.title,
        by: it.by.to_string(),
    });
    Ok(AlertsView {
        alerts: watch.alerts().iter().map(|alert| alert_view(engine, alert)).collect(),
        suppressed: suppressed.collect(),
        silences: watch.silences().iter().map(silence_view).collect(),
        unread: engine.ledger().unread_alerts().await?.into(),
    })
}

pub(crate) async fn alert_acknowledge(
    engine: &Engine,
    req: AlertRef,
) -> Result<AlertsView, ApiError> {
    if !engine.alerts().acknowledge(req.number.into()).await {
        return Err(ApiError::not_found(format!("no alert with the number {} fires", req.number)));
    }
    alerts(engine).await
}

pub(crate) async fn alert_silence(
    engine: &Engine,
    req: AlertSilence,
) -> Result<SilenceView, ApiError> {
    let now = engine.clock().wall();
    let until = WallTime::from_unix_ms(req.until.0);
    if until <= now {
        return Err(ApiError::invalid("until", "name a time in the future"));
    }
    if until.unix_ms() > now.unix_ms() + SILENCE_DAYS_MAX * DAY_MS {
        let message = format!("a silence lasts at most {SILENCE_DAYS_MAX} days");
        return Err(ApiError::invalid("until", message));
    }
    check_text("reason", &req.reason)?;
    let scope = req.scope.filter(|scope| !scope.is_empty());
    check_text("scope", scope.as_deref().unwrap_or_default())?;
    let matcher = SilenceMatcher { rule: req.rule, scope };
    let added = engine.alerts().silence(matcher, req.reason, until).await;
    added.as_ref().map(silence_view).ok_or_else(|| {
        let message = format!("there are {SILENCES_MAX} silences; remove one first");
        ApiError::invalid("rule", message)
    })
}

pub(crate) async fn silence_remove(engine: &Engine, req: SilenceRef) -> Result<(), ApiError> {
    match engine.alerts().remove_silence(req.number.into()).await {
        true => Ok(()),
        false => {
            Err(ApiError::not_found(format!("there is no silence with the number {}", req.number)))
        }
    }
}

pub(crate) async fn inbox(engine: &Engine, req: InboxQuery) -> Result<InboxView, ApiError> {
    if req.limit == 0 || req.limit > INBOX_PAGE_MAX {
        return Err(ApiError::invalid("limit", format!("a number from 1 to {INBOX_PAGE_MAX}")));
    }
    let limit = usize::try_from(req.limit).unwrap_or(usize::MAX);
    let query = AlertQuery {
        before: req.before.map(Into::into),
        unread_only: req.unread_only,
        limit: limit + 1,
    };
    let mut rows = engine.ledger().alerts(query).await?;
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| has_more).map(|row| number(row.number));
    Ok(InboxView {
        entries: rows.iter().filter_map(entry_view).collect(),
        unread: engine.ledger().unread_alerts().await?.into(),
        next,
    })
}

pub(crate) async fn inbox_read(engine: &Engine, req: InboxRead) -> Result<(), ApiError> {
    Ok(engine.alerts().mark_read(req.number.map(Into::into)).await?)
}

pub(crate) async fn incident(engine: &Engine, req: AlertRef) -> Result<IncidentView, ApiError> {
    let missing = || ApiError::not_found(format!("there is no alert {}", req.number));
    let (row, notes) = engine.ledger().alert(req.number.into()).await?.ok_or_else(missing)?;
    let alert = entry_view(&row).ok_or_else(missing)?;
    let now = engine.clock().wall();
    let until = row.ended.unwrap_or(now);
    let lead = row.since.minus_ms(LEAD_MS);
    let (_, shown_until) = incident_past::shown_range(row.since, row.ended, now);
    let entries = audit::entries_until(engine, shown_until).await?;
    // Before the rest: of two events in the same millisecond the action was the cause.
    let mut events = incident_past::actions(&entries, lead, until);
    events.extend(alert_events(&row));
    events.extend(notes.into_iter().map(|note| event(note.at, IncidentSource::Note, note.note)));
    for backend in row.scopes.iter().filter_map(|scope| BackendId::new(scope.as_str()).ok()) {
        add_backend_events(engine, &row, &backend, &mut events).await?;
    }
    events.sort_by_key(|event| event.at);
    let backends = incident_past::affected_backends(engine, &row);
    let failed = incident_past::failed_requests(engine, &row, &backends).await?;
    let timeline = incident_past::timeline(engine, &row, &backends, &entries).await?;
    let markdown = incident_markdown(&alert, failed.as_ref(), &events);
    Ok(IncidentView { alert, failed, timeline, events, markdown })
}

pub(crate) async fn incident_note(
    engine: &Engine,
    req: IncidentNote,
) -> Result<IncidentView, ApiError> {
    check_text("note", &req.note)?;
    if req.note.trim().is_empty() {
        return Err(ApiError::invalid("note", "write something"));
    }
    let found = engine.ledger().alert(req.number.into()).await?;
    if found.is_some_and(|(_, notes)| notes.len() >= ALERT_NOTES_MAX) {
        let message = format!("an alert has at most {ALERT_NOTES_MAX} notes");
        return Err(ApiError::invalid("note", message));
    }
    engine.alerts().add_note(req.number.into(), req.note.trim().to_owned()).await?;
    incident(engine, AlertRef { number: req.number }).await
}

fn check_text(field: &'static str, text: &str) -> Result<(), ApiError> {
    match text.chars().count() > SENTENCE_CHARS_MAX {
        true => Err(ApiError::invalid(field, format!("at most {SENTENCE_CHARS_MAX} characters"))),
        false => Ok(()),
    }
}

/// Numbers count alerts and silences; more than four billion are never reached.
fn number(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn alert_view(engine: &Engine, alert: &Alert) -> AlertView {
    let condition = &alert.condition;
    AlertView {
        number: alert.number.map(number),
        rule: condition.rule,
        group: condition.rule.row().group,
        severity: condition.severity,
        state: match (alert.is_firing(), alert.is_ending) {
            (false, _) => AlertState::Pending,
            (true, false) => AlertState::Firing,
            (true, true) => AlertState::Ending,
        },
        scopes: condition.scopes.iter().cloned().collect(),
        title: condition.title.clone(),
        detail: condition.detail.clone(),
        path: condition.path.clone(),
        since: alert.since.into(),
        fired_at: alert.fired_at.map(Into::into),
        acknowledged_at: alert.acknowledged_at.map(Into::into),
        notified_at: alert.notified_at.map(Into::into),
        silenced_by: engine.alerts().silence_of(alert).map(|silence| number(silence.number)),
        silence_scope: condition.silence_scope().map(str::to_owned),
    }
}

fn silence_view(silence: &Silence) -> SilenceView {
    SilenceView {
        number: number(silence.number),
        rule: silence.matcher.rule,
        scope: silence.matcher.scope.clone(),
        reason: silence.reason.clone(),
        created_at: silence.created.into(),
        until: silence.until.into(),
    }
}

/// `None` for an alert of a rule that this version does not have.
fn entry_view(row: &AlertRow) -> Option<InboxEntryView> {
    Some(InboxEntryView {
        number: number(row.number),
        rule: row.rule.parse().ok()?,
        severity: row.severity.parse().ok()?,
        scopes: row.scopes.clone(),
        title: row.title.clone(),
        detail: row.detail.clone(),
        path: row.path.clone(),
        since: row.since.into(),
        fired_at: row.fired.into(),
        ended_at: row.ended.map(Into::into),
        ending: row.ending.as_ref().and_then(|ending| ending.parse().ok()),
        acknowledged_at: row.acknowledged.map(Into::into),
        notified_at: row.notified.map(Into::into),
        is_read: row.is_read,
    })
}

fn event(at: WallTime, source: IncidentSource, text: String) -> IncidentEventView {
    IncidentEventView { at: at.into(), source, text }
}

fn alert_events(row: &AlertRow) -> Vec<IncidentEventView> {
    let own = |at, text: &str| event(at, IncidentSource::Alert, text.to_owned());
    let mut events = vec![own(row.fired, "The alert fired.")];
    events.extend(row.notified.map(|at| own(at, "A notification was shown.")));
    events.extend(row.acknowledged.map(|at| own(at, "The alert was acknowledged.")));
    events.extend(row.ended.map(|at| {
        own(
            at,
            match row.ending.as_deref().and_then(|it| it.parse().ok()) {
                Some(AlertEnding::Resolved) => "The alert was resolved.",
                Some(AlertEnding::Removed) => {
                    "The alert ended: what it was about was removed or switched off."
                }
                Some(AlertEnding::SwitchedOff) => "The alert ended: its rule was switched off.",
                Some(AlertEnding::Unknown) | None => "The alert ended: nothing is known any more.",
            },
        )
    }));
    events
}

async fn add_backend_events(
    engine: &Engine,
    row: &AlertRow,
    backend: &BackendId,
    events: &mut Vec<IncidentEventView>,
) -> Result<(), ApiError> {
    let from = row.since.minus_ms(LEAD_MS);
    let to = row.ended.unwrap_or_else(|| engine.clock().wall());
    let (ledger, limit) = (engine.ledger(), INCIDENT_CHANGES_MAX);
    for change in ledger.health_log_between(backend.clone(), (from, to), limit).await? {
        let state = match change.to {
            HealthState::Up => "is up",
            HealthState::Down => "is down",
            HealthState::Unknown => "has an unknown state",
        };
        let text = format!("{backend} {state}: {}", change.reason);
        events.push(event(change.at, IncidentSource::Health, text));
    }
    let to = to.plus_ms(1);
    let query =
        TransitionQuery { backend: Some(backend.clone()), from, to, limit: INCIDENT_CHANGES_MAX };
    for change in engine.ledger().transitions(query).await? {
        let text = format!("{backend}: {} → {} ({})", change.from, change.to, change.rule);
        events.push(event(change.at, IncidentSource::Breaker, text));
    }
    Ok(())
}

fn incident_markdown(
    alert: &InboxEntryView,
    failed: Option<&FailedRequestsView>,
    events: &[IncidentEventView],
) -> String {
    let time = |at: crate::view::UnixMs| WallTime::from_unix_ms(at.0).to_rfc3339();
    let mut text = format!("# {}\n\n{}\n\n", escape(&alert.title), escape(&alert.detail));
    let ended = alert.ended_at.map_or_else(|| "not yet".to_owned(), time);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "- Rule: {}\n- Severity: {}\n- Began: {}\n- Ended: {ended}\n",
        alert.rule,
        alert.severity,
        time(alert.since),
    );
    if let Some(failed) = failed {
        let more = if failed.is_at_least { "at least " } else { "" };
        let _ = writeln!(text, "- Failed requests: {more}{}", failed.count.0);
    }
    text.push_str("\n## Time line\n\n");
    for event in events {
        let _ = writeln!(text, "- {} ({}): {}", time(event.at), event.source, escape(&event.text));
    }
    text
}

/// One line without keys and paths, whose signs mean nothing in Markdown.
fn escape(text: &str) -> String {
    let text = domain::one_line(&domain::redact_outbound(text), usize::MAX);
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_cannot_become_markup() {
        assert_eq!(escape("# a [b](c)\n<d>"), "\\# a \\[b\\](c) \\<d\\>");
        assert_eq!(escape("In /home/jo/.env"), "In (a path)");
    }
}
