//! The providers' API dialects: parsing and writing of requests, answers and streams.
//!
//! Same-dialect traffic passes through unchanged except for the model name and what metering needs,
//! so this crate reads slices of the JSON instead of decoding and re-encoding it. Invariant:
//! nothing here does IO, reads a clock, makes random numbers, spawns or locks; all input may be
//! hostile, so nothing panics and every size has a limit.

mod answer;
mod dialect;
mod embeddings;
mod error;
mod exchange;
mod json;
mod media_type;
pub mod mock;
mod models;
pub mod neutral;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod published_tests;
mod request;
mod stream;
#[cfg(test)]
mod test_provider;
#[cfg(test)]
mod test_requests;
#[cfg(test)]
mod test_schema;
mod usage;

pub use answer::{AnswerFacts, BadAnswer, Flow, StreamEnd, StreamFault, TapOutput, is_tool_call};
pub use dialect::field_filter::{FieldHandling, FieldKind};
pub use dialect::openai_chat;
pub use dialect::openai_responses::{ResponseItem, resolve_items, response_items};
pub use dialect::target::{OUTPUT_TOKENS_UNKNOWN_MODEL, Target, TargetKind};
pub use dialect::{error_body, error_event, error_status, heartbeat, upstream_error};
pub use embeddings::{
    EmbeddingBatch, EmbeddingFailure, EmbeddingRequest, EmbeddingSurface, EmbeddingVector,
};
pub use error::{ErrorAnswer, ErrorKind, UpstreamClass, UpstreamError};
pub use exchange::{BackendExchange, BackendRequest};
pub use models::{BadModelList, MODELS_MAX, read_model_list, write_model, write_model_list};
pub use request::billing_terms::BillingTerms;
pub use request::client_request::{ApiSurface, ClientRequest, Metering};
pub use request::request_digest::{
    CacheTraits, CanonicalDigest, ConversationFingerprint, Determinism,
};
pub use request::request_error::RequestError;
pub use request::request_needs::RequestNeeds;
pub use request::token_count::{CountRequest, read_count, write_count};
pub use stream::answer_stream::AnswerStream;
pub use stream::chat_client::{ChatDelta, ChatError, ChatStreamReader, read_chat_error};
pub use stream::delivery::{Delivery, UsageChunk};
pub use stream::sse::{SSE_EVENT_BYTES_MAX, SseDecoder, SseEvent, SseEventTooLarge, SsePayload};
pub use usage::{USAGE_RAW_BYTES_MAX, UsageReading, UsageReport};

/// Longest model name read from a request, an answer or a backend's model list, in bytes. The
/// longest names in use (Bedrock ARNs, Hugging Face paths) have fewer than 200.
pub const MODEL_NAME_BYTES_MAX: usize = 256;
