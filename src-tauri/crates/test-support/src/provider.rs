//! A mock provider for each dialect on loopback, as strict as the real ones: it refuses requests
//! that the vendor's own SDK would not send, and keys in another dialect's header.
//!
//! It does not use the crate `wire`, so that both cannot share a misreading. Its answers depend on
//! the request alone: see [`MockProvider`].

mod chat;
mod embeddings;
mod form;
mod gemini;
mod messages;
mod ollama;
mod responses;
mod speech;

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::reply::{Ending, Reply};
use crate::upstream::{Received, ScriptedUpstream};
use form::Checked;
use speech::{Question, Speech};

/// The key that every dialect of a [`MockProvider`] accepts.
pub const PROVIDER_KEY: &str = "sk-provider-5d1c0e7a9b";

/// The models it lists. It answers requests for any name.
pub const PROVIDER_MODELS: [&str; 2] = ["echo", "think"];

/// Input tokens of every request, cached ones included; also the result of token counts.
pub const PROVIDER_INPUT_TOKENS: u64 = 20;

/// Input tokens that came from the cache; Ollama does not report them.
pub const PROVIDER_CACHED_TOKENS: u64 = 8;

/// Output tokens of every answer, reasoning included.
pub const PROVIDER_OUTPUT_TOKENS: u64 = 9;

/// Reasoning tokens of an answer that has reasoning; Ollama does not report them.
pub const PROVIDER_REASONING_TOKENS: u64 = 4;

/// A server for `/v1/chat/completions`, `/v1/responses`, `/v1/messages` and its `count_tokens`,
/// `/v1beta/models/…` (`/v1` too), `/api/chat`, embeddings and lists of models.
///
/// The model name selects the answer: `think` reasons first and then echoes, `text-and-tool` writes
/// a sentence and calls tools in one turn, `fault-NNN` fails with that status, `fault-cut` breaks a
/// stream off, `fault-no-end` closes one cleanly without its terminator, and every other name
/// echoes the user's last text. A tool whose name occurs in that text is called, with the last word
/// in its string arguments; structured output is filled the same way.
#[derive(Debug)]
pub struct MockProvider {
    upstream: ScriptedUpstream,
    refusals: Arc<Mutex<Vec<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaks {
    Chat,
    Responses,
    Messages,
    Gemini,
    Ollama,
}

/// A text generation request, parsed.
#[derive(Debug)]
pub(crate) struct Asked {
    question: Question,
    delivery: Delivery,
}

/// The delivery format of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// A stream; `usage` matters to Chat only.
    Stream {
        usage: bool,
    },
    /// Gemini's stream without `alt=sse`: one JSON array.
    Array,
}

impl MockProvider {
    /// Starts on a free loopback port.
    pub async fn start() -> io::Result<Self> {
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&refusals);
        let upstream = ScriptedUpstream::answering(move |request| {
            Some(answer(request).unwrap_or_else(|(speaks, status, refusal)| {
                let line = format!("{} {}: {status}: {refusal}", request.method, request.path);
                noted.lock().push(line);
                speaks.error(status, &refusal)
            }))
        });
        Ok(Self { upstream: upstream.await?, refusals })
    }

    /// The root URL, `http://127.0.0.1:PORT`, without a version.
    #[must_use]
    pub fn root(&self) -> String {
        format!("http://{}", self.upstream.addr())
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.upstream.requests()
    }

    /// The requests refused for their form or key, with the reason, in order of arrival.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().clone()
    }
}

type Refused = (Speaks, u16, String);

fn answer(request: &Received) -> Result<Reply, Refused> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let speaks = Speaks::at(path, request);
    speaks.check_key(request, query).map_err(|why| (speaks, 401, why))?;
    let bad = |why| (speaks, 400, why);
    if request.method == "GET" {
        return Ok(models(speaks, path));
    }
    let body = request.json();
    let asked = match (speaks, path.rsplit('/').next().unwrap_or_default()) {
        (Speaks::Chat, "completions") => chat::read(&body),
        (Speaks::Responses, "responses") => responses::read(&body),
        (Speaks::Messages, "messages") => messages::read(&body, request),
        (Speaks::Messages, "count_tokens") => {
            return messages::count(&body, request).map_err(bad);
        }
        (Speaks::Ollama, "chat") => ollama::read(&body),
        (Speaks::Chat, "embeddings") => return embeddings::openai(&body).map_err(bad),
        (Speaks::Ollama, "embed") => return embeddings::ollama(&body).map_err(bad),
        (Speaks::Gemini, method) => match gemini::method(method, query, &body).map_err(bad)? {
            gemini::Called::Asked(asked) => Ok(*asked),
            gemini::Called::Answered(reply) => return Ok(reply),
        },
        _ => return Err((speaks, 404, format!("there is no {path}"))),
    };
    let asked = asked.map_err(bad)?;
    if let Some(status) = asked.question.fault_status() {
        return Ok(speaks.error(status, "the scripted fault"));
    }
    Ok(say(speaks, &asked))
}

fn say(speaks: Speaks, asked: &Asked) -> Reply {
    let Asked { question, delivery } = asked;
    let speech = Speech::of(question);
    if *delivery == Delivery::Whole {
        let body = match speaks {
            Speaks::Chat => chat::whole(question, &speech),
            Speaks::Responses => responses::whole(question, &speech),
            Speaks::Messages => messages::whole(question, &speech),
            Speaks::Gemini => gemini::whole(question, &speech),
            Speaks::Ollama => ollama::whole(question, &speech),
        };
        return Reply::json(200, &body);
    }
    let mut events = match speaks {
        Speaks::Chat => chat::events(question, &speech, *delivery),
        Speaks::Responses => responses::events(question, &speech),
        Speaks::Messages => messages::events(question, &speech),
        Speaks::Gemini => gemini::events(question, &speech, *delivery),
        Speaks::Ollama => ollama::events(question, &speech),
    };
    let ending = match question.model.as_str() {
        "fault-cut" => Ending::Close,
        _ => Ending::Complete,
    };
    if matches!(question.model.as_str(), "fault-cut" | "fault-no-end") {
        // Enough for some text in every dialect, and before any terminator.
        events.truncate(events.len() / 2 + 1);
    }
    match (speaks, delivery) {
        (Speaks::Ollama, _) => Reply::lines("application/x-ndjson", events).ending(ending),
        (_, Delivery::Array) => Reply::lines("application/json", events).ending(ending),
        _ => Reply::sse(events).ending(ending),
    }
}

impl Speaks {
    /// The protocol of a path. Three protocols share `/v1/models`; there the headers decide.
    fn at(path: &str, request: &Received) -> Self {
        match path {
            _ if path.starts_with("/api/") => Self::Ollama,
            _ if path.starts_with("/v1/messages") => Self::Messages,
            "/v1/responses" => Self::Responses,
            _ if path.starts_with("/v1beta/") || path.contains(':') => Self::Gemini,
            _ if request.header("anthropic-version").is_some() => Self::Messages,
            _ if request.header("x-goog-api-key").is_some() => Self::Gemini,
            _ => Self::Chat,
        }
    }

    fn check_key(self, request: &Received, query: &str) -> Checked<()> {
        let bearer = request.authorization().and_then(|value| value.strip_prefix("Bearer "));
        let carriers = [
            ("authorization", bearer),
            ("x-api-key", request.header("x-api-key")),
            ("x-goog-api-key", request.header("x-goog-api-key")),
        ];
        let own: &[&str] = match self {
            Self::Chat | Self::Responses | Self::Ollama => &["authorization"],
            Self::Messages => &["authorization", "x-api-key"],
            Self::Gemini => &["x-goog-api-key"],
        };
        let sent: Vec<_> =
            carriers.iter().filter_map(|(name, key)| key.map(|key| (*name, key))).collect();
        if query.contains("key=") {
            return Err("a key in the query".to_owned());
        }
        if let Some((name, _)) = sent.iter().find(|(name, _)| !own.contains(name)) {
            return Err(format!("{name} is not a carrier of {self:?}"));
        }
        match sent.as_slice() {
            [] if self == Self::Ollama => Ok(()),
            [(_, PROVIDER_KEY)] => Ok(()),
            [] => Err("no key".to_owned()),
            [_] => Err("not the key of this provider".to_owned()),
            _ => Err("two keys".to_owned()),
        }
    }

    /// An error in the dialect's format.
    fn error(self, status: u16, message: &str) -> Reply {
        let body = match self {
            Self::Chat | Self::Responses => json!({"error": {"message": message,
                "type": openai_kind(status), "param": null, "code": null}}),
            Self::Messages => json!({"type": "error", "request_id": "req_provider",
                "error": {"type": messages::error_kind(status), "message": message}}),
            Self::Gemini => json!({"error": {"code": status, "message": message,
                "status": gemini::error_status(status)}}),
            Self::Ollama => json!({"error": message}),
        };
        let reply = Reply::json(status, &body);
        // One hour: a client must never be made to wait that long.
        if status == 429 { reply.header("retry-after", "3600") } else { reply }
    }
}

fn openai_kind(status: u16) -> &'static str {
    match status {
        429 => "rate_limit_exceeded",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn models(speaks: Speaks, path: &str) -> Reply {
    let each = |make: fn(&str) -> Value| PROVIDER_MODELS.map(make);
    let body = match speaks {
        Speaks::Chat | Speaks::Responses => json!({"object": "list", "data": each(|name|
            json!({"id": name, "object": "model", "created": 1, "owned_by": "provider"}))}),
        Speaks::Messages => json!({"has_more": false, "first_id": "echo", "last_id": "think",
            "data": each(|name| json!({"type": "model", "id": name, "display_name": name,
                "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active"}))}),
        Speaks::Gemini => json!({"models": each(|name| json!({"name": format!("models/{name}"),
            "displayName": name, "supportedGenerationMethods": ["generateContent"]}))}),
        Speaks::Ollama if path == "/api/version" => json!({"version": "0.30.0"}),
        Speaks::Ollama => json!({"models": each(|name| json!({"name": name, "model": name}))}),
    };
    Reply::json(200, &body)
}
