//! Mail of alerts, through a real SMTP server: what arrives, a password that is not accepted, and a
//! certificate that nobody trusts.

use acceptance::{HomeVault, TestHome};
use serde_json::{Value, json};
use test_support::ServerCertificate;

use super::python_server::PythonServer;

const PASSWORD: &str = "mail-password-4c1e0b77";

/// A mail server that accepts [`PASSWORD`] of the user jo. Demands STARTTLS if it gets a certificate
/// and its key.
async fn start_server(certificate: &[&str]) -> Option<PythonServer> {
    PythonServer::start("smtp_server.py", &[&[PASSWORD], certificate].concat()).await
}

/// A home whose alerts go to the server by mail.
async fn home_with_mail(server: &PythonServer, encryption: &str) -> TestHome {
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
    let Some(mut server) = start_server(&[]).await else { return };
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
async fn a_mail_is_sent_encrypted_to_a_server_that_is_vouched_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = ServerCertificate::write(folder.path(), "127.0.0.1").expect("written");
    let paths = [&certificate.chain, &certificate.key].map(|path| path.display().to_string());
    let Some(mut server) = start_server(&[&paths[0], &paths[1]]).await else { return };
    let mut home = home_with_mail(&server, "starttls").await;
    home.set("SSL_CERT_FILE", &certificate.authority.display().to_string());
    store_password(&home, PASSWORD).await;
    let sent = send_test(&home).await;
    assert_eq!(sent["test_failure"], Value::Null, "{sent}");
    assert_eq!(server.event("sign-in").await["known"], true, "the server demands encryption");
    let mail = server.event("mail").await;
    assert_eq!(mail["recipients"], json!(["jo@example.com"]));
}

#[tokio::test]
#[ignore = "needs aiosmtpd: `cargo xtask test --only sdk`"]
async fn no_password_goes_to_a_server_whose_certificate_nobody_trusts() {
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = ServerCertificate::write(folder.path(), "127.0.0.1").expect("written");
    let paths = [&certificate.chain, &certificate.key].map(|path| path.display().to_string());
    let Some(server) = start_server(&[&paths[0], &paths[1]]).await else { return };
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
    assert_eq!(server.kill().await, None, "no sign-in, and no mail");
}
