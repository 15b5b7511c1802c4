//! Alerts while the ledger cannot be written: none is lost, and each is saved once.

use std::sync::Arc;
use std::time::Duration;

use alerts::AlertRule;
use domain::{BackendId, Clock, ManualClock};
use ledger::{AlertQuery, AlertRow};
use monitor::{HealthFinding, Observation, ObservationSource};

use super::*;
use crate::alerts::measurements::tests::with_backend_and_keys;
use crate::gateway::response_cache::tests::opened_at;
use crate::test_parts::NOW;

/// Evaluations, 15 s apart, within which a backend that is down is an alert.
const STEPS_MAX: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_and_is_acknowledged_without_a_ledger_is_kept_and_saved_once_it_can_be() {
    let homes = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&homes[0], clock.clone()).await;
    with_backend_and_keys(&engine).await;
    engine.ledger().close().await;
    for _ in 0..3 {
        let (source, finding) = (ObservationSource::Probe, HealthFinding::Failed);
        let observation =
            Observation { source, finding, reason: String::new(), duration: Duration::ZERO };
        engine.health_watch().observe(&BackendId::new("up").expect("a name"), observation);
    }
    let watch = &engine.parts.alerts;
    let fired = || {
        let mut alerts = watch.alerts().into_iter();
        alerts.find(|it| it.condition.rule == AlertRule::BackendDown).and_then(|it| it.number)
    };
    for _ in 0..STEPS_MAX {
        if fired().is_some() {
            break;
        }
        clock.advance(Duration::from_secs(15));
        watch.evaluate().await;
    }
    let number = fired().expect("it fires all the same");
    let acknowledged = clock.wall();
    assert!(watch.acknowledge(number).await, "the user need not wait for the disk");
    assert!(watch.alerts().iter().any(|it| it.acknowledged_at == Some(acknowledged)));
    assert!(!watch.acknowledge(number + 1).await, "there is none");
    let kept = watch.unsaved.lock().clone();
    assert!(kept.0.contains(&AlertChange::Acknowledge { number, at: acknowledged }), "{kept:?}");

    // Where it can be written, it is, although nothing else happens.
    let other = opened_at(&homes[1], clock.clone()).await;
    let watch = &other.parts.alerts;
    *watch.unsaved.lock() = kept;
    watch.evaluate().await;
    assert!(watch.unsaved.lock().is_empty());
    let query = AlertQuery { limit: 10, ..AlertQuery::default() };
    let rows = other.ledger().alerts(query).await.expect("read");
    let row = rows.iter().find(|row| row.number == number).expect("it is in the inbox");
    assert_eq!((row.rule.as_str(), row.acknowledged), ("backend-down", Some(acknowledged)));
    other.stop().await;
    engine.stop().await;
}

#[tokio::test]
async fn what_the_ledger_did_not_answer_yet_is_given_to_it_once() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened_at(&home, Arc::new(ManualClock::starting_at(NOW))).await;
    let watch = &engine.parts.alerts;
    let (answer, answered) = tokio::sync::oneshot::channel::<()>();
    let saving: SavedChanges = async move {
        answered.await.expect("an answer");
        Ok(())
    }
    .boxed();
    *watch.saving.lock() = Some(saving);
    let book = AlertBook::default();
    watch.save(&book, vec![row(1, "slow")]).await;
    let rows = || engine.ledger().alerts(AlertQuery { limit: 10, ..AlertQuery::default() });
    assert!(rows().await.expect("read").is_empty(), "it waits");
    assert_eq!(watch.unsaved.lock().0, [row(1, "slow")]);
    answer.send(()).expect("awaited");
    watch.save(&book, Vec::new()).await;
    assert_eq!(rows().await.expect("read").len(), 1);
    assert!(watch.unsaved.lock().is_empty() && watch.saving.lock().is_none());
    engine.stop().await;
}

fn row(number: u64, title: &str) -> AlertChange {
    AlertChange::Put(Box::new(AlertRow {
        number,
        rule: "ledger-fault".to_owned(),
        severity: "critical".to_owned(),
        scopes: Vec::new(),
        title: title.to_owned(),
        detail: String::new(),
        path: "/".to_owned(),
        since: NOW,
        fired: NOW,
        ended: None,
        ending: None,
        acknowledged: None,
        notified: None,
        is_read: false,
    }))
}

fn end(number: u64) -> AlertChange {
    let at = NOW.plus_ms(1);
    AlertChange::End { number, at, ending: "resolved".to_owned() }
}

#[test]
fn what_an_alert_says_last_counts_and_the_oldest_are_dropped_at_the_limit() {
    let mut unsaved = UnsavedChanges::default();
    unsaved.add(vec![row(1, "slow"), end(1), row(2, "down")]);
    unsaved.add(vec![row(1, "slower")]);
    assert_eq!(unsaved.0, [row(1, "slower"), end(1), row(2, "down")]);
    let more = u64::try_from(UNSAVED_MAX).expect("small");
    unsaved.add((3..more).map(|number| row(number, "full")).collect());
    assert_eq!((unsaved.0.len(), &unsaved.0[0]), (UNSAVED_MAX, &row(1, "slower")));
    unsaved.add(vec![end(2)]);
    assert_eq!((unsaved.0.len(), &unsaved.0[0]), (UNSAVED_MAX, &end(1)));
}
