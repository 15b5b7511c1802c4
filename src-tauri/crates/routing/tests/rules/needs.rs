//! What a request needs, and which candidates this excludes.

use std::collections::BTreeSet;

use domain::{RouteId, RoutePolicy, UnsupportedFeature};
use routing::{
    BackendCapabilities, Capability, Decision, ExclusionReason, Needs, RoutableBackend, Route,
    RouteCandidate, RouteTable, RoutingError, RoutingRequest,
};

use crate::scene::{FakeSignals, backend, backend_id, client, order, route};

const TOOLS: Needs = Needs {
    tools: true,
    vision: false,
    json_schema: false,
    embeddings: false,
    input_tokens: 0,
    output_tokens: 0,
    dialect: None,
};

fn lacking(id: &str, lack: UnsupportedFeature) -> RoutableBackend {
    let traits = BackendCapabilities {
        unsupported: BTreeSet::from([lack]),
        ..BackendCapabilities::default()
    };
    RoutableBackend { capabilities: traits, ..backend(id) }
}

/// A route over candidates `backend/model`.
fn over(candidates: &[&str]) -> Route {
    let candidates = candidates.iter().map(|candidate| {
        let (id, model) = candidate.split_once('/').expect("backend/model");
        RouteCandidate { backend: backend_id(id), model: Some(model.to_owned()), weight: 1 }
    });
    Route {
        id: RouteId::new("r").expect("an id"),
        candidates: candidates.collect(),
        ..route(RoutePolicy::Ordered, &[])
    }
}

fn ask(
    route: &Route,
    backends: &[RoutableBackend],
    needs: Needs,
) -> Result<Decision, RoutingError> {
    let table = RouteTable::new(vec![route.clone()], backends.to_vec());
    crate::scene::ask_with(&table, &FakeSignals::default(), needs, None, &mut || 0.5)
}

#[test]
fn a_backend_that_lacks_what_is_needed_is_left_out_with_the_reason() {
    let backends = [
        lacking("a", UnsupportedFeature::Tools),
        lacking("b", UnsupportedFeature::Images),
        lacking("c", UnsupportedFeature::JsonSchema),
    ];
    let route = over(&["a/x", "b/x", "c/x"]);
    for (needs, expected, ability) in [
        (TOOLS, "b, c", Capability::Tools),
        (Needs { vision: true, ..Needs::default() }, "a, c", Capability::Images),
        (Needs { json_schema: true, ..Needs::default() }, "a, b", Capability::JsonSchema),
    ] {
        let decision = ask(&route, &backends, needs).expect("a decision");
        assert_eq!(order(&decision), expected);
        assert_eq!(decision.excluded[0].reason, ExclusionReason::BackendLacks(ability));
    }
    let decision = ask(&route, &backends, TOOLS).expect("a decision");
    assert_eq!(
        decision.explanation,
        "b (x) is the first of 2 in the route r; skipped: a does not support tools."
    );
    assert_eq!(order(&ask(&route, &backends, Needs::default()).expect("a decision")), "a, b, c");
}

#[test]
fn a_model_is_left_out_for_what_is_known_of_it_and_an_unknown_one_never() {
    let backends = [backend("a"), backend("b"), backend("c")];
    let route = over(&["a/llama3.3:70b", "b/gpt-4o", "c/somebodys-own-model"]);
    let seeing = Needs { vision: true, ..Needs::default() };
    let decision = ask(&route, &backends, seeing).expect("a decision");
    assert_eq!(order(&decision), "b, c");
    assert_eq!(decision.excluded[0].to_string(), "a does not support images with this model");
    let long = Needs { input_tokens: 200_000, ..Needs::default() };
    let decision = ask(&route, &backends, long).expect("a decision");
    assert_eq!(order(&decision), "c");
    assert_eq!(
        decision.excluded[1].to_string(),
        "b accepts 128000 input tokens with this model, but the request has about 200000"
    );
    let exact = Needs { input_tokens: 128_000, output_tokens: 16_384, ..Needs::default() };
    assert_eq!(order(&ask(&route, &backends, exact).expect("a decision")), "a, b, c");
    let wordy = Needs { output_tokens: 16_385, ..Needs::default() };
    assert_eq!(order(&ask(&route, &backends, wordy).expect("a decision")), "a, c");
}

#[test]
fn with_nobody_large_enough_the_largest_says_so_itself() {
    let backends = [backend("a"), backend("b"), backend("c")];
    let route = over(&["a/gpt-4", "b/gpt-4o", "c/gpt-3.5-turbo"]);
    let long = Needs { input_tokens: 500_000, ..Needs::default() };
    let decision = ask(&route, &backends, long).expect("a decision");
    assert_eq!(order(&decision), "b");
    assert_eq!(decision.excluded.len(), 2);
    assert!(decision.explanation.starts_with(
        "b (gpt-4o) accepts the most tokens in the route r, 128000; no backend is known to accept"
    ));
}

#[test]
fn with_nobody_able_the_refusal_names_each() {
    let backends = [
        lacking("a", UnsupportedFeature::Tools),
        backend("b"),
        lacking("c", UnsupportedFeature::Tools),
    ];
    let refusal = ask(&over(&["a/x", "gone/x", "c/x"]), &backends, TOOLS).expect_err("none can");
    assert_eq!(
        refusal.to_string(),
        "no backend of the route r can serve this request: a does not support tools, gone no longer exists, \
         c does not support tools; use another model or add a backend that can"
    );
    assert!(
        matches!(refusal, RoutingError::NoCapableCandidate { excluded, .. } if excluded.len() == 3)
    );
}

#[test]
fn vectors_come_from_who_makes_them_and_from_one_model_alone() {
    let mute = BackendCapabilities { has_embeddings: false, ..BackendCapabilities::default() };
    let backends = [
        RoutableBackend { capabilities: mute, ..backend("a") },
        backend("b"),
        backend("c"),
        backend("d"),
    ];
    let route = over(&["a/v-small", "b/v-small", "c/v-large", "d/maker/v-small"]);
    let vectors = Needs { embeddings: true, ..Needs::default() };
    let decision = ask(&route, &backends, vectors).expect("a decision");
    assert_eq!(order(&decision), "b, d");
    let reasons: Vec<_> = decision.excluded.into_iter().map(|passed| passed.reason).collect();
    assert_eq!(reasons, [ExclusionReason::NoEmbeddings, ExclusionReason::OtherEmbeddings]);
}

#[test]
fn of_backends_that_list_a_model_those_that_can_are_preferred_and_a_lone_one_is_always_asked() {
    let listed =
        |backend: RoutableBackend| RoutableBackend { models: vec!["m".to_owned()], ..backend };
    let (able, unable) = (listed(backend("b")), listed(lacking("a", UnsupportedFeature::Tools)));
    let choose = |backends: Vec<RoutableBackend>| {
        let client = client("editor");
        let asking = RoutingRequest {
            model: "m",
            client: &client,
            switched_to: None,
            project: None,
            needs: TOOLS,
            conversation: None,
        };
        let table = RouteTable::new(Vec::new(), backends);
        table.choose(&asking, &FakeSignals::default(), &mut || 0.5).expect("a decision")
    };
    let both = choose(vec![unable.clone(), able]);
    assert_eq!(order(&both), "b");
    assert_eq!(
        both.explanation,
        "b is the first of 2 usable backends that list m; skipped: a does not support tools."
    );
    assert_eq!(order(&choose(vec![unable.clone()])), "a");
    let other = RoutableBackend { backend: backend_id("c"), ..unable.clone() };
    assert_eq!(order(&choose(vec![unable, other])), "a, c");
}
