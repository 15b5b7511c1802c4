//! A mock provider for each dialect on loopback, as strict as the real ones: it refuses requests
//! that the vendor's own SDK would not send, and keys in another dialect's header.
//!
//! It does not use the crate `wire`, so that both cannot share a misreading: it judges the
//! translations, which the program's own mock cannot, since that speaks through `wire`. Its answers depend on
//! the request alone: see [`MockProvider`].

mod chat;
mod embeddings;
mod gemini;
mod messages;
mod ollama;
mod responses;
mod scripted_answer;
mod strict_object;

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::reply::{Reply, ReplyEnding};
use crate::upstream::{ReceivedRequest, ScriptedUpstream};
use scripted_answer::{ParsedPrompt, ScriptedAnswer};
use strict_object::ParseResult;

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
/// a sentence and calls tools in one turn, and every other name echoes the user's last text.
/// `fault-NNN` fails with that status. In the middle of a stream, `fault-cut` breaks the connection,
/// `fault-no-end` ends the body, `fault-truncated-json` does so within an event, and
/// `fault-error-event` sends the dialect's error; `fault-no-done` leaves out what follows the finish
/// reason. A name that begins with `gemini-3` signs the first call of a turn at Gemini. A tool whose name occurs in that text is called, with the last word
/// in its string arguments; structured output is filled the same way.
#[derive(Debug)]
pub struct MockProvider {
    upstream: ScriptedUpstream,
    refusals: Arc<Mutex<Vec<String>>>,
}

/// An answer that [`MockProvider::answer_post`] made in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    pub status: u16,
    /// One event of a stream each, or the whole body.
    pub pieces: Vec<Bytes>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProviderProtocol {
    Chat,
    Responses,
    Messages,
    Gemini,
    Ollama,
}

/// A text generation request, parsed.
#[derive(Debug)]
pub(crate) struct ProviderRequest {
    question: ParsedPrompt,
    delivery: AnswerDelivery,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AnswerDelivery {
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
        let upstream = ScriptedUpstream::start_with(move |request| {
            Some(answer_request(request).unwrap_or_else(|refused| {
                let (_, status, reason) = &refused;
                let line = format!("{} {}: {status}: {reason}", request.method, request.path);
                noted.lock().push(line);
                refusal_reply(&refused)
            }))
        });
        Ok(Self { upstream: upstream.await?, refusals })
    }

    /// Answers a `POST` to `path` (with its query) in memory. The key and the version are given as
    /// the dialect of the path wants them.
    #[must_use]
    pub fn answer_post(path: &str, body: Bytes) -> ProviderAnswer {
        let mut request = ReceivedRequest {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: Vec::new(),
            body,
            connection: 0,
        };
        let route = path.split('?').next().unwrap_or_default();
        let speaks = ProviderProtocol::of_path(route, &request);
        let mut add = |name: &str, value: String| request.headers.push((name.to_owned(), value));
        match speaks {
            ProviderProtocol::Messages => {
                add("x-api-key", PROVIDER_KEY.to_owned());
                add("anthropic-version", "2023-06-01".to_owned());
            }
            ProviderProtocol::Gemini => add("x-goog-api-key", PROVIDER_KEY.to_owned()),
            _ => add("authorization", format!("Bearer {PROVIDER_KEY}")),
        }
        let reply = answer_request(&request).unwrap_or_else(|refused| refusal_reply(&refused));
        let status = reply.head.map_or(0, |head| head.status);
        ProviderAnswer { status, pieces: reply.pieces }
    }

    /// The root URL, `http://127.0.0.1:PORT`, without a version.
    #[must_use]
    pub fn root(&self) -> String {
        format!("http://{}", self.upstream.addr())
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.upstream.requests()
    }

    /// The requests refused for their form or key, with the reason, in order of arrival.
    #[must_use]
    pub fn refusals(&self) -> Vec<String> {
        self.refusals.lock().clone()
    }
}

type ProviderRefusal = (ProviderProtocol, u16, String);

fn refusal_reply((speaks, status, reason): &ProviderRefusal) -> Reply {
    speaks.error_reply(*status, reason)
}

fn answer_request(request: &ReceivedRequest) -> Result<Reply, ProviderRefusal> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let speaks = ProviderProtocol::of_path(path, request);
    speaks.check_key(request, query).map_err(|why| (speaks, 401, why))?;
    let bad = |why| (speaks, 400, why);
    if request.method == "GET" {
        return Ok(models_reply(speaks, path));
    }
    let body = request.json();
    let asked = match (speaks, path.rsplit('/').next().unwrap_or_default()) {
        (ProviderProtocol::Chat, "completions") => chat::read(&body),
        (ProviderProtocol::Responses, "responses") => responses::read(&body),
        (ProviderProtocol::Messages, "messages") => messages::read(&body, request),
        (ProviderProtocol::Messages, "count_tokens") => {
            return messages::count_tokens(&body, request).map_err(bad);
        }
        (ProviderProtocol::Ollama, "chat") => ollama::read(&body),
        (ProviderProtocol::Chat, "embeddings") => return embeddings::openai(&body).map_err(bad),
        (ProviderProtocol::Ollama, "embed") => return embeddings::ollama(&body).map_err(bad),
        (ProviderProtocol::Gemini, method) => {
            match gemini::handle_method(method, query, &body).map_err(bad)? {
                gemini::MethodOutcome::Asked(asked) => Ok(*asked),
                gemini::MethodOutcome::Answered(reply) => return Ok(reply),
            }
        }
        _ => return Err((speaks, 404, format!("there is no {path}"))),
    };
    let asked = asked.map_err(bad)?;
    if let Some(status) = asked.question.fault_status() {
        return Ok(speaks.error_reply(status, "the scripted fault"));
    }
    Ok(encode_answer(speaks, &asked))
}

fn encode_answer(speaks: ProviderProtocol, asked: &ProviderRequest) -> Reply {
    let ProviderRequest { question, delivery } = asked;
    let speech = ScriptedAnswer::of(question);
    if *delivery == AnswerDelivery::Whole {
        let body = match speaks {
            ProviderProtocol::Chat => chat::whole_answer(question, &speech),
            ProviderProtocol::Responses => responses::whole_answer(question, &speech),
            ProviderProtocol::Messages => messages::whole_answer(question, &speech),
            ProviderProtocol::Gemini => gemini::whole_answer(question, &speech),
            ProviderProtocol::Ollama => ollama::whole_answer(question, &speech),
        };
        return Reply::json(200, &body);
    }
    let mut events = match speaks {
        ProviderProtocol::Chat => chat::stream_events(question, &speech, *delivery),
        ProviderProtocol::Responses => responses::stream_events(question, &speech),
        ProviderProtocol::Messages => messages::stream_events(question, &speech),
        ProviderProtocol::Gemini => gemini::stream_events(question, &speech, *delivery),
        ProviderProtocol::Ollama => ollama::stream_events(question, &speech),
    };
    let ending = match question.model.as_str() {
        "fault-cut" => ReplyEnding::Close,
        _ => ReplyEnding::Complete,
    };
    break_stream(speaks, &question.model, &mut events);
    match (speaks, delivery) {
        (ProviderProtocol::Ollama, _) => {
            Reply::chunked_stream("application/x-ndjson", events).ending(ending)
        }
        (_, AnswerDelivery::Array) => {
            Reply::chunked_stream("application/json", events).ending(ending)
        }
        _ => Reply::sse(events).ending(ending),
    }
}

/// Applies the fault that the model name selects.
fn break_stream(speaks: ProviderProtocol, model: &str, events: &mut Vec<String>) {
    // Enough for some text in every dialect, and before any terminator.
    let middle = events.len() / 2 + 1;
    match model {
        "fault-cut" | "fault-no-end" => events.truncate(middle),
        "fault-truncated-json" => {
            events.truncate(middle);
            if let Some(last) = events.last_mut() {
                last.truncate(last.len() / 2);
            }
        }
        "fault-error-event" => {
            events.truncate(middle);
            events.push(speaks.error_event(events.len()));
        }
        "fault-no-done"
            if matches!(speaks, ProviderProtocol::Chat | ProviderProtocol::Messages) =>
        {
            events.pop();
        }
        _ => {}
    }
}

impl ProviderProtocol {
    /// The protocol of a path. Three protocols share `/v1/models`; there the headers decide.
    fn of_path(path: &str, request: &ReceivedRequest) -> Self {
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

    fn check_key(self, request: &ReceivedRequest, query: &str) -> ParseResult<()> {
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

    /// An error in mid-stream, as event number `number`.
    fn error_event(self, number: usize) -> String {
        let message = "the scripted fault";
        let body = self.error_body(500, message);
        match self {
            Self::Chat => format!("data: {body}\n\n"),
            Self::Gemini => format!("data: {body}\r\n\r\n"),
            Self::Messages => format!("event: error\ndata: {body}\n\n"),
            Self::Responses => {
                let body = json!({"type": "error", "code": "server_error", "message": message,
                    "param": null, "sequence_number": number});
                format!("event: error\ndata: {body}\n\n")
            }
            Self::Ollama => format!("{body}\n"),
        }
    }

    fn error_reply(self, status: u16, message: &str) -> Reply {
        let reply = Reply::json(status, &self.error_body(status, message));
        // One hour: a client must never be made to wait that long.
        if status == 429 { reply.header("retry-after", "3600") } else { reply }
    }

    /// An error in the dialect's format.
    fn error_body(self, status: u16, message: &str) -> Value {
        match self {
            Self::Chat | Self::Responses => json!({"error": {"message": message,
                "type": openai_error_type(status), "param": null, "code": null}}),
            Self::Messages => json!({"type": "error", "request_id": "req_provider",
                "error": {"type": messages::error_type(status), "message": message}}),
            Self::Gemini => json!({"error": {"code": status, "message": message,
                "status": gemini::error_status(status)}}),
            Self::Ollama => json!({"error": message}),
        }
    }
}

fn openai_error_type(status: u16) -> &'static str {
    match status {
        429 => "rate_limit_exceeded",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn models_reply(speaks: ProviderProtocol, path: &str) -> Reply {
    let each = |make: fn(&str) -> Value| PROVIDER_MODELS.map(make);
    let body = match speaks {
        ProviderProtocol::Chat | ProviderProtocol::Responses => {
            json!({"object": "list", "data": each(|name|
            json!({"id": name, "object": "model", "created": 1, "owned_by": "provider"}))})
        }
        ProviderProtocol::Messages => {
            json!({"has_more": false, "first_id": "echo", "last_id": "think",
            "data": each(|name| json!({"type": "model", "id": name, "display_name": name,
                "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active"}))})
        }
        ProviderProtocol::Gemini => {
            json!({"models": each(|name| json!({"name": format!("models/{name}"),
            "displayName": name, "supportedGenerationMethods": ["generateContent"]}))})
        }
        ProviderProtocol::Ollama if path == "/api/version" => json!({"version": "0.30.0"}),
        ProviderProtocol::Ollama => {
            json!({"models": each(|name| json!({"name": name, "model": name}))})
        }
    };
    Reply::json(200, &body)
}
