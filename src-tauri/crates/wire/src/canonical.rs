//! What can change an answer, and nothing else: the same question gets the same digest however it was
//! spelled.
//!
//! Three questions, from cheap to dear. [`Traits`] are read while the request is parsed, from slices
//! that are at hand there; they say whether an answer may be kept at all. [`Thread`] samples the
//! beginning of the conversation. Only [`ClientRequest::canonical`] walks the whole body.
//!
//! Left out of the digest, because they change no answer: the model (a part of the key of its own),
//! how the answer is delivered, labels for the provider's bookkeeping, marks for its prompt cache, the
//! attribution block that Claude Code puts first (another one in each session), the order of members,
//! `null` at the top level, white space, and how characters are escaped. Numbers stay as they are
//! written. What is not known here stays in, which costs a hit and never a wrong answer.

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

/// Most turns that are sampled of the beginning of a conversation.
pub const THREAD_TURNS_MAX: usize = 8;

/// Most bytes that are sampled of one turn, half from its beginning and half from its end.
pub const THREAD_TURN_BYTES_MAX: usize = 2_048;

/// Whether the same question has the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Determinism {
    /// It asks for temperature 0.
    Deterministic,
    /// The model may answer otherwise the next time.
    Sampled,
}

/// What decides whether an answer may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traits {
    /// Whether the same question has the same answer.
    pub determinism: Determinism,
    /// Whether tools are offered to the model.
    pub has_tools: bool,
    /// Whether it changes or uses something that is kept at the provider: a stored response, a
    /// conversation, a container, a cached content, work in the background.
    pub has_state: bool,
}

/// The digest of all that can change the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Canonical {
    /// BLAKE3.
    pub digest: [u8; 32],
}

/// Which conversation a request belongs to. Not for keys: only a sample is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thread {
    /// Of the instructions and all turns before the model's first: the same for every request of a
    /// conversation, and for the same question asked over and over.
    pub prefix: u64,
    /// As [`Self::prefix`], unless the client names its conversation by `prompt_cache_key`.
    pub conversation: u64,
}

/// What is noted of a request's members while they are at hand.
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

    /// The sample of the beginning.
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
    /// What decides whether its answer may be kept. Costs nothing.
    #[must_use]
    pub const fn traits(&self) -> Traits {
        self.survey().traits
    }

    /// Which conversation it belongs to, by a sample of some kilobytes.
    #[must_use]
    pub fn thread(&self) -> Thread {
        self.survey().thread(self.text())
    }

    /// The digest of all that can change the answer. Walks the whole body.
    #[must_use]
    pub fn canonical(&self) -> Canonical {
        Canonical { digest: digest(self.text(), &ignored(self.dialect())) }
    }
}

impl EmbeddingRequest {
    /// The digest of all that can change the vector of the input at `place`, but for the model; the
    /// encoding of the answer is no part of it. `None` past the last input.
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

    /// The digest of all that can change the whole answer, but for the model. `inputs` are all that
    /// [`Self::canonical_input`] gives, in order.
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

/// Whether an array or object has nothing in it, or the value is none.
fn is_empty(raw: &str) -> bool {
    raw == "null"
        || raw
            .bytes()
            .skip(1)
            .find(|byte| !byte.is_ascii_whitespace())
            .is_some_and(|byte| matches!(byte, b']' | b'}'))
}

/// Labels and delivery, by dialect.
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

/// How the text of Claude Code's first block begins.
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

/// The instructions from their second block on, if the first is the attribution.
fn without_attribution(instructions: &str) -> &str {
    let Some(end) = tree::first_item_end(instructions) else { return instructions };
    match instructions.split_at_checked(end) {
        Some((first, rest)) if first.contains(ATTRIBUTION) => rest,
        _ => instructions,
    }
}

/// The turns before the model's first, as they stand; a text is its own only turn.
fn opening_turns(turns: &str) -> Vec<&str> {
    if turns.starts_with('"') {
        return vec![turns];
    }
    let mut found = Vec::new();
    // It stops in the middle on purpose, which serde_json then calls an error.
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
            // Gemini lets the only turn go without a role.
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
