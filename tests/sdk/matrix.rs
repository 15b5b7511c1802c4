//! Every SDK against every kind of backend: whatever speaks on either side, the same is seen.

use serde_json::{Value, json};
use test_support::{
    MockProvider, PROVIDER_CACHED_TOKENS, PROVIDER_INPUT_TOKENS, PROVIDER_KEY,
    PROVIDER_OUTPUT_TOKENS, PROVIDER_REASONING_TOKENS,
};

use super::differences::lawful;
use super::runner::{Language, Question, Seen, Target};
use super::scenarios::{self, Scenario};

/// Both ways of answering, for every scenario.
const WAYS: [&str; 2] = ["whole", "streamed"];

/// One cell: a scenario put through a surface, and where.
struct Cell {
    surface: &'static str,
    question: Question,
    scenario: Scenario,
}

/// All cells of an SDK, naming models as `{prefix}{model}`.
fn cells(language: Language, prefix: &str) -> Vec<Cell> {
    let mut cells = Vec::new();
    for surface in language.surfaces() {
        for scenario in scenarios::all() {
            let mut asks = scenario.asks.clone();
            let model = json!(format!("{prefix}{}", scenario.model));
            asks.as_object_mut().expect("an object").insert("model".to_owned(), model);
            for way in WAYS {
                let question = Question::new(surface, way, scenario.name, &asks);
                cells.push(Cell { surface, question, scenario: scenario.clone() });
            }
        }
    }
    cells
}

/// What is wrong with what was seen, if anything is.
fn fault(cell: &Cell, backend: &str, seen: &Seen) -> Option<String> {
    let scenario = &cell.scenario;
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
        ("text", scenario.says.agrees(&seen.text())),
        ("finish", seen.at("/finish") == json!(scenario.finish)),
        ("calls", seen.at("/calls") == json!(calls)),
        ("thinking", thought == scenario.thinks),
        ("usage", seen.at("/usage") == usage(scenario)),
    ];
    let lawful = lawful(cell.surface, backend, scenario.name);
    let wrong: Vec<&str> = differs
        .iter()
        .filter(|(part, agrees)| !agrees && !lawful.contains(part))
        .map(|(part, _)| *part)
        .collect();
    (!wrong.is_empty()).then(|| format!("{} of {}", wrong.join(", "), seen.0))
}

fn usage(scenario: &Scenario) -> Value {
    let reasoning = if scenario.thinks { PROVIDER_REASONING_TOKENS } else { 0 };
    json!({"input": PROVIDER_INPUT_TOKENS, "output": PROVIDER_OUTPUT_TOKENS,
        "cached": PROVIDER_CACHED_TOKENS, "reasoning": reasoning})
}

/// Fails with every cell that is wrong, and with whatever the provider refused.
#[track_caller]
fn judge(cells: &[Cell], backend: &str, seen: &[Seen], refusals: &[String]) {
    let wrong: Vec<String> = cells
        .iter()
        .zip(seen)
        .filter_map(|(cell, seen)| {
            Some(format!("{}: {}", cell.question.name, fault(cell, backend, seen)?))
        })
        .collect();
    assert!(
        wrong.is_empty() && refusals.is_empty(),
        "{} of {} cells are wrong:\n{}\nThe provider refused:\n{}",
        wrong.len(),
        cells.len(),
        wrong.join("\n"),
        refusals.join("\n")
    );
}

/// Without a gateway in between: the oracle itself is sound, and each SDK finds its provider's
/// answers right.
pub(crate) async fn each_sdk_and_its_provider_agree(language: Language) {
    let provider = MockProvider::start().await.expect("a provider");
    let target = Target { root: provider.root(), token: PROVIDER_KEY.to_owned() };
    let cells = cells(language, "");
    let questions: Vec<Question> = cells.iter().map(|cell| cell.question.clone()).collect();
    let Some(seen) = language.ask(&target, &questions).await else { return };
    judge(&cells, "", &seen, &provider.refusals());
}
