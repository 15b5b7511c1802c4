//! Crash, full disk, held lock, full queue.

use std::sync::Arc;

use domain::WallTime;

use super::{Place, at, ended, request};
use crate::journal::Journal;
use crate::writer::Queue;
use crate::{
    Cost, Ledger, LedgerError, LedgerLimits, QUEUE_JOBS_MAX, QUEUE_RESERVATIONS_MAX, RequestQuery,
    RequestState, database,
};

#[tokio::test]
async fn what_was_running_at_the_last_stop_is_unknown_and_counted() {
    let place = Place::new();
    let ledger = place.open();
    ledger.reserve(request(1)).expect("room");
    ledger.settle(ended(2)).await.expect("settled");
    let before = ledger.spend(at(0), at(60_000)).await.expect("read");
    assert_eq!((before.requests, before.unpriced_requests), (1, 0), "running ones do not count");
    drop(ledger);
    for _restart in 0..2 {
        let ledger = place.open();
        let row = ledger.request(request(1).id).await.expect("read").expect("a row").0;
        assert_eq!((row.state, row.cost, row.usage), (RequestState::Unknown, Cost::Unpriced, None));
        let spend = ledger.spend(at(0), at(60_000)).await.expect("read");
        assert_eq!((spend.requests, spend.unpriced_requests), (2, 1));
    }
}

#[tokio::test]
async fn the_last_handle_writes_what_is_queued_before_it_goes() {
    let place = Place::new();
    let ledger = place.open();
    let other = ledger.clone();
    for number in 0..1_000 {
        ledger.reserve(request(number)).expect("room");
    }
    drop(ledger);
    other.reserve(request(1_000)).expect("still open");
    drop(other);
    let rows: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM requests", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(rows, 1_001);
}

#[tokio::test]
async fn many_settle_at_once_and_each_is_there() {
    let place = Place::new();
    let ledger = place.open();
    let settling = (0..2_000).map(|number| ledger.settle(ended(number)));
    let answers = futures_util::future::join_all(settling).await;
    assert!(answers.iter().all(Result::is_ok));
    let spend = ledger.spend(at(0), at(3_600_000)).await.expect("read");
    assert_eq!((spend.requests, spend.cost.micros()), (2_000, 2_000 * 1_234));
}

#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() {
    let place = Place::new();
    drop(place.open());
    let limits = LedgerLimits { file_bytes_max: Some(400_000) };
    let ledger = Ledger::open_with(&place.path(), limits).expect("a ledger");
    let mut settled = 0;
    loop {
        ledger.settle(ended(settled)).await.expect("promised by the journal");
        // Reading waits for the commit or its refusal.
        ledger.spend(at(0), at(36_000_000)).await.expect("read");
        if ledger.backlog() > 0 {
            break;
        }
        settled += 1;
        assert!(settled < 5_000, "the limit was never met");
    }
    assert_eq!(ledger.backlog(), 1);
    // New requests are refused at once, ends of running ones are kept, and reading goes on.
    assert!(matches!(ledger.reserve(request(settled + 50)), Err(LedgerError::Full)));
    let kept = ledger.settle(ended(settled + 1)).await;
    assert!(matches!(kept, Err(LedgerError::Full)), "{kept:?}");
    assert_eq!(ledger.backlog(), 2);
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!(spend.requests, u64::from(settled));
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    // Killed now and started where there is room, both are there.
    let killed = place.as_if_killed();
    let spend = killed.open().spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!(spend.requests, u64::from(settled) + 2);
    // Room again: what was kept is written, and the next one passes.
    let deleted = ledger.purge_before(at(i64::from(settled) * 500)).await.expect("purged");
    assert!(deleted > 0);
    ledger.settle(ended(settled + 2)).await.expect("settled");
    let spend = ledger.spend(at(0), at(36_000_000)).await.expect("read");
    assert_eq!(ledger.backlog(), 0);
    assert_eq!(spend.requests, u64::from(settled) + 3);
    ledger.reserve(request(settled + 50)).expect("room");
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

#[tokio::test]
async fn a_bad_write_does_not_take_its_neighbours_with_it() {
    let place = Place::new();
    let ledger = place.open();
    place
        .raw()
        .execute_batch(
            "CREATE TRIGGER spoil BEFORE INSERT ON attempts WHEN new.message = 'spoil'
             BEGIN SELECT raise(ABORT, 'spoiled'); END",
        )
        .expect("a trigger");
    let settling = (0..50).map(|number| {
        let mut settlement = ended(number);
        if number == 7 {
            settlement.attempts[0].message = Some("spoil".to_owned());
        }
        ledger.settle(settlement)
    });
    let answers = futures_util::future::join_all(settling).await;
    assert!(answers.iter().all(Result::is_ok), "the journal took them: {answers:?}");
    let row = ledger.request(request(7).id).await.expect("read");
    assert_eq!(row, None, "half a settlement is never written");
    assert_eq!(ledger.backlog(), 0, "what can never succeed is not tried again");
    let aside = std::fs::read(place.beside(".journal-a-aside")).expect("the journal is kept");
    let id = request(7).id.to_string();
    assert!(aside.windows(id.len()).any(|bytes| bytes == id.as_bytes()), "for whoever mends it");
    let rows = ledger.requests(RequestQuery::newest(500)).await.expect("read");
    assert_eq!(rows.len(), 49);
}

/// A queue whose thread is held up by another program's lock on the file.
fn held_up(place: &Place) -> (rusqlite::Connection, Arc<Queue>, std::thread::JoinHandle<()>) {
    let connection = database::open(&place.path(), LedgerLimits::default(), database::STEPS)
        .expect("a connection");
    let lock = place.raw();
    lock.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let (journal, left) = Journal::open(&place.path()).expect("a journal");
    assert_eq!(left, []);
    let (queue, thread) = Queue::start(connection, journal).expect("a thread");
    (lock, queue, thread)
}

#[test]
fn the_queue_refuses_past_its_limits_and_keeps_room_for_settlements() {
    let place = Place::new();
    let (lock, queue, thread) = held_up(&place);
    let mut accepted = 0_usize;
    let refused = loop {
        match queue.reserve(request(u32::try_from(accepted).expect("small"))) {
            Ok(()) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, LedgerError::Busy), "{refused:?}");
    // What the thread has taken out of the queue before it met the lock comes on top.
    assert!((QUEUE_RESERVATIONS_MAX..=QUEUE_RESERVATIONS_MAX + 256).contains(&accepted));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let mut settling = Vec::new();
        let refused = loop {
            let mut settlement = Box::pin(queue.settle(ended(1).into()));
            match futures_util::FutureExt::now_or_never(&mut settlement) {
                None => settling.push(settlement),
                Some(answer) => break answer,
            }
        };
        assert!(matches!(refused, Err(LedgerError::Busy)), "{refused:?}");
        assert!(settling.len() >= QUEUE_JOBS_MAX - QUEUE_RESERVATIONS_MAX);
        lock.execute_batch("ROLLBACK").expect("unlocked");
        for settlement in settling {
            settlement.await.expect("settled");
        }
    });
    queue.close();
    assert!(matches!(queue.reserve(request(1)), Err(LedgerError::Closed)));
    thread.join().expect("the thread ends");
    let rows: i64 = place
        .raw()
        .query_row("SELECT count(*) FROM requests", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(usize::try_from(rows), Ok(accepted));
}

#[tokio::test]
async fn a_request_of_the_far_future_or_past_is_settled_too() {
    let place = Place::new();
    let ledger = place.open();
    for (number, ms) in [(1, i64::MIN), (2, -1), (3, i64::MAX)] {
        let mut settlement = ended(number);
        settlement.request.started = WallTime::from_unix_ms(ms);
        ledger.settle(settlement).await.expect("settled");
    }
    let rows = ledger.requests(RequestQuery::newest(9)).await.expect("read");
    assert_eq!(rows.len(), 3);
}

/// A request that cannot be written down is refused; the end of one that began is committed instead.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_journal_on_a_full_disk_refuses_reservations_and_settlements_wait_for_their_commit() {
    let place = Place::new();
    let connection = database::open(&place.path(), LedgerLimits::default(), database::STEPS)
        .expect("a connection");
    let (mut journal, _) = Journal::open(&place.path()).expect("a journal");
    journal.fill_disk().expect("a device that is full");
    let (queue, thread) = Queue::start(connection, journal).expect("a thread");
    let refused = queue.reserve(request(1));
    assert!(matches!(refused, Err(LedgerError::Full)), "{refused:?}");
    queue.settle(ended(2).into()).await.expect("committed");
    let ids = "SELECT group_concat(id) FROM requests";
    let found: String = place.raw().query_row(ids, [], |row| row.get(0)).expect("ids");
    assert_eq!(found, request(2).id.to_string());
    queue.close();
    thread.join().expect("the thread ends");
}
