//! Whether a backend can answer now: the one judgement behind the verdict, the dependency tree and the
//! alerts.

use std::time::Duration;

use alerts::BackendFault;
use domain::{BackendId, CredentialId, HealthState, WallTime};
use monitor::{HealthCause, LastKnownHealth, ObservedHealth};
use resilience::BlockReason;
use settings::Settings;

use crate::configured::endpoints_of;
use crate::health::backend_states::{AvailabilityState, BackendDegradation, BackendStates};

/// Longest rest of a rate limit that is no outage: clients wait so long by themselves, and an alert
/// would be over before anybody could act on it.
pub(crate) const RATE_LIMIT_TOLERATED: Duration = Duration::from_secs(60);

/// Whether a backend can answer now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackendAnswers {
    Yes,
    /// It answers slowly, fails often or is recovering.
    Badly(BackendDegradation),
    /// No result is recent enough.
    Unconfirmed(Option<LastKnownHealth>),
    No(Outage),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outage {
    pub cause: OutageCause,
    /// A clause or a sentence.
    pub reason: String,
    pub since: Option<WallTime>,
    /// When it ends, if time alone ends it.
    pub until: Option<WallTime>,
    /// True for a rate limit that is over in a moment, for which clients wait by themselves.
    pub is_brief: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutageCause {
    /// Its probes or requests failed several times in a row.
    Down,
    /// None of its keys is accepted; the key has an issue of its own.
    Key(CredentialId),
    /// Its breaker is open, though its probes are answered.
    Failing,
    RateLimited,
    /// By its account, until the user mends it.
    Blocked(BlockReason),
    /// Blocked by the user.
    Held,
}

impl BackendAnswers {
    /// True unless it is known that requests fail, and will for longer than a moment.
    #[must_use]
    pub const fn can_answer(&self) -> bool {
        match self {
            Self::No(outage) => outage.is_brief,
            Self::Yes | Self::Badly(_) | Self::Unconfirmed(_) => true,
        }
    }
}

impl Outage {
    /// Of a key, which has an issue of its own.
    fn of_key(key: CredentialId) -> Self {
        let (cause, reason) = (OutageCause::Key(key), String::new());
        Self { cause, reason, since: None, until: None, is_brief: false }
    }
}

impl BackendStates {
    /// Whether a backend can answer now. One whose probes fail cannot, even while its breaker still lets
    /// requests through.
    #[must_use]
    pub fn answers(&self, settings: &Settings, id: &BackendId) -> BackendAnswers {
        self.answers_for(settings, id, None)
    }

    /// As [`Self::answers`], for requests that ask the backend for `model`, which may be rate limited
    /// by itself.
    pub(crate) fn answers_for(
        &self,
        settings: &Settings,
        id: &BackendId,
        model: Option<&str>,
    ) -> BackendAnswers {
        let (bad_key, lost_key) = self.bad_keys(settings, id);
        let health = self.health.health(id);
        let availability = self.availability_for(settings, id, model);
        let no = |cause| {
            let (reason, since) = (availability.why.clone(), availability.since);
            let until = availability.until;
            let is_limited = cause == OutageCause::RateLimited;
            let is_brief = is_limited && until.is_some_and(|until| self.is_soon(until));
            BackendAnswers::No(Outage { cause, reason, since, until, is_brief })
        };
        if let Some(key) = lost_key {
            return BackendAnswers::No(Outage::of_key(key));
        }
        match (health, availability.state) {
            (Some(health), _) if health.state == HealthState::Down => {
                let cause = match (health.cause, bad_key) {
                    (HealthCause::KeyRejected, Some(key)) => OutageCause::Key(key),
                    _ => OutageCause::Down,
                };
                let (reason, since) = (health.reason, health.since);
                BackendAnswers::No(Outage { cause, reason, since, until: None, is_brief: false })
            }
            // From before a restart, and not confirmed.
            (Some(health), AvailabilityState::Open) if health.last_known.is_some() => {
                BackendAnswers::Unconfirmed(health.last_known)
            }
            (_, AvailabilityState::CoolingDown) => no(OutageCause::RateLimited),
            (_, AvailabilityState::Open) => no(OutageCause::Failing),
            (_, AvailabilityState::Held) => no(OutageCause::Held),
            (_, AvailabilityState::Blocked) => match self.block(settings, id) {
                Some(reason) => no(OutageCause::Blocked(reason)),
                // It was lifted just now.
                None => BackendAnswers::Unconfirmed(None),
            },
            (Some(health), _) if health.state == HealthState::Up => {
                self.degradation(settings, id).map_or(BackendAnswers::Yes, BackendAnswers::Badly)
            }
            (health, _) => BackendAnswers::Unconfirmed(health.and_then(|it| it.last_known)),
        }
    }

    /// True unless it is known that requests to the backend fail, and will for longer than a moment.
    #[must_use]
    pub fn can_answer(&self, settings: &Settings, id: &BackendId) -> bool {
        self.health.is_watched(id) && self.answers(settings, id).can_answer()
    }

    /// What alerts say of a backend, with the reason.
    pub(crate) fn fault(&self, settings: &Settings, id: &BackendId) -> (BackendFault, String) {
        let Some(health) = self.health.health(id) else {
            return (BackendFault::Unknown, String::new());
        };
        let best = self.availability(settings, id);
        let is_rejected = health.cause == HealthCause::KeyRejected;
        let block = self.block(settings, id);
        let fault = match &health {
            // From before a restart, and not confirmed.
            ObservedHealth { last_known: Some(_), .. } => BackendFault::Unknown,
            known => backend_fault(known.state, is_rejected, best.state, block),
        };
        let is_gateways = matches!(fault, BackendFault::BreakerOpen | BackendFault::Unpaid);
        (fault, if is_gateways { best.why } else { health.reason })
    }

    /// Why the account of a key does not let requests through at a backend.
    #[must_use]
    pub fn key_block(
        &self,
        settings: &Settings,
        id: &BackendId,
        key: &CredentialId,
    ) -> Option<BlockReason> {
        let mut own = endpoints_of(settings, &self.mock, id);
        let endpoint = own.find(|it| it.credential.as_ref() == Some(key))?;
        self.registry.status(&endpoint).block.map(|block| block.reason)
    }

    /// The first block of its endpoints.
    fn block(&self, settings: &Settings, id: &BackendId) -> Option<BlockReason> {
        let mut own = endpoints_of(settings, &self.mock, id);
        own.find_map(|endpoint| Some(self.registry.status(&endpoint).block?.reason))
    }

    /// The first key of a backend that is not accepted; and the same if no other is left.
    fn bad_keys(
        &self,
        settings: &Settings,
        id: &BackendId,
    ) -> (Option<CredentialId>, Option<CredentialId>) {
        let Some(known) = settings.backends.get(id) else { return (None, None) };
        let is_bad = |key: &CredentialId| self.keys.status(key).state.fault().is_some();
        let bad = known.pool.credentials().find(|key| is_bad(key)).cloned();
        let lost = bad.clone().filter(|_| known.pool.credentials().all(is_bad));
        (bad, lost)
    }

    fn is_soon(&self, at: WallTime) -> bool {
        is_tolerated(at.unix_ms().saturating_sub(self.clock.wall().unix_ms()))
    }
}

/// True for the rest of a rate limit, in milliseconds, that is no outage.
pub(crate) fn is_tolerated(rest_ms: i64) -> bool {
    u64::try_from(rest_ms).is_ok_and(|ms| Duration::from_millis(ms) <= RATE_LIMIT_TOLERATED)
}

/// What alerts say of a backend with this health, by the availability of its best endpoint.
pub(crate) const fn backend_fault(
    health: HealthState,
    is_rejected: bool,
    best: AvailabilityState,
    block: Option<BlockReason>,
) -> BackendFault {
    match (health, best, block) {
        (HealthState::Down, ..) if is_rejected => BackendFault::KeyRejected,
        (HealthState::Down, ..) => BackendFault::Down,
        (_, AvailabilityState::Open, _) => BackendFault::BreakerOpen,
        (
            _,
            AvailabilityState::Blocked,
            Some(BlockReason::Unpaid | BlockReason::QuotaExhausted),
        ) => BackendFault::Unpaid,
        (_, AvailabilityState::Blocked, Some(_)) => BackendFault::KeyRejected,
        (HealthState::Up, AvailabilityState::Trial, _) => BackendFault::Trial,
        (HealthState::Up, AvailabilityState::Recovering, _) => BackendFault::Recovering,
        (HealthState::Up, ..) => BackendFault::None,
        (HealthState::Unknown, ..) => BackendFault::Unknown,
    }
}

#[cfg(test)]
mod tests;
