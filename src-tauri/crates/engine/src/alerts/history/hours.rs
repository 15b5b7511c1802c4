//! Measurements of past hours: cost, requests, unknown costs and the cache by the usage of hours, and
//! slow answers by their first tokens. Each is known at the end of its hour.

use std::collections::BTreeMap;

use alerts::Measurement;
use analytics::HISTORY_HOURS;
use domain::{BackendId, DAY_MS, HOUR_MS, WallTime};
use jiff::tz::TimeZone;
use ledger::{
    BucketWidth, CacheTotals, DimensionFilter, GroupBy, LatencyGroupBy, LatencyHistogram,
    LatencyPart, LedgerError, UsageQuery,
};
use settings::Settings;

use super::AlertHistory;
use crate::alerts::measurements::{
    USUAL_DAYS, USUAL_REQUESTS_MIN, request_spike, shown_currency, spend_spike,
};
use crate::costs::usage_hours::{smallest_daily_budget, without_gaps};

/// Hours of latencies that are read at most; the steps of a query are limited.
const LATENCY_HOURS_MAX: i64 = 990;
const DAY_HOURS: usize = 24;

type HourlyMeasurements = BTreeMap<WallTime, Vec<Measurement>>;

impl AlertHistory {
    /// From the hour of `from` on.
    pub(super) async fn usage_measurements(
        &self,
        from: WallTime,
        until: WallTime,
    ) -> Result<HourlyMeasurements, LedgerError> {
        let history = i64::try_from(HISTORY_HOURS + 1).unwrap_or_default() * HOUR_MS;
        let start = from.minus_ms(history).hour_start();
        let known = self.ledger.usage_by_hour(start, until, DimensionFilter::default()).await?;
        let hours = without_gaps(start, until, &known);
        let totals: BTreeMap<WallTime, (u64, CacheTotals)> =
            known.iter().map(|(hour, it)| (*hour, (it.unpriced_requests, it.cache))).collect();
        let budget = smallest_daily_budget(&self.budgets.statuses());
        let shown = shown_currency(&self.settings.current());
        let mut found = HourlyMeasurements::new();
        for (place, hour) in hours.iter().enumerate().filter(|(_, hour)| hour.start >= from) {
            let known = hours.get(place.saturating_sub(HISTORY_HOURS + 1)..=place);
            let known = known.unwrap_or_default();
            let asked = known.len().saturating_sub(2);
            let spend = analytics::cost_spikes(known, asked, budget).pop();
            let requests = analytics::request_spikes(known, asked).pop();
            let day = hours.get((place + 1).saturating_sub(DAY_HOURS)..=place).unwrap_or_default();
            let (mut unpriced, mut cache) = (0, CacheTotals::default());
            for (own, used) in day.iter().filter_map(|hour| totals.get(&hour.start)) {
                unpriced += own;
                cache += *used;
            }
            let measurements = vec![
                Measurement::Spend(spend.map(|spike| spend_spike(&spike, shown, None))),
                Measurement::Requests(requests.map(|spike| request_spike(&spike, None))),
                Measurement::Unpriced { requests: unpriced, models: Vec::new() },
                Measurement::Cache {
                    answered: cache.hits + cache.shared,
                    eligible: cache.eligible(),
                },
            ];
            found.insert(hour.start.plus_ms(HOUR_MS), measurements);
        }
        Ok(found)
    }

    /// First tokens of each hour and the one before, beside the week before, of each backend.
    pub(super) async fn latency_measurements(
        &self,
        settings: &Settings,
        from: WallTime,
        until: WallTime,
    ) -> Result<HourlyMeasurements, LedgerError> {
        let start = from.minus_ms(USUAL_DAYS * DAY_MS + 2 * HOUR_MS);
        let start = start.max(until.minus_ms(LATENCY_HOURS_MAX * HOUR_MS)).hour_start();
        let mut found = HourlyMeasurements::new();
        for (id, known) in settings.backends_on() {
            let hours = self.first_token_hours(id, start, until).await?;
            for (hour, recent, usual) in compare_with_week(&hours) {
                if hour.unix_ms() < from.unix_ms() || usual.count() < USUAL_REQUESTS_MIN {
                    continue;
                }
                let measurement = Measurement::Latency {
                    backend: id.clone(),
                    label: known.label.clone(),
                    requests: recent.count(),
                    recent: recent.percentile(95.0),
                    usual: usual.percentile(95.0),
                };
                found.entry(hour.plus_ms(HOUR_MS)).or_default().push(measurement);
            }
            // The end of an hour without measurements ends what the one before said.
            for (hour, _) in hours.iter().filter(|(hour, _)| *hour >= from) {
                found.entry(hour.plus_ms(HOUR_MS)).or_default();
            }
        }
        Ok(found)
    }

    async fn first_token_hours(
        &self,
        backend: &BackendId,
        from: WallTime,
        until: WallTime,
    ) -> Result<Vec<(WallTime, Option<LatencyHistogram>)>, LedgerError> {
        let query =
            UsageQuery::new(from, until, BucketWidth::Hour, &TimeZone::UTC, GroupBy::Backend);
        let Ok(query) = query else { return Ok(Vec::new()) };
        let name = Some(backend.to_string());
        let found = self.ledger.latencies(query, LatencyGroupBy::Backend, name).await?;
        let own = |(hour, mut parts): (WallTime, ledger::LatencyParts)| {
            (hour, parts.remove(&LatencyPart::FirstToken))
        };
        Ok(found.buckets.into_iter().map(own).collect())
    }
}

/// Each hour with requests in it or the one before: both, and the week before them.
fn compare_with_week(
    hours: &[(WallTime, Option<LatencyHistogram>)],
) -> Vec<(WallTime, LatencyHistogram, LatencyHistogram)> {
    let week = usize::try_from(USUAL_DAYS).unwrap_or_default() * DAY_HOURS;
    let at = |place: usize| hours.get(place).and_then(|(_, known)| known.as_ref());
    let mut found = Vec::new();
    let mut usual: Option<LatencyHistogram> = None;
    for (place, (hour, own)) in hours.iter().enumerate().skip(1) {
        if let Some(enters) = place.checked_sub(2).and_then(at) {
            match &mut usual {
                Some(usual) => usual.merge(enters),
                None => usual = Some(enters.clone()),
            }
        }
        if let (Some(leaves), Some(usual)) =
            (place.checked_sub(week + 2).and_then(at), usual.as_mut())
        {
            usual.unmerge(leaves);
        }
        let mut recent = at(place - 1).cloned();
        match (&mut recent, own) {
            (Some(recent), Some(own)) => recent.merge(own),
            (None, Some(own)) => recent = Some(own.clone()),
            (_, None) => {}
        }
        if let (Some(recent), Some(usual)) = (recent, usual.clone()) {
            found.push((*hour, recent, usual));
        }
    }
    found
}
