//! Detects pauses of this program: the machine slept, or the process was stopped.
//!
//! After a pause every running timer has expired and every silence looks long, although the backend
//! may have kept sending. The system does not report pauses, so they are detected by a late tick,
//! or by a wall clock that advanced more than the monotonic one.

use std::collections::VecDeque;
use std::time::Duration;

use domain::{Moment, WallTime};

/// Minimum length of a pause. A busy machine delays a tick by a second or two.
pub(crate) const PAUSE_MIN: Duration = Duration::from_secs(5);

/// How long the network may take to come back after a pause. Connection failures within this time
/// say nothing about a backend.
pub const PAUSE_GRACE: Duration = Duration::from_secs(15);

/// Maximum number of pauses remembered; a request rarely spans two.
pub(crate) const PAUSES_RECORDED_MAX: usize = 8;

/// The latest pauses, at most `PAUSES_RECORDED_MAX`.
#[derive(Debug, Clone, Default)]
pub struct PauseDetector {
    last_tick: Option<(Moment, WallTime)>,
    recorded: VecDeque<Pause>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pause {
    /// The last tick before the pause.
    pub began: Moment,
    /// The first observation after it. Equal to `began` if the monotonic clock stood still.
    pub ended: Moment,
    /// The longer one of the two clocks' measurements.
    pub lasted: Duration,
}

impl PauseDetector {
    /// Call this about once a second. Returns the pause that ended with this tick, if any.
    pub fn tick(&mut self, now: Moment, wall: WallTime) -> Option<Pause> {
        let pause = self.unrecorded_pause(now, wall);
        self.last_tick = Some((now, wall));
        if let Some(pause) = pause {
            if self.recorded.len() >= PAUSES_RECORDED_MAX {
                self.recorded.pop_front();
            }
            self.recorded.push_back(pause);
        }
        pause
    }

    /// Paused time between `since` and `now` on the monotonic clock; `None` if there was no pause.
    /// Includes a pause that just ended and has no tick yet. Read-only.
    #[must_use]
    pub fn paused_since(&self, since: Moment, now: Moment, wall: WallTime) -> Option<Duration> {
        let kept = self.recorded.iter().copied().chain(self.unrecorded_pause(now, wall));
        kept.filter(|pause| pause.ended >= since)
            .map(|pause| pause.ended.since(pause.began.max(since)))
            .reduce(Duration::saturating_add)
    }

    fn unrecorded_pause(&self, now: Moment, wall: WallTime) -> Option<Pause> {
        let (began, then) = self.last_tick?;
        let by_wall = u64::try_from(wall.unix_ms().saturating_sub(then.unix_ms())).unwrap_or(0);
        let lasted = now.since(began).max(Duration::from_millis(by_wall));
        (lasted >= PAUSE_MIN).then_some(Pause { began, ended: now, lasted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Moment {
        Moment::from_secs(secs)
    }

    fn wall(secs: i64) -> WallTime {
        WallTime::from_unix_ms(secs * 1_000)
    }

    fn ticking(to: u64) -> PauseDetector {
        let mut pauses = PauseDetector::default();
        for secs in 100..=to {
            let told = pauses.tick(at(secs), wall(i64::try_from(secs).expect("small")));
            assert_eq!(told, None);
        }
        pauses
    }

    #[test]
    fn ticks_on_time_and_a_little_late_are_no_pause() {
        let mut pauses = ticking(110);
        assert_eq!(pauses.tick(at(114), wall(114)), None);
        assert_eq!(pauses.paused_since(at(100), at(118), wall(118)), None);
        assert_eq!(
            PauseDetector::default().paused_since(at(0), at(900), wall(900)),
            None,
            "nobody ticks"
        );
    }

    #[test]
    fn a_stopped_process_is_noticed_by_a_late_tick_and_before_it() {
        let mut pauses = ticking(110);
        // A reader that wakes before the tick gets the same result.
        assert_eq!(pauses.paused_since(at(105), at(145), wall(145)), Some(Duration::from_secs(35)));
        let pause = pauses.tick(at(145), wall(145)).expect("a pause");
        assert_eq!((pause.began, pause.lasted), (at(110), Duration::from_secs(35)));
        assert_eq!(pauses.paused_since(at(105), at(148), wall(148)), Some(Duration::from_secs(35)));
        assert_eq!(pauses.paused_since(at(120), at(148), wall(148)), Some(Duration::from_secs(25)));
        assert_eq!(pauses.paused_since(at(146), at(148), wall(148)), None);
    }

    #[test]
    fn sleep_that_stops_the_monotonic_clock_is_noticed_by_the_wall_clock() {
        let mut pauses = ticking(110);
        let pause = pauses.tick(at(111), wall(8 * 3_600)).expect("a pause");
        assert!(pause.lasted > Duration::from_secs(7 * 3_600));
        // On the monotonic clock, the pause took at most the second between two ticks.
        assert_eq!(
            pauses.paused_since(at(100), at(112), wall(28_801)),
            Some(Duration::from_secs(1))
        );
        // A wall clock that is set back is no pause.
        assert_eq!(pauses.tick(at(112), wall(0)), None);
    }

    #[test]
    fn only_the_last_ones_are_kept() {
        let mut pauses = PauseDetector::default();
        for number in 0..=u64::try_from(PAUSES_RECORDED_MAX).expect("small") + 1 {
            let now = number * 10;
            pauses.tick(at(now), wall(i64::try_from(now).expect("small")));
        }
        assert_eq!(pauses.recorded.len(), PAUSES_RECORDED_MAX);
    }
}
