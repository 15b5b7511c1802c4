//! Numbers that rules of alerts judge and that the ledger must be asked for: every five minutes, so
//! that nobody waits for them and an idle machine does little.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use alerts::{AlertRule, FirstUse, Measurement, RequestSpike, SpendSpike};
use analytics::{Spike, UsageAnomalyRule, whole_count, whole_nanos};
use domain::{
    BackendId, CheckSet, ClientId, Clock, CredentialId, DAY_MS, HOUR_MS, Moment, NanoUsd,
    ShownCurrency, WallTime,
};
use jiff::ToSpan;
use jiff::civil::Date;
use ledger::{
    DimensionFilter, GroupBy, LatencyGroupBy, LatencyHistogram, LatencyPart, Ledger, LedgerError,
    UnpricedModel, UsageKey, UsageQuery,
};
use parking_lot::Mutex;
use settings::{CredentialSettings, Settings, SettingsStore};

use crate::budgets::watch::BudgetWatch;
use crate::costs::reports::{CostReports, ProviderDay};
use crate::costs::usage_hours::{smallest_daily_budget, usage_hours};
use crate::gateway::snapshot::PLAYGROUND_CLIENT;
use crate::keys::scanner::KeyScanner;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::tasks::Tasks;

const EVALUATION_SECS: u64 = 300;
/// Wait for the first one, which is not part of the start.
const FIRST_EVALUATION_SECS: u64 = 15;
/// Time that latencies are compared with, before the last hour.
pub(crate) const USUAL_DAYS: i64 = 7;
/// Answers in that time before it says anything.
pub(crate) const USUAL_REQUESTS_MIN: u64 = 50;
/// Days of bills that are compared, today included.
pub(crate) const BILL_DAYS: i64 = 8;
/// Days without a request after which a key counts as unused.
pub const UNUSED_DAYS: i64 = 30;
/// Days of requests after which a first use says something.
pub(crate) const FIRST_USE_DAYS: i64 = 7;
/// For how long it is told that a client was stopped.
pub(crate) const LOOP_TOLD_MS: i64 = HOUR_MS / 2;
/// Time between two looks for keys in plain text.
const SCAN_PAUSE: Duration = Duration::from_secs(6 * 3_600);
const MEGABYTE: u64 = 1_000_000;

/// Rules that are judged by what this watch reads.
const RULES: [AlertRule; 12] = [
    AlertRule::SlowAnswers,
    AlertRule::SpendAnomaly,
    AlertRule::UnusualUse,
    AlertRule::UnpricedModel,
    AlertRule::BillDrift,
    AlertRule::CacheHits,
    AlertRule::DiskSpace,
    AlertRule::KeyUnused,
    AlertRule::FirstUse,
    AlertRule::StoppedLoop,
    AlertRule::PlainKey,
    AlertRule::ChecksOld,
];

/// What was read last.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Measured {
    pub(crate) measurements: Vec<Measurement>,
    /// What the rule of slow answers compares with.
    pub(crate) usual_first_tokens: BTreeMap<BackendId, Duration>,
    pub(crate) unused_keys: Vec<CredentialId>,
    pub(crate) first_uses: Vec<FirstUse>,
    pub(crate) stopped_clients: Vec<ClientId>,
    /// Rules whose numbers could not be read.
    pub(crate) unmeasured: BTreeSet<AlertRule>,
}

pub(crate) struct MeasurementWatch {
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: Arc<LedgerWatch>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) cost_reports: Arc<CostReports>,
    pub(crate) key_scanner: Arc<KeyScanner>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Keys in plain text, and when they were looked for.
    pub(crate) scanned: Mutex<Option<(Moment, Measurement)>>,
    /// `None` until the first evaluation.
    pub(crate) latest: Mutex<Option<Measured>>,
}

impl MeasurementWatch {
    pub(crate) fn spawn(self: &Arc<Self>, tasks: &Tasks) {
        let (watch, ticks) = (Arc::clone(self), tasks.clone());
        tasks.spawn("measurements", async move {
            let mut pause = Duration::from_secs(FIRST_EVALUATION_SECS);
            while ticks.sleep(pause).await {
                watch.evaluate().await;
                pause = Duration::from_secs(EVALUATION_SECS);
            }
        });
    }

    /// What was read last; nothing is known before that.
    pub(crate) fn latest(&self) -> Measured {
        let latest = self.latest.lock().clone();
        latest.unwrap_or_else(|| Measured {
            unmeasured: BTreeSet::from(RULES),
            ..Measured::default()
        })
    }

    pub(crate) async fn evaluate(&self) {
        let mut found = Measured::default();
        let now = self.clock.wall();
        match self.usual_first_tokens(now).await {
            Ok(usual) => found.usual_first_tokens = usual,
            Err(error) => {
                tracing::warn!(%error, "usual first tokens could not be read for the alerts");
                found.unmeasured.insert(AlertRule::SlowAnswers);
            }
        }
        found.take(&[AlertRule::SpendAnomaly, AlertRule::UnusualUse], self.spikes(now).await);
        found.take(&[AlertRule::UnpricedModel, AlertRule::CacheHits], self.last_day(now).await);
        found.take(&[AlertRule::BillDrift], self.bills().await);
        found.take(&[AlertRule::ChecksOld], self.checks_age(now).await);
        match self.ledger_watch.free_bytes() {
            Some(free) => {
                found.measurements.push(Measurement::Disk { free_megabytes: free / MEGABYTE });
            }
            None => drop(found.unmeasured.insert(AlertRule::DiskSpace)),
        }
        match self.unused_keys(now).await {
            Ok(unused) => found.unused_keys = unused,
            Err(error) => {
                tracing::warn!(%error, "the use of keys could not be read for the alerts");
                found.unmeasured.insert(AlertRule::KeyUnused);
            }
        }
        match self.first_uses(now).await {
            Ok(uses) => found.first_uses = uses,
            Err(error) => {
                tracing::warn!(%error, "first uses could not be read for the alerts");
                found.unmeasured.insert(AlertRule::FirstUse);
            }
        }
        match self.ledger.stopped_loops(now.minus_ms(LOOP_TOLD_MS)).await {
            Ok(loops) => {
                let clients: BTreeSet<ClientId> = loops.into_iter().map(|it| it.client).collect();
                found.stopped_clients = clients.into_iter().collect();
            }
            Err(error) => {
                tracing::warn!(%error, "stopped loops could not be read for the alerts");
                found.unmeasured.insert(AlertRule::StoppedLoop);
            }
        }
        match self.plain_keys().await {
            Some(keys) => found.measurements.push(keys),
            None => drop(found.unmeasured.insert(AlertRule::PlainKey)),
        }
        *self.latest.lock() = Some(found);
    }

    /// Clients and models of the last 24 hours that were not used before. In a young ledger everything
    /// is new.
    async fn first_uses(&self, now: WallTime) -> Result<Vec<FirstUse>, LedgerError> {
        let oldest = self.ledger.first_hour().await?;
        if oldest.is_none_or(|oldest| oldest > now.minus_ms(FIRST_USE_DAYS * DAY_MS)) {
            return Ok(Vec::new());
        }
        let all = first_uses_since(&self.ledger, now.minus_ms(DAY_MS)).await?;
        Ok(all.into_iter().map(|(used, _)| used).collect())
    }

    /// Keys in the files that are known to hold some; looked for again after [`SCAN_PAUSE`]. `None` if
    /// the files could not be read.
    async fn plain_keys(&self) -> Option<Measurement> {
        let now = self.clock.now();
        let known = self.scanned.lock().clone();
        if let Some((_, found)) = known.filter(|(at, _)| now.since(*at) < SCAN_PAUSE) {
            return Some(found);
        }
        let keys = self.key_scanner.known_keys().await.ok()?;
        let found = Measurement::PlainKeys { keys: keys as u64 };
        *self.scanned.lock() = Some((now, found.clone()));
        Some(found)
    }

    /// Looks for keys in plain text again, since files were changed, so that the alert ends at once.
    pub(crate) async fn look_for_plain_keys(&self) {
        *self.scanned.lock() = None;
        let Some(found) = self.plain_keys().await else { return };
        if let Some(latest) = &mut *self.latest.lock() {
            latest.measurements.retain(|it| !matches!(it, Measurement::PlainKeys { .. }));
            latest.measurements.push(found);
        }
    }

    /// The 95th percentile of the first token in the week before this hour and the one before, of each
    /// backend with enough of them.
    async fn usual_first_tokens(
        &self,
        now: WallTime,
    ) -> Result<BTreeMap<BackendId, Duration>, LedgerError> {
        let to = now.minus_ms(HOUR_MS).hour_start();
        let week = self.first_tokens(to.minus_ms(USUAL_DAYS * DAY_MS), to).await?;
        let enough = week.into_iter().filter(|(_, known)| known.count() >= USUAL_REQUESTS_MIN);
        let usual = |(name, known): (String, LatencyHistogram)| {
            Some((BackendId::new(name.as_str()).ok()?, known.percentile(95.0)))
        };
        Ok(enough.filter_map(usual).collect())
    }

    async fn first_tokens(
        &self,
        from: WallTime,
        to: WallTime,
    ) -> Result<BTreeMap<String, LatencyHistogram>, LedgerError> {
        let Ok(query) = UsageQuery::whole(from, to, GroupBy::Backend) else {
            return Ok(BTreeMap::new());
        };
        let found = self.ledger.latencies(query, LatencyGroupBy::Backend, None).await?;
        let own = |(name, mut parts): (String, ledger::LatencyParts)| {
            Some((name, parts.remove(&LatencyPart::FirstToken)?))
        };
        Ok(found.groups.into_iter().filter_map(own).collect())
    }

    /// Whether this hour or the one before is unlike those before them.
    async fn spikes(&self, now: WallTime) -> Result<Vec<Measurement>, LedgerError> {
        let hours = usage_hours(&self.ledger, now.minus_ms(HOUR_MS), now).await?;
        let from = hours.len().saturating_sub(2);
        let shown = self.shown();
        let budget = smallest_daily_budget(&self.budgets.statuses());
        let start_of = |place: usize| hours.get(place).map_or(now, |hour| hour.start);
        let start = |spike: &Spike| start_of(spike.hours.start);
        let fine = self.ledger.dismissed_anomalies().await?;
        let is_unusual = |rule: UsageAnomalyRule| {
            let (fine, start_of) = (&fine, &start_of);
            move |spike: &Spike| {
                let said = fine.get(&rule.id(start_of(spike.since), None));
                let end = start_of(spike.hours.end.saturating_sub(1)).plus_ms(HOUR_MS);
                said.is_none_or(|said| !rule.is_still_fine(*said, end, now))
            }
        };
        let cost = analytics::cost_spikes(&hours, from, budget).pop();
        let cost = cost.filter(is_unusual(UsageAnomalyRule::Cost));
        let requests = analytics::request_spikes(&hours, from).pop();
        let requests = requests.filter(is_unusual(UsageAnomalyRule::RequestRate));
        let spend = match cost {
            None => None,
            Some(spike) => {
                let client = self.top_client(start(&spike), now, |it| it.cost.nanos()).await?;
                Some(spend_spike(&spike, shown, client))
            }
        };
        let requests = match requests {
            None => None,
            Some(spike) => {
                let most =
                    |it: &ledger::UsageTotals| i64::try_from(it.requests).unwrap_or(i64::MAX);
                let client = self.top_client(start(&spike), now, most).await?;
                Some(request_spike(&spike, client))
            }
        };
        Ok(vec![Measurement::Spend(spend), Measurement::Requests(requests)])
    }

    /// The client that has the most of something.
    async fn top_client(
        &self,
        from: WallTime,
        to: WallTime,
        amount: impl Fn(&ledger::UsageTotals) -> i64,
    ) -> Result<Option<String>, LedgerError> {
        let Ok(query) = UsageQuery::whole(from, to, GroupBy::Client) else { return Ok(None) };
        let groups = self.ledger.usage(query).await?.groups;
        let named = groups.into_iter().filter_map(|(key, totals)| match key {
            UsageKey::Named(name) => Some((name, amount(&totals))),
            UsageKey::Unnamed | UsageKey::Other => None,
        });
        Ok(named.max_by_key(|(_, amount)| *amount).map(|(name, _)| name))
    }

    /// Unknown costs and the use of the response cache in 24 hours.
    async fn last_day(&self, now: WallTime) -> Result<Vec<Measurement>, LedgerError> {
        let from = now.minus_ms(DAY_MS);
        let unpriced = self.ledger.unpriced_models(from, now, DimensionFilter::default()).await?;
        let requests = unpriced.iter().map(|model| model.requests).sum();
        let models = unpriced.iter().map(UnpricedModel::name).collect();
        let mut found = vec![Measurement::Unpriced { requests, models }];
        if let Ok(query) = UsageQuery::whole(from, now, GroupBy::Backend) {
            let cache = self.ledger.usage(query).await?.totals.cache;
            let (answered, eligible) = (cache.hits + cache.shared, cache.eligible());
            found.push(Measurement::Cache { answered, eligible });
        }
        Ok(found)
    }

    /// How long ago all readiness checks were run; nothing if they never were, which the first steps ask
    /// for.
    async fn checks_age(&self, now: WallTime) -> Result<Vec<Measurement>, LedgerError> {
        let last = self.ledger.last_run(CheckSet::Full).await?;
        Ok(last.map(|run| checks_age(run.ended, now)).into_iter().collect())
    }

    /// What each provider billed for the days of the last week that both sides know.
    async fn bills(&self) -> Result<Vec<Measurement>, LedgerError> {
        let rows = self.cost_reports.drift(BILL_DAYS).await?;
        Ok(bill_measurements(&rows, self.cost_reports.today(), self.shown()))
    }

    /// Keys for requests that are old enough to have been used. Nothing is said while the ledger is
    /// younger than that.
    async fn unused_keys(&self, now: WallTime) -> Result<Vec<CredentialId>, LedgerError> {
        let from = now.minus_ms(UNUSED_DAYS * DAY_MS);
        let oldest = self.ledger.first_hour().await?;
        if oldest.is_none_or(|oldest| oldest > from) {
            return Ok(Vec::new());
        }
        let Ok(query) = UsageQuery::whole(from, now, GroupBy::Credential) else {
            return Ok(Vec::new());
        };
        let used = self.ledger.usage(query).await?.groups;
        let is_used =
            |id: &CredentialId| used.iter().any(|(key, _)| *key == UsageKey::Named(id.to_string()));
        let settings = self.settings.current();
        let old = keys_for_requests(&settings).filter(|(_, key)| key.created <= from);
        Ok(old.map(|(id, _)| id).filter(|id| !is_used(id)).cloned().collect())
    }

    fn shown(&self) -> ShownCurrency {
        shown_currency(&self.settings.current())
    }
}

/// What each provider billed for the days of the week before `today` that both sides know.
pub(crate) fn bill_measurements(
    rows: &[ProviderDay],
    today: Date,
    shown: ShownCurrency,
) -> Vec<Measurement> {
    let from = today.saturating_sub((BILL_DAYS - 1).days());
    let mut sums: BTreeMap<&str, (NanoUsd, NanoUsd)> = BTreeMap::new();
    for row in rows.iter().filter(|row| (from..today).contains(&row.day)) {
        let Some(report) = &row.report else { continue };
        let sum = sums.entry(row.provider.word()).or_default();
        sum.0 += report.total();
        sum.1 += row.computed.cost;
    }
    let measurement =
        |(provider, (billed, computed)): (&str, (NanoUsd, NanoUsd))| Measurement::Bill {
            provider: provider.to_owned(),
            difference_percent: billing::alert_drift_percent(billed, computed),
            billed: shown.format(billed),
            computed: shown.format(computed),
        };
    sums.into_iter().map(measurement).collect()
}

/// How long ago all readiness checks had run.
pub(crate) fn checks_age(ended: WallTime, at: WallTime) -> Measurement {
    Measurement::ChecksAge { days: (at.unix_ms() - ended.unix_ms()).div_euclid(DAY_MS) }
}

/// The keys that requests are to use, not checks of services or reports of costs.
pub(crate) fn keys_for_requests(
    settings: &Settings,
) -> impl Iterator<Item = (&CredentialId, &CredentialSettings)> {
    let all = settings.credentials.iter();
    all.filter(|(id, key)| key.billing.is_none() && !settings.is_key_beside_backends(id))
}

/// Clients and models that were not used before `since`, with the hour of their first request. The
/// playground is none of them: it is the user's own.
pub(crate) async fn first_uses_since(
    ledger: &Ledger,
    since: WallTime,
) -> Result<Vec<(FirstUse, WallTime)>, LedgerError> {
    let clients = ledger.first_uses(GroupBy::Client, since).await?;
    let models = ledger.first_uses(GroupBy::Model, since).await?;
    let clients = clients.into_iter().filter(|(name, _)| name != PLAYGROUND_CLIENT);
    let clients = clients.map(|(name, hour)| (FirstUse::Client(name), hour));
    Ok(clients
        .chain(models.into_iter().map(|(name, hour)| (FirstUse::Model(name), hour)))
        .collect())
}

pub(crate) fn shown_currency(settings: &Settings) -> ShownCurrency {
    settings.currency.shown().0
}

/// A spike of cost in words; `client` is who cost the most.
pub(crate) fn spend_spike(
    spike: &Spike,
    shown: ShownCurrency,
    client: Option<String>,
) -> SpendSpike {
    SpendSpike {
        percent_of_usual: percent_of(spike.actual, spike.expected),
        actual: shown.format(whole_nanos(spike.actual)),
        usual: shown.format(whole_nanos(spike.expected)),
        client,
    }
}

/// A spike of requests in words; `client` is who sent the most.
pub(crate) fn request_spike(spike: &Spike, client: Option<String>) -> RequestSpike {
    RequestSpike {
        percent_of_usual: percent_of(spike.actual, spike.expected),
        actual: whole_count(spike.actual),
        usual: whole_count(spike.expected / spike.hours.len().max(1) as f64),
        client,
    }
}

impl Measured {
    fn take(&mut self, rules: &[AlertRule], read: Result<Vec<Measurement>, LedgerError>) {
        match read {
            Ok(measurements) => self.measurements.extend(measurements),
            Err(error) => {
                tracing::warn!(%error, ?rules, "numbers for the alerts could not be read");
                self.unmeasured.extend(rules);
            }
        }
    }
}

/// More than any threshold where nothing is usual.
fn percent_of(actual: f64, usual: f64) -> f64 {
    if usual > 0.0 { 100.0 * actual / usual } else { f64::INFINITY }
}

#[cfg(test)]
pub(crate) mod tests;
