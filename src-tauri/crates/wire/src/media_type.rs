//! Detects the type of a file from its first bytes.
//!
//! Clients often declare images wrongly (a PNG as JPEG), and Anthropic rejects a declaration that
//! the bytes contradict. Only the beginning of the base64 text is compared; nothing is decoded.

use crate::neutral::MediaSource;

/// The MIME type that the beginning of `base64` (standard alphabet) indicates; `None` if it is none
/// that models read.
pub(crate) fn detect_media_type(base64: &str) -> Option<&'static str> {
    const BEGINNINGS: [(&str, &str); 5] = [
        ("iVBORw0KGgo", "image/png"),
        ("/9j/", "image/jpeg"),
        ("R0lGOD", "image/gif"),
        ("JVBERi0", "application/pdf"),
        ("Qk0", "image/bmp"),
    ];
    let text = base64.trim_start();
    // RIFF, four bytes of length, then the type: twelve bytes, sixteen base64 characters.
    if text.starts_with("UklGR") {
        return match text.get(12..16)? {
            "RUJQ" => Some("image/webp"),
            "QVZF" => Some("audio/wav"),
            _ => None,
        };
    }
    BEGINNINGS.iter().find(|(beginning, _)| text.starts_with(beginning)).map(|(_, told)| *told)
}

/// Splits a data URL into its MIME type, if declared, and its base64 text.
pub(crate) fn parse_data_url(url: &str) -> Option<(Option<String>, String)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let head = head.strip_suffix(";base64")?;
    let media_type = head.split(';').next().filter(|word| !word.is_empty());
    Some((media_type.map(str::to_owned), data.to_owned()))
}

/// Where the media of a URL is, and its MIME type: a data URL contains its data, any other is for
/// the provider to fetch.
pub(crate) fn media_source(url: String) -> (MediaSource, Option<String>) {
    match parse_data_url(&url) {
        Some((media_type, data)) => (MediaSource::Base64(data), media_type),
        None => (MediaSource::Url(url), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_detected_by_their_first_bytes() {
        let cases = [
            ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB", Some("image/png")),
            ("/9j/4AAQSkZJRgABAQAAAQABAAD", Some("image/jpeg")),
            ("R0lGODlhAQABAIAAAAAAAP", Some("image/gif")),
            ("UklGRiQAAABXRUJQVlA4IBgAAAAw", Some("image/webp")),
            ("UklGRiQAAABXQVZFZm10IBAAAAAB", Some("audio/wav")),
            ("UklGRiQAAABBVkkgTElTVA", None),
            ("UklGR", None),
            ("JVBERi0xLjQKJcfs", Some("application/pdf")),
            ("aGVsbG8", None),
            ("", None),
        ];
        for (base64, expected) in cases {
            assert_eq!(detect_media_type(base64), expected, "{base64}");
        }
    }

    #[test]
    fn data_urls_give_their_type_and_text() {
        let read = |url: &str| parse_data_url(url);
        let png = Some((Some("image/png".to_owned()), "iVBO".to_owned()));
        assert_eq!(read("data:image/png;base64,iVBO"), png);
        assert_eq!(read("data:image/png;charset=x;base64,iVBO"), png);
        assert_eq!(read("data:;base64,iVBO"), Some((None, "iVBO".to_owned())));
        assert_eq!(read("data:text/plain,hello"), None);
        assert_eq!(read("https://example.com/a.png"), None);
    }
}
