//! Digests of requests for cache keys: two spellings of the same question get the same digest.
//!
//! Three functions, from cheap to expensive: [`Traits`] are read while the request is parsed and
//! decide whether an answer may be cached; [`Thread`] samples the beginning of the conversation;
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

use self::tree::{Ignored, digest};

mod tree;

#[cfg(test)]
mod tests;

/// Maximum number of turns sampled from the beginning of a conversation.
pub const THREAD_TURNS_MAX: usize = 8;

/// Maximum number of bytes sampled from one turn, half from its beginning and half from its end.
pub const THREAD_TURN_BYTES_MAX: usize = 2_048;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Determinism {
    /// The request has temperature 0.
    Deterministic,
    /// The model may answer differently the next time.
    Sampled,
}

/// What decides whether an answer may be cached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    pub determinism: Determinism,
    /// Tools are offered to the model.
    pub has_tools: bool,
    /// The request changes or uses state at the provider: a stored response, a conversation, a
    /// container, cached content, a background job.
    pub has_state: bool,
}

/// Digest of everything that can change the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canonical {
    /// BLAKE3.
    pub digest: [u8; 32],
}

/// Identifies a conversation. Not for cache keys: only a sample is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread {
    /// Digest of the instructions and all turns before the model's first: equal for all requests of
    /// a conversation, and for one question asked repeatedly.
    pub prefix: u64,
    /// Same as [`Self::prefix`], unless the client names its conversation with `prompt_cache_key`.
    pub conversation: u64,
}

/// What is recorded about a request's members while it is parsed.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) traits: Traits,
    turns_at: Option<Range<usize>>,
    instructions_at: Option<Range<usize>>,
    name_at: Option<Range<usize>>,
}

impl Survey {
    /// Reads the members of `text` in one pass.
    pub(crate) fn of(text: &str, members: &Members<'_>) -> Self {
        let sampled = Determinism::Sampled;
        let traits = Traits { determinism: sampled, has_tools: false, has_state: false };
        let mut survey = Self { traits, turns_at: None, instructions_at: None, name_at: None };
        for (key, value) in members.entries() {
            survey.see(text, key, value);
        }
        survey
    }

    fn see(&mut self, text: &str, key: &str, value: &RawValue) {
        let raw = value.get();
        let at = || Some(range_in(text, raw));
        let traits = &mut self.traits;
        match key {
            "messages" | "contents" | "input" => self.turns_at = at(),
            "system" | "instructions" | "systemInstruction" | "system_instruction" => {
                self.instructions_at = at();
            }
            "prompt_cache_key" if raw.starts_with('"') => self.name_at = at(),
            "temperature" => traits.determinism = determinism(raw),
            "generationConfig" | "generation_config" => {
                if let Some(temperature) =
                    Members::parse(raw).ok().as_ref().and_then(|inside| inside.get("temperature"))
                {
                    traits.determinism = determinism(temperature.get());
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
    pub(crate) fn thread(&self, body: &str) -> Thread {
        let mut hasher = blake3::Hasher::new();
        let part = |at: &Option<Range<usize>>| at.clone().and_then(|at| body.get(at));
        if let Some(instructions) = part(&self.instructions_at) {
            sample(&mut hasher, without_attribution(instructions));
        }
        if let Some(turns) = part(&self.turns_at) {
            for turn in opening_turns(turns) {
                sample(&mut hasher, turn);
            }
        }
        let prefix = short(&hasher);
        let named =
            part(&self.name_at).map(|name| short(blake3::Hasher::new().update(name.as_bytes())));
        Thread { prefix, conversation: named.unwrap_or(prefix) }
    }
}

impl ClientRequest {
    /// What decides whether its answer may be cached. Costs nothing.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        self.survey().traits
    }

    /// Identifies its conversation from a sample of a few kilobytes.
    #[must_use]
    pub fn thread(&self) -> Thread {
        self.survey().thread(self.text())
    }

    /// Digest of everything that can change the answer. Reads the whole body.
    #[must_use]
    pub fn canonical(&self) -> Canonical {
        Canonical { digest: digest(self.text(), &ignored(self.dialect())) }
    }
}

impl EmbeddingRequest {
    /// Digest of everything that can change the vector of the input at `place`, except the model;
    /// the answer's encoding is not part of it. `None` past the last input.
    #[must_use]
    pub fn canonical_input(&self, place: usize) -> Option<Canonical> {
        let (input, options) = self.input_and_options(place)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.dialect().word().as_bytes());
        let ignored = Ignored { members: &["model"], ..Ignored::default() };
        hasher.update(&digest(input, &ignored));
        hasher.update(&self.dimensions().unwrap_or(0).to_le_bytes());
        for (key, value) in options {
            hasher.update(&key.len().to_le_bytes()).update(key.as_bytes());
            hasher.update(&digest(value, &Ignored::default()));
        }
        Some(Canonical { digest: hasher.finalize().into() })
    }

    /// Digest of everything that can change the whole answer, except the model. `inputs` are all
    /// results of [`Self::canonical_input`], in order.
    #[must_use]
    pub fn canonical(&self, inputs: &[Canonical]) -> Canonical {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.form().as_bytes());
        for input in inputs {
            hasher.update(&input.digest);
        }
        Canonical { digest: hasher.finalize().into() }
    }
}

fn determinism(temperature: &str) -> Determinism {
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
const fn ignored(dialect: Dialect) -> Ignored<'static> {
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
    Ignored { members, mark: Some("cache_control"), attribution: Some(ATTRIBUTION) }
}

/// Prefix of the text in Claude Code's first block.
const ATTRIBUTION: &str = "x-anthropic-billing-header:";

fn short(hasher: &blake3::Hasher) -> u64 {
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

fn sample(hasher: &mut blake3::Hasher, part: &str) {
    let bytes = part.as_bytes();
    hasher.update(&bytes.len().to_le_bytes());
    if bytes.len() <= THREAD_TURN_BYTES_MAX {
        hasher.update(bytes);
        return;
    }
    let half = THREAD_TURN_BYTES_MAX / 2;
    hasher.update(bytes.get(..half).unwrap_or_default());
    hasher.update(bytes.get(bytes.len().saturating_sub(half)..).unwrap_or_default());
}

/// The instructions from their second block on, if the first is the attribution block.
fn without_attribution(instructions: &str) -> &str {
    let Some(end) = tree::first_item_end(instructions) else { return instructions };
    match instructions.split_at_checked(end) {
        Some((first, rest)) if first.contains(ATTRIBUTION) => rest,
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
        Opening { found: &mut found },
    );
    found
}

struct Opening<'a, 'f> {
    found: &'f mut Vec<&'a str>,
}

#[derive(Deserialize)]
struct Turn<'a> {
    #[serde(borrow)]
    role: Option<std::borrow::Cow<'a, str>>,
}

impl<'de> Visitor<'de> for Opening<'de, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("turns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while self.found.len() < THREAD_TURNS_MAX
            && let Some(raw) = items.next_element::<&'de RawValue>()?
        {
            let role = serde_json::from_str::<Turn<'_>>(raw.get()).ok().and_then(|turn| turn.role);
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
