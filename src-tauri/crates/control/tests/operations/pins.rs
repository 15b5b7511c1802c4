//! Figures on the Overview: saved in the settings, with values of the ledger.

use control::ErrorCode;
use control::view::*;
use domain::NanoUsd;
use pricing::Cost;

use crate::world::{World, refused, world};

fn pin(name: &str, measure: PinMeasure) -> PinSave {
    let filter = UsageFilter::default();
    PinSave { name: name.to_owned(), measure, range: PinRange::LastWeek, filter }
}

async fn list(world: &World) -> Vec<PinView> {
    control::pins_list(&world.core, PinsQuery { zone: TimeZoneChoice::Utc }).await.expect("pins")
}

async fn settle(world: &World, project: Option<&str>, cost: i64) {
    let mut ended = world.answered("editor");
    ended.request.project = project.map(str::to_owned);
    ended.cost = Cost::Reported(NanoUsd::new(cost));
    world.settle(ended).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_figure_is_pinned_with_its_value_and_outlives_a_restart() {
    let world = world().await;
    settle(&world, Some("web"), 4_000_000_000).await;
    settle(&world, None, 1_000_000_000).await;
    let filter = UsageFilter { project: Some("web".to_owned()), ..UsageFilter::default() };
    let web = PinSave { filter: filter.clone(), ..pin("web", PinMeasure::Cost) };
    control::pin_save(&world.core, web).await.expect("pinned");
    let mean = pin("mean", PinMeasure::CostPerRequest);
    control::pin_save(&world.core, mean.clone()).await.expect("pinned");

    let world = World::open(world.stop().await, |_| {}).await;
    let shown = list(&world).await;
    let [web, all] = shown.as_slice() else { panic!("{shown:?}") };
    assert_eq!((web.value, web.text.as_str()), (Some(4e9), "$4.00"));
    assert_eq!((&web.filter, web.scope_label.as_str()), (&filter, "project web, 7 days"));
    assert_eq!((web.days.len(), web.days[6].value, web.days[0].value), (7, Some(4e9), Some(0.0)));
    assert_eq!((web.previous, web.change), (Some(0.0), None));
    assert_eq!((all.value, all.measure_label.as_str()), (Some(2.5e9), "Cost per request"));
    assert_eq!((all.previous, all.days[0].value), (None, None));
    assert_eq!((web.unpriced_requests, all.unpriced_requests), (Count(0), Count(0)));
    let mut unpriced = world.answered("editor");
    (unpriced.request.project, unpriced.cost) = (Some("web".to_owned()), Cost::Unpriced);
    world.settle(unpriced).await;
    let shown = list(&world).await;
    let left_out = shown.iter().map(|pin| (pin.value, pin.unpriced_requests));
    assert_eq!(left_out.collect::<Vec<_>>(), [(Some(4e9), Count(1)), (Some(2.5e9), Count(1))]);

    let today = PinSave { range: PinRange::Today, measure: PinMeasure::Requests, ..mean };
    control::pin_save(&world.core, today).await.expect("changed");
    let shown = list(&world).await;
    assert_eq!((shown[1].value, shown[1].days.len()), (Some(3.0), 7));
    assert_eq!(shown[1].unpriced_requests, Count(0), "a count of requests leaves none out");
    let name = "web".to_owned();
    control::pin_delete(&world.core, PinRef { name: name.clone() }).await.expect("removed");
    assert_eq!(list(&world).await.len(), 1);
    refused(control::pin_delete(&world.core, PinRef { name }).await, ErrorCode::NotFound, None);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_figure_and_an_impossible_one_are_refused() {
    let world = world().await;
    let client = UsageFilter { client: Some("editor".to_owned()), ..UsageFilter::default() };
    let slow = PinSave { filter: client, ..pin("slow", PinMeasure::FirstTokenP95) };
    refused(
        control::pin_save(&world.core, slow.clone()).await,
        ErrorCode::InvalidInput,
        Some("measure"),
    );
    let model = UsageFilter { model: Some("m".to_owned()), ..UsageFilter::default() };
    let slow = PinSave { filter: model, ..slow };
    control::pin_save(&world.core, slow).await.expect("pinned");
    for name in ["a", "b", "c"] {
        control::pin_save(&world.core, pin(name, PinMeasure::Tokens)).await.expect("pinned");
    }
    let fifth = pin("d", PinMeasure::SuccessRate);
    refused(control::pin_save(&world.core, fifth).await, ErrorCode::InvalidInput, Some("name"));
    let wrong = pin("No name", PinMeasure::Cost);
    refused(control::pin_save(&world.core, wrong).await, ErrorCode::InvalidInput, Some("name"));
    assert_eq!(list(&world).await[0].text, "unknown");
    world.core.stop().await;
}
