//! Planted spikes are found; constant spending and made-up developers are left alone.

use super::*;
use domain::HOUR_MS;

const DAYS: usize = 70;

fn dollars(amount: f64) -> NanoUsd {
    #[expect(clippy::cast_possible_truncation, reason = "a few dollars")]
    NanoUsd::new((amount * 1e9) as i64)
}

/// Hours from a Monday on, each with what `usage` says.
fn hours(days: usize, mut usage: impl FnMut(usize) -> (f64, u64)) -> Vec<HourlyUsage> {
    let hour = |place: usize| {
        let (cost, requests) = usage(place);
        let start = WallTime::from_unix_ms(i64::try_from(place).expect("small") * HOUR_MS);
        HourlyUsage { start, cost: dollars(cost), requests }
    };
    (0..days * 24).map(hour).collect()
}

/// xorshift: the same numbers from 0 to 1 for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        for (left, by) in [(true, 13), (false, 7), (true, 17)] {
            self.0 ^= if left { self.0 << by } else { self.0 >> by };
        }
        (self.0 % 1_000_000) as f64 / 1e6
    }

    /// About normally distributed.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.roll()).sum::<f64>() - 6.0
    }
}

/// A made-up developer: works on weekdays, now and then on a weekend or in the evening; some hours
/// are five times dearer than others.
struct Developer {
    dice: Dice,
    hour_cost: f64,
    spread: f64,
    weekend_share: f64,
    evening_share: f64,
}

impl Developer {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let _settled: f64 = (0..8).map(|_| dice.roll()).sum();
        let [cost, spread, weekend, evening] = [dice.roll(), dice.roll(), dice.roll(), dice.roll()];
        Self {
            dice,
            hour_cost: 0.1 * 40_f64.powf(cost),
            spread: 0.3 + 0.5 * spread,
            weekend_share: 0.3 * weekend,
            evening_share: 0.2 * evening,
        }
    }

    fn hour(&mut self, place: usize) -> (f64, u64) {
        let (day, hour) = (place / 24 % 7, place % 24);
        let is_weekend = day >= 5;
        let share = match hour {
            9..=17 => 0.75,
            18..=22 => self.evening_share,
            _ => 0.0,
        };
        let share = if is_weekend { share * self.weekend_share } else { share };
        let (is_busy, size) = (self.dice.roll() < share, self.dice.normal());
        match is_busy {
            true => (self.hour_cost * (self.spread * size).exp(), 5 + self.dice.0 % 40),
            false => (0.0, 0),
        }
    }
}

#[test]
fn constant_spending_is_never_unusual() {
    for (cost, requests) in [(0.0, 0), (0.01, 3), (10.0, 5_000)] {
        let hours = hours(DAYS, |_| (cost, requests));
        assert_eq!(cost_spikes(&hours, 0, None), []);
        assert_eq!(request_spikes(&hours, 0), []);
    }
    let office = hours(DAYS, |place| if place % 24 < 8 { (3.0, 40) } else { (0.0, 0) });
    assert_eq!(cost_spikes(&office, 0, None), []);
    assert_eq!(request_spikes(&office, 0), []);
}

#[test]
fn a_planted_spike_is_found_with_what_was_expected() {
    let planted = 40 * 24 + 10;
    let office = |place: usize| if (9..17).contains(&(place % 24)) { (2.0, 20) } else { (0.0, 0) };
    let with = |cost: f64| {
        hours(DAYS, move |place| if place == planted { (cost, 20) } else { office(place) })
    };
    let found = cost_spikes(&with(9.0), 30 * 24, None);
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(spike.hours, planted..planted + 1);
    assert_eq!((spike.actual, spike.expected), (9e9, 2e9));
    // 20 % of the mean day of 16 dollars are 3.20.
    assert_eq!(cost_spikes(&with(5.19), 30 * 24, None), []);
    assert_eq!(cost_spikes(&with(5.21), 30 * 24, None).len(), 1);
    // A daily budget takes the place of the mean day.
    assert_eq!(cost_spikes(&with(5.21), 30 * 24, Some(dollars(100.0))), []);
    assert_eq!(cost_spikes(&with(3.5), 30 * 24, Some(dollars(5.0))).len(), 1);
}

#[test]
fn hours_in_a_row_are_one_spike() {
    let hours = hours(DAYS, |place| {
        let cost = if (1_000..1_003).contains(&place) { 30.0 } else { 1.0 };
        (cost, if (1_100..1_102).contains(&place) { 700 } else { 100 })
    });
    let found = cost_spikes(&hours, 0, None);
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((spike.hours.clone(), spike.actual, spike.expected), (1_000..1_003, 90e9, 3e9));
    let found = request_spikes(&hours, 0);
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((spike.hours.clone(), spike.actual), (1_100..1_102, 1_400.0));
}

/// The list asks about days and an alert about two hours: both must mean the same run.
#[test]
fn a_run_begins_at_the_same_hour_whatever_is_asked_for() {
    // Requests are compared with the mean of a week, which so many more hours would move.
    let run = 1_400..1_410;
    let hours = hours(DAYS, |place| match run.contains(&place) {
        true => (30.0, 7_000),
        false => (1.0, if place % 24 < 8 { 100 } else { 0 }),
    });
    for end in 1_402_usize..1_410 {
        for before in [2, 24, 7 * 24] {
            let start = (end - before).saturating_sub(HOURS_BEFORE);
            let known = &hours[start..end];
            let from = known.len() - before;
            for found in [cost_spikes(known, from, None), request_spikes(known, from)] {
                let [spike] = found.as_slice() else { panic!("{end} {before}: {found:?}") };
                assert_eq!(spike.since + start, run.start, "{end} {before}");
                assert_eq!(spike.hours, known.len() - before.min(end - run.start)..known.len());
            }
        }
    }
}

#[test]
fn in_the_first_two_weeks_an_hour_must_be_five_times_the_mean() {
    let with = |cost: f64| hours(5, move |place| (if place == 100 { cost } else { 0.5 }, 1));
    assert_eq!(cost_spikes(&with(2.49), 0, None), []);
    // Five times the mean, but 20 % of a mean day of 12 dollars are 2.40.
    assert_eq!(cost_spikes(&with(2.6), 0, None), []);
    let found = cost_spikes(&with(3.0), 0, None);
    let [spike] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((spike.expected, spike.robust_z), (0.5e9, None));
    // The first hours tell no mean.
    assert_eq!(
        cost_spikes(&hours(1, |place| (if place == 7 { 9.0 } else { 0.1 }, 1)), 0, None),
        []
    );
}

#[test]
fn few_requests_are_no_spike() {
    let with = |busy: u64| hours(9, move |place| (0.0, if place == 200 { busy } else { 4 }));
    assert_eq!(request_spikes(&with(59), 0), []);
    assert_eq!(request_spikes(&with(60), 0).len(), 1);
}

/// The number stands in the documentation of the rules; a change of theirs must be seen.
#[test]
fn made_up_developers_give_few_false_alarms_and_their_runaways_are_found() {
    const DEVELOPERS: u64 = 60;
    let (mut false_alarms, mut found, mut requests) = (0, 0, 0);
    for seed in 1..=DEVELOPERS {
        let mut developer = Developer::new(seed);
        let usual = hours(DAYS, |place| developer.hour(place));
        false_alarms += cost_spikes(&usual, 28 * 24, None).len();
        requests += request_spikes(&usual, 28 * 24).len();
        // A night in which an agent ran away for three hours, each as dear as ten usual ones.
        let cost = dollars(10.0 * developer.hour_cost + 2.0);
        let mut runaway = usual;
        let night = 60 * 24 + 2;
        runaway.iter_mut().skip(night).take(3).for_each(|hour| hour.cost = cost);
        let spikes = cost_spikes(&runaway, 28 * 24, None);
        found += spikes.iter().filter(|spike| spike.hours == (night..night + 3)).count();
    }
    let weeks = DEVELOPERS as f64 * 6.0;
    let told = format!(
        "{false_alarms} false alarms and {requests} of requests in {weeks} weeks, {found} found"
    );
    assert!(false_alarms as f64 / weeks < 0.15 && requests == 0 && found == 60, "{told}");
    println!("{told}");
}

#[test]
fn a_collapse_of_the_prompt_cache_is_found_once_while_it_lasts() {
    let day = |share: u64| DailyInput { input_tokens: 200_000, cache_read_tokens: 2_000 * share };
    let shares = [70, 80, 60, 75, 70, 80, 60, 5, 3, 8, 70, 70];
    let days: Vec<DailyInput> = shares.iter().map(|share| day(*share)).collect();
    let found = cache_collapses(&days, 0);
    let [collapse] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(collapse.days, 7..10);
    assert!(
        (collapse.share - 0.053).abs() < 0.001 && (collapse.share_before - 0.707).abs() < 0.001
    );
    assert_eq!(cache_collapses(&days, 10), []);
    // A low share that always was low, and a day with hardly any input.
    assert_eq!(cache_collapses(&[day(20); 12], 0), []);
    let mut quiet = [day(70); 12];
    quiet[9] = DailyInput { input_tokens: 900, cache_read_tokens: 0 };
    assert_eq!(cache_collapses(&quiet, 0), []);
}
