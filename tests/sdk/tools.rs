//! Requests as people's tools send them, each in the second turn of a task: a call was made, its result
//! is here. SDKs send what a test asks of them; tools send what their authors thought of, always and
//! without a switch, so a request that no backend of another kind takes makes the tool useless there.
//!
//! They were recorded from the tools themselves, at the versions that they name, against a backend of
//! their own dialect. Texts are taken out, and most tools and most of their fields; what is left has the
//! keys, kinds and order of the original.

use std::collections::BTreeMap;
use std::path::Path;

use acceptance::{json_body, post};
use serde::Deserialize;
use serde_json::{Value, json};
use test_support::RawAnswer;

use super::bench::{Bench, KINDS};

/// Stands for the model's name in a recorded path.
const MODEL: &str = "MODEL";

/// One recorded request.
#[derive(Deserialize)]
struct Recorded {
    sent_by: String,
    path: String,
    headers: BTreeMap<String, String>,
    /// What has to be left out, by the kind of backend.
    left_out: BTreeMap<String, Vec<String>>,
    body: Value,
}

impl Recorded {
    fn read(file: &Path) -> Self {
        let text = std::fs::read(file).expect("a recorded request");
        serde_json::from_slice(&text).expect("a recorded request in JSON")
    }

    /// Sends it to `bench` for `model`.
    async fn ask(&self, bench: &Bench, model: &str) -> RawAnswer {
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
        post(bench.gateway(), &path, &headers, &json_body(&body)).await
    }

    /// What says that an answer is whole: in its last event if it was asked for as a stream.
    fn ending(&self) -> &'static str {
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

/// Every recorded request, in the order of their files' names.
fn recorded() -> Vec<Recorded> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/tools");
    let entries = std::fs::read_dir(folder).expect("the recorded requests");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files.iter().map(|file| Recorded::read(file)).collect()
}

/// Each is taken by each kind of backend as it is, and answered to the end; what is left out is said.
#[tokio::test]
async fn every_kind_of_backend_answers_what_tools_send() {
    let bench = Bench::new(&KINDS).await;
    let requests = recorded();
    assert!(requests.len() > 20, "the recorded requests are there");
    let mut wrong = Vec::new();
    for request in requests {
        let mut left_out = BTreeMap::new();
        for kind in KINDS {
            let answer = request.ask(&bench, &format!("{kind}/echo")).await;
            if answer.status != 200 || !answer.text().contains(request.ending()) {
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
