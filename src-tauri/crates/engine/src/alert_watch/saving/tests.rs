//! Alerts while the ledger cannot be written: none is lost, and each is saved once.

use std::sync::Arc;
use std::time::Duration;

use alerts::AlertRule;
use domain::{Clock, ManualClock, WallTime};
use ledger::{AlertQuery, AlertRow, LedgerState};
use pricing::Cost;
use rusqlite::Connection;

use super::*;
use crate::Engine;
use crate::measurement_watch::tests::answered;
use crate::response_cache::tests::opened_at;
use crate::test_parts::NOW;

/// Evaluations, 15 s apart, in which the fault fires and ends.
const STEPS_MAX: usize = 60;
/// Long enough for the ledger's retries on a busy machine.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);

async fn until(engine: &Engine, is_wanted: impl Fn(&LedgerState) -> bool) {
    let mut state = engine.ledger().watch_state();
    let reached = tokio::time::timeout(SETTLED_WITHIN, state.wait_for(|now| is_wanted(now)));
    drop(reached.await.expect("in time").expect("the ledger is open"));
}

async fn stored(engine: &Engine) -> Vec<AlertRow> {
    engine.ledger().alerts(AlertQuery { limit: 10, ..AlertQuery::default() }).await.expect("read")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fires_and_is_acknowledged_while_the_ledger_is_locked_is_saved_once_it_is_not() {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, clock.clone()).await;
    let other = Connection::open(engine.folders().ledger_file()).expect("a ledger");
    other.execute_batch("BEGIN EXCLUSIVE").expect("another program locks it");
    let waits = answered(1, 5, Cost::Unpriced, 100);
    engine.ledger().settle(Box::new(waits)).await.expect("queued");
    until(&engine, |state| matches!(state, LedgerState::Behind(_))).await;

    let watch = &engine.parts.alerts;
    let pass = async || {
        clock.advance(Duration::from_secs(15));
        watch.evaluate().await;
    };
    let fault = || {
        let alerts = watch.alerts().into_iter();
        alerts.filter(|it| it.condition.rule == AlertRule::LedgerFault).find_map(|it| it.number)
    };
    for _ in 0..STEPS_MAX {
        if fault().is_some() {
            break;
        }
        pass().await;
    }
    let number = fault().expect("the fault itself fires");
    let acknowledged = clock.wall();
    assert!(watch.acknowledge(number).await, "the user need not wait for the disk");
    assert!(watch.alerts().iter().any(|it| it.acknowledged_at == Some(acknowledged)));
    assert!(!watch.acknowledge(number + 1).await, "there is none");
    assert_eq!(stored(&engine).await, [], "nothing can be written");

    // The end comes after the beginning, and what waited is written with nothing else to tell.
    other.execute_batch("ROLLBACK").expect("unlocked");
    until(&engine, |state| *state == LedgerState::Current).await;
    pass().await;
    let own = async || stored(&engine).await.into_iter().find(|row| row.number == number);
    let row = own().await.expect("it is in the inbox");
    assert_eq!((row.rule.as_str(), row.acknowledged), ("ledger-fault", Some(acknowledged)));
    for _ in 0..STEPS_MAX {
        if fault().is_none() {
            break;
        }
        pass().await;
    }
    assert_eq!(own().await.and_then(|row| row.ended), Some(clock.wall()));
    assert!(watch.unsaved.lock().is_empty());
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
    let at = WallTime::from_unix_ms(NOW.unix_ms() + 1);
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
