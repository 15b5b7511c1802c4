//! Tests of the playground with a whole engine, its gateway and the built-in mock.

use std::path::PathBuf;
use std::time::Duration;

use control::view::*;
use control::{CoreEvents, ErrorCode, PanelEvent};
use playground::{
    PLAYGROUND_PROMPT_BYTES_MAX, PLAYGROUND_RUNS_AT_ONCE_MAX, PLAYGROUND_RUNS_KEPT_MAX,
};
use test_support::{
    ChatText, MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream, leak_encodings, search_tree,
};

use crate::world::{World, marked_key, refused, world};

/// How soon a cancelled run must have ended.
const CANCEL_MS_MAX: u64 = 100;

struct PlaygroundFixture {
    world: World,
    events: CoreEvents,
    /// Everything that was received, to be searched for secrets.
    received: Vec<String>,
}

async fn playground_fixture() -> PlaygroundFixture {
    let world = world().await;
    let events = CoreEvents::subscribe(&world.core).await.expect("events");
    PlaygroundFixture { world, events, received: Vec::new() }
}

/// Makes one field invalid.
type InvalidateField = fn(&mut PlaygroundSend);

fn is_running(run: &PlaygroundRunView) -> bool {
    run.is_running
}

fn ask(model: &str) -> PlaygroundSend {
    PlaygroundSend {
        model: model.to_owned(),
        system: None,
        prompt: "Say something about gates.".to_owned(),
        temperature: None,
        max_tokens: Some(40),
        effort: None,
        by_agent: false,
        client: None,
    }
}

impl PlaygroundFixture {
    async fn send(&self, model: &str) -> PlaygroundRunView {
        control::playground_send(&self.world.core, ask(model)).await.expect("sent")
    }

    async fn event(&mut self) -> PanelEvent {
        let event = self.events.next().await.expect("an event");
        self.received.push(serde_json::to_string(&event).expect("JSON"));
        event
    }

    /// Follows a run. Returns its text, the number of pieces and the run at its end.
    async fn follow(&mut self, run: &str) -> (String, usize, PlaygroundRunView) {
        let (mut text, mut pieces) = (String::new(), 0);
        loop {
            match self.event().await {
                PanelEvent::PlaygroundText { piece } if piece.run == run => {
                    assert_eq!(piece.text_at.0, text.encode_utf16().count() as u64);
                    text.push_str(&piece.text);
                    pieces += 1;
                }
                PanelEvent::PlaygroundRun { run: now } if now.id == run && !is_running(&now) => {
                    return (text, pieces, *now);
                }
                _ => {}
            }
        }
    }

    /// Waits for the first text of a run.
    async fn first_text(&mut self, run: &str) {
        loop {
            if let PanelEvent::PlaygroundText { piece } = self.event().await
                && piece.run == run
            {
                return;
            }
        }
    }

    async fn raw(&self, run: &str) -> PlaygroundRawExchangeView {
        let run = PlaygroundRef { run: run.to_owned() };
        control::playground_raw(&self.world.core, run).await.expect("kept")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_streamed_and_recorded() {
    let mut bench = playground_fixture().await;
    let begun = bench.send("mock/chat").await;
    assert_eq!(begun.state, PlaygroundState::Waiting);
    let (text, pieces, ended) = bench.follow(&begun.id).await;
    assert_eq!(ended.state, PlaygroundState::Complete, "{:?}", ended.error);
    assert_eq!(ended.text, text);
    assert!(!text.is_empty());
    // 40 tokens at 5 ms each, sent every 50 ms.
    assert!((2..=20).contains(&pieces), "{pieces}");
    assert_eq!((ended.backend.as_deref(), ended.http_status), (Some("mock"), Some(200)));
    assert!(ended.first_token_ms.expect("a first token") <= ended.elapsed_ms);
    assert!(ended.finish_reason.is_some());

    let record = ended.record.expect("written down");
    let usage = record.usage.expect("usage");
    assert_eq!(usage.output.0, 40);
    assert_eq!(usage.input.0, usage.input_uncached.0 + usage.cache_read.0 + usage.cache_write.0);
    assert!(record.tokens_per_second.expect("a speed") > 1.0);
    assert_eq!(record.attempts.len(), 1);
    let query = RequestsQuery { limit: 1, ..RequestsQuery::default() };
    let newest = control::requests(&bench.world.core, query).await.expect("requests").requests;
    assert_eq!(Some(newest[0].id.as_str()), ended.request.as_deref());
    assert_eq!(newest[0].client, "gatehouse.playground");
    assert_eq!(control::playground(&bench.world.core).await.expect("runs").len(), 1);
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_raw_exchange_is_shown_without_the_token() {
    let mut bench = playground_fixture().await;
    let begun = bench.send("mock/echo").await;
    let (_, _, ended) = bench.follow(&begun.id).await;
    let raw = bench.raw(&begun.id).await;
    let sent: serde_json::Value = serde_json::from_str(&raw.request_body).expect("JSON");
    assert_eq!(sent["model"], "mock/echo");
    assert!(raw.request_head.starts_with("POST /v1/chat/completions"), "{}", raw.request_head);
    assert!(raw.answer_head.contains("x-gatehouse-request-id"), "{}", raw.answer_head);
    assert!(raw.answer_body.ends_with("data: [DONE]\n\n"), "{}", raw.answer_body);
    assert_eq!(raw.answer_bytes_cut.0, 0);
    let snippets = control::playground_snippets(&bench.world.core, ask("mock/echo")).await;
    let snippets = snippets.expect("snippets");
    assert_eq!((snippets.connected, snippets.snippets.len()), (false, 5));

    let shown = [
        serde_json::to_string(&raw).expect("JSON"),
        serde_json::to_string(&ended).expect("JSON"),
        serde_json::to_string(&snippets).expect("JSON"),
    ];
    for text in bench.received.iter().chain(&shown) {
        assert!(!text.contains(gateway::TOKEN_PREFIX), "{text}");
    }
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_run_ends_at_once_and_keeps_its_text() {
    let mut bench = playground_fixture().await;
    let begun = bench.send("mock/slow").await;
    bench.first_text(&begun.id).await;
    let run = PlaygroundRef { run: begun.id.clone() };
    control::playground_cancel(&bench.world.core, run.clone()).await.expect("cancelled");
    let soon = Duration::from_millis(CANCEL_MS_MAX);
    let followed = tokio::time::timeout(soon, bench.follow(&begun.id)).await;
    let (_, _, ended) = followed.expect("over in time");
    assert_eq!(ended.state, PlaygroundState::Cancelled);
    assert!(!ended.text.is_empty());
    // The gateway has seen its client disconnect.
    loop {
        let status = control::status(&bench.world.core).await.expect("a status");
        if status.requests_in_flight == 0 {
            break;
        }
        bench.event().await;
    }
    control::playground_cancel(&bench.world.core, run).await.expect("nothing to do any more");
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_go_side_by_side_up_to_the_limit() {
    let mut bench = playground_fixture().await;
    let mut all = Vec::new();
    for _ in 0..PLAYGROUND_RUNS_AT_ONCE_MAX {
        all.push(bench.send("mock/slow").await);
    }
    let further = control::playground_send(&bench.world.core, ask("mock/echo")).await;
    refused(further, ErrorCode::Failed, None);
    for run in &all {
        let run = PlaygroundRef { run: run.id.clone() };
        control::playground_cancel(&bench.world.core, run).await.expect("cancelled");
    }
    let mut last = String::new();
    for run in all {
        // A run may have ended while the test waited for another.
        let runs = control::playground(&bench.world.core).await.expect("runs");
        let now = runs.into_iter().find(|known| known.id == run.id).expect("kept");
        if is_running(&now) {
            bench.follow(&run.id).await;
        }
    }
    for _ in 0..=PLAYGROUND_RUNS_KEPT_MAX {
        last = bench.send("mock/echo").await.id;
        bench.follow(&last).await;
    }
    let runs = control::playground(&bench.world.core).await.expect("runs");
    assert_eq!(runs.len(), PLAYGROUND_RUNS_KEPT_MAX);
    assert_eq!(runs.last().map(|run| run.id.as_str()), Some(last.as_str()));
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_shown_in_the_gateways_own_words() {
    let mut bench = playground_fixture().await;
    let cases = [
        ("mock/fault-401", PlaygroundState::Failed),
        ("mock/fault-429", PlaygroundState::Failed),
        ("no-such-model", PlaygroundState::Failed),
        ("mock/fault-cut", PlaygroundState::Partial),
        ("mock/fault-error-event", PlaygroundState::Partial),
    ];
    for (model, state) in cases {
        let begun = bench.send(model).await;
        let (_, _, ended) = bench.follow(&begun.id).await;
        assert_eq!(ended.state, state, "{model}: {ended:?}");
        let error = ended.error.expect(model);
        assert!(!error.message.is_empty() && ended.request.is_some(), "{model}: {error:?}");
        let status = ended.http_status.expect("a status");
        assert_eq!(status == 200, state == PlaygroundState::Partial, "{model}");
    }
    bench.world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_fields_are_named() {
    let bench = playground_fixture().await;
    let cases: [(&str, InvalidateField); 5] = [
        ("prompt", |req| req.prompt = " \n".to_owned()),
        ("prompt", |req| req.prompt = "x".repeat(PLAYGROUND_PROMPT_BYTES_MAX + 1)),
        ("model", |req| req.model = String::new()),
        ("temperature", |req| req.temperature = Some(2.1)),
        ("max_tokens", |req| req.max_tokens = Some(0)),
    ];
    for (field, change) in cases {
        let mut request = ask("mock/echo");
        change(&mut request);
        let answer = control::playground_send(&bench.world.core, request).await;
        refused(answer, ErrorCode::InvalidInput, Some(field));
    }
    let mut longest = ask("mock/fault-401");
    longest.prompt = "x".repeat(PLAYGROUND_PROMPT_BYTES_MAX);
    control::playground_send(&bench.world.core, longest).await.expect("just short enough");
    let gone = PlaygroundRef { run: format!("run_{:032x}", 1) };
    refused(control::playground_raw(&bench.world.core, gone).await, ErrorCode::NotFound, None);
    bench.world.core.stop().await;
}

/// A backend that repeats the key it was sent: in a text, over two pieces of it, in its thinking, in an
/// error inside the stream and in a refusal.
fn echo(request: &ReceivedRequest) -> Reply {
    let Some(key) = request.authorization().and_then(|value| value.strip_prefix("Bearer ")) else {
        return Reply::models(&["text", "pieces", "thinking", "event", "refusal"]);
    };
    let (begin, rest) = key.split_at(key.len() / 2);
    let stream =
        |deltas: &[&str]| Reply::chat_stream(&ChatText { model: "m", deltas, usage: Some((3, 2)) });
    let rejected = format!("Incorrect API key provided: {key}.");
    match request.json()["model"].as_str() {
        Some("text") => stream(&["your key is ", key, " and it works"]),
        Some("pieces") => {
            let whole = ChatText { model: "m", deltas: &[key], usage: None }.events().concat();
            let cut = whole.find(rest).expect("the key");
            let (first, second) = whole.split_at(cut);
            assert!(first.ends_with(begin));
            Reply::sse([first.to_owned(), second.to_owned()]).delay_each(Duration::from_millis(20))
        }
        Some("thinking") => {
            let delta = serde_json::json!({"role": "assistant", "reasoning_content": key});
            let chunk = serde_json::json!({"id": "c", "object": "chat.completion.chunk", "created": 1,
                "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
            let text = ChatText { model: "m", deltas: &["Hello"], usage: None }.events();
            Reply::sse(std::iter::once(format!("data: {chunk}\n\n")).chain(text))
        }
        Some("event") => {
            let text = ChatText { model: "m", deltas: &["Hello"], usage: None }.events();
            let error = serde_json::json!({"error": {"message": rejected, "type": "api_error",
                "param": key, "code": null}});
            Reply::sse(text.into_iter().take(2).chain([format!("data: {error}\n\n")]))
        }
        Some("refusal") => Reply::echo_key(request),
        _ => Reply::models(&["text", "pieces", "thinking", "event", "refusal"]),
    }
}

/// Fails if the key stands in `text`, plainly or encoded.
#[track_caller]
fn assert_no_key(text: &str) {
    let bytes = text.as_bytes();
    let has = |mark: &Vec<u8>| bytes.windows(mark.len()).any(|window| window == mark);
    assert!(!leak_encodings(MARKED_KEY).iter().any(has), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn s1_a_key_that_a_backend_repeats_reaches_no_event_no_raw_view_and_no_file() {
    let upstream = ScriptedUpstream::start_with(|request| Some(echo(request))).await;
    let upstream = upstream.expect("an upstream");
    let mut bench = playground_fixture().await;
    bench.world.add_up(&upstream, marked_key()).await;
    for model in ["text", "pieces", "thinking", "event", "refusal"] {
        let begun = bench.send(&format!("up/{model}")).await;
        let (text, _, ended) = bench.follow(&begun.id).await;
        let raw = bench.raw(&begun.id).await;
        let shown = [
            text,
            serde_json::to_string(&ended).expect("JSON"),
            serde_json::to_string(&raw).expect("JSON"),
        ];
        for text in bench.received.iter().chain(&shown) {
            assert_no_key(text);
        }
        // The key was there to be repeated, and something stands where it was.
        let sent = upstream.requests().into_iter().rev().find(|seen| seen.method == "POST");
        let bearer = format!("Bearer {MARKED_KEY}");
        assert_eq!(sent.expect("asked").authorization(), Some(bearer.as_str()), "{model}");
        let all = shown.concat();
        assert!(all.contains("[key removed]") || all.contains('…'), "{model}: {all}");
        let finished = matches!(model, "text" | "pieces" | "thinking");
        assert_eq!(ended.state == PlaygroundState::Complete, finished, "{model}: {ended:?}");
    }
    let runs = control::playground(&bench.world.core).await.expect("runs");
    assert_no_key(&serde_json::to_string(&runs).expect("JSON"));
    bench.world.core.stop().await;
    let found = search_tree(bench.world.home.path(), MARKED_KEY).expect("searched");
    assert_eq!(found, Vec::<PathBuf>::new());
}
