//! Every client dialect against every backend dialect: the same question has the same visible
//! answer, complete or streamed, however the stream is cut.
//!
//! The strict provider of `test-support` answers in the backend's dialect.

use bytes::Bytes;
use domain::{Dialect, TranslationMode};
use serde_json::Value;
use test_support::ProviderAnswer;

use crate::dialect::{read_answer, write_request};
use crate::neutral::{
    CallKind, ContentPart, FinishReason, JsonText, MediaContent, MediaKind, MediaSource,
    ModelAnswer, ModelRequest, OutputFormat, ParallelCalls, Reasoning, Role, ThinkingEffort,
    ToolChoice, ToolDefinition, ToolKind,
};
use crate::stream::fold::fold_events;
use crate::stream::provider_event_reader::ProviderEventReader;
use crate::test_provider::provider_answer;
use crate::test_requests::{call, message, request, result};
use crate::{
    ApiSurface, BackendExchange, ClientRequest, Delivery, StreamEnd, Target, TargetKind, UsageChunk,
};

pub(super) const CLIENTS: [Dialect; 4] =
    [Dialect::OpenAiChat, Dialect::OpenAiResponses, Dialect::AnthropicMessages, Dialect::Gemini];

pub(super) fn targets() -> Vec<Target> {
    let compatible = TargetKind::OpenAiCompatible {
        lacks: std::collections::BTreeSet::default(),
        offers: std::collections::BTreeSet::default(),
    };
    let kinds = [
        TargetKind::OpenAi,
        TargetKind::Anthropic,
        TargetKind::Gemini,
        compatible,
        TargetKind::Ollama,
        TargetKind::Mock,
    ];
    kinds.into_iter().map(|kind| target(kind, "m")).collect()
}

pub(super) fn target(kind: TargetKind, model: &str) -> Target {
    Target {
        kind,
        model: model.to_owned(),
        crossing: TranslationMode::Lenient,
        output_tokens_max: None,
    }
}

/// `request` as a client of `dialect` sends it.
pub(super) fn client_request(dialect: Dialect, request: &ModelRequest) -> ClientRequest {
    let mock = target(TargetKind::Mock, &request.model);
    let body = write_request(dialect, request, &mock).expect("it can be said").body;
    let model = request.model.as_str();
    let surface = match dialect {
        Dialect::OpenAiChat => ApiSurface::OpenAiChat,
        Dialect::OpenAiResponses => ApiSurface::OpenAiResponses,
        Dialect::AnthropicMessages => ApiSurface::AnthropicMessages,
        _ => ApiSurface::Gemini { model, delivery: request.delivery },
    };
    ClientRequest::parse(surface, body).expect("it reads back")
}

/// What a person sees of an answer.
#[derive(Debug, PartialEq)]
pub(super) struct VisibleAnswer {
    pub(super) text: String,
    pub(super) thinks: bool,
    pub(super) calls: Vec<(String, Value)>,
    pub(super) finish: Option<FinishReason>,
}

fn visible_answer(answer: &ModelAnswer) -> VisibleAnswer {
    let choice = answer.choices.first().cloned().unwrap_or_default();
    let text = choice.parts.iter().filter_map(|part| match part {
        ContentPart::Text { text, .. } => Some(text.as_str()),
        _ => None,
    });
    let call = |part: &ContentPart| match part {
        ContentPart::ToolCall(call) => {
            Some((call.name.clone(), serde_json::from_str(&call.arguments).unwrap_or(Value::Null)))
        }
        _ => None,
    };
    VisibleAnswer {
        text: text.collect(),
        thinks: choice
            .parts
            .iter()
            .any(|part| matches!(part, ContentPart::Thinking { text, .. } if !text.is_empty())),
        calls: choice.parts.iter().filter_map(call).collect(),
        finish: choice.finish.map(|finish| finish.reason),
    }
}

pub(super) fn read_whole(dialect: Dialect, body: &[u8]) -> ModelAnswer {
    let text = std::str::from_utf8(body).expect("UTF-8");
    let pieces = read_answer(dialect, text).expect(text);
    let mut assembler = crate::stream::assemble::Assembler::new(std::sync::Arc::default(), "r");
    let mut events = Vec::new();
    for piece in pieces {
        events.extend(assembler.push_event(piece).expect("in order"));
    }
    fold_events(events)
}

pub(super) fn read_stream(
    dialect: Dialect,
    delivery: Delivery,
    body: &[u8],
) -> Result<ModelAnswer, String> {
    let events = match delivery {
        Delivery::StreamArray => array_to_events(body),
        _ => body.to_vec(),
    };
    let mut reader = ProviderEventReader::new(dialect);
    let (mut pieces, fault) = reader.feed(&events);
    if let Some(fault) = fault {
        return Err(format!("{fault:?}: {}", String::from_utf8_lossy(body)));
    }
    pieces.extend(reader.finish());
    let mut assembler = crate::stream::assemble::Assembler::new(std::sync::Arc::default(), "r");
    let mut told = Vec::new();
    for piece in pieces {
        told.extend(assembler.push_event(piece).expect("in order"));
    }
    assert!(assembler.is_finished(), "{}", String::from_utf8_lossy(body));
    Ok(fold_events(told))
}

/// The items of a JSON array as events.
fn array_to_events(body: &[u8]) -> Vec<u8> {
    let items: Vec<Value> = serde_json::from_slice(body).expect("a JSON array");
    items.iter().flat_map(|item| format!("data: {item}\r\n\r\n").into_bytes()).collect()
}

/// The client's stream, with the backend's bytes cut into pieces of `cut` bytes.
pub(super) fn client_stream(
    exchange: &BackendExchange,
    answer: &ProviderAnswer,
    cut: usize,
) -> Result<Vec<u8>, String> {
    let body = answer.pieces.concat();
    let mut stream = exchange.answer_stream();
    let mut out = Vec::new();
    for piece in body.chunks(cut) {
        out.extend_from_slice(&stream.feed(piece).relay);
    }
    match stream.finish() {
        StreamEnd::Complete { append } => out.extend_from_slice(&append),
        other => return Err(format!("{other:?} after {}", String::from_utf8_lossy(&body))),
    }
    Ok(out)
}

fn text_request(model: &str, text: &str) -> ModelRequest {
    ModelRequest { model: model.to_owned(), output_tokens_max: Some(2_048), ..request(text) }
}

fn tool(name: &str) -> ToolDefinition {
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    let schema = JsonText::parse(schema);
    ToolDefinition {
        name: name.to_owned(),
        namespace: None,
        description: Some("Looks it up.".to_owned()),
        kind: ToolKind::Function { schema, strict: None },
        cache: None,
    }
}

/// Twenty words: more than the lowest limit of the providers, 16.
const LONG_TEXT: &str = "one two three four five six seven eight nine ten eleven twelve thirteen \
    fourteen fifteen sixteen seventeen eighteen nineteen twenty";

/// One question for each difference between dialects.
pub(super) fn scenarios() -> Vec<(&'static str, ModelRequest)> {
    let tools = || vec![tool("get_weather"), tool("get_time")];
    let mut system = text_request("echo", "hello there");
    system.messages.insert(0, message(Role::System, vec![ContentPart::text("Be brief.")]));
    let single = ModelRequest { tools: tools(), ..text_request("chat", "get_weather in Paris") };
    let parallel = ModelRequest {
        tools: tools(),
        ..text_request("chat", "get_weather and get_time in Paris")
    };
    let serial = ModelRequest { parallel_calls: ParallelCalls::OneAtATime, ..parallel.clone() };
    let forced = ToolChoice::Named { name: "get_time".to_owned(), namespace: None };
    let forced =
        ModelRequest { tools: tools(), tool_choice: Some(forced), ..text_request("chat", "Rome") };
    let both =
        ModelRequest { tools: tools(), ..text_request("text-and-tool", "get_weather in Paris") };
    let schema = r#"{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],
        "additionalProperties":false}"#;
    let output = OutputFormat::Schema {
        name: Some("out".to_owned()),
        description: None,
        schema: JsonText::parse(schema).expect("JSON"),
        strict: Some(true),
    };
    let structured = ModelRequest { output, ..text_request("chat", "fill it") };
    let reasoning = Reasoning::Effort { effort: ThinkingEffort::Low, visible: true };
    let think = ModelRequest { reasoning, ..text_request("think", "why") };
    let mut image = text_request("echo", "look");
    image.messages[0].parts.push(ContentPart::Media(MediaContent {
        kind: MediaKind::Image,
        source: MediaSource::Base64("iVBORw0KGgo=".to_owned()),
        media_type: Some("image/png".to_owned()),
        detail: None,
        title: None,
    }));
    let mut answered =
        ModelRequest { tools: tools(), ..text_request("chat", "get_weather in Paris") };
    answered.messages.push(message(
        Role::Assistant,
        vec![ContentPart::text("I look."), call("call_1", "get_weather", r#"{"city":"Paris"}"#)],
    ));
    answered.messages.push(message(Role::User, vec![result("call_1", "sunny")]));
    let limited = ModelRequest { output_tokens_max: Some(16), ..text_request("chat", LONG_TEXT) };
    vec![
        ("plain", text_request("chat", "hello")),
        ("system", system),
        ("one call", single),
        ("parallel calls", parallel),
        ("one call at a time", serial),
        ("a forced call", forced),
        ("text and call", both),
        ("structured output", structured),
        ("thinking", think),
        ("an image", image),
        ("a tool's result", answered),
        ("cut by its limit", limited),
    ]
}

/// The provider's own answer to a client of Chat Completions. The others must see the same.
fn expected(request: &ModelRequest) -> VisibleAnswer {
    let request = &ModelRequest { delivery: Delivery::Whole, ..request.clone() };
    let client = client_request(Dialect::OpenAiChat, request);
    let mock = target(TargetKind::Mock, &request.model);
    let exchange = BackendExchange::new(&client, &mock, "x", 7).expect("it passes");
    let answer = provider_answer(&exchange);
    assert_eq!(answer.status, 200, "{:?}", answer.pieces);
    visible_answer(&read_whole(Dialect::OpenAiChat, &answer.pieces[0]))
}

/// Known differences: Ollama and Gemini cannot limit a turn to one call, and Ollama cannot force a
/// call.
fn may_differ(name: &str, client: Dialect, target: &Target) -> bool {
    let is_mute = matches!(target.kind, TargetKind::Ollama | TargetKind::Gemini);
    (name == "one call at a time" && (is_mute || client == Dialect::Gemini))
        || (name == "a forced call" && target.kind == TargetKind::Ollama)
}

#[test]
fn every_client_sees_the_same_whatever_backend_answers() {
    every_case(&[Delivery::Whole], |question, exchange, answer| {
        let body = Bytes::from(answer.pieces.concat());
        let (whole, facts) = exchange.translate_answer(&body).map_err(|bad| format!("{bad:?}"))?;
        let seen = visible_answer(&read_whole(exchange.client(), &whole));
        let text = String::from_utf8_lossy(&whole);
        expect_same(&seen, &expected(question), &text)?;
        facts.usage.map(drop).ok_or_else(|| "no usage".to_owned())
    });
}

#[test]
fn a_stream_tells_what_the_whole_answer_tells_however_it_is_cut() {
    let kinds = [Delivery::Stream(UsageChunk::Asked), Delivery::StreamArray];
    every_case(&kinds, |question, exchange, answer| {
        let unsplit = client_stream(exchange, answer, usize::MAX)?;
        let seen = visible_answer(&read_stream(exchange.client(), exchange.delivery(), &unsplit)?);
        expect_same(&seen, &expected(question), &String::from_utf8_lossy(&unsplit))?;
        for cut in [1, 7, 64] {
            let split = client_stream(exchange, answer, cut)?;
            if split != unsplit {
                return Err(format!("cut {cut}: {}", String::from_utf8_lossy(&split)));
            }
        }
        Ok(())
    });
}

fn expect_same(seen: &VisibleAnswer, expected: &VisibleAnswer, text: &str) -> Result<(), String> {
    if seen == expected {
        return Ok(());
    }
    Err(format!("{seen:?} instead of {expected:?}: {text}"))
}

/// Runs `check` over the whole matrix and reports every failed case, not only the first.
fn every_case(
    deliveries: &[Delivery],
    check: impl Fn(&ModelRequest, &BackendExchange, &ProviderAnswer) -> Result<(), String>,
) {
    let (mut failed, mut cases) = (Vec::new(), 0);
    for (name, question) in scenarios() {
        for (client, delivery) in CLIENTS.iter().flat_map(|c| deliveries.iter().map(|d| (*c, *d))) {
            if delivery == Delivery::StreamArray && client != Dialect::Gemini {
                continue;
            }
            let question = ModelRequest { delivery, ..question.clone() };
            for target in targets() {
                let target = Target { model: question.model.clone(), ..target };
                if may_differ(name, client, &target) {
                    continue;
                }
                cases += 1;
                let asked = client_request(client, &question);
                let outcome = BackendExchange::new(&asked, &target, "x", 7)
                    .map_err(|error| error.to_string())
                    .and_then(|exchange| {
                        let answer = provider_answer(&exchange);
                        match answer.status {
                            200 => check(&question, &exchange, &answer),
                            status => Err(format!("{status}: {:?}", answer.pieces)),
                        }
                    });
                if let Err(why) = outcome {
                    failed
                        .push(format!("{name}: {client} {delivery:?} at {:?}: {why}", target.kind));
                }
            }
        }
    }
    assert!(failed.is_empty(), "{} of {cases} cases failed:\n{}", failed.len(), failed.join("\n"));
}

#[test]
fn namespaces_of_tools_come_back_through_every_backend() {
    let mut question = text_request("chat", "call spawn in Paris");
    question.tools = vec![ToolDefinition { namespace: Some("agents".to_owned()), ..tool("spawn") }];
    let custom = ToolKind::Custom { format: None };
    question.tools.push(ToolDefinition { kind: custom, ..tool("apply_patch") });
    for target in targets() {
        let target = Target { model: "chat".to_owned(), ..target };
        let asked = client_request(Dialect::OpenAiResponses, &question);
        let exchange = BackendExchange::new(&asked, &target, "x", 7).expect("it crosses");
        let answer = provider_answer(&exchange);
        let (whole, _) = exchange.translate_answer(&answer.pieces[0]).expect("an answer");
        let seen = read_whole(Dialect::OpenAiResponses, &whole);
        let calls = seen.choices[0].parts.iter().filter_map(|part| match part {
            ContentPart::ToolCall(call) => Some(call),
            _ => None,
        });
        let calls: Vec<_> = calls.collect();
        assert!(!calls.is_empty(), "{:?}: {}", target.kind, String::from_utf8_lossy(&whole));
        for call in calls {
            assert_ne!(call.name, "agents__spawn", "{:?}", target.kind);
            assert_eq!(call.kind == CallKind::Custom, call.name == "apply_patch");
        }
    }
}

/// litellm#29223: an error in mid-stream was swallowed and the answer counted as complete.
#[test]
fn class_7_an_error_in_mid_stream_reaches_every_client_from_every_backend() {
    let delivery = Delivery::Stream(UsageChunk::Asked);
    for model in ["fault-error-event", "fault-cut"] {
        let question = ModelRequest { delivery, ..text_request(model, LONG_TEXT) };
        for (client, target) in CLIENTS.iter().flat_map(|c| targets().into_iter().map(|t| (*c, t)))
        {
            let target = Target { model: model.to_owned(), ..target };
            let case = format!("{model}: {client} at {:?}", target.kind);
            let exchange =
                BackendExchange::new(&client_request(client, &question), &target, "x", 7)
                    .expect(&case);
            let answer = provider_answer(&exchange);
            let mut stream = exchange.answer_stream();
            let relayed: usize =
                answer.pieces.iter().map(|piece| stream.feed(piece).relay.len()).sum();
            assert!(relayed > 0, "{case}: it had begun");
            let end = stream.finish();
            match model {
                "fault-cut" => assert_eq!(end, StreamEnd::Truncated, "{case}"),
                _ => assert!(matches!(end, StreamEnd::UpstreamError(_)), "{case}: {end:?}"),
            }
            let error = crate::ErrorAnswer {
                status: 502,
                kind: crate::ErrorKind::Api,
                code: Some("broken"),
                message: "it broke",
                param: None,
            };
            let event = stream.error_event(&error);
            assert!(String::from_utf8_lossy(&event).contains("it broke"), "{case}");
            // The client's own reader sees an error, not an end.
            let (pieces, _) = ProviderEventReader::new(client).feed(&event);
            assert!(
                pieces.iter().any(|piece| matches!(piece, crate::neutral::ProviderEvent::Error(_))),
                "{case}: {pieces:?}"
            );
        }
    }
}
