//! Images, documents and audio: `inlineData` and `fileData`.
//!
//! The first bytes determine the media type where they can: clients guess it from file names, and
//! the model refuses a wrong one.

use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::JsonNode;
use crate::media_type::detect_media_type;
use crate::neutral::{ContentPart, ExtraField, MediaContent, MediaKind, MediaSource};

use super::fields::RemainingMembers;

/// Prefixes of the URIs of files uploaded to Google, which no other provider can read.
const OWN_FILES: [&str; 3] = ["https://generativelanguage.googleapis.com/", "gs://", "files/"];

/// Reads `inlineData`. The neutral form has no video, so video becomes an extra.
pub(super) fn read_inline(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ContentPart>, RequestError> {
    let mut fields = RemainingMembers::from_node(node)?;
    let data = fields.take_required_text("data")?;
    let said = fields.take_text("mimeType")?;
    let title = fields.take_text("displayName")?;
    fields.keep_rest(extras);
    let data = to_standard_base64(data);
    let media_type = detect_media_type(&data).map(str::to_owned).or(said);
    let source = MediaSource::Base64(data);
    Ok(media_part(node, source, media_type, title, extras))
}

pub(super) fn read_file(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Option<ContentPart>, RequestError> {
    let mut fields = RemainingMembers::from_node(node)?;
    let uri = fields.take_required_text("fileUri")?;
    let said = fields.take_text("mimeType")?;
    let title = fields.take_text("displayName")?;
    fields.keep_rest(extras);
    let is_video = uri.contains("youtube.com/") || uri.contains("youtu.be/");
    let guessed =
        || is_video.then(|| "video/*".to_owned()).or_else(|| media_type_from_extension(&uri));
    let media_type = said.or_else(guessed);
    let source = if is_own_file(&uri) { MediaSource::File(uri) } else { MediaSource::Url(uri) };
    Ok(media_part(node, source, media_type, title, extras))
}

/// True if `uri` names a file uploaded to Google.
pub(super) fn is_own_file(uri: &str) -> bool {
    OWN_FILES.iter().any(|start| uri.starts_with(start))
}

/// Guesses the media type from the file extension of an address.
pub(super) fn media_type_from_extension(uri: &str) -> Option<String> {
    let path = uri.split(['?', '#']).next().unwrap_or_default();
    let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
    let kind = match ending.as_str() {
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "txt" => "text/plain",
        "mp3" => "audio/mp3",
        "wav" => "audio/wav",
        _ => return None,
    };
    Some(kind.to_owned())
}

/// `None` for types that the neutral form cannot express. A missing type counts as an image.
pub(super) fn media_kind(media_type: Option<&str>) -> Option<MediaKind> {
    match media_type.and_then(|kind| kind.split('/').next()) {
        Some("image") | None => Some(MediaKind::Image),
        Some("audio") => Some(MediaKind::Audio),
        Some("video") => None,
        Some(_) => Some(MediaKind::Document),
    }
}

fn media_part(
    node: &JsonNode<'_>,
    source: MediaSource,
    media_type: Option<String>,
    title: Option<String>,
    extras: &mut Vec<ExtraField>,
) -> Option<ContentPart> {
    let Some(kind) = media_kind(media_type.as_deref()) else {
        extras.push(node.extra(FieldKind::ProviderFile));
        return None;
    };
    Some(ContentPart::Media(MediaContent { kind, source, media_type, detail: None, title }))
}

/// Converts base64 to the standard alphabet: Google's SDKs send the URL-safe one, and Google
/// accepts both.
fn to_standard_base64(data: String) -> String {
    if data.contains(['-', '_']) { data.replace('-', "+").replace('_', "/") } else { data }
}
