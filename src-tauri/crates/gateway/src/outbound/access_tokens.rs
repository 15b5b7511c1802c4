//! Access tokens of keys that are refreshed (OAuth 2.0): got from the token endpoint with the secret
//! in the vault, kept in memory alone, refreshed before they end, never sent after.
//!
//! One task refreshes ([`AccessTokens::keep_fresh`]), so a token has one attempt at a time, and an
//! attempt does not end with the request that waits for it: it may have used up a refresh token,
//! and the next one must reach the vault. A key is asked for once before it is kept fresh.

mod token_endpoint;
mod token_state;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, Clock, ClockReading, CredentialId, Secret, WallTime};
use endpoints::EndpointRegistry;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use parking_lot::Mutex;
use settings::SettingsStore;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use vault::{Vault, VaultError};

use crate::outbound::upstream::Upstream;
use token_endpoint::request_token;
use token_state::{RefreshFault, RefreshOutcome, TokenState, TokenUse};

/// Longest wait of a request for an access token. Longer than the endpoint has to answer.
pub(crate) const ACCESS_TOKEN_WAIT_MAX: Duration = Duration::from_secs(10);

/// Longest time until the tokens are looked at again: after a sleep of the machine a token may have
/// ended early by the wall clock.
const RECHECK: Duration = Duration::from_secs(30);

/// Why a key cannot be sent.
#[derive(Debug, Clone, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The token endpoint rejected the stored secret.
    #[error("{0}")]
    Rejected(String),
    /// The access token ended, and there is no new one yet.
    #[error("its access token ended and could not be refreshed: {0}")]
    Expired(String),
}

impl KeyError {
    /// True if the vault has no such key.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Vault(VaultError::NotFound(_)))
    }

    /// The remedy, where the error itself does not name it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Vault(error) => error.hint(),
            Self::Rejected(_) | Self::Expired(_) => None,
        }
    }
}

/// What is known of the access token of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessTokenStatus {
    /// When it was last refreshed and when it ends; `None` without a token.
    pub times: Option<(WallTime, WallTime)>,
    /// True if there is none, or it has ended.
    pub is_expired: bool,
    /// Why the last attempt to refresh it failed; a clause with its remedy.
    pub fault: Option<String>,
    /// True if the token endpoint rejected the stored secret.
    pub is_rejected: bool,
}

/// The keys that requests carry: those in the vault, and access tokens got with them.
pub struct AccessTokens {
    vault: Vault,
    network: Arc<dyn Upstream>,
    clock: Arc<dyn Clock>,
    settings: Arc<SettingsStore>,
    /// For jitter.
    registry: Arc<EndpointRegistry>,
    states: Mutex<TokenStates>,
    /// A request asks for a token that there is not.
    asked: Notify,
    /// Counts attempts that ended.
    ended: watch::Sender<u64>,
}

#[derive(Default)]
struct TokenStates {
    by_key: HashMap<CredentialId, TokenState>,
    last_number: u64,
}

impl TokenStates {
    fn of(&mut self, id: &CredentialId) -> &mut TokenState {
        let last = &mut self.last_number;
        self.by_key.entry(id.clone()).or_insert_with(|| {
            *last += 1;
            TokenState::new(*last)
        })
    }
}

/// An attempt that has begun.
struct Attempt {
    id: CredentialId,
    number: u64,
    unsaved: Option<BoundSecret>,
}

impl AccessTokens {
    #[must_use]
    pub fn new(
        vault: Vault,
        network: Arc<dyn Upstream>,
        clock: Arc<dyn Clock>,
        settings: Arc<SettingsStore>,
        registry: Arc<EndpointRegistry>,
    ) -> Self {
        let (states, asked, ended) = (Mutex::default(), Notify::new(), watch::Sender::new(0));
        Self { vault, network, clock, settings, registry, states, asked, ended }
    }

    /// What a request sends for the key `id`: the key itself, or its access token. Waits for the
    /// first attempt at a token that is missing or has ended, at most `ACCESS_TOKEN_WAIT_MAX`.
    pub async fn key(&self, id: &CredentialId) -> Result<Arc<BoundSecret>, KeyError> {
        let stored = self.vault.get(id).await?;
        if stored.exchange().is_none() {
            return Ok(stored);
        }
        let mut ended = self.ended.subscribe();
        if let Some(known) = self.token(id) {
            return known;
        }
        self.asked.notify_one();
        let settled = async {
            while ended.changed().await.is_ok() {
                if let Some(known) = self.token(id) {
                    return known;
                }
                // It was forgotten meanwhile, and begins anew.
                self.asked.notify_one();
            }
            Err(KeyError::Expired("it is being refreshed no longer".to_owned()))
        };
        let late = |_elapsed| {
            let secs = ACCESS_TOKEN_WAIT_MAX.as_secs();
            Err(KeyError::Expired(format!("there was no answer within {secs} s")))
        };
        tokio::time::timeout(ACCESS_TOKEN_WAIT_MAX, settled).await.unwrap_or_else(late)
    }

    /// `None` while the first attempt is still to come.
    fn token(&self, id: &CredentialId) -> Option<Result<Arc<BoundSecret>, KeyError>> {
        let at = ClockReading::read(&*self.clock);
        let mut states = self.states.lock();
        let state = states.of(id);
        state.want();
        match state.token(at) {
            TokenUse::Usable(token) => Some(Ok(token)),
            TokenUse::Awaited => None,
            TokenUse::Failed(RefreshFault { is_final: true, message }) => {
                Some(Err(KeyError::Rejected(message)))
            }
            TokenUse::Failed(fault) => Some(Err(KeyError::Expired(fault.message))),
        }
    }

    /// `None` for a key that nobody has asked an access token for.
    #[must_use]
    pub fn status(&self, id: &CredentialId) -> Option<AccessTokenStatus> {
        let at = ClockReading::read(&*self.clock);
        let states = self.states.lock();
        let state = states.by_key.get(id)?;
        Some(AccessTokenStatus {
            times: state.times(),
            is_expired: state.is_expired(at),
            fault: state.fault().map(|fault| fault.message.clone()),
            is_rejected: state.fault().is_some_and(|fault| fault.is_final),
        })
    }

    /// Drops what is known of a key that was replaced or removed.
    pub fn forget(&self, id: &CredentialId) {
        self.states.lock().by_key.remove(id);
    }

    /// Lets the next request try again at once, also after a rejection.
    pub fn retry(&self, id: &CredentialId) {
        if let Some(state) = self.states.lock().by_key.get_mut(id) {
            state.clear_fault();
        }
    }

    /// The provider refused the access token: it was revoked before its end.
    pub fn refuse_token(&self, id: &CredentialId) {
        let at = ClockReading::read(&*self.clock);
        if let Some(state) = self.states.lock().by_key.get_mut(id) {
            state.refuse_token(at);
        }
        self.asked.notify_one();
    }

    /// Refreshes tokens when they are due, until `stop`. Calls `changed` after each attempt.
    pub async fn keep_fresh(
        self: Arc<Self>,
        stop: CancellationToken,
        changed: Box<dyn Fn() + Send + Sync>,
    ) {
        let mut attempts: FuturesUnordered<BoxFuture<'static, ()>> = FuturesUnordered::new();
        loop {
            let (due, next) = self.begin_due();
            for attempt in due {
                attempts.push(Box::pin(Arc::clone(&self).refresh(attempt)));
            }
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.asked.notified() => {}
                () = tokio::time::sleep(next) => {}
                Some(()) = attempts.next() => changed(),
            }
        }
        // An attempt under way may have used up a refresh token: the next one must be stored.
        while attempts.next().await.is_some() {}
    }

    /// The attempts that are due, and the time until it is worth looking again.
    fn begin_due(&self) -> (Vec<Attempt>, Duration) {
        let at = ClockReading::read(&*self.clock);
        let (mut due, mut next) = (Vec::new(), RECHECK);
        for (id, state) in &mut self.states.lock().by_key {
            match state.due_in(at) {
                Some(Duration::ZERO) => {
                    let (id, number) = (id.clone(), state.number());
                    due.push(Attempt { id, number, unsaved: state.begin() });
                }
                Some(wait) => next = next.min(wait),
                None => {}
            }
        }
        (due, next)
    }

    async fn refresh(self: Arc<Self>, attempt: Attempt) {
        let Attempt { id, number, unsaved } = attempt;
        let outcome = match unsaved {
            Some(secret) => match self.vault.put(&id, secret).await {
                Ok(()) => RefreshOutcome::Saved,
                Err(error) => RefreshOutcome::Failed(unsaved_fault(&error)),
            },
            None => self.request(&id).await.unwrap_or_else(RefreshOutcome::Failed),
        };
        if let RefreshOutcome::Failed(fault) = &outcome {
            tracing::warn!(credential = %id, reason = fault.message, "no access token");
        }
        let (at, chance) = (ClockReading::read(&*self.clock), self.registry.chance());
        if let Some(state) = self.states.lock().by_key.get_mut(&id)
            && state.number() == number
        {
            state.settle(outcome, at, chance);
        }
        self.ended.send_modify(|count| *count += 1);
    }

    async fn request(&self, id: &CredentialId) -> Result<RefreshOutcome, RefreshFault> {
        let unread = |error: VaultError| RefreshFault::temporary(error.to_string());
        let stored = self.vault.get(id).await.map_err(unread)?;
        let settings = self.settings.current();
        let known = settings.credentials.get(id);
        let Some(client) = known.and_then(|known| known.oauth.as_ref()) else {
            let message = "the settings no longer say how it is refreshed; add it again";
            return Err(RefreshFault::rejected(message.to_owned()));
        };
        let asked = ClockReading::read(&*self.clock);
        let answer = request_token(Arc::clone(&self.network), client, &stored).await?;
        let mut unsaved = None;
        if let Some(rotated) = answer.rotated.filter(|new| new != stored.parts().0) {
            unsaved = self.save_rotated(id, &stored, rotated).await;
        }
        let token = Arc::new(stored.issued(answer.access_token));
        Ok(RefreshOutcome::Issued { token, asked, life: answer.life, unsaved })
    }

    /// Stores a rotated refresh token, unless the key was replaced meanwhile. Returns what the vault
    /// did not take.
    async fn save_rotated(
        &self,
        id: &CredentialId,
        used: &BoundSecret,
        rotated: Secret,
    ) -> Option<(BoundSecret, RefreshFault)> {
        let present = self.vault.get(id).await;
        let present = present.as_deref().unwrap_or(used);
        if present.parts().0 != used.parts().0 {
            return None;
        }
        let rotated = present.with_secret(rotated);
        match self.vault.put(id, rotated.clone()).await {
            Ok(()) => None,
            Err(error) => Some((rotated, unsaved_fault(&error))),
        }
    }
}

fn unsaved_fault(error: &VaultError) -> RefreshFault {
    RefreshFault::temporary(format!(
        "the provider gave a new refresh token that the vault does not take ({error}); without it \
         you have to sign in again after a restart"
    ))
}

#[cfg(test)]
mod tests;
