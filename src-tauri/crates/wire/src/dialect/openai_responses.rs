//! OpenAI Responses: used by Codex and newer tools, and OpenAI's own richest dialect.

mod answer;
mod answer_writer;
#[cfg(test)]
mod codex_tests;
mod content;
mod echoed_tools;
mod error;
mod output_item;
mod read_input;
mod read_tools;
mod reasoning;
mod references;
mod request;
mod response_object;
mod stream_reader;
mod usage;
mod write;
mod write_input;
mod write_tools;

pub(crate) use answer::read_answer;
pub(crate) use answer_writer::{StreamWriter, write_answer};
pub(crate) use error::{error_event, error_status};
pub(crate) use references::remove_foreign_items;
pub use references::{ResponseItem, resolve_items, response_items};
pub(crate) use request::read_request;
pub(crate) use stream_reader::StreamReader;
pub(crate) use write::write_request;
