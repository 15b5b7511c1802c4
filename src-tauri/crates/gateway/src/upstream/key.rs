//! The one place where a provider's key leaves its type: the outgoing header.
//!
//! The same header value then serves to take the key out of whatever the backend says, since some
//! backends quote the key they refuse.

use domain::{BoundSecret, Origin, OriginMismatch, redact};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::KeyCarrier;

const SCHEME: &str = "Bearer ";

/// What stands in a text where the key stood.
const REMOVED: &str = "[key removed]";

/// Takes one key out of texts. Holds it as a header value marked sensitive, whose `Debug` hides it.
#[derive(Debug, Clone, Default)]
pub struct KeyScrubber(Option<HeaderValue>);

/// Adds the key to `headers`, if `url` is of the origin it is bound to.
pub(super) fn attach(
    key: Option<&BoundSecret>,
    carrier: KeyCarrier,
    url: &Url,
    headers: &mut HeaderMap,
) -> Result<KeyScrubber, OriginMismatch> {
    let Some(key) = key else { return Ok(KeyScrubber::default()) };
    let Ok(origin) = Origin::of(url) else { return Err(OriginMismatch::Unbound) };
    let secret = key.for_origin(&origin)?;
    let (name, scheme) = match carrier {
        KeyCarrier::Bearer => (hyper::header::AUTHORIZATION, SCHEME),
        KeyCarrier::XApiKey => (HeaderName::from_static("x-api-key"), ""),
        KeyCarrier::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), ""),
    };
    // A `Secret` is visible ASCII, so it always is a header value.
    let value = HeaderValue::try_from(format!("{scheme}{}", secret.expose())).ok();
    let Some(mut value) = value else { return Err(OriginMismatch::Unbound) };
    value.set_sensitive(true);
    headers.insert(name, value.clone());
    Ok(KeyScrubber(Some(value)))
}

impl KeyScrubber {
    fn key(&self) -> Option<&str> {
        let sent = self.0.as_ref()?.to_str().ok()?;
        Some(sent.strip_prefix(SCHEME).unwrap_or(sent))
    }

    /// `text` without the key, and with everything else that looks like one masked.
    #[must_use]
    pub fn scrub(&self, text: &str) -> String {
        match self.key() {
            Some(key) if text.contains(key) => redact(&text.replace(key, REMOVED)).into_owned(),
            _ => redact(text).into_owned(),
        }
    }

    /// `body` without the key, byte for byte the same otherwise.
    #[must_use]
    pub(crate) fn scrub_body(&self, body: &[u8]) -> Vec<u8> {
        let Some(key) = self.key().map(str::as_bytes) else { return body.to_vec() };
        let mut out = Vec::with_capacity(body.len());
        let mut rest = body;
        while let Some((byte, after)) = rest.split_first() {
            if let Some(after_key) = rest.strip_prefix(key) {
                out.extend_from_slice(REMOVED.as_bytes());
                rest = after_key;
            } else {
                out.push(*byte);
                rest = after;
            }
        }
        out
    }

    /// Takes out every header that holds the key: none of them is worth keeping without it.
    pub(super) fn scrub_headers(&self, headers: &mut HeaderMap) {
        let Some(key) = self.key().map(str::as_bytes) else { return };
        let holds = |value: &HeaderValue| value.as_bytes().windows(key.len()).any(|at| at == key);
        let named = headers.iter().filter(|(_, value)| holds(value)).map(|(name, _)| name.clone());
        for name in named.collect::<Vec<HeaderName>>() {
            headers.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::Secret;

    fn bound(key: &str, origin: &str) -> BoundSecret {
        let secret = Secret::parse(key.to_owned()).expect("a secret");
        BoundSecret::new(secret, Some(origin.parse().expect("an origin")))
    }

    #[test]
    fn a_key_is_attached_for_its_own_origin_only() {
        let key = bound("hunter2-hunter2", "https://api.test");
        let attached = |url: &str| {
            let mut headers = HeaderMap::new();
            let url = url.parse().expect("a URL");
            let outcome = attach(Some(&key), KeyCarrier::Bearer, &url, &mut headers);
            (outcome.is_ok(), headers.len())
        };
        assert_eq!(attached("https://api.test/v1/models"), (true, 1));
        assert_eq!(attached("https://evil.test/v1/models"), (false, 0));
        assert_eq!(attached("http://api.test/v1/models"), (false, 0));
        assert_eq!(attached("https://api.test:444/v1/models"), (false, 0));
    }

    #[test]
    fn each_carrier_is_scrubbed_the_same() {
        let key = bound("hunter2-hunter2", "https://api.test");
        for (carrier, name) in
            [(KeyCarrier::XApiKey, "x-api-key"), (KeyCarrier::XGoogApiKey, "x-goog-api-key")]
        {
            let mut headers = HeaderMap::new();
            let url = "https://api.test".parse().expect("a URL");
            let scrubber = attach(Some(&key), carrier, &url, &mut headers).expect("attached");
            assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), [name]);
            assert!(headers.values().all(HeaderValue::is_sensitive));
            assert_eq!(scrubber.scrub("bad hunter2-hunter2"), "bad [key removed]");
        }
    }

    #[test]
    fn the_key_leaves_texts_and_never_shows_in_debug() {
        let mut headers = HeaderMap::new();
        let url = "https://api.test".parse().expect("a URL");
        let key = bound("hunter2-hunter2", "https://api.test");
        let scrubber =
            attach(Some(&key), KeyCarrier::Bearer, &url, &mut headers).expect("attached");
        assert_eq!(scrubber.scrub("bad key hunter2-hunter2!"), "bad key [key removed]!");
        assert_eq!(scrubber.scrub_body(b"\xffhunter2-hunter2"), b"\xff[key removed]");
        assert!(!format!("{scrubber:?} {headers:?}").contains("hunter2"));
        headers.append("x-request-id", HeaderValue::from_static("1"));
        headers.append("x-ratelimit-key", HeaderValue::from_static("a"));
        headers.append("x-ratelimit-key", HeaderValue::from_static("of hunter2-hunter2"));
        headers.remove(hyper::header::AUTHORIZATION);
        scrubber.scrub_headers(&mut headers);
        assert_eq!(headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["x-request-id"]);
        assert!(!scrubber.scrub("other sk-abcdefghijklmnopqrst").contains("abcdef"));
    }
}
