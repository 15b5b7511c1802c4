//! Every SDK against every kind of backend: the result must be the same for all pairs of dialects.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_support::{
    MockProvider, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_KEY,
    PROVIDER_OUTPUT_TOKENS, PROVIDER_REASONING_TOKENS,
};

use super::differences::{REFUSED, permitted_differences};
use super::fixture::SdkFixture;
use super::runner::{SdkLanguage, SdkRequest, SdkResult, SdkTarget};
use super::scenarios::{self, SdkScenario};

/// Both delivery formats, for every scenario.
const WAYS: [&str; 2] = ["whole", "streamed"];

/// One cell: a scenario sent through a surface.
struct MatrixCell {
    surface: &'static str,
    question: SdkRequest,
    scenario: SdkScenario,
}

/// All cells of an SDK, with models named `{prefix}{model}`.
fn cells(language: SdkLanguage, scenarios: &[SdkScenario], prefix: &str) -> Vec<MatrixCell> {
    let mut cells = Vec::new();
    for surface in language.surfaces() {
        for scenario in scenarios {
            let mut asks = scenario.asks.clone();
            let model = json!(format!("{prefix}{}", scenario.model));
            asks.as_object_mut().expect("an object").insert("model".to_owned(), model);
            let asynchronous = language == SdkLanguage::Python && scenario.name == "parallel";
            let looped = scenario.asks.get("results").is_some();
            let ways = match looped {
                true if surface.starts_with("ai-") => vec!["looped", "agent", "streamedAgent"],
                true => vec!["looped"],
                false => WAYS.into_iter().chain(asynchronous.then_some("asynchronous")).collect(),
            };
            for way in ways {
                let question = SdkRequest::new(surface, way, scenario.name, &asks);
                cells.push(MatrixCell { surface, question, scenario: scenario.clone() });
            }
        }
    }
    cells
}

/// Describes what is wrong with a result, if anything. `usage` is the expected usage, if known.
fn find_difference(
    cell: &MatrixCell,
    backend: &str,
    usage: Option<&Value>,
    seen: &SdkResult,
) -> Option<String> {
    let scenario = &cell.scenario;
    let lawful = permitted_differences(cell.surface, backend, scenario.name);
    if lawful.contains(&REFUSED) {
        let message = seen.at("/raised/message");
        // Gemini's clients wrote the field by their own name.
        let field = match cell.surface {
            "gemini" | "ai-google" => "'toolConfig.functionCallingConfig'",
            _ => "'tool_choice'",
        };
        let names = message.as_str().is_some_and(|text| text.contains(field));
        let refused = names && seen.at("/raised/status") == json!(400);
        return (!refused).then(|| format!("not refused by name: {}", seen.0));
    }
    if !seen.at("/raised").is_null() {
        return Some(format!("raised {}", seen.at("/raised")));
    }
    let calls: Vec<Value> = scenario
        .calls
        .iter()
        .map(|(name, arguments)| json!({"name": name, "arguments": arguments}))
        .collect();
    let thought = seen.at("/thinking").as_str().is_some_and(|text| !text.is_empty());
    let differs = [
        ("text", scenario.says.matches_text(&seen.text())),
        ("finish", seen.at("/finish") == json!(scenario.finish)),
        ("calls", seen.at("/calls") == json!(calls)),
        ("thinking", thought == scenario.thinks),
        ("usage", usage.is_none_or(|usage| seen.at("/usage") == *usage)),
    ];
    let wrong: Vec<&str> = differs
        .iter()
        .filter(|(part, agrees)| !agrees && !lawful.contains(part))
        .map(|(part, _)| *part)
        .collect();
    (!wrong.is_empty()).then(|| format!("{} of {}", wrong.join(", "), seen.0))
}

/// The provider's usage for a scenario, as far as this kind of backend reports it.
fn expected_usage(scenario: &SdkScenario, backend: &str) -> Value {
    let reasoning = if scenario.thinks { PROVIDER_REASONING_TOKENS } else { 0 };
    let (cached, reasoning) = match backend {
        "ollama" => (0, 0),
        _ => (PROVIDER_CACHED_TOKENS, reasoning),
    };
    json!({"input": PROVIDER_INPUT_TOKENS, "output": PROVIDER_OUTPUT_TOKENS,
        "cached": cached, "reasoning": reasoning})
}

/// Fails with all wrong cells and all refusals of the provider.
#[track_caller]
fn assert_no_differences(cells: usize, wrong: &[String], refusals: &[String]) {
    assert!(
        wrong.is_empty() && refusals.is_empty(),
        "{} of {cells} cells are wrong:\n{}\nThe provider refused:\n{}",
        wrong.len(),
        wrong.join("\n"),
        refusals.join("\n")
    );
}

fn find_differences(cells: &[MatrixCell], backend: &str, seen: &[SdkResult]) -> Vec<String> {
    let told = |(cell, seen): (&MatrixCell, &SdkResult)| {
        let usage = expected_usage(&cell.scenario, backend);
        Some(format!(
            "{}: {}",
            cell.question.name,
            find_difference(cell, backend, Some(&usage), seen)?
        ))
    };
    cells.iter().zip(seen).filter_map(told).collect()
}

fn questions(cells: &[MatrixCell]) -> Vec<SdkRequest> {
    cells.iter().map(|cell| cell.question.clone()).collect()
}

/// Checks the mock provider itself, without a gateway: each SDK accepts its own provider's answers.
pub(crate) async fn each_sdk_and_its_provider_agree(language: SdkLanguage) {
    let provider = MockProvider::start().await.expect("a provider");
    let target = SdkTarget { root: provider.root(), token: PROVIDER_KEY.to_owned() };
    let cells = cells(language, &scenarios::all(), "");
    let Some(seen) = language.ask(&target, &questions(&cells)).await else { return };
    assert_no_differences(cells.len(), &find_differences(&cells, "", &seen), &provider.refusals());
}

async fn each_sdk_sees_the_same_of(language: SdkLanguage, backend: &str) {
    let bench = SdkFixture::new(&[backend]).await;
    let cells = cells(language, &scenarios::all(), &format!("{backend}/"));
    let Some(seen) = bench.ask(language, &questions(&cells)).await else { return };
    assert_no_differences(
        cells.len(),
        &find_differences(&cells, backend, &seen),
        &bench.provider.refusals(),
    );
    let loops = cells.iter().filter(|cell| cell.scenario.asks.get("results").is_some()).count();
    // Refused requests do not reach the provider. Health probes are not POSTs, so only billed
    // requests count.
    let refused = |cell: &&MatrixCell| {
        permitted_differences(cell.surface, backend, cell.scenario.name).contains(&REFUSED)
    };
    let cells_sent = cells.len() - cells.iter().filter(refused).count();
    let asked = bench.provider.requests().iter().filter(|one| one.method == "POST").count();
    assert_eq!(asked, cells_sent + loops, "nobody had to ask twice");
}

pub(crate) async fn each_sdk_sees_the_same_of_openai(language: SdkLanguage) {
    each_sdk_sees_the_same_of(language, "openai").await;
}

pub(crate) async fn each_sdk_sees_the_same_of_openai_compatible(language: SdkLanguage) {
    each_sdk_sees_the_same_of(language, "openai-compatible").await;
}

pub(crate) async fn each_sdk_sees_the_same_of_anthropic(language: SdkLanguage) {
    each_sdk_sees_the_same_of(language, "anthropic").await;
}

pub(crate) async fn each_sdk_sees_the_same_of_gemini(language: SdkLanguage) {
    each_sdk_sees_the_same_of(language, "gemini").await;
}

pub(crate) async fn each_sdk_sees_the_same_of_ollama(language: SdkLanguage) {
    each_sdk_sees_the_same_of(language, "ollama").await;
}

/// The built-in mock counts tokens itself; its counts must be the same through every surface.
pub(crate) async fn each_sdk_sees_the_same_of_the_mock(language: SdkLanguage) {
    let bench = SdkFixture::new(&[]).await;
    let cells = cells(language, &scenarios::of_the_mock(), "mock/");
    let Some(seen) = bench.ask(language, &questions(&cells)).await else { return };
    let mut counted: BTreeMap<&str, Value> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (cell, seen) in cells.iter().zip(&seen) {
        let first = counted.entry(cell.scenario.name).or_insert_with(|| seen.at("/usage"));
        if let Some(fault) = find_difference(cell, "mock", Some(first), seen) {
            wrong.push(format!("{}: {fault}; usage {first} at first", cell.question.name));
        }
    }
    assert_no_differences(cells.len(), &wrong, &[]);
    let counts = |usage: &Value, name: &str| usage.get(name).and_then(Value::as_u64) > Some(0);
    assert!(counted.values().all(|usage| counts(usage, "input")), "{counted:?}");
    assert!(counted.values().all(|usage| counts(usage, "output")), "{counted:?}");
}
