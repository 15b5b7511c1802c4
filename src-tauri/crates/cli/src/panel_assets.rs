//! The built panel, embedded in the program for `serve --panel`.

use std::borrow::Cow;

use control::Asset;
use rust_embed::RustEmbed;

/// The page served when the program was built without the panel.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
<title>Gatehouse</title></head><body><h1>This build does not contain the panel</h1>\
<p>Build it with <code>cargo xtask run</code>, or with <code>npm run build</code> in <code>ui</code>, \
and then build <code>gatehouse</code> again.</p></body></html>";

/// The files of `ui/dist`: embedded in release builds, read from the folder in debug builds.
#[derive(RustEmbed)]
#[folder = "../../../ui/dist"]
#[allow_missing = true]
struct EmbeddedPanel;

/// Looks up a panel file for the control server.
pub(crate) fn panel_file(path: &str) -> Option<Asset> {
    let (content_type, content) = find_asset(path)?;
    let bytes = match content {
        Cow::Borrowed(inside) => inside.into(),
        Cow::Owned(read) => read.into(),
    };
    Some(Asset { content_type: content_type.to_owned(), bytes })
}

/// The lookup for a server without a panel.
pub(crate) const fn no_panel_file(_: &str) -> Option<Asset> {
    None
}

/// A panel file by its path (`index.html`, `assets/main.js`), with its content type.
fn find_asset(path: &str) -> Option<(&'static str, Cow<'static, [u8]>)> {
    let path = match path.trim_start_matches('/') {
        "" => "index.html",
        path => path,
    };
    match EmbeddedPanel::get(path) {
        Some(file) => Some((content_type(path), file.data)),
        None if path == "index.html" => {
            Some((content_type(path), Cow::Borrowed(NOT_BUILT.as_bytes())))
        }
        None => None,
    }
}

/// The content types of the panel's files; all others are `application/octet-stream`.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json") => "application/json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_page_and_never_a_file_outside_the_panel() {
        for path in ["", "/", "index.html", "/index.html"] {
            let (kind, page) = find_asset(path).expect("a page");
            assert_eq!(kind, "text/html; charset=utf-8");
            assert!(String::from_utf8_lossy(&page).contains("<title>Gatehouse</title>"));
        }
        for path in ["../package.json", "/../../Cargo.toml", "/etc/passwd", "no-such.js"] {
            assert!(find_asset(path).is_none(), "{path}");
        }
    }

    #[test]
    fn a_browser_is_told_what_a_file_is() {
        assert_eq!(content_type("assets/main-1a2b.js"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("inter.woff2"), "font/woff2");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }
}
