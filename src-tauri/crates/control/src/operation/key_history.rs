//! What became of a key: from the settings, the audit log and the log of its endpoints' states.
//! Nothing is recorded for it alone.

use std::cmp::Reverse;

use domain::{AuditOutcome, CredentialId, WallTime};
use engine::Engine;
use ledger::{
    AuditQuery, AuditRecord, TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery, TransitionRecord,
};
use resilience::{TransitionCause, TransitionState as State};
use settings::CredentialSettings;

use super::input;
use super::keys::backends_using_key;
use crate::ApiError;
use crate::view::{KeyEvent, KeyEventView, KeyHistoryView, KeyRef, UnixMs};

/// Most events of one key.
const KEY_EVENTS_MAX: usize = 50;

/// Most entries of the audit log that are read for one key.
const ENTRIES_READ_MAX: usize = 1_000;

/// Longest time that a replacement takes, in milliseconds: the provider is asked before it.
const REPLACEMENT_MS_MAX: i64 = 5 * 60 * 1_000;

pub(crate) async fn key_history(engine: &Engine, req: KeyRef) -> Result<KeyHistoryView, ApiError> {
    let settings = engine.settings();
    let id = input::parse_known_credential(&settings, &req.id)?;
    let (mut events, mut is_whole) = changes(engine, &id).await?;
    for backend in backends_using_key(&settings, &id) {
        let query = TransitionQuery {
            backend: Some(backend),
            from: WallTime::from_unix_ms(0),
            to: WallTime::from_unix_ms(engine.clock().wall().unix_ms().saturating_add(1)),
            limit: TRANSITIONS_PAGE_ROWS_MAX,
        };
        let steps = engine.ledger().transitions(query).await?;
        is_whole &= steps.len() < TRANSITIONS_PAGE_ROWS_MAX;
        let own = steps.iter().filter(|step| step.endpoint.credential.as_ref() == Some(&id));
        events.extend(own.filter_map(verdict_event));
    }
    if let Some(known) = settings.credentials.get(&id) {
        // An earlier key may have had the name.
        events.retain(|event| event.at.0 >= known.created.unix_ms());
        add_known(&mut events, known, engine.clock().wall());
    }
    events.sort_by_key(|event| Reverse(event.at.0));
    is_whole &= events.len() <= KEY_EVENTS_MAX;
    events.truncate(KEY_EVENTS_MAX);
    Ok(KeyHistoryView { events, is_whole })
}

/// Replacements and edits that somebody called for, and whether these are all.
async fn changes(
    engine: &Engine,
    id: &CredentialId,
) -> Result<(Vec<KeyEventView>, bool), ApiError> {
    let query = AuditQuery {
        subject: Some(id.to_string()),
        limit: ENTRIES_READ_MAX,
        ..AuditQuery::default()
    };
    let rows = engine.ledger().audit_log(query).await?;
    let is_whole = rows.len() < ENTRIES_READ_MAX;
    Ok((rows.iter().filter_map(|row| change_event(&row.record)).collect(), is_whole))
}

fn change_event(record: &AuditRecord) -> Option<KeyEventView> {
    let (event, sentence) = match record.operation.as_str() {
        "key_replace" => (KeyEvent::Replaced, "Replaced"),
        "key_edit" => (KeyEvent::Edited, "Name, expiry or note edited"),
        _ => return None,
    };
    let by = match &record.agent {
        Some(agent) => format!("{sentence} by the agent {agent}."),
        None => format!("{sentence}."),
    };
    let is_done = record.outcome == AuditOutcome::Done;
    is_done.then(|| KeyEventView { at: record.at.into(), event, sentence: by })
}

/// What the provider made of it, where that changed.
fn verdict_event(step: &TransitionRecord) -> Option<KeyEventView> {
    let (from, to): (State, State) = (step.from.parse().ok()?, step.to.parse().ok()?);
    let cause: TransitionCause = step.rule.parse().ok()?;
    let backend = &step.endpoint.backend;
    let (event, sentence) = match (from, to) {
        (State::Blocked, State::Blocked) => return None,
        (_, State::Blocked) => (KeyEvent::Rejected, format!("Not accepted at {backend}")),
        (State::Blocked, _) if cause == TransitionCause::RecheckPassed => {
            (KeyEvent::Accepted, format!("Accepted again at {backend}"))
        }
        _ => return None,
    };
    let sentence = format!("{sentence}: {}.", cause.clause());
    Some(KeyEventView { at: step.at.into(), event, sentence })
}

/// Adds what the settings know, as far as nothing else says it.
fn add_known(events: &mut Vec<KeyEventView>, known: &CredentialSettings, now: WallTime) {
    let event = |at: WallTime, event, sentence: &str| KeyEventView {
        at: at.into(),
        event,
        sentence: sentence.to_owned(),
    };
    let is_told = |at: UnixMs| {
        let span = at.0 - REPLACEMENT_MS_MAX..=at.0;
        let replaced = events.iter().filter(|event| event.event == KeyEvent::Replaced);
        replaced.into_iter().any(|event| span.contains(&event.at.0))
    };
    let replaced = known.replaced.filter(|at| !is_told((*at).into()));
    let expired = known.expires.filter(|end| *end <= now);
    events.push(event(known.created, KeyEvent::Added, "Added."));
    events.extend(replaced.map(|at| event(at, KeyEvent::Replaced, "Replaced.")));
    events.extend(expired.map(|at| event(at, KeyEvent::Expired, "Its last day ended.")));
}
