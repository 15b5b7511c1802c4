//! Backups of everything through the API: what is in them, what is refused, and what comes back.

use std::io::Write;
use std::path::Path;

use control::view::*;
use control::{Core, ErrorCode};
use serde_json::{Value, json};
use test_support::{MARKED_KEY, leak_encodings};

use crate::world::*;

fn path_in(home: &tempfile::TempDir, name: &str) -> String {
    home.path().join(name).display().to_string()
}

async fn back_up(core: &Core, path: &str) -> BackupView {
    let made = control::backup(core, BackupCreate { path: Some(path.to_owned()) }).await;
    made.expect("a backup")
}

/// What a person sees of the state that a backup holds.
async fn state(core: &Core) -> Value {
    let period = json!({"range": "last_week", "group_by": "client", "zone": "utc"});
    let period = serde_json::from_value(period).expect("a query");
    let usage = control::usage(core, period).await.expect("usage");
    let settings = control::settings(core).await.expect("settings");
    let clients = control::clients(core).await.expect("clients");
    let requests: RequestsQuery = serde_json::from_value(json!({"limit": 50})).expect("a query");
    json!({
        "values": settings.values, "entries": settings.entries,
        "backends": control::backends(core).await.expect("backends").iter()
            .map(|backend| json!([backend.id, backend.label, backend.kind, backend.base_url]))
            .collect::<Vec<_>>(),
        "keys": control::keys(core).await.expect("keys").iter()
            .map(|key| json!([key.id, key.tail, key.created_at])).collect::<Vec<_>>(),
        "clients": clients.iter().map(|client| json!([client.id, client.created_at, client.scope]))
            .collect::<Vec<_>>(),
        "budgets": control::budgets(core).await.expect("budgets").iter()
            .map(|budget| json!([budget.id, budget.limit_nano_usd])).collect::<Vec<_>>(),
        "routes": control::routes(core).await.expect("routes").routes.iter()
            .map(|route| json!([route.id, route.models])).collect::<Vec<_>>(),
        "prices": control::prices(core, serde_json::from_value(
            json!({"model": "m-1", "owner": "up", "limit": 10})).expect("a query"))
            .await.expect("prices").rows.iter().map(|price| serde_json::to_value(price)
            .expect("JSON")).collect::<Vec<_>>(),
        "requests": control::requests(core, requests).await.expect("requests").requests.iter()
            .map(|request| json!([request.id, request.client, request.state])).collect::<Vec<_>>(),
        "usage": usage.totals,
    })
}

/// A world with something of everything that a backup holds.
pub(crate) async fn furnished() -> World {
    let world = world().await;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let core = &world.core;
    let client = json!({"id": "tool", "expires_in_days": 30,
        "scope": {"models": ["m-*"], "backends": [], "routes": []}});
    control::client_add(core, serde_json::from_value(client).expect("a client"))
        .await
        .expect("added");
    let budget = json!({"id": "monthly", "limit_usd": "20", "period": "month",
        "scope": {"dimension": "backend", "name": "up"}});
    control::budget_set(core, serde_json::from_value(budget).expect("a budget"))
        .await
        .expect("set");
    let price = json!({"backend": "up", "model": "m-1", "rates": [
        {"meter": "input", "price": "1"}, {"meter": "output", "price": "2"}]});
    control::price_set(core, serde_json::from_value(price).expect("a price")).await.expect("set");
    let route = json!({"replaces": null, "id": "fast", "models": ["fast"], "clients": [],
        "projects": [], "policy": "ordered", "sticky_secs": null, "crossing": null,
        "weights": {"latency": 50, "cost": 30, "headroom": 20}, "cache": null, "enabled": true,
        "candidates": [{"backend": "up", "model": null, "weight": 1}]});
    control::route_set(core, serde_json::from_value(route).expect("a route")).await.expect("set");
    for client in ["tool", "tool", "other"] {
        world.settle(world.answered(client)).await;
    }
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_machine_has_the_same_state_after_a_restore() {
    let world = furnished().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "all.backup");
    let made = back_up(&world.core, &path).await;
    assert_eq!(made.requests.0, 3);
    let last = control::backups(&world.core).await.expect("read").last.expect("one");
    assert_eq!((&last.path, last.at), (&path, made.at));
    let before = state(&world.core).await;
    world.core.stop().await;

    let empty = crate::world::world().await;
    let plan = control::restore_plan(&empty.core, BackupRef { path: path.clone() }).await;
    let plan = plan.expect("a plan");
    assert_eq!((plan.check.requests.0, plan.requests_here.0), (3, 0));
    assert_eq!(plan.keys.missing, ["up"]);
    assert_eq!(plan.keys.lost_tokens, ["tool"]);
    let paths: Vec<_> = plan.differences.iter().map(|it| it.path.as_str()).collect();
    for expected in ["backends.up", "credentials.up", "clients.tool", "budgets.monthly"] {
        assert!(paths.contains(&expected), "{paths:?}");
    }
    assert_ne!(state(&empty.core).await, before, "a plan changes nothing");

    // What came after the backup stays.
    empty.settle(empty.answered("later")).await;
    let restored = control::restore(&empty.core, BackupRef { path: path.clone() }).await;
    let restored = restored.expect("restored");
    assert_eq!((restored.requests.0, restored.added.0), (4, 1));
    assert_eq!(restored.keys.missing, ["up"]);
    assert_eq!(restored.keys.lost_tokens, ["tool"]);
    assert!(restored.sentence.contains("the tokens of 1 client;"), "{}", restored.sentence);
    let mut after = state(&empty.core).await;
    let requests = after["requests"].as_array_mut().expect("a list");
    requests.retain(|request| request[1] != "later");
    assert_eq!(after["requests"], before["requests"]);
    for part in ["values", "entries", "backends", "keys", "clients", "budgets", "routes", "prices"]
    {
        assert_eq!(after[part], before[part], "{part}");
    }
    // A restore of the same again changes nothing, and the next start finds the same.
    let again = control::restore(&empty.core, BackupRef { path }).await.expect("restored");
    assert_eq!((again.requests.0, again.settings_kept), (4, None));
    let home = empty.stop().await;
    let next = World::open(home, |_| {}).await;
    assert!(control::ledger(&next.core).await.expect("read").incident.is_none());
    assert_eq!(state(&next.core).await["backends"], before["backends"]);
    assert!(!next.home.path().join("data/restoring").exists());
    next.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_got_a_new_token_since_the_backup_is_named() {
    let world = furnished().await;
    let (core, out) = (&world.core, tempfile::tempdir().expect("a folder"));
    let path = path_in(&out, "all.backup");
    back_up(core, &path).await;
    let plan = control::restore_plan(core, BackupRef { path: path.clone() }).await;
    assert!(plan.expect("a plan").keys.lost_tokens.is_empty(), "its token is in the vault");
    control::client_revoke(core, ClientRef { id: "tool".to_owned() }).await.expect("revoked");
    control::client_add(core, ClientAdd::unlimited("tool")).await.expect("added");
    let restored = control::restore(core, BackupRef { path }).await.expect("restored");
    assert_eq!(restored.keys.lost_tokens, ["tool"]);
    assert!(restored.sentence.contains("the tokens of 1 client;"), "{}", restored.sentence);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_holds_no_key_and_is_private() {
    let world = furnished().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "all.backup");
    back_up(&world.core, &path).await;
    let folder = tempfile::tempdir().expect("a folder");
    archive::unpack(Path::new(&path), folder.path(), &archive::Unwatched).expect("sound");
    for mark in leak_encodings(MARKED_KEY) {
        for file in ["settings.toml", "ledger.sqlite"] {
            let bytes = std::fs::read(folder.path().join(file)).expect("read");
            assert!(!bytes.windows(mark.len()).any(|part| part == mark), "{file}");
        }
    }
    let names: Vec<_> = std::fs::read_dir(world.home.path().join("data"))
        .expect("list")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert!(!names.iter().any(|name| name == "archive.partial"), "{names:?}");
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_when_an_archive_is_refused() {
    let world = furnished().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "all.backup");
    back_up(&world.core, &path).await;
    let before = state(&world.core).await;
    let exists = control::backup(&world.core, BackupCreate { path: Some(path.clone()) }).await;
    refused(exists, ErrorCode::InvalidInput, Some("path"));
    let relative = control::backup(&world.core, BackupCreate { path: Some("x".to_owned()) }).await;
    refused(relative, ErrorCode::InvalidInput, Some("path"));
    let mut bytes = std::fs::read(&path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let damaged = path_in(&out, "damaged");
    std::fs::File::create(&damaged).and_then(|mut file| file.write_all(&bytes)).expect("written");
    for path in [damaged, path_in(&world.home, "config/settings.toml"), path_in(&out, "none")] {
        let req = || BackupRef { path: path.clone() };
        for answer in [
            control::backup_check(&world.core, req()).await.err(),
            control::restore_plan(&world.core, req()).await.err(),
            control::restore(&world.core, req()).await.err(),
        ] {
            assert_eq!(answer.expect("refused").code, ErrorCode::InvalidInput);
        }
    }
    assert_eq!(state(&world.core).await, before);
    assert!(!world.home.path().join("data/archive.partial").exists());
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_that_a_kill_cut_off_is_finished_by_the_next_start() {
    let world = furnished().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "all.backup");
    back_up(&world.core, &path).await;
    let before = state(&world.core).await;
    world.core.stop().await;

    let empty = crate::world::world().await;
    empty.settle(empty.answered("later")).await;
    let home = empty.stop().await;
    // Unpacked and checked, and nothing replaced yet; and another archive half unpacked.
    let [restoring, partial] =
        ["restoring", "archive.partial"].map(|name| home.path().join("data").join(name));
    std::fs::create_dir(&restoring).expect("a folder");
    std::fs::create_dir(&partial).expect("a folder");
    archive::unpack(Path::new(&path), &restoring, &archive::Unwatched).expect("sound");
    let next = World::open(home, |_| {}).await;
    assert!(!restoring.exists() && !partial.exists());
    let after = state(&next.core).await;
    for part in ["values", "clients", "budgets", "routes"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    assert_eq!(after["requests"].as_array().map(Vec::len), Some(4));
    let home = next.stop().await;

    // Between the two renames of the exchange: the ledger is set aside, the new one has no name yet.
    let ledger = home.path().join("data/ledger.sqlite");
    std::fs::rename(&ledger, home.path().join("data/ledger.sqlite.restoring")).expect("moved");
    let last = World::open(home, |_| {}).await;
    assert!(control::ledger(&last.core).await.expect("read").incident.is_none());
    assert_eq!(state(&last.core).await["requests"], after["requests"]);
    last.core.stop().await;
}
