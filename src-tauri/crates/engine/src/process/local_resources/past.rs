//! What rules of alerts were given at past moments, by the samples and starts that are still kept.

use std::ops::Range;
use std::time::Duration;

use alerts::{AlertRule, Measurement};
use domain::WallTime;

use super::{
    HOUR_SAMPLES, LocalResources, LocalSample, MEGABYTE, SAMPLE_SECS, SAMPLES_KEPT_MAX,
    STARTS_JUDGED, missing_of, sampled, slow_start,
};
use crate::process::start_trace::{STARTS_KEPT_MAX, StartTrace};

/// Longest time between two samples in which somebody looked.
const SAMPLES_APART_MAX: Duration = Duration::from_secs(2 * SAMPLE_SECS);

pub(crate) struct PastSamples {
    /// Oldest first.
    samples: Vec<LocalSample>,
    /// Since when a rule about an hour has its hour. `None` if it has none yet.
    pub(crate) known_from: Option<WallTime>,
}

impl PastSamples {
    /// A clock that was set back makes the order of what was before it unknown; that is left out.
    pub(crate) fn new(mut samples: Vec<LocalSample>) -> Self {
        let is_full = samples.len() >= SAMPLES_KEPT_MAX;
        let is_set_back =
            |pair: &[LocalSample]| matches!(pair, [before, after] if before.at >= after.at);
        let set_back = samples.windows(2).rposition(is_set_back);
        samples.drain(..set_back.map_or(0, |place| place + 1));
        // What a young program counts begins with its start, and what is cut off is not known.
        let first = if is_full || set_back.is_some() { HOUR_SAMPLES - 1 } else { 0 };
        let known_from = samples.get(first).map(|sample| sample.at);
        Self { samples, known_from }
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = WallTime> {
        self.samples.iter().map(|sample| sample.at)
    }

    /// When nothing was sampled, since the machine slept or the program stood still.
    pub(crate) fn gaps(&self, until: WallTime) -> Vec<Range<WallTime>> {
        let ends = self.samples.iter().skip(1).map(|sample| sample.at).chain([until]);
        let between = self.samples.iter().zip(ends);
        let gap = |(sample, next): (&LocalSample, WallTime)| {
            let seen_until = sample.at + SAMPLES_APART_MAX;
            (seen_until < next).then_some(seen_until..next)
        };
        between.filter_map(gap).collect()
    }

    /// As live: the numbers of the newest hour at `at`, and the rules that had none.
    pub(crate) fn at(&self, at: WallTime) -> (Vec<Measurement>, Vec<AlertRule>) {
        let end = self.samples.partition_point(|sample| sample.at <= at);
        let known = self.samples.get(..end).unwrap_or_default();
        let hour: Vec<&LocalSample> = known.iter().rev().take(HOUR_SAMPLES).collect();
        let mut found = sampled(&hour);
        let free = hour.first().and_then(|sample| sample.disk_free_bytes);
        let mut missing: Vec<_> = missing_of(&found).collect();
        match free {
            Some(bytes) => found.push(Measurement::Disk { free_megabytes: bytes / MEGABYTE }),
            None => missing.push(AlertRule::DiskSpace),
        }
        (found, missing)
    }
}

pub(crate) struct PastStarts {
    /// Newest first.
    starts: Vec<StartTrace>,
    /// Since when all that were judged are known. `None` without a start.
    pub(crate) known_from: Option<WallTime>,
}

impl PastStarts {
    pub(crate) fn new(starts: Vec<StartTrace>) -> Self {
        let before = if starts.len() >= STARTS_KEPT_MAX { STARTS_JUDGED } else { 1 };
        let first = starts.len().checked_sub(before).and_then(|place| starts.get(place));
        Self { known_from: first.map(StartTrace::ready_at), starts }
    }

    pub(crate) fn changes(&self) -> impl Iterator<Item = WallTime> {
        self.starts.iter().map(StartTrace::ready_at)
    }

    /// As live: by the three newest starts at `at`.
    pub(crate) fn at(&self, at: WallTime) -> Option<Measurement> {
        let known: Vec<StartTrace> =
            self.starts.iter().filter(|start| start.ready_at() <= at).cloned().collect();
        slow_start(&known)
    }
}

impl LocalResources {
    pub(crate) fn past_samples(&self) -> PastSamples {
        PastSamples::new(self.samples())
    }

    pub(crate) fn past_starts(&self) -> PastStarts {
        PastStarts::new(self.starts.kept())
    }
}
