//! Removes thinking that Anthropic did not issue from requests that otherwise pass through.
//!
//! A conversation that another provider began, or that a route moved here, sends back thinking with
//! a marked or an empty signature, which Anthropic refuses with a 400
//! (CommonstackAI/UncommonRoute#19). Everything else stays byte for byte.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::model_features::checks_signatures;
use crate::json::{Members, array_items, range_in, replace_ranges};
use crate::neutral::ThoughtSignature;

/// A body without any of these has no foreign thinking. The empty signature is written as the usual
/// JSON libraries write it.
const MARKS: [&str; 3] =
    [ThoughtSignature::FOREIGN_PREFIX, r#""signature":"""#, r#""signature": """#];

/// Returns the body for `model` without foreign thinking, and the paths of what was removed.
pub(crate) fn remove_foreign_thinking(body: Bytes, model: &str) -> (Bytes, Vec<String>) {
    let text = std::str::from_utf8(&body).unwrap_or_default();
    if !checks_signatures(model) || !MARKS.iter().any(|mark| text.contains(mark)) {
        return (body, Vec::new());
    }
    let Ok(root) = Members::parse(text) else { return (body, Vec::new()) };
    let Some(messages) = root.get("messages") else { return (body, Vec::new()) };
    let mut dropped = Vec::new();
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for (at, message) in array_items(messages).unwrap_or_default().into_iter().enumerate() {
        kept.extend(without_foreign_thinking(message.get(), at, &mut dropped));
    }
    if dropped.is_empty() {
        return (body, dropped);
    }
    let mut edits: Vec<(Range<usize>, String)> =
        vec![(range_in(text, messages.get()), format!("[{}]", kept.join(",")))];
    if root.object("thinking").string("type").as_deref() == Some("enabled")
        && continues_without_thinking(&kept)
    {
        // Calls that were made without thinking cannot continue with it, and there is none to clear.
        if let Some(thinking) = root.get("thinking") {
            edits.push((range_in(text, thinking.get()), r#"{"type":"disabled"}"#.to_owned()));
            dropped.insert(0, "thinking".to_owned());
        }
        if let Some(edit) = root.get("context_management")
            && edit.get().contains("clear_thinking")
        {
            edits.push((range_in(text, edit.get()), "null".to_owned()));
            dropped.insert(1, "context_management".to_owned());
        }
    }
    edits.sort_by_key(|(range, _)| range.start);
    let edits: Vec<_> = edits.iter().map(|(range, text)| (range, text.as_str())).collect();
    (replace_ranges(&body, &edits), dropped)
}

/// The message without foreign thinking; `None` if nothing is left of it.
fn without_foreign_thinking<'a>(
    message: &'a str,
    at: usize,
    dropped: &mut Vec<String>,
) -> Option<Cow<'a, str>> {
    let content = Members::parse(message).ok().and_then(|members| members.get("content"));
    let Some((content, blocks)) =
        content.and_then(|content| Some((content, array_items(content)?)))
    else {
        return Some(message.into());
    };
    let foreign = |(_, block): &(usize, &RawValue)| is_foreign_thinking(block.get());
    let (removed, kept): (Vec<_>, Vec<_>) = blocks.into_iter().enumerate().partition(foreign);
    if removed.is_empty() {
        return Some(message.into());
    }
    dropped.extend(removed.iter().map(|(place, _)| format!("messages[{at}].content[{place}]")));
    let kept: Vec<&str> = kept.iter().map(|(_, block)| block.get()).collect();
    let range = range_in(message, content.get());
    let (before, after) = (message.get(..range.start)?, message.get(range.end..)?);
    (!kept.is_empty()).then(|| format!("{before}[{}]{after}", kept.join(",")).into())
}

fn is_foreign_thinking(block: &str) -> bool {
    let Ok(block) = Members::parse(block) else { return false };
    let field = match block.string("type").as_deref() {
        Some("thinking") => "signature",
        Some("redacted_thinking") => "data",
        _ => return false,
    };
    let signature = block.string(field).unwrap_or_default();
    signature.is_empty() || signature.starts_with(ThoughtSignature::FOREIGN_PREFIX)
}

/// True if the tool loop that the request continues began without thinking. Only the first turn of a
/// loop has to begin with it.
fn continues_without_thinking(messages: &[Cow<'_, str>]) -> bool {
    let mut first: Option<Vec<String>> = None;
    for message in messages.iter().rev() {
        let Ok(members) = Members::parse(message) else { break };
        let blocks = members.get("content").and_then(array_items).unwrap_or_default();
        let types: Vec<String> = blocks
            .into_iter()
            .filter_map(|block| Members::parse(block.get()).ok()?.string("type"))
            .collect();
        let has = |kind: &str| types.iter().any(|it| it == kind);
        if members.string("role").as_deref() == Some("assistant") {
            if !has("tool_use") {
                break;
            }
            first = Some(types);
        } else if !has("tool_result") {
            break;
        }
    }
    first.is_some_and(|types| !types.first().is_some_and(|kind| kind.ends_with("thinking")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn removed(body: &Value) -> (Value, Vec<String>) {
        let (body, dropped) = remove_foreign_thinking(Bytes::from(body.to_string()), "claude-echo");
        (serde_json::from_slice(&body).expect("JSON"), dropped)
    }

    #[test]
    fn own_thinking_passes_byte_for_byte() {
        let body = r#"{ "messages": [{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"Eo0="}]}], "x":"gh1."}"#;
        let (left, dropped) =
            remove_foreign_thinking(Bytes::from_static(body.as_bytes()), "claude-echo");
        assert_eq!((left, dropped), (Bytes::from_static(body.as_bytes()), Vec::new()));
    }

    #[test]
    fn marked_and_unsigned_thinking_is_removed_and_named() {
        let text = json!({"type": "text", "text": "hi"});
        let (left, dropped) = removed(&json!({"messages": [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "a", "signature": "gh1.gemini.QUJD"}, text,
                {"type": "redacted_thinking", "data": "gh1.openai_responses.QUJD"}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "b", "signature": ""}]},
            {"role": "user", "content": "two"}]}));
        let turns = left["messages"].as_array().expect("turns");
        assert_eq!((turns.len(), &turns[1]["content"]), (3, &json!([text])));
        let paths = ["messages[1].content[0]", "messages[1].content[2]", "messages[2].content[0]"];
        assert_eq!(dropped, paths);
    }

    #[test]
    fn calls_made_without_thinking_continue_without_it() {
        let call = json!({"type": "tool_use", "id": "t", "name": "n", "input": {}});
        let thought = json!({"type": "thinking", "thinking": "", "signature": ""});
        let body = |kind: &str| {
            json!({"thinking": {"type": kind}, "context_management": {"edits": [{"type": "clear_thinking_20251015"}]}, "messages": [
                {"role": "assistant", "content": [thought, call]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]})
        };
        let (left, dropped) = removed(&body("enabled"));
        assert_eq!(left["thinking"], json!({"type": "disabled"}));
        assert!(left["context_management"].is_null());
        assert_eq!(dropped, ["thinking", "context_management", "messages[0].content[0]"]);
        assert_eq!(left["messages"][0]["content"], json!([call]));
        let (left, dropped) = removed(&body("adaptive"));
        assert_eq!((&left["thinking"]["type"], dropped.len()), (&json!("adaptive"), 1));
        // A loop that the model itself began with thinking goes on with it.
        let own = json!({"type": "thinking", "thinking": "", "signature": "Eo0="});
        let result =
            json!({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]});
        let (left, dropped) = removed(&json!({"thinking": {"type": "enabled"}, "messages": [
            {"role": "assistant", "content": [thought, {"type": "text", "text": "hi"}]},
            {"role": "user", "content": "go"},
            {"role": "assistant", "content": [own, call]}, result,
            {"role": "assistant", "content": [call]}, result]}));
        assert_eq!(left["thinking"]["type"], "enabled");
        assert_eq!(dropped, ["messages[0].content[0]"]);
    }
}
