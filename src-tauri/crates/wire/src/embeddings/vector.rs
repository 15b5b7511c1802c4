//! Vectors, as numbers in JSON or as base64 of little-endian `f32`, and from one to the other without
//! loss: the shortest decimal that reads back to the same `f32` one way, rounded once the other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use crate::json::{items, text_of};
use crate::neutral::Json;

/// Most dimensions of a vector; the largest models have some 8,000.
const DIMENSIONS_MAX: usize = 65_536;

/// One vector, as its backend wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EmbeddingVector {
    /// A JSON array of numbers, to the digit.
    Numbers(Json),
    /// Base64 of little-endian `f32`.
    Base64(String),
}

impl EmbeddingVector {
    /// What stands at `embedding`; `None` if it is no vector.
    pub(super) fn read(raw: &RawValue) -> Option<Self> {
        if raw.get().starts_with('"') {
            let text = text_of(raw)?;
            let bytes = STANDARD.decode(&text).ok()?;
            let is_vector = !bytes.is_empty() && bytes.len().is_multiple_of(4);
            return is_vector.then_some(Self::Base64(text));
        }
        let numbers = items(raw)?;
        let is_number = |raw: &&RawValue| raw.get().parse::<f32>().is_ok();
        let fits = (1..=DIMENSIONS_MAX).contains(&numbers.len());
        (fits && numbers.iter().all(is_number)).then(|| Self::Numbers(Json::of(raw)))
    }

    /// As its backend wrote it, in either form; [`Self::of_text`] reads it back.
    #[must_use]
    pub fn as_text(&self) -> &str {
        match self {
            Self::Numbers(json) => json.get(),
            Self::Base64(text) => text,
        }
    }

    /// Reads back what [`Self::as_text`] gave; `None` if it is no vector.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        if text.starts_with('[') {
            return Json::parse(text).map(Self::Numbers);
        }
        STANDARD.decode(text).is_ok().then(|| Self::Base64(text.to_owned()))
    }

    /// As a JSON array of numbers.
    #[must_use]
    pub fn to_numbers(&self) -> Json {
        let text = match self {
            Self::Numbers(json) => return json.clone(),
            Self::Base64(text) => text,
        };
        let bytes = STANDARD.decode(text).unwrap_or_default();
        let (values, _) = bytes.as_chunks::<4>();
        let shown = values.iter().map(|bytes| number(f32::from_le_bytes(*bytes)));
        let array = format!("[{}]", shown.collect::<Vec<_>>().join(","));
        Json::parse(&array).unwrap_or_else(|| Json::from_value(&serde_json::json!([])))
    }

    /// As base64 of little-endian `f32`.
    #[must_use]
    pub fn to_base64(&self) -> String {
        let json = match self {
            Self::Base64(text) => return text.clone(),
            Self::Numbers(json) => json,
        };
        let raw: Option<&RawValue> = serde_json::from_str(json.get()).ok();
        let numbers = raw.and_then(items).unwrap_or_default();
        // Read straight as `f32`: by way of `f64` it would be rounded twice.
        let value = |raw: &&RawValue| raw.get().parse::<f32>().unwrap_or_default().to_le_bytes();
        STANDARD.encode(numbers.iter().flat_map(value).collect::<Vec<u8>>())
    }
}

/// JSON has no infinities.
fn number(value: f32) -> String {
    if value.is_finite() { value.to_string() } else { "0".to_owned() }
}
