//! Acceptance tests of tools that use the gateway: wired in their own files, undone, and started with
//! an environment.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use acceptance::{HomeVault, TestHome};
use test_support::{MARKED_KEY, search_tree};

const SETTINGS: &str = "{\n  // mine\n  \"model\": \"opus\"\n}\n";

/// Asks the mock as Zed would, with the token in the variable of our provider.
const ASK_WITH_VARIABLE: &str = "curl -sf $OPENAI_BASE_URL/chat/completions -H \"authorization: \
     Bearer $GATEHOUSE_API_KEY\" -H 'content-type: application/json' -d \
     '{\"model\":\"mock/echo\",\"messages\":[{\"role\":\"user\",\"content\":\"hello\"}]}'";

/// A home of a user with Claude Code and an empty Codex CLI.
struct User {
    home: TestHome,
    folder: PathBuf,
}

impl User {
    fn new() -> Self {
        let mut home = TestHome::new(HomeVault::File);
        let folder = home.path().join("user");
        for tool in [".claude", ".codex"] {
            std::fs::create_dir_all(folder.join(tool)).expect("a folder");
        }
        home.set("HOME", &folder.display().to_string());
        let user = Self { home, folder };
        user.write(".claude/settings.json", SETTINGS);
        user
    }

    fn write(&self, path: &str, text: &str) {
        private_files::write_atomic(&self.folder.join(path), text.as_bytes()).expect("written");
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.join(path)).expect("the file")
    }

    /// A program for everybody to run.
    #[cfg(unix)]
    fn write_program(&self, name: &str, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        self.write(name, text);
        let path = self.folder.join(name);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("a mode");
        path
    }
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[tokio::test]
async fn a_tool_is_wired_without_a_token_in_its_files_and_restored_byte_for_byte() {
    let user = User::new();
    let home = &user.home;
    let served = home.serve().await;
    let planned = home.gatehouse(&["clients", "wire", "claude-code", "--plan"]).run().await;
    let planned = planned.expect_success();
    assert!(planned.out.contains("+  \"apiKeyHelper\": "), "{}", planned.out);
    let asked = home.gatehouse(&["clients", "wire", "claude-code"]).run().await.expect_code(2);
    assert!(asked.err.contains("Add --yes"), "{}", asked.err);
    assert_eq!(user.read(".claude/settings.json"), SETTINGS);

    for tool in ["claude-code", "codex"] {
        let wired = home.gatehouse(&["clients", "wire", tool, "--yes"]).run().await;
        wired.expect_success();
    }
    let status =
        home.gatehouse(&["clients", "status", "--json"]).run().await.expect_success().items();
    let states: Vec<_> = status.as_array().expect("tools").iter().take(2).collect();
    assert!(states.iter().all(|tool| tool["state"] == "wired"), "{status}");

    // The helper that Claude Code would run prints the token of its client.
    let wired: serde_json::Value =
        serde_json::from_str(&user.read(".claude/settings.json").replace("// mine", ""))
            .expect("JSON");
    let helper = wired["apiKeyHelper"].as_str().expect("a command");
    let words: Vec<&str> = helper.split(' ').skip(1).collect();
    let token = home.gatehouse(&words).run().await.expect_success().out;
    let token = token.trim();
    assert!(token.starts_with("ghk_"), "{helper}");
    assert_eq!(search_tree(&user.folder, token).expect("searched"), Vec::<PathBuf>::new());
    let address = wired["env"]["ANTHROPIC_BASE_URL"].as_str().expect("an address");
    assert_eq!(address, format!("http://{}", served.gateway));

    // What the two would do: start the command in their file, list models at the address in it.
    for tool in ["claude-code", "codex"] {
        let tried = home.gatehouse(&["clients", "check", tool]).run().await.expect_success();
        assert!(
            tried.out.contains(&format!("http://{}/v1/models lists", served.gateway)),
            "{}",
            tried.out
        );
        assert!(!tried.out.contains("ghk_"), "{}", tried.out);
    }
    home.gatehouse(&["clients", "revoke", "codex"]).run().await.expect_success();
    let tried = home.gatehouse(&["clients", "check", "codex"]).run().await.expect_code(1);
    let cause = "is connected as the client codex, which is not on this machine any more";
    assert!(tried.out.contains(cause), "{}", tried.out);

    let undone = home.gatehouse(&["clients", "unwire", "claude-code"]).run().await.expect_success();
    assert!(undone.out.contains("Claude Code no longer uses the gateway."), "{}", undone.out);
    assert_eq!(user.read(".claude/settings.json"), SETTINGS);
    home.gatehouse(&["clients", "unwire", "codex"]).run().await.expect_success();
    assert!(!user.folder.join(".codex/config.toml").exists(), "the file is gone again");
    served.stop().await;
}

#[tokio::test]
async fn tools_whose_file_has_no_place_for_a_command_get_the_gateway_as_a_provider() {
    let user = User::new();
    let home = &user.home;
    let opencode = "{\n  // mine\n  \"model\": \"mock/chat\",\n}\n";
    user.write(".config/opencode/opencode.jsonc", opencode);
    let zed = "// Zed settings\n{\n  \"theme\": \"One Dark\", // dark\n}\n";
    user.write(".config/zed/settings.json", zed);
    let served = home.serve().await;
    for tool in ["opencode", "zed"] {
        home.gatehouse(&["clients", "wire", tool, "--yes"]).run().await.expect_success();
        let token = home.gatehouse(&["token", tool]).run().await.expect_success().out;
        let found = search_tree(&user.folder, token.trim()).expect("searched");
        assert_eq!(found, Vec::<PathBuf>::new(), "{tool}");
    }
    let address = format!("\"http://{}/v1\"", served.gateway);
    for path in [".config/opencode/opencode.jsonc", ".config/zed/settings.json"] {
        let text = user.read(path);
        assert!(text.contains(&address) && text.contains("mock/echo"), "{text}");
    }
    let states = home.gatehouse(&["clients", "status", "--json"]).run().await;
    let states = states.expect_success().items();
    let state_of = |states: &serde_json::Value, tool: &str| {
        let tools = states.as_array().expect("tools").clone();
        tools.into_iter().find(|it| it["tool"] == tool).expect("listed")["state"].clone()
    };
    assert_eq!(state_of(&states, "opencode"), "wired");
    // The user still has to enter its token, so it is not shown as connected.
    assert_eq!(state_of(&states, "zed"), "token_not_entered");
    let told = home.gatehouse(&["clients", "status"]).run().await.expect_success().out;
    assert!(told.contains("Enter the token in Zed once"), "{told}");

    for (tool, outcome) in [("opencode", "answers"), ("zed", "token_not_tried")] {
        let tried = home.gatehouse(&["clients", "check", tool, "--json"]).run().await;
        assert_eq!(tried.expect_success().json()["outcome"], outcome);
    }
    // Once a request has come with it, it is.
    let ask = ["run", "zed", "--", "sh", "-c", ASK_WITH_VARIABLE];
    home.gatehouse(&ask).run().await.expect_success();
    let states = home.gatehouse(&["clients", "status", "--json"]).run().await;
    assert_eq!(state_of(&states.expect_success().items(), "zed"), "wired");

    for (tool, path, before) in [
        ("opencode", ".config/opencode/opencode.jsonc", opencode),
        ("zed", ".config/zed/settings.json", zed),
    ] {
        home.gatehouse(&["clients", "unwire", tool]).run().await.expect_success();
        assert_eq!(user.read(path), before);
    }
    served.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn tools_with_yaml_files_get_the_gateway_in_them_and_keep_their_comments() {
    let user = User::new();
    let home = &user.home;
    let aider = "# mine\nmodel: sonnet # the usual one\nopenai-api-key: sk-of-the-user\n";
    user.write(".aider.conf.yml", aider);
    std::fs::create_dir_all(user.folder.join(".continue")).expect("a folder");
    // Aider's folder is made by its first use; here its program is what is found.
    let script = "#!/bin/sh\necho \"$AIDER_OPENAI_API_KEY|$*\"\n";
    let program = user.write_program(".local/bin/aider", script);
    let served = home.serve().await;
    for tool in ["aider", "continue"] {
        home.gatehouse(&["clients", "wire", tool, "--yes"]).run().await.expect_success();
        let token = home.gatehouse(&["token", tool]).run().await.expect_success().out;
        let found = search_tree(&user.folder, token.trim()).expect("searched");
        assert_eq!(found, Vec::<PathBuf>::new(), "{tool}");
        home.gatehouse(&["clients", "check", tool]).run().await.expect_success();
    }
    let address = format!("http://{}/v1", served.gateway);
    let wired = user.read(".aider.conf.yml");
    assert!(wired.starts_with("# mine\nmodel: openai/"), "{wired}");
    assert!(wired.contains(" # the usual one\nopenai-api-key: sk-of-the-user\n"), "{wired}");
    assert!(wired.ends_with(&format!("openai-api-base: {address}\n")), "{wired}");
    let models = user.read(".continue/models/gatehouse.yaml");
    assert!(models.contains(&format!("apiBase: {address}\n")), "{models}");
    assert!(models.contains("apiKey: ${{ secrets.GATEHOUSE_API_KEY }}\n"), "{models}");

    // Its file would send the token elsewhere, or another key here.
    let started = home.gatehouse(&["run", "aider", "--", text_of(&program), "--dark-mode"]);
    let said = started.run().await.expect_success().out;
    let (token, arguments) = said.trim().split_once('|').expect("two parts");
    assert!(token.starts_with("ghk_"), "a token: {said}");
    let pinned = format!("--openai-api-base {address} --set-env OPENAI_BASE_URL={address}");
    assert_eq!(arguments, format!("{pinned} --dark-mode"));
    let program =
        user.write_program(".local/bin/cn", "#!/bin/sh\necho \"$GATEHOUSE_API_KEY|$*\"\n");
    let started = home.gatehouse(&["run", "continue", "--", text_of(&program)]);
    let said = started.run().await.expect_success().out;
    let (token, arguments) = said.trim().split_once('|').expect("two parts");
    assert!(token.starts_with("ghk_"), "a token: {said}");
    let models = user.folder.join(".continue/models/gatehouse.yaml");
    assert_eq!(arguments, format!("--config {}", models.display()));
    let told = home.gatehouse(&["clients", "status"]).run().await.expect_success().out;
    assert!(told.contains("Give Continue the token once"), "{told}");

    home.gatehouse(&["clients", "unwire", "--all"]).run().await.expect_success();
    assert_eq!(user.read(".aider.conf.yml"), aider);
    assert!(!user.folder.join(".continue/models").exists(), "the folder was ours");
    served.stop().await;
}

#[tokio::test]
async fn everything_is_undone_although_no_core_can_be_opened() {
    let user = User::new();
    let home = &user.home;
    home.gatehouse(&["clients", "wire", "claude-code", "--yes"]).run().await.expect_success();
    assert_ne!(user.read(".claude/settings.json"), SETTINGS);
    // A folder where the ledger should be: no engine opens.
    let ledger = home.path().join("data/ledger.sqlite");
    std::fs::remove_file(&ledger).expect("removed");
    std::fs::create_dir(&ledger).expect("a folder");
    home.gatehouse(&["status"]).run().await.expect_code(3);
    let undone = home.gatehouse(&["clients", "unwire", "--all"]).run().await.expect_success();
    assert!(undone.out.contains("Claude Code no longer uses the gateway."), "{}", undone.out);
    assert_eq!(user.read(".claude/settings.json"), SETTINGS);
    let again = home.gatehouse(&["clients", "unwire", "--all"]).run().await.expect_success();
    assert_eq!(again.out, "No tool was connected.\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_started_tool_gets_a_token_an_address_and_its_own_exit_code() {
    let mut user = User::new();
    user.home.set("ANTHROPIC_API_KEY", "sk-ant-of-the-user");
    let home = &user.home;
    let script = "#!/bin/sh\necho \"$ANTHROPIC_BASE_URL|$OPENAI_BASE_URL|$OPENAI_API_KEY|${ANTHROPIC_API_KEY-unset}|$*\"\nexit 7\n";
    let tool = user.write_program("tool", script);
    let start = ["run", "claude-code", "--", text_of(&tool), "-p", "hello there"];
    let refused = home.gatehouse(&start).run().await.expect_code(1);
    assert!(refused.err.contains("the gateway is not running"), "{}", refused.err);

    let served = home.serve().await;
    let ended = home.gatehouse(&start).run().await.expect_code(7);
    let said: Vec<&str> = ended.out.trim().split('|').collect();
    let [root, v1, token, of_user, arguments] = said[..] else { panic!("{}", ended.out) };
    assert_eq!(root, format!("http://{}", served.gateway));
    assert_eq!(v1, format!("{root}/v1"));
    assert!(token.starts_with("ghk_"), "a token: {token}");
    assert_eq!((of_user, arguments), ("unset", "-p hello there"));
    assert_eq!(user.read(".claude/settings.json"), SETTINGS, "no file is changed");

    let new = ["run", "another", "--", text_of(&tool)];
    let new = home.gatehouse(&new).run().await.expect_code(7);
    assert!(new.err.contains("Added the client another."), "{}", new.err);
    let no_program = home.gatehouse(&["run", "nobody"]).run().await.expect_code(2);
    assert!(no_program.err.contains("gatehouse run nobody -- PROGRAM"), "{}", no_program.err);
    let gone = ["run", "claude-code", "--", "/no/such/program"];
    let gone = home.gatehouse(&gone).run().await.expect_code(1);
    assert!(gone.err.contains("could not be started"), "{}", gone.err);
    served.stop().await;
}

#[tokio::test]
async fn agents_get_the_server_by_a_command_and_it_starts_as_the_file_says() {
    let user = User::new();
    let (home, before) = (&user.home, "{\n  // mine\n  \"numStartups\": 3\n}\n");
    user.write(".claude.json", before);
    let asked = home.gatehouse(&["mcp", "install", "claude-code"]).run().await.expect_code(2);
    assert!(asked.err.contains("Add --yes"), "{}", asked.err);
    let planned = home.gatehouse(&["mcp", "install", "claude-code", "--plan"]).run().await;
    // The program would start it without our variables, so the folder is in the command.
    let planned = planned.expect_success().out;
    assert!(planned.contains("--home") && planned.contains("\"mcp\""), "{planned}");
    assert_eq!(user.read(".claude.json"), before);
    let added = home.gatehouse(&["mcp", "install", "claude-code", "--yes"]).run().await;
    assert!(added.expect_success().out.contains("gatehouse mcp uninstall claude-code"));
    let status = home.gatehouse(&["mcp", "status", "--json"]).run().await.expect_success().items();
    let states: Vec<_> =
        status.as_array().expect("programs").iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["wired", "not_wired", "not_installed", "not_installed"]);

    // The entry is what the program starts.
    let text = user.read(".claude.json").replace("// mine", "");
    let entry: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let entry = entry.pointer("/mcpServers/gatehouse").expect("an entry");
    let program = entry["command"].as_str().expect("a program");
    let arguments: Vec<&str> =
        entry["args"].as_array().expect("words").iter().filter_map(|it| it.as_str()).collect();
    let hello = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "acceptance", "version": "1"}}});
    let said = home.program(program, &arguments).stdin(&format!("{hello}\n")).run().await;
    let said = said.expect_success().json();
    assert_eq!(said.pointer("/result/serverInfo/name"), Some(&"gatehouse".into()), "{said}");

    let added = user.read(".claude.json");
    let uninstall = ["mcp", "uninstall", "claude-code"];
    let planned = home.gatehouse(&[&uninstall[..], &["--plan"]].concat()).run().await;
    let planned = planned.expect_success().out;
    assert!(planned.contains("mcpServers") && planned.contains("\"mcp\""), "{planned}");
    assert_eq!(user.read(".claude.json"), added, "a plan changes nothing");
    home.gatehouse(&[&uninstall[..], &["--plan", "--yes"]].concat()).run().await.expect_code(2);
    home.gatehouse(&[&uninstall[..], &["--yes"]].concat()).run().await.expect_success();
    assert_eq!(user.read(".claude.json"), before);
    home.gatehouse(&["mcp", "install", "claude-code", "--yes"]).run().await.expect_success();
    // Without a terminal there is nobody to ask.
    home.gatehouse(&uninstall).run().await.expect_success();
    assert_eq!(user.read(".claude.json"), before);
    home.gatehouse(&["mcp", "uninstall", "claude-code"]).run().await.expect_code(1);
}

/// Settings with a key that outranks the token, as tools that switch providers write them.
fn settings_with_key() -> String {
    format!("{{\n  \"env\": {{\n    \"ANTHROPIC_AUTH_TOKEN\": \"{MARKED_KEY}\"\n  }}\n}}\n")
}

#[tokio::test]
async fn a_key_of_the_user_is_in_the_vault_alone_while_its_tool_is_wired() {
    let user = User::new();
    let home = &user.home;
    user.write(".claude/settings.json", &settings_with_key());
    let wire = ["clients", "wire", "claude-code", "--yes"];
    let no_passphrase = home.gatehouse(&wire).run_without("GATEHOUSE_PASSPHRASE").await;
    let refused = no_passphrase.expect_code(3);
    assert!(refused.err.contains("the vault"), "{}", refused.err);
    assert_eq!(user.read(".claude/settings.json"), settings_with_key());

    home.gatehouse(&wire).run().await.expect_success();
    assert!(!user.read(".claude/settings.json").contains("ANTHROPIC_AUTH_TOKEN"));
    let found = search_tree(home.path(), MARKED_KEY).expect("searched");
    assert_eq!(found, Vec::<PathBuf>::new());
    // A folder where the ledger should be: no engine opens.
    let ledger = home.path().join("data/ledger.sqlite");
    std::fs::remove_file(&ledger).expect("removed");
    std::fs::create_dir(&ledger).expect("a folder");
    home.gatehouse(&["status"]).run().await.expect_code(3);
    let undone = home.gatehouse(&["clients", "unwire", "--all"]).run().await.expect_success();
    assert!(undone.out.contains("Claude Code no longer uses the gateway."), "{}", undone.out);
    assert_eq!(user.read(".claude/settings.json"), settings_with_key());
}

/// Whoever forgot the passphrase can still disconnect the tool, and is told what is not put back.
#[tokio::test]
async fn a_tool_is_disconnected_without_the_passphrase_if_its_owner_says_so() {
    let user = User::new();
    let home = &user.home;
    let wire = ["clients", "wire", "claude-code", "--yes"];
    let unwire = async |more: &[&str]| {
        let call = home.gatehouse(&[&["clients", "unwire"], more].concat());
        call.run_without("GATEHOUSE_PASSPHRASE").await
    };
    let release = ["--changed", "leave-sealed"];
    let left = "What was at env.ANTHROPIC_AUTH_TOKEN in ";
    for is_core_broken in [false, true] {
        user.write(".claude/settings.json", &settings_with_key());
        home.gatehouse(&wire).run().await.expect_success();
        let wired = user.read(".claude/settings.json");
        let tool = if is_core_broken { "--all" } else { "claude-code" };
        if is_core_broken {
            // A folder where the ledger should be: no engine opens.
            let ledger = home.path().join("data/ledger.sqlite");
            std::fs::remove_file(&ledger).expect("removed");
            std::fs::create_dir(&ledger).expect("a folder");
        } else {
            let planned = unwire(&[&[tool, "--plan"][..], &release].concat()).await;
            let planned = planned.expect_success();
            assert!(planned.out.contains(left), "{}", planned.out);
        }
        let refused = unwire(&[tool, "--changed", "keep"]).await;
        let told = format!("{}{}", refused.out, refused.err);
        assert_ne!(refused.code, Some(0));
        assert!(told.contains("`--changed leave-sealed`"), "{told}");
        assert_eq!(user.read(".claude/settings.json"), wired);
        let undone = unwire(&[&[tool][..], &release].concat()).await.expect_success();
        assert!(undone.out.contains(left) && !undone.out.contains(MARKED_KEY), "{}", undone.out);
        assert!(undone.out.contains("Claude Code no longer uses the gateway."), "{}", undone.out);
        assert!(!user.read(".claude/settings.json").contains("ANTHROPIC"), "ours is gone");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_tool_whose_own_key_outranks_its_token_is_not_started_and_the_fix_is_told() {
    let user = User::new();
    let home = &user.home;
    user.write(".claude/settings.json", &settings_with_key());
    let program = user.write_program(".local/bin/claude", "#!/bin/sh\necho started\n");
    let served = home.serve().await;
    let start = ["run", "claude-code", "--", text_of(&program)];
    let refused = home.gatehouse(&start).run().await.expect_code(1);
    for told in ["env.ANTHROPIC_AUTH_TOKEN in ", "gatehouse clients wire claude-code"] {
        assert!(refused.err.contains(told), "{}", refused.err);
    }
    assert!(!refused.err.contains(MARKED_KEY));
    let status = home.gatehouse(&["clients", "status", "--json"]).run().await.expect_success();
    let tools = status.items();
    let claude = tools.as_array().expect("tools").iter().find(|it| it["tool"] == "claude-code");
    let claude = claude.expect("Claude Code");
    assert_eq!(claude["run_command"], serde_json::Value::Null);
    let obstacle = claude["run_obstacle"].as_str().expect("a sentence");
    assert!(obstacle.contains("env.ANTHROPIC_AUTH_TOKEN"), "{obstacle}");

    // Wiring takes it out, and so does its owner.
    home.gatehouse(&["clients", "wire", "claude-code", "--yes"]).run().await.expect_success();
    home.gatehouse(&start).run().await.expect_success();
    home.gatehouse(&["clients", "unwire", "claude-code"]).run().await.expect_success();
    user.write(".claude/settings.json", SETTINGS);
    home.gatehouse(&start).run().await.expect_success();
    served.stop().await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_is_known_by_the_name_that_people_write() {
    let user = User::new();
    let home = &user.home;
    let tool = user.write_program("tool", "#!/bin/sh\necho \"$OPENAI_API_KEY\"\n");
    let served = home.serve().await;
    let start = ["run", "Claude Code", "--", text_of(&tool)];
    let first = home.gatehouse(&start).run().await.expect_success();
    assert!(first.err.contains("Added the client claude-code."), "{}", first.err);
    let again = home.gatehouse(&start).run().await.expect_success();
    assert_eq!((again.out.as_str(), again.err.as_str()), (first.out.as_str(), ""));
    let token = home.gatehouse(&["token", "Claude Code"]).run().await.expect_success();
    assert_eq!(token.out, first.out);
    for command in ["block", "allow"] {
        home.gatehouse(&["clients", command, "Claude Code"]).run().await.expect_success();
    }
    served.stop().await;
}

#[tokio::test]
async fn an_undo_is_planned_first_and_a_refusal_names_its_switch() {
    let user = User::new();
    let (home, served) = (&user.home, user.home.serve().await);
    let guided = home.gatehouse(&["clients", "wire", "cursor"]).run().await.expect_code(2);
    assert!(guided.err.contains("`gatehouse clients guide cursor`"), "{}", guided.err);
    home.gatehouse(&["clients", "wire", "claude-code", "--yes"]).run().await.expect_success();
    let path = home.path().join("user/.claude/settings.json");
    let wired = std::fs::read_to_string(&path).expect("the file");
    let unwire = |more: &'static [&'static str]| {
        home.gatehouse(&[&["clients", "unwire", "claude-code"], more].concat()).run()
    };
    let planned = unwire(&["--plan"]).await.expect_success();
    assert!(planned.out.contains("apiKeyHelper"), "{}", planned.out);
    assert_eq!(std::fs::read_to_string(&path).expect("the file"), wired);

    let changed = wired.replace("http://127.0.0.1", "http://localhost");
    private_files::write_atomic(&path, changed.as_bytes()).expect("written");
    let planned = unwire(&["--plan"]).await.expect_success();
    assert!(planned.out.contains("env.ANTHROPIC_BASE_URL in "), "{}", planned.out);
    let refused = unwire(&[]).await.expect_code(2);
    assert!(refused.err.contains("`--changed keep`"), "{}", refused.err);
    unwire(&["--yes", "--changed", "restore"]).await.expect_success();
    served.stop().await;
}

/// The owner of the data folder has no variables of the terminal. It is told their names, and never a value.
#[tokio::test]
async fn a_key_in_the_terminals_own_environment_is_a_conflict_for_who_types_there() {
    let mut user = User::new();
    let served = user.home.serve().await;
    user.home.set("ANTHROPIC_API_KEY", MARKED_KEY);
    let home = &user.home;
    let planned = home.gatehouse(&["clients", "wire", "claude-code", "--plan"]).run().await;
    let planned = planned.expect_success();
    let told = "ANTHROPIC_API_KEY is set in the environment and is used instead; unset it";
    assert!(planned.out.contains(told), "{}", planned.out);
    let wired = home.gatehouse(&["clients", "wire", "claude-code", "--yes"]).run().await;
    let wired = wired.expect_code(1);
    assert!(wired.out.contains("ANTHROPIC_API_KEY"), "{}", wired.out);
    let status = home.gatehouse(&["clients", "status"]).run().await.expect_success();
    assert!(status.out.contains(told), "{}", status.out);
    for text in [&planned.out, &wired.out, &status.out] {
        assert!(!text.contains(MARKED_KEY), "{text}");
    }
    assert_eq!(search_tree(home.path(), MARKED_KEY).expect("searched"), Vec::<PathBuf>::new());
    // Elsewhere nothing outranks it.
    user.home.set("ANTHROPIC_API_KEY", "");
    let status = user.home.gatehouse(&["clients", "status"]).run().await.expect_success();
    assert!(!status.out.contains("ANTHROPIC_API_KEY"), "{}", status.out);
    served.stop().await;
}

#[tokio::test]
async fn codex_with_a_profile_of_another_provider_is_not_started_past_the_gateway() {
    let user = User::new();
    let home = &user.home;
    let served = home.serve().await;
    user.write(".codex/config.toml", "profile = \"w\"\n[profiles.w]\nmodel_provider = \"relay\"\n");
    let refused = home.gatehouse(&["run", "codex", "--", "codex"]).run().await.expect_code(1);
    assert!(refused.err.contains("profiles.w.model_provider in "), "{}", refused.err);
    assert!(refused.err.contains("remove it or choose another profile"), "{}", refused.err);
    served.stop().await;
}
