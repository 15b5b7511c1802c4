//! Runs clients of every dialect before the gateway and backends of every dialect behind it, in one
//! world.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use parking_lot::Mutex;
use serde_json::{Value, json};
use test_support::{BodyEnd, RawAnswer, RawClient, Reply, ScriptedUpstream};

use crate::world::{Limits, World, world_with};

/// A client's dialect and how it asks for streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Chat,
    Responses,
    Messages,
    Gemini,
    GeminiArray,
}

/// The delivery that the request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    Stream,
    Whole,
}

/// A backend's dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    Chat,
    Responses,
    Messages,
    Gemini,
    Ollama,
}

pub(crate) const TOOLS: [Tool; 5] =
    [Tool::Chat, Tool::Responses, Tool::Messages, Tool::Gemini, Tool::GeminiArray];

pub(crate) const SERVERS: [Server; 5] =
    [Server::Chat, Server::Responses, Server::Messages, Server::Gemini, Server::Ollama];

/// Each client with a backend of its own dialect.
pub(crate) const SAME: [(Tool, Server); 5] = [
    (Tool::Chat, Server::Chat),
    (Tool::Responses, Server::Responses),
    (Tool::Messages, Server::Messages),
    (Tool::Gemini, Server::Gemini),
    (Tool::GeminiArray, Server::Gemini),
];

/// Every client with every backend. Chat clients of OpenAI itself are served over Chat, so that
/// pair does not cross to Responses.
pub(crate) fn pairs() -> impl Iterator<Item = (Tool, Server)> {
    let all = TOOLS.into_iter().flat_map(|tool| SERVERS.map(|server| (tool, server)));
    all.filter(|pair| *pair != (Tool::Chat, Server::Responses))
}

/// Runs a check for each of `cases`, and fails with the names of all that failed.
pub(crate) async fn each<C: std::fmt::Debug + Copy>(
    cases: impl IntoIterator<Item = C>,
    check: impl AsyncFn(C, &str),
) {
    let mut failed = Vec::new();
    for case in cases {
        let name = format!("{case:?}");
        if AssertUnwindSafe(check(case, &name)).catch_unwind().await.is_err() {
            failed.push(name);
        }
    }
    assert!(failed.is_empty(), "failed for {failed:?}");
}

impl Tool {
    pub(crate) fn path(self, model: &str, want: Want) -> String {
        let gemini = |method: &str| format!("/v1beta/models/{model}:{method}");
        match (self, want) {
            (Self::Chat, _) => "/v1/chat/completions".to_owned(),
            (Self::Responses, _) => "/v1/responses".to_owned(),
            (Self::Messages, _) => "/v1/messages".to_owned(),
            (_, Want::Whole) => gemini("generateContent"),
            (Self::Gemini, Want::Stream) => gemini("streamGenerateContent?alt=sse"),
            (Self::GeminiArray, Want::Stream) => gemini("streamGenerateContent"),
        }
    }

    pub(crate) fn body(self, model: &str, want: Want) -> Value {
        let mut body = match self {
            Self::Chat => json!({"messages": [{"role": "user", "content": "hi"}]}),
            Self::Responses => json!({"input": "hi"}),
            Self::Messages => {
                json!({"max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]})
            }
            Self::Gemini | Self::GeminiArray => {
                return json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]});
            }
        };
        body["model"] = model.into();
        if want == Want::Stream {
            body["stream"] = true.into();
        }
        body
    }

    /// True if the client and the backend share a dialect.
    pub(crate) fn speaks(self, server: Server) -> bool {
        match self {
            Self::Chat => server == Server::Chat,
            Self::Responses => server == Server::Responses,
            Self::Messages => server == Server::Messages,
            Self::Gemini | Self::GeminiArray => server == Server::Gemini,
        }
    }

    /// The type, message and field of an error body.
    pub(crate) fn error(self, body: &Value) -> (String, String) {
        let error = &body["error"];
        let word = match self {
            Self::Chat | Self::Responses | Self::Messages => &error["type"],
            Self::Gemini | Self::GeminiArray => &error["status"],
        };
        if self == Self::Messages {
            assert_eq!(body["type"], "error", "{body}");
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(word), text(&error["message"]))
    }

    /// The texts of a stream's deltas.
    pub(crate) fn text(self, answer: &RawAnswer) -> String {
        let texts = self.values(answer).into_iter().filter_map(|value| {
            let text = match self {
                Self::Chat => &value["choices"][0]["delta"]["content"],
                Self::Responses if value["type"] != "response.output_text.delta" => return None,
                Self::Responses => &value["delta"],
                Self::Messages => &value["delta"]["text"],
                Self::Gemini | Self::GeminiArray => {
                    &value["candidates"][0]["content"]["parts"][0]["text"]
                }
            };
            text.as_str().map(str::to_owned)
        });
        texts.collect()
    }

    /// Every event's data, `[DONE]` as a string.
    pub(crate) fn values(self, answer: &RawAnswer) -> Vec<Value> {
        if self == Self::GeminiArray {
            let whole: Vec<Value> = serde_json::from_slice(&answer.body)
                .unwrap_or_else(|e| panic!("{e}: {}", answer.text()));
            return whole;
        }
        let text = answer.text().replace("\r\n", "\n").replace('\r', "\n");
        let text = text.trim_start_matches('\u{feff}');
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let read =
            |data: &str| serde_json::from_str(data.trim()).unwrap_or_else(|_| data.trim().into());
        data.map(read).collect()
    }

    /// Asserts that a stream ended with this dialect's error event; returns its message.
    pub(crate) fn assert_broken(self, answer: &RawAnswer, name: &str) -> String {
        let text = answer.text();
        let shown = format!("{name}: {:?} {text}", answer.end);
        let values = self.values(answer);
        let last = values.last().expect(&shown);
        // A cut would take the error event from clients that have not read it yet.
        assert_eq!(answer.end, BodyEnd::Complete, "{shown}");
        let message = match self {
            Self::Chat => {
                assert!(text.ends_with("}\n\n") && !text.contains("[DONE]"), "{shown}");
                assert!(last["error"]["type"].is_string(), "{shown}");
                &last["error"]["message"]
            }
            Self::Messages => {
                let head = text.lines().rev().nth(2).unwrap_or_default();
                assert_eq!((head, &last["type"]), ("event: error", &"error".into()), "{shown}");
                assert!(!text.contains("message_stop"), "{shown}");
                assert!(last["error"]["type"].is_string(), "{shown}");
                &last["error"]["message"]
            }
            Self::Responses => {
                let failed = &values[values.len() - 2];
                assert_eq!(failed["type"], "response.failed", "{shown}");
                assert_eq!(failed["response"]["status"], "failed", "{shown}");
                assert_eq!(last["type"], "error", "{shown}");
                // The SDKs raise at this member; Codex shows the message of the other event.
                assert!(last["error"].is_object(), "{shown}");
                assert_eq!(last["error"]["message"], last["message"], "{shown}");
                assert_eq!(last["message"], failed["response"]["error"]["message"], "{shown}");
                assert!(!text.contains("response.completed"), "{shown}");
                let number = |value: &Value| value["sequence_number"].as_u64();
                let before = values.iter().take(values.len() - 2).filter_map(number).max();
                assert!(number(failed) > before, "{shown}");
                assert!(number(last) > number(failed), "{shown}");
                &last["error"]["message"]
            }
            Self::Gemini | Self::GeminiArray => {
                assert!(last["error"]["code"].is_u64(), "{shown}");
                assert!(last["error"]["status"].is_string(), "{shown}");
                if self == Self::Gemini {
                    // What Google's older SDKs raise: the error again, not as an event.
                    let rest = text.rsplit_once("\r\n\r\n").map(|(_, rest)| rest);
                    let rest: Value = serde_json::from_str(rest.expect(&shown)).expect(&shown);
                    assert_eq!(&rest, last, "{shown}");
                }
                &last["error"]["message"]
            }
        };
        message.as_str().expect(&shown).to_owned()
    }

    /// Asserts that a stream ended like a complete answer.
    pub(crate) fn assert_whole(self, answer: &RawAnswer, name: &str) {
        let text = answer.text();
        let shown = format!("{name}: {:?} {text}", answer.end);
        assert_eq!((answer.status, answer.end), (200, BodyEnd::Complete), "{shown}");
        let values = self.values(answer);
        let last = values.last().expect(&shown);
        match self {
            Self::Chat => assert_eq!(last, "[DONE]", "{shown}"),
            Self::Responses => assert_eq!(last["type"], "response.completed", "{shown}"),
            Self::Messages => assert_eq!(last["type"], "message_stop", "{shown}"),
            Self::Gemini | Self::GeminiArray => {
                assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{shown}");
            }
        }
        assert!(!text.contains("\"error\":{"), "{shown}");
    }
}

/// One world for many requests.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) upstream: ScriptedUpstream,
    replies: Arc<Mutex<VecDeque<Reply>>>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default()).await
    }

    pub(crate) async fn with(limits: Limits) -> Self {
        let replies = Arc::new(Mutex::new(VecDeque::new()));
        let queue = Arc::clone(&replies);
        let upstream = ScriptedUpstream::start_with(move |_| queue.lock().pop_front());
        let upstream = upstream.await.expect("an upstream");
        let world = world_with(&upstream, limits).await;
        Self { world, upstream, replies }
    }

    /// The answer to `tool` when `server` gives this reply.
    pub(crate) async fn ask(
        &self,
        tool: Tool,
        want: Want,
        server: Server,
        reply: Reply,
    ) -> RawAnswer {
        let body = tool.body(server.model(), want).to_string();
        self.send(&tool.path(server.model(), want), body.as_bytes(), [reply]).await
    }

    /// Posts a body; the backends answer with `replies`.
    pub(crate) async fn send(
        &self,
        path: &str,
        body: &[u8],
        replies: impl IntoIterator<Item = Reply>,
    ) -> RawAnswer {
        self.replies.lock().extend(replies);
        self.begin(path, &[], body).await.read_answer().await.expect("an answer")
    }

    /// Posts a body with more headers and does not wait for the answer.
    pub(crate) async fn begin(&self, path: &str, more: &[&str], body: &[u8]) -> RawClient {
        self.world.forget();
        let mut client = RawClient::connect(self.world.address).await.expect("connected");
        let (host, bearer) = (self.world.host(), self.world.bearer());
        let mut headers = vec![host.as_str(), &bearer, "content-type: application/json"];
        headers.extend(more);
        client.send_request(&format!("POST {path} HTTP/1.1"), &headers, body).await.expect("sent");
        client
    }

    /// Adds replies for the backends.
    pub(crate) fn script(&self, reply: Reply) {
        self.replies.lock().push_back(reply);
    }
}
