//! Whether a backend that answers does so badly: slowly, or not always.
//!
//! A long window, so that it matters, and a short one, so that it ends soon after the cause. What the
//! callers are to blame for is in neither.

use std::time::Duration;

use domain::{
    ClockReading, Moment, SLOW_CALLS_MIN, SLOW_PERCENT, WallTime, count_noun, format_seconds,
    group_digits, percent_if_slower,
};

use crate::{BurnWindow, RequestCounts};

/// The time until now whose calls are judged.
pub const QUALITY_WINDOW: BurnWindow = BurnWindow::HalfHour;
/// The time until now in which it must still be so.
pub const QUALITY_LATEST: BurnWindow = BurnWindow::FiveMinutes;
/// Fewer calls say nothing, as for slow answers.
pub(crate) const DEGRADED_CALLS_MIN: u64 = SLOW_CALLS_MIN as u64;
/// Share of failed requests, in percent, from which a backend fails often. Where most fail, its breaker
/// opens, and it is not only degraded.
pub(crate) const FAILED_PERCENT: u32 = 5;
/// One request that failed is no rate.
pub const FAILED_MIN: u64 = 2;
/// How long nothing must be found before it is over.
pub(crate) const CLEAR_AFTER: Duration = Duration::from_secs(300);
/// The percentile of first tokens that is compared.
const SLOW_PERCENTILE: f64 = 95.0;

/// First tokens of the calls in a time, each from the start of its call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstTokens {
    /// In ascending order.
    sorted: Vec<Duration>,
}

impl FromIterator<Duration> for FirstTokens {
    fn from_iter<All: IntoIterator<Item = Duration>>(all: All) -> Self {
        let mut sorted: Vec<Duration> = all.into_iter().collect();
        sorted.sort_unstable();
        Self { sorted }
    }
}

impl FirstTokens {
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.sorted.len() as u64
    }

    /// The 95th percentile; of fewer than twenty the slowest but one, since one slow call says nothing.
    /// `None` with fewer than two.
    #[must_use]
    pub fn high(&self) -> Option<Duration> {
        let count = self.sorted.len();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a length"
        )]
        let rank = (count as f64 * SLOW_PERCENTILE / 100.0).ceil() as usize;
        let place = rank.min(count.saturating_sub(1)).checked_sub(1)?;
        self.sorted.get(place).copied()
    }

    fn slowest(&self) -> Option<Duration> {
        self.sorted.last().copied()
    }
}

/// The calls to a backend in a time until now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallsUntilNow {
    pub counts: RequestCounts,
    pub first_tokens: FirstTokens,
}

/// What a backend is judged by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QualityFacts {
    /// In [`QUALITY_WINDOW`].
    pub calls: CallsUntilNow,
    /// In [`QUALITY_LATEST`].
    pub latest: CallsUntilNow,
    /// The 95th percentile of the first token in the week before; `None` with too few.
    pub usual: Option<Duration>,
}

/// How a backend answers badly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Degradation {
    Failing { failed: u64, requests: u64 },
    Slow { recent: Duration, usual: Duration },
}

impl QualityFacts {
    /// The worst of what holds now.
    #[must_use]
    pub fn degradation(&self) -> Option<Degradation> {
        self.failing().or_else(|| self.slow())
    }

    fn failing(&self) -> Option<Degradation> {
        let RequestCounts { bad, .. } = self.calls.counts;
        let (valid, share) = (self.calls.counts.valid(), self.calls.counts.bad_share()?);
        let is_often = 100.0 * share >= f64::from(FAILED_PERCENT) && bad >= FAILED_MIN;
        let holds = valid >= DEGRADED_CALLS_MIN && is_often && self.latest.counts.bad > 0;
        holds.then_some(Degradation::Failing { failed: bad, requests: valid })
    }

    fn slow(&self) -> Option<Degradation> {
        let (recent, usual) = (self.calls.first_tokens.high()?, self.usual?);
        let is_slow = |time: Option<Duration>| {
            let percent = time.and_then(|time| percent_if_slower(time, usual));
            percent.is_some_and(|percent| percent >= f64::from(SLOW_PERCENT))
        };
        let is_enough = self.calls.first_tokens.count() >= DEGRADED_CALLS_MIN;
        let holds =
            is_enough && is_slow(Some(recent)) && is_slow(self.latest.first_tokens.slowest());
        holds.then_some(Degradation::Slow { recent, usual })
    }
}

impl Degradation {
    /// "OpenAI is slow: first token 4.2 s, usually 0.9 s", "OpenAI fails 3 of 10 requests"
    #[must_use]
    pub fn title(self, label: &str) -> String {
        match self {
            Self::Failing { failed, requests } => format!(
                "{label} fails {} of {}",
                group_digits(failed),
                count_noun(requests, "request")
            ),
            Self::Slow { .. } => format!("{label} is slow: {}", self.clause()),
        }
    }

    /// "first token 4.2 s, usually 0.9 s", "3 of 10 requests failed in half an hour"
    #[must_use]
    pub fn clause(self) -> String {
        match self {
            Self::Failing { failed, requests } => format!(
                "{} of {} failed in half an hour",
                group_digits(failed),
                count_noun(requests, "request")
            ),
            Self::Slow { recent, usual } => {
                format!("first token {}, usually {}", format_seconds(recent), format_seconds(usual))
            }
        }
    }

    /// What was measured, in a sentence.
    #[must_use]
    pub fn sentence(self) -> String {
        match self {
            Self::Failing { .. } => format!("{}.", self.clause()),
            Self::Slow { recent, usual } => format!(
                "Nearly all first tokens of half an hour came within {}, those of the week before \
                 within {}.",
                format_seconds(recent),
                format_seconds(usual)
            ),
        }
    }

    const fn is_like(self, other: Self) -> bool {
        matches!(
            (self, other),
            (Self::Failing { .. }, Self::Failing { .. }) | (Self::Slow { .. }, Self::Slow { .. })
        )
    }
}

/// A degradation as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Degraded {
    pub what: Degradation,
    pub since: WallTime,
}

/// How one backend answers, judged again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AnswerQuality {
    shown: Option<(Degraded, Moment)>,
}

impl AnswerQuality {
    #[must_use]
    pub fn degraded(&self) -> Option<Degraded> {
        self.shown.map(|(degraded, _)| degraded)
    }

    /// Takes in what holds now. What was found before ends when it was not found for
    /// `CLEAR_AFTER`.
    pub fn observe(&mut self, facts: &QualityFacts, at: ClockReading) {
        let before = self.shown;
        self.shown = match (facts.degradation(), before) {
            (Some(what), Some((known, _))) if known.what.is_like(what) => {
                Some((Degraded { what, since: known.since }, at.now))
            }
            (Some(what), _) => Some((Degraded { what, since: at.wall }, at.now)),
            (None, Some((_, found))) if at.now.since(found) >= CLEAR_AFTER => None,
            (None, before) => before,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn calls(good: u64, bad: u64, first_tokens: &[(u64, usize)]) -> CallsUntilNow {
        let times = first_tokens.iter().flat_map(|(ms, times)| vec![MS(*ms); *times]);
        CallsUntilNow { counts: RequestCounts { good, bad }, first_tokens: times.collect() }
    }

    fn failing(good: u64, bad: u64) -> Option<Degradation> {
        let calls = calls(good, bad, &[]);
        QualityFacts { latest: calls.clone(), calls, usual: None }.degradation()
    }

    /// `slow` calls of that time, and nine of 500 ms.
    fn slow(ms: u64, times: usize, usual: Option<u64>) -> Option<Degradation> {
        let calls = calls(9 + times as u64, 0, &[(500, 9), (ms, times)]);
        QualityFacts { latest: calls.clone(), calls, usual: usual.map(MS) }.degradation()
    }

    #[test]
    fn failures_count_from_a_share_and_with_enough_calls() {
        let found = |failed, requests| Some(Degradation::Failing { failed, requests });
        let rows = [
            ((8, 2), found(2, 10)),
            ((7, 2), None),
            ((9, 1), None),
            ((38, 2), found(2, 40)),
            ((39, 2), None),
            ((95, 5), found(5, 100)),
            ((961, 50), None),
            ((0, 10), found(10, 10)),
            ((0, 9), None),
            ((10, 0), None),
            ((0, 0), None),
        ];
        for ((good, bad), expected) in rows {
            assert_eq!(failing(good, bad), expected, "{bad} of {}", good + bad);
        }
    }

    #[test]
    fn first_tokens_are_slow_from_twice_the_usual_time_on_and_only_if_it_is_felt() {
        let found =
            |recent, usual| Some(Degradation::Slow { recent: MS(recent), usual: MS(usual) });
        let rows = [
            ((4_000, 2, Some(2_000)), found(4_000, 2_000)),
            ((3_999, 2, Some(2_000)), None),
            ((1_900, 2, Some(900)), None),
            ((1_901, 2, Some(900)), found(1_901, 900)),
            ((4_000, 1, Some(2_000)), None),
            ((4_000, 2, None), None),
            ((4_000, 2, Some(0)), None),
        ];
        for ((ms, times, usual), expected) in rows {
            assert_eq!(slow(ms, times, usual), expected, "{times} of {ms} ms, usually {usual:?}");
        }
        let nine = calls(9, 0, &[(9_000, 9)]);
        let facts = QualityFacts { latest: nine.clone(), calls: nine, usual: Some(MS(100)) };
        assert_eq!(facts.degradation(), None, "nine calls");
    }

    #[test]
    fn the_percentile_leaves_the_slowest_call_out() {
        let high = |count: u64| (1..=count).map(MS).collect::<FirstTokens>().high();
        let rows = [(0, None), (1, None), (2, Some(1)), (10, Some(9)), (20, Some(19))];
        for (count, expected) in rows.into_iter().chain([(100, Some(95)), (1_000, Some(950))]) {
            assert_eq!(high(count), expected.map(MS), "{count} calls");
        }
    }

    #[test]
    fn what_is_over_for_five_minutes_is_not_found() {
        let bad = calls(5, 5, &[(9_000, 10)]);
        let good = calls(1, 0, &[(100, 1)]);
        for latest in [good, CallsUntilNow::default()] {
            let facts = QualityFacts { calls: bad.clone(), latest, usual: Some(MS(100)) };
            assert_eq!(facts.degradation(), None);
        }
    }

    #[test]
    fn failures_come_before_slow_answers() {
        let both = calls(8, 2, &[(9_000, 10)]);
        let facts = QualityFacts { latest: both.clone(), calls: both, usual: Some(MS(100)) };
        assert_eq!(facts.degradation(), Some(Degradation::Failing { failed: 2, requests: 10 }));
    }

    #[test]
    fn it_says_what_a_person_would() {
        let failing = Degradation::Failing { failed: 3, requests: 10 };
        assert_eq!(failing.title("OpenAI"), "OpenAI fails 3 of 10 requests");
        assert_eq!(failing.clause(), "3 of 10 requests failed in half an hour");
        let slow = Degradation::Slow { recent: MS(4_210), usual: MS(880) };
        assert_eq!(slow.title("OpenAI"), "OpenAI is slow: first token 4.2 s, usually 0.9 s");
        assert_eq!(
            slow.sentence(),
            "Nearly all first tokens of half an hour came within 4.2 s, those of the week before \
             within 0.9 s."
        );
    }

    #[test]
    fn it_ends_after_five_minutes_without_it_and_its_kind_has_its_own_time() {
        let at = |secs: u64| ClockReading {
            now: Moment::from_secs(secs),
            wall: WallTime::from_unix_ms(1_000 * i64::try_from(secs).expect("small")),
        };
        let facts = |good, bad, ms| {
            let calls = calls(good, bad, &[(ms, 10)]);
            QualityFacts { latest: calls.clone(), calls, usual: Some(MS(100)) }
        };
        let mut quality = AnswerQuality::default();
        let mut seen = Vec::new();
        let times = [
            (0, facts(10, 0, 100)),
            (60, facts(8, 2, 100)),
            (120, facts(7, 3, 100)),
            (419, facts(10, 0, 100)),
            (420, facts(10, 0, 100)),
            (480, facts(8, 2, 100)),
            (540, facts(10, 0, 9_000)),
        ];
        for (secs, facts) in times {
            quality.observe(&facts, at(secs));
            seen.push(quality.degraded().map(|it| (it.since.unix_ms() / 1_000, it.what)));
        }
        let failing = |failed| Degradation::Failing { failed, requests: 10 };
        let slow = Degradation::Slow { recent: MS(9_000), usual: MS(100) };
        assert_eq!(
            seen,
            [
                None,
                Some((60, failing(2))),
                Some((60, failing(3))),
                Some((60, failing(3))),
                None,
                Some((480, failing(2))),
                Some((540, slow)),
            ]
        );
    }
}
