//! Where the requests of a switched client go.

use domain::{ClientTarget, RouteId, RoutePolicy};
use routing::{
    BackendStatus, Decision, Needs, RoutableBackend, Route, RouteCandidate, RouteTable,
    RoutingError, RoutingRequest, SwitchFailure,
};

use crate::scene::{FakeSignals, backend, backend_id, client, order, route};

fn to_backend(id: &str) -> ClientTarget {
    ClientTarget::Backend(backend_id(id))
}

fn to_route(id: &str) -> ClientTarget {
    ClientTarget::Route(RouteId::new(id).expect("an id"))
}

fn listing(id: &str, models: &[&str]) -> RoutableBackend {
    let models = models.iter().map(|model| (*model).to_owned()).collect();
    RoutableBackend { models, ..backend(id) }
}

/// `fast` goes to `a`, or to `b` under another name; `gpt` is a model of `a` and `b`.
fn table() -> RouteTable {
    let fast = Route {
        id: RouteId::new("fast").expect("an id"),
        models: vec!["fast".to_owned()],
        ..route(RoutePolicy::Ordered, &[("a", 1), ("b", 1)])
    };
    let [first, second] = fast.candidates.as_slice() else { panic!("two candidates") };
    let named = |candidate: &RouteCandidate, model: &str| RouteCandidate {
        model: Some(model.to_owned()),
        ..candidate.clone()
    };
    let candidates = vec![named(first, "gpt"), named(second, "llama")];
    let backends = vec![
        listing("a", &["gpt", "embed"]),
        listing("b", &["llama", "gpt"]),
        listing("open", &[]),
        RoutableBackend {
            status: BackendStatus::Disabled("is switched off".to_owned()),
            ..listing("off", &["gpt"])
        },
    ];
    RouteTable::new(vec![Route { candidates, ..fast }], backends)
}

fn ask(target: &ClientTarget, model: &str, needs: Needs) -> Result<Decision, RoutingError> {
    let client = client("editor");
    let switched_to = Some(target);
    let asking = RoutingRequest {
        model,
        client: &client,
        switched_to,
        project: None,
        needs,
        conversation: None,
    };
    table().choose(&asking, &FakeSignals::default(), &mut || 0.5)
}

#[test]
fn a_backend_is_asked_for_the_model_that_the_request_would_have_there() {
    for (target, model, backend, asked) in [
        ("b", "gpt", "b", "gpt"),
        // As the route names it at that backend.
        ("b", "fast", "b", "llama"),
        ("a", "fast", "a", "gpt"),
        // The request pins another backend; the switch decides.
        ("b", "a/gpt", "b", "gpt"),
        ("b", "b/llama", "b", "llama"),
        // Nothing is known of its models.
        ("open", "anything", "open", "anything"),
        ("open", "acme/anything", "open", "acme/anything"),
    ] {
        let decision = ask(&to_backend(target), model, Needs::default()).expect("a decision");
        assert_eq!(order(&decision), backend, "{target} for {model}");
        assert_eq!(decision.candidates[0].model, asked, "{target} for {model}");
        assert_eq!(decision.route, "switched");
        let said = format!("The client editor is switched to the backend {target}");
        assert!(decision.explanation.starts_with(&said), "{}", decision.explanation);
    }
}

#[test]
fn a_route_serves_every_model_and_the_decision_says_why() {
    let decision = ask(&to_route("fast"), "llama", Needs::default()).expect("a decision");
    assert_eq!((order(&decision).as_str(), decision.route.as_str()), ("a, b", "fast"));
    assert_eq!(
        decision.explanation,
        "The client editor is switched to the route fast: a (gpt) is the first of 2 in the route fast."
    );
}

#[test]
fn embeddings_are_not_switched() {
    let needs = Needs { embeddings: true, ..Needs::default() };
    let decision = ask(&to_backend("b"), "embed", needs).expect("a decision");
    assert_eq!((order(&decision).as_str(), decision.route.as_str()), ("a", "embed"));
}

#[test]
fn a_target_that_cannot_serve_says_why_and_how_to_switch_back() {
    let missing = ask(&to_backend("b"), "claude", Needs::default()).expect_err("refused");
    assert!(matches!(
        &missing,
        RoutingError::Switched { failure: SwitchFailure::ModelMissing(model), .. } if model == "claude"
    ));
    for (target, model, said) in [
        (to_backend("b"), "claude", "the backend b, which does not list \"claude\""),
        (to_backend("off"), "gpt", "but the backend off is switched off"),
        (
            to_backend("gone"),
            "gpt",
            "the backend gone, which is switched off or not in the profile",
        ),
        (to_route("gone"), "gpt", "the route gone, which is switched off or not in the profile"),
    ] {
        let error = ask(&target, model, Needs::default()).expect_err("refused").to_string();
        assert!(error.starts_with("the client editor is switched to the "), "{error}");
        assert!(error.contains(said), "{error}");
        assert!(error.contains("`gatehouse clients switch editor --reset`"), "{error}");
    }
}

#[test]
fn a_simulation_and_the_matching_route_follow_the_switch() {
    let (client, table) = (client("editor"), table());
    let ask = |target| RoutingRequest {
        model: "gpt",
        client: &client,
        switched_to: Some(target),
        project: None,
        needs: Needs::default(),
        conversation: None,
    };
    let (backend, route) = (to_backend("b"), to_route("fast"));
    assert_eq!(table.matching_route(&ask(&backend)), None);
    let matching = table.matching_route(&ask(&route)).map(|route| route.id.to_string());
    assert_eq!(matching.as_deref(), Some("fast"));
    for (target, first) in [(&backend, "b"), (&route, "a")] {
        let closed = [backend_id(first)].into();
        let frozen = table.freeze_signals(&ask(target), &FakeSignals::default());
        let admit = &|decision| Ok(decision);
        let open = table.simulate(&ask(target), &frozen, 4, &mut || 0.5, admit);
        assert_eq!((open.shares[0].backend.as_str(), open.failures), (first, 0));
        let frozen = frozen.with_closed(&closed);
        let shut = table.simulate(&ask(target), &frozen, 4, &mut || 0.5, admit);
        let fails = if target == &backend { 4 } else { 0 };
        assert_eq!(shut.failures, fails, "{target}");
    }
}
