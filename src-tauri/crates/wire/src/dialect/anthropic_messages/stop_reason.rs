//! Reads and writes `stop_reason`.

use crate::neutral::{Finish, FinishReason};

/// Maps a `stop_reason`. An unknown word is kept and counts as a fault, never as a normal stop
/// (litellm#25825).
pub(super) fn read_stop_reason(word: String, stop_sequence: Option<String>) -> Finish {
    let reason = match word.as_str() {
        "end_turn" => FinishReason::EndTurn,
        "stop_sequence" => FinishReason::StopSequence,
        "max_tokens" => FinishReason::MaxTokens,
        "model_context_window_exceeded" => FinishReason::ContextWindow,
        "tool_use" => FinishReason::ToolUse,
        "refusal" => FinishReason::Refusal,
        // `compaction` also returns a turn that is to be continued.
        "pause_turn" | "compaction" => FinishReason::Pause,
        _ => FinishReason::Fault,
    };
    Finish { reason, word, stop_sequence }
}

/// The `stop_reason` for a client. If the answer has calls, a normal end becomes `tool_use`: agents
/// run tools only after it (litellm#34692).
///
/// The dialect has no word for a fault of the model (Gemini's `MALFORMED_FUNCTION_CALL`). `refusal`
/// is its only word for an answer that must not count as complete.
pub(super) const fn write_stop_reason(finish: Option<&Finish>, has_calls: bool) -> &'static str {
    let Some(finish) = finish else { return if has_calls { "tool_use" } else { "end_turn" } };
    match (finish.reason, has_calls) {
        (FinishReason::EndTurn | FinishReason::ToolUse, true) => "tool_use",
        (FinishReason::EndTurn | FinishReason::ToolUse, false) => "end_turn",
        (FinishReason::StopSequence, _) => "stop_sequence",
        (FinishReason::MaxTokens, _) => "max_tokens",
        (FinishReason::ContextWindow, _) => "model_context_window_exceeded",
        (FinishReason::Refusal | FinishReason::Fault, _) => "refusal",
        (FinishReason::Pause, _) => "pause_turn",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// litellm#25825, #37710; ironclaw#6697 and #34692.
    #[test]
    fn class_5_and_6_reasons_are_kept_and_tools_are_reported() {
        let words = [
            ("end_turn", FinishReason::EndTurn),
            ("stop_sequence", FinishReason::StopSequence),
            ("max_tokens", FinishReason::MaxTokens),
            ("model_context_window_exceeded", FinishReason::ContextWindow),
            ("refusal", FinishReason::Refusal),
            ("pause_turn", FinishReason::Pause),
        ];
        for (word, reason) in words {
            let finish = read_stop_reason(word.to_owned(), None);
            assert_eq!(finish.reason, reason);
            assert_eq!(write_stop_reason(Some(&finish), false), word);
        }
        let tools = read_stop_reason("tool_use".to_owned(), None);
        assert_eq!(write_stop_reason(Some(&tools), true), "tool_use");
        assert_eq!(write_stop_reason(Some(&tools), false), "end_turn");
        let ended = read_stop_reason("end_turn".to_owned(), None);
        assert_eq!(write_stop_reason(Some(&ended), true), "tool_use");
        let cut = read_stop_reason("max_tokens".to_owned(), None);
        assert_eq!(write_stop_reason(Some(&cut), true), "max_tokens");
        let unknown = read_stop_reason("something_new".to_owned(), None);
        assert_eq!((unknown.reason, unknown.word.as_str()), (FinishReason::Fault, "something_new"));
        assert_eq!(write_stop_reason(Some(&unknown), false), "refusal");
    }
}
