//! Alerts: stored, changed without losing what the user did, paged, and kept up to a limit.

use std::collections::BTreeSet;

use super::{LedgerFixture, at};
use crate::{
    ALERT_NOTES_MAX, ALERTS_KEPT_MAX, AlertChange, AlertNote, AlertQuery, AlertRow, Ledger,
};

fn row(number: u64) -> AlertRow {
    AlertRow {
        number,
        rule: "backend-down".to_owned(),
        severity: "medium".to_owned(),
        scopes: vec!["home".to_owned(), "away".to_owned()],
        title: "Home is down".to_owned(),
        detail: "Connection refused.".to_owned(),
        path: "/backends/home".to_owned(),
        since: at(1),
        fired: at(2),
        ended: None,
        ending: None,
        acknowledged: None,
        notified: None,
        is_read: false,
    }
}

fn end(number: u64) -> AlertChange {
    AlertChange::End { number, at: at(9), ending: "resolved".to_owned() }
}

async fn change(ledger: &Ledger, changes: Vec<AlertChange>) {
    ledger.change_alerts(changes).await.expect("changed");
}

#[tokio::test]
async fn a_changed_alert_keeps_what_the_user_did() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    assert_eq!(ledger.alert_state().await.expect("read"), None);
    let state = |text: &str| AlertChange::State(text.to_owned());
    change(&ledger, vec![AlertChange::Put(Box::new(row(1))), state("{}")]).await;
    assert_eq!(ledger.unread_alerts().await.expect("read"), 1);
    let note = AlertNote { at: at(4), note: "known".to_owned() };
    change(
        &ledger,
        vec![
            AlertChange::Acknowledge { number: 1, at: at(3) },
            AlertChange::Note { number: 1, note: note.clone() },
            AlertChange::Note { number: 2, note: note.clone() },
        ],
    )
    .await;
    let worse = AlertRow { severity: "critical".to_owned(), notified: Some(at(5)), ..row(1) };
    change(&ledger, vec![AlertChange::Put(Box::new(worse.clone())), end(1), state("{1}")]).await;
    change(&ledger, vec![AlertChange::End { number: 1, at: at(10), ending: "x".to_owned() }]).await;
    let (found, notes) = ledger.alert(1).await.expect("read").expect("kept");
    let expected = AlertRow {
        ended: Some(at(9)),
        ending: Some("resolved".to_owned()),
        acknowledged: Some(at(3)),
        is_read: true,
        ..worse
    };
    assert_eq!((found, notes), (expected, vec![note]));
    assert_eq!(ledger.alert(2).await.expect("read"), None, "a note alone is no alert");
    assert_eq!(ledger.noted_alerts().await.expect("read"), BTreeSet::from([1]));
    assert_eq!(ledger.alert_state().await.expect("read").as_deref(), Some("{1}"));
    assert_eq!(ledger.unread_alerts().await.expect("read"), 0);
}

#[tokio::test]
async fn alerts_are_paged_newest_first_and_the_oldest_that_ended_go_first() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let kept = ALERTS_KEPT_MAX as u64;
    let mut changes = Vec::new();
    for number in 1..=kept + 3 {
        changes.push(AlertChange::Put(Box::new(row(number))));
        // The first one still fires.
        changes.extend((number > 1).then(|| end(number)));
    }
    changes.push(AlertChange::Put(Box::new(row(kept + 4))));
    change(&ledger, changes).await;
    let page = |before, limit| AlertQuery { before, unread_only: false, limit };
    let numbers = async |query| {
        let rows = ledger.alerts(query).await.expect("read");
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(page(None, 2)).await, [kept + 4, kept + 3]);
    assert_eq!(numbers(page(Some(kept), 2)).await, [kept - 1, kept - 2]);
    assert_eq!(numbers(page(Some(6), 9)).await, [5, 4, 1], "2 and 3 ended longest ago");
    change(&ledger, vec![AlertChange::Read { number: Some(4) }]).await;
    let unread = AlertQuery { before: Some(6), unread_only: true, limit: 9 };
    assert_eq!(numbers(unread).await, [5, 1]);
}

#[tokio::test]
async fn an_alert_has_so_many_notes() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let note =
        || AlertChange::Note { number: 1, note: AlertNote { at: at(4), note: "x".to_owned() } };
    let notes = std::iter::repeat_with(note).take(ALERT_NOTES_MAX + 1);
    change(&ledger, std::iter::once(AlertChange::Put(Box::new(row(1)))).chain(notes).collect())
        .await;
    let (_, notes) = ledger.alert(1).await.expect("read").expect("kept");
    assert_eq!(notes.len(), ALERT_NOTES_MAX);
}
