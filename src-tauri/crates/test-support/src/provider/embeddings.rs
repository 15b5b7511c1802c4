//! Embeddings in three dialects. A vector encodes a text's length and first letters, so that tests
//! notice a wrong order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::strict_object::{ParseResult, StrictObject};
use crate::reply::Reply;

/// Length of a vector unless the request gives one.
const DIMENSIONS: usize = 4;

pub(super) fn openai(body: &Value) -> ParseResult<Reply> {
    let form = StrictObject::new("body", body, "model! input! encoding_format dimensions user")?;
    let packed = form.one_of("encoding_format", &["float", "base64"])? == Some("base64");
    let dimensions = read_dimensions(&form, "dimensions")?;
    let texts = read_texts(&form)?;
    let data: Vec<Value> = texts
        .iter()
        .zip(0..)
        .map(|(text, index)| {
            let vector = embed_text(text, dimensions);
            let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
            let embedding = if packed { json!(STANDARD.encode(bytes)) } else { json!(vector) };
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    let tokens = texts.len();
    Ok(Reply::json(
        200,
        &json!({"object": "list", "model": form.text("model")?, "data": data,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}),
    ))
}

pub(super) fn ollama(body: &Value) -> ParseResult<Reply> {
    let form =
        StrictObject::new("body", body, "model! input! truncate dimensions options keep_alive")?;
    let dimensions = read_dimensions(&form, "dimensions")?;
    let texts = read_texts(&form)?;
    let vectors: Vec<_> = texts.iter().map(|text| embed_text(text, dimensions)).collect();
    let body = json!({"model": form.text("model")?, "embeddings": vectors,
        "prompt_eval_count": texts.len()});
    Ok(Reply::json(200, &body))
}

pub(super) fn gemini(method: &str, body: &Value) -> ParseResult<Reply> {
    if method == "embedContent" {
        return Ok(Reply::json(200, &json!({"embedding": {"values": embed_request(body)?}})));
    }
    let form = StrictObject::new("body", body, "requests!")?;
    let mut embeddings = Vec::new();
    for request in form.list("requests")? {
        if request
            .get("model")
            .and_then(Value::as_str)
            .is_none_or(|name| !name.starts_with("models/"))
        {
            return Err("requests.model: models/… is needed".to_owned());
        }
        embeddings.push(json!({"values": embed_request(request)?}));
    }
    Ok(Reply::json(200, &json!({"embeddings": embeddings})))
}

fn embed_request(request: &Value) -> ParseResult<Vec<f32>> {
    let known = "model content! taskType title outputDimensionality";
    let form = StrictObject::new("requests", request, known)?;
    let content = form.get("content").unwrap_or(&Value::Null);
    let content = StrictObject::new("requests.content", content, "parts! role")?;
    let mut texts = Vec::new();
    for part in content.list("parts")? {
        texts.push(StrictObject::new("requests.content.parts", part, "text!")?.text("text")?);
    }
    Ok(embed_text(&texts.join("\n"), read_dimensions(&form, "outputDimensionality")?))
}

fn read_dimensions(form: &StrictObject<'_>, name: &str) -> ParseResult<usize> {
    let count = form.count(name)?.and_then(|count| usize::try_from(count).ok());
    Ok(count.unwrap_or(DIMENSIONS))
}

fn read_texts(form: &StrictObject<'_>) -> ParseResult<Vec<String>> {
    match form.get("input") {
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(items)) => {
            let text = |item: &Value| {
                item.as_str()
                    .map(str::to_owned)
                    .or_else(|| item.is_array().then(|| item.to_string()))
            };
            let texts: Option<Vec<String>> = items.iter().map(text).collect();
            texts.ok_or_else(|| "input: texts, or lists of tokens, are needed".to_owned())
        }
        _ => Err("input: a text or a list is needed".to_owned()),
    }
}

fn embed_text(text: &str, dimensions: usize) -> Vec<f32> {
    let letters = text.bytes().map(f32::from);
    let length = f32::from(u16::try_from(text.len()).unwrap_or(u16::MAX));
    let numbers = std::iter::once(length).chain(letters).chain(std::iter::repeat(0.0));
    numbers.take(dimensions).map(|number| number / 256.0).collect()
}
