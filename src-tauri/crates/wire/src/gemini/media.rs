//! Images, documents and audio: `inlineData` and `fileData`.
//!
//! The first bytes determine the media type where they can: clients guess it from file names, and
//! the model refuses a wrong one.

use crate::RequestError;
use crate::crossing::Field;
use crate::media_type::told_by_bytes;
use crate::neutral::{Extra, Media, MediaKind, MediaSource, Part};
use crate::node::Node;

use super::fields::{Fields, extra};

/// Prefixes of the URIs of files uploaded to Google, which no other provider can read.
const OWN_FILES: [&str; 3] = ["https://generativelanguage.googleapis.com/", "gs://", "files/"];

/// Reads `inlineData`. The neutral form has no video, so video becomes an extra.
pub(super) fn read_inline(
    node: &Node<'_>,
    extras: &mut Vec<Extra>,
) -> Result<Option<Part>, RequestError> {
    let mut fields = Fields::of(node)?;
    let data = fields.take_required_text("data")?;
    let said = fields.take_text("mimeType")?;
    let title = fields.take_text("displayName")?;
    fields.rest(extras);
    let data = standard(data);
    let media_type = told_by_bytes(&data).map(str::to_owned).or(said);
    let source = MediaSource::Base64(data);
    Ok(part(node, source, media_type, title, extras))
}

pub(super) fn read_file(
    node: &Node<'_>,
    extras: &mut Vec<Extra>,
) -> Result<Option<Part>, RequestError> {
    let mut fields = Fields::of(node)?;
    let uri = fields.take_required_text("fileUri")?;
    let said = fields.take_text("mimeType")?;
    let title = fields.take_text("displayName")?;
    fields.rest(extras);
    let is_video = uri.contains("youtube.com/") || uri.contains("youtu.be/");
    let guessed = || is_video.then(|| "video/*".to_owned()).or_else(|| by_ending(&uri));
    let media_type = said.or_else(guessed);
    let source = if is_own_file(&uri) { MediaSource::File(uri) } else { MediaSource::Url(uri) };
    Ok(part(node, source, media_type, title, extras))
}

/// True if `uri` names a file uploaded to Google.
pub(super) fn is_own_file(uri: &str) -> bool {
    OWN_FILES.iter().any(|start| uri.starts_with(start))
}

/// Guesses the media type from the file extension of an address.
pub(super) fn by_ending(uri: &str) -> Option<String> {
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
pub(super) fn kind_of(media_type: Option<&str>) -> Option<MediaKind> {
    match media_type.and_then(|kind| kind.split('/').next()) {
        Some("image") | None => Some(MediaKind::Image),
        Some("audio") => Some(MediaKind::Audio),
        Some("video") => None,
        Some(_) => Some(MediaKind::Document),
    }
}

fn part(
    node: &Node<'_>,
    source: MediaSource,
    media_type: Option<String>,
    title: Option<String>,
    extras: &mut Vec<Extra>,
) -> Option<Part> {
    let Some(kind) = kind_of(media_type.as_deref()) else {
        extras.push(extra(Field::ProviderFile, node));
        return None;
    };
    Some(Part::Media(Media { kind, source, media_type, detail: None, title }))
}

/// Converts base64 to the standard alphabet: Google's SDKs send the URL-safe one, and Google
/// accepts both.
fn standard(data: String) -> String {
    if data.contains(['-', '_']) { data.replace('-', "+").replace('_', "/") } else { data }
}
