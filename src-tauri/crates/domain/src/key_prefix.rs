//! Prefixes of services' API keys: one list for the presets and for masking keys in text.
//!
//! Taken from the vendors' pages and the public rules of secret scanners. Presets can only use
//! constants of this list, so the keys of every preset are masked.

/// The beginning of one service's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyPrefix(&'static str);

impl KeyPrefix {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

macro_rules! key_prefixes {
    ($($name:ident = $text:literal,)*) => {
        impl KeyPrefix {
            $(
                #[doc = concat!("`", $text, "`")]
                pub const $name: Self = Self($text);
            )*

            /// Every prefix. If one prefix begins another, the shorter comes first.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

key_prefixes! {
    SK_DASH = "sk-",
    SK_ANT = "sk-ant-",
    SK_KIMI = "sk-kimi-",
    SK_OR = "sk-or-",
    SK_PROJ = "sk-proj-",
    SK_UNDERSCORE = "sk_",
    RK = "rk_",
    PK = "pk-",
    GOOGLE = "AIza",
    GOOGLE_AUTH = "AQ.",
    GROQ = "gsk_",
    XAI = "xai-",
    PERPLEXITY = "pplx-",
    HUGGING_FACE = "hf_",
    REPLICATE = "r8_",
    GITHUB_PERSONAL = "ghp_",
    GITHUB_OAUTH = "gho_",
    GITHUB_SERVER = "ghs_",
    GITHUB_FINE_GRAINED = "github_pat_",
    GITLAB = "glpat-",
    SLACK_BOT = "xoxb-",
    SLACK_USER = "xoxp-",
    AWS = "AKIA",
    FIREWORKS = "fw_",
    CEREBRAS = "csk-",
    TOGETHER = "tgp_",
    NVIDIA = "nvapi-",
    VERCEL = "vck_",
    UPSTAGE = "up_",
    CHUTES = "cpk_",
    FRIENDLI = "flp_",
    GATEHOUSE_CLIENT = "ghk_",
    GATEHOUSE_CONTROL = "ghc_",
    AGE = "AGE-SECRET-KEY-",
    JSON_WEB_TOKEN = "eyJ",
}
