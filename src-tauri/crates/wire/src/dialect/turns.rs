//! Arranges turns as Anthropic, Gemini and Ollama require: user and assistant alternate, every call
//! is answered in the next turn, instructions come first.

use std::collections::VecDeque;

use crate::neutral::{ContentPart, ConversationTurn, Role, ToolCall, ToolResult};

/// Text of the user turn that is inserted before a conversation that begins with the model's turn.
const OPENING_TEXT: &str = "(continue)";

/// Splits off the leading system parts and folds later instructions, marked as such and in order,
/// into the adjacent user turns. Later ones are never moved to the top: that would change the
/// cached prefix and what the model had seen when it answered.
pub(crate) fn split_system(
    messages: &[ConversationTurn],
) -> (Vec<ContentPart>, Vec<ConversationTurn>) {
    let leading = messages.iter().take_while(|message| message.role == Role::System).count();
    let (top, rest) = messages.split_at(leading);
    let system = top.iter().flat_map(|message| message.parts.iter().cloned()).collect();
    let folded = rest.iter().map(|message| match message.role {
        Role::System => ConversationTurn {
            role: Role::User,
            parts: message.parts.iter().map(as_late_instruction).collect(),
        },
        Role::User | Role::Assistant => message.clone(),
    });
    (system, folded.collect())
}

fn as_late_instruction(part: &ContentPart) -> ContentPart {
    match part {
        ContentPart::Text { text, cache } => {
            ContentPart::Text { text: format!("<system>\n{text}\n</system>"), cache: cache.clone() }
        }
        other => other.clone(),
    }
}

/// Makes turns alternate, beginning with the user's. Adjacent turns of one role are merged, blank
/// texts dropped. The results of a turn's calls come first in the next turn, complete (a missing
/// one becomes empty) and in the order of the calls; a result without its call becomes text. System
/// turns must be split off before.
pub(crate) fn alternate_turns(messages: Vec<ConversationTurn>) -> Vec<ConversationTurn> {
    let mut turns = merge_adjacent(messages);
    if turns.front().is_some_and(|first| first.role == Role::Assistant) {
        turns.push_front(ConversationTurn {
            role: Role::User,
            parts: vec![ContentPart::text(OPENING_TEXT)],
        });
    }
    let mut paired: Vec<ConversationTurn> = Vec::with_capacity(turns.len());
    let mut calls: Vec<ToolCall> = Vec::new();
    while let Some(mut turn) = turns.pop_front() {
        if turn.role == Role::User {
            turn.parts = order_results(&calls, turn.parts, &mut turns);
        }
        calls = turn.parts.iter().filter_map(as_tool_call).cloned().collect();
        if !turn.parts.is_empty() {
            paired.push(turn);
        }
    }
    // Turns that held only a moved result are gone; their neighbours may now have the same role.
    merge_adjacent(paired).into()
}

fn as_tool_call(part: &ContentPart) -> Option<&ToolCall> {
    match part {
        ContentPart::ToolCall(call) => Some(call),
        _ => None,
    }
}

fn merge_adjacent(messages: Vec<ConversationTurn>) -> VecDeque<ConversationTurn> {
    let mut turns: VecDeque<ConversationTurn> = VecDeque::with_capacity(messages.len());
    for ConversationTurn { role, mut parts } in messages {
        parts.retain(
            |part| !matches!(part, ContentPart::Text { text, .. } if text.trim().is_empty()),
        );
        match turns.back_mut() {
            Some(last) if last.role == role => last.parts.append(&mut parts),
            _ if parts.is_empty() => {}
            _ => turns.push_back(ConversationTurn { role, parts }),
        }
    }
    turns
}

/// The parts of the user turn after `calls`: their results in order, then everything else.
fn order_results(
    calls: &[ToolCall],
    parts: Vec<ContentPart>,
    later: &mut VecDeque<ConversationTurn>,
) -> Vec<ContentPart> {
    let (mut results, mut others): (Vec<ToolResult>, Vec<ContentPart>) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            ContentPart::ToolResult(result) => results.push(result),
            other => others.push(other),
        }
    }
    let mut ordered: Vec<ContentPart> = Vec::new();
    for call in calls {
        let result = take_result_for(call, &mut results)
            .or_else(|| take_later_result(call, later))
            .unwrap_or_else(|| empty_result(call));
        let (call_id, name) = (call.id.clone(), Some(call.name.clone()));
        ordered.push(ContentPart::ToolResult(ToolResult {
            call_id,
            name,
            kind: call.kind,
            ..result
        }));
    }
    for orphan in results {
        ordered.extend(orphan_as_text(orphan));
    }
    ordered.append(&mut others);
    ordered
}

/// Takes the result with the call's id; else one without an id, by its name or by position.
fn take_result_for(call: &ToolCall, results: &mut Vec<ToolResult>) -> Option<ToolResult> {
    let by_id = results.iter().position(|result| result.call_id == call.id);
    let unnamed = |result: &ToolResult| result.call_id.is_empty();
    let place = by_id.or_else(|| {
        let named = |result: &ToolResult| result.name.as_deref() == Some(call.name.as_str());
        results
            .iter()
            .position(|result| unnamed(result) && named(result))
            .or_else(|| results.iter().position(|result| unnamed(result) && result.name.is_none()))
    })?;
    Some(results.remove(place))
}

/// Takes a result from a later turn.
fn take_later_result(
    call: &ToolCall,
    later: &mut VecDeque<ConversationTurn>,
) -> Option<ToolResult> {
    for turn in later.iter_mut() {
        let is_it = |part: &ContentPart| matches!(part, ContentPart::ToolResult(result) if result.call_id == call.id && !call.id.is_empty());
        if let Some(place) = turn.parts.iter().position(is_it)
            && let ContentPart::ToolResult(result) = turn.parts.remove(place)
        {
            return Some(result);
        }
    }
    None
}

fn empty_result(call: &ToolCall) -> ToolResult {
    ToolResult {
        call_id: call.id.clone(),
        name: Some(call.name.clone()),
        content: Vec::new(),
        is_error: false,
        kind: call.kind,
    }
}

/// Turns a result whose call was trimmed from the history into text, because its content still
/// counts.
fn orphan_as_text(orphan: ToolResult) -> Vec<ContentPart> {
    let name = orphan.name.unwrap_or(orphan.call_id);
    let mut parts = vec![ContentPart::text(format!("[result of the tool call {name}]"))];
    parts.extend(orphan.content);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_requests::{call, message, result};

    fn check(turns: Vec<ConversationTurn>, expected: &[(Role, &[&str])]) {
        let shown: Vec<(Role, Vec<String>)> = alternate_turns(turns)
            .into_iter()
            .map(|turn| (turn.role, turn.parts.iter().map(show).collect()))
            .collect();
        let expected: Vec<(Role, Vec<String>)> = expected
            .iter()
            .map(|(role, parts)| (*role, parts.iter().map(|part| (*part).to_owned()).collect()))
            .collect();
        assert_eq!(shown, expected);
    }

    fn show(part: &ContentPart) -> String {
        match part {
            ContentPart::Text { text, .. } => text.clone(),
            ContentPart::ToolCall(call) => format!("call {}", call.id),
            ContentPart::ToolResult(result) => {
                let content: Vec<_> = result.content.iter().map(show).collect();
                format!("result {}={}", result.call_id, content.join(","))
            }
            other => format!("{other:?}"),
        }
    }

    fn user(parts: Vec<ContentPart>) -> ConversationTurn {
        message(Role::User, parts)
    }

    fn model(parts: Vec<ContentPart>) -> ConversationTurn {
        message(Role::Assistant, parts)
    }

    #[test]
    fn neighbours_merge_and_blank_texts_go() {
        check(
            vec![
                model(vec![ContentPart::text("a")]),
                model(vec![ContentPart::text(" ")]),
                user(vec![ContentPart::text("")]),
                model(vec![ContentPart::text("b")]),
                user(vec![ContentPart::text("c")]),
                user(vec![ContentPart::text("d")]),
            ],
            &[
                (Role::User, &[OPENING_TEXT]),
                (Role::Assistant, &["a", "b"]),
                (Role::User, &["c", "d"]),
            ],
        );
    }

    /// litellm#16525, #21464, opencodex#620, OpenHands#7512: text or images in between, trimmed
    /// histories.
    #[test]
    fn class_12_every_call_is_answered_in_the_next_turn_and_first_of_all() {
        check(
            vec![
                user(vec![ContentPart::text("go")]),
                model(vec![call("1", "a", "{}"), call("2", "b", "{}")]),
                user(vec![ContentPart::text("wait"), result("2", "two")]),
                user(vec![result("1", "one")]),
                model(vec![call("3", "a", "{}"), call("4", "b", "{}")]),
                user(vec![ContentPart::text("hm")]),
                model(vec![ContentPart::text("well")]),
                user(vec![result("3", "three")]),
                model(vec![ContentPart::text("so")]),
                user(vec![result("9", "lost")]),
            ],
            &[
                (Role::User, &["go"]),
                (Role::Assistant, &["call 1", "call 2"]),
                (Role::User, &["result 1=one", "result 2=two", "wait"]),
                (Role::Assistant, &["call 3", "call 4"]),
                (Role::User, &["result 3=three", "result 4=", "hm"]),
                (Role::Assistant, &["well", "so"]),
                (Role::User, &["[result of the tool call 9]", "lost"]),
            ],
        );
    }

    /// litellm#37463: a result without text must not be lost.
    #[test]
    fn class_14_an_empty_result_is_still_a_result() {
        check(
            vec![
                user(vec![ContentPart::text("go")]),
                model(vec![call("1", "a", "{}")]),
                user(vec![result("1", "")]),
            ],
            &[(Role::User, &["go"]), (Role::Assistant, &["call 1"]), (Role::User, &["result 1="])],
        );
    }

    /// openai-agents-python#2331; opencode sends results without ids.
    #[test]
    fn class_13_results_without_ids_are_matched_by_name_and_order() {
        let unnamed = |name: Option<&str>, text: &str| {
            let ContentPart::ToolResult(result) = result("", text) else { unreachable!() };
            ContentPart::ToolResult(ToolResult { name: name.map(str::to_owned), ..result })
        };
        check(
            vec![
                user(vec![ContentPart::text("go")]),
                model(vec![call("1", "a", "{}"), call("2", "b", "{}"), call("3", "a", "{}")]),
                user(vec![unnamed(Some("b"), "B"), unnamed(Some("a"), "A"), unnamed(None, "C")]),
            ],
            &[
                (Role::User, &["go"]),
                (Role::Assistant, &["call 1", "call 2", "call 3"]),
                (Role::User, &["result 1=A", "result 2=B", "result 3=C"]),
            ],
        );
    }

    #[test]
    fn late_instructions_stay_in_their_place() {
        let text = |role, text: &str| message(role, vec![ContentPart::text(text)]);
        let (system, turns) = split_system(&[
            text(Role::System, "top"),
            text(Role::System, "more"),
            text(Role::User, "a"),
            text(Role::System, "late"),
            text(Role::Assistant, "b"),
        ]);
        assert_eq!(system.iter().map(show).collect::<Vec<_>>(), ["top", "more"]);
        check(
            turns,
            &[(Role::User, &["a", "<system>\nlate\n</system>"]), (Role::Assistant, &["b"])],
        );
    }
}
