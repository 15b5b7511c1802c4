//! What the settings have, so that an alert about something that was removed does not end as if it
//! worked again.

use std::collections::BTreeSet;

use domain::{AlertChannel, BackendId, BudgetId, CredentialId, RouteId, ServiceId};

use crate::rule::AlertRule;

/// Everything of the settings that alerts are about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configured {
    /// The enabled ones.
    pub backends: BTreeSet<BackendId>,
    pub routes: BTreeSet<RouteId>,
    pub services: BTreeSet<ServiceId>,
    pub keys: BTreeSet<CredentialId>,
    pub budgets: BTreeSet<BudgetId>,
    /// Those that are switched on.
    pub channels: BTreeSet<AlertChannel>,
}

impl Configured {
    /// True if what an alert of `rule` is about is not there any more.
    pub(crate) fn lacks(&self, subject: &str, rule: AlertRule) -> bool {
        match rule {
            AlertRule::BackendDown
            | AlertRule::BreakerOpen
            | AlertRule::ErrorRate
            | AlertRule::SlowAnswers
            | AlertRule::QuotaLow => !self.has_backend(subject),
            AlertRule::RouteDead => !self.has_route(subject),
            AlertRule::BurnFast | AlertRule::BurnSlow => match subject.split_once('/') {
                Some(("backend", id)) => !self.has_backend(id),
                Some(("route", id)) => !self.has_route(id),
                _ => false,
            },
            AlertRule::BudgetMark | AlertRule::BudgetForecast => {
                let budget = subject.split_once('/').map_or(subject, |(budget, _)| budget);
                !self.budgets.iter().any(|id| id.as_str() == budget)
            }
            // Without a key that is known to be at fault it is about a backend.
            AlertRule::KeyBlocked => !self.has_key(subject) && !self.has_backend(subject),
            AlertRule::KeyExpiry
            | AlertRule::KeyAge
            | AlertRule::KeyUnused
            | AlertRule::BalanceLow => !self.has_key(subject),
            AlertRule::ServiceDown => !self.services.iter().any(|id| id.as_str() == subject),
            AlertRule::ChannelFault => !self.channels.iter().any(|it| it.word() == subject),
            AlertRule::GatewayFault
            | AlertRule::LedgerFault
            | AlertRule::Digest
            | AlertRule::SpendAnomaly
            | AlertRule::UnpricedModel
            | AlertRule::BillDrift
            | AlertRule::CacheHits
            | AlertRule::DiskSpace
            | AlertRule::VaultFault
            | AlertRule::UnusualUse
            | AlertRule::FirstUse
            | AlertRule::StoppedLoop
            | AlertRule::PlainKey
            | AlertRule::SlowStart
            | AlertRule::AppMemory
            | AlertRule::AppProcessor
            | AlertRule::MachineMemory
            | AlertRule::SlowQueries
            | AlertRule::ProbeCoverage
            | AlertRule::ChecksOld => false,
        }
    }

    fn has_backend(&self, subject: &str) -> bool {
        self.backends.iter().any(|id| id.as_str() == subject)
    }

    fn has_route(&self, subject: &str) -> bool {
        self.routes.iter().any(|id| id.as_str() == subject)
    }

    fn has_key(&self, subject: &str) -> bool {
        self.keys.iter().any(|id| id.as_str() == subject)
    }
}
