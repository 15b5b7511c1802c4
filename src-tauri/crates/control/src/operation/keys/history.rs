//! What became of a key: from the settings, the audit log, the log of its endpoints' states, which
//! tells what requests met, and the log of what checks met.

use std::collections::BTreeMap;

use domain::{AuditOutcome, CredentialId, WallTime};
use engine::Engine;
use ledger::{
    AuditQuery, AuditRecord, KEY_VERDICTS_KEPT_MAX, KeyVerdict, KeyVerdictRecord, KeyVerdictSource,
    TRANSITIONS_PAGE_ROWS_MAX, TransitionQuery, TransitionRecord,
};
use resilience::{TransitionCause, TransitionState as State};
use settings::{CredentialSettings, Settings};

use crate::ApiError;
use crate::operation::input;
use crate::operation::keys::backends_using_key;
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
    let (mut events, changes_are_whole) = changes(engine, &id).await?;
    let (mut verdicts, verdicts_are_whole) = verdicts(engine, &settings, &id).await?;
    if let Some(known) = settings.credentials.get(&id) {
        // An earlier key may have had the name.
        events.retain(|event| event.at.0 >= known.created.unix_ms());
        verdicts.retain(|verdict| verdict.event.at.0 >= known.created.unix_ms());
        add_known(&mut events, known, engine.clock().wall());
    }
    events.extend(told_once(verdicts, &events));
    events.sort_by_key(sort_key);
    events.reverse();
    let is_whole = changes_are_whole && verdicts_are_whole && events.len() <= KEY_EVENTS_MAX;
    events.truncate(KEY_EVENTS_MAX);
    Ok(KeyHistoryView { events, is_whole })
}

/// A change is noted when it begins, so what was met in the same millisecond was met before it. Only
/// the start of a key precedes all.
fn sort_key(event: &KeyEventView) -> (UnixMs, u8) {
    let rank = match event.event {
        KeyEvent::Added => 0,
        KeyEvent::Rejected | KeyEvent::Accepted => 1,
        KeyEvent::Replaced | KeyEvent::Edited | KeyEvent::Expired => 2,
    };
    (event.at, rank)
}

/// What a provider made of the key at one of its places.
struct Verdict {
    place: String,
    /// True if it is from the log of checks.
    is_checked: bool,
    event: KeyEventView,
}

/// What providers made of a key, by requests and by checks, and whether this is all.
async fn verdicts(
    engine: &Engine,
    settings: &Settings,
    id: &CredentialId,
) -> Result<(Vec<Verdict>, bool), ApiError> {
    let checks = engine.ledger().key_verdicts(id.clone()).await?;
    let mut is_whole = checks.len() < KEY_VERDICTS_KEPT_MAX;
    let mut verdicts: Vec<Verdict> = checks.into_iter().filter_map(checked_verdict).collect();
    for backend in backends_using_key(settings, id) {
        let query = TransitionQuery {
            backend: Some(backend.clone()),
            from: WallTime::from_unix_ms(0),
            to: engine.clock().wall().plus_ms(1),
            limit: TRANSITIONS_PAGE_ROWS_MAX,
        };
        let steps = engine.ledger().transitions(query).await?;
        is_whole &= steps.len() < TRANSITIONS_PAGE_ROWS_MAX;
        let own = steps.iter().rev().filter(|it| it.endpoint.credential.as_ref() == Some(id));
        verdicts.extend(own.filter_map(verdict_event).map(|event| Verdict {
            place: backend.to_string(),
            is_checked: false,
            event,
        }));
    }
    Ok((verdicts, is_whole))
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
    Ok((rows.iter().rev().filter_map(|row| change_event(&row.record)).collect(), is_whole))
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

/// Without what both a check and a request met: the first of them tells it. `changes` are those of the
/// secret, after which all is new.
fn told_once(mut verdicts: Vec<Verdict>, changes: &[KeyEventView]) -> Vec<KeyEventView> {
    verdicts.sort_by_key(|it| it.event.at.0);
    let mut last: BTreeMap<String, (KeyEvent, bool, UnixMs)> = BTreeMap::new();
    let mut told = Vec::new();
    for Verdict { place, is_checked, event } in verdicts {
        let is_known = last.get(&place).is_some_and(|(known, was_checked, since)| {
            let is_replaced = changes.iter().any(|change| {
                change.event == KeyEvent::Replaced && (since.0..=event.at.0).contains(&change.at.0)
            });
            *known == event.event && (is_checked || *was_checked) && !is_replaced
        });
        last.insert(place, (event.event, is_checked, event.at));
        told.extend((!is_known).then_some(event));
    }
    told
}

/// What a check met, and a request that was accepted after it.
fn checked_verdict(record: KeyVerdictRecord) -> Option<Verdict> {
    let place = record.place?;
    let (event, sentence) = match (record.verdict, record.source) {
        (KeyVerdict::Unknown, _) => return None,
        (KeyVerdict::Rejected, _) => (
            KeyEvent::Rejected,
            format!("Not accepted at {place}: the provider rejected the key in a check."),
        ),
        (KeyVerdict::Accepted, KeyVerdictSource::Request) => {
            (KeyEvent::Accepted, format!("Accepted again at {place}: a request succeeded."))
        }
        (KeyVerdict::Accepted, _) => {
            (KeyEvent::Accepted, format!("Accepted again at {place}: a check succeeded."))
        }
    };
    let event = KeyEventView { at: record.at.into(), event, sentence };
    Some(Verdict { place, is_checked: true, event })
}

/// What the provider made of it by requests, where that changed.
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
    events.insert(0, event(known.created, KeyEvent::Added, "Added."));
    events.extend(replaced.map(|at| event(at, KeyEvent::Replaced, "Replaced.")));
    events.extend(expired.map(|at| event(at, KeyEvent::Expired, "Its last day ended.")));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(at: i64, place: &str, event: KeyEvent, is_checked: bool) -> Verdict {
        let sentence = format!("{at}");
        let event = KeyEventView { at: UnixMs(at), event, sentence };
        Verdict { place: place.to_owned(), is_checked, event }
    }

    /// The times of what is told.
    fn told(verdicts: Vec<Verdict>, replaced_at: &[i64]) -> Vec<i64> {
        let change = |at: &i64| KeyEventView {
            at: UnixMs(*at),
            event: KeyEvent::Replaced,
            sentence: String::new(),
        };
        let changes: Vec<_> = replaced_at.iter().map(change).collect();
        told_once(verdicts, &changes).into_iter().map(|event| event.at.0).collect()
    }

    #[test]
    fn what_was_met_in_the_millisecond_of_a_replacement_was_met_before_it() {
        let event = |event| KeyEventView { at: UnixMs(1), event, sentence: String::new() };
        let mut events: Vec<_> =
            [KeyEvent::Replaced, KeyEvent::Rejected, KeyEvent::Added].map(event).into();
        events.sort_by_key(sort_key);
        let sorted: Vec<_> = events.into_iter().map(|event| event.event).collect();
        assert_eq!(sorted, [KeyEvent::Added, KeyEvent::Rejected, KeyEvent::Replaced]);
    }

    #[test]
    fn what_a_check_and_a_request_met_is_told_by_the_first_of_them() {
        use KeyEvent::{Accepted, Rejected};
        let check = |at, event| verdict(at, "up", event, true);
        let request = |at, event| verdict(at, "up", event, false);
        assert_eq!(told(vec![request(2, Rejected), check(1, Rejected)], &[]), [1]);
        assert_eq!(told(vec![check(2, Rejected), request(1, Rejected)], &[]), [1]);
        let all = vec![check(1, Rejected), check(3, Rejected), request(2, Rejected)];
        assert_eq!(told(all, &[]), [1]);
        // Requests alone are told as they came: each began and ended a block.
        assert_eq!(told(vec![request(1, Rejected), request(2, Rejected)], &[]), [1, 2]);
        let again = vec![check(1, Rejected), request(2, Accepted), check(3, Rejected)];
        assert_eq!(told(again, &[]), [1, 2, 3]);
    }

    #[test]
    fn another_place_and_another_secret_are_told_for_themselves() {
        let rejected = |at, place| verdict(at, place, KeyEvent::Rejected, true);
        assert_eq!(told(vec![rejected(1, "up"), rejected(2, "down")], &[]), [1, 2]);
        let both = || vec![rejected(10, "up"), rejected(20, "up")];
        assert_eq!(told(both(), &[10]), [10, 20]);
        assert_eq!(told(both(), &[20]), [10, 20]);
        assert_eq!(told(both(), &[9, 21]), [10], "it was the same secret both times");
    }

    #[test]
    fn each_source_of_a_verdict_has_its_sentence() {
        let sentence = |verdict, source| {
            let record = KeyVerdictRecord {
                at: WallTime::from_unix_ms(1),
                credential: CredentialId::new("key").expect("a name"),
                place: Some("up".to_owned()),
                verdict,
                source,
            };
            checked_verdict(record).map(|told| (told.event.event, told.event.sentence))
        };
        for (verdict, source, event, expected) in [
            (
                KeyVerdict::Accepted,
                KeyVerdictSource::Request,
                KeyEvent::Accepted,
                "Accepted again at up: a request succeeded.",
            ),
            (
                KeyVerdict::Accepted,
                KeyVerdictSource::Check,
                KeyEvent::Accepted,
                "Accepted again at up: a check succeeded.",
            ),
            (
                KeyVerdict::Rejected,
                KeyVerdictSource::Check,
                KeyEvent::Rejected,
                "Not accepted at up: the provider rejected the key in a check.",
            ),
        ] {
            assert_eq!(sentence(verdict, source), Some((event, expected.to_owned())));
        }
        assert_eq!(sentence(KeyVerdict::Unknown, KeyVerdictSource::Change), None);
    }
}
