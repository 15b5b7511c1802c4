//! The dialects of the providers: bytes and values in, bytes and values out.
//!
//! Same-dialect traffic passes through untouched but for the model name and what metering needs, so
//! this crate reads slices of the JSON instead of turning it into values and back. Invariant:
//! nothing here does IO, reads a clock, makes a random number, spawns or locks; every outside byte
//! may be hostile, so nothing panics and every size has a limit.

mod error;
mod json;
pub mod mock;
pub mod openai_chat;
#[cfg(test)]
mod properties;
mod sse;

pub use error::{
    ERROR_FIELD_CHARS_MAX, ERROR_MESSAGE_CHARS_MAX, ErrorAnswer, ErrorKind, UpstreamClass,
    UpstreamError,
};
pub use json::{JSON_DEPTH_MAX, JSON_MEMBERS_MAX};
pub use sse::{SSE_EVENT_BYTES_MAX, SseDecoder, SseEvent, SseEventTooLarge, SsePayload};

/// Longest model name read from a request, an answer or a backend's list, in bytes. The longest
/// names in use (Bedrock ARNs, Hugging Face paths) stay under 200.
pub const MODEL_NAME_BYTES_MAX: usize = 256;
