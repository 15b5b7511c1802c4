//! What this program and its machine use: sampled twice a minute, kept in memory for some hours.
//!
//! A sample costs less than a millisecond, so that an idle program stays idle. The panel gets the new
//! ones with what is refreshed every minute anyway.

mod past;
mod system;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use alerts::{AlertRule, Measurement};
use domain::{BackendId, Clock, HealthState, Moment, WallTime};
use endpoints::EndpointRegistry;
use ledger::Ledger;
use parking_lot::Mutex;
use settings::SettingsStore;

use crate::configured::backends_in_reach;
use crate::health::backend_watch::HealthWatch;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::start_trace::{StageTime, StartTrace, StartTraces};
use crate::process::tasks::Tasks;

pub(crate) use past::{PastSamples, PastStarts};
pub(crate) use system::SystemReader;

const SAMPLE_SECS: u64 = 30;
/// Samples that are kept: six hours.
const SAMPLES_KEPT_MAX: usize = 720;
/// Samples of the time that rules about an hour judge.
const HOUR_SAMPLES: usize = 120;
/// Samples in which backends were to be checked before their share says anything: ten minutes.
const COVERED_SAMPLES_MIN: usize = 20;
/// Starts in a row that must be slow.
const STARTS_JUDGED: usize = 3;
const MEGABYTE: u64 = 1_000_000;

/// Rules that are judged by what is sampled here.
const RULES: [AlertRule; 6] = [
    AlertRule::SlowStart,
    AlertRule::AppMemory,
    AlertRule::AppProcessor,
    AlertRule::MachineMemory,
    AlertRule::SlowQueries,
    AlertRule::ProbeCoverage,
];

/// What the system says at one moment. `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct SystemReading {
    /// Processor time of this program since its start.
    pub(crate) app_processor: Option<Duration>,
    pub(crate) app_memory_bytes: Option<u64>,
    /// Of all cores together, since the reading before.
    pub(crate) machine_processor_percent: Option<f64>,
    pub(crate) machine_memory_bytes: Option<u64>,
    pub(crate) machine_memory_used_bytes: Option<u64>,
}

/// Reads the system; a test passes another function.
pub(crate) type ReadSystem = Box<dyn FnMut() -> SystemReading + Send>;

/// Numbers of one moment. `None` where the system says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LocalSample {
    pub at: WallTime,
    /// Of one core, since the sample before.
    pub app_processor_percent: Option<f64>,
    pub app_memory_bytes: Option<u64>,
    pub machine_processor_percent: Option<f64>,
    pub machine_memory_percent: Option<f64>,
    pub machine_memory_bytes: Option<u64>,
    pub disk_free_bytes: Option<u64>,
    /// With its write-ahead log.
    pub ledger_bytes: u64,
    pub ledger_log_bytes: u64,
    /// Since the start.
    pub slow_statements: u64,
    /// Backends whose state was to be known, and those whose state was.
    pub watched: usize,
    pub known: usize,
}

pub struct LocalResources {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) health: Arc<HealthWatch>,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: Arc<LedgerWatch>,
    pub(crate) starts: Arc<StartTraces>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) mock: BackendId,
    pub(crate) state: Mutex<SamplerState>,
}

pub(crate) struct SamplerState {
    read: ReadSystem,
    /// When the processor time was read last, and what it was.
    before: Option<(Moment, Duration)>,
    /// Oldest first.
    samples: VecDeque<LocalSample>,
}

impl SamplerState {
    pub(crate) const fn new(read: ReadSystem) -> Self {
        Self { read, before: None, samples: VecDeque::new() }
    }
}

impl LocalResources {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (local, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("local resources", async move {
            loop {
                let sampler = Arc::clone(&local);
                // The disk may be slow to answer.
                let _ended = tokio::task::spawn_blocking(move || sampler.sample()).await;
                if !ticks.sleep(Duration::from_secs(SAMPLE_SECS)).await {
                    return;
                }
            }
        });
    }

    /// Oldest first; those of the last six hours.
    #[must_use]
    pub fn samples(&self) -> Vec<LocalSample> {
        self.state.lock().samples.iter().copied().collect()
    }

    #[must_use]
    pub fn latest(&self) -> Option<LocalSample> {
        self.state.lock().samples.back().copied()
    }

    #[must_use]
    pub fn starts(&self) -> &StartTraces {
        &self.starts
    }

    pub(crate) fn sample(&self) {
        let (now, at) = (self.clock.now(), self.clock.wall());
        let (watched, known) = self.coverage();
        let mut state = self.state.lock();
        let reading = (state.read)();
        let before = std::mem::replace(
            &mut state.before,
            reading.app_processor.map(|processor| (now, processor)),
        );
        let sample = LocalSample {
            at,
            app_processor_percent: core_percent(before, reading.app_processor, now),
            app_memory_bytes: reading.app_memory_bytes,
            machine_processor_percent: reading.machine_processor_percent,
            machine_memory_percent: memory_percent(&reading),
            machine_memory_bytes: reading.machine_memory_bytes,
            disk_free_bytes: self.ledger_watch.free_bytes(),
            ledger_bytes: self.ledger.size_bytes(),
            ledger_log_bytes: self.ledger.log_bytes(),
            slow_statements: self.ledger.slow_statement_count(),
            watched,
            known,
        };
        while state.samples.len() >= SAMPLES_KEPT_MAX {
            state.samples.pop_front();
        }
        state.samples.push_back(sample);
    }

    /// Backends that probes should tell about now, and those of which the state is known.
    fn coverage(&self) -> (usize, usize) {
        let settings = self.settings.current();
        let is_offline = self.health.is_offline();
        let watched = backends_in_reach(&self.registry, &settings, &self.mock, is_offline);
        watched.fold((0, 0), |(watched, known), (id, _)| {
            let health = self.health.health(id);
            let is_known = health.is_some_and(|it| it.state != HealthState::Unknown);
            (watched + 1, known + usize::from(is_known))
        })
    }

    /// The numbers that rules of alerts judge, and the rules that have none yet.
    pub(crate) fn measurements(&self) -> (Vec<Measurement>, Vec<AlertRule>) {
        let state = self.state.lock();
        let hour: Vec<&LocalSample> = state.samples.iter().rev().take(HOUR_SAMPLES).collect();
        let mut found = sampled(&hour);
        found.extend(slow_start(&self.starts.newest(STARTS_JUDGED)));
        let missing = missing_of(&found).collect();
        (found, missing)
    }
}

/// What the samples of an hour, newest first, give the rules that judge them.
fn sampled(hour: &[&LocalSample]) -> Vec<Measurement> {
    let latest = hour.first();
    [
        latest
            .and_then(|it| it.app_memory_bytes)
            .map(|bytes| Measurement::AppMemory { megabytes: bytes / MEGABYTE }),
        latest
            .and_then(|it| it.app_processor_percent)
            .map(|percent| Measurement::AppProcessor { percent }),
        latest
            .and_then(|it| it.machine_memory_percent)
            .map(|percent| Measurement::MachineMemory { percent }),
        slow_queries(hour),
        probe_coverage(hour),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The rules of which `found` has no number.
fn missing_of(found: &[Measurement]) -> impl Iterator<Item = AlertRule> {
    RULES.into_iter().filter(|rule| !found.iter().any(|it| it.rule() == *rule))
}

/// Processor time since the reading before, in percent of one core.
fn core_percent(
    before: Option<(Moment, Duration)>,
    processor: Option<Duration>,
    now: Moment,
) -> Option<f64> {
    let (then, used) = before?;
    let span = now.since(then).as_secs_f64();
    let used = processor?.saturating_sub(used).as_secs_f64();
    (span > 0.0).then(|| 100.0 * used / span)
}

fn memory_percent(reading: &SystemReading) -> Option<f64> {
    let all = reading.machine_memory_bytes.filter(|bytes| *bytes > 0)?;
    Some(100.0 * reading.machine_memory_used_bytes? as f64 / all as f64)
}

/// `None` with fewer starts than are judged.
fn slow_start(starts: &[StartTrace]) -> Option<Measurement> {
    let judged = starts.get(..STARTS_JUDGED)?;
    let fastest =
        judged.iter().min_by(|left, right| left.ready_ms().total_cmp(&right.ready_ms()))?;
    let stage = fastest.slowest().map(|StageTime { stage, .. }| domain::Word::meaning(*stage));
    Some(Measurement::Start {
        fastest: Duration::from_secs_f64(fastest.ready_ms().max(0.0) / 1_000.0),
        stage: stage.unwrap_or_default().to_owned(),
    })
}

/// Newest first; counted from the oldest of them on.
fn slow_queries(hour: &[&LocalSample]) -> Option<Measurement> {
    let (newest, oldest) = (hour.first()?, hour.last()?);
    // A young program has counted from zero.
    let before = if hour.len() < HOUR_SAMPLES { 0 } else { oldest.slow_statements };
    Some(Measurement::SlowQueries { count: newest.slow_statements.saturating_sub(before) })
}

fn probe_coverage(hour: &[&LocalSample]) -> Option<Measurement> {
    let judged: Vec<_> = hour.iter().filter(|sample| sample.watched > 0).collect();
    if judged.len() < COVERED_SAMPLES_MIN {
        return None;
    }
    let sum = |of: fn(&LocalSample) -> usize| judged.iter().map(|it| of(it)).sum::<usize>() as f64;
    let percent = 100.0 * sum(|it| it.known) / sum(|it| it.watched);
    Some(Measurement::ProbeCoverage { percent })
}

#[cfg(test)]
pub(crate) mod tests;
