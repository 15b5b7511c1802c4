//! The requests sent through every SDK to every backend, in a dialect-independent form, with the
//! expected results.

use serde_json::{Value, json};

/// A picture of one pixel: 68 bytes of PNG.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

/// One request and its expected answer.
#[derive(Debug, Clone)]
pub(crate) struct SdkScenario {
    pub(crate) name: &'static str,
    /// The request without `model`, which is in [`SdkScenario::model`].
    pub(crate) asks: Value,
    pub(crate) model: &'static str,
    pub(crate) says: ExpectedText,
    pub(crate) finish: &'static str,
    pub(crate) calls: Vec<(&'static str, Value)>,
    /// True if the answer must include reasoning.
    pub(crate) thinks: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum ExpectedText {
    Text(&'static str),
    /// JSON text of this value.
    Json(Value),
    /// A text with all of these parts.
    Parts(&'static [&'static str]),
}

impl ExpectedText {
    pub(crate) fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Text(wanted) => text == *wanted,
            Self::Json(wanted) => serde_json::from_str::<Value>(text).is_ok_and(|v| v == *wanted),
            Self::Parts(parts) => parts.iter().all(|part| text.contains(part)),
        }
    }
}

fn user(text: &str) -> Value {
    json!([{"role": "user", "text": text}])
}

fn tools() -> Value {
    let tool = |name: &str, argument: &str| {
        json!({"name": name, "schema": {"type": "object",
            "properties": {argument: {"type": "string"}}, "required": [argument],
            "additionalProperties": false}})
    };
    json!([tool("get_weather", "city"), tool("get_time", "zone")])
}

fn weather() -> (&'static str, Value) {
    ("get_weather", json!({"city": "Paris"}))
}

fn time() -> (&'static str, Value) {
    ("get_time", json!({"zone": "Paris"}))
}

/// The turns in which two calls were made and answered.
fn answered_calls() -> Value {
    json!([
        {"role": "user", "text": "Use get_weather and get_time for Paris"},
        {"role": "assistant", "text": "Let me look.", "calls": [
            {"id": "call_a", "name": "get_weather", "arguments": {"city": "Paris"}},
            {"id": "call_b", "name": "get_time", "arguments": {"zone": "Paris"}}]},
        {"role": "tool", "results": [
            {"id": "call_a", "name": "get_weather", "text": "18 degrees"},
            {"id": "call_b", "name": "get_time", "text": "12:30"}]},
    ])
}

/// A scenario that ends with text.
fn text_scenario(name: &'static str, asks: Value, text: &'static str) -> SdkScenario {
    let says = ExpectedText::Text(text);
    SdkScenario {
        name,
        asks,
        model: "echo",
        says,
        finish: "stop",
        calls: Vec::new(),
        thinks: false,
    }
}

/// A scenario that ends with calls and no text.
fn calls_scenario(name: &'static str, asks: Value, calls: &[(&'static str, Value)]) -> SdkScenario {
    SdkScenario { finish: "tools", calls: calls.to_vec(), ..text_scenario(name, asks, "") }
}

fn plain() -> [SdkScenario; 5] {
    const SPECIAL: &str = "Grüße, 🌍! \"Quoted\" \\ and\n\nnew  lines\tand {braces}: data: [DONE]";
    const LONG: &str = "one two three four five six seven eight nine ten eleven twelve thirteen \
        fourteen fifteen sixteen seventeen eighteen nineteen twenty";
    const CUT: &str = "one two three four five six seven eight nine ten eleven twelve thirteen \
        fourteen fifteen sixteen";
    let mut turns = user("One");
    if let Some(list) = turns.as_array_mut() {
        list.push(json!({"role": "assistant", "text": "Two"}));
        list.push(json!({"role": "user", "text": "Three"}));
    }
    // OpenAI accepts no limit below 16.
    let short = json!({"turns": user(LONG), "max_tokens": 16});
    let system = json!({"turns": user("Hello"), "system": "Answer in one word."});
    [
        text_scenario(
            "plain",
            json!({"turns": user("What is the weather in Paris")}),
            "What is the weather in Paris",
        ),
        text_scenario("special", json!({"turns": user(SPECIAL)}), SPECIAL),
        text_scenario("turns", json!({"turns": turns, "system": "Count."}), "Three"),
        SdkScenario { model: "system", ..text_scenario("system", system, "Answer in one word.") },
        SdkScenario { finish: "length", ..text_scenario("length", short, CUT) },
    ]
}

fn with_tools() -> [SdkScenario; 9] {
    let asks = |text: &str, more: Value| {
        let mut asks = json!({"turns": user(text), "tools": tools()});
        if let (Some(members), Value::Object(more)) = (asks.as_object_mut(), more) {
            members.extend(more);
        }
        asks
    };
    let one = "Call get_weather for Paris";
    let both = "Use get_weather and get_time for Paris";
    let mut further = answered_calls();
    if let Some(list) = further.as_array_mut() {
        list.push(json!({"role": "assistant", "text": "18 degrees at 12:30."}));
        list.push(json!({"role": "user", "text": "Thank you"}));
    }
    [
        calls_scenario("tool", asks(one, json!({})), &[weather()]),
        calls_scenario("parallel", asks(both, json!({})), &[weather(), time()]),
        calls_scenario("one-call", asks(both, json!({"one_call": true})), &[weather()]),
        calls_scenario("any-tool", asks("In Paris", json!({"choice": "any"})), &[weather()]),
        calls_scenario("named-tool", asks("In Paris", json!({"choice": "get_time"})), &[time()]),
        text_scenario("no-tool", asks(one, json!({"choice": "none"})), one),
        SdkScenario {
            model: "text-and-tool",
            says: ExpectedText::Text("Let me look."),
            ..calls_scenario("text-and-tool", asks(both, json!({})), &[weather(), time()])
        },
        text_scenario(
            "results",
            json!({"turns": answered_calls(), "tools": tools()}),
            "18 degrees; 12:30",
        ),
        text_scenario("after-results", json!({"turns": further, "tools": tools()}), "Thank you"),
    ]
}

fn rich() -> [SdkScenario; 4] {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"},
        "rain": {"type": "boolean"}}, "required": ["city", "rain"], "additionalProperties": false});
    let place = json!({"turns": user("It rains in Paris"), "schema": schema});
    let picture = json!({"turns": [{"role": "user", "text": "See",
        "images": [{"media_type": "image/png", "data": PICTURE}]}]});
    let think = json!({"turns": user("Is it warm"), "thinking": true});
    // The answer is sent back with its reasoning and calls, and another one follows.
    let looped = json!({"turns": user("Use get_weather and get_time for Paris"), "tools": tools(),
        "thinking": true, "results": {"get_weather": "18 degrees", "get_time": "12:30"}});
    [
        SdkScenario {
            model: "think",
            thinks: true,
            ..text_scenario("loop", looped, "18 degrees; 12:30")
        },
        SdkScenario {
            says: ExpectedText::Json(json!({"city": "Paris", "rain": true})),
            ..text_scenario("structured", place, "")
        },
        text_scenario("image", picture, "See [image image/png 68 bytes]"),
        SdkScenario {
            model: "think",
            thinks: true,
            ..text_scenario("thinking", think, "Is it warm")
        },
    ]
}

pub(crate) fn all() -> Vec<SdkScenario> {
    plain().into_iter().chain(with_tools()).chain(rich()).collect()
}

/// The scenarios that the built-in mock can answer, with its own texts.
pub(crate) fn of_the_mock() -> Vec<SdkScenario> {
    let adapt = |scenario: SdkScenario| match scenario.name {
        "system" => None,
        "results" => {
            let says = ExpectedText::Parts(&["18 degrees", "12:30"]);
            Some(SdkScenario { model: "chat", says, ..scenario })
        }
        "image" => {
            let says = ExpectedText::Parts(&["1 picture"]);
            Some(SdkScenario { model: "chat", says, ..scenario })
        }
        "text-and-tool" => {
            Some(SdkScenario { says: ExpectedText::Parts(&["You asked about"]), ..scenario })
        }
        "loop" => {
            let says = ExpectedText::Text("Use get_weather and get_time for Paris");
            Some(SdkScenario { says, ..scenario })
        }
        _ => Some(scenario),
    };
    all().into_iter().filter_map(adapt).collect()
}
