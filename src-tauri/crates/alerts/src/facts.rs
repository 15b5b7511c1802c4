//! The facts that alerts are made from.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AlertChannel, BackendId, BudgetId, BudgetMark, ClientId, CredentialId, RouteId, ServiceId,
    WallTime,
};
use serde::{Deserialize, Serialize};

use crate::configured::Configured;
use crate::measurement::Measurement;
use crate::rule::AlertRule;

/// Everything that alerts are judged by, at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Facts {
    /// True while no network leads off this machine, which is no backend's fault.
    pub is_offline: bool,
    /// `None` if it is not known what there is.
    pub configured: Option<Configured>,
    /// The enabled backends.
    pub backends: Vec<BackendFact>,
    /// The services that are watched.
    pub services: Vec<ServiceFact>,
    /// Routes that no backend can answer for certain.
    pub dead_routes: Vec<RouteFact>,
    /// Keys of enabled backends that are not accepted or missing.
    pub keys: Vec<KeyFact>,
    /// Keys of enabled backends that nothing is known about since the start.
    pub unverified_keys: Vec<CredentialId>,
    /// Keys of enabled backends whose last result was that they are accepted, and when that was.
    pub accepted_keys: BTreeMap<CredentialId, WallTime>,
    /// The marks that budgets reached in their present periods.
    pub budgets: Vec<BudgetFact>,
    /// Objectives that too many failures use up.
    pub burns: Vec<BurnFact>,
    /// Why the gateway answers no client; `None` if nothing of that kind is known.
    pub gateway: Option<GatewayFact>,
    /// The ledger's most severe problem.
    pub ledger: Option<LedgerFact>,
    /// Channels that are switched on and do not work.
    pub channels: Vec<ChannelFact>,
    /// Why keys cannot be read; `None` if they can.
    pub vault: Option<VaultFact>,
    /// Keys that no request used for 30 days.
    pub unused_keys: Vec<CredentialId>,
    /// Names that were used for the first time in the last 24 hours.
    pub first_uses: Vec<FirstUse>,
    /// Clients that the runaway guard stopped within half an hour, each once.
    pub stopped_clients: Vec<ClientId>,
    /// Numbers that rules compare with their thresholds.
    pub measurements: Vec<Measurement>,
    /// Keys of which it is not known now what is left behind them.
    pub unknown_balances: Vec<CredentialId>,
    /// Rules of which nothing is known now, since what they judge could not be read.
    pub unmeasured: BTreeSet<AlertRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendFact {
    pub id: BackendId,
    pub label: String,
    /// Host and port, or the id if it has none. Backends with the same one fail together.
    pub server: String,
    /// True for a server on this machine.
    pub is_local: bool,
    pub fault: BackendFault,
    /// What the state means, as a clause without secrets.
    pub reason: String,
    pub impact: Impact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendFault {
    /// It answers.
    None,
    /// No result is recent enough.
    Unknown,
    Down,
    /// It answers, but rejects the key.
    KeyRejected,
    /// It answers, but its account has no credit left or reached its spend limit.
    Unpaid,
    /// Its breakers let no request through.
    BreakerOpen,
    /// Its breakers were open and let single requests through, which decide whether it works again.
    Trial,
    /// Its breakers were open and let more and more requests through.
    Recovering,
}

/// A backend that cannot answer, as its notification names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedBackend {
    pub backend: BackendId,
    pub label: String,
    pub server: String,
    pub reason: String,
    pub impact: Impact,
}

/// What clients ask for that a failed backend answers. Requests that name the backend itself fail in
/// any case.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Impact {
    /// Routes with another backend that can answer.
    pub covered: BTreeSet<RouteId>,
    /// Routes without another backend that can answer.
    pub uncovered: BTreeSet<RouteId>,
    /// Number of models outside of routes that no other backend answers.
    pub models_uncovered: u64,
    /// True if another backend answers some of its models outside of routes.
    pub models_covered: bool,
}

impl Impact {
    /// True when something has no backend left, or when nothing else stands in for this one.
    #[must_use]
    pub(crate) fn is_critical(&self) -> bool {
        let stands_in = !self.covered.is_empty() || self.models_covered;
        !self.uncovered.is_empty() || self.models_uncovered > 0 || !stands_in
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFact {
    pub id: ServiceId,
    pub label: String,
    /// True for a service on this machine.
    pub is_local: bool,
    /// True if work stops without it.
    pub is_required: bool,
    /// `None` if no result is recent enough.
    pub is_down: Option<bool>,
    /// What the state means, as a clause without secrets.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFact {
    pub id: RouteId,
    /// Why, as a clause.
    pub reason: String,
    /// The backends it leads to.
    pub backends: Vec<BackendId>,
    pub fault: RouteFault,
}

/// Whether a route has a backend that can answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteFault {
    /// None can.
    Dead,
    /// One is tried again.
    Trial,
    Recovering,
}

impl RouteFault {
    /// By its backends that may answer; `None` if one of them does.
    pub fn of(able: impl IntoIterator<Item = BackendFault>) -> Option<Self> {
        let mut fault = Self::Dead;
        for backend in able {
            fault = match backend {
                BackendFault::Recovering => Self::Recovering,
                BackendFault::Trial if fault == Self::Dead => Self::Trial,
                BackendFault::Trial => fault,
                _ => return None,
            };
        }
        Some(fault)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFact {
    pub id: CredentialId,
    /// Completes "the key …": "was rejected".
    pub what: &'static str,
    /// What to do, as a sentence.
    pub fix: &'static str,
    /// The enabled backends that have no other key.
    pub needed_by: Vec<BackendId>,
}

/// A mark that a budget reached, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetFact {
    pub id: BudgetId,
    pub mark: BudgetMark,
    pub period_from: WallTime,
    pub title: String,
    pub message: String,
}

/// So many requests failed that an objective will be missed.
#[derive(Debug, Clone, PartialEq)]
pub struct BurnFact {
    pub subject: BurnSubject,
    /// Within days, not only before the period ends.
    pub is_fast: bool,
    /// Of the requests in the window.
    pub failed: u64,
    pub requests: u64,
    /// Time until now that they were counted in: `1h`.
    pub window: String,
    /// How many times as many failed as the objective allows.
    pub times_allowed: f64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BurnSubject {
    Gateway,
    Route { id: RouteId, backends: Vec<BackendId> },
    Backend { id: BackendId, label: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayFact {
    pub title: &'static str,
    /// What happened and what to do, in short sentences.
    pub fix: String,
    /// Panel path where that is done.
    pub path: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerFact {
    /// Identifies the fault; stable as long as it lasts.
    pub cause: String,
    pub title: String,
    /// What happened and what to do, in short sentences.
    pub fix: String,
    /// True if requests are refused or records are missing.
    pub is_problem: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFact {
    pub channel: AlertChannel,
    /// Why, as a clause without secrets.
    pub reason: String,
}

/// A name that no request had before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FirstUse {
    Client(String),
    Model(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultFact {
    /// What to do, in sentences.
    pub hint: String,
    /// True if an enabled backend has a key.
    pub is_needed: bool,
}
