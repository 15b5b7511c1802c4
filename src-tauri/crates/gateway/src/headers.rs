//! Allow-lists of the headers that the gateway forwards in either direction, so that no cookie, no identity
//! and nothing else that a backend sets passes by accident.

use domain::Dialect;
use hyper::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};

use crate::handle::response::JSON;

/// Marks a request that a gateway forwarded; one that arrives with it has looped.
pub(crate) const HOP: HeaderName = HeaderName::from_static("x-gatehouse-hop");

/// A client's tag for its own bookkeeping; not forwarded.
pub(crate) const PROJECT: HeaderName = HeaderName::from_static("x-gatehouse-project");

/// The priority of a request; not forwarded.
pub(crate) const PRIORITY: HeaderName = HeaderName::from_static("x-gatehouse-priority");

/// The client that a client of this program sends a request for; not forwarded.
pub(crate) const CLIENT: HeaderName = HeaderName::from_static("x-gatehouse-client");

/// What a program that calls the control API says it is.
pub(crate) const CALLER: HeaderName = HeaderName::from_static("x-gatehouse-caller");

const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");

/// The version of the Anthropic requests that Gatehouse writes, and the default for clients that state none
/// (<https://docs.anthropic.com/en/api/versioning>).
const ANTHROPIC_VERSION_WRITTEN: HeaderValue = HeaderValue::from_static("2023-06-01");

/// Headers that are forwarded if client and backend have the same dialect: names, and prefixes of names.
/// The key decides which organisation or project of a vendor pays, not the client, so
/// `openai-organization`, `openai-project`, `x-goog-user-project` and the like are not listed.
struct AllowedHeaders {
    names: &'static [&'static str],
    prefixes: &'static [&'static str],
}

const fn allowed_to_backend(dialect: Dialect) -> AllowedHeaders {
    match dialect {
        Dialect::OpenAiChat => AllowedHeaders {
            names: &["accept", "user-agent", "x-client-request-id", "openai-beta"],
            prefixes: &["x-stainless-"],
        },
        // Includes Codex' own headers, which it sends to OpenAI as well.
        Dialect::OpenAiResponses => AllowedHeaders {
            names: &[
                "accept",
                "user-agent",
                "x-client-request-id",
                "openai-beta",
                "originator",
                "session-id",
            ],
            prefixes: &["x-stainless-"],
        },
        // The list of Claude Code's gateway contract.
        Dialect::AnthropicMessages => AllowedHeaders {
            names: &["accept", "user-agent", "anthropic-version", "anthropic-beta", "x-app"],
            prefixes: &["x-stainless-"],
        },
        Dialect::Gemini => AllowedHeaders {
            names: &["accept", "user-agent", "x-goog-api-client"],
            prefixes: &["x-stainless-"],
        },
        Dialect::OllamaChat => AllowedHeaders { names: &[], prefixes: &[] },
    }
}

/// Headers that are forwarded to a client of the backend's dialect. Anthropic's rate limits are those of our
/// account and are not forwarded, as its gateway contract demands.
const fn allowed_to_client(dialect: Dialect) -> AllowedHeaders {
    match dialect {
        Dialect::OpenAiChat | Dialect::OpenAiResponses => AllowedHeaders {
            names: &["x-request-id", "openai-processing-ms", "openai-version", "openai-model"],
            prefixes: &["x-ratelimit-"],
        },
        Dialect::AnthropicMessages => AllowedHeaders { names: &["request-id"], prefixes: &[] },
        Dialect::Gemini | Dialect::OllamaChat => AllowedHeaders { names: &[], prefixes: &[] },
    }
}

impl AllowedHeaders {
    fn has(&self, name: &str) -> bool {
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// The headers of a backend request in dialect `to`, made from a client's request in `from`. Between
/// different dialects only `user-agent` is forwarded, because the others have no meaning there.
pub(crate) fn backend_headers(client: &HeaderMap, from: Dialect, to: Dialect) -> HeaderMap {
    let passing = match from == to {
        true => allowed_to_backend(from),
        false => AllowedHeaders { names: &["user-agent"], prefixes: &[] },
    };
    let mut out = HeaderMap::with_capacity(16);
    for (name, value) in client {
        if passing.has(name.as_str()) && !is_hop_by_hop(name, client) {
            out.append(name.clone(), value.clone());
        }
    }
    out.insert(CONTENT_TYPE, JSON);
    if to == Dialect::AnthropicMessages {
        out.entry(ANTHROPIC_VERSION).or_insert(ANTHROPIC_VERSION_WRITTEN);
    }
    out.insert(HOP, HeaderValue::from_static("1"));
    out
}

/// True if the client's `Connection` header names `name`, so that it is not for the next hop.
fn is_hop_by_hop(name: &HeaderName, client: &HeaderMap) -> bool {
    let values = client.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let mut named = values.flat_map(|value| value.split(','));
    named.any(|token| token.trim().eq_ignore_ascii_case(name.as_str()))
}

/// Copies the allowed headers of a backend's answer; none between different dialects.
pub(crate) fn copy_to_client(
    backend: &HeaderMap,
    client: Dialect,
    from: Dialect,
    out: &mut HeaderMap,
) {
    let passing = match client == from {
        true => allowed_to_client(from),
        false => return,
    };
    for (name, value) in backend {
        if passing.has(name.as_str()) {
            out.append(name.clone(), value.clone());
        }
    }
}

/// The kind of a body, by its `Content-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Media {
    Json,
    EventStream,
    /// One JSON value per line, as Ollama streams.
    JsonLines,
    Html,
    /// Another type, or none stated.
    Unsaid,
}

/// The kind of body that a backend states.
pub(crate) fn media(headers: &HeaderMap) -> Media {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") {
        Media::Json
    } else if essence.eq_ignore_ascii_case(b"text/event-stream") {
        Media::EventStream
    } else if essence.eq_ignore_ascii_case(b"application/x-ndjson") {
        Media::JsonLines
    } else if essence.eq_ignore_ascii_case(b"text/html") {
        Media::Html
    } else {
        Media::Unsaid
    }
}

/// True if a backend compressed its body although it was asked not to.
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
        let sent = backend_headers(&client, Dialect::OpenAiChat, Dialect::OpenAiChat);
        let expected =
            ["content-type", "openai-beta", "user-agent", "x-gatehouse-hop", "x-stainless-lang"];
        assert_eq!(names(&sent), expected);
    }

    #[test]
    fn whose_account_pays_is_not_the_clients_choice() {
        let client = map(&[
            ("openai-organization", "org-other"),
            ("openai-project", "proj-other"),
            ("openai-billing-account", "b"),
            ("x-goog-user-project", "p"),
            ("anthropic-organization-id", "o"),
            ("anthropic-workspace-id", "w"),
            ("x-organization", "o"),
        ]);
        for dialect in Dialect::ALL {
            let sent = backend_headers(&client, *dialect, *dialect);
            let named = names(&sent).into_iter().any(|name| client.contains_key(name));
            assert!(!named, "{dialect:?}: {:?}", names(&sent));
        }
    }

    #[test]
    fn s33_beta_headers_pass_to_their_own_vendor_and_to_no_other() {
        let claude = map(&[
            ("anthropic-version", "2026-10-21"),
            ("anthropic-beta", "a,b"),
            ("x-app", "cli"),
            ("x-claude-code-session-id", "s"),
            ("x-api-key", "ghk_x"),
            ("user-agent", "u"),
        ]);
        let own = backend_headers(&claude, Dialect::AnthropicMessages, Dialect::AnthropicMessages);
        assert_eq!(own["anthropic-version"], "2026-10-21");
        assert_eq!(own["anthropic-beta"], "a,b");
        assert!(!own.contains_key("x-api-key") && !own.contains_key("x-claude-code-session-id"));
        let crossed = backend_headers(&claude, Dialect::AnthropicMessages, Dialect::Gemini);
        assert_eq!(names(&crossed), ["content-type", "user-agent", "x-gatehouse-hop"]);
        let into =
            backend_headers(&HeaderMap::new(), Dialect::OpenAiChat, Dialect::AnthropicMessages);
        assert_eq!(into["anthropic-version"], "2023-06-01");
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
        copy_to_client(&backend, Dialect::OpenAiChat, Dialect::OpenAiResponses, &mut out);
        assert!(out.is_empty(), "nothing crosses");
        copy_to_client(&backend, Dialect::OpenAiChat, Dialect::OpenAiChat, &mut out);
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
