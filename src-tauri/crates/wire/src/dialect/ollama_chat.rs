//! Ollama's own chat API (`POST /api/chat`), for backends only.

mod lines;
mod read;
mod write;

pub(crate) use lines::JsonLineDecoder;
pub(crate) use read::{StreamReader, read_answer};
pub(crate) use write::write_request;

#[cfg(test)]
mod tests;
