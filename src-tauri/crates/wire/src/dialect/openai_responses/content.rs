//! Parses the content parts of messages and of tool results.

use crate::RequestError;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::media_type::media_source;
use crate::neutral::{ContentPart, MediaContent, MediaKind, MediaSource};

/// The content of a message: text, or parts.
pub(super) fn read_content(node: &JsonNode<'_>) -> Result<Vec<ContentPart>, RequestError> {
    if node.is_text() {
        return Ok(vec![ContentPart::text(node.text()?)]);
    }
    if !node.is_array() {
        return Err(node.wrong_type("a string or an array"));
    }
    node.array()?.iter().map(read_part).collect()
}

/// The output of a tool: text, or parts. An empty text gives no part.
pub(super) fn read_output(node: &JsonNode<'_>) -> Result<Vec<ContentPart>, RequestError> {
    if node.raw() == "\"\"" { Ok(Vec::new()) } else { read_content(node) }
}

fn read_part(node: &JsonNode<'_>) -> Result<ContentPart, RequestError> {
    let part = node.object()?;
    let kind = part.required("type")?;
    match kind.text()?.as_str() {
        "input_text" | "output_text" | "text" => Ok(ContentPart::text(part.required_text("text")?)),
        "refusal" => Ok(ContentPart::Refusal(part.required_text("refusal")?)),
        "input_image" => read_image(&part),
        "input_file" => read_file(&part),
        "input_audio" => read_audio(&part),
        _ => Err(kind.bad_value("use 'input_text', 'input_image', 'input_file' or 'input_audio'")),
    }
}

fn read_image(part: &JsonObject<'_>) -> Result<ContentPart, RequestError> {
    let (source, media_type) = match (part.text("image_url")?, part.text("file_id")?) {
        (Some(url), _) => media_source(url),
        (None, Some(id)) => (MediaSource::File(id), None),
        (None, None) => return Err(RequestError::Missing(part.path_to("image_url"))),
    };
    let detail = part.text("detail")?;
    Ok(ContentPart::Media(MediaContent {
        kind: MediaKind::Image,
        source,
        media_type,
        detail,
        title: None,
    }))
}

fn read_file(part: &JsonObject<'_>) -> Result<ContentPart, RequestError> {
    let data = part.text("file_data")?;
    let (source, media_type) = match (data, part.text("file_url")?, part.text("file_id")?) {
        // Plain base64 is accepted, too.
        (Some(data), _, _) if !data.starts_with("data:") => (MediaSource::Base64(data), None),
        (Some(url), _, _) | (None, Some(url), _) => media_source(url),
        (None, None, Some(id)) => (MediaSource::File(id), None),
        (None, None, None) => return Err(RequestError::Missing(part.path_to("file_data"))),
    };
    let (detail, title) = (part.text("detail")?, part.text("filename")?);
    Ok(ContentPart::Media(MediaContent {
        kind: MediaKind::Document,
        source,
        media_type,
        detail,
        title,
    }))
}

fn read_audio(part: &JsonObject<'_>) -> Result<ContentPart, RequestError> {
    let audio = part.required("input_audio")?.object()?;
    let media_type = audio.text("format")?.map(|format| format!("audio/{format}"));
    let source = MediaSource::Base64(audio.required_text("data")?);
    let kind = MediaKind::Audio;
    Ok(ContentPart::Media(MediaContent { kind, source, media_type, detail: None, title: None }))
}
