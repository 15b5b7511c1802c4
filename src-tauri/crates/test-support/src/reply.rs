//! Replies of the scripted upstream, valid and faulty.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::http::BodyFraming;
use crate::upstream::ReceivedRequest;

/// A scripted reply to one request.
///
/// Built from one of the constructors below and changed by the methods that take `self`:
/// `Reply::sse(["data: {…}\n\n"]).pause_each(ms).ending(Ending::Reset)`.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(crate) wait: Duration,
    pub(crate) head: Option<ReplyHead>,
    pub(crate) pieces: Vec<Bytes>,
    pub(crate) pause: Duration,
    pub(crate) ending: ReplyEnding,
}

/// How a reply ends after its last piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyEnding {
    /// As HTTP requires: the whole length, or the zero chunk. The connection stays open.
    Complete,
    /// The connection is closed; a chunked body has no zero chunk.
    Close,
    /// The connection is reset (`SO_LINGER` 0). The peer may lose what it has not read yet.
    Reset,
    /// Nothing more is sent; the connection stays open until the peer closes it.
    Stall,
}

/// The text of a chat answer, for [`Reply::chat`] and [`Reply::chat_stream`].
#[derive(Debug, Clone)]
pub struct ChatText<'a> {
    /// The model named in the answer.
    pub model: &'a str,
    /// The text, one item per delta.
    pub deltas: &'a [&'a str],
    /// Prompt and completion tokens, if the answer reports usage.
    pub usage: Option<(u64, u64)>,
}

#[derive(Debug, Clone)]
pub(crate) struct ReplyHead {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) framing: ReplyFraming,
}

/// How the body of a reply is delimited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyFraming {
    /// By the total length of the pieces.
    Length,
    /// By this length, which may differ from the pieces.
    Claimed(usize),
    Chunked,
}

impl Reply {
    /// A whole body of any type.
    #[must_use]
    pub fn body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let head = ReplyHead {
            status,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            framing: ReplyFraming::Length,
        };
        Self {
            wait: Duration::ZERO,
            head: Some(head),
            pieces: vec![body.into()],
            pause: Duration::ZERO,
            ending: ReplyEnding::Complete,
        }
    }

    #[must_use]
    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::body(status, "application/json", body.to_string())
    }

    /// A stream with status 200: each item is one write and one HTTP chunk, unchanged. Nothing is
    /// added, so a stream without `[DONE]` has none.
    #[must_use]
    pub fn sse<T: Into<Bytes>>(pieces: impl IntoIterator<Item = T>) -> Self {
        let mut reply = Self::body(200, "text/event-stream", Bytes::new());
        reply.pieces = pieces.into_iter().map(Into::into).collect();
        reply.chunked()
    }

    /// A stream of another content type than SSE: each item is one write and one HTTP chunk.
    #[must_use]
    pub fn chunked_stream(content_type: &str, pieces: Vec<String>) -> Self {
        let mut reply = Self::body(200, content_type, Bytes::new());
        reply.pieces = pieces.into_iter().map(Into::into).collect();
        reply.chunked()
    }

    /// A whole chat answer.
    #[must_use]
    pub fn chat(text: &ChatText<'_>) -> Self {
        let mut answer = json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": text.model,
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": text.deltas.concat()}}],
        });
        if let (Some(usage), Some(members)) = (text.usage(), answer.as_object_mut()) {
            members.insert("usage".to_owned(), usage);
        }
        Self::json(200, &answer)
    }

    /// A complete chat stream: role, deltas, finish reason, usage chunk if there is usage,
    /// `[DONE]`.
    #[must_use]
    pub fn chat_stream(text: &ChatText<'_>) -> Self {
        Self::sse(text.events())
    }

    /// An error in OpenAI's format.
    #[must_use]
    pub fn error(status: u16, kind: &str, message: &str) -> Self {
        let body =
            json!({"error": {"message": message, "type": kind, "param": null, "code": null}});
        Self::json(status, &body)
    }

    /// 429 with `retry-after` in seconds.
    #[must_use]
    pub fn rate_limited(retry_after_s: u32) -> Self {
        Self::error(429, "rate_limit_error", "slow down")
            .header("retry-after", &retry_after_s.to_string())
    }

    /// A web page, as captive portals and proxies send it.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::body(status, "text/html; charset=utf-8", "<!DOCTYPE html><html><p>Sign in</p></html>")
    }

    /// A gzip body, although the request did not ask for one.
    #[must_use]
    pub fn gzip(content_type: &str, body: &[u8]) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        let packed = encoder.write_all(body).and_then(|()| encoder.finish());
        // Writing to memory cannot fail; an empty body would fail the test at once.
        Self::body(200, content_type, packed.unwrap_or_default()).header("content-encoding", "gzip")
    }

    /// 302 to the same path at another address, which must not receive the key.
    #[must_use]
    pub fn redirect(to: SocketAddr) -> Self {
        Self::body(302, "text/plain", "")
            .header("location", &format!("http://{to}/v1/chat/completions"))
    }

    #[must_use]
    pub fn models(names: &[&str]) -> Self {
        let entry =
            |name: &&str| json!({"id": name, "object": "model", "created": 1, "owned_by": "x"});
        let data: Vec<_> = names.iter().map(entry).collect();
        Self::json(200, &json!({"object": "list", "data": data}))
    }

    /// A JSON answer that breaks off in the middle; its content length matches.
    #[must_use]
    pub fn truncated_json() -> Self {
        let body = r#"{"id":"chatcmpl-1","object":"chat.completion","choices":[{"index":0,"mess"#;
        Self::body(200, "application/json", body)
    }

    /// A stream of one endless line of this many bytes, sent in pieces of 64 KiB.
    #[must_use]
    pub fn huge_line(bytes: usize) -> Self {
        let piece = Bytes::from(vec![b'x'; 65_536]);
        let whole = (0..bytes / piece.len()).map(|_| piece.clone());
        let rest = piece.slice(..bytes % piece.len());
        let begin = Bytes::from_static(b"data: ");
        Self::sse(std::iter::once(begin).chain(whole).chain([rest]))
    }

    /// 401 whose message repeats the received key, as some servers do.
    #[must_use]
    pub fn echo_key(received: &ReceivedRequest) -> Self {
        let key = received.authorization().unwrap_or("no key at all");
        Self::error(401, "invalid_request_error", &format!("Incorrect API key provided: {key}."))
    }

    /// Sends nothing, then resets the connection.
    #[must_use]
    pub fn reset_before_head() -> Self {
        Self::no_head(ReplyEnding::Reset)
    }

    /// Sends nothing and keeps the connection open.
    #[must_use]
    pub fn silence() -> Self {
        Self::no_head(ReplyEnding::Stall)
    }

    /// Sends raw bytes, head included.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self { pieces: vec![bytes.into()], ..Self::no_head(ReplyEnding::Close) }
    }

    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        if let Some(head) = &mut self.head {
            head.headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        if let Some(head) = &mut self.head {
            head.status = status;
        }
        self
    }

    /// Sends the body chunked instead of with a length.
    #[must_use]
    pub fn chunked(mut self) -> Self {
        if let Some(head) = &mut self.head {
            head.framing = ReplyFraming::Chunked;
        }
        self
    }

    /// Sends this `content-length`, which may differ from the body.
    #[must_use]
    pub fn claiming_length(mut self, bytes: usize) -> Self {
        if let Some(head) = &mut self.head {
            head.framing = ReplyFraming::Claimed(bytes);
        }
        self
    }

    /// Waits before the first byte.
    #[must_use]
    pub const fn delay_first(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Waits before each piece of the body.
    #[must_use]
    pub const fn delay_each(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Splits the body into pieces of one byte (F16).
    #[must_use]
    pub fn trickled(mut self) -> Self {
        let all: Vec<u8> = self.pieces.concat();
        self.pieces = all.into_iter().map(|byte| Bytes::copy_from_slice(&[byte])).collect();
        self
    }

    #[must_use]
    pub const fn ending(mut self, ending: ReplyEnding) -> Self {
        self.ending = ending;
        self
    }

    const fn no_head(ending: ReplyEnding) -> Self {
        Self { wait: Duration::ZERO, head: None, pieces: Vec::new(), pause: Duration::ZERO, ending }
    }

    /// The encoded head, and the framing of the body after it.
    pub(crate) fn head_bytes(&self) -> Option<(Bytes, BodyFraming)> {
        let head = self.head.as_ref()?;
        let length = match head.framing {
            ReplyFraming::Length => Some(self.pieces.iter().map(Bytes::len).sum()),
            ReplyFraming::Claimed(length) => Some(length),
            ReplyFraming::Chunked => None,
        };
        let mut text = BytesMut::from(format!("HTTP/1.1 {} Scripted\r\n", head.status).as_bytes());
        for (name, value) in &head.headers {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        let (delimiter, framing) = match length {
            Some(length) => {
                (format!("content-length: {length}\r\n\r\n"), BodyFraming::Length(length))
            }
            None => ("transfer-encoding: chunked\r\n\r\n".to_owned(), BodyFraming::Chunked),
        };
        text.extend_from_slice(delimiter.as_bytes());
        Some((text.freeze(), framing))
    }
}

impl ChatText<'_> {
    /// The events of a complete stream, one per delta.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let event = |choices: serde_json::Value| {
            let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
                "model": self.model, "choices": choices});
            format!("data: {chunk}\n\n")
        };
        let delta = |delta: serde_json::Value, finish_reason: Option<&str>| {
            event(json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]))
        };
        let mut events = vec![delta(json!({"role": "assistant", "content": ""}), None)];
        events.extend(self.deltas.iter().map(|text| delta(json!({"content": text}), None)));
        events.push(delta(json!({}), Some("stop")));
        if let Some(usage) = self.usage() {
            let chunk = json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1,
                "model": self.model, "choices": [], "usage": usage});
            events.push(format!("data: {chunk}\n\n"));
        }
        events.push("data: [DONE]\n\n".to_owned());
        events
    }

    fn usage(&self) -> Option<serde_json::Value> {
        let (prompt, completion) = self.usage?;
        Some(json!({"prompt_tokens": prompt, "completion_tokens": completion,
            "total_tokens": prompt + completion}))
    }
}
