//! Results of tools: the structured view, a sentence of it, and the same as JSON text for clients that
//! read no structured results.

use control::{ApiError, ErrorCode};
use rmcp::model::{CallToolResult, ContentBlock};
use serde_json::{Value, json};

/// A list has no place at the root of a result, so it stands under this name.
pub(crate) const LIST_FIELD: &str = "items";

/// Where the views have the sentence that says it all.
const SENTENCES: &[&str] = &["/verdict/sentence", "/sentence", "/finding", "/run/sentence"];

pub(crate) fn view_result(view: Value) -> CallToolResult {
    let view = match view {
        Value::Object(_) => view,
        list => json!({ LIST_FIELD: list }),
    };
    let sentence = SENTENCES.iter().find_map(|path| view.pointer(path)?.as_str());
    let texts = sentence.map(str::to_owned).into_iter().chain([view.to_string()]);
    let mut result = CallToolResult::success(texts.map(ContentBlock::text).collect());
    result.structured_content = Some(view);
    result
}

/// An error as the agent reads it. It says what happened and what to do.
pub(crate) fn error_result(error: &ApiError) -> CallToolResult {
    let field = error.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
    let hint = error.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
    let text = domain::redact(&format!("{field}{}{hint}", error.message)).into_owned();
    CallToolResult::error(vec![ContentBlock::text(text)])
}

pub(crate) fn cancelled_error() -> ApiError {
    ApiError::failed("the call was cancelled")
}

pub(crate) fn timed_out_error(what: &str, secs: u64) -> ApiError {
    ApiError {
        code: ErrorCode::TimedOut,
        message: format!("{what} did not finish within {secs} s and was stopped"),
        hint: None,
        field: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_an_object_and_a_sentence_comes_first() {
        let listed = view_result(json!([1, 2]));
        assert_eq!(listed.structured_content, Some(json!({"items": [1, 2]})));
        let told = view_result(json!({"finding": "Nothing was spent.", "totals": 0}));
        let texts: Vec<String> =
            told.content.iter().filter_map(|one| Some(one.as_text()?.text.clone())).collect();
        assert_eq!(texts.first().map(String::as_str), Some("Nothing was spent."));
        assert_eq!(texts.get(1), told.structured_content.map(|view| view.to_string()).as_ref());
    }

    #[test]
    fn an_error_names_the_field_and_what_to_do() {
        let error = ApiError::invalid("days", "1 to 28").with_hint("Ask for fewer days.");
        let result = error_result(&error);
        assert_eq!(result.is_error, Some(true));
        let text = result.content.first().and_then(|one| Some(one.as_text()?.text.clone()));
        assert_eq!(text.as_deref(), Some("days: 1 to 28\nAsk for fewer days."));
    }
}
