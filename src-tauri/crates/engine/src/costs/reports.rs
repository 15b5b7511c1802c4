//! What providers say they billed: fetched from their cost reports with an admin key, or read from
//! a file that their console exported, and compared with the ledger day by day.
//!
//! An admin key is a key of its own kind: the settings refuse it for backends, so no request is
//! ever sent with it. It goes to the origin that the vault binds it to, in a GET, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use billing::{
    Billed, BilledDays, Computed, Drift, ExportProblem, REPORT_DAYS_MAX, ReportError, read_export,
    read_report, report_path,
};
use domain::{BilledSource, BillingProvider, Clock, CredentialId, Origin, WallTime};
use gateway::{FetchError, KeyCarrier, ReportCall, Upstream, fetch_report};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use ledger::{
    BilledDay, BucketWidth, GroupBy, Ledger, LedgerError, StatedCosts, UsageKey, UsageQuery,
};
use settings::SettingsStore;
use tokio::sync::Notify;
use vault::{Vault, VaultError};

use crate::costs::report_progress::CostReportProgress;
use crate::events::{EngineEvent, EventBus};

/// Most pages of one report. A page has up to thirty days.
const PAGES_MAX: usize = 40;
/// Largest page of a report.
const PAGE_BYTES_MAX: usize = 8 * 1_048_576;
/// Most days that are compared at once.
pub const DRIFT_DAYS_MAX: i64 = 90;

pub struct CostReports {
    pub(crate) ledger: Ledger,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    /// One fetch at a time.
    pub(crate) fetching: tokio::sync::Mutex<()>,
    pub(crate) cancelled: Notify,
    pub(crate) events: EventBus,
}

/// What a fetch or an import stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReport {
    pub days: BilledDays,
    /// Lines of a file that could not be used.
    pub problems: Vec<ExportProblem>,
}

/// A provider's day: what was computed, what was billed, and how far apart they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDay {
    pub provider: BillingProvider,
    /// In UTC.
    pub day: Date,
    pub computed: Computed,
    /// The provider's own report, else that of a file.
    pub report: Option<BilledDay>,
    pub drift: Drift,
}

#[derive(Debug, thiserror::Error)]
pub enum CostReportError {
    #[error("there is no admin key of {} for cost reports", .0.name())]
    NoKey(BillingProvider),
    #[error("the admin key {0} is bound to no host; remove it and add it again")]
    Unbound(CredentialId),
    #[error("{name} does not accept this as an admin key (status {1})", name = .0.name())]
    NotAdmin(BillingProvider, u16),
    #[error("{name} limits how often its cost report is asked for; try again later", name = .0.name())]
    Limited(BillingProvider),
    #[error("{name} answered with status {1}", name = .0.name())]
    Status(BillingProvider, u16),
    #[error("the cost report of {name} could not be fetched: {1}", name = .0.name())]
    Fetch(BillingProvider, #[source] FetchError),
    #[error("the cost report of {name} could not be read: {1}", name = .0.name())]
    Report(BillingProvider, #[source] ReportError),
    #[error("the cost report of {name} does not end", name = .0.name())]
    TooLong(BillingProvider),
    #[error("a cost report is being fetched")]
    Busy,
    #[error("the fetch was cancelled; nothing was stored")]
    Cancelled,
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl CostReports {
    /// Reads a file that the provider's console exported, and stores the days that it has whole.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn import(
        &self,
        provider: BillingProvider,
        file: &str,
        bytes: &[u8],
    ) -> Result<StoredReport, LedgerError> {
        let export = read_export(provider, file, bytes);
        self.store(provider, BilledSource::Csv, &export.days).await?;
        Ok(StoredReport { days: export.days, problems: export.problems })
    }

    /// Fetches the report of the last `days` UTC days that are over. It is stored when all its
    /// pages are read, so that a failure or [`Self::cancel`] leaves what was.
    ///
    /// # Errors
    /// See [`CostReportError`].
    pub async fn fetch(
        &self,
        provider: BillingProvider,
        days: i64,
    ) -> Result<StoredReport, CostReportError> {
        let _one = self.fetching.try_lock().map_err(|_| CostReportError::Busy)?;
        let until = self.today();
        let days = days.clamp(1, REPORT_DAYS_MAX);
        let from = until.saturating_sub(days.days());
        let days = usize::try_from(days).unwrap_or_default();
        let mut progress = CostReportProgress { provider, days_read: 0, days, is_running: true };
        self.publish(progress);
        let read = tokio::select! {
            read = self.fetch_pages(&mut progress, from, until) => read,
            () = self.cancelled.notified() => Err(CostReportError::Cancelled),
        };
        self.publish(CostReportProgress { is_running: false, ..progress });
        let read = read?;
        self.store(provider, BilledSource::Api, &read).await?;
        Ok(StoredReport { days: read, problems: Vec::new() })
    }

    fn publish(&self, progress: CostReportProgress) {
        self.events.send(EngineEvent::CostReport(progress));
    }

    /// Cancels the fetch in progress.
    pub fn cancel(&self) {
        self.cancelled.notify_waiters();
    }

    /// The admin key for the provider's cost reports.
    #[must_use]
    pub fn admin_key(&self, provider: BillingProvider) -> Option<CredentialId> {
        let settings = self.settings.current();
        let mut keys = settings.credentials.iter();
        keys.find(|(_, key)| key.billing == Some(provider)).map(|(id, _)| id.clone())
    }

    async fn fetch_pages(
        &self,
        progress: &mut CostReportProgress,
        from: Date,
        until: Date,
    ) -> Result<BilledDays, CostReportError> {
        let provider = progress.provider;
        let id = self.admin_key(provider).ok_or(CostReportError::NoKey(provider))?;
        let key = self.vault.get(&id).await?;
        let origin = key.parts().1.cloned().ok_or(CostReportError::Unbound(id))?;
        let mut days = BilledDays::new();
        let mut page: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let path = report_path(provider, from, until, page.as_deref());
            let call = ReportCall {
                origin: origin.clone(),
                path,
                key: Arc::clone(&key),
                carrier: key_carrier(provider),
                headers: extra_headers(provider),
            };
            let body = self.fetch_page(provider, call).await?;
            let read = read_report(provider, &body, from, until)
                .map_err(|error| CostReportError::Report(provider, error))?;
            for (day, lines) in read.days {
                let known = days.entry(day).or_default();
                for (line, amount) in lines {
                    *known.entry(line).or_default() += amount;
                }
            }
            progress.days_read = days.len();
            self.publish(*progress);
            match read.next {
                None => return Ok(days),
                next if next == page => break,
                next => page = next,
            }
        }
        Err(CostReportError::TooLong(provider))
    }

    /// The body of a page. What else a provider says may name accounts, so no error repeats it.
    async fn fetch_page(
        &self,
        provider: BillingProvider,
        call: ReportCall,
    ) -> Result<String, CostReportError> {
        let fetched = fetch_report(&*self.network, call, PAGE_BYTES_MAX).await;
        match fetched {
            Ok(body) => Ok(body),
            Err(FetchError::Status(status @ (401 | 403))) => {
                Err(CostReportError::NotAdmin(provider, status))
            }
            Err(FetchError::Status(429)) => Err(CostReportError::Limited(provider)),
            Err(FetchError::Status(status)) => Err(CostReportError::Status(provider, status)),
            Err(error) => Err(CostReportError::Fetch(provider, error)),
        }
    }

    async fn store(
        &self,
        provider: BillingProvider,
        source: BilledSource,
        days: &BilledDays,
    ) -> Result<(), LedgerError> {
        let fetched = self.clock.wall();
        let reports = days.iter().map(|(day, lines)| BilledDay {
            provider,
            day: *day,
            source,
            fetched,
            lines: lines.iter().map(|(line, amount)| (line.clone(), *amount)).collect(),
        });
        self.ledger.replace_billed(reports.collect()).await
    }

    /// The last `days` UTC days, today included, of each provider with traffic or a report; newest
    /// first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn drift(&self, days: i64) -> Result<Vec<ProviderDay>, LedgerError> {
        let today = self.today();
        let from = today.saturating_sub((days.clamp(1, DRIFT_DAYS_MAX) - 1).days());
        let mut reports: BTreeMap<(Date, BillingProvider), BilledDay> = BTreeMap::new();
        for report in self.ledger.billed(from).await? {
            // In the order of the words: that of the API comes before that of a file.
            reports.entry((report.day, report.provider)).or_insert(report);
        }
        let mut rows = Vec::new();
        for day in from.series(1.day()).take_while(|day| *day <= today) {
            let computed = self.computed(day).await?;
            let named = reports.keys().filter(|(of, _)| *of == day).map(|(_, provider)| *provider);
            let providers: BTreeSet<_> = computed.keys().copied().chain(named).collect();
            for provider in providers {
                let computed = computed.get(&provider).copied().unwrap_or_default();
                let report = reports.remove(&(day, provider));
                let billed = report.as_ref().map(|report| Billed(report.total()));
                let drift = Drift::of(computed, billed, day, today);
                rows.push(ProviderDay { provider, day, computed, report, drift });
            }
        }
        rows.reverse();
        Ok(rows)
    }

    /// What backends stated in the last `days` UTC days, today included, beside what is computed for
    /// the same answers; of one provider's backends, or of all.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn stated(
        &self,
        days: i64,
        provider: Option<BillingProvider>,
    ) -> Result<Vec<StatedCosts>, LedgerError> {
        let from = self.today().saturating_sub((days.clamp(1, DRIFT_DAYS_MAX) - 1).days());
        let Some(from) = day_start(from) else { return Ok(Vec::new()) };
        let mut stated = self.ledger.stated_costs(from, self.clock.wall()).await?;
        let backends = self.backend_providers();
        stated.retain(|costs| {
            provider.is_none_or(|provider| backends.get(&costs.backend) == Some(&provider))
        });
        Ok(stated)
    }

    /// What the ledger has of a UTC day, by provider. Backends count to the provider at their
    /// address, or to the one whose admin key is bound there.
    async fn computed(
        &self,
        day: Date,
    ) -> Result<BTreeMap<BillingProvider, Computed>, LedgerError> {
        let mut sums: BTreeMap<BillingProvider, Computed> = BTreeMap::new();
        let (Some(from), Some(to)) = (day_start(day), day.tomorrow().ok().and_then(day_start))
        else {
            return Ok(sums);
        };
        let query = UsageQuery::new(from, to, BucketWidth::Day, &TimeZone::UTC, GroupBy::Backend);
        let Ok(query) = query else { return Ok(sums) };
        let backends = self.backend_providers();
        for (key, totals) in self.ledger.usage(query).await?.groups {
            let UsageKey::Named(backend) = key else { continue };
            let Some(provider) = backends.get(&backend) else { continue };
            *sums.entry(*provider).or_default() += Computed {
                cost: totals.cost,
                requests: totals.requests,
                unbilled_requests: totals.unbilled_requests,
                unpriced_requests: totals.unpriced_requests,
            };
        }
        sums.retain(|_, computed| *computed != Computed::default());
        Ok(sums)
    }

    fn backend_providers(&self) -> BTreeMap<String, BillingProvider> {
        let settings = self.settings.current();
        let bound = |provider: BillingProvider, origin: &Origin| {
            let mut keys = settings.credentials.values();
            keys.any(|key| key.billing == Some(provider) && key.origin.as_ref() == Some(origin))
        };
        let provider_at = |origin: &Origin| {
            let mut all = BillingProvider::ALL.iter().copied();
            all.find(|provider| provider.has_origin(origin) || bound(*provider, origin))
        };
        let named = settings.backends.iter().filter_map(|(id, backend)| {
            let origin = Origin::from_url(&backend.base_url).ok()?;
            Some((id.to_string(), provider_at(&origin)?))
        });
        named.collect()
    }

    /// The current day in UTC.
    #[must_use]
    pub fn today(&self) -> Date {
        let now = Timestamp::from_millisecond(self.clock.wall().unix_ms()).unwrap_or_default();
        now.to_zoned(TimeZone::UTC).date()
    }
}

pub(crate) fn day_start(day: Date) -> Option<WallTime> {
    let start = day.to_zoned(TimeZone::UTC).ok()?;
    Some(WallTime::from_unix_ms(start.timestamp().as_millisecond()))
}

const fn key_carrier(provider: BillingProvider) -> KeyCarrier {
    match provider {
        BillingProvider::OpenAi | BillingProvider::OpenRouter => KeyCarrier::Bearer,
        BillingProvider::Anthropic => KeyCarrier::XApiKey,
    }
}

const fn extra_headers(provider: BillingProvider) -> &'static [(&'static str, &'static str)] {
    match provider {
        BillingProvider::Anthropic => &[("anthropic-version", "2023-06-01")],
        BillingProvider::OpenAi | BillingProvider::OpenRouter => &[],
    }
}
