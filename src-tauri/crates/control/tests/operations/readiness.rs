//! Readiness checks that read the settings, the prices and the tests of channels.

use std::sync::Arc;
use std::time::Duration;

use ::readiness::CheckStatus;
use control::view::*;
use control::{Core, CoreEvents, EngineConfig, PanelEvent};
use domain::{ManualClock, WallTime};

use crate::world::{World, add_request, budget_request, lists_models, marked_key, new_home};

/// A month and a day after the day of the bundled prices.
fn a_month_later(config: &mut EngineConfig) {
    let later = pricing::bundled_as_of().unix_ms() + 31 * 86_400_000;
    config.clock = Arc::new(ManualClock::starting_at(WallTime::from_unix_ms(later)));
}

async fn run_quick(core: &Core) -> Vec<CheckView> {
    let mut events = CoreEvents::subscribe(core).await.expect("events");
    control::readiness_start(core, ReadinessStart { set: CheckSet::Quick }).await.expect("run");
    let finished = async {
        loop {
            if let PanelEvent::RunProgress { run } = events.next().await.expect("an event")
                && run.state == ReadinessRunStateView::Finished
            {
                return run.checks;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), finished).await.expect("in time")
}

/// What each check of the category says, by its id.
async fn monitoring(core: &Core) -> Vec<(String, CheckStatus, Option<String>)> {
    let checks = run_quick(core).await.into_iter().filter(|check| check.category == "Monitoring");
    checks.map(|check| (check.id, check.state, check.cause)).collect()
}

#[track_caller]
fn assert_says(found: &[(String, CheckStatus, Option<String>)], id: &str, cause: Option<&str>) {
    let (_, state, said) = found.iter().find(|(it, _, _)| it == id).expect("such a check");
    let expected = if cause.is_some() { CheckStatus::Warn } else { CheckStatus::Pass };
    assert_eq!((*state, said.as_deref()), (expected, cause), "{id}");
}

async fn import(core: &Core, text: &str) {
    let list = PriceImport::Text { name: "list.json".to_owned(), text: text.to_owned() };
    let seen = control::price_import(core, list).await.expect("a list");
    if seen.changed.0 + seen.new.0 > 0 {
        control::price_import_apply(core, PriceImportRef { id: seen.id }).await.expect("imported");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn monitoring_is_ready_once_there_is_a_budget_a_new_price_list_and_a_test_that_was_seen() {
    let world = World::open(new_home(), a_month_later).await;
    let request = add_request(&lists_models().await, marked_key());
    let openai = BackendAdd {
        kind: BackendKind::OpenAi,
        base_url: "https://api.openai.com/v1".to_owned(),
        ..request
    };
    control::backend_add(&world.core, openai).await.expect("added");
    let found = monitoring(&world.core).await;
    assert_says(&found, "R-20", Some("Upstream has no budget"));
    assert_says(&found, "R-21", Some("the price list is 31 days old"));
    assert_says(&found, "R-22", Some("nobody has confirmed that a test arrived"));

    // A budget of one client leaves out what others spend, and a list without the provider's
    // prices says nothing of them.
    set_budget(&world.core, "demo", Some((BudgetDimension::Client, "demo"))).await;
    import(&world.core, &price_list("mistral", "mistral-x", "1")).await;
    control::alert_channel_test(&world.core, DESKTOP).await.expect("sent");
    let found = monitoring(&world.core).await;
    assert_says(&found, "R-20", Some("Upstream has no budget"));
    assert_says(&found, "R-21", Some("the price list is 31 days old"));
    assert_says(&found, "R-22", Some("nobody has confirmed that a test arrived"));

    set_budget(&world.core, "key", Some((BudgetDimension::Credential, "up"))).await;
    import(&world.core, &price_list("openai", "gpt-x", "2")).await;
    let answer = AlertTestAnswer { channel: DESKTOP.channel, is_seen: true };
    control::alert_test_answer(&world.core, answer).await.expect("noted");
    let found = monitoring(&world.core).await;
    for id in ["R-20", "R-21", "R-22"] {
        assert_says(&found, id, None);
    }

    control::price_undo(&world.core).await.expect("undone");
    let found = monitoring(&world.core).await;
    assert_says(&found, "R-21", Some("the price list is 31 days old"));
    // The list is imported, and found to be the same at the next look.
    for _ in 0..2 {
        import(&world.core, &price_list("openai", "gpt-x", "2")).await;
        assert_says(&monitoring(&world.core).await, "R-21", None);
    }
    world.core.stop().await;
}

const DESKTOP: AlertChannelRef = AlertChannelRef { channel: AlertChannel::Desktop };

fn price_list(provider: &str, model: &str, input: &str) -> String {
    format!(
        r#"{{"prices": [{{"provider": "{provider}", "model": "{model}", "from": "2026-11-01",
            "source": "https://example.com", "rates": {{"input": {input}, "output": 4}}}}]}}"#
    )
}

async fn set_budget(core: &Core, id: &str, scope: Option<(BudgetDimension, &str)>) {
    let budget = budget_request(id, "20", scope);
    control::budget_set(core, budget).await.expect("set");
}
