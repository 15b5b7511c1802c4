//! Damaged, emptied, deleted and replaced ledger files, and backups.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, CredentialId, ManualClock};

use super::{LedgerFixture, NOW_MS, at, backend, files, request, rollups, sessions, settlement};
use crate::file::backup::BACKUPS_KEPT_MAX;
use crate::file::set_aside::SET_ASIDE_FILES_MAX;
use crate::{
    DegradedSpan, IncidentCause, KeyVerdict, KeyVerdictRecord, KeyVerdictSource, Ledger,
    LedgerError, LedgerLimits, Recovery, RequestQuery, RequestState,
};

const DAY: Duration = Duration::from_secs(86_400);

/// A ledger opened with recovery, and its clock.
struct RecoveryFixture {
    place: LedgerFixture,
    clock: Arc<ManualClock>,
}

impl RecoveryFixture {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::starting_at(at(0)));
        Self { place: LedgerFixture::new(), clock }
    }

    fn try_open(&self) -> Result<(Ledger, Recovery), LedgerError> {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Recovery::open(&self.place.path(), LedgerLimits::default(), clock)
    }

    fn open(&self) -> (Ledger, Recovery) {
        self.try_open().expect("a ledger")
    }

    /// A closed ledger with `requests` requests.
    async fn filled(requests: u32) -> Self {
        let guarded = Self::new();
        let (ledger, recovery) = guarded.open();
        settle(&ledger, 0..requests).await;
        recovery.save_progress().await.expect("noted");
        guarded
    }

    fn files(&self) -> Vec<String> {
        files(&self.place.folder.path().join("data"))
    }

    fn write(&self, offset: u64, bytes: &[u8]) {
        let mut file =
            fs::OpenOptions::new().write(true).open(self.place.path()).expect("the file");
        file.seek(SeekFrom::Start(offset)).expect("a place");
        file.write_all(bytes).expect("written");
    }

    fn truncate(&self, bytes: u64) {
        let file = fs::OpenOptions::new().write(true).open(self.place.path()).expect("the file");
        file.set_len(bytes).expect("cut");
    }

    fn length(&self) -> u64 {
        fs::metadata(self.place.path()).expect("the file").len()
    }

    /// Offset of a table's root page in the file.
    fn root_of(&self, table: &str) -> u64 {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let page: u32 = self.place.raw().query_row(sql, [table], |row| row.get(0)).expect("a page");
        u64::from(page - 1) * 4_096
    }
}

async fn settle(ledger: &Ledger, numbers: std::ops::Range<u32>) {
    for number in numbers {
        ledger.settle(settlement(number)).await.expect("settled");
    }
    ledger.spend(at(0), at(1)).await.expect("committed");
}

async fn count(ledger: &Ledger) -> usize {
    ledger.requests(RequestQuery::newest(500)).await.expect("read").len()
}

async fn has(ledger: &Ledger, number: u32) -> bool {
    ledger.request(request(number).id).await.expect("read").is_some()
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).expect("a file").permissions().readonly()
}

/// Opens a ledger after `damage`, expects a new one with an incident, and returns the name of the
/// kept file and the number of requests that a repair restores.
async fn repaired(damage: impl FnOnce(&RecoveryFixture)) -> u64 {
    let guarded = RecoveryFixture::filled(400).await;
    damage(&guarded);
    let broken = fs::read(guarded.place.path()).expect("bytes");
    let (ledger, recovery) = guarded.open();
    let incident = recovery.incident().expect("an incident");
    assert_eq!((incident.cause, incident.requests_before), (IncidentCause::Damaged, Some(400)));
    let kept = guarded.place.path().with_file_name(incident.kept.expect("a kept file"));
    assert!(fs::read(&kept).expect("bytes") == broken, "kept as it was");
    assert!(is_read_only(&kept));
    assert_eq!(count(&ledger).await, 0);
    settle(&ledger, 500..503).await;

    let (_, promised) = recovery.examine(None).await.expect("examined");
    assert_eq!(count(&ledger).await, 3, "looking changes nothing");
    let (salvaged, restored) = recovery.repair(None).await.expect("repaired");
    assert_eq!(salvaged, promised);
    assert_eq!((restored.added, restored.requests), (3, salvaged.requests + 3));
    for number in 500..503 {
        assert!(has(&ledger, number).await, "{number} was recorded after the damage");
    }
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    assert_eq!(recovery.incident(), None);
    settle(&ledger, 600..601).await;
    assert!(has(&ledger, 600).await);
    assert!(kept.exists() && restored.kept.is_some(), "nothing was deleted");
    salvaged.requests
}

#[tokio::test]
async fn a_broken_header_is_kept_and_all_requests_come_back() {
    assert_eq!(repaired(|guarded| guarded.write(0, &[0xa5; 100])).await, 400);
}

#[tokio::test]
async fn a_broken_first_page_is_kept_and_all_requests_come_back() {
    assert_eq!(repaired(|guarded| guarded.write(0, &[0xa5; 4_096])).await, 400);
}

#[tokio::test]
async fn a_cut_file_is_kept_and_what_is_in_it_comes_back() {
    // The first pages are those of empty tables, and the requests come after them.
    let salvaged = repaired(|guarded| guarded.truncate(guarded.length() / 3 * 2)).await;
    assert!((100..400).contains(&salvaged), "{salvaged}");
}

#[tokio::test]
async fn text_is_kept_and_nothing_is_made_up_from_it() {
    let text = b"this is no database at all, not even nearly ".repeat(400);
    let damage = |guarded: &RecoveryFixture| {
        guarded.write(0, &text);
        guarded.truncate(u64::try_from(text.len()).expect("small"));
    };
    assert_eq!(repaired(damage).await, 0);
}

/// One leaf in the middle of the requests. The program starts, since nothing reads it at once.
#[tokio::test]
async fn a_damaged_page_is_found_by_the_check_and_costs_only_its_own_requests() {
    let guarded = RecoveryFixture::filled(400).await;
    let leaf = leaf_of_requests(&guarded);
    guarded.write(leaf, &[0xff; 512]);
    let (ledger, recovery) = guarded.open();
    assert_eq!(recovery.incident(), None);
    let found = recovery.check_integrity().await.expect("checked").expect("an incident");
    assert_eq!(found.cause, IncidentCause::Damaged);
    assert!(found.detail.is_some_and(|detail| !detail.is_empty()));
    settle(&ledger, 500..501).await;
    assert!(has(&ledger, 500).await, "a new ledger was begun while running");

    let (salvaged, _) = recovery.repair(None).await.expect("repaired");
    assert!((340..400).contains(&salvaged.requests), "{salvaged:?}");
    assert_eq!(salvaged.damaged_tables, ["requests"]);
    assert!(has(&ledger, 0).await && has(&ledger, 399).await && has(&ledger, 500).await);
    // The roll-ups were whole, so costs are too.
    assert_eq!(rollups::totals(&ledger).await.requests, 401);
}

/// Offset of a leaf page that is neither the first nor the last of the table.
fn leaf_of_requests(guarded: &RecoveryFixture) -> u64 {
    let bytes = fs::read(guarded.place.path()).expect("bytes");
    let root = usize::try_from(guarded.root_of("requests")).expect("small");
    // An interior page of an index b-tree: 12 bytes of header, then 2 bytes per cell offset.
    assert_eq!(bytes[root], 2, "the table has several pages");
    let cell = usize::from(u16::from_be_bytes([bytes[root + 12 + 4], bytes[root + 12 + 5]]));
    let child = &bytes[root + cell..root + cell + 4];
    let child = u32::from_be_bytes(child.try_into().expect("four bytes"));
    u64::from(child - 1) * 4_096
}

/// The root page of the requests: without it SQLite reads none of them.
#[tokio::test]
async fn a_damaged_root_costs_no_request() {
    let guarded = RecoveryFixture::filled(400).await;
    guarded.write(guarded.root_of("requests"), &[0xff; 512]);
    let (ledger, recovery) = guarded.open();
    if recovery.incident().is_none() {
        recovery.check_integrity().await.expect("checked").expect("an incident");
    }
    let (salvaged, _) = recovery.repair(None).await.expect("repaired");
    assert!(salvaged.requests >= 390, "all but those that stood in the page itself: {salvaged:?}");
    assert_eq!(rollups::totals(&ledger).await.requests, 400);
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

#[tokio::test]
async fn damaged_sums_are_made_again_from_the_requests() {
    let guarded = RecoveryFixture::filled(40).await;
    let root = guarded.root_of("rollup_quarter");
    guarded.write(root, &[0xff; 64]);
    let (ledger, recovery) = guarded.open();
    assert!(recovery.check_integrity().await.expect("checked").is_some());
    let (salvaged, _) = recovery.repair(None).await.expect("repaired");
    assert_eq!((salvaged.requests, salvaged.damaged_tables), (40, vec!["rollup_quarter"]));
    assert_eq!(rollups::totals(&ledger).await.requests, 40);
}

#[tokio::test]
async fn what_providers_made_of_keys_is_read_from_a_damaged_file() {
    let guarded = RecoveryFixture::filled(40).await;
    let (ledger, _) = guarded.open();
    let verdict = |ms: i64, verdict: KeyVerdict, source: KeyVerdictSource| KeyVerdictRecord {
        at: at(ms),
        credential: CredentialId::new("work").expect("an id"),
        place: (verdict != KeyVerdict::Unknown).then(|| "home".to_owned()),
        verdict,
        source,
    };
    let written = [
        verdict(1, KeyVerdict::Rejected, KeyVerdictSource::Check),
        verdict(2, KeyVerdict::Accepted, KeyVerdictSource::Request),
        verdict(3, KeyVerdict::Rejected, KeyVerdictSource::Check),
        verdict(4, KeyVerdict::Unknown, KeyVerdictSource::Change),
    ];
    for record in written.clone() {
        ledger.record_key_verdict(record).expect("queued");
    }
    settle(&ledger, 40..41).await;
    ledger.close().await;
    guarded.write(0, &[0xa5; 100]);
    let (ledger, recovery) = guarded.open();
    let id = || CredentialId::new("work").expect("an id");
    assert_eq!(ledger.key_verdicts(id()).await.expect("read"), []);
    recovery.repair(None).await.expect("repaired");
    assert_eq!(ledger.key_verdicts(id()).await.expect("read"), written);
}

#[tokio::test]
async fn an_emptied_file_is_noticed_and_a_restore_brings_back_all_that_was_backed_up() {
    let guarded = RecoveryFixture::filled(30).await;
    let (ledger, recovery) = guarded.open();
    recovery.back_up().await.expect("a backup");
    drop((ledger, recovery));
    guarded.truncate(0);
    let (ledger, recovery) = guarded.open();
    let incident = recovery.incident().expect("an incident");
    assert_eq!(incident.cause, IncidentCause::Emptied);
    assert_eq!((incident.requests_before, incident.kept), (Some(30), None));
    settle(&ledger, 30..35).await;
    drop((ledger, recovery));
    let (ledger, recovery) = guarded.open();
    assert!(recovery.incident().is_some(), "it stays until somebody deals with it");

    let restored = recovery.restore(None).await.expect("restored");
    assert_eq!((restored.requests, restored.added), (35, 5));
    assert_eq!((count(&ledger).await, rollups::totals(&ledger).await.requests), (35, 35));
    assert_eq!(recovery.incident(), None);
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    drop((ledger, recovery));
    assert_eq!(guarded.open().1.incident(), None);
}

#[tokio::test]
async fn a_deleted_file_is_noticed_at_the_start_and_can_be_acknowledged() {
    let guarded = RecoveryFixture::filled(3).await;
    fs::remove_file(guarded.place.path()).expect("deleted");
    let (ledger, recovery) = guarded.open();
    assert_eq!(recovery.incident().expect("an incident").cause, IncidentCause::Missing);
    assert!(matches!(recovery.restore(None).await, Err(LedgerError::NoBackup { skipped: 0 })));
    assert!(matches!(recovery.repair(None).await, Err(LedgerError::NothingToRepair)));
    recovery.acknowledge().expect("noted");
    drop((ledger, recovery));
    assert_eq!(guarded.open().1.incident(), None);
}

#[test]
fn the_very_first_start_is_no_incident() {
    let guarded = RecoveryFixture::new();
    assert_eq!(guarded.open().1.incident(), None);
    assert_eq!(guarded.open().1.incident(), None);
}

#[tokio::test]
async fn another_ledger_and_an_older_copy_in_its_place_are_noticed() {
    let guarded = RecoveryFixture::filled(9).await;
    let copy = guarded.place.folder.path().join("copy.sqlite");
    fs::copy(guarded.place.path(), &copy).expect("copied");
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 9..12).await;
    recovery.save_progress().await.expect("noted");
    drop((ledger, recovery));
    fs::copy(&copy, guarded.place.path()).expect("put back");
    let (ledger, recovery) = guarded.open();
    let incident = recovery.incident().expect("an incident");
    assert_eq!((incident.cause, incident.requests_before), (IncidentCause::Older, Some(12)));
    drop((ledger, recovery));

    let other = RecoveryFixture::filled(20).await;
    fs::copy(other.place.path(), guarded.place.path()).expect("replaced");
    let (ledger, recovery) = guarded.open();
    assert_eq!(recovery.incident().expect("an incident").cause, IncidentCause::Replaced);
    assert_eq!(count(&ledger).await, 20, "it is used, not set aside");
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_deleted_in_use_is_written_again_with_all_records() {
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 0..50).await;
    assert_eq!(recovery.check_file().await.expect("looked"), None);
    fs::remove_file(guarded.place.path()).expect("deleted");
    settle(&ledger, 50..60).await;
    let incident = recovery.check_file().await.expect("looked").expect("an incident");
    assert_eq!((incident.cause, incident.kept), (IncidentCause::DeletedInUse, None));
    settle(&ledger, 60..61).await;
    assert_eq!(recovery.check_file().await.expect("looked"), None, "once");
    drop((ledger, recovery));
    let (ledger, recovery) = guarded.open();
    assert_eq!(count(&ledger).await, 61, "nothing is lost");
    assert_eq!(recovery.incident().expect("told until read").cause, IncidentCause::DeletedInUse);
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
}

/// The exchange has left a connection that has read nothing yet.
#[cfg(unix)]
#[tokio::test]
async fn a_file_deleted_right_after_a_restore_is_written_again() {
    let guarded = RecoveryFixture::filled(5).await;
    let (ledger, recovery) = guarded.open();
    recovery.back_up().await.expect("a backup");
    recovery.restore(None).await.expect("restored");
    fs::remove_file(guarded.place.path()).expect("deleted");
    let incident = recovery.check_file().await.expect("looked").expect("an incident");
    assert_eq!(incident.cause, IncidentCause::DeletedInUse);
    assert_eq!(count(&ledger).await, 5);
}

/// The copy cannot be made; records go to the unlinked file until it can.
#[cfg(unix)]
#[tokio::test]
async fn a_deleted_file_that_cannot_be_written_again_is_tried_again() {
    let guarded = RecoveryFixture::filled(5).await;
    let (ledger, recovery) = guarded.open();
    fs::remove_file(guarded.place.path()).expect("deleted");
    let copy = guarded.place.beside(".rewritten");
    fs::create_dir(&copy).expect("in its place");
    assert!(recovery.check_file().await.is_err());
    ledger.settle(settlement(5)).await.expect("settled");
    fs::remove_dir(&copy).expect("removed");
    assert!(recovery.check_file().await.expect("looked").is_some());
    // Until the next attempt a read returns what there is.
    let mut state = ledger.watch_state();
    state.wait_for(|state| *state == crate::LedgerState::Current).await.expect("open");
    assert_eq!(count(&ledger).await, 6);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_replaced_in_use_is_kept_and_the_ledger_written_again() {
    let other = RecoveryFixture::filled(7).await;
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 0..50).await;
    let beside = guarded.place.folder.path().join("other.sqlite");
    fs::copy(other.place.path(), &beside).expect("copied");
    fs::rename(&beside, guarded.place.path()).expect("replaced");
    let incident = recovery.check_file().await.expect("looked").expect("an incident");
    assert_eq!(incident.cause, IncidentCause::ReplacedInUse);
    let kept = guarded.place.path().with_file_name(incident.kept.expect("the other file"));
    assert!(fs::read(kept).expect("bytes") == fs::read(other.place.path()).expect("bytes"));
    settle(&ledger, 50..51).await;
    drop((ledger, recovery));
    assert_eq!(count(&guarded.open().0).await, 51);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_emptied_or_written_over_in_use_is_set_aside() {
    let guarded = RecoveryFixture::filled(50).await;
    let (ledger, recovery) = guarded.open();
    guarded.truncate(0);
    let incident = recovery.check_file().await.expect("looked").expect("an incident");
    assert_eq!((incident.cause, incident.requests_before), (IncidentCause::Emptied, Some(50)));
    settle(&ledger, 60..62).await;
    assert_eq!(count(&ledger).await, 2);

    let other = RecoveryFixture::filled(70).await;
    drop((ledger, recovery));
    let (ledger, recovery) = guarded.open();
    fs::copy(other.place.path(), guarded.place.path()).expect("written over");
    let incident = recovery.check_file().await.expect("looked").expect("an incident");
    assert_eq!(incident.cause, IncidentCause::Damaged);
    settle(&ledger, 80..81).await;
    assert!(has(&ledger, 80).await);
}

/// As after a power cut: the last commits are gone, the file is whole.
#[tokio::test]
async fn a_log_with_a_torn_end_gives_what_was_committed_before_it() {
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 0..10).await;
    settle(&ledger, 10..20).await;
    let killed =
        RecoveryFixture { place: guarded.place.as_if_killed(), clock: Arc::clone(&guarded.clock) };
    drop((ledger, recovery));
    let log = killed.place.beside("-wal");
    let length = fs::metadata(&log).expect("a log").len();
    fs::OpenOptions::new()
        .write(true)
        .open(&log)
        .and_then(|log| log.set_len(length - 1_000))
        .expect("torn");
    let (ledger, recovery) = killed.open();
    let rows = count(&ledger).await;
    assert!((10..20).contains(&rows), "{rows}");
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    assert_eq!(recovery.incident(), None);
}

#[tokio::test]
async fn the_drill_backs_up_damages_and_restores() {
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 0..100).await;
    ledger.reserve(request(100)).expect("room");
    let made = recovery.back_up().await.expect("a backup");
    assert_eq!(made.at, at(0));
    ledger.settle(settlement(100)).await.expect("settled");
    settle(&ledger, 101..110).await;
    drop((ledger, recovery));
    guarded.write(0, &[0; 4_096]);

    let (ledger, recovery) = guarded.open();
    assert_eq!(recovery.incident().expect("an incident").cause, IncidentCause::Damaged);
    settle(&ledger, 200..202).await;
    let restored = recovery.restore(None).await.expect("restored");
    assert_eq!((restored.from, restored.added), (made.name, 2));
    for number in (0..101).chain(200..202) {
        assert!(has(&ledger, number).await, "{number}");
    }
    // It was running when the backup was made; only the damaged file has its end.
    let unfinished = ledger.request(request(100).id).await.expect("read").expect("a row").0;
    assert_eq!(unfinished.state, RequestState::Unknown);
    assert!(ledger.check_integrity().await.expect("checked").is_sound());
    assert_eq!(rollups::totals(&ledger).await.requests, 103);

    // A later repair adds the rest from the damaged file.
    let kept = recovery.kept_files().expect("read");
    let damaged = kept.iter().find(|name| name.contains("damaged")).expect("still there");
    let (salvaged, repaired) = recovery.repair(Some(damaged.clone())).await.expect("repaired");
    assert_eq!((salvaged.requests, repaired.requests), (110, 112));
    assert_eq!(rollups::totals(&ledger).await.requests, 112);
}

#[tokio::test]
async fn a_restore_onto_a_sound_ledger_loses_nothing_and_finishes_what_had_begun() {
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    settle(&ledger, 0..10).await;
    ledger.reserve(request(10)).expect("room");
    recovery.back_up().await.expect("a backup");
    ledger.settle(settlement(10)).await.expect("settled");
    ledger.reserve(request(11)).expect("room");
    let restored = recovery.restore(None).await.expect("restored");
    assert_eq!((restored.requests, restored.added), (12, 2));
    let state = async |number| {
        ledger.request(request(number).id).await.expect("read").expect("a row").0.state
    };
    assert_eq!((state(10).await, state(11).await), (RequestState::Complete, RequestState::Running));
    ledger.settle(settlement(11)).await.expect("settled");
    assert_eq!((count(&ledger).await, rollups::totals(&ledger).await.requests), (12, 12));
    let again = recovery.restore(None).await.expect("restored");
    assert_eq!((again.requests, rollups::totals(&ledger).await.requests), (12, 12));
}

#[tokio::test]
async fn a_restore_keeps_the_later_end_of_a_degraded_time_and_logs_of_keys_and_services() {
    let guarded = RecoveryFixture::new();
    let (ledger, recovery) = guarded.open();
    let degraded = |until: i64, reason: &str| DegradedSpan {
        backend: backend("home"),
        from: at(0),
        until: at(until),
        reason: reason.to_owned(),
    };
    let verdict = |ms: i64, verdict: KeyVerdict| KeyVerdictRecord {
        at: at(ms),
        credential: CredentialId::new("work").expect("an id"),
        place: Some("home".to_owned()),
        verdict,
        source: KeyVerdictSource::Check,
    };
    ledger.put_degraded_spans(vec![degraded(60_000, "slow")]).await.expect("written");
    ledger.record_key_verdict(verdict(1, KeyVerdict::Rejected)).expect("queued");
    let store = || domain::ServiceId::new("store").expect("an id");
    let health = |ms: i64, state| crate::ServiceHealthRow {
        service: store(),
        address: "tcp://db.test:5432".to_owned(),
        state,
        since: at(ms),
        reason: String::new(),
    };
    let (up, down) = (health(1, domain::HealthState::Up), health(2, domain::HealthState::Down));
    ledger.record_service_health(up.clone()).await.expect("kept");
    settle(&ledger, 0..1).await;
    recovery.back_up().await.expect("a backup");
    ledger.put_degraded_spans(vec![degraded(120_000, "slower")]).await.expect("written");
    ledger.record_key_verdict(verdict(2, KeyVerdict::Accepted)).expect("queued");
    ledger.record_service_health(down.clone()).await.expect("kept");
    settle(&ledger, 1..2).await;
    recovery.restore(None).await.expect("restored");
    let spans = ledger.degraded_spans(at(-1)).await.expect("read");
    assert_eq!(spans, [degraded(120_000, "slower")]);
    let verdicts = ledger.key_verdicts(CredentialId::new("work").expect("an id")).await;
    let verdicts: Vec<_> = verdicts.expect("read").into_iter().map(|it| it.verdict).collect();
    assert_eq!(verdicts, [KeyVerdict::Rejected, KeyVerdict::Accepted]);
    assert_eq!(ledger.service_health_log(store()).await.expect("read"), [down.clone(), up]);
    assert_eq!(
        ledger.service_health().await.expect("read"),
        [down],
        "the latest, not the backup's"
    );
}

#[tokio::test]
async fn a_damaged_backup_is_passed_over_and_named() {
    let guarded = RecoveryFixture::filled(10).await;
    let (ledger, recovery) = guarded.open();
    let older = recovery.back_up().await.expect("a backup");
    guarded.clock.advance(DAY);
    settle(&ledger, 10..20).await;
    let newer = recovery.back_up().await.expect("a backup");
    let file = recovery.backup_folder().join(&newer.name);
    let length = fs::metadata(&file).expect("a file").len();
    fs::OpenOptions::new()
        .write(true)
        .open(&file)
        .and_then(|file| file.set_len(length / 2))
        .expect("cut");
    let restored = recovery.restore(None).await.expect("restored");
    assert_eq!(restored.from, older.name);
    let [skipped] = restored.skipped.as_slice() else { panic!("{:?}", restored.skipped) };
    assert_eq!(skipped.name, newer.name);
    assert!(!skipped.reason.is_empty());
    assert_eq!(count(&ledger).await, 20);
    let named = recovery.restore(Some(newer.name)).await;
    assert!(matches!(named, Err(LedgerError::NoBackup { skipped: 1 })), "{named:?}");
    assert!(
        !guarded.files().iter().any(|name| name.contains("restoring")),
        "{:?}",
        guarded.files()
    );
}

#[tokio::test]
async fn backups_are_limited_in_number_and_age_and_one_always_stays() {
    let guarded = RecoveryFixture::filled(2).await;
    let (_ledger, recovery) = guarded.open();
    for _ in 0..BACKUPS_KEPT_MAX + 2 {
        guarded.clock.advance(DAY);
        recovery.back_up().await.expect("a backup");
    }
    let backups = recovery.backups().expect("read");
    assert_eq!(backups.len(), BACKUPS_KEPT_MAX);
    let newest = NOW_MS + 86_400_000 * i64::try_from(BACKUPS_KEPT_MAX + 2).expect("small");
    assert_eq!(backups[0].at.unix_ms(), newest);
    guarded.clock.advance(365 * DAY);
    let only = recovery.back_up().await.expect("a backup");
    assert_eq!(recovery.backups().expect("read"), [only]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        let folder = recovery.backup_folder();
        assert_eq!(mode(&folder), 0o700);
        for name in files(&folder) {
            assert_eq!(mode(&folder.join(name)), 0o600);
        }
    }
}

#[tokio::test]
async fn a_folder_that_takes_no_backup_is_an_error_and_a_damaged_ledger_gives_none() {
    let guarded = RecoveryFixture::filled(400).await;
    let folder = guarded.place.folder.path().join("data/backups");
    fs::File::create(&folder).expect("a file in its place");
    let (ledger, recovery) = guarded.open();
    assert!(matches!(recovery.back_up().await, Err(LedgerError::File { .. })));
    fs::remove_file(&folder).expect("removed");
    recovery.back_up().await.expect("a backup");
    drop((ledger, recovery));
    guarded.write(leaf_of_requests(&guarded), &[0xff; 512]);
    let (_ledger, recovery) = guarded.open();
    guarded.clock.advance(DAY);
    assert!(matches!(recovery.back_up().await, Err(LedgerError::Corrupt { .. })));
    assert_eq!(
        recovery.backups().expect("read").len(),
        1,
        "the good one stays, no bad one is added"
    );
    assert_eq!(files(&folder).len(), 1);
}

#[tokio::test]
async fn past_the_limit_of_kept_files_a_damaged_ledger_is_refused_and_left_alone() {
    let guarded = RecoveryFixture::filled(1).await;
    for _ in 0..SET_ASIDE_FILES_MAX {
        guarded.write(0, &[0; 100]);
        drop(guarded.open());
    }
    assert_eq!(guarded.open().1.kept_files().expect("read").len(), SET_ASIDE_FILES_MAX);
    guarded.write(0, &[0; 100]);
    let before = fs::read(guarded.place.path()).expect("bytes");
    assert!(matches!(guarded.try_open(), Err(LedgerError::File { .. })));
    assert!(fs::read(guarded.place.path()).expect("bytes") == before);
}

/// A truncated or foreign note must not prevent the start.
#[tokio::test]
async fn a_note_that_cannot_be_read_is_done_without() {
    let guarded = RecoveryFixture::filled(2).await;
    let note = guarded.place.beside(".note.json");
    fs::OpenOptions::new().write(true).open(&note).and_then(|note| note.set_len(10)).expect("cut");
    let (ledger, recovery) = guarded.open();
    assert_eq!((recovery.incident(), count(&ledger).await), (None, 2));
}

/// Tools delete their logs after some weeks, so rows from them cannot always be read again.
#[tokio::test]
async fn usage_from_session_logs_stays_over_a_restore() {
    let guarded = RecoveryFixture::filled(1).await;
    let (ledger, recovery) = guarded.open();
    sessions::store(&ledger, &["before"]).await;
    recovery.back_up().await.expect("a backup");
    sessions::store(&ledger, &["before", "after"]).await;
    recovery.restore(None).await.expect("restored");
    assert_eq!(sessions::answers(&ledger).await, 2);
    sessions::store(&ledger, &["after"]).await;
    assert_eq!(sessions::answers(&ledger).await, 2);
}
