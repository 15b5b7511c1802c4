//! OpenAI Chat Completions: passed through to backends that support it, and translated.

mod adapt;
mod answer;
mod answer_reader;
mod answer_writer;
mod chunk;
mod content;
mod error;
mod read_messages;
mod read_tools;
mod request;
mod stream_writer;
mod tap;
mod thinking;
mod usage;
mod write;
mod write_messages;

pub(crate) use adapt::adapt_body;
pub(crate) use answer::{read_chat_answer, stream_from_answer};
pub(crate) use answer_reader::{StreamReader, read_answer};
pub(crate) use answer_writer::write_answer;
pub use error::{error_body, error_event, upstream_error};
pub(crate) use error::{error_object, in_band_error};
pub(crate) use request::read_request;
pub(crate) use stream_writer::StreamWriter;
pub(crate) use tap::ChatTap;
pub use usage::is_search_model;
pub(crate) use write::write_request;

pub(crate) const DONE_EVENT: &[u8] = b"data: [DONE]\n\n";

#[cfg(test)]
mod tests;
