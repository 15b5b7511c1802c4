//! An adaptive concurrency limit for each backend, learned from its answers.
//!
//! Additive increase, multiplicative decrease, as in TCP congestion control (RFC 5681): one more
//! after each round of successes, half after a refusal. Half of the requests in flight, not of the
//! limit: a limit of a hundred that is refused at ten drops to five at once.
//!
//! A refusal counts only if several requests were in flight and something succeeded since the last
//! decrease: an outage refuses everything and must not leave a limit of one behind. The concurrency
//! at the refusal is remembered. The limit stays below it for a minute; after that it grows quickly
//! up to it and slowly beyond.
//!
//! Latency is weaker evidence, because a long prompt delays the first token without any contention.
//! So it is compared with the times of the same backend at most half used, averaged over several
//! calls, and reduces the limit by a tenth instead of a half.

use std::time::Duration;

use domain::{Moment, SLOW_CALLS_MIN, SLOW_PERCENT, SLOWER_MIN};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdaptiveRules {
    /// Lowest limit; at least 1, so that a backend can show that it has recovered.
    pub min: u32,
    /// Highest limit, and the initial one: without evidence nothing is restricted.
    pub max: u32,
    /// New limit after a refusal, in percent of the requests in flight. 50, as in RFC 5681.
    pub overload_percent: u8,
    /// New limit after slow answers, in percent of the limit. 90, the back-off of Netflix's
    /// concurrency-limits library.
    pub slow_percent: u8,
    /// First tokens are slow if they take more than this many times as long as those of a backend
    /// at most half used. As for the state "degraded".
    pub slow_times: u32,
    /// They must also take this much longer. As for the state "degraded".
    pub slow_above: Duration,
    /// Number of calls before an average is used. As for the state "degraded".
    pub calls_min: u32,
    /// How long the limit stays below the concurrency that was refused. 60 s, the window of the
    /// providers' rate limits.
    pub memory: Duration,
    /// Minimum time between two decreases: the refusals of one burst count once.
    pub round: Duration,
}

impl Default for AdaptiveRules {
    fn default() -> Self {
        Self {
            min: 1,
            max: 64,
            overload_percent: 50,
            slow_percent: 90,
            slow_times: SLOW_PERCENT / 100,
            slow_above: SLOWER_MIN,
            calls_min: SLOW_CALLS_MIN,
            memory: Duration::from_secs(60),
            round: Duration::from_secs(1),
        }
    }
}

#[derive(Debug, Clone)]
pub struct AdaptiveLimit {
    rules: AdaptiveRules,
    limit: f64,
    uncrowded: MovingAverage,
    crowded: MovingAverage,
    /// The highest concurrency that was not refused at the last decrease, and the time of that
    /// decrease.
    ceiling: Option<(f64, Moment)>,
    decreased: Option<Moment>,
    /// True if a request succeeded since the last decrease.
    succeeded: bool,
}

impl AdaptiveLimit {
    /// Starts at the highest limit. Corrects contradictory rules: `min` is at least 1, and `max` at
    /// least `min`.
    #[must_use]
    pub fn new(rules: AdaptiveRules) -> Self {
        let min = rules.min.max(1);
        let rules = AdaptiveRules { min, max: rules.max.max(min), ..rules };
        Self {
            rules,
            limit: f64::from(rules.max),
            uncrowded: MovingAverage::default(),
            crowded: MovingAverage::default(),
            ceiling: None,
            decreased: None,
            succeeded: true,
        }
    }

    /// Maximum number of requests in flight.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within min..=max")]
    pub fn limit(&self) -> u32 {
        (self.limit as u32).clamp(self.rules.min, self.rules.max)
    }

    /// A request succeeded. `in_flight` includes it. `first_token` is the time to its first
    /// content, if it streamed.
    pub fn on_success(&mut self, first_token: Option<Duration>, in_flight: u32, now: Moment) {
        self.succeeded = true;
        let crowded = in_flight.saturating_mul(2) > self.limit();
        if let Some(first_token) = first_token {
            let average = if crowded { &mut self.crowded } else { &mut self.uncrowded };
            average.add(first_token);
        }
        if !crowded {
            return;
        }
        if self.is_slow() {
            let slower = self.limit * f64::from(self.rules.slow_percent) / 100.0;
            self.decrease(slower, slower, now);
        } else {
            self.grow(now);
        }
    }

    /// The backend refused for lack of capacity (429 of its rate, 529). `in_flight` includes this
    /// request.
    pub fn on_overload(&mut self, in_flight: u32, now: Moment) {
        if in_flight <= 1 {
            // A request that was refused alone was not refused because of concurrency.
            self.ceiling = None;
            return;
        }
        let used = self.limit.min(f64::from(in_flight));
        let to = used * f64::from(self.rules.overload_percent) / 100.0;
        self.decrease(to, f64::from(in_flight - 1), now);
    }

    /// Adds one per round of calls, or one per call where no recent refusal limits it.
    fn grow(&mut self, now: Moment) {
        let slow = self.limit + self.limit.recip();
        let fast = self.limit + 1.0;
        self.set_limit(match self.ceiling {
            None => fast,
            Some((ceiling, at)) => {
                let fresh = now.since(at) < self.rules.memory;
                match (self.limit < ceiling, fresh) {
                    (true, true) => slow.min(ceiling),
                    (true, false) => fast.min(ceiling),
                    (false, true) => self.limit,
                    (false, false) => slow,
                }
            }
        });
    }

    fn is_slow(&self) -> bool {
        let AdaptiveRules { calls_min, slow_times, slow_above, .. } = self.rules;
        let (Some(calm), Some(crowded)) =
            (self.uncrowded.average_after(calls_min), self.crowded.average_after(calls_min))
        else {
            return false;
        };
        crowded > calm.saturating_mul(slow_times) && crowded > calm.saturating_add(slow_above)
    }

    fn decrease(&mut self, to: f64, ceiling: f64, now: Moment) {
        let in_round = self.decreased.is_some_and(|last| now.since(last) < self.rules.round);
        if in_round || !self.succeeded {
            return;
        }
        self.decreased = Some(now);
        self.succeeded = false;
        self.ceiling = Some((ceiling, now));
        // Times measured under the old limit do not apply to the new one.
        self.crowded = MovingAverage::default();
        self.set_limit(to);
    }

    fn set_limit(&mut self, limit: f64) {
        self.limit = limit.clamp(f64::from(self.rules.min), f64::from(self.rules.max));
    }
}

/// An exponentially weighted moving average of times; each new one has a weight of an eighth.
#[derive(Debug, Clone, Copy, Default)]
struct MovingAverage {
    calls: u32,
    average: Duration,
}

impl MovingAverage {
    /// As in TCP's smoothed round trip time (RFC 6298).
    const WEIGHT: u32 = 8;

    fn add(&mut self, time: Duration) {
        self.calls = self.calls.saturating_add(1);
        let share = self.calls.min(Self::WEIGHT);
        self.average = self.average - self.average / share + time / share;
    }

    fn average_after(&self, calls_min: u32) -> Option<Duration> {
        (self.calls >= calls_min).then_some(self.average)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(max: u32) -> AdaptiveLimit {
        AdaptiveLimit::new(AdaptiveRules { max, ..AdaptiveRules::default() })
    }

    #[test]
    fn it_begins_without_restriction_and_halves_what_was_in_flight() {
        let mut limit = limit(64);
        assert_eq!(limit.limit(), 64);
        limit.on_overload(20, Moment::from_secs(1));
        assert_eq!(limit.limit(), 10);
        limit.on_success(None, 1, Moment::from_secs(1));
        limit.on_overload(10, Moment::from_micros(1_999_999));
        assert_eq!(limit.limit(), 10, "one burst is one piece of evidence");
        limit.on_overload(10, Moment::from_secs(2));
        assert_eq!(limit.limit(), 5);
        for secs in 3..20 {
            limit.on_success(None, 1, Moment::from_secs(secs));
            limit.on_overload(9, Moment::from_secs(secs));
        }
        assert_eq!(limit.limit(), 1, "one at least");
    }

    #[test]
    fn an_outage_is_no_overload() {
        let mut limit = limit(64);
        (1..100).for_each(|secs| limit.on_overload(20, Moment::from_secs(secs)));
        assert_eq!(limit.limit(), 10, "nothing succeeded since the first refusal");
        (100..200).for_each(|secs| limit.on_overload(1, Moment::from_secs(secs)));
        assert_eq!(limit.limit(), 10, "alone");
        (0..10).for_each(|_| limit.on_success(None, 10, Moment::from_secs(200)));
        assert_eq!(limit.limit(), 20, "it was no crowd that was refused");
    }

    #[test]
    fn a_round_of_successes_makes_one_more_but_only_if_the_limit_is_used() {
        let mut limit = limit(64);
        let now = Moment::from_secs(1);
        limit.on_overload(20, now);
        (0..1_000).for_each(|_| limit.on_success(None, 5, now));
        assert_eq!(limit.limit(), 10, "half used proves nothing");
        (0..10).for_each(|_| limit.on_success(None, 10, now));
        assert_eq!(limit.limit(), 10);
        limit.on_success(None, 10, now);
        assert_eq!(limit.limit(), 11);
    }

    #[test]
    fn for_a_minute_it_stays_below_where_it_was_refused() {
        let mut limit = limit(64);
        let start = Moment::from_secs(100);
        let memory = Duration::from_secs(60);
        limit.on_overload(20, start);
        let almost = start + (memory - Duration::from_micros(1));
        (0..1_000).for_each(|_| limit.on_success(None, 64, almost));
        assert_eq!(limit.limit(), 19);
        (0..19).for_each(|_| limit.on_success(None, 64, start + memory));
        assert_eq!(limit.limit(), 19, "beyond it goes one by one");
        limit.on_success(None, 64, start + memory);
        assert_eq!(limit.limit(), 20);

        limit.on_overload(20, start + memory);
        assert_eq!(limit.limit(), 10);
        (0..9).for_each(|_| limit.on_success(None, 64, start + 2 * memory));
        assert_eq!(limit.limit(), 19, "up to there it is regained at once");
    }

    #[test]
    fn answers_that_are_slow_under_load_take_a_tenth_away() {
        let mut limit = limit(20);
        let second = Duration::from_secs(1);
        let now = Moment::from_secs(100);
        (0..10).for_each(|_| limit.on_success(Some(second), 1, now));
        (0..9).for_each(|_| limit.on_success(Some(4 * second), 20, now));
        assert_eq!(limit.limit(), 20, "nine calls are too few");
        limit.on_success(Some(4 * second), 20, now);
        assert_eq!(limit.limit(), 18);
        (0..9).for_each(|_| limit.on_success(Some(4 * second), 18, now + second));
        assert_eq!(limit.limit(), 18, "it is measured anew");
        limit.on_success(Some(4 * second), 18, now + second);
        assert_eq!(limit.limit(), 16);
    }

    #[test]
    fn twice_the_calm_time_or_a_second_more_is_not_slow_yet() {
        for (calm_ms, crowded_ms) in [(1_000, 2_000), (300, 1_300), (5_000, 9_000)] {
            let mut limit = limit(20);
            let now = Moment::from_secs(100);
            let (calm, crowded) =
                (Duration::from_millis(calm_ms), Duration::from_millis(crowded_ms));
            (0..50).for_each(|_| limit.on_success(Some(calm), 1, now));
            (0..50).for_each(|_| limit.on_success(Some(crowded), 20, now));
            assert_eq!(limit.limit(), 20, "{calm_ms} {crowded_ms}");
        }
    }

    #[test]
    fn rules_that_contradict_each_other_are_brought_in_order() {
        let rules = AdaptiveRules { min: 0, max: 0, ..AdaptiveRules::default() };
        assert_eq!(AdaptiveLimit::new(rules).limit(), 1);
        let rules = AdaptiveRules { min: 5, max: 2, ..AdaptiveRules::default() };
        assert_eq!(AdaptiveLimit::new(rules).limit(), 5);
    }

    /// A backend that refuses everything beyond its capacity: the limit must settle near it.
    #[test]
    fn it_finds_the_room_of_a_backend() {
        let (room, mut limit) = (12, limit(64));
        let mut refused = 0;
        for secs in 0..600 {
            let now = Moment::from_secs(secs);
            let at_once = limit.limit();
            for place in 1..=at_once {
                if place <= room {
                    limit.on_success(None, at_once, now);
                } else {
                    refused += 1;
                    limit.on_overload(at_once, now);
                }
            }
            if secs > 10 {
                assert!((room / 2..=room + 1).contains(&limit.limit()), "{}", limit.limit());
            }
        }
        assert!(refused < 200, "{refused} of about 5,000 were refused");
    }

    proptest! {
        #[test]
        fn it_stays_within_its_range(
            min in 0_u32..5, max in 0_u32..40,
            events in prop::collection::vec((any::<bool>(), 0_u64..20_000, 0_u32..100), 0..300),
        ) {
            let mut limit = AdaptiveLimit::new(AdaptiveRules { min, max, ..Default::default() });
            let least = min.max(1);
            for (second, (success, ms, in_flight)) in (0_u64..).zip(events) {
                let now = Moment::from_secs(second);
                if success {
                    limit.on_success(Some(Duration::from_millis(ms)), in_flight, now);
                } else {
                    limit.on_overload(in_flight, now);
                }
                prop_assert!((least..=max.max(least)).contains(&limit.limit()));
            }
        }
    }
}
