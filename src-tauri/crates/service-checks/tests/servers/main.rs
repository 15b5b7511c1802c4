//! Real Redis and PostgreSQL servers, started by the tests in temporary folders: right, wrong and no
//! password, TLS with and without a trusted authority, and a server that is stopped.
//!
//! Without them these tests are skipped; under `cargo xtask test`, which installs them, they fail.

#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    reason = "a fixture that cannot be made fails its test; its files live as long as the test"
)]

mod postgres_server;
mod process;
mod redis_server;

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use domain::{BoundSecret, Secret, ServiceKind, SystemClock};
use gateway::HttpUpstream;
use monitor::{HealthFinding, ProbeReport};
use service_checks::check_service;
use settings::{AllowedNetwork, HttpExpectation, OwnObjective, ServiceAddress, ServiceSettings};
use test_support::ServerCertificate;

use crate::postgres_server::start_postgres;
use crate::process::ServerProcess;
use crate::redis_server::start_redis;

const PASSWORD: &str = "sk-CANARY-right-51c0ffee";
const WRONG: &str = "sk-CANARY-wrong-51c0ffee";
/// Most checks until a server answers; each takes from some microseconds to a second.
const ROUNDS_MAX: usize = 20_000;
/// Address of the server for a test that runs again in a process with another authority.
const ADDRESS_VARIABLE: &str = "GATEHOUSE_TEST_SERVER";

async fn check(kind: ServiceKind, address: &str, password: Option<&str>) -> ProbeReport {
    let service = ServiceSettings {
        label: "Server".to_owned(),
        kind,
        address: ServiceAddress::parse(kind, address, 1).expect("an address"),
        credential: None,
        required: false,
        enabled: true,
        network: AllowedNetwork::Public,
        http: HttpExpectation::default(),
        scopes: Vec::new(),
        objective: OwnObjective::default(),
    };
    let key = password.map(|text| {
        let secret = Secret::parse(text.to_owned()).expect("a secret");
        Arc::new(BoundSecret::new(secret, service.address.origin()))
    });
    let upstream = HttpUpstream::new(Duration::from_secs(1));
    let report = check_service(&service, key, &upstream, &SystemClock::new()).await.report;
    assert!(!format!("{report:?}").contains("CANARY"), "{report:?}");
    report
}

/// Checks until the server takes connections.
async fn check_started(kind: ServiceKind, address: &str) -> ProbeReport {
    for _ in 0..ROUNDS_MAX {
        let report = check(kind, address, Some(PASSWORD)).await;
        let is_starting = report.detail.starts_with("it cannot be reached")
            || report.detail == "it is starting or stopping";
        if !is_starting {
            return report;
        }
    }
    panic!("the server did not start");
}

fn told(report: &ProbeReport) -> (HealthFinding, &str) {
    (report.finding, report.detail.as_str())
}

const REFUSED: (HealthFinding, &str) =
    (HealthFinding::KeyRejected, "it refuses the user or the password");
const WANTS_PASSWORD: (HealthFinding, &str) = (HealthFinding::Failed, "it wants a password");
const CLOSED: (HealthFinding, &str) = (HealthFinding::Failed, "it closed the connection");
const UNTRUSTED: (HealthFinding, &str) = (
    HealthFinding::Failed,
    "no secure connection: its certificate is not signed by an authority that this machine trusts",
);

async fn assert_unreachable(kind: ServiceKind, address: &str, mut server: ServerProcess) {
    server.stop();
    let gone = check(kind, address, Some(PASSWORD)).await;
    assert_eq!(gone.finding, HealthFinding::Failed);
    assert!(gone.detail.starts_with("it cannot be reached"), "{}", gone.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_server_answers_with_its_password_alone() {
    let Some(server) = start_redis(None) else { return };
    let kind = ServiceKind::Redis;
    let address = format!("redis://127.0.0.1:{}", server.port);
    let answered = (HealthFinding::Answered, "it answers PING");
    assert_eq!(told(&check_started(kind, &address).await), answered);
    let third = check(kind, &format!("{address}/3"), Some(PASSWORD)).await;
    assert_eq!(told(&third), answered);
    assert_eq!(told(&check(kind, &address, Some(WRONG)).await), REFUSED);
    assert_eq!(told(&check(kind, &address, None).await), WANTS_PASSWORD);
    let absent = check(kind, &format!("{address}/99"), Some(PASSWORD)).await;
    assert_eq!(
        told(&absent),
        (HealthFinding::Failed, "it refuses SELECT for the database of its address")
    );
    assert_eq!(told(&check(kind, &format!("{address}/3"), None).await), WANTS_PASSWORD);
    let of = |user: &str| address.replace("://", &format!("://{user}@"));
    assert_eq!(told(&check(kind, &of("app"), Some(PASSWORD)).await), answered);
    let select = check(kind, &format!("{}/3", of("app")), Some(PASSWORD)).await;
    let refused = "its user has no permission for SELECT for the database of its address";
    assert_eq!(told(&select), (HealthFinding::Failed, refused));
    assert_eq!(told(&check(kind, &of("nobody"), Some(PASSWORD)).await), REFUSED);
    assert_unreachable(kind, &address, server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_server_answers_with_its_password_alone() {
    let Some(server) = start_postgres(None) else { return };
    let kind = ServiceKind::Postgres;
    let address = format!("postgres://app@127.0.0.1:{}/postgres", server.port);
    let answered = (HealthFinding::Answered, "it answers SELECT 1");
    assert_eq!(told(&check_started(kind, &address).await), answered);
    assert_eq!(told(&check(kind, &address, Some(WRONG)).await), REFUSED);
    assert_eq!(told(&check(kind, &address, None).await), WANTS_PASSWORD);
    let nobody = check(kind, &address.replace("app@", "nobody@"), Some(PASSWORD)).await;
    assert_eq!(told(&nobody), REFUSED);
    let missing = check(kind, &address.replace("/postgres", "/nothing"), Some(PASSWORD)).await;
    assert_eq!(told(&missing), (HealthFinding::Failed, "it has no database of this name"));
    let encrypted = check(kind, &format!("{address}?sslmode=verify-full"), Some(PASSWORD)).await;
    let no_tls = "it offers no encrypted connection, or no sign-in by password";
    assert_eq!(told(&encrypted), (HealthFinding::Failed, no_tls));
    assert_unreachable(kind, &address, server).await;
}

/// Runs the test `name` in a process of its own that trusts `authority`, with a server's address.
fn rerun_trusting(certificate: &ServerCertificate, name: &str, address: &str) {
    let mut again = Command::new(std::env::current_exe().expect("a path"));
    again.args([name, "--exact", "--nocapture"]);
    again.env("SSL_CERT_FILE", &certificate.authority).env(ADDRESS_VARIABLE, address);
    let output = again.output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// Set by [`rerun_trusting`].
fn given_address() -> Option<String> {
    std::env::var(ADDRESS_VARIABLE).ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_server_with_tls_must_be_vouched_for() {
    let kind = ServiceKind::Redis;
    if let Some(address) = given_address() {
        let passed = check(kind, &address, Some(PASSWORD)).await;
        assert_eq!(told(&passed), (HealthFinding::Answered, "it answers PING"));
        let other = check(kind, &address.replace("localhost", "127.0.0.1"), Some(PASSWORD)).await;
        let wrong = "no secure connection: its certificate is for another host";
        return assert_eq!(told(&other), (HealthFinding::Failed, wrong));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = ServerCertificate::write(folder.path(), "localhost").expect("written");
    let Some(server) = start_redis(Some(&certificate)) else { return };
    let address = format!("rediss://localhost:{}", server.port);
    assert_eq!(told(&check_started(kind, &address).await), UNTRUSTED);
    let plain = check(kind, &address.replace("rediss:", "redis:"), Some(PASSWORD)).await;
    assert_eq!(told(&plain), CLOSED);
    rerun_trusting(&certificate, "a_redis_server_with_tls_must_be_vouched_for", &address);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_server_with_tls_must_be_vouched_for() {
    let kind = ServiceKind::Postgres;
    if let Some(address) = given_address() {
        let passed = check(kind, &address, Some(PASSWORD)).await;
        assert_eq!(told(&passed), (HealthFinding::Answered, "it answers SELECT 1"));
        assert_eq!(told(&check(kind, &address, Some(WRONG)).await), REFUSED);
        let other = check(kind, &address.replace("localhost", "127.0.0.1"), Some(PASSWORD)).await;
        let wrong = "no secure connection: its certificate is for another host";
        return assert_eq!(told(&other), (HealthFinding::Failed, wrong));
    }
    let folder = tempfile::tempdir().expect("a folder");
    let certificate = ServerCertificate::write(folder.path(), "localhost").expect("written");
    let Some(server) = start_postgres(Some(&certificate)) else { return };
    let address = format!("postgres://app@localhost:{}/postgres?sslmode=verify-full", server.port);
    assert_eq!(told(&check_started(kind, &address).await), UNTRUSTED);
    rerun_trusting(&certificate, "a_postgresql_server_with_tls_must_be_vouched_for", &address);
}

#[tokio::test]
async fn a_server_that_speaks_something_else_is_told_apart() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let _ = std::io::Write::write_all(&mut connection, b"SSH-2.0-test\r\n");
        }
    });
    for (kind, address) in [
        (ServiceKind::Redis, format!("redis://127.0.0.1:{port}")),
        (ServiceKind::Postgres, format!("postgres://app@127.0.0.1:{port}/main")),
    ] {
        let report = check(kind, &address, Some(PASSWORD)).await;
        assert_eq!(report.finding, HealthFinding::Failed, "{}", report.detail);
    }
}
