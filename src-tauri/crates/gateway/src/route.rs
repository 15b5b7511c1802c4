//! Which path asks for what, in which dialect: all surfaces of all vendors at one address.
//!
//! Some tools append `/v1` to what they are given and some do not, so both spellings lead to the same
//! place, doubled ones too. `/v1/models` belongs to three vendors; their own headers tell them apart
//! (WIRE rule 4).

use domain::Dialect;
use hyper::Method;
use hyper::header::{HeaderMap, UPGRADE};
use wire::{Delivery, EmbeddingSurface, UsageChunk};

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Whether the gateway runs.
    Health,
    /// Who is here (`/`), and what some tools knock at before they begin (`/api/hello`).
    Hello,
    /// An answer of a model.
    Generate(Surface),
    /// How many tokens a request has.
    CountTokens(Counted),
    /// Vectors of texts.
    Embeddings(Embedded),
    /// The list of models.
    Models,
    /// One model.
    Model(String),
    /// A WebSocket for Responses, which is not spoken here (WIRE rule 9).
    ResponsesSocket,
}

/// Where an answer is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Surface {
    Chat,
    Responses,
    Messages,
    Gemini { model: String, delivery: Delivery },
}

/// Whose tokens are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Counted {
    Messages,
    Gemini { model: String },
}

/// Where vectors are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Embedded {
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

impl Surface {
    /// As `wire` reads its requests.
    pub(crate) fn for_wire(&self) -> wire::Surface<'_> {
        match self {
            Self::Chat => wire::Surface::OpenAiChat,
            Self::Responses => wire::Surface::OpenAiResponses,
            Self::Messages => wire::Surface::AnthropicMessages,
            Self::Gemini { model, delivery } => {
                wire::Surface::Gemini { model, delivery: *delivery }
            }
        }
    }
}

impl Embedded {
    /// As `wire` reads its requests.
    pub(crate) fn for_wire(&self) -> EmbeddingSurface<'_> {
        match self {
            Self::OpenAi => EmbeddingSurface::OpenAi,
            Self::GeminiOne { model } => EmbeddingSurface::GeminiOne { model },
            Self::GeminiBatch { model } => EmbeddingSurface::GeminiBatch { model },
        }
    }
}

impl Route {
    /// The route of a path; `None` where nothing is.
    pub(crate) fn of(path: &str, query: Option<&str>, headers: &HeaderMap) -> Option<Self> {
        match path {
            "/health" => return Some(Self::Health),
            "/" | "/api/hello" => return Some(Self::Hello),
            _ => {}
        }
        let below = below_version(path);
        Some(match below {
            "/chat/completions" => Self::Generate(Surface::Chat),
            "/responses" if headers.contains_key(UPGRADE) => Self::ResponsesSocket,
            "/responses" => Self::Generate(Surface::Responses),
            "/messages" => Self::Generate(Surface::Messages),
            "/messages/count_tokens" => Self::CountTokens(Counted::Messages),
            "/embeddings" => Self::Embeddings(Embedded::OpenAi),
            "/models" => Self::Models,
            _ => match gemini(below, query) {
                Some(route) => route,
                None => {
                    let id = below.strip_prefix("/models/").filter(|id| !id.is_empty())?;
                    Self::Model(decoded(id))
                }
            },
        })
    }

    /// The path in the words of this program, for the log: a path as it came holds what anybody wrote.
    pub(crate) const fn template(&self) -> &'static str {
        match self {
            Self::Health => "/health",
            Self::Hello => "/",
            Self::Generate(Surface::Chat) => "/v1/chat/completions",
            Self::Generate(Surface::Responses) | Self::ResponsesSocket => "/v1/responses",
            Self::Generate(Surface::Messages) => "/v1/messages",
            Self::Generate(Surface::Gemini { .. }) => "/v1beta/models/{model}:generateContent",
            Self::CountTokens(Counted::Messages) => "/v1/messages/count_tokens",
            Self::CountTokens(Counted::Gemini { .. }) => "/v1beta/models/{model}:countTokens",
            Self::Embeddings(Embedded::OpenAi) => "/v1/embeddings",
            Self::Embeddings(_) => "/v1beta/models/{model}:embedContent",
            Self::Models => "/v1/models",
            Self::Model(_) => "/v1/models/{model}",
        }
    }

    /// Whether it takes this method.
    pub(crate) fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Generate(_) | Self::CountTokens(_) | Self::Embeddings(_) => {
                method == Method::POST
            }
            Self::Health | Self::Hello | Self::Models | Self::Model(_) | Self::ResponsesSocket => {
                method == Method::GET || method == Method::HEAD
            }
        }
    }
}

/// A method of Gemini, behind the last colon of the path: names may have colons of their own, as
/// Ollama's `llama3:8b`. The Vercel AI SDK takes a name with a slash in it for a whole path and leaves
/// `models/` out (`getModelPath` of `@ai-sdk/google`).
fn gemini(below: &str, query: Option<&str>) -> Option<Route> {
    let (path, method) = below.strip_prefix('/')?.rsplit_once(':')?;
    let id = path.strip_prefix("models/").or_else(|| path.contains('/').then_some(path))?;
    let model = decoded(id);
    Some(match method {
        "generateContent" => Route::Generate(Surface::Gemini { model, delivery: Delivery::Whole }),
        "streamGenerateContent" => {
            let pairs = || url::form_urlencoded::parse(query.unwrap_or_default().as_bytes());
            let is_events = pairs().any(|(name, value)| name == "alt" && value == "sse");
            let delivery =
                if is_events { Delivery::Stream(UsageChunk::Asked) } else { Delivery::StreamArray };
            Route::Generate(Surface::Gemini { model, delivery })
        }
        "countTokens" => Route::CountTokens(Counted::Gemini { model }),
        "embedContent" => Route::Embeddings(Embedded::GeminiOne { model }),
        "batchEmbedContents" => Route::Embeddings(Embedded::GeminiBatch { model }),
        _ => return None,
    })
}

/// The path under its version: `/v1` or `/v1beta`, none, or two of them.
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

/// The dialect in which a client is spoken to, by where it knocks and what it says of itself.
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

/// A model's name as the path spells it, percent signs resolved.
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
        let of = |path: &str| Route::of(path, None, &HeaderMap::new());
        for (path, expected) in [
            ("/chat/completions", Route::Generate(Surface::Chat)),
            ("/responses", Route::Generate(Surface::Responses)),
            ("/messages", Route::Generate(Surface::Messages)),
            ("/messages/count_tokens", Route::CountTokens(Counted::Messages)),
            ("/embeddings", Route::Embeddings(Embedded::OpenAi)),
            ("/models", Route::Models),
            ("/models/corp%2Fgpt%20x", Route::Model("corp/gpt x".to_owned())),
            ("/models/llama3:8b", Route::Model("llama3:8b".to_owned())),
        ] {
            assert_eq!(of(path).as_ref(), Some(&expected), "{path}");
            for version in ["/v1", "/v1/v1"] {
                assert_eq!(of(&format!("{version}{path}")).as_ref(), Some(&expected), "{path}");
            }
        }
        assert_eq!(of("/api/hello"), Some(Route::Hello));
        for nothing in ["/v1", "/v1/", "/v1/chat", "/v2/messages", "/models/", "/api/tags", "//"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
        let socket = Route::of("/v1/responses", None, &headers(&["upgrade"]));
        assert_eq!(socket, Some(Route::ResponsesSocket));
    }

    #[test]
    fn gemini_methods_stand_behind_the_colon() {
        let of = |path: &str, query| Route::of(path, query, &HeaderMap::new());
        let generate = |model: &str, delivery| {
            Some(Route::Generate(Surface::Gemini { model: model.to_owned(), delivery }))
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
        let count = Route::CountTokens(Counted::Gemini { model: "g".to_owned() });
        assert_eq!(of("/v1beta/models/g:countTokens", None), Some(count));
        let batch = Route::Embeddings(Embedded::GeminiBatch { model: "g".to_owned() });
        assert_eq!(of("/v1/models/g:batchEmbedContents", None), Some(batch));
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
