//! Forecast of a month's cost: what is spent, plus what each remaining day is expected to cost.
//!
//! A day costs what days of its class (Monday to Friday, or the weekend) cost before, exponentially
//! weighted with a half-life of seven active days; days without a cost count too, since a developer
//! does not work every day. The band is the 10th to the 90th percentile of a thousand months whose
//! remaining days are drawn from those days with the same weights.

use domain::{Entropy, NanoUsd};
use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use crate::statistics::{quantile, sorted};

/// Days with a cost before which the forecast is a run rate.
pub(crate) const ACTIVE_DAYS_MIN: usize = 7;

/// Active days after which a day counts half.
const HALF_LIFE_ACTIVE_DAYS: f64 = 7.0;

const DRAWS: usize = 1_000;
const LOW_SHARE: f64 = 0.1;
const HIGH_SHARE: f64 = 0.9;

/// Days of a month that a back-test knows.
const BACK_TEST_DAYS: i8 = 14;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyCost {
    pub date: Date,
    pub cost: NanoUsd,
}

/// The day that runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Today {
    pub date: Date,
    pub cost: NanoUsd,
    /// Share of the day that is over, 0 to 1.
    pub elapsed: f64,
}

domain::words! {
    ForecastMethod {
        /// Recent weekdays and weekends, the newest counting most.
        ByWeekday = "by_weekday",
        /// The mean of the days since the first cost: too few are known for more.
        RunRate = "run_rate",
        /// Nothing was spent yet.
        None = "none",
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    pub method: ForecastMethod,
    /// This month until now.
    pub spent: NanoUsd,
    /// At the end of the month.
    pub expected: NanoUsd,
    /// The expected cost itself unless the method is by weekday.
    pub low: NanoUsd,
    pub high: NanoUsd,
    /// Days with a cost that it was learnt from, today among them.
    pub active_days: usize,
    /// Today and the days after it in this month.
    pub days: Vec<ForecastDay>,
}

/// A day to come, or the rest of today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForecastDay {
    pub date: Date,
    /// Expected on this day, besides what is spent.
    pub expected: NanoUsd,
    /// Expected from the start of the month to the end of this day.
    pub cumulative: NanoUsd,
    pub cumulative_low: NanoUsd,
    pub cumulative_high: NanoUsd,
}

/// How far earlier forecasts were off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ForecastBackTest {
    /// Months that were forecast from their 14th day.
    pub months: usize,
    /// Mean absolute error in percent of the actual cost.
    pub error_percent: f64,
}

/// Forecasts the month of `today` from the days before it, oldest first.
pub fn forecast(days: &[DailyCost], today: Today, entropy: &dyn Entropy) -> Forecast {
    let history = History::new(days, &today);
    let spent_before: i64 = days
        .iter()
        .filter(|day| day.date >= today.date.first_of_month() && day.date < today.date)
        .map(|day| day.cost.nanos())
        .sum();
    let spent = NanoUsd::new(spent_before.saturating_add(today.cost.nanos()));
    let remaining = remaining_days(&today);
    let expected: Vec<f64> =
        remaining.iter().map(|day| history.expected(day.date) * day.share).collect();
    let mut bands = vec![Vec::new(); remaining.len()];
    if history.method == ForecastMethod::ByWeekday {
        let mut random = Random::new(entropy, DRAWS * remaining.len());
        for _ in 0..DRAWS {
            let mut total = 0.0;
            for (day, band) in remaining.iter().zip(&mut bands) {
                total += history.draw(day.date, random.next()) * day.share;
                band.push(total);
            }
        }
    }
    let mut total = 0.0;
    let forecast_day = |((day, expected), band): ((&RemainingDay, f64), Vec<f64>)| {
        total += expected;
        let band = sorted(band);
        let edge = |share| if band.is_empty() { total } else { quantile(&band, share) };
        let at = |more: f64| NanoUsd::new(spent.nanos().saturating_add(to_nanos(more)));
        ForecastDay {
            date: day.date,
            expected: NanoUsd::new(to_nanos(expected)),
            cumulative: at(total),
            // The mean of a skewed sample may lie outside its percentiles.
            cumulative_low: at(edge(LOW_SHARE).min(total)),
            cumulative_high: at(edge(HIGH_SHARE).max(total)),
        }
    };
    let days: Vec<ForecastDay> =
        remaining.iter().zip(expected).zip(bands).map(forecast_day).collect();
    let end = |value: fn(&ForecastDay) -> NanoUsd| days.last().map_or(spent, value);
    Forecast {
        method: history.method,
        spent,
        expected: end(|day| day.cumulative),
        low: end(|day| day.cumulative_low),
        high: end(|day| day.cumulative_high),
        active_days: history.active_days,
        days,
    }
}

/// Forecasts each earlier whole month from its 14th day and compares. `None` without such a month.
pub fn back_test(days: &[DailyCost], entropy: &dyn Entropy) -> Option<ForecastBackTest> {
    let errors: Vec<f64> = days
        .iter()
        .enumerate()
        .filter(|(_, day)| day.date.day() == BACK_TEST_DAYS)
        .filter_map(|(index, day)| {
            let first = index.checked_sub(usize::try_from(BACK_TEST_DAYS).ok()? - 1)?;
            let length = usize::try_from(day.date.days_in_month()).ok()?;
            let month = days.get(first..first + length)?;
            let actual: i64 = month.iter().map(|day| day.cost.nanos()).sum();
            let today = Today { date: day.date, cost: day.cost, elapsed: 1.0 };
            let made = forecast(days.get(..index)?, today, entropy);
            let is_judged = actual > 0 && made.method == ForecastMethod::ByWeekday;
            let off = made.expected.nanos().abs_diff(actual);
            is_judged.then(|| off as f64 * 100.0 / actual as f64)
        })
        .collect();
    let months = errors.len();
    (months > 0).then(|| ForecastBackTest {
        months,
        error_percent: errors.iter().sum::<f64>() / months as f64,
    })
}

struct RemainingDay {
    date: Date,
    /// Share of the day that is still to come.
    share: f64,
}

fn remaining_days(today: &Today) -> Vec<RemainingDay> {
    let rest = RemainingDay { date: today.date, share: 1.0 - today.elapsed.clamp(0.0, 1.0) };
    let later = today.date.series(1.day()).skip(1);
    let later = later.take_while(|date| date.month() == today.date.month());
    let later = later.map(|date| RemainingDay { date, share: 1.0 });
    std::iter::once(rest).chain(later).collect()
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// What a class of days cost.
#[derive(Debug, Default)]
struct ClassSample {
    costs: Vec<f64>,
    /// Sums of the weights up to each cost.
    weights: Vec<f64>,
}

impl ClassSample {
    fn add(&mut self, cost: f64, weight: f64) {
        let sum = self.weights.last().copied().unwrap_or_default();
        self.costs.push(cost);
        self.weights.push(sum + weight);
    }

    fn mean(&self) -> Option<f64> {
        let mut before = 0.0;
        let mut sum = 0.0;
        for (cost, until) in self.costs.iter().zip(&self.weights) {
            sum += cost * (until - before);
            before = *until;
        }
        (before > 0.0).then(|| sum / before)
    }

    /// A cost, drawn by weight with a random number from 0 to 1.
    fn draw(&self, random: f64) -> Option<f64> {
        let wanted = random * self.weights.last()?;
        let index = self.weights.partition_point(|until| *until <= wanted);
        self.costs.get(index.min(self.costs.len() - 1)).copied()
    }
}

struct History {
    method: ForecastMethod,
    active_days: usize,
    weekdays: ClassSample,
    weekend: ClassSample,
    all: ClassSample,
    run_rate: f64,
}

impl History {
    fn new(days: &[DailyCost], today: &Today) -> Self {
        let first = days.iter().position(|day| day.cost > NanoUsd::ZERO).unwrap_or(days.len());
        let known = days.get(first..).unwrap_or_default();
        let active = known.iter().filter(|day| day.cost > NanoUsd::ZERO).count();
        let active_days = active + usize::from(today.cost > NanoUsd::ZERO);
        let method = match (active_days, active) {
            (0, _) => ForecastMethod::None,
            (_, ACTIVE_DAYS_MIN..) => ForecastMethod::ByWeekday,
            _ => ForecastMethod::RunRate,
        };
        let mut history = Self {
            method,
            active_days,
            weekdays: ClassSample::default(),
            weekend: ClassSample::default(),
            all: ClassSample::default(),
            run_rate: run_rate(known, today),
        };
        let mut age = active as f64;
        for day in known {
            age -= f64::from(u8::from(day.cost > NanoUsd::ZERO));
            let weight = (-age / HALF_LIFE_ACTIVE_DAYS).exp2();
            let cost = day.cost.nanos() as f64;
            let class =
                if is_weekend(day.date) { &mut history.weekend } else { &mut history.weekdays };
            class.add(cost, weight);
            history.all.add(cost, weight);
        }
        history
    }

    fn class(&self, date: Date) -> &ClassSample {
        let class = if is_weekend(date) { &self.weekend } else { &self.weekdays };
        if class.costs.is_empty() { &self.all } else { class }
    }

    fn expected(&self, date: Date) -> f64 {
        match self.method {
            ForecastMethod::ByWeekday => self.class(date).mean().unwrap_or_default(),
            ForecastMethod::RunRate => self.run_rate,
            ForecastMethod::None => 0.0,
        }
    }

    fn draw(&self, date: Date, random: f64) -> f64 {
        self.class(date).draw(random).unwrap_or_default()
    }
}

/// Mean cost of a day since the first cost. Half a day is the shortest time that tells a rate.
fn run_rate(known: &[DailyCost], today: &Today) -> f64 {
    let cost: i64 = known.iter().map(|day| day.cost.nanos()).sum();
    let days = known.len() as f64 + today.elapsed.clamp(0.0, 1.0);
    cost.saturating_add(today.cost.nanos()) as f64 / days.max(0.5)
}

/// Random numbers from 0 to 1, drawn all at once.
struct Random(std::vec::IntoIter<u8>);

impl Random {
    fn new(entropy: &dyn Entropy, count: usize) -> Self {
        let mut bytes = vec![0; count * size_of::<u32>()];
        entropy.fill(&mut bytes);
        Self(bytes.into_iter())
    }

    fn next(&mut self) -> f64 {
        let mut bytes = [0; 4];
        bytes.iter_mut().zip(&mut self.0).for_each(|(byte, random)| *byte = random);
        f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "rounded; out of range it saturates")]
fn to_nanos(amount: f64) -> i64 {
    amount.round() as i64
}

#[cfg(test)]
mod tests;
