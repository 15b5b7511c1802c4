//! The audit log: paged, filtered, and kept up to a count and an age.

use domain::{AuditOutcome, CallerKind, DAY_MS, MINUTE_MS, WallTime};

use super::{LedgerFixture, at};
use crate::audit::AUDIT_DAYS_KEPT_MAX;
use crate::audit::AUDIT_ENTRIES_KEPT_MAX;
use crate::audit::AUDIT_NOT_ALLOWED_MAX;
use crate::{AuditQuery, AuditRecord, Ledger, LedgerError};

fn record(at: WallTime) -> AuditRecord {
    AuditRecord {
        at,
        caller: CallerKind::Mcp,
        agent: Some("codex".to_owned()),
        agent_version: None,
        client: None,
        confirmed: None,
        operation: "backend_switch".to_owned(),
        subject: Some("home".to_owned()),
        outcome: AuditOutcome::Done,
    }
}

async fn add(ledger: &Ledger, record: AuditRecord) {
    ledger.add_audit_record(record).await.expect("added");
}

async fn numbers(ledger: &Ledger, query: AuditQuery) -> Vec<u64> {
    let rows = ledger.audit_log(AuditQuery { limit: usize::MAX, ..query }).await.expect("read");
    rows.iter().map(|row| row.number).collect()
}

#[tokio::test]
async fn entries_are_found_by_caller_operation_and_page() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let typed = AuditRecord { caller: CallerKind::CommandLine, agent: None, ..record(at(2)) };
    let other = AuditRecord {
        operation: "key_add".to_owned(),
        client: Some("editor".to_owned()),
        confirmed: Some(true),
        ..record(at(3))
    };
    for record in [record(at(1)), typed.clone(), other] {
        add(&ledger, record).await;
    }
    assert_eq!(numbers(&ledger, AuditQuery::default()).await, [3, 2, 1]);
    let page = AuditQuery { before: Some(3), ..AuditQuery::default() };
    assert_eq!(numbers(&ledger, page).await, [2, 1]);
    let by = AuditQuery { caller: Some(CallerKind::CommandLine), ..AuditQuery::default() };
    assert_eq!(numbers(&ledger, by.clone()).await, [2]);
    let found = ledger.audit_log(AuditQuery { limit: 1, ..by }).await.expect("read");
    assert_eq!(found.first().map(|row| &row.record), Some(&typed));
    let of = AuditQuery { operation: Some("key_add".to_owned()), ..AuditQuery::default() };
    assert_eq!(numbers(&ledger, of).await, [3]);
    let about = |id: &str| AuditQuery { subject: Some(id.to_owned()), ..AuditQuery::default() };
    assert_eq!(numbers(&ledger, about("home")).await, [3, 2, 1]);
    assert_eq!(numbers(&ledger, about("work")).await, [0_u64; 0]);
    // The newest until then, however many came after it.
    let until = AuditQuery { until: Some(at(2)), ..AuditQuery::default() };
    let found = ledger.audit_log(AuditQuery { limit: 1, ..until }).await.expect("read");
    assert_eq!(found.first().map(|row| &row.record), Some(&typed));
}

#[tokio::test]
async fn the_oldest_entries_go_by_count_and_by_age() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let old = WallTime::from_unix_ms(at(0).unix_ms());
    let later = |days: i64| old.plus_ms(days * DAY_MS);
    add(&ledger, record(old)).await;
    add(&ledger, record(later(AUDIT_DAYS_KEPT_MAX))).await;
    assert_eq!(numbers(&ledger, AuditQuery::default()).await, [2, 1], "at the limit");
    add(&ledger, record(later(AUDIT_DAYS_KEPT_MAX + 1))).await;
    assert_eq!(numbers(&ledger, AuditQuery::default()).await, [3, 2], "past the limit");
    let now = later(AUDIT_DAYS_KEPT_MAX + 1);
    let waiting: Vec<_> =
        (0..AUDIT_ENTRIES_KEPT_MAX - 2).map(|_| ledger.add_audit_record(record(now))).collect();
    let mut refused = 0;
    for added in waiting {
        match added.await {
            Ok(()) => {}
            Err(LedgerError::Busy) => refused += 1,
            Err(other) => panic!("{other}"),
        }
    }
    for _ in 0..refused {
        add(&ledger, record(now)).await;
    }
    assert_eq!(numbers(&ledger, AuditQuery::default()).await.len(), AUDIT_ENTRIES_KEPT_MAX);
    add(&ledger, record(now)).await;
    let kept = numbers(&ledger, AuditQuery::default()).await;
    assert_eq!((kept.len(), kept.last()), (AUDIT_ENTRIES_KEPT_MAX, Some(&3)));
}

/// However an agent repeats a call that it may not make, and whatever it calls itself.
#[tokio::test]
async fn calls_that_were_not_allowed_cannot_fill_the_log() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    let begin = at(0).unix_ms();
    let refused = |agent: &str, minute: i64| AuditRecord {
        agent: Some(agent.to_owned()),
        outcome: AuditOutcome::NotAllowed,
        ..record(WallTime::from_unix_ms(begin + minute * MINUTE_MS))
    };
    let count = || async { numbers(&ledger, AuditQuery::default()).await.len() };
    for minute in [0, 0, 9] {
        add(&ledger, refused("codex", minute)).await;
    }
    assert_eq!(count().await, 1, "the same call, once in ten minutes");
    add(&ledger, AuditRecord { operation: "cache_purge".to_owned(), ..refused("codex", 9) }).await;
    add(&ledger, refused("codex", 10)).await;
    assert_eq!(count().await, 3);
    for name in 0..3 * AUDIT_NOT_ALLOWED_MAX {
        add(&ledger, refused(&format!("agent {name}"), 10)).await;
    }
    assert_eq!(count().await, AUDIT_NOT_ALLOWED_MAX);
    add(&ledger, record(at(1))).await;
    assert_eq!(count().await, AUDIT_NOT_ALLOWED_MAX + 1, "a change is always written down");
    add(&ledger, refused("late", 71)).await;
    assert_eq!(count().await, AUDIT_NOT_ALLOWED_MAX + 2, "an hour later");
}

/// A call that nobody waits for any more is written down too.
#[tokio::test]
async fn an_entry_is_kept_though_nobody_waits_for_it() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    drop(ledger.add_audit_record(record(at(1))));
    drop(ledger);
    assert_eq!(numbers(&place.open(), AuditQuery::default()).await, [1]);
}
