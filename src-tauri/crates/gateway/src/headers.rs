//! Which headers pass the gateway, in either direction: by allow-list, so that neither cookies nor
//! identities nor anything a backend wishes to set slips through.

use hyper::header::{
    ACCEPT, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
    USER_AGENT,
};

/// Marks a request that a gateway sent on; one that comes back with it has gone round.
pub(crate) const HOP: HeaderName = HeaderName::from_static("x-gatehouse-hop");

/// A client's tag for its own bookkeeping; it stays here.
pub(crate) const PROJECT: HeaderName = HeaderName::from_static("x-gatehouse-project");

const TO_BACKEND: [HeaderName; 4] =
    [CONTENT_TYPE, ACCEPT, USER_AGENT, HeaderName::from_static("x-client-request-id")];
const TO_BACKEND_PREFIXES: [&str; 2] = ["openai-", "x-stainless-"];

const TO_CLIENT: [&str; 4] =
    ["x-request-id", "openai-processing-ms", "openai-version", "openai-model"];
const TO_CLIENT_PREFIX: &str = "x-ratelimit-";

/// The headers of a request that go on to a backend.
pub(crate) fn to_backend(client: &HeaderMap) -> HeaderMap {
    let mut out = HeaderMap::with_capacity(TO_BACKEND.len() + 12);
    for (name, value) in client {
        let prefixed = TO_BACKEND_PREFIXES.iter().any(|prefix| name.as_str().starts_with(prefix));
        if (prefixed || TO_BACKEND.contains(name)) && !is_for_us_only(name, client) {
            out.append(name.clone(), value.clone());
        }
    }
    out.insert(HOP, HeaderValue::from_static("1"));
    out
}

/// Whether the client's `Connection` header names `name`: then it is not for the next hop.
fn is_for_us_only(name: &HeaderName, client: &HeaderMap) -> bool {
    let values = client.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut named = values.flat_map(|value| value.split(','));
    named.any(|token| token.trim().eq_ignore_ascii_case(name.as_str()))
}

/// Copies the headers of a backend's answer that a client may see.
pub(crate) fn to_client(backend: &HeaderMap, out: &mut HeaderMap) {
    for (name, value) in backend {
        let text = name.as_str();
        if TO_CLIENT.contains(&text) || text.starts_with(TO_CLIENT_PREFIX) {
            out.append(name.clone(), value.clone());
        }
    }
}

/// What a body is, by its `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    EventStream,
    Html,
    /// Something else, or not said.
    Unsaid,
}

/// What a backend says its body is.
pub(crate) fn media(headers: &HeaderMap) -> Media {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        Media::Json
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Media::EventStream
    } else if essence.eq_ignore_ascii_case(b"text/html") {
        Media::Html
    } else {
        Media::Unsaid
    }
}

/// Whether a backend compressed its body although it was asked not to.
pub(crate) fn is_compressed(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(CONTENT_ENCODING).iter();
    encodings.any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn only_listed_headers_reach_a_backend() {
        let client = map(&[
            ("content-type", "application/json"),
            ("user-agent", "u"),
            ("x-stainless-lang", "rust"),
            ("openai-beta", "b"),
            ("openai-hop", "h"),
            ("connection", "keep-alive, OpenAI-Hop"),
            ("authorization", "Bearer ghk_x"),
            ("x-api-key", "ghk_x"),
            ("cookie", "c"),
            ("x-forwarded-for", "1.2.3.4"),
            ("anthropic-dangerous-direct-browser-access", "true"),
            ("accept-encoding", "br"),
            ("host", "localhost:4283"),
        ]);
        let sent = to_backend(&client);
        let expected =
            ["content-type", "openai-beta", "user-agent", "x-gatehouse-hop", "x-stainless-lang"];
        assert_eq!(names(&sent), expected);
    }

    #[test]
    fn only_listed_headers_reach_a_client() {
        let backend = map(&[
            ("set-cookie", "s=1"),
            ("access-control-allow-origin", "*"),
            ("refresh", "0; url=https://evil.test"),
            ("location", "https://evil.test"),
            ("openai-organization", "org-secret"),
            ("x-request-id", "r"),
            ("x-ratelimit-remaining-tokens", "7"),
            ("retry-after", "9999"),
            ("content-length", "5"),
        ]);
        let mut out = HeaderMap::new();
        to_client(&backend, &mut out);
        assert_eq!(names(&out), ["x-ratelimit-remaining-tokens", "x-request-id"]);
    }

    #[test]
    fn a_body_is_known_by_its_essence() {
        let of = |value| media(&map(&[("content-type", value)]));
        assert_eq!(of("text/event-stream; charset=utf-8"), Media::EventStream);
        assert_eq!(of("Application/JSON"), Media::Json);
        assert_eq!(of("text/html;x"), Media::Html);
        assert_eq!(of("text/htmlx"), Media::Unsaid);
        assert!(is_compressed(&map(&[("content-encoding", "gzip")])));
        assert!(!is_compressed(&map(&[("content-encoding", "identity")])));
    }
}
