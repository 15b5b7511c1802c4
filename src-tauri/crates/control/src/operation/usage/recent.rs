//! What went through the gateway in the last hour, minute by minute.

use std::collections::HashMap;

use domain::{MINUTE_MS, WallTime, count_noun, group_digits};
use engine::Engine;
use ledger::{OutcomeCount, OutcomeDimension, RecentMinute};

use crate::ApiError;
use crate::view::{RecentFailureView, RecentMinuteView, UsageRecentView};

const MINUTES: i64 = 60;
/// Minutes of the rates: short enough for now, long enough for a pause between two prompts.
const RATE_MINUTES: i64 = 5;

pub(crate) async fn usage_recent(engine: &Engine) -> Result<UsageRecentView, ApiError> {
    let now = engine.clock().wall();
    let from = first_minute(now);
    let minutes = engine.ledger().recent_minutes(from).await?;
    let failed = engine.ledger().failed_requests(from).await?;
    Ok(recent_view(now, &minutes, failures(&failed)))
}

/// The start of the first of the minutes of which the one of `now` is the last.
fn first_minute(now: WallTime) -> WallTime {
    let this = now.unix_ms().div_euclid(MINUTE_MS) * MINUTE_MS;
    WallTime::from_unix_ms(this - (MINUTES - 1) * MINUTE_MS)
}

fn recent_view(
    now: WallTime,
    minutes: &[RecentMinute],
    failures: Vec<RecentFailureView>,
) -> UsageRecentView {
    let from = first_minute(now);
    let sum = |of: fn(&RecentMinute) -> u64| minutes.iter().map(of).sum::<u64>();
    let (failed, complete) = (sum(|one| one.failed), sum(|one| one.complete));
    let (served, missed) = (sum(|one| one.cache_served), sum(|one| one.cache_misses));
    let recent = from.unix_ms() + (MINUTES - RATE_MINUTES) * MINUTE_MS;
    let late = || minutes.iter().filter(|one| one.start.unix_ms() >= recent);
    let elapsed_ms = (now.unix_ms() - recent).max(MINUTE_MS).unsigned_abs();
    let per_minute = |count: u64| count.saturating_mul(MINUTE_MS.unsigned_abs());
    let late_requests: u64 = late().map(|one| one.requests).sum();
    let late_tokens: u64 = late().map(|one| one.tokens).sum();
    let requests = sum(|one| one.requests);
    UsageRecentView {
        from: from.into(),
        to: now.into(),
        finding: finding(requests, failed, failures.first()),
        requests: requests.into(),
        failed: failed.into(),
        complete_percent: percent(complete, complete + failed),
        failures,
        cache_eligible: (served + missed).into(),
        cache_percent: percent(served, served + missed),
        requests_per_minute: per_minute(late_requests) as f64 / elapsed_ms as f64,
        tokens_per_minute: (per_minute(late_tokens) / elapsed_ms).into(),
        minutes: minute_views(from, minutes),
    }
}

/// Each minute, with and without requests.
fn minute_views(from: WallTime, minutes: &[RecentMinute]) -> Vec<RecentMinuteView> {
    let known: HashMap<WallTime, &RecentMinute> =
        minutes.iter().map(|one| (one.start, one)).collect();
    let view = |number: i64| {
        let start = from.plus_ms(number * MINUTE_MS);
        let sums = known.get(&start).map_or_else(RecentMinute::default, |one| **one);
        RecentMinuteView {
            start: start.into(),
            requests: sums.requests.into(),
            failed: sums.failed.into(),
        }
    };
    (0..MINUTES).map(view).collect()
}

fn failures(outcomes: &[OutcomeCount]) -> Vec<RecentFailureView> {
    let mut classes: HashMap<&str, u64> = HashMap::new();
    for one in outcomes.iter().filter(|one| one.dimension == OutcomeDimension::Route) {
        if let Some(class) = &one.failure {
            *classes.entry(class).or_default() += one.count;
        }
    }
    let mut classes: Vec<(&str, u64)> = classes.into_iter().collect();
    classes.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(right.0)));
    let view = |(class, requests): (&str, u64)| RecentFailureView {
        class: class.to_owned(),
        requests: requests.into(),
    };
    classes.into_iter().map(view).collect()
}

fn finding(requests: u64, failed: u64, most: Option<&RecentFailureView>) -> String {
    if requests == 0 {
        return "No requests in the last hour".to_owned();
    }
    let requests = count_noun(requests, "request");
    match (failed, most) {
        (0, _) => format!("{requests}, none failed"),
        (_, None) => format!("{requests}, {} failed", group_digits(failed)),
        (_, Some(most)) => {
            format!("{requests}, {} failed, most often: {}", group_digits(failed), most.class)
        }
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 * 100.0 / whole as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half a minute after a whole one.
    const NOW: WallTime = WallTime::from_unix_ms(1_795_248_030_000);

    fn minute(back: i64, requests: u64, failed: u64) -> RecentMinute {
        RecentMinute {
            start: WallTime::from_unix_ms(1_795_248_000_000 - back * MINUTE_MS),
            requests,
            failed,
            complete: requests - failed,
            tokens: requests * 1_000,
            cache_served: requests / 2,
            cache_misses: requests - requests / 2,
        }
    }

    #[test]
    fn rates_are_of_five_minutes_and_shares_of_the_hour() {
        let minutes = [minute(59, 4, 1), minute(4, 6, 0), minute(0, 3, 0)];
        let most = RecentFailureView { class: "timeout".to_owned(), requests: 1_u64.into() };
        let view = recent_view(NOW, &minutes, vec![most]);
        assert_eq!(view.finding, "13 requests, 1 failed, most often: timeout");
        assert_eq!(view.complete_percent, percent(12, 13));
        assert_eq!((view.cache_eligible.0, view.cache_percent), (13, percent(6, 13)));
        // Nine requests in four and a half minutes.
        assert!((view.requests_per_minute - 2.0).abs() < 1e-9, "{}", view.requests_per_minute);
        assert_eq!(view.tokens_per_minute.0, 2_000);
        assert_eq!(view.minutes.len(), 60);
        let counts: Vec<u64> = view.minutes.iter().map(|one| one.requests.0).collect();
        assert_eq!((counts[0], counts[55], counts[59]), (4, 6, 3));
        assert_eq!(counts.iter().sum::<u64>(), 13);
    }

    #[test]
    fn an_hour_without_requests_has_no_shares() {
        let view = recent_view(NOW, &[], Vec::new());
        assert_eq!(view.finding, "No requests in the last hour");
        assert_eq!((view.complete_percent, view.cache_percent), (None, None));
        assert!(view.minutes.iter().all(|one| one.requests.0 == 0));
    }

    #[test]
    fn failures_of_all_routes_are_counted_by_class() {
        let count = |dimension, name: &str, failure: Option<&str>, count| OutcomeCount {
            dimension,
            name: name.to_owned(),
            failure: failure.map(str::to_owned),
            count,
        };
        let outcomes = [
            count(OutcomeDimension::Route, "fast", Some("timeout"), 2),
            count(OutcomeDimension::Route, "smart", Some("rate-limited"), 3),
            count(OutcomeDimension::Route, "smart", Some("timeout"), 2),
            count(OutcomeDimension::Route, "smart", None, 90),
            count(OutcomeDimension::Backend, "openai", Some("timeout"), 9),
        ];
        let told = failures(&outcomes);
        let told: Vec<(&str, u64)> =
            told.iter().map(|one| (one.class.as_str(), one.requests.0)).collect();
        assert_eq!(told, [("timeout", 4), ("rate-limited", 3)]);
    }
}
