//! Binds loopback sockets and serves their connections, for both the gateway and the control API.
//!
//! The accept loop is our own because one bad client must not harm the others. It has a timer for
//! incomplete heads (hyper has none by default), a connection limit, a write timeout,
//! `TCP_NODELAY`, and a graceful stop. There is no setting for the address: only loopback can be
//! bound.

pub(crate) mod agents;
pub(crate) mod connection_limiter;
pub(crate) mod control_listener;
pub(crate) mod control_tokens;
pub(crate) mod metrics;
pub(crate) mod refusals;
pub(crate) mod request_heads;
pub(crate) mod wrong_token_limiter;

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutWriter;
use tokio_util::sync::CancellationToken;

use crate::handle::guard::{self, LengthBesideChunks};
use crate::handle::response::ResponseBody;
use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX, ListenerLimits};
use crate::listener::connection_limiter::{ConnectionLimiter, ConnectionSlot};
use crate::listener::request_heads::{HeadWatchingStream, RequestHeads};

/// Attempts to find a system-chosen port that is free for both address families.
const SHARED_PORT_TRIES_MAX: usize = 8;

/// Accept backlog, which the system may lower. With the 128 of `TcpListener::bind`, a client beyond
/// them in a burst connected only at its next try, a second later.
const BACKLOG: u32 = 1_024;

/// Pause after a failed accept, so that the loop does not spin while file descriptors are
/// exhausted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Time for answers to end with an error after the stop's grace period.
const ENDING: Duration = Duration::from_secs(2);

/// Bound loopback sockets, not yet served.
#[derive(Debug)]
pub struct Listener {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
    workers: Vec<Worker>,
}

/// A runtime that serves connections, and their number.
#[derive(Debug)]
struct Worker {
    runtime: Handle,
    connections: Arc<AtomicUsize>,
}

/// Availability of `[::1]` beside `127.0.0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ipv6State {
    Listening,
    /// This machine has no IPv6 loopback.
    Absent,
}

/// A port could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error(
        "port {port} is in use by another program; stop that program, or choose another port in Settings or with `gatehouse serve --port N`"
    )]
    InUse { port: u16 },
    /// The system reserves the port.
    #[error(
        "the system does not allow port {port}; choose one above 1023 in Settings or with `gatehouse serve --port N`"
    )]
    NotAllowed { port: u16 },
    #[error("port {port} cannot be opened on 127.0.0.1: {source}")]
    Failed {
        port: u16,
        #[source]
        source: io::Error,
    },
}

impl Listener {
    /// Binds `port` on 127.0.0.1 and, if the machine has it, on `[::1]`. With port 0 the system
    /// chooses, one port for both families if possible.
    ///
    /// A port taken on only one family counts as taken: another program there would receive the
    /// tokens of clients that prefer that family.
    pub async fn bind(port: u16) -> Result<Self, BindError> {
        if port != 0 {
            return Self::bind_both(port).await;
        }
        for _ in 1..SHARED_PORT_TRIES_MAX {
            match Self::bind_both(0).await {
                Err(BindError::InUse { .. }) => {}
                outcome => return outcome,
            }
        }
        Self::bind_v4(0).await
    }

    /// Binds a system-chosen port on 127.0.0.1 only.
    pub async fn bind_v4_any() -> Result<Self, BindError> {
        Self::bind_v4(0).await
    }

    /// Serves each connection on the runtime that has the fewest. Without runtimes, the accept
    /// loop's runtime serves them.
    #[must_use]
    pub fn spread_over(mut self, runtimes: Vec<Handle>) -> Self {
        let worker = |runtime| Worker { runtime, connections: Arc::default() };
        self.workers = runtimes.into_iter().map(worker).collect();
        self
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub const fn ipv6(&self) -> Ipv6State {
        if self.v6.is_some() { Ipv6State::Listening } else { Ipv6State::Absent }
    }

    /// The bound IPv6 address; `None` if this machine has no IPv6 loopback.
    #[must_use]
    pub fn ipv6_address(&self) -> Option<SocketAddr> {
        self.v6.as_ref()?.local_addr().ok()
    }

    async fn bind_v4(port: u16) -> Result<Self, BindError> {
        let v4 = listen((Ipv4Addr::LOCALHOST, port).into());
        let v4 = v4.map_err(|error| bind_error(port, error))?;
        let bound = v4.local_addr().map_err(|error| bind_error(port, error))?;
        Ok(Self { v4, v6: None, port: bound.port(), workers: Vec::new() })
    }

    async fn bind_both(port: u16) -> Result<Self, BindError> {
        let mut listener = Self::bind_v4(port).await?;
        match listen((Ipv6Addr::LOCALHOST, listener.port).into()) {
            Ok(v6) => listener.v6 = Some(v6),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                return Err(BindError::InUse { port: listener.port });
            }
            Err(error) => tracing::info!(%error, "no IPv6 loopback; serving 127.0.0.1 only"),
        }
        Ok(listener)
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.v6 {
            None => self.v4.accept().await,
            Some(v6) => tokio::select! {
                accepted = self.v4.accept() => accepted,
                accepted = v6.accept() => accepted,
            },
        }
    }
}

impl Listener {
    /// Spawns `answering` for `stream` on the worker that has the fewest connections.
    fn answer<F: Future<Output = ()> + Send + 'static>(
        &self,
        connections: &mut JoinSet<()>,
        stream: TcpStream,
        answering: impl FnOnce(TcpStream) -> F + Send + 'static,
    ) {
        let Some(worker) = self.workers.iter().min_by_key(|worker| worker.count()) else {
            connections.spawn(answering(stream));
            return;
        };
        let counted = WorkerConnection::take(worker);
        // The socket stays registered with the runtime that accepted it until it is re-created
        // here.
        let moved = async move {
            let _counted = counted;
            match stream.into_std().and_then(TcpStream::from_std) {
                Ok(stream) => answering(stream).await,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be passed to a worker thread");
                }
            }
        };
        connections.spawn_on(moved, &worker.runtime);
    }
}

impl Worker {
    fn count(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Counts one connection of a worker until it is dropped.
struct WorkerConnection(Arc<AtomicUsize>);

impl WorkerConnection {
    fn take(worker: &Worker) -> Self {
        worker.connections.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(&worker.connections))
    }
}

impl Drop for WorkerConnection {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Like `TcpListener::bind`: connections of a previous run that are still closing do not block
    // the port. On Windows the option would let another program listen on it too.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_error(port: u16, source: io::Error) -> BindError {
    match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { port },
        ErrorKind::PermissionDenied => BindError::NotAllowed { port },
        _ => BindError::Failed { port, source },
    }
}

pub(crate) trait RequestHandler: Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client disconnects.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;
}

/// Stops a listener in stages.
#[derive(Debug, Clone, Default)]
pub struct StopSignal {
    /// Stops accepting connections; in-flight answers may finish.
    pub begun: CancellationToken,
    /// Ends the grace period early.
    pub hurried: CancellationToken,
    /// Set by the listener at the end of the grace period: answers end now with their dialect's
    /// error.
    pub(crate) over: CancellationToken,
}

impl StopSignal {
    /// Begins the stop with `begun` and ends its grace period early with `hurried`.
    #[must_use]
    pub fn new(begun: CancellationToken, hurried: CancellationToken) -> Self {
        Self { begun, hurried, over: CancellationToken::new() }
    }
}

/// Serves until the stop begins. Then lets in-flight answers finish within the grace period, has
/// the rest end with an error, and aborts what remains.
pub(crate) async fn serve<A: RequestHandler>(
    listener: Listener,
    handler: Arc<A>,
    limits: ListenerLimits,
    stop: StopSignal,
) {
    let mut running = JoinSet::new();
    let connections = ConnectionLimiter::new(limits.connections_max);
    loop {
        tokio::select! {
            () = stop.begun.cancelled() => break,
            Some(_ended) = running.join_next(), if !running.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let Some(slot) = connections.open() else {
                        refuse(&stream, connections.max());
                        continue;
                    };
                    let (handler, stop) = (Arc::clone(&handler), stop.begun.clone());
                    listener.answer(&mut running, stream, move |stream| async move {
                        tokio::select! {
                            biased;
                            () = serve_connection(stream, handler, limits, (&slot, stop)) => {}
                            () = slot.closing() => {}
                        }
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    // Without file descriptors, an unauthenticated connection is the one to close.
                    connections.close_oldest();
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    finish(&mut running, limits.stop_grace, &stop).await;
    running.shutdown().await;
}

/// Waits for answers to finish, then for the rest to end with an error.
async fn finish(running: &mut JoinSet<()>, grace: Duration, stop: &StopSignal) {
    let mut finished = pin!(async { while running.join_next().await.is_some() {} });
    tokio::select! {
        () = &mut finished => return,
        () = stop.hurried.cancelled() => {}
        () = tokio::time::sleep(grace) => {}
    }
    stop.over.cancel();
    if tokio::time::timeout(ENDING, finished).await.is_err() {
        tracing::warn!("responses that were still running at the stop were cut off");
    }
}

fn refuse(stream: &TcpStream, max: usize) {
    // Best effort: a client that reads it learns the reason. The socket is closed either way.
    if let Err(error) = stream.try_write(full_response(max).as_bytes()) {
        tracing::debug!(%error, "a refused connection was already closed");
    }
}

/// The 429 for a connection above the limit.
fn full_response(max: usize) -> String {
    let message = format!(
        "Gatehouse has {max} open connections, which is its limit, and each of them is in use by a client \
         with a valid token. Close some, or try again in a moment."
    );
    let body = serde_json::json!({
        "error": {"message": message, "type": "rate_limit_error", "param": null, "code": null}
    });
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after: 1\r\n\
         connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

async fn serve_connection<A: RequestHandler>(
    stream: TcpStream,
    handler: Arc<A>,
    limits: ListenerLimits,
    (slot, stop): (&Arc<ConnectionSlot>, CancellationToken),
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was refused");
    }
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.write_timeout));
    let heads = Arc::new(RequestHeads::default());
    let service = service_fn(|mut request: Request<Incoming>| {
        let (handler, heads) = (Arc::clone(&handler), Arc::clone(&heads));
        request.extensions_mut().insert(Arc::clone(slot));
        async move {
            if guard::is_chunked(request.headers()) && heads.has_length() {
                request.extensions_mut().insert(LengthBesideChunks);
            }
            let answer = handler.answer(request).await;
            heads.next();
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .serve_connection(
            TokioIo::new(HeadWatchingStream::new(Box::pin(stream), Arc::clone(&heads))),
            service,
        );
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_one_connection_too_many_says_its_true_length() {
        let text = full_response(512);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        assert!(head.ends_with(&format!("content-length: {}", body.len())), "{}", body.len());
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let message = body["error"]["message"].as_str().expect("a message");
        assert!(message.contains("512 open connections"), "{message}");
    }

    /// Answers with the name of its thread.
    struct WhereAmI;

    impl RequestHandler for WhereAmI {
        async fn answer(self: Arc<Self>, _request: Request<Incoming>) -> Response<ResponseBody> {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            crate::handle::response::json(200, name.into())
        }
    }

    async fn ask(port: u16) -> (TcpStream, String) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("connected");
        socket.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.expect("sent");
        let mut seen = Vec::new();
        while !seen.windows(8).any(|name| name == b"worker-a" || name == b"worker-b") {
            assert_ne!(socket.read_buf(&mut seen).await.expect("read"), 0);
        }
        let text = String::from_utf8(seen).expect("text");
        (socket, text.rsplit_once("\r\n").expect("a body").1.to_owned())
    }

    #[tokio::test]
    async fn connections_are_spread_over_the_workers_and_stop_with_the_listener() {
        let ended = CancellationToken::new();
        let worker = |name: &str| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let runtime = runtime.expect("a runtime");
            let (handle, ended) = (runtime.handle().clone(), ended.clone());
            let run = move || runtime.block_on(ended.cancelled());
            let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
            (handle, thread.expect("a thread"))
        };
        let (handles, threads): (Vec<_>, Vec<_>) =
            ["worker-a", "worker-b"].map(worker).into_iter().unzip();
        let listener = Listener::bind(0).await.expect("a port").spread_over(handles);
        let (port, stop) = (listener.port(), StopSignal::default());
        let serving = serve(listener, Arc::new(WhereAmI), ListenerLimits::default(), stop.clone());
        let asking = async {
            let mut kept = Vec::new();
            for expected in ["worker-a", "worker-b", "worker-a"] {
                let (socket, name) = ask(port).await;
                assert_eq!(name, expected);
                kept.push(socket);
            }
            // The first worker has two connections now, so the second one is next.
            assert_eq!(ask(port).await.1, "worker-b");
            stop.begun.cancel();
        };
        tokio::join!(serving, asking);
        ended.cancel();
        for thread in threads {
            thread.join().expect("ended");
        }
    }

    /// Elsewhere the system limits the backlog: 128 on macOS.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_burst_of_connections_waits_to_be_accepted() {
        let listener = Listener::bind(0).await.expect("a port");
        let burst = async {
            let mut waiting = Vec::new();
            for _ in 0..600 {
                let port = listener.port();
                waiting.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await);
            }
            waiting.into_iter().all(|connection| connection.is_ok())
        };
        // A client that finds the backlog full tries again after a second.
        let connected = tokio::time::timeout(Duration::from_millis(900), burst).await;
        assert!(connected.expect("nobody waits for a place"));
    }

    #[tokio::test]
    async fn a_taken_port_is_named_and_says_what_to_do() {
        let first = Listener::bind(0).await.expect("a port");
        let error = Listener::bind(first.port()).await.expect_err("taken");
        assert!(matches!(error, BindError::InUse { port } if port == first.port()));
        assert!(error.to_string().contains("choose another port"));
    }

    #[tokio::test]
    async fn a_port_taken_on_ipv6_alone_is_taken() {
        let Ok(v6) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await else { return };
        let port = v6.local_addr().expect("an address").port();
        assert!(matches!(Listener::bind(port).await, Err(BindError::InUse { .. })));
    }
}
