//! Which rule a name matches, and which names are listed.

use domain::{CacheMode, ClientId, RouteId, RoutePolicy, TranslationMode};
use routing::{
    Decision, Needs, RoutableBackend, Route, RouteCandidate, RouteTable, RoutingError,
    RoutingRequest,
};

use crate::scene::{FakeSignals, backend, backend_id, client, route};

/// A route `id` for these names to a backend of the same id.
fn to(id: &str, models: &[&str]) -> Route {
    Route {
        id: RouteId::new(id).expect("an id"),
        models: models.iter().map(|model| (*model).to_owned()).collect(),
        ..route(RoutePolicy::Ordered, &[(id, 1)])
    }
}

fn for_client(id: &str, route: Route) -> Route {
    Route { clients: vec![client(id)], ..route }
}

fn for_project(project: &str, route: Route) -> Route {
    Route { projects: vec![project.to_owned()], ..route }
}

fn over(routes: Vec<Route>) -> RouteTable {
    let backends = routes.iter().map(|route| backend(route.id.as_str())).collect();
    RouteTable::new(routes, backends)
}

fn choose(
    table: &RouteTable,
    model: &str,
    client: &ClientId,
    project: Option<&str>,
) -> Result<Decision, RoutingError> {
    let asking = RoutingRequest {
        model,
        client,
        switched_to: None,
        project,
        needs: Needs::default(),
        conversation: None,
    };
    table.choose(&asking, &FakeSignals::default(), &mut || 0.5)
}

fn check(table: &RouteTable, who: &str, project: Option<&str>, rows: &[(&str, &str)]) {
    for (model, expected) in rows {
        let decision = choose(table, model, &client(who), project);
        let route = decision.map_or_else(|refusal| refusal.to_string(), |decision| decision.route);
        assert_eq!(route, *expected, "{who} asks for {model}");
    }
}

#[test]
fn the_name_itself_comes_before_the_longest_pattern_and_that_before_a_star() {
    let table = over(vec![
        to("all", &["*"]),
        to("claude", &["claude-*"]),
        to("opus", &["claude-opus-*", "best"]),
        to("exact", &["claude-opus-4-5"]),
        to("late", &["claude-*"]),
    ]);
    check(
        &table,
        "editor",
        None,
        &[
            ("claude-opus-4-5", "exact"),
            ("claude-opus-4-6", "opus"),
            ("claude-haiku-4-5", "claude"),
            ("best", "opus"),
            ("gpt-4o", "all"),
            // A pin overrides every route.
            ("claude/claude-opus-4-5", "pinned"),
        ],
    );
}

#[test]
fn a_route_for_a_client_or_project_comes_before_a_general_one() {
    let table = over(vec![
        to("all", &["*"]),
        to("fast", &["fast"]),
        for_project("secret", to("local", &["*"])),
        for_client("aider", to("cheap", &["*"])),
        for_project("secret", for_client("aider", to("both", &["f*"]))),
    ]);
    check(&table, "editor", None, &[("fast", "fast"), ("x", "all")]);
    check(&table, "editor", Some("other"), &[("fast", "fast")]);
    check(&table, "editor", Some("secret"), &[("fast", "local"), ("x", "local")]);
    check(&table, "aider", None, &[("fast", "cheap")]);
    check(&table, "aider", Some("secret"), &[("fast", "both"), ("x", "cheap")]);
}

#[test]
fn a_route_shadows_what_a_backend_lists_and_its_candidates_name_their_models() {
    let listed = RoutableBackend { models: vec!["gpt-4o".to_owned()], ..backend("openai") };
    let mut shadow = to("shadow", &["gpt-4o"]);
    shadow.crossing = Some(TranslationMode::Lenient);
    shadow.cache = Some(CacheMode::On);
    shadow.candidates = [("mock", Some("echo")), ("openai", None)]
        .into_iter()
        .map(|(id, model)| RouteCandidate {
            backend: backend_id(id),
            model: model.map(str::to_owned),
            weight: 1,
        })
        .collect();
    let table = RouteTable::new(vec![shadow], vec![listed, backend("mock")]);
    let decision = choose(&table, "gpt-4o", &client("editor"), None).expect("a decision");
    let models: Vec<_> = decision.candidates.iter().map(|one| one.model.as_str()).collect();
    assert_eq!(models, ["echo", "gpt-4o"]);
    assert_eq!(decision.explanation, "mock (echo) is the first of 2 in the route shadow.");
    assert_eq!(
        (decision.crossing, decision.cache),
        (Some(TranslationMode::Lenient), Some(CacheMode::On))
    );
}

#[test]
fn the_list_has_the_names_of_routes_that_lead_somewhere_and_no_patterns() {
    let listed = RoutableBackend { models: vec!["gpt-4o".to_owned()], ..backend("openai") };
    let table = RouteTable::new(
        vec![
            to("openai", &["fast", "gpt-*", "openai/gpt-4o"]),
            for_client("aider", to("openai", &["mine"])),
            to("gone", &["nowhere"]),
            to("other", &["gpt-4o"]),
        ],
        vec![listed, backend("other"), backend("mock")],
    );
    let ids = |client: Option<&ClientId>| {
        let entries = table.list_models(client).into_iter();
        entries.map(|entry| format!("{} > {}", entry.id, entry.backend)).collect::<Vec<_>>()
    };
    let editor = client("editor");
    assert_eq!(ids(Some(&editor)), ["fast > openai", "gpt-4o > other", "openai/gpt-4o > openai"]);
    assert!(ids(Some(&client("aider"))).contains(&"mine > openai".to_owned()));
    assert!(ids(None).contains(&"mine > openai".to_owned()));
    for entry in table.list_models(Some(&editor)) {
        let decision = choose(&table, &entry.id, &editor, None).expect("a listed name has a route");
        assert_eq!(decision.candidates[0].endpoint.backend, entry.backend, "{}", entry.id);
    }
}

#[test]
fn a_misspelled_route_is_suggested() {
    let table =
        RouteTable::new(vec![to("fast", &["fastest"])], vec![backend("fast"), backend("b")]);
    let refusal = choose(&table, "fasttest", &client("editor"), None).expect_err("no such name");
    let expected = "no backend lists \"fasttest\"; did you mean \"fastest\"? Available: fastest";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn the_fingerprint_changes_with_the_definition_and_with_nothing_else() {
    let print = |table: &RouteTable, model: &str| {
        choose(table, model, &client("aider"), Some("p")).expect("a decision").fingerprint
    };
    let base = to("a", &["m"]);
    let of = |route: Route| print(&RouteTable::new(vec![route], vec![backend("a")]), "m");
    let same = of(base.clone());
    assert_eq!(same, of(base.clone()));
    // The expected value is written out, because keys on disk depend on it.
    assert_eq!(same, FINGERPRINT);
    let beside =
        RouteTable::new(vec![base.clone(), to("b", &["x"])], vec![backend("a"), backend("b")]);
    assert_eq!(same, print(&beside, "m"));
    let candidate = base.candidates[0].clone();
    let other = |candidate: RouteCandidate| Route { candidates: vec![candidate], ..base.clone() };
    let changed = [
        to("a", &["m", "n"]),
        for_client("aider", base.clone()),
        for_project("p", base.clone()),
        Route { id: RouteId::new("b").expect("an id"), ..base.clone() },
        Route { policy: RoutePolicy::Fastest, ..base.clone() },
        Route { sticky: Some(std::time::Duration::ZERO), ..base.clone() },
        Route { crossing: Some(TranslationMode::Strict), ..base.clone() },
        Route { cache: Some(CacheMode::Auto), ..base.clone() },
        Route {
            weights: routing::BalanceWeights { latency: 50, cost: 20, headroom: 30 },
            ..base.clone()
        },
        other(RouteCandidate { weight: 2, ..candidate.clone() }),
        other(RouteCandidate { model: Some("m".to_owned()), ..candidate.clone() }),
        other(RouteCandidate { model: Some(String::new()), ..candidate.clone() }),
        Route { candidates: vec![candidate.clone(), candidate], ..base.clone() },
    ];
    let mut prints: Vec<u64> = changed.into_iter().map(of).chain([same]).collect();
    let count = prints.len();
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), count);
    assert_ne!(print(&beside, "a/x"), print(&beside, "a/y"));
    assert_ne!(print(&beside, "a/x"), print(&beside, "b/x"));
}

const FINGERPRINT: u64 = 3_789_484_698_985_121_752;
