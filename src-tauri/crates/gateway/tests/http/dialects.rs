//! The fault pack for clients of every dialect: the first backend fails in the most telling ways,
//! the second is healthy, and no client notices.

use std::sync::Arc;
use std::time::Duration;

use ledger::RequestState;
use serde_json::Value;
use test_support::{BodyEnd, RawAnswer, RawClient, Reply, ReplyEnding, ScriptedUpstream};

use crate::bench::{TOOLS, Tool, Want, each};
use crate::pair::{At, Pair, WELL, endpoint, limits};
use crate::world::network;

/// A way to fail, and the delivery asked for: streams and whole answers break differently.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Refused,
    Status(u16),
    RateLimited,
    Stalled,
    Cut,
    Garbage,
    Empty,
    ErrorFirst,
}

const FAULTS: [Fault; 9] = [
    Fault::Refused,
    Fault::Status(500),
    Fault::Status(503),
    Fault::Status(401),
    Fault::RateLimited,
    Fault::Cut,
    Fault::Garbage,
    Fault::Empty,
    Fault::ErrorFirst,
];

impl Fault {
    async fn at(self, want: Want) -> At {
        let whole = |body: &str| Reply::body(200, "application/json", body.to_owned());
        let begun = || WELL.events().into_iter().take(1);
        let error = r#"{"error":{"message":"busy","type":"overloaded_error"}}"#;
        At::Replying(match (self, want) {
            (Self::Refused, _) => {
                let gone = ScriptedUpstream::start([]).await.expect("an upstream");
                return At::Url(gone.base_url());
            }
            (Self::Status(status), _) => Reply::error(status, "x", "oh"),
            (Self::RateLimited, _) => Reply::rate_limited(7),
            (Self::Stalled, Want::Stream) => Reply::sse(begun()).ending(ReplyEnding::Stall),
            (Self::Stalled, Want::Whole) => Reply::silence(),
            (Self::Cut, Want::Stream) => Reply::sse(begun()).ending(ReplyEnding::Close),
            (Self::Cut, Want::Whole) => {
                whole(r#"{"choices":["#).claiming_length(99).ending(ReplyEnding::Close)
            }
            (Self::Garbage, Want::Stream) => Reply::sse(["data: }{\n\n"]),
            (Self::Garbage, Want::Whole) => whole("}{"),
            (Self::Empty, Want::Stream) => Reply::sse([""; 0]),
            (Self::Empty, Want::Whole) => whole(""),
            (Self::ErrorFirst, Want::Stream) => Reply::sse([format!("data: {error}\n\n")]),
            (Self::ErrorFirst, Want::Whole) => whole(error),
        })
    }
}

impl Pair {
    /// The answer for a client of a dialect, with the first backend's state reset.
    async fn ask_as(&self, tool: Tool, want: Want) -> RawAnswer {
        self.world.registry.reset(&endpoint("one"));
        self.send_as(tool, want).await
    }

    async fn send_as(&self, tool: Tool, want: Want) -> RawAnswer {
        let mut client = RawClient::connect(self.world.address).await.expect("connected");
        let (host, bearer) = (self.world.host(), self.world.bearer());
        let headers = [host.as_str(), &bearer, "content-type: application/json"];
        let line = format!("POST {} HTTP/1.1", tool.path("gpt", want));
        let body = tool.body("gpt", want).to_string();
        client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
        client.read_answer().await.expect("an answer")
    }
}

/// The text of a whole answer, checked to be complete in the client's dialect.
fn whole_text(tool: Tool, answer: &RawAnswer, name: &str) -> String {
    let body = answer.json();
    let (end, says_so, text) = match tool {
        Tool::Chat => {
            let choice = &body["choices"][0];
            (&choice["finish_reason"], "stop", &choice["message"]["content"])
        }
        Tool::Responses => (&body["status"], "completed", &body["output"][0]["content"][0]["text"]),
        Tool::Messages => (&body["stop_reason"], "end_turn", &body["content"][0]["text"]),
        Tool::Gemini | Tool::GeminiArray => {
            let candidate = &body["candidates"][0];
            (&candidate["finishReason"], "STOP", &candidate["content"]["parts"][0]["text"])
        }
    };
    assert_eq!(end, says_so, "{name}: {body}");
    assert!(body.get("error").is_none_or(Value::is_null), "{name}: {body}");
    text.as_str().unwrap_or_default().to_owned()
}

/// Asks with every client while the first backend fails this way.
async fn check(fault: Fault, want: Want, pair: &Pair) {
    each(TOOLS, async |tool, name| {
        let name = format!("{fault:?}, {want:?}, {name}");
        let answer = pair.ask_as(tool, want).await;
        assert_eq!(
            (answer.status, answer.end),
            (200, BodyEnd::Complete),
            "{name}: {}",
            answer.text()
        );
        let text = match want {
            Want::Stream => {
                tool.assert_whole(&answer, &name);
                tool.text(&answer)
            }
            Want::Whole => whole_text(tool, &answer, &name),
        };
        assert_eq!(text, "all is well", "{name}: {}", answer.text());
        assert_eq!(answer.header("x-gatehouse-backend"), Some("two"), "{name}");
        let (row, attempts) = pair.world.row(&answer).await;
        assert_eq!((row.state, attempts.len()), (RequestState::Complete, 2), "{name}");
        assert!(attempts[0].class.is_some() && attempts[1].class.is_none(), "{name}: {attempts:?}");
    })
    .await;
}

async fn check_both(fault: Fault, limits: crate::world::Limits) {
    for want in [Want::Stream, Want::Whole] {
        let at = fault.at(want).await;
        let reached = if matches!(at, At::Url(_)) { 0 } else { TOOLS.len() };
        let pair = Pair::of(at, limits.clone()).await;
        check(fault, want, &pair).await;
        assert_eq!(pair.calls(), (reached, TOOLS.len()), "{fault:?}, {want:?}");
    }
}

#[tokio::test]
async fn no_client_of_any_dialect_notices_a_failed_first_backend() {
    let network = network();
    for fault in FAULTS {
        check_both(fault, limits(Arc::clone(&network))).await;
    }
}

#[tokio::test]
async fn no_client_of_any_dialect_notices_a_stalled_first_backend() {
    let mut short = limits(network());
    short.request.first_token_timeout = Duration::from_millis(700);
    // A whole answer may take half of the time left, since another backend is there.
    short.request.total_timeout = Duration::from_secs(2);
    check_both(Fault::Stalled, short).await;
}

/// Each dialect's status for a rejected key of ours: the one that stops its tools soonest
/// (`wire::error_status`).
fn backend_key_status(tool: Tool) -> u16 {
    match tool {
        Tool::Chat | Tool::Gemini | Tool::GeminiArray => 403,
        Tool::Responses => 400,
        Tool::Messages => 424,
    }
}

#[tokio::test]
async fn a_rejected_key_of_ours_ends_every_client_and_clears_its_token() {
    let network = network();
    let rejects = || Reply::error(401, "invalid_api_key", "Incorrect API key provided");
    let alone = Pair::alone(At::Replying(rejects()), limits(Arc::clone(&network))).await;
    let two = crate::pair::always(rejects()).await;
    let both = Pair::over(At::Replying(rejects()), two, &["one", "two"], limits(network)).await;
    for pair in [&alone, &both] {
        each(TOOLS, async |tool, name| {
            pair.world.registry.reset(&endpoint("one"));
            pair.world.registry.reset(&endpoint("two"));
            // The first gets the backend's error, the next that its key is no longer used.
            for place in ["rejected", "blocked"] {
                let answer = pair.send_as(tool, Want::Whole).await;
                let text = answer.text();
                let name = format!("{name}, {place}: {text}");
                assert_eq!(answer.status, backend_key_status(tool), "{name}");
                assert_eq!(answer.header("x-should-retry"), Some("false"), "{name}");
                assert!(text.contains("rejected its key"), "{name}");
                assert!(text.contains("local token is fine"), "{name}");
                for blame in ["authentication_error", "UNAUTHENTICATED", "invalid_api_key"] {
                    assert!(!text.contains(blame), "{name}");
                }
                if matches!(tool, Tool::Chat | Tool::Responses) {
                    assert_eq!(answer.json()["error"]["code"], "backend_key_rejected", "{name}");
                }
            }
        })
        .await;
    }
}
