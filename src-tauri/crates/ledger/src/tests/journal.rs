//! Journals of older versions are imported once, and their files removed.
//!
//! `journal/four-records.bin` was written by version 0.1.0 of 2026-11-22: three settlements, then a
//! reservation.

use std::path::Path;

use super::{LedgerFixture, at, request, settlement};
use crate::{Ledger, RequestState};

const FOUR_RECORDS: &[u8] = include_bytes!("journal/four-records.bin");

/// Requests and nano-dollars over the period of the samples.
async fn counted(ledger: &Ledger) -> (u64, i64) {
    let spend = ledger.spend(at(0), at(360_000_000)).await.expect("read");
    (spend.requests, spend.cost.nanos())
}

/// A ledger with this file beside it.
fn left_behind(ending: &str, content: &[u8]) -> LedgerFixture {
    let place = LedgerFixture::new();
    drop(place.open());
    write(&place.beside(ending), content);
    place
}

fn write(path: &Path, content: &[u8]) {
    let mut file = std::fs::File::create(path).expect("a file");
    std::io::Write::write_all(&mut file, content).expect("written");
}

#[tokio::test]
async fn an_older_journal_is_replayed_once_and_its_files_are_removed() {
    let place = left_behind(".journal-a", FOUR_RECORDS);
    // Both files hold the same records if the older version was killed while swapping them.
    write(&place.beside(".journal-b"), FOUR_RECORDS);
    for _start in 0..2 {
        let ledger = place.open();
        assert_eq!(counted(&ledger).await, (4, 3 * 1_234_000));
        let (row, attempts) = ledger.request(request(1).id).await.expect("read").expect("a row");
        assert_eq!((row.state, row.cost), (RequestState::Complete, settlement(1).cost));
        assert_eq!((row.timings, attempts), (settlement(1).timings, settlement(1).attempts));
        let running = ledger.request(request(3).id).await.expect("read").expect("a row").0;
        assert_eq!(running.state, RequestState::Unknown);
        drop(ledger);
        let files = super::files(place.path().parent().expect("a folder"));
        assert!(files.iter().all(|name| !name.contains("journal")), "{files:?}");
    }
}

#[tokio::test]
async fn a_journal_that_was_put_aside_is_read_too_and_counts_nothing_twice() {
    let place = left_behind(".journal-a-aside", FOUR_RECORDS);
    let ledger = place.open();
    assert_eq!(counted(&ledger).await, (4, 3 * 1_234_000), "nothing had been purged");
    assert!(!place.beside(".journal-a-aside").exists());
    // Purged requests are in the roll-ups but not in the rows: they must not come back.
    assert_eq!(ledger.purge_before(at(1_500)).await.expect("purged"), 2);
    drop(ledger);
    write(&place.beside(".journal-a-aside"), FOUR_RECORDS);
    let ledger = place.open();
    assert_eq!(counted(&ledger).await, (4, 3 * 1_234_000));
    assert_eq!(ledger.request(request(0).id).await.expect("read"), None);
}

#[tokio::test]
async fn a_damaged_journal_is_read_up_to_its_damage_and_kept_under_another_name() {
    let mut damaged = FOUR_RECORDS.to_vec();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    let place = left_behind(".journal-a", &damaged);
    assert_eq!(counted(&place.open()).await.0, 1, "the second of four is damaged");
    assert!(!place.beside(".journal-a").exists());
    assert_eq!(std::fs::read(place.beside(".journal-a.damaged")).expect("kept"), damaged);
    for absurd in [&b"no journal at all, and long"[..], &[0; 64], &[0xff; 64]] {
        let place = left_behind(".journal-b", absurd);
        assert_eq!(counted(&place.open()).await.0, 0, "{absurd:?}");
        assert_eq!(std::fs::read(place.beside(".journal-b.damaged")).expect("kept"), absurd);
    }
}

#[tokio::test]
async fn a_last_record_cut_off_anywhere_is_dropped() {
    // Offset of the last record: the other three, each with a header of eight bytes.
    let mut begins = 0;
    for _ in 0..3 {
        let length = FOUR_RECORDS[begins..begins + 4].try_into().expect("four bytes");
        begins += 8 + usize::try_from(u32::from_le_bytes(length)).expect("small");
    }
    for end in [begins + 1, begins + 7, begins + 8, FOUR_RECORDS.len() - 1] {
        let place = left_behind(".journal-a", &FOUR_RECORDS[..end]);
        assert_eq!(counted(&place.open()).await, (3, 3 * 1_234_000), "{end}");
        assert!(!place.beside(".journal-a").exists());
    }
}
