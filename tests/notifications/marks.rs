//! An outage whose every text holds a key, a prompt and the path of a file, told through every
//! channel: each tells it and its end, and none repeats a mark.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use acceptance::{HomeVault, TestHome, TestServer, await_or_fail, post_chat};
use rusqlite::Connection;
use serde_json::{Value, json};
use test_support::{
    ChatText, MARKED_KEY, NotificationServer, PrivateBus, RawClient, ReceivedRequest, Reply,
    ScriptedUpstream, ServerCall, has_programs, leak_encodings,
};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{END_TOLD_MAX, LOOK_INTERVAL, next_call, next_notification};

const MARKED_PROMPT: &str = "canary-prompt-51c0ffee";
const MARKED_PATH: &str = "/home/canary-user-9be1/secret-project/.env";
const DAY_MS: i64 = 86_400_000;

/// Everything that was told, with its place.
type Told = Vec<(String, String)>;

/// A mail server that accepts everything, and tells each mail.
struct MailReceiver {
    port: u16,
    mails: UnboundedReceiver<String>,
}

impl MailReceiver {
    async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (sender, mails) = unbounded_channel();
        #[expect(clippy::disallowed_methods, reason = "ends with the test")]
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // A connection that breaks off has sent no whole mail.
                let _broken = receive_mail(connection, &sender).await;
            }
        });
        Self { port, mails }
    }

    async fn next(&mut self) -> String {
        let mail = tokio::time::timeout(END_TOLD_MAX, self.mails.recv()).await;
        mail.expect("a mail in time").expect("the server runs")
    }
}

async fn receive_mail(
    connection: TcpStream,
    mails: &UnboundedSender<String>,
) -> std::io::Result<()> {
    let mut connection = BufReader::new(connection);
    connection.write_all(b"220 test\r\n").await?;
    let mut mail: Option<String> = None;
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let answer = match (&mut mail, line.trim_end()) {
            (Some(text), ".") => {
                // A test that ended listens no more.
                let _unheard = mails.send(std::mem::take(text));
                mail = None;
                "250 accepted"
            }
            (Some(text), _) => {
                text.push_str(&line);
                continue;
            }
            (None, "DATA") => {
                mail = Some(String::new());
                "354 go on"
            }
            (None, "QUIT") => "221 bye",
            (None, _) => "250 fine",
        };
        connection.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// While broken, each answer repeats the marks.
fn answer(request: &ReceivedRequest, is_broken: bool) -> Reply {
    if is_broken {
        let sent = request.authorization().unwrap_or_default();
        let text = format!("{sent}: could not read {MARKED_PATH} for {MARKED_PROMPT}");
        return Reply::json(500, &json!({"error": {"message": text}}));
    }
    match request.json().get("model").and_then(Value::as_str) {
        Some(model) => Reply::chat(&ChatText { model, deltas: &["one"], usage: Some((7, 2)) }),
        None => Reply::models(&["m"]),
    }
}

async fn run(home: &TestHome, words: &[&str]) -> String {
    home.gatehouse(words).run().await.expect_success().out
}

async fn run_with(home: &TestHome, words: &[&str], input: &str) {
    home.gatehouse(words).stdin(input).run().await.expect_success();
}

async fn configure(home: &TestHome, upstream: &str, webhook: &str, mail_port: u16) {
    run_with(home, &["keys", "add", "up", "--url", upstream, "--stdin"], MARKED_KEY).await;
    let kind = ["--kind", "openai-compatible", "--base-url", upstream, "--key", "up"];
    run(home, &[&["backends", "add", "up"], &kind[..]].concat()).await;
    let port = mail_port.to_string();
    for (name, value) in [
        ("metrics_prometheus", "true"),
        ("digest_period", "daily"),
        ("mail_server", "127.0.0.1"),
        ("mail_smtp_port", &port),
        ("mail_encryption", "none"),
        ("mail_from", "gatehouse@example.com"),
        ("mail_to", "jo@example.com"),
        ("mail_severity", "medium"),
        ("mail_enabled", "true"),
        ("webhook_severity", "medium"),
        ("webhook_enabled", "true"),
    ] {
        run(home, &["settings", "set", name, value]).await;
    }
    run_with(home, &["alerts", "secret", "webhook", "--stdin"], webhook).await;
}

async fn metrics(served: &TestServer) -> String {
    let host = format!("host: {}", served.control.address);
    let own = served.control.authorization();
    await_or_fail("the metrics", async {
        let mut client = RawClient::connect(served.control.address).await.expect("connected");
        client.send_request("GET /metrics HTTP/1.1", &[&host, &own], b"").await.expect("sent");
        client.read_answer().await.expect("an answer").text()
    })
    .await
}

/// The text of the receiver's message with this number.
async fn webhook_text(receiver: &ScriptedUpstream, number: usize) -> String {
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    let arrived = async {
        loop {
            if let Some(request) = receiver.requests().get(number) {
                return String::from_utf8_lossy(&request.body).into_owned();
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(END_TOLD_MAX, arrived).await.expect("a message in time")
}

/// Moves the time of the last digest two days back, as if the program had been off since.
fn make_digest_due(home: &TestHome) {
    let ledger = Connection::open(home.path().join("data/ledger.sqlite")).expect("a ledger");
    let json: String =
        ledger.query_row("SELECT json FROM alert_state", [], |row| row.get(0)).expect("a state");
    let mut state: Value = serde_json::from_str(&json).expect("JSON");
    let last = state["last_digest"].as_i64().expect("digests are on");
    state["last_digest"] = json!(last - 2 * DAY_MS);
    ledger.execute("UPDATE alert_state SET json = ?1", [state.to_string()]).expect("written");
}

#[track_caller]
fn assert_no_mark(told: &Told) {
    for mark in [MARKED_KEY, MARKED_PROMPT, MARKED_PATH, "canary-user-9be1", "7f3a9c51e2b84d06"] {
        for needle in leak_encodings(mark) {
            let holds = |text: &String| {
                text.as_bytes().windows(needle.len()).any(|part| part == needle.as_slice())
            };
            let found: Vec<_> = told.iter().filter(|(_, text)| holds(text)).collect();
            assert!(found.is_empty(), "{mark} was told: {found:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_channel_tells_an_outage_and_its_end_and_none_repeats_a_mark() {
    if !has_programs(&["dbus-daemon"], "dbus") {
        return;
    }
    let mut home = TestHome::new(HomeVault::File);
    let bus = PrivateBus::start(home.path()).expect("a bus");
    home.set("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    home.set("DISPLAY", ":9");
    let mut desktop =
        NotificationServer::start_at(&bus.address, &["body", "actions"]).expect("the name is free");
    let is_broken = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&is_broken);
    let upstream =
        move |request: &ReceivedRequest| Some(answer(request, broken.load(Ordering::SeqCst)));
    let upstream = ScriptedUpstream::start_with(upstream).await.expect("an upstream");
    let webhook = ScriptedUpstream::start_with(|_| Some(Reply::json(200, &json!({}))));
    let webhook = webhook.await.expect("a receiver");
    let mut mail = MailReceiver::start().await;
    let hook = format!("{}/hook", webhook.base_url());
    configure(&home, &upstream.base_url(), &hook, mail.port).await;
    let served = home.serve().await;
    let token = home.client("editor").await;
    let chat = json!({"model": "up/m", "messages": [{"role": "user", "content": MARKED_PROMPT}]});
    assert_eq!(post_chat(served.gateway, &token, &chat).await.status, 200);

    // It begins.
    is_broken.store(true, Ordering::SeqCst);
    for _ in 0..4 {
        assert_ne!(post_chat(served.gateway, &token, &chat).await.status, 200);
    }
    let shown = next_notification(&mut desktop).await;
    let mut told: Told = vec![("desktop".to_owned(), format!("{shown:?}"))];
    assert!(shown.title.contains("down"), "{shown:?}");
    let posted = webhook_text(&webhook, 0).await;
    assert!(posted.contains(&shown.title), "{posted}");
    told.push(("webhook".to_owned(), posted));
    let mailed = mail.next().await;
    assert!(mailed.contains(&format!("Subject: [Gatehouse] {}", shown.title)), "{mailed}");
    told.push(("mail".to_owned(), mailed));
    let figures = metrics(&served).await;
    assert!(figures.contains(r#"alerts_firing{severity="critical"} 1"#), "{figures}");
    told.push(("metrics".to_owned(), figures));

    // It ends.
    is_broken.store(false, Ordering::SeqCst);
    loop {
        let call = next_call(&mut desktop).await;
        told.push(("desktop".to_owned(), format!("{call:?}")));
        match call {
            ServerCall::Close(id) if id == shown.id => break,
            ServerCall::Close(_) | ServerCall::Notify(_) => {}
        }
    }
    let posted = webhook_text(&webhook, 1).await;
    assert!(posted.contains("works again"), "{posted}");
    told.push(("webhook".to_owned(), posted));
    let mailed = mail.next().await;
    assert!(mailed.contains("works again"), "{mailed}");
    told.push(("mail".to_owned(), mailed));
    let figures = metrics(&served).await;
    assert!(figures.contains(r#"alerts_firing{severity="critical"} 0"#), "{figures}");
    told.push(("metrics".to_owned(), figures));
    let history = run(&home, &["alerts", "history", "--json"]).await;
    let entries: Value = serde_json::from_str(&history).expect("JSON");
    for entry in entries["entries"].as_array().expect("a list") {
        let number = entry["number"].to_string();
        for words in [&["alerts", "show", &number, "--markdown"][..], &["alerts", "show", &number]]
        {
            told.push((format!("incident {number}"), run(&home, words).await));
        }
    }
    assert!(history.contains(r#""title":"up is down""#), "{history}");
    told.push(("history".to_owned(), history));
    assert_eq!(served.stop().await, Some(0));

    // The digest is about all of it.
    make_digest_due(&home);
    let _served = home.serve().await;
    let digest = mail.next().await;
    assert!(digest.contains("up is down"), "{digest}");
    told.push(("digest".to_owned(), digest));
    told.push(("inbox".to_owned(), run(&home, &["alerts", "history", "--json"]).await));
    assert_no_mark(&told);
}
