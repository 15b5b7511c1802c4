//! Time that was observed, and the share of it in which a backend answered.

use std::time::Duration;

use domain::{ClockReading, WallTime};

/// Longest time between two readings of the clocks that counts as observed. A longer one means that
/// the machine slept or the program stood still.
pub(crate) const OBSERVATION_GAP_MAX: Duration = Duration::from_secs(60);

/// How far the wall clock may differ from the monotonic one between two readings. More than this is a
/// clock that was set, or a sleep that the monotonic clock does not count.
const CLOCK_DRIFT_MAX_MS: u64 = 2_000;

/// Time of one backend in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ObservedTime {
    pub good: Duration,
    pub bad: Duration,
}

impl ObservedTime {
    #[must_use]
    pub const fn observed(self) -> Duration {
        self.good.saturating_add(self.bad)
    }
}

impl std::ops::AddAssign for ObservedTime {
    fn add_assign(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.bad = self.bad.saturating_add(other.bad);
    }
}

impl std::iter::Sum for ObservedTime {
    fn sum<I: Iterator<Item = Self>>(times: I) -> Self {
        times.fold(Self::default(), |mut sum, time| {
            sum += time;
            sum
        })
    }
}

/// Observed time from which a share of it is told.
pub(crate) const OBSERVED_MIN: Duration = Duration::from_secs(60);

/// The share of the observed time of a period in which a backend answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    pub time: ObservedTime,
    /// Length of the period, observed or not.
    pub period: Duration,
}

impl Uptime {
    /// 0 to 1; `None` if less than `OBSERVED_MIN` was observed, which says nothing yet.
    #[must_use]
    pub fn share(self) -> Option<f64> {
        let observed = self.time.observed();
        (observed >= OBSERVED_MIN).then(|| self.time.good.as_secs_f64() / observed.as_secs_f64())
    }

    /// Share of the period that was observed, 0 to 1. A wall clock that was set back may observe an
    /// hour twice.
    #[must_use]
    pub fn coverage(self) -> f64 {
        if self.period.is_zero() {
            return 0.0;
        }
        (self.time.observed().as_secs_f64() / self.period.as_secs_f64()).min(1.0)
    }
}

/// Time that passed while the program ran, by the wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedSpan {
    pub from: WallTime,
    pub until: WallTime,
}

impl ObservedSpan {
    /// The parts that lie in slots of `slot_ms`, each with the start of its slot.
    pub fn split(self, slot_ms: i64) -> impl Iterator<Item = (WallTime, Duration)> {
        let slot_ms = slot_ms.max(1);
        let mut from = self.from.unix_ms();
        let until = self.until.unix_ms();
        std::iter::from_fn(move || {
            if from >= until {
                return None;
            }
            let slot = from.saturating_sub(from.rem_euclid(slot_ms));
            let end = slot.saturating_add(slot_ms).min(until);
            let length = Duration::from_millis(end.abs_diff(from));
            from = end;
            Some((WallTime::from_unix_ms(slot), length))
        })
    }
}

/// Tells time that was observed from sleep, standstill and a clock that was set.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanClock {
    last: Option<ClockReading>,
}

impl SpanClock {
    /// The time since the reading before; `None` if it cannot be trusted, and at the first one.
    pub fn advance(&mut self, at: ClockReading) -> Option<ObservedSpan> {
        let last = self.last.replace(at)?;
        let passed = at.now.since(last.now);
        let (from, until) = (last.wall.unix_ms(), at.wall.unix_ms());
        let by_wall = u64::try_from(until.checked_sub(from)?).ok()?;
        let by_clock = u64::try_from(passed.as_millis()).ok()?;
        let is_steady = by_wall.abs_diff(by_clock) <= CLOCK_DRIFT_MAX_MS;
        (passed <= OBSERVATION_GAP_MAX && is_steady)
            .then_some(ObservedSpan { from: last.wall, until: at.wall })
    }
}

#[cfg(test)]
mod tests {
    use domain::Moment;
    use proptest::prelude::*;

    use super::*;

    fn at(secs: u64, wall_secs: i64) -> ClockReading {
        ClockReading {
            now: Moment::from_secs(secs),
            wall: WallTime::from_unix_ms(wall_secs * 1_000),
        }
    }

    fn hours(good: u64, bad: u64) -> ObservedTime {
        let hour = |count| Duration::from_secs(3_600 * count);
        ObservedTime { good: hour(good), bad: hour(bad) }
    }

    #[test]
    fn availability_is_of_the_observed_time_only() {
        // 61 of 168 hours observed, 6 of them bad: 55 / 61 and 61 / 168.
        let week = Uptime { time: hours(55, 6), period: Duration::from_secs(168 * 3_600) };
        assert!((week.share().expect("observed") - 0.901_639_344).abs() < 1e-9);
        assert!((week.coverage() - 0.363_095_238).abs() < 1e-9);
        let nothing = Uptime { time: hours(0, 0), ..week };
        assert_eq!((nothing.share(), nothing.coverage()), (None, 0.0));
        let of_good = |good| Uptime {
            time: ObservedTime { good, bad: Duration::ZERO },
            period: Duration::from_secs(600),
        };
        let short = OBSERVED_MIN - Duration::from_millis(1);
        assert_eq!((of_good(short).share(), of_good(OBSERVED_MIN).share()), (None, Some(1.0)));
    }

    #[test]
    fn sleep_standstill_and_a_set_clock_are_not_observed() {
        let mut clock = SpanClock::default();
        assert_eq!(clock.advance(at(0, 1_000)), None, "nothing before the first reading");
        assert!(clock.advance(at(15, 1_015)).is_some());
        assert_eq!(clock.advance(at(30, 4_630)), None, "slept an hour; the clock stood still");
        assert!(clock.advance(at(45, 4_645)).is_some());
        assert_eq!(clock.advance(at(145, 4_745)), None, "stood still for 100 s");
        assert_eq!(clock.advance(at(160, 1_160)), None, "set back an hour");
        assert!(clock.advance(at(175, 1_175)).is_some());
        assert_eq!(clock.advance(at(190, 4_790)), None, "set forward an hour");
        assert!(clock.advance(at(250, 4_850)).is_some(), "exactly a minute");
    }

    #[test]
    fn a_span_is_cut_at_the_hour() {
        let span = ObservedSpan {
            from: WallTime::from_unix_ms(3_590_000),
            until: WallTime::from_unix_ms(3_620_000),
        };
        let parts: Vec<_> =
            span.split(3_600_000).map(|(s, l)| (s.unix_ms(), l.as_secs())).collect();
        assert_eq!(parts, [(0, 10), (3_600_000, 20)]);
    }

    proptest! {
        #[test]
        fn the_parts_of_a_span_sum_to_it(from in -10_000_000_i64..10_000_000, ms in 0_i64..9_000_000) {
            let ends = [from, from + ms].map(WallTime::from_unix_ms);
            let span = ObservedSpan { from: ends[0], until: ends[1] };
            let parts: Vec<_> = span.split(3_600_000).collect();
            let sum: Duration = parts.iter().map(|(_, length)| *length).sum();
            prop_assert_eq!(sum.as_millis(), u128::from(ms.unsigned_abs()));
            prop_assert!(parts.iter().all(|(slot, _)| slot.unix_ms() % 3_600_000 == 0));
            prop_assert!(parts.windows(2).all(|pair| pair[0].0 < pair[1].0));
        }

        #[test]
        fn what_is_observed_never_exceeds_the_time_that_passed(
            steps in prop::collection::vec((0_u64..200, -4_000_i64..4_000), 1..60),
        ) {
            let (mut clock, mut now, mut wall) = (SpanClock::default(), 0_u64, 1_000_000_i64);
            let (mut passed, mut observed) = (0_u64, 0_u64);
            clock.advance(at(now, wall));
            for (secs, jump) in steps {
                now += secs;
                // Four steps of five without a jump.
                let jump = if jump % 5 == 0 { jump } else { 0 };
                wall += i64::try_from(secs).expect("small") + jump;
                passed += secs;
                if let Some(span) = clock.advance(at(now, wall)) {
                    observed += span.until.unix_ms().abs_diff(span.from.unix_ms());
                    prop_assert!(secs <= 60 && jump.abs() <= 2);
                }
            }
            prop_assert!(observed <= passed * 1_000 + 2_000 * 60);
        }
    }
}
