//! Operations on usage: sums, for the Usage screen and the Overview.

use std::collections::HashMap;

use domain::{NanoUsd, ShownCurrency, WallTime};
use engine::{Engine, backend_labels};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use ledger::{
    BucketWidth, GroupBy, MeterTotals, UsageBasis, UsageBucket, UsageKey, UsageQuery as Question,
    UsageSummary, UsageTotals,
};
use pricing::Cost;

use super::currency::currency_view;
use super::invoice::meter_label;
use crate::ApiError;
use crate::view::{
    CostBasisView, CurrencyView, MeterTotalsView, NanoDollars, TimeZoneChoice, UnixMs,
    UsageBucketView, UsageGroupView, UsageRange, UsageReportQuery, UsageSegmentView,
    UsageTotalsView, UsageView,
};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

pub(crate) async fn usage(engine: &Engine, req: UsageReportQuery) -> Result<UsageView, ApiError> {
    let zone = time_zone(req.zone);
    let to = engine.clock().wall();
    let (from, bucket) = match req.from {
        Some(from) => custom_period(from, to)?,
        None => period(req.range, to, &zone)?,
    };
    let question = Question::new(from, to, bucket, &zone, req.group_by)
        .map_err(|error| ApiError::invalid("range", error.to_string()))?;
    let sums = engine.ledger().usage(question).await?;
    let named = backend_labels(&engine.settings(), engine.mock_id());
    let meters = engine.ledger().meter_totals(from, to).await?;
    let currency = currency_view(&engine.settings());
    let view = usage_view(&sums, from, to, &ChartAxis { zone, bucket }, currency, |key| {
        group_label(key, req.group_by, &named)
    });
    Ok(UsageView { meters: meter_views(&meters), ..view })
}

pub(super) fn time_zone(choice: TimeZoneChoice) -> TimeZone {
    match choice {
        TimeZoneChoice::Local => TimeZone::system(),
        TimeZoneChoice::Utc => TimeZone::UTC,
    }
}

fn meter_views(meters: &[MeterTotals]) -> Vec<MeterTotalsView> {
    let whole = meters.iter().map(|total| total.cost).sum();
    let view = |total: &MeterTotals| MeterTotalsView {
        meter: total.meter,
        label: meter_label(total.meter),
        unit: total.meter.unit(),
        quantity: total.quantity.into(),
        cost_nano_usd: total.cost.into(),
        unpriced_quantity: total.unpriced_quantity.into(),
        cost_share_percent: match total.quantity > total.unpriced_quantity {
            true => cost_share_percent(total.cost, whole),
            false => None,
        },
    };
    meters.iter().map(view).collect()
}

/// Sums by group over the last `days` days.
pub(super) async fn sum_last_days(
    engine: &Engine,
    days: i64,
    group_by: GroupBy,
) -> Result<HashMap<UsageKey, UsageTotals>, ApiError> {
    let to = engine.clock().wall();
    let from = WallTime::from_unix_ms(to.unix_ms() - days * DAY_MS);
    let question = Question::new(from, to, BucketWidth::Day, &TimeZone::UTC, group_by)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(engine.ledger().usage(question).await?.groups.into_iter().collect())
}

/// Usage of the last 24 hours by hour and backend.
pub(super) async fn sum_last_day_by_backend(engine: &Engine) -> Result<UsageSummary, ApiError> {
    let to = engine.clock().wall();
    let from = WallTime::from_unix_ms(to.unix_ms() - DAY_MS);
    let question = Question::new(from, to, BucketWidth::Hour, &TimeZone::UTC, GroupBy::Backend)
        .map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(engine.ledger().usage(question).await?)
}

/// Start of the day in this machine's time zone.
pub(super) fn local_midnight(now: WallTime) -> WallTime {
    day_start(now, &TimeZone::system()).unwrap_or(now)
}

fn day_start(now: WallTime, zone: &TimeZone) -> Option<WallTime> {
    let start = to_zoned(now, zone)?.start_of_day().ok()?;
    Some(WallTime::from_unix_ms(start.timestamp().as_millisecond()))
}

fn to_zoned(time: WallTime, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(time.unix_ms()).ok()?.to_zoned(zone.clone()))
}

pub(super) fn period(
    range: UsageRange,
    to: WallTime,
    zone: &TimeZone,
) -> Result<(WallTime, BucketWidth), ApiError> {
    let back = |ms: i64| WallTime::from_unix_ms(to.unix_ms() - ms);
    let midnight = |time| {
        day_start(time, zone)
            .ok_or_else(|| ApiError::failed("the date is outside the supported dates"))
    };
    Ok(match range {
        UsageRange::Today => (midnight(to)?, BucketWidth::Hour),
        UsageRange::LastDay => (back(DAY_MS), BucketWidth::Hour),
        UsageRange::LastWeek => (midnight(back(6 * DAY_MS))?, BucketWidth::Day),
        UsageRange::LastMonth => (midnight(back(29 * DAY_MS))?, BucketWidth::Day),
    })
}

/// Longest custom period that is shown by hour, in milliseconds.
const HOURLY_MS_MAX: i64 = 2 * DAY_MS;

/// A custom period that ends now.
fn custom_period(from: UnixMs, to: WallTime) -> Result<(WallTime, BucketWidth), ApiError> {
    let length = to.unix_ms() - from.0;
    if length <= 0 {
        return Err(ApiError::invalid("since", "the period starts in the future"));
    }
    let bucket = if length <= HOURLY_MS_MAX { BucketWidth::Hour } else { BucketWidth::Day };
    Ok((WallTime::from_unix_ms(from.0), bucket))
}

/// Labels the bars of a chart.
struct ChartAxis {
    zone: TimeZone,
    bucket: BucketWidth,
}

impl ChartAxis {
    fn bar_label(&self, start: WallTime) -> String {
        let format = match self.bucket {
            BucketWidth::Hour => "%H:%M",
            BucketWidth::Day => "%-d %b",
        };
        to_zoned(start, &self.zone)
            .map(|time| time.strftime(format).to_string())
            .unwrap_or_default()
    }
}

fn usage_view(
    sums: &UsageSummary,
    from: WallTime,
    to: WallTime,
    axis: &ChartAxis,
    currency: CurrencyView,
    label: impl Fn(&UsageKey) -> String,
) -> UsageView {
    let groups: Vec<UsageGroupView> = sums
        .groups
        .iter()
        .map(|(key, totals)| UsageGroupView {
            key: group_key(key),
            label: label(key),
            totals: totals_view(totals),
            cost_share_percent: match totals.requests > totals.unpriced_requests {
                true => cost_share_percent(totals.cost, sums.totals.cost),
                false => None,
            },
        })
        .collect();
    UsageView {
        from: from.into(),
        to: to.into(),
        zone: axis.zone.iana_name().unwrap_or("local time").to_owned(),
        finding: usage_finding(&groups, &sums.totals, currency.shown()),
        totals: totals_view(&sums.totals),
        buckets: sums
            .buckets
            .iter()
            .map(|bucket| bucket_view(bucket, &sums.groups, axis))
            .collect(),
        groups,
        currency,
        meters: Vec::new(),
    }
}

fn bucket_view(
    bucket: &UsageBucket,
    groups: &[(UsageKey, UsageTotals)],
    axis: &ChartAxis,
) -> UsageBucketView {
    let inside: HashMap<&UsageKey, &UsageTotals> =
        bucket.groups.iter().map(|(key, totals)| (key, totals)).collect();
    let totals = |key: &UsageKey| inside.get(key).copied().copied().unwrap_or_default();
    let mut whole = UsageTotals::default();
    groups.iter().for_each(|(key, _)| whole += totals(key));
    UsageBucketView {
        start: bucket.start.into(),
        label: axis.bar_label(bucket.start),
        segments: groups.iter().map(|(key, _)| segment_view(&totals(key))).collect(),
        total: segment_view(&whole),
    }
}

fn segment_view(totals: &UsageTotals) -> UsageSegmentView {
    UsageSegmentView {
        cost_nano_usd: totals.cost.into(),
        requests: totals.requests.into(),
        tokens: totals.tokens.total().into(),
    }
}

/// The chart's title: its main finding.
fn usage_finding(
    groups: &[UsageGroupView],
    totals: &UsageTotals,
    currency: ShownCurrency,
) -> String {
    let spent = currency.format(totals.cost);
    let mut requests = count_noun(totals.requests, "request");
    if let unpriced @ 1.. = totals.unpriced_requests {
        requests.push_str(&format!(", {} of them unpriced", domain::group_digits(unpriced)));
    }
    match groups.first() {
        None => "No requests in this period".to_owned(),
        Some(_) if totals.requests == totals.unpriced_requests => {
            format!("{}, none with a known price", count_noun(totals.requests, "request"))
        }
        Some(_) if totals.cost == NanoUsd::ZERO => format!("Nothing billed for {requests}"),
        Some(first) => match first.cost_share_percent {
            Some(100) if groups.len() > 1 => {
                format!("{}: all of {spent} for {requests}", first.label)
            }
            Some(share) if groups.len() > 1 => {
                format!("{}: {share} % of {spent} for {requests}", first.label)
            }
            _ => format!("{spent} for {requests}"),
        },
    }
}

/// `1 request`, `10,000 requests`.
pub(super) fn count_noun(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", domain::group_digits(number))
}

fn cost_share_percent(part: NanoUsd, whole: NanoUsd) -> Option<u32> {
    let (part, whole) = (part.nanos(), whole.nanos());
    if whole <= 0 {
        return None;
    }
    let percent = (i128::from(part) * 200 + i128::from(whole)) / (i128::from(whole) * 2);
    u32::try_from(percent).ok()
}

fn group_key(key: &UsageKey) -> String {
    match key {
        UsageKey::Named(name) => name.clone(),
        UsageKey::Unnamed => String::new(),
        UsageKey::Other => "other".to_owned(),
    }
}

fn group_label(key: &UsageKey, group_by: GroupBy, backends: &HashMap<String, String>) -> String {
    match (key, group_by) {
        (UsageKey::Named(name), GroupBy::Backend) => backends.get(name).unwrap_or(name).clone(),
        (UsageKey::Named(name), _) => name.clone(),
        (UsageKey::Unnamed, GroupBy::Backend) => "No backend".to_owned(),
        (UsageKey::Unnamed, GroupBy::Model) => "No model".to_owned(),
        (UsageKey::Unnamed, GroupBy::Client) => "No client".to_owned(),
        (UsageKey::Unnamed, GroupBy::Credential) => "No key".to_owned(),
        (UsageKey::Unnamed, GroupBy::Project) => "No project".to_owned(),
        (UsageKey::Unnamed, GroupBy::Route) => "No route".to_owned(),
        (UsageKey::Other, _) => "Other".to_owned(),
    }
}

fn totals_view(totals: &UsageTotals) -> UsageTotalsView {
    UsageTotalsView {
        cost_nano_usd: totals.cost.into(),
        requests: totals.requests.into(),
        unpriced_requests: totals.unpriced_requests.into(),
        failed_requests: totals.failed.into(),
        input_tokens: totals.tokens.input().into(),
        cache_read_tokens: totals.tokens.cache_read.into(),
        output_tokens: totals.tokens.output().into(),
        reasoning_tokens: totals.tokens.reasoning.into(),
    }
}

/// Returns a cost and its basis. A cost computed from estimated tokens is an estimate.
pub(super) fn cost_view(
    cost: &Cost,
    tokens: Option<UsageBasis>,
) -> (Option<NanoDollars>, CostBasisView) {
    match cost {
        Cost::Reported(amount) => (Some((*amount).into()), CostBasisView::Reported),
        Cost::Computed { amount, .. } if tokens == Some(UsageBasis::Estimated) => {
            (Some((*amount).into()), CostBasisView::Estimated)
        }
        Cost::Computed { amount, .. } => (Some((*amount).into()), CostBasisView::Computed),
        Cost::NotBilled => (Some(NanoDollars(0)), CostBasisView::NotBilled),
        Cost::Unpriced => (None, CostBasisView::Unpriced),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(label: &str, cost: i64, requests: u64) -> (UsageKey, UsageTotals) {
        let totals =
            UsageTotals { requests, cost: NanoUsd::new(cost * 1_000), ..UsageTotals::default() };
        (UsageKey::Named(label.to_owned()), totals)
    }

    fn shown(groups: Vec<(UsageKey, UsageTotals)>) -> UsageView {
        let mut totals = UsageTotals::default();
        groups.iter().for_each(|(_, part)| totals += *part);
        let sums = UsageSummary { buckets: Vec::new(), groups, totals };
        let axis = ChartAxis { zone: TimeZone::UTC, bucket: BucketWidth::Day };
        let currency = currency_view(&settings::Settings::default());
        usage_view(&sums, WallTime::default(), WallTime::default(), &axis, currency, group_key)
    }

    #[test]
    fn the_title_is_the_finding() {
        let check = |groups, finding: &str| assert_eq!(shown(groups).finding, finding);
        check(vec![], "No requests in this period");
        check(vec![group("a", 4_100_000, 1)], "$4.10 for 1 request");
        check(vec![group("mock", 0, 10_000)], "Nothing billed for 10,000 requests");
        check(
            vec![group("a", 3_000_000, 7), group("mock", 0, 3)],
            "a: all of $3.00 for 10 requests",
        );
        check(
            vec![group("a", 3_000_000, 7), group("b", 1_000_000, 3)],
            "a: 75 % of $4.00 for 10 requests",
        );
        let unknown = UsageTotals { requests: 2, unpriced_requests: 2, ..UsageTotals::default() };
        check(
            vec![(UsageKey::Named("a".to_owned()), unknown)],
            "2 requests, none with a known price",
        );
    }

    #[test]
    fn an_unpriced_group_has_no_share_and_the_title_says_so() {
        let unpriced = UsageTotals { requests: 3, unpriced_requests: 3, ..UsageTotals::default() };
        let groups = vec![group("a", 2_000_000, 1), (UsageKey::Named("b".to_owned()), unpriced)];
        let view = shown(groups);
        let shares: Vec<_> = view.groups.iter().map(|group| group.cost_share_percent).collect();
        assert_eq!(shares, [Some(100), None], "unknown is never zero");
        assert_eq!(view.finding, "a: all of $2.00 for 4 requests, 3 of them unpriced");
    }

    #[test]
    fn a_cost_of_estimated_tokens_is_an_estimate_and_a_reported_one_is_not() {
        let computed =
            Cost::Computed { amount: NanoUsd::new(7), price_id: "openai/x@2026-11-01".to_owned() };
        let check = |cost: &Cost, tokens, expected| assert_eq!(cost_view(cost, tokens).1, expected);
        check(&computed, None, CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Reported), CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Adjusted), CostBasisView::Computed);
        check(&computed, Some(UsageBasis::Estimated), CostBasisView::Estimated);
        let reported = Cost::Reported(NanoUsd::new(7));
        check(&reported, Some(UsageBasis::Estimated), CostBasisView::Reported);
        check(&Cost::Unpriced, Some(UsageBasis::Estimated), CostBasisView::Unpriced);
        check(&Cost::NotBilled, Some(UsageBasis::Estimated), CostBasisView::NotBilled);
    }

    #[test]
    fn shares_are_rounded_and_absent_without_cost() {
        let view = shown(vec![group("a", 2, 1), group("b", 1, 1)]);
        let shares: Vec<_> = view.groups.iter().map(|group| group.cost_share_percent).collect();
        assert_eq!(shares, [Some(67), Some(33)]);
        assert_eq!(shown(vec![group("a", 0, 1)]).groups[0].cost_share_percent, None);
    }

    #[test]
    fn periods_begin_at_the_zones_midnight() {
        let zone = TimeZone::get("Asia/Kolkata").expect("a zone");
        let now = WallTime::from_unix_ms(1_795_215_600_000); // 2026-11-20T23:00Z, 04:30 on the 21st
        let (from, _) = period(UsageRange::Today, now, &zone).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-11-20T18:30:00.000Z");
        let (from, _) = period(UsageRange::LastWeek, now, &TimeZone::UTC).expect("a period");
        assert_eq!(from.to_rfc3339(), "2026-11-14T00:00:00.000Z");
    }
}
