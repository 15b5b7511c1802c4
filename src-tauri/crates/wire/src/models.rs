//! Model lists: parses a backend's, writes the gateway's, in each dialect.

use bytes::Bytes;
use domain::{Dialect, WallTime};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::answer::is_model_name;
use crate::json::{Members, array_items};

/// Maximum number of models read from one backend. The largest aggregators list under 1,000.
pub const MODELS_MAX: usize = 5_000;

/// Prefix of Gemini's model names.
const GEMINI_PREFIX: &str = "models/";

/// Why a body is not a list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadModelList {
    /// Not JSON, or JSON of another shape.
    #[error("the response is not a list of models; check the base URL")]
    NotAList,
    #[error("the backend lists {0} models; at most {MODELS_MAX} are read")]
    TooMany(usize),
}

/// The ids in a backend's list, in its order: `{"data":[{"id"}]}` of OpenAI and Anthropic, the bare
/// array of some servers, `{"models":[{"name"}]}` of Gemini and Ollama. The body decides which form
/// it is, because servers that support several dialects often list in only one. Entries without a
/// usable name are skipped, because they could never be requested. Gemini's JSON omits empty lists
/// (<https://protobuf.dev/programming-guides/json/>).
pub fn read_model_list(dialect: Dialect, body: &[u8]) -> Result<Vec<String>, BadModelList> {
    let text = std::str::from_utf8(body).map_err(|_| BadModelList::NotAList)?;
    let entries = match Members::parse(text) {
        Ok(members) => match members.get("data").or_else(|| members.get("models")) {
            Some(list) => array_items(list),
            None => (dialect == Dialect::Gemini && members.last().is_none()).then(Vec::new),
        },
        Err(_) => serde_json::from_str(text).ok(),
    };
    let entries = entries.ok_or(BadModelList::NotAList)?;
    if entries.len() > MODELS_MAX {
        return Err(BadModelList::TooMany(entries.len()));
    }
    let name = |entry: &RawValue| {
        let members = Members::parse(entry.get()).ok()?;
        let name = members.string("id").or_else(|| members.string("name"))?;
        Some(name.strip_prefix(GEMINI_PREFIX).map_or(name.clone(), str::to_owned))
    };
    Ok(entries.into_iter().filter_map(name).filter(|name| is_model_name(name)).collect())
}

/// The gateway's own list for a client of `dialect`. `created_unix_s` is the same for all entries:
/// the time since which the gateway offers them.
#[must_use]
pub fn write_model_list<'a>(
    dialect: Dialect,
    names: impl IntoIterator<Item = &'a str>,
    created_unix_s: i64,
) -> Bytes {
    let names: Vec<&str> = names.into_iter().collect();
    let entries: Vec<Value> =
        names.iter().map(|name| model_entry(dialect, name, created_unix_s)).collect();
    let body = match dialect {
        Dialect::AnthropicMessages => json!({
            "data": entries,
            "has_more": false,
            "first_id": names.first(),
            "last_id": names.last(),
        }),
        Dialect::Gemini | Dialect::OllamaChat => json!({"models": entries}),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            json!({"object": "list", "data": entries})
        }
    };
    Bytes::from(body.to_string())
}

/// One model, in the form of the list's entries.
#[must_use]
pub fn write_model(dialect: Dialect, name: &str, created_unix_s: i64) -> Bytes {
    Bytes::from(model_entry(dialect, name, created_unix_s).to_string())
}

fn model_entry(dialect: Dialect, name: &str, created_unix_s: i64) -> Value {
    match dialect {
        Dialect::AnthropicMessages => {
            let created = WallTime::from_unix_ms(created_unix_s.saturating_mul(1_000));
            json!({
                "type": "model",
                "id": name,
                "display_name": name,
                "created_at": created.to_rfc3339(),
                "lifecycle": "active",
            })
        }
        Dialect::Gemini | Dialect::OllamaChat => json!({
            "name": format!("{GEMINI_PREFIX}{name}"),
            "displayName": name,
            "supportedGenerationMethods":
                ["generateContent", "countTokens", "embedContent", "batchEmbedContents"],
        }),
        Dialect::OpenAiChat | Dialect::OpenAiResponses => json!({
            "id": name,
            "object": "model",
            "created": created_unix_s,
            "owned_by": "gatehouse",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODEL_NAME_BYTES_MAX;

    const SPOKEN: [Dialect; 4] = [
        Dialect::OpenAiChat,
        Dialect::OpenAiResponses,
        Dialect::AnthropicMessages,
        Dialect::Gemini,
    ];

    #[test]
    fn our_list_reads_back_in_every_dialect() {
        for dialect in SPOKEN {
            let body = write_model_list(dialect, ["fast", "corp/gpt-\"x\""], 7);
            let names = read_model_list(dialect, &body);
            assert_eq!(names, Ok(vec!["fast".to_owned(), "corp/gpt-\"x\"".to_owned()]));
            let list: Value = serde_json::from_slice(&body).expect("JSON");
            let one: Value =
                serde_json::from_slice(&write_model(dialect, "fast", 7)).expect("JSON");
            let first = list.get("data").or_else(|| list.get("models")).and_then(|l| l.get(0));
            assert_eq!(first, Some(&one), "one is spelled as in the list");
        }
        let anthropic: Value =
            serde_json::from_slice(&write_model_list(Dialect::AnthropicMessages, ["a", "b"], 0))
                .expect("JSON");
        assert_eq!(anthropic["data"][0]["created_at"], "1970-01-01T00:00:00.000Z");
        assert_eq!((&anthropic["first_id"], &anthropic["last_id"]), (&json!("a"), &json!("b")));
    }

    #[test]
    fn a_bare_array_is_read_and_useless_names_are_left_out() {
        let long = "x".repeat(MODEL_NAME_BYTES_MAX + 1);
        let body =
            format!(r#"[{{"id":"a"}},{{"id":""}},{{"id":"b\n"}},{{"id":3}},7,{{"id":"{long}"}}]"#);
        let names = read_model_list(Dialect::OpenAiChat, body.as_bytes());
        assert_eq!(names, Ok(vec!["a".to_owned()]));
        let tags = br#"{"models":[{"name":"llama3:8b","model":"llama3:8b","size":1}]}"#;
        let names = read_model_list(Dialect::OllamaChat, tags);
        assert_eq!(names, Ok(vec!["llama3:8b".to_owned()]));
    }

    #[test]
    fn a_list_in_another_dialects_shape_is_read_too() {
        let listed = write_model_list(Dialect::OpenAiChat, ["a"], 0);
        assert_eq!(read_model_list(Dialect::Gemini, &listed), Ok(vec!["a".to_owned()]));
        let listed = write_model_list(Dialect::Gemini, ["a"], 0);
        assert_eq!(read_model_list(Dialect::OpenAiChat, &listed), Ok(vec!["a".to_owned()]));
        assert_eq!(read_model_list(Dialect::Gemini, b" {} "), Ok(Vec::new()));
    }

    #[test]
    fn the_limit_and_other_shapes_are_refused() {
        let many = |count: usize| {
            let ids: Vec<_> = (0..count).map(|n| format!(r#"{{"id":"{n}"}}"#)).collect();
            let body = format!(r#"{{"data":[{}]}}"#, ids.join(","));
            read_model_list(Dialect::OpenAiChat, body.as_bytes())
        };
        assert_eq!(many(MODELS_MAX).map(|names| names.len()), Ok(MODELS_MAX));
        assert_eq!(many(MODELS_MAX + 1), Err(BadModelList::TooMany(MODELS_MAX + 1)));
        for body in ["", "<html>", r#"{"data":{}}"#, r#"{"error":{}}"#, "[1", "\"x\""] {
            for dialect in SPOKEN {
                let read = read_model_list(dialect, body.as_bytes());
                assert_eq!(read, Err(BadModelList::NotAList), "{body}");
            }
        }
        assert_eq!(read_model_list(Dialect::OpenAiChat, b"{}"), Err(BadModelList::NotAList));
    }
}
