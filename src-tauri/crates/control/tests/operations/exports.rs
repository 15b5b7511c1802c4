//! Export and import of settings and keys through the API.

use control::view::*;
use control::{Core, ErrorCode};
use ledger::{KeyVerdict, KeyVerdictRecord, KeyVerdictSource};
use test_support::{MARKED_KEY, search_tree};
use zeroize::Zeroizing;

use crate::world::*;

fn path_in(home: &tempfile::TempDir, name: &str) -> String {
    home.path().join(name).display().to_string()
}

async fn with_up() -> World {
    let world = world().await;
    let upstream = lists_models().await;
    world.add_up(&upstream, marked_key()).await;
    let scope = ClientScopeView::default();
    let client = ClientAdd {
        id: "tool".to_owned(),
        expires_in_days: None,
        scope,
        reads_metrics: false,
        monthly_limit_usd: None,
        project: None,
    };
    control::client_add(&world.core, client).await.expect("added");
    world
}

fn import(path: &str, on_conflict: ConflictChoice) -> ConfigImport {
    ConfigImport { path: path.to_owned(), on_conflict }
}

async fn settings_file(core: &Core) -> (SettingsValues, usize) {
    let settings = control::settings(core).await.expect("settings");
    let backends = control::backends(core).await.expect("backends").len();
    (settings.values, backends)
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_settings_come_back_on_an_empty_machine() {
    let world = with_up().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "settings.toml");
    let made = control::config_export(&world.core, ConfigExport { path: Some(path.clone()) }).await;
    let made = made.expect("exported");
    assert_eq!((made.backends.0, made.clients.0), (1, 1));
    assert!(search_tree(out.path(), MARKED_KEY).expect("searched").is_empty());
    let again =
        control::config_export(&world.core, ConfigExport { path: Some(path.clone()) }).await;
    refused(again, ErrorCode::InvalidInput, Some("path"));

    let empty = crate::world::world().await;
    let before = settings_file(&empty.core).await;
    let plan = control::config_import_plan(&empty.core, import(&path, ConflictChoice::Skip)).await;
    let plan = plan.expect("a plan");
    assert_eq!(
        serde_json::to_value(settings_file(&empty.core).await).expect("JSON"),
        serde_json::to_value(before).expect("JSON"),
        "a plan changes nothing"
    );
    assert_eq!(
        (plan.new_clients.as_slice(), plan.keys.missing.as_slice()),
        (&["tool".to_owned()][..], &["up".to_owned()][..])
    );
    control::config_import(&empty.core, import(&path, ConflictChoice::Skip)).await.expect("done");
    let copy = path_in(&out, "copy.toml");
    control::config_export(&empty.core, ConfigExport { path: Some(copy.clone()) })
        .await
        .expect("made");
    let read = |path: &str| {
        let text = std::fs::read_to_string(path).expect("read");
        settings::Settings::from_text(&text).expect("settings")
    };
    assert_eq!(read(&path), read(&copy));
    let again = control::config_import(&empty.core, import(&path, ConflictChoice::Replace)).await;
    assert!(again.expect("done").changes.is_empty());
    world.core.stop().await;
    empty.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_settings_hold_comes_back_byte_for_byte() {
    let world = crate::backups::furnished().await;
    let core = &world.core;
    let profile = ProfileSet { name: "work".to_owned(), backends: vec!["up".to_owned()] };
    control::profile_set(core, profile).await.expect("saved");
    control::profile_switch(core, ProfileSwitch { name: Some("work".to_owned()) })
        .await
        .expect("switched");
    let service = serde_json::json!({"id": "store", "label": "", "kind": "http",
        "address": "https://store.example/health", "key": {"kind": "none"}, "required": true,
        "enabled": true, "private_network": false, "expects": ServiceExpectationView::default()});
    control::service_set(core, serde_json::from_value(service).expect("a service"))
        .await
        .expect("added");
    let slow = RequestsQuery { slower_than: Some("5s".to_owned()), ..RequestsQuery::default() };
    control::saved_view_set(core, SavedView { name: "slow".to_owned(), query: slow })
        .await
        .expect("saved");
    let rule = serde_json::json!({"rule": "backend-down", "delivery": "inbox", "hold_secs": 60});
    control::alert_rule_set(core, serde_json::from_value(rule).expect("a rule"))
        .await
        .expect("set");

    let out = tempfile::tempdir().expect("a folder");
    let export = async |core: &Core, name: &str| {
        let path = path_in(&out, name);
        control::config_export(core, ConfigExport { path: Some(path.clone()) })
            .await
            .expect("exported");
        (std::fs::read_to_string(&path).expect("read"), path)
    };
    let (before, path) = export(core, "settings.toml").await;
    for part in [
        "[backends.up]",
        "[budgets.monthly]",
        "[clients.tool]",
        "[routes.fast]",
        "[services.store]",
        "[views.slow]",
        "[profiles.work]",
        "active = \"work\"",
        "backend_down_for_secs = 60",
    ] {
        assert!(before.contains(part), "{part}:\n{before}");
    }
    let empty = crate::world::world().await;
    control::config_import(&empty.core, import(&path, ConflictChoice::Replace))
        .await
        .expect("done");
    // In the order in which its sections were made, and then in that of the settings.
    let sections = |text: &str| {
        let mut sections: Vec<_> = text.trim_end().split("\n\n").map(str::to_owned).collect();
        sections.sort();
        sections
    };
    let (copy, path) = export(&empty.core, "copy.toml").await;
    assert_eq!(sections(&copy), sections(&before));
    let next = crate::world::world().await;
    control::config_import(&next.core, import(&path, ConflictChoice::Replace)).await.expect("done");
    assert_eq!(export(&next.core, "next.toml").await.0, copy, "byte for byte");
    for world in [world, empty, next] {
        world.core.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_is_refused_with_its_places_and_changes_nothing() {
    let world = with_up().await;
    let out = tempfile::tempdir().expect("a folder");
    let path = path_in(&out, "broken.toml");
    let text = format!("version = 1\n[gateway]\nport = 70000\napi_key = \"{MARKED_KEY}\"\n");
    private_files::write_new(std::path::Path::new(&path), text.as_bytes()).expect("written");
    let before = serde_json::to_value(settings_file(&world.core).await).expect("JSON");
    let answer = control::config_import(&world.core, import(&path, ConflictChoice::Replace)).await;
    let error = answer.expect_err("refused");
    assert_eq!(error.code, ErrorCode::InvalidInput);
    assert!(error.message.contains("line 3") && error.message.contains("line 4"), "{error}");
    assert!(!error.message.contains(MARKED_KEY));
    assert_eq!(serde_json::to_value(settings_file(&world.core).await).expect("JSON"), before);
    world.core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_travel_encrypted_and_arrive_in_the_vault() {
    let world = with_up().await;
    let out = tempfile::tempdir().expect("a folder");
    let (config, keys) = (path_in(&out, "settings.toml"), path_in(&out, "keys.age"));
    control::config_export(&world.core, ConfigExport { path: Some(config.clone()) })
        .await
        .expect("exported");
    let passphrase = |text: &str| Zeroizing::new(text.to_owned());
    let export = |text: &str| SecretsExport { path: keys.clone(), passphrase: passphrase(text) };
    refused(
        control::secrets_export(&world.core, export("short")).await,
        ErrorCode::InvalidInput,
        Some("passphrase"),
    );
    let made = control::secrets_export(&world.core, export("correct-horse")).await.expect("made");
    assert_eq!((made.keys, made.clients), (vec!["up".to_owned()], vec!["tool".to_owned()]));
    assert!(search_tree(out.path(), MARKED_KEY).expect("searched").is_empty());

    let empty = crate::world::world().await;
    let bring = |text: &str, on_conflict| SecretsImport {
        path: keys.clone(),
        passphrase: passphrase(text),
        on_conflict,
    };
    let early = control::secrets_import(&empty.core, bring("correct-horse", ConflictChoice::Skip));
    assert_eq!(early.await.expect("read").unknown, ["client.tool", "up"]);
    control::config_import(&empty.core, import(&config, ConflictChoice::Skip)).await.expect("done");
    let wrong = control::secrets_import(&empty.core, bring("wrong-horse", ConflictChoice::Skip));
    refused(wrong.await, ErrorCode::InvalidInput, Some("passphrase"));
    let done = control::secrets_import(&empty.core, bring("correct-horse", ConflictChoice::Skip));
    assert_eq!(done.await.expect("done").imported, ["client.tool", "up"]);
    let replaced = async |core| control::keys(core).await.expect("keys")[0].replaced_at;
    assert_eq!(replaced(&empty.core).await, None, "it is the key that the settings describe");
    let id = domain::CredentialId::new("up").expect("a name");
    let here = empty.engine().vault().get(&id).await.expect("there");
    assert_eq!(*here, *world.engine().vault().get(&id).await.expect("there"));
    let before = empty.engine().keys().generation(&id);
    let again =
        control::secrets_import(&empty.core, bring("correct-horse", ConflictChoice::Replace));
    assert_eq!(again.await.expect("done").same, ["client.tool", "up"]);
    assert_eq!(empty.engine().keys().generation(&id), before, "what is under way still counts");
    let replace =
        KeyReplace { id: "up".to_owned(), secret: secret("sk-another-0123456789"), untested: true };
    control::key_replace(&empty.core, replace).await.expect("replaced");
    let kept = control::secrets_import(&empty.core, bring("correct-horse", ConflictChoice::Skip));
    assert_eq!(kept.await.expect("done").kept, ["up"]);

    // The key of the file replaces the other one as a person would.
    let another = replaced(&empty.core).await.expect("replaced");
    let failed_at = empty.engine().clock().wall();
    let failed = KeyVerdictRecord {
        at: failed_at,
        credential: id.clone(),
        place: Some("up".to_owned()),
        verdict: KeyVerdict::Rejected,
        source: KeyVerdictSource::Check,
    };
    empty.engine().ledger().record_key_verdict(failed).expect("queued");
    let earlier = empty.engine().keys().generation(&id);
    let back =
        control::secrets_import(&empty.core, bring("correct-horse", ConflictChoice::Replace));
    assert_eq!(back.await.expect("done").imported, ["up"]);
    let known = control::keys(&empty.core).await.expect("keys").remove(0);
    assert_eq!(known.tail, secret(MARKED_KEY).tail());
    assert!(known.replaced_at.is_some_and(|at| at.0 >= another.0));
    assert_eq!(known.retired.and_then(|old| old.tail).as_deref(), Some("6789"));
    assert_ne!(empty.engine().keys().generation(&id), earlier);
    let verdicts = empty.engine().ledger().key_verdicts(id).await.expect("read");
    assert!(verdicts.iter().any(|it| it.verdict == KeyVerdict::Unknown && it.at >= failed_at));
    world.core.stop().await;
    empty.core.stop().await;
}
