//! OpenAI Responses: spoken by Codex and by newer tools, and OpenAI's own richest dialect.

mod answer;
#[cfg(test)]
mod codex_tests;
mod content;
mod error;
mod input;
mod item;
mod reasoning;
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
pub(crate) use error::error_event;
pub(crate) use request::read_request;
pub(crate) use stream::StreamReader;
pub(crate) use write::write_request;
pub(crate) use writer::{StreamWriter, write_answer};
