//! Objectives, what is left of the failures they allow, and how fast that is used up.
//!
//! The numbers are those of the SRE Workbook for 30 days. For 7 days its factors would let one hour
//! use up far more, so they are smaller. An alert needs a long window, so that it matters, and a
//! short one, so that it ends soon after the cause.

use std::time::Duration;

use domain::{ServiceGoal, ServicePeriod};

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

const PERIOD_WEEK: Duration = ServicePeriod::Week.length();
const PERIOD_MONTH: Duration = ServicePeriod::Month.length();

/// Fewest valid requests in the long window that say anything.
pub const VALID_MIN: u64 = 20;
/// Fewest failed requests in the long window of an alert.
pub(crate) const BAD_LONG_MIN: u64 = 5;
/// Fewest failed requests in the short window of an alert.
pub(crate) const BAD_SHORT_MIN: u64 = 2;

/// Requests that say something about who answers them: not the caller's own errors, requests that
/// were cancelled, or faults of this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    pub good: u64,
    pub bad: u64,
}

impl RequestCounts {
    #[must_use]
    pub const fn valid(self) -> u64 {
        self.good.saturating_add(self.bad)
    }

    /// Share of the valid requests that failed, 0 to 1; `None` without one.
    #[must_use]
    pub fn bad_share(self) -> Option<f64> {
        (self.valid() > 0).then(|| self.bad as f64 / self.valid() as f64)
    }
}

impl std::ops::AddAssign for RequestCounts {
    fn add_assign(&mut self, other: Self) {
        self.good = self.good.saturating_add(other.good);
        self.bad = self.bad.saturating_add(other.bad);
    }
}

impl std::iter::Sum for RequestCounts {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, counts| {
            sum += counts;
            sum
        })
    }
}

/// So many of a million valid requests are to succeed within a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Objective {
    /// Parts per million: 995 000 is 99.5 %.
    pub goal_ppm: u32,
    pub period: Duration,
}

impl Objective {
    #[must_use]
    pub const fn new(goal: ServiceGoal, period: ServicePeriod) -> Self {
        Self { goal_ppm: goal.ppm(), period: period.length() }
    }

    /// Share of the valid requests that may fail, 0 to 1.
    #[must_use]
    pub fn allowed_bad_share(self) -> f64 {
        f64::from(1_000_000_u32.saturating_sub(self.goal_ppm)) / 1e6
    }

    /// How many times as fast as allowed requests failed; `None` without a valid request.
    #[must_use]
    pub fn burn_rate(self, counts: RequestCounts) -> Option<f64> {
        let allowed = self.allowed_bad_share();
        (allowed > 0.0).then_some(())?;
        Some(counts.bad_share()? / allowed)
    }

    /// Share of the allowed failures of the period that is left: 1 with none used, below 0 when more
    /// failed than allowed. `None` with fewer than [`VALID_MIN`] valid requests.
    #[must_use]
    pub fn budget_left(self, counts: RequestCounts) -> Option<f64> {
        (counts.valid() >= VALID_MIN).then_some(())?;
        Some(1.0 - self.burn_rate(counts)?)
    }

    /// Time until the budget is used up at a burn rate; `None` if it lasts at that rate, and zero if
    /// nothing is left.
    #[must_use]
    pub fn exhausted_in(self, left: f64, burn: f64) -> Option<Duration> {
        if left <= 0.0 {
            return Some(Duration::ZERO);
        }
        // Failures leave a rolling period as fast as they come at a rate of one.
        (burn > 1.0).then(|| Duration::from_secs_f64(self.period.as_secs_f64() * left / burn))
    }
}

domain::words! {
    /// How fast the failures that an objective allows are used up.
    BurnSpeed {
        /// Within days, so someone should look now
        Fast = "fast",
        /// Before the period ends
        Slow = "slow",
    }
}

domain::words! {
    /// A time until now in which requests are counted.
    BurnWindow {
        FiveMinutes = "5m",
        HalfHour = "30m",
        Hour = "1h",
        TwoHours = "2h",
        SixHours = "6h",
        Day = "24h",
        ThreeDays = "3d",
        Week = "7d",
        Month = "30d",
    }
}

impl BurnWindow {
    #[must_use]
    pub const fn length(self) -> Duration {
        Duration::from_secs(match self {
            Self::FiveMinutes => 300,
            Self::HalfHour => 1_800,
            Self::Hour => HOUR,
            Self::TwoHours => 2 * HOUR,
            Self::SixHours => 6 * HOUR,
            Self::Day => DAY,
            Self::ThreeDays => 3 * DAY,
            Self::Week => 7 * DAY,
            Self::Month => 30 * DAY,
        })
    }

    /// The window of an objective's whole period.
    #[must_use]
    pub fn of_period(period: Duration) -> Self {
        if period <= PERIOD_WEEK { Self::Week } else { Self::Month }
    }
}

/// A burn rate that both windows must reach.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurnRule {
    pub speed: BurnSpeed,
    pub period: Duration,
    pub factor: f64,
    pub long: BurnWindow,
    pub short: BurnWindow,
}

const fn rule(
    speed: BurnSpeed,
    period: Duration,
    factor: f64,
    long: BurnWindow,
    short: BurnWindow,
) -> BurnRule {
    BurnRule { speed, period, factor, long, short }
}

/// The rules of both periods, the fastest first.
pub(crate) const BURN_RULES: &[BurnRule] = {
    use BurnSpeed::{Fast, Slow};
    use BurnWindow::{Day, FiveMinutes, HalfHour, Hour, SixHours, ThreeDays, TwoHours};
    &[
        rule(Fast, PERIOD_WEEK, 10.0, Hour, FiveMinutes),
        rule(Fast, PERIOD_WEEK, 3.0, SixHours, HalfHour),
        rule(Slow, PERIOD_WEEK, 1.5, Day, TwoHours),
        rule(Fast, PERIOD_MONTH, 14.4, Hour, FiveMinutes),
        rule(Fast, PERIOD_MONTH, 6.0, SixHours, HalfHour),
        rule(Slow, PERIOD_MONTH, 1.0, ThreeDays, SixHours),
    ]
};

/// What the burn rates of an objective say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Burn {
    /// Too few requests to tell.
    NotEnoughData,
    /// No rule holds.
    Within,
    /// The fastest rule that holds, with the burn rate of its long window.
    Burning { rule: BurnRule, rate: f64 },
}

/// Judges an objective by the requests of each window. Rules without enough requests do not hold.
pub fn judge_burn(objective: Objective, counts: impl Fn(BurnWindow) -> RequestCounts) -> Burn {
    let mut is_known = false;
    for rule in BURN_RULES.iter().filter(|rule| rule.period == objective.period) {
        let (long, short) = (counts(rule.long), counts(rule.short));
        if long.valid() < VALID_MIN {
            continue;
        }
        is_known = true;
        if long.bad < BAD_LONG_MIN || short.bad < BAD_SHORT_MIN {
            continue;
        }
        let (Some(rate), Some(recent)) = (objective.burn_rate(long), objective.burn_rate(short))
        else {
            continue;
        };
        if rate >= rule.factor && recent >= rule.factor {
            return Burn::Burning { rule: *rule, rate };
        }
    }
    if is_known { Burn::Within } else { Burn::NotEnoughData }
}

/// The rule whose burn rates tell how the objective stands: the one that holds, else the slow one, for
/// which there are most requests.
#[must_use]
pub fn shown_rule(objective: Objective, burn: Burn) -> Option<BurnRule> {
    match burn {
        Burn::Burning { rule, .. } => Some(rule),
        Burn::NotEnoughData | Burn::Within => {
            let mut own = BURN_RULES.iter().filter(|rule| rule.period == objective.period);
            own.find(|rule| rule.speed == BurnSpeed::Slow).copied()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WEEK: Objective = Objective::new(ServiceGoal::Percent99_5, ServicePeriod::Week);
    const MONTH: Objective = Objective::new(ServiceGoal::Percent99_9, ServicePeriod::Month);

    fn counts(good: u64, bad: u64) -> RequestCounts {
        RequestCounts { good, bad }
    }

    #[test]
    fn figures_equal_those_computed_by_hand() {
        let week = WEEK;
        // 3 of 1 000 failed, 5 are allowed: 60 % used.
        assert!((week.budget_left(counts(997, 3)).expect("enough") - 0.4).abs() < 1e-9);
        assert!((week.burn_rate(counts(997, 3)).expect("valid") - 0.6).abs() < 1e-9);
        // 10 of 1 000: twice what is allowed.
        assert!((week.budget_left(counts(990, 10)).expect("enough") + 1.0).abs() < 1e-9);
        // 40 % left at five times the rate: 7 d x 0.4 / 5 = 13.44 h.
        let hours = week.exhausted_in(0.4, 5.0).expect("burns").as_secs_f64() / 3_600.0;
        assert!((hours - 13.44).abs() < 1e-9, "{hours}");
        assert_eq!(week.exhausted_in(0.4, 1.0), None, "it lasts");
        assert_eq!(week.exhausted_in(0.0, 0.0), Some(Duration::ZERO));
        // 99.9 % of 30 days leaves 43.2 minutes.
        let minutes = MONTH.allowed_bad_share() * 30.0 * 24.0 * 60.0;
        assert!((minutes - 43.2).abs() < 1e-9, "{minutes}");
    }

    #[test]
    fn rules_use_up_the_share_that_the_design_says() {
        let spent: Vec<f64> = BURN_RULES
            .iter()
            .map(|rule| rule.factor * rule.long.length().as_secs_f64() / rule.period.as_secs_f64())
            .map(|share| (share * 1_000.0).round() / 10.0)
            .collect();
        assert_eq!(spent, [6.0, 10.7, 21.4, 2.0, 5.0, 10.0]);
    }

    #[test]
    fn too_few_requests_are_no_figure_and_no_alert() {
        let week = WEEK;
        assert_eq!(week.budget_left(counts(10, 9)), None, "19 requests");
        assert!(week.budget_left(counts(10, 10)).is_some(), "20 requests");
        assert_eq!(judge_burn(week, |_| counts(0, 19)), Burn::NotEnoughData);
        assert_eq!(judge_burn(week, |_| counts(16, 4)), Burn::Within, "four failed");
        let one_recent = |window: BurnWindow| match window {
            BurnWindow::FiveMinutes | BurnWindow::HalfHour | BurnWindow::TwoHours => counts(0, 1),
            _ => counts(10, 10),
        };
        assert_eq!(judge_burn(week, one_recent), Burn::Within, "one failed lately");
        let Burn::Burning { rule, rate } = judge_burn(week, |_| counts(15, 5)) else {
            panic!("a quarter failed");
        };
        assert_eq!((rule.speed, rule.long), (BurnSpeed::Fast, BurnWindow::Hour));
        assert!((rate - 50.0).abs() < 1e-9);
    }

    #[test]
    fn a_rule_holds_from_its_factor_on_and_needs_both_windows() {
        let week = WEEK;
        let speed = |bad: u64| match judge_burn(week, |_| counts(1_000 - bad, bad)) {
            Burn::Burning { rule, .. } => Some((rule.speed, rule.long)),
            Burn::Within | Burn::NotEnoughData => None,
        };
        assert_eq!(speed(50), Some((BurnSpeed::Fast, BurnWindow::Hour)), "ten times");
        assert_eq!(speed(49), Some((BurnSpeed::Fast, BurnWindow::SixHours)));
        assert_eq!(speed(15), Some((BurnSpeed::Fast, BurnWindow::SixHours)), "three times");
        assert_eq!(speed(14), Some((BurnSpeed::Slow, BurnWindow::Day)));
        assert_eq!(speed(7), None, "1.4 times");
        let over = |window: BurnWindow| match window {
            BurnWindow::FiveMinutes | BurnWindow::HalfHour | BurnWindow::TwoHours => counts(998, 2),
            _ => counts(500, 500),
        };
        assert_eq!(judge_burn(week, over), Burn::Within, "it is over");
    }

    #[test]
    fn the_rates_that_are_shown_are_those_of_the_rule_that_holds() {
        let shown = |bad| {
            let burn = judge_burn(WEEK, |_| counts(1_000 - bad, bad));
            shown_rule(WEEK, burn).map(|rule| (rule.speed, rule.long, rule.short))
        };
        let slow = (BurnSpeed::Slow, BurnWindow::Day, BurnWindow::TwoHours);
        assert_eq!(shown(0), Some(slow));
        assert_eq!(shown(50), Some((BurnSpeed::Fast, BurnWindow::Hour, BurnWindow::FiveMinutes)));
    }

    proptest! {
        #[test]
        fn more_failures_never_leave_more(good in 0_u64..100_000, bad in 0_u64..1_000) {
            let left = |bad| WEEK.budget_left(counts(good, bad));
            if let (Some(fewer), Some(more)) = (left(bad), left(bad + 1)) {
                prop_assert!(more <= fewer);
            }
        }

        #[test]
        fn without_failures_nothing_burns(good in 0_u64..100_000) {
            let burn = judge_burn(MONTH, |_| counts(good, 0));
            let burns = matches!(burn, Burn::Burning { .. });
            prop_assert!(!burns);
            prop_assert!(MONTH.budget_left(counts(good, 0)).is_none_or(|left| left == 1.0));
        }
    }
}
