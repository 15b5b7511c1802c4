//! How a window of a plan goes: whether what is left lasts until it starts again.
//!
//! A plan tells the share that is used, not what it is a share of, so the pace is that share beside
//! the share of time. A figure is as old as the last answer of its tool: use since then, or on
//! another machine, is not in it.

use domain::WallTime;

/// Share of a window's time below which its pace says nothing, in percent: a single answer right
/// after the start would be "used up in an hour".
const PACE_ELAPSED_PERCENT_MIN: f64 = 5.0;

/// Share of a window's time after which a reading says nothing of the pace, in percent.
const READING_AGE_PERCENT_MAX: f64 = 25.0;

domain::words! {
    /// How a window of a plan goes.
    PlanWindowState {
        /// At the pace so far it lasts until it starts again
        Lasts = "lasts",
        /// At the pace so far it is used up before it starts again
        RunsOut = "runs_out",
        /// Nothing is left until it starts again
        UsedUp = "used_up",
        /// It was told too soon after the start, or too long ago, to say whether it lasts
        NoPace = "no_pace",
        /// It has started again since it was read; how much is used now is not known
        StartedAgain = "started_again",
    }
}

/// A window as it was last told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanWindow {
    pub minutes: i64,
    /// 0 to 100.
    pub used_percent: f64,
    pub resets: WallTime,
    /// When it was told.
    pub read: WallTime,
}

/// What a window's figures say at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanWindowOutlook {
    pub state: PlanWindowState,
    /// Share of its time that was over when it was told, in percent, to compare with what was used;
    /// None once it has started again.
    pub elapsed_percent: Option<f64>,
    /// When it is used up at the pace until it was read; only if it runs out, and in the future.
    pub runs_out: Option<WallTime>,
}

impl PlanWindow {
    #[must_use]
    pub fn outlook(&self, now: WallTime) -> PlanWindowOutlook {
        let (reset_ms, now_ms) = (self.resets.unix_ms(), now.unix_ms());
        if reset_ms <= now_ms {
            let state = PlanWindowState::StartedAgain;
            return PlanWindowOutlook { state, elapsed_percent: None, runs_out: None };
        }
        let elapsed = self.elapsed_percent(self.read);
        let is_old = self.elapsed_percent(now) - elapsed > READING_AGE_PERCENT_MAX;
        let used_up = self.used_up_ms(elapsed);
        let state = match used_up {
            _ if self.used_percent >= 100.0 => PlanWindowState::UsedUp,
            _ if is_old || elapsed < PACE_ELAPSED_PERCENT_MIN => PlanWindowState::NoPace,
            Some(at_ms) if at_ms < reset_ms => PlanWindowState::RunsOut,
            _ => PlanWindowState::Lasts,
        };
        let runs_out = used_up
            .filter(|at_ms| state == PlanWindowState::RunsOut && *at_ms > now_ms)
            .map(WallTime::from_unix_ms);
        PlanWindowOutlook { state, elapsed_percent: Some(elapsed), runs_out }
    }

    /// The moment at which the pace until the reading uses it up; None if nothing is used.
    fn used_up_ms(&self, elapsed_percent: f64) -> Option<i64> {
        if self.used_percent <= 0.0 {
            return None;
        }
        let until_used_up = as_float(self.length_ms()) * (elapsed_percent / self.used_percent);
        let start_ms = self.resets.unix_ms().saturating_sub(self.length_ms());
        Some(start_ms.saturating_add(whole(until_used_up)))
    }

    fn elapsed_percent(&self, at: WallTime) -> f64 {
        let left_ms = self.resets.unix_ms().saturating_sub(at.unix_ms());
        let left = as_float(left_ms) / as_float(self.length_ms().max(1));
        (100.0 * (1.0 - left)).clamp(0.0, 100.0)
    }

    const fn length_ms(&self) -> i64 {
        self.minutes.saturating_mul(60_000)
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a year fit in a float's 53 bits")]
const fn as_float(ms: i64) -> f64 {
    ms as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a float's cast to an integer saturates")]
const fn whole(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use domain::HOUR_MS;

    use super::*;

    /// Five hours that end at hour 5, read at `read` hours.
    fn window(used_percent: f64, read_hours: i64) -> PlanWindow {
        let at = |hours: i64| WallTime::from_unix_ms(hours * HOUR_MS);
        PlanWindow { minutes: 300, used_percent, resets: at(5), read: at(read_hours) }
    }

    fn at(tenths: i64) -> WallTime {
        WallTime::from_unix_ms(tenths * HOUR_MS / 10)
    }

    #[track_caller]
    fn check(used: f64, read_hours: i64, now: WallTime, state: PlanWindowState) {
        assert_eq!(window(used, read_hours).outlook(now).state, state, "{used} % at {read_hours}");
    }

    #[test]
    fn it_lasts_if_less_is_used_than_time_is_over() {
        check(40.0, 2, at(20), PlanWindowState::Lasts);
        check(40.5, 2, at(20), PlanWindowState::RunsOut);
        check(0.0, 4, at(40), PlanWindowState::Lasts);
        check(100.0, 4, at(40), PlanWindowState::UsedUp);
    }

    #[test]
    fn it_runs_out_when_the_pace_until_the_reading_says() {
        let outlook = window(80.0, 2).outlook(at(24));
        assert_eq!(outlook.runs_out, Some(at(25)));
        assert_eq!(outlook.elapsed_percent, Some(40.0), "when it was read");
        let later = window(80.0, 2).outlook(at(30));
        assert_eq!(later.state, PlanWindowState::RunsOut);
        assert_eq!(later.runs_out, None, "what may have happened is no forecast");
    }

    #[test]
    fn a_window_that_has_just_begun_has_no_pace() {
        let early = PlanWindow { read: at(2), ..window(99.0, 0) };
        assert_eq!(early.outlook(at(2)).state, PlanWindowState::NoPace);
        let all = PlanWindow { read: at(2), ..window(100.0, 0) };
        assert_eq!(all.outlook(at(2)).state, PlanWindowState::UsedUp);
        let later = PlanWindow { read: WallTime::from_unix_ms(15 * 60_000), ..window(30.0, 0) };
        assert_eq!(later.outlook(at(3)).state, PlanWindowState::RunsOut, "5 % of the time is over");
    }

    #[test]
    fn an_old_reading_has_no_pace() {
        check(10.0, 1, at(22), PlanWindowState::Lasts);
        check(10.0, 1, at(23), PlanWindowState::NoPace);
        check(90.0, 1, at(23), PlanWindowState::NoPace);
        check(100.0, 1, at(45), PlanWindowState::UsedUp);
    }

    #[test]
    fn a_window_that_has_ended_is_not_known() {
        let outlook = window(100.0, 4).outlook(at(50));
        assert_eq!(outlook.state, PlanWindowState::StartedAgain);
        assert_eq!((outlook.elapsed_percent, outlook.runs_out), (None, None));
        check(100.0, 4, WallTime::from_unix_ms(5 * HOUR_MS - 1), PlanWindowState::UsedUp);
    }

    #[test]
    fn absurd_times_do_not_overflow() {
        let far = PlanWindow {
            minutes: i64::MAX,
            used_percent: 1e-300,
            resets: WallTime::from_unix_ms(i64::MAX),
            read: WallTime::from_unix_ms(i64::MIN),
        };
        assert_ne!(far.outlook(at(0)).state, PlanWindowState::StartedAgain);
    }
}
