//! What kinds of anomalies there are, and how one is told from another.

use domain::{HOUR_MS, WallTime};

domain::words! {
    /// By which rule something is unusual.
    UsageAnomalyRule {
        /// Hours that cost far more than the same hours of the weeks before.
        Cost = "cost",
        /// Hours with five times the requests of a usual one.
        RequestRate = "request_rate",
        /// A client, model or key that was never in use before.
        FirstSeen = "first_seen",
        /// A provider's cache of prompts that is hardly read any more.
        CacheCollapse = "cache_collapse",
        /// A conversation that was sent again and again until the runaway guard stopped it.
        Loop = "loop",
    }
}

impl UsageAnomalyRule {
    /// The id of what is unusual from `start` on: it stays the same while more hours are added.
    /// `subject` is the word of a dimension and a name in it, for rules that are about names.
    #[must_use]
    pub fn id(self, start: WallTime, subject: Option<(&str, &str)>) -> String {
        let at = format!("{}@{}", self.word(), start.to_rfc3339());
        match subject {
            Some((dimension, name)) => format!("{at},{dimension}={name}"),
            None => at,
        }
    }

    /// How long what was called fine stays so while it goes on, in milliseconds. Shares of a cache are
    /// those of days.
    const fn fine_ms(self) -> i64 {
        match self {
            Self::CacheCollapse => 24 * HOUR_MS,
            Self::Cost | Self::RequestRate | Self::FirstSeen | Self::Loop => 2 * HOUR_MS,
        }
    }

    /// True if what the user called fine at `said` is still so at `now`; `end` is when it ended, or the
    /// end of its last hour so far. What goes on for longer is news.
    #[must_use]
    pub const fn is_still_fine(self, said: WallTime, end: WallTime, now: WallTime) -> bool {
        let until = said.unix_ms().saturating_add(self.fine_ms());
        end.unix_ms() <= until || now.unix_ms() <= until
    }
}

/// When something was called fine that is so for good: the end of the year 9999.
pub const FINE_FOR_GOOD: WallTime = WallTime::from_unix_ms(253_402_300_799_999);

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(minutes: i64) -> WallTime {
        WallTime::from_unix_ms(minutes * 60_000)
    }

    #[test]
    fn what_is_fine_is_news_again_if_it_goes_on_for_two_hours() {
        let check = |rule: UsageAnomalyRule, said, end, now, expected| {
            assert_eq!(rule.is_still_fine(said, end, now), expected, "{rule} {end:?} {now:?}");
        };
        let (cost, said) = (UsageAnomalyRule::Cost, at(20));
        check(cost, said, at(60), at(20), true);
        // In the hour after next it still runs.
        check(cost, said, at(180), at(140), true);
        check(cost, said, at(180), at(141), false);
        // It ended.
        check(cost, said, at(120), at(10_000), true);
        check(cost, FINE_FOR_GOOD, at(10_000), at(10_000), true);
        check(UsageAnomalyRule::CacheCollapse, said, at(24 * 60), at(23 * 60), true);
        check(UsageAnomalyRule::CacheCollapse, said, at(48 * 60), at(26 * 60), false);
    }
}
