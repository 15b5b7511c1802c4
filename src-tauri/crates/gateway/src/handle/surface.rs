//! Maps paths to surfaces and dialects: the surfaces of all vendors at one address.
//!
//! Some tools append `/v1` to the base URL and some do not, so paths with it, without it and with
//! it twice are equal. `/v1/models` belongs to three vendors; their own headers tell them apart
//! (WIRE rule 4).

use bytes::Bytes;
use domain::Dialect;
use hyper::header::{HeaderMap, HeaderValue, UPGRADE};
use hyper::{Method, Request, Response};
use wire::{Delivery, EmbeddingSurface, ErrorKind, UsageChunk};

use crate::handle::response::{self, Refusal, ResponseBody, RetryAdvice};

/// What a request's path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Surface {
    /// Answers everyone the same, without a token.
    Fixed(FixedSurface),
    /// The gateway answers it itself, for a client.
    Own(OwnSurface),
    /// A call to a model.
    Call(CallSurface),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FixedSurface {
    /// Liveness of the gateway.
    Health,
    /// Identification of the server (`/`), and the path that some tools try first (`/api/hello`).
    Hello,
    /// A WebSocket for Responses, which is not supported (WIRE rule 9).
    ResponsesSocket,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnSurface {
    Models,
    Model(String),
    /// MCP's streamable HTTP.
    Mcp,
    /// Figures for Prometheus.
    Metrics,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CallSurface {
    Generate(GenerateSurface),
    CountTokens(CountTokensSurface),
    Embeddings(EmbeddingsSurface),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GenerateSurface {
    Chat,
    Responses,
    Messages,
    Gemini { model: String, delivery: Delivery },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CountTokensSurface {
    Messages,
    Gemini { model: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EmbeddingsSurface {
    OpenAi,
    /// `:embedContent`.
    GeminiOne {
        model: String,
    },
    /// `:batchEmbedContents`.
    GeminiBatch {
        model: String,
    },
}

impl GenerateSurface {
    /// The surface as `wire` parses its requests.
    pub(crate) fn for_wire(&self) -> wire::ApiSurface<'_> {
        match self {
            Self::Chat => wire::ApiSurface::OpenAiChat,
            Self::Responses => wire::ApiSurface::OpenAiResponses,
            Self::Messages => wire::ApiSurface::AnthropicMessages,
            Self::Gemini { model, delivery } => {
                wire::ApiSurface::Gemini { model, delivery: *delivery }
            }
        }
    }
}

impl EmbeddingsSurface {
    /// The surface as `wire` parses its requests.
    pub(crate) fn for_wire(&self) -> EmbeddingSurface<'_> {
        match self {
            Self::OpenAi => EmbeddingSurface::OpenAi,
            Self::GeminiOne { model } => EmbeddingSurface::GeminiOne { model },
            Self::GeminiBatch { model } => EmbeddingSurface::GeminiBatch { model },
        }
    }
}

impl FixedSurface {
    pub(crate) fn response(self) -> Response<ResponseBody> {
        let json = |body: &'static [u8]| response::json(200, Bytes::from_static(body));
        match self {
            Self::Health => json(b"{\"status\":\"ok\"}"),
            Self::Hello => json(b"{\"name\":\"gatehouse\",\"openai_base_path\":\"/v1\"}"),
            Self::ResponsesSocket => upgrade_required(),
        }
    }
}

impl Surface {
    /// The surface of a path; `None` for an unknown path.
    pub(crate) fn of(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        match path {
            "/health" => return Some(Self::Fixed(FixedSurface::Health)),
            "/" | "/api/hello" => return Some(Self::Fixed(FixedSurface::Hello)),
            "/metrics" => return Some(Self::Own(OwnSurface::Metrics)),
            _ if is_mcp(path) => return Some(Self::Own(OwnSurface::Mcp)),
            _ => {}
        }
        let below = below_version(path);
        let call = match below {
            "/chat/completions" => CallSurface::Generate(GenerateSurface::Chat),
            "/responses" if headers.contains_key(UPGRADE) => {
                return Some(Self::Fixed(FixedSurface::ResponsesSocket));
            }
            "/responses" => CallSurface::Generate(GenerateSurface::Responses),
            "/messages" => CallSurface::Generate(GenerateSurface::Messages),
            "/messages/count_tokens" => CallSurface::CountTokens(CountTokensSurface::Messages),
            "/embeddings" => CallSurface::Embeddings(EmbeddingsSurface::OpenAi),
            "/models" => return Some(Self::Own(OwnSurface::Models)),
            _ => match gemini(below, query) {
                Some(call) => call,
                None => {
                    let id = below.strip_prefix("/models/").filter(|id| !id.is_empty())?;
                    return Some(Self::Own(OwnSurface::Model(decoded(id))));
                }
            },
        };
        Some(Self::Call(call))
    }

    /// The path as a fixed template, for the log: a raw path may contain anything.
    pub(crate) const fn template(&self) -> &'static str {
        match self {
            Self::Fixed(FixedSurface::Health) => "/health",
            Self::Fixed(FixedSurface::Hello) => "/",
            Self::Fixed(FixedSurface::ResponsesSocket) => "/v1/responses",
            Self::Own(OwnSurface::Models) => "/v1/models",
            Self::Own(OwnSurface::Model(_)) => "/v1/models/{model}",
            Self::Own(OwnSurface::Mcp) => "/mcp",
            Self::Own(OwnSurface::Metrics) => "/metrics",
            Self::Call(call) => call.template(),
        }
    }

    /// True if the surface supports this method.
    pub(crate) fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Call(_) => method == Method::POST,
            Self::Own(OwnSurface::Mcp) => {
                [Method::POST, Method::GET, Method::DELETE].contains(method)
            }
            Self::Fixed(_)
            | Self::Own(OwnSurface::Models | OwnSurface::Model(_) | OwnSurface::Metrics) => {
                method == Method::GET || method == Method::HEAD
            }
        }
    }
}

impl CallSurface {
    const fn template(&self) -> &'static str {
        match self {
            Self::Generate(GenerateSurface::Chat) => "/v1/chat/completions",
            Self::Generate(GenerateSurface::Responses) => "/v1/responses",
            Self::Generate(GenerateSurface::Messages) => "/v1/messages",
            Self::Generate(GenerateSurface::Gemini { .. }) => {
                "/v1beta/models/{model}:generateContent"
            }
            Self::CountTokens(CountTokensSurface::Messages) => "/v1/messages/count_tokens",
            Self::CountTokens(CountTokensSurface::Gemini { .. }) => {
                "/v1beta/models/{model}:countTokens"
            }
            Self::Embeddings(EmbeddingsSurface::OpenAi) => "/v1/embeddings",
            Self::Embeddings(
                EmbeddingsSurface::GeminiOne { .. } | EmbeddingsSurface::GeminiBatch { .. },
            ) => "/v1beta/models/{model}:embedContent",
        }
    }
}

/// True for the path of MCP's streamable HTTP.
pub(crate) fn is_mcp(path: &str) -> bool {
    path == "/mcp"
}

/// The surface that `request` asks for: 404 for an unknown path, 405 for a wrong method.
pub(crate) fn of<B>(request: &Request<B>) -> Result<Surface, Refusal> {
    let (path, query) = (request.uri().path(), request.uri().query());
    let surface = Surface::of(path, query, request.headers()).ok_or_else(|| not_found(path))?;
    if surface.takes(request.method()) { Ok(surface) } else { Err(wrong_method()) }
}

/// The path of `request` as [`Surface::template`] spells it, for the log.
pub(crate) fn template<B>(request: &Request<B>) -> &'static str {
    let uri = request.uri();
    let surface = Surface::of(uri.path(), uri.query(), request.headers());
    surface.as_ref().map_or("unknown", Surface::template)
}

fn not_found(path: &str) -> Refusal {
    let shown: String = path.chars().take(200).collect();
    let message = format!(
        "There is nothing at {shown}. Use /v1/chat/completions, /v1/responses, /v1/messages, \
         /v1/embeddings, /v1/models or /v1beta/models/…."
    );
    Refusal::new(404, ErrorKind::NotFound, "unknown_path", message).retry(RetryAdvice::Never)
}

fn wrong_method() -> Refusal {
    let message = "This path does not support that method.";
    Refusal::new(405, ErrorKind::InvalidRequest, "method_not_allowed", message)
        .retry(RetryAdvice::Never)
}

/// Codex opens a WebSocket first and falls back to POST as soon as it gets this status.
fn upgrade_required() -> Response<ResponseBody> {
    let message = "WebSockets are not supported. Use POST /v1/responses.";
    let refusal = Refusal::new(426, ErrorKind::InvalidRequest, "upgrade_required", message)
        .retry(RetryAdvice::Never);
    let mut response = refusal.answer(Dialect::OpenAiResponses);
    // RFC 9110, section 15.5.22: the header names the supported protocol.
    response.headers_mut().insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    response::close(&mut response);
    response
}

/// Parses a Gemini method, which follows the last colon of the path. Model names may have colons
/// too, such as Ollama's `llama3:8b`. For a name with a slash the Vercel AI SDK leaves `models/`
/// out (`getModelPath` of `@ai-sdk/google`).
fn gemini(below: &str, query: Option<&str>) -> Option<CallSurface> {
    let (path, method) = below.strip_prefix('/')?.rsplit_once(':')?;
    let id = path.strip_prefix("models/").or_else(|| path.contains('/').then_some(path))?;
    let model = decoded(id);
    Some(match method {
        "generateContent" => {
            CallSurface::Generate(GenerateSurface::Gemini { model, delivery: Delivery::Whole })
        }
        "streamGenerateContent" => {
            let pairs = || url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
            let is_events = pairs().any(|(name, value)| name == "alt" && value == "sse");
            let delivery =
                if is_events { Delivery::Stream(UsageChunk::Asked) } else { Delivery::StreamArray };
            CallSurface::Generate(GenerateSurface::Gemini { model, delivery })
        }
        "countTokens" => CallSurface::CountTokens(CountTokensSurface::Gemini { model }),
        "embedContent" => CallSurface::Embeddings(EmbeddingsSurface::GeminiOne { model }),
        "batchEmbedContents" => CallSurface::Embeddings(EmbeddingsSurface::GeminiBatch { model }),
        _ => return None,
    })
}

/// The path without its version: `/v1` or `/v1beta`, none, or two of them.
fn below_version(path: &str) -> &str {
    let once = |path: &str| -> Option<usize> {
        ["/v1beta/", "/v1/"].into_iter().find(|version| path.starts_with(version)).map(str::len)
    };
    let mut below = path;
    for _ in 0..2 {
        if let Some(length) = once(below) {
            // The slash that ends the version begins the rest.
            below = below.get(length - 1..).unwrap_or_default();
        }
    }
    below
}

/// The dialect of the response, by the path and headers of the request.
pub(crate) fn dialect(path: &str, headers: &HeaderMap) -> Dialect {
    let below = below_version(path);
    let is_google =
        || ["x-goog-api-key", "x-goog-api-client"].iter().any(|name| headers.contains_key(*name));
    if below.starts_with("/messages") {
        Dialect::AnthropicMessages
    } else if below.starts_with("/responses") {
        Dialect::OpenAiResponses
    } else if below.starts_with("/chat/") || below.starts_with("/embeddings") {
        Dialect::OpenAiChat
    } else if path.starts_with("/v1beta/") || is_google() || gemini(below, None).is_some() {
        Dialect::Gemini
    } else if headers.contains_key("anthropic-version") {
        Dialect::AnthropicMessages
    } else {
        Dialect::OpenAiChat
    }
}

/// Decodes the percent escapes of a model name in a path.
fn decoded(id: &str) -> String {
    percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::{HeaderName, HeaderValue};

    fn headers(names: &[&'static str]) -> HeaderMap {
        let one =
            |name: &&'static str| (HeaderName::from_static(name), HeaderValue::from_static("x"));
        names.iter().map(one).collect()
    }

    #[test]
    fn both_spellings_of_every_path_lead_to_the_same_place() {
        let of = |path: &str| Surface::of(path, None, &HeaderMap::new());
        let call = Surface::Call;
        let model = |id: &str| Surface::Own(OwnSurface::Model(id.to_owned()));
        for (path, expected) in [
            ("/chat/completions", call(CallSurface::Generate(GenerateSurface::Chat))),
            ("/responses", call(CallSurface::Generate(GenerateSurface::Responses))),
            ("/messages", call(CallSurface::Generate(GenerateSurface::Messages))),
            (
                "/messages/count_tokens",
                call(CallSurface::CountTokens(CountTokensSurface::Messages)),
            ),
            ("/embeddings", call(CallSurface::Embeddings(EmbeddingsSurface::OpenAi))),
            ("/models", Surface::Own(OwnSurface::Models)),
            ("/models/corp%2Fgpt%20x", model("corp/gpt x")),
            ("/models/llama3:8b", model("llama3:8b")),
        ] {
            assert_eq!(of(path).as_ref(), Some(&expected), "{path}");
            for version in ["/v1", "/v1/v1"] {
                assert_eq!(of(&format!("{version}{path}")).as_ref(), Some(&expected), "{path}");
            }
        }
        assert_eq!(of("/api/hello"), Some(Surface::Fixed(FixedSurface::Hello)));
        for nothing in ["/v1", "/v1/", "/v1/chat", "/v2/messages", "/models/", "/api/tags", "//"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        let socket = Surface::of("/v1/responses", None, &headers(&["upgrade"]));
        assert_eq!(socket, Some(Surface::Fixed(FixedSurface::ResponsesSocket)));
    }

    #[test]
    fn gemini_methods_stand_behind_the_colon() {
        let of = |path: &str, query| Surface::of(path, query, &HeaderMap::new());
        let generate = |model: &str, delivery| {
            let surface = GenerateSurface::Gemini { model: model.to_owned(), delivery };
            Some(Surface::Call(CallSurface::Generate(surface)))
        };
        for version in ["/v1beta", "/v1"] {
            let path = |rest: &str| format!("{version}/models/{rest}");
            assert_eq!(of(&path("g:generateContent"), None), generate("g", Delivery::Whole));
            let stream = path("corp%2Fg:8b:streamGenerateContent");
            let name = "corp/g:8b";
            assert_eq!(of(&stream, Some("key=k")), generate(name, Delivery::StreamArray));
            let events = Delivery::Stream(UsageChunk::Asked);
            assert_eq!(of(&stream, Some("alt=sse&key=k")), generate(name, events));
            let bare = format!("{version}/corp/g:8b:streamGenerateContent");
            assert_eq!(of(&bare, Some("alt=sse")), generate(name, events));
            assert_eq!(
                of(&format!("{version}/g:generateContent"), None),
                None,
                "no such model path"
            );
        }
        let count = CallSurface::CountTokens(CountTokensSurface::Gemini { model: "g".to_owned() });
        assert_eq!(of("/v1beta/models/g:countTokens", None), Some(Surface::Call(count)));
        let batch =
            CallSurface::Embeddings(EmbeddingsSurface::GeminiBatch { model: "g".to_owned() });
        assert_eq!(of("/v1/models/g:batchEmbedContents", None), Some(Surface::Call(batch)));
    }

    #[test]
    fn a_shared_path_is_answered_in_the_dialect_of_its_headers() {
        let of = |path: &str, names: &[&'static str]| dialect(path, &headers(names));
        assert_eq!(of("/v1/models", &[]), Dialect::OpenAiChat);
        assert_eq!(of("/v1/models", &["anthropic-version"]), Dialect::AnthropicMessages);
        assert_eq!(of("/v1/models", &["x-goog-api-key"]), Dialect::Gemini);
        assert_eq!(of("/v1/models", &["x-goog-api-client"]), Dialect::Gemini);
        assert_eq!(of("/v1beta/models", &[]), Dialect::Gemini);
        assert_eq!(of("/v1/models/g:generateContent", &[]), Dialect::Gemini);
        assert_eq!(of("/v1/corp/g:generateContent", &[]), Dialect::Gemini);
        assert_eq!(of("/v1/models/llama3:8b", &[]), Dialect::OpenAiChat);
        assert_eq!(of("/v1/messages/count_tokens", &[]), Dialect::AnthropicMessages);
        assert_eq!(of("/v1/v1/messages", &[]), Dialect::AnthropicMessages);
        assert_eq!(of("/v1/responses", &[]), Dialect::OpenAiResponses);
        assert_eq!(of("/v1/chat/completions", &["anthropic-version"]), Dialect::OpenAiChat);
    }
}
