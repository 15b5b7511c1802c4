//! What was unusual in the last days, and why.

mod explanation;

use std::ops::Range;

use analytics::{
    CACHE_DAYS_BEFORE, CacheCollapse, DailyInput, FINE_FOR_GOOD, HourlyUsage, LEARNING_HOURS,
    Spike, whole_count, whole_nanos,
};
use domain::{HOUR_MS, ShownCurrency, WallTime, count_noun};
use engine::{Engine, smallest_daily_budget, usage_hours};
use jiff::tz::TimeZone;
use ledger::{BucketWidth, GroupBy, StoppedLoop, UsageKey, UsageQuery, UsageSummary, UsageTotals};
use resilience::RunawayRules;

use self::explanation::Explainer;
use crate::ApiError;
use crate::moment::time_zone;
use crate::operation::currency::currency_view;
use crate::operation::usage::group_label;
use crate::operation::usage::period::{days_before, format_zoned};
use crate::view::{
    UsageAnomaliesQuery, UsageAnomaliesView, UsageAnomalyFine, UsageAnomalyRef, UsageAnomalyRule,
    UsageAnomalyUnit, UsageAnomalyView, UsageSubjectView,
};

/// Days that can be looked at.
const DAYS_MAX: u32 = 28;
/// Anomalies in one answer, the newest.
const ANOMALIES_MAX: usize = 20;

/// Dimensions whose names are noticed when they are new.
const NOTICED: [GroupBy; 3] = [GroupBy::Client, GroupBy::Model, GroupBy::Credential];

const UNAVAILABLE_RULES: [&str; 2] = [
    "Repeated prompts that the runaway guard does not stop are not looked for: hashes of prompts are \
     not recorded.",
    "Growing conversations are not looked for: requests are not recorded by conversation.",
];

pub(crate) async fn usage_anomalies(
    engine: &Engine,
    req: UsageAnomaliesQuery,
) -> Result<UsageAnomaliesView, ApiError> {
    let search = Search::new(engine, &req).await?;
    let mut anomalies = search.costs(engine).await?;
    anomalies.extend(search.request_rates(engine).await?);
    for group_by in NOTICED {
        let sums = search.daily(engine, group_by).await?;
        if group_by != GroupBy::Credential {
            anomalies.extend(search.cache_collapses(&sums, group_by));
        }
        anomalies.extend(search.first_seen(engine, &sums, group_by).await?);
    }
    anomalies.extend(search.loops(engine).await?);
    anomalies.sort_by_key(|anomaly| std::cmp::Reverse((anomaly.start, anomaly.end)));
    let fine = engine.ledger().dismissed_anomalies().await?;
    let is_fine = |anomaly: &UsageAnomalyView| {
        let (end, now) = (WallTime::from_unix_ms(anomaly.end.0), search.to);
        fine.get(&anomaly.id).is_some_and(|said| anomaly.rule.is_still_fine(*said, end, now))
    };
    let (mut dismissed, mut anomalies): (Vec<_>, Vec<_>) = anomalies.into_iter().partition(is_fine);
    dismissed.truncate(ANOMALIES_MAX);
    anomalies.truncate(ANOMALIES_MAX);
    Ok(UsageAnomaliesView {
        from: search.from.into(),
        to: search.to.into(),
        finding: anomalies_finding(anomalies.len(), search.days),
        learning: search.is_learning(),
        unavailable_rules: UNAVAILABLE_RULES.map(str::to_owned).to_vec(),
        anomalies,
        dismissed,
    })
}

pub(crate) async fn usage_anomaly_dismiss(
    engine: &Engine,
    req: UsageAnomalyFine,
) -> Result<(), ApiError> {
    let id = anomaly_id(req.id)?;
    let said = if req.always { FINE_FOR_GOOD } else { engine.clock().wall() };
    engine.ledger().dismiss_anomaly(id, said).await?;
    engine.measure_again().await;
    Ok(())
}

pub(crate) async fn usage_anomaly_restore(
    engine: &Engine,
    req: UsageAnomalyRef,
) -> Result<(), ApiError> {
    engine.ledger().restore_anomaly(anomaly_id(req.id)?).await?;
    engine.measure_again().await;
    Ok(())
}

fn anomaly_id(id: String) -> Result<String, ApiError> {
    let rule = id.split_once('@').and_then(|(rule, _)| rule.parse::<UsageAnomalyRule>().ok());
    match rule {
        Some(_) if id.len() <= ledger::ANOMALY_ID_BYTES_MAX => Ok(id),
        _ => Err(ApiError::invalid("id", "this is the id of no anomaly")
            .with_hint("Copy one from gatehouse usage anomalies.")),
    }
}

/// The hours that are looked at, and those before them.
struct Search {
    zone: TimeZone,
    currency: ShownCurrency,
    days: u32,
    from: WallTime,
    to: WallTime,
    /// The hour of the first request of all.
    oldest: Option<WallTime>,
    /// From [`analytics::HOURS_BEFORE`] before `from` to the hour that runs.
    hours: Vec<HourlyUsage>,
}

impl Search {
    async fn new(engine: &Engine, req: &UsageAnomaliesQuery) -> Result<Self, ApiError> {
        let zone = time_zone(req.zone);
        let days = req.days.clamp(1, DAYS_MAX);
        let to = engine.clock().wall();
        let from = days_before(to, i64::from(days) - 1, &zone)
            .ok_or_else(|| ApiError::failed("the date is outside the supported dates"))?;
        let hours = usage_hours(engine.ledger(), from, to).await?;
        let oldest = engine.ledger().first_hour().await?;
        let currency = currency_view(&engine.settings()).shown();
        Ok(Self { zone, currency, days, from, to, oldest, hours })
    }

    /// The place in `hours` of the first one that is looked at.
    fn first_place(&self) -> usize {
        self.hours.partition_point(|hour| hour.start < self.from)
    }

    fn is_learning(&self) -> bool {
        self.oldest.is_none_or(|first| is_learning(first, self.to))
    }

    async fn costs(&self, engine: &Engine) -> Result<Vec<UsageAnomalyView>, ApiError> {
        let spikes = analytics::cost_spikes(
            &self.hours,
            self.first_place(),
            smallest_daily_budget(&engine.budgets().statuses()),
        );
        let mut explainer = Explainer::new(engine, self);
        let mut views = Vec::new();
        for spike in spikes.iter().rev().take(ANOMALIES_MAX) {
            let span = self.span(&spike.hours);
            let expected = whole_nanos(spike.expected);
            let (split, contributors) = explainer.explain(span, expected).await?;
            let [actual, usual] =
                [whole_nanos(spike.actual), expected].map(|amount| self.currency.format(amount));
            let finding = format!("{actual} {}, usually {usual}", self.shown_span(span));
            views.push(UsageAnomalyView {
                split: Some(split),
                contributors,
                ..self.spike_view(UsageAnomalyRule::Cost, UsageAnomalyUnit::NanoUsd, spike, finding)
            });
        }
        Ok(views)
    }

    async fn request_rates(&self, engine: &Engine) -> Result<Vec<UsageAnomalyView>, ApiError> {
        let spikes = analytics::request_spikes(&self.hours, self.first_place());
        let mut views = Vec::new();
        for spike in spikes.iter().rev().take(ANOMALIES_MAX) {
            let span = self.span(&spike.hours);
            let [actual, usual] = [spike.actual, spike.expected].map(whole_count);
            let finding = format!(
                "{} {}, usually {} an hour",
                count_noun(actual, "request"),
                self.shown_span(span),
                domain::group_digits(usual)
            );
            let clients = explanation::sum_span(engine, span, GroupBy::Client).await?;
            let most = clients.groups.iter().max_by_key(|(_, totals)| totals.requests);
            let subject = most.and_then(|(key, _)| subject_view(key, GroupBy::Client));
            let (rule, unit) = (UsageAnomalyRule::RequestRate, UsageAnomalyUnit::Requests);
            views.push(UsageAnomalyView { subject, ..self.spike_view(rule, unit, spike, finding) });
        }
        Ok(views)
    }

    /// Sums by day of the zone, from the days before that shares are compared with.
    async fn daily(&self, engine: &Engine, group_by: GroupBy) -> Result<UsageSummary, ApiError> {
        let before = i64::try_from(CACHE_DAYS_BEFORE).unwrap_or_default();
        let from = days_before(self.from, before, &self.zone).unwrap_or(self.from);
        let (to, zone) = (self.to, self.zone.clone());
        let question = UsageQuery::new(from, to, BucketWidth::Day, &zone, group_by)
            .map_err(|error| ApiError::invalid("range", error.to_string()))?;
        Ok(engine.ledger().usage(question.every_group()).await?)
    }

    fn cache_collapses(&self, sums: &UsageSummary, group_by: GroupBy) -> Vec<UsageAnomalyView> {
        let first = sums.buckets.partition_point(|bucket| bucket.start < self.from);
        let mut views = Vec::new();
        for (key, _) in &sums.groups {
            let Some(subject) = subject_view(key, group_by) else { continue };
            let day = |totals: Option<&(UsageKey, UsageTotals)>| {
                totals.map_or_else(DailyInput::default, |(_, totals)| DailyInput {
                    input_tokens: totals.tokens.input(),
                    cache_read_tokens: totals.tokens.cache_read,
                })
            };
            let days = sums
                .buckets
                .iter()
                .map(|bucket| day(bucket.groups.iter().find(|(name, _)| name == key)));
            let days: Vec<DailyInput> = days.collect();
            for collapse in analytics::cache_collapses(&days, first) {
                let span = sums
                    .buckets
                    .get(collapse.days.clone())
                    .and_then(|days| Some((days.first()?.start, days.last()?.end)));
                views.extend(span.map(|span| collapse_view(&collapse, span, subject.clone())));
            }
        }
        views
    }

    /// Conversations that the runaway guard stopped.
    async fn loops(&self, engine: &Engine) -> Result<Vec<UsageAnomalyView>, ApiError> {
        let RunawayRules { requests, within, .. } = RunawayRules::default();
        let within = i64::try_from(within.as_millis()).unwrap_or_default();
        let view = |stopped: &StoppedLoop| {
            let start = stopped.at.minus_ms(within);
            let client = stopped.client.as_str();
            let subject = subject_view(&UsageKey::Named(client.to_owned()), GroupBy::Client);
            UsageAnomalyView {
                id: UsageAnomalyRule::Loop.id(stopped.at, Some((GroupBy::Client.word(), client))),
                rule: UsageAnomalyRule::Loop,
                start: start.into(),
                end: stopped.at.plus_ms(1).into(),
                finding: format!(
                    "{client} sent one conversation {requests} times in {} seconds and was stopped \
                     on {}",
                    within / 1_000,
                    self.shown(stopped.at, "%-d %b at %H:%M")
                ),
                actual: f64::from(requests),
                expected: 0.0,
                unit: UsageAnomalyUnit::Requests,
                robust_z: None,
                subject,
                split: None,
                contributors: Vec::new(),
            }
        };
        let loops = engine.ledger().stopped_loops(self.from).await?;
        Ok(loops.iter().map(view).collect())
    }

    /// Names that were never in use before, once there was a time in which they could have been.
    async fn first_seen(
        &self,
        engine: &Engine,
        sums: &UsageSummary,
        group_by: GroupBy,
    ) -> Result<Vec<UsageAnomalyView>, ApiError> {
        let Some(oldest) = self.oldest else { return Ok(Vec::new()) };
        let is_new = |(_, hour): &&(String, WallTime)| !is_learning(oldest, *hour);
        let view = |(name, hour): &(String, WallTime)| {
            let key = UsageKey::Named(name.clone());
            let known = sums.groups.iter().find(|(other, _)| *other == key);
            let requests = known.map_or(0, |(_, totals)| totals.requests);
            let subject = subject_view(&key, group_by)?;
            Some(UsageAnomalyView {
                id: UsageAnomalyRule::FirstSeen.id(*hour, Some((group_by.word(), name))),
                rule: UsageAnomalyRule::FirstSeen,
                start: (*hour).into(),
                end: hour.plus_ms(HOUR_MS).into(),
                finding: format!(
                    "New {}: {name}, {} since {}",
                    noun(group_by),
                    count_noun(requests, "request"),
                    self.shown(*hour, "%-d %b %H:%M")
                ),
                actual: requests as f64,
                expected: 0.0,
                unit: UsageAnomalyUnit::Requests,
                robust_z: None,
                subject: Some(subject),
                split: None,
                contributors: Vec::new(),
            })
        };
        let names = engine.ledger().first_uses(group_by, self.from).await?;
        Ok(names.iter().filter(is_new).filter_map(view).collect())
    }

    fn span(&self, places: &Range<usize>) -> (WallTime, WallTime) {
        let hours = self.hours.get(places.clone()).unwrap_or_default();
        let start = hours.first().map_or(self.to, |hour| hour.start);
        let length = i64::try_from(hours.len()).unwrap_or_default() * HOUR_MS;
        (start, start.plus_ms(length))
    }

    fn spike_view(
        &self,
        rule: UsageAnomalyRule,
        unit: UsageAnomalyUnit,
        spike: &Spike,
        finding: String,
    ) -> UsageAnomalyView {
        let (start, end) = self.span(&spike.hours);
        let since = self.hours.get(spike.since).map_or(start, |hour| hour.start);
        UsageAnomalyView {
            id: rule.id(since, None),
            rule,
            start: start.into(),
            end: end.into(),
            finding,
            actual: spike.actual,
            expected: spike.expected.round(),
            unit,
            robust_z: spike.robust_z.map(|z| (z * 10.0).round() / 10.0),
            subject: None,
            split: None,
            contributors: Vec::new(),
        }
    }

    /// "on 21 Nov from 14:00 to 15:00"
    fn shown_span(&self, (start, end): (WallTime, WallTime)) -> String {
        let [from, to] = [start, end].map(|time| self.shown(time, "%H:%M"));
        format!("on {} from {from} to {to}", self.shown(start, "%-d %b"))
    }

    fn shown(&self, time: WallTime, format: &str) -> String {
        format_zoned(time, &self.zone, format)
    }
}

fn is_learning(first: WallTime, now: WallTime) -> bool {
    let known = (now.unix_ms() - first.unix_ms()) / HOUR_MS;
    usize::try_from(known).is_ok_and(|hours| hours < LEARNING_HOURS)
}

fn collapse_view(
    collapse: &CacheCollapse,
    (start, end): (WallTime, WallTime),
    subject: UsageSubjectView,
) -> UsageAnomalyView {
    let percent = |share: f64| (share * 100.0).round();
    let (actual, expected) = (percent(collapse.share), percent(collapse.share_before));
    let named = Some((subject.dimension.word(), subject.key.as_str()));
    UsageAnomalyView {
        id: UsageAnomalyRule::CacheCollapse.id(start, named),
        rule: UsageAnomalyRule::CacheCollapse,
        start: start.into(),
        end: end.into(),
        finding: format!(
            "{actual} % of the input of {} was read from the provider's cache, {expected} % before",
            subject.label
        ),
        actual,
        expected,
        unit: UsageAnomalyUnit::Percent,
        robust_z: None,
        subject: Some(subject),
        split: None,
        contributors: Vec::new(),
    }
}

/// `None` for requests without a name and for the rest of many.
pub(in crate::operation) fn subject_view(
    key: &UsageKey,
    dimension: GroupBy,
) -> Option<UsageSubjectView> {
    let UsageKey::Named(name) = key else { return None };
    let label = group_label(key, dimension, &Default::default());
    Some(UsageSubjectView { dimension, key: name.clone(), label })
}

const fn noun(dimension: GroupBy) -> &'static str {
    match dimension {
        GroupBy::Credential => "key",
        other => other.word(),
    }
}

fn anomalies_finding(count: usize, days: u32) -> String {
    let period = if days == 1 { "today".to_owned() } else { format!("in the last {days} days") };
    match count {
        0 => format!("Nothing unusual {period}"),
        1 => format!("1 unusual thing {period}"),
        _ => format!("{count} unusual things {period}"),
    }
}
