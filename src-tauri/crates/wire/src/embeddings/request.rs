//! Parses a client's embedding request.

use std::ops::Range;

use bytes::Bytes;
use domain::Dialect;

use super::{EMBEDDING_INPUTS_MAX, EmbeddingSurface, batch_inputs_max, embedding_dialect};
use crate::answer::is_model_name;
use crate::dialect::gemini::RemainingMembers;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::json::{JSON_DEPTH_MAX, is_deeper_than, range_in};
use crate::neutral::JsonText;
use crate::{RequestError, Target};

#[derive(Debug, Clone)]
pub struct EmbeddingRequest {
    pub(super) shape: EmbeddingFormat,
    pub(super) body: Bytes,
    pub(super) model: String,
    /// Ranges of the model names in the body.
    pub(super) model_ranges: Vec<Range<usize>>,
    pub(super) inputs: Vec<EmbeddingInput>,
    /// True if the body has more inputs than these.
    pub(super) is_subset: bool,
    pub(super) dimensions: Option<u64>,
    pub(super) encoding: VectorEncoding,
    /// Other members of the body, or of its inputs, with their paths.
    pub(super) others: Vec<(String, JsonText)>,
}

/// The shape of the request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EmbeddingFormat {
    OpenAi,
    GeminiOne,
    GeminiBatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VectorEncoding {
    Numbers,
    Base64,
}

#[derive(Debug, Clone)]
pub(super) struct EmbeddingInput {
    /// `None` if the input is an array of tokens or has parts that are not text.
    pub(super) text: Option<String>,
    /// As written in the request: a text, tokens, or Gemini's whole request.
    pub(super) raw: JsonText,
    pub(super) path: String,
}

impl EmbeddingRequest {
    /// Parses a request body. Rejects zero inputs, more than `EMBEDDING_INPUTS_MAX`, and inputs
    /// that are neither text nor tokens.
    pub fn parse(surface: EmbeddingSurface<'_>, body: Bytes) -> Result<Self, RequestError> {
        let text =
            std::str::from_utf8(&body).map_err(|_| RequestError::NotJson { line: 1, column: 1 })?;
        if is_deeper_than(text, JSON_DEPTH_MAX) {
            return Err(RequestError::TooComplex);
        }
        let root = JsonObject::root(text)?;
        let mut request = match surface {
            EmbeddingSurface::OpenAi => read_openai(text, &root)?,
            EmbeddingSurface::GeminiOne { model } => {
                let mut request = Self::new(EmbeddingFormat::GeminiOne, model.to_owned());
                request.read_gemini(
                    text,
                    RemainingMembers::from_object(&root)?,
                    JsonText::parse(text),
                    "",
                )?;
                request
            }
            EmbeddingSurface::GeminiBatch { model } => read_gemini_batch(text, model, &root)?,
        };
        if !is_model_name(&request.model) {
            return Err(RequestError::bad_model_name());
        }
        if request.inputs.is_empty() || request.inputs.len() > EMBEDDING_INPUTS_MAX {
            let param = if request.shape == EmbeddingFormat::OpenAi { "input" } else { "requests" };
            let why = "send 1 to 2,048 inputs in one request";
            return Err(RequestError::BadValue { param: param.to_owned(), why });
        }
        request.body = body;
        Ok(request)
    }

    /// The model the client asked for: a route's name.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The dialect of the client and of its errors.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        match self.shape {
            EmbeddingFormat::OpenAi => Dialect::OpenAiChat,
            EmbeddingFormat::GeminiOne | EmbeddingFormat::GeminiBatch => Dialect::Gemini,
        }
    }

    /// The number of inputs, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a request without inputs is refused")]
    pub const fn len(&self) -> usize {
        self.inputs.len()
    }

    /// All text of the inputs, for token estimates; tokens are returned as written.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.inputs.iter().map(|input| input.text.as_deref().unwrap_or(input.raw.get()))
    }

    /// Splits the inputs into batches of the size that `target` accepts, in order.
    pub fn batches(&self, target: &Target) -> Result<Vec<Range<usize>>, RequestError> {
        let most = batch_inputs_max(embedding_dialect(target, self.dialect())?);
        let starts = (0..self.len()).step_by(most);
        Ok(starts.map(|start| start..self.len().min(start.saturating_add(most))).collect())
    }

    /// The same request, limited to the inputs at `places`.
    #[must_use]
    pub fn select_inputs(&self, places: &[usize]) -> Self {
        let inputs = places.iter().filter_map(|place| self.inputs.get(*place)).cloned().collect();
        Self { inputs, is_subset: true, ..self.clone() }
    }

    /// Name of the answer's format, for digests.
    pub(crate) const fn answer_format(&self) -> &'static str {
        match (self.shape, self.encoding) {
            (EmbeddingFormat::OpenAi, VectorEncoding::Numbers) => "openai-numbers",
            (EmbeddingFormat::OpenAi, VectorEncoding::Base64) => "openai-base64",
            (EmbeddingFormat::GeminiOne, _) => "gemini-one",
            (EmbeddingFormat::GeminiBatch, _) => "gemini-batch",
        }
    }

    /// One input as written in the request, and the other options that affect its vector.
    pub(crate) fn input_and_options(&self, place: usize) -> Option<(&str, Vec<(&str, &str)>)> {
        let input = self.inputs.get(place)?;
        let mut options = Vec::new();
        // Each of Gemini's inputs carries its own options.
        if self.shape == EmbeddingFormat::OpenAi {
            let labels = |key: &str| matches!(key, "user" | "metadata");
            let others = self.others.iter().filter(|(key, _)| !labels(key));
            options.extend(others.map(|(key, value)| (key.as_str(), value.get())));
            options.sort_unstable();
        }
        Some((input.raw.get(), options))
    }

    /// The number of dimensions that the client asked for.
    pub(crate) const fn dimensions(&self) -> Option<u64> {
        self.dimensions
    }

    fn new(shape: EmbeddingFormat, model: String) -> Self {
        Self {
            shape,
            body: Bytes::new(),
            model,
            model_ranges: Vec::new(),
            inputs: Vec::new(),
            is_subset: false,
            dimensions: None,
            encoding: VectorEncoding::Numbers,
            others: Vec::new(),
        }
    }

    /// Parses one of Gemini's requests.
    fn read_gemini(
        &mut self,
        text: &str,
        mut fields: RemainingMembers<'_>,
        raw: Option<JsonText>,
        path: &str,
    ) -> Result<(), RequestError> {
        if let Some(model) = fields.take("model") {
            self.model_ranges.push(range_in(text, model.raw()));
        }
        let content = fields.take("content");
        let content = content.ok_or_else(|| RequestError::Missing(fields.path_to("content")))?;
        if let Some(count) = fields.take("outputDimensionality") {
            let count = Some(count.whole_number()?);
            if !self.inputs.is_empty() && self.dimensions != count {
                let why = "all requests must ask for the same dimensions";
                let param = fields.path_to("outputDimensionality");
                return Err(RequestError::BadValue { param, why });
            }
            self.dimensions = count;
        }
        let others = fields.into_members().into_iter();
        self.others.extend(others.map(|(_, node)| (node.path().to_owned(), node.json())));
        let input_text = content_text(&content)?;
        let raw = raw.unwrap_or_else(JsonText::empty_object);
        self.inputs.push(EmbeddingInput { text: input_text, raw, path: path.to_owned() });
        Ok(())
    }
}

fn read_openai(text: &str, root: &JsonObject<'_>) -> Result<EmbeddingRequest, RequestError> {
    let model = root.required("model")?;
    let mut request = EmbeddingRequest::new(EmbeddingFormat::OpenAi, model.text()?);
    request.model_ranges.push(range_in(text, model.raw()));
    let input = root.required("input")?;
    request.inputs = read_inputs(&input)?;
    request.dimensions = root.get("dimensions").map(|node| node.whole_number()).transpose()?;
    if let Some(format) = root.get("encoding_format") {
        request.encoding = match format.text()?.as_str() {
            "float" => VectorEncoding::Numbers,
            "base64" => VectorEncoding::Base64,
            _ => return Err(format.bad_value("use \"float\" or \"base64\"")),
        };
    }
    let known = ["model", "input", "dimensions", "encoding_format"];
    let others = root.entries().filter(|(key, _)| !known.contains(key));
    request.others = others.map(|(key, node)| (key.to_owned(), node.json())).collect();
    Ok(request)
}

/// Accepts a text, an array of texts, an array of tokens, or an array of such arrays.
fn read_inputs(node: &JsonNode<'_>) -> Result<Vec<EmbeddingInput>, RequestError> {
    if node.is_text() {
        return Ok(vec![read_input(node)?]);
    }
    let list = node.array()?;
    if list.first().is_some_and(|first| !first.is_text() && !first.is_array()) {
        return Ok(vec![read_input(node)?]);
    }
    list.iter().map(read_input).collect()
}

fn read_input(node: &JsonNode<'_>) -> Result<EmbeddingInput, RequestError> {
    let text = if node.is_text() {
        Some(node.text()?)
    } else {
        let tokens = node.array().map_err(|_| node.wrong_type("a string or an array of tokens"))?;
        tokens.iter().try_for_each(|token| token.whole_number().map(drop))?;
        None
    };
    Ok(EmbeddingInput { text, raw: node.json(), path: node.path().to_owned() })
}

fn read_gemini_batch(
    text: &str,
    model: &str,
    root: &JsonObject<'_>,
) -> Result<EmbeddingRequest, RequestError> {
    let mut request = EmbeddingRequest::new(EmbeddingFormat::GeminiBatch, model.to_owned());
    for node in root.required("requests")?.array()? {
        request.read_gemini(
            text,
            RemainingMembers::from_node(&node)?,
            Some(node.json()),
            node.path(),
        )?;
    }
    let others = root.entries().filter(|(key, _)| *key != "requests");
    request.others.extend(others.map(|(key, node)| (key.to_owned(), node.json())));
    Ok(request)
}

/// The text of a `content`; `None` if it has parts that are not text.
fn content_text(content: &JsonNode<'_>) -> Result<Option<String>, RequestError> {
    let mut fields = RemainingMembers::from_node(content)?;
    let parts = fields.take("parts").map(|parts| parts.array()).transpose()?.unwrap_or_default();
    let mut texts = Vec::new();
    for part in parts {
        match RemainingMembers::from_node(&part)?.take_text("text")? {
            Some(text) => texts.push(text),
            None => return Ok(None),
        }
    }
    Ok(Some(texts.join("\n")))
}
