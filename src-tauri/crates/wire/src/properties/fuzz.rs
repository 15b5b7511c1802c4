//! Fuzz tests with broken requests, answers and streams in every dialect: nothing panics, and the
//! output is valid in its dialect.
//!
//! They are deterministic: a number defines a case, and a failure prints it. Every test run
//! includes a short run. Before a release, run a long one: `WIRE_FUZZ_CASES=10000000 cargo test
//! --release -p wire fuzz`.

use bytes::Bytes;
use domain::{Dialect, Entropy, SeededEntropy, TranslationMode};

use super::matrix::{CLIENTS, client_request, scenarios, targets};
use crate::dialect::{read_answer, write_request};
use crate::neutral::{ModelRequest, ProviderEvent};
use crate::stream::provider_event_reader::ProviderEventReader;
use crate::test_provider::provider_answer;
use crate::{
    ApiSurface, BackendExchange, BadAnswer, ClientRequest, Delivery, RequestError, StreamEnd,
    Target, UsageChunk,
};

/// Tokens biased towards the edge cases of the formats.
const WORDS: [&[u8]; 40] = [
    b"null",
    b"true",
    b"0",
    b"-1",
    b"1e400",
    b"\"\"",
    b"[]",
    b"{}",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\ud800",
    b"\\u0000",
    b"\xff",
    b"\n\n",
    b"\r\n",
    b"data: ",
    b"event: error\n",
    b"[DONE]",
    b"\"type\":",
    b"\"content\":",
    b"\"role\":\"system\"",
    b"\"index\":",
    b"\"id\":\"\"",
    b"\"name\":\"\"",
    b"\"arguments\":",
    b"\"error\":{}",
    b"\"usage\":null",
    b"\"finish_reason\":\"stop\"",
    b"\"tool_calls\":[{}]",
    b"\"signature\":\"gh1.gemini.x\"",
    b"{\"text\":\"\"}",
    b"\xf0\x9f\x98\x80",
    b"\"input\":",
    b"123456789012345678901234567890",
];

struct FuzzRng(SeededEntropy);

impl FuzzRng {
    fn below(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) >> 1).unwrap_or(0) % sides.max(1)
    }

    fn pick<'a, T>(&self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// Valid inputs to break.
struct FuzzInputs {
    requests: Vec<(Dialect, Delivery, Bytes)>,
    exchanges: Vec<(BackendExchange, Bytes)>,
    targets: Vec<Target>,
}

impl FuzzInputs {
    fn new() -> Self {
        let deliveries =
            [Delivery::Whole, Delivery::Stream(UsageChunk::Asked), Delivery::StreamArray];
        let (mut requests, mut exchanges) = (Vec::new(), Vec::new());
        for (_, question) in scenarios() {
            for (client, delivery) in CLIENTS.iter().flat_map(|c| deliveries.map(|d| (*c, d))) {
                if delivery == Delivery::StreamArray && client != Dialect::Gemini {
                    continue;
                }
                let question = ModelRequest { delivery, ..question.clone() };
                let client_request = client_request(client, &question);
                requests.push((client, delivery, client_request.body().clone()));
                for target in targets() {
                    let target = Target { model: question.model.clone(), ..target };
                    let exchange =
                        BackendExchange::new(&client_request, &target, "x", 7).expect("good");
                    let body = provider_answer(&exchange).pieces.concat().into();
                    exchanges.push((exchange, body));
                }
            }
        }
        Self { requests, exchanges, targets: targets() }
    }
}

/// Breaks parts of `seed`.
fn corrupt(seed: &[u8], dice: &FuzzRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let length = dice.below(24).min(bytes.len() - at);
        match dice.below(6) {
            0 => drop(bytes.drain(at..at + length)),
            1 => drop(bytes.splice(at..at, dice.pick(&WORDS).iter().copied())),
            2 => drop(bytes.splice(at..at + length, dice.pick(&WORDS).iter().copied())),
            3 => {
                let again = bytes[at..at + length].to_vec();
                drop(bytes.splice(at..at, again));
            }
            4 => bytes.truncate(at),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << dice.below(8);
                }
            }
        }
    }
    bytes
}

fn request_case(seeds: &FuzzInputs, dice: &FuzzRng) {
    let (client, delivery, body) = dice.pick(&seeds.requests);
    let surface = match client {
        Dialect::OpenAiChat => ApiSurface::OpenAiChat,
        Dialect::OpenAiResponses => ApiSurface::OpenAiResponses,
        Dialect::AnthropicMessages => ApiSurface::AnthropicMessages,
        _ => ApiSurface::Gemini { model: "m", delivery: *delivery },
    };
    let Ok(request) = ClientRequest::parse(surface, corrupt(body, dice).into()) else { return };
    let crossing =
        if dice.below(2) == 0 { TranslationMode::Strict } else { TranslationMode::Lenient };
    let target = Target { crossing, ..dice.pick(&seeds.targets).clone() };
    let Ok(exchange) = BackendExchange::new(&request, &target, "x", 7) else { return };
    let outgoing = exchange.outgoing();
    if exchange.passes_through() {
        return;
    }
    let text = std::str::from_utf8(&outgoing.body).expect("UTF-8");
    serde_json::from_str::<serde::de::IgnoredAny>(text).expect("what is written is JSON");
    if outgoing.dialect != Dialect::OllamaChat {
        let read = crate::dialect::read_request(outgoing.dialect, text, "m", request.delivery());
        let read = match read {
            Ok(read) => read,
            // A key in a schema that is duplicate or not text is the client's and is sent as it
            // came.
            Err(RequestError::DuplicateKey(_) | RequestError::NotJson { .. }) => return,
            Err(error) => panic!("{error} in {text}"),
        };
        let again = write_request(outgoing.dialect, &read, &target);
        again.unwrap_or_else(|error| panic!("{error}: {text}"));
    }
}

fn answer_case(seeds: &FuzzInputs, dice: &FuzzRng) {
    let (exchange, body) = dice.pick(&seeds.exchanges);
    let body = corrupt(body, dice);
    if exchange.delivery().is_streamed() {
        stream_case(exchange, &body, dice);
        return;
    }
    if let Ok((whole, _)) = exchange.translate_answer(&Bytes::from(body))
        && !exchange.passes_through()
    {
        let text = std::str::from_utf8(&whole).expect("UTF-8");
        match read_answer(exchange.client(), text) {
            // In Responses, a fault of the model is an error.
            Ok(_) | Err(BadAnswer::UpstreamError(_)) => {}
            Err(bad) => panic!("{bad:?}: {text}"),
        }
    }
}

fn stream_case(exchange: &BackendExchange, body: &[u8], dice: &FuzzRng) {
    let (split, end) = run_stream(exchange, body, 1 + dice.below(64));
    let (unsplit, same_end) = run_stream(exchange, body, usize::MAX);
    assert_eq!(split, unsplit, "{}", String::from_utf8_lossy(body));
    assert_eq!(format!("{end:?}"), format!("{same_end:?}"));
    let is_whole = matches!(end, StreamEnd::Complete { .. });
    if !is_whole || exchange.passes_through() || exchange.delivery() == Delivery::StreamArray {
        return;
    }
    let mut reader = ProviderEventReader::new(exchange.client());
    let shown = || String::from_utf8_lossy(&split);
    let (mut pieces, fault) = reader.feed(&split);
    assert_eq!(fault, None, "{}", shown());
    pieces.extend(reader.finish());
    let mut assembler = crate::stream::assemble::Assembler::new(std::sync::Arc::default(), "r");
    for piece in pieces {
        if matches!(piece, ProviderEvent::Error(_)) {
            return;
        }
        assembler.push_event(piece).unwrap_or_else(|fault| panic!("{fault:?}: {}", shown()));
    }
    assert!(assembler.is_finished(), "{}", shown());
}

/// All bytes that the client gets, and how the stream ended.
fn run_stream(exchange: &BackendExchange, body: &[u8], cut: usize) -> (Vec<u8>, StreamEnd) {
    let mut stream = exchange.answer_stream();
    let mut out = Vec::new();
    for piece in body.chunks(cut) {
        let tapped = stream.feed(piece);
        out.extend_from_slice(&tapped.relay);
        if tapped.flow == crate::Flow::Stop {
            break;
        }
    }
    let end = stream.finish();
    if let StreamEnd::Complete { append } = &end {
        out.extend_from_slice(append);
        return (out, StreamEnd::Complete { append: Bytes::new() });
    }
    (out, end)
}

fn run(cases: std::ops::Range<u64>) {
    let seeds = FuzzInputs::new();
    for case in cases {
        let outcome = std::panic::catch_unwind(|| {
            let dice = FuzzRng(SeededEntropy::new(case));
            if dice.below(2) == 0 {
                request_case(&seeds, &dice);
            } else {
                answer_case(&seeds, &dice);
            }
        });
        assert!(outcome.is_ok(), "case {case} failed");
    }
}

#[test]
fn broken_bytes_never_panic_and_never_come_out_broken() {
    let cases =
        option_env!("WIRE_FUZZ_CASES").map_or(20_000, |text| text.parse().expect("a number"));
    let half: u64 = cases / 2;
    std::thread::scope(|scope| {
        scope.spawn(move || run(0..half));
        scope.spawn(move || run(half..cases));
    });
}
