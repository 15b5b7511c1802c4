//! Checks of services that work depends on, one file for each kind.
//!
//! Invariants: no check is billed or changes anything; a key goes to the origin that it is bound to
//! and nowhere else; no result holds a part of a key. What follows from a result is decided by
//! `monitor`, as for backends.

mod github;
mod http;
mod outcome;
mod postgres;
mod redis;
mod tcp;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, Clock, ServiceKind, WallTime};
use gateway::{KeyError, Upstream};
use monitor::{HealthFinding, ProbeReport, ProbeStep};
use settings::ServiceSettings;

use crate::outcome::{Outcome, failed_step};

/// Time for a whole check.
const CHECK_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCheck {
    pub report: ProbeReport,
    /// Whose token it is; only for services that say so.
    pub account: Option<ServiceAccount>,
}

/// What a service says about the token that it was asked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// The name that the token signs in as.
    pub login: String,
    /// `None` for a token whose permissions the service does not list.
    pub scopes: Option<Vec<String>>,
    /// Scopes that are wanted and that the token does not have.
    pub missing: Vec<String>,
    /// When the token ends; `None` if never or not told.
    pub expires: Option<WallTime>,
}

/// Checks a service within `CHECK_LIMIT`, with `key` if it has one.
pub async fn check_service(
    service: &ServiceSettings,
    key: Option<Arc<BoundSecret>>,
    upstream: &dyn Upstream,
    clock: &dyn Clock,
) -> ServiceCheck {
    let begun = clock.now();
    let is_keyed = key.is_some();
    let mut account = None;
    let checking = async {
        // An error is the outcome of a check that ended before its last step.
        let ended = match service.kind {
            ServiceKind::Http => Ok(http::check(service, key, upstream).await),
            ServiceKind::Tcp => tcp::check(service).await,
            ServiceKind::Redis => Box::pin(redis::check(service, key)).await,
            ServiceKind::Postgres => Box::pin(postgres::check(service, key)).await,
            ServiceKind::Github => Ok(github::check(service, key, upstream, &mut account).await),
        };
        ended.unwrap_or_else(|outcome| outcome)
    };
    let outcome = match tokio::time::timeout(CHECK_LIMIT, checking).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => {
            Outcome::unreachable(format!("it did not answer within {} s", CHECK_LIMIT.as_secs()))
        }
    };
    let duration = clock.now().since(begun);
    ServiceCheck { report: outcome.into_report(is_keyed, duration), account }
}

/// The report of a service whose key could not be read from the vault, or not be refreshed.
#[must_use]
pub fn unreadable_key_report(error: &KeyError) -> ProbeReport {
    let (finding, title) = match error {
        KeyError::Rejected(_) => (HealthFinding::KeyRejected, outcome::REFRESHED),
        KeyError::Expired(_) => (HealthFinding::Failed, outcome::REFRESHED),
        KeyError::Vault(_) if error.is_missing() => (HealthFinding::Failed, outcome::READ_KEY),
        // A vault that is locked says nothing about the service.
        KeyError::Vault(_) => (HealthFinding::LocalFault, outcome::READ_KEY),
    };
    let (detail, fix) = (error.to_string(), error.hint());
    let step = failed_step(title, &detail, fix);
    let skipped = ProbeStep::Skipped { title: outcome::REACHED.to_owned() };
    let report = ProbeReport::new(finding, detail, Duration::ZERO);
    ProbeReport {
        fix: fix.map(str::to_owned),
        key_missing: error.is_missing(),
        steps: vec![step, skipped],
        ..report
    }
}
