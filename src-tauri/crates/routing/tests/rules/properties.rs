//! Properties that hold for every table, state and request.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{BackendId, CredentialId, PoolOrder, RouteId, RoutePolicy, UnsupportedFeature};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use routing::{
    BackendCapabilities, BackendStatus, CandidateAvailability, Decision, KeyPool, Needs, PoolKey,
    RoutableBackend, Route, RouteCandidate, RouteTable, RoutingError, RoutingRequest,
};

use crate::scene::{FakeSignals, backend, backend_id, chances, client, route};

const IDS: [&str; 4] = ["a", "b", "c", "d"];
const MODELS: [&str; 4] = ["m", "gpt-4o", "llama3:8b", "x"];

fn a_backend(id: &'static str) -> impl Strategy<Value = RoutableBackend> {
    let standing = prop_oneof![
        6 => Just(BackendStatus::Usable),
        1 => Just(BackendStatus::Disabled("is switched off".to_owned())),
        1 => Just(BackendStatus::Unusable("has no key".to_owned())),
    ];
    let keys = vec((select(vec!["one", "two"]), 0_u16..3), 0..3);
    let lacks = vec(select(UnsupportedFeature::ALL.to_vec()), 0..2);
    let models = vec(select(MODELS.to_vec()), 0..3);
    (standing, keys, select(PoolOrder::ALL.to_vec()), lacks, models).prop_map(
        move |(standing, keys, order, lacks, models)| {
            let mut seen = BTreeSet::new();
            let members = keys.into_iter().filter(|(key, _)| seen.insert(*key));
            let members = members
                .map(|(key, weight)| PoolKey {
                    credential: CredentialId::new(key).expect("an id"),
                    weight,
                })
                .collect();
            let traits = BackendCapabilities {
                unsupported: lacks.into_iter().collect(),
                ..BackendCapabilities::default()
            };
            let models = models.into_iter().map(str::to_owned).collect();
            RoutableBackend {
                status: standing,
                models,
                pool: KeyPool { order, members },
                capabilities: traits,
                ..backend(id)
            }
        },
    )
}

fn a_route() -> impl Strategy<Value = Route> {
    let candidate =
        (select(vec!["a", "b", "c", "gone"]), option::of(select(MODELS.to_vec())), 0_u16..4)
            .prop_map(|(id, model, weight)| RouteCandidate {
                backend: backend_id(id),
                model: model.map(str::to_owned),
                weight,
            });
    let names = vec(select(vec!["m", "*", "gpt-*", "fast"]), 1..3);
    let policy = select(RoutePolicy::ALL.to_vec());
    (vec(candidate, 0..5), names, policy, any::<bool>()).prop_map(
        |(candidates, names, policy, is_sticky)| Route {
            id: RouteId::new("r").expect("an id"),
            models: names.into_iter().map(str::to_owned).collect(),
            candidates,
            sticky: is_sticky.then_some(Duration::from_secs(600)),
            ..route(policy, &[])
        },
    )
}

fn a_scene() -> impl Strategy<Value = FakeSignals> {
    let available = prop_oneof![
        Just(CandidateAvailability::Ready),
        (0_u8..=100).prop_map(CandidateAvailability::Ramp),
        Just(CandidateAvailability::Trial),
        Just(CandidateAvailability::Closed { reason: "its breaker is tripped".into() }),
    ];
    let endpoints =
        IDS.iter().flat_map(|id| ["", " (one)", " (two)"].map(|key| format!("{id}{key}")));
    let endpoints: Vec<_> = endpoints.collect();
    let ids = || select(IDS.map(str::to_owned).to_vec());
    (
        btree_map(select(endpoints), available, 0..8),
        btree_map(ids(), 1_u32..5_000, 0..4),
        btree_map(ids(), 0_u64..1_000_000, 0..4),
        btree_map(ids(), 0_u32..5, 0..4),
        option::of((ids(), select(MODELS.to_vec()))),
    )
        .prop_map(|(available, first_token_ms, cost_nanos, in_flight, sticky)| FakeSignals {
            available,
            first_token_ms,
            cost_nanos,
            in_flight,
            sticky: sticky.map(|(id, model)| (id, model.to_owned())),
            ..FakeSignals::default()
        })
}

fn needs() -> impl Strategy<Value = Needs> {
    (any::<[bool; 4]>(), 0_u64..300_000, 0_u64..40_000).prop_map(
        |([tools, vision, json_schema, vectors], input_tokens, output_tokens)| Needs {
            tools,
            vision,
            json_schema,
            embeddings: vectors,
            input_tokens,
            output_tokens,
            dialect: None,
        },
    )
}

#[derive(Debug, Clone)]
struct RandomRequest {
    model: String,
    needs: Needs,
    conversation: Option<u64>,
    seed: u64,
}

fn random_request() -> impl Strategy<Value = RandomRequest> {
    let models = ["m", "gpt-4o", "fast", "x", "a/m", "b/gpt-4o"];
    (select(models.to_vec()), needs(), option::of(any::<u64>()), any::<u64>()).prop_map(
        |(model, needs, conversation, seed)| RandomRequest {
            model: model.to_owned(),
            needs,
            conversation,
            seed,
        },
    )
}

fn world() -> impl Strategy<Value = (Vec<Route>, Vec<RoutableBackend>)> {
    let backends = (a_backend("a"), a_backend("b"), a_backend("c"), a_backend("d"));
    (vec(a_route(), 0..3), backends).prop_map(|(routes, (a, b, c, d))| (routes, vec![a, b, c, d]))
}

fn choose(
    routes: &[Route],
    backends: &[RoutableBackend],
    scene: &FakeSignals,
    random_request: &RandomRequest,
) -> Result<Decision, RoutingError> {
    let client = client("editor");
    let asking = RoutingRequest {
        model: &random_request.model,
        client: &client,
        switched_to: None,
        project: None,
        needs: random_request.needs,
        conversation: random_request.conversation,
    };
    let table = RouteTable::new(routes.to_vec(), backends.to_vec());
    table.choose(&asking, scene, &mut chances(random_request.seed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_decision_is_whole(
        (routes, backends) in world(), scene in a_scene(), random_request in random_request(),
    ) {
        let Ok(decision) = choose(&routes, &backends, &scene, &random_request) else { return Ok(()) };
        let candidates = &decision.candidates;
        let Some(first) = candidates.first() else {
            return Err(TestCaseError::fail("a decision without a candidate"));
        };
        // No candidate appears twice.
        let distinct: BTreeSet<_> = candidates.iter().map(|one| (&one.endpoint, &one.model)).collect();
        prop_assert_eq!(distinct.len(), candidates.len());
        // Closed candidates come last.
        let is_closed = |available: &CandidateAvailability| matches!(available, CandidateAvailability::Closed { .. });
        let closed: Vec<_> = candidates.iter().map(|one| is_closed(&one.ranking.available)).collect();
        prop_assert!(closed.is_sorted(), "{closed:?}");
        // Only usable backends.
        for candidate in candidates {
            let known = backends.iter().find(|known| known.backend == candidate.endpoint.backend);
            prop_assert_eq!(known.map(|known| &known.status), Some(&BackendStatus::Usable));
        }
        // A single sentence that names the first candidate.
        let text = &decision.explanation;
        prop_assert!(text.contains(first.endpoint.backend.as_str()) && text.ends_with('.'), "{text}");
        // A pin wins.
        if random_request.model.contains('/') {
            prop_assert_eq!(decision.route.as_str(), "pinned");
            let pinned = format!("{}/{}", first.endpoint.backend, first.model);
            prop_assert_eq!(&pinned, &random_request.model);
        }
        // A route accounts for each of its candidates.
        if decision.route == "r" {
            let asked: BTreeSet<BackendId> =
                candidates.iter().map(|one| one.endpoint.backend.clone()).collect();
            let left_out = decision.excluded.iter().map(|passed| passed.backend.clone());
            let named: BTreeSet<_> = left_out.chain(asked).collect();
            let accounted = routes.iter().any(|route| {
                route.candidates.iter().map(|one| one.backend.clone()).collect::<BTreeSet<_>>() == named
            });
            prop_assert!(accounted, "{named:?}");
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer_and_what_is_beside_the_rule_changes_nothing(
        (routes, backends) in world(), scene in a_scene(), random_request in random_request(),
        other in a_backend("d"), quick in 1_u32..100, dear in 0_u64..100,
    ) {
        // No route names d, and its own models make it match no bare name.
        let apart = |mut known: RoutableBackend| {
            known.models = vec!["d-only".to_owned()];
            known
        };
        let mut backends = backends;
        backends.push(apart(backends[3].clone()));
        backends.swap_remove(3);
        let before = choose(&routes, &backends, &scene, &random_request);
        prop_assert_eq!(&before, &choose(&routes, &backends, &scene, &random_request));
        let mut changed = backends.clone();
        changed[3] = apart(other);
        let mut moved = scene.quick(&[("d", quick)]).costs(&[("d", dear)]);
        moved = moved.available_as("d", CandidateAvailability::Trial).closed("d (one)").busy(&[("d", quick)]);
        let after = choose(&routes, &changed, &moved, &random_request);
        if let (Ok(before), Ok(after)) = (&before, &after) {
            prop_assert_eq!(before, after);
        } else {
            prop_assert_eq!(before.is_ok(), after.is_ok());
        }
    }
}
