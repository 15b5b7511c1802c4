//! Objectives of single routes, backends and services in the file.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

mod fixture;

use std::convert::Infallible;

use domain::{BackendId, RouteId, ServiceGoal, ServiceId, ServicePeriod};
use settings::{OwnObjective, Settings, SettingsStore, Severity};

use fixture::open;

const FILE: &str = r#"version = 1

[backends.local]
base_url = "http://127.0.0.1:11434/v1"
objective = { first_token_max_ms = 8000 } # a slow machine

[services.store]
kind = "tcp"
address = "127.0.0.1:5432"
objective = { goal = "99", period = "30d" }

[routes.fast]
candidates = [{ backend = "local" }]
# Tools wait for it.
objective = { goal = "99.9" } # stricter
"#;

fn edit(store: &SettingsStore, change: impl FnOnce(&mut Settings)) -> String {
    let edited = store.edit(|draft| {
        change(draft);
        Ok::<_, Infallible>(())
    });
    edited.expect("edited");
    std::fs::read_to_string(store.path()).expect("read")
}

fn backend() -> BackendId {
    BackendId::new("local").expect("an id")
}

fn route() -> RouteId {
    RouteId::new("fast").expect("an id")
}

fn service() -> ServiceId {
    ServiceId::new("store").expect("an id")
}

#[test]
fn each_part_is_read_and_the_default_holds_for_what_is_left_out() {
    let (_folder, store) = open(FILE);
    assert_eq!(store.problems(), []);
    let settings = store.current();
    let none = OwnObjective::default();
    let local = OwnObjective { first_token_max_ms: Some(8_000), ..none };
    assert_eq!(settings.backends[&backend()].objective, local);
    let strict = OwnObjective { goal: Some(ServiceGoal::Percent99_9), ..none };
    assert_eq!(settings.routes[&route()].objective, strict);
    let (goal, period) = (Some(ServiceGoal::Percent99), Some(ServicePeriod::Month));
    assert_eq!(settings.services[&service()].objective, OwnObjective { goal, period, ..none });
    let as_table = FILE.replace("objective = { goal = \"99.9\" }", "");
    let (_folder, store) = open(&format!("{as_table}[routes.fast.objective]\ngoal = \"99.9\"\n"));
    assert_eq!(store.problems(), []);
    assert_eq!(store.current().routes[&route()].objective, strict);
}

#[test]
fn an_edit_keeps_comments_and_the_default_leaves_nothing() {
    let (_folder, store) = open(FILE);
    let text = edit(&store, |draft| {
        draft.routes[&route()].objective.period = Some(ServicePeriod::Week);
        draft.backends[&backend()].objective.goal = Some(ServiceGoal::Percent95);
    });
    let changed = FILE
        .replace("{ goal = \"99.9\" }", "{ goal = \"99.9\", period = \"7d\" }")
        .replace("{ first_token_max_ms = 8000 }", "{ goal = \"95\", first_token_max_ms = 8000 }");
    assert_eq!(text, changed);
    let text = edit(&store, |draft| {
        draft.routes[&route()].objective = OwnObjective::default();
        draft.services[&service()].objective = OwnObjective::default();
        draft.backends[&backend()].objective = OwnObjective::default();
    });
    assert!(!text.contains("objective"), "{text}");
}

#[test]
fn numbers_are_taken_up_to_their_limits_and_mistakes_are_told_at_their_field() {
    let backend = |objective: &str| {
        format!("[backends.b]\nbase_url = \"http://127.0.0.1:1/v1\"\nobjective = {objective}\n")
    };
    let check = |text: &str, told: Option<(Severity, &str)>| {
        let (_folder, store) = open(&format!("version = 1\n{text}"));
        let found = store.problems();
        let found: Vec<_> = found.iter().map(|it| (it.severity, it.path.as_str())).collect();
        assert_eq!(found, Vec::from_iter(told), "{text}");
    };
    for (max, is_taken) in [(99, false), (100, true), (60_000, true), (60_001, false)] {
        let path = "backends.b.objective.first_token_max_ms";
        let told = (!is_taken).then_some((Severity::Error, path));
        check(&backend(&format!("{{ first_token_max_ms = {max} }}")), told);
    }
    let goal = Some((Severity::Error, "backends.b.objective.goal"));
    check(&backend("{ goal = \"99.55\" }"), goal);
    check(&backend("{ goal = 99.5 }"), goal);
    let period = Some((Severity::Error, "backends.b.objective.period"));
    check(&backend("{ period = \"1d\" }"), period);
    check(&backend("\"99.5\""), Some((Severity::Error, "backends.b.objective")));
    check(&backend("{ gaol = \"99\" }"), Some((Severity::Warning, "backends.b.objective.gaol")));
    let service = "[services.s]\nkind = \"tcp\"\naddress = \"127.0.0.1:1\"\n\
        objective = { first_token_max_ms = 500 }\n";
    let path = "services.s.objective.first_token_max_ms";
    check(service, Some((Severity::Warning, path)));
}
