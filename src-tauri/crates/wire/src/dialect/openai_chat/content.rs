//! Parses the content of a client's message: text, images, audio, files.

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::{JsonNode, JsonObject};
use crate::media_type::media_source;
use crate::neutral::{ContentPart, ExtraField, MediaContent, MediaKind, MediaSource};

/// Parses `content`, a string or an array of parts.
pub(super) fn read_content(
    content: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Vec<ContentPart>, RequestError> {
    if content.is_text() {
        return Ok(vec![ContentPart::text(content.text()?)]);
    }
    if !content.is_array() {
        return Err(content.wrong_type("a string or an array of content parts"));
    }
    let mut parts = Vec::new();
    for node in content.array()? {
        if node.is_text() {
            parts.push(ContentPart::text(node.text()?));
            continue;
        }
        parts.extend(read_part(&node, extras)?);
    }
    Ok(parts)
}

fn read_part(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ContentPart>, RequestError> {
    let part = node.object()?;
    let kind = part.required("type")?;
    let media = match kind.text()?.as_str() {
        "text" | "input_text" | "output_text" => {
            return Ok(Some(ContentPart::text(part.required_text("text")?)));
        }
        "refusal" => return Ok(Some(ContentPart::Refusal(part.required_text("refusal")?))),
        "image_url" => read_image(&part.required("image_url")?)?,
        "input_audio" => read_audio(&part.required("input_audio")?.object()?)?,
        "file" => read_file(&part.required("file")?.object()?)?,
        // Some servers put thinking here; clients also return it in `reasoning_content`.
        "thinking" | "reasoning" => return Ok(None),
        _ => {
            extras.push(node.extra(FieldKind::ProviderFile));
            return Ok(None);
        }
    };
    Ok(Some(ContentPart::Media(media)))
}

/// Parses `image_url`: an object, or from some clients the URL itself.
fn read_image(node: &JsonNode<'_>) -> Result<MediaContent, RequestError> {
    let (url, detail) = if node.is_text() {
        (node.text()?, None)
    } else {
        let object = node.object()?;
        (object.required_text("url")?, object.text("detail")?)
    };
    let (source, media_type) = media_source(url);
    Ok(MediaContent { kind: MediaKind::Image, source, media_type, detail, title: None })
}

fn read_audio(object: &JsonObject<'_>) -> Result<MediaContent, RequestError> {
    let source = MediaSource::Base64(object.required_text("data")?);
    let format = object.required_text("format")?;
    let media_type = Some(match format.as_str() {
        "mp3" => "audio/mpeg".to_owned(),
        other => format!("audio/{other}"),
    });
    Ok(MediaContent { kind: MediaKind::Audio, source, media_type, detail: None, title: None })
}

fn read_file(object: &JsonObject<'_>) -> Result<MediaContent, RequestError> {
    let title = object.text("filename")?;
    let (source, media_type) = match (object.text("file_id")?, object.text("file_data")?) {
        (Some(id), _) => (MediaSource::File(id), None),
        (None, Some(data)) => parse_file_data(data),
        (None, None) => return Err(RequestError::Missing(object.path_to("file_data"))),
    };
    Ok(MediaContent { kind: MediaKind::Document, source, media_type, detail: None, title })
}

fn parse_file_data(data: String) -> (MediaSource, Option<String>) {
    let is_url = ["data:", "http://", "https://"].iter().any(|start| data.starts_with(start));
    if is_url { media_source(data) } else { (MediaSource::Base64(data), None) }
}
