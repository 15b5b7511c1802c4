//! Hosted providers, widely used ones first.
//!
//! One piece: a plain table of facts.
//!
//! A base URL is listed only if the provider documents it for every account: clouds whose address
//! contains a resource, region or account are added by hand. `lacks` and `offers` follow
//! documentation or known refusals; if both variants work, none is listed.

use super::{Preset, PresetLocation};
use crate::{BackendKind, ExtraDialect, UnsupportedFeature};

const HOSTED: Preset = Preset {
    id: "",
    label: "",
    kind: BackendKind::OpenAiCompatible,
    base_url: "",
    key_prefix: None,
    docs_url: "",
    keys_url: None,
    variable: None,
    credential: None,
    location: PresetLocation::Hosted,
    lacks: &[],
    offers: &[],
};

pub(super) const PRESETS: &[Preset] = &[
    Preset {
        id: "openai",
        label: "OpenAI",
        kind: BackendKind::OpenAi,
        base_url: "https://api.openai.com/v1",
        key_prefix: Some("sk-proj-"),
        docs_url: "https://platform.openai.com/docs/api-reference",
        keys_url: Some("https://platform.openai.com/api-keys"),
        variable: Some("OPENAI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "anthropic",
        label: "Anthropic",
        kind: BackendKind::Anthropic,
        base_url: "https://api.anthropic.com",
        key_prefix: Some("sk-ant-"),
        docs_url: "https://docs.anthropic.com/en/api/messages",
        keys_url: Some("https://platform.claude.com/settings/keys"),
        variable: Some("ANTHROPIC_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "google",
        label: "Google Gemini",
        kind: BackendKind::Gemini,
        base_url: "https://generativelanguage.googleapis.com",
        key_prefix: Some("AQ."),
        docs_url: "https://ai.google.dev/gemini-api/docs",
        keys_url: Some("https://aistudio.google.com/apikey"),
        variable: Some("GEMINI_API_KEY"),
        credential: Some("gemini"),
        ..HOSTED
    },
    Preset {
        id: "openrouter",
        label: "OpenRouter",
        base_url: "https://openrouter.ai/api/v1",
        key_prefix: Some("sk-or-"),
        docs_url: "https://openrouter.ai/docs/quickstart",
        keys_url: Some("https://openrouter.ai/settings/keys"),
        variable: Some("OPENROUTER_API_KEY"),
        offers: &[ExtraDialect::Responses, ExtraDialect::Messages],
        ..HOSTED
    },
    Preset {
        id: "groq",
        label: "Groq",
        base_url: "https://api.groq.com/openai/v1",
        key_prefix: Some("gsk_"),
        docs_url: "https://console.groq.com/docs/openai",
        keys_url: Some("https://console.groq.com/keys"),
        variable: Some("GROQ_API_KEY"),
        offers: &[ExtraDialect::Responses],
        ..HOSTED
    },
    Preset {
        id: "mistral",
        label: "Mistral",
        base_url: "https://api.mistral.ai/v1",
        docs_url: "https://docs.mistral.ai/api",
        keys_url: Some("https://console.mistral.ai/api-keys"),
        variable: Some("MISTRAL_API_KEY"),
        lacks: &[
            UnsupportedFeature::StreamUsage,
            UnsupportedFeature::DeveloperRole,
            UnsupportedFeature::MaxCompletionTokens,
        ],
        ..HOSTED
    },
    Preset {
        id: "deepseek",
        label: "DeepSeek",
        base_url: "https://api.deepseek.com",
        key_prefix: Some("sk-"),
        docs_url: "https://api-docs.deepseek.com",
        keys_url: Some("https://platform.deepseek.com/api_keys"),
        variable: Some("DEEPSEEK_API_KEY"),
        lacks: &[
            UnsupportedFeature::DeveloperRole,
            UnsupportedFeature::MaxCompletionTokens,
            UnsupportedFeature::JsonSchema,
        ],
        ..HOSTED
    },
    Preset {
        id: "xai",
        label: "xAI",
        base_url: "https://api.x.ai/v1",
        key_prefix: Some("xai-"),
        docs_url: "https://docs.x.ai/docs/api-reference",
        keys_url: Some("https://console.x.ai/team/default/api-keys"),
        variable: Some("XAI_API_KEY"),
        offers: &[ExtraDialect::Responses],
        ..HOSTED
    },
    Preset {
        id: "together",
        label: "Together AI",
        base_url: "https://api.together.ai/v1",
        docs_url: "https://docs.together.ai/docs/openai-api-compatibility",
        keys_url: Some("https://api.together.ai/settings/projects/~current/api-keys"),
        variable: Some("TOGETHER_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "fireworks",
        label: "Fireworks AI",
        base_url: "https://api.fireworks.ai/inference/v1",
        key_prefix: Some("fw_"),
        docs_url: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
        keys_url: Some("https://app.fireworks.ai/settings/users/api-keys"),
        variable: Some("FIREWORKS_API_KEY"),
        offers: &[ExtraDialect::Responses, ExtraDialect::Messages],
        ..HOSTED
    },
    Preset {
        id: "cerebras",
        label: "Cerebras",
        base_url: "https://api.cerebras.ai/v1",
        key_prefix: Some("csk-"),
        docs_url: "https://inference-docs.cerebras.ai/resources/openai",
        keys_url: Some("https://cloud.cerebras.ai"),
        variable: Some("CEREBRAS_API_KEY"),
        lacks: &[UnsupportedFeature::DeveloperRole],
        ..HOSTED
    },
    Preset {
        id: "perplexity",
        label: "Perplexity",
        base_url: "https://api.perplexity.ai",
        key_prefix: Some("pplx-"),
        docs_url: "https://docs.perplexity.ai/docs/grounded-llm/openai-compatibility",
        keys_url: Some("https://console.perplexity.ai"),
        variable: Some("PERPLEXITY_API_KEY"),
        lacks: &[UnsupportedFeature::Tools],
        ..HOSTED
    },
    Preset {
        id: "nvidia",
        label: "NVIDIA",
        base_url: "https://integrate.api.nvidia.com/v1",
        key_prefix: Some("nvapi-"),
        docs_url: "https://docs.api.nvidia.com/nim/reference/llm-apis",
        keys_url: Some("https://build.nvidia.com/settings/api-keys"),
        variable: Some("NVIDIA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "deepinfra",
        label: "DeepInfra",
        base_url: "https://api.deepinfra.com/v1/openai",
        docs_url: "https://docs.deepinfra.com/api-reference/chat-completions/openai-chat-completions",
        keys_url: Some("https://deepinfra.com/dash/api_keys"),
        variable: Some("DEEPINFRA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "cohere",
        label: "Cohere",
        base_url: "https://api.cohere.ai/compatibility/v1",
        docs_url: "https://docs.cohere.com/docs/compatibility-api",
        keys_url: Some("https://dashboard.cohere.com/api-keys"),
        variable: Some("COHERE_API_KEY"),
        lacks: &[UnsupportedFeature::ParallelToolCalls],
        ..HOSTED
    },
    Preset {
        id: "huggingface",
        label: "Hugging Face",
        base_url: "https://router.huggingface.co/v1",
        key_prefix: Some("hf_"),
        docs_url: "https://huggingface.co/docs/inference-providers",
        keys_url: Some("https://huggingface.co/settings/tokens"),
        variable: Some("HF_TOKEN"),
        ..HOSTED
    },
    Preset {
        id: "vercel",
        label: "Vercel AI Gateway",
        base_url: "https://ai-gateway.vercel.sh/v1",
        key_prefix: Some("vck_"),
        docs_url: "https://vercel.com/docs/ai-gateway/sdks-and-apis/openai-chat-completions",
        variable: Some("AI_GATEWAY_API_KEY"),
        offers: &[ExtraDialect::Responses, ExtraDialect::Messages],
        ..HOSTED
    },
    Preset {
        id: "ollama-cloud",
        label: "Ollama Cloud",
        kind: BackendKind::Ollama,
        base_url: "https://ollama.com",
        docs_url: "https://docs.ollama.com/cloud",
        keys_url: Some("https://ollama.com/settings/keys"),
        variable: Some("OLLAMA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "moonshot",
        label: "Moonshot AI",
        base_url: "https://api.moonshot.ai/v1",
        key_prefix: Some("sk-"),
        docs_url: "https://platform.moonshot.ai/docs/api/chat",
        keys_url: Some("https://platform.kimi.ai/console/api-keys"),
        variable: Some("MOONSHOT_API_KEY"),
        lacks: &[UnsupportedFeature::DeveloperRole, UnsupportedFeature::MaxCompletionTokens],
        ..HOSTED
    },
    Preset {
        id: "kimi-code",
        label: "Kimi for Coding",
        kind: BackendKind::Anthropic,
        base_url: "https://api.kimi.com/coding",
        key_prefix: Some("sk-kimi-"),
        docs_url: "https://www.kimi.com/code/docs/en/third-party-tools/other-coding-agents.html",
        variable: Some("KIMI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "minimax",
        label: "MiniMax",
        kind: BackendKind::Anthropic,
        base_url: "https://api.minimax.io/anthropic",
        docs_url: "https://platform.minimax.io/docs/api-reference/text-anthropic-api",
        variable: Some("MINIMAX_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "zai",
        label: "Z.AI",
        base_url: "https://api.z.ai/api/paas/v4",
        docs_url: "https://docs.z.ai/guides/overview/quick-start",
        keys_url: Some("https://z.ai/manage-apikey/apikey-list"),
        variable: Some("ZAI_API_KEY"),
        lacks: &[
            UnsupportedFeature::DeveloperRole,
            UnsupportedFeature::MaxCompletionTokens,
            UnsupportedFeature::ReasoningEffort,
        ],
        ..HOSTED
    },
    Preset {
        id: "zai-coding",
        label: "Z.AI Coding Plan",
        kind: BackendKind::Anthropic,
        base_url: "https://api.z.ai/api/anthropic",
        docs_url: "https://docs.z.ai/devpack/overview",
        keys_url: Some("https://z.ai/manage-apikey/apikey-list"),
        variable: Some("ZAI_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "alibaba",
        label: "Alibaba Model Studio",
        base_url: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        key_prefix: Some("sk-"),
        docs_url: "https://www.alibabacloud.com/help/en/model-studio/models",
        variable: Some("DASHSCOPE_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "volcengine",
        label: "Volcengine Ark",
        base_url: "https://ark.cn-beijing.volces.com/api/v3",
        docs_url: "https://www.volcengine.com/docs/82379/1399008",
        variable: Some("ARK_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "siliconflow",
        label: "SiliconFlow",
        base_url: "https://api.siliconflow.com/v1",
        key_prefix: Some("sk-"),
        docs_url: "https://docs.siliconflow.com",
        keys_url: Some("https://cloud.siliconflow.com/account/ak"),
        variable: Some("SILICONFLOW_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "stepfun",
        label: "StepFun",
        base_url: "https://api.stepfun.com/v1",
        docs_url: "https://platform.stepfun.com/docs",
        variable: Some("STEPFUN_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "upstage",
        label: "Upstage",
        base_url: "https://api.upstage.ai/v1",
        key_prefix: Some("up_"),
        docs_url: "https://console.upstage.ai/docs",
        keys_url: Some("https://console.upstage.ai/api-keys"),
        variable: Some("UPSTAGE_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "sambanova",
        label: "SambaNova",
        base_url: "https://api.sambanova.ai/v1",
        docs_url: "https://docs.sambanova.ai/docs/en/features/openai-compatibility",
        keys_url: Some("https://cloud.sambanova.ai/apis"),
        variable: Some("SAMBANOVA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "hyperbolic",
        label: "Hyperbolic",
        base_url: "https://api.hyperbolic.xyz/v1",
        docs_url: "https://docs.hyperbolic.ai",
        keys_url: Some("https://app.hyperbolic.ai/settings/api-keys"),
        variable: Some("HYPERBOLIC_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "novita",
        label: "Novita AI",
        base_url: "https://api.novita.ai/openai/v1",
        key_prefix: Some("sk_"),
        docs_url: "https://novita.ai/docs/guides/introduction",
        keys_url: Some("https://novita.ai/settings/key-management"),
        variable: Some("NOVITA_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "nebius",
        label: "Nebius Token Factory",
        base_url: "https://api.tokenfactory.nebius.com/v1",
        docs_url: "https://docs.tokenfactory.nebius.com",
        variable: Some("NEBIUS_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "baseten",
        label: "Baseten",
        base_url: "https://inference.baseten.co/v1",
        docs_url: "https://docs.baseten.co/inference/model-apis/overview",
        keys_url: Some("https://app.baseten.co/settings/api_keys"),
        variable: Some("BASETEN_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "chutes",
        label: "Chutes",
        base_url: "https://llm.chutes.ai/v1",
        key_prefix: Some("cpk_"),
        docs_url: "https://chutes.ai/docs",
        variable: Some("CHUTES_API_KEY"),
        lacks: &[UnsupportedFeature::DeveloperRole, UnsupportedFeature::MaxCompletionTokens],
        ..HOSTED
    },
    Preset {
        id: "friendli",
        label: "Friendli",
        base_url: "https://api.friendli.ai/serverless/v1",
        key_prefix: Some("flp_"),
        docs_url: "https://friendli.ai/docs/guides/serverless_endpoints/introduction",
        variable: Some("FRIENDLI_TOKEN"),
        ..HOSTED
    },
    Preset {
        id: "inception",
        label: "Inception",
        base_url: "https://api.inceptionlabs.ai/v1",
        docs_url: "https://platform.inceptionlabs.ai/docs",
        variable: Some("INCEPTION_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "venice",
        label: "Venice AI",
        base_url: "https://api.venice.ai/api/v1",
        docs_url: "https://docs.venice.ai",
        keys_url: Some("https://venice.ai/settings/api"),
        variable: Some("VENICE_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "wandb",
        label: "Weights & Biases",
        base_url: "https://api.inference.wandb.ai/v1",
        docs_url: "https://docs.coreweave.com/products/inference/serverless/api-reference",
        keys_url: Some("https://forge.coreweave.com/settings"),
        variable: Some("WANDB_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "scaleway",
        label: "Scaleway",
        base_url: "https://api.scaleway.ai/v1",
        docs_url: "https://www.scaleway.com/en/docs/generative-apis",
        variable: Some("SCALEWAY_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "ovhcloud",
        label: "OVHcloud AI Endpoints",
        base_url: "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
        docs_url: "https://www.ovhcloud.com/en/public-cloud/ai-endpoints/catalog",
        variable: Some("OVHCLOUD_API_KEY"),
        ..HOSTED
    },
    Preset {
        id: "opencode",
        label: "OpenCode Zen",
        base_url: "https://opencode.ai/zen/v1",
        docs_url: "https://opencode.ai/docs/zen",
        keys_url: Some("https://opencode.ai/auth"),
        variable: Some("OPENCODE_API_KEY"),
        lacks: &[UnsupportedFeature::DeveloperRole],
        ..HOSTED
    },
];
