//! The settings form: what it shows, what it saves, and which fields it refuses by name.

use control::SettingValue::{self, Number, Switch};
use control::view::*;
use control::{Core, ErrorCode};
use settings::{ResilienceNumbers, ResiliencePreset};
use test_support::MARKED_KEY;

use crate::world::{lists_models, marked_key, refused, world};

fn text(text: &str) -> SettingValue {
    SettingValue::Text(text.to_owned())
}

async fn values(core: &Core) -> SettingsValues {
    control::settings(core).await.expect("settings").values
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_for_failures_is_shown_with_its_range_and_saved() {
    let world = world().await;
    let core = &world.core;
    let shown = control::settings(core).await.expect("settings");
    let form = &shown.resilience;
    assert_eq!(form.fields.len(), ResilienceNumbers::fields().count());
    for field in &form.fields {
        assert_eq!(shown.defaults.resilience.custom.get(&field.name), Some(&field.default));
        assert!((field.min..=field.max).contains(&field.default), "{field:?}");
        assert!(field.meaning.ends_with('.'), "{field:?}");
    }
    let unit = |name: &str| form.fields.iter().find(|field| field.name == name).map(|f| &f.unit);
    let units = ["open_ms_first", "calm_secs", "slow_percent", "attempts_max"].map(unit);
    assert_eq!(
        units.map(|unit| unit.map(String::as_str)),
        [Some("ms"), Some("s"), Some("%"), Some("")]
    );
    let presets: Vec<_> = form.presets.iter().map(|set| set.preset).collect();
    use ResiliencePreset::{Balanced, Careful, Custom, Eager};
    assert_eq!(presets, [Careful, Balanced, Eager]);

    let mut wanted = shown.values;
    wanted.resilience.preset = Custom;
    wanted.resilience.custom = [("failures_in_a_row".to_owned(), 7)].into();
    let saved = control::settings_edit(core, wanted.clone()).await.expect("saved").values;
    assert_eq!(saved.resilience.custom.get("failures_in_a_row"), Some(&7));
    assert_eq!(saved.resilience.custom.get("calls_min"), Some(&10));
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    assert_eq!(engine.snapshots().current().resilience.breaker.failures_in_a_row, 7);

    wanted.resilience.preset = Careful;
    control::settings_edit(core, wanted.clone()).await.expect("saved");
    assert_eq!(engine.settings().resilience.preset, Careful);
    assert_eq!(engine.settings().resilience.custom.failures_in_a_row, 7);
    assert_eq!(engine.snapshots().current().resilience.breaker.failures_in_a_row, 2);

    for (name, number, field) in [
        ("failures_in_a_row", 21, "failures_in_a_row"),
        ("open_ms_first", 70_000, "open_ms_first"),
        ("patience", 1, "patience"),
    ] {
        let mut wrong = wanted.clone();
        wrong.resilience.custom = [(name.to_owned(), number)].into();
        let answer = control::settings_edit(core, wrong).await;
        refused(answer, ErrorCode::InvalidInput, Some(field));
    }
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cache_is_set_by_the_form_and_its_server_is_checked() {
    let world = world().await;
    let core = &world.core;
    let mut wanted = values(core).await;
    wanted.set("cache_ttl_secs", Number(60));
    wanted.set("cache_disk", Switch(false));
    wanted.set("cache_memory_bytes_max", Number(2_097_152));
    wanted.set("cache_redis_url", text(" redis://127.0.0.1:1/0 "));
    let saved = control::settings_edit(core, wanted.clone()).await.expect("saved").values;
    assert_eq!(*saved.get("cache_redis_url"), text("redis://127.0.0.1:1/0"));
    assert_eq!(*saved.get("cache_ttl_secs"), Number(60));
    assert_eq!(*saved.get("cache_disk"), Switch(false));
    wanted.set("cache_redis_url", text(""));
    wanted.set("cache_enabled", Switch(false));
    let saved = control::settings_edit(core, wanted.clone()).await.expect("saved").values;
    assert_eq!(*saved.get("cache_redis_url"), SettingValue::None);
    assert_eq!(*saved.get("cache_enabled"), Switch(false));

    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let check = async |field: &str, value: SettingValue| {
        let mut wrong = wanted.clone();
        wrong.set(field, value);
        let answer = control::settings_edit(core, wrong).await;
        refused(answer, ErrorCode::InvalidInput, Some(field));
    };
    check("cache_ttl_secs", Number(0)).await;
    check("cache_disk_bytes_max", Number(1)).await;
    check("cache_disk", SettingValue::None).await;
    check("cache_colour", Number(1)).await;
    for url in [
        "nowhere".to_owned(),
        "https://x.test".to_owned(),
        format!("rediss://:{MARKED_KEY}@x.test"),
    ] {
        check("cache_redis_url", text(&url)).await;
    }
    for key in ["gone", "up", "No Name"] {
        check("cache_redis_credential", text(key)).await;
    }
    core.stop().await;
}

#[test]
fn a_value_of_a_wrong_type_is_refused_by_the_name_of_its_field() {
    let read = |text: &str| serde_json::from_str::<SettingsValues>(text);
    let values = r#"{"gateway_port": [4283], "resilience": {"preset": "balanced", "custom": {}}}"#;
    let error = read(values).expect_err("a list").to_string();
    assert!(error.starts_with("gateway_port: expected a whole number"), "{error}");
    assert!(read(&values.replace("[4283]", "4283")).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn saved_views_are_in_the_settings_file_and_a_wrong_filter_is_refused() {
    let world = world().await;
    let core = &world.core;
    let view = |name: &str, query: RequestsQuery| SavedView { name: name.to_owned(), query };
    let slow = RequestsQuery {
        slower_than: Some("5s".to_owned()),
        state: Some(RequestState::Complete),
        ..RequestsQuery::default()
    };
    control::saved_view_set(core, view("slow", slow.clone())).await.expect("saved");
    let page = RequestsQuery { limit: 50, before: Some("req_1".to_owned()), ..slow.clone() };
    control::saved_view_set(core, view("slow", page)).await.expect("saved again");
    let saved = control::saved_views(core).await.expect("views");
    let saved: Vec<_> = saved.into_iter().map(|view| (view.name, view.query)).collect();
    assert_eq!(saved, [("slow".to_owned(), slow)], "without a page");
    let file = std::fs::read_to_string(world.engine().folders().settings_file()).expect("a file");
    assert!(file.contains("[views.slow]\nquery = \"slower_than=5s&state=complete\""), "{file}");

    let wrong = RequestsQuery { min_cost: Some("much".to_owned()), ..RequestsQuery::default() };
    let wrong = control::saved_view_set(core, view("x", wrong)).await;
    refused(wrong, ErrorCode::InvalidInput, Some("min_cost"));
    let nothing = control::saved_view_set(core, view("x", RequestsQuery::default())).await;
    refused(nothing, ErrorCode::InvalidInput, Some("query"));
    let named = |name: &str| SavedViewRef { name: name.to_owned() };
    let unknown = control::saved_view_remove(core, named("slov")).await.expect_err("unknown");
    assert_eq!(unknown.hint.as_deref(), Some("Did you mean slow?"));
    control::saved_view_remove(core, named("slow")).await.expect("removed");
    assert_eq!(control::saved_views(core).await.expect("views").len(), 0);
}
