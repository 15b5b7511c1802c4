//! OpenAI Chat Completions: passed through to backends that support it, and translated.

mod adapt;
mod answer;
mod chunk;
mod content;
mod error;
mod messages;
mod read;
mod reply;
mod request;
mod stream_write;
mod tap;
mod thinking;
mod tools;
mod usage;
mod write;
mod write_messages;

pub(crate) use adapt::adapt;
pub(crate) use answer::{read_chat_answer, stream_of_answer};
pub use error::{error_body, error_event, upstream_error};
pub(crate) use error::{error_object, in_band_error};
pub(crate) use read::{StreamReader, read_answer};
pub(crate) use reply::write_answer;
pub(crate) use request::read_request;
pub(crate) use stream_write::StreamWriter;
pub(crate) use tap::ChatTap;
pub(crate) use write::write_request;

pub const DONE_EVENT: &[u8] = b"data: [DONE]\n\n";

#[cfg(test)]
mod tests;
