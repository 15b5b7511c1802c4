//! How long each stage of a start took, for this start and those before it.
//!
//! Times are counted from the moment at which the program made its clock, near the beginning of
//! `main`. A start is over when clients are served; what comes later is noted beside it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::{Clock, Moment, WallTime};
use parking_lot::Mutex;
use private_files::write_atomic;
use serde::{Deserialize, Serialize};

use crate::process::tasks::Tasks;

/// Starts that are kept, with the present one.
pub(crate) const STARTS_KEPT_MAX: usize = 30;
/// Longest file that is read; thirty starts take a tenth of it.
const FILE_BYTES_MAX: u64 = 262_144;
/// Wait before the start is saved, which is not part of it. By then the first probe is over and the
/// panel painted, if there is one.
const SAVE_AFTER_SECS: u64 = 15;

domain::words! {
    /// A stage of a start, in their order.
    StartStage {
        /// loading the program
        Program = "program",
        /// folders and the lock on them
        Folders = "folders",
        /// reading the settings
        Settings = "settings",
        /// opening the vault
        Vault = "vault",
        /// opening the ledger
        Ledger = "ledger",
        /// reading prices
        Prices = "prices",
        /// looking after wired tools
        Tools = "tools",
        /// reading health, budgets and alerts
        State = "state",
        /// opening the control listener
        Control = "control",
        /// opening the gateway's listener
        Gateway = "gateway",
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    pub stage: StartStage,
    pub ms: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartTrace {
    pub at: WallTime,
    pub version: String,
    /// In their order.
    pub stages: Vec<StageTime>,
    /// From the beginning until the first result of a probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_probe_ms: Option<f64>,
    /// From the beginning until the panel of the window showed data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub panel_ms: Option<f64>,
}

impl StartTrace {
    /// From the beginning until clients are served.
    #[must_use]
    pub fn ready_ms(&self) -> f64 {
        self.stages.iter().map(|stage| stage.ms).sum()
    }

    /// When clients were served.
    pub(crate) fn ready_at(&self) -> WallTime {
        let taken = Duration::try_from_secs_f64(self.ready_ms() / 1_000.0).unwrap_or_default();
        self.at + taken
    }

    #[must_use]
    pub fn slowest(&self) -> Option<&StageTime> {
        self.stages.iter().max_by(|left, right| left.ms.total_cmp(&right.ms))
    }
}

/// The present start and those before it.
pub struct StartTraces {
    clock: Arc<dyn Clock>,
    file: PathBuf,
    state: Mutex<TraceState>,
}

struct TraceState {
    current: StartTrace,
    stage_begun: Moment,
    /// What is no part of the start.
    skipped: Duration,
    /// True once clients are served; what is no start to serve is not saved.
    is_ready: bool,
    /// Newest first.
    earlier: Vec<StartTrace>,
}

impl StartTraces {
    /// Begins the trace. The time before is that of [`StartStage::Program`].
    pub(crate) fn begin(clock: Arc<dyn Clock>, file: PathBuf, version: &str) -> Self {
        let current = StartTrace {
            at: clock.wall(),
            version: version.to_owned(),
            stages: Vec::new(),
            first_probe_ms: None,
            panel_ms: None,
        };
        let stage_begun = Moment::default();
        let (skipped, is_ready, earlier) = (Duration::ZERO, false, Vec::new());
        let state = TraceState { current, stage_begun, skipped, is_ready, earlier };
        let traces = Self { clock, file, state: Mutex::new(state) };
        traces.end_stage(StartStage::Program);
        traces
    }

    pub(crate) fn end_stage(&self, stage: StartStage) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let ms = millis(now.since(state.stage_begun));
        state.stage_begun = now;
        state.current.stages.push(StageTime { stage, ms });
    }

    /// Leaves out the time since the last stage, in which a person may have typed a passphrase.
    pub(crate) fn skip(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let skipped = now.since(state.stage_begun);
        state.skipped += skipped;
        state.stage_begun = now;
    }

    /// Clients are served from now on. Reads the earlier starts and saves this one later.
    pub(crate) fn serving(self: &Arc<Self>, tasks: &Tasks) {
        self.state.lock().is_ready = true;
        let (traces, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("start trace", async move {
            traces.load();
            // A stop within this time saves it too.
            ticks.sleep(Duration::from_secs(SAVE_AFTER_SECS)).await;
            traces.save();
        });
    }

    pub(crate) fn first_probe(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let ms = state.elapsed_ms(now);
        state.current.first_probe_ms.get_or_insert(ms);
    }

    /// The panel of the window shows data for the first time.
    pub fn panel_painted(&self) {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let ms = state.elapsed_ms(now);
        state.current.panel_ms.get_or_insert(ms);
    }

    /// Newest first; this start is the first once clients are served.
    #[must_use]
    pub fn list(&self) -> Vec<StartTrace> {
        self.newest(STARTS_KEPT_MAX)
    }

    pub(crate) fn newest(&self, count: usize) -> Vec<StartTrace> {
        let state = self.state.lock();
        let current = state.is_ready.then_some(&state.current);
        current.into_iter().chain(&state.earlier).take(count).cloned().collect()
    }

    /// The starts that are kept, newest first, also in a process that serves nobody and so has read
    /// none.
    pub(crate) fn kept(&self) -> Vec<StartTrace> {
        let is_ready = self.state.lock().is_ready;
        if is_ready { self.list() } else { read_starts(&self.file) }
    }

    fn load(&self) {
        let mut earlier = read_starts(&self.file);
        earlier.truncate(STARTS_KEPT_MAX - 1);
        self.state.lock().earlier = earlier;
    }

    fn save(&self) {
        let Ok(text) = serde_json::to_vec(&self.list()) else { return };
        if let Err(error) = write_atomic(&self.file, &text) {
            tracing::warn!(%error, "the time of the start could not be saved");
        }
    }
}

impl TraceState {
    fn elapsed_ms(&self, now: Moment) -> f64 {
        millis(now.since(Moment::default()).saturating_sub(self.skipped))
    }
}

/// What cannot be read is not known; the file is written anew.
fn read_starts(file: &Path) -> Vec<StartTrace> {
    let is_ours = file.metadata().is_ok_and(|found| found.len() <= FILE_BYTES_MAX);
    let text = is_ours.then(|| std::fs::read(file).ok()).flatten().unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use domain::ManualClock;

    use super::*;
    use crate::test_parts::NOW;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn start(file: &Path, ledger_ms: u64) -> (Arc<StartTraces>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::starting_at(NOW));
        clock.advance(MS(20));
        let shared = Arc::<ManualClock>::clone(&clock);
        let traces = Arc::new(StartTraces::begin(shared, file.to_owned(), "1.2.3"));
        clock.advance(MS(5));
        traces.end_stage(StartStage::Folders);
        clock.advance(MS(ledger_ms));
        traces.end_stage(StartStage::Ledger);
        (traces, clock)
    }

    #[tokio::test]
    async fn a_start_says_how_long_each_stage_took_and_survives_a_restart() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("starts.json");
        let (traces, clock) = start(&file, 300);
        assert_eq!(traces.list(), Vec::new(), "nothing is served yet");
        clock.advance(Duration::from_secs(60));
        traces.skip();
        let tasks = Tasks::default();
        traces.serving(&tasks);
        clock.advance(MS(75));
        traces.first_probe();
        clock.advance(MS(100));
        traces.first_probe();
        traces.panel_painted();
        tasks.stop().await;

        let (next, _) = start(&file, 10);
        let tasks = Tasks::default();
        next.serving(&tasks);
        tasks.stop().await;
        let [newest, before] = next.list().try_into().expect("two starts");
        assert!((newest.ready_ms() - 35.0).abs() < 0.01, "{newest:?}");
        assert!((before.ready_ms() - 325.0).abs() < 0.01, "{before:?}");
        assert_eq!(before.slowest().map(|it| it.stage), Some(StartStage::Ledger));
        let later = (before.first_probe_ms, before.panel_ms);
        assert_eq!(later, (Some(400.0), Some(500.0)), "the first of each counts");
    }

    #[tokio::test]
    async fn thirty_starts_are_kept_and_a_broken_file_is_begun_anew() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("starts.json");
        std::fs::File::create(&file).expect("created");
        for round in 0..=STARTS_KEPT_MAX {
            let (traces, _) = start(&file, 10);
            let tasks = Tasks::default();
            traces.serving(&tasks);
            tasks.stop().await;
            assert_eq!(traces.list().len(), (round + 1).min(STARTS_KEPT_MAX));
        }
    }
}
