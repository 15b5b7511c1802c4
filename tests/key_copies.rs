//! Acceptance tests of the removal of plain copies of keys: by the command line, over a whole vault, with
//! a search for the key afterwards.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};

use acceptance::{HomeVault, TestHome};
use serde_json::{Value, json};
use test_support::{MARKED_KEY, search_tree};

const DIFF_LINE: &str = "-OPENAI_API_KEY='…f05d'  # main";

/// A user whose key lies in `.env`, in a tool's file and in a shell script.
struct User {
    home: TestHome,
    folder: PathBuf,
}

impl User {
    fn new() -> Self {
        let mut home = TestHome::new(HomeVault::File);
        // Not below the program's own folders, which are searched for the key.
        let folder = home.path().join("user");
        home.set("HOME", &folder.display().to_string());
        home.set("GATEHOUSE_LOG", "trace");
        let user = Self { home, folder };
        user.write(".env", &env_text(MARKED_KEY));
        user.write(".config/zed/settings.json", &zed_text(MARKED_KEY));
        user.write(".zshrc", &format!("export OPENAI_API_KEY={MARKED_KEY}\n"));
        user
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
        private_files::write_atomic(&path, text.as_bytes()).expect("written");
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.folder.join(path)).expect("the file")
    }

    async fn import(&self) {
        let import = ["keys", "scan", "--import", "--yes"];
        self.home.gatehouse(&import).run().await.expect_success();
    }

    /// The command's output as JSON. What cannot be removed makes the exit code 1.
    async fn json(&self, words: &[&str], code: i32) -> Value {
        let words = [words, &["--json"]].concat();
        self.home.gatehouse(&words).run().await.expect_code(code).json()
    }

    /// Files with the key, but for the user's own.
    fn leaks(&self) -> Vec<PathBuf> {
        let mut found = search_tree(self.home.path(), MARKED_KEY).expect("searched");
        found.retain(|path| !path.starts_with(&self.folder));
        found
    }
}

fn env_text(key: &str) -> String {
    format!("A=1\r\nOPENAI_API_KEY='{key}'  # main\r\nB=2\r\n")
}

fn zed_text(key: &str) -> String {
    format!("{{\n  // mine\n  \"apiKey\": \"{key}\",\n}}\n")
}

#[tokio::test]
async fn copies_of_a_stored_key_go_after_a_preview_and_come_back() {
    let user = User::new();
    let home = &user.home;
    // Nothing is removed that the vault does not hold.
    let early = home.gatehouse(&["keys", "scan", "--remove", "--yes"]).run().await.expect_success();
    assert!(early.out.contains("None of these keys is in the vault"), "{}", early.out);
    assert_eq!(user.read(".env"), env_text(MARKED_KEY));

    user.import().await;
    let planned = home.gatehouse(&["keys", "scan", "--remove", "--dry-run"]).run().await;
    let planned = planned.expect_code(1);
    assert!(planned.out.contains(DIFF_LINE), "{}", planned.out);
    assert!(
        planned.out.contains("~/.zshrc:1 stays. The file is a shell script"),
        "{}",
        planned.out
    );
    let asked = home.gatehouse(&["keys", "scan", "--remove"]).run().await.expect_code(2);
    assert!(asked.err.contains("Add --yes"), "{}", asked.err);
    assert_eq!(user.read(".env"), env_text(MARKED_KEY));

    let removed = user.json(&["keys", "scan", "--remove", "--yes"], 1).await;
    assert_eq!(removed["items"].as_array().map(Vec::len), Some(2), "{removed}");
    assert_eq!(
        (user.read(".env"), user.read(".config/zed/settings.json")),
        (env_text(""), zed_text(""))
    );
    let left = user.json(&["keys", "scan"], 1).await;
    let places = left.pointer("/keys/0/places").and_then(Value::as_array).expect("places");
    assert_eq!(places.len(), 1, "{left}");

    let listed = user.json(&["keys", "copies", "list"], 0).await;
    for copy in listed["items"].as_array().expect("copies") {
        assert_eq!(copy.get("problem"), Some(&Value::Null), "{copy}");
        let id = copy.get("id").and_then(Value::as_str).expect("an id");
        home.gatehouse(&["keys", "copies", "restore", id]).run().await.expect_success();
    }
    assert_eq!(user.read(".env"), env_text(MARKED_KEY));
    assert_eq!(user.read(".config/zed/settings.json"), zed_text(MARKED_KEY));
    assert_eq!(user.json(&["keys", "copies", "list"], 0).await["items"], json!([]));
    assert_eq!(user.leaks(), Vec::<PathBuf>::new());
    let printed = String::from_utf8_lossy(&home.transcript()).into_owned();
    assert!(!printed.contains("7f3a9c51e2b84d06"), "the key was printed");
}

#[tokio::test]
async fn without_its_key_in_the_vault_a_removal_cannot_be_undone_and_says_so() {
    let user = User::new();
    user.import().await;
    user.json(&["keys", "scan", "--remove", "--yes"], 1).await;
    let listed = user.json(&["keys", "copies", "list"], 0).await;
    let id = listed.pointer("/items/0/id").and_then(Value::as_str).expect("an id");
    user.home.gatehouse(&["keys", "remove", "openai", "--yes"]).run().await.expect_success();
    let refused = user.home.gatehouse(&["keys", "copies", "restore", id]).run().await;
    assert!(refused.expect_code(3).err.contains("the vault no longer has as"), "it says why");
}

#[tokio::test]
async fn a_vault_that_reads_the_environment_loses_no_key_to_a_removal() {
    let mut home = TestHome::new(HomeVault::Env);
    let folder = home.path().join("user");
    std::fs::create_dir_all(&folder).expect("a folder");
    home.set("HOME", &folder.display().to_string());
    home.set("OPENAI_API_KEY", MARKED_KEY);
    let path: &Path = &folder.join(".env");
    private_files::write_atomic(path, env_text(MARKED_KEY).as_bytes()).expect("written");
    home.gatehouse(&["keys", "scan", "--remove", "--yes"]).run().await;
    assert_eq!(std::fs::read_to_string(path).expect("read"), env_text(MARKED_KEY));
}
