//! What routing needs of a request, and the request for the upstream.
//!
//! The body is never turned into values and back: unknown fields, their order and the spelling of
//! numbers reach the backend as the client wrote them. Policy for duplicate keys: at the top level
//! and in `stream_options` they are refused, since client, gateway and backend could each read
//! another one; deeper they are the backend's to judge.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use serde_json::value::RawValue;

use crate::MODEL_NAME_BYTES_MAX;
use crate::json::{
    JSON_DEPTH_MAX, JSON_MEMBERS_MAX, JsonFault, Members, is_deeper_than, quote, range_in,
};

/// A Chat Completions request, checked as far as routing needs.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    body: Bytes,
    model: String,
    model_at: Range<usize>,
    delivery: Delivery,
    usage_edit: Option<Edit>,
}

/// How the client wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// One JSON body.
    Whole,
    /// Server-sent events.
    Stream(UsageChunk),
}

/// Whether the client asked for `stream_options.include_usage`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageChunk {
    /// It did: the usage chunk is relayed.
    Asked,
    /// It did not: the usage chunk is taken out.
    NotAsked,
}

/// Whether to ask the backend for usage in a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    /// Sets `stream_options.include_usage` to `true`.
    AskForUsage,
    /// Leaves `stream_options` as the client wrote it, for backends that refuse the field.
    AsClientWrote,
}

/// Why a request was refused. The text is the `message` for the client, [`RequestError::param`] the
/// field it names and [`RequestError::code`] its `code`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not JSON in UTF-8.
    #[error(
        "The request body is not valid JSON (line {line}, column {column}). Send one JSON object in UTF-8."
    )]
    NotJson {
        /// Line from one.
        line: usize,
        /// Column from one.
        column: usize,
    },
    /// JSON, but no object.
    #[error("The request body is not a JSON object. Send one object with 'model' and 'messages'.")]
    NotAnObject,
    /// Over [`JSON_DEPTH_MAX`].
    #[error("The request body is nested deeper than {JSON_DEPTH_MAX} levels. Flatten it.")]
    TooDeep,
    /// Over [`JSON_MEMBERS_MAX`].
    #[error("The request body has more than {JSON_MEMBERS_MAX} fields in one object. Send fewer.")]
    TooManyFields,
    /// A key that stands twice.
    #[error("Duplicate field: '{0}'. Send it once.")]
    DuplicateKey(String),
    /// A field that has to be there.
    #[error("Missing required parameter: '{0}'.")]
    Missing(&'static str),
    /// A field of the wrong type.
    #[error("Invalid type for '{param}': expected {expected}.")]
    WrongType {
        /// The field.
        param: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A model name that is empty, too long or has control characters.
    #[error(
        "Invalid value for 'model': use 1 to {MODEL_NAME_BYTES_MAX} bytes without control characters."
    )]
    BadModel,
}

impl RequestError {
    /// The field at fault, as OpenAI names it.
    #[must_use]
    pub fn param(&self) -> Option<&str> {
        match self {
            Self::NotJson { .. } | Self::NotAnObject | Self::TooDeep | Self::TooManyFields => None,
            Self::DuplicateKey(key) => Some(key),
            Self::Missing(param) | Self::WrongType { param, .. } => Some(param),
            Self::BadModel => Some("model"),
        }
    }

    /// OpenAI's word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotJson { .. } | Self::NotAnObject => "invalid_json",
            Self::TooDeep | Self::TooManyFields => "json_too_complex",
            Self::DuplicateKey(_) => "duplicate_parameter",
            Self::Missing(_) => "missing_required_parameter",
            Self::WrongType { .. } => "invalid_type",
            Self::BadModel => "invalid_value",
        }
    }
}

/// Bytes to put in place of a range of the body.
#[derive(Debug, Clone)]
struct Edit {
    at: Range<usize>,
    text: &'static str,
}

impl ChatRequest {
    /// Reads a request's body.
    pub fn parse(body: Bytes) -> Result<Self, RequestError> {
        let text =
            std::str::from_utf8(&body).map_err(|error| not_utf8(&body, error.valid_up_to()))?;
        if is_deeper_than(text, JSON_DEPTH_MAX) {
            return Err(RequestError::TooDeep);
        }
        let members = read_object(text)?;
        let (model, model_at) = read_model(text, &members)?;
        check_messages(&members)?;
        let options = UsageOption::read(text, &members)?;
        let delivery = if read_flag(&members, "stream", "stream")? {
            Delivery::Stream(options.asked)
        } else {
            Delivery::Whole
        };
        let usage_edit = options.edit;
        Ok(Self { body, model, model_at, delivery, usage_edit })
    }

    /// The model the client asked for: a route's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// How the client wants its answer.
    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// The body as it came.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body for a backend: the bytes as they came, but for the value of `model` and, in a
    /// stream, `stream_options.include_usage`.
    #[must_use]
    pub fn for_upstream(&self, model: &str, metering: Metering) -> Bytes {
        let name = quote(model);
        let rename = (model != self.model).then_some((&self.model_at, name.as_str()));
        let meter = match (self.delivery, metering) {
            (Delivery::Stream(_), Metering::AskForUsage) => self.usage_edit.as_ref(),
            _ => None,
        };
        let mut edits: Vec<_> = rename.into_iter().chain(meter.map(|e| (&e.at, e.text))).collect();
        if edits.is_empty() {
            return self.body.clone();
        }
        edits.sort_by_key(|(at, _)| at.start);
        splice(&self.body, &edits)
    }
}

fn splice(body: &Bytes, edits: &[(&Range<usize>, &str)]) -> Bytes {
    let added: usize = edits.iter().map(|(_, text)| text.len()).sum();
    let mut out = BytesMut::with_capacity(body.len() + added);
    let mut copied = 0;
    for (at, text) in edits {
        out.extend_from_slice(body.get(copied..at.start).unwrap_or_default());
        out.extend_from_slice(text.as_bytes());
        copied = at.end;
    }
    out.extend_from_slice(body.get(copied..).unwrap_or_default());
    out.freeze()
}

fn not_utf8(body: &[u8], valid: usize) -> RequestError {
    let before = body.get(..valid).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    RequestError::NotJson { line, column }
}

fn read_object(text: &str) -> Result<Members<'_>, RequestError> {
    let members = Members::parse(text).map_err(|fault| match fault {
        JsonFault::Syntax { line, column } => RequestError::NotJson { line, column },
        JsonFault::NotAnObject => RequestError::NotAnObject,
        JsonFault::TooManyMembers => RequestError::TooManyFields,
    })?;
    refuse_duplicates(&members, "")?;
    Ok(members)
}

fn refuse_duplicates(members: &Members<'_>, path: &str) -> Result<(), RequestError> {
    let shown = |key: &str| crate::error::clean(key, crate::ERROR_FIELD_CHARS_MAX);
    match members.duplicate() {
        Some(key) => Err(RequestError::DuplicateKey(format!("{path}{}", shown(key)))),
        None => Ok(()),
    }
}

fn read_model(text: &str, members: &Members<'_>) -> Result<(String, Range<usize>), RequestError> {
    let raw = members.get("model").ok_or(RequestError::Missing("model"))?;
    if !raw.get().starts_with('"') {
        return Err(RequestError::WrongType { param: "model", expected: "a string" });
    }
    let model = members.string("model").ok_or(RequestError::BadModel)?;
    let fits = (1..=MODEL_NAME_BYTES_MAX).contains(&model.len());
    if !fits || model.chars().any(char::is_control) {
        return Err(RequestError::BadModel);
    }
    Ok((model, range_in(text, raw.get())))
}

fn check_messages(members: &Members<'_>) -> Result<(), RequestError> {
    let raw = members.get("messages").ok_or(RequestError::Missing("messages"))?;
    if raw.get().starts_with('[') {
        return Ok(());
    }
    Err(RequestError::WrongType { param: "messages", expected: "an array of messages" })
}

fn read_flag(members: &Members<'_>, key: &str, param: &'static str) -> Result<bool, RequestError> {
    match members.get(key).map(RawValue::get) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(RequestError::WrongType { param, expected: "a boolean" }),
    }
}

/// Whether usage was asked for, and the edit that asks for it if it was not.
struct UsageOption {
    asked: UsageChunk,
    edit: Option<Edit>,
}

impl UsageOption {
    fn read(text: &str, members: &Members<'_>) -> Result<Self, RequestError> {
        let Some(options) = members.get("stream_options") else {
            return Ok(Self {
                asked: UsageChunk::NotAsked,
                edit: Self::add_options(text, members),
            });
        };
        let inner = match Members::parse(options.get()) {
            Ok(inner) => inner,
            Err(JsonFault::TooManyMembers) => return Err(RequestError::TooManyFields),
            Err(_) => {
                let expected = "an object";
                return Err(RequestError::WrongType { param: "stream_options", expected });
            }
        };
        refuse_duplicates(&inner, "stream_options.")?;
        if read_flag(&inner, "include_usage", "stream_options.include_usage")? {
            return Ok(Self { asked: UsageChunk::Asked, edit: None });
        }
        let edit = match (inner.get_or_null("include_usage"), inner.last()) {
            (Some(refusal), _) => Edit { at: range_in(text, refusal.get()), text: "true" },
            (None, last) => {
                let inside = range_in(text, options.get()).start + 1;
                let comma = last.is_some();
                let text = if comma { "\"include_usage\":true," } else { "\"include_usage\":true" };
                Edit { at: inside..inside, text }
            }
        };
        Ok(Self { asked: UsageChunk::NotAsked, edit: Some(edit) })
    }

    /// Adds the options as the last member, or puts them where `null` stands.
    fn add_options(text: &str, members: &Members<'_>) -> Option<Edit> {
        if let Some(null) = members.get_or_null("stream_options") {
            let at = range_in(text, null.get());
            return Some(Edit { at, text: "{\"include_usage\":true}" });
        }
        let end = range_in(text, members.last()?.get()).end;
        Some(Edit { at: end..end, text: ",\"stream_options\":{\"include_usage\":true}" })
    }
}

#[cfg(test)]
mod tests;
