//! Routes and pools in the file: accepted forms, reported problems, and their survival of edits.

#![expect(clippy::expect_used, reason = "a fixture that cannot be made fails its test")]

mod fixture;

use std::convert::Infallible;
use std::sync::Arc;

use domain::{BackendId, CredentialId, PoolOrder, RouteId, RoutePolicy};
use settings::{
    PoolMemberSettings, ResilienceNumbers, ResiliencePreset, RouteCandidateSettings, RouteSettings,
    STICKY_SECS_DEFAULT, Settings, SettingsFileState, SettingsStore, Severity,
};

use fixture::open;

const BACKENDS: &str = r#"
[backends.openai]
base_url = "https://api.openai.com/v1"
kind = "openai"
models = ["gpt-4o", "gpt-4o-mini"]

[backends.local]
base_url = "http://127.0.0.1:11434/v1"
"#;
const BY_HAND: &str = r#"
# The quick one.
[routes.fast] # first
candidates = [
  # cheap
  { backend = "local", model = "qwen3" }, # at home
  { backend = "openai", model = "gpt-4o-mini" },
]

# Everything else.
[routes.rest]
models = ["*"]
policy = "weighted"
[[routes.rest.candidates]]
backend = "openai"
weight = 3
[[routes.rest.candidates]]
backend = "local"
"#;

fn edit(store: &SettingsStore, change: impl FnOnce(&mut Settings)) -> Arc<Settings> {
    let edited = store.edit(|draft| {
        change(draft);
        Ok::<_, Infallible>(())
    });
    edited.expect("edited").0
}

fn text(store: &SettingsStore) -> String {
    std::fs::read_to_string(store.path()).expect("read")
}

fn id(text: &str) -> RouteId {
    RouteId::new(text).expect("an id")
}

fn candidate(backend: &str, model: Option<&str>, weight: u16) -> RouteCandidateSettings {
    let backend = BackendId::new(backend).expect("an id");
    RouteCandidateSettings { backend, model: model.map(str::to_owned), weight }
}

#[test]
fn a_route_is_read_in_either_spelling_and_what_is_left_out_is_the_usual() {
    let (_folder, store) = open(&format!("{BACKENDS}{BY_HAND}"));
    assert_eq!(store.problems(), []);
    let settings = store.current();
    let names: Vec<&str> = settings.routes.keys().map(RouteId::as_str).collect();
    assert_eq!(names, ["fast", "rest"]);
    let fast = &settings.routes[&id("fast")];
    assert_eq!((fast.models.clone(), fast.policy), (vec!["fast".to_owned()], RoutePolicy::Ordered));
    assert_eq!((fast.enabled, fast.sticky_secs), (true, STICKY_SECS_DEFAULT));
    let expected =
        [candidate("local", Some("qwen3"), 1), candidate("openai", Some("gpt-4o-mini"), 1)];
    assert_eq!(fast.candidates, expected);
    let rest = &settings.routes[&id("rest")];
    assert_eq!(rest.candidates, [candidate("openai", None, 3), candidate("local", None, 1)]);
}

#[test]
fn each_mistake_of_a_route_is_found_at_its_field() {
    use Severity::{Error, Warning};
    let route = |lines: &str| {
        let backend = "[backends.up]\nbase_url = \"https://a.test\"\n";
        format!("{backend}[routes.r]\n{lines}\n")
    };
    let with = |line: &str| route(&format!("candidates = [{{ backend = \"up\" }}]\n{line}"));
    let one = |candidate: &str| route(&format!("candidates = [{candidate}]"));
    let rows = [
        (route(""), Error, "routes.r.candidates", 3),
        (route("candidates = []"), Error, "routes.r.candidates", 4),
        (route("candidates = \"up\""), Error, "routes.r.candidates", 4),
        (one("\"up\""), Error, "routes.r.candidates", 4),
        (one("3"), Error, "routes.r.candidates", 4),
        (one("{ model = \"m\" }"), Error, "routes.r.candidates", 4),
        (one("{ backend = \"Up There\" }"), Error, "routes.r.candidates", 4),
        (one("{ backend = \"up\", model = \"\" }"), Error, "routes.r.candidates", 4),
        (one("{ backend = \"up\", weight = -1 }"), Error, "routes.r.candidates", 4),
        (one("{ backend = \"up\", wieght = 1 }"), Warning, "routes.r.candidates", 4),
        (one("{ backend = \"nowhere\" }"), Warning, "routes.r.candidates", 4),
        (one("{ backend = \"r\" }"), Warning, "routes.r.candidates", 4),
        (one("{ backend = \"up\" }, { backend = \"up\" }"), Warning, "routes.r.candidates", 4),
        (with("models = \"a\""), Error, "routes.r.models", 5),
        (with("models = [\"\"]"), Error, "routes.r.models", 5),
        (with("models = [\"a\", \"a\"]"), Warning, "routes.r.models", 5),
        (with("models = [\"up/x\"]"), Warning, "routes.r.models", 5),
        (with("clients = [\"A B\"]"), Error, "routes.r.clients", 5),
        (with("clients = [\"codex\"]"), Warning, "routes.r.clients", 5),
        (with("projects = [1]"), Error, "routes.r.projects", 5),
        (with("policy = \"orderd\""), Error, "routes.r.policy", 5),
        (with("sticky_secs = 86401"), Error, "routes.r.sticky_secs", 5),
        (with("sticky_secs = -1"), Error, "routes.r.sticky_secs", 5),
        (with("weights = 3"), Error, "routes.r.weights", 5),
        (with("weights = { latency = 101 }"), Error, "routes.r.weights.latency", 5),
        (with("crossing = \"lax\""), Error, "routes.r.crossing", 5),
        (with("cache = \"always\""), Error, "routes.r.cache", 5),
        (with("modles = [\"a\"]"), Warning, "routes.r.modles", 5),
        (
            with("policy = \"balanced\"\nweights = { latency = 0, cost = 0, headroom = 0 }"),
            Warning,
            "routes.r.weights",
            6,
        ),
        (
            route("policy = \"split\"\ncandidates = [{ backend = \"up\", weight = 0 }]"),
            Warning,
            "routes.r.candidates",
            5,
        ),
        (
            format!(
                "{}[routes.s]\nmodels = [\"r\"]\ncandidates = [{{ backend = \"up\" }}]",
                with("")
            ),
            Warning,
            "routes.s.models",
            7,
        ),
        ("[routes.\"My Route\"]\ncandidates = []".to_owned(), Error, "routes.\"My Route\"", 1),
    ];
    for (text, severity, path, line) in rows {
        let found = open(&text).1.problems();
        assert!(!found.is_empty() && found.iter().all(|it| it.path == path), "{text}\n{found:#?}");
        let got = (found[0].severity, found[0].line);
        assert_eq!(got, (severity, Some(line)), "{text}\n{}", found[0]);
        assert!(!found[0].what.is_empty() && !found[0].hint.is_empty(), "{text}");
    }
}

#[test]
fn the_same_name_for_other_callers_or_switched_off_is_no_mistake() {
    let client = |name: &str, digit: &str| {
        let hash = digit.repeat(64);
        format!("[clients.{name}]\ntoken_sha256 = \"{hash}\"\ncreated = 2026-01-31T09:30:00Z\n")
    };
    let route = |name: &str, scope: &str| {
        format!(
            "[routes.{name}]\nmodels = [\"m\"]\n{scope}\ncandidates = [{{ backend = \"local\" }}]\n"
        )
    };
    let text = |scope: &str| {
        let clients = format!("{}{}", client("a", "a"), client("b", "b"));
        format!("{BACKENDS}{clients}{}{}", route("one", "clients = [\"a\"]"), route("two", scope))
    };
    for fine in
        ["", "clients = [\"b\"]", "projects = [\"p\"]", "clients = [\"a\"]\nenabled = false"]
    {
        assert_eq!(open(&text(fine)).1.problems(), [], "{fine}");
    }
    let found = open(&text("clients = [\"b\", \"a\"]")).1.problems();
    assert_eq!((found.len(), &*found[0].path), (1, "routes.two.models"));
    assert!(found[0].what.contains("the route one already serves \"m\""), "{}", found[0]);
}

#[test]
fn a_backend_that_declares_other_models_is_asked_for_one_it_has() {
    let route = |line: &str| format!("{BACKENDS}[routes.quick]\n{line}");
    let found = open(&route("candidates = [{ backend = \"openai\" }]")).1.problems();
    assert_eq!((found.len(), found[0].severity), (1, Severity::Warning));
    assert!(found[0].what.contains("openai has no model \"quick\""), "{}", found[0]);
    for fine in [
        "candidates = [{ backend = \"openai\", model = \"gpt-4o\" }]",
        "models = [\"gpt-4o\"]\ncandidates = [{ backend = \"openai\" }]",
        "models = [\"gpt-*\"]\ncandidates = [{ backend = \"openai\" }]",
        "candidates = [{ backend = \"local\" }]",
        "candidates = [{ backend = \"mock\", model = \"mock\" }]",
    ] {
        assert_eq!(open(&route(fine)).1.problems(), [], "{fine}");
    }
}

#[test]
fn a_missing_backend_takes_nothing_down_and_is_repaired_where_one_was_meant() {
    let route = "[routes.r]\nmodels = [\"m\"]\ncandidates = [\n  { backend = \"openia\", \
                 model = \"gpt-4o\" }, # mine\n  \"local/qwen3\",\n]\n";
    let (_folder, store) = open(&format!("{BACKENDS}{route}"));
    assert_eq!(store.state(), SettingsFileState::Invalid, "a plain name is no candidate");
    let fix = store.proposed_fix().expect("a fix");
    insta::assert_debug_snapshot!(fix.steps, @r#"
    [
        "set backend in entry 1 of routes.r.candidates to \"openai\"",
        "set entry 2 of routes.r.candidates to { backend = \"local\", model = \"qwen3\" }",
    ]
    "#);
    store.apply_fix().expect("applied");
    assert_eq!((store.state(), store.problems()), (SettingsFileState::Valid, Vec::new()));
    assert!(text(&store).contains("{ backend = \"openai\", model = \"gpt-4o\" }, # mine"));
    let expected = [candidate("openai", Some("gpt-4o"), 1), candidate("local", Some("qwen3"), 1)];
    assert_eq!(store.current().routes[&id("r")].candidates, expected);

    let nowhere = BACKENDS.replace("[backends.openai]", "[backends.elsewhere]");
    let (_folder, store) = open(&format!("{nowhere}{BY_HAND}"));
    assert_eq!(store.state(), SettingsFileState::Valid);
    let warned = store.problems();
    assert!(warned.iter().all(|it| it.severity == Severity::Warning), "{warned:#?}");
    assert_eq!(warned.len(), 2);
    assert_eq!(store.current().routes[&id("fast")].candidates.len(), 2, "kept as it was written");
}

#[test]
fn routes_are_added_changed_put_in_order_and_removed_with_their_comments() {
    let (_folder, store) = open(&format!("{BACKENDS}{BY_HAND}"));
    edit(&store, |draft| {
        let mut added = RouteSettings::new(
            vec!["smart".to_owned()],
            vec![candidate("openai", Some("gpt-4o"), 1)],
        );
        added.policy = RoutePolicy::Fastest;
        added.sticky_secs = 0;
        draft.routes.insert(id("smart"), added);
        let fast = &mut draft.routes[&id("fast")];
        fast.candidates.push(candidate("openai", Some("gpt-4o"), 2));
        draft.routes[&id("rest")].enabled = false;
    });
    let saved = edit(&store, |draft| draft.order_routes(&[id("smart"), id("rest")]));
    let names: Vec<&str> = saved.routes.keys().map(RouteId::as_str).collect();
    assert_eq!(names, ["smart", "rest", "fast"]);
    let after = text(&store);
    insta::assert_snapshot!(after.strip_prefix(BACKENDS).expect("backends as they were"), @r#"

    [routes.smart]
    policy = "fastest"
    sticky_secs = 0
    candidates = [
      { backend = "openai", model = "gpt-4o" },
    ]

    # Everything else.
    [routes.rest]
    models = ["*"]
    policy = "weighted"
    enabled = false
    [[routes.rest.candidates]]
    backend = "openai"
    weight = 3
    [[routes.rest.candidates]]
    backend = "local"

    # The quick one.
    [routes.fast] # first
    candidates = [
      # cheap
      { backend = "local", model = "qwen3" }, # at home
      { backend = "openai", model = "gpt-4o-mini" },
      { backend = "openai", model = "gpt-4o", weight = 2 },
    ]
    "#);
    let saved = edit(&store, |draft| drop(draft.routes.shift_remove(&id("rest"))));
    assert_eq!(saved.routes.len(), 2);
    assert!(!text(&store).contains("Everything else"));
    assert!(text(&store).contains("# The quick one."));
    assert_eq!(store.problems(), []);
}

#[test]
fn a_list_of_candidates_is_written_one_to_a_line() {
    let (_folder, store) = open("version = 1\n");
    edit(&store, |draft| {
        let candidates = vec![candidate("a", Some("x"), 1), candidate("b", None, 3)];
        draft.routes.insert(id("r"), RouteSettings::new(vec!["r".to_owned()], candidates));
    });
    insta::assert_snapshot!(text(&store), @r#"
    version = 1

    [routes.r]
    policy = "ordered"
    candidates = [
      { backend = "a", model = "x" },
      { backend = "b", weight = 3 },
    ]
    "#);
}

#[test]
fn a_pool_is_written_as_one_name_until_it_is_more_than_one_key() {
    let keys = "[credentials]\na = { created = 2026-01-31T09:30:00Z }\n\
                b = { created = 2026-01-31T09:30:00Z }\n[backends.up]\nbase_url = \"https://a.test\"\n";
    let (_folder, store) = open(&format!("{keys}credential = \"a\" # mine\n"));
    let key = |name: &str| CredentialId::new(name).expect("an id");
    let up = BackendId::new("up").expect("an id");
    assert_eq!(store.current().backends[&up].credential(), Some(&key("a")));
    edit(&store, |draft| {
        draft.backends[&up]
            .pool
            .members
            .push(PoolMemberSettings { credential: key("b"), weight: 2 });
    });
    assert!(
        text(&store).contains("credentials = [\"a\", { id = \"b\", weight = 2 }]"),
        "{}",
        text(&store)
    );
    assert!(!text(&store).contains("credential = "));
    let saved = edit(&store, |draft| draft.backends[&up].pool.remove(&key("a")));
    assert_eq!(saved.backends[&up].credential(), Some(&key("b")));
    edit(&store, |draft| draft.backends[&up].pool.members[0].weight = 1);
    assert!(text(&store).contains("credential = \"b\"") && !text(&store).contains("credentials ="));

    let (_folder, store) = open(&format!("{keys}credentials = [\"a\"]\npool = \"weighted\"\n"));
    assert_eq!(store.current().backends[&up].pool.order, PoolOrder::Weighted);
    let saved = edit(&store, |draft| draft.backends[&up].pool.members[0].credential = key("b"));
    assert_eq!(saved.backends[&up].credential(), Some(&key("b")));
    assert_eq!(store.problems(), []);
}

#[test]
fn numbers_mean_themselves_unless_a_word_says_otherwise() {
    let numbers = |text: &str| {
        let (_folder, store) = open(text);
        assert_eq!(store.problems(), [], "{text}");
        let resilience = store.current().resilience.clone();
        (resilience.preset, resilience.numbers())
    };
    let balanced = ResilienceNumbers::default();
    assert_eq!(numbers(""), (ResiliencePreset::Balanced, balanced.clone()));
    let own = ResilienceNumbers { failures_in_a_row: 7, ..ResilienceNumbers::default() };
    let text = "[resilience]\nfailures_in_a_row = 7\n";
    assert_eq!(numbers(text), (ResiliencePreset::Custom, own));
    let word = format!("{text}preset = \"balanced\"\n");
    assert_eq!(numbers(&word), (ResiliencePreset::Balanced, balanced));
    for preset in [ResiliencePreset::Careful, ResiliencePreset::Eager] {
        let numbers = preset.numbers().expect("a set");
        for field in ResilienceNumbers::fields() {
            let value = numbers.get(field.name).expect("a number");
            let range = field.range.clone().expect("a range");
            assert!(range.contains(&value.into()), "{preset}: {} = {value}", field.name);
        }
        for (low, high) in ResilienceNumbers::ORDERED_PAIRS {
            assert!(numbers.get(low) <= numbers.get(high), "{preset}: {low} past {high}");
        }
    }
}

#[test]
fn a_password_in_the_address_of_the_cache_is_refused_and_never_shown() {
    let text = "[gateway]\nport = \"4300\"\n[cache]\nredis_url = \"rediss://me:CANARY@a.test\"\n";
    let (_folder, store) = open(text);
    let fix = store.proposed_fix().expect("a fix for the port");
    assert!(fix.diff.contains("redis_url = \"…\""), "{}", fix.diff);
    let said = format!("{:?}{fix:?}", store.problems());
    assert!(!said.contains("CANARY"), "{said}");
    assert!(store.problems()[1].hint.contains("gatehouse keys add"), "{said}");
    for fine in ["redis://127.0.0.1:6379/0", "rediss://cache.test", "valkeys://me@cache.test"] {
        let (_folder, store) = open(&format!("[cache]\nredis_url = \"{fine}\"\n"));
        assert_eq!(store.problems(), [], "{fine}");
    }
}

#[test]
fn every_limit_of_a_route_holds_at_its_last_value_and_not_one_past_it() {
    let check = |text: &dyn Fn(usize) -> String, limit: usize, path: &str| {
        let at = |count: usize| open(&format!("[routes.r]\n{}", text(count))).1.problems();
        let errors = |count| at(count).iter().any(|it| it.severity == Severity::Error);
        assert!(!errors(limit), "{path} at {limit}: {:#?}", at(limit));
        assert!(errors(limit + 1) && at(limit + 1).iter().any(|it| it.path == path), "{path}");
    };
    let names = |field: &'static str| {
        move |count: usize| {
            let names: Vec<String> = (0..count).map(|n| format!("\"n{n}\"")).collect();
            format!("candidates = [{{ backend = \"mock\" }}]\n{field} = [{}]", names.join(","))
        }
    };
    check(&names("models"), settings::ROUTE_MODELS_MAX, "routes.r.models");
    check(&names("clients"), settings::ROUTE_SCOPES_MAX, "routes.r.clients");
    check(&names("projects"), settings::ROUTE_SCOPES_MAX, "routes.r.projects");
    let candidates = |count: usize| {
        let all: Vec<String> =
            (0..count).map(|n| format!("{{ backend = \"mock\", model = \"m{n}\" }}")).collect();
        format!("candidates = [{}]", all.join(","))
    };
    check(&candidates, settings::ROUTE_CANDIDATES_MAX, "routes.r.candidates");
    let weight =
        |weight: usize| format!("candidates = [{{ backend = \"mock\", weight = {weight} }}]");
    check(
        &weight,
        usize::try_from(*settings::WEIGHT_RANGE.end()).expect("fits"),
        "routes.r.candidates",
    );
    let project = |length: usize| {
        format!("candidates = [{{ backend = \"mock\" }}]\nprojects = [\"{}\"]", "p".repeat(length))
    };
    check(&project, settings::PROJECT_CHARS_MAX, "routes.r.projects");
    let pool = |count: usize| {
        let key = |n| format!("[credentials.k{n}]\ncreated = 2026-01-31T09:30:00Z\n");
        let keys: String = (0..count).map(key).collect();
        let names: Vec<String> = (0..count).map(|n| format!("\"k{n}\"")).collect();
        let backend = "[backends.up]\nbase_url = \"https://a.test\"";
        let route = "candidates = [{ backend = \"up\" }]";
        format!("{route}\n{keys}{backend}\ncredentials = [{}]", names.join(","))
    };
    check(&pool, settings::POOL_MEMBERS_MAX, "backends.up.credentials");
}
