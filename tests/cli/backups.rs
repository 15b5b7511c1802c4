//! A backup, a machine that lost everything, and its restore, by the commands of the program.

use std::path::Path;

use acceptance::{HomeVault, TestHome, post_chat};
use serde_json::{Value, json};

use crate::{add_key_and_backend, chat_request, upstream};

async fn well(home: &TestHome, arguments: &[&str]) -> String {
    home.gatehouse(arguments).run().await.expect_success().out
}

/// The named fields of each entry of a list.
fn fields(list: &Value, names: &[&str]) -> Vec<Value> {
    let entries = list.as_array().expect("a list");
    entries.iter().map(|entry| names.iter().map(|name| entry[*name].clone()).collect()).collect()
}

/// What a person would miss if it were not back.
async fn state(home: &TestHome) -> Value {
    let items = async |words: &[&str]| {
        let words = [words, &["--json"]].concat();
        home.gatehouse(&words).run().await.expect_success().items()
    };
    let list_in = async |words: &[&str], member: &str| {
        let words = [words, &["--json"]].concat();
        let mut page = home.gatehouse(&words).run().await.expect_success().json();
        page.get_mut(member).map(Value::take).expect("a list")
    };
    let requests = list_in(&["requests"], "requests").await;
    json!({
        "backends": fields(&items(&["backends", "list"]).await, &["id", "kind", "base_url"]),
        "keys": fields(&items(&["keys", "list"]).await, &["id", "tail", "created_at"]),
        "routes": fields(&list_in(&["routes", "list"], "routes").await, &["id", "policy"]),
        "clients": fields(&items(&["clients", "list"]).await, &["id", "scope"]),
        "budgets": fields(&items(&["budgets", "list"]).await, &["id", "limit_nano_usd"]),
        "requests": fields(&requests, &["id", "client", "state"]),
        "digest": well(home, &["settings", "get", "alerts_digest_period"]).await,
    })
}

fn text_of(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[tokio::test]
async fn what_a_machine_lost_is_back_from_its_backup_and_a_damaged_one_changes_nothing() {
    let (upstream, home) = (upstream().await, TestHome::new(HomeVault::Memory));
    let folder = tempfile::tempdir().expect("a folder");
    let (backup, damaged) = (folder.path().join("all.zip"), folder.path().join("damaged.zip"));
    let served = home.serve().await;
    add_key_and_backend(&home, &upstream).await;
    well(&home, &["routes", "add", "fast", "up/gpt-4o-mini", "mock/echo"]).await;
    well(&home, &["budgets", "set", "monthly", "--limit", "5"]).await;
    well(&home, &["settings", "set", "alerts_digest_period", "daily"]).await;
    let token = home.client("tool").await;
    well(&home, &["clients", "edit", "tool", "--allow-model", "fast"]).await;
    assert_eq!(post_chat(served.gateway, &token, &chat_request("fast")).await.status, 200);
    well(&home, &["backup", text_of(&backup)]).await;
    let before = state(&home).await;
    assert_eq!(before["requests"].as_array().map(Vec::len), Some(1), "{before}");
    served.stop().await;
    well(&home, &["backup", "--verify", text_of(&backup)]).await;

    let lost = TestHome::new(HomeVault::Memory);
    let empty = state(&lost).await;
    well(&lost, &["restore", text_of(&backup), "--preview"]).await;
    assert_eq!(state(&lost).await, empty, "a preview changes nothing");
    let whole = std::fs::read(&backup).expect("the backup");
    private_files::write_atomic(&damaged, &whole[..whole.len() / 2]).expect("written");
    for words in [&["backup", "--verify"][..], &["restore", "--yes"]] {
        let refused = lost.gatehouse(&[words, &[text_of(&damaged)]].concat()).run().await;
        let refused = refused.expect_code(2);
        assert!(refused.err.starts_with("error: this backup is damaged: "), "{}", refused.err);
    }
    assert_eq!(state(&lost).await, empty, "a damaged backup changes nothing");
    well(&lost, &["restore", text_of(&backup), "--yes"]).await;
    assert_eq!(state(&lost).await, before);
    let served = lost.serve().await;
    assert_eq!(state(&lost).await, before, "and after a start");
    served.stop().await;
}
