//! States, drift, conflicts, refusals.

use super::world::{World, read, target};
use crate::{ChangedKeys, ClientTool, ConflictLayer, WiringError, WiringState};

const CLAUDE: ClientTool = ClientTool::ClaudeCode;
const CODEX: ClientTool = ClientTool::Codex;

#[test]
fn a_tool_that_is_not_installed_is_not_wired() {
    let world = World::without_tools();
    let wiring = world.wiring();
    assert!(wiring.list().iter().all(|status| status.state == WiringState::NotInstalled));
    assert!(matches!(
        wiring.wire(CODEX, &target(), None),
        Err(WiringError::NotInstalled("Codex CLI"))
    ));
    assert!(matches!(
        wiring.unwire(CODEX, ChangedKeys::Refuse),
        Err(WiringError::NotWired { tool: "Codex CLI", .. })
    ));
    assert_eq!(world.names(&world.home()), Vec::<String>::new());
}

#[cfg(unix)]
#[test]
fn a_program_in_the_path_is_found_with_the_version_of_its_package() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::without_tools();
    let world = world.with_variable("PATH", "");
    let package = world.path("lib/node_modules/@openai/codex");
    world
        .write(&package.join("package.json"), r#"{"name": "@openai/codex", "version": "0.169.0"}"#);
    let script = package.join("bin/codex.js");
    world.write(&script, "");
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).expect("a mode");
    let bin = world.path("bin");
    std::fs::create_dir(&bin).expect("a folder");
    symlink(&script, bin.join("codex")).expect("a link");
    let world = world.with_variable("PATH", &bin.to_string_lossy());
    let native = world.home().join(".local/share/claude/versions/2.1.329");
    world.write(&native, "");
    std::fs::set_permissions(&native, PermissionsExt::from_mode(0o755)).expect("a mode");
    std::fs::create_dir_all(world.home().join(".local/bin")).expect("a folder");
    symlink(&native, world.home().join(".local/bin/claude")).expect("a link");

    let wiring = world.wiring();
    let version = |tool| wiring.status(tool).installation.and_then(|found| found.version);
    assert_eq!(version(CODEX).as_deref(), Some("0.169.0"));
    assert_eq!(version(CLAUDE).as_deref(), Some("2.1.329"));
    // Its folder is created with the file, and removed with it.
    wiring.wire(CODEX, &target(), None).expect("wired");
    assert_eq!(world.names(&world.home().join(".codex")), ["config.toml"]);
    wiring.unwire(CODEX, ChangedKeys::Refuse).expect("unwired");
    assert!(!world.home().join(".codex").exists());
}

#[test]
fn variables_move_the_folders() {
    let world = World::new();
    let moved = world.path("moved");
    std::fs::create_dir(&moved).expect("a folder");
    let world = world.with_variable("CODEX_HOME", &moved.to_string_lossy());
    world.wiring().wire(CODEX, &target(), None).expect("wired");
    assert_eq!(world.names(&moved), ["config.toml"]);
    assert_eq!(read(&world.config(CODEX)), None);
}

#[test]
fn drift_is_named_and_a_refused_unwiring_changes_nothing() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    let before = "{\n  \"env\": {\"ANTHROPIC_BASE_URL\": \"https://first.example\"}\n}\n";
    world.write(&config, before);
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let wired = read(&config).expect("a file");
    let drifted = wired.replace("http://127.0.0.1:4283", "https://other.example");
    world.write(&config, &drifted);

    let status = wiring.status(CLAUDE);
    assert_eq!(status.state, WiringState::Drifted);
    let change = status.drift.first().expect("a change");
    assert_eq!(status.drift.len(), 1);
    assert_eq!(change.key, "env.ANTHROPIC_BASE_URL");
    assert_eq!(change.expected.as_deref(), Some("http://127.0.0.1:4283"));
    assert_eq!(change.found.as_deref(), Some("https://other.example"));

    let error = wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect_err("refused");
    assert!(matches!(&error, WiringError::KeysChanged { changes, .. } if changes.len() == 1));
    assert_eq!(read(&config), Some(drifted.clone()));
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Drifted);

    // Releasing it keeps the other value, and takes the helper out.
    wiring.unwire(CLAUDE, ChangedKeys::Keep).expect("released");
    assert_eq!(
        read(&config),
        Some(before.replace("https://first.example", "https://other.example"))
    );
    assert_eq!(wiring.status(CLAUDE).state, WiringState::NotWired);

    // Wiring it again points it at the gateway; restoring leads back to the value in between.
    world.write(&config, before);
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    world.write(&config, &drifted);
    wiring.wire(CLAUDE, &target(), None).expect("wired again");
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Wired);
    world.write(&config, &drifted);
    wiring.unwire(CLAUDE, ChangedKeys::Restore).expect("restored");
    assert_eq!(
        read(&config),
        Some(before.replace("https://first.example", "https://other.example"))
    );
}

#[test]
fn a_wired_file_that_somebody_deleted_is_drift_and_stays_deleted() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CODEX));
    world.write(&config, "model = \"gpt-5\"\n");
    wiring.wire(CODEX, &target(), None).expect("wired");
    std::fs::remove_file(&config).expect("removed");
    assert_eq!(wiring.status(CODEX).state, WiringState::Drifted);
    wiring.unwire(CODEX, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config), None);
}

#[test]
fn other_layers_that_outrank_the_wiring_are_named() {
    let world = World::new().with_variable("ANTHROPIC_API_KEY", "sk-CANARY-0123456789");
    let managed = match () {
        () if cfg!(target_os = "macos") => "root/Library/Application Support/ClaudeCode",
        () if cfg!(windows) => "root/Program Files/ClaudeCode",
        () => "root/etc/claude-code",
    };
    let managed = world.path(managed).join("managed-settings.json");
    world.write(&managed, "{\"apiKeyHelper\": \"/opt/corporate\"}");
    let local = world.path("project/.claude/settings.local.json");
    world.write(&local, "{\"env\": {\"ANTHROPIC_BASE_URL\": \"https://other.example\"}}");
    let wiring = world.wiring();
    let plan = wiring.plan(CLAUDE, &target()).expect("a plan");
    let status = wiring.wire(CLAUDE, &target(), None).expect("wired");
    assert_eq!(status.state, WiringState::Conflict);
    assert_eq!(status.conflicts, plan.conflicts);
    let found: Vec<_> =
        status.conflicts.iter().map(|found| (found.layer, found.key.as_str())).collect();
    assert_eq!(
        found,
        [
            (ConflictLayer::Environment, "ANTHROPIC_API_KEY"),
            (ConflictLayer::Managed, "apiKeyHelper"),
            (ConflictLayer::Project, "env.ANTHROPIC_BASE_URL"),
        ]
    );
    assert_eq!(status.conflicts[2].place, local.display().to_string());
    assert!(!format!("{status:?} {:?}", world.environment()).contains("CANARY"));
}

#[test]
fn a_profile_of_codex_with_another_provider_is_a_conflict() {
    let world = World::new();
    let config = world.config(CODEX);
    world.write(&config, "profile = \"w\"\n[profiles.w]\nmodel_provider = \"relay\"\n");
    let status = world.wiring().wire(CODEX, &target(), None).expect("wired");
    assert_eq!(status.state, WiringState::Conflict);
    let found = status.conflicts.first().expect("a conflict");
    assert_eq!(
        (found.layer, found.key.as_str()),
        (ConflictLayer::Profile, "profiles.w.model_provider")
    );
    assert!(found.explanation().contains(&*config.to_string_lossy()));
}

#[test]
fn a_plan_masks_secrets_and_is_refused_once_the_file_changed() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    let foreign = include_str!("golden/claude-code/foreign.json");
    world.write(&config, foreign);
    let plan = wiring.plan(CLAUDE, &target()).expect("a plan");
    let diff = &plan.files.first().expect("a file").diff;
    assert!(!diff.contains("CANARY"), "{diff}");
    assert!(diff.contains("-    \"ANTHROPIC_AUTH_TOKEN\": \"…\""), "{diff}");
    assert!(diff.contains("+  \"apiKeyHelper\": \"/usr/bin/gatehouse token my-tool\""), "{diff}");
    let changed = foreign.replace("dark", "light");
    world.write(&config, &changed);
    let error = wiring.wire(CLAUDE, &target(), Some(&plan.fingerprint)).expect_err("refused");
    assert!(matches!(error, WiringError::Outdated(_)), "{error}");
    assert_eq!(read(&config), Some(changed));
}

#[cfg(unix)]
#[test]
fn mode_and_link_stay_and_what_cannot_be_written_is_refused() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CODEX));
    let real = world.path("dotfiles/codex.toml");
    world.write(&real, "model = \"gpt-5\"\n");
    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o640)).expect("a mode");
    symlink(&real, &config).expect("a link");
    wiring.wire(CODEX, &target(), None).expect("wired");
    assert!(config.is_symlink());
    let mode = real.metadata().expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode, 0o640);
    assert_eq!(world.names(&world.path("dotfiles")), ["codex.toml"]);
    wiring.unwire(CODEX, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&real).as_deref(), Some("model = \"gpt-5\"\n"));

    std::fs::set_permissions(&real, PermissionsExt::from_mode(0o440)).expect("a mode");
    wiring.wire(CODEX, &target(), None).expect_err("read-only");
    assert_eq!(wiring.status(CODEX).state, WiringState::NotWired);
    std::fs::remove_file(&real).expect("removed");
    let error = wiring.wire(CODEX, &target(), None).expect_err("a link to nothing");
    assert!(error.to_string().contains("link"), "{error}");
    assert_eq!(world.names(&world.path("state/wiring")), ["lock"]);

    let config = world.config(CLAUDE);
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    for file in [config, world.path("state/wiring/claude-code.json")] {
        assert_eq!(file.metadata().expect("metadata").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn unwiring_all_goes_on_after_a_failure() {
    let world = World::new();
    let wiring = world.wiring();
    for tool in [CLAUDE, CODEX] {
        wiring.wire(tool, &target(), None).expect("wired");
    }
    world.write(&world.config(CLAUDE), "{ broken");
    let outcome = wiring.unwire_all(ChangedKeys::Refuse);
    let failed: Vec<_> = outcome.iter().map(|(tool, outcome)| (*tool, outcome.is_err())).collect();
    assert_eq!(failed, [(CLAUDE, true), (CODEX, false)]);
    assert_eq!(read(&world.config(CLAUDE)).as_deref(), Some("{ broken"));
    assert_eq!(read(&world.config(CODEX)), None);
}

#[test]
fn a_key_that_is_there_twice_or_a_wrong_kind_is_refused() {
    for text in ["{\"env\": {}, \"env\": {}}", "{\"env\": \"x\"}", "[]", "{\"a\": 1} {}"] {
        let world = World::new();
        world.write(&world.config(CLAUDE), text);
        let error = world.wiring().wire(CLAUDE, &target(), None).expect_err(text);
        assert!(matches!(error, WiringError::File(_)), "{text}: {error}");
        assert_eq!(read(&world.config(CLAUDE)).as_deref(), Some(text));
    }
}
