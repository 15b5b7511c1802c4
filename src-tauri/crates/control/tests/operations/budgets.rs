//! Budgets through the API: set, counted from the ledger, kept over a restart, removed.

use control::view::*;
use control::{Core, ErrorCode};
use domain::{BackendId, ClientId, NanoUsd, RequestId};
use ledger::{NewRequest, Purpose, RequestOutcome, Settlement};
use pricing::Cost;

use crate::world::{World, world};

fn set(limit: &str, scope: Option<(BudgetDimension, &str)>) -> BudgetSet {
    BudgetSet {
        id: "monthly".to_owned(),
        limit_usd: limit.to_owned(),
        period: BudgetPeriod::Month,
        scope: scope.map(|(dimension, name)| BudgetScopeView { dimension, name: name.to_owned() }),
        days: None,
        reset_day: None,
        reset_weekday: None,
        action: None,
        switch_to: None,
        marks: None,
        forecast: None,
    }
}

/// Records a request of `client` that cost two dollars.
async fn spend_two_dollars(world: &World, client: &str) {
    let engine = world.engine();
    let now = engine.clock().wall();
    let new = NewRequest {
        id: RequestId::generate(now, engine.entropy()),
        started: now,
        client: ClientId::new(client).expect("a name"),
        project: None,
        route: "r".to_owned(),
        model_asked: "m".to_owned(),
        dialect: "openai".to_owned(),
        streamed: false,
        purpose: Purpose::User,
    };
    let ended = Settlement {
        outcome: RequestOutcome::Complete,
        backend: Some(BackendId::new("up").expect("a name")),
        cost: Cost::Reported(NanoUsd::new(2_000_000_000)),
        ..Settlement::unfinished(new)
    };
    engine.ledger().settle(Box::new(ended)).await.expect("settled");
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
