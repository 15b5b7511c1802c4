//! How past requests ended, minute by minute, as service levels of any past moment.

use std::collections::{BTreeMap, BTreeSet};

use domain::{DAY_MS, MINUTE_MS, WallTime};
use ledger::{Ledger, LedgerError};
use service_levels::{Burn, BurnWindow, Objective, RequestCounts, judge_burn};
use settings::Settings;

use crate::health::objectives::{LevelScope, ObjectiveTarget, objective_of, targets};
use crate::health::service_level_watch::{ServiceLevel, kept_time, scopes_of};

/// The windows that alerts are judged by.
const WINDOWS: [BurnWindow; 7] = [
    BurnWindow::FiveMinutes,
    BurnWindow::HalfHour,
    BurnWindow::Hour,
    BurnWindow::TwoHours,
    BurnWindow::SixHours,
    BurnWindow::Day,
    BurnWindow::ThreeDays,
];
/// The longest of them.
const WINDOW_MS_MAX: i64 = 3 * DAY_MS;

/// What a scope is to keep.
type Promise = (LevelScope, ObjectiveTarget, Objective);

pub(super) struct PastOutcomes {
    /// Since when they are whole.
    pub(super) known_from: WallTime,
    /// Start of the first minute.
    first: i64,
    /// The requests before each minute.
    sums: Vec<(Promise, Vec<RequestCounts>)>,
    /// Minutes with requests, counted from the first.
    active: BTreeSet<usize>,
}

impl PastOutcomes {
    pub(super) async fn read(
        ledger: &Ledger,
        settings: &Settings,
        from: WallTime,
        until: WallTime,
    ) -> Result<Self, LedgerError> {
        let start = from.minus_ms(WINDOW_MS_MAX);
        let kept_from = until - kept_time(settings);
        let found = ledger.outcome_minutes(start).await?;
        let first = found.from.unix_ms().div_euclid(MINUTE_MS) * MINUTE_MS;
        let place = |minute: WallTime| usize::try_from((minute.unix_ms() - first) / MINUTE_MS).ok();
        let mut minutes: BTreeMap<LevelScope, BTreeMap<usize, RequestCounts>> = BTreeMap::new();
        let mut active = BTreeSet::new();
        for (minute, outcome) in &found.counts {
            let Some(place) = place(*minute) else { continue };
            for (scope, counts) in scopes_of(outcome) {
                *minutes.entry(scope).or_default().entry(place).or_default() += counts;
                active.insert(place);
            }
        }
        let length = active.last().map_or(0, |last| last + 1);
        let sums = targets(settings).into_iter().map(|(scope, target)| {
            let own = minutes.remove(&scope).unwrap_or_default();
            let objective = objective_of(settings, &scope, target);
            ((scope, target, objective), running_sums(&own, length))
        });
        let read_from = if found.from > start { found.from } else { WallTime::default() };
        Ok(Self { known_from: read_from.max(kept_from), first, sums: sums.collect(), active })
    }

    /// Each minute with requests is known when it is over, and leaves each window once.
    pub(super) fn changes(&self) -> BTreeSet<WallTime> {
        let ends = self.active.iter().filter_map(|place| i64::try_from(place + 1).ok());
        let ends = ends.map(|place| self.first + place * MINUTE_MS);
        let lengths = || WINDOWS.iter().map(|window| super::millis(window.length()));
        ends.flat_map(|end| std::iter::once(0).chain(lengths()).map(move |length| end + length))
            .map(WallTime::from_unix_ms)
            .collect()
    }

    /// The service levels of a moment, by whole minutes.
    pub(super) fn levels(&self, at: WallTime) -> Vec<ServiceLevel> {
        let end = (at.unix_ms() - self.first).div_euclid(MINUTE_MS);
        let level = |((scope, target, objective), sums): &(Promise, Vec<RequestCounts>)| {
            let counts: BTreeMap<BurnWindow, RequestCounts> = WINDOWS
                .iter()
                .map(|window| {
                    let length = super::millis(window.length()) / MINUTE_MS;
                    (*window, difference(sum_at(sums, end), sum_at(sums, end - length)))
                })
                .collect();
            let burn: Burn =
                judge_burn(*objective, |window| counts.get(&window).copied().unwrap_or_default());
            ServiceLevel {
                scope: scope.clone(),
                target: *target,
                objective: *objective,
                counts,
                burn,
                kept: None,
            }
        };
        self.sums.iter().map(level).collect()
    }
}

fn running_sums(minutes: &BTreeMap<usize, RequestCounts>, length: usize) -> Vec<RequestCounts> {
    let mut sums = Vec::with_capacity(length + 1);
    let mut sum = RequestCounts::default();
    sums.push(sum);
    for place in 0..length {
        sum += minutes.get(&place).copied().unwrap_or_default();
        sums.push(sum);
    }
    sums
}

/// The requests before minute `place`; all of them after the last.
fn sum_at(sums: &[RequestCounts], place: i64) -> RequestCounts {
    let place = usize::try_from(place).unwrap_or_default().min(sums.len().saturating_sub(1));
    sums.get(place).copied().unwrap_or_default()
}

fn difference(until: RequestCounts, from: RequestCounts) -> RequestCounts {
    RequestCounts {
        good: until.good.saturating_sub(from.good),
        bad: until.bad.saturating_sub(from.bad),
    }
}
