//! Anthropic Messages, both API versions.
//!
//! Clients send bodies of 2023-06-01 and of 2026-10-21; both are read. Requests that cross are
//! written in 2023-06-01, which knows everything the newer one knows and sampling beside it, but
//! without what newer models refuse (see `model`).

mod answer;
mod blocks;
mod content;
mod error;
#[cfg(test)]
mod mock_tests;
mod model;
mod request;
mod stop;
mod stream;
mod thinking;
mod tools;
mod usage;
mod write;
mod write_tools;
mod write_turns;
mod writer;

pub(crate) use answer::{read_answer, write_answer};
pub(crate) use error::{error_body, error_event, error_status, upstream_error};
pub(crate) use request::read_request;
pub(crate) use stream::StreamReader;
pub(crate) use write::write_request;
pub(crate) use writer::StreamWriter;

/// How Claude Code's first system block begins: a fingerprint of the session, not an instruction.
/// It differs between sessions and so destroys every other provider's prompt cache
/// (anthropics/claude-code#68900); it goes to Anthropic byte for byte and nowhere else.
const FINGERPRINT: &str = "x-anthropic-billing-header:";

/// The member that holds arguments which are no JSON object: Messages has no other place for them,
/// and leaving them out would hide the model's fault.
const RAW_ARGUMENTS: &str = "_raw";
