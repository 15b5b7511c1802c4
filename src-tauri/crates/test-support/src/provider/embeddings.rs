//! Embeddings in three dialects. A vector encodes a text's length and first letters, so that tests
//! notice a wrong order.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::form::{Checked, Form};
use crate::reply::Reply;

/// Length of a vector unless the request gives one.
const DIMENSIONS: usize = 4;

pub(super) fn openai(body: &Value) -> Checked<Reply> {
    let form = Form::new("body", body, "model! input! encoding_format dimensions user")?;
    let packed = form.word("encoding_format", &["float", "base64"])? == Some("base64");
    let dimensions = dimensions(&form, "dimensions")?;
    let texts = texts(&form)?;
    let data: Vec<Value> = texts
        .iter()
        .zip(0..)
        .map(|(text, index)| {
            let vector = vector(text, dimensions);
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

pub(super) fn ollama(body: &Value) -> Checked<Reply> {
    let form = Form::new("body", body, "model! input! truncate dimensions options keep_alive")?;
    let dimensions = dimensions(&form, "dimensions")?;
    let texts = texts(&form)?;
    let vectors: Vec<_> = texts.iter().map(|text| vector(text, dimensions)).collect();
    let body = json!({"model": form.text("model")?, "embeddings": vectors,
        "prompt_eval_count": texts.len()});
    Ok(Reply::json(200, &body))
}

pub(super) fn gemini(method: &str, body: &Value) -> Checked<Reply> {
    if method == "embedContent" {
        return Ok(Reply::json(200, &json!({"embedding": {"values": one(body)?}})));
    }
    let form = Form::new("body", body, "requests!")?;
    let mut embeddings = Vec::new();
    for request in form.list("requests")? {
        if request
            .get("model")
            .and_then(Value::as_str)
            .is_none_or(|name| !name.starts_with("models/"))
        {
            return Err("requests.model: models/… is needed".to_owned());
        }
        embeddings.push(json!({"values": one(request)?}));
    }
    Ok(Reply::json(200, &json!({"embeddings": embeddings})))
}

fn one(request: &Value) -> Checked<Vec<f32>> {
    let known = "model content! taskType title outputDimensionality";
    let form = Form::new("requests", request, known)?;
    let content = form.get("content").unwrap_or(&Value::Null);
    let content = Form::new("requests.content", content, "parts! role")?;
    let mut texts = Vec::new();
    for part in content.list("parts")? {
        texts.push(Form::new("requests.content.parts", part, "text!")?.text("text")?);
    }
    Ok(vector(&texts.join("\n"), dimensions(&form, "outputDimensionality")?))
}

fn dimensions(form: &Form<'_>, name: &str) -> Checked<usize> {
    let count = form.count(name)?.and_then(|count| usize::try_from(count).ok());
    Ok(count.unwrap_or(DIMENSIONS))
}

fn texts(form: &Form<'_>) -> Checked<Vec<String>> {
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

fn vector(text: &str, dimensions: usize) -> Vec<f32> {
    let letters = text.bytes().map(f32::from);
    let length = f32::from(u16::try_from(text.len()).unwrap_or(u16::MAX));
    let numbers = std::iter::once(length).chain(letters).chain(std::iter::repeat(0.0));
    numbers.take(dimensions).map(|number| number / 256.0).collect()
}
