//! Exports of other machines, merged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{Clock, DAY_MS, ManualClock, Meter, NanoUsd};
use pricing::{LineItem, Rate};

use super::{LedgerFixture, at, request, rollups, settlement};
use crate::{
    GroupBy, Ledger, LedgerError, LedgerLimits, Recovery, RequestQuery, RequestState, Settlement,
};

/// A machine with its ledger.
pub(super) struct Device {
    place: LedgerFixture,
    pub(super) ledger: Ledger,
    pub(super) recovery: Recovery,
    pub(super) clock: Arc<ManualClock>,
}

impl Device {
    pub(super) fn new() -> Self {
        Self::open(LedgerFixture::new())
    }

    fn open(place: LedgerFixture) -> Self {
        let clock = Arc::new(ManualClock::starting_at(at(0)));
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let opened = Recovery::open(&place.path(), LedgerLimits::default(), shared);
        let (ledger, recovery) = opened.expect("a ledger");
        Self { place, ledger, recovery, clock }
    }

    /// Opens the ledger again after all that is queued was written: what is under way was cut off.
    pub(super) async fn restart(self) -> Self {
        self.ledger.close().await;
        let Self { place, .. } = self;
        Self::open(place)
    }

    async fn settle(&self, numbers: impl IntoIterator<Item = u32>) {
        for number in numbers {
            self.ledger.settle(with_lines(number)).await.expect("settled");
        }
    }

    pub(super) async fn export(&self, name: &str, file: &str) -> PathBuf {
        let path = self.place.folder.path().join(file);
        let made = self.recovery.export(path.clone(), name.to_owned()).await.expect("exported");
        assert_eq!(made.path, path);
        path
    }

    pub(super) async fn merge(&self, file: &Path) -> (Option<String>, u64, u64, u64) {
        let plan = self.recovery.plan_merge(file.to_owned()).await.expect("planned");
        let merged = self.recovery.merge(file.to_owned(), |_, _| true).await.expect("merged");
        let planned = (plan.device, plan.added, plan.known, plan.unfinished);
        let made = (&merged.device, merged.added, merged.known, merged.unfinished);
        assert_eq!((&planned.0, planned.1, planned.2, planned.3), made);
        assert_eq!(plan.period.is_some(), merged.added > 0);
        (merged.device, merged.added, merged.known, merged.unfinished)
    }

    /// Everything that a merge may change, by request and as sums.
    pub(super) async fn contents(&self) -> (BTreeMap<String, String>, Vec<String>) {
        let rows = self.ledger.requests(RequestQuery::newest(500)).await.expect("read");
        let mut requests = BTreeMap::new();
        for row in rows {
            let id = row.request.id;
            let (row, attempts) = self.ledger.request(id).await.expect("read").expect("a row");
            let decision = self.ledger.routing_decision(id).await.expect("read");
            let row = crate::RequestRow { device: None, ..row };
            requests.insert(id.to_string(), format!("{row:?} {attempts:?} {decision:?}"));
        }
        let meters = self.ledger.meter_totals(at(0), at(4 * DAY_MS)).await.expect("read");
        let spend = self.ledger.spend(at(0), at(4 * DAY_MS)).await.expect("read");
        let failed = self.ledger.failed_attempts(at(0), at(4 * DAY_MS)).await.expect("read");
        (requests, vec![format!("{meters:?}"), format!("{spend:?}"), format!("{failed:?}")])
    }

    pub(super) async fn devices(&self) -> Vec<String> {
        let devices = self.recovery.devices().await.expect("read");
        devices.into_iter().map(|device| device.name).collect()
    }

    async fn requests_of(&self, name: &str) -> u64 {
        let devices = self.recovery.devices().await.expect("read");
        devices.into_iter().filter(|device| device.name == name).map(|it| it.requests).sum()
    }

    async fn device_of(&self, number: u32) -> Option<String> {
        let found = self.ledger.request(request(number).id).await.expect("read");
        found.expect("a row").0.device
    }
}

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).and_then(|mut file| file.write_all(bytes)).expect("written");
}

pub(super) fn with_lines(number: u32) -> Settlement {
    let mut ended = settlement(number);
    let rate = Rate::new(2_000_000_000);
    let amount = NanoUsd::new(i64::from(number) * 2_000);
    let quantity = u64::from(number);
    let line = LineItem { meter: Meter::Input, quantity, rate: Some(rate), amount: Some(amount) };
    ended.attempts.iter_mut().for_each(|attempt| attempt.lines = vec![line]);
    ended
}

#[tokio::test]
async fn another_machine_is_merged_once_and_named() {
    let (laptop, desk) = (Device::new(), Device::new());
    laptop.settle([1, 2, 3]).await;
    laptop.ledger.reserve(request(4)).expect("room");
    desk.settle([3, 10]).await;
    let file = laptop.export("laptop", "laptop.sqlite").await;

    assert_eq!(desk.merge(&file).await, (Some("laptop".to_owned()), 2, 1, 1));
    let first = desk.contents().await;
    assert_eq!(desk.merge(&file).await, (Some("laptop".to_owned()), 0, 3, 1));
    assert_eq!(desk.contents().await, first);
    assert_eq!(desk.devices().await, ["laptop"]);
    assert_eq!(desk.requests_of("laptop").await, 2);
    assert_eq!(desk.device_of(1).await.as_deref(), Some("laptop"));
    assert_eq!(desk.device_of(10).await, None);
    rollups::check_against_recount(&desk.ledger, GroupBy::Model).await;

    // What had not ended comes with a later export.
    laptop.settle([4]).await;
    let later = laptop.export("laptop", "later.sqlite").await;
    assert_eq!(desk.merge(&later).await, (Some("laptop".to_owned()), 1, 3, 0));
    let row = desk.ledger.request(request(4).id).await.expect("read").expect("a row").0;
    assert_eq!(row.state, RequestState::Complete);

    // A third machine learns through the second where a request was made.
    let tower = Device::new();
    tower.merge(&desk.export("desk", "desk.sqlite").await).await;
    assert_eq!(tower.device_of(1).await.as_deref(), Some("laptop"));
    assert_eq!(tower.device_of(10).await.as_deref(), Some("desk"));
    assert_eq!((tower.requests_of("laptop").await, tower.requests_of("desk").await), (3, 2));
    assert_eq!(tower.devices().await, ["desk", "laptop"]);
    // Back on the first one, its own requests stay its own.
    laptop.merge(&tower.export("tower", "tower.sqlite").await).await;
    assert_eq!(laptop.device_of(1).await, None);
    assert_eq!(laptop.devices().await, ["desk", "tower"]);
}

#[tokio::test]
async fn an_own_copy_adds_nothing_and_names_no_machine() {
    let device = Device::new();
    device.settle([1, 2]).await;
    let file = device.export("this", "own.sqlite").await;
    assert_eq!(device.merge(&file).await, (None, 0, 2, 0));
    assert!(device.devices().await.is_empty());
}

#[tokio::test]
async fn what_is_no_export_changes_nothing_and_no_file_is_replaced() {
    let device = Device::new();
    device.settle([1]).await;
    let before = device.contents().await;
    let folder = device.place.folder.path().to_owned();
    let text = folder.join("text.sqlite");
    write(&text, "no database at all, but long enough for a header".repeat(9).as_bytes());
    let foreign = folder.join("foreign.sqlite");
    rusqlite::Connection::open(&foreign)
        .and_then(|other| other.execute_batch("CREATE TABLE theirs (x)"))
        .expect("a database");
    let versioned = folder.join("versioned.sqlite");
    rusqlite::Connection::open(&versioned)
        .and_then(|other| other.execute_batch("CREATE TABLE theirs (x); PRAGMA user_version = 77"))
        .expect("a database");
    let empty = folder.join("empty.sqlite");
    write(&empty, b"");
    let half = folder.join("half.sqlite");
    let whole = std::fs::read(device.export("x", "whole.sqlite").await).expect("bytes");
    write(&half, whole.get(..whole.len() / 2).unwrap_or_default());
    for path in [text, foreign, versioned, empty, half] {
        let error = device.recovery.merge(path.clone(), |_, _| true).await.expect_err("refused");
        assert!(matches!(error, LedgerError::Corrupt { .. }), "{path:?}: {error:?}");
        let error = device.recovery.plan_merge(path.clone()).await.expect_err("refused");
        assert!(matches!(error, LedgerError::Corrupt { .. }), "{path:?}: {error:?}");
    }
    for path in [folder.clone(), folder.join("missing.sqlite")] {
        let error = device.recovery.merge(path, |_, _| true).await.expect_err("refused");
        assert!(matches!(error, LedgerError::File { .. }), "{error:?}");
    }
    assert_eq!(device.contents().await, before);
    let taken = device.recovery.export(folder.join("whole.sqlite"), "x".to_owned()).await;
    assert!(matches!(taken, Err(LedgerError::File { .. })), "{taken:?}");
    assert_eq!(std::fs::read(folder.join("whole.sqlite")).expect("bytes"), whole);
}
