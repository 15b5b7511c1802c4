//! A read-only vault of the environment variables in which tools expect keys.
//!
//! The shell passes the variables in; this module does not read the environment. Each known
//! variable is one credential bound to its vendor's host, so a key from the environment cannot be
//! sent anywhere else.

use std::collections::BTreeMap;

use domain::{BoundSecret, CredentialId, Origin, Secret};
use zeroize::Zeroize;

use crate::{Damage, SecretStore, VaultError, VaultKind};

/// A variable that a vendor's own tools read a key from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownVariable {
    pub variable: &'static str,
    /// Id of its credential.
    pub credential: &'static str,
    /// The host that its key is for.
    pub origin: &'static str,
}

const fn known_variable(
    variable: &'static str,
    credential: &'static str,
    origin: &'static str,
) -> KnownVariable {
    KnownVariable { variable, credential, origin }
}

/// The known variables, from the documentation of each vendor's SDK: those of the presets (checked
/// by a test in `engine`), a second one of Google's, and GitHub's, whose token most developers have
/// although no backend uses it any more. If two variables have one credential, the earlier wins:
/// `GEMINI_API_KEY` names this API, `GOOGLE_API_KEY` may be for any of Google's.
pub const KNOWN_VARIABLES: &[KnownVariable] = &[
    known_variable("OPENAI_API_KEY", "openai", "https://api.openai.com"),
    known_variable("ANTHROPIC_API_KEY", "anthropic", "https://api.anthropic.com"),
    known_variable("GEMINI_API_KEY", "gemini", "https://generativelanguage.googleapis.com"),
    known_variable("GOOGLE_API_KEY", "gemini", "https://generativelanguage.googleapis.com"),
    known_variable("GROQ_API_KEY", "groq", "https://api.groq.com"),
    known_variable("MISTRAL_API_KEY", "mistral", "https://api.mistral.ai"),
    known_variable("OPENROUTER_API_KEY", "openrouter", "https://openrouter.ai"),
    known_variable("DEEPSEEK_API_KEY", "deepseek", "https://api.deepseek.com"),
    known_variable("XAI_API_KEY", "xai", "https://api.x.ai"),
    known_variable("TOGETHER_API_KEY", "together", "https://api.together.ai"),
    known_variable("FIREWORKS_API_KEY", "fireworks", "https://api.fireworks.ai"),
    known_variable("CEREBRAS_API_KEY", "cerebras", "https://api.cerebras.ai"),
    known_variable("PERPLEXITY_API_KEY", "perplexity", "https://api.perplexity.ai"),
    known_variable("COHERE_API_KEY", "cohere", "https://api.cohere.ai"),
    known_variable("NVIDIA_API_KEY", "nvidia", "https://integrate.api.nvidia.com"),
    known_variable("HF_TOKEN", "huggingface", "https://router.huggingface.co"),
    known_variable("DEEPINFRA_API_KEY", "deepinfra", "https://api.deepinfra.com"),
    known_variable("GITHUB_TOKEN", "github", "https://api.github.com"),
    known_variable("AI_GATEWAY_API_KEY", "vercel", "https://ai-gateway.vercel.sh"),
    known_variable("OLLAMA_API_KEY", "ollama-cloud", "https://ollama.com"),
    known_variable("MOONSHOT_API_KEY", "moonshot", "https://api.moonshot.ai"),
    known_variable("KIMI_API_KEY", "kimi-code", "https://api.kimi.com"),
    known_variable("MINIMAX_API_KEY", "minimax", "https://api.minimax.io"),
    known_variable("ZAI_API_KEY", "zai", "https://api.z.ai"),
    known_variable("DASHSCOPE_API_KEY", "alibaba", "https://dashscope-intl.aliyuncs.com"),
    known_variable("ARK_API_KEY", "volcengine", "https://ark.cn-beijing.volces.com"),
    known_variable("SILICONFLOW_API_KEY", "siliconflow", "https://api.siliconflow.com"),
    known_variable("STEPFUN_API_KEY", "stepfun", "https://api.stepfun.com"),
    known_variable("UPSTAGE_API_KEY", "upstage", "https://api.upstage.ai"),
    known_variable("SAMBANOVA_API_KEY", "sambanova", "https://api.sambanova.ai"),
    known_variable("HYPERBOLIC_API_KEY", "hyperbolic", "https://api.hyperbolic.xyz"),
    known_variable("NOVITA_API_KEY", "novita", "https://api.novita.ai"),
    known_variable("NEBIUS_API_KEY", "nebius", "https://api.tokenfactory.nebius.com"),
    known_variable("BASETEN_API_KEY", "baseten", "https://inference.baseten.co"),
    known_variable("CHUTES_API_KEY", "chutes", "https://llm.chutes.ai"),
    known_variable("FRIENDLI_TOKEN", "friendli", "https://api.friendli.ai"),
    known_variable("INCEPTION_API_KEY", "inception", "https://api.inceptionlabs.ai"),
    known_variable("VENICE_API_KEY", "venice", "https://api.venice.ai"),
    known_variable("WANDB_API_KEY", "wandb", "https://api.inference.wandb.ai"),
    known_variable("SCALEWAY_API_KEY", "scaleway", "https://api.scaleway.ai"),
    known_variable("OVHCLOUD_API_KEY", "ovhcloud", "https://oai.endpoints.kepler.ai.cloud.ovh.net"),
    known_variable("OPENCODE_API_KEY", "opencode", "https://opencode.ai"),
];

/// The keys found among the variables.
pub struct EnvStore {
    found: BTreeMap<CredentialId, Result<BoundSecret, Damage>>,
}

impl EnvStore {
    /// Keeps the [`KNOWN_VARIABLES`] and zeroes the rest. An empty variable counts as unset.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut given: BTreeMap<String, String> = variables.into_iter().collect();
        let mut found = BTreeMap::new();
        for known in KNOWN_VARIABLES {
            let value = given.remove(known.variable).filter(|value| !value.trim().is_empty());
            let parts = (CredentialId::new(known.credential), known.origin.parse::<Origin>());
            if let (Some(value), (Ok(id), Ok(origin))) = (value, parts) {
                let kept = Secret::parse(value)
                    .map(|secret| BoundSecret::new(secret, Some(origin)))
                    .map_err(|reason| Damage::Variable { variable: known.variable, reason });
                found.entry(id).or_insert(kept);
            }
        }
        given.values_mut().for_each(Zeroize::zeroize);
        Self { found }
    }

    /// Credentials with a variable that is set, usable or not.
    pub fn ids(&self) -> impl Iterator<Item = &CredentialId> {
        self.found.keys()
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
        let found = self.found.get(id).ok_or_else(|| VaultError::NotFound(id.clone()))?;
        found.clone().map_err(VaultError::Damaged)
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
        for known in KNOWN_VARIABLES {
            let store = store(&[(known.variable, "sk-123")]);
            let origin: Origin = known.origin.parse().expect("an origin");
            let bound = store.get(&id(known.credential)).expect(known.variable);
            assert!(bound.for_origin(&origin).is_ok() && origin.is_encrypted());
        }
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
