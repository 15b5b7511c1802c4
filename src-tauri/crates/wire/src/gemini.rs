//! Google Gemini: `generateContent` and its siblings, for clients and backends.
//!
//! Peculiarities: the path names the model; keys are camelCase or `snake_case`; calls may have no
//! ids and are matched to their results by name and order; a thought signature belongs to one part;
//! a stream is a sequence of complete answer objects without a terminator; calls end with the plain
//! reason `STOP`.

mod array;
mod body;
mod contents;
mod error;
mod fields;
mod fragment;
mod generation;
mod history;
mod media;
mod model;
mod options;
mod request;
mod schema;
mod signature;
mod stream;
mod tools;
mod usage;
mod write;

pub(crate) use array::ArrayFrame;
pub(crate) use error::{error_body, error_event, error_status, in_band_error, upstream_error};
pub(crate) use fields::{Fields, camel};
pub(crate) use fragment::{StreamReader, read_answer};
pub(crate) use request::read_request;
pub(crate) use stream::{StreamWriter, write_answer};
pub(crate) use write::write_request;

#[cfg(test)]
mod tests;
