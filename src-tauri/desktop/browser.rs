//! Opens pages in the user's browser: https only.

use control::ApiError;

/// Longest address opened, in bytes.
const URL_BYTES_MAX: usize = 2_048;

/// Opens `url` in the user's browser; fails for anything but a plain https address.
pub(crate) fn open(url: &str) -> Result<(), ApiError> {
    check_url(url)?;
    opener::open_browser(url)
        .map_err(|error| ApiError::failed(format!("no browser could be started: {error}")))
}

fn check_url(url: &str) -> Result<(), ApiError> {
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    if url.starts_with("https://") && plain && url.len() <= URL_BYTES_MAX {
        return Ok(());
    }
    Err(ApiError::invalid("url", "only https:// pages are opened"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_https_is_opened() {
        assert!(check_url("https://platform.openai.com/api-keys").is_ok());
        let refused = [
            "http://a.test",
            "file:///etc/passwd",
            "smb://host/x",
            "javascript:alert(1)",
            "https://a b",
            "",
        ];
        for url in refused {
            assert!(check_url(url).is_err(), "{url}");
        }
        assert!(check_url(&format!("https://a.test/{}", "x".repeat(URL_BYTES_MAX))).is_err());
    }
}
