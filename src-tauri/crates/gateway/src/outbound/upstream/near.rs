//! Connections to backends on this machine over plain HTTP, each polled by the request that uses
//! it.
//!
//! A model server on loopback answers in a fraction of a millisecond, so our own overhead matters
//! here. A network client gives each connection its own task and passes requests, heads and chunks
//! between tasks. Here the task that waits for the answer polls the connection itself. Idle
//! connections have no task: [`LoopbackPool::sweep`] checks them, and a closed one is noticed
//! before anything is sent on it. All other traffic uses reqwest (`http`), with its proxies, TLS
//! and HTTP/2.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper::header::{ACCEPT, HOST, HeaderMap, HeaderValue};
use hyper::{Method, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::runtime::{Handle, Id};
use url::{Host, Position, Url};

use super::UpstreamFailure;
use super::local::local_fault;
use super::resolve::Resolver;

/// Idle connections kept per backend and worker thread.
const IDLE_CONNECTIONS_MAX: usize = 64;

/// Sweeps that an idle connection survives. With a sweep every two seconds it is kept for 50 s, as
/// long as a connection to a backend elsewhere.
pub(super) const SWEEPS_SURVIVED_MAX: u8 = 25;

/// Pool of connections to backends on this machine.
#[derive(Debug)]
pub(super) struct LoopbackPool {
    connect_timeout: Duration,
    resolver: Resolver,
    idle: Mutex<Vec<PooledConnection>>,
}

/// The head of an answer and the stream of its body.
pub(super) type LoopbackPoolResponse = Response<LoopbackPoolBody>;

/// A body that polls its connection as it is read, and returns it to the pool at its end. Dropped
/// before that, it closes the connection.
pub(super) struct LoopbackPoolBody {
    incoming: Incoming,
    pooled: Option<PooledConnection>,
    near: Arc<LoopbackPool>,
}

/// One connection, used by one request at a time.
struct PooledConnection {
    authority: Arc<str>,
    /// The runtime that watches its socket. Used on another, each wake would cross threads.
    runtime: Id,
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<Connection<TokioIo<TcpStream>, Full<Bytes>>>,
    sweeps: u8,
}

impl std::fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PooledConnection")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// True if requests for `url` use this pool.
pub(super) fn is_near(url: &Url) -> bool {
    url.scheme() == "http" && domain::Origin::from_url(url).is_ok_and(|origin| origin.is_loopback())
}

impl LoopbackPool {
    /// Gives up connecting after `connect_timeout`.
    pub(super) fn new(connect_timeout: Duration, resolver: Resolver) -> Arc<Self> {
        Arc::new(Self { connect_timeout, resolver, idle: Mutex::default() })
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
        self: &Arc<Self>,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<LoopbackPoolResponse, UpstreamFailure> {
        let authority = &url[Position::BeforeHost..Position::AfterPort];
        let mut request = written(method, url, authority, headers, body)?;
        while let Some(mut pooled) = self.take(authority) {
            match pooled.send(request).await {
                Ok(answer) => return Ok(self.answer(answer, pooled)),
                // It closed while idle; nothing was sent on it.
                Err(NotSent::Back(back)) => request = *back,
                Err(NotSent::Failed(failure)) => return Err(failure),
            }
        }
        let mut pooled = self.open(url, authority).await?;
        match pooled.send(request).await {
            Ok(answer) => Ok(self.answer(answer, pooled)),
            Err(NotSent::Back(_)) => Err(UpstreamFailure::Broken),
            Err(NotSent::Failed(failure)) => Err(failure),
        }
    }

    /// Closes connections that have ended, or were idle for more than [`SWEEPS_SURVIVED_MAX`]
    /// sweeps.
    pub(super) fn sweep(&self) {
        let mut nobody = Context::from_waker(Waker::noop());
        self.idle.lock().retain_mut(|pooled| {
            pooled.sweeps += 1;
            pooled.drive(&mut nobody);
            pooled.sweeps <= SWEEPS_SURVIVED_MAX && pooled.sender.is_ready()
        });
    }

    fn answer(
        self: &Arc<Self>,
        answer: Response<Incoming>,
        pooled: PooledConnection,
    ) -> LoopbackPoolResponse {
        let near = Arc::clone(self);
        answer.map(|incoming| LoopbackPoolBody { incoming, pooled: Some(pooled), near })
    }

    fn take(&self, authority: &str) -> Option<PooledConnection> {
        let here = Handle::current().id();
        let mut idle = self.idle.lock();
        // The one used last is the least likely to have been closed.
        let at = idle.iter().rposition(|pooled| pooled.is_for(authority, here))?;
        Some(idle.remove(at))
    }

    fn keep(&self, mut pooled: PooledConnection) {
        pooled.sweeps = 0;
        let mut idle = self.idle.lock();
        let alike = idle.iter().filter(|kept| kept.is_for(&pooled.authority, pooled.runtime));
        if alike.count() < IDLE_CONNECTIONS_MAX {
            idle.push(pooled);
        }
    }

    async fn open(&self, url: &Url, authority: &str) -> Result<PooledConnection, UpstreamFailure> {
        let port = url.port_or_known_default().ok_or(UpstreamFailure::Local)?;
        let opening = async {
            let socket = match url.host().ok_or(UpstreamFailure::Local)? {
                Host::Ipv4(address) => TcpStream::connect((address, port)).await,
                Host::Ipv6(address) => TcpStream::connect((address, port)).await,
                Host::Domain(name) => {
                    let found = self.resolver.addresses(name, port).await?;
                    TcpStream::connect(&found[..]).await
                }
            };
            socket.map_err(|error| local_fault(&error).unwrap_or(UpstreamFailure::Connect))
        };
        let socket = tokio::time::timeout(self.connect_timeout, opening).await;
        let socket = socket.unwrap_or(Err(UpstreamFailure::Connect))?;
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was refused");
        }
        let shaken = http1::handshake(TokioIo::new(socket)).await;
        let (sender, connection) = shaken.map_err(|_| UpstreamFailure::Broken)?;
        let (authority, runtime) = (Arc::from(authority), Handle::current().id());
        Ok(PooledConnection { authority, runtime, sender, connection: Some(connection), sweeps: 0 })
    }
}

/// Why a connection gave no answer.
enum NotSent {
    /// The connection had closed, and nothing of the request was sent.
    Back(Box<Request<Full<Bytes>>>),
    Failed(UpstreamFailure),
}

impl PooledConnection {
    fn is_for(&self, authority: &str, runtime: Id) -> bool {
        self.runtime == runtime && *self.authority == *authority
    }

    /// Polls the connection, so that it reads and writes what it can.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, NotSent> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let sent = std::future::poll_fn(|cx| {
            if let Some(connection) = &mut self.connection
                && Pin::new(connection).poll(cx).is_ready()
            {
                self.connection = None;
            }
            answer.as_mut().poll(cx)
        })
        .await;
        sent.map_err(|mut unsent| match unsent.take_message() {
            Some(back) => NotSent::Back(Box::new(back)),
            None if unsent.error().is_user() => NotSent::Failed(UpstreamFailure::Local),
            None => NotSent::Failed(UpstreamFailure::Broken),
        })
    }
}

/// Builds the request as it is sent.
fn written(
    method: Method,
    url: &Url,
    authority: &str,
    mut headers: HeaderMap,
    body: Bytes,
) -> Result<Request<Full<Bytes>>, UpstreamFailure> {
    let host = HeaderValue::try_from(authority).map_err(|_| UpstreamFailure::Local)?;
    let uri = Uri::try_from(&url[Position::BeforePath..Position::AfterQuery]);
    headers.insert(HOST, host);
    headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri.map_err(|_| UpstreamFailure::Local)?;
    *request.headers_mut() = headers;
    Ok(request)
}

impl Stream for LoopbackPoolBody {
    type Item = Result<Bytes, UpstreamFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        // Takes buffered data first: the connection reads no further until it is taken.
        let mut has_driven = false;
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    Err(_trailers) => {}
                },
                Poll::Ready(Some(Err(_broken))) => {
                    self.pooled = None;
                    return Poll::Ready(Some(Err(UpstreamFailure::Broken)));
                }
                Poll::Ready(None) => {
                    self.give_back(cx);
                    return Poll::Ready(None);
                }
                Poll::Pending if has_driven => return Poll::Pending,
                Poll::Pending => {
                    has_driven = true;
                    if let Some(pooled) = &mut self.pooled {
                        pooled.drive(cx);
                    }
                }
            }
        }
    }
}

impl LoopbackPoolBody {
    fn give_back(&mut self, cx: &mut Context<'_>) {
        let Some(mut pooled) = self.pooled.take() else { return };
        pooled.drive(cx);
        if pooled.sender.is_ready() {
            self.near.keep(pooled);
        }
    }
}

#[cfg(test)]
mod tests;
