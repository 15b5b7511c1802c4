//! Reads what routing needs from a client's request in any dialect, and writes the request for a
//! backend of the same dialect.
//!
//! The body is never decoded and re-encoded: unknown fields, their order and the spelling of
//! numbers reach the backend unchanged. Duplicate keys are rejected at the top level and in
//! `stream_options`, because client, gateway and backend could each read a different one; deeper
//! ones are left to the backend.

use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use domain::Dialect;

use crate::answer::is_model_name;
use crate::dialect::read_request;
use crate::json::{
    JSON_DEPTH_MAX, JsonFault, Members, is_deeper_than, quote, range_in, replace_ranges,
};
use crate::neutral::ModelRequest;
use crate::request::request_digest::RequestOutline;
use crate::request::request_needs::RequestNeeds;
use crate::{BillingTerms, Delivery, RequestError, UsageChunk};

/// A client's request, validated as far as routing needs.
#[derive(Debug, Clone)]
pub struct ClientRequest {
    dialect: Dialect,
    body: Bytes,
    model: String,
    /// Range of the model name in the body; `None` for Gemini, where the path names it.
    model_at: Option<Range<usize>>,
    delivery: Delivery,
    usage_edit: Option<BodyEdit>,
    needs: RequestNeeds,
    outline: RequestOutline,
    /// True if the client may refer to items of the answer later.
    is_stored: bool,
}

/// Controls whether a stream request asks the backend for usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metering {
    AskForUsage,
    /// Leaves `stream_options` as the client wrote it, for backends that reject the field.
    AsClientWrote,
}

/// A replacement for a range of the body.
#[derive(Debug, Clone)]
struct BodyEdit {
    at: Range<usize>,
    text: &'static str,
}

/// The API endpoint a client called: its dialect, and what the path contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiSurface<'a> {
    /// `POST /v1/chat/completions`.
    OpenAiChat,
    /// `POST /v1/responses`.
    OpenAiResponses,
    /// `POST /v1/messages`.
    AnthropicMessages,
    /// `POST /v1beta/models/{model}:generateContent` and `:streamGenerateContent`.
    Gemini {
        /// The model in the path, percent-decoded.
        model: &'a str,
        /// From the method and `?alt=sse`.
        delivery: Delivery,
    },
}

impl ApiSurface<'_> {
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self {
            Self::OpenAiChat => Dialect::OpenAiChat,
            Self::OpenAiResponses => Dialect::OpenAiResponses,
            Self::AnthropicMessages => Dialect::AnthropicMessages,
            Self::Gemini { .. } => Dialect::Gemini,
        }
    }
}

impl ClientRequest {
    pub fn parse(surface: ApiSurface<'_>, body: Bytes) -> Result<Self, RequestError> {
        Self::parse_with(surface, body, |_| false)
    }

    /// Like [`Self::parse`], but does not require the conversation at the top level if
    /// `is_complete` returns true.
    pub(crate) fn parse_with(
        surface: ApiSurface<'_>,
        body: Bytes,
        is_complete: impl FnOnce(&Members<'_>) -> bool,
    ) -> Result<Self, RequestError> {
        let text =
            std::str::from_utf8(&body).map_err(|error| utf8_error(&body, error.valid_up_to()))?;
        if is_deeper_than(text, JSON_DEPTH_MAX) {
            return Err(RequestError::TooComplex);
        }
        let members = read_object(text)?;
        let dialect = surface.dialect();
        let wants = RequestNeeds::read(dialect, text, &members);
        let survey = RequestOutline::of(text, &members);
        if let ApiSurface::Gemini { model, delivery } = surface {
            if !is_model_name(model) {
                return Err(RequestError::bad_model_name());
            }
            if !is_complete(&members) {
                check_array(&members, "contents")?;
            }
            let model = model.to_owned();
            let (model_at, usage_edit) = (None, None);
            return Ok(Self {
                dialect,
                body,
                model,
                model_at,
                delivery,
                usage_edit,
                needs: wants,
                outline: survey,
                is_stored: false,
            });
        }
        let (model, model_at) = read_model(text, &members)?;
        match dialect {
            Dialect::OpenAiResponses => {}
            _ => check_array(&members, "messages")?,
        }
        let is_streamed = read_flag(&members, "stream", "stream")?;
        let (asked, usage_edit) = match dialect {
            Dialect::OpenAiChat => {
                let options = UsageOption::read(text, &members)?;
                (options.asked, options.edit)
            }
            _ => (UsageChunk::Asked, None),
        };
        let delivery = if is_streamed { Delivery::Stream(asked) } else { Delivery::Whole };
        let model_at = Some(model_at);
        let says_no = members.get("store").is_some_and(|store| store.get() == "false");
        let is_stored = dialect == Dialect::OpenAiResponses && !says_no;
        Ok(Self {
            dialect,
            body,
            model,
            model_at,
            delivery,
            usage_edit,
            needs: wants,
            outline: survey,
            is_stored,
        })
    }

    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Decodes the whole request, for a backend of another dialect.
    pub(crate) fn to_neutral(&self) -> Result<ModelRequest, RequestError> {
        read_request(self.dialect, self.text(), &self.model, self.delivery)
    }

    pub(crate) fn text(&self) -> &str {
        // UTF-8 was checked in `parse`.
        std::str::from_utf8(&self.body).unwrap_or_default()
    }

    pub(crate) const fn outline(&self) -> &RequestOutline {
        &self.outline
    }

    /// The model the client asked for: a route's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    #[must_use]
    pub const fn delivery(&self) -> Delivery {
        self.delivery
    }

    /// True if the client may refer to items of the answer later: in Responses, unless it sends
    /// `store: false`.
    #[must_use]
    pub const fn is_stored(&self) -> bool {
        self.is_stored
    }

    /// The capabilities it requires of a model.
    #[must_use]
    pub const fn needs(&self) -> RequestNeeds {
        self.needs
    }

    /// How it asks to be billed.
    #[must_use]
    pub fn billing_terms(&self) -> BillingTerms {
        let members = Members::parse(self.text());
        members.map(|it| BillingTerms::read(self.dialect, &it)).unwrap_or_default()
    }

    /// The body as received.
    #[must_use]
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The body for a backend: unchanged except for the value of `model` and, in a stream,
    /// `stream_options.include_usage`.
    #[must_use]
    pub(crate) fn upstream_body(&self, model: &str, metering: Metering) -> Bytes {
        let name = quote(model);
        let rename = self.model_at.as_ref().filter(|_| model != self.model);
        let rename = rename.map(|at| (at, name.as_str()));
        let meter = match (self.delivery, metering) {
            (Delivery::Stream(_), Metering::AskForUsage) => self.usage_edit.as_ref(),
            _ => None,
        };
        let mut edits: Vec<_> = rename.into_iter().chain(meter.map(|e| (&e.at, e.text))).collect();
        if edits.is_empty() {
            return self.body.clone();
        }
        edits.sort_by_key(|(at, _)| at.start);
        replace_ranges(&self.body, &edits)
    }
}

fn utf8_error(body: &[u8], valid: usize) -> RequestError {
    let before = body.get(..valid).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    RequestError::NotJson { line, column }
}

fn read_object(text: &str) -> Result<Members<'_>, RequestError> {
    let members = Members::parse(text).map_err(|fault| match fault {
        JsonFault::Syntax { line, column } => RequestError::NotJson { line, column },
        JsonFault::NotAnObject => RequestError::NotAnObject,
        JsonFault::TooManyMembers => RequestError::TooComplex,
    })?;
    reject_duplicate_keys(&members, "")?;
    Ok(members)
}

fn reject_duplicate_keys(members: &Members<'_>, path: &str) -> Result<(), RequestError> {
    let shown = |key: &str| crate::error::sanitize(key, crate::error::ERROR_FIELD_CHARS_MAX);
    match members.duplicate_key() {
        Some(key) => Err(RequestError::DuplicateKey(format!("{path}{}", shown(key)))),
        None => Ok(()),
    }
}

fn read_model(text: &str, members: &Members<'_>) -> Result<(String, Range<usize>), RequestError> {
    let raw = members.get("model").ok_or(RequestError::Missing("model".to_owned()))?;
    if !raw.get().starts_with('"') {
        return Err(RequestError::WrongType { param: "model".to_owned(), expected: "a string" });
    }
    let model = members.string("model").ok_or(RequestError::bad_model_name())?;
    if !is_model_name(&model) {
        return Err(RequestError::bad_model_name());
    }
    Ok((model, range_in(text, raw.get())))
}

fn check_array(members: &Members<'_>, key: &'static str) -> Result<(), RequestError> {
    let raw = members.get(key).ok_or_else(|| RequestError::Missing(key.to_owned()))?;
    if raw.get().starts_with('[') {
        return Ok(());
    }
    Err(RequestError::WrongType { param: key.to_owned(), expected: "an array" })
}

fn read_flag(members: &Members<'_>, key: &str, param: &'static str) -> Result<bool, RequestError> {
    match members.get(key).map(RawValue::get) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(RequestError::WrongType { param: param.to_owned(), expected: "a boolean" }),
    }
}

/// Whether the client asked for usage, and the edit that asks for it otherwise.
struct UsageOption {
    asked: UsageChunk,
    edit: Option<BodyEdit>,
}

impl UsageOption {
    fn read(text: &str, members: &Members<'_>) -> Result<Self, RequestError> {
        let Some(options) = members.get("stream_options") else {
            return Ok(Self {
                asked: UsageChunk::NotAsked,
                edit: Self::edit_adding_options(text, members),
            });
        };
        let inner = match Members::parse(options.get()) {
            Ok(inner) => inner,
            Err(JsonFault::TooManyMembers) => return Err(RequestError::TooComplex),
            Err(_) => {
                let expected = "an object";
                return Err(RequestError::WrongType {
                    param: "stream_options".to_owned(),
                    expected,
                });
            }
        };
        reject_duplicate_keys(&inner, "stream_options.")?;
        if read_flag(&inner, "include_usage", "stream_options.include_usage")? {
            return Ok(Self { asked: UsageChunk::Asked, edit: None });
        }
        let edit = match (inner.get_or_null("include_usage"), inner.last()) {
            (Some(refusal), _) => BodyEdit { at: range_in(text, refusal.get()), text: "true" },
            (None, last) => {
                let inside = range_in(text, options.get()).start + 1;
                let comma = last.is_some();
                let text = if comma { "\"include_usage\":true," } else { "\"include_usage\":true" };
                BodyEdit { at: inside..inside, text }
            }
        };
        Ok(Self { asked: UsageChunk::NotAsked, edit: Some(edit) })
    }

    /// Appends the options as the last member, or replaces a `null`.
    fn edit_adding_options(text: &str, members: &Members<'_>) -> Option<BodyEdit> {
        if let Some(null) = members.get_or_null("stream_options") {
            let at = range_in(text, null.get());
            return Some(BodyEdit { at, text: "{\"include_usage\":true}" });
        }
        let end = range_in(text, members.last()?.get()).end;
        Some(BodyEdit { at: end..end, text: ",\"stream_options\":{\"include_usage\":true}" })
    }
}

#[cfg(test)]
mod tests;
