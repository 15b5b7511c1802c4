//! Checks a key with its provider before a backend uses it, unbilled, at the address of the provider's
//! preset.
//!
//! Invariant: a key is sent to the host alone that the vault binds it to, and only if that is the host of
//! a preset; the settings say nothing about where it goes.

use std::collections::BTreeSet;
use std::sync::Arc;

use billing::BalanceEndpoint;
use domain::{
    BackendId, BoundSecret, Clock, CredentialId, Origin, Preset, PresetLocation, presets,
};
use endpoints::Verdict;
use gateway::{
    Backend, FetchError, KeyCarrier, KeyError, ProbeFailure, ReportCall, Upstream, fetch_report,
    probe,
};
use ledger::KeyVerdictSource;
use settings::api_root;

use crate::events::EventBus;
use crate::gateway::snapshot::target_kind;
use crate::health::probe::KeyTrial;
use crate::keys::statuses::{KeyResult, KeyState, KeyStatuses};
use crate::topic::Topic;

/// Largest answer of a provider about a key, in bytes.
const ANSWER_BYTES_MAX: usize = 65_536;

/// Checks keys that no backend uses.
pub struct ProviderKeyCheck {
    pub(crate) keys: Arc<KeyStatuses>,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: EventBus,
}

/// What the provider of a key made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderVerdict {
    /// The provider's own spelling of its name.
    pub provider: &'static str,
    pub trial: KeyTrial,
}

/// The preset of the provider at `origin`; None if it is not known, and for servers of this machine.
#[must_use]
pub fn provider_at(origin: &Origin) -> Option<&'static Preset> {
    hosted_at(origin).next()
}

fn hosted_at(origin: &Origin) -> impl Iterator<Item = &'static Preset> {
    presets().filter(|preset| {
        preset.location == PresetLocation::Hosted
            && preset.base_url.parse::<Origin>().is_ok_and(|known| known == *origin)
    })
}

impl ProviderKeyCheck {
    /// Asks the provider about a key, and keeps what it says. None if the key is bound to no host of a
    /// known provider.
    ///
    /// # Errors
    /// If the key cannot be read.
    pub async fn check(&self, id: &CredentialId) -> Result<Option<ProviderVerdict>, KeyError> {
        let generation = self.keys.generation(id);
        let key = self.keys.access_tokens().key(id).await?;
        let place = key.parts().1.and_then(provider_at).map(|preset| preset.id);
        let Some((place, verdict)) = place.zip(self.try_key(key).await) else { return Ok(None) };
        let state = match &verdict.trial {
            KeyTrial::Accepted => Some((KeyState::Valid, None)),
            KeyTrial::Rejected(why) => Some((KeyState::Rejected, Some(why.clone()))),
            KeyTrial::Unknown(_) => None,
        };
        if let Some((state, reason)) = state {
            let (source, at) = (KeyVerdictSource::Check, self.clock.wall());
            let result = KeyResult { key: id, generation, place, source, state, reason, at };
            if self.keys.record_result(result) {
                self.events.send_changed(&[Topic::Keys, Topic::Status]);
            }
        }
        Ok(Some(verdict))
    }

    /// Asks the provider about a key that may not be the one in use. No other part learns of it. A
    /// provider may have several addresses at one host, each with keys of its own: one that accepts the
    /// key decides.
    pub async fn try_key(&self, key: Arc<BoundSecret>) -> Option<ProviderVerdict> {
        let origin = key.parts().1?.clone();
        let mut last = None;
        for preset in hosted_at(&origin) {
            let trial = self.ask(preset, &origin, &key).await;
            let is_accepted = trial == KeyTrial::Accepted;
            last = Some(ProviderVerdict { provider: preset.label, trial });
            if is_accepted {
                break;
            }
        }
        last
    }

    async fn ask(&self, preset: &Preset, origin: &Origin, key: &Arc<BoundSecret>) -> KeyTrial {
        match self.list_models(preset, Some(Arc::clone(key))).await {
            // A list that is open to anyone says nothing of the key.
            Ok(()) if self.list_models(preset, None).await.is_ok() => {
                self.ask_about_key(origin, key).await
            }
            Ok(()) => KeyTrial::Accepted,
            Err(failure) if failure.verdict == Verdict::KeyRejected => {
                KeyTrial::Rejected(failure.message)
            }
            Err(failure) => KeyTrial::Unknown(failure.message),
        }
    }

    async fn list_models(
        &self,
        preset: &Preset,
        key: Option<Arc<BoundSecret>>,
    ) -> Result<(), ProbeFailure> {
        let id = BackendId::new(preset.id).map_err(|error| not_asked(error.to_string()))?;
        let url = preset
            .base_url
            .parse()
            .map_err(|_| not_asked("its address is not valid".to_owned()))?;
        let (root, kind) = (
            api_root(preset.kind, &url),
            target_kind(preset.kind, BTreeSet::new(), BTreeSet::new()),
        );
        let credential = CredentialId::new(preset.id).ok();
        let backend = Backend::new(id, kind, &root, credential)
            .map_err(|error| not_asked(error.to_string()))?;
        probe(&*self.network, &backend, key, &*self.clock).await.map(drop)
    }

    /// Asks what the provider tells of the key itself, where that is known.
    async fn ask_about_key(&self, origin: &Origin, key: &Arc<BoundSecret>) -> KeyTrial {
        let Some(endpoint) = BalanceEndpoint::at(origin) else {
            let reason = "it lists its models to anyone, so only a request would tell";
            return KeyTrial::Unknown(reason.to_owned());
        };
        let call = ReportCall {
            origin: origin.clone(),
            path: endpoint.path().to_owned(),
            key: Arc::clone(key),
            carrier: KeyCarrier::Bearer,
            headers: &[],
        };
        match fetch_report(&*self.network, call, ANSWER_BYTES_MAX).await {
            Ok(_) => KeyTrial::Accepted,
            Err(FetchError::Status(401)) => KeyTrial::Rejected("rejected its key (401)".to_owned()),
            Err(error) => KeyTrial::Unknown(error.to_string()),
        }
    }
}

fn not_asked(message: String) -> ProbeFailure {
    ProbeFailure { verdict: Verdict::NotSent, http_status: None, message }
}

#[cfg(test)]
mod tests;
