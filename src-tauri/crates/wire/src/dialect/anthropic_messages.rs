//! Anthropic Messages, in both API versions.
//!
//! Clients may send bodies of version 2023-06-01 or 2026-10-21. Translated requests are written in
//! 2023-06-01, which has every field of the newer version and the sampling fields as well. Fields
//! that newer models refuse are left out (see `model`).

mod answer;
mod content_block;
mod error;
mod foreign_thinking;
#[cfg(test)]
mod mock_tests;
mod model_features;
mod read_tools;
mod read_turns;
mod request;
mod stop_reason;
mod stream_reader;
mod stream_writer;
mod thinking;
mod usage;
mod write;
mod write_tools;
mod write_turns;

pub(crate) use answer::{read_answer, write_answer};
pub(crate) use error::{error_body, error_event, error_status, upstream_error};
pub(crate) use foreign_thinking::remove_foreign_thinking;
pub(crate) use request::{read_conversation, read_request};
pub(crate) use stream_reader::StreamReader;
pub(crate) use stream_writer::StreamWriter;
pub(crate) use write::write_request;

/// Prefix of Claude Code's first system block. It identifies the session and is not an instruction.
/// It differs per session and would defeat every other provider's prompt cache
/// (anthropics/claude-code#68900), so only Anthropic gets it, byte for byte.
const SESSION_FINGERPRINT_PREFIX: &str = "x-anthropic-billing-header:";
