//! The routing rules as tables: one row for each API call.

use super::*;
use crate::{BackendCapabilities, BalanceWeights, KeyPool, Needs, NoSignals, RouteCandidate};

fn backend(id: &str, models: &[&str]) -> RoutableBackend {
    RoutableBackend {
        backend: BackendId::new(id).expect("an id"),
        role: if id == "mock" { BackendRole::Mock } else { BackendRole::Provider },
        status: BackendStatus::Usable,
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        pool: KeyPool::default(),
        capabilities: BackendCapabilities::default(),
    }
}

fn table(backends: Vec<RoutableBackend>) -> RouteTable {
    RouteTable::new(Vec::new(), backends)
}

fn client() -> ClientId {
    ClientId::new("editor").expect("an id")
}

fn choose(table: &RouteTable, model: &str) -> Result<Decision, RoutingError> {
    let client = client();
    let needs = Needs::default();
    let asking = RoutingRequest {
        model,
        client: &client,
        switched_to: None,
        project: None,
        needs,
        conversation: None,
    };
    table.choose(&asking, &NoSignals, &mut || 0.5)
}

fn standing(standing: BackendStatus, backend: RoutableBackend) -> RoutableBackend {
    RoutableBackend { status: standing, ..backend }
}

/// Formats `a:m, b:m | route | explanation`, or the refusal's text.
fn outcome(table: &RouteTable, asked: &str) -> String {
    match choose(table, asked) {
        Err(refusal) => refusal.to_string(),
        Ok(decision) => {
            let list: Vec<String> = decision
                .candidates
                .iter()
                .map(|candidate| format!("{}:{}", candidate.endpoint, candidate.model))
                .collect();
            format!("{} | {} | {}", list.join(", "), decision.route, decision.explanation)
        }
    }
}

fn check(table: &RouteTable, rows: &[(&str, &str)]) {
    for (asked, expected) in rows {
        assert_eq!(outcome(table, asked), *expected, "asked for {asked:?}");
    }
}

#[test]
fn a_pin_wins_and_a_bare_name_goes_to_the_first_usable_backend_that_lists_it() {
    let table = table(vec![
        standing(
            BackendStatus::Disabled("is switched off".to_owned()),
            backend("off", &["gpt-4o", "only-off"]),
        ),
        standing(BackendStatus::Unusable("has no key".to_owned()), backend("keyless", &["gpt-4o"])),
        backend("openai", &["gpt-4o", "gpt-4o-mini"]),
        backend("openrouter", &["openai/gpt-4o", "gpt-4o", "meta/llama-3"]),
        backend("mock", &["echo", "gpt-4o"]),
    ]);
    check(
        &table,
        &[
            ("openai/gpt-4o", "openai:gpt-4o | pinned | The request pins the backend openai."),
            (
                "openai/not-listed",
                "openai:not-listed | pinned | The request pins the backend openai.",
            ),
            (
                "openrouter/openai/gpt-4o",
                "openrouter:openai/gpt-4o | pinned | The request pins the backend openrouter.",
            ),
            ("mock/echo", "mock:echo | pinned | The request pins the backend mock."),
            (
                "gpt-4o",
                "openai:gpt-4o, openrouter:gpt-4o | gpt-4o | openai is the first of 2 usable backends that list gpt-4o.",
            ),
            (
                "meta/llama-3",
                "openrouter:meta/llama-3 | meta/llama-3 | openrouter is the only usable backend that lists meta/llama-3.",
            ),
            ("off/gpt-4o", "the backend off is switched off; fix it or use another model"),
            ("keyless/gpt-4o", "the backend keyless has no key; fix it or use another model"),
            (
                "echo",
                "no backend lists \"echo\"; available: openai/gpt-4o, gpt-4o, gpt-4o-mini, meta/llama-3",
            ),
            (
                "only-off",
                "no backend lists \"only-off\"; available: openai/gpt-4o, gpt-4o, gpt-4o-mini, meta/llama-3",
            ),
            (
                "gpt-4o-mni",
                "no backend lists \"gpt-4o-mni\"; did you mean \"gpt-4o-mini\"? Available: openai/gpt-4o, gpt-4o, gpt-4o-mini, meta/llama-3",
            ),
            ("openai/", "the request has no model; use one that GET /v1/models lists"),
            ("", "the request has no model; use one that GET /v1/models lists"),
        ],
    );
}

#[test]
fn an_unlisted_name_goes_to_the_one_backend_with_unknown_models_and_never_by_guess() {
    let one =
        table(vec![backend("openai", &["gpt-4o"]), backend("local", &[]), backend("mock", &[])]);
    check(
        &one,
        &[
            (
                "llama3:8b",
                "local:llama3:8b | * | No backend lists llama3:8b; local is the only usable one whose models are unknown.",
            ),
            (
                "gpt-4o",
                "openai:gpt-4o | gpt-4o | openai is the only usable backend that lists gpt-4o.",
            ),
        ],
    );
    let two = table(vec![backend("local", &[]), backend("other", &[])]);
    check(&two, &[("llama3", "no backend lists \"llama3\"; available: local/…, other/…")]);
    let other_off = table(vec![
        backend("local", &[]),
        standing(BackendStatus::Disabled("is switched off".to_owned()), backend("other", &[])),
    ]);
    assert!(choose(&other_off, "llama3").is_ok());
}

#[test]
fn with_nothing_but_the_mock_the_refusal_says_so() {
    let table = table(vec![backend("mock", &["echo"])]);
    let refusal =
        "no backend can serve \"gpt-4o\"; add one, or use a model of the mock such as mock/echo";
    check(&table, &[("gpt-4o", refusal)]);
    assert!(matches!(choose(&RouteTable::default(), "x"), Err(RoutingError::NoProvider { .. })));
}

#[test]
fn a_name_is_looked_at_up_to_its_limit() {
    let table = table(vec![backend("local", &[])]);
    assert!(choose(&table, &"m".repeat(MODEL_NAME_BYTES_MAX)).is_ok());
    assert_eq!(
        choose(&table, &"m".repeat(MODEL_NAME_BYTES_MAX + 1)),
        Err(RoutingError::NameTooLong(MODEL_NAME_BYTES_MAX + 1))
    );
}

#[test]
fn the_list_names_only_what_can_be_asked_for_and_each_entry_leads_where_it_says() {
    let table = table(vec![
        backend("openai", &["gpt-4o"]),
        standing(
            BackendStatus::Disabled("is switched off".to_owned()),
            backend("off", &["hidden"]),
        ),
        backend("openrouter", &["openai/gpt-4o", "gpt-4o", "meta/llama-3"]),
        backend("mock", &["echo"]),
    ]);
    let entries = table.list_models(Some(&client()));
    let ids: Vec<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "openai/gpt-4o",
            "openrouter/openai/gpt-4o",
            "openrouter/gpt-4o",
            "openrouter/meta/llama-3",
            "mock/echo",
            "gpt-4o",
            "meta/llama-3",
        ]
    );
    for entry in entries {
        let decision = choose(&table, &entry.id).expect("a listed name has a route");
        assert_eq!(decision.candidates[0].endpoint.backend, entry.backend, "{}", entry.id);
    }
}

#[test]
fn served_models_are_grouped_by_what_can_answer_them() {
    let id = |text: &str| BackendId::new(text).expect("an id");
    let route = |name: &str, models: &[&str], clients: &[ClientId], to: &[&str]| Route {
        id: RouteId::new(name).expect("an id"),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        clients: clients.to_vec(),
        candidates: to
            .iter()
            .map(|backend| RouteCandidate { backend: id(backend), model: None, weight: 1 })
            .collect(),
        projects: Vec::new(),
        policy: RoutePolicy::Ordered,
        weights: BalanceWeights::default(),
        sticky: None,
        crossing: None,
        cache: None,
    };
    let table = RouteTable::new(
        vec![
            route("chat", &["m-routed", "fast-*"], &[], &["a", "b", "a"]),
            route("mine", &["m-1"], &[client()], &["gone"]),
        ],
        vec![
            backend("a", &["m-1", "m-2", "m-routed", "fast-1"]),
            backend("b", &["m-2", "m-3"]),
            standing(
                BackendStatus::Disabled("is switched off".to_owned()),
                backend("off", &["m-4"]),
            ),
            backend("mock", &["echo"]),
            backend("silent", &[]),
        ],
    );
    let served = table.served_models();
    let shown: Vec<String> = served
        .iter()
        .map(|served| {
            let backends: Vec<&str> = served.backends.iter().map(BackendId::as_str).collect();
            let models = match &served.models {
                ModelSet::Route(id) => format!("route {id}"),
                ModelSet::Listed(models) => models.join(" "),
                ModelSet::Unlisted => "others".to_owned(),
            };
            format!("{models}: {}", backends.join(" "))
        })
        .collect();
    let wanted =
        ["route chat: a b", "route mine: gone", "m-1: a", "m-2: a b", "m-3: b", "others: silent"];
    assert_eq!(shown, wanted, "a route for one client hides no name from the others");

    let chat = &served[0];
    let all_but = |down: &'static str| move |other: &BackendId| other.as_str() != down;
    assert!(!chat.require(&id("a"), all_but("a")), "b answers");
    assert!(chat.require(&id("a"), all_but("b")), "b cannot");
    assert!(!chat.require(&id("c"), |_| false), "it is none of its backends");
}
