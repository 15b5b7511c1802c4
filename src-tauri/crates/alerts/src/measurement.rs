//! Numbers that rules compare with the thresholds of the settings.

use std::time::Duration;

use domain::{BackendId, BalanceKind, CredentialId, percent_if_slower};

use crate::rule::AlertRule;

/// Failed requests from which a share of them says anything.
const FAILED_MIN: u64 = 5;

/// A number of this moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Measurement {
    /// Requests to a backend in half an hour.
    Errors { backend: BackendId, label: String, failed: u64, requests: u64 },
    /// The 95th percentile of a backend's first token in half an hour and in the week before.
    Latency { backend: BackendId, label: String, requests: u64, recent: Duration, usual: Duration },
    /// What the unusual hours up to now cost; `None` if they are as usual.
    Spend(Option<SpendSpike>),
    /// Requests of the unusual hours up to now; `None` if they are as usual.
    Requests(Option<RequestSpike>),
    /// Requests of the last 24 hours whose cost is not known, and their models.
    Unpriced { requests: u64, models: Vec<String> },
    /// A provider's bill of the days that both sides know. Amounts as they are shown.
    Bill { provider: String, difference_percent: f64, billed: String, computed: String },
    /// Requests of the last 24 hours that looked into the response cache.
    Cache { answered: u64, eligible: u64 },
    /// Free space on the disk with the data.
    Disk { free_megabytes: u64 },
    /// The fastest of the last three starts, and the stage that takes longest in it.
    Start { fastest: Duration, stage: String },
    /// Memory that this program holds.
    AppMemory { megabytes: u64 },
    /// Processor time of this program, in percent of a core.
    AppProcessor { percent: f64 },
    /// Memory of this machine that is in use, in percent.
    MachineMemory { percent: f64 },
    /// Statements of the ledger that were slow in the last hour.
    SlowQueries { count: u64 },
    /// Share of the last hour, in percent, in which the state of backends was known.
    ProbeCoverage { percent: f64 },
    /// Whole days since all readiness checks were run.
    ChecksAge { days: i64 },
    /// Whole days until a key expires; negative once it has.
    KeyExpiry { key: CredentialId, days: i64 },
    /// Whole days since a key was made or replaced.
    KeyAge { key: CredentialId, days: i64 },
    /// Keys in plain text in known files.
    PlainKeys { keys: u64 },
    /// What is left of the limit that will stop a backend first; `limit` says of what.
    Quota { backend: BackendId, label: String, limit: String, remaining: u64, total: u64 },
    /// What is left behind a key, as it is shown, and how many whole days it lasts; `None` if nothing
    /// is left.
    Balance { key: CredentialId, kind: BalanceKind, left: String, days: Option<u64> },
}

/// Hours that cost more than usual. Amounts as they are shown.
#[derive(Debug, Clone, PartialEq)]
pub struct SpendSpike {
    pub percent_of_usual: f64,
    pub actual: String,
    pub usual: String,
    /// The client that cost the most.
    pub client: Option<String>,
}

/// Hours with more requests than usual.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestSpike {
    pub percent_of_usual: f64,
    pub actual: u64,
    /// In one busy hour.
    pub usual: u64,
    /// The client that sent the most.
    pub client: Option<String>,
}

impl Measurement {
    /// The rule that judges it.
    #[must_use]
    pub const fn rule(&self) -> AlertRule {
        match self {
            Self::Errors { .. } => AlertRule::ErrorRate,
            Self::Latency { .. } => AlertRule::SlowAnswers,
            Self::Spend(_) => AlertRule::SpendAnomaly,
            Self::Requests(_) => AlertRule::UnusualUse,
            Self::Unpriced { .. } => AlertRule::UnpricedModel,
            Self::Bill { .. } => AlertRule::BillDrift,
            Self::Cache { .. } => AlertRule::CacheHits,
            Self::Disk { .. } => AlertRule::DiskSpace,
            Self::Start { .. } => AlertRule::SlowStart,
            Self::AppMemory { .. } => AlertRule::AppMemory,
            Self::AppProcessor { .. } => AlertRule::AppProcessor,
            Self::MachineMemory { .. } => AlertRule::MachineMemory,
            Self::SlowQueries { .. } => AlertRule::SlowQueries,
            Self::ProbeCoverage { .. } => AlertRule::ProbeCoverage,
            Self::ChecksAge { .. } => AlertRule::ChecksOld,
            Self::KeyExpiry { .. } => AlertRule::KeyExpiry,
            Self::KeyAge { .. } => AlertRule::KeyAge,
            Self::PlainKeys { .. } => AlertRule::PlainKey,
            Self::Quota { .. } => AlertRule::QuotaLow,
            Self::Balance { .. } => AlertRule::BalanceLow,
        }
    }

    pub(crate) fn scope(&self) -> &str {
        match self {
            Self::Errors { backend, .. }
            | Self::Latency { backend, .. }
            | Self::Quota { backend, .. } => backend.as_str(),
            Self::KeyExpiry { key, .. } | Self::KeyAge { key, .. } | Self::Balance { key, .. } => {
                key.as_str()
            }
            Self::Bill { provider, .. } => provider,
            Self::Spend(_) | Self::Unpriced { .. } => "cost",
            Self::Requests(_) => "requests",
            Self::Cache { .. } => "cache",
            Self::Disk { .. } => "disk",
            Self::PlainKeys { .. } => "files",
            Self::Start { .. } => "start",
            Self::AppMemory { .. } | Self::AppProcessor { .. } => "app",
            Self::MachineMemory { .. } => "machine",
            Self::SlowQueries { .. } => "ledger",
            Self::ProbeCoverage { .. } => "probes",
            Self::ChecksAge { .. } => "checks",
        }
    }

    /// What is compared with the threshold; `None` where nothing is to be compared.
    pub(crate) fn value(&self) -> Option<f64> {
        match self {
            Self::Errors { failed, requests, .. } => {
                (*failed >= FAILED_MIN).then(|| percent(*failed, *requests)).flatten()
            }
            Self::Latency { recent, usual, .. } => percent_if_slower(*recent, *usual),
            Self::Spend(spike) => spike.as_ref().map(|spike| spike.percent_of_usual),
            Self::Requests(spike) => spike.as_ref().map(|spike| spike.percent_of_usual),
            Self::Unpriced { requests, .. } => Some(*requests as f64),
            Self::Bill { difference_percent, .. } => Some(difference_percent.abs()),
            Self::Cache { answered, eligible } => percent(*answered, *eligible),
            Self::Disk { free_megabytes: count }
            | Self::AppMemory { megabytes: count }
            | Self::SlowQueries { count } => Some(*count as f64),
            Self::Start { fastest, .. } => Some(fastest.as_secs_f64() * 1_000.0),
            Self::AppProcessor { percent }
            | Self::MachineMemory { percent }
            | Self::ProbeCoverage { percent } => Some(*percent),
            Self::KeyExpiry { days, .. } | Self::KeyAge { days, .. } | Self::ChecksAge { days } => {
                Some(*days as f64)
            }
            Self::Balance { days, .. } => Some(days.unwrap_or(0) as f64),
            Self::PlainKeys { keys, .. } => Some(*keys as f64),
            Self::Quota { remaining, total, .. } => percent(*remaining, *total),
        }
    }

    /// The number that a chart shows: [`Self::value`], and also what fires nothing since too few requests
    /// failed or nobody feels it.
    pub(crate) fn charted(&self) -> Option<f64> {
        match self {
            Self::Errors { failed, requests, .. } => percent(*failed, *requests),
            Self::Latency { recent, usual, .. } => {
                (!usual.is_zero()).then(|| 100.0 * recent.as_secs_f64() / usual.as_secs_f64())
            }
            _ => self.value(),
        }
    }

    /// Number of requests that it is made from; `None` where the rule asks for none.
    pub(crate) const fn requests(&self) -> Option<u64> {
        match self {
            Self::Errors { requests, .. } | Self::Latency { requests, .. } => Some(*requests),
            Self::Cache { eligible, .. } => Some(*eligible),
            _ => None,
        }
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| 100.0 * part as f64 / whole as f64)
}
