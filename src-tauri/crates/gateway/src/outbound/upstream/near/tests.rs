//! Connections to a server on this machine: reused, replaced when closed, closed when idle.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::outbound::upstream::resolve::SystemNameLookup;

/// What a server does with a connection after an answer.
#[derive(Clone, Copy)]
enum After {
    Keep,
    Close,
}

/// A server that answers every request with two chunks and counts its connections.
struct Server {
    url: Url,
    connections: Arc<AtomicUsize>,
    _running: JoinSet<()>,
}

impl Server {
    async fn start(after: After) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let url = format!("http://127.0.0.1:{port}/v1/x?y=1").parse().expect("a URL");
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut each = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                each.spawn(answer(socket, after));
            }
        });
        Self { url, connections, _running: running }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn answer(mut socket: TcpStream, after: After) {
    let mut seen = Vec::new();
    loop {
        while !seen.ends_with(b"question") {
            if socket.read_buf(&mut seen).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let text = String::from_utf8(std::mem::take(&mut seen)).expect("text");
        assert!(text.starts_with("POST /v1/x?y=1 HTTP/1.1\r\n"), "{text}");
        assert!(text.contains("\r\nhost: 127.0.0.1:") && text.contains("\r\naccept: */*\r\n"));
        let answer = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
        socket.write_all(answer.as_bytes()).await.expect("sent");
        if matches!(after, After::Close) {
            return;
        }
    }
}

async fn ask(
    near: &Arc<LoopbackPool>,
    server: &Server,
) -> Result<LoopbackPoolResponse, UpstreamFailure> {
    let body = Bytes::from_static(b"question");
    near.send(Method::POST, &server.url, HeaderMap::new(), body).await
}

async fn read(near: &Arc<LoopbackPool>, server: &Server) -> String {
    let answer = ask(near, server).await.expect("an answer");
    let pieces: Vec<_> = answer.into_body().map(|piece| piece.expect("a piece")).collect().await;
    String::from_utf8(pieces.concat()).expect("text")
}

fn near() -> Arc<LoopbackPool> {
    let limit = Duration::from_secs(5);
    LoopbackPool::new(limit, Resolver::new(Arc::new(SystemNameLookup), limit))
}

#[test]
fn only_plain_http_on_this_machine_is_near() {
    let check = |url: &str, expected| assert_eq!(is_near(&url.parse().expect("a URL")), expected);
    check("http://127.0.0.1:11434/v1", true);
    check("http://localhost:1234/v1", true);
    check("http://[::1]/v1", true);
    check("https://localhost/v1", false);
    check("http://10.0.0.1/v1", false);
    check("https://api.openai.com/v1", false);
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (near, server) = (near(), Server::start(After::Keep).await);
    for _ in 0..3 {
        assert_eq!(read(&near, &server).await, "onetwo");
    }
    assert_eq!((server.connections(), near.idle.lock().len()), (1, 1));
    let (one, other) = (ask(&near, &server).await, ask(&near, &server).await);
    assert_eq!(server.connections(), 2, "two at once");
    drop((one, other));
    assert_eq!(near.idle.lock().len(), 0, "what was not read to its end is not used again");
}

#[tokio::test]
async fn a_connection_that_ended_is_replaced_before_anything_is_sent_on_it() {
    let (near, server) = (near(), Server::start(After::Close).await);
    for times in 1..=5 {
        assert_eq!(read(&near, &server).await, "onetwo");
        assert_eq!(server.connections(), times);
    }
}

#[tokio::test]
async fn what_nobody_uses_is_closed() {
    let (near, server) = (near(), Server::start(After::Keep).await);
    read(&near, &server).await;
    for _ in 0..SWEEPS_SURVIVED_MAX {
        near.sweep();
    }
    assert_eq!(near.idle.lock().len(), 1);
    read(&near, &server).await;
    assert_eq!(server.connections(), 1);
    for _ in 0..=SWEEPS_SURVIVED_MAX {
        near.sweep();
    }
    assert_eq!(near.idle.lock().len(), 0);
}

#[tokio::test]
async fn nobody_there_is_a_failure_to_connect() {
    let near = near();
    let server = Server::start(After::Keep).await;
    let Server { url, connections, _running: mut running } = server;
    running.shutdown().await;
    let gone = Server { url, connections, _running: running };
    assert_eq!(ask(&near, &gone).await.err(), Some(UpstreamFailure::Connect));
    let url = "http://nowhere.localhost.:1/".parse();
    assert!(!is_near(&url.expect("a URL")), "a name that only looks like this machine");
}
