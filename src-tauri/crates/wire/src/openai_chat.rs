//! OpenAI Chat Completions: passed through to backends that speak it, and translated.

mod answer;
mod chunk;
mod error;
mod tap;
mod translate;
mod usage;

pub(crate) use answer::{read_chat_answer, stream_of_answer};
pub(crate) use error::in_band_error;
pub use error::{error_body, error_event, upstream_error};
pub(crate) use tap::ChatTap;
pub(crate) use translate::{
    StreamReader, StreamWriter, read_answer, read_request, write_answer, write_request,
};

/// The event that ends a stream.
pub const DONE_EVENT: &[u8] = b"data: [DONE]\n\n";
