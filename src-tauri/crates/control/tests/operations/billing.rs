//! What providers billed: their three cost reports over the network, files, and the difference.

use std::sync::Arc;

use control::view::*;
use control::{ApiError, CoreEvents, ErrorCode, PanelEvent};
use domain::{BackendId, Endpoint, Meter, NanoUsd};
use jiff::{Timestamp, ToSpan};
use ledger::{AttemptRecord, Settlement};
use parking_lot::Mutex;
use pricing::{Cost, LineItem, Rate};
use serde_json::{Value, json};
use test_support::{MARKED_KEY, ReceivedRequest, Reply, ScriptedUpstream};

use crate::world::{World, add_request, edit_request, refused, secret, world};

type Script = Arc<Mutex<Vec<Reply>>>;

/// An upstream that gives these replies to its cost report, one after the other.
async fn provider(replies: Vec<Reply>) -> (ScriptedUpstream, Script) {
    let script: Script = Arc::new(Mutex::new(replies));
    let left = Arc::clone(&script);
    let upstream = ScriptedUpstream::start_with(move |asked: &ReceivedRequest| {
        let is_report =
            ["/v1/organization/costs", "/v1/organizations/cost_report", "/api/v1/activity"]
                .iter()
                .any(|path| asked.path.starts_with(path));
        if !is_report {
            return Some(Reply::models(&["m-1"]));
        }
        let mut left = left.lock();
        (!left.is_empty()).then(|| left.remove(0))
    });
    (upstream.await.expect("an upstream"), script)
}

async fn add_admin_key(world: &World, upstream: &ScriptedUpstream, of: BillingProvider) -> KeyView {
    let key = KeyAdd {
        id: "admin".to_owned(),
        label: String::new(),
        secret: secret(MARKED_KEY),
        url: Some(upstream.base_url()),
        billing: Some(of),
    };
    control::key_add(&world.core, key).await.expect("stored")
}

async fn fetch(world: &World, provider: BillingProvider) -> Result<BillingReportView, ApiError> {
    control::billing_fetch(&world.core, BillingFetch { provider, days: 3 }).await
}

/// The UTC day this many days ago.
fn day(world: &World, back: i64) -> Timestamp {
    let now = Timestamp::from_millisecond(world.engine().clock().wall().unix_ms()).expect("a time");
    let start = now.to_zoned(jiff::tz::TimeZone::UTC).start_of_day().expect("a day");
    start.saturating_sub(back.days()).timestamp()
}

fn date(world: &World, back: i64) -> String {
    day(world, back).to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
}

async fn drift(world: &World) -> DriftView {
    control::billing_drift(&world.core, DriftQuery { days: 5, provider: None })
        .await
        .expect("a view")
}

/// The day, the billed nano-dollars and the lines of each reconciled day.
fn reconciled(view: &DriftView) -> Vec<(&str, i64, usize)> {
    let days = view
        .days
        .iter()
        .filter_map(|day| Some((day.day.as_str(), day.billed_nano_usd?.0, day.lines.len())));
    days.collect()
}

/// An answer of `up` that cost `stated` by its backend, and these lines by the price list.
fn stated(world: &World, stated: i64, lines: Vec<LineItem>) -> Settlement {
    let endpoint = Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
    let mut attempt = AttemptRecord::started(endpoint, "grok-4", world.engine().clock().wall());
    attempt.cost = Cost::Reported(NanoUsd::new(stated));
    attempt.lines = lines;
    let cost = attempt.cost.clone();
    Settlement { cost, attempts: vec![attempt], ..world.answered("editor") }
}

/// Tokens at two dollars a million.
fn line(quantity: u64) -> LineItem {
    let rate = Rate::new(2_000_000_000);
    LineItem {
        meter: Meter::Input,
        quantity,
        rate: Some(rate),
        amount: Some(rate.amount(quantity)),
    }
}

/// Four requests: stated and computed, stated alone, computed alone, and one that nothing was billed for.
#[tokio::test(flavor = "multi_thread")]
async fn a_total_is_of_the_costs_that_were_asked_for_and_says_so() {
    let world = world().await;
    world.settle(stated(&world, 5_000_000_000, vec![line(2_000_000)])).await;
    world.settle(stated(&world, 900_000_000, vec![line(7).without_rate()])).await;
    let mut computed = stated(&world, 0, vec![line(500_000)]);
    computed.cost =
        Cost::Computed { amount: NanoUsd::new(1_000_000_000), price_id: "up/grok-4".to_owned() };
    computed.attempts[0].cost = computed.cost.clone();
    world.settle(computed).await;
    world.settle(Settlement { cost: Cost::NotBilled, ..world.answered("editor") }).await;
    let query = |more: Value| {
        let mut query = json!({"range": "last_week", "zone": "utc", "compare": true});
        query.as_object_mut().expect("an object").extend(more.as_object().expect("more").clone());
        serde_json::from_value::<UsageReportQuery>(query).expect("a query")
    };
    for (more, cost, unknown, basis) in [
        (
            json!({}),
            6_900_000_000,
            0,
            "Stated by the backend, else computed; 100 % of requests priced",
        ),
        (
            json!({"basis": "reported"}),
            5_900_000_000,
            1,
            "Reported by the backend, for 66 % of requests",
        ),
        (
            json!({"basis": "computed"}),
            5_000_000_000,
            1,
            "Computed from the price list, for 66 % of requests",
        ),
    ] {
        let view = control::usage(&world.core, query(more.clone())).await.expect("usage");
        let totals = |of: &UsageTotalsView| (of.cost_nano_usd.0, of.unpriced_requests.0);
        assert_eq!(totals(&view.totals), (cost, unknown), "{more}");
        assert_eq!((view.totals.requests, view.basis.as_str()), (Count(4), basis));
        let of_up = view.groups.iter().find(|group| group.key == "up").expect("the backend");
        assert_eq!(totals(&of_up.totals), (cost, unknown), "{more}");
        let bars: i64 = view.buckets.iter().map(|bucket| bucket.total.cost_nano_usd.0).sum();
        assert_eq!(bars, cost, "{more}");
        let asked = json!({"period": {"range": "last_week"}, "rows": "client", "columns": "backend",
            "basis": view.cost_basis});
        let asked = serde_json::from_value(asked).expect("a query");
        let crossed = control::usage_cross(&world.core, asked).await.expect("usage");
        assert_eq!(totals(&crossed.totals), (cost, unknown), "{more}");
        assert_eq!((crossed.basis.as_str(), crossed.cost_basis), (basis, view.cost_basis));
    }
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_backend_states_is_compared_with_what_is_computed() {
    let world = world().await;
    assert_eq!(drift(&world).await.stated_finding, None);
    world.settle(stated(&world, 5_000_000_000, vec![line(2_000_000)])).await;
    world.settle(stated(&world, 900_000_000, vec![line(7).without_rate()])).await;
    let view = drift(&world).await;
    let finding = "up states $5.00 and Gatehouse computes $4.00 for 1 of 2 answers (+20.0 %).";
    assert_eq!(view.stated_finding.as_deref(), Some(finding));
    let [row] = view.stated.as_slice() else { panic!("one model: {:?}", view.stated) };
    assert_eq!((row.backend.as_str(), row.model.as_str()), ("up", "grok-4"));
    assert_eq!((row.answers, row.compared), (Count(2), Count(1)));
    assert!(row.is_marked, "a fifth of what was stated is more than half a percent");
    let levels = "Marked are differences of more than 0.5 % of the bill. The alert \"Bill differs\" \
        begins at 2 % of a provider's week and $1.00.";
    assert_eq!(view.levels, levels);
    let amounts = [row.stated_nano_usd, row.computed_nano_usd, row.difference_nano_usd];
    assert_eq!(amounts.map(|it| it.map(|it| it.0)), [5, 4, 1].map(|it| Some(it * 1_000_000_000)));
    let of_openai = DriftQuery { days: 5, provider: Some(BillingProvider::OpenAi) };
    let view = control::billing_drift(&world.core, of_openai).await.expect("a view");
    assert!(view.stated.is_empty(), "it is no backend of OpenAI");
    world.core.stop().await;
}

fn openai_page(start: Timestamp, results: &Value, next: Option<&str>) -> Reply {
    Reply::json(
        200,
        &json!({"object": "page", "has_more": next.is_some(), "next_page": next, "data": [
            {"object": "bucket", "start_time": start.as_second(), "end_time": start.as_second() + 86_400,
             "results": results}]}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_costs_of_openai_are_fetched_page_by_page_and_replaced() {
    let world = world().await;
    let line = |value: f64| json!([{"amount": {"value": value, "currency": "usd"}, "line_item": "gpt-5, input"}]);
    let pages = vec![
        openai_page(day(&world, 2), &line(1.5), Some("second=")),
        openai_page(day(&world, 1), &json!([]), None),
        openai_page(day(&world, 2), &line(0.25), None),
    ];
    let (upstream, _) = provider(pages).await;
    let key = add_admin_key(&world, &upstream, BillingProvider::OpenAi).await;
    assert_eq!((key.billing, key.used_by), (Some(BillingProvider::OpenAi), vec![]));
    let report = fetch(&world, BillingProvider::OpenAi).await.expect("a report");
    assert_eq!((report.days.0, report.lines.0, report.billed_nano_usd.0), (2, 1, 1_500_000_000));
    let asked = upstream.requests();
    assert!(asked[0].path.contains("bucket_width=1d&group_by=line_item"), "{}", asked[0].path);
    assert!(asked[1].path.ends_with("&page=second%3D"), "{}", asked[1].path);
    assert_eq!(asked[0].authorization(), Some(format!("Bearer {MARKED_KEY}").as_str()));
    let (before, last) = (date(&world, 2), date(&world, 1));
    assert_eq!(
        reconciled(&drift(&world).await),
        [(last.as_str(), 0, 0), (&before, 1_500_000_000, 1)]
    );
    fetch(&world, BillingProvider::OpenAi).await.expect("a report");
    assert_eq!(reconciled(&drift(&world).await)[1], (before.as_str(), 250_000_000, 1));
    world.core.stop().await;
}

/// The days read by each event of a fetch, and whether it still ran.
async fn progress_of_a_fetch(events: &mut CoreEvents) -> Vec<(u64, bool)> {
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        let PanelEvent::BillingProgress { progress } = event else { continue };
        assert_eq!((progress.provider, progress.days.0), (BillingProvider::OpenAi, 3));
        told.push((progress.days_read.0, progress.is_running));
        if !progress.is_running {
            break;
        }
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_says_how_far_it_is_and_when_it_has_ended() {
    let world = world().await;
    let pages = vec![
        openai_page(day(&world, 2), &json!([]), Some("second")),
        openai_page(day(&world, 1), &json!([]), None),
        Reply::json(500, &json!({})),
    ];
    let (upstream, _) = provider(pages).await;
    add_admin_key(&world, &upstream, BillingProvider::OpenAi).await;
    let mut events = CoreEvents::subscribe(&world.core).await.expect("events");
    fetch(&world, BillingProvider::OpenAi).await.expect("a report");
    let told = progress_of_a_fetch(&mut events).await;
    assert_eq!(told, [(0, true), (1, true), (2, true), (2, false)]);
    fetch(&world, BillingProvider::OpenAi).await.expect_err("no report");
    assert_eq!(progress_of_a_fetch(&mut events).await, [(0, true), (0, false)]);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_costs_of_anthropic_and_openrouter_are_fetched() {
    let world = world().await;
    let bucket = json!({"starting_at": day(&world, 1).to_string(), "ending_at": day(&world, 0).to_string(),
        "results": [{"amount": "123.45", "currency": "USD", "description": "Claude Sonnet 4.5"}]});
    let page = json!({"data": [bucket], "has_more": false, "next_page": null});
    let (anthropic, _) = provider(vec![Reply::json(200, &page)]).await;
    add_admin_key(&world, &anthropic, BillingProvider::Anthropic).await;
    let report = fetch(&world, BillingProvider::Anthropic).await.expect("a report");
    assert_eq!(report.billed_nano_usd.0, 1_234_500_000);
    let asked = &anthropic.requests()[0];
    assert_eq!(asked.header("x-api-key"), Some(MARKED_KEY));
    assert_eq!(asked.header("anthropic-version"), Some("2023-06-01"));
    control::key_remove(&world.core, KeyRef { id: "admin".to_owned() }).await.expect("removed");

    let item = json!({"date": date(&world, 1), "model": "openai/gpt-5", "usage": 0.015,
        "byok_usage_inference": 0.012, "requests": 5});
    let (openrouter, _) = provider(vec![Reply::json(200, &json!({"data": [item]}))]).await;
    add_admin_key(&world, &openrouter, BillingProvider::OpenRouter).await;
    let report = fetch(&world, BillingProvider::OpenRouter).await.expect("a report");
    let found = (report.days.0, report.lines.0, report.billed_nano_usd.0);
    assert_eq!(found, (3, 2, 27_000_000), "days without activity are days without costs");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_what_to_do_and_stores_nothing() {
    for of in BillingProvider::ALL.iter().copied() {
        let world = world().await;
        let error = fetch(&world, of).await.expect_err("there is no key");
        assert_eq!(error.code, ErrorCode::NotFound);
        assert!(error.hint.is_some_and(|hint| hint.contains("--billing")), "how to add a key");
        let replies = vec![
            Reply::error(401, "authentication_error", MARKED_KEY),
            Reply::error(403, "permission", "org_12345"),
            Reply::rate_limited(20),
            Reply::error(500, "server", "down"),
            Reply::html(200),
            Reply::json(200, &json!({"error": {"message": "org_12345"}})),
            Reply::truncated_json(),
            Reply::reset_before_head(),
            Reply::redirect(([127, 0, 0, 1], 9).into()),
        ];
        let (upstream, _) = provider(replies).await;
        add_admin_key(&world, &upstream, of).await;
        let messages = [
            "does not accept this as an admin key (status 401)",
            "does not accept this as an admin key (status 403)",
            "limits how often",
            "answered with status 500",
            "could not be read",
            "missing field `data`",
            "could not be read",
            "could not be fetched",
            "answered with status 3",
        ];
        for message in messages {
            let error = fetch(&world, of).await.expect_err("refused");
            assert!(error.message.contains(message), "{of:?}: {}", error.message);
            let told = format!("{error:?}");
            assert!(!told.contains(MARKED_KEY) && !told.contains("org_12345"), "{told}");
            let is_key = message.contains("admin key");
            assert_eq!(error.hint.is_some_and(|hint| hint.contains("Make an admin key")), is_key);
        }
        assert_eq!(reconciled(&drift(&world).await), []);
        world.core.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_never_ends_is_given_up() {
    let world = world().await;
    let page = || openai_page(day(&world, 1), &json!([]), Some("again"));
    let (upstream, _) = provider(vec![page(), page(), page()]).await;
    add_admin_key(&world, &upstream, BillingProvider::OpenAi).await;
    let error = fetch(&world, BillingProvider::OpenAi).await.expect_err("given up");
    assert!(error.message.contains("does not end"), "{}", error.message);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_is_cancelled_and_stores_nothing() {
    let world = world().await;
    let (upstream, _) = provider(vec![Reply::silence()]).await;
    add_admin_key(&world, &upstream, BillingProvider::OpenAi).await;
    let (fetched, ()) = tokio::join!(fetch(&world, BillingProvider::OpenAi), async {
        upstream.wait_for_requests(1).await;
        control::billing_cancel(&world.core).await.expect("cancelled");
    });
    assert!(fetched.expect_err("cancelled").message.contains("cancelled"));
    assert_eq!(reconciled(&drift(&world).await), []);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_sent_with_an_admin_key() {
    let world = world().await;
    let (upstream, _) = provider(Vec::new()).await;
    add_admin_key(&world, &upstream, BillingProvider::OpenAi).await;
    let stored = BackendKey::Stored { id: "admin".to_owned() };
    let add = add_request(&upstream, stored);
    let error = control::backend_add(&world.core, add).await.expect_err("refused");
    assert!(error.message.contains("never sent with requests"), "{}", error.message);
    world.add_up(&upstream, BackendKey::None).await;
    let edit = BackendEdit { credential: Some("admin".to_owned()), ..edit_request(&upstream) };
    let error = control::backend_edit(&world.core, edit).await.expect_err("refused");
    assert!(error.message.contains("never sent with requests"), "{}", error.message);
    let verified = control::key_verify(&world.core, KeyRef { id: "admin".to_owned() }).await;
    assert!(verified.expect("a view").detail.contains("cost reports"));
    let id = BackendId::new("up").expect("a name");
    world.engine().prober().probe_now(&id).await;
    assert!(upstream.requests().iter().all(|asked| asked.authorization().is_none()));
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_day_by_day_and_its_bad_lines_are_named() {
    let world = world().await;
    let (good, bad) = (date(&world, 2), date(&world, 1));
    let import = BillingImport {
        provider: BillingProvider::Anthropic,
        file_name: "cost.csv".to_owned(),
        text: format!(
            "usage_date_utc,model,token_type,cost_usd\n{good},a,output,1.25\n{bad},a,output,x\n"
        ),
    };
    for _ in 0..2 {
        let report = control::billing_import(&world.core, import.clone()).await.expect("stored");
        assert_eq!(report.finding, "Anthropic billed $1.25 on 1 day. 1 problem.");
        let problem = &report.problems[0];
        let place = (problem.file.as_str(), problem.line.0, problem.field.as_str());
        assert_eq!(place, ("cost.csv", 3, "cost_usd"));
    }
    let view = drift(&world).await;
    assert_eq!(reconciled(&view), [(good.as_str(), 1_250_000_000, 1)]);
    assert_eq!(
        view.finding,
        "Anthropic billed $1.25 and Gatehouse computed $0.00 on 1 reconciled day."
    );
    let day = &view.days[0];
    assert_eq!((day.difference_percent, day.priced_percent), (Some(100.0), None));
    assert_eq!(
        day.reasons,
        ["billed more than Gatehouse saw; requests outside Gatehouse are not known"]
    );
    let too_far = DriftQuery { days: 91, provider: None };
    let refused_days = control::billing_drift(&world.core, too_far).await;
    refused(refused_days, ErrorCode::InvalidInput, Some("days"));
    world.core.stop().await;
}
