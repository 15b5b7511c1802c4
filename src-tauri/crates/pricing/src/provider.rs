//! The providers whose list prices are bundled, and the aliases that they document.

use domain::Origin;

domain::words! {
    /// A provider whose list prices are bundled.
    Provider {
        /// Gatehouse's own mock, which bills nothing and has no prices.
        Mock = "mock",
        OpenAi = "openai",
        Anthropic = "anthropic",
        /// Google's Gemini API (not Vertex AI, which is priced by region).
        Google = "google",
    }
}

impl Provider {
    /// The provider whose own API is at `origin`. Regional hosts, proxies, resellers and local
    /// servers have none. The mock is known by its kind, not by its address.
    #[must_use]
    pub fn from_origin(origin: &Origin) -> Option<Self> {
        match origin.to_string().as_str() {
            "https://api.openai.com:443" => Some(Self::OpenAi),
            "https://api.anthropic.com:443" => Some(Self::Anthropic),
            "https://generativelanguage.googleapis.com:443" => Some(Self::Google),
            _ => None,
        }
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
            Self::Mock => None,
        }
    }
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
