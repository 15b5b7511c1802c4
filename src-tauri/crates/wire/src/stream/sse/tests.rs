//! Server-sent events: the specification, line ends, limits.

use super::*;

/// Decodes `stream` in one chunk and returns the payloads of its complete events.
fn payloads(stream: &[u8]) -> Vec<SsePayload> {
    let mut decoder = SseDecoder::new();
    decoder.push(stream);
    std::iter::from_fn(|| decoder.next_event().expect("small")).map(|event| event.payload).collect()
}

fn check(stream: &str, expected: &[&str]) {
    let data: Vec<_> = payloads(stream.as_bytes())
        .into_iter()
        .filter_map(|payload| match payload {
            SsePayload::Data(data) => Some(String::from_utf8_lossy(&data).into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(data, expected, "{stream:?}");
}

#[test]
fn data_is_read_as_the_specification_says() {
    check("data: a\n\n", &["a"]);
    check("data:a\n\n", &["a"]);
    check("data:  a \n\n", &[" a "]);
    check("data: a\ndata: b\n\n", &["a\nb"]);
    check("data\n\n", &[""]);
    check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
    check("data: a\r\rdata: b\r\r", &["a", "b"]);
    check("data: a\r\r\ndata: b\n\n", &["a", "b"]);
    check("data: a\n\r\ndata: b\n\r", &["a"]);
    check("\u{feff}data: a\n\n\u{feff}data: b\n\n", &["a"]);
    check(": hello\ndata: a\nid: 7\nretry: 100\nother: x\n\n", &["a"]);
    check("data: {\nevent: e\n\n", &["{"]);
    check(" data: a\n\n", &[]);
    check("data: unfinished\n", &[]);
    check("\n\n\ndata: a\n\n", &["a"]);
}

#[test]
fn names_comments_and_noise_are_distinguished() {
    let mut decoder = SseDecoder::new();
    decoder.push(b"data: x\nevent: error\n\n: ping\n\n<html>\n\nretry: 3\n\n");
    let mut next = || decoder.next_event().expect("small").expect("an event");
    let first = next();
    assert_eq!(first.name.as_deref(), Some(b"error".as_slice()));
    assert_eq!(first.raw, "data: x\nevent: error\n\n");
    assert_eq!(next().payload, SsePayload::Comment);
    assert_eq!((next().payload, next().payload), (SsePayload::Nothing, SsePayload::Nothing));
}

#[test]
fn an_event_is_given_as_soon_as_its_blank_line_is_there() {
    for (stream, length) in
        [("data: a\n\n", 9), ("data: a\r\n\r\n", 11), ("data: a\r\r", 9), ("data: a\n\r\n", 10)]
    {
        let mut decoder = SseDecoder::new();
        let mut given = None;
        for (at, byte) in stream.bytes().enumerate() {
            decoder.push(&[byte]);
            if let Some(event) = decoder.next_event().expect("small") {
                given = Some((at + 1, event.raw.len()));
            }
        }
        assert_eq!(given, Some((length, length)), "{stream:?}");
    }
}

#[test]
fn the_limit_counts_the_bytes_of_one_event() {
    let event = |bytes: usize| format!("data: {}\n\n", "x".repeat(bytes - 8));
    let mut decoder = SseDecoder::new();
    decoder.push(event(SSE_EVENT_BYTES_MAX).as_bytes());
    decoder.push(event(SSE_EVENT_BYTES_MAX).as_bytes());
    assert!(decoder.next_event().expect("at the limit").is_some());
    assert!(decoder.next_event().expect("at the limit").is_some());
    decoder.push(event(SSE_EVENT_BYTES_MAX + 1).as_bytes());
    assert_eq!(decoder.next_event(), Err(SseEventTooLarge));
}

#[test]
fn a_line_without_end_is_refused_before_it_ends_and_forgotten() {
    let mut decoder = SseDecoder::new();
    let piece = vec![b'x'; 65_536];
    let refused = (1..=16 * 1024 * 1024 / piece.len()).find(|_| {
        decoder.push(&piece);
        decoder.next_event().is_err()
    });
    assert_eq!(refused, Some(17), "one piece after 1 MiB");
    assert!(decoder.finish().is_none());
}

#[test]
fn the_unfinished_rest_is_given_at_the_end() {
    let mut decoder = SseDecoder::new();
    decoder.push(b"data: [DONE]\n");
    assert_eq!(decoder.next_event(), Ok(None));
    let rest = decoder.finish().expect("a rest");
    assert_eq!(rest.payload, SsePayload::Data(Bytes::from_static(b"[DONE]")));
    assert!(SseDecoder::new().finish().is_none());
}
