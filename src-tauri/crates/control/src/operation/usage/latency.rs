//! Latencies as percentiles, and failed attempts by class.

use std::collections::HashMap;

use domain::{NanoUsd, count_noun};
use engine::{Engine, backend_labels};
use ledger::{
    FailedAttempts, GroupBy, LatencyGroupBy, LatencyHistogram, LatencyPart, LatencyParts,
    UsageQuery as Question,
};

use crate::ApiError;
use crate::operation::time_figures::{latency_text, milliseconds};
use crate::operation::usage::period::{Period, ledger_filter};
use crate::operation::usage::{bar_label, sum_period};
use crate::view::{
    FailureBackendView, FailureClassView, LatencyBucketView, LatencyGroupView, LatencyPartView,
    UsageFailuresView, UsageFilter, UsageLatencyQuery, UsageLatencyView, UsagePeriodQuery,
};

const GROUPS_MAX: usize = 20;

pub(crate) async fn usage_latency(
    engine: &Engine,
    req: UsageLatencyQuery,
) -> Result<UsageLatencyView, ApiError> {
    let UsageLatencyQuery { range, zone, from, to, group_by, name } = req;
    let query = UsagePeriodQuery { range, zone, from, to, filter: UsageFilter::default() };
    let period = Period::resolve(&query, engine.clock().wall())?;
    let Period { from, to, bucket, zone } = &period;
    let question = Question::new(*from, *to, *bucket, zone, GroupBy::Backend)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    let latencies = engine.ledger().latencies(question, group_by, name).await?;
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let label = |name: &str| match (group_by, named.get(name)) {
        (_, _) if name.is_empty() => format!("No {}", group_by.word()),
        (LatencyGroupBy::Backend, Some(label)) => label.clone(),
        _ => name.to_owned(),
    };
    let group = |(name, parts): &(String, LatencyParts)| LatencyGroupView {
        key: name.clone(),
        label: label(name),
        parts: part_views(parts),
    };
    Ok(UsageLatencyView {
        from: period.from.into(),
        to: period.to.into(),
        finding: latency_finding(&latencies.all),
        parts: part_views(&latencies.all),
        groups: latencies.groups.iter().take(GROUPS_MAX).map(group).collect(),
        buckets: latencies
            .buckets
            .iter()
            .map(|(start, parts)| LatencyBucketView {
                start: (*start).into(),
                label: bar_label(*start, &period),
                parts: part_views(parts),
            })
            .collect(),
    })
}

fn part_views(parts: &LatencyParts) -> Vec<LatencyPartView> {
    let view = |(part, histogram): (&LatencyPart, &LatencyHistogram)| LatencyPartView {
        part: *part,
        count: histogram.count().into(),
        p50_ms: milliseconds(histogram.percentile(50.0)),
        p95_ms: milliseconds(histogram.percentile(95.0)),
        p99_ms: milliseconds(histogram.percentile(99.0)),
        max_ms: milliseconds(histogram.max()),
    };
    parts.iter().map(view).collect()
}

fn latency_finding(parts: &LatencyParts) -> String {
    let first = parts.get(&LatencyPart::FirstToken).map(|histogram| ("First token", histogram));
    let total = || parts.get(&LatencyPart::Total).map(|histogram| ("Total", histogram));
    let Some((what, histogram)) = first.or_else(total) else {
        return "No answers in this period".to_owned();
    };
    let [half, most] = [50.0, 95.0].map(|percent| latency_text(histogram.percentile(percent)));
    format!("{what}: half within {half}, 95 % within {most}")
}

/// Counts the failed attempts of a period by class. They are kept by backend and key only.
pub(crate) async fn usage_failures(
    engine: &Engine,
    req: UsagePeriodQuery,
) -> Result<UsageFailuresView, ApiError> {
    let UsageFilter { backend, credential, model, client, project, route } = &req.filter;
    if [model, client, project, route].into_iter().any(Option::is_some) {
        let message = "failures are counted by backend and key only";
        return Err(ApiError::invalid("filter", message));
    }
    let period = Period::resolve(&req, engine.clock().wall())?;
    let failed = engine.ledger().failed_attempts(period.from, period.to).await?;
    let wanted = |one: &&FailedAttempts| {
        let key = one.endpoint.credential.as_ref().map_or("", |key| key.as_str());
        backend.as_deref().is_none_or(|name| name == one.endpoint.backend.as_str())
            && credential.as_deref().is_none_or(|name| name == key)
    };
    let failed: Vec<&FailedAttempts> = failed.iter().filter(wanted).collect();
    let filter = ledger_filter(&req.filter);
    let sums = sum_period(engine, &period, GroupBy::Backend, &filter).await?.totals;
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let failed_attempts: u64 = failed.iter().map(|one| one.attempts).sum();
    // A request whose backend was another has its failures here and its attempts there.
    let attempts = (sums.requests + sums.retries).max(failed_attempts);
    let classes = failure_classes(&failed, attempts, &named);
    let finding = match classes.first() {
        None => "No attempt failed".to_owned(),
        Some(most) => format!(
            "{} of {} failed, most often: {}",
            domain::group_digits(failed_attempts),
            count_noun(attempts, "attempt"),
            most.class
        ),
    };
    Ok(UsageFailuresView {
        from: period.from.into(),
        to: period.to.into(),
        finding,
        attempts: attempts.into(),
        failed_attempts: failed_attempts.into(),
        failed_percent: (attempts > 0).then(|| percent(failed_attempts, attempts)),
        classes,
    })
}

fn percent(part: u64, whole: u64) -> f64 {
    (part as f64 * 10_000.0 / whole.max(1) as f64).round() / 100.0
}

fn failure_classes(
    failed: &[&FailedAttempts],
    attempts: u64,
    named: &HashMap<String, String>,
) -> Vec<FailureClassView> {
    let mut classes: HashMap<&str, Vec<&FailedAttempts>> = HashMap::new();
    failed.iter().for_each(|one| classes.entry(&one.class).or_default().push(one));
    let view = |(class, own): (&str, Vec<&FailedAttempts>)| {
        let count: u64 = own.iter().map(|one| one.attempts).sum();
        let mut backends: HashMap<&str, u64> = HashMap::new();
        for one in &own {
            *backends.entry(one.endpoint.backend.as_str()).or_default() += one.attempts;
        }
        let backend = |(key, attempts): (&str, u64)| FailureBackendView {
            key: key.to_owned(),
            label: named.get(key).map_or(key, String::as_str).to_owned(),
            attempts: attempts.into(),
        };
        let mut backends: Vec<_> = backends.into_iter().map(backend).collect();
        backends.sort_by(|left, right| {
            right.attempts.0.cmp(&left.attempts.0).then_with(|| left.key.cmp(&right.key))
        });
        let cost: NanoUsd = own.iter().map(|one| one.cost).sum();
        let unpriced: u64 = own.iter().map(|one| one.unpriced_attempts).sum();
        FailureClassView {
            class: class.to_owned(),
            attempts: count.into(),
            percent_of_attempts: percent(count, attempts),
            cost_nano_usd: cost.into(),
            is_cost_unknown: domain::is_cost_unknown(cost, count, unpriced),
            unpriced_attempts: unpriced.into(),
            backends,
        }
    };
    let mut classes: Vec<_> = classes.into_iter().map(view).collect();
    classes.sort_by(|left, right| {
        right.attempts.0.cmp(&left.attempts.0).then_with(|| left.class.cmp(&right.class))
    });
    classes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_says_how_many_of_its_attempts_have_no_known_cost() {
        let failed = |class: &str, attempts, nanos, unpriced_attempts| FailedAttempts {
            endpoint: domain::Endpoint {
                backend: domain::BackendId::new("far").expect("a name"),
                credential: None,
            },
            class: class.to_owned(),
            attempts,
            cost: NanoUsd::new(nanos),
            unpriced_attempts,
        };
        let rows = [failed("cut", 3, 0, 3), failed("timeout", 2, 7, 1), failed("server", 1, 0, 0)];
        let classes = failure_classes(&rows.iter().collect::<Vec<_>>(), 6, &HashMap::new());
        let found: Vec<_> = classes
            .iter()
            .map(|one| (one.class.as_str(), one.is_cost_unknown, one.unpriced_attempts.0))
            .collect();
        assert_eq!(found, [("cut", true, 3), ("timeout", false, 1), ("server", false, 0)]);
    }
}
