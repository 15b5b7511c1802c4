//! Budgets: what they stop, what they count, and what a refused client reads.

use std::sync::Arc;

use budgets::LoadedSpending;
use domain::{
    Budget, BudgetAction, BudgetDimension, BudgetId, NanoUsd, RouteId, ShownCurrency, SystemClock,
};
use futures_util::future::join_all;
use gateway::Budgets;
use jiff::tz::TimeZone;
use parking_lot::Mutex;
use test_support::{ChatText, RawAnswer, RawClient, ReceivedRequest, Reply, ScriptedUpstream};

use crate::pair::{At, Pair, WELL, always, limits};
use crate::world::{CACHED_MODEL, PRICED_MODEL, TIERED_MODEL, World, network, world, world_with};

/// Costs nine tokens at a dollar a million.
const COST: NanoUsd = NanoUsd::new(9_000);

fn ask() -> String {
    format!(
        r#"{{"model":"corp/{PRICED_MODEL}","max_tokens":2,"messages":[{{"role":"user","content":"hi"}}]}}"#
    )
}

fn configure(world: &World, limit: NanoUsd, scope: Option<(BudgetDimension, &str)>) {
    let scope = scope.map(|(dimension, name)| (dimension, name.to_owned()));
    let budget = Budget { scope, ..Budget::new(limit) };
    let id = BudgetId::new("monthly").expect("a name");
    world.budgets.configure([(id, budget)], TimeZone::UTC);
}

async fn priced_world() -> (World, ScriptedUpstream) {
    let text = ChatText { model: PRICED_MODEL, ..crate::delivery::HELLO };
    let upstream = always(Reply::chat(&text)).await;
    (world(&upstream).await, upstream)
}

#[tokio::test]
async fn two_hundred_requests_at_once_do_not_pass_a_budget_for_ten() {
    let (world, _upstream) = priced_world().await;
    let limit = COST.scaled(10);
    configure(&world, limit, None);
    let ask = ask();
    let answers = join_all((0..200).map(|_| world.chat(&ask))).await;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=10).contains(&answered), "{answered} were answered");
    assert!(answers.iter().all(|answer| [200, 402].contains(&answer.status)));
    let status = world.budgets.statuses().remove(0);
    assert_eq!(status.spent, COST.scaled(i64::try_from(answered).expect("few")));
    assert_eq!((status.reserved, status.spent <= limit), (budgets::Reserved::default(), true));
}

fn ask_at(terms: &str) -> String {
    ask().replace(PRICED_MODEL, TIERED_MODEL).replace("{\"model\"", &format!("{{{terms},\"model\""))
}

#[tokio::test]
async fn two_hundred_requests_of_a_dearer_tier_do_not_pass_a_budget_for_ten() {
    let answer = serde_json::json!({
        "id": "c", "object": "chat.completion", "created": 1, "model": TIERED_MODEL,
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hi"}}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9},
        "service_tier": "priority",
    });
    let upstream = always(Reply::json(200, &answer)).await;
    let world = world(&upstream).await;
    // Nine tokens at ten dollars a million.
    let cost = COST.scaled(10);
    let limit = cost.scaled(10);
    configure(&world, limit, None);
    let ask = ask_at(r#""service_tier":"priority""#);
    let answers = join_all((0..200).map(|_| world.chat(&ask))).await;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=10).contains(&answered), "{answered} were answered");
    let status = world.budgets.statuses().remove(0);
    assert_eq!(status.spent, cost.scaled(i64::try_from(answered).expect("few")));
    assert!(status.spent <= limit);
}

#[tokio::test]
async fn a_reservation_is_made_at_the_tier_and_with_the_searches_that_are_asked_for() {
    for (terms, nanos_each, slack_each, calls, unbounded) in [
        (r#""service_tier":"default""#, 1_000, 0, 0, 0),
        (r#""service_tier":"priority""#, 10_000, 0, 0, 0),
        // The provider may answer at the standard tier.
        (r#""service_tier":"flex""#, 500, 500, 0, 0),
        (r#""service_tier":"auto""#, 10_000, 0, 0, 0),
        // It counts as standard, and the project may have another tier by default.
        (r#""service_tier":null"#, 1_000, 9_000, 0, 0),
        // A search has a price at the standard tier only.
        (r#""web_search_options":{}"#, 1_000, 0, 10_000_000, 0),
        // A tier without a price may have been ignored, or may cost anything.
        (r#""service_tier":"scale""#, 1_000, 0, 0, 1),
    ] {
        let ask = ask_at(terms);
        let tokens = i64::try_from(ask.len() / 4).expect("short") + 2;
        let (_world, _upstream, reserved) = in_flight(&ask).await;
        assert_eq!(reserved.amount, NanoUsd::new(tokens * nanos_each + calls), "{terms}");
        assert_eq!(reserved.slack, NanoUsd::new(tokens * slack_each), "{terms}");
        assert_eq!(reserved.unbounded_requests, unbounded, "{terms}");
    }
}

/// Asks until the answer is held back by a backend that is silent.
async fn in_flight(ask: &str) -> (World, ScriptedUpstream, budgets::Reserved) {
    let upstream = always(Reply::silence()).await;
    let world = world(&upstream).await;
    configure(&world, NanoUsd::new(1_000_000_000), None);
    let mut asked = Box::pin(world.chat(ask));
    tokio::select! {
        _answer = &mut asked => unreachable!("the backend is silent"),
        () = upstream.wait_for_requests(1) => {}
    }
    drop(asked);
    let reserved = world.budgets.statuses().remove(0).reserved;
    (world, upstream, reserved)
}

#[tokio::test]
async fn a_request_that_names_no_limit_reserves_an_answer_of_the_usual_length() {
    let stated = ask();
    let open = stated.replace(r#""max_tokens":2,"#, "");
    let input = |body: &str| i64::try_from(body.len() / 4).expect("short");
    let (_world, _upstream, reserved) = in_flight(&stated).await;
    let amount = NanoUsd::new((input(&stated) + 2) * 1_000);
    assert_eq!((reserved.amount, reserved.slack), (amount, NanoUsd::ZERO));
    let (_world, _upstream, reserved) = in_flight(&open).await;
    let assumed = i64::try_from(budgets::OUTPUT_TOKENS_ASSUMED).expect("few");
    assert_eq!(reserved.amount, NanoUsd::new((input(&open) + assumed) * 1_000));
    assert_eq!(reserved.unbounded_requests, 1, "nothing says how long an answer of it may be");
    let three = stated.replace(r#""max_tokens":2"#, r#""max_tokens":2,"n":3"#);
    let (_world, _upstream, reserved) = in_flight(&three).await;
    assert_eq!(reserved.amount, NanoUsd::new((input(&three) + 6) * 1_000), "three answers");
    // Ten times what is assumed, by the request's own word.
    let long = stated.replace(r#""max_tokens":2"#, &format!(r#""max_tokens":{}"#, assumed * 10));
    let (_world, _upstream, reserved) = in_flight(&long).await;
    assert_eq!(reserved.slack, NanoUsd::new(assumed * 9 * 1_000));
}

/// What is reserved while a second attempt waits for its answer, after the `first` one failed.
async fn reserved_for_a_second_attempt(first: Reply) -> NanoUsd {
    let replies = Mutex::new(vec![first]);
    let script =
        move |_: &ReceivedRequest| Some(replies.lock().pop().unwrap_or_else(Reply::silence));
    let upstream = ScriptedUpstream::start_with(script).await.expect("an upstream");
    let world = world_with(&upstream, limits(network())).await;
    configure(&world, NanoUsd::new(1_000_000_000), None);
    let ask = ask();
    let mut asked = Box::pin(world.chat(&ask));
    tokio::select! {
        _answer = &mut asked => unreachable!("the backend is silent"),
        () = upstream.wait_for_requests(2) => {}
    }
    world.budgets.statuses().remove(0).reserved.amount
}

#[tokio::test]
async fn a_second_attempt_reserves_once_more_unless_the_first_cost_nothing() {
    let once = NanoUsd::new((i64::try_from(ask().len() / 4).expect("short") + 2) * 1_000);
    // The backend may have answered before the connection was lost.
    assert_eq!(reserved_for_a_second_attempt(Reply::reset_before_head()).await, once.scaled(2));
    let refused = Reply::error(500, "server_error", "no");
    assert_eq!(reserved_for_a_second_attempt(refused).await, once);
}

#[tokio::test]
async fn what_answers_were_long_is_assumed_of_the_next() {
    let (world, _upstream) = priced_world().await;
    configure(&world, NanoUsd::new(1_000_000_000), None);
    let open = ask().replace(r#""max_tokens":2,"#, "");
    for _answer in 0..budgets::ANSWERS_MIN {
        assert_eq!(world.chat(&open).await.status, 200);
    }
    // Room for the question and a short answer, not for one of the assumed length.
    let spent = world.budgets.statuses().remove(0).spent;
    configure(&world, spent + NanoUsd::new(40_000), None);
    assert_eq!(world.chat(&open).await.status, 200);
}

#[tokio::test]
async fn a_refusal_says_which_budget_until_when_and_how_to_allow_more() {
    let (world, _upstream) = priced_world().await;
    configure(&world, NanoUsd::new(1), None);
    let answer = world.chat(&ask()).await;
    let error = &answer.json()["error"];
    let message = error["message"].as_str().expect("a message");
    let price = NanoUsd::new((i64::try_from(ask().len() / 4).expect("short") + 2) * 1_000);
    let price = format!("which may cost ${price}");
    for part in
        ["monthly", "$0.000000001", &price, "until ", "gatehouse budgets set monthly --limit"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!((answer.status, &error["code"]), (402, &"budget_exceeded".into()));
    assert_eq!(answer.header("x-should-retry"), Some("false"));
    let (row, attempts) = world.row(&answer).await;
    assert_eq!((row.http_status, attempts.len()), (Some(402), 0));
    configure(&world, NanoUsd::new(1_000_000_000), None);
    assert_eq!(world.chat(&ask()).await.status, 200);
}

/// Sends `body` to `path` and returns the answer.
async fn post(world: &World, path: &str, body: &str) -> RawAnswer {
    world.forget();
    let mut client = RawClient::connect(world.address).await.expect("connected");
    let (host, bearer) = (world.host(), world.bearer());
    let headers = [host.as_str(), &bearer, "content-type: application/json"];
    let line = format!("POST {path} HTTP/1.1");
    client.send_request(&line, &headers, body.as_bytes()).await.expect("sent");
    client.read_answer().await.expect("an answer")
}

#[tokio::test]
async fn a_refusal_is_written_in_the_dialect_of_the_client() {
    let (world, upstream) = priced_world().await;
    configure(&world, NanoUsd::new(1), None);
    let model = format!("corp/{PRICED_MODEL}");
    let chat = format!(r#"{{"model":"{model}","messages":[{{"role":"user","content":"hi"}}]}}"#);
    let messages = format!(
        r#"{{"model":"{model}","max_tokens":2,"messages":[{{"role":"user","content":"hi"}}]}}"#
    );
    let plain = format!(r#"{{"model":"{model}","input":"hi"}}"#);
    let streamed = format!(r#"{{"model":"{model}","input":"hi","stream":true}}"#);
    let gemini = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#.to_owned();
    let at_gemini = format!("/v1beta/models/{model}:generateContent");
    for (path, body, kind, expected) in [
        ("/v1/chat/completions", &chat, "/error/code", "budget_exceeded"),
        ("/v1/embeddings", &plain, "/error/code", "budget_exceeded"),
        ("/v1/responses", &plain, "/error/code", "budget_exceeded"),
        ("/v1/responses", &streamed, "/error/code", "budget_exceeded"),
        ("/v1/messages", &messages, "/error/type", "billing_error"),
        (at_gemini.as_str(), &gemini, "/error/details/0/reason", "BUDGET_EXCEEDED"),
    ] {
        let answer = post(&world, path, body).await;
        let error = answer.json();
        // Google answers so to a used-up quota, whatever it is.
        let status = if kind.contains("details") { 429 } else { 402 };
        assert_eq!(answer.status, status, "{path}: {error}");
        assert_eq!(error.pointer(kind), Some(&expected.into()), "{path}: {error}");
        let message = error["error"]["message"].as_str().expect("a message");
        assert!(message.contains("budgets allow monthly"), "{path}: {message}");
        assert_eq!(answer.header("x-should-retry"), Some("false"), "{path}");
    }
    assert_eq!(upstream.requests().len(), 0, "nothing was sent");
}

#[tokio::test]
async fn a_strict_budget_refuses_a_model_without_a_price_and_says_what_to_do() {
    let (world, _upstream) = priced_world().await;
    let budget = Budget { refuse_unpriced: true, ..Budget::new(COST.scaled(10)) };
    let id = BudgetId::new("monthly").expect("a name");
    world.budgets.configure([(id, budget)], TimeZone::UTC);
    let unknown = ask().replace(PRICED_MODEL, "nobody-knows");
    let answer = world.chat(&unknown).await;
    let error = &answer.json()["error"];
    let message = error["message"].as_str().expect("a message");
    for part in ["monthly", "corp/nobody-knows", "gatehouse prices set", "--refuse-unpriced false"]
    {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!((answer.status, answer.header("x-should-retry")), (402, Some("false")));
    assert_eq!(world.chat(&ask()).await.status, 200, "money is left for what has a price");
}

#[tokio::test]
async fn a_refusal_writes_amounts_in_the_shown_currency_and_in_dollars() {
    let (world, _upstream) = priced_world().await;
    let (code, rate) = ("EUR".parse().expect("a code"), "0.85".parse().expect("a rate"));
    world.budgets.show_in(ShownCurrency { code, rate });
    configure(&world, NanoUsd::new(1), None);
    let answer = world.chat(&ask()).await;
    let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(message.contains("The budget monthly of <€0.0001 ($0.000000001) for"), "{message}");
    assert!(message.contains("€0.00 ($0.000000) is spent or reserved"), "{message}");
}

#[tokio::test]
async fn a_budget_for_another_backend_stops_nothing_here() {
    let (world, _upstream) = priced_world().await;
    configure(&world, NanoUsd::new(1), Some((BudgetDimension::Backend, "anthropic")));
    assert_eq!(world.chat(&ask()).await.status, 200);
    configure(&world, NanoUsd::new(1), Some((BudgetDimension::Backend, "corp")));
    assert_eq!(world.chat(&ask()).await.status, 402);
}

/// What the ledger says, once all that was answered is in it.
async fn correct(world: &World, budgets: &Budgets, scope: (BudgetDimension, &str)) {
    let status = budgets.statuses().remove(0);
    let scope = (scope.0, scope.1.to_owned());
    let now = status.until.minus_ms(1);
    let spend = world.ledger.spend_in(Some(scope), status.from, now).await.expect("read");
    let loaded = LoadedSpending { spent: spend.cost, ..LoadedSpending::default() };
    budgets.correct(&status.id, status.from, status.spent, loaded);
}

/// Providers answer `gpt-4o` as `gpt-4o-2024-08-06`.
#[tokio::test]
async fn a_budget_of_a_model_counts_it_by_the_sent_and_the_billed_name() {
    const DATED: &str = "priced-1-2026-08-06";
    let text = ChatText { model: DATED, ..crate::delivery::HELLO };
    let upstream = always(Reply::chat(&text)).await;
    let world = world(&upstream).await;
    let spent = |budgets: &Budgets| budgets.statuses().remove(0).spent;
    for (round, name) in (1..).zip([PRICED_MODEL, DATED]) {
        let scope = (BudgetDimension::Model, name);
        configure(&world, NanoUsd::new(1_000_000_000), Some(scope));
        if round == 2 {
            correct(&world, &world.budgets, scope).await;
            assert_eq!(spent(&world.budgets), COST, "of the first round");
        }
        assert_eq!(world.chat(&ask()).await.status, 200, "{name}");
        assert_eq!(spent(&world.budgets), COST.scaled(round), "{name}");
        // All of it is spent.
        configure(&world, COST.scaled(round), Some(scope));
        assert_eq!(world.chat(&ask()).await.status, 402, "{name}");
        correct(&world, &world.budgets, scope).await;
        assert_eq!(spent(&world.budgets), COST.scaled(round), "{name}, corrected");
        assert_eq!(world.chat(&ask()).await.status, 402, "{name}, corrected");
        // As after a restart.
        let again = Budgets::new(Arc::new(SystemClock::new()));
        let budget = Budget {
            scope: Some((scope.0, scope.1.to_owned())),
            ..Budget::new(COST.scaled(round))
        };
        again.configure([(BudgetId::new("monthly").expect("a name"), budget)], TimeZone::UTC);
        correct(&world, &again, scope).await;
        assert_eq!(spent(&again), COST.scaled(round), "{name}, after a restart");
    }
    let names = world.ledger.billed_names().await.expect("read");
    let known = names.iter().any(|it| it.model == PRICED_MODEL && it.billed == DATED);
    assert!(known, "what a restarted budget refuses by: {names:?}");
}

fn cached_answer(prompt: u64, cached: u64) -> Reply {
    Reply::json(
        200,
        &serde_json::json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1,
            "model": CACHED_MODEL,
            "choices": [{"index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello"}}],
            "usage": {"prompt_tokens": prompt, "completion_tokens": 2,
                "total_tokens": prompt + 2,
                "prompt_tokens_details": {"cached_tokens": cached}},
        }),
    )
}

/// A prompt of so many words, and its tokens.
fn long_prompt(words: usize) -> (String, u64) {
    let words = "word ".repeat(words);
    let ask = format!(
        r#"{{"model":"corp/{CACHED_MODEL}","max_tokens":2,"messages":[{{"role":"user","content":"{words}"}}]}}"#
    );
    let tokens = u64::try_from(ask.len() / 4).expect("short");
    (ask, tokens)
}

/// Agents send a long prompt again and again, nine tenths of it from the cache.
#[tokio::test]
async fn a_prompt_that_was_read_from_the_cache_reserves_its_price_and_the_rest_is_slack() {
    let (ask, tokens) = long_prompt(2_000);
    let replies =
        Mutex::new(vec![cached_answer(tokens, tokens * 9 / 10); budgets::CACHED_CALLS_MIN]);
    let script =
        move |_: &ReceivedRequest| Some(replies.lock().pop().unwrap_or_else(Reply::silence));
    let upstream = ScriptedUpstream::start_with(script).await.expect("an upstream");
    let world = world(&upstream).await;
    let dollar = NanoUsd::new(1_000_000_000);
    configure(&world, dollar, None);
    for _call in 0..budgets::CACHED_CALLS_MIN {
        assert_eq!(world.chat(&ask).await.status, 200);
    }
    let mut asked = Box::pin(world.chat(&ask));
    tokio::select! {
        _answer = &mut asked => unreachable!("the backend is silent"),
        () = upstream.wait_for_requests(budgets::CACHED_CALLS_MIN + 1) => {}
    }
    let reserved = world.budgets.statuses().remove(0).reserved;
    // A dollar a million, a tenth of it for what the cache has.
    let cached = tokens * 9 / 10;
    let nanos = (tokens - cached + 2) * 1_000 + cached * 100;
    assert_eq!(reserved.amount, NanoUsd::new(i64::try_from(nanos).expect("small")));
    let most = i64::try_from((tokens + 2) * 1_000).expect("small");
    assert_eq!(reserved.amount + reserved.slack, NanoUsd::new(most), "as if nothing were cached");
    drop(asked);
    // Room for it, not for the whole prompt at the full rate: no false stop.
    let left = NanoUsd::new(i64::try_from(nanos).expect("small"));
    let spent = world.budgets.statuses().remove(0).spent;
    configure(&world, spent + left, None);
    let mut asked = Box::pin(world.chat(&ask));
    tokio::select! {
        _answer = &mut asked => unreachable!("it is let through, and the backend is silent"),
        () = upstream.wait_for_requests(budgets::CACHED_CALLS_MIN + 2) => {}
    }
}

/// The cache is gone for all of them at once: what they cost more was declared as slack.
#[tokio::test]
async fn two_hundred_requests_at_once_whose_cache_is_gone_do_not_pass_the_declared_slack() {
    let (ask, tokens) = long_prompt(400);
    let warm = Mutex::new(vec![cached_answer(tokens, tokens * 9 / 10); budgets::CACHED_CALLS_MIN]);
    let script = move |_: &ReceivedRequest| {
        Some(warm.lock().pop().unwrap_or_else(|| cached_answer(tokens, 0)))
    };
    let upstream = ScriptedUpstream::start_with(script).await.expect("an upstream");
    let world = world(&upstream).await;
    configure(&world, NanoUsd::new(1_000_000_000), None);
    for _call in 0..budgets::CACHED_CALLS_MIN {
        assert_eq!(world.chat(&ask).await.status, 200);
    }
    let spent = world.budgets.statuses().remove(0).spent;
    let whole = NanoUsd::new(i64::try_from((tokens + 2) * 1_000).expect("small"));
    let cached = tokens * 9 / 10;
    let each = (tokens - cached + 2) * 1_000 + cached * 100;
    let each = NanoUsd::new(i64::try_from(each).expect("small"));
    let limit = spent + each.scaled(10);
    configure(&world, limit, None);
    let answers = join_all((0..200).map(|_| world.chat(&ask))).await;
    let answered = answers.iter().filter(|answer| answer.status == 200).count();
    assert!((1..=10).contains(&answered), "{answered} were answered");
    let status = world.budgets.statuses().remove(0);
    let slack = (whole - each).scaled(i64::try_from(answered).expect("few"));
    assert!(status.spent <= limit + slack, "{status:?}");
    assert_eq!(status.reserved, budgets::Reserved::default());
}

fn configure_action(world: &World, action: BudgetAction) {
    let budget = Budget { action, ..Budget::new(NanoUsd::new(1)) };
    world.budgets.configure([(BudgetId::new("monthly").expect("a name"), budget)], TimeZone::UTC);
}

#[tokio::test]
async fn a_budget_that_tells_refuses_nothing_and_one_that_asks_says_so() {
    let (world, _upstream) = priced_world().await;
    configure_action(&world, BudgetAction::Tell);
    assert_eq!(world.chat(&ask()).await.status, 200);
    // Told by the first request that passes its marks.
    world.budgets.mark_reached().await;
    configure_action(&world, BudgetAction::Ask);
    let answer = world.chat(&ask()).await;
    let message = answer.json()["error"]["message"].as_str().expect("a message").to_owned();
    assert!(answer.status == 402 && message.contains("Gatehouse asks you"), "{message}");
    assert!(message.contains("gatehouse budgets allow monthly --usd"), "{message}");
    world.budgets.mark_reached().await;
}

/// A budget that is used up and sends requests to the route `spare`.
fn configure_switch(world: &World, scope: Option<(BudgetDimension, String)>) {
    let switch_to = RouteId::new("spare").ok();
    let limit = NanoUsd::new(1);
    let budget = Budget { scope, action: BudgetAction::Switch, switch_to, ..Budget::new(limit) };
    let id = BudgetId::new("monthly").expect("a name");
    world.budgets.configure([(id.clone(), budget)], TimeZone::UTC);
    let status = world.budgets.statuses().remove(0);
    let spent = LoadedSpending { spent: limit, ..LoadedSpending::default() };
    world.budgets.correct(&id, status.from, status.spent, spent);
}

#[tokio::test]
async fn a_budget_that_switches_sends_requests_to_its_route_and_says_so() {
    let ask = r#"{"model":"gpt","messages":[{"role":"user","content":"hi"}]}"#;
    let pair = Pair::alone(At::Replying(Reply::chat(&WELL)), limits(network())).await;
    assert_eq!((pair.ask(ask).await.status, pair.calls()), (200, (1, 0)));
    configure_switch(&pair.world, Some((BudgetDimension::Backend, "one".to_owned())));
    let answer = pair.ask(ask).await;
    assert_eq!((answer.status, pair.calls()), (200, (1, 1)));
    let (row, attempts) = pair.world.row(&answer).await;
    assert_eq!((row.request.route.as_str(), attempts.len()), ("spare", 1));
    let why = row.explanation.expect("a reason");
    assert!(why.starts_with("Sent to the route spare by the budget monthly."), "{why}");
    // Nothing is sent where the budget covers that route neither.
    configure_switch(&pair.world, None);
    assert_eq!((pair.ask(ask).await.status, pair.calls()), (402, (1, 1)));
}
