//! The table of known models, as one list for review. Each constant names the vendor's page. To
//! change a figure, edit it here and update the date in the module documentation of `facts`.

use super::{ModelFacts, ModelFamily, NameSuffixes, Support};

/// Tools, images, JSON schemas.
type CapabilitySupport = [Support; 3];

const ALL: CapabilitySupport = [Support::Yes, Support::Yes, Support::Yes];
const NO_IMAGES: CapabilitySupport = [Support::Yes, Support::No, Support::Yes];
const NO_SCHEMA: CapabilitySupport = [Support::Yes, Support::Yes, Support::No];
const TOOLS_ONLY: CapabilitySupport = [Support::Yes, Support::No, Support::No];
const NO_TOOLS: CapabilitySupport = [Support::No, Support::Yes, Support::No];
/// Open weights: support for tools and schemas depends on the server.
const WITH_IMAGES: CapabilitySupport = [Support::Unknown, Support::Yes, Support::Unknown];
const WITHOUT_IMAGES: CapabilitySupport = [Support::Unknown, Support::No, Support::Unknown];
const ALL_UNKNOWN: CapabilitySupport = [Support::Unknown, Support::Unknown, Support::Unknown];

// The vendor has a page for each model: …/models/gpt-4.1 and so on. GPT-5's input limit is its
// window of 400,000 minus the 128,000 reserved for the answer. JSON schemas are supported since
// gpt-4o-2024-08-06, according to developers.openai.com/api/docs/guides/structured-outputs.
const OPENAI: &str = "https://developers.openai.com/api/docs/models";
const ANTHROPIC: &str = "https://platform.claude.com/docs/en/about-claude/models/overview";
const GOOGLE: &str = "https://ai.google.dev/gemini-api/docs/models";
const MISTRAL: &str = "https://docs.mistral.ai/getting-started/models";
const DEEPSEEK: &str = "https://api-docs.deepseek.com/quick_start/pricing";
const META: &str = "https://github.com/meta-llama/llama-models";
const QWEN: &str = "https://huggingface.co/Qwen";
const GEMMA: &str = "https://ai.google.dev/gemma/docs/core";
const GPT_OSS: &str = "https://huggingface.co/openai/gpt-oss-120b";

pub(super) const MODEL_FAMILIES: &[ModelFamily] = &[
    vendor_family("gpt-3.5-turbo", 16_385, 4_096, TOOLS_ONLY, OPENAI),
    vendor_family("gpt-4", 8_192, 8_192, TOOLS_ONLY, OPENAI),
    vendor_family("gpt-4-turbo", 128_000, 4_096, NO_SCHEMA, OPENAI),
    vendor_family("gpt-4o", 128_000, 16_384, ALL, OPENAI),
    vendor_family("gpt-4o-2024-05-13", 128_000, 4_096, NO_SCHEMA, OPENAI),
    vendor_family("gpt-4o-mini", 128_000, 16_384, ALL, OPENAI),
    vendor_family("gpt-4.1", 1_047_576, 32_768, ALL, OPENAI),
    vendor_family("gpt-4.1-mini", 1_047_576, 32_768, ALL, OPENAI),
    vendor_family("gpt-4.1-nano", 1_047_576, 32_768, ALL, OPENAI),
    vendor_family("o1", 200_000, 100_000, ALL, OPENAI),
    vendor_family("o1-pro", 200_000, 100_000, ALL, OPENAI),
    vendor_family("o3", 200_000, 100_000, ALL, OPENAI),
    vendor_family("o3-pro", 200_000, 100_000, ALL, OPENAI),
    vendor_family("o3-mini", 200_000, 100_000, NO_IMAGES, OPENAI),
    vendor_family("o4-mini", 200_000, 100_000, ALL, OPENAI),
    vendor_family("o3-deep-research", 200_000, 100_000, NO_TOOLS, OPENAI),
    vendor_family("o4-mini-deep-research", 200_000, 100_000, NO_TOOLS, OPENAI),
    vendor_family("gpt-5", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5-mini", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5-nano", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5-codex", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.1", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.2", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.2-codex", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.3-codex", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.4", 1_050_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.4-mini", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.4-nano", 272_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.5", 1_050_000, 128_000, ALL, OPENAI),
    vendor_family("gpt-5.6", 922_000, 128_000, ALL, OPENAI),
    vendor_family("claude-haiku-4-5", 200_000, 64_000, ALL, ANTHROPIC),
    vendor_family("claude-opus-4-5", 200_000, 64_000, ALL, ANTHROPIC),
    // The window of a million needs a beta header, which the router does not see.
    vendor_family("claude-sonnet-4-5", 1_000_000, 64_000, ALL, ANTHROPIC),
    vendor_family("claude-opus-4-6", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-sonnet-4-6", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-opus-4-7", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-opus-4-8", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-opus-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-sonnet-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("claude-fable-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor_family("gemini-2.5-pro", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-2.5-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-2.5-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-3-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-3.1-pro", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-3.1-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-3.5-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("gemini-3.5-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor_family("mistral-large-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor_family("mistral-medium-2604", 262_144, 262_144, ALL, MISTRAL),
    vendor_family("mistral-small-2603", 262_144, 262_144, ALL, MISTRAL),
    vendor_family("ministral-14b-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor_family("ministral-8b-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor_family("ministral-3b-2512", 131_072, 131_072, ALL, MISTRAL),
    vendor_family(
        "codestral-2508",
        128_000,
        128_000,
        [Support::Yes, Support::Unknown, Support::Yes],
        MISTRAL,
    ),
    // The vendor promises JSON but no schemas; other servers of the same weights may support both.
    vendor_family("deepseek-v4-flash", 1_000_000, 393_216, ALL_UNKNOWN, DEEPSEEK),
    vendor_family("deepseek-v4-pro", 1_000_000, 393_216, WITHOUT_IMAGES, DEEPSEEK),
    open_weights_family(
        "deepseek-v3",
        163_840,
        WITHOUT_IMAGES,
        "https://huggingface.co/deepseek-ai",
    ),
    open_weights_family(
        "deepseek-r1",
        163_840,
        WITHOUT_IMAGES,
        "https://huggingface.co/deepseek-ai",
    ),
    open_weights_family("llama2", 4_096, WITHOUT_IMAGES, META),
    open_weights_family("llama-2", 4_096, WITHOUT_IMAGES, META),
    open_weights_family("llama3", 8_192, WITHOUT_IMAGES, META),
    open_weights_family("llama-3", 8_192, WITHOUT_IMAGES, META),
    open_weights_family("meta-llama-3", 8_192, WITHOUT_IMAGES, META),
    open_weights_family("llama3.1", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama-3.1", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("meta-llama-3.1", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama3.2", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama-3.2-1b", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama-3.2-3b", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama3.2-vision", 131_072, WITH_IMAGES, META),
    open_weights_family("llama-3.2-11b-vision", 131_072, WITH_IMAGES, META),
    open_weights_family("llama-3.2-90b-vision", 131_072, WITH_IMAGES, META),
    open_weights_family("llama3.3", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama-3.3", 131_072, WITHOUT_IMAGES, META),
    open_weights_family("llama-4-scout", 10_000_000, WITH_IMAGES, META),
    open_weights_family("llama-4-maverick", 1_048_576, WITH_IMAGES, META),
    // The native window of 262,144 is the later releases'; the first ones reach 131,072 with YaRN.
    open_weights_family("qwen3", 262_144, WITHOUT_IMAGES, QWEN),
    open_weights_family("qwen3-vl", 1_010_000, WITH_IMAGES, QWEN),
    open_weights_family("qwen3-coder", 1_010_000, WITHOUT_IMAGES, QWEN),
    open_weights_family("qwen3-next", 1_010_000, WITHOUT_IMAGES, QWEN),
    open_weights_family("qwen2.5", 131_072, WITHOUT_IMAGES, QWEN),
    open_weights_family("qwen2.5-coder", 131_072, WITHOUT_IMAGES, QWEN),
    open_weights_family("qwen2.5-vl", 131_072, WITH_IMAGES, QWEN),
    open_weights_family("gemma2", 8_192, WITHOUT_IMAGES, GEMMA),
    open_weights_family("gemma-2", 8_192, WITHOUT_IMAGES, GEMMA),
    open_weights_family("gpt-oss", 131_072, WITHOUT_IMAGES, GPT_OSS),
];

const fn vendor_family(
    name: &'static str,
    input_tokens_max: u64,
    output_tokens_max: u64,
    abilities: CapabilitySupport,
    source: &'static str,
) -> ModelFamily {
    let [tools, images, json_schema] = abilities;
    let (input_tokens_max, output_tokens_max) = (Some(input_tokens_max), Some(output_tokens_max));
    let facts =
        ModelFacts { input_tokens_max, output_tokens_max, tools, images, json_schema, source };
    ModelFamily { name, suffixes: NameSuffixes::Dated, facts }
}

/// A model without an output limit of its own: the server sets it.
const fn open_weights_family(
    name: &'static str,
    input_tokens_max: u64,
    abilities: CapabilitySupport,
    source: &'static str,
) -> ModelFamily {
    let [tools, images, json_schema] = abilities;
    let (input_tokens_max, output_tokens_max) = (Some(input_tokens_max), None);
    let facts =
        ModelFacts { input_tokens_max, output_tokens_max, tools, images, json_schema, source };
    ModelFamily { name, suffixes: NameSuffixes::Sized, facts }
}
