//! Tests of streams from backends.

use domain::Meter;

use super::*;
use crate::dialect::translation::StreamReader as _;
use crate::neutral::FinishReason;
use crate::{SseDecoder, UpstreamClass};

fn pieces(events: &[&str]) -> Vec<ProviderEvent> {
    let mut reader = StreamReader::default();
    let mut decoder = SseDecoder::new();
    let mut out = Vec::new();
    for event in events {
        decoder.push(format!("event: x\ndata: {event}\n\n").as_bytes());
        while let Some(event) = decoder.next_event().expect("small") {
            out.extend(reader.read(&event).expect("an event"));
        }
    }
    out
}

fn text(text: &str) -> ProviderEvent {
    ProviderEvent::Text { choice: 0, text: text.to_owned() }
}

#[test]
fn a_stream_says_what_it_says() {
    let read = pieces(&[
        r#"{"type":"message_start","message":{"id":"msg_1","model":"claude-x","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"hm"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"Eq"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"QB"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"Emw"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"Hi\ud800"}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"citations_delta","citation":{}}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"something_new"}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence","stop_sequence":"END"},"usage":{"output_tokens":25}}"#,
        r#"{"type":"message_stop"}"#,
    ]);
    let signed = |data: &str| own_signature(data.to_owned());
    let kept: Vec<&ProviderEvent> =
        read.iter().filter(|piece| !matches!(piece, ProviderEvent::Usage(_))).collect();
    let finish = crate::neutral::Finish {
        reason: FinishReason::StopSequence,
        word: "stop_sequence".to_owned(),
        stop_sequence: Some("END".to_owned()),
    };
    let expected = [
        ProviderEvent::Begin { id: Some("msg_1".to_owned()), model: Some("claude-x".to_owned()) },
        ProviderEvent::Thinking { choice: 0, text: "hm".to_owned() },
        ProviderEvent::Signature { choice: 0, signature: signed("EqQB") },
        ProviderEvent::PartDone { choice: 0 },
        ProviderEvent::RedactedThinking { choice: 0, signature: signed("Emw") },
        text("Hi\u{fffd}"),
        ProviderEvent::PartDone { choice: 0 },
        ProviderEvent::Finish { choice: 0, finish },
        ProviderEvent::End,
    ];
    assert_eq!(kept, expected.iter().collect::<Vec<_>>());
    let Some(ProviderEvent::Usage(last)) =
        read.iter().rev().find(|p| matches!(p, ProviderEvent::Usage(_)))
    else {
        panic!("usage")
    };
    assert_eq!((last.tokens().input(), last.tokens().output()), (15, 25));
}

fn arguments(read: &[ProviderEvent]) -> Vec<(Option<u64>, Option<&str>, &str)> {
    read.iter()
        .filter_map(|piece| match piece {
            ProviderEvent::Call { key: CallKey::Index(index), name, arguments, .. } => {
                Some((*index, name.as_deref(), arguments.as_str()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn f51_calls_are_read_however_their_arguments_come() {
    let read = pieces(&[
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"x\":"}}"#,
        r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"b","name":"g","input":{"y":1e400}}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"server_tool_use","id":"c","name":"web_search","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
    ]);
    let expected = [
        (Some(1), Some("f"), ""),
        (Some(1), None, r#"{"x":"#),
        (Some(1), None, "1}"),
        (Some(2), Some("g"), ""),
        (Some(2), None, r#"{"y":1e400}"#),
    ];
    assert_eq!(arguments(&read), expected);
    let done = |index| ProviderEvent::CallDone { choice: 0, key: CallKey::Index(Some(index)) };
    assert!(read.contains(&done(1)) && read.contains(&done(2)) && !read.contains(&done(3)));
}

#[test]
fn f46_errors_in_the_stream_are_classed() {
    for event in [
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
        r#"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    ] {
        let [ProviderEvent::Error(error)] = &pieces(&[event])[..] else { panic!("an error") };
        assert_eq!((error.status, error.class), (529, UpstreamClass::Overloaded));
        assert_eq!(error.message, "Overloaded");
    }
}

#[test]
fn odd_events_say_nothing_and_broken_ones_are_faults() {
    let odd = ["{}", "[DONE]", r#"{"type":3}"#, r#"{"type":"content_block_delta"}"#];
    assert_eq!(pieces(&odd), []);
    assert_eq!(pieces(&[r#"{"type":"message_delta","delta":{"stop_reason":null}}"#]), []);
    let mut decoder = SseDecoder::new();
    decoder.push(b"data: {\"type\n\n");
    let event = decoder.next_event().expect("small").expect("whole");
    let read = StreamReader::default().read(&event);
    assert_eq!(read, Err(StreamFault::NotJson));
}

/// A signature-only block between texts keeps its place (strands-agents/harness-sdk#2704).
#[test]
fn class_11_signature_only_thinking_is_read() {
    let read = pieces(&[
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":"EqQB"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
    ]);
    let signature = own_signature("EqQB".to_owned());
    assert_eq!(
        read,
        [ProviderEvent::Signature { choice: 0, signature }, ProviderEvent::PartDone { choice: 0 }]
    );
}

#[test]
fn any_value_at_any_place_of_an_event_is_read_or_ignored() {
    let events = [
        r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#,
        r#"{"type":"error","error":{"type":"api_error","message":"m"}}"#,
    ];
    let values = ["null", "0", "-1", "1.5", "\"\"", "\"\\ud800\"", "[]", "{}", "1e400", "true"];
    for event in events {
        let starts = event.match_indices(':').map(|(at, _)| at + 1);
        for start in starts {
            for value in values {
                // The value at this position, up to the next delimiter at the same depth.
                let mut depth = 0_i32;
                let length = event[start..].find(|c: char| {
                    depth += match c {
                        '{' | '[' => 1,
                        '}' | ']' => -1,
                        _ => 0,
                    };
                    depth < 0 || depth == 0 && c == ','
                });
                let end = start + length.expect("an end");
                let odd = format!("{}{value}{}", &event[..start], &event[end..]);
                if serde_json::from_str::<&RawValue>(&odd).is_ok() {
                    let _any = pieces(&[&odd]);
                }
            }
        }
    }
}

#[test]
fn tools_that_the_provider_runs_are_counted_as_they_begin() {
    let call = |name: &str| {
        format!(
            r#"{{"type":"content_block_start","index":0,"content_block":{{"type":"server_tool_use","id":"s","name":"{name}","input":{{}}}}}}"#
        )
    };
    let calls = ["web_search", "web_search", "tool_search_tool_bm25", "bash_code_execution", "new"];
    let calls = calls.map(call);
    let read = pieces(&calls.each_ref().map(String::as_str));
    let counted = read.iter().map(|piece| match piece {
        ProviderEvent::BilledBeside(usage) => {
            let [searches, runs] =
                [Meter::WebSearch, Meter::CodeExecution].map(|meter| usage.quantities.get(meter));
            (searches, runs, usage.unread.as_deref())
        }
        other => panic!("{other:?}"),
    });
    let expected = [
        (1, 0, None),
        (2, 0, None),
        (2, 0, None),
        (2, 1, None),
        (2, 1, Some("server_tool_use: new")),
    ];
    assert_eq!(counted.collect::<Vec<_>>(), expected);
}
