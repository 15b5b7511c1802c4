//! States, drift, conflicts, refusals.

use std::path::Path;

use domain::WallTime;

use super::world::{World, read, target, target_at};
use crate::tool::TOOL_MODELS_MAX;
use crate::{
    ChangedKeys, ClientTool, ConflictLayer, DriftCause, ToolEnvironment, ToolModel, WiringError,
    WiringState, WiringTarget,
};

const CLAUDE: ClientTool = ClientTool::ClaudeCode;
const CODEX: ClientTool = ClientTool::Codex;
const OPENCODE: ClientTool = ClientTool::OpenCode;
const ZED: ClientTool = ClientTool::Zed;

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
fn a_tool_whose_program_is_gone_has_drifted_and_is_released_without_a_question() {
    for tool in [CLAUDE, CODEX] {
        let world = World::new();
        let wiring = world.wiring();
        let status = wiring.wire(tool, &target(), None).expect("wired");
        assert_eq!((status.state, status.cause), (WiringState::Wired, None), "{tool}");
        let before = read(&world.config(tool));
        std::fs::remove_file(world.path("root/usr/bin/gatehouse")).expect("removed");
        let status = wiring.status(tool);
        let found = (status.state, status.cause);
        assert_eq!(found, (WiringState::Drifted, Some(DriftCause::ProgramGone)), "{tool}");
        assert_eq!(status.pointer.program(), Some(Path::new("/usr/bin/gatehouse")), "{tool}");
        assert_eq!(read(&world.config(tool)), before, "{tool}: nothing is written");
        wiring.unwire(tool, ChangedKeys::Refuse).expect("released");
        assert_eq!(read(&world.config(tool)), None, "{tool}");
    }
}

#[test]
fn the_folder_of_the_data_is_written_where_it_is_not_the_systems() {
    let home = Some(std::path::PathBuf::from("/srv/my data"));
    for tool in [CLAUDE, CODEX] {
        let world = World::new();
        let target = WiringTarget { home: home.clone(), ..target() };
        let status = world.wiring().wire(tool, &target, None).expect("wired");
        assert_eq!(status.pointer.home(), home.as_deref(), "{tool}");
        let command = ["/usr/bin/gatehouse", "--home", "/srv/my data", "token", "my-tool"];
        assert_eq!(status.pointer.command, command, "{tool}");
    }
}

#[test]
fn a_file_that_another_gatehouse_wired_says_so() {
    for tool in [CLAUDE, CODEX, OPENCODE, ZED] {
        let world = World::new();
        world.wiring().wire(tool, &target(), None).expect("wired");
        // The records are in the state folder of the other one.
        std::fs::remove_dir_all(world.path("state/wiring")).expect("removed");
        let status = world.wiring().status(tool);
        assert_eq!((status.state, status.is_recorded), (WiringState::NotWired, false), "{tool}");
        let url = status.pointer.base_url.expect("a base URL");
        assert!(url.starts_with("http://127.0.0.1:4283"), "{tool}: {url}");
    }
    let world = World::new();
    world.write(&world.config(CLAUDE), include_str!("golden/claude-code/foreign.json"));
    assert!(world.wiring().status(CLAUDE).pointer.is_empty(), "another gateway is none of ours");
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
fn variables_of_aider_that_outrank_its_file_are_conflicts() {
    let world = World::new()
        .with_variable("AIDER_MODEL", "gpt-5")
        .with_variable("AIDER_OPENAI_API_BASE", "https://other.example/v1");
    let status = world.wiring().wire(ClientTool::Aider, &target(), None).expect("wired");
    assert_eq!(status.state, WiringState::Conflict);
    let found: Vec<_> =
        status.conflicts.iter().map(|found| (found.layer, found.key.as_str())).collect();
    assert_eq!(
        found,
        [
            (ConflictLayer::Environment, "AIDER_MODEL"),
            (ConflictLayer::Environment, "AIDER_OPENAI_API_BASE"),
        ]
    );
}

#[test]
fn addresses_in_settings_of_aiders_models_are_conflicts() {
    let world = World::new();
    std::fs::create_dir_all(world.path("project/.git")).expect("a folder");
    let name = ".aider.model.settings.yml";
    let entry = |model: &str, key: &str, url: &str| {
        format!("- name: {model}\n  extra_params:\n    {key}: {url}\n    api_key: sk-CANARY-1234\n")
    };
    let ours = "http://127.0.0.1:4283/v1";
    let other = "https://other.example/v1";
    let home = [
        entry("openai/fast", "api_base", ours),
        entry("ollama/llama", "api_base", other),
        entry("openai/slow", "api_base", other),
        "- name: openai/plain\n  edit_format: diff\n".to_owned(),
    ];
    world.write(&world.home().join(name), &home.concat());
    let root = world.path("project").join(name);
    world.write(&root, &entry("aider/extra_params", "base_url", other));
    let inside = world.path("project/inner").join(name);
    world.write(&inside, "- name: \"sk-CANARY-1234\n");
    let environment = world.environment().in_project(Some(world.path("project/inner")));
    let wiring: crate::Wiring = world.wiring_in(environment);
    let found = |wiring: &crate::Wiring| {
        let status = wiring.wire(ClientTool::Aider, &target(), None).expect("wired");
        assert!(!format!("{status:?}").contains("CANARY"));
        let conflicts = status.conflicts.into_iter();
        conflicts.map(|it| (it.layer, it.place, it.key)).collect::<Vec<_>>()
    };
    let text = |path: &Path| path.display().to_string();
    let at_home = world.home().join(name);
    let expected = [
        (
            ConflictLayer::Excluded,
            text(&at_home),
            "extra_params.api_base of openai/slow".to_owned(),
        ),
        (
            ConflictLayer::Project,
            text(&root),
            "extra_params.base_url of aider/extra_params".to_owned(),
        ),
    ];
    assert_eq!(found(&wiring), expected, "a broken file is left to Aider");
    world.write(&inside, &entry("openai/fast", "api_base", other));
    let keys: Vec<_> = found(&wiring).into_iter().map(|(_, place, _)| place).collect();
    assert_eq!(keys, [text(&at_home), text(&root), text(&inside)]);
}

#[test]
fn only_what_aider_reads_last_and_asks_at_the_gateways_address_is_a_conflict() {
    let world = World::new();
    std::fs::create_dir_all(world.path("project/.git")).expect("a folder");
    let settings = ".aider.model.settings.yml";
    let entry =
        |model: &str, url: &str| format!("- name: {model}\n  extra_params:\n    api_base: {url}\n");
    let (ours, other) = ("http://127.0.0.1:4283/v1", "https://other.example/v1");
    let (root, inside) = (world.path("project"), world.path("project/inner"));
    let environment = world.environment().in_project(Some(inside.clone()));
    let wiring: crate::Wiring = world.wiring_in(environment);
    let found = || {
        let status = wiring.wire(ClientTool::Aider, &target(), None).expect("wired");
        let conflicts = status.conflicts.into_iter();
        conflicts.map(|it| (it.place, it.key)).collect::<Vec<_>>()
    };
    let text = |path: &Path| path.display().to_string();
    // The same address, none, and those of other providers.
    let home = [
        entry("openai/fast", &format!("{ours}/")),
        entry("openai/none", ""),
        entry("deepseek/chat", other),
        entry("ollama_chat/gpt-oss", other),
        entry("openai/mended", other),
        entry("openai/mended", ours),
        entry("openai/later", other),
        entry("openai/dropped", other),
    ];
    world.write(&world.home().join(settings), &home.concat());
    let later = [entry("openai/later", ours), "- name: openai/dropped\n".to_owned()];
    world.write(&root.join(settings), &later.concat());
    let config = ".aider.conf.yml";
    world.write(&root.join(config), &format!("openai-api-base: {other}\nmodel:\n"));
    world.write(&inside.join(config), &format!("openai-api-base: {ours}/\n"));
    assert_eq!(found(), []);

    // The file of the repository holds where the folder says nothing.
    world.write(&inside.join(config), "dark-mode: true\nopenai-api-base:\n");
    assert_eq!(found(), [(text(&root.join(config)), "openai-api-base".to_owned())]);
    world.write(&root.join(config), "dark-mode: true\n");

    let plain = ["gpt-5", "o3-mini", "chatgpt-4o-latest"].map(|model| entry(model, other));
    world.write(&inside.join(settings), &plain.concat());
    let place = text(&inside.join(settings));
    let expected = ["gpt-5", "o3-mini", "chatgpt-4o-latest"]
        .map(|model| (place.clone(), format!("extra_params.api_base of {model}")));
    assert_eq!(found(), expected);
}

#[test]
fn a_trailing_slash_is_the_same_address() {
    let world = World::new();
    let project = world.path("project");
    let environment = world.environment().in_project(Some(project.clone()));
    let wiring: crate::Wiring = world.wiring_in(environment);
    let file = project.join(".claude/settings.json");
    let set = |url: &str| format!("{{\"env\": {{\"ANTHROPIC_BASE_URL\": \"{url}\"}}}}");
    for (url, conflicts) in [("http://127.0.0.1:4283/", 0), ("http://127.0.0.1:4284/", 1)] {
        world.write(&file, &set(url));
        let status = wiring.wire(ClientTool::ClaudeCode, &target(), None).expect("wired");
        assert_eq!(status.conflicts.len(), conflicts, "{url}: {:?}", status.conflicts);
    }
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
fn files_of_opencode_that_are_read_later_are_conflicts() {
    let world = World::new();
    let named = world.path("named.json");
    let world = world.with_variable("OPENCODE_CONFIG", &named.to_string_lossy());
    let elsewhere = |url: &str| {
        format!("{{\"provider\": {{\"gatehouse\": {{\"options\": {{\"baseURL\": \"{url}\"}}}}}}}}")
    };
    world.write(&named, &elsewhere("https://one.example/v1"));
    let project = world.path("project/opencode.jsonc");
    world.write(&project, &elsewhere("https://two.example/v1"));
    world.write(&world.path("project/.opencode/opencode.json"), "{\"theme\": \"x\"}");
    world.write(&world.config(OPENCODE), "{\"disabled_providers\": [\"gatehouse\"]}");
    let status = world.wiring().wire(OPENCODE, &target(), None).expect("wired");
    assert_eq!(status.state, WiringState::Conflict);
    let found: Vec<_> =
        status.conflicts.iter().map(|it| (it.layer, it.place.as_str(), it.key.as_str())).collect();
    let url = "provider.gatehouse.options.baseURL";
    let path = |path: &Path| path.display().to_string();
    let [project, named, own] = [path(&project), path(&named), path(&world.config(OPENCODE))];
    assert_eq!(
        found,
        [
            (ConflictLayer::Project, project.as_str(), url),
            (ConflictLayer::NamedFile, named.as_str(), url),
            (ConflictLayer::Excluded, own.as_str(), "disabled_providers"),
        ]
    );
    assert!(status.conflicts[2].explanation().ends_with("keeps the gateway out; change it there"));

    // A list that names ours, or leaves out others, is none.
    let lists = "{\"enabled_providers\": [\"gatehouse\"], \"disabled_providers\": [\"openai\"]}";
    let world = World::new();
    world.write(&world.config(OPENCODE), lists);
    let status = world.wiring().wire(OPENCODE, &target(), None).expect("wired");
    assert_eq!((status.state, status.conflicts.len()), (WiringState::Wired, 0));
}

#[test]
fn a_configuration_of_opencode_in_the_environment_is_a_conflict_where_it_decides_about_ours() {
    let url = target().address + "/v1";
    let elsewhere = "https://one.example/v1";
    let provider = |url: &str| {
        format!(r#"{{"provider": {{"gatehouse": {{"options": {{"baseURL": "{url}"}}}}}}}}"#)
    };
    let key = r#"{"provider": {"gatehouse": {"options": {"apiKey": "sk-CANARY"}}}}"#;
    for (content, expected) in [
        (provider(elsewhere), Some("provider.gatehouse.options.baseURL")),
        (key.to_owned(), Some("provider.gatehouse.options.apiKey")),
        ("{\"disabled_providers\": [\"gatehouse\"]}".to_owned(), Some("disabled_providers")),
        // Others, ours as `gatehouse run` sets it, and what is no configuration decide nothing.
        ("{\"theme\": \"x\", \"provider\": {\"mine\": {}}}".to_owned(), None),
        (provider(&url), None),
        ("no JSON".to_owned(), None),
    ] {
        let (name, reduced) = ToolEnvironment::reduce("OPENCODE_CONFIG_CONTENT", &content);
        assert!(!reduced.contains("CANARY"), "{reduced}");
        let world = World::new().with_variable(&name, &reduced);
        let status = world.wiring().wire(OPENCODE, &target(), None).expect("wired");
        let found: Vec<_> = status.conflicts.iter().map(|it| (it.layer, it.key.clone())).collect();
        let key = |key| (ConflictLayer::Environment, format!("{key} in OPENCODE_CONFIG_CONTENT"));
        assert_eq!(found, Vec::from_iter(expected.map(key)), "{content}");
    }
}

#[test]
fn opencode_is_wired_in_the_file_that_it_reads_last() {
    let world = World::new();
    let folder = world.home().join(".config/opencode");
    let before = "{\n  // mine\n  \"model\": \"x/y\",\n}\n";
    world.write(&folder.join("opencode.json"), "{}");
    world.write(&folder.join("opencode.jsonc"), before);
    let wiring = world.wiring();
    wiring.wire(OPENCODE, &target(), None).expect("wired");
    assert_eq!(read(&folder.join("opencode.json")).as_deref(), Some("{}"));
    let wired = read(&folder.join("opencode.jsonc")).expect("the file");
    assert!(wired.contains("// mine") && wired.contains("{env:GATEHOUSE_API_KEY}"), "{wired}");
    wiring.unwire(OPENCODE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&folder.join("opencode.jsonc")).as_deref(), Some(before));
}

#[test]
fn what_the_user_adds_to_our_provider_of_opencode_is_no_drift_and_stays() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(OPENCODE));
    wiring.wire(OPENCODE, &target(), None).expect("wired");
    let wired = read(&config).expect("the file");
    let added = wired.replace("\"name\": \"fast\"", "\"name\": \"fast\", \"reasoning\": true");
    assert_ne!(added, wired, "the text has what is edited");
    world.write(&config, &added);
    assert_eq!(wiring.status(OPENCODE).state, WiringState::Wired);
    wiring.unwire(OPENCODE, ChangedKeys::Refuse).expect("unwired");
    let left: serde_json::Value =
        serde_json::from_str(&read(&config).expect("the file")).expect("JSON");
    let model = serde_json::json!({"fast": {"reasoning": true}});
    assert_eq!(left, serde_json::json!({"provider": {"gatehouse": {"models": model}}}));
}

#[test]
fn artificial_intelligence_that_is_off_in_zed_is_a_conflict() {
    let world = World::new();
    world.write(&world.config(ZED), "{\"disable_ai\": true}");
    let status = world.wiring().wire(ZED, &target(), None).expect("wired");
    let found: Vec<_> = status.conflicts.iter().map(|it| (it.layer, it.key.as_str())).collect();
    assert_eq!(found, [(ConflictLayer::Excluded, "disable_ai")]);
}

#[test]
fn a_tool_has_its_client_and_address_since_it_got_them_first() {
    let world = World::new();
    let wiring = world.wiring();
    let at = |ms: i64, address: &str| WiringTarget {
        now: WallTime::from_unix_ms(ms),
        ..target_at(address)
    };
    let since = |target: &WiringTarget| {
        let status = wiring.wire(ZED, target, None).expect("wired");
        status.since.map(|time| time.unix_ms())
    };
    assert_eq!(since(&at(1_000, "http://127.0.0.1:4283")), Some(1_000));
    assert_eq!(since(&at(2_000, "http://127.0.0.1:4283")), Some(1_000), "its token still serves");
    assert_eq!(since(&at(3_000, "http://127.0.0.1:5000")), Some(3_000), "Zed asks for it anew");
}

#[test]
fn no_more_models_are_written_than_a_tool_is_told() {
    let names = (0..=TOOL_MODELS_MAX).map(|number| ToolModel::named(format!("m{number}")));
    let target = WiringTarget { models: names.collect(), ..target() };
    let last = format!("\"m{}\"", TOOL_MODELS_MAX - 1);
    let one_more = format!("\"m{TOOL_MODELS_MAX}\"");
    for tool in [OPENCODE, ZED] {
        let world = World::new();
        world.wiring().wire(tool, &target, None).expect("wired");
        let text = read(&world.config(tool)).expect("the file");
        assert!(text.contains(&last) && !text.contains(&one_more), "{tool}");
    }
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
