//! Digests of requests for cache keys: two spellings of the same question get the same digest.
//!
//! Three functions, from cheap to expensive: [`CacheTraits`] are read while the request is parsed and
//! decide whether an answer may be cached; [`ConversationFingerprint`] samples the beginning of the conversation;
//! only [`ClientRequest::canonical`] reads the whole body.
//!
//! The digest leaves out what does not change an answer: the model (a separate part of the key),
//! the delivery, labels for the provider's records, prompt-cache markers, the attribution block
//! that Claude Code puts first (different in each session), the order of members, `null` at the top
//! level, white space, and character escapes. Numbers count as written. Unknown members stay in,
//! which may cost a hit but never gives a wrong answer.

use std::ops::Range;

use domain::Dialect;
use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Members, range_in};
use crate::{ClientRequest, EmbeddingRequest};

use self::json_digest::{DigestExclusions, digest_json};

mod json_digest;

#[cfg(test)]
mod tests;

/// Maximum number of turns sampled from the beginning of a conversation.
pub(crate) const FINGERPRINT_TURNS_MAX: usize = 8;

/// Maximum number of bytes sampled from one turn, half from its beginning and half from its end.
pub(crate) const FINGERPRINT_TURN_BYTES_MAX: usize = 2_048;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Determinism {
    /// The request has temperature 0.
    Deterministic,
    /// The model may answer differently the next time.
    Sampled,
}

/// What decides whether an answer may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheTraits {
    pub determinism: Determinism,
    /// Tools are offered to the model.
    pub has_tools: bool,
    /// The request changes or uses state at the provider: a stored response, a conversation, a
    /// container, cached content, a background job.
    pub has_state: bool,
}

/// Digest of everything that can change the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanonicalDigest {
    /// BLAKE3.
    pub digest: [u8; 32],
}

/// Identifies a conversation. Not for cache keys: only a sample is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConversationFingerprint {
    /// Digest of the instructions and all turns before the model's first: equal for all requests of
    /// a conversation, and for one question asked repeatedly.
    pub prefix: u64,
    /// Same as [`Self::prefix`], unless the client names its conversation with `prompt_cache_key`.
    pub conversation: u64,
}

/// What is recorded about a request's members while it is parsed.
#[derive(Debug, Clone)]
pub(crate) struct RequestOutline {
    pub(crate) traits: CacheTraits,
    turns_range: Option<Range<usize>>,
    instructions_range: Option<Range<usize>>,
    conversation_name_range: Option<Range<usize>>,
}

impl RequestOutline {
    /// Reads the members of `text` in one pass.
    pub(crate) fn of(text: &str, members: &Members<'_>) -> Self {
        let sampled = Determinism::Sampled;
        let traits = CacheTraits { determinism: sampled, has_tools: false, has_state: false };
        let mut survey = Self {
            traits,
            turns_range: None,
            instructions_range: None,
            conversation_name_range: None,
        };
        for (key, value) in members.entries() {
            survey.record_member(text, key, value);
        }
        survey
    }

    fn record_member(&mut self, text: &str, key: &str, value: &RawValue) {
        let raw = value.get();
        let at = || Some(range_in(text, raw));
        let traits = &mut self.traits;
        match key {
            "messages" | "contents" | "input" => self.turns_range = at(),
            "system" | "instructions" | "systemInstruction" | "system_instruction" => {
                self.instructions_range = at();
            }
            "prompt_cache_key" if raw.starts_with('"') => self.conversation_name_range = at(),
            "temperature" => traits.determinism = read_determinism(raw),
            "generationConfig" | "generation_config" => {
                if let Some(temperature) =
                    Members::parse(raw).ok().as_ref().and_then(|inside| inside.get("temperature"))
                {
                    traits.determinism = read_determinism(temperature.get());
                }
            }
            "tools" | "functions" | "mcp_servers" | "web_search_options" => {
                traits.has_tools |= !is_empty(raw);
            }
            "store" | "background" => traits.has_state |= raw == "true",
            "previous_response_id"
            | "conversation"
            | "container"
            | "cachedContent"
            | "cached_content" => traits.has_state |= raw != "null",
            _ => {}
        }
    }

    /// Digests a sample of the conversation's beginning.
    pub(crate) fn conversation_fingerprint(&self, body: &str) -> ConversationFingerprint {
        let mut hasher = blake3::Hasher::new();
        let part = |at: &Option<Range<usize>>| at.clone().and_then(|at| body.get(at));
        if let Some(instructions) = part(&self.instructions_range) {
            hash_sample(&mut hasher, without_attribution(instructions));
        }
        if let Some(turns) = part(&self.turns_range) {
            for turn in opening_turns(turns) {
                hash_sample(&mut hasher, turn);
            }
        }
        let prefix = finish_u64(&hasher);
        let named = part(&self.conversation_name_range)
            .map(|name| finish_u64(blake3::Hasher::new().update(name.as_bytes())));
        ConversationFingerprint { prefix, conversation: named.unwrap_or(prefix) }
    }
}

impl ClientRequest {
    /// What decides whether its answer may be cached. Costs nothing.
    #[must_use]
    pub const fn cache_traits(&self) -> CacheTraits {
        self.outline().traits
    }

    /// Identifies its conversation from a sample of a few kilobytes.
    #[must_use]
    pub fn conversation_fingerprint(&self) -> ConversationFingerprint {
        self.outline().conversation_fingerprint(self.text())
    }

    /// Digest of everything that can change the answer. Reads the whole body.
    #[must_use]
    pub fn canonical_digest(&self) -> CanonicalDigest {
        CanonicalDigest { digest: digest_json(self.text(), &digest_exclusions(self.dialect())) }
    }
}

impl EmbeddingRequest {
    /// Digest of everything that can change the vector of the input at `place`, except the model;
    /// the answer's encoding is not part of it. `None` past the last input.
    #[must_use]
    pub fn input_digest(&self, place: usize) -> Option<CanonicalDigest> {
        let (input, options) = self.input_and_options(place)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.dialect().word().as_bytes());
        let ignored = DigestExclusions { members: &["model"], ..DigestExclusions::default() };
        hasher.update(&digest_json(input, &ignored));
        hasher.update(&self.dimensions().unwrap_or(0).to_le_bytes());
        for (key, value) in options {
            hasher.update(&key.len().to_le_bytes()).update(key.as_bytes());
            hasher.update(&digest_json(value, &DigestExclusions::default()));
        }
        Some(CanonicalDigest { digest: hasher.finalize().into() })
    }

    /// Digest of everything that can change the whole answer, except the model. `inputs` are all
    /// results of [`Self::input_digest`], in order.
    #[must_use]
    pub fn canonical_digest(&self, inputs: &[CanonicalDigest]) -> CanonicalDigest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.answer_format().as_bytes());
        for input in inputs {
            hasher.update(&input.digest);
        }
        CanonicalDigest { digest: hasher.finalize().into() }
    }
}

fn read_determinism(temperature: &str) -> Determinism {
    match temperature.parse::<f64>() {
        Ok(0.0) => Determinism::Deterministic,
        _ => Determinism::Sampled,
    }
}

/// True for `null` and for an empty array or object.
fn is_empty(raw: &str) -> bool {
    raw == "null"
        || raw
            .bytes()
            .skip(1)
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| matches!(byte, b']' | b'}'))
}

/// Members that are labels or concern delivery, by dialect.
const fn digest_exclusions(dialect: Dialect) -> DigestExclusions<'static> {
    let members: &[&str] = match dialect {
        Dialect::OpenAiChat | Dialect::OllamaChat => &[
            "model",
            "stream",
            "stream_options",
            "user",
            "metadata",
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "store",
        ],
        Dialect::OpenAiResponses => &[
            "model",
            "stream",
            "stream_options",
            "user",
            "metadata",
            "client_metadata",
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "store",
        ],
        Dialect::AnthropicMessages => &["model", "stream", "metadata", "cache_control"],
        Dialect::Gemini => &["model", "labels"],
    };
    DigestExclusions {
        members,
        block_member: Some("cache_control"),
        attribution_prefix: Some(ATTRIBUTION_PREFIX),
    }
}

/// Prefix of the text in Claude Code's first block.
const ATTRIBUTION_PREFIX: &str = "x-anthropic-billing-header:";

fn finish_u64(hasher: &blake3::Hasher) -> u64 {
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

fn hash_sample(hasher: &mut blake3::Hasher, part: &str) {
    let bytes = part.as_bytes();
    hasher.update(&bytes.len().to_le_bytes());
    if bytes.len() <= FINGERPRINT_TURN_BYTES_MAX {
        hasher.update(bytes);
        return;
    }
    let half = FINGERPRINT_TURN_BYTES_MAX / 2;
    hasher.update(bytes.get(..half).unwrap_or_default());
    hasher.update(bytes.get(bytes.len().saturating_sub(half)..).unwrap_or_default());
}

/// The instructions from their second block on, if the first is the attribution block.
fn without_attribution(instructions: &str) -> &str {
    let Some(end) = json_digest::first_item_end(instructions) else { return instructions };
    match instructions.split_at_checked(end) {
        Some((first, rest)) if first.contains(ATTRIBUTION_PREFIX) => rest,
        _ => instructions,
    }
}

/// The turns before the model's first, as written; a plain text is one turn.
fn opening_turns(turns: &str) -> Vec<&str> {
    if turns.starts_with('"') {
        return vec![turns];
    }
    let mut found = Vec::new();
    // The visitor stops early on purpose, which serde_json reports as an error.
    let _rest_unread = serde::Deserializer::deserialize_seq(
        &mut serde_json::Deserializer::from_str(turns),
        OpeningTurnsVisitor { found: &mut found },
    );
    found
}

struct OpeningTurnsVisitor<'a, 'f> {
    found: &'f mut Vec<&'a str>,
}

#[derive(Deserialize)]
struct TurnRole<'a> {
    #[serde(borrow)]
    role: Option<std::borrow::Cow<'a, str>>,
}

impl<'de> Visitor<'de> for OpeningTurnsVisitor<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("turns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while self.found.len() < FINGERPRINT_TURNS_MAX
            && let Some(raw) = items.next_element::<&'de RawValue>()?
        {
            let role =
                serde_json::from_str::<TurnRole<'_>>(raw.get()).ok().and_then(|turn| turn.role);
            // Gemini allows a single turn without a role.
            let is_before = match role.as_deref() {
                Some(role) => matches!(role, "system" | "developer" | "user"),
                None => self.found.is_empty(),
            };
            if !is_before {
                break;
            }
            self.found.push(raw.get());
        }
        Ok(())
    }
}
