//! Budgets through the API: set, counted from the ledger, kept over a restart, removed.

use control::view::*;
use control::{Core, ErrorCode};
use domain::{BackendId, Endpoint, NanoUsd};
use ledger::{AttemptRecord, Settlement};
use pricing::Cost;

use crate::world::{World, budget_request, refused, world};

fn set(limit: &str, scope: Option<(BudgetDimension, &str)>) -> BudgetSet {
    budget_request("monthly", limit, scope)
}

/// Records a request of `client` that cost two dollars.
async fn spend_two_dollars(world: &World, client: &str) {
    let cost = Cost::Reported(NanoUsd::new(2_000_000_000));
    world.settle(Settlement { cost, ..world.answered(client) }).await;
}

async fn spent(core: &Core) -> Vec<(i64, u32)> {
    let budgets = control::budgets(core).await.expect("budgets");
    budgets.iter().map(|it| (it.spent_nano_usd.0, it.used_percent)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_counts_what_the_ledger_has_also_after_a_restart() {
    let world = world().await;
    spend_two_dollars(&world, "editor").await;
    spend_two_dollars(&world, "agent").await;
    let view = control::budget_set(&world.core, set("8", None)).await.expect("set");
    assert_eq!((view.spent_nano_usd.0, view.used_percent), (4_000_000_000, 50));
    let editor = Some((BudgetDimension::Client, "editor"));
    let view = control::budget_set(&world.core, set("1.60", editor)).await.expect("changed");
    assert_eq!((view.spent_nano_usd.0, view.used_percent), (2_000_000_000, 125));
    let home = world.stop().await;
    let again = World::open(home, |_| {}).await.serving().await;
    assert_eq!(spent(&again.core).await, [(2_000_000_000, 125)]);
    let id = "monthly".to_owned();
    control::budget_remove(&again.core, BudgetRef { id: id.clone() }).await.expect("removed");
    assert_eq!(spent(&again.core).await, []);
    let gone = control::budget_remove(&again.core, BudgetRef { id }).await.expect_err("gone");
    assert_eq!(gone.code, ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_that_refuses_requests_is_in_the_verdict_until_more_is_allowed() {
    let world = world().await;
    let needs = async || {
        // Reads what was spent from the ledger, as there is no gateway that counts it.
        control::budgets(&world.core).await.expect("budgets");
        let status = control::status(&world.core).await.expect("a status");
        let of_budget = |need: &StatusIssueView| need.id == "budget/monthly";
        let need = status.verdict.needs.into_iter().find(of_budget);
        need.map(|need| (need.level, need.title, need.impact))
    };
    let editor = Some((BudgetDimension::Client, "editor"));
    control::budget_set(&world.core, set("2", editor)).await.expect("set");
    assert_eq!(needs().await, None);
    spend_two_dollars(&world, "editor").await;
    let need = needs().await.expect("nothing is left");
    assert_eq!(need.0, VerdictLevel::Problem);
    assert_eq!(need.1, "The budget monthly is used up");
    assert_eq!(
        need.2,
        "Requests of the client editor that cost money are refused. Allow more to go on."
    );
    let more = BudgetAllow { id: "monthly".to_owned(), usd: "1".to_owned(), until: None };
    control::budget_allow(&world.core, more).await.expect("allowed");
    assert_eq!(needs().await, None);
    let told = BudgetSet { action: Some(BudgetAction::Tell), ..set("1", None) };
    control::budget_set(&world.core, told).await.expect("set");
    assert_eq!(needs().await, None, "it refuses nothing");
    world.core.stop().await;
}

/// Records a request of `client` with one attempt that cost two dollars.
async fn ask_for_two_dollars(world: &World, client: &str) {
    let endpoint = Endpoint { backend: BackendId::new("up").expect("a name"), credential: None };
    let mut attempt = AttemptRecord::started(endpoint, "m", world.engine().clock().wall());
    attempt.cost = Cost::Reported(NanoUsd::new(2_000_000_000));
    let cost = attempt.cost.clone();
    world.settle(Settlement { cost, attempts: vec![attempt], ..world.answered(client) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_tried_on_the_past_before_it_is_made() {
    let world = world().await;
    for client in ["editor", "agent", "editor"] {
        ask_for_two_dollars(&world, client).await;
    }
    let tried = |limit, scope| {
        let budget = BudgetSet { id: String::new(), ..set(limit, scope) };
        let req = BudgetBacktest { budget, last_days: 30 };
        async { control::budget_backtest(&world.core, req).await }
    };
    let view = tried("5", None).await.expect("tried");
    assert_eq!((view.requests, view.refused), (Count(3), Count(1)));
    assert_eq!(view.refused_nano_usd.0, 2_000_000_000);
    let expected = "In the last 30 days it would have refused 1 of 3 requests; these cost $2.00. \
        It would have been used up in 1 of 1 month with requests.";
    assert_eq!(view.sentence, expected);
    let editor = Some((BudgetDimension::Client, "editor"));
    let view = tried("5", editor).await.expect("tried");
    assert_eq!((view.requests, view.refused), (Count(2), Count(0)));
    let nobody = Some((BudgetDimension::Client, "nobody"));
    let view = tried("5", nobody).await.expect("tried");
    assert_eq!(view.sentence, "In the last 30 days there was no request that it counts.");
    let refused = tried("0", None).await.expect_err("no amount");
    assert_eq!(refused.field.as_deref(), Some("limit_usd"));
    assert_eq!(control::budgets(&world.core).await.expect("budgets").len(), 0, "none was made");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_budget_is_refused_by_its_field() {
    let world = world().await;
    for limit in ["0", "-1", "x", "1000000.01", ""] {
        let refused = control::budget_set(&world.core, set(limit, None)).await.expect_err(limit);
        assert_eq!(refused.field.as_deref(), Some("limit_usd"), "{limit}");
    }
    let nobody = Some((BudgetDimension::Model, " "));
    let refused = control::budget_set(&world.core, set("1", nobody)).await.expect_err("no name");
    assert_eq!(refused.field.as_deref(), Some("scope"));
    assert_eq!(spent(&world.core).await, []);
}

/// Waits until the user is told of a mark.
async fn told(events: &mut tokio::sync::broadcast::Receiver<engine::EngineEvent>) -> String {
    loop {
        if let engine::EngineEvent::Budget(notice) = events.recv().await.expect("an event") {
            return notice.title.clone();
        }
    }
}

fn marks(view: &BudgetView) -> Vec<Option<u16>> {
    view.crossings.iter().map(|crossing| crossing.percent).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_is_told_once_also_after_a_restart() {
    let world = world().await;
    spend_two_dollars(&world, "editor").await;
    let monthly = BudgetSet { forecast: Some(false), ..set("4", None) };
    let mut events = world.engine().events().subscribe();
    control::budget_set(&world.core, monthly.clone()).await.expect("set");
    assert_eq!(told(&mut events).await, "Budget monthly: 50 % used");
    let home = world.stop().await;
    let again = World::open(home, |_| {}).await.serving().await;
    let mut events = again.engine().events().subscribe();
    spend_two_dollars(&again, "editor").await;
    control::budget_set(&again.core, monthly).await.expect("set");
    // The last of those that were reached at once; half of it was told before the restart.
    assert_eq!(told(&mut events).await, "Budget monthly: 100 % used");
    let view = control::budgets(&again.core).await.expect("budgets").remove(0);
    assert_eq!(marks(&view), [Some(100), Some(95), Some(80), Some(50)]);
    assert_eq!(view.crossings[3].spent_nano_usd.0, 2_000_000_000);
}

fn allow(usd: &str) -> BudgetAllow {
    BudgetAllow { id: "monthly".to_owned(), usd: usd.to_owned(), until: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_allowed_more_survives_a_restart_and_is_taken_back() {
    let world = world().await;
    control::budget_set(&world.core, set("8", None)).await.expect("set");
    control::budget_allow(&world.core, allow("5")).await.expect("allowed");
    let more = control::budget_allow(&world.core, allow("$0.50")).await.expect("allowed");
    assert_eq!((more.allowed_nano_usd.0, more.limit_nano_usd.0), (5_500_000_000, 8_000_000_000));
    assert!(more.allowances.iter().all(|it| it.until == more.until), "{more:?}");
    let home = world.stop().await;
    let again = World::open(home, |_| {}).await.serving().await;
    let kept = control::budgets(&again.core).await.expect("budgets").remove(0);
    assert_eq!((kept.allowed_nano_usd.0, kept.allowances.len()), (5_500_000_000, 2));
    let none = control::budget_allow(&again.core, allow("0")).await.expect("taken back");
    assert_eq!((none.allowed_nano_usd.0, none.allowances.len()), (0, 0));
    for (req, field) in [
        (allow("x"), "usd"),
        (allow("1000000"), "usd"),
        (BudgetAllow { until: Some(UnixMs(1)), ..allow("1") }, "until"),
    ] {
        let refused = control::budget_allow(&again.core, req).await.expect_err(field);
        assert_eq!(refused.field.as_deref(), Some(field));
    }
    let nobody = BudgetAllow { id: "none".to_owned(), ..allow("1") };
    let unknown = control::budget_allow(&again.core, nobody).await.expect_err("unknown");
    assert_eq!(unknown.code, ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_made_with_a_client_ends_with_it_and_comes_back_with_its_token() {
    let world = world().await;
    let reference = || ClientRef { id: "tool".to_owned() };
    let new = ClientAdd {
        id: "tool".to_owned(),
        expires_in_days: None,
        scope: ClientScopeView::default(),
        reads_metrics: false,
        monthly_limit_usd: Some("20".to_owned()),
        project: None,
    };
    control::client_add(&world.core, new).await.expect("added");
    let token = control::client_token(&world.core, reference()).await.expect("a token");
    let scope = Some((BudgetDimension::Client, "tool"));
    control::budget_set(&world.core, budget_request("weekly", "5", scope)).await.expect("set");
    let of_client = async || {
        let clients = control::clients(&world.core).await.expect("clients");
        clients.into_iter().map(|it| (it.own_budget, it.other_budgets)).next()
    };
    let names = async || -> Vec<String> {
        let budgets = control::budgets(&world.core).await.expect("budgets");
        budgets.into_iter().map(|budget| budget.id).collect()
    };
    let both = Some((Some("tool".to_owned()), vec!["weekly".to_owned()]));
    assert_eq!(of_client().await, both);

    let ended = control::client_revoke(&world.core, reference()).await.expect("revoked");
    assert_eq!(ended.budget.as_deref(), Some("tool"));
    assert_eq!((of_client().await, names().await), (None, vec!["weekly".to_owned()]));
    control::client_token(&world.core, reference()).await.expect_err("no token");

    let back = control::client_restore(&world.core, reference()).await.expect("restored");
    assert_eq!(Some((back.own_budget, back.other_budgets)), both);
    assert_eq!(names().await.len(), 2);
    let again = control::client_token(&world.core, reference()).await.expect("a token");
    assert_eq!(again.expose(), token.expose());
    // What was restored, or never revoked, cannot be restored.
    let twice = control::client_restore(&world.core, reference()).await;
    refused(twice, ErrorCode::InvalidInput, Some("id"));
    let unknown = ClientRef { id: "stranger".to_owned() };
    refused(control::client_restore(&world.core, unknown).await, ErrorCode::NotFound, None);

    // A budget that took the name meanwhile is not overwritten.
    control::client_revoke(&world.core, reference()).await.expect("revoked");
    control::budget_set(&world.core, budget_request("tool", "1", None)).await.expect("set");
    let taken = control::client_restore(&world.core, reference()).await;
    refused(taken, ErrorCode::InvalidInput, Some("id"));
    world.core.stop().await;
}
