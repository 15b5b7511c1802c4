//! Recorded requests of people's tools, each in the second turn of a task: a call was made, and its
//! result is sent. SDKs send what a test asks for; tools always send what their authors chose, so a
//! request that one kind of backend refuses makes the tool useless there.
//!
//! They were recorded from the tools at the versions they name, against a backend of their own
//! dialect. Texts, most tools and most of their fields are removed; the rest has the keys, kinds
//! and order of the original.

use std::collections::BTreeMap;
use std::path::Path;

use acceptance::{json_body, post_json};
use serde::Deserialize;
use serde_json::{Value, json};
use test_support::RawAnswer;

use super::fixture::{KINDS, SdkFixture};

/// Placeholder for the model's name in a recorded path.
const MODEL: &str = "MODEL";

#[derive(Deserialize)]
struct RecordedToolRequest {
    sent_by: String,
    path: String,
    headers: BTreeMap<String, String>,
    /// The fields that must be dropped, by the kind of backend.
    left_out: BTreeMap<String, Vec<String>>,
    body: Value,
}

impl RecordedToolRequest {
    fn read(file: &Path) -> Self {
        let text = std::fs::read(file).expect("a recorded request");
        serde_json::from_slice(&text).expect("a recorded request in JSON")
    }

    /// Sends the request through `bench` for `model`.
    async fn ask(&self, bench: &SdkFixture, model: &str) -> RawAnswer {
        let mut body = self.body.clone();
        if let Some(name) = body.get_mut("model") {
            *name = Value::from(model);
        }
        let authorization = format!("authorization: Bearer {}", bench.token);
        let mut headers = vec![authorization.as_str(), "content-type: application/json"];
        let own: Vec<_> =
            self.headers.iter().map(|(name, text)| format!("{name}: {text}")).collect();
        headers.extend(own.iter().map(String::as_str));
        let path = self.path.replace(MODEL, model);
        post_json(bench.gateway(), &path, &headers, &json_body(&body)).await
    }

    /// Text that occurs only in a complete answer, in the last event of a stream.
    fn end_marker(&self) -> &'static str {
        let is_streamed = self.body.get("stream").is_some_and(|stream| stream == true);
        match self.path.as_str() {
            "/v1/chat/completions" if is_streamed => "data: [DONE]",
            "/v1/chat/completions" => "\"finish_reason\":\"stop\"",
            "/v1/responses" if is_streamed => "event: response.completed",
            "/v1/responses" => "\"status\":\"completed\"",
            "/v1/messages" => "event: message_stop",
            _ => "\"finishReason\":\"STOP\"",
        }
    }
}

/// All recorded requests, in the order of their file names.
fn read_recorded_requests() -> Vec<RecordedToolRequest> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/tools");
    let entries = std::fs::read_dir(folder).expect("the recorded requests");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| RecordedToolRequest::read(file)).collect()
}

/// Each kind of backend accepts each request unchanged and answers it completely; dropped fields
/// are reported.
#[tokio::test]
async fn every_kind_of_backend_answers_what_tools_send() {
    let bench = SdkFixture::new(&KINDS).await;
    let requests = read_recorded_requests();
    assert!(requests.len() > 20, "the recorded requests are there");
    let mut wrong = Vec::new();
    for request in requests {
        let mut left_out = BTreeMap::new();
        for kind in KINDS {
            let answer = request.ask(&bench, &format!("{kind}/echo")).await;
            if answer.status != 200 || !answer.text().contains(request.end_marker()) {
                let (by, status) = (&request.sent_by, answer.status);
                wrong.push(format!("{by} to {kind}: {status} {}", answer.text()));
            }
            if let Some(fields) = answer.header("x-gatehouse-dropped") {
                left_out.insert(kind.to_owned(), fields.split(", ").map(str::to_owned).collect());
            }
        }
        if left_out != request.left_out {
            wrong.push(format!("{} was left out of {}", json!(left_out), request.sent_by));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(bench.provider.refusals(), Vec::<String>::new());
}
