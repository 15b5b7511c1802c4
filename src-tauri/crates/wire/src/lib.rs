//! The providers' API dialects: parsing and writing of requests, answers and streams.
//!
//! Same-dialect traffic passes through unchanged except for the model name and what metering needs,
//! so this crate reads slices of the JSON instead of decoding and re-encoding it. Invariant:
//! nothing here does IO, reads a clock, makes random numbers, spawns or locks; all input may be
//! hostile, so nothing panics and every size has a limit.

mod answer;
mod anthropic_messages;
mod assemble;
mod canonical;
mod client_request;
mod client_words;
mod count;
mod cross;
mod crossing;
mod delivery;
mod dialect;
mod embeddings;
mod error;
mod exchange;
mod fold;
mod gemini;
mod json;
mod media_type;
pub mod mock;
mod models;
mod names;
pub mod neutral;
mod node;
mod object_text;
mod ollama_chat;
pub mod openai_chat;
mod openai_responses;
mod pass;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published_tests;
mod reasoning;
mod request_error;
mod sse;
mod stream;
mod target;
#[cfg(test)]
mod test_requests;
#[cfg(test)]
mod test_schema;
mod turns;
mod usage;
mod wants;

pub use answer::{AnswerFacts, BadAnswer, CHOICES_MAX, Flow, StreamEnd, StreamFault, Tapped};
pub use canonical::{
    Canonical, Determinism, THREAD_TURN_BYTES_MAX, THREAD_TURNS_MAX, Thread, Traits,
};
pub use client_request::{ClientRequest, Metering, Surface};
pub use count::{CountRequest, count_answer, read_count};
pub use crossing::{Fate, Field, fate};
pub use delivery::{Delivery, UsageChunk};
pub use dialect::{error_body, error_event, error_status, heartbeat, upstream_error};
pub use embeddings::{
    EMBEDDING_INPUTS_MAX, EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, EmbeddingSurface,
    EmbeddingVector, GEMINI_EMBEDDING_BATCH_MAX, OLLAMA_EMBEDDING_BATCH_MAX,
};
pub use error::{
    ERROR_FIELD_CHARS_MAX, ERROR_MESSAGE_CHARS_MAX, ErrorAnswer, ErrorKind, UpstreamClass,
    UpstreamError,
};
pub use exchange::{Exchange, Outgoing};
pub use json::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX};
pub use models::{BadModelList, MODELS_MAX, model_answer, models_answer, models_from_list};
pub use node::JSON_ITEMS_MAX;
pub use openai_responses::{ResponseItem, resolve_items, response_items};
pub use request_error::RequestError;
pub use sse::{SSE_EVENT_BYTES_MAX, SseDecoder, SseEvent, SseEventTooLarge, SsePayload};
pub use stream::{AnswerStream, HELD_BYTES_MAX};
pub use target::{OUTPUT_TOKENS_UNKNOWN_MODEL, Target, TargetKind};
pub use usage::{TOKEN_COUNT_MAX, USAGE_RAW_BYTES_MAX, UsageReading, UsageReport};
pub use wants::Wants;

/// Longest model name read from a request, an answer or a backend's model list, in bytes. The
/// longest names in use (Bedrock ARNs, Hugging Face paths) have fewer than 200.
pub const MODEL_NAME_BYTES_MAX: usize = 256;
