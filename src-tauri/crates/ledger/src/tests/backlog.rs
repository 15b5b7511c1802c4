//! A locked, full, failing or slow ledger: answers continue, nothing is lost, the state reports it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt;
use parking_lot::Mutex;
use rusqlite::{Connection, ffi};

use super::{LedgerFixture, at, request, settlement};
use crate::file::database;
use crate::write::queue::WriteQueue;
use crate::write::writer;
use crate::write::writes::{LedgerWrite, commit};
use crate::{
    BacklogReason, CommitStatus, Ledger, LedgerError, LedgerLimits, LedgerState, RequestQuery,
};

/// Long enough for a commit on a busy machine.
const LONG: Duration = Duration::from_secs(60);

const SHORT: Duration = Duration::from_millis(1);

/// Waits until the state matches; for ever if it never does.
async fn until(ledger: &Ledger, is_wanted: impl Fn(&LedgerState) -> bool) -> LedgerState {
    let mut watch = ledger.watch_state();
    *watch.wait_for(|state| is_wanted(state)).await.expect("the ledger is open")
}

fn reason(state: &LedgerState) -> Option<BacklogReason> {
    state.backlog().map(|backlog| backlog.reason)
}

/// Locks the file as another writing program would.
fn lock(place: &LedgerFixture) -> Connection {
    let other = place.raw();
    other.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    other
}

async fn rows(ledger: &Ledger) -> usize {
    ledger.requests(RequestQuery::newest(500)).await.expect("read").len()
}

/// R1: a lock of 40 s held every answer for 35 s.
#[tokio::test]
async fn a_locked_ledger_delays_an_answer_by_the_wait_and_loses_nothing() {
    let place = LedgerFixture::new();
    let limits = LedgerLimits { lock_wait: SHORT, ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    ledger.set_commit_wait(SHORT);
    let held = lock(&place);
    ledger.reserve(request(0)).expect("requests begin all the same");
    assert_eq!(ledger.settle(settlement(0)).await.expect("queued"), CommitStatus::Queued);
    let state = until(&ledger, |state| reason(state) == Some(BacklogReason::Locked)).await;
    assert!(matches!(state, LedgerState::Behind(_)), "{state:?}");
    // From here on the ledger knows that waiting is useless.
    for number in 1..300 {
        ledger.reserve(request(number)).expect("requests begin all the same");
        let settled = ledger.settle(settlement(number)).now_or_never().expect("no wait at all");
        assert_eq!(settled.expect("queued"), CommitStatus::Queued);
    }
    let backlog = *ledger.state().backlog().expect("records wait");
    assert_eq!((backlog.records, backlog.oldest), (600, Some(request(0).started)));
    assert_eq!(rows(&ledger).await, 0, "a read gives what there is");
    held.execute_batch("ROLLBACK").expect("unlocked");
    until(&ledger, |state| *state == LedgerState::Current).await;
    assert_eq!(rows(&ledger).await, 300);
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!((spend.requests, spend.cost.nanos()), (300, 300 * 1_234_000));
    ledger.set_commit_wait(LONG);
    assert_eq!(ledger.settle(settlement(300)).await.expect("settled"), CommitStatus::Committed);
}

#[tokio::test]
async fn a_lock_that_stays_refuses_new_requests_until_it_goes() {
    let place = LedgerFixture::new();
    let limits = LedgerLimits { lock_wait: SHORT, ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    ledger.set_commit_wait(SHORT);
    let held = lock(&place);
    ledger.settle(settlement(0)).await.expect("queued");
    until(&ledger, |state| matches!(state, LedgerState::Refusing(_))).await;
    assert!(matches!(ledger.reserve(request(1)), Err(LedgerError::Locked)));
    assert_eq!(ledger.settle(settlement(1)).await.expect("under way"), CommitStatus::Queued);
    held.execute_batch("ROLLBACK").expect("unlocked");
    until(&ledger, |state| *state == LedgerState::Current).await;
    ledger.reserve(request(2)).expect("requests begin again");
    assert_eq!(rows(&ledger).await, 3);
}

#[tokio::test]
async fn the_queue_refuses_new_requests_at_its_limit_and_takes_the_ends_of_those_under_way() {
    let place = LedgerFixture::new();
    let bytes =
        |number| LedgerWrite::Reserve { request: request(number), amounts: Vec::new() }.bytes();
    // The tenth reservation reaches the limit exactly.
    let queue_bytes_max = (0..10).map(bytes).sum();
    let limits = LedgerLimits { queue_bytes_max, ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    let held = lock(&place);
    for number in 0..9 {
        ledger.reserve(request(number)).expect("room");
    }
    assert!(!matches!(ledger.state(), LedgerState::Refusing(_)));
    ledger.reserve(request(9)).expect("room for one");
    let state = ledger.state();
    assert!(matches!(state, LedgerState::Refusing(_)), "{state:?}");
    assert!(matches!(ledger.reserve(request(10)), Err(LedgerError::Busy)));
    ledger.set_commit_wait(SHORT);
    for number in 0..10 {
        assert_eq!(ledger.settle(settlement(number)).await.expect("queued"), CommitStatus::Queued);
    }
    held.execute_batch("ROLLBACK").expect("unlocked");
    until(&ledger, |state| *state == LedgerState::Current).await;
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!((spend.requests, spend.unpriced_requests), (10, 0));
}

#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() {
    let place = LedgerFixture::new();
    drop(place.open());
    let limits = LedgerLimits { file_bytes_max: Some(400_000), ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    ledger.set_commit_wait(LONG);
    let mut settled = 0;
    // A wait of a minute ends as soon as the disk is known to be full.
    while ledger.settle(settlement(settled)).await.expect("settled") == CommitStatus::Committed {
        settled += 1;
        assert!(settled < 5_000, "the limit was never met");
    }
    // New requests are refused at once, running ones are settled, and reads work.
    assert!(matches!(ledger.reserve(request(settled + 50)), Err(LedgerError::Full)));
    let kept = ledger.settle(settlement(settled + 1)).now_or_never().expect("no wait at all");
    assert_eq!(kept.expect("queued"), CommitStatus::Queued);
    let LedgerState::Refusing(backlog) = ledger.state() else { panic!("{:?}", ledger.state()) };
    assert_eq!((backlog.reason, backlog.records), (BacklogReason::DiskFull, 2));
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!(spend.requests, u64::from(settled));
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    // With free space the queue is written and new requests are accepted.
    let deleted = ledger.purge_before(at(i64::from(settled) * 500)).await.expect("purged");
    assert!(deleted > 0);
    until(&ledger, |state| *state == LedgerState::Current).await;
    assert_eq!(
        ledger.settle(settlement(settled + 2)).await.expect("settled"),
        CommitStatus::Committed
    );
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!(spend.requests, u64::from(settled) + 3);
    ledger.reserve(request(settled + 50)).expect("room");
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

/// A queue whose writer commits with `how`.
fn started(
    place: &LedgerFixture,
    how: impl writer::CommitFn,
) -> (Arc<WriteQueue>, std::thread::JoinHandle<()>) {
    let limits = LedgerLimits::default();
    let connection =
        database::open(&place.path(), limits, database::MIGRATIONS).expect("a connection");
    let queue = WriteQueue::new(limits.queue_bytes_max);
    let thread =
        writer::start_with(connection, &queue, &place.path(), SHORT, (Arc::default(), how));
    (queue, thread.expect("a thread"))
}

fn refusal(code: std::ffi::c_int) -> LedgerError {
    LedgerError::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
}

fn count(place: &LedgerFixture) -> i64 {
    let sql = "SELECT count(*) FROM requests WHERE state = 'complete'";
    place.raw().query_row(sql, [], |row| row.get(0)).expect("a count")
}

/// R7: settled requests were lost when a lock failed with a code other than "busy".
#[tokio::test]
async fn what_any_refusal_but_the_records_own_hits_is_kept_and_tried_again() {
    for (code, expected) in [
        (ffi::SQLITE_PROTOCOL, BacklogReason::Locked),
        (ffi::SQLITE_IOERR_LOCK, BacklogReason::DiskError),
        (ffi::SQLITE_IOERR_WRITE, BacklogReason::DiskError),
        (ffi::SQLITE_READONLY, BacklogReason::ReadOnly),
        (ffi::SQLITE_CANTOPEN, BacklogReason::ReadOnly),
        (ffi::SQLITE_FULL, BacklogReason::DiskFull),
        (ffi::SQLITE_NOMEM, BacklogReason::Failed),
    ] {
        let place = LedgerFixture::new();
        let tries = AtomicU32::new(0);
        let (queue, thread) = started(
            &place,
            move |connection: &Connection, records: &[Arc<LedgerWrite>]| match tries
                .fetch_add(1, Ordering::Relaxed)
            {
                0 => Err(refusal(code)),
                _ => commit(connection, records),
            },
        );
        queue.set_commit_wait(LONG);
        let mut state = queue.watch_state();
        let settled = queue.settle(Box::new(settlement(1))).await.expect("queued");
        assert_eq!(settled, CommitStatus::Queued, "{code}: the answer is delivered at once");
        let refused = queue.state();
        assert!(matches!(refused, LedgerState::Refusing(_)), "{code}");
        assert_eq!(reason(&refused), Some(expected), "{code}");
        state.wait_for(|now| *now == LedgerState::Current).await.expect("open");
        assert_eq!((count(&place), queue.state()), (1, LedgerState::Current), "{code}");
        queue.close();
        thread.join().expect("the thread ends");
    }
}

/// R3: a slow `write` held the lock that all threads need. A hanging commit holds nothing.
#[test]
fn a_commit_that_hangs_makes_no_caller_wait() {
    let place = LedgerFixture::new();
    let (go_on, gate) = mpsc::channel::<()>();
    let (begun, hangs) = mpsc::channel();
    let gate = Mutex::new(gate);
    let (queue, thread) =
        started(&place, move |connection: &Connection, records: &[Arc<LedgerWrite>]| {
            let _told = begun.send(());
            let _ended = gate.lock().recv();
            commit(connection, records)
        });
    queue.set_commit_wait(SHORT);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(async {
        assert_eq!(
            queue.settle(Box::new(settlement(0))).await.expect("queued"),
            CommitStatus::Queued
        );
        hangs.recv().expect("the commit hangs");
        // Every call of a request's thread returns while the writer is inside its commit.
        for number in 1..100 {
            queue.reserve(request(number)).expect("room");
            let settled = queue.settle(Box::new(settlement(number))).await.expect("queued");
            assert_eq!(settled, CommitStatus::Queued);
        }
        let state = queue.state();
        assert!(matches!(state, LedgerState::Behind(_)), "{state:?}");
        assert_eq!(reason(&state), Some(BacklogReason::Slow));
    });
    drop(go_on);
    queue.close();
    thread.join().expect("the thread ends");
    assert_eq!(count(&place), 100);
}

#[tokio::test]
async fn a_bad_record_is_set_aside_alone() {
    let place = LedgerFixture::new();
    let ledger = place.open();
    place
        .raw()
        .execute_batch(
            "CREATE TRIGGER spoil BEFORE INSERT ON attempts WHEN new.message = 'spoil'
             BEGIN SELECT raise(ABORT, 'spoiled'); END",
        )
        .expect("a trigger");
    let settling = (0..50).map(|number| {
        let mut settlement = settlement(number);
        if number == 7 {
            settlement.attempts[0].message = Some("spoil".to_owned());
        }
        ledger.settle(settlement)
    });
    let answers = futures_util::future::join_all(settling).await;
    let refused: Vec<usize> = (0..50).filter(|place| answers[*place].is_err()).collect();
    assert_eq!(refused, [7]);
    let row = ledger.request(request(7).id).await.expect("read");
    assert_eq!(row, None, "half a settlement is never written");
    assert_eq!((rows(&ledger).await, ledger.state()), (49, LedgerState::Current));
    let rejected = std::fs::read_to_string(place.beside(".rejected.jsonl")).expect("kept");
    assert_eq!(rejected.lines().count(), 1);
    assert!(rejected.contains(&request(7).id.to_string()), "for whoever mends it");
}

#[tokio::test]
async fn what_could_not_be_written_until_the_stop_is_written_at_the_next_start() {
    let place = LedgerFixture::new();
    let limits = LedgerLimits { lock_wait: SHORT, ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    ledger.set_commit_wait(SHORT);
    let held = lock(&place);
    for number in 0..200 {
        ledger.settle(settlement(number)).await.expect("queued");
    }
    drop(ledger);
    let left = std::fs::read_to_string(place.beside(".uncommitted.jsonl")).expect("a file");
    assert_eq!(left.lines().count(), 200);
    held.execute_batch("ROLLBACK").expect("unlocked");
    for _start in 0..2 {
        let ledger = place.open();
        let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
        assert_eq!((spend.requests, spend.cost.nanos()), (200, 200 * 1_234_000));
        assert!(!place.beside(".uncommitted.jsonl").exists());
    }
}

#[tokio::test]
async fn a_write_that_is_no_record_fails_after_its_deadline_and_takes_nothing_with_it() {
    let place = LedgerFixture::new();
    let limits = LedgerLimits { lock_wait: SHORT, ..LedgerLimits::default() };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    let held = lock(&place);
    let purged = ledger.purge_before(at(0)).await;
    assert!(matches!(purged, Err(LedgerError::Locked)), "{purged:?}");
    assert_eq!(ledger.state(), LedgerState::Current, "no record waits");
    held.execute_batch("ROLLBACK").expect("unlocked");
    assert_eq!(ledger.purge_before(at(0)).await.expect("purged"), 0);
}
