//! The providers whose list prices are bundled, and the aliases that they document.

use domain::{Origin, Preset, PresetLocation};
use url::Url;

domain::words! {
    /// A provider whose list prices are bundled, under the id of its preset.
    Provider {
        /// Gatehouse's own mock, which bills nothing and has no prices.
        Mock = "mock",
        /// A server on this machine at the address of a preset, which bills nothing.
        Local = "local",
        OpenAi = "openai",
        Anthropic = "anthropic",
        /// Google's Gemini API (not Vertex AI, which is priced by region).
        Google = "google",
        Mistral = "mistral",
        DeepSeek = "deepseek",
        Groq = "groq",
        XAi = "xai",
        Together = "together",
        Fireworks = "fireworks",
        Cerebras = "cerebras",
        DeepInfra = "deepinfra",
        Cohere = "cohere",
        Moonshot = "moonshot",
        MiniMax = "minimax",
        Zai = "zai",
        /// Model Studio outside mainland China.
        Alibaba = "alibaba",
        Nebius = "nebius",
        Novita = "novita",
        SambaNova = "sambanova",
        Hyperbolic = "hyperbolic",
        Friendli = "friendli",
        Inception = "inception",
        Baseten = "baseten",
        WandB = "wandb",
        Perplexity = "perplexity",
    }
}

/// Further addresses of providers that have another one in their preset.
const FURTHER_ADDRESSES: &[(&str, Provider)] = &[
    ("https://api.together.xyz", Provider::Together),
    ("https://api.cohere.com", Provider::Cohere),
];

impl Provider {
    /// The provider whose list prices apply to a backend at `url`: the one of the preset with that
    /// address, or none. Regional hosts, proxies and resellers have none. The mock is known by its
    /// kind, not by its address. A server on this machine is free only without a key, since
    /// something that wants one may pass requests on to somebody who bills them.
    #[must_use]
    pub fn from_base_url(url: &Url, has_key: bool) -> Option<Self> {
        let origin = Origin::from_url(url).ok()?;
        if origin.is_loopback() {
            let is_preset = domain::presets().any(|preset| is_local_preset(preset, url));
            return (is_preset && !has_key).then_some(Self::Local);
        }
        let further = FURTHER_ADDRESSES.iter().find(|(address, _)| has_origin(address, &origin));
        if let Some((_, provider)) = further {
            return Some(*provider);
        }
        let presets = || domain::presets().filter(|preset| has_origin(preset.base_url, &origin));
        // A plan without prices per token can have a path of its own at the same host.
        let preset =
            presets().find(|preset| shares_path(preset, url)).or_else(|| presets().next())?;
        preset.id.parse().ok()
    }

    /// Ids that any provider documents as aliases of `model`, so that their price is the price of
    /// `model` too.
    pub fn documented_aliases(model: &str) -> impl Iterator<Item = &str> {
        Self::ALL.iter().filter_map(move |provider| provider.documented_alias(model))
    }

    /// The id that the provider documents as an alias of `model`: OpenAI's `gpt-4.1-2025-04-14` and
    /// Anthropic's `claude-opus-4-5-20251101` without the release date, Google's
    /// `models/gemini-2.5-pro` without the resource prefix.
    pub(crate) fn documented_alias(self, model: &str) -> Option<&str> {
        match self {
            Self::OpenAi => strip_date(model, "-dddd-dd-dd"),
            Self::Anthropic => strip_date(model, "-dddddddd"),
            Self::Google => model.strip_prefix("models/"),
            _ => None,
        }
    }
}

fn has_origin(address: &str, origin: &Origin) -> bool {
    address.parse::<Origin>().is_ok_and(|known| known == *origin)
}

fn is_local_preset(preset: &Preset, url: &Url) -> bool {
    let place = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default());
    preset.location == PresetLocation::Local
        && Url::parse(preset.base_url).is_ok_and(|address| place(&address) == place(url))
}

/// True if the paths of both begin alike, as far as the shorter of the two goes.
fn shares_path(preset: &Preset, url: &Url) -> bool {
    let Ok(address) = Url::parse(preset.base_url) else { return false };
    let parts = |url: &Url| -> Vec<String> {
        url.path().split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    parts(&address).iter().zip(&parts(url)).all(|(known, asked)| known == asked)
}

/// `model` without a suffix that matches `pattern`, in which `d` is any digit.
fn strip_date<'a>(model: &'a str, pattern: &str) -> Option<&'a str> {
    let (base, end) = model.split_at_checked(model.len().checked_sub(pattern.len())?)?;
    let fits = |(byte, expected)| match expected {
        b'd' => u8::is_ascii_digit(&byte),
        _ => byte == expected,
    };
    (!base.is_empty() && end.bytes().zip(pattern.bytes()).all(fits)).then_some(base)
}
