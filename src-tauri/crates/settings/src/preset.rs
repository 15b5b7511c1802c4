//! Providers and local servers that speak OpenAI's chat completions, so that nobody types an address.
//!
//! Base URLs are those of each provider's own documentation (`docs_url`).

use crate::BackendKind;

/// Where a preset's server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PresetPlace {
    /// A provider on the internet; wants a key.
    Hosted,
    /// A server on this machine; wants none.
    Local,
}

/// A backend that is known beforehand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// Proposed backend id.
    pub id: &'static str,
    /// The provider's name as it writes it.
    pub label: &'static str,
    /// The protocol it speaks.
    pub kind: BackendKind,
    /// The address that `/chat/completions` is appended to.
    pub base_url: &'static str,
    /// What its keys begin with, if they have a prefix of their own.
    pub key_prefix: Option<&'static str>,
    /// Where its compatible API is described.
    pub docs_url: &'static str,
    /// The environment variable in which its key customarily stands.
    pub variable: Option<&'static str>,
    /// Hosted or on this machine.
    pub place: PresetPlace,
}

/// All presets: hosted ones first, then local servers.
#[must_use]
pub const fn presets() -> &'static [Preset] {
    PRESETS
}

const HOSTED: Preset = Preset {
    id: "",
    label: "",
    kind: BackendKind::OpenAiCompatible,
    base_url: "",
    key_prefix: None,
    docs_url: "",
    variable: None,
    place: PresetPlace::Hosted,
};
const LOCAL: Preset = Preset { place: PresetPlace::Local, ..HOSTED };

const PRESETS: &[Preset] = &[
    Preset {
        id: "openai",
        label: "OpenAI",
        kind: BackendKind::OpenAi,
        base_url: "https://api.openai.com/v1",
        key_prefix: Some("sk-"),
        docs_url: "https://platform.openai.com/docs/api-reference",
        variable: Some("OPENAI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "anthropic",
        label: "Anthropic",
        base_url: "https://api.anthropic.com/v1",
        key_prefix: Some("sk-ant-"),
        docs_url: "https://docs.anthropic.com/en/api/openai-sdk",
        variable: Some("ANTHROPIC_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "google",
        label: "Google Gemini",
        base_url: "https://generativelanguage.googleapis.com/v1beta/openai",
        key_prefix: Some("AIza"),
        docs_url: "https://ai.google.dev/gemini-api/docs/openai",
        variable: Some("GEMINI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "openrouter",
        label: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        key_prefix: Some("sk-or-"),
        docs_url: "https://openrouter.ai/docs/quickstart",
        variable: Some("OPENROUTER_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "groq",
        label: "Groq",
        base_url: "https://api.groq.com/openai/v1",
        key_prefix: Some("gsk_"),
        docs_url: "https://console.groq.com/docs/openai",
        variable: Some("GROQ_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "mistral",
        label: "Mistral",
        base_url: "https://api.mistral.ai/v1",
        docs_url: "https://docs.mistral.ai/api",
        variable: Some("MISTRAL_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "deepseek",
        label: "DeepSeek",
        base_url: "https://api.deepseek.com/v1",
        key_prefix: Some("sk-"),
        docs_url: "https://api-docs.deepseek.com",
        variable: Some("DEEPSEEK_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "xai",
        label: "xAI",
        base_url: "https://api.x.ai/v1",
        key_prefix: Some("xai-"),
        docs_url: "https://docs.x.ai/docs/api-reference",
        variable: Some("XAI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "together",
        label: "Together AI",
        base_url: "https://api.together.xyz/v1",
        docs_url: "https://docs.together.ai/docs/openai-api-compatibility",
        variable: Some("TOGETHER_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "fireworks",
        label: "Fireworks AI",
        base_url: "https://api.fireworks.ai/inference/v1",
        key_prefix: Some("fw_"),
        docs_url: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        variable: Some("FIREWORKS_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "cerebras",
        label: "Cerebras",
        base_url: "https://api.cerebras.ai/v1",
        key_prefix: Some("csk-"),
        docs_url: "https://inference-docs.cerebras.ai/resources/openai",
        variable: Some("CEREBRAS_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "perplexity",
        label: "Perplexity",
        base_url: "https://api.perplexity.ai",
        key_prefix: Some("pplx-"),
        docs_url: "https://docs.perplexity.ai/docs/grounded-llm/openai-compatibility",
        variable: Some("PERPLEXITY_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "nvidia",
        label: "NVIDIA",
        base_url: "https://integrate.api.nvidia.com/v1",
        key_prefix: Some("nvapi-"),
        docs_url: "https://docs.api.nvidia.com/nim/reference/llm-apis",
        variable: Some("NVIDIA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "deepinfra",
        label: "DeepInfra",
        base_url: "https://api.deepinfra.com/v1/openai",
        docs_url: "https://deepinfra.com/docs/openai_api",
        variable: Some("DEEPINFRA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "ollama",
        label: "Ollama",
        base_url: "http://127.0.0.1:11434/v1",
        docs_url: "https://docs.ollama.com/api/openai-compatibility",
        ..LOCAL
    },
    Preset {
        id: "lmstudio",
        label: "LM Studio",
        base_url: "http://127.0.0.1:1234/v1",
        docs_url: "https://lmstudio.ai/docs/developer/openai-compat",
        ..LOCAL
    },
    Preset {
        id: "llamacpp",
        label: "llama.cpp",
        base_url: "http://127.0.0.1:8080/v1",
        docs_url: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        ..LOCAL
    },
    Preset {
        id: "vllm",
        label: "vLLM",
        base_url: "http://127.0.0.1:8000/v1",
        docs_url: "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        ..LOCAL
    },
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use domain::BackendId;

    use super::*;
    use crate::{MOCK_BACKEND_ID, parse_base_url};

    #[test]
    fn every_preset_is_a_valid_backend_without_a_caution() {
        let mut ids = HashSet::new();
        for preset in presets() {
            assert!(BackendId::new(preset.id).is_ok(), "{}", preset.id);
            assert!(ids.insert(preset.id) && preset.id != MOCK_BACKEND_ID, "{}", preset.id);
            let base_url = parse_base_url(preset.base_url, 4_283).expect(preset.id);
            assert_eq!(base_url.caution, None, "{}", preset.id);
            assert!(preset.docs_url.starts_with("https://"), "{}", preset.id);
            assert!(!preset.label.is_empty() && preset.kind != BackendKind::Mock, "{}", preset.id);
            let hosted = preset.place == PresetPlace::Hosted;
            assert_eq!(hosted, preset.base_url.starts_with("https://"), "{}", preset.id);
            assert_eq!(hosted, preset.variable.is_some(), "{}", preset.id);
        }
    }

    #[test]
    fn there_are_at_least_twelve_hosted_and_four_local_ones() {
        let count = |place| presets().iter().filter(|preset| preset.place == place).count();
        assert!(count(PresetPlace::Hosted) >= 12);
        assert_eq!(count(PresetPlace::Local), 4);
    }
}
