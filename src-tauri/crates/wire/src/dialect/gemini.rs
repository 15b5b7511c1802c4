//! Google Gemini: `generateContent` and its siblings, for clients and backends.
//!
//! Peculiarities: the path names the model; keys are camelCase or `snake_case`; calls may have no
//! ids and are matched to their results by name and order; a thought signature belongs to one part;
//! a stream is a sequence of complete answer objects without a terminator; calls end with the plain
//! reason `STOP`.

mod answer_reader;
mod answer_writer;
mod array;
mod body;
mod error;
mod fields;
mod generation_config;
mod generation_options;
mod media;
mod model_features;
mod read_contents;
mod request;
mod schema;
mod signature;
mod tools;
mod usage;
mod write;
mod write_contents;

pub(crate) use answer_reader::{StreamReader, read_answer};
pub(crate) use answer_writer::{StreamWriter, write_answer};
pub(crate) use array::JsonArrayFramer;
pub(crate) use error::{error_body, error_event, error_status, in_band_error, upstream_error};
pub(crate) use fields::{RemainingMembers, to_camel_case};
pub(crate) use request::read_request;
pub(crate) use usage::read_usage;
pub(crate) use write::write_request;

#[cfg(test)]
mod tests;
