//! Which provider a key is for, by its variable or its prefix.

use domain::{KnownVariable, known_variables, presets};

/// Prefixes of keys that no preset has, with the provider's name and host. From GitHub's table of
/// secret scanning patterns and the vendors' pages.
const OTHER_PROVIDERS: [(&str, &str, &str, &str); 8] = [
    ("ghp_", "github", "GitHub", "https://api.github.com"),
    ("github_pat_", "github", "GitHub", "https://api.github.com"),
    ("glpat-", "gitlab", "GitLab", "https://gitlab.com"),
    ("npm_", "npm", "npm", "https://registry.npmjs.org"),
    ("r8_", "replicate", "Replicate", "https://api.replicate.com"),
    ("SG.", "sendgrid", "SendGrid", "https://api.sendgrid.com"),
    ("sk_live_", "stripe", "Stripe", "https://api.stripe.com"),
    ("xoxb-", "slack", "Slack", "https://slack.com"),
];

/// A prefix of Google's keys beside the one of its preset.
const GOOGLE_PREFIX: &str = "AIza";

/// Keys of OpenAI from before projects, and of several others: their prefix does not tell whose.
const SHARED_PREFIX: &str = "sk-";

/// Tokens of an account's login, which the tool that made them renews, and tokens of ours.
const LOGIN_PREFIXES: [&str; 5] = ["sk-ant-oat", "sk-ant-ort", "eyJ", "ghk_", "ghc_"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyProvider {
    /// The usual id of its key in the vault.
    pub credential: &'static str,
    /// The provider's own spelling of its name.
    pub label: &'static str,
    /// The host that its key is for.
    pub origin: &'static str,
    /// The preset of a backend with such a key.
    pub preset: Option<&'static str>,
}

impl KeyProvider {
    fn of_variable(known: KnownVariable) -> Self {
        let preset = presets().find(|preset| preset.variable == Some(known.variable));
        let preset = preset.or_else(|| presets().find(|preset| is_for(preset, known.credential)));
        Self {
            credential: known.credential,
            label: preset.map_or(known.credential, |preset| preset.label),
            origin: known.origin,
            preset: preset.map(|preset| preset.id),
        }
    }
}

fn is_for(preset: &domain::Preset, credential: &str) -> bool {
    preset.variable.is_some() && preset.credential.unwrap_or(preset.id) == credential
}

/// The provider of a variable that tools read a key from.
pub(crate) fn provider_of_variable(name: &str) -> Option<KeyProvider> {
    known_variables().find(|known| known.variable == name).map(KeyProvider::of_variable)
}

/// True for a token that must stay with the program that made it.
pub(crate) fn is_login(value: &str) -> bool {
    LOGIN_PREFIXES.iter().any(|prefix| value.starts_with(prefix))
}

/// True if the value begins as keys do.
pub(crate) fn has_key_prefix(value: &str) -> bool {
    value.starts_with(SHARED_PREFIX) || find_provider(value).is_some()
}

/// The provider whose keys have this key's prefix; `None` if several have.
#[must_use]
pub(crate) fn find_provider(key: &str) -> Option<KeyProvider> {
    if let Some((_, credential, label, origin)) =
        OTHER_PROVIDERS.into_iter().find(|(prefix, ..)| key.starts_with(prefix))
    {
        return Some(KeyProvider { credential, label, origin, preset: None });
    }
    if key.starts_with(GOOGLE_PREFIX) {
        return provider_of_variable("GEMINI_API_KEY");
    }
    let begins = |preset: &&domain::Preset| preset.key_prefix.is_some_and(|p| key.starts_with(p));
    let length = |preset: &domain::Preset| preset.key_prefix.map_or(0, str::len);
    let longest = presets().filter(begins).map(length).max()?;
    let mut having = presets().filter(begins).filter(|preset| length(preset) == longest);
    let preset = having.next().filter(|_| having.next().is_none())?;
    provider_of_variable(preset.variable?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credential(key: &str) -> Option<&'static str> {
        find_provider(key).map(|provider| provider.credential)
    }

    #[test]
    fn a_prefix_names_its_service_and_a_shared_one_names_none() {
        assert_eq!(credential("sk-ant-api03-0123456789"), Some("anthropic"));
        assert_eq!(credential("sk-proj-0123456789abcdef"), Some("openai"));
        assert_eq!(credential("AIzaSy0123456789abcdef"), Some("gemini"));
        assert_eq!(credential("gsk_0123456789abcdef"), Some("groq"));
        assert_eq!(credential("github_pat_0123456789"), Some("github"));
        assert_eq!(credential("sk-0123456789abcdef0123"), None);
        assert_eq!(credential("no key at all"), None);
    }

    #[test]
    fn every_known_variable_has_a_service_with_its_host() {
        for known in known_variables() {
            let provider = provider_of_variable(known.variable).expect("a provider");
            assert_eq!((provider.credential, provider.origin), (known.credential, known.origin));
            assert!(!provider.label.is_empty());
        }
        let google = provider_of_variable("GOOGLE_API_KEY").expect("a provider");
        assert_eq!(google.preset, Some("google"));
        assert_eq!(provider_of_variable("GITHUB_TOKEN").and_then(|provider| provider.preset), None);
    }
}
