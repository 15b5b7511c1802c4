//! A model of a backend is asked after its price was said: what it costs, how it is booked, what is learnt.

use ::resilience::EndpointState;
use control::view::*;
use control::{Core, ErrorCode};
use domain::{Endpoint, Meter};
use ledger::{Purpose, RequestQuery, Settlement};
use test_support::{ChatText, ReceivedRequest, Reply, ScriptedUpstream};

use crate::pools::{MAIN, key_pool_fixture};
use crate::resilience::ask_for;
use crate::routes::{route, to};
use crate::world::{World, add_request, budget_request, marked_key, refused, world};

/// A backend with three models: one answers, one fails, one never says a word.
async fn upstream() -> ScriptedUpstream {
    let answers = |request: &ReceivedRequest| {
        if request.method == "GET" {
            return Some(Reply::models(&["m-1", "broken", "mute"]));
        }
        Some(match request.json()["model"].as_str() {
            Some("broken") => Reply::error(500, "server_error", "no worker is alive"),
            Some("mute") => Reply::silence(),
            _ => Reply::chat_stream(&ChatText {
                model: "m-1",
                deltas: &["OK"],
                usage: Some((13, 2)),
            }),
        })
    };
    ScriptedUpstream::start_with(answers).await.expect("an upstream")
}

async fn asked_world() -> (World, ScriptedUpstream) {
    let (world, upstream) = (world().await, upstream().await);
    world.add_up(&upstream, marked_key()).await;
    control::backend_test(&world.core, up()).await.expect("tested");
    (world, upstream)
}

fn up() -> BackendRef {
    BackendRef { id: "up".to_owned() }
}

/// A dollar for a million tokens, in and out.
async fn set_price(core: &Core, model: &str) {
    let rate = |meter| PriceSetRate { meter, price: "1".to_owned() };
    let price = PriceSet {
        backend: "up".to_owned(),
        model: model.to_owned(),
        rates: vec![rate(Meter::Input), rate(Meter::Output)],
        tier: None,
        above_tokens: None,
        region: None,
    };
    control::price_set(core, price).await.expect("set");
}

async fn price(core: &Core, model: Option<&str>) -> BackendAskPriceView {
    let query = BackendAskQuery { id: "up".to_owned(), model: model.map(str::to_owned) };
    control::backend_ask_price(core, query).await.expect("a price")
}

fn models(view: &BackendAskPriceView) -> Vec<(&str, &str)> {
    view.models.iter().map(|model| (model.id.as_str(), model.price.as_str())).collect()
}

fn ask(model: &str, accepted: Option<i64>) -> BackendAsk {
    let accepted_nano_usd = accepted.map(NanoDollars);
    BackendAsk { id: "up".to_owned(), model: model.to_owned(), accepted_nano_usd }
}

/// How many prompts reached the backend.
fn prompts(upstream: &ScriptedUpstream) -> usize {
    upstream.requests().iter().filter(|request| request.method == "POST").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_price_is_said_first_and_the_cheapest_model_that_routes_use_is_proposed() {
    let (world, upstream) = asked_world().await;
    let core = &world.core;
    let unknown = price(core, None).await;
    assert_eq!(
        models(&unknown),
        [("m-1", "Price unknown"), ("broken", "Price unknown"), ("mute", "Price unknown")]
    );
    set_price(core, "broken").await;
    assert_eq!(models(&price(core, None).await)[0], ("broken", "At most $0.0024"));
    control::route_set(core, route("fast", vec![to("up", Some("mute"), 1)])).await.expect("made");
    let offered = price(core, None).await;
    assert_eq!(offered.models[0].id, "mute");
    assert!(offered.models[0].in_routes && !offered.models[1].in_routes);
    let named = price(core, Some("up/other")).await;
    assert_eq!(models(&named)[0], ("other", "Price unknown"));
    assert_eq!((named.output_tokens_max, named.time_limit_secs), (256, 120));
    let mock = BackendAskQuery { id: "mock".to_owned(), model: None };
    let mock = control::backend_ask_price(core, mock).await.expect("a price");
    assert_eq!(models(&mock)[0], ("echo", "Free"));
    assert_eq!(prompts(&upstream), 0, "nothing was asked");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_booked_as_a_health_measurement_and_counts_in_no_budget() {
    let (world, upstream) = asked_world().await;
    let core = &world.core;
    set_price(core, "m-1").await;
    let cost = pricing::Cost::Reported(domain::NanoUsd::new(2_000_000_000));
    world.settle(Settlement { cost, ..world.answered("editor") }).await;
    control::budget_set(core, budget_request("monthly", "2", None)).await.expect("set");
    let spent = control::budgets(core).await.expect("budgets")[0].spent_nano_usd;

    let offered = price(core, None).await;
    let accepted = offered.models[0].cost_nano_usd_max.map(|amount| amount.0);
    let answer = control::backend_ask(core, ask("m-1", accepted)).await.expect("asked");
    assert_eq!(
        (answer.outcome, answer.text.as_str(), answer.failure.is_none()),
        (AskOutcome::Answered, "OK", true),
        "{answer:?}"
    );
    assert!(answer.finding.starts_with("m-1 answered in "), "{}", answer.finding);
    assert_eq!((answer.input_tokens, answer.output_tokens), (Some(Count(13)), Some(Count(2))));
    assert_eq!(answer.cost_nano_usd, Some(NanoDollars(15_000)));
    assert!(accepted.is_some_and(|most| most >= 15_000), "{accepted:?}");
    assert!(answer.first_token_ms.expect("a first token") <= answer.elapsed_ms);

    let sent = upstream.requests().into_iter().rev().find(|seen| seen.method == "POST");
    let sent = sent.expect("asked").json();
    assert_eq!(sent["messages"][0]["content"], offered.prompt.as_str());
    assert_eq!(sent["max_tokens"], offered.output_tokens_max);

    let query = RequestQuery { purpose: Some(Purpose::Health), ..RequestQuery::newest(9) };
    let booked = world.engine().ledger().requests(query).await.expect("read");
    assert_eq!(booked.len(), 1);
    assert_eq!(Some(booked[0].request.id.to_string()), answer.request);
    assert_eq!(booked[0].request.client.as_str(), "gatehouse.health");
    assert_eq!(booked[0].cost.amount().map(Into::into), answer.cost_nano_usd);
    assert_eq!(control::budgets(core).await.expect("budgets")[0].spent_nano_usd, spent);
    assert!(control::playground(core).await.expect("runs").is_empty());
    let clients = control::clients(core).await.expect("clients");
    assert!(clients.iter().all(|client| !client.id.starts_with("gatehouse.")));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_evidence_of_health_and_of_the_key_once() {
    let (world, upstream) = (world().await, upstream().await);
    world.add_up(&upstream, marked_key()).await;
    let offered = price(&world.core, None).await;
    assert_eq!(offered.models.len(), 3, "the list was fetched");
    let answer = control::backend_ask(&world.core, ask("m-1", None)).await.expect("asked");
    assert_eq!(answer.outcome, AskOutcome::Answered, "{answer:?}");
    let keys = control::keys(&world.core).await.expect("keys");
    assert_eq!(keys[0].state, KeyState::Valid);
    let health = world.up().await.health;
    assert!(health.last_checked.is_some(), "{health:?}");
    let day = world.up().await.last_day;
    assert_eq!(day.spend.requests.0, 0, "it is in no total of the user's");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_has_its_cause_and_next_step_and_is_tried_once() {
    let (world, upstream) = asked_world().await;
    let answer = control::backend_ask(&world.core, ask("broken", None)).await.expect("asked");
    assert_eq!(
        (answer.outcome, answer.finding.as_str()),
        (AskOutcome::Failed, "broken did not answer.")
    );
    let failure = answer.failure.expect("a cause");
    assert_eq!(failure.class, Some(FailureClass::Server));
    assert!(failure.cause.contains("no worker is alive"), "{failure:?}");
    assert!(failure.next_step.ends_with('.'), "{failure:?}");
    assert!(answer.request.is_some());
    assert_eq!(prompts(&upstream), 1, "one request is what was accepted");
    let absent = control::backend_ask(
        &world.core,
        BackendAsk {
            id: "mock".to_owned(),
            model: "fault-401".to_owned(),
            accepted_nano_usd: Some(NanoDollars(0)),
        },
    );
    let absent = absent.await.expect("asked");
    assert_eq!(absent.cost_nano_usd, Some(NanoDollars(0)));
    assert_eq!(absent.failure.expect("a cause").class, Some(FailureClass::KeyRejected));
    world.core.stop().await;
}

/// Both another key and another backend would answer, and any other request would reach them.
#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_sent_although_another_key_and_another_backend_would_answer() {
    for (refusal, class) in [
        (Reply::error(401, "invalid_api_key", "no such key"), FailureClass::KeyRejected),
        (Reply::rate_limited(60), FailureClass::RateLimited),
    ] {
        let (pool, other) = (key_pool_fixture().await, upstream().await);
        let core = &pool.world.core;
        let mut second = add_request(&other, BackendKey::None);
        (second.id, second.models) = ("other".to_owned(), vec!["m-1".to_owned()]);
        control::backend_add(core, second).await.expect("added");
        let candidates = vec![to("up", Some("m-1"), 1), to("other", Some("m-1"), 1)];
        control::route_set(core, route("fast", candidates)).await.expect("made");
        pool.set_reply(MAIN, refusal);

        let answer = control::backend_ask(core, ask("m-1", None)).await.expect("asked");
        assert_eq!(answer.outcome, AskOutcome::Failed, "{answer:?}");
        assert_eq!(answer.failure.expect("a cause").class, Some(class));
        assert_eq!((prompts(&pool.upstream), prompts(&other)), (1, 0), "{class:?}");
        let sent = prompt_keys(&pool.upstream);
        assert_eq!(sent, [format!("Bearer {MAIN}")], "by the first key");
        // The same of a client of the user's moves on.
        ask_for(core, "fast").await;
        let (again, moved_on) = (prompts(&pool.upstream) - 1, prompts(&other));
        assert_eq!(again + moved_on, 1, "{class:?}: one other is asked");
        pool.world.core.stop().await;
    }
}

fn prompt_keys(upstream: &ScriptedUpstream) -> Vec<String> {
    let prompts = upstream.requests().into_iter().filter(|request| request.method == "POST");
    prompts.filter_map(|request| request.authorization().map(str::to_owned)).collect()
}

/// Probes get no answer, so that everything that is known comes from the asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_evidence_once() {
    let answers = |request: &ReceivedRequest| {
        Some(match request.method.as_str() {
            "GET" => Reply::silence(),
            _ => Reply::error(500, "server_error", "no worker is alive"),
        })
    };
    let upstream = ScriptedUpstream::start_with(answers).await.expect("an upstream");
    let world = world().await;
    world.add_up(&upstream, marked_key()).await;
    let endpoint = Endpoint {
        backend: domain::BackendId::new("up").expect("a name"),
        credential: Some(domain::CredentialId::new("up").expect("a name")),
    };
    let status = || world.engine().endpoint_registry().status(&endpoint);
    for failed in 1..=2 {
        let answer = control::backend_ask(&world.core, ask("m-1", None)).await.expect("asked");
        assert_eq!(answer.outcome, AskOutcome::Failed, "{answer:?}");
        let counts = status().recent;
        assert_eq!((counts.calls, counts.failure_halves), (failed, 2 * failed), "by the breaker");
        // Three in a row make it down.
        assert_eq!(world.up().await.health.state, ShownHealth::Unknown, "after {failed}");
    }
    assert_eq!(status().breaker, EndpointState::Closed);
    control::backend_ask(&world.core, ask("m-1", None)).await.expect("asked");
    assert_eq!(world.up().await.health.state, ShownHealth::Down);
    assert_eq!(status().breaker, EndpointState::Open);
    assert_eq!(prompts(&upstream), 3);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_model_of_a_backend_is_asked_at_a_time_and_can_be_stopped() {
    let (world, upstream) = asked_world().await;
    let stopping = async {
        while prompts(&upstream) == 0 {
            tokio::task::yield_now().await;
        }
        refused(control::backend_ask(&world.core, ask("m-1", None)).await, ErrorCode::Failed, None);
        control::backend_ask_cancel(&world.core, up()).await.expect("cancelled");
    };
    let (answer, ()) = tokio::join!(control::backend_ask(&world.core, ask("mute", None)), stopping);
    let answer = answer.expect("asked");
    assert_eq!(answer.outcome, AskOutcome::Cancelled);
    assert_eq!(answer.failure.expect("a cause").cause, "It was stopped.");
    // It is in the ledger although no answer told its id.
    let id = answer.request.expect("an id").parse().expect("an id");
    let (row, _) = world.engine().ledger().request(id).await.expect("read").expect("recorded");
    assert_eq!((row.state, row.request.purpose), (RequestState::Cancelled, Purpose::Health));
    assert!(answer.cost_basis.is_some(), "its cost is told, or why it has none");
    let next = control::backend_ask(&world.core, ask("m-1", None)).await.expect("asked");
    assert_eq!(next.outcome, AskOutcome::Answered);
    control::backend_ask_cancel(&world.core, up()).await.expect("nothing to stop");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_accepted_is_not_asked() {
    let (world, upstream) = asked_world().await;
    let core = &world.core;
    let dearer = control::backend_ask(core, ask("m-1", Some(0))).await;
    refused(dearer, ErrorCode::InvalidInput, Some("accepted_nano_usd"));
    refused(
        control::backend_ask(core, ask(" ", None)).await,
        ErrorCode::InvalidInput,
        Some("model"),
    );
    let other = BackendAsk { id: "nosuch".to_owned(), ..ask("m-1", None) };
    assert!(control::backend_ask(core, other).await.is_err());
    let off = BackendSwitch { id: "up".to_owned(), enabled: false };
    control::backend_switch(core, off).await.expect("off");
    refused(
        control::backend_ask(core, ask("m-1", None)).await,
        ErrorCode::InvalidInput,
        Some("id"),
    );
    assert_eq!(prompts(&upstream), 0);
    world.core.stop().await;
}
