//! Profiles through the API: requests go by the profile in use, at once.

use control::ErrorCode;
use control::view::*;

use crate::world::*;

fn switch(name: Option<&str>) -> ProfileSwitch {
    ProfileSwitch { name: name.map(str::to_owned) }
}

fn set(name: &str, backends: &[&str]) -> ProfileSet {
    let backends = backends.iter().map(|id| (*id).to_owned()).collect();
    ProfileSet { name: name.to_owned(), backends }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_leaves_out_the_backends_of_other_profiles_without_a_restart() {
    let world = world().await;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let core = &world.core;
    assert!(control::profiles(core).await.expect("profiles").profiles.is_empty());
    control::profile_set(core, set("work", &["up"])).await.expect("saved");
    let view = control::profile_set(core, set("home", &[])).await.expect("saved");
    assert_eq!((view.active, view.profiles.len(), view.in_all.len()), (None, 2, 0));

    let view = control::profile_switch(core, switch(Some("home"))).await.expect("switched");
    assert_eq!(view.active.as_deref(), Some("home"));
    let backends = control::backends(core).await.expect("backends");
    let up = backends.iter().find(|backend| backend.id == "up").expect("listed");
    assert_eq!((up.enabled, up.in_profile), (true, false));
    assert_eq!(up.health.state, ShownHealth::Disabled);
    assert_eq!(up.health.reason, "not in the profile home");
    let status = control::status(core).await.expect("status");
    assert_eq!(status.verdict.level, VerdictLevel::Problem);
    assert_eq!(status.verdict.sentence, "Not ready: no backend is in the profile home");
    let ask = HypotheticalRequest {
        model: "up/good".to_owned(),
        client: None,
        project: None,
        tools: false,
        vision: false,
        json_schema: false,
        input_tokens: 0,
    };
    let decision = control::route_explain(core, ask).await.expect("explained");
    assert!(!decision.served, "{decision:?}");
    assert!(decision.sentence.contains("is not in the profile home"), "{}", decision.sentence);

    control::profile_switch(core, switch(Some("work"))).await.expect("switched");
    let backends = control::backends(core).await.expect("backends");
    assert!(backends.iter().all(|backend| backend.in_profile));
    let view = control::profile_remove(core, ProfileRef { name: "work".to_owned() }).await;
    let view = view.expect("removed");
    assert_eq!((view.active, view.in_all.as_slice()), (None, &["up".to_owned()][..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_are_refused_and_a_removed_backend_leaves_its_profiles() {
    let world = world().await;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let core = &world.core;
    let unknown = control::profile_set(core, set("work", &["upp"])).await;
    refused(unknown, ErrorCode::NotFound, Some("backends"));
    refused(
        control::profile_set(core, set("Work!", &[])).await,
        ErrorCode::InvalidInput,
        Some("name"),
    );
    control::profile_set(core, set("work", &["up", "up"])).await.expect("saved");
    let unknown = control::profile_switch(core, switch(Some("wrk"))).await.expect_err("unknown");
    assert_eq!(unknown.hint.as_deref(), Some("Did you mean work?"));
    control::backend_remove(core, BackendRef { id: "up".to_owned() }).await.expect("removed");
    let view = control::profiles(core).await.expect("profiles");
    assert!(view.profiles.iter().all(|profile| profile.backends.is_empty()));
    for number in 1..settings::PROFILES_MAX {
        control::profile_set(core, set(&format!("p{number}"), &[])).await.expect("saved");
    }
    refused(
        control::profile_set(core, set("more", &[])).await,
        ErrorCode::InvalidInput,
        Some("name"),
    );
    control::profile_set(core, set("work", &[])).await.expect("one that is there is replaced");
}
