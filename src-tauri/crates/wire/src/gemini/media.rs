//! Images, documents and sound: `inlineData` and `fileData`.
//!
//! The media type is told by the first bytes where they tell it: clients guess it from file names,
//! and a wrong one is refused by the model.

use crate::RequestError;
use crate::crossing::Field;
use crate::neutral::{Extra, Media, MediaKind, MediaSource, Part};
use crate::node::Node;

use super::fields::{Fields, extra};

/// How the base64 of a file begins, and what it is.
const BEGINNINGS: [(&str, &str); 8] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("JVBERi", "application/pdf"),
    ("SUQz", "audio/mp3"),
    ("T2dnUw", "audio/ogg"),
    ("ZkxhQw", "audio/flac"),
    ("Qk0", "image/bmp"),
];

/// Where Google keeps uploaded files; such addresses mean nothing to anyone else.
const OWN_FILES: [&str; 3] = ["https://generativelanguage.googleapis.com/", "gs://", "files/"];

/// The media type of `data`, told by its first bytes.
pub(super) fn sniffed(data: &str) -> Option<&'static str> {
    if data.starts_with("UklGR") {
        return riff_kind(data);
    }
    BEGINNINGS.iter().find_map(|(start, kind)| data.starts_with(start).then_some(*kind))
}

fn riff_kind(data: &str) -> Option<&'static str> {
    use base64::Engine;
    let head = base64::engine::general_purpose::STANDARD.decode(data.get(..16)?).ok()?;
    match head.get(8..12)? {
        b"WEBP" => Some("image/webp"),
        b"WAVE" => Some("audio/wav"),
        _ => None,
    }
}

/// Reads `inlineData`. Video has no place in the neutral form and becomes an extra.
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
    let media_type = sniffed(&data).map(str::to_owned).or(said);
    let source = MediaSource::Base64(data);
    Ok(part(node, source, media_type, title, extras))
}

/// Reads `fileData`.
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

/// Whether `uri` lies at Google.
pub(super) fn is_own_file(uri: &str) -> bool {
    OWN_FILES.iter().any(|start| uri.starts_with(start))
}

/// The media type that the ending of an address stands for.
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

/// The kind of a medium; `None` for what the neutral form has no place for.
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

/// Base64 in the standard alphabet: Google's SDKs send the other one, and Google takes both.
fn standard(data: String) -> String {
    if data.contains(['-', '_']) { data.replace('-', "+").replace('_', "/") } else { data }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn the_first_bytes_tell_the_type() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"\x89PNG\r\n\x1a\n0000", Some("image/png")),
            (b"\xff\xd8\xff\xe0abcd", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", Some("audio/wav")),
            (b"%PDF-1.7", Some("application/pdf")),
            (b"plain text", None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(sniffed(&STANDARD.encode(bytes)), expected, "{bytes:?}");
        }
        assert_eq!(sniffed(""), None);
    }
}
