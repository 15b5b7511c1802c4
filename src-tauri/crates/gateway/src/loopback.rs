//! HTTP client for Gatehouse's own listeners. The command line and a second window call the running
//! engine with it; the readiness checks call the gateway as a client would.
//!
//! Each call opens its own connection, to a loopback port only, without the TLS roots and pools of
//! a network client: `gatehouse status` has 30 ms in all.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use domain::{ClientId, RequestId, Secret};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use wire::{SseDecoder, SsePayload};

use crate::handle::response::REQUEST_ID;
use crate::headers::{CALLER, CLIENT};
use crate::limits::ANSWER_BYTES_MAX;

/// Time for a whole call. Longer operations report their progress as events.
pub(crate) const LOOPBACK_CALL_MS_MAX: u64 = 60_000;

#[derive(Debug)]
pub struct LoopbackCall {
    port: u16,
    path: String,
    headers: HeaderMap,
    body: Option<Bytes>,
    limit: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackReply {
    pub status: u16,
    pub body: Bytes,
}

/// A loopback call failed.
#[derive(Debug, thiserror::Error)]
pub enum LoopbackError {
    /// Nothing listens on the port.
    #[error("nothing is listening on port {port} of this machine; start Gatehouse, then try again")]
    Connect {
        port: u16,
        #[source]
        source: std::io::Error,
    },
    #[error("the connection to the running Gatehouse was lost; try again")]
    Broken(#[from] hyper::Error),
    /// The connection closed before an answer came.
    #[error("the running Gatehouse closed the connection without a response; try again")]
    Ended,
    /// The call took longer than this limit.
    #[error("the running Gatehouse did not answer within {0:?}")]
    Late(Duration),
    /// The answer is larger than [`ANSWER_BYTES_MAX`].
    #[error("the response has more than {ANSWER_BYTES_MAX} bytes")]
    TooLarge,
    /// The request cannot be written as HTTP.
    #[error("the call cannot be written as a request")]
    Request(#[from] hyper::http::Error),
}

impl LoopbackCall {
    /// A GET of `path` on `port`; a POST once it has a body.
    #[must_use]
    pub fn to(port: u16, path: impl Into<String>) -> Self {
        let limit = Duration::from_millis(LOOPBACK_CALL_MS_MAX);
        Self { port, path: path.into(), headers: HeaderMap::new(), body: None, limit }
    }

    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Adds a token of Gatehouse as the bearer token.
    #[must_use]
    pub fn with_token(mut self, token: &Secret) -> Self {
        if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", token.expose())) {
            value.set_sensitive(true);
            self.headers.insert(AUTHORIZATION, value);
        }
        self
    }

    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        self
    }

    /// Names the client that a request is sent for, which the gateway believes one client of this program.
    #[must_use]
    pub fn with_client(mut self, client: &ClientId) -> Self {
        if let Ok(value) = HeaderValue::try_from(client.as_str()) {
            self.headers.insert(CLIENT, value);
        }
        self
    }

    /// Chooses the id of a request to the gateway, which takes it from clients of this program.
    #[must_use]
    pub fn with_request_id(mut self, id: RequestId) -> Self {
        if let Ok(value) = HeaderValue::try_from(id.to_string()) {
            self.headers.insert(REQUEST_ID, value);
        }
        self
    }

    /// Says who calls, for the control API. Text that no header can hold is left out.
    #[must_use]
    pub fn with_caller(mut self, caller: &str) -> Self {
        if let Ok(value) = HeaderValue::try_from(caller) {
            self.headers.insert(CALLER, value);
        }
        self
    }

    /// Replaces `LOOPBACK_CALL_MS_MAX` as the time for the whole call.
    #[must_use]
    pub const fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Makes the call a POST of this JSON document.
    #[must_use]
    pub fn with_json(mut self, body: Bytes) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(body);
        self
    }

    fn into_request(self) -> Result<Request<Full<Bytes>>, hyper::http::Error> {
        let method = if self.body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder()
            .method(method)
            .uri(self.path)
            .header(HOST, format!("127.0.0.1:{}", self.port))
            .body(Full::new(self.body.unwrap_or_default()))?;
        request.headers_mut().extend(self.headers);
        Ok(request)
    }
}

/// Sends `call` and reads the whole answer.
pub async fn loopback_call(call: LoopbackCall) -> Result<LoopbackReply, LoopbackError> {
    let limit = call.limit;
    let exchange = async {
        let mut opened = Opened::by(call).await?;
        let mut body = BytesMut::new();
        while let Some(chunk) = opened.chunk().await? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(LoopbackError::TooLarge);
            }
        }
        Ok(LoopbackReply { status: opened.status, body: body.freeze() })
    };
    tokio::time::timeout(limit, exchange).await.unwrap_or(Err(LoopbackError::Late(limit)))
}

/// A stream of server-sent events from a loopback port.
pub struct LoopbackEvents {
    opened: Opened,
    decoder: SseDecoder,
}

impl LoopbackEvents {
    /// Opens the event stream of `call`.
    ///
    /// The call's time limit covers the response head only; the stream has no limit.
    pub async fn open(call: LoopbackCall) -> Result<Self, LoopbackError> {
        let limit = call.limit;
        let opened = tokio::time::timeout(limit, Opened::by(call)).await;
        let opened = opened.unwrap_or(Err(LoopbackError::Late(limit)))?;
        Ok(Self { opened, decoder: SseDecoder::new() })
    }

    /// HTTP status; with anything but 200 no events follow.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.opened.status
    }

    /// The data of the next event; `None` after the end of the stream, also a broken one.
    pub async fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.decoder.next_event() {
                Ok(Some(event)) => {
                    if let SsePayload::Data(data) = event.payload {
                        return Some(data);
                    }
                }
                Ok(None) => self.decoder.push(&self.opened.chunk().await.ok()??),
                Err(_) => return None,
            }
        }
    }
}

/// An answer of any kind, read in chunks. Dropping it closes its connection, which the other side
/// notices at once.
pub struct LoopbackAnswer(Opened);

impl LoopbackAnswer {
    /// Sends `call` and waits for the head of its answer.
    pub async fn open(call: LoopbackCall) -> Result<Self, LoopbackError> {
        Opened::by(call).await.map(Self)
    }

    #[must_use]
    pub const fn status(&self) -> u16 {
        self.0.status
    }

    /// The response headers, names in lower case. Values that are not text are omitted.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let headers = self.0.headers.iter();
        headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The next chunk of the body; `None` at its regular end.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, LoopbackError> {
        self.0.chunk().await
    }
}

/// A connection whose response head has arrived. hyper needs the connection polled along with the
/// body.
struct Opened {
    status: u16,
    headers: HeaderMap,
    body: Incoming,
    connection: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Opened {
    async fn by(call: LoopbackCall) -> Result<Self, LoopbackError> {
        let port = call.port;
        let connect = |source| LoopbackError::Connect { port, source };
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.map_err(connect)?;
        stream.set_nodelay(true).map_err(connect)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let mut connection: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(async move {
            // A connection error also reaches the body, which reports it.
            drop(connection.await);
        });
        let sending = sender.send_request(call.into_request()?);
        let answer: Response<Incoming> = tokio::select! {
            biased;
            answer = sending => answer?,
            () = &mut connection => return Err(LoopbackError::Ended),
        };
        let (head, body) = answer.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        Ok(Self { status, headers, body, connection: Some(connection) })
    }

    async fn chunk(&mut self) -> Result<Option<Bytes>, LoopbackError> {
        loop {
            let frame = match &mut self.connection {
                None => self.body.frame().await,
                Some(connection) => tokio::select! {
                    biased;
                    frame = self.body.frame() => frame,
                    () = connection => {
                        self.connection = None;
                        continue;
                    }
                },
            };
            match frame {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame?.into_data() {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}
