//! Google Gemini: `generateContent` and its siblings, as clients speak it and as backends do.
//!
//! What is peculiar to it and shapes these files: a request names its model in the path and comes in
//! camelCase or `snake_case`; calls may have no ids and are then joined to their results by name and
//! order; signatures of thoughts stand on the part they belong to; a stream is a row of whole answers
//! and has no terminator; calls end with the plain reason `STOP`.

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
