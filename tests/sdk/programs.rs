//! Real coding tools, pinned in `programs/package-lock.json`: each is pointed at the gateway, reads
//! a file with a tool call against a scripted backend, and is restored.

use std::path::PathBuf;

use acceptance::{HomeVault, TestHome};
use serde_json::{Value, json};
use test_support::{ReceivedRequest, Reply, ScriptedUpstream, skip_unless_strict};

/// Only in the file that the tools are to read.
const WORD: &str = "heron-4711";

/// A user with a project and the tools in the search path.
struct User {
    home: TestHome,
    folder: PathBuf,
    packages: PathBuf,
}

impl User {
    /// None if the tools are not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the tools says where")]
    fn new() -> Option<Self> {
        let Some(packages) = std::env::var_os("GATEHOUSE_SDK_PROGRAMS").map(PathBuf::from) else {
            skip_unless_strict(
                "GATEHOUSE_SDK_PROGRAMS is not set; run `cargo xtask test --only sdk`",
            );
            return None;
        };
        let mut home = TestHome::new(HomeVault::File);
        let folder = home.path().join("user");
        for name in [".codex", ".gemini", "project"] {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        }
        home.set("HOME", &folder.display().to_string());
        // What the tools would otherwise fetch or send.
        home.set("OPENCODE_DISABLE_MODELS_FETCH", "1");
        home.set("OPENCODE_DISABLE_AUTOUPDATE", "1");
        let user = Self { home, folder, packages };
        let note = user.folder.join("project/note.txt");
        private_files::write_atomic(&note, format!("The word is {WORD}.\n").as_bytes())
            .expect("written");
        Some(user)
    }

    /// A program of a package.
    fn program(&self, path: &str) -> String {
        self.packages.join("node_modules").join(path).display().to_string()
    }

    /// Arguments with which Codex CLI reads the note. Its own sandbox needs rights that a container lacks.
    fn codex_exec(&self) -> [String; 6] {
        let project = self.folder.join("project").display().to_string();
        [
            "exec",
            "--cd",
            &project,
            "--skip-git-repo-check",
            "--dangerously-bypass-approvals-and-sandbox",
            "Which word is in note.txt?",
        ]
        .map(str::to_owned)
    }

    async fn add_backend(&self, upstream: &ScriptedUpstream) {
        let url = upstream.base_url();
        let add = ["backends", "add", "up", "--kind", "openai-compatible", "--base-url", &url];
        self.home.gatehouse(&add).run().await.expect_success();
    }
}

/// Calls the tool that reads the note, and then answers with what it said of the word.
async fn backend(user: &User) -> ScriptedUpstream {
    let note = user.folder.join("project/note.txt").display().to_string();
    let upstream = ScriptedUpstream::start_with(move |request| Some(answer(request, &note))).await;
    upstream.expect("an upstream")
}

fn answer(request: &ReceivedRequest, note: &str) -> Reply {
    if request.path.ends_with("/models") {
        return Reply::models(&["m1"]);
    }
    let body = request.json();
    let messages = items(&body, "messages");
    let result = messages.iter().rev().find(|message| text(message, "role") == "tool");
    let (delta, finish) = match (result, reading_call(&body, note)) {
        (Some(result), _) if result.to_string().contains(WORD) => {
            (json!({"content": format!("I read {WORD}.")}), "stop")
        }
        (Some(_), _) => (json!({"content": "The tool failed."}), "stop"),
        (None, Some((name, arguments))) => {
            let function = json!({"name": name, "arguments": arguments.to_string()});
            let call =
                json!({"index": 0, "id": "call_1", "type": "function", "function": function});
            (json!({"tool_calls": [call]}), "tool_calls")
        }
        // A title for the conversation, for which no tool is offered.
        (None, None) => (json!({"content": "A note"}), "stop"),
    };
    let chunk = |choices: Value, usage: Value| {
        json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m1",
            "choices": choices, "usage": usage})
    };
    let usage = json!({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15});
    let events = [
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": null}]), Value::Null),
        chunk(json!([{"index": 0, "delta": {}, "finish_reason": finish}]), Value::Null),
        chunk(json!([]), usage),
    ];
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    Reply::sse(events.chain(["data: [DONE]\n\n".to_owned()]))
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The tool that reads a file, as each program offers it.
fn reading_call(body: &Value, note: &str) -> Option<(&'static str, Value)> {
    let offered = |name: &str| {
        let named = |tool: &Value| tool.get("function").map(|it| text(it, "name")) == Some(name);
        items(body, "tools").iter().any(named)
    };
    let calls = [
        ("exec_command", json!({"cmd": format!("cat {note}")})),
        ("read_file", json!({"file_path": note})),
        ("read", json!({"filePath": note})),
    ];
    calls.into_iter().find(|(name, _)| offered(name))
}

#[tokio::test]
#[ignore = "needs the tools of programs/package-lock.json"]
async fn codex_cli_works_wired_and_when_run_starts_it_and_gets_its_file_back() {
    let Some(user) = User::new() else { return };
    let (upstream, home) = (backend(&user).await, &user.home);
    let config = user.folder.join(".codex/config.toml");
    let before = "# mine\nmodel = \"up/m1\"\n";
    private_files::write_atomic(&config, before.as_bytes()).expect("written");
    let served = home.serve().await;
    user.add_backend(&upstream).await;
    home.gatehouse(&["clients", "wire", "codex", "--yes"]).run().await.expect_success();

    let exec = user.codex_exec();
    let exec: Vec<_> = exec.iter().map(String::as_str).collect();
    let codex = user.program(".bin/codex");
    let said = home.program(&codex, &exec).run().await.expect_success();
    assert!(said.out.contains(WORD), "{}\n{}", said.out, said.err);
    // The options of `run` stand beside the wired provider.
    let run = [&["run", "codex", "--", &codex], &exec[..]].concat();
    let said = home.gatehouse(&run).run().await.expect_success();
    assert!(said.out.contains(WORD), "{}\n{}", said.out, said.err);
    home.gatehouse(&["clients", "unwire", "codex"]).run().await.expect_success();
    let after = std::fs::read_to_string(&config).expect("the file");
    assert!(after.starts_with(before) && !after.contains("gatehouse"), "{after}");
    served.stop().await;
}

#[tokio::test]
#[ignore = "needs the tools of programs/package-lock.json"]
async fn gemini_cli_works_once_it_is_wired_and_started_by_run() {
    let Some(user) = User::new() else { return };
    let (upstream, home) = (backend(&user).await, &user.home);
    let settings_file = user.folder.join(".gemini/settings.json");
    let before = "{\n  // mine\n  \"telemetry\": { \"enabled\": false },\n  \"privacy\": { \"usageStatisticsEnabled\": false }\n}\n";
    private_files::write_atomic(&settings_file, before.as_bytes()).expect("written");
    let served = home.serve().await;
    user.add_backend(&upstream).await;
    home.gatehouse(&["clients", "wire", "gemini-cli", "--yes"]).run().await.expect_success();

    let project = user.folder.join("project").display().to_string();
    let gemini = user.program(".bin/gemini");
    let start = [
        "run",
        "gemini-cli",
        "--",
        &gemini,
        "-m",
        "up/m1",
        "--skip-trust",
        "--include-directories",
        &project,
        "-p",
        "Which word is in note.txt?",
    ];
    let said = home.gatehouse(&start).run().await.expect_success();
    assert!(said.out.contains(WORD), "{}\n{}", said.out, said.err);
    home.gatehouse(&["clients", "unwire", "gemini-cli"]).run().await.expect_success();
    assert_eq!(std::fs::read_to_string(&settings_file).expect("the file"), before);
    served.stop().await;
}

#[tokio::test]
#[ignore = "needs the tools of programs/package-lock.json"]
async fn opencode_works_when_run_starts_it_and_through_its_wired_file() {
    let Some(user) = User::new() else { return };
    let (upstream, home) = (backend(&user).await, &user.home);
    let config = user.folder.join(".config/opencode/opencode.json");
    std::fs::create_dir_all(config.parent().expect("a folder")).expect("created");
    let before = "{\n  // mine\n  \"share\": \"disabled\",\n}\n";
    private_files::write_atomic(&config, before.as_bytes()).expect("written");
    let served = home.serve().await;
    user.add_backend(&upstream).await;
    let project = user.folder.join("project").display().to_string();
    // The package's own name for this system's program; its install script is not run.
    let opencode = user.program("opencode-linux-x64/bin/opencode");
    let start = [
        "run",
        "opencode",
        "--",
        &opencode,
        "run",
        "--dir",
        &project,
        "-m",
        "gatehouse/up/m1",
        "Which word is in note.txt?",
    ];
    let said = home.gatehouse(&start).run().await.expect_success();
    assert!(said.out.contains(WORD), "{}\n{}", said.out, said.err);

    // With the provider in its own file alone, and nothing but the token in its environment.
    home.gatehouse(&["clients", "wire", "opencode", "--yes"]).run().await.expect_success();
    let token = home.gatehouse(&["token", "opencode"]).run().await.expect_success().out;
    let variable = format!("GATEHOUSE_API_KEY={}", token.trim());
    let question = "Which word is in note.txt?";
    let start = [&variable, &opencode, "run", "--dir", &project, "-m", "gatehouse/up/m1", question];
    let said = home.program("env", &start).run().await.expect_success();
    assert!(said.out.contains(WORD), "{}\n{}", said.out, said.err);
    home.gatehouse(&["clients", "unwire", "opencode"]).run().await.expect_success();
    // OpenCode writes this line itself when it starts; it is not ours to take back.
    let schema = "  \"$schema\": \"https://opencode.ai/config.json\",\n";
    let left = std::fs::read_to_string(&config).expect("the file");
    assert_eq!(left.replace(schema, ""), before);
    served.stop().await;
}
