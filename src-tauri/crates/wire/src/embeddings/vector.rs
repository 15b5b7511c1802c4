//! Vectors as JSON numbers or as base64 of little-endian `f32`, and lossless conversion between
//! them: to the shortest decimal that parses to the same `f32`, and back with a single rounding.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::json::{array_items, decode_string};
use crate::neutral::JsonText;

/// Maximum number of dimensions; the largest models have about 8,000.
const DIMENSIONS_MAX: usize = 65_536;

/// One vector, as its backend wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingVector {
    /// A JSON array of numbers, with all digits.
    Numbers(JsonText),
    Base64(String),
}

impl EmbeddingVector {
    /// Parses the value of `embedding`; `None` if it is not a vector.
    pub(super) fn read(raw: &RawValue) -> Option<Self> {
        if raw.get().starts_with('"') {
            let text = decode_string(raw)?;
            let bytes = STANDARD.decode(&text).ok()?;
            let is_vector = !bytes.is_empty() && bytes.len().is_multiple_of(4);
            return is_vector.then_some(Self::Base64(text));
        }
        let numbers = array_items(raw)?;
        let is_number = |raw: &&RawValue| raw.get().parse::<f32>().is_ok();
        let fits = (1..=DIMENSIONS_MAX).contains(&numbers.len());
        (fits && numbers.iter().all(is_number)).then(|| Self::Numbers(JsonText::from_raw(raw)))
    }

    /// The vector as its backend wrote it; [`Self::from_text`] parses it.
    #[must_use]
    pub fn as_text(&self) -> &str {
        match self {
            Self::Numbers(json) => json.get(),
            Self::Base64(text) => text,
        }
    }

    /// Parses the result of [`Self::as_text`]; `None` if it is not a vector.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        if text.starts_with('[') {
            return JsonText::parse(text).map(Self::Numbers);
        }
        STANDARD.decode(text).is_ok().then(|| Self::Base64(text.to_owned()))
    }

    #[must_use]
    pub(crate) fn to_numbers(&self) -> JsonText {
        let text = match self {
            Self::Numbers(json) => return json.clone(),
            Self::Base64(text) => text,
        };
        let bytes = STANDARD.decode(text).unwrap_or_default();
        let (values, _) = bytes.as_chunks::<4>();
        let shown = values.iter().map(|bytes| format_number(f32::from_le_bytes(*bytes)));
        let array = format!("[{}]", shown.collect::<Vec<_>>().join(","));
        JsonText::parse(&array).unwrap_or_else(|| JsonText::from_value(&serde_json::json!([])))
    }

    #[must_use]
    pub(crate) fn to_base64(&self) -> String {
        let json = match self {
            Self::Base64(text) => return text.clone(),
            Self::Numbers(json) => json,
        };
        let raw: Option<&RawValue> = serde_json::from_str(json.get()).ok();
        let numbers = raw.and_then(array_items).unwrap_or_default();
        // Parsed directly as `f32`: going through `f64` would round twice.
        let value = |raw: &&RawValue| raw.get().parse::<f32>().unwrap_or_default().to_le_bytes();
        STANDARD.encode(numbers.iter().flat_map(value).collect::<Vec<u8>>())
    }
}

/// Formats a number; infinities, which JSON does not have, become 0.
fn format_number(value: f32) -> String {
    if value.is_finite() { value.to_string() } else { "0".to_owned() }
}
