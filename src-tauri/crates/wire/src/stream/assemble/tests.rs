//! Irregular answers of providers, and the events assembled from them.

use std::sync::Arc;

use super::*;
use crate::neutral::{
    CallKey, CallKind, ContentPart, FinishReason, PartDelta, PartHead, ThoughtSignature,
};
use crate::stream::fold::fold_events;
use crate::test_requests::request;

fn text(text: &str) -> ProviderEvent {
    ProviderEvent::Text { choice: 0, text: text.to_owned() }
}

fn thinking(text: &str) -> ProviderEvent {
    ProviderEvent::Thinking { choice: 0, text: text.to_owned() }
}

fn signed(data: &str) -> ProviderEvent {
    let signature = ThoughtSignature { origin: domain::Dialect::Gemini, data: data.to_owned() };
    ProviderEvent::Signature { choice: 0, signature }
}

fn call(index: Option<u64>, id: &str, name: &str, arguments: &str) -> ProviderEvent {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ProviderEvent::Call {
        choice: 0,
        key: CallKey::Index(index),
        id: some(id),
        name: some(name),
        kind: CallKind::Function,
        arguments: arguments.to_owned(),
    }
}

fn finish(reason: FinishReason) -> ProviderEvent {
    let finish = Finish { reason, word: "w".to_owned(), stop_sequence: None };
    ProviderEvent::Finish { choice: 0, finish }
}

fn run(pieces: Vec<ProviderEvent>) -> Result<Vec<AnswerEvent>, StreamFault> {
    let mut assembler = Assembler::new(Arc::default(), "s");
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(assembler.push_event(piece)?);
    }
    Ok(events)
}

/// A short form of the answer, after checking that indexes are contiguous and each start has one
/// stop.
fn summary(pieces: Vec<ProviderEvent>) -> Vec<String> {
    let events = run(pieces).expect("no fault");
    in_order(&events);
    let answer = fold_events(events);
    let choice = answer.choices.first().expect("a choice");
    let mut summary: Vec<String> = choice.parts.iter().map(show).collect();
    summary.extend(choice.finish.as_ref().map(|finish| format!("{:?}", finish.reason)));
    summary
}

fn in_order(events: &[AnswerEvent]) {
    let (mut next, mut open) = (0, None);
    for event in events {
        match event {
            AnswerEvent::Start { index, .. } => {
                assert_eq!((*index, open), (next, None), "{events:?}");
                (open, next) = (Some(*index), next + 1);
            }
            AnswerEvent::Delta { index, .. } => assert_eq!(open, Some(*index), "{events:?}"),
            AnswerEvent::Stop { index, .. } => assert_eq!(open.take(), Some(*index), "{events:?}"),
            AnswerEvent::Finish { .. } => assert_eq!(open, None, "{events:?}"),
            AnswerEvent::Begin { .. } | AnswerEvent::End { .. } => {}
        }
    }
    assert_eq!(open, None, "{events:?}");
}

fn show(part: &ContentPart) -> String {
    match part {
        ContentPart::Text { text, .. } => format!("text {text}"),
        ContentPart::Thinking { text, signature } => {
            format!("thinking {text}{}", signature.as_ref().map_or("", |s| s.data.as_str()))
        }
        ContentPart::ToolCall(call) => format!("{} {}({})", call.id, call.name, call.arguments),
        other => format!("{other:?}"),
    }
}

/// litellm#18238: the tool's name was lost when text and call came in one delta.
#[test]
fn class_2_f53_text_and_call_in_one_delta_are_both_kept() {
    let pieces = vec![
        text("I look. "),
        call(Some(0), "a", "get", "{\"x\""),
        call(Some(0), "", "", ":1}"),
        finish(FinishReason::ToolUse),
    ];
    assert_eq!(summary(pieces), ["text I look. ", "a get({\"x\":1})", "ToolUse"]);
}

/// litellm#15884, #36262.
#[test]
fn class_3_f51_ids_indexes_and_names_may_be_missing_or_repeated() {
    let pieces = vec![
        call(None, "", "get", ""),
        call(None, "", "get", "{"),
        call(None, "", "get", "}"),
        call(None, "b", "put", "null"),
        call(Some(7), "", "", "{\"late\":"),
        call(Some(7), "c", "del", "1}"),
        finish(FinishReason::EndTurn),
    ];
    let summary = summary(pieces);
    assert_eq!(summary[1..], ["b put({})", "c del({\"late\":1})", "ToolUse"]);
    assert_eq!(summary[0], "call_s_0_0 get({})");
    let twice = vec![
        call(Some(0), "a", "get", "{}"),
        call(Some(1), "a", "get", "{}"),
        finish(FinishReason::ToolUse),
    ];
    let ids: Vec<_> = self::summary(twice).into_iter().take(2).collect();
    assert_eq!(ids, ["a get({})", "call_s_0_1 get({})"], "an id that stands twice is made unique");
}

/// litellm#21331, #17425, #15307: all calls numbered zero, phantom empty calls.
#[test]
fn class_4_calls_that_are_all_numbered_zero_are_distinguished() {
    let pieces = vec![
        call(Some(0), "a", "get", "{\"n\":1}"),
        call(Some(0), "b", "get", "{\"n\":2}"),
        call(Some(1), "", "", ""),
        finish(FinishReason::ToolUse),
    ];
    assert_eq!(summary(pieces), ["a get({\"n\":1})", "b get({\"n\":2})", "ToolUse"]);
    let without_ids = vec![
        call(Some(0), "", "get", "{\"n\":1}"),
        call(Some(0), "", "get", "{\"n\":2}"),
        finish(FinishReason::ToolUse),
    ];
    let summary = summary(without_ids);
    assert!(
        summary[0].ends_with("get({\"n\":1})") && summary[1].ends_with("get({\"n\":2})"),
        "{summary:?}"
    );
}

/// litellm#34692.
#[test]
fn class_5_calls_end_with_tool_use_and_no_blank_text_leads() {
    let pieces = vec![text(""), call(Some(0), "a", "get", ""), finish(FinishReason::EndTurn)];
    assert_eq!(summary(pieces), ["a get({})", "ToolUse"]);
    let none = vec![text("hi"), finish(FinishReason::ToolUse)];
    assert_eq!(summary(none), ["text hi", "EndTurn"]);
}

#[test]
fn f52_interleaved_calls_come_one_after_the_other() {
    let pieces = vec![
        call(Some(0), "a", "get", "{\"x\":"),
        call(Some(1), "b", "put", "{\"y\":"),
        call(Some(0), "", "", "1}"),
        text("then"),
        call(Some(1), "", "", "2}"),
        finish(FinishReason::ToolUse),
    ];
    let events = run(pieces.clone()).expect("no fault");
    let first = AnswerEvent::Delta {
        choice: 0,
        index: 0,
        delta: PartDelta::Arguments("{\"x\":".to_owned()),
    };
    assert_eq!(events[2], first, "the first call streams at once");
    assert_eq!(summary(pieces), ["a get({\"x\":1})", "b put({\"y\":2})", "text then", "ToolUse"]);
}

#[test]
fn f54_arguments_that_are_no_json_stay_as_they_are() {
    for (given, kept) in [
        ("not json", "not json"),
        ("{\"a\":", "{\"a\":"),
        (" ", "{}"),
        ("\"{\\\"a\\\":1}\"", "{\"a\":1}"),
        ("\"\"", "{}"),
        ("[1]", "[1]"),
    ] {
        let pieces = vec![call(Some(0), "a", "get", given), finish(FinishReason::ToolUse)];
        assert_eq!(summary(pieces)[0], format!("a get({kept})"), "{given}");
    }
    let nameless = vec![call(Some(0), "a", "", "{}"), finish(FinishReason::ToolUse)];
    assert_eq!(run(nameless), Err(StreamFault::NamelessToolCall));
}

#[test]
fn f13_the_first_reason_counts_and_late_calls_are_a_fault() {
    let mut assembler = Assembler::new(Arc::default(), "s");
    for piece in
        [text("a"), finish(FinishReason::MaxTokens), text("b"), finish(FinishReason::EndTurn)]
    {
        assembler.push_event(piece).expect("no fault");
    }
    assert_eq!(assembler.late_events(), 1);
    assert_eq!(assembler.facts().content_bytes, 1);
    let late = assembler.push_event(call(Some(0), "a", "get", "{}"));
    assert_eq!(late, Err(StreamFault::LateToolCall));
}

/// litellm#25322; Gemini signs the call, not the thought before it.
#[test]
fn class_9_a_signature_stands_before_the_part_it_belongs_to() {
    let pieces = vec![
        thinking("hm"),
        signed("S1"),
        text("so"),
        signed("S2"),
        call(Some(0), "a", "get", "{}"),
        finish(FinishReason::EndTurn),
    ];
    let expected = ["thinking hmS1", "text so", "thinking S2", "a get({})", "ToolUse"];
    assert_eq!(summary(pieces), expected);
    let alone = vec![signed("S"), finish(FinishReason::EndTurn)];
    assert_eq!(summary(alone), ["thinking S", "EndTurn"]);
}

#[test]
fn an_answer_begins_once_and_ends_only_when_it_said_why() {
    let begin = ProviderEvent::Begin { id: Some("i".to_owned()), model: Some("m".to_owned()) };
    let events = run(vec![begin.clone(), text("a"), ProviderEvent::End]).expect("no fault");
    assert!(matches!(&events[0], AnswerEvent::Begin { id: Some(id), .. } if id == "i"));
    assert!(!events.iter().any(|event| matches!(event, AnswerEvent::End { .. })), "it was cut");
    let mut whole = vec![begin, text("a"), finish(FinishReason::EndTurn), ProviderEvent::End];
    let events = run(whole.clone()).expect("no fault");
    assert_eq!(events.last(), Some(&AnswerEvent::End { usage: None }));
    whole.remove(0);
    assert!(matches!(run(whole).expect("no fault")[0], AnswerEvent::Begin { id: None, .. }));
}

#[test]
fn free_text_tools_are_unwrapped_and_limits_hold() {
    let mut asked = request("hi");
    asked.tools.push(crate::neutral::ToolDefinition {
        name: "patch".to_owned(),
        namespace: None,
        description: None,
        kind: crate::neutral::ToolKind::Custom { format: None },
        cache: None,
    });
    let names = Arc::new(ToolNames::for_request(&asked, domain::Dialect::OpenAiChat));
    let mut assembler = Assembler::new(names, "s");
    let mut events = Vec::new();
    for piece in [
        call(Some(0), "a", "patch", "{\"input\":\"*** Beg"),
        call(Some(0), "", "", "in\"}"),
        finish(FinishReason::ToolUse),
    ] {
        events.extend(assembler.push_event(piece).expect("no fault"));
    }
    let head = events.iter().find_map(|event| match event {
        AnswerEvent::Start { head: PartHead::Call { kind, .. }, .. } => Some(*kind),
        _ => None,
    });
    assert_eq!(head, Some(CallKind::Custom));
    let answer = fold_events(events);
    assert!(
        matches!(&answer.choices[0].parts[0], ContentPart::ToolCall(c) if c.arguments == "*** Begin")
    );

    let big = "x".repeat(BUFFERED_BYTES_MAX / 2);
    let held = |pieces| run(pieces).map(|events| events.len());
    let first = call(Some(0), "a", "get", "{");
    let one = vec![first, call(Some(1), "b", "put", &big)];
    assert!(held(one.clone()).is_ok());
    let two = [one, vec![call(Some(1), "", "", &big), call(Some(1), "", "", "x")]].concat();
    assert_eq!(held(two), Err(StreamFault::AnswerTooLarge));
    let far = ProviderEvent::Text { choice: u32::MAX, text: "x".to_owned() };
    assert_eq!(run(vec![far]), Err(StreamFault::TooManyChoices));
}
