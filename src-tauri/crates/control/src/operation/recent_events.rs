//! What happened lately, of all sources, newest first.

use std::collections::HashMap;

use ::resilience::TransitionState as State;
use domain::{AuditOutcome, DAY_MS, HealthState, WallTime};
use engine::{Engine, backend_labels};
use ledger::{AlertQuery, AuditQuery, AuditRow, TransitionQuery, TransitionRecord};

use crate::operation::audit;
use crate::operation::resilience::sentence_from_clause;
use crate::view::{ReadinessVerdict, RecentEventKind, RecentEventView, RecentEventsQuery};
use crate::{ApiError, OPERATIONS, Tone};

/// Most events of one call.
const EVENTS_MAX: u32 = 100;
/// How many more entries of a source are read than shown, since some are left out.
const READ_FACTOR: usize = 4;
/// How far back transitions are read.
const TRANSITIONS_MS: i64 = 30 * DAY_MS;

pub(crate) async fn recent_events(
    engine: &Engine,
    req: RecentEventsQuery,
) -> Result<Vec<RecentEventView>, ApiError> {
    if !(1..=EVENTS_MAX).contains(&req.limit) {
        return Err(ApiError::invalid("limit", format!("a number from 1 to {EVENTS_MAX}")));
    }
    let limit = usize::try_from(req.limit).unwrap_or(usize::MAX);
    let settings = engine.settings();
    let labels = Labels(backend_labels(&settings, engine.mock_id()));
    let mut events = health_events(engine, &labels, limit * READ_FACTOR).await?;
    events.extend(breaker_events(engine, &labels, limit * READ_FACTOR).await?);
    events.extend(alert_events(engine, limit).await?);
    let audit = AuditQuery { limit: limit * READ_FACTOR, ..AuditQuery::default() };
    let changes = engine.ledger().audit_log(audit).await?;
    events.extend(changes.iter().filter_map(change_event));
    events.extend(engine.ledger().runs(limit).await?.iter().map(run_event));
    Ok(newest(events, req.kind, limit))
}

fn newest(
    mut events: Vec<RecentEventView>,
    kind: Option<RecentEventKind>,
    limit: usize,
) -> Vec<RecentEventView> {
    events.retain(|event| kind.is_none_or(|kind| event.kind == kind));
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    events.truncate(limit);
    events
}

/// Display names of backends.
struct Labels(HashMap<String, String>);

impl Labels {
    fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| id.to_owned())
    }
}

/// Outages and their ends. That a result went stale says nothing about the backend.
async fn health_events(
    engine: &Engine,
    labels: &Labels,
    limit: usize,
) -> Result<Vec<RecentEventView>, ApiError> {
    let changes = engine.ledger().newest_health_changes(limit).await?;
    let event = |change: &ledger::HealthChange| {
        let label = labels.of(change.backend.as_str());
        let (tone, title, detail) = match (change.from, change.to) {
            (_, HealthState::Down) => {
                (Tone::Bad, format!("{label} is down"), sentence_from_clause(&change.reason))
            }
            (Some(HealthState::Down), HealthState::Up) => {
                (Tone::Ok, format!("{label} is up again"), String::new())
            }
            _ => return None,
        };
        Some(RecentEventView {
            at: change.at.into(),
            kind: RecentEventKind::Health,
            tone,
            title,
            detail,
            path: Some(format!("/backends/{}", change.backend)),
        })
    };
    Ok(changes.iter().filter_map(event).collect())
}

async fn breaker_events(
    engine: &Engine,
    labels: &Labels,
    limit: usize,
) -> Result<Vec<RecentEventView>, ApiError> {
    let now = engine.clock().wall().unix_ms();
    let query = TransitionQuery {
        backend: None,
        from: WallTime::from_unix_ms(now - TRANSITIONS_MS),
        to: WallTime::from_unix_ms(now.saturating_add(1)),
        limit,
    };
    let steps = engine.ledger().transitions(query).await?;
    Ok(steps.iter().filter_map(|step| breaker_event(step, labels)).collect())
}

/// Trips, blocks and recoveries. What lies between is in the backend's own time line.
fn breaker_event(step: &TransitionRecord, labels: &Labels) -> Option<RecentEventView> {
    let (from, to): (State, State) = (step.from.parse().ok()?, step.to.parse().ok()?);
    let rule: ::resilience::TransitionCause = step.rule.parse().ok()?;
    let label = labels.of(step.endpoint.backend.as_str());
    let (tone, title) = match (from, to) {
        (State::HalfOpen, State::Open) => return None,
        (_, State::Open) => (Tone::Bad, format!("{label} tripped")),
        (_, State::Blocked) => (Tone::Bad, format!("{label} is blocked")),
        (State::HalfOpen | State::Recovering, State::Closed) => {
            (Tone::Ok, format!("{label} has recovered"))
        }
        _ => return None,
    };
    Some(RecentEventView {
        at: step.at.into(),
        kind: RecentEventKind::Breaker,
        tone,
        title,
        detail: sentence_from_clause(rule.clause()),
        path: Some(format!("/backends/{}", step.endpoint.backend)),
    })
}

async fn alert_events(engine: &Engine, limit: usize) -> Result<Vec<RecentEventView>, ApiError> {
    let rows = engine.ledger().alerts(AlertQuery { limit, ..AlertQuery::default() }).await?;
    let mut events = Vec::new();
    for row in rows {
        let event = |at: WallTime, tone, title: String| RecentEventView {
            at: at.into(),
            kind: RecentEventKind::Alert,
            tone,
            title,
            detail: row.detail.clone(),
            path: Some(format!("/alerts/{}", row.number)),
        };
        events.push(event(row.fired, Tone::Warn, format!("Alert: {}", row.title)));
        let ended = row.ended.map(|at| event(at, Tone::Ok, format!("Ended: {}", row.title)));
        events.extend(ended);
    }
    Ok(events)
}

/// Calls that changed the settings or a key.
fn change_event(AuditRow { record, .. }: &AuditRow) -> Option<RecentEventView> {
    let operation = record.operation.as_str();
    let is_known = OPERATIONS.iter().any(|known| known.name == operation);
    let is_key = is_known && operation.starts_with("key");
    let is_told =
        audit::changed_settings(record) || (is_key && record.outcome == AuditOutcome::Done);
    let agent = record.agent.as_ref();
    is_told.then(|| RecentEventView {
        at: record.at.into(),
        kind: if is_key { RecentEventKind::Key } else { RecentEventKind::Settings },
        tone: Tone::Info,
        title: audit::change_text(record),
        detail: agent.map(|agent| format!("By the agent {agent}.")).unwrap_or_default(),
        path: match record.subject.as_ref().filter(|_| is_key) {
            Some(subject) => Some(format!("/keys/{subject}")),
            None => Some("/settings?part=Audit%20log".to_owned()),
        },
    })
}

fn run_event(run: &ledger::ReadinessRunSummary) -> RecentEventView {
    RecentEventView {
        at: run.ended.into(),
        kind: RecentEventKind::Checks,
        tone: match run.verdict {
            ReadinessVerdict::Ready => Tone::Ok,
            ReadinessVerdict::NotReady => Tone::Bad,
            _ => Tone::Warn,
        },
        title: format!("Checks: {}", run.verdict.label()),
        detail: String::new(),
        path: Some("/readiness".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use domain::{BackendId, CallerKind, Endpoint};
    use ledger::AuditRecord;

    use super::*;

    fn at(secs: i64) -> WallTime {
        WallTime::from_unix_ms(1_795_248_000_000 + secs * 1_000)
    }

    fn step(from: &str, to: &str) -> Option<RecentEventView> {
        let labels = Labels(HashMap::from([("groq".to_owned(), "Groq".to_owned())]));
        let record = TransitionRecord {
            at: at(0),
            endpoint: Endpoint {
                backend: BackendId::new("groq").expect("a name"),
                credential: None,
            },
            model: None,
            from: from.to_owned(),
            to: to.to_owned(),
            rule: ::resilience::TransitionCause::ALL[0].word().to_owned(),
            evidence: Vec::new(),
            lasts: None,
        };
        breaker_event(&record, &labels)
    }

    #[test]
    fn a_breaker_is_told_of_when_it_trips_and_when_it_is_over() {
        let title = |from, to| step(from, to).map(|event| event.title);
        let word = |state: State| state.word();
        let (closed, open, half) = (word(State::Closed), word(State::Open), word(State::HalfOpen));
        assert_eq!(title(closed, open).as_deref(), Some("Groq tripped"));
        assert_eq!(title(open, half), None);
        assert_eq!(title(half, open), None, "a failed trial is the same outage");
        let recovering = word(State::Recovering);
        assert_eq!(title(half, recovering), None);
        assert_eq!(title(recovering, closed).as_deref(), Some("Groq has recovered"));
        assert_eq!(title(closed, "a word of a newer version"), None);
    }

    #[test]
    fn of_the_audit_log_only_changes_are_told() {
        let told = |operation: &str, outcome| {
            let record = AuditRecord {
                at: at(0),
                caller: CallerKind::ALL[0],
                agent: None,
                agent_version: None,
                client: None,
                confirmed: None,
                operation: operation.to_owned(),
                subject: Some("openai".to_owned()),
                outcome,
            };
            change_event(&AuditRow { number: 1, record }).map(|it| (it.kind, it.title))
        };
        let (settings, key) = (RecentEventKind::Settings, RecentEventKind::Key);
        let edit = told("backend_edit", AuditOutcome::Done);
        assert_eq!(edit, Some((settings, "Backend edit: openai".to_owned())));
        let replace = told("key_replace", AuditOutcome::Done);
        assert_eq!(replace, Some((key, "Key replace: openai".to_owned())));
        assert_eq!(told("backend_edit", AuditOutcome::Failed), None);
        assert_eq!(told("cache_purge", AuditOutcome::Done), None, "no setting");
        assert_eq!(told("no_such_operation", AuditOutcome::Done), None);
    }

    #[test]
    fn the_newest_of_a_kind_come_first() {
        let event = |secs: i64, kind| RecentEventView {
            at: at(secs).into(),
            kind,
            tone: Tone::Info,
            title: secs.to_string(),
            detail: String::new(),
            path: None,
        };
        let all = || {
            vec![
                event(1, RecentEventKind::Health),
                event(3, RecentEventKind::Key),
                event(2, RecentEventKind::Health),
            ]
        };
        let titles = |kind, limit| -> Vec<String> {
            newest(all(), kind, limit).into_iter().map(|it| it.title).collect()
        };
        assert_eq!(titles(None, 2), ["3", "2"]);
        assert_eq!(titles(Some(RecentEventKind::Health), 9), ["2", "1"]);
    }
}
