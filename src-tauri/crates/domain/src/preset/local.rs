//! Servers on this machine, with their default ports.

use super::{Preset, PresetLocation};
use crate::{BackendKind, ExtraDialect};

const LOCAL: Preset = Preset {
    id: "",
    label: "",
    kind: BackendKind::OpenAiCompatible,
    base_url: "",
    key_prefix: None,
    docs_url: "",
    keys_url: None,
    variable: None,
    credential: None,
    location: PresetLocation::Local,
    lacks: &[],
    offers: &[],
};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        id: "ollama",
        label: "Ollama",
        kind: BackendKind::Ollama,
        base_url: "http://127.0.0.1:11434",
        docs_url: "https://docs.ollama.com/api",
        ..LOCAL
    },
    Preset {
        id: "lmstudio",
        label: "LM Studio",
        base_url: "http://127.0.0.1:1234/v1",
        docs_url: "https://lmstudio.ai/docs/developer/openai-compat",
        offers: &[ExtraDialect::Responses, ExtraDialect::Messages],
        ..LOCAL
    },
    Preset {
        id: "llamacpp",
        label: "llama.cpp",
        base_url: "http://127.0.0.1:8080/v1",
        docs_url: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        offers: &[ExtraDialect::Messages],
        ..LOCAL
    },
    Preset {
        id: "vllm",
        label: "vLLM",
        base_url: "http://127.0.0.1:8000/v1",
        docs_url: "https://docs.vllm.ai/en/stable/serving/openai_compatible_server",
        offers: &[ExtraDialect::Responses, ExtraDialect::Messages],
        ..LOCAL
    },
    Preset {
        id: "sglang",
        label: "SGLang",
        base_url: "http://127.0.0.1:30000/v1",
        docs_url: "https://docs.sglang.io/docs/basic_usage/send_request",
        ..LOCAL
    },
    Preset {
        id: "localai",
        label: "LocalAI",
        base_url: "http://127.0.0.1:8080/v1",
        docs_url: "https://localai.io",
        ..LOCAL
    },
    Preset {
        id: "text-generation-webui",
        label: "text-generation-webui",
        base_url: "http://127.0.0.1:5000/v1",
        docs_url: "https://github.com/oobabooga/text-generation-webui/wiki",
        ..LOCAL
    },
];
