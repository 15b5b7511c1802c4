//! `GET /v1/models`: the names a client may ask for.

use domain::WallTime;
use hyper::Response;
use wire::ErrorKind;
use wire::openai_chat::models_answer;

use crate::answer::{AnswerBody, Refusal, RetryAdvice, json};
use crate::snapshot::Snapshot;

/// All of them.
pub(crate) fn list(snapshot: &Snapshot) -> Response<AnswerBody> {
    let entries = snapshot.routes.models();
    let names = entries.iter().map(|entry| entry.id.as_str());
    json(200, models_answer(names, seconds(snapshot.since)))
}

/// One of them.
pub(crate) fn one(snapshot: &Snapshot, id: &str) -> Response<AnswerBody> {
    let known = snapshot.routes.models().into_iter().any(|entry| entry.id == id);
    let found = known.then(|| entry(id, seconds(snapshot.since))).flatten();
    match found {
        Some(entry) => json(200, entry.into()),
        None => {
            let shown: String = id.chars().take(200).collect();
            let message = format!("There is no model {shown:?}. GET /v1/models lists them.");
            Refusal::new(404, ErrorKind::NotFound, "model_not_found", message)
                .param(Some("model".to_owned()))
                .retry(RetryAdvice::Never)
                .answer()
        }
    }
}

/// The model's id as the path spells it, percent signs resolved.
pub(crate) fn decoded(id: &str) -> String {
    percent_encoding::percent_decode_str(id).decode_utf8_lossy().into_owned()
}

/// One entry, in the very spelling of the list.
fn entry(id: &str, created_unix_s: i64) -> Option<String> {
    let list: serde_json::Value =
        serde_json::from_slice(&models_answer([id], created_unix_s)).ok()?;
    list.get("data")?.get(0).map(ToString::to_string)
}

fn seconds(time: WallTime) -> i64 {
    time.unix_ms() / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_is_spelled_as_in_the_list() {
        let entry = entry("corp/gpt-\"x\"", 7).expect("an entry");
        let value: serde_json::Value = serde_json::from_str(&entry).expect("JSON");
        assert_eq!(value["id"], "corp/gpt-\"x\"");
        assert_eq!((&value["object"], &value["created"]), (&"model".into(), &7.into()));
    }

    #[test]
    fn percent_signs_are_resolved_once() {
        assert_eq!(decoded("corp%2Fgpt%20x"), "corp/gpt x");
        assert_eq!(decoded("a%252Fb"), "a%2Fb");
    }
}
