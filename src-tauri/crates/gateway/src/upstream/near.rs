//! Backends on this machine over plain HTTP: one connection, driven by the request that uses it.
//!
//! A model server on loopback answers in a fraction of a millisecond, so here our own time is a good
//! part of the whole. A client for the network gives each connection a task of its own and passes
//! requests, heads and pieces between the tasks; here the task that waits for the answer polls the
//! connection itself, and nothing is passed on. That leaves nobody to watch a connection that lies
//! idle: [`LoopbackPool::sweep`] does, and one that ended meanwhile is noticed before anything is sent on it.
//! Everything that leaves this machine goes through reqwest (`http`): proxies, TLS and HTTP/2 are its.

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
use crate::busy_poll::{PollingCount, PollingGuard};

/// Unused connections kept per backend and lane.
const IDLE_LINES_MAX: usize = 64;

/// Sweeps that an unused connection survives. At one every two seconds it is kept for 50 s, as long
/// as one to a backend elsewhere.
pub(super) const SWEEPS_SURVIVED_MAX: u8 = 25;

/// Connections to backends on this machine.
#[derive(Debug)]
pub(super) struct LoopbackPool {
    connect_timeout: Duration,
    resolver: Resolver,
    idle: Mutex<Vec<PooledConnection>>,
    /// Requests whose answers have not begun.
    waiting: PollingCount,
}

/// The head of an answer and its body to come.
pub(super) type LoopbackPoolResponse = Response<LoopbackPoolBody>;

/// A body that drives its connection as it is read, and gives it back at its end. Dropped before
/// that, it closes the connection.
pub(super) struct LoopbackPoolBody {
    incoming: Incoming,
    line: Option<PooledConnection>,
    near: Arc<LoopbackPool>,
}

/// One connection, used by one request at a time.
struct PooledConnection {
    authority: Arc<str>,
    /// Where its socket is watched; used elsewhere, each wake would cross threads.
    runtime: Id,
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it has ended.
    connection: Option<Connection<TokioIo<TcpStream>, Full<Bytes>>>,
    sweeps: u8,
}

impl std::fmt::Debug for PooledConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("authority", &self.authority).finish_non_exhaustive()
    }
}

/// Whether a request for `url` goes this way.
pub(super) fn is_near(url: &Url) -> bool {
    url.scheme() == "http" && domain::Origin::from_url(url).is_ok_and(|origin| origin.is_loopback())
}

impl LoopbackPool {
    /// Gives up connecting after `connect_timeout`.
    pub(super) fn new(connect_timeout: Duration, resolver: Resolver) -> Arc<Self> {
        Arc::new(Self {
            connect_timeout,
            resolver,
            idle: Mutex::default(),
            waiting: PollingCount::default(),
        })
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
        let waiting = self.waiting.enter();
        while let Some(mut line) = self.take(authority) {
            match line.send(request, &waiting).await {
                Ok(answer) => return Ok(self.answer(answer, line)),
                // It ended while it lay idle; nothing was sent on it.
                Err(NotSent::Back(back)) => request = *back,
                Err(NotSent::Failed(failure)) => return Err(failure),
            }
        }
        let mut line = self.open(url, authority).await?;
        match line.send(request, &waiting).await {
            Ok(answer) => Ok(self.answer(answer, line)),
            Err(NotSent::Back(_)) => Err(UpstreamFailure::Broken),
            Err(NotSent::Failed(failure)) => Err(failure),
        }
    }

    /// Closes what has ended or was not used for [`SWEEPS_SURVIVED_MAX`] sweeps.
    pub(super) fn sweep(&self) {
        let mut nobody = Context::from_waker(Waker::noop());
        self.idle.lock().retain_mut(|line| {
            line.sweeps += 1;
            line.drive(&mut nobody);
            line.sweeps <= SWEEPS_SURVIVED_MAX && line.sender.is_ready()
        });
    }

    fn answer(
        self: &Arc<Self>,
        answer: Response<Incoming>,
        line: PooledConnection,
    ) -> LoopbackPoolResponse {
        let near = Arc::clone(self);
        answer.map(|incoming| LoopbackPoolBody { incoming, line: Some(line), near })
    }

    fn take(&self, authority: &str) -> Option<PooledConnection> {
        let here = Handle::current().id();
        let mut idle = self.idle.lock();
        // The one used last is the one least likely to have been closed.
        let at = idle.iter().rposition(|line| line.is_for(authority, here))?;
        Some(idle.remove(at))
    }

    fn keep(&self, mut line: PooledConnection) {
        line.sweeps = 0;
        let mut idle = self.idle.lock();
        let alike = idle.iter().filter(|kept| kept.is_for(&line.authority, line.runtime));
        if alike.count() < IDLE_LINES_MAX {
            idle.push(line);
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

/// Why there is no answer on a line.
enum NotSent {
    /// The line had ended, and nothing of the request was sent.
    Back(Box<Request<Full<Bytes>>>),
    Failed(UpstreamFailure),
}

impl PooledConnection {
    fn is_for(&self, authority: &str, runtime: Id) -> bool {
        self.runtime == runtime && *self.authority == *authority
    }

    /// Lets the connection write and read what it can.
    fn drive(&mut self, cx: &mut Context<'_>) {
        if let Some(connection) = &mut self.connection
            && Pin::new(connection).poll(cx).is_ready()
        {
            self.connection = None;
        }
    }

    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
        waiting: &PollingGuard<'_>,
    ) -> Result<Response<Incoming>, NotSent> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let sent = std::future::poll_fn(|cx| {
            if let Some(connection) = &mut self.connection
                && Pin::new(connection).poll(cx).is_ready()
            {
                self.connection = None;
            }
            answer.as_mut().poll(cx)
        });
        let sent = tokio::select! {
            biased;
            sent = sent => sent,
            never = waiting.look_then_sleep() => match never {},
        };
        sent.map_err(|mut unsent| match unsent.take_message() {
            Some(back) => NotSent::Back(Box::new(back)),
            None if unsent.error().is_user() => NotSent::Failed(UpstreamFailure::Local),
            None => NotSent::Failed(UpstreamFailure::Broken),
        })
    }
}

/// The request as it goes over the wire.
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
        // What is there already first; the connection holds back what follows until it is taken.
        let mut has_driven = false;
        loop {
            match Pin::new(&mut self.incoming).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => return Poll::Ready(Some(Ok(data))),
                    Err(_trailers) => {}
                },
                Poll::Ready(Some(Err(_broken))) => {
                    self.line = None;
                    return Poll::Ready(Some(Err(UpstreamFailure::Broken)));
                }
                Poll::Ready(None) => {
                    self.give_back(cx);
                    return Poll::Ready(None);
                }
                Poll::Pending if has_driven => return Poll::Pending,
                Poll::Pending => {
                    has_driven = true;
                    if let Some(line) = &mut self.line {
                        line.drive(cx);
                    }
                }
            }
        }
    }
}

impl LoopbackPoolBody {
    fn give_back(&mut self, cx: &mut Context<'_>) {
        let Some(mut line) = self.line.take() else { return };
        line.drive(cx);
        if line.sender.is_ready() {
            self.near.keep(line);
        }
    }
}

#[cfg(test)]
mod tests;
