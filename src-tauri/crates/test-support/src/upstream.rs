//! An HTTP server that sends scripted replies and records the requests.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::http::{BodyEnd, BodyFraming, RawConnection, find_header};
use crate::reply::{Reply, ReplyEnding};

/// A server on a free loopback port.
///
/// A request without a scripted reply is answered with 501 and its name. Dropping the upstream then
/// fails the test with that name.
#[derive(Debug)]
pub struct ScriptedUpstream {
    address: SocketAddr,
    record: Arc<RequestLog>,
    server: JoinHandle<()>,
}

#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Headers in order, with names as written.
    pub headers: Vec<(String, String)>,
    /// The body, without chunk framing.
    pub body: Bytes,
    /// Number of the connection it came on, from zero.
    pub connection: usize,
}

#[derive(Debug, Default)]
struct RequestLog {
    requests: watch::Sender<Vec<ReceivedRequest>>,
    unscripted: Mutex<Vec<String>>,
    /// Number of replies that the peer broke off.
    broken_off: watch::Sender<usize>,
}

type Responder = dyn Fn(&ReceivedRequest) -> Option<Reply> + Send + Sync;

impl ScriptedUpstream {
    /// Answers the requests with these replies, in order of arrival.
    pub async fn start(replies: impl IntoIterator<Item = Reply>) -> io::Result<Self> {
        let queue: Mutex<VecDeque<Reply>> = Mutex::new(replies.into_iter().collect());
        Self::start_with(move |_| queue.lock().pop_front()).await
    }

    /// Answers each request with the result of `responder`; `None` means that the request has no
    /// scripted reply.
    pub async fn start_with(
        responder: impl Fn(&ReceivedRequest) -> Option<Reply> + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let record = Arc::new(RequestLog::default());
        let serving = serve(listener, Arc::clone(&record), Arc::new(responder));
        #[expect(
            clippy::disallowed_methods,
            reason = "a test's server has no engine to supervise it; it is aborted on drop"
        )]
        let server = tokio::spawn(serving);
        Ok(Self { address, record, server })
    }

    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for a backend, `http://127.0.0.1:PORT/v1`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Every request so far, in order of arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.record.requests.borrow().clone()
    }

    /// Waits until `count` requests have arrived.
    pub async fn wait_for_requests(&self, count: usize) {
        let mut requests = self.record.requests.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _seen = requests.wait_for(|seen| seen.len() >= count).await;
    }

    /// Waits until the peer has broken off `count` replies, that is, closed the connection before
    /// their end.
    pub async fn wait_for_broken_off(&self, count: usize) {
        let mut counter = self.record.broken_off.subscribe();
        // The sender lives as long as `self`, so waiting cannot fail.
        let _seen = counter.wait_for(|seen| *seen >= count).await;
    }
}

#[expect(clippy::panic, reason = "a call nobody scripted must fail the test that made it")]
impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        self.server.abort();
        let unscripted = self.record.unscripted.lock();
        if !unscripted.is_empty() && !std::thread::panicking() {
            panic!("calls that nobody scripted: {}", unscripted.join(", "));
        }
    }
}

impl ReceivedRequest {
    /// The value of the first header of that name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        find_header(&self.headers, name)
    }

    /// The `authorization` header, to assert that a key went to its own host only.
    #[must_use]
    pub fn authorization(&self) -> Option<&str> {
        self.header("authorization")
    }

    /// The body as JSON; `null` if it is not valid.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

async fn serve(listener: TcpListener, record: Arc<RequestLog>, responder: Arc<Responder>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let Ok((stream, _)) = listener.accept().await else { return };
        let (record, responder) = (Arc::clone(&record), Arc::clone(&responder));
        connections.spawn(async move {
            // A broken connection ends its task; the record has all that the test needs.
            let _broken = serve_connection(stream, number, &record, &*responder).await;
        });
    }
}

async fn serve_connection(
    stream: TcpStream,
    number: usize,
    record: &RequestLog,
    responder: &Responder,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut connection = RawConnection::new(stream);
    while let Some(head) = connection.read_head().await? {
        let (body, end) = connection.read_body(head.framing(BodyFraming::Length(0))).await;
        if end != BodyEnd::Complete {
            return Ok(());
        }
        let mut words = head.first_line.split(' ').map(str::to_owned);
        let received = ReceivedRequest {
            method: words.next().unwrap_or_default(),
            path: words.next().unwrap_or_default(),
            headers: head.headers,
            body,
            connection: number,
        };
        record.requests.send_modify(|seen| seen.push(received.clone()));
        let reply = responder(&received).unwrap_or_else(|| reply_unscripted(&received, record));
        match send_reply(&mut connection, &reply).await {
            Ok(ReplyEnding::Complete) => {}
            Ok(ReplyEnding::Close) => return connection.stream.shutdown().await,
            Ok(ReplyEnding::Reset) => return connection.stream.set_zero_linger(),
            Ok(ReplyEnding::Stall) => {
                while connection.read_some().await.is_ok_and(|bytes| !bytes.is_empty()) {}
                record.broken_off.send_modify(|count| *count += 1);
                return Ok(());
            }
            Err(error) => {
                record.broken_off.send_modify(|count| *count += 1);
                return Err(error);
            }
        }
    }
    Ok(())
}

fn reply_unscripted(received: &ReceivedRequest, record: &RequestLog) -> Reply {
    let name = format!("{} {}", received.method, received.path);
    record.unscripted.lock().push(name.clone());
    Reply::error(501, "unscripted", &format!("nobody scripted {name}"))
}

async fn send_reply(connection: &mut RawConnection, reply: &Reply) -> io::Result<ReplyEnding> {
    sleep_for(reply.wait).await;
    let stream = &mut connection.stream;
    let framing = match reply.head_bytes() {
        Some((bytes, framing)) => {
            stream.write_all(&bytes).await?;
            framing
        }
        None => BodyFraming::UntilClose,
    };
    for piece in reply.pieces.iter().filter(|piece| !piece.is_empty()) {
        sleep_for(reply.pause).await;
        if framing == BodyFraming::Chunked {
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            stream.write_all(&chunk).await?;
        } else {
            stream.write_all(piece).await?;
        }
    }
    if (framing, reply.ending) == (BodyFraming::Chunked, ReplyEnding::Complete) {
        stream.write_all(b"0\r\n\r\n").await?;
    }
    stream.flush().await?;
    Ok(reply.ending)
}

async fn sleep_for(duration: std::time::Duration) {
    if !duration.is_zero() {
        tokio::time::sleep(duration).await;
    }
}
