//! Changing the vault while the engine runs, and clients without a vault.

use control::view::*;
use control::{Core, EngineConfig, ErrorCode};
use domain::Secret;
use engine::Folders;
use ledger::{KeyVerdict, KeyVerdictRecord, KeyVerdictSource};
use settings::VaultKind;
use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::alerts::wait_for;
use crate::world::{add_tools, config, new_home, refused, secret};

/// An engine whose settings choose the vault, as a user's settings do.
async fn open_from_settings(home: &TempDir) -> Core {
    let config = EngineConfig { vault: None, ..config(home) };
    Core::open(config).await.expect("an engine")
}

/// The same with keys in memory, chosen in the settings file.
async fn open_in_memory(home: &TempDir) -> Core {
    let file = Folders::resolve(Some(home.path())).expect("folders").settings_file();
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
    private_files::write_atomic(&file, b"version = 1\n\n[vault]\nkind = \"memory\"\n")
        .expect("written");
    open_from_settings(home).await
}

fn passphrase(text: &str) -> Option<Zeroizing<String>> {
    Some(Zeroizing::new(text.to_owned()))
}

fn to_file(move_keys: bool) -> VaultSet {
    let kind = VaultKind::File;
    VaultSet { kind, passphrase: passphrase("correct-horse"), move_keys }
}

async fn add_key(core: &Core, id: &str) {
    let (label, secret) = (String::new(), secret("sk-0123456789abcdef"));
    let req = KeyAdd { id: id.to_owned(), label, secret, url: None, billing: None };
    control::key_add(core, req).await.expect("a key");
}

async fn issue(core: &Core, id: &str) -> IssuedToken {
    let req = ClientAdd {
        id: id.to_owned(),
        expires_in_days: None,
        scope: ClientScopeView::default(),
        reads_metrics: false,
        monthly_limit_usd: None,
        project: None,
    };
    control::client_issue(core, req).await.expect("a token")
}

async fn token(core: &Core, id: &str) -> Result<Secret, control::ApiError> {
    control::client_token(core, ClientRef { id: id.to_owned() }).await
}

async fn states(core: &Core) -> (VaultKind, VaultStateView) {
    let vault = control::vault_check(core).await.expect("a vault");
    (vault.kind, vault.state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_admitted_without_a_vault_and_its_token_is_returned_once() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    // A vault file without a passphrase stores nothing.
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    engine.settings_editor().edit(|draft| draft.vault.kind = VaultKind::File).await.expect("saved");
    assert_eq!(states(&core).await, (VaultKind::File, VaultStateView::Locked));

    let issued = issue(&core, "Claude Code").await;
    assert_eq!(issued.client, "claude-code");
    let why = issued.not_stored.expect("it was not stored");
    assert!(why.hint.is_some_and(|hint| hint.contains("`gatehouse vault unlock`")));
    let clients = control::clients(&core).await.expect("clients");
    assert_eq!(clients.len(), 1, "its hash is kept, so it is admitted");

    let error = token(&core, "claude-code").await.expect_err("it was said once");
    let hint = error.hint.expect("what to do");
    assert!(hint.contains("`gatehouse clients revoke claude-code`"), "{hint}");
    // A panel never sees a token, so no client is created whose token cannot be stored.
    let req = ClientAdd::unlimited("tool");
    let error = control::client_add(&core, req).await.expect_err("nobody would have its token");
    assert!(error.hint.is_some_and(|hint| hint.contains("`gatehouse clients add tool`")));
    assert_eq!(control::clients(&core).await.expect("clients").len(), 1);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_vault_is_in_force_at_once_and_after_a_restart_and_keys_move_on_request() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    add_key(&core, "openai").await;
    let demo = issue(&core, "demo").await.token;

    let changed = control::vault_set(&core, to_file(true)).await.expect("changed");
    assert_eq!(changed.moved, ["openai"]);
    assert_eq!(changed.moved_tokens, ["demo"]);
    assert!(changed.left.is_empty() && changed.vault.file_exists, "{changed:?}");
    assert_eq!(states(&core).await, (VaultKind::File, VaultStateView::Ready));
    assert_eq!(token(&core, "demo").await.expect("moved"), demo);
    core.stop().await;
    drop(core);

    let core = open_from_settings(&home).await;
    assert_eq!(states(&core).await, (VaultKind::File, VaultStateView::Locked));
    let wrong = VaultUnlock { passphrase: Zeroizing::new("wrong-horse".to_owned()) };
    refused(control::vault_unlock(&core, wrong).await, ErrorCode::InvalidInput, Some("passphrase"));
    let right = VaultUnlock { passphrase: Zeroizing::new("correct-horse".to_owned()) };
    control::vault_unlock(&core, right).await.expect("unlocked");
    assert_eq!(token(&core, "demo").await.expect("kept"), demo);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_were_left_behind_can_be_fetched_later() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    control::vault_set(&core, to_file(false)).await.expect("changed");
    add_key(&core, "openai").await;
    let kind = VaultKind::Memory;
    let memory = VaultSet { kind, passphrase: None, move_keys: false };
    let changed = control::vault_set(&core, memory).await.expect("changed");
    assert!(changed.moved.is_empty());
    assert!(changed.sentence.contains("`gatehouse vault move file`"), "{}", changed.sentence);

    // Memory keeps nothing across restarts, so no key is moved into it.
    let back = |text: &str| VaultMove { from: VaultKind::File, passphrase: passphrase(text) };
    let answer = control::vault_move(&core, back("correct-horse")).await;
    refused(answer, ErrorCode::InvalidInput, Some("kind"));
    let changed = control::vault_set(&core, to_file(false)).await.expect("changed back");
    assert_eq!(changed.vault.state, VaultStateView::Ready);
    refused(
        control::vault_move(&core, back("correct-horse")).await,
        ErrorCode::InvalidInput,
        Some("from"),
    );
    core.stop().await;
}

/// The name of the key of Claude Code's record in the vault.
fn record_key() -> domain::CredentialId {
    domain::CredentialId::new("wiring.claude-code").expect("a name")
}

fn to_memory() -> VaultSet {
    VaultSet { kind: VaultKind::Memory, passphrase: None, move_keys: false }
}

/// Claude Code, wired with the file vault, whose file held a password that lies sealed in the record.
/// Returns the file as it was.
async fn wire_with_secret(home: &TempDir) -> (Core, String) {
    let before = "{\n  \"env\": {\"ANTHROPIC_BASE_URL\": \"https://me:CANARY@up.example\"}\n}\n";
    let folder = home.path().join("user/.claude");
    std::fs::create_dir_all(&folder).expect("a folder");
    private_files::write_atomic(&folder.join("settings.json"), before.as_bytes()).expect("written");
    let mut config = EngineConfig { vault: None, ..config(home) };
    add_tools(&mut config);
    let typed = "correct-horse".to_owned();
    config.passphrase = Some(vault::Passphrase::parse(typed).expect("a passphrase"));
    let core = Core::open(config).await.expect("an engine");
    control::vault_set(&core, to_file(false)).await.expect("changed");
    let wire = ClientWire {
        tool: ClientTool::ClaudeCode,
        client: None,
        fingerprint: None,
        environment: CallerEnvironment::default(),
    };
    control::client_wire(&core, wire).await.expect("wired");
    (core, before.to_owned())
}

async fn assert_unwired(core: &Core, home: &TempDir, before: &str) {
    let tool = ClientTool::ClaudeCode;
    let unwire = ClientUnwire { tool, changed_keys: ChangedKeys::Refuse };
    control::client_unwire(core, unwire).await.expect("unwired");
    let file = home.path().join("user/.claude/settings.json");
    assert_eq!(std::fs::read_to_string(file).expect("the file"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_records_move_with_every_change_of_the_vault() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    let key = domain::BoundSecret::new(secret("of-a-record-0123456789"), None);
    engine.vault().put(&record_key(), key.clone()).await.expect("stored");
    let changed = control::vault_set(&core, to_file(false)).await.expect("changed");
    assert_eq!((changed.moved.len(), changed.left.len()), (0, 0), "no user knows of it");
    assert_eq!(*engine.vault().get_from_store(&record_key()).await.expect("moved"), key);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_opened_with_a_key_in_the_vault_that_is_not_in_use() {
    let home = new_home();
    open_in_memory(&home).await.stop().await;
    let (core, before) = wire_with_secret(&home).await;
    control::vault_set(&core, to_memory()).await.expect("changed");
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    assert!(engine.vault().get(&record_key()).await.is_err(), "memory keeps none");
    assert_unwired(&core, &home, &before).await;
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_in_plain_text_is_sealed_once_the_vault_is_unlocked() {
    let home = new_home();
    open_in_memory(&home).await.stop().await;
    let (core, _) = wire_with_secret(&home).await;
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    let path = engine.folders().state.join("wiring/claude-code.json");
    core.stop().await;
    drop(core);
    // As an earlier version wrote it.
    let read = || std::fs::read_to_string(&path).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&read()).expect("JSON");
    let values = ["https://me:CANARY@up.example"];
    let plain = serde_json::json!({"Plain": {"values": values, "undo": [], "redo": null}});
    *record.pointer_mut("/files/0/taken_out").expect("what was taken out") = plain;
    private_files::write_atomic(&path, record.to_string().as_bytes()).expect("written");

    let mut config = EngineConfig { vault: None, ..config(&home) };
    add_tools(&mut config);
    let core = Core::open(config).await.expect("an engine");
    assert_eq!(states(&core).await, (VaultKind::File, VaultStateView::Locked));
    assert!(read().contains("CANARY"), "nothing can seal it yet");
    let unlock = VaultUnlock { passphrase: Zeroizing::new("correct-horse".to_owned()) };
    control::vault_unlock(&core, unlock).await.expect("unlocked");
    assert!(!read().contains("CANARY") && read().contains("Sealed"), "{}", read());
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_of_a_record_the_one_that_opens_it_is_kept() {
    for is_stale_in_file in [true, false] {
        let home = new_home();
        open_in_memory(&home).await.stop().await;
        let (core, before) = wire_with_secret(&home).await;
        let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
        let key = engine.vault().get(&record_key()).await.expect("stored");
        let key = domain::BoundSecret::clone(&key);
        // As a change that was killed leaves it, with the tool wired anew since.
        let stale = domain::BoundSecret::new(secret("of-a-record-0123456789"), None);
        let (in_file, in_memory) =
            if is_stale_in_file { (stale, key.clone()) } else { (key.clone(), stale) };
        engine.vault().put(&record_key(), in_file).await.expect("stored");
        control::vault_set(&core, to_memory()).await.expect("changed");
        engine.vault().put(&record_key(), in_memory).await.expect("stored");
        control::vault_set(&core, to_file(false)).await.expect("changed");
        assert_eq!(*engine.vault().get_from_store(&record_key()).await.expect("there"), key);
        assert_unwired(&core, &home, &before).await;
        core.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_another_one_in_the_other_vault_begins_anew() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    for id in ["same", "other"] {
        add_key(&core, id).await;
    }
    let key = |id: &str| domain::CredentialId::new(id).expect("a name");
    let replaced = async |id: &str| {
        let keys = control::keys(&core).await.expect("keys");
        let known = keys.into_iter().find(|key| key.id == id).expect("there");
        let verdicts = engine.ledger().key_verdicts(key(id)).await.expect("read");
        let began = verdicts.last().is_some_and(|it| it.verdict == KeyVerdict::Unknown);
        (known.replaced_at.is_some(), known.tail, began)
    };
    let reject = |id: &str| {
        let at = engine.clock().wall();
        let (credential, place) = (key(id), Some("up".to_owned()));
        let (verdict, source) = (KeyVerdict::Rejected, KeyVerdictSource::Check);
        let record = KeyVerdictRecord { at, credential, place, verdict, source };
        engine.ledger().record_key_verdict(record).expect("queued");
    };
    // The file holds both keys, and one of them is replaced in memory.
    control::vault_set(&core, to_file(true)).await.expect("changed");
    let held: Vec<_> = ["same", "other"].map(key).into();
    let mut secrets = Vec::new();
    for id in &held {
        secrets.push(engine.vault().get(id).await.expect("moved"));
    }
    let memory = || VaultSet { kind: VaultKind::Memory, passphrase: None, move_keys: false };
    control::vault_set(&core, memory()).await.expect("changed");
    for (id, secret) in held.iter().zip(&secrets) {
        engine.vault().put(id, domain::BoundSecret::clone(secret)).await.expect("stored");
    }
    let tail = || Some("cdef".to_owned());
    for id in ["same", "other"] {
        assert_eq!(replaced(id).await, (false, tail(), false), "{id}");
    }
    let another = domain::BoundSecret::new(secret("sk-another-0123456789"), None);
    engine.vault().put(&key("other"), another).await.expect("stored");
    ["same", "other"].into_iter().for_each(reject);

    control::vault_set(&core, to_file(false)).await.expect("changed");
    assert_eq!(replaced("same").await, (false, tail(), false));
    assert_eq!(replaced("other").await, (true, tail(), true));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_begins_anew_where_the_file_of_settings_names_another_vault() {
    let home = new_home();
    open_in_memory(&home).await.stop().await;
    let variables = vec![("OPENAI_API_KEY".to_owned(), "sk-another-0123456789".to_owned())];
    let config = EngineConfig { vault: None, variables, ..config(&home) };
    let core = Core::open(config).await.expect("an engine");
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    add_key(&core, "openai").await;
    let id = domain::CredentialId::new("openai").expect("a name");
    let record = KeyVerdictRecord {
        at: engine.clock().wall(),
        credential: id.clone(),
        place: Some("up".to_owned()),
        verdict: KeyVerdict::Rejected,
        source: KeyVerdictSource::Check,
    };
    engine.ledger().record_key_verdict(record).expect("queued");
    engine.settings_editor().edit(|draft| draft.vault.kind = VaultKind::Env).await.expect("saved");
    wait_for("the key begins anew", async || {
        let verdicts = engine.ledger().key_verdicts(id.clone()).await.expect("read");
        verdicts.last().filter(|it| it.verdict == KeyVerdict::Unknown).map(|_| ())
    })
    .await;
    let described = known_key(&core, "openai").await;
    assert_eq!(described.tail.as_deref(), Some("6789"), "as the other vault has it");
    assert!(described.replaced_at.is_some());
    core.stop().await;
}

async fn known_key(core: &Core, id: &str) -> KeyView {
    let keys = control::keys(core).await.expect("keys");
    keys.into_iter().find(|key| key.id == id).expect("there")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_keys_of_a_vault_that_was_locked_are_described_once_it_is_open() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    for id in ["same", "other"] {
        add_key(&core, id).await;
    }
    control::vault_set(&core, to_file(true)).await.expect("changed");
    control::vault_set(&core, to_memory()).await.expect("changed");
    let replace = KeyReplace {
        id: "other".to_owned(),
        secret: secret("sk-another-0123456789"),
        untested: true,
    };
    control::key_replace(&core, replace).await.expect("replaced");
    assert_eq!(known_key(&core, "other").await.tail.as_deref(), Some("6789"));
    engine.settings_editor().edit(|draft| draft.vault.kind = VaultKind::File).await.expect("saved");
    assert_eq!(states(&core).await, (VaultKind::File, VaultStateView::Locked));
    let unlock = VaultUnlock { passphrase: Zeroizing::new("correct-horse".to_owned()) };
    control::vault_unlock(&core, unlock).await.expect("unlocked");
    assert_eq!(known_key(&core, "other").await.tail.as_deref(), Some("cdef"));
    let same = known_key(&core, "same").await;
    assert_eq!((same.tail.as_deref(), same.replaced_at), (Some("cdef"), None));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vault_that_cannot_be_used_leaves_everything_as_it_was() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    add_key(&core, "openai").await;
    let demo = issue(&core, "demo").await.token;
    control::vault_set(&core, to_file(false)).await.expect("a file with a passphrase");
    let memory = VaultSet { kind: VaultKind::Memory, passphrase: None, move_keys: false };
    control::vault_set(&core, memory).await.expect("changed");
    add_key(&core, "other").await;

    for given in [passphrase("wrong-horse"), passphrase("short"), None] {
        let req = VaultSet { kind: VaultKind::File, passphrase: given, move_keys: true };
        refused(control::vault_set(&core, req).await, ErrorCode::InvalidInput, Some("passphrase"));
        assert_eq!(states(&core).await, (VaultKind::Memory, VaultStateView::Ready));
    }
    let saved = control::settings(&core).await.expect("settings").values;
    assert_eq!(saved.get("vault_kind").to_string(), "memory");
    // A memory vault is lost when another vault is chosen, and its tokens with it.
    assert_ne!(token(&core, "demo").await.ok(), Some(demo));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_uses_a_key_or_a_backend_is_named_before_it_is_removed() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    add_key(&core, "acme").await;
    let backend = |id: &str, key: BackendKey| BackendAdd {
        id: id.to_owned(),
        label: String::new(),
        kind: BackendKind::OpenAiCompatible,
        base_url: "http://127.0.0.1:9/v1".to_owned(),
        key,
        models: vec!["m".to_owned()],
        lacks: Vec::new(),
        offers: Vec::new(),
        crossing: TranslationMode::Strict,
    };
    let stored = BackendKey::Stored { id: "acme".to_owned() };
    control::backend_add(&core, backend("first", stored)).await.expect("added");
    control::backend_add(&core, backend("second", BackendKey::None)).await.expect("added");
    for (id, candidates) in [("alone", &["first"][..]), ("both", &["first", "second"])] {
        let to = |backend: &&str| crate::routes::to(backend, Some("m"), 1);
        let route = crate::routes::route(id, candidates.iter().map(to).collect());
        control::route_set(&core, route).await.expect("a route");
    }
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let backends = control::backends(&core).await.expect("backends");
    let of = |id: &str| backends.iter().find(|one| one.id == id).expect("known").dependents.clone();
    assert_eq!(of("first").routes, named(&["alone", "both"]));
    assert_eq!(of("first").broken_routes, named(&["alone"]));
    assert_eq!(of("second").broken_routes, named(&[]));
    assert_eq!(of("mock"), DependentsView::default());
    let keys = control::keys(&core).await.expect("keys");
    let key = &keys.first().expect("one").dependents;
    assert_eq!((&key.backends, &key.routes), (&named(&["first"]), &named(&["alone", "both"])));
    assert_eq!((&key.broken_routes, key.cache_server), (&named(&["alone"]), false));
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_panel_address_is_a_new_one_and_only_where_a_panel_is_served() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    assert!(control::panel_address(&core).await.is_err(), "nothing is served yet");
    let Core::Local(engine, _) = &core else { panic!("nobody else has this folder") };
    let page = |_: &str| {
        Some(control::Asset { content_type: "text/html".to_owned(), bytes: "page".into() })
    };
    control::serve(engine, page).await.expect("serving");
    let first = control::panel_address(&core).await.expect("an address");
    let second = control::panel_address(&core).await.expect("another");
    assert!(first.contains("/#one-time=") && first != second);
    let answer = control::call(&core, "panel_address", b"null").await;
    refused(answer, ErrorCode::NotFound, None);
    core.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_vault_file_in_its_place_is_shown() {
    let home = new_home();
    let core = open_in_memory(&home).await;
    let set = VaultSet {
        kind: VaultKind::File,
        passphrase: passphrase("correct horse"),
        move_keys: false,
    };
    control::vault_set(&core, set).await.expect("set");
    let file = Folders::resolve(Some(home.path())).expect("folders").vault_file();
    let older = std::fs::read(&file).expect("a vault");
    let key = KeyAdd {
        id: "up".to_owned(),
        label: String::new(),
        secret: secret("sk-0123456789abcdef"),
        url: Some("https://api.example.com/v1".to_owned()),
        billing: None,
    };
    control::key_add(&core, key).await.expect("added");
    assert_eq!(control::vault_check(&core).await.expect("looked at").hint, None);
    private_files::write_atomic(&file, &older).expect("put back");
    let vault = control::vault_check(&core).await.expect("looked at");
    assert_eq!(vault.state, VaultStateView::Ready);
    assert!(vault.hint.is_some_and(|hint| hint.contains("newer file")));
    let status = control::status(&core).await.expect("a status");
    let needs = status.verdict.needs;
    assert!(needs.iter().any(|need| need.title.contains("older")), "{needs:?}");
    core.stop().await;
}
