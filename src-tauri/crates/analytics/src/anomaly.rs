//! Hours and days that are unlike those before them.
//!
//! An hour's cost is compared with the same hour of the week and its neighbours in the four weeks
//! before, by median and median absolute deviation (MAD): neither is moved by one earlier spike.
//! Before two weeks are known it is compared with the mean of the hours with a cost. A spike must
//! also matter in money, so that a cent after a quiet night is none.

use std::ops::Range;

use domain::{NanoUsd, WallTime};

use crate::statistics::{quantile, sorted};

/// Hours of history that an hour is compared with: four weeks.
pub const HISTORY_HOURS: usize = WEEKS * WEEK_HOURS;

/// Hours that callers have to give before those they ask about, so that the same hours are unusual and a
/// run of them begins at the same one whatever is asked for: the history of a run's first hour. What
/// goes on for two weeks is usual by then.
pub const HOURS_BEFORE: usize = HISTORY_HOURS + 2 * WEEK_HOURS;

/// Hours that must be known before hours of the week are compared: two weeks.
pub const LEARNING_HOURS: usize = 2 * WEEK_HOURS;

const WEEKS: usize = 4;
const WEEK_HOURS: usize = 7 * 24;

/// Iglewicz and Hoaglin's bound for a modified z-score.
const ROBUST_Z_MIN: f64 = 3.5;
/// The MAD of a normal distribution in standard deviations.
const MAD_SIGMAS: f64 = 0.6745;

/// An hour must also cost half as much again as the busiest ones of the four weeks: the cost of a
/// developer's hours is skewed, and the few of one hour of the week do not show it. Made-up
/// developers get a false alarm in eight weeks with it, two a week without it.
const BUSY_SHARE: f64 = 0.98;
const BUSY_FACTOR: f64 = 1.5;

/// Least excess that is worth a look.
const EXCESS_MIN: NanoUsd = NanoUsd::new(1_000_000_000);
const EXCESS_DAILY_SHARE: f64 = 0.2;

/// Times the mean of active hours: of costs while learning, of requests always.
const MEAN_FACTOR: f64 = 5.0;
/// Hours with a cost (with requests) before a mean says anything: a working day.
const ACTIVE_HOURS_MIN: usize = 8;
/// One a minute. Five times fewer is no runaway.
const REQUESTS_MIN: f64 = 60.0;

/// Tokens of input before a share of them says anything.
const INPUT_TOKENS_MIN: u64 = 100_000;
const CACHE_SHARE_BEFORE_MIN: f64 = 0.5;
const CACHE_SHARE_COLLAPSED_MAX: f64 = 0.1;
/// Days before a day that its share of cache reads is compared with.
pub const CACHE_DAYS_BEFORE: usize = 7;

/// The user's traffic of one hour. Slices of them have no gaps: an hour without requests is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HourlyUsage {
    pub start: WallTime,
    pub cost: NanoUsd,
    pub requests: u64,
}

/// Hours in a row that are unlike those before.
#[derive(Debug, Clone, PartialEq)]
pub struct Spike {
    /// Places in the hours that were asked about.
    pub hours: Range<usize>,
    /// Place of the first hour of the run, which may be before those that were asked about.
    pub since: usize,
    /// Nano-dollars or requests.
    pub actual: f64,
    pub expected: f64,
    /// The largest of the hours; `None` where the hours before were all alike or too few.
    pub robust_z: Option<f64>,
}

/// Spikes of cost in the hours from place `from` on. The daily budget, if there is one, says how
/// much money matters; else the mean day of the week before does.
#[must_use]
pub fn cost_spikes(
    hours: &[HourlyUsage],
    from: usize,
    daily_budget: Option<NanoUsd>,
) -> Vec<Spike> {
    let costs: Vec<f64> = hours.iter().map(|hour| hour.cost.nanos() as f64).collect();
    let spike = |place: usize| {
        let (known, actual) =
            (costs.get(place.saturating_sub(HISTORY_HOURS)..place)?, *costs.get(place)?);
        let before = known.get(known.iter().position(|cost| *cost > 0.0)?..)?;
        if actual < EXCESS_MIN.nanos() as f64 {
            return None;
        }
        let day = daily_budget.map_or_else(|| mean_day(before), |budget| budget.nanos() as f64);
        let least = (EXCESS_MIN.nanos() as f64).max(EXCESS_DAILY_SHARE * day);
        let (expected, robust_z) = match before.len() < LEARNING_HOURS {
            true => (active_mean(before).filter(|mean| actual >= MEAN_FACTOR * mean)?, None),
            false => unlike_its_hour(before, actual)?,
        };
        let spike = Spike { hours: place..place + 1, since: place, actual, expected, robust_z };
        (actual - expected >= least).then_some(spike)
    };
    find_runs(from..costs.len(), spike)
}

/// Hours from place `from` on with five times the requests of the mean busy hour of the week
/// before.
#[must_use]
pub fn request_spikes(hours: &[HourlyUsage], from: usize) -> Vec<Spike> {
    let requests: Vec<f64> = hours.iter().map(|hour| hour.requests as f64).collect();
    let spike = |place: usize| {
        let week = requests.get(place.saturating_sub(WEEK_HOURS)..place)?;
        let (actual, expected) = (*requests.get(place)?, active_mean(week)?);
        let is_spike = actual >= REQUESTS_MIN && actual >= MEAN_FACTOR * expected;
        let (hours, since) = (place..place + 1, place);
        is_spike.then_some(Spike { hours, since, actual, expected, robust_z: None })
    };
    find_runs(from..requests.len(), spike)
}

/// The usual cost of the hour after `before`, and how far `actual` is from it in standard
/// deviations, if those differ; `None` if it is not far, or not above what busy hours cost.
fn unlike_its_hour(before: &[f64], actual: f64) -> Option<(f64, Option<f64>)> {
    let weeks = (1..=WEEKS).filter_map(|week| before.len().checked_sub(week * WEEK_HOURS));
    let neighbours = weeks.flat_map(|place| [place.checked_sub(1), Some(place), Some(place + 1)]);
    let same_hour: Vec<f64> =
        neighbours.flatten().filter_map(|place| before.get(place).copied()).collect();
    let (usual, deviation) = median_and_deviation(same_hour);
    let robust_z = (deviation > 0.0).then(|| MAD_SIGMAS * (actual - usual) / deviation);
    let is_far = actual > usual && robust_z.is_none_or(|z| z >= ROBUST_Z_MIN);
    (is_far && actual >= BUSY_FACTOR * busy_hour(before)).then_some((usual, robust_z))
}

/// What only the busiest hours of the last weeks cost; more than one spike is needed to move it.
fn busy_hour(before: &[f64]) -> f64 {
    let busy = before.iter().copied().filter(|cost| *cost > 0.0).collect();
    quantile(&sorted(busy), BUSY_SHARE)
}

fn median_and_deviation(sample: Vec<f64>) -> (f64, f64) {
    let sample = sorted(sample);
    let median = quantile(&sample, 0.5);
    let distances = sample.iter().map(|value| (value - median).abs()).collect();
    (median, quantile(&sorted(distances), 0.5))
}

/// Mean of the hours with something; `None` if they are too few.
fn active_mean(hours: &[f64]) -> Option<f64> {
    let active = hours.iter().filter(|value| **value > 0.0).count();
    (active >= ACTIVE_HOURS_MIN).then(|| hours.iter().sum::<f64>() / active as f64)
}

/// Mean day of the last week that is known.
fn mean_day(before: &[f64]) -> f64 {
    let week = before.get(before.len().saturating_sub(WEEK_HOURS)..).unwrap_or_default();
    week.iter().sum::<f64>() * 24.0 / week.len().max(24) as f64
}

/// The spikes of single hours in `asked`, those in a row as one.
fn find_runs(asked: Range<usize>, spike: impl Fn(usize) -> Option<Spike>) -> Vec<Spike> {
    let mut runs = join_neighbours(asked.clone().filter_map(&spike));
    if let Some(first) = runs.first_mut().filter(|first| first.hours.start == asked.start) {
        while first.since.checked_sub(1).and_then(&spike).is_some() {
            first.since -= 1;
        }
    }
    runs
}

fn join_neighbours(spikes: impl Iterator<Item = Spike>) -> Vec<Spike> {
    let mut joined: Vec<Spike> = Vec::new();
    for spike in spikes {
        match joined.last_mut().filter(|last| last.hours.end == spike.hours.start) {
            Some(last) => {
                last.hours.end = spike.hours.end;
                last.actual += spike.actual;
                last.expected += spike.expected;
                last.robust_z = last.robust_z.into_iter().chain(spike.robust_z).reduce(f64::max);
            }
            None => joined.push(spike),
        }
    }
    joined
}

/// Tokens of input in one day, and how many of them the provider read from its cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DailyInput {
    pub input_tokens: u64,
    pub cache_read_tokens: u64,
}

/// Days in a row on which a provider's cache was hardly read any more.
#[derive(Debug, Clone, PartialEq)]
pub struct CacheCollapse {
    /// Places in the days that were asked about.
    pub days: Range<usize>,
    /// Share of the input, 0 to 1.
    pub share: f64,
    /// The same in the days before the first of them.
    pub share_before: f64,
}

/// Collapses of the share of cache reads in the days from place `from` on. While one lasts, its
/// days are compared with those before it began.
#[must_use]
pub fn cache_collapses(days: &[DailyInput], from: usize) -> Vec<CacheCollapse> {
    let mut found: Vec<CacheCollapse> = Vec::new();
    for place in from..days.len() {
        let running = found.pop_if(|last| last.days.end == place);
        let first = running.as_ref().map_or(place, |last| last.days.start);
        let before = first.saturating_sub(CACHE_DAYS_BEFORE)..first;
        let share = |range| days.get(range).and_then(cache_share);
        let collapse = share(place..place + 1)
            .filter(|share| *share < CACHE_SHARE_COLLAPSED_MAX)
            .and_then(|_| share(before))
            .filter(|before| *before >= CACHE_SHARE_BEFORE_MIN)
            .and_then(|share_before| {
                let days = first..place + 1;
                share(days.clone()).map(|share| CacheCollapse { days, share, share_before })
            });
        found.extend(collapse.or(running));
    }
    found
}

fn cache_share(days: &[DailyInput]) -> Option<f64> {
    let input: u64 = days.iter().map(|day| day.input_tokens).sum();
    let read: u64 = days.iter().map(|day| day.cache_read_tokens).sum();
    (input >= INPUT_TOKENS_MIN).then(|| read as f64 / input as f64)
}

#[cfg(test)]
mod tests;
