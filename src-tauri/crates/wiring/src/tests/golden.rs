//! Each tool's file in five shapes: absent, minimal, full with comments, pointing at a foreign
//! gateway, and broken.

use std::path::Path;

use super::world::{World, read, target, target_at};
use crate::{ChangedKeys, ClientTool, WiringError};

/// The file before wiring and as wiring writes it.
struct Golden {
    tool: ClientTool,
    name: &'static str,
    before: Option<&'static str>,
    wired: &'static str,
}

macro_rules! golden {
    ($tool:ident, $folder:literal, $name:literal, $end:literal) => {
        Golden {
            tool: ClientTool::$tool,
            name: concat!($folder, " ", $name),
            before: Some(include_str!(concat!("golden/", $folder, "/", $name, ".", $end))),
            wired: include_str!(concat!("golden/", $folder, "/", $name, ".wired.", $end)),
        }
    };
    ($tool:ident, $folder:literal, absent $end:literal) => {
        Golden {
            tool: ClientTool::$tool,
            name: concat!($folder, " absent"),
            before: None,
            wired: include_str!(concat!("golden/", $folder, "/absent.wired.", $end)),
        }
    };
}

const GOLDEN: &[Golden] = &[
    golden!(ClaudeCode, "claude-code", absent "json"),
    golden!(ClaudeCode, "claude-code", "minimal", "json"),
    golden!(ClaudeCode, "claude-code", "full", "json"),
    golden!(ClaudeCode, "claude-code", "foreign", "json"),
    golden!(Codex, "codex", absent "toml"),
    golden!(Codex, "codex", "minimal", "toml"),
    golden!(Codex, "codex", "full", "toml"),
    golden!(Codex, "codex", "foreign", "toml"),
    golden!(GeminiCli, "gemini-cli", absent "json"),
    golden!(GeminiCli, "gemini-cli", "minimal", "json"),
    golden!(GeminiCli, "gemini-cli", "full", "json"),
    golden!(GeminiCli, "gemini-cli", "foreign", "json"),
    golden!(OpenCode, "opencode", absent "json"),
    golden!(OpenCode, "opencode", "minimal", "json"),
    golden!(OpenCode, "opencode", "full", "json"),
    golden!(OpenCode, "opencode", "foreign", "json"),
    golden!(Zed, "zed", absent "json"),
    golden!(Zed, "zed", "minimal", "json"),
    golden!(Zed, "zed", "full", "json"),
    golden!(Zed, "zed", "foreign", "json"),
    golden!(Aider, "aider", absent "yml"),
    golden!(Aider, "aider", "minimal", "yml"),
    golden!(Aider, "aider", "full", "yml"),
    golden!(Aider, "aider", "foreign", "yml"),
    golden!(Aider, "aider", "comments", "yml"),
    golden!(Continue, "continue", absent "yaml"),
    golden!(Continue, "continue", "minimal", "yaml"),
    golden!(Continue, "continue", "full", "yaml"),
    golden!(Continue, "continue", "foreign", "yaml"),
];

impl Golden {
    fn world(&self) -> World {
        let world = World::new();
        if let Some(before) = self.before {
            world.write(&world.config(self.tool), before);
        }
        world
    }
}

/// Compares with a golden file. `GOLDEN_UPDATE=1` writes it; look at the change.
#[expect(clippy::disallowed_methods, reason = "only to renew the golden files")]
fn check_golden(golden: &Golden, found: &str) {
    if std::env::var_os("GOLDEN_UPDATE").is_some() {
        let (folder, name) = golden.name.split_once(' ').expect("two words");
        let end = match golden.tool {
            ClientTool::Codex => "toml",
            ClientTool::Aider => "yml",
            ClientTool::Continue => "yaml",
            _ => "json",
        };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tests/golden");
        std::fs::write(root.join(format!("{folder}/{name}.wired.{end}")), found).expect("written");
    } else {
        assert_eq!(found, golden.wired, "{}", golden.name);
    }
}

#[test]
fn wiring_writes_what_is_expected_and_unwiring_restores_it_byte_for_byte() {
    for golden in GOLDEN {
        let world = golden.world();
        let (wiring, config) = (world.wiring(), world.config(golden.tool));
        let plan = wiring.plan(golden.tool, &target()).expect("a plan");
        assert_eq!(
            read(&config).as_deref(),
            golden.before,
            "{}: a plan writes nothing",
            golden.name
        );
        wiring.wire(golden.tool, &target(), Some(&plan.fingerprint)).expect("wired");
        check_golden(golden, &read(&config).expect("a file"));
        wiring.unwire(golden.tool, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config).as_deref(), golden.before, "{}", golden.name);
        assert_eq!(world.names(&world.path("state/wiring")), ["lock"], "{}", golden.name);
    }
}

#[test]
fn wiring_again_with_another_address_still_restores_the_first_text() {
    for golden in GOLDEN {
        let world = golden.world();
        let (wiring, config) = (world.wiring(), world.config(golden.tool));
        wiring.wire(golden.tool, &target(), None).expect("wired");
        let moved = target_at("http://127.0.0.1:5000");
        wiring.wire(golden.tool, &moved, None).expect("wired again");
        let expected = golden.wired.replace("127.0.0.1:4283", "127.0.0.1:5000");
        assert_eq!(read(&config), Some(expected), "{}", golden.name);
        wiring.unwire(golden.tool, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config).as_deref(), golden.before, "{}", golden.name);
    }
}

#[test]
fn windows_lines_and_a_byte_order_mark_stay() {
    for golden in GOLDEN.iter().filter(|golden| golden.before.is_some()) {
        let convert = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let world = World::new();
        let (wiring, config) = (world.wiring(), world.config(golden.tool));
        let before = convert(golden.before.unwrap_or_default());
        world.write(&config, &before);
        wiring.wire(golden.tool, &target(), None).expect("wired");
        assert_eq!(read(&config), Some(convert(golden.wired)), "{}", golden.name);
        wiring.unwire(golden.tool, ChangedKeys::Refuse).expect("unwired");
        assert_eq!(read(&config), Some(before), "{}", golden.name);
    }
}

#[test]
fn edits_by_others_between_wiring_and_unwiring_are_kept() {
    let is_edited =
        |golden: &&Golden| golden.name.ends_with("full") || golden.name.ends_with("comments");
    for golden in GOLDEN.iter().filter(is_edited) {
        let world = golden.world();
        let (wiring, config) = (world.wiring(), world.config(golden.tool));
        wiring.wire(golden.tool, &target(), None).expect("wired");
        let edit =
            |text: &str| text.replace("first comment", "changed comment").replace("opus", "haiku");
        let edited = edit(&read(&config).expect("a file"));
        assert_ne!(edited, golden.wired, "the fixture has what is edited");
        world.write(&config, &edited);
        wiring.unwire(golden.tool, ChangedKeys::Refuse).expect("unwired");
        let expected = edit(golden.before.unwrap_or_default());
        assert_eq!(read(&config), Some(expected), "{}", golden.name);
    }
}

#[test]
fn a_file_that_was_absent_and_got_other_keys_stays_with_them() {
    let world = World::new();
    let (wiring, config) = (world.wiring(), world.config(ClientTool::ClaudeCode));
    wiring.wire(ClientTool::ClaudeCode, &target(), None).expect("wired");
    let text = read(&config).expect("a file").replacen('{', "{\n  \"model\": \"opus\",", 1);
    world.write(&config, &text);
    wiring.unwire(ClientTool::ClaudeCode, ChangedKeys::Refuse).expect("unwired");
    let left: serde_json::Value =
        serde_json::from_str(&read(&config).expect("a file")).expect("JSON");
    assert_eq!(left, serde_json::json!({"model": "opus"}));
}

#[test]
fn a_broken_file_is_left_alone_and_its_place_named() {
    let cases = [
        (
            ClientTool::ClaudeCode,
            include_str!("golden/claude-code/broken.json"),
            "line 2, column 18",
        ),
        (ClientTool::Codex, include_str!("golden/codex/broken.toml"), "line 2, column 10"),
        (ClientTool::GeminiCli, include_str!("golden/gemini-cli/broken.json"), "line 2, column 11"),
        (ClientTool::OpenCode, include_str!("golden/opencode/broken.json"), "line 2, column 18"),
        (ClientTool::Zed, include_str!("golden/zed/broken.json"), "line 2, column 12"),
        (ClientTool::Aider, include_str!("golden/aider/broken.yml"), "line 4, column 1"),
        (ClientTool::Continue, include_str!("golden/continue/broken.yaml"), "line 3, column 1"),
    ];
    for (tool, broken, place) in cases {
        let world = World::new();
        let (wiring, config) = (world.wiring(), world.config(tool));
        world.write(&config, broken);
        let error = wiring.wire(tool, &target(), None).expect_err("refused");
        assert!(matches!(error, WiringError::File(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(&*config.to_string_lossy()) && text.contains(place), "{text}");
        assert_eq!(read(&config).as_deref(), Some(broken));
        assert_eq!(wiring.status(tool).state.word(), "broken");
        assert_eq!(world.names(&world.path("state/wiring")), ["lock"]);
    }
}
