//! OpenAI Responses: used by Codex and newer tools, and OpenAI's own richest dialect.

mod answer;
#[cfg(test)]
mod codex_tests;
mod content;
mod error;
mod input;
mod item;
mod reasoning;
mod references;
mod reply_tools;
mod request;
mod response;
mod stream;
mod tools;
mod usage;
mod write;
mod write_input;
mod write_tools;
mod writer;

pub(crate) use answer::read_answer;
pub(crate) use error::{error_event, error_status};
pub(crate) use references::without_foreign_items;
pub use references::{ResponseItem, resolve_items, response_items};
pub(crate) use request::read_request;
pub(crate) use stream::StreamReader;
pub(crate) use write::write_request;
pub(crate) use writer::{StreamWriter, write_answer};
