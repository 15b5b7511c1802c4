//! The only place where a provider's key leaves its type: the outgoing header.
//!
//! The same header value then removes the key from what the backend sends: some quote the key they
//! refuse, and debugging proxies and echo servers repeat whole requests. Exact copies are removed
//! from answers (`body`), altered ones also from errors (`altered`).

mod altered;
mod body;

use bytes::Bytes;
use domain::{BoundSecret, Origin, OriginMismatch, redact};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{KeyCarrier, UpstreamFailure};

const SCHEME: &str = "Bearer ";

/// Replaces the key in a text.
const REMOVED: &str = "[key removed]";

/// Removes one key from texts. Holds it as a header value marked sensitive, whose `Debug` hides it.
#[derive(Debug, Clone, Default)]
pub struct KeyScrubber(Option<HeaderValue>);

/// Adds the key to `headers`, if `url` has the origin it is bound to.
pub(super) fn attach(
    key: Option<&BoundSecret>,
    carrier: KeyCarrier,
    url: &Url,
    headers: &mut HeaderMap,
) -> Result<KeyScrubber, OriginMismatch> {
    let Some(key) = key else { return Ok(KeyScrubber::default()) };
    let Ok(origin) = Origin::from_url(url) else { return Err(OriginMismatch::Unbound) };
    let secret = key.for_origin(&origin)?;
    let (name, scheme) = match carrier {
        KeyCarrier::Bearer => (hyper::header::AUTHORIZATION, SCHEME),
        KeyCarrier::XApiKey => (HeaderName::from_static("x-api-key"), ""),
        KeyCarrier::XGoogApiKey => (HeaderName::from_static("x-goog-api-key"), ""),
        KeyCarrier::Header(name) => (name, ""),
    };
    // A `Secret` is visible ASCII, so it always is a header value.
    let value = HeaderValue::try_from(format!("{scheme}{}", secret.expose())).ok();
    let Some(mut value) = value else { return Err(OriginMismatch::Unbound) };
    value.set_sensitive(true);
    headers.insert(name, value.clone());
    Ok(KeyScrubber(Some(value)))
}

/// The key in a header that was sent.
fn key_of(sent: &HeaderValue) -> &str {
    let text = sent.to_str().unwrap_or_default();
    text.strip_prefix(SCHEME).unwrap_or(text)
}

impl KeyScrubber {
    fn key(&self) -> Option<&str> {
        self.0.as_ref().map(key_of).filter(|key| !key.is_empty())
    }

    /// The text of an error without the key, altered or not. Masks everything else that looks like
    /// a key.
    #[must_use]
    pub(crate) fn scrub(&self, text: &str) -> String {
        let Some(key) = self.key() else { return redact(text).into_owned() };
        let text = text.replace(key, REMOVED);
        redact(&altered::without_altered(&text, key)).into_owned()
    }

    /// `body` without exact copies of the key. A key of fewer than [`altered::SHARED_CHARS_MIN`]
    /// bytes is left: it is a placeholder for servers that want any (`ollama`, `lm-studio`) and a
    /// word that answers use.
    pub(super) fn scrub_body<S>(
        &self,
        body: S,
    ) -> BoxStream<'static, Result<Bytes, UpstreamFailure>>
    where
        S: Stream<Item = Result<Bytes, UpstreamFailure>> + Unpin + Send + 'static,
    {
        match &self.0 {
            Some(sent) if key_of(sent).len() >= altered::SHARED_CHARS_MIN => {
                body::ScrubbedBody::new(body, sent.clone()).boxed()
            }
            _ => body.boxed(),
        }
    }

    /// Removes every header that contains the key; none of them is useful without it.
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
    fn a_placeholder_is_no_secret_in_an_answer() {
        let said = |key: &str| {
            let (key, mut headers) = (bound(key, "https://api.test"), HeaderMap::new());
            let url = "https://api.test".parse().expect("a URL");
            let scrubber = attach(Some(&key), KeyCarrier::Bearer, &url, &mut headers);
            let piece = Bytes::from_static(b"\xffuse lm-studio-1 or lm-studio-12");
            let body = futures_util::stream::iter([Ok(piece)]);
            let passed = scrubber.expect("attached").scrub_body(body);
            let pieces = passed.map(|piece| piece.expect("a piece").to_vec());
            futures_util::FutureExt::now_or_never(pieces.concat()).expect("nothing to wait for")
        };
        assert_eq!(said("lm-studio-1"), b"\xffuse lm-studio-1 or lm-studio-12");
        assert_eq!(said("lm-studio-12"), b"\xffuse lm-studio-1 or [key removed]");
    }

    #[test]
    fn the_key_leaves_texts_and_never_shows_in_debug() {
        let mut headers = HeaderMap::new();
        let url = "https://api.test".parse().expect("a URL");
        let key = bound("hunter2-hunter2", "https://api.test");
        let scrubber =
            attach(Some(&key), KeyCarrier::Bearer, &url, &mut headers).expect("attached");
        assert_eq!(scrubber.scrub("bad key hunter2-hunter2!"), "bad key [key removed]!");
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
