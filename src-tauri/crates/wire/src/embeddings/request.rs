//! Parses a client's embedding request.

use std::ops::Range;

use bytes::Bytes;
use domain::Dialect;

use super::{EMBEDDING_INPUTS_MAX, EmbeddingSurface, batch_max, dialect_at};
use crate::answer::is_model_name;
use crate::gemini::Fields;
use crate::json::{JSON_DEPTH_MAX, is_deeper_than, range_in};
use crate::neutral::Json;
use crate::node::{Node, Object};
use crate::{RequestError, Target};

#[derive(Debug, Clone)]
pub struct EmbeddingRequest {
    pub(super) shape: Shape,
    pub(super) body: Bytes,
    pub(super) model: String,
    /// Ranges of the model names in the body.
    pub(super) models_at: Vec<Range<usize>>,
    pub(super) inputs: Vec<Input>,
    /// True if the body has more inputs than these.
    pub(super) is_part: bool,
    pub(super) dimensions: Option<u64>,
    pub(super) encoding: Encoding,
    /// Other members of the body, or of its inputs, with their paths.
    pub(super) others: Vec<(String, Json)>,
}

/// The shape of the request and of its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    OpenAi,
    GeminiOne,
    GeminiBatch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Numbers,
    Base64,
}

#[derive(Debug, Clone)]
pub(super) struct Input {
    /// `None` if the input is an array of tokens or has parts that are not text.
    pub(super) text: Option<String>,
    /// As written in the request: a text, tokens, or Gemini's whole request.
    pub(super) raw: Json,
    pub(super) path: String,
}

impl EmbeddingRequest {
    /// Parses a request body. Rejects zero inputs, more than [`EMBEDDING_INPUTS_MAX`], and inputs
    /// that are neither text nor tokens.
    pub fn parse(surface: EmbeddingSurface<'_>, body: Bytes) -> Result<Self, RequestError> {
        let text =
            std::str::from_utf8(&body).map_err(|_| RequestError::NotJson { line: 1, column: 1 })?;
        if is_deeper_than(text, JSON_DEPTH_MAX) {
            return Err(RequestError::TooComplex);
        }
        let root = Object::root(text)?;
        let mut request = match surface {
            EmbeddingSurface::OpenAi => read_openai(text, &root)?,
            EmbeddingSurface::GeminiOne { model } => {
                let mut request = Self::new(Shape::GeminiOne, model.to_owned());
                request.read_gemini(text, Fields::of_object(&root)?, Json::parse(text), "")?;
                request
            }
            EmbeddingSurface::GeminiBatch { model } => read_gemini_batch(text, model, &root)?,
        };
        if !is_model_name(&request.model) {
            return Err(RequestError::bad_model());
        }
        if request.inputs.is_empty() || request.inputs.len() > EMBEDDING_INPUTS_MAX {
            let param = if request.shape == Shape::OpenAi { "input" } else { "requests" };
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
            Shape::OpenAi => Dialect::OpenAiChat,
            Shape::GeminiOne | Shape::GeminiBatch => Dialect::Gemini,
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
        let most = batch_max(dialect_at(target, self.dialect())?);
        let starts = (0..self.len()).step_by(most);
        Ok(starts.map(|start| start..self.len().min(start.saturating_add(most))).collect())
    }

    /// The same request, limited to the inputs at `places`.
    #[must_use]
    pub fn only(&self, places: &[usize]) -> Self {
        let inputs = places.iter().filter_map(|place| self.inputs.get(*place)).cloned().collect();
        Self { inputs, is_part: true, ..self.clone() }
    }

    /// Name of the answer's format, for digests.
    pub(crate) const fn form(&self) -> &'static str {
        match (self.shape, self.encoding) {
            (Shape::OpenAi, Encoding::Numbers) => "openai-numbers",
            (Shape::OpenAi, Encoding::Base64) => "openai-base64",
            (Shape::GeminiOne, _) => "gemini-one",
            (Shape::GeminiBatch, _) => "gemini-batch",
        }
    }

    /// One input as written in the request, and the other options that affect its vector.
    pub(crate) fn input_and_options(&self, place: usize) -> Option<(&str, Vec<(&str, &str)>)> {
        let input = self.inputs.get(place)?;
        let mut options = Vec::new();
        // Each of Gemini's inputs carries its own options.
        if self.shape == Shape::OpenAi {
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

    fn new(shape: Shape, model: String) -> Self {
        Self {
            shape,
            body: Bytes::new(),
            model,
            models_at: Vec::new(),
            inputs: Vec::new(),
            is_part: false,
            dimensions: None,
            encoding: Encoding::Numbers,
            others: Vec::new(),
        }
    }

    /// Parses one of Gemini's requests.
    fn read_gemini(
        &mut self,
        text: &str,
        mut fields: Fields<'_>,
        raw: Option<Json>,
        path: &str,
    ) -> Result<(), RequestError> {
        if let Some(model) = fields.take("model") {
            self.models_at.push(range_in(text, model.raw()));
        }
        let content = fields.take("content");
        let content = content.ok_or_else(|| RequestError::Missing(fields.path_to("content")))?;
        if let Some(count) = fields.take("outputDimensionality") {
            let count = Some(count.count()?);
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
        let raw = raw.unwrap_or_else(Json::empty_object);
        self.inputs.push(Input { text: input_text, raw, path: path.to_owned() });
        Ok(())
    }
}

fn read_openai(text: &str, root: &Object<'_>) -> Result<EmbeddingRequest, RequestError> {
    let model = root.required("model")?;
    let mut request = EmbeddingRequest::new(Shape::OpenAi, model.text()?);
    request.models_at.push(range_in(text, model.raw()));
    let input = root.required("input")?;
    request.inputs = read_inputs(&input)?;
    request.dimensions = root.get("dimensions").map(|node| node.count()).transpose()?;
    if let Some(format) = root.get("encoding_format") {
        request.encoding = match format.text()?.as_str() {
            "float" => Encoding::Numbers,
            "base64" => Encoding::Base64,
            _ => return Err(format.bad("use \"float\" or \"base64\"")),
        };
    }
    let known = ["model", "input", "dimensions", "encoding_format"];
    let others = root.entries().filter(|(key, _)| !known.contains(key));
    request.others = others.map(|(key, node)| (key.to_owned(), node.json())).collect();
    Ok(request)
}

/// Accepts a text, an array of texts, an array of tokens, or an array of such arrays.
fn read_inputs(node: &Node<'_>) -> Result<Vec<Input>, RequestError> {
    if node.is_text() {
        return Ok(vec![read_input(node)?]);
    }
    let list = node.array()?;
    if list.first().is_some_and(|first| !first.is_text() && !first.is_array()) {
        return Ok(vec![read_input(node)?]);
    }
    list.iter().map(read_input).collect()
}

fn read_input(node: &Node<'_>) -> Result<Input, RequestError> {
    let text = if node.is_text() {
        Some(node.text()?)
    } else {
        let tokens = node.array().map_err(|_| node.wrong("a string or an array of tokens"))?;
        tokens.iter().try_for_each(|token| token.count().map(drop))?;
        None
    };
    Ok(Input { text, raw: node.json(), path: node.path().to_owned() })
}

fn read_gemini_batch(
    text: &str,
    model: &str,
    root: &Object<'_>,
) -> Result<EmbeddingRequest, RequestError> {
    let mut request = EmbeddingRequest::new(Shape::GeminiBatch, model.to_owned());
    for node in root.required("requests")?.array()? {
        request.read_gemini(text, Fields::of(&node)?, Some(node.json()), node.path())?;
    }
    let others = root.entries().filter(|(key, _)| *key != "requests");
    request.others.extend(others.map(|(key, node)| (key.to_owned(), node.json())));
    Ok(request)
}

/// The text of a `content`; `None` if it has parts that are not text.
fn content_text(content: &Node<'_>) -> Result<Option<String>, RequestError> {
    let mut fields = Fields::of(content)?;
    let parts = fields.take("parts").map(|parts| parts.array()).transpose()?.unwrap_or_default();
    let mut texts = Vec::new();
    for part in parts {
        match Fields::of(&part)?.take_text("text")? {
            Some(text) => texts.push(text),
            None => return Ok(None),
        }
    }
    Ok(Some(texts.join("\n")))
}
