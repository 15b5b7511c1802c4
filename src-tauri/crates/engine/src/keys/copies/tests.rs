//! The removal over an engine with an encrypted vault: what it refuses, and that the alert's number
//! follows the files.

use std::path::Path;

use alerts::Measurement;
use domain::{BoundSecret, CredentialId, Secret, VaultKind};
use settings::CredentialSettings;
use tempfile::TempDir;
use test_support::MARKED_KEY;
use vault::Passphrase;
use wiring::ToolEnvironment;

use super::KeyCopiesError;
use crate::test_parts::{NOW, clock, engine_config};
use crate::{Engine, EngineConfig, KeyScanPlaces};

async fn opened(home: &TempDir, vault: VaultKind) -> Engine {
    let user = home.path().join("user");
    write(&user.join(".env"), &format!("OPENAI_API_KEY={MARKED_KEY}\n"));
    let passphrase = Passphrase::parse("correct-horse".to_owned()).expect("a passphrase");
    let config = EngineConfig {
        vault: Some(vault),
        passphrase: Some(passphrase),
        tools: Some(ToolEnvironment::new(user, [])),
        is_offline: || true,
        ..engine_config(home, clock())
    };
    Engine::open(config).await.expect("an engine")
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    private_files::write_atomic(path, text.as_bytes()).expect("written");
}

fn marked() -> Secret {
    Secret::parse(MARKED_KEY.to_owned()).expect("a key")
}

/// Stores a key as `openai`.
async fn store(engine: &Engine, secret: Secret) {
    let id = CredentialId::new("openai").expect("a name");
    engine.vault().put(&id, BoundSecret::new(secret, None)).await.expect("stored");
    let key = CredentialSettings {
        label: "OpenAI".to_owned(),
        origin: None,
        tail: None,
        created: NOW,
        replaced: None,
        expires: None,
        note: None,
        billing: None,
        oauth: None,
    };
    let add = move |draft: &mut settings::Settings| drop(draft.credentials.insert(id, key));
    engine.settings_editor().edit(add).await.expect("added");
}

fn known_files() -> KeyScanPlaces {
    KeyScanPlaces { known_files: true, ..KeyScanPlaces::default() }
}

/// Keys in plain text, as the alert's rule gets them.
fn measured(engine: &Engine) -> Option<u64> {
    let found = engine.parts.measured.latest().measurements.into_iter();
    found.into_iter().find_map(|it| match it {
        Measurement::PlainKeys { keys, .. } => Some(keys),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_number_of_the_alert_follows_a_removal_and_its_undo() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home, VaultKind::File).await;
    store(&engine, marked()).await;
    engine.parts.measured.evaluate().await;
    assert_eq!(measured(&engine), Some(1));
    let (copies, keys) = (engine.key_copies(), [marked().fingerprint()]);
    let plan = copies.plan(known_files(), &keys).await.expect("a plan");
    let outcomes = copies.remove(known_files(), &keys, plan.fingerprint).await.expect("removed");
    let removed = outcomes[0].1.as_ref().expect("removed");
    assert_eq!(measured(&engine), Some(0));
    copies.restore(removed.id.clone()).await.expect("restored");
    assert_eq!(measured(&engine), Some(1));
    // Deleted by hand.
    write(&home.path().join("user/.env"), "");
    copies.look_again().await;
    assert_eq!(measured(&engine), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_store_does_not_give_back_keeps_its_copy() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home, VaultKind::File).await;
    let (copies, keys) = (engine.key_copies(), [marked().fingerprint()]);
    let refused = copies.plan(known_files(), &keys).await;
    assert!(matches!(refused, Err(KeyCopiesError::NotStored)), "nothing is stored");
    store(&engine, Secret::parse("sk-other-0a1b2c3d4e5f6g7h".to_owned()).expect("a key")).await;
    let refused = copies.plan(known_files(), &keys).await;
    assert!(matches!(refused, Err(KeyCopiesError::NotStored)), "another key is stored");
    let unknown = copies.plan(known_files(), &["0000000000000000".to_owned()]).await;
    assert!(matches!(unknown, Err(KeyCopiesError::Gone)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_keeps_nothing_allows_no_removal() {
    let home = tempfile::tempdir().expect("a folder");
    let engine = opened(&home, VaultKind::Memory).await;
    store(&engine, marked()).await;
    let refused = engine.key_copies().plan(known_files(), &[marked().fingerprint()]).await;
    assert!(matches!(refused, Err(KeyCopiesError::NotKept)));
}
