//! What the journal promises: whatever was acknowledged is there after a kill, exactly once.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::{Place, at, ended, request};
use crate::{JOURNAL_BYTES_MAX, JOURNAL_RECORD_BYTES_MAX, Ledger, RequestQuery, RequestState};

/// The whole period that the samples lie in.
async fn counted(ledger: &Ledger) -> u64 {
    ledger.spend(at(0), at(360_000_000)).await.expect("read").requests
}

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).expect("a file").len()
}

fn cut(path: &Path, bytes: u64) {
    let file = std::fs::OpenOptions::new().write(true).open(path).expect("a file");
    file.set_len(bytes).expect("cut");
}

/// A ledger that has promised settlements `0..count` and could commit none of them.
async fn promised(place: &Place, count: u32) -> (Ledger, rusqlite::Connection) {
    let ledger = place.open();
    let lock = place.raw();
    lock.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    for number in 0..count {
        ledger.settle(ended(number)).await.expect("promised");
    }
    (ledger, lock)
}

#[tokio::test]
async fn a_promise_outlives_the_process_and_a_second_start_changes_nothing() {
    let place = Place::new();
    let (ledger, lock) = promised(&place, 3).await;
    ledger.reserve(request(3)).expect("room");
    let killed = place.as_if_killed();
    // Killed again right after the replay, before the journal was emptied.
    let again = place.as_if_killed();
    for ending in ["", "-wal"] {
        drop(killed.open());
        if killed.beside(ending).exists() {
            std::fs::copy(killed.beside(ending), again.beside(ending)).expect("copied");
        } else {
            std::fs::remove_file(again.beside(ending)).expect("removed");
        }
    }
    for place in [&killed, &again] {
        let ledger = place.open();
        assert_eq!(counted(&ledger).await, 4);
        let (row, attempts) = ledger.request(request(1).id).await.expect("read").expect("a row");
        assert_eq!((row.state, row.cost), (RequestState::Complete, ended(1).cost));
        assert_eq!((row.timings, attempts), (ended(1).timings, ended(1).attempts));
        let running = ledger.request(request(3).id).await.expect("read").expect("a row").0;
        assert_eq!(running.state, RequestState::Unknown);
        assert!(ledger.check_integrity().await.expect("checked").is_sound());
    }
    lock.execute_batch("ROLLBACK").expect("unlocked");
    assert_eq!(counted(&ledger).await, 3);
    drop(ledger);
    assert!(!place.beside(".journal-a").exists(), "nothing is left to be replayed");
    assert!(!place.beside(".journal-b").exists());
}

#[tokio::test]
async fn a_damaged_journal_is_put_aside_after_what_can_be_read() {
    let place = Place::new();
    let (ledger, lock) = promised(&place, 3).await;
    let killed = place.as_if_killed();
    let path = killed.beside(".journal-a");
    let mut content = std::fs::read(&path).expect("bytes");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    let spoil = |content: &[u8]| {
        let mut file = std::fs::File::create(&path).expect("a file");
        file.write_all(content).expect("written");
    };
    spoil(&content);
    let reopened = killed.open();
    assert_eq!(counted(&reopened).await, 1, "the second of three is damaged");
    assert_eq!(std::fs::read(killed.beside(".journal-a-aside")).expect("aside"), content);
    drop(reopened);
    for absurd in [&b"no journal at all, and long"[..], &[0; 64], &[0xff; 64]] {
        spoil(absurd);
        assert_eq!(counted(&killed.open()).await, 1, "{absurd:?}");
    }
    lock.execute_batch("ROLLBACK").expect("unlocked");
    drop(ledger);
}

#[tokio::test]
async fn what_was_deleted_does_not_come_back_with_the_journal() {
    let place = Place::new();
    let ledger = place.open();
    for number in 0..20 {
        ledger.settle(ended(number)).await.expect("settled");
    }
    assert_eq!(ledger.purge_before(at(10_000)).await.expect("purged"), 10);
    let reopened = place.as_if_killed();
    let reopened = reopened.open();
    let rows = reopened.requests(RequestQuery::newest(99)).await.expect("read");
    assert_eq!(rows.len(), 10);
    assert_eq!(counted(&reopened).await, 20, "the sums stay, once");
}

#[tokio::test]
async fn the_journal_forgets_what_is_committed() {
    let place = Place::new();
    let ledger = place.open();
    let (mut most, mut all) = (0, 0);
    for number in 0..6_000 {
        ledger.reserve(request(number)).expect("room");
        ledger.settle(ended(number)).await.expect("settled");
        let now = bytes(&place.beside(".journal-a")) + bytes(&place.beside(".journal-b"));
        (most, all) = (now.max(most), all + 1);
    }
    assert_eq!(counted(&ledger).await, all);
    // What the queue may hold is copied when the files are exchanged.
    assert!(most > JOURNAL_BYTES_MAX && most < 5 * JOURNAL_BYTES_MAX, "{most} bytes");
    let killed = place.as_if_killed();
    assert_eq!(counted(&killed.open()).await, all);
}

#[tokio::test]
async fn a_record_past_the_limit_is_committed_instead() {
    let place = Place::new();
    let ledger = place.open();
    let mut long = ended(1);
    long.request.model_asked = "m".repeat(JOURNAL_RECORD_BYTES_MAX);
    ledger.reserve(long.request.clone()).expect("room");
    ledger.settle(long).await.expect("settled");
    assert_eq!(bytes(&place.beside(".journal-a")), 0);
    let killed = place.as_if_killed();
    assert_eq!(counted(&killed.open()).await, 1, "it had waited for its commit");
}

/// One call; true settles.
type Call = (u32, bool);

async fn make(ledger: &Ledger, (number, settles): Call) {
    match settles {
        true => ledger.settle(ended(number)).await.expect("promised"),
        false => ledger.reserve(request(number)).expect("room"),
    }
}

/// What must be known after a kill that leaves `calls` acknowledged.
fn expected(calls: &[Call]) -> BTreeMap<String, RequestState> {
    let mut known = BTreeMap::new();
    for (number, settles) in calls {
        let id = request(*number).id.to_string();
        let state = known.entry(id).or_insert(RequestState::Unknown);
        if *settles {
            *state = RequestState::Complete;
        }
    }
    known
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    /// Any calls, the first of them committed; killed at any byte of the journal; started twice.
    #[test]
    fn exactly_what_was_acknowledged_is_there_after_a_kill(
        calls in prop::collection::vec((0_u32..12, any::<bool>()), 1..40),
        committed in 0_usize..40,
        cut_at in 0.0_f64..=1.0,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let place = Place::new();
            let ledger = place.open();
            let (before, after) = calls.split_at(committed.min(calls.len()));
            for call in before {
                make(&ledger, *call).await;
            }
            counted(&ledger).await;
            let lock = place.raw();
            lock.execute_batch("BEGIN IMMEDIATE").expect("a lock");
            let journal = place.beside(".journal-a");
            let start = bytes(&journal);
            let mut ends = Vec::new();
            for call in after {
                make(&ledger, *call).await;
                ends.push(bytes(&journal));
            }
            let killed = place.as_if_killed();
            lock.execute_batch("ROLLBACK").expect("unlocked");
            let written = ends.last().map_or(0, |end| end - start);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few thousand bytes")]
            let kept = start + (written as f64 * cut_at) as u64;
            cut(&killed.beside(".journal-a"), kept);
            let whole = ends.iter().filter(|end| **end <= kept).count();
            let known = expected(&calls[..before.len() + whole]);
            for _start in 0..2 {
                let ledger = killed.open();
                let rows = ledger.requests(RequestQuery::newest(99)).await.expect("read");
                let found: BTreeMap<_, _> =
                    rows.iter().map(|row| (row.request.id.to_string(), row.state)).collect();
                assert_eq!(found, known);
                super::sums::check_against_recount(&ledger, crate::GroupBy::Model).await;
            }
        });
    }
}
