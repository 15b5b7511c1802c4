//! Status of keys learnt from traffic and probes: accepted, rejected, last used.
//!
//! In memory only, because an unbilled probe tests every enabled key within seconds of the start.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use domain::{BackendId, CredentialId, WallTime};
use endpoints::{EndpointRegistry, KeyGeneration};
use gateway::AccessTokens;
use ledger::{KeyVerdict, KeyVerdictRecord, KeyVerdictSource, Ledger, LedgerError, RequestQuery};
use parking_lot::Mutex;

use crate::keys::retired::{RETIRED_KEY_AGE_MAX, RetiredKeys};

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyStatus {
    pub state: KeyState,
    /// Why, and what to do.
    pub reason: Option<String>,
    /// When a provider last accepted or rejected the key.
    pub verified_at: Option<WallTime>,
    /// When a request last used the key.
    pub used_at: Option<WallTime>,
    /// What the ledger was told last, by place.
    pub(crate) logged: BTreeMap<String, KeyVerdict>,
}

domain::words! {
    #[derive(Default)]
    KeyState {
        /// Not tried yet.
        #[default]
        Unverified = "unverified",
        /// Accepted at the last call.
        Valid = "valid",
        /// Rejected at the last call.
        Rejected = "rejected",
        /// Its access token ended and could not be refreshed.
        Expired = "expired",
        /// In the settings but not in the vault.
        Missing = "missing",
    }
}

impl KeyState {
    /// Completes "the key …"; `None` for a key without a known fault.
    #[must_use]
    pub const fn fault(self) -> Option<&'static str> {
        match self {
            Self::Rejected => Some("was rejected"),
            Self::Expired => Some("could not be refreshed"),
            Self::Missing => Some("is not in the vault"),
            Self::Valid | Self::Unverified => None,
        }
    }
}

/// What one call showed of a key.
pub(crate) struct KeyResult<'a> {
    pub(crate) key: &'a CredentialId,
    /// Of the secret that was sent.
    pub(crate) generation: KeyGeneration,
    /// The backend or service that was called.
    pub(crate) place: &'a str,
    pub(crate) source: KeyVerdictSource,
    pub(crate) state: KeyState,
    pub(crate) reason: Option<String>,
    pub(crate) at: WallTime,
}

/// Why a key is [`KeyState::Missing`].
pub(crate) const NOT_IN_VAULT: &str = "it is not in this vault; replace it to enter it again";

pub struct KeyStatuses {
    registry: Arc<EndpointRegistry>,
    ledger: Ledger,
    keys: Mutex<HashMap<CredentialId, KeyStatus>>,
    retired: RetiredKeys,
    access_tokens: Arc<AccessTokens>,
}

impl KeyStatuses {
    pub(crate) fn new(
        registry: Arc<EndpointRegistry>,
        ledger: Ledger,
        access_tokens: Arc<AccessTokens>,
    ) -> Self {
        let (keys, retired) = (Mutex::default(), RetiredKeys::new(RETIRED_KEY_AGE_MAX));
        Self { registry, ledger, keys, retired, access_tokens }
    }

    /// What requests carry for keys that are refreshed.
    #[must_use]
    pub const fn access_tokens(&self) -> &Arc<AccessTokens> {
        &self.access_tokens
    }

    #[must_use]
    pub const fn retired(&self) -> &RetiredKeys {
        &self.retired
    }

    /// Status of a key; the default if nothing is known.
    #[must_use]
    pub fn status(&self, id: &CredentialId) -> KeyStatus {
        let known = self.keys.lock().get(id).cloned().unwrap_or_default();
        let Some(token) = self.access_tokens.status(id) else { return known };
        let Some(fault) = token.fault else { return known };
        let state = match (token.is_rejected, token.is_expired) {
            (true, _) => KeyState::Rejected,
            (false, true) => KeyState::Expired,
            (false, false) => known.state,
        };
        let reason = match token.is_expired {
            true => fault,
            false => format!("{fault}. Requests work until the access token ends"),
        };
        KeyStatus { state, reason: Some(reason), ..known }
    }

    /// Last use of a key: since the start, otherwise from the ledger's newest request of each
    /// backend.
    pub async fn last_used(
        &self,
        id: &CredentialId,
        used_by: &[BackendId],
    ) -> Result<Option<WallTime>, LedgerError> {
        let mut latest = self.status(id).used_at;
        if latest.is_some() {
            return Ok(latest);
        }
        for backend in used_by {
            let newest = RequestQuery { backend: Some(backend.clone()), ..RequestQuery::newest(1) };
            let rows = self.ledger.requests(newest).await?;
            let own = rows.first().filter(|row| row.credential.as_ref() == Some(id));
            latest = latest.max(own.map(|row| row.request.started));
        }
        Ok(latest)
    }

    /// Forgets the status of a replaced key and lifts the blocks and cooldowns of its endpoints. What
    /// is still under way with the old secret no longer counts.
    pub fn forget(&self, id: &CredentialId) {
        self.access_tokens.forget(id);
        self.registry.lift_after_credential_change(id);
        self.keys.lock().remove(id);
    }

    /// [`Self::forget`] and [`Self::begin_anew`].
    pub fn forget_secret(&self, id: &CredentialId, at: WallTime) {
        self.forget(id);
        self.begin_anew(id, at);
    }

    /// What becomes of the new secret of a key that was forgotten is not compared with the past.
    pub fn begin_anew(&self, id: &CredentialId, at: WallTime) {
        let mut keys = self.keys.lock();
        // What was met since it was forgotten is told again by the checks that follow.
        keys.remove(id);
        self.record_verdict(KeyVerdictRecord {
            at,
            credential: id.clone(),
            place: None,
            verdict: KeyVerdict::Unknown,
            source: KeyVerdictSource::Change,
        });
    }

    /// Which secret of a key is in use. Ask before the secret is read.
    #[must_use]
    pub fn generation(&self, id: &CredentialId) -> KeyGeneration {
        self.registry.key_generation(id)
    }

    /// Records what a call showed of a key, unless the key was replaced since the call began. Returns
    /// `true` if its state changed.
    pub(crate) fn record_result(&self, result: KeyResult<'_>) -> bool {
        let KeyResult { key: id, generation, place, source, state, reason, at } = result;
        let mut keys = self.keys.lock();
        if generation != self.generation(id) {
            return false;
        }
        if state == KeyState::Rejected {
            self.access_tokens.refuse_token(id);
        }
        let key = keys.entry(id.clone()).or_default();
        let changed = key.state != state;
        (key.state, key.reason, key.verified_at) = (state, reason, Some(at));
        let told = key.logged.get(place).copied();
        if let Some(verdict) = logged_verdict(state, source).filter(|it| Some(*it) != told) {
            key.logged.insert(place.to_owned(), verdict);
            let (credential, place) = (id.clone(), Some(place.to_owned()));
            // While the keys are locked: the ledger gets results in the order of the states.
            self.record_verdict(KeyVerdictRecord { at, credential, place, verdict, source });
        }
        drop(keys);
        changed
    }

    fn record_verdict(&self, record: KeyVerdictRecord) {
        if let Err(error) = self.ledger.record_key_verdict(record) {
            tracing::debug!(%error, "the state of a key could not be recorded");
        }
    }

    pub(crate) fn record_use(&self, id: &CredentialId, at: WallTime) {
        self.keys.lock().entry(id.clone()).or_default().used_at = Some(at);
    }
}

/// What the ledger is told. A rejected request blocks the key's endpoint, which is logged with its
/// cause.
const fn logged_verdict(state: KeyState, source: KeyVerdictSource) -> Option<KeyVerdict> {
    match (state, source) {
        (KeyState::Valid, _) => Some(KeyVerdict::Accepted),
        (KeyState::Rejected, KeyVerdictSource::Check) => Some(KeyVerdict::Rejected),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_parts::{access_tokens, ledger_in, registry};

    #[test]
    fn a_replaced_key_starts_anew_and_keeps_nothing_of_the_old_one() {
        let home = tempfile::tempdir().expect("a folder");
        let standings = KeyStatuses::new(registry(), ledger_in(&home), access_tokens(&home));
        let id = CredentialId::new("up").expect("an id");
        let at = WallTime::from_unix_ms(1);
        let rejected = |reason: &str| KeyResult {
            key: &id,
            generation: standings.generation(&id),
            place: "up",
            source: KeyVerdictSource::Check,
            state: KeyState::Rejected,
            reason: Some(reason.to_owned()),
            at,
        };
        assert!(standings.record_result(rejected("no")));
        assert!(!standings.record_result(rejected("still")));
        standings.record_use(&id, at);
        assert_eq!(standings.status(&id).used_at, Some(at));
        // What one place made of it is no news of another.
        let accepted = |place: &'static str| KeyResult {
            place,
            state: KeyState::Valid,
            reason: None,
            ..rejected("")
        };
        assert!(standings.record_result(accepted("other")));
        assert_eq!(standings.status(&id).logged.get("up"), Some(&KeyVerdict::Rejected));
        assert!(!standings.record_result(accepted("up")));
        assert_eq!(standings.status(&id).logged.get("up"), Some(&KeyVerdict::Accepted));
        let late = [rejected("late"), accepted("up")];
        standings.forget(&id);
        assert_eq!(standings.status(&id), KeyStatus::default());
        // What the old secret met says nothing of the new one.
        for result in late {
            assert!(!standings.record_result(result));
        }
        assert_eq!(standings.status(&id), KeyStatus::default());
        let fresh = KeyResult { generation: standings.generation(&id), ..rejected("") };
        assert!(standings.record_result(fresh));
    }

    #[tokio::test]
    async fn a_request_tells_that_a_key_is_accepted_again_and_not_that_it_is_rejected() {
        let home = tempfile::tempdir().expect("a folder");
        let ledger = ledger_in(&home);
        let standings = KeyStatuses::new(registry(), ledger.clone(), access_tokens(&home));
        let id = CredentialId::new("up").expect("an id");
        let met = |at, source, state| KeyResult {
            key: &id,
            generation: standings.generation(&id),
            place: "up",
            source,
            state,
            reason: None,
            at: WallTime::from_unix_ms(at),
        };
        use KeyVerdictSource::{Check, Request};
        for result in [
            met(1, Check, KeyState::Rejected),
            met(2, Request, KeyState::Valid),
            met(3, Check, KeyState::Valid),
            met(4, Request, KeyState::Rejected),
            met(5, Check, KeyState::Rejected),
        ] {
            standings.record_result(result);
        }
        let written = ledger.key_verdicts(id.clone()).await.expect("read");
        let written: Vec<_> =
            written.iter().map(|it| (it.at.unix_ms(), it.verdict, it.source)).collect();
        // A rejected request is in the log of its endpoint.
        let expected = [
            (1, KeyVerdict::Rejected, Check),
            (2, KeyVerdict::Accepted, Request),
            (5, KeyVerdict::Rejected, Check),
        ];
        assert_eq!(written, expected);
    }

    #[tokio::test]
    async fn a_result_of_an_earlier_secret_is_not_written_for_the_new_one() {
        let home = tempfile::tempdir().expect("a folder");
        let ledger = ledger_in(&home);
        let standings = KeyStatuses::new(registry(), ledger.clone(), access_tokens(&home));
        let id = CredentialId::new("up").expect("an id");
        let rejected = |generation, at| KeyResult {
            key: &id,
            generation,
            place: "up",
            source: KeyVerdictSource::Check,
            state: KeyState::Rejected,
            reason: None,
            at: WallTime::from_unix_ms(at),
        };
        let old = standings.generation(&id);
        standings.record_result(rejected(old, 1));
        standings.forget_secret(&id, WallTime::from_unix_ms(2));
        standings.record_result(rejected(old, 3));
        standings.record_result(rejected(standings.generation(&id), 4));
        let written = ledger.key_verdicts(id.clone()).await.expect("read");
        let written: Vec<_> = written.iter().map(|it| (it.at.unix_ms(), it.verdict)).collect();
        let expected =
            [(1, KeyVerdict::Rejected), (2, KeyVerdict::Unknown), (4, KeyVerdict::Rejected)];
        assert_eq!(written, expected);
    }
}
