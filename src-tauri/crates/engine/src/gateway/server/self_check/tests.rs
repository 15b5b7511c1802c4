//! The gateway's own check, against itself and against a port that takes requests and stays silent.

use domain::ManualClock;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::gateway::response_cache::tests::opened_at;
use crate::gateway::server::GatewayStatus;
use crate::test_parts::NOW;

const SHORT: Duration = Duration::from_millis(50);

/// Makes the engine believe that its gateway listens there.
fn listen_at(server: &GatewayServer, port: u16) {
    *server.listening.lock() = ListenerState::Listening {
        wanted: port,
        port,
        addresses: Vec::new(),
        stop: CancellationToken::new(),
        silence: None,
    };
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_takes_requests_and_does_not_answer_is_found_out() {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, clock.clone()).await;
    let (server, tasks) = (&engine.parts.gateway, Tasks::default());
    let check = || server.check_itself(&*clock, SHORT, &tasks);
    assert!(check().await, "nothing listens yet, which is told elsewhere");
    assert_eq!(server.silence(), None);

    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("an address").port();
    listen_at(server, port);
    assert!(!check().await);
    let found = server.silence().expect("a silence");
    let reason = "It took a request and did not answer within 50ms.".to_owned();
    assert_eq!(found, GatewaySilence { since: NOW, reason });
    clock.advance(Duration::from_secs(60));
    assert!(!check().await);
    assert_eq!(server.silence().map(|it| it.since), Some(NOW), "since the first failure");

    // What was found of another port says nothing.
    assert!(server.note_check(port + 1, None, NOW) == server.silence().is_none());
    assert!(server.silence().is_some());
    assert!(server.note_check(port, None, NOW));
    assert_eq!(server.silence(), None);
    drop(silent);
    assert!(!check().await, "nothing takes requests there any more");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_was_taken_is_told_and_opened_once_it_is_free() {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, clock.clone()).await;
    let base = &engine.parts.base;
    let holder = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = holder.local_addr().expect("an address").port();
    let (settings, mut events) = (Arc::clone(&base.settings), base.events.subscribe());
    // Other parts of the engine send events too.
    let mut told = || {
        let all = std::iter::from_fn(|| events.try_recv().ok());
        all.filter(|event| matches!(event, EngineEvent::Gateway)).count()
    };
    let server = GatewayServer::new(Some(port), settings, base.events.clone(), base.tasks.clone());
    assert!(!server.is_started() && server.fault().is_none());
    let parts = crate::start::gateway_parts(&engine.parts);
    server.start(gateway::Gateway::new(parts, Default::default())).await;
    let fault = server.fault().expect("its port is taken");
    assert!(server.is_started() && !fault.is_listening, "{fault:?}");
    assert!(fault.reason.contains("is in use by another program"), "{fault:?}");
    assert_eq!(told(), 1);
    server.listen_again().await;
    assert_eq!(server.fault(), Some(fault), "it is taken still");
    assert_eq!(told(), 0, "nothing changed");

    drop(holder);
    server.listen_again().await;
    assert_eq!((server.fault(), server.status()), (None, GatewayStatus::Listening));
    assert_eq!(told(), 1);
    assert!(server.check_itself(&*clock, ANSWER_MAX, &Tasks::default()).await);
    server.stop().await;
    assert!(server.fault().is_none() && !server.is_started(), "a stop is no fault");
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_serves_answers_its_check_and_the_ledger_has_no_row_of_it() {
    let home = tempfile::tempdir().expect("a folder");
    let clock = Arc::new(ManualClock::starting_at(NOW));
    let engine = opened_at(&home, clock.clone()).await;
    let gateway =
        gateway::Gateway::new(crate::start::gateway_parts(&engine.parts), Default::default());
    engine.parts.gateway.start(gateway).await;
    assert!(engine.parts.gateway.check_itself(&*clock, ANSWER_MAX, &Tasks::default()).await);
    assert_eq!(engine.parts.gateway.silence(), None);
    let rows = engine.ledger().requests(ledger::RequestQuery::newest(10)).await.expect("read");
    assert_eq!(rows, []);
    engine.stop().await;
}
