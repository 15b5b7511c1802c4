//! What answers cost: usage as vendors document it and servers report it, priced by hand.
//!
//! Every case of `metering/cases.json` has a usage object, what stands beside it in an answer, the
//! quantities that an invoice counts, and the sum in nano-dollars or why there is none. Each is read
//! from a whole answer and from streams, by clients of every dialect: all must say the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use domain::{BackendId, Dialect, Meter, MeteredUsage, TranslationMode, Usage, WallTime};
use pricing::{AttemptCost, AttemptPricing, Cost, Price, PriceBook, PriceTerms};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wire::{
    AnswerFacts, ApiSurface, BackendExchange, ClientRequest, Delivery, EmbeddingBatch, StreamEnd,
    Target, TargetKind, UsageChunk,
};

const AT: WallTime = WallTime::from_unix_ms(1_795_200_000_000);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    prices: BTreeMap<String, PriceTerms>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    of: Api,
    name: String,
    model: Option<String>,
    /// Of the table's prices, if not those of the API.
    prices: Option<String>,
    /// Members of the answer beside its usage.
    #[serde(default)]
    beside: Map<String, Value>,
    /// Members of Chat's message.
    #[serde(default)]
    message: Map<String, Value>,
    /// Items of Responses' output, before the message.
    #[serde(default)]
    output: Vec<Value>,
    /// Members of Gemini's candidate.
    #[serde(default)]
    candidate: Map<String, Value>,
    usage: Value,
    lines: BTreeMap<Meter, u64>,
    nano_usd: Option<i64>,
    stated_nano_usd: Option<i64>,
    /// Reason and detail.
    unpriced: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Api {
    Chat,
    Responses,
    Messages,
    Gemini,
    Ollama,
    Embeddings,
    GeminiEmbeddings,
}

fn table() -> Table {
    serde_json::from_str(include_str!("metering/cases.json")).expect("the table of cases")
}

/// `base` with the members of `more`.
fn with(mut base: Value, more: &Map<String, Value>) -> Value {
    let members = base.as_object_mut().expect("an object");
    more.iter().for_each(|(key, value)| drop(members.insert(key.clone(), value.clone())));
    base
}

impl Api {
    fn prices(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses | Self::Ollama | Self::Embeddings => "openai",
            Self::Messages => "anthropic",
            Self::Gemini | Self::GeminiEmbeddings => "gemini",
        }
    }

    fn target(self) -> Target {
        let kind = match self {
            Self::Responses => TargetKind::OpenAi,
            Self::Messages => TargetKind::Anthropic,
            Self::Gemini | Self::GeminiEmbeddings => TargetKind::Gemini,
            Self::Ollama => TargetKind::Ollama,
            Self::Chat | Self::Embeddings => {
                TargetKind::OpenAiCompatible { lacks: [].into(), offers: [].into() }
            }
        };
        let (model, crossing) = ("m".to_owned(), TranslationMode::Lenient);
        Target { kind, model, crossing, output_tokens_max: Some(64) }
    }

    /// The clients whose requests reach this API.
    fn clients(self) -> &'static [Dialect] {
        use Dialect::{AnthropicMessages, Gemini, OpenAiChat, OpenAiResponses};
        match self {
            // Clients of Chat reach OpenAI over Chat.
            Self::Responses => &[OpenAiResponses, AnthropicMessages, Gemini],
            _ => &[OpenAiChat, OpenAiResponses, AnthropicMessages, Gemini],
        }
    }
}

impl Case {
    fn model(&self) -> &str {
        self.model.as_deref().unwrap_or("m-1")
    }

    fn answer(&self) -> Value {
        let (model, usage) = (self.model(), &self.usage);
        let answer = match self.of {
            Api::Chat => {
                json!({"id": "c", "object": "chat.completion", "created": 1, "model": model,
                "choices": [{"index": 0, "finish_reason": "stop",
                    "message": with(json!({"role": "assistant", "content": "hi"}), &self.message)}],
                "usage": usage})
            }
            Api::Responses => {
                let mut output = self.output.clone();
                output.push(json!({"type": "message", "id": "m", "role": "assistant",
                    "status": "completed", "content": [{"type": "output_text", "text": "hi"}]}));
                json!({"id": "r", "object": "response", "status": "completed", "model": model,
                    "output": output, "usage": usage})
            }
            Api::Messages => json!({"id": "m", "type": "message", "role": "assistant",
                "model": model, "content": [{"type": "text", "text": "hi"}],
                "stop_reason": "end_turn", "usage": usage}),
            Api::Gemini => {
                let candidate = json!({"content": {"role": "model", "parts": [{"text": "hi"}]},
                    "finishReason": "STOP", "index": 0});
                json!({"candidates": [with(candidate, &self.candidate)], "usageMetadata": usage,
                    "modelVersion": model, "responseId": "g"})
            }
            Api::Ollama => {
                let line = json!({"model": model, "message": {"role": "assistant",
                    "content": "hi"}, "done": true, "done_reason": "stop"});
                with(line, usage.as_object().expect("counts"))
            }
            Api::Embeddings => {
                json!({"data": [{"index": 0, "embedding": [0.5]}], "model": model, "usage": usage})
            }
            Api::GeminiEmbeddings => {
                json!({"embedding": {"values": [0.5]}, "usageMetadata": usage})
            }
        };
        with(answer, &self.beside)
    }

    /// The same answer as streams that vendors and other servers make of it.
    fn streams(&self) -> Vec<String> {
        let answer = self.answer();
        match self.of {
            Api::Chat => self.chat_streams(&answer),
            Api::Responses => self.responses_streams(&answer),
            Api::Messages => vec![self.messages_stream(&answer)],
            Api::Gemini => vec![self.gemini_stream(&answer)],
            Api::Ollama => {
                let begun = json!({"model": self.model(), "done": false,
                    "message": {"role": "assistant", "content": "h"}});
                vec![format!("{begun}\n{answer}\n")]
            }
            Api::Embeddings | Api::GeminiEmbeddings => Vec::new(),
        }
    }

    /// Usage in a chunk of its own (OpenAI), in the last choice (Moonshot), and in Groq's member.
    fn chat_streams(&self, answer: &Value) -> Vec<String> {
        let chunk = |delta: Value, finish: Value| {
            let head = json!({"id": "c", "object": "chat.completion.chunk", "model": self.model(),
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
            with(head, &self.beside)
        };
        let text = chunk(answer["choices"][0]["message"].clone(), Value::Null);
        let end = chunk(json!({}), json!("stop"));
        let mut alone = end.clone();
        alone["choices"] = json!([]);
        alone["usage"] = self.usage.clone();
        let (mut in_choice, mut of_groq) = (end.clone(), end.clone());
        in_choice["choices"][0]["usage"] = self.usage.clone();
        of_groq["x_groq"] = json!({"id": "req_1", "usage": self.usage});
        let stream = |events: &[&Value]| {
            let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
            format!("{events}data: [DONE]\n\n")
        };
        vec![
            stream(&[&text, &end, &alone]),
            stream(&[&text, &in_choice]),
            stream(&[&text, &of_groq]),
        ]
    }

    /// The last event repeats the output, or has none of it, as some servers do.
    fn responses_streams(&self, answer: &Value) -> Vec<String> {
        let event = |value: Value| {
            format!("event: {}\ndata: {value}\n\n", value["type"].as_str().expect("a type"))
        };
        let begun = json!({"id": "r", "status": "in_progress", "model": self.model(),
            "service_tier": "auto", "output": []});
        let mut begin = event(json!({"type": "response.created", "response": begun}));
        for (place, item) in answer["output"].as_array().expect("output").iter().enumerate() {
            let item = json!({"type": "response.output_item.done", "output_index": place,
                "item": item});
            begin.push_str(&event(item));
        }
        let mut bare = answer.clone();
        bare["output"] = json!([]);
        [answer, &bare]
            .map(|last| json!({"type": "response.completed", "response": last}))
            .map(|last| format!("{begin}{}", event(last)))
            .into()
    }

    /// `message_start` has the counts of the input and what holds for the whole answer; the last
    /// `message_delta` repeats the counts and has the rest.
    fn messages_stream(&self, answer: &Value) -> String {
        let only_first = ["cache_creation", "service_tier", "inference_geo", "speed"];
        let of_input = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];
        let all = self.usage.as_object().expect("usage");
        let first = |key: &str| only_first.contains(&key) || of_input.contains(&key);
        let part = |keep: &dyn Fn(&str) -> bool| -> Map<String, Value> {
            all.clone().into_iter().filter(|(key, _)| keep(key)).collect()
        };
        let mut message = answer.clone();
        message["content"] = json!([]);
        message["stop_reason"] = Value::Null;
        message["usage"] = with(json!({"output_tokens": 1}), &part(&first));
        let last = part(&|key| !only_first.contains(&key));
        let events = [
            json!({"type": "message_start", "message": message}),
            json!({"type": "content_block_start", "index": 0,
                "content_block": {"type": "text", "text": "hi"}}),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": last}),
            json!({"type": "message_stop"}),
        ];
        let name = |event: &Value| event["type"].as_str().expect("a type").to_owned();
        events.iter().map(|event| format!("event: {}\ndata: {event}\n\n", name(event))).collect()
    }

    /// The first fragment counts the prompt only, and grounding comes with the last.
    fn gemini_stream(&self, answer: &Value) -> String {
        let mut first = answer.clone();
        first["candidates"] =
            json!([{"content": {"role": "model", "parts": [{"text": "h"}]}, "index": 0}]);
        first["usageMetadata"] = json!({"promptTokenCount": self.usage["promptTokenCount"]});
        [&first, answer].map(|event| format!("data: {event}\r\n\r\n")).concat()
    }

    /// Usage as every way of the answer to every client tells it.
    fn readings(&self) -> Vec<(String, Option<Usage>)> {
        let usage_of = |facts: AnswerFacts| facts.usage.map(|report| report.usage);
        let answer = Bytes::from(self.answer().to_string());
        if matches!(self.of, Api::Embeddings | Api::GeminiEmbeddings) {
            let dialect = match self.of {
                Api::Embeddings => Dialect::OpenAiChat,
                _ => Dialect::Gemini,
            };
            let batch = EmbeddingBatch::read(dialect, &answer, 1).expect("vectors");
            return vec![("embeddings".to_owned(), batch.usage.map(|report| report.usage))];
        }
        let mut all = Vec::new();
        for client in self.of.clients() {
            let whole = exchange(*client, Delivery::Whole, &self.of.target());
            let streamed = exchange(*client, STREAMED, &self.of.target());
            let (_, facts) = whole.translate_answer(&answer).expect("an answer");
            all.push((format!("{client:?}, whole"), usage_of(facts)));
            let (_, facts) = streamed.stream_from_answer(&answer).expect("an answer");
            all.push((format!("{client:?}, whole for a stream"), usage_of(facts)));
            for (number, stream) in self.streams().into_iter().enumerate() {
                let mut tap = streamed.answer_stream();
                let _any = tap.feed(stream.as_bytes());
                assert!(matches!(tap.finish(), StreamEnd::Complete { .. }), "{stream}");
                all.push((format!("{client:?}, stream {number}"), usage_of(tap.facts().clone())));
                let (_, facts) = whole.answer_from_stream(stream.as_bytes()).expect("an answer");
                all.push((format!("{client:?}, stream {number} for a whole"), usage_of(facts)));
            }
        }
        all
    }
}

const STREAMED: Delivery = Delivery::Stream(UsageChunk::Asked);

fn exchange(client: Dialect, delivery: Delivery, target: &Target) -> BackendExchange {
    let stream = delivery.is_streamed();
    let turn = json!([{"role": "user", "content": "hi"}]);
    let (surface, body) = match client {
        Dialect::OpenAiChat | Dialect::OllamaChat => {
            (ApiSurface::OpenAiChat, json!({"model": "m", "messages": turn, "stream": stream}))
        }
        Dialect::OpenAiResponses => {
            (ApiSurface::OpenAiResponses, json!({"model": "m", "input": turn, "stream": stream}))
        }
        Dialect::AnthropicMessages => (
            ApiSurface::AnthropicMessages,
            json!({"model": "m", "max_tokens": 9, "messages": turn, "stream": stream}),
        ),
        Dialect::Gemini => (
            ApiSurface::Gemini { model: "m", delivery },
            json!({"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}),
        ),
    };
    let request = ClientRequest::parse(surface, Bytes::from(body.to_string())).expect("a request");
    BackendExchange::new(&request, target, "req1", 7).expect("crosses")
}

fn cost(terms: &PriceTerms, usage: &Usage) -> AttemptCost {
    let backend = BackendId::new("b").expect("a name");
    let price = Price::declared(&backend, "m", terms.clone(), WallTime::from_unix_ms(0));
    let prices = Arc::new(PriceBook::default().with_price(price));
    AttemptPricing { prices, provider: None, backend, model: "m".to_owned() }.cost(usage, None, AT)
}

/// The cost as the table writes it: stated, computed, and why it is unknown.
fn outcome(cost: &AttemptCost) -> [Option<String>; 3] {
    let unpriced = cost.unpriced.as_ref().map(|why| {
        let reason = why.reason.word();
        why.detail.as_ref().map_or(reason.to_owned(), |detail| format!("{reason}: {detail}"))
    });
    let (stated, computed) = match &cost.cost {
        Cost::Reported(amount) => (Some(amount.nanos().to_string()), None),
        Cost::Computed { amount, .. } => (None, Some(amount.nanos().to_string())),
        Cost::Unpriced | Cost::NotBilled => (None, None),
    };
    [stated, computed, unpriced]
}

/// Checks the cases of `apis` and returns how many there are.
fn check(apis: &[Api]) -> usize {
    let Table { prices, cases } = table();
    let mut failed = Vec::new();
    let cases: Vec<&Case> = cases.iter().filter(|case| apis.contains(&case.of)).collect();
    for case in &cases {
        let wanted = [
            case.stated_nano_usd.map(|nanos| nanos.to_string()),
            case.nano_usd.map(|nanos| nanos.to_string()),
            case.unpriced.clone(),
        ];
        let lines: MeteredUsage = case.lines.clone().into_iter().collect();
        for (way, usage) in case.readings() {
            let usage = usage.unwrap_or_else(|| panic!("{} ({way}): no usage", case.name));
            let terms = case.prices.as_deref().unwrap_or(case.of.prices());
            let got = outcome(&cost(&prices[terms], &usage));
            if got != wanted || usage.quantities != lines {
                let lines: Vec<_> = usage.quantities.iter().collect();
                failed.push(format!("{:?} {} ({way}): {got:?} {lines:?}", case.of, case.name));
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    cases.len()
}

#[test]
fn usage_of_chat_costs_what_it_costs_by_hand() {
    assert!(check(&[Api::Chat]) >= 60);
}

#[test]
fn usage_of_responses_costs_what_it_costs_by_hand() {
    assert!(check(&[Api::Responses]) >= 30);
}

#[test]
fn usage_of_messages_costs_what_it_costs_by_hand() {
    assert!(check(&[Api::Messages]) >= 40);
}

#[test]
fn usage_of_gemini_costs_what_it_costs_by_hand() {
    assert!(check(&[Api::Gemini]) >= 40);
}

#[test]
fn usage_of_embeddings_and_ollama_costs_what_it_costs_by_hand() {
    assert!(check(&[Api::Embeddings, Api::GeminiEmbeddings, Api::Ollama]) >= 10);
}

/// A name that no vendor uses today.
fn new_name() -> impl Strategy<Value = String> {
    "[a-z]{1,8}_zq(_tokens|TokenCount|_requests|_seconds)?"
}

/// Where an API keeps its counts, and an object within it.
const PLACES: [(Api, &[&str]); 7] = [
    (Api::Chat, &[]),
    (Api::Chat, &["prompt_tokens_details"]),
    (Api::Chat, &["completion_tokens_details"]),
    (Api::Responses, &["output_tokens_details"]),
    (Api::Messages, &["server_tool_use"]),
    (Api::Messages, &["cache_creation"]),
    (Api::Gemini, &[]),
];

fn plain_case(of: Api, input: u64, output: u64) -> Case {
    let usage = match of {
        Api::Chat => json!({"prompt_tokens": input, "completion_tokens": output}),
        Api::Gemini => json!({"promptTokenCount": input, "candidatesTokenCount": output}),
        _ => json!({"input_tokens": input, "output_tokens": output}),
    };
    let case = json!({"of": "chat", "name": "generated", "usage": usage, "lines": {}});
    Case { of, ..serde_json::from_value(case).expect("a case") }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_not_understood_has_no_price_and_says_so(
        (of, path) in prop::sample::select(PLACES.to_vec()),
        name in new_name(),
        count in prop_oneof![1_u64..10, 1_000_u64..9_000_000],
        nested in any::<bool>(),
    ) {
        let mut case = plain_case(of, 10, 5);
        let place = path.iter().fold(&mut case.usage, |object, key| &mut object[*key]);
        place[&name] = if nested { json!([{"count": count}]) } else { json!(count) };
        let terms = &table().prices[of.prices()];
        for (way, usage) in case.readings() {
            let cost = cost(terms, &usage.expect("usage"));
            prop_assert_eq!(&cost.cost, &Cost::Unpriced, "{}", way);
            let detail = cost.unpriced.and_then(|why| why.detail).unwrap_or_default();
            prop_assert!(detail.ends_with(&name), "{}: {}", way, detail);
        }
    }

    /// The nearest valid count would be a guess.
    #[test]
    fn a_count_that_cannot_be_has_no_price_and_says_so(
        of in prop::sample::select(vec![Api::Chat, Api::Responses, Api::Messages, Api::Gemini]),
        is_output in any::<bool>(),
        wrong in prop::sample::select(vec![
            json!(-1), json!(-2.5), json!(7.5), json!(1e18), json!(2_000_000_000_000_u64),
            json!("-3"), json!("many"),
        ]),
    ) {
        let mut case = plain_case(of, 10, 5);
        let counts = case.usage.as_object_mut().expect("an object");
        let name = counts.keys().find(|name| {
            let is_of_output = ["output", "completion", "candidates"];
            is_of_output.iter().any(|part| name.contains(part)) == is_output
        });
        let name = name.expect("a count").clone();
        counts.insert(name, wrong.clone());
        let terms = &table().prices[of.prices()];
        for (way, usage) in case.readings() {
            let cost = cost(terms, &usage.expect("usage"));
            prop_assert_eq!(&cost.cost, &Cost::Unpriced, "{} {}", way, wrong);
            let detail = cost.unpriced.and_then(|why| why.detail).unwrap_or_default();
            prop_assert!(detail.contains("a count of "), "{}: {}", way, detail);
        }
    }

    #[test]
    fn more_tokens_never_cost_less(
        of in prop::sample::select(vec![Api::Chat, Api::Responses, Api::Messages, Api::Gemini]),
        input in 0_u64..400_000, output in 0_u64..100_000,
        more_input in 0_u64..400_000, more_output in 0_u64..100_000,
    ) {
        let terms = &table().prices[of.prices()];
        let amount = |input, output| {
            let usage = plain_case(of, input, output).readings().swap_remove(0).1.expect("usage");
            cost(terms, &usage).cost.amount().expect("priced")
        };
        prop_assert!(amount(input, output) <= amount(input + more_input, output + more_output));
    }
}
