//! The table of alert rules.
//!
//! A rule is here only if what it judges is measured.

mod rows;
mod tuning;

use std::time::Duration;

use domain::AlertSeverity;

pub use self::rows::{RuleRow, SeverityRow, Threshold, ThresholdSide};
pub(crate) use self::tuning::Position;
#[cfg(test)]
pub(crate) use self::tuning::tests::tunings;
pub use self::tuning::{RuleTuning, RuleTunings, tuning_of};

domain::words! {
    /// A rule of alerts.
    AlertRule {
        /// A backend does not answer
        BackendDown = "backend-down",
        /// A backend answers its probes, but requests to it fail
        BreakerOpen = "breaker-open",
        /// A route has no backend that can answer
        RouteDead = "route-dead",
        /// A budget reached one of its marks
        BudgetMark = "budget-mark",
        /// A budget will be used up before its period ends
        BudgetForecast = "budget-forecast",
        /// The gateway does not listen or does not answer
        GatewayFault = "gateway-fault",
        /// Requests are not recorded as they should be
        LedgerFault = "ledger-fault",
        /// A key was rejected or is missing
        KeyBlocked = "key-blocked",
        /// So many requests fail that an objective is missed within days
        BurnFast = "burn-fast",
        /// So many requests fail that an objective is missed before its period ends
        BurnSlow = "burn-slow",
        /// A webhook or mail does not reach its server
        ChannelFault = "channel-fault",
        /// A sum of the day or the week
        Digest = "digest",
        /// More requests to a backend fail than usual
        ErrorRate = "error-rate",
        /// A backend takes much longer to answer than in the week before
        SlowAnswers = "slow-answers",
        /// The hour costs far more than such hours do
        SpendAnomaly = "spend-anomaly",
        /// Answers whose cost is not known
        UnpricedModel = "unpriced-model",
        /// A provider billed another amount than was computed
        BillDrift = "bill-drift",
        /// Few answers come from the response cache
        CacheHits = "cache-hits",
        /// The disk with the data is almost full
        DiskSpace = "disk-space",
        /// Keys cannot be read
        VaultFault = "vault-fault",
        /// A key expires soon
        KeyExpiry = "key-expiry",
        /// A key has been in use for long
        KeyAge = "key-age",
        /// A key that no request used for a month
        KeyUnused = "key-unused",
        /// Far more requests than in a usual hour
        UnusualUse = "unusual-use",
        /// A client or a model that no request had before
        FirstUse = "first-use",
        /// A client that the runaway guard stopped
        StoppedLoop = "stopped-loop",
        /// A key that lies in plain text in a file
        PlainKey = "plain-key",
        /// Little is left of a limit of a provider
        QuotaLow = "quota-low",
        /// What is left at a provider is used up soon
        BalanceLow = "balance-low",
        /// A service beside the backends does not work
        ServiceDown = "service-down",
        /// Three starts in a row took long
        SlowStart = "slow-start",
        /// Gatehouse uses much memory
        AppMemory = "app-memory",
        /// Gatehouse keeps a processor core busy
        AppProcessor = "app-processor",
        /// This machine's memory is almost full
        MachineMemory = "machine-memory",
        /// The ledger answers slowly
        SlowQueries = "slow-queries",
        /// Backends are checked less often than they should be
        ProbeCoverage = "probe-coverage",
        /// All checks of the page Readiness were run last long ago
        ChecksOld = "checks-old",
    }
}

domain::words! {
    /// What an alert rule watches over.
    AlertGroup {
        Backends = "backends",
        Money = "money",
        LocalApp = "local-app",
        Keys = "keys",
        Services = "services",
    }
}

domain::words! {
    /// How an alert ended.
    AlertEnding {
        /// What it was about is over
        Resolved = "resolved",
        /// What it was about was removed or switched off
        Removed = "removed",
        /// Nothing is known about it any more
        Unknown = "unknown",
        /// Its rule was switched off
        SwitchedOff = "switched-off",
    }
}

/// Least severe alerts that are shown on the desktop.
pub const SHOWN_FROM: AlertSeverity = AlertSeverity::Medium;
/// How long an alert is kept while nothing is known about its condition.
pub(crate) const UNKNOWN_KEPT: Duration = Duration::from_secs(120);
