//! Mail of alerts, through a real SMTP server: what arrives, a password that is not accepted, and a
//! certificate that nobody trusts.

use std::path::PathBuf;
use std::process::Stdio;

use acceptance::{HomeVault, TestHome, await_or_fail};
use serde_json::{Value, json};
use test_support::skip_unless_strict;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const PASSWORD: &str = "mail-password-4c1e0b77";

/// A running mail server and what it has seen so far.
struct SmtpServer {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    port: u64,
}

impl SmtpServer {
    /// Accepts [`PASSWORD`] of the user jo. Demands STARTTLS if it gets a certificate and its key.
    /// None if it is not installed and not required.
    #[expect(clippy::disallowed_methods, reason = "the step that installs the server says where")]
    async fn start(certificate: &[&str]) -> Option<Self> {
        let Some(python) = std::env::var_os("GATEHOUSE_SDK_PYTHON").map(PathBuf::from) else {
            skip_unless_strict(
                "GATEHOUSE_SDK_PYTHON is not set; run `cargo xtask test --only sdk`",
            );
            return None;
        };
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("sdk/smtp_server.py");
        let mut command = Command::new(python);
        command.arg("-B").arg(script).arg(PASSWORD).args(certificate).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("Python starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut server = Self { _child: child, lines, port: 0 };
        let port = server.event("listening").await.get("port").and_then(Value::as_u64);
        server.port = port.expect("a port");
        Some(server)
    }

    /// The next thing that it saw, which is `wanted`.
    async fn event(&mut self, wanted: &str) -> Value {
        let line = await_or_fail(wanted, self.lines.next_line()).await;
        let event = line.expect("readable").expect("the server runs");
        let event: Value = serde_json::from_str(&event).expect("JSON");
        assert_eq!(event.get("event"), Some(&json!(wanted)), "{event}");
        event
    }
}

/// A home whose alerts go to the server by mail.
async fn home_with_mail(server: &SmtpServer, encryption: &str) -> TestHome {
    let home = TestHome::new(HomeVault::File);
    let port = server.port.to_string();
    for (name, value) in [
        ("mail_server", "127.0.0.1"),
        ("mail_smtp_port", &port),
        ("mail_encryption", encryption),
        ("mail_user", "jo"),
        ("mail_from", "gatehouse@example.com"),
        ("mail_to", "jo@example.com"),
    ] {
        home.gatehouse(&["settings", "set", name, value]).run().await.expect_success();
    }
    home
}

async fn store_password(home: &TestHome, password: &str) {
    let store = home.gatehouse(&["alerts", "secret", "mail", "--stdin"]).stdin(password);
    store.run().await.expect_success();
}

/// Sends a test, and returns its outcome.
async fn send_test(home: &TestHome) -> Value {
    home.gatehouse(&["alerts", "test", "mail", "--json"]).run().await.json()
}

#[tokio::test]
#[ignore = "needs aiosmtpd: `cargo xtask test --only sdk`"]
async fn a_test_mail_arrives_and_a_wrong_password_is_told() {
    let Some(mut server) = SmtpServer::start(&[]).await else { return };
    let home = home_with_mail(&server, "none").await;
    store_password(&home, PASSWORD).await;
    let sent = send_test(&home).await;
    assert_eq!(sent["test_failure"], Value::Null, "{sent}");
    assert_eq!(server.event("sign-in").await["known"], true);
    let mail = server.event("mail").await;
    assert_eq!(mail["sender"], "gatehouse@example.com");
    assert_eq!(mail["recipients"], json!(["jo@example.com"]));
    let content = mail["content"].as_str().expect("text");
    assert!(content.contains("Subject: [Gatehouse] Test of alerts"), "{content}");
    assert!(content.contains("Nothing is wrong."), "{content}");
    assert!(!content.contains(PASSWORD), "{content}");

    store_password(&home, "another-password-00").await;
    let refused = send_test(&home).await;
    assert_eq!(
        refused["test_failure"],
        "the mail server accepts neither this user name nor this password"
    );
    assert_eq!(server.event("sign-in").await["known"], false);
}

#[tokio::test]
#[ignore = "needs aiosmtpd: `cargo xtask test --only sdk`"]
async fn no_password_goes_to_a_server_whose_certificate_nobody_trusts() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("made");
    let paths = ["cert.pem", "key.pem"].map(|name| folder.path().join(name).display().to_string());
    for (path, text) in paths.iter().zip([made.cert.pem(), made.signing_key.serialize_pem()]) {
        settings::write_atomic(path.as_ref(), text.as_bytes()).expect("written");
    }
    let Some(mut server) = SmtpServer::start(&[&paths[0], &paths[1]]).await else { return };
    let home = home_with_mail(&server, "starttls").await;
    store_password(&home, PASSWORD).await;
    let refused = send_test(&home).await;
    assert_eq!(
        refused["test_failure"],
        "the mail server offers no encryption, or its certificate is not trusted"
    );
    // Without encryption the same server refuses to hear a password, and that is told too.
    home.gatehouse(&["settings", "set", "mail_encryption", "none"]).run().await.expect_success();
    let unsent = send_test(&home).await;
    assert_ne!(unsent["test_failure"], Value::Null, "{unsent}");
    drop(home);
    server._child.kill().await.expect("ended");
    let rest = await_or_fail("the end of its output", server.lines.next_line()).await;
    assert_eq!(rest.expect("readable"), None, "no sign-in, and no mail");
}
