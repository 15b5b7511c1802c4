//! Lists of models: a backend's is read, ours is written.

use bytes::Bytes;
use serde_json::json;

use crate::answer::is_model_name;
use crate::json::{Members, items};

/// Most models read from one backend. The largest aggregators list under 1,000.
pub const MODELS_MAX: usize = 5_000;

/// Why a body is no list of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadModelList {
    /// No JSON, or JSON of another shape.
    #[error("the answer is not a list of models; check the backend's base URL")]
    NotAList,
    /// Over [`MODELS_MAX`].
    #[error("the backend lists {0} models; at most {MODELS_MAX} are read")]
    TooMany(usize),
}

/// The ids of a backend's list, in its order: `{"data":[{"id"}]}`, or the bare array of some
/// servers. Entries without a usable name are left out, since they could never be asked for.
pub fn models_from_list(body: &[u8]) -> Result<Vec<String>, BadModelList> {
    let text = std::str::from_utf8(body).map_err(|_| BadModelList::NotAList)?;
    let list = match Members::parse(text) {
        Ok(members) => members.get("data").and_then(items),
        Err(_) => serde_json::from_str(text).ok(),
    };
    let list = list.ok_or(BadModelList::NotAList)?;
    if list.len() > MODELS_MAX {
        return Err(BadModelList::TooMany(list.len()));
    }
    let name = |entry: &serde_json::value::RawValue| Members::parse(entry.get()).ok()?.string("id");
    Ok(list.into_iter().filter_map(name).filter(|name| is_model_name(name)).collect())
}

/// Our own list, as `GET /v1/models` answers it. `created_unix_s` is the same for all: since when
/// the gateway offers them.
#[must_use]
pub fn models_answer<'a>(names: impl IntoIterator<Item = &'a str>, created_unix_s: i64) -> Bytes {
    let entry = |name: &str| json!({"id": name, "object": "model", "created": created_unix_s, "owned_by": "gatehouse"});
    let data: Vec<_> = names.into_iter().map(entry).collect();
    Bytes::from(json!({"object": "list", "data": data}).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MODEL_NAME_BYTES_MAX;

    #[test]
    fn our_list_reads_back() {
        let body = models_answer(["fast", "gpt-\"x\""], 7);
        assert_eq!(models_from_list(&body), Ok(vec!["fast".to_owned(), "gpt-\"x\"".to_owned()]));
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(value["object"], "list");
        assert_eq!(value["data"][0]["object"], "model");
        assert_eq!(value["data"][0]["created"], 7);
    }

    #[test]
    fn a_bare_array_is_read_and_useless_names_are_left_out() {
        let long = "x".repeat(MODEL_NAME_BYTES_MAX + 1);
        let body =
            format!(r#"[{{"id":"a"}},{{"id":""}},{{"id":"b\n"}},{{"id":3}},7,{{"id":"{long}"}}]"#);
        assert_eq!(models_from_list(body.as_bytes()), Ok(vec!["a".to_owned()]));
    }

    #[test]
    fn the_limit_and_other_shapes_are_refused() {
        let many = |count: usize| {
            let ids: Vec<_> = (0..count).map(|n| format!(r#"{{"id":"{n}"}}"#)).collect();
            models_from_list(format!(r#"{{"data":[{}]}}"#, ids.join(",")).as_bytes())
        };
        assert_eq!(many(MODELS_MAX).map(|names| names.len()), Ok(MODELS_MAX));
        assert_eq!(many(MODELS_MAX + 1), Err(BadModelList::TooMany(MODELS_MAX + 1)));
        for body in ["", "<html>", "{}", r#"{"data":{}}"#, "[1", "\"x\""] {
            assert_eq!(models_from_list(body.as_bytes()), Err(BadModelList::NotAList), "{body}");
        }
    }
}
