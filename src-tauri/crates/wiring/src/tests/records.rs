//! Records hold no key in plain text, are read back at any size, and lose no change of another program.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::agents::server;
use super::world::{World, read, target};
use crate::{AgentProgram, ChangedKeys, ClientTool, LeftSealed, Wiring, WiringError, WiringState};

const CLAUDE: ClientTool = ClientTool::ClaudeCode;
const CANARY: &str = "sk-ant-CANARY-0123456789abcdef";

/// A file of Claude Code with a key that wiring takes out, and one that it leaves.
fn with_keys() -> String {
    format!(
        "{{\n  \"env\": {{\n    \"ANTHROPIC_AUTH_TOKEN\": \"{CANARY}\",\n    \
         \"OTHER_API_KEY\": \"{CANARY}-other\"\n  }},\n  \"model\": \"opus\"\n}}\n"
    )
}

/// Every file below a folder that holds the marked key.
fn files_with_key(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files_with_key(&path));
        } else if String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).contains("CANARY")
        {
            found.push(path.display().to_string());
        }
    }
    found
}

/// Calls `observe` after each step, with the number of steps before.
fn observe<T: crate::WiredTool>(
    wiring: &mut Wiring<T>,
    observe: impl Fn(usize) + Send + Sync + 'static,
) {
    let steps = AtomicUsize::new(0);
    wiring.disk.after_step = Some(Box::new(move || observe(steps.fetch_add(1, Ordering::Relaxed))));
}

#[test]
fn no_file_of_ours_holds_a_key_of_the_user_at_any_step() {
    let world = World::new();
    let (config, state) = (world.config(CLAUDE), world.path("state"));
    world.write(&config, &with_keys());
    let found = Arc::new(std::sync::Mutex::new(Vec::new()));
    let mut wiring = world.wiring();
    let (seen, searched) = (Arc::clone(&found), state);
    observe(&mut wiring, move |_| seen.lock().expect("a lock").extend(files_with_key(&searched)));
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    assert!(!read(&config).expect("the file").contains("ANTHROPIC_AUTH_TOKEN"));
    assert_eq!(world.vault.names(), ["claude-code"]);
    wiring.wire(CLAUDE, &target(), None).expect("wired again");
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config), Some(with_keys()), "byte for byte");
    assert_eq!(*found.lock().expect("a lock"), Vec::<String>::new());
    assert_eq!(world.vault.names(), Vec::<String>::new(), "the key went with the record");
}

#[test]
fn a_file_whose_keys_are_left_alone_needs_no_vault_and_leaves_none_in_the_record() {
    let world = World::new();
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
    let config = world.home().join(".claude.json");
    world.write(&config, &with_keys());
    let agents: Wiring<AgentProgram> = world.wiring_of();
    agents.wire(AgentProgram::ClaudeCode, &server(), None).expect("written");
    assert_eq!(files_with_key(&world.path("state")), Vec::<String>::new());
    agents.unwire(AgentProgram::ClaudeCode, ChangedKeys::Refuse).expect("undone");
    assert_eq!(read(&config), Some(with_keys()));
}

/// Files with a secret that no mask would find, each taken out by the wiring.
fn odd_secrets() -> [(ClientTool, String); 6] {
    let claude = |settings: serde_json::Value| (CLAUDE, format!("{settings:#}\n"));
    let env = |name: &str, value: &str| claude(serde_json::json!({"env": {name: value}}));
    let helper = "security find-generic-password; echo odd CANARY";
    [
        env("ANTHROPIC_BASE_URL", "https://me:CANARY@up.example/v1"),
        env("CLAUDE_CODE_USE_BEDROCK", "CANARY"),
        claude(serde_json::json!({"apiKeyHelper": helper})),
        claude(serde_json::json!({"apiKeyHelper": {"note": ["Bearer", "CANARY"]}})),
        (ClientTool::Codex, "model_provider = \"CANARY\" # mine\n".to_owned()),
        (
            ClientTool::Aider,
            "model: sonnet # CANARY\nopenai-api-base: http://h/CANARY\n".to_owned(),
        ),
    ]
}

#[test]
fn what_is_taken_out_is_sealed_whatever_it_looks_like() {
    for (tool, before) in odd_secrets() {
        let world = World::new();
        let (mut wiring, config) = (world.wiring(), world.config(tool));
        world.write(&config, &before);
        let found = Arc::new(std::sync::Mutex::new(Vec::new()));
        let (seen, searched) = (Arc::clone(&found), world.path("state"));
        observe(&mut wiring, move |_| {
            seen.lock().expect("a lock").extend(files_with_key(&searched));
        });
        *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
        let error = wiring.wire(tool, &target(), None).expect_err("refused");
        assert!(matches!(error, WiringError::NotSealed { .. }), "{before}: {error}");
        assert_eq!(read(&config).as_ref(), Some(&before));
        *world.vault.locked.lock().expect("a lock") = None;
        wiring.wire(tool, &target(), None).expect("wired");
        wiring.wire(tool, &target(), None).expect("wired again");
        wiring.unwire(tool, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config), Some(before.clone()));
        assert_eq!(*found.lock().expect("a lock"), Vec::<String>::new(), "{before}");
        assert_eq!(world.vault.names(), Vec::<String>::new());
    }
}

#[test]
fn a_file_that_only_gets_keys_needs_no_vault() {
    let commented = "// first\n{\n  \"env\": {\n    \"A\": \"CANARY\" // CANARY\n  }, /* CANARY */\n  \
                     \"model\": \"opus\" // CANARY\n}\n";
    let one_line = "{\"env\":{\"A\":\"CANARY\"},\"b\":\"CANARY\",\"c\":[1]}";
    let switched =
        "{\n  \"env\": {\n    \"A\": \"CANARY\",\n    \"CLAUDE_CODE_USE_VERTEX\": \"1\"\n  }\n}\n";
    for before in [commented, one_line, switched] {
        let world = World::new();
        let (wiring, config) = (world.wiring(), world.config(CLAUDE));
        *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
        world.write(&config, before);
        wiring.wire(CLAUDE, &target(), None).expect("wired");
        wiring.wire(CLAUDE, &target(), None).expect("wired again");
        assert_eq!(files_with_key(&world.path("state")), Vec::<String>::new(), "{before}");
        wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config).as_deref(), Some(before));
    }
}

/// As a version wrote it that sealed only what looked like a key.
#[test]
fn a_record_with_a_secret_that_was_not_seen_is_sealed_at_the_next_start() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    let before = "{\n  \"env\": {\"ANTHROPIC_BASE_URL\": \"https://me:CANARY@up.example\"}\n}\n";
    world.write(&config, before);
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let path = world.path("state/wiring/claude-code.json");
    let record = read(&path).expect("a record");
    let mut record: serde_json::Value = serde_json::from_str(&record).expect("JSON");
    let undo = crate::text_patch::TextPatch::between(&read(&config).expect("wired"), before);
    let plain = serde_json::json!({"Plain": {
        "values": [null, "https://me:CANARY@up.example", null, null, null, null, null],
        "undo": undo, "redo": null,
    }});
    *record.pointer_mut("/files/0/taken_out").expect("what was taken out") = plain;
    world.write(&path, &record.to_string());
    world.vault.keys.lock().expect("a lock").clear();
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
    assert_eq!(wiring.repair().len(), 1, "it says that the secret is still there");
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Wired);
    *world.vault.locked.lock().expect("a lock") = None;
    assert!(wiring.repair().is_empty());
    assert_eq!(files_with_key(&world.path("state")), Vec::<String>::new());
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config).as_deref(), Some(before));
}

/// A vault that does not answer until it is told to.
struct SlowVault {
    vault: Arc<super::world::TestVault>,
    /// True if the one that does not answer is the one that is not in use.
    is_elsewhere: bool,
    asked: std::sync::Mutex<Option<std::sync::mpsc::Sender<()>>>,
    answer: std::sync::Mutex<std::sync::mpsc::Receiver<()>>,
}

impl SlowVault {
    fn wait(&self) -> Result<(), crate::RecordKeysError> {
        if let Some(asked) = self.asked.lock().expect("a lock").take() {
            asked.send(()).expect("the test waits");
            let patience = std::time::Duration::from_secs(10);
            let answer = self.answer.lock().expect("a lock").recv_timeout(patience);
            answer.map_err(|_| crate::RecordKeysError("it was held up".to_owned()))?;
        }
        Ok(())
    }
}

impl crate::RecordKeys for SlowVault {
    fn find(&self, record: &str) -> Result<Option<domain::Secret>, crate::RecordKeysError> {
        if !self.is_elsewhere {
            self.wait()?;
        }
        self.vault.find(record)
    }

    fn find_elsewhere(
        &self,
        record: &str,
        opens: &dyn Fn(&domain::Secret) -> bool,
    ) -> Result<Option<domain::Secret>, crate::RecordKeysError> {
        if self.is_elsewhere {
            self.wait()?;
        }
        self.vault.find_elsewhere(record, opens)
    }

    fn create(&self, record: &str) -> Result<domain::Secret, crate::RecordKeysError> {
        self.vault.create(record)
    }

    fn remove(&self, record: &str) {
        self.vault.remove(record);
    }
}

#[test]
fn a_vault_that_does_not_answer_holds_up_no_other_tool() {
    let world = World::new();
    world.write(&world.config(CLAUDE), &with_keys());
    let others = world.wiring();
    for (is_wired, is_elsewhere) in [(false, false), (true, false), (false, false), (true, true)] {
        if is_elsewhere {
            let kept = std::mem::take(&mut *world.vault.keys.lock().expect("a lock"));
            *world.vault.elsewhere.lock().expect("a lock") = kept;
        }
        let (asked, is_asked) = std::sync::mpsc::channel();
        let (go, answer) = std::sync::mpsc::channel();
        let vault = Arc::clone(&world.vault);
        let slow = SlowVault {
            vault,
            is_elsewhere,
            asked: std::sync::Mutex::new(Some(asked)),
            answer: std::sync::Mutex::new(answer),
        };
        let slow: Wiring = Wiring::new(world.environment(), &world.path("state"), Arc::new(slow));
        std::thread::scope(|scope| {
            let changed = scope.spawn(|| match is_wired {
                false => slow.wire(CLAUDE, &target(), None),
                true => slow.unwire(CLAUDE, ChangedKeys::Refuse),
            });
            is_asked.recv().expect("the vault is asked");
            others.wire(ClientTool::Codex, &target(), None).expect("wired meanwhile");
            others.unwire(ClientTool::Codex, ChangedKeys::Refuse).expect("unwired meanwhile");
            go.send(()).expect("it waits");
            changed.join().expect("no panic").expect("changed");
        });
    }
    assert_eq!(read(&world.config(CLAUDE)), Some(with_keys()));
}

#[test]
fn without_a_vault_a_key_stays_in_the_tools_file_and_the_reason_is_told() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    world.write(&config, &with_keys());
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked. Unlock it");
    let error = wiring.wire(CLAUDE, &target(), None).expect_err("refused");
    assert!(matches!(&error, WiringError::NotSealed { path, .. } if *path == config), "{error}");
    let told = error.to_string();
    assert!(told.contains("the vault is locked. Unlock it") && !told.contains("CANARY"), "{told}");
    assert_eq!(read(&config), Some(with_keys()));
    assert_eq!(world.names(&world.path("state")), Vec::<String>::new());
}

#[test]
fn an_undo_waits_for_the_vault_and_where_the_key_is_lost_ours_alone_is_taken_out() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    world.write(&config, &with_keys());
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let wired = read(&config);
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Wired, "a state needs no vault");
    for changed in ChangedKeys::ALL.iter().filter(|it| **it != ChangedKeys::LeaveSealed) {
        let error = wiring.unwire(CLAUDE, *changed).expect_err("refused");
        assert!(matches!(error, WiringError::Sealed { .. }), "{changed}: {error}");
    }
    *world.vault.locked.lock().expect("a lock") = None;
    let kept = std::mem::take(&mut *world.vault.keys.lock().expect("a lock"));
    let error = wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect_err("refused");
    assert!(matches!(error, WiringError::SealLost(_)), "{error}");
    assert_eq!(read(&config), wired);
    *world.vault.keys.lock().expect("a lock") = kept;
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config), Some(with_keys()));

    wiring.wire(CLAUDE, &target(), None).expect("wired");
    world.vault.keys.lock().expect("a lock").clear();
    let record = std::fs::read(world.path("state/wiring/claude-code.json")).expect("a record");
    wiring.unwire(CLAUDE, ChangedKeys::Keep).expect("released");
    let aside = world.path("state/wiring/claude-code.lost-1.json");
    let aside = std::fs::read(aside).expect("kept for the vault of then");
    let sealed = |record: &[u8]| {
        let record: serde_json::Value = serde_json::from_slice(record).expect("JSON");
        record.pointer("/files/0/taken_out").cloned().expect("what was taken out")
    };
    assert_eq!(sealed(&aside), sealed(&record));
    let left: String = read(&config).expect("the file");
    assert!(left.contains("OTHER_API_KEY") && !left.contains("apiKeyHelper"), "{left}");
    assert!(!left.contains("ANTHROPIC"), "{left}");
    assert_eq!(wiring.status(CLAUDE).state, WiringState::NotWired);
}

/// What is left out of `with_keys` where no vault opens its record.
fn left_sealed(world: &World) -> [LeftSealed; 1] {
    [LeftSealed { file: world.config(CLAUDE), keys: vec!["env.ANTHROPIC_AUTH_TOKEN".to_owned()] }]
}

#[test]
fn whoever_cannot_open_the_vault_any_more_leaves_out_what_it_seals() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    world.write(&config, &with_keys());
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let record = std::fs::read_to_string(world.path("state/wiring/claude-code.json"));
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");

    let plan = wiring.plan_unwire(CLAUDE, ChangedKeys::LeaveSealed).expect("a plan");
    assert_eq!(plan.left_sealed, left_sealed(&world), "the plan tells it");
    let undone = wiring.unwire(CLAUDE, ChangedKeys::LeaveSealed).expect("undone");
    assert_eq!(
        (undone.state, &undone.left_sealed[..]),
        (WiringState::NotWired, &left_sealed(&world)[..])
    );
    let left = read(&config).expect("the file");
    assert!(left.contains("OTHER_API_KEY") && !left.contains("apiKeyHelper"), "{left}");
    assert!(!left.contains("ANTHROPIC"), "{left}");
    let sealed = |text: &str| {
        let record: serde_json::Value = serde_json::from_str(text).expect("JSON");
        record.pointer("/files/0/taken_out").cloned().expect("what was taken out")
    };
    let aside = std::fs::read_to_string(world.path("state/wiring/claude-code.lost-1.json"));
    assert_eq!(sealed(&aside.expect("kept")), sealed(&record.expect("a record")));
    assert_eq!(world.vault.names(), ["claude-code"], "its key stays too");
}

#[test]
fn where_the_vault_opens_nothing_is_left_out() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    world.write(&config, &with_keys());
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let undone = wiring.unwire(CLAUDE, ChangedKeys::LeaveSealed).expect("undone");
    assert_eq!(undone.left_sealed, []);
    assert_eq!(read(&config), Some(with_keys()));
}

#[test]
fn an_undo_that_a_kill_left_half_done_may_leave_out_what_is_sealed_too() {
    for phase in [r#"{"Unwiring": "keep"}"#, r#"{"Unwiring": "leave-sealed"}"#, r#""Wiring""#] {
        let world = World::new();
        let (wiring, config) = (world.wiring(), world.config(CLAUDE));
        world.write(&config, &with_keys());
        wiring.wire(CLAUDE, &target(), None).expect("wired");
        let path = world.path("state/wiring/claude-code.json");
        let record = std::fs::read_to_string(&path).expect("a record");
        world.write(&path, &record.replacen("\"Wired\"", phase, 1));
        *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
        assert!(wiring.unwire(CLAUDE, ChangedKeys::Keep).is_err(), "{phase}");
        let undone = wiring.unwire(CLAUDE, ChangedKeys::LeaveSealed);
        let undone = undone.expect(phase);
        assert_eq!(undone.state, WiringState::NotWired);
        assert_eq!(undone.left_sealed, left_sealed(&world), "{phase}");
        let left = read(&config).expect("the file");
        assert!(!left.contains("apiKeyHelper") && left.contains("OTHER_API_KEY"), "{left}");
    }
}

#[test]
fn an_undo_that_puts_nothing_back_needs_no_vault() {
    let theirs = "{\n  \"model\": \"opus\"\n}\n";
    let names = "ANTHROPIC_BASE_URL ANTHROPIC_AUTH_TOKEN ANTHROPIC_API_KEY CLAUDE_CODE_USE_BEDROCK \
                 CLAUDE_CODE_USE_FOUNDRY CLAUDE_CODE_USE_VERTEX";
    let env: serde_json::Map<String, serde_json::Value> =
        names.split(' ').map(|name| (name.to_owned(), "x".into())).collect();
    let foreign = serde_json::json!({"apiKeyHelper": "x", "env": env}).to_string();
    for (now, changed, is_released) in [
        (None, ChangedKeys::Refuse, true),
        (None, ChangedKeys::Keep, true),
        (Some(foreign.as_str()), ChangedKeys::Keep, true),
        // A key that wiring took out may have to be put back.
        (Some(theirs), ChangedKeys::Keep, false),
        (Some(foreign.as_str()), ChangedKeys::Refuse, false),
        (Some(foreign.as_str()), ChangedKeys::Restore, false),
    ] {
        let world = World::new();
        let (wiring, config) = (world.wiring(), world.config(CLAUDE));
        world.write(&config, &with_keys());
        wiring.wire(CLAUDE, &target(), None).expect("wired");
        match now {
            Some(now) => world.write(&config, now),
            None => std::fs::remove_file(&config).expect("removed"),
        }
        *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
        let plan = wiring.plan_unwire(CLAUDE, changed);
        assert_eq!(plan.is_ok(), is_released, "{now:?} {changed}: {plan:?}");
        let undone = wiring.unwire(CLAUDE, changed);
        assert_eq!(undone.is_ok(), is_released, "{now:?} {changed}: {undone:?}");
        assert_eq!(read(&config).as_deref(), now, "nothing of ours was in it");
        // What was taken out stays for the time when the vault is unlocked.
        let aside = world.path("state/wiring/claude-code.lost-1.json").exists();
        assert_eq!(aside, is_released);
        assert_eq!(world.vault.names(), ["claude-code"]);
    }
}

#[test]
fn a_record_is_opened_with_a_key_that_is_left_in_another_vault() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    let name = "claude-code".to_owned();
    world.write(&config, &with_keys());
    for is_another_in_use in [false, true] {
        wiring.wire(CLAUDE, &target(), None).expect("wired");
        let kept = std::mem::take(&mut *world.vault.keys.lock().expect("a lock"));
        let (state, key) = (world.path("state"), &kept[&name]);
        let other = domain::Secret::parse("another".to_owned()).expect("a secret");
        assert!(crate::is_sealed_with(&state, &name, key));
        assert!(!crate::is_sealed_with(&state, &name, &other));
        assert!(!crate::is_sealed_with(&state, "codex", key));
        if is_another_in_use {
            world.vault.keys.lock().expect("a lock").insert(name.clone(), other);
        }
        *world.vault.elsewhere.lock().expect("a lock") = kept;
        wiring.wire(CLAUDE, &target(), None).expect("wired again");
        wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config), Some(with_keys()));
    }
}

#[test]
fn a_key_is_not_called_lost_while_another_vault_cannot_be_searched() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(CLAUDE));
    world.write(&config, &with_keys());
    wiring.wire(CLAUDE, &target(), None).expect("wired");
    let (wired, record) = (read(&config), world.path("state/wiring/claude-code.json"));
    let kept = std::mem::take(&mut *world.vault.keys.lock().expect("a lock"));
    *world.vault.locked_elsewhere.lock().expect("a lock") = Some("the other vault is locked");
    for changed in ChangedKeys::ALL.iter().filter(|it| **it != ChangedKeys::LeaveSealed) {
        let error = wiring.unwire(CLAUDE, *changed).expect_err("refused");
        assert!(matches!(error, WiringError::Sealed { .. }), "{changed}: {error}");
        assert!(error.to_string().contains("the other vault is locked"), "{error}");
        assert_eq!(read(&config), wired);
        assert!(record.exists(), "{changed}: nothing is set aside");
    }
    let error = wiring.wire(CLAUDE, &target(), None).expect_err("refused");
    assert!(matches!(error, WiringError::Sealed { .. }), "{error}");
    *world.vault.elsewhere.lock().expect("a lock") = kept;
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired: one of them has the key");
    assert_eq!(read(&config), Some(with_keys()));
}

/// As the first version wrote it.
fn first_record(world: &World, phase: &str) -> String {
    let before = with_keys();
    let config = world.config(CLAUDE);
    world.write(&config, &before);
    world.wiring().wire(CLAUDE, &target(), None).expect("wired");
    let written = read(&config).expect("the file");
    let value = |name: &str| {
        let root: serde_json::Value = serde_json::from_str(&written).expect("JSON");
        root.pointer(name).cloned()
    };
    let removed = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"].map(|name| {
        let before = (name == "ANTHROPIC_AUTH_TOKEN").then_some(CANARY);
        serde_json::json!({"path": ["env", name], "before": before, "written": null})
    });
    let mut keys = vec![
        serde_json::json!({"path": ["apiKeyHelper"], "before": null,
            "written": value("/apiKeyHelper")}),
        serde_json::json!({"path": ["env", "ANTHROPIC_BASE_URL"], "before": null,
            "written": value("/env/ANTHROPIC_BASE_URL")}),
    ];
    keys.extend(removed);
    let record = serde_json::json!({
        "version": 1, "phase": phase, "client": "my-tool", "address": "http://127.0.0.1:4283",
        "files": [{
            "path": config, "format": "Json", "before": before, "written": written,
            "replaced": before, "keys": keys, "created_folders": [],
        }],
    });
    world.vault.keys.lock().expect("a lock").clear();
    record.to_string()
}

#[test]
fn a_record_of_the_first_version_is_read_and_sealed_at_the_next_start() {
    let world = World::new();
    let (config, record) = (world.config(CLAUDE), world.path("state/wiring/claude-code.json"));
    let first = first_record(&world, "Wired");
    world.write(&record, &first);
    let wiring = world.wiring();
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Wired);
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
    assert_eq!(wiring.repair().len(), 1, "it says that the key is still there");
    assert_eq!(read(&record).as_ref(), Some(&first));
    *world.vault.locked.lock().expect("a lock") = None;
    assert!(wiring.repair().is_empty());
    assert_eq!(files_with_key(&world.path("state")), Vec::<String>::new());
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config), Some(with_keys()));

    // Without a vault the undo of such a record works all the same.
    world.write(&record, &first_record(&world, "Wired"));
    *world.vault.locked.lock().expect("a lock") = Some("the vault is locked");
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired");
    assert_eq!(read(&config), Some(with_keys()));
    assert_eq!(world.names(&world.path("state/wiring")), ["lock"]);
}

#[test]
fn an_unfinished_record_of_the_first_version_is_finished() {
    let world = World::new();
    let (config, record) = (world.config(CLAUDE), world.path("state/wiring/claude-code.json"));
    let first = first_record(&world, "Wiring");
    let wired = read(&config);
    world.write(&config, &with_keys());
    world.write(&record, &first);
    let wiring = world.wiring();
    assert!(wiring.repair().is_empty());
    assert_eq!(read(&config), wired);
    assert_eq!(wiring.status(CLAUDE).state, WiringState::Wired);
    assert_eq!(files_with_key(&world.path("state")), Vec::<String>::new());
}

/// Claude Code's own file, with what it remembers of each project: 2 MiB.
fn large_file() -> String {
    let mut text = String::from("{\n  \"projects\": {\n");
    let history = "\\\"said\\\" ".repeat(1_000);
    for number in 0.. {
        let line =
            format!("    \"/home/me/project-{number:06}\": {{\"history\": \"{history}\"}},\n");
        text.push_str(&line);
        if text.len() > 2 << 20 {
            break;
        }
    }
    text + "    \"/home/me/last\": {}\n  }\n}\n"
}

#[test]
fn a_large_file_is_wired_again_and_undone() {
    let world = World::new();
    let config = world.home().join(".claude.json");
    let before = large_file();
    world.write(&config, &before);
    let agents: Wiring<AgentProgram> = world.wiring_of();
    for _ in 0..2 {
        let status = agents.wire(AgentProgram::ClaudeCode, &server(), None).expect("written");
        assert_eq!(status.state, WiringState::Wired);
    }
    let record = world.path("state/wiring/claude-code-mcp.json").metadata().expect("a record");
    assert!(record.len() < 4_096, "{} bytes", record.len());
    agents.unwire(AgentProgram::ClaudeCode, ChangedKeys::Refuse).expect("undone");
    assert_eq!(read(&config), Some(before));
}

#[test]
fn a_record_of_the_first_version_of_a_large_file_is_read() {
    let world = World::new();
    let config = world.home().join(".claude.json");
    let (before, record) = (large_file(), world.path("state/wiring/claude-code-mcp.json"));
    world.write(&config, &before);
    let agents: Wiring<AgentProgram> = world.wiring_of();
    agents.wire(AgentProgram::ClaudeCode, &server(), None).expect("written");
    let written = read(&config).expect("the file");
    let root: serde_json::Value = serde_json::from_str(&written).expect("JSON");
    let first = serde_json::json!({
        "version": 1, "phase": "Wired", "client": null, "address": null,
        "files": [{
            "path": config, "format": "Json", "before": before, "written": written,
            "replaced": before, "created_folders": [],
            "keys": [{"path": ["mcpServers", "gatehouse"], "before": null,
                "written": root.pointer("/mcpServers/gatehouse")}],
        }],
    });
    let first = serde_json::to_string_pretty(&first).expect("JSON");
    assert!(first.len() as u64 > crate::files::CONFIG_BYTES_MAX, "{} bytes", first.len());
    world.write(&record, &first);
    agents.unwire(AgentProgram::ClaudeCode, ChangedKeys::Refuse).expect("undone");
    assert_eq!(read(&config), Some(before));
}

const BEFORE: &str = "{\n  \"model\": \"opus\"\n}\n";

/// Saves the tool's file once, at the last moment before it is replaced.
fn save_before_replacement<T: crate::WiredTool>(
    wiring: &mut Wiring<T>,
    config: &Path,
    change: impl Fn(&str) -> String + Send + Sync + 'static,
) {
    let (config, is_saved) = (config.to_owned(), std::sync::atomic::AtomicBool::new(false));
    observe(wiring, move |_| {
        let folder = config.parent().expect("a folder");
        let is_about_to = folder.read_dir().expect("a folder").flatten().any(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            name.starts_with(".gatehouse-wiring-")
                && entry.metadata().is_ok_and(|found| found.len() > 0)
        });
        if is_about_to && !is_saved.swap(true, Ordering::Relaxed) {
            let text = std::fs::read_to_string(&config).unwrap_or_default();
            let mut file = std::fs::File::create(&config).expect("a file");
            std::io::Write::write_all(&mut file, change(&text).as_bytes()).expect("written");
        }
    });
}

#[test]
fn what_a_tool_saves_while_it_is_wired_or_unwired_is_kept() {
    let world = World::new();
    let config = world.config(CLAUDE);
    world.write(&config, BEFORE);
    let mut wiring = world.wiring();
    save_before_replacement(&mut wiring, &config, |text| text.replace("opus", "haiku"));
    let status = wiring.wire(CLAUDE, &target(), None).expect("wired at the second attempt");
    assert_eq!(status.state, WiringState::Wired);
    assert!(read(&config).expect("the file").contains("haiku"));

    save_before_replacement(&mut wiring, &config, |text| text.replace("haiku", "sonnet"));
    wiring.unwire(CLAUDE, ChangedKeys::Refuse).expect("unwired at the second attempt");
    assert_eq!(read(&config), Some(BEFORE.replace("opus", "sonnet")));
}

#[test]
fn what_was_shown_is_not_carried_out_on_another_text() {
    let world = World::new();
    let config = world.config(CLAUDE);
    let changed = BEFORE.replace("opus", "haiku");
    for before in [Some(BEFORE), None] {
        match before {
            Some(before) => world.write(&config, before),
            None => std::fs::remove_file(&config).expect("removed"),
        }
        let mut wiring = world.wiring();
        let plan = wiring.plan(CLAUDE, &target()).expect("a plan");
        let text = changed.clone();
        save_before_replacement(&mut wiring, &config, move |_| text.clone());
        let error = wiring.wire(CLAUDE, &target(), Some(&plan.fingerprint)).expect_err("refused");
        assert!(matches!(&error, WiringError::Outdated(path) if *path == config), "{error}");
        assert_eq!(read(&config).as_ref(), Some(&changed));
        assert_eq!(wiring.status(CLAUDE).state, WiringState::NotWired);
    }
}
