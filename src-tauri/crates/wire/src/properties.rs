//! Property tests: no bytes cause a panic, splitting a stream changes nothing, and only two fields
//! of a passed request change.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use crate::dialect::openai_chat::{ChatTap, read_chat_answer, stream_from_answer, upstream_error};
use crate::{
    AnswerFacts, ApiSurface, ClientRequest, Delivery, Metering, SseDecoder, SseEvent,
    SseEventTooLarge, SsePayload, StreamEnd, UsageChunk,
};

mod fuzz;
mod matrix;

const CASES: u32 = 512;

/// Bytes biased towards the edge cases of event streams.
fn stream_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: &[&[u8]] = &[
        b"data:", b"data: ", b"data", b"\n", b"\n\n", b"\r", b"\r\n", b"\r\n\r\n", b": c", b"event: error",
        b"id: 1", b"\xef\xbb\xbf", b"\xc3", b"\xa9", b"x", b"[DONE]", b" ",
        b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\xc3\xa9\"}}]}\n\n",
        b"data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
        b"data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\r\n\r\n",
        b"data: {\"choices\":[{\"delta\":{\"content\":\"l\"}}],\"usage\":{\"prompt_tokens\":2}}\r\r",
        b"data: {\"error\":{\"code\":429}}\n\n", b"data: [DONE]\n\n",
    ];
    let known = prop::sample::select(pieces).prop_map(<[u8]>::to_vec);
    let piece = prop_oneof![8 => known, 1 => vec(any::<u8>(), 0..4)];
    vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Cuts `stream` into pieces whose lengths repeat `lengths`.
fn split<'a>(mut stream: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    lengths.iter().cycle().map_while(move |length| {
        let (piece, rest) = stream.split_at((*length).min(stream.len()));
        stream = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

type SseEvents = Vec<SseEvent>;

fn decode<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Result<(SseEvents, Option<SseEvent>), SseEventTooLarge> {
    let mut decoder = SseDecoder::new();
    let mut events = Vec::new();
    for piece in pieces {
        decoder.push(piece);
        while let Some(event) = decoder.next_event()? {
            events.push(event);
        }
    }
    Ok((events, decoder.finish()))
}

/// The SSE specification's algorithm, applied literally to a complete stream.
fn reference_data(stream: &[u8]) -> Vec<Vec<u8>> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let (mut dispatched, mut data, mut line) = (Vec::new(), Vec::new(), Vec::new());
    let mut bytes = stream.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte == b'\r' {
            bytes.next_if_eq(&b'\n');
        } else if byte != b'\n' {
            line.push(byte);
            continue;
        }
        if line.is_empty() {
            if data.pop().is_some() && !data.is_empty() {
                dispatched.push(std::mem::take(&mut data));
            }
            data.clear();
        } else if line == b"data" {
            data.push(b'\n');
        } else if let Some(value) = line.strip_prefix(b"data:") {
            data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
            data.push(b'\n');
        }
        line.clear();
    }
    dispatched
}

fn run_tap<'a>(
    usage: UsageChunk,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> (Vec<u8>, StreamEnd, AnswerFacts) {
    let mut tap = ChatTap::new(usage);
    let relay = pieces.flat_map(|piece| tap.feed(piece).relay.to_vec()).collect();
    let end = tap.finish();
    let facts = tap.facts().clone();
    (relay, end, facts)
}

/// A JSON value as text, with odd spacing, huge numbers and lone surrogates.
fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(
        &[
            "null",
            "true",
            "0",
            "-0.0",
            "1e400",
            "12345678901234567890123",
            "\"\"",
            "\"\\ud800\"",
            "\"a\\\"[{\"",
            "\"é\"",
            "[ ]",
            "{\t}",
        ][..],
    );
    leaf.prop_map(str::to_owned).prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(|items| format!("[ {}]", items.join(" ,"))),
            vec(inner, 0..3).prop_map(|items| {
                let member = |(n, item): (usize, &String)| format!("\"{n}\" : {item}");
                format!(
                    "{{{}}}",
                    items.iter().enumerate().map(member).collect::<Vec<_>>().join(",")
                )
            }),
        ]
    })
}

/// The members of a request in any order, with odd spacing.
fn request_text() -> impl Strategy<Value = String> {
    let options = prop::sample::select(
        &[
            "",
            "\"stream_options\":null",
            "\"stream_options\": {}",
            "\"stream_options\":{ \"x\":1}",
            "\"stream_options\":{\"include_usage\" :false}",
            "\"stream_options\":{\"include_usage\":true}",
        ][..],
    );
    let stream = prop::sample::select(&["", "\"stream\":true", "\"stream\" : false"][..]);
    let space = prop::sample::select(&["", " ", "\n\t"][..]);
    (vec(json_text(), 0..5), options, stream, space)
        .prop_map(|(values, options, stream, space)| {
            let others =
                values.iter().enumerate().map(|(n, value)| format!("\"k{n}\":{space}{value}"));
            let fixed = ["\"model\" :\"@MODEL@\"", "\"messages\":[]", options, stream];
            let fixed = fixed.into_iter().filter(|text| !text.is_empty()).map(str::to_owned);
            (fixed.chain(others).collect::<Vec<_>>(), space)
        })
        .prop_flat_map(|(members, space)| (Just(members).prop_shuffle(), Just(space)))
        .prop_map(|(members, space)| {
            format!("{space}{{{space}{}{space}}}{space}", members.join(&format!("{space},{space}")))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_split_gives_the_same_events(stream in stream_bytes(), lengths in vec(1_usize..9, 1..6)) {
        let whole = decode(std::iter::once(&stream[..]));
        prop_assert_eq!(&decode(split(&stream, &lengths)), &whole);
        prop_assert_eq!(&decode(split(&stream, &[1])), &whole);
        let (events, rest) = whole.expect("small");
        let raw: Vec<u8> = events.iter().chain(&rest).flat_map(|event| event.raw.to_vec()).collect();
        prop_assert_eq!(raw, stream);
    }

    #[test]
    fn events_are_those_of_the_specification(stream in stream_bytes()) {
        let (events, _) = decode(std::iter::once(&stream[..])).expect("small");
        let data: Vec<Vec<u8>> = events
            .iter()
            .filter_map(|event| match &event.payload {
                SsePayload::Data(data) if !data.is_empty() => Some(data.to_vec()),
                _ => None,
            })
            .collect();
        let expected = reference_data(&stream);
        // A blank line whose carriage return is the last byte still waits for its line feed.
        let waiting = usize::from(stream.ends_with(b"\r"));
        prop_assert!(expected.starts_with(&data), "{data:?} {expected:?}");
        prop_assert!(expected.len() - data.len() <= waiting, "{data:?} {expected:?}");
    }

    #[test]
    fn any_split_gives_the_same_relay_and_end(stream in stream_bytes(), lengths in vec(1_usize..9, 1..6)) {
        for usage in [UsageChunk::Asked, UsageChunk::NotAsked] {
            let whole = run_tap(usage, std::iter::once(&stream[..]));
            prop_assert_eq!(&run_tap(usage, split(&stream, &lengths)), &whole);
            prop_assert!(std::str::from_utf8(&whole.0).is_ok());
        }
    }

    #[test]
    fn a_request_changes_in_one_place_for_each_field(body in request_text(), name in "[a-z/\"]{1,9}") {
        let request = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from(body.clone())).expect(&body);
        let renamed = body.replace("\"@MODEL@\"", &Value::from(name.as_str()).to_string());
        let plain = request.upstream_body(&name, Metering::AsClientWrote);
        prop_assert_eq!(&plain[..], renamed.as_bytes());
        let metered = request.upstream_body(&name, Metering::AskForUsage);
        let Delivery::Stream(asked) = request.delivery() else {
            prop_assert_eq!(metered, plain);
            return Ok(());
        };
        let reread = ClientRequest::parse(ApiSurface::OpenAiChat, metered.clone()).expect("still a request");
        prop_assert_eq!(reread.delivery(), Delivery::Stream(UsageChunk::Asked));
        prop_assert_eq!(asked == UsageChunk::Asked, metered == plain);
        // One splice: the bytes before and after it are the client's.
        let same = |(a, b): &(&u8, &u8)| a == b;
        let before = plain.iter().zip(&metered).take_while(same).count();
        let after = plain[before..].iter().rev().zip(metered[before..].iter().rev()).take_while(same).count();
        let replaced = String::from_utf8_lossy(&plain[before..plain.len() - after]).into_owned();
        let known = ["", "null", "false", "fals"];
        prop_assert!(known.contains(&replaced.as_str()), "{replaced:?}");
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400), text in "\\PC{0,80}", json in json_text()) {
        for input in [&bytes[..], text.as_bytes(), json.as_bytes()] {
            let _any = read_chat_answer(input).is_ok();
            let _any = stream_from_answer(input, UsageChunk::Asked).is_ok();
            let answer = [br#"{"choices":[{"message":{"tool_calls":"#, input, b"}}]}"].concat();
            let _any = stream_from_answer(&answer, UsageChunk::Asked).is_ok();
            let _any = crate::read_model_list(domain::Dialect::OpenAiChat, input).is_ok();
            let _any = upstream_error(500, input);
            let _any = run_tap(UsageChunk::Asked, std::iter::once(input));
            let event = [b"data: ", input, b"\n\n"].concat();
            let _any = run_tap(UsageChunk::NotAsked, std::iter::once(&event[..]));
            if let Ok(request) = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::copy_from_slice(input)) {
                let _any = request.upstream_body("m", Metering::AskForUsage);
            }
        }
    }

    #[test]
    fn any_request_is_answered_by_the_mock(
        model in prop::sample::select(&crate::mock::MODELS[..]),
        extra in json_text(),
        field in prop::sample::select(&["tools", "tool_choice", "response_format", "max_tokens", "x"][..]),
        message in json_text(),
    ) {
        for stream in ["true", "false"] {
            let body = format!(
                r#"{{"model":"{model}","stream":{stream},"messages":[{message},{{"role":"user","content":{message}}}],"{field}":{extra}}}"#
            );
            let request = ClientRequest::parse(ApiSurface::OpenAiChat, Bytes::from(body)).expect("a request");
            prop_assert!(crate::mock::answer(&request, 0).status >= 200);
        }
    }
}
