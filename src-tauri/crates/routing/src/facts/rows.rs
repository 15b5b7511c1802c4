//! The table of known models, as one list for review. Each constant names the vendor's page. To
//! change a figure, edit it here and update the date in the module documentation of `facts`.

use super::{Ends, Known, ModelFacts, Row};

/// Tools, images, JSON schemas.
type Abilities = [Known; 3];

const ALL: Abilities = [Known::Yes, Known::Yes, Known::Yes];
const NO_IMAGES: Abilities = [Known::Yes, Known::No, Known::Yes];
const NO_SCHEMA: Abilities = [Known::Yes, Known::Yes, Known::No];
const TOOLS_ALONE: Abilities = [Known::Yes, Known::No, Known::No];
const NO_TOOLS: Abilities = [Known::No, Known::Yes, Known::No];
/// Open weights: support for tools and schemas depends on the server.
const SEES: Abilities = [Known::Unknown, Known::Yes, Known::Unknown];
const BLIND: Abilities = [Known::Unknown, Known::No, Known::Unknown];
const UNSAID: Abilities = [Known::Unknown, Known::Unknown, Known::Unknown];

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

pub(super) const ROWS: &[Row] = &[
    vendor("gpt-3.5-turbo", 16_385, 4_096, TOOLS_ALONE, OPENAI),
    vendor("gpt-4", 8_192, 8_192, TOOLS_ALONE, OPENAI),
    vendor("gpt-4-turbo", 128_000, 4_096, NO_SCHEMA, OPENAI),
    vendor("gpt-4o", 128_000, 16_384, ALL, OPENAI),
    vendor("gpt-4o-2024-05-13", 128_000, 4_096, NO_SCHEMA, OPENAI),
    vendor("gpt-4o-mini", 128_000, 16_384, ALL, OPENAI),
    vendor("gpt-4.1", 1_047_576, 32_768, ALL, OPENAI),
    vendor("gpt-4.1-mini", 1_047_576, 32_768, ALL, OPENAI),
    vendor("gpt-4.1-nano", 1_047_576, 32_768, ALL, OPENAI),
    vendor("o1", 200_000, 100_000, ALL, OPENAI),
    vendor("o1-pro", 200_000, 100_000, ALL, OPENAI),
    vendor("o3", 200_000, 100_000, ALL, OPENAI),
    vendor("o3-pro", 200_000, 100_000, ALL, OPENAI),
    vendor("o3-mini", 200_000, 100_000, NO_IMAGES, OPENAI),
    vendor("o4-mini", 200_000, 100_000, ALL, OPENAI),
    vendor("o3-deep-research", 200_000, 100_000, NO_TOOLS, OPENAI),
    vendor("o4-mini-deep-research", 200_000, 100_000, NO_TOOLS, OPENAI),
    vendor("gpt-5", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5-mini", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5-nano", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5-codex", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.1", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.2", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.2-codex", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.3-codex", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.4", 1_050_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.4-mini", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.4-nano", 272_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.5", 1_050_000, 128_000, ALL, OPENAI),
    vendor("gpt-5.6", 922_000, 128_000, ALL, OPENAI),
    vendor("claude-haiku-4-5", 200_000, 64_000, ALL, ANTHROPIC),
    vendor("claude-opus-4-5", 200_000, 64_000, ALL, ANTHROPIC),
    // The window of a million needs a beta header, which the router does not see.
    vendor("claude-sonnet-4-5", 1_000_000, 64_000, ALL, ANTHROPIC),
    vendor("claude-opus-4-6", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-sonnet-4-6", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-opus-4-7", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-opus-4-8", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-opus-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-sonnet-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("claude-fable-5", 1_000_000, 128_000, ALL, ANTHROPIC),
    vendor("gemini-2.5-pro", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-2.5-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-2.5-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-3-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-3.1-pro", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-3.1-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-3.5-flash", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("gemini-3.5-flash-lite", 1_048_576, 65_536, ALL, GOOGLE),
    vendor("mistral-large-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor("mistral-medium-2604", 262_144, 262_144, ALL, MISTRAL),
    vendor("mistral-small-2603", 262_144, 262_144, ALL, MISTRAL),
    vendor("ministral-14b-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor("ministral-8b-2512", 262_144, 262_144, ALL, MISTRAL),
    vendor("ministral-3b-2512", 131_072, 131_072, ALL, MISTRAL),
    vendor("codestral-2508", 128_000, 128_000, [Known::Yes, Known::Unknown, Known::Yes], MISTRAL),
    // The vendor promises JSON but no schemas; other servers of the same weights may support both.
    vendor("deepseek-v4-flash", 1_000_000, 393_216, UNSAID, DEEPSEEK),
    vendor("deepseek-v4-pro", 1_000_000, 393_216, BLIND, DEEPSEEK),
    weights("deepseek-v3", 163_840, BLIND, "https://huggingface.co/deepseek-ai"),
    weights("deepseek-r1", 163_840, BLIND, "https://huggingface.co/deepseek-ai"),
    weights("llama2", 4_096, BLIND, META),
    weights("llama-2", 4_096, BLIND, META),
    weights("llama3", 8_192, BLIND, META),
    weights("llama-3", 8_192, BLIND, META),
    weights("meta-llama-3", 8_192, BLIND, META),
    weights("llama3.1", 131_072, BLIND, META),
    weights("llama-3.1", 131_072, BLIND, META),
    weights("meta-llama-3.1", 131_072, BLIND, META),
    weights("llama3.2", 131_072, BLIND, META),
    weights("llama-3.2-1b", 131_072, BLIND, META),
    weights("llama-3.2-3b", 131_072, BLIND, META),
    weights("llama3.2-vision", 131_072, SEES, META),
    weights("llama-3.2-11b-vision", 131_072, SEES, META),
    weights("llama-3.2-90b-vision", 131_072, SEES, META),
    weights("llama3.3", 131_072, BLIND, META),
    weights("llama-3.3", 131_072, BLIND, META),
    weights("llama-4-scout", 10_000_000, SEES, META),
    weights("llama-4-maverick", 1_048_576, SEES, META),
    // The native window of 262,144 is the later releases'; the first ones reach 131,072 with YaRN.
    weights("qwen3", 262_144, BLIND, QWEN),
    weights("qwen3-vl", 1_010_000, SEES, QWEN),
    weights("qwen3-coder", 1_010_000, BLIND, QWEN),
    weights("qwen3-next", 1_010_000, BLIND, QWEN),
    weights("qwen2.5", 131_072, BLIND, QWEN),
    weights("qwen2.5-coder", 131_072, BLIND, QWEN),
    weights("qwen2.5-vl", 131_072, SEES, QWEN),
    weights("gemma2", 8_192, BLIND, GEMMA),
    weights("gemma-2", 8_192, BLIND, GEMMA),
    weights("gpt-oss", 131_072, BLIND, GPT_OSS),
];

const fn vendor(
    name: &'static str,
    input_tokens_max: u64,
    output_tokens_max: u64,
    abilities: Abilities,
    source: &'static str,
) -> Row {
    let [tools, images, json_schema] = abilities;
    let (input_tokens_max, output_tokens_max) = (Some(input_tokens_max), Some(output_tokens_max));
    let facts =
        ModelFacts { input_tokens_max, output_tokens_max, tools, images, json_schema, source };
    Row { name, ends: Ends::Dated, facts }
}

/// A model without an output limit of its own: the server sets it.
const fn weights(
    name: &'static str,
    input_tokens_max: u64,
    abilities: Abilities,
    source: &'static str,
) -> Row {
    let [tools, images, json_schema] = abilities;
    let (input_tokens_max, output_tokens_max) = (Some(input_tokens_max), None);
    let facts =
        ModelFacts { input_tokens_max, output_tokens_max, tools, images, json_schema, source };
    Row { name, ends: Ends::Sized, facts }
}
