//! The control API's listener: typed operations for the command line and the browser panel.
//!
//! It is separate from the gateway's listener and runs the same checks, so no client token and no foreign
//! web page reaches an operation. It knows no operation itself: the layers above pass in
//! [`ControlOperations`].

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue, ORIGIN,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::handle::body;
use crate::handle::guard::{self, AllowedHosts};
use crate::handle::response::{self, Refusal, ResponseBody};
use crate::headers::CALLER;
use crate::limits::{CONTROL_BODY_BYTES_MAX, HEARTBEAT, ListenerLimits};
use crate::listener::connection_limiter::ConnectionSlot;
use crate::listener::control_tokens::ControlTokens;
use crate::listener::metrics;
use crate::listener::wrong_token_limiter::WrongTokenLimiter;
use crate::listener::{self, Listener, RequestHandler, StopSignal};
use crate::token;

const OPERATION_PREFIX: &str = "/control/v1/";

/// Longest name of an operation, in bytes.
const OPERATION_BYTES_MAX: usize = 64;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'",
);

/// The operations, events and files that a [`ControlListener`] serves.
#[async_trait]
pub trait ControlOperations: Send + Sync {
    /// Runs one operation by its name; `body` is its request as JSON. Replies 404 to an unknown name.
    async fn call(&self, caller: ControlCaller, operation: &str, body: Bytes) -> ControlReply;

    /// Events from now on, one JSON document per item.
    fn events(&self) -> BoxStream<'static, Bytes>;

    /// Figures for Prometheus; `None` while they are off.
    fn metrics(&self) -> Option<Bytes>;

    /// A file of the panel by its path without a leading slash; `index.html` for the root.
    fn asset(&self, path: &str) -> Option<Asset>;
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ControlCaller {
    /// A program of this user, with the token from the runtime folder.
    Local {
        /// What it says it is, in the header `x-gatehouse-caller`.
        name: Option<String>,
    },
    /// The panel in a browser, with its session.
    Panel,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlReply {
    pub status: u16,
    /// JSON; empty if there is none.
    pub body: Bytes,
}

/// A file of the panel. It contains no secret and is served without a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Value of its `Content-Type`.
    pub content_type: String,
    pub bytes: Bytes,
}

pub struct ControlListener {
    operations: Arc<dyn ControlOperations>,
    tokens: Arc<ControlTokens>,
    wrong_tokens: WrongTokenLimiter,
    limits: ListenerLimits,
}

impl ControlListener {
    /// Serves nothing until [`Self::serve`].
    #[must_use]
    pub fn new(
        operations: Arc<dyn ControlOperations>,
        tokens: Arc<ControlTokens>,
        limits: ListenerLimits,
    ) -> Arc<Self> {
        Arc::new(Self { operations, tokens, wrong_tokens: WrongTokenLimiter::default(), limits })
    }

    /// Serves `listener` until `stop`. Event streams then end at once; calls may finish within
    /// [`ListenerLimits::stop_grace`].
    pub async fn serve(self: Arc<Self>, listener: Listener, stop: StopSignal) {
        let port = listener.port();
        let limits = self.limits;
        let (control, hosts) = (self, AllowedHosts::on(port));
        let served = ControlConnection { control, hosts, stop: stop.begun.clone() };
        listener::serve(listener, Arc::new(served), limits, stop).await;
    }
}

/// The control API under the host names of one port.
struct ControlConnection {
    control: Arc<ControlListener>,
    hosts: AllowedHosts,
    stop: CancellationToken,
}

#[derive(Deserialize)]
struct SignIn {
    one_time: String,
}

impl RequestHandler for ControlConnection {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<ResponseBody> {
        let is_chunked = guard::is_chunked(request.headers());
        let mut answer = match self.route(request).await {
            Ok(answer) => answer,
            Err(refusal) => refusal_response(&refusal),
        };
        add_security_headers(answer.headers_mut());
        if is_chunked {
            response::close(&mut answer);
        }
        answer
    }
}

impl ControlConnection {
    async fn route(&self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Refusal> {
        guard::check_framing(&request)?;
        guard::check_host(&request, &self.hosts)?;
        let is_post = request.method() == Method::POST;
        let is_get = request.method() == Method::GET || request.method() == Method::HEAD;
        let path = request.uri().path().to_owned();
        if let Some(operation) = path.strip_prefix(OPERATION_PREFIX) {
            self.check_page(request.headers())?;
            if operation == "events" && is_get {
                let (_, ended) = self.caller(&request).await?;
                return Ok(self.events(ended));
            }
            if !is_post {
                return Err(control_refusal(405, "Call operations with POST."));
            }
            return self.operation(operation, request).await;
        }
        match path.as_str() {
            "/panel/exchange" if is_post => {
                self.check_page(request.headers())?;
                self.sign_in(request).await
            }
            "/panel/sign-out" if is_post => {
                self.check_page(request.headers())?;
                self.sign_out(request.headers())
            }
            "/metrics" if is_get => {
                self.check_page(request.headers())?;
                self.caller(&request).await?;
                metrics::answer(self.control.operations.metrics())
            }
            _ if is_get => self.asset(&path),
            _ => Err(control_refusal(405, "This path does not support that method.")),
        }
    }

    /// Refuses calls from any web page but the panel.
    fn check_page(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut origins = headers.get_all(ORIGIN).iter();
        if !origins.all(|origin| self.hosts.is_own_origin(origin.as_bytes())) {
            return Err(guard::foreign_page());
        }
        guard::check_site(headers)
    }

    /// Identifies the caller; the token is cancelled when a panel session ends. Marks the connection as
    /// authenticated or not. After many wrong tokens the answer to the next one is delayed.
    async fn caller(
        &self,
        request: &Request<Incoming>,
    ) -> Result<(ControlCaller, CancellationToken), Refusal> {
        let caller = self.identify(request.headers());
        if let Some(connection) = request.extensions().get::<Arc<ConnectionSlot>>() {
            match caller {
                Ok(_) => connection.authenticated(),
                Err(_) => connection.not_authenticated(),
            }
        }
        if caller.is_err() && token::bearer(request.headers()).is_some() {
            self.note_wrong_token().await;
        }
        caller
    }

    async fn note_wrong_token(&self) {
        self.control.wrong_tokens.record(self.control.tokens.now()).await;
    }

    fn identify(&self, headers: &HeaderMap) -> Result<(ControlCaller, CancellationToken), Refusal> {
        let tokens = &self.control.tokens;
        let shown = token::bearer(headers).ok_or_else(not_signed_in)?;
        if tokens.is_local(&shown) {
            let name = headers.get(CALLER).and_then(|name| name.to_str().ok()).map(str::to_owned);
            return Ok((ControlCaller::Local { name }, CancellationToken::new()));
        }
        let ended = tokens.use_session(&shown).ok_or_else(not_signed_in)?;
        Ok((ControlCaller::Panel, ended))
    }

    fn sign_out(&self, headers: &HeaderMap) -> Result<Response<ResponseBody>, Refusal> {
        let shown = token::bearer(headers).ok_or_else(not_signed_in)?;
        self.control.tokens.end_session(&shown);
        let mut answer = response::whole(Bytes::new());
        *answer.status_mut() = StatusCode::NO_CONTENT;
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    async fn operation(
        &self,
        operation: &str,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let (caller, _) = self.caller(&request).await?;
        if !is_operation_name(operation) {
            return Err(control_refusal(404, "There is no such operation."));
        }
        let body = self.json_body(request).await?;
        let reply = self.control.operations.call(caller, operation, body).await;
        let mut answer = response::json(reply.status, reply.body.clone());
        if reply.body.is_empty() {
            answer.headers_mut().remove(CONTENT_TYPE);
        }
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    async fn json_body(&self, request: Request<Incoming>) -> Result<Bytes, Refusal> {
        guard::check_json(request.headers())?;
        body::read(request.into_body(), CONTROL_BODY_BYTES_MAX, &self.control.limits).await
    }

    /// Events until the program stops or `ended` is cancelled.
    fn events(&self, ended: CancellationToken) -> Response<ResponseBody> {
        let events = self
            .control
            .operations
            .events()
            .map(|event| [b"data: ".as_slice(), &event, b"\n\n"].concat().into());
        let tokens = Arc::clone(&self.control.tokens);
        let heartbeat = stream::repeat(Bytes::from_static(b": here\n\n")).then(move |beat| {
            let tokens = Arc::clone(&tokens);
            async move {
                tokio::time::sleep(HEARTBEAT).await;
                tokens.end_expired_sessions();
                beat
            }
        });
        // A first comment tells the browser at once that it is connected.
        let hello = stream::iter([Bytes::from_static(b": here\n\n")]);
        let all = hello.chain(until_first_ends(events, heartbeat));
        let items = all.map(|bytes| Ok(Frame::data(bytes))).take_until(ended.cancelled_owned());
        let mut answer =
            response::streamed(items.take_until(self.stop.clone().cancelled_owned()).boxed());
        let headers = answer.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }

    async fn sign_in(&self, request: Request<Incoming>) -> Result<Response<ResponseBody>, Refusal> {
        let body = self.json_body(request).await?;
        let Ok(SignIn { one_time }) = serde_json::from_slice(&body) else {
            return Err(control_refusal(400, "Send {\"one_time\": \"…\"}."));
        };
        let Some(session) = self.control.tokens.exchange(&one_time) else {
            self.note_wrong_token().await;
            let message = "This link was already used or has expired. \
                           Run `gatehouse panel` for a new one.";
            return Err(control_refusal(403, message));
        };
        let mut answer = response::json(200, json!({ "session": session }).to_string().into());
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(answer)
    }

    fn asset(&self, path: &str) -> Result<Response<ResponseBody>, Refusal> {
        let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
        let is_plain = !name.contains(['\\', '%']) && !name.split('/').any(|part| part == "..");
        let asset = is_plain.then(|| self.control.operations.asset(name)).flatten();
        let asset =
            asset.ok_or_else(|| control_refusal(404, "There is nothing at this address."))?;
        let mut answer = response::whole(asset.bytes);
        let headers = answer.headers_mut();
        if let Ok(kind) = HeaderValue::try_from(asset.content_type) {
            headers.insert(CONTENT_TYPE, kind);
        }
        // Every file name below `assets/` contains a hash of the content.
        let caching = match name.starts_with("assets/") {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
        Ok(answer)
    }
}

/// Merges two streams; ends when `first` ends.
fn until_first_ends<A, B>(first: A, second: B) -> BoxStream<'static, Bytes>
where
    A: futures_util::Stream<Item = Bytes> + Send + 'static,
    B: futures_util::Stream<Item = Bytes> + Send + 'static,
{
    let ended = first.map(Some).chain(stream::iter([None]));
    stream::select(ended, second.map(Some))
        .take_while(|item| std::future::ready(item.is_some()))
        .filter_map(std::future::ready)
        .boxed()
}

fn is_operation_name(name: &str) -> bool {
    let fits = (1..=OPERATION_BYTES_MAX).contains(&name.len());
    fits && name
        .bytes()
        .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn not_signed_in() -> Refusal {
    control_refusal(401, "You are not signed in. Run `gatehouse panel` for a link to the panel.")
}

/// A refusal by this listener. Its code is always the same: programs cannot act on it.
fn control_refusal(status: u16, message: &str) -> Refusal {
    Refusal::new(status, wire::ErrorKind::InvalidRequest, "failed", message)
}

/// Answers a refusal in the shape of an operation's error.
fn refusal_response(refusal: &Refusal) -> Response<ResponseBody> {
    let body = json!({"code": "failed", "message": refusal.message, "hint": null, "field": null});
    let mut answer = response::json(refusal.status, body.to_string().into());
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response::close(&mut answer);
    answer
}

/// Adds the headers that keep a browser from using an answer for anything but our own page.
fn add_security_headers(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
}
