//! A read-only vault of the environment variables in which tools expect keys.
//!
//! The shell passes the variables in; this module does not read the environment. Each known
//! variable is one credential bound to its vendor's host, so a key from the environment cannot be
//! sent anywhere else.

use std::collections::BTreeMap;

use domain::{BoundSecret, CredentialId, Origin, Secret, known_variables};
use zeroize::Zeroize;

use crate::{Damage, SecretStore, VaultError, VaultKind};

/// A variable's name and the key in it.
type FoundVariable = (&'static str, Result<BoundSecret, Damage>);

/// The keys found among the variables.
pub struct EnvStore {
    /// The variables of each credential that are set. The first is its key.
    found: BTreeMap<CredentialId, Vec<FoundVariable>>,
}

impl EnvStore {
    /// Keeps the [`known_variables`] and zeroes the rest. An empty variable counts as unset.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut given: BTreeMap<String, String> = variables.into_iter().collect();
        let mut found = BTreeMap::new();
        for known in known_variables() {
            let value = given.remove(known.variable).filter(|value| !value.trim().is_empty());
            let parts = (CredentialId::new(known.credential), known.origin.parse::<Origin>());
            if let (Some(value), (Ok(id), Ok(origin))) = (value, parts) {
                let kept = Secret::parse(value)
                    .map(|secret| BoundSecret::new(secret, Some(origin)))
                    .map_err(|reason| Damage::Variable { variable: known.variable, reason });
                found.entry(id).or_insert_with(Vec::new).push((known.variable, kept));
            }
        }
        given.values_mut().for_each(Zeroize::zeroize);
        Self { found }
    }

    /// Credentials with a variable that is set, usable or not.
    pub fn ids(&self) -> impl Iterator<Item = &CredentialId> {
        self.found.keys()
    }

    /// The usable keys with their variables, those that another variable outranks included.
    pub fn keys(&self) -> impl Iterator<Item = (&'static str, &BoundSecret)> {
        let set = self.found.values().flatten();
        set.filter_map(|(variable, kept)| Some((*variable, kept.as_ref().ok()?)))
    }
}

impl SecretStore for EnvStore {
    fn kind(&self) -> VaultKind {
        VaultKind::Env
    }

    fn put(&self, _: &CredentialId, _: &BoundSecret) -> Result<(), VaultError> {
        Err(VaultError::ReadOnly)
    }

    fn get(&self, id: &CredentialId) -> Result<BoundSecret, VaultError> {
        let found = self.found.get(id).and_then(|set| set.first());
        let (_, kept) = found.ok_or_else(|| VaultError::NotFound(id.clone()))?;
        kept.clone().map_err(VaultError::Damaged)
    }

    fn remove(&self, _: &CredentialId) -> Result<(), VaultError> {
        Err(VaultError::ReadOnly)
    }

    fn probe(&self) -> Result<(), VaultError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store(variables: &[(&str, &str)]) -> EnvStore {
        EnvStore::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())))
    }

    fn id(text: &str) -> CredentialId {
        CredentialId::new(text).expect("an id")
    }

    #[test]
    fn every_known_variable_has_a_usable_id_and_an_encrypted_origin() {
        for known in known_variables() {
            let store = store(&[(known.variable, "sk-123")]);
            let origin: Origin = known.origin.parse().expect("an origin");
            let bound = store.get(&id(known.credential)).expect(known.variable);
            assert!(bound.for_origin(&origin).is_ok() && origin.is_encrypted());
        }
    }

    #[test]
    fn the_variable_of_every_preset_is_bound_to_its_host() {
        for preset in domain::presets() {
            let Some(variable) = preset.variable else { continue };
            let known = known_variables().find(|known| known.variable == variable);
            let origin = |url: &str| url.parse::<Origin>().expect(preset.id);
            assert_eq!(
                origin(known.expect(variable).origin),
                origin(preset.base_url),
                "{variable}"
            );
        }
        assert!(known_variables().count() >= 40);
    }

    #[test]
    fn a_variable_is_bound_to_its_vendor_and_an_unknown_or_empty_one_is_not_there() {
        let store =
            store(&[("OPENAI_API_KEY", " sk-1\n"), ("MY_KEY", "sk-2"), ("XAI_API_KEY", " ")]);
        assert_eq!(store.ids().map(CredentialId::as_str).collect::<Vec<_>>(), ["openai"]);
        let elsewhere: Origin = "https://api.openai.com.evil.test".parse().expect("an origin");
        assert!(store.get(&id("openai")).expect("set").for_origin(&elsewhere).is_err());
        assert!(matches!(store.get(&id("xai")), Err(VaultError::NotFound(_))));
    }

    #[test]
    fn the_more_specific_of_two_variables_wins() {
        let both = store(&[("GOOGLE_API_KEY", "general"), ("GEMINI_API_KEY", "specific")]);
        let one = store(&[("GEMINI_API_KEY", "specific")]);
        assert_eq!(both.get(&id("gemini")).expect("set"), one.get(&id("gemini")).expect("set"));
        let variables: Vec<_> = both.keys().map(|(variable, _)| variable).collect();
        assert_eq!(variables, ["GEMINI_API_KEY", "GOOGLE_API_KEY"], "each is found");
    }

    #[test]
    fn an_unusable_value_is_named_by_its_variable_without_being_quoted() {
        let error = store(&[("GROQ_API_KEY", "gsk two words")]).get(&id("groq")).expect_err("bad");
        let text = error.to_string();
        assert!(text.contains("GROQ_API_KEY") && !text.contains("words"), "{text}");
    }

    #[test]
    fn it_cannot_be_changed_and_says_what_to_do() {
        let store = store(&[("OPENAI_API_KEY", "sk-1")]);
        let secret = store.get(&id("openai")).expect("set");
        for refused in [store.put(&id("openai"), &secret), store.remove(&id("openai"))] {
            let error = refused.expect_err("read only");
            assert!(matches!(error, VaultError::ReadOnly), "{error:?}");
            assert!(error.hint().is_some_and(|hint| hint.contains("`gatehouse vault set file`")));
        }
    }
}
