//! Runs OpenAI's own SDKs for Python and Node against the gateway; they are the final judges of the
//! dialect. Both send the same requests and must get the same results.
//!
//! Ignored by default, since the SDKs have to be installed: `cargo xtask test --only sdk` installs
//! them from `sdk/requirements.txt` and `sdk/package-lock.json`, and passes their paths in two
//! variables.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod sdk {
    mod agents;
    pub(crate) mod differences;
    pub(crate) mod errors;
    pub(crate) mod fixture;
    mod mail;
    pub(crate) mod matrix;
    mod oauth;
    pub(crate) mod other_operations;
    #[cfg(target_os = "linux")]
    mod programs;
    mod python_server;
    pub(crate) mod runner;
    pub(crate) mod scenarios;
    #[cfg(unix)]
    mod snippets;
    mod telemetry;
    mod tools;
}

use std::path::PathBuf;
use std::process::Stdio;

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail};
use serde_json::{Map, Value, json};
use test_support::{
    ChatText, ReceivedRequest, Reply, ReplyEnding, ScriptedUpstream, skip_unless_strict,
};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenAiSdk {
    Python,
    Node,
}

impl OpenAiSdk {
    /// The pinned version, as the package registries name it.
    const fn version(self) -> &'static str {
        match self {
            Self::Python => "3.52.0",
            Self::Node => "7.55.0",
        }
    }

    /// The command that starts it; `None` if it is not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the SDKs says where")]
    fn command(self) -> Option<Command> {
        let name = match self {
            Self::Python => "GATEHOUSE_SDK_PYTHON",
            Self::Node => "GATEHOUSE_SDK_NODE",
        };
        let Some(place) = std::env::var_os(name).map(PathBuf::from) else {
            skip_unless_strict(&format!("{name} is not set; run `cargo xtask test --only sdk`"));
            return None;
        };
        let scripts = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sdk");
        let mut command = match self {
            Self::Python => {
                let mut command = Command::new(place);
                command.arg("-B").arg(scripts.join("ask.py"));
                command
            }
            Self::Node => {
                assert!(place.join("node_modules/openai").is_dir(), "no SDK in {place:?}");
                let mut command = Command::new("node");
                command.arg(scripts.join("ask.mjs"));
                command
            }
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Some(command)
    }
}

/// A gateway with a scripted backend.
struct OpenAiFixture {
    home: TestHome,
    served: TestServer,
    token: String,
    upstream: ScriptedUpstream,
}

/// One request for an SDK, and the way to call it.
struct OpenAiSdkRequest(Value);

struct OpenAiSdkResult(Value);

impl OpenAiSdkRequest {
    fn new(way: &str, model: &str, more: Value) -> Self {
        let mut request = json!({"model": model,
            "messages": [{"role": "user", "content": "What is the weather in Paris?"}]});
        let members = request.as_object_mut().expect("an object");
        if way == "streamed" {
            members.insert("stream".to_owned(), json!(true));
        }
        let Value::Object(more) = more else { panic!("{more} is no object") };
        members.extend(more);
        Self(json!({"way": way, "request": request}))
    }
}

impl OpenAiSdkResult {
    fn at(&self, pointer: &str) -> Value {
        self.0.pointer(pointer).cloned().unwrap_or_default()
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "a value at hand reads best")]
    fn assert_at(&self, pointer: &str, wanted: Value) {
        assert_eq!(self.at(pointer), wanted, "{pointer} of {}", self.0);
    }

    /// Checks for a whole answer with this finish reason and the gateway's headers.
    #[track_caller]
    fn assert_ended(&self, finish: &str, backend: &str) {
        self.assert_at("/finish", json!(finish));
        self.assert_at("/raised", Value::Null);
        self.assert_at("/headers/x-gatehouse-backend", json!(backend));
        self.assert_at("/headers/x-gatehouse-attempts", json!("1"));
        let id = self.at("/headers/x-gatehouse-request-id");
        assert!(id.as_str().is_some_and(|id| id.starts_with("req_")), "{}", self.0);
    }

    /// Checks for an error of the SDK's own type, with this status and text.
    #[track_caller]
    fn assert_raised(&self, status: Value, says: &str) {
        self.assert_at("/raised/is_openai_error", json!(true));
        self.assert_at("/raised/status", status);
        let message = self.at("/raised/message");
        assert!(message.as_str().is_some_and(|text| text.contains(says)), "{says:?}: {}", self.0);
    }

    /// The tool calls: name and arguments, which must be JSON. Their ids must differ.
    #[track_caller]
    fn calls(&self) -> Vec<(String, Value)> {
        let calls = self.at("/calls").as_array().cloned().unwrap_or_default();
        let text = |call: &Value, name: &str| {
            call.get(name).and_then(Value::as_str).expect(name).to_owned()
        };
        let mut ids: Vec<_> = calls.iter().map(|call| text(call, "id")).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), calls.len(), "ids differ: {}", self.0);
        assert!(ids.iter().all(|id| !id.is_empty()), "{}", self.0);
        let read = |call: &Value| {
            let arguments = serde_json::from_str(&text(call, "arguments")).expect("JSON");
            (text(call, "name"), arguments)
        };
        calls.iter().map(read).collect()
    }
}

impl OpenAiFixture {
    async fn new() -> Self {
        let upstream = ScriptedUpstream::start_with(|request| Some(answer(request)));
        let upstream = upstream.await.expect("an upstream");
        let home = TestHome::new(HomeVault::Memory);
        home.write_settings(&format!(
            "[backends.up]\nkind = \"openai-compatible\"\nbase_url = \"{}\"\n\
             models = [\"plain\"]\n",
            upstream.base_url()
        ));
        let served = home.serve().await;
        let token = home.client("sdk").await;
        Self { home, served, token, upstream }
    }

    /// Lets an SDK send named requests; `None` if it is not installed.
    async fn ask<const N: usize>(
        &self,
        sdk: OpenAiSdk,
        token: &str,
        questions: [OpenAiSdkRequest; N],
    ) -> Option<[OpenAiSdkResult; N]> {
        let mut command = sdk.command()?;
        let numbered: Vec<Value> = (0..N)
            .zip(&questions)
            .map(|(number, OpenAiSdkRequest(question))| {
                let mut named = question.clone();
                named
                    .as_object_mut()
                    .expect("an object")
                    .insert("name".into(), json!(number.to_string()));
                named
            })
            .collect();
        let asked = json!({"base_url": self.served.base_url(), "token": token,
            "questions": numbered});
        let ended = await_or_fail("an SDK", async {
            let mut child = command.spawn().expect("the SDK starts");
            let mut stdin = child.stdin.take().expect("piped");
            stdin.write_all(asked.to_string().as_bytes()).await.expect("asked");
            drop(stdin);
            child.wait_with_output().await.expect("the SDK ends")
        })
        .await;
        let err = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{sdk:?}: {err}");
        let told: Value = serde_json::from_slice(&ended.stdout).expect("an answer in JSON");
        assert_eq!(told.get("version"), Some(&json!(sdk.version())), "the pinned version");
        let answer = |number: usize| {
            OpenAiSdkResult(
                told.pointer(&format!("/answers/{number}")).cloned().expect("an answer to each"),
            )
        };
        Some(std::array::from_fn(answer))
    }
}

/// The scripted backend's tool calls.
const CALLS: [(&str, &str); 2] =
    [("get_weather", r#"{"city":"Zürich \"Süd\""}"#), ("get_time", r#"{"zone":"UTC+1"}"#)];

/// The scripted backend's answer for each model.
fn answer(request: &ReceivedRequest) -> Reply {
    let body = request.json();
    let Some(model) = body.get("model").and_then(Value::as_str) else {
        return Reply::models(&["plain"]);
    };
    let streamed = body.get("stream") == Some(&json!(true));
    let text = ChatText { model, deltas: &["Grüße, ", "🌍", "!"], usage: Some((11, 4)) };
    match (model, streamed) {
        ("plain", false) => Reply::chat(&text),
        ("plain", true) => Reply::chat_stream(&text),
        // One byte at a time, so that every character and event is split.
        ("trickled", _) => Reply::chat_stream(&text).trickled(),
        ("tools", false) => whole_calls(model),
        ("tools", true) => streamed_calls(model),
        ("cut", _) => Reply::sse(first_events(&text)).ending(ReplyEnding::Close),
        ("reset", _) => Reply::sse(first_events(&text)).ending(ReplyEnding::Reset),
        // A stream that ends cleanly but without its terminator: many SDKs would accept it as a
        // whole answer.
        ("no-end", _) => Reply::sse(first_events(&text)),
        ("html", _) => Reply::html(200),
        ("busy", _) => Reply::rate_limited(3_600),
        (other, _) => Reply::error(404, "invalid_request_error", &format!("no model {other}")),
    }
}

/// The first events of a stream, up to its second delta.
fn first_events(text: &ChatText<'_>) -> Vec<String> {
    text.events().into_iter().take(3).collect()
}

fn whole_calls(model: &str) -> Reply {
    let calls: Vec<Value> = CALLS
        .iter()
        .zip(0..)
        .map(|((name, arguments), number)| {
            json!({"id": format!("call_{number}"), "type": "function",
                "function": {"name": name, "arguments": arguments}})
        })
        .collect();
    Reply::json(
        200,
        &json!({"id": "c", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{"index": 0, "finish_reason": "tool_calls", "message":
                {"role": "assistant", "content": null, "tool_calls": calls}}],
            "usage": {"prompt_tokens": 20, "completion_tokens": 15, "total_tokens": 35}}),
    )
}

/// Two calls whose arguments are sent in pieces of three characters, one event each.
fn streamed_calls(model: &str) -> Reply {
    let chunk = |delta: Value, finish: Option<&str>| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        format!("data: {chunk}\n\n")
    };
    let mut events = vec![chunk(json!({"role": "assistant", "content": null}), None)];
    for ((name, arguments), index) in CALLS.iter().zip(0..) {
        let call = |more: Value| {
            let mut call = Map::from_iter([("index".to_owned(), json!(index))]);
            call.extend(more.as_object().cloned().unwrap_or_default());
            chunk(json!({"tool_calls": [call]}), None)
        };
        events.push(call(json!({"id": format!("call_{index}"), "type": "function",
            "function": {"name": name, "arguments": ""}})));
        let letters: Vec<char> = arguments.chars().collect();
        for piece in letters.chunks(3) {
            let piece: String = piece.iter().collect();
            events.push(call(json!({"function": {"arguments": piece}})));
        }
    }
    events.push(chunk(json!({}), Some("tool_calls")));
    let usage = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": model,
        "choices": [],
        "usage": {"prompt_tokens": 20, "completion_tokens": 15, "total_tokens": 35}});
    events.extend([format!("data: {usage}\n\n"), "data: [DONE]\n\n".to_owned()]);
    Reply::sse(events)
}

fn tools() -> Value {
    let tool = |name: &str, argument: &str| {
        json!({"type": "function", "function": {"name": name, "parameters": {"type": "object",
            "properties": {argument: {"type": "string"}}, "required": [argument]}}})
    };
    json!([tool("get_weather", "city"), tool("get_time", "zone")])
}

fn asking_for(text: &str) -> Value {
    json!({"tools": tools(), "messages": [{"role": "user", "content": text}]})
}

async fn text_comes_whole_and_streamed(sdk: OpenAiSdk) {
    let bench = OpenAiFixture::new().await;
    let usage = json!({"stream_options": {"include_usage": true}});
    let ask = |way, model| OpenAiSdkRequest::new(way, model, json!({}));
    let questions = [
        ask("whole", "mock/echo"),
        ask("streamed", "mock/echo"),
        OpenAiSdkRequest::new("streamed", "mock/echo", usage.clone()),
        ask("helped", "mock/echo"),
        ask("whole", "up/plain"),
        ask("streamed", "up/plain"),
        OpenAiSdkRequest::new("streamed", "up/plain", usage.clone()),
        OpenAiSdkRequest::new("streamed", "up/trickled", usage),
        OpenAiSdkRequest::new("whole", "mock/echo", json!({"max_completion_tokens": 2})),
        ask("models", "mock/echo"),
    ];
    let Some(seen) = bench.ask(sdk, &bench.token, questions).await else { return };
    let [echo, stream, metered, helped, plain, quiet, counted, trickled, short, models] = seen;
    let question = json!("What is the weather in Paris?");
    for seen in [&echo, &stream, &metered] {
        seen.assert_ended("stop", "mock");
        seen.assert_at("/text", question.clone());
    }
    helped.assert_at("/text", question);
    helped.assert_at("/finish", json!("stop"));
    echo.assert_at("/usage", json!([7, 7]));
    metered.assert_at("/usage", json!([7, 7]));
    stream.assert_at("/usage", Value::Null);
    assert!(stream.at("/pieces").as_u64().is_some_and(|pieces| pieces > 5), "{}", stream.0);

    let greeting = json!("Grüße, 🌍!");
    for seen in [&plain, &quiet, &counted, &trickled] {
        seen.assert_ended("stop", "up");
        seen.assert_at("/text", greeting.clone());
    }
    // Usage is metered upstream in both cases; the client gets it only on request.
    quiet.assert_at("/usage", Value::Null);
    for seen in [&plain, &counted, &trickled] {
        seen.assert_at("/usage", json!([11, 4]));
    }
    short.assert_ended("length", "mock");
    let listed = models.at("/models");
    let listed: Vec<_> =
        listed.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    assert!(listed.contains(&"mock/echo") && listed.contains(&"up/plain"), "{listed:?}");

    let rows = bench
        .home
        .gatehouse(&["requests", "--json", "--backend", "up"])
        .run()
        .await
        .expect_success();
    let rows = rows.json();
    let rows = rows.get("requests").and_then(Value::as_array).cloned().unwrap_or_default();
    assert_eq!(rows.len(), 4, "one row for each question, so no SDK asked again");
    for row in rows {
        assert_eq!(
            (row.get("input_tokens"), row.get("output_tokens")),
            (Some(&json!(11)), Some(&json!(4)))
        );
    }
}

async fn tools_are_called_one_or_several(sdk: OpenAiSdk) {
    let bench = OpenAiFixture::new().await;
    let one = || asking_for("Call get_weather for Paris");
    let both = || asking_for("Use get_weather and get_time for Paris");
    let structured = json!({"response_format": {"type": "json_schema", "json_schema": {
        "name": "place", "strict": true, "schema": {"type": "object",
            "properties": {"city": {"type": "string"}, "rain": {"type": "boolean"}},
            "required": ["city", "rain"], "additionalProperties": false}}}});
    let questions = [
        OpenAiSdkRequest::new("whole", "mock/chat", one()),
        OpenAiSdkRequest::new("streamed", "mock/chat", one()),
        OpenAiSdkRequest::new("whole", "mock/chat", both()),
        OpenAiSdkRequest::new("streamed", "mock/chat", both()),
        OpenAiSdkRequest::new("helped", "mock/chat", both()),
        OpenAiSdkRequest::new("whole", "up/tools", both()),
        OpenAiSdkRequest::new("streamed", "up/tools", both()),
        OpenAiSdkRequest::new("helped", "up/tools", both()),
        OpenAiSdkRequest::new("whole", "mock/chat", structured.clone()),
        OpenAiSdkRequest::new("streamed", "mock/chat", structured),
    ];
    let Some(seen) = bench.ask(sdk, &bench.token, questions).await else { return };
    let [one, one_streamed, both, both_streamed, both_helped, up @ .., place, place_streamed] =
        seen;
    let weather = ("get_weather".to_owned(), json!({"city": "Paris"}));
    let time = ("get_time".to_owned(), json!({"zone": "Paris"}));
    for seen in [&one, &one_streamed] {
        seen.assert_ended("tool_calls", "mock");
        assert_eq!(seen.calls(), std::slice::from_ref(&weather));
    }
    for seen in [&both, &both_streamed, &both_helped] {
        seen.assert_at("/finish", json!("tool_calls"));
        assert_eq!(seen.calls(), [weather.clone(), time.clone()]);
    }
    for seen in &up {
        seen.assert_at("/finish", json!("tool_calls"));
        let wanted = CALLS.map(|(name, arguments)| {
            (name.to_owned(), serde_json::from_str::<Value>(arguments).expect("JSON"))
        });
        assert_eq!(seen.calls(), wanted);
    }
    for seen in [&place, &place_streamed] {
        seen.assert_ended("stop", "mock");
        let text = seen.at("/text");
        let place: Value = serde_json::from_str(text.as_str().unwrap_or_default()).expect("JSON");
        let members = place.as_object().expect("an object");
        assert!(members.len() == 2 && place.get("rain").is_some_and(Value::is_boolean), "{place}");
        assert_eq!(place.get("city"), Some(&json!("Paris")));
    }
}

async fn what_is_no_whole_answer_is_raised(sdk: OpenAiSdk) {
    let bench = OpenAiFixture::new().await;
    // Every failure must reach the SDK, not the error of an open breaker.
    let count_only = ["backends", "force", "up", "--to", "monitor-only", "--until-reset"];
    bench.home.gatehouse(&count_only).run().await.expect_success();
    let ask = |way, model| OpenAiSdkRequest::new(way, model, json!({}));
    let questions = [
        ask("streamed", "mock/fault-cut"),
        ask("streamed", "mock/fault-error-event"),
        ask("streamed", "up/cut"),
        ask("streamed", "up/reset"),
        ask("streamed", "up/no-end"),
        ask("helped", "up/no-end"),
        ask("whole", "mock/fault-401"),
        ask("whole", "mock/fault-402"),
        ask("streamed", "mock/fault-400"),
        ask("whole", "up/busy"),
        ask("whole", "up/nothing"),
        ask("streamed", "nobody/nothing"),
    ];
    let Some(seen) = bench.ask(sdk, &bench.token, questions).await else { return };
    let [fault_cut, event, cut, reset, no_end, helped, key, unpaid, bad, busy, gone, nobody] = seen;
    for seen in [&fault_cut, &event, &cut, &reset, &no_end] {
        seen.assert_raised(Value::Null, "backend");
        let text = seen.at("/text");
        assert!(
            text.as_str().is_some_and(|text| !text.is_empty()),
            "what came is kept: {}",
            seen.0
        );
        seen.assert_at("/finish", Value::Null);
    }
    helped.assert_at("/raised/is_openai_error", json!(true));
    // The client's own token is valid, so the client must not see a 401.
    key.assert_raised(json!(403), "rejected its key");
    unpaid.assert_raised(json!(429), "no credit");
    bad.assert_raised(json!(400), "");
    busy.assert_raised(json!(429), "slow down");
    gone.assert_raised(json!(404), "no model nothing");
    nobody.assert_raised(json!(404), "nobody/nothing");
    // The SDKs do not wait an hour, and do not retry what cannot succeed.
    for (model, times) in [("mock/fault-401", 1), ("mock/fault-402", 1), ("up/busy", 1)] {
        let page = bench.home.gatehouse(&["requests", "--json", "--limit", "500"]).run().await;
        let page = page.expect_success().json();
        let rows = page.get("requests").and_then(Value::as_array).cloned().unwrap_or_default();
        let asked = rows.iter().filter(|row| row.get("model_asked") == Some(&json!(model)));
        assert_eq!(asked.count(), times, "{model}");
    }

    let [refused] =
        bench.ask(sdk, "ghk_wrong", [ask("whole", "up/plain")]).await.expect("is there");
    refused.assert_raised(json!(401), "gatehouse clients add");
    refused.assert_at("/raised/class", json!("AuthenticationError"));
    let [models] = bench.ask(sdk, "ghk_wrong", [ask("models", "x")]).await.expect("is there");
    models.assert_raised(json!(401), "gatehouse clients add");
    let plain = |seen: &ReceivedRequest| seen.json().get("model") == Some(&json!("plain"));
    assert!(!bench.upstream.requests().iter().any(plain), "nothing came through");
}

macro_rules! both_sdks {
    ($($test:ident),*) => {
        mod python {
            $(#[tokio::test]
            #[ignore = "needs the SDK; `cargo xtask test --only sdk` installs it"]
            async fn $test() {
                super::$test(super::OpenAiSdk::Python).await;
            })*
        }

        mod node {
            $(#[tokio::test]
            #[ignore = "needs the SDK; `cargo xtask test --only sdk` installs it"]
            async fn $test() {
                super::$test(super::OpenAiSdk::Node).await;
            })*
        }
    };
}

both_sdks!(
    text_comes_whole_and_streamed,
    tools_are_called_one_or_several,
    what_is_no_whole_answer_is_raised
);

macro_rules! both_languages {
    ($($test:path => $name:ident),*) => {
        mod every_python_sdk {
            $(#[tokio::test]
            #[ignore = "needs the SDKs; `cargo xtask test --only sdk` installs them"]
            async fn $name() {
                $test(super::sdk::runner::SdkLanguage::Python).await;
            })*
        }

        mod every_node_sdk {
            $(#[tokio::test]
            #[ignore = "needs the SDKs; `cargo xtask test --only sdk` installs them"]
            async fn $name() {
                $test(super::sdk::runner::SdkLanguage::Node).await;
            })*
        }
    };
}

both_languages!(
    crate::sdk::matrix::each_sdk_and_its_provider_agree => agrees_with_its_provider,
    crate::sdk::matrix::each_sdk_sees_the_same_of_openai => sees_the_same_of_openai,
    crate::sdk::matrix::each_sdk_sees_the_same_of_openai_compatible => sees_the_same_of_compatible,
    crate::sdk::matrix::each_sdk_sees_the_same_of_anthropic => sees_the_same_of_anthropic,
    crate::sdk::matrix::each_sdk_sees_the_same_of_gemini => sees_the_same_of_gemini,
    crate::sdk::matrix::each_sdk_sees_the_same_of_ollama => sees_the_same_of_ollama,
    crate::sdk::matrix::each_sdk_sees_the_same_of_the_mock => sees_the_same_of_the_mock,
    crate::sdk::other_operations::each_sdk_lists_the_same_models => lists_the_same_models,
    crate::sdk::other_operations::each_sdk_counts_tokens => counts_tokens,
    crate::sdk::other_operations::each_sdk_gets_the_same_embeddings => gets_the_same_embeddings,
    crate::sdk::other_operations::each_sdk_gets_the_mocks_embeddings => gets_the_mocks_embeddings,
    crate::sdk::errors::each_sdk_raises_a_cut_stream => raises_a_cut_stream,
    crate::sdk::errors::each_sdk_raises_a_refusal_with_its_status => raises_refusals,
    crate::sdk::errors::each_sdk_raises_what_the_gateway_refuses => raises_the_gateways_refusals
);
