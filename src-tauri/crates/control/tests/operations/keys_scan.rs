//! Keys in plain text: found, imported by their fingerprint, and never shown.

use std::io::Write;
use std::path::Path;

use control::view::*;
use domain::CredentialId;
use wiring::ToolEnvironment;

use crate::world::{World, new_home};

const GROQ: &str = "gsk_CANARY0a1b2c3d4e5f6g7h";
const UNKNOWN: &str = "sk-CANARY0a1b2c3d4e5f6g7h8i9j";
const GITHUB: &str = "ghp_CANARY0a1b2c3d4e5f6g7h8i9j";

fn write(path: &Path, text: &str) {
    let mut file = std::fs::File::create(path).expect("a file");
    file.write_all(text.as_bytes()).expect("written");
}

/// An engine of a user whose home folder is the folder `user` of its own.
async fn world_with(profile: &str) -> World {
    let home = new_home();
    let user = home.path().join("user");
    std::fs::create_dir_all(&user).expect("a folder");
    write(&user.join(".zshrc"), profile);
    World::open(home, |config| {
        let user = config.folders.data.parent().map(|folder| folder.join("user"));
        config.tools = user.map(|user| ToolEnvironment::new(user, []));
    })
    .await
}

fn known_files() -> KeysScan {
    KeysScan { known_files: true, ..KeysScan::default() }
}

async fn scan(world: &World) -> KeysScanView {
    control::keys_scan(&world.core, known_files()).await.expect("a scan")
}

fn import_of(keys: &[&PlainKeyView]) -> KeysImport {
    let import = |key: &&PlainKeyView| PlainKeyImport {
        fingerprint: key.fingerprint.clone(),
        name: key.name.clone(),
        add_backend: false,
    };
    KeysImport { scan: known_files(), keys: keys.iter().map(import).collect() }
}

#[tokio::test]
async fn keys_in_the_environment_are_found_named_and_imported() {
    const OPENAI: &str = "sk-proj-CANARY0a1b2c3d4e5f6g7h";
    let home = new_home();
    let user = home.path().join("user");
    std::fs::create_dir_all(&user).expect("a folder");
    write(&user.join(".zshrc"), &format!("export GROQ_API_KEY={GROQ}\n"));
    let world = World::open(home, |config| {
        let user = config.folders.data.parent().map(|folder| folder.join("user"));
        config.tools = user.map(|user| ToolEnvironment::new(user, []));
        let set = [
            ("GROQ_API_KEY", GROQ),
            ("OPENAI_API_KEY", OPENAI),
            ("MISTRAL_API_KEY", "your-key-goes-here-0000"),
        ];
        config.variables = set.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    });
    let world = world.await;
    let found = scan(&world).await;
    assert!(!format!("{found:?}").contains("CANARY"), "a view shows a key: {found:?}");
    let [groq, openai] = &found.keys[..] else { panic!("two keys: {found:?}") };
    assert_eq!((groq.variable.as_deref(), groq.places.len()), (Some("GROQ_API_KEY"), 1));
    let variable = openai.variable.as_deref();
    assert_eq!((variable, openai.places.len()), (Some("OPENAI_API_KEY"), 0));
    assert_eq!((openai.name.as_str(), openai.stored_as.as_deref()), ("openai", None));

    let outcomes = control::keys_import(&world.core, import_of(&[openai])).await.expect("asked");
    assert_eq!(outcomes[0].error, None);
    let stored = scan(&world).await.keys.into_iter().find(|key| key.name == "openai");
    assert_eq!(stored.and_then(|key| key.stored_as).as_deref(), Some("openai"));
    let named = KeysScan { paths: vec!["/nowhere-at-all".to_owned()], ..KeysScan::default() };
    let named = control::keys_scan(&world.core, named).await.expect("a scan");
    assert!(named.keys.is_empty(), "only what was asked for is looked into: {named:?}");
    world.stop().await;
}

#[tokio::test]
async fn of_a_caller_with_an_environment_that_one_alone_is_searched_and_imported_from() {
    let home = new_home();
    let user = home.path().join("user");
    std::fs::create_dir_all(&user).expect("a folder");
    let world = World::open(home, |config| {
        let user = config.folders.data.parent().map(|folder| folder.join("user"));
        config.tools = user.map(|user| ToolEnvironment::new(user, []));
        config.variables = vec![("OPENAI_API_KEY".to_owned(), UNKNOWN.to_owned())];
    });
    let world = world.await;
    let key = |variable: &str, key: &str| VariableKey {
        variable: variable.to_owned(),
        secret: crate::world::secret(key),
    };
    let environment = vec![key("GROQ_API_KEY", GROQ), key("UNHEARD_OF", GITHUB)];
    let scan = KeysScan { environment: Some(environment), ..known_files() };
    let found = control::keys_scan(&world.core, scan.clone()).await.expect("a scan");
    let variables: Vec<_> = found.keys.iter().map(|key| key.variable.as_deref()).collect();
    assert_eq!(variables, [Some("GROQ_API_KEY")], "{found:?}");
    assert!(!format!("{scan:?} {found:?}").contains("CANARY"), "a key is shown");

    let keys: Vec<_> = found.keys.iter().collect();
    let import = KeysImport { scan, ..import_of(&keys) };
    let done = control::keys_import(&world.core, import).await.expect("asked");
    assert!(matches!(&done[..], [stored] if stored.error.is_none()), "{done:?}");
    let id = CredentialId::new("groq").expect("a name");
    let bound = world.engine().vault().get(&id).await.expect("stored");
    assert_eq!(bound.parts().0.fingerprint(), crate::world::secret(GROQ).fingerprint());
    world.stop().await;
}

#[tokio::test]
async fn a_key_goes_from_its_file_to_the_vault_and_is_then_known_there() {
    let profile = format!("export GROQ_API_KEY={GROQ}\nKEY={UNKNOWN}\n# again {GROQ}\n");
    let world = world_with(&profile).await;
    let found = scan(&world).await;
    assert!(found.vault_was_read && !found.is_truncated && found.problems.is_empty());
    assert!(!format!("{found:?}").contains("CANARY"), "a view shows a key: {found:?}");
    let [groq, unknown] = &found.keys[..] else { panic!("two keys: {found:?}") };
    let places: Vec<_> =
        groq.places.iter().map(|place| (place.path.as_str(), place.line.0)).collect();
    assert_eq!(places, [("~/.zshrc", 1), ("~/.zshrc", 3)]);
    assert_eq!((groq.name.as_str(), groq.provider.as_deref()), ("groq", Some("Groq")));
    assert_eq!((groq.preset.as_deref(), groq.tail.as_deref()), (Some("groq"), Some("6g7h")));
    assert_eq!((unknown.name.as_str(), unknown.provider.as_deref()), ("key", None));

    let done = control::keys_import(&world.core, import_of(&[groq, unknown])).await.expect("done");
    assert!(done.iter().all(|outcome| outcome.error.is_none()), "{done:?}");
    for (id, key, origin) in
        [("groq", GROQ, Some("https://api.groq.com:443")), ("key", UNKNOWN, None)]
    {
        let id = CredentialId::new(id).expect("a name");
        let bound = world.engine().vault().get(&id).await.expect("stored");
        let (secret, bound_to) = bound.parts();
        assert_eq!(secret.fingerprint(), crate::world::secret(key).fingerprint());
        assert_eq!(bound_to.map(ToString::to_string).as_deref(), origin);
    }
    let again = scan(&world).await;
    let stored: Vec<_> = again.keys.iter().map(|key| key.stored_as.as_deref()).collect();
    assert_eq!(stored, [Some("groq"), Some("key")]);
    let refused = control::keys_import(&world.core, import_of(&[groq])).await.expect("an outcome");
    let error = refused[0].error.as_deref();
    assert_eq!(error, Some("it is in the vault already, as groq"));
}

#[tokio::test]
async fn each_key_has_an_outcome_of_its_own() {
    let profile = format!("GROQ_API_KEY={GROQ}\nGITHUB_TOKEN={GITHUB}\n");
    let world = world_with(&profile).await;
    let found = scan(&world).await;
    let [groq, github] = &found.keys[..] else { panic!("two keys: {found:?}") };
    let gone = PlainKeyView { fingerprint: "0".repeat(16), name: "x".to_owned(), ..groq.clone() };
    let misnamed = PlainKeyView { name: "two words".to_owned(), ..groq.clone() };
    let mut request = import_of(&[&gone, &misnamed, github]);
    request.keys[2].add_backend = true;
    let done = control::keys_import(&world.core, request).await.expect("outcomes");
    let [gone, misnamed, github] = &done[..] else { panic!("three outcomes: {done:?}") };
    assert_eq!(gone.error.as_deref(), Some("the key is no longer where it was found"));
    assert!(misnamed.error.is_some(), "{misnamed:?}");
    assert_eq!(github.error, None);
    let error = github.backend_error.as_deref().unwrap_or_default();
    assert!(error.starts_with("no preset has such a key"), "{error}");
    let keys = control::keys(&world.core).await.expect("keys");
    assert_eq!(keys.iter().map(|key| key.id.as_str()).collect::<Vec<_>>(), ["github"]);
}

#[tokio::test]
async fn another_key_of_a_service_gets_a_name_that_is_free() {
    let other = "gsk_another0a1b2c3d4e5f6g7h";
    let world = world_with(&format!("A={GROQ}\nB={other}\n")).await;
    let found = scan(&world).await;
    let names: Vec<_> = found.keys.iter().map(|key| key.name.as_str()).collect();
    assert_eq!(names, ["groq", "groq-2"]);
}

#[tokio::test]
async fn places_that_cannot_be_searched_are_refused_or_told() {
    let world = world_with("").await;
    let places = |paths: Vec<String>| KeysScan { paths, ..KeysScan::default() };
    let refused = control::keys_scan(&world.core, places(vec!["work/.env".to_owned()])).await;
    let error = refused.expect_err("refused");
    assert_eq!(error.message, "work/.env is no whole path");
    let many = vec!["/x".to_owned(); 101];
    let error = control::keys_scan(&world.core, places(many)).await.expect_err("refused");
    assert_eq!(error.field.as_deref(), Some("paths"));
    let gone = world.engine().folders().data.join("gone");
    let gone = gone.to_str().expect("a path").to_owned();
    let found = control::keys_scan(&world.core, places(vec![gone])).await.expect("a scan");
    assert!(found.problems[0].contains("gone cannot be read"), "{found:?}");
}

#[tokio::test]
async fn without_a_home_folder_the_environment_is_looked_into_all_the_same() {
    let homeless = World::open(new_home(), |config| {
        config.variables = vec![("GROQ_API_KEY".to_owned(), GROQ.to_owned())];
    });
    let homeless = homeless.await;
    let found = scan(&homeless).await;
    let [groq] = &found.keys[..] else { panic!("one key: {found:?}") };
    assert_eq!(groq.variable.as_deref(), Some("GROQ_API_KEY"));
    let [problem] = &found.problems[..] else { panic!("one problem: {found:?}") };
    assert!(problem.starts_with("shell profiles and files of tools: the home folder"), "{problem}");
}

#[tokio::test]
async fn two_variables_with_different_keys_of_one_provider_are_two_keys() {
    const FIRST: &str = "AIzaCANARY0a1b2c3d4e5f6g7h8i9j0k1l2m3n4";
    const SECOND: &str = "AIzaCANARY9z8y7x6w5v4u3t2s1r0q9p8o7n6m5";
    let world = World::open(new_home(), |config| {
        let set = [("GOOGLE_API_KEY", SECOND), ("GEMINI_API_KEY", FIRST)];
        config.variables = set.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    });
    let world = world.await;
    let found = scan(&world).await;
    assert!(!format!("{found:?}").contains("CANARY"), "a view shows a key: {found:?}");
    let told: Vec<_> =
        found.keys.iter().map(|key| (key.name.as_str(), key.variable.as_deref())).collect();
    let expected = [("gemini", Some("GEMINI_API_KEY")), ("gemini-2", Some("GOOGLE_API_KEY"))];
    assert_eq!(told, expected);
    let keys: Vec<_> = found.keys.iter().collect();
    let done = control::keys_import(&world.core, import_of(&keys)).await.expect("outcomes");
    assert!(done.iter().all(|outcome| outcome.error.is_none()), "{done:?}");
    for (id, key) in [("gemini", FIRST), ("gemini-2", SECOND)] {
        let id = CredentialId::new(id).expect("a name");
        let bound = world.engine().vault().get(&id).await.expect("stored");
        assert_eq!(bound.parts().0.fingerprint(), crate::world::secret(key).fingerprint());
    }
}
