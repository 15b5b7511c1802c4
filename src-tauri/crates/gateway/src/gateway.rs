//! The gateway's door: one origin, the routes of every dialect (`route`), and nothing behind them that
//! a request reaches without passing every check.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use cache::Flights;
use domain::{Clock, Dialect, Entropy, RequestId, SeededEntropy};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderValue, UPGRADE};
use hyper::{Request, Response};
use ledger::Ledger;
use tokio_util::sync::CancellationToken;
use vault::Vault;
use wire::{ErrorKind, TargetKind};

use crate::answer::{self, AnswerBody, Refusal, RetryAdvice};
use crate::caching::flight::{self, Item};
use crate::connections::Connection;
use crate::door::{self, AllowedHosts};
use crate::entrance::Entrance;
use crate::event::EventSink;
use crate::headers::{HOP, PROJECT};
use crate::items::KeptItems;
use crate::limits::{DoorLimits, SHARED_BYTES_MAX};
use crate::listener::{self, Answers, Listener, Stop};
use crate::live::Live;
use crate::models;
use crate::pipeline::{Arrival, Call};
use crate::record::Books;
use crate::refusals::RefusalLog;
use crate::route::{self, Route};
use crate::snapshot::{Client, Snapshot, TokenRefused};
use crate::upstream::Upstream;
use crate::wrong_tokens::WrongTokens;
use crate::{body, token};

/// Everything the gateway is given.
pub struct GatewayParts {
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// Seeds request ids.
    pub entropy: Arc<dyn Entropy>,
    /// Where requests are written down.
    pub ledger: Ledger,
    /// Where keys come from.
    pub vault: Vault,
    /// What requests work with; swapped by the engine whenever the settings change.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// The network.
    pub network: Arc<dyn Upstream>,
    /// The built-in mock.
    pub mock: Arc<dyn Upstream>,
    /// Who is told about requests.
    pub events: Arc<dyn EventSink>,
    /// What is known of the backends at this moment; the engine's too.
    pub live: Arc<Live>,
}

/// The local gateway: takes requests from tools on this machine and answers them through backends.
pub struct Gateway {
    /// Of request ids: unique, and no secret.
    ids: SeededEntropy,
    pub(crate) vault: Vault,
    pub(crate) books: Arc<Books>,
    pub(crate) entrance: Arc<Entrance>,
    pub(crate) live: Arc<Live>,
    pub(crate) flights: Flights<Item>,
    pub(crate) items: Arc<KeptItems>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    network: Arc<dyn Upstream>,
    mock: Arc<dyn Upstream>,
    limits: DoorLimits,
    refusals: RefusalLog,
    wrong_tokens: WrongTokens,
    port: AtomicU16,
}

impl Gateway {
    /// A gateway that serves nothing yet.
    #[must_use]
    pub fn new(parts: GatewayParts, limits: DoorLimits) -> Arc<Self> {
        let GatewayParts { clock, entropy, ledger, vault, snapshot, network, mock, events, live } =
            parts;
        let entrance = Entrance::new(Arc::clone(&clock));
        let items = KeptItems::new(Arc::clone(&clock));
        Arc::new(Self {
            ids: SeededEntropy::seeded_by(entropy.as_ref()),
            vault,
            books: Arc::new(Books { ledger, clock, events }),
            entrance,
            live,
            flights: Flights::new(SHARED_BYTES_MAX, flight::weight),
            items,
            snapshot,
            network,
            mock,
            limits,
            refusals: RefusalLog::default(),
            wrong_tokens: WrongTokens::default(),
            port: AtomicU16::new(0),
        })
    }

    /// Requests on their way now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.entrance.in_flight()
    }

    /// Logs refusals that were counted and not logged one by one. To be called every few seconds.
    pub fn log_counted_refusals(&self) {
        self.refusals.log_counted(self.clock().now());
    }

    /// Serves `listener` until `stop`; then answers in flight may finish within
    /// [`DoorLimits::stop_grace`]. Returns when every request is with the ledger. May be called
    /// again, with another listener, once it has returned.
    pub async fn serve(self: Arc<Self>, listener: Listener, stop: Stop) {
        let port = listener.port();
        self.port.store(port, Ordering::Relaxed);
        let (gateway, hosts) = (Arc::clone(&self), AllowedHosts::on(port));
        let door = Arc::new(GatewayDoor { gateway, hosts, stopped: stop.over.clone() });
        listener::serve(listener, door, self.limits, stop).await;
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.books.clock.as_ref()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }

    pub(crate) fn upstream(&self, kind: &TargetKind) -> &Arc<dyn Upstream> {
        match kind {
            TargetKind::Mock => &self.mock,
            _ => &self.network,
        }
    }

    fn client(
        &self,
        request: &Request<Incoming>,
        snapshot: &Snapshot,
    ) -> Result<Arc<Client>, Refusal> {
        let hash = token::presented(request).ok_or_else(|| unauthorized(None))?;
        let admitted = snapshot.clients.admit(&hash, self.books.clock.wall());
        admitted.map_err(|refused| unauthorized(Some(refused)))
    }
}

/// The code of a refusal of a token that nobody has.
const INVALID_TOKEN: &str = "invalid_token";

fn unauthorized(refused: Option<TokenRefused>) -> Refusal {
    let (code, message) = match refused {
        None => (
            "missing_token",
            "Send your local Gatehouse token as 'Authorization: Bearer ghk_…', x-api-key or \
             x-goog-api-key.",
        ),
        Some(TokenRefused::Unknown) => (
            INVALID_TOKEN,
            "This is not a token of this Gatehouse. Create one with `gatehouse clients add NAME`.",
        ),
        Some(TokenRefused::Expired) => (
            "expired_token",
            "This token has expired. Create a new one in Gatehouse, under Clients.",
        ),
        Some(TokenRefused::Revoked) => (
            "revoked_token",
            "This token was revoked. Create a new one in Gatehouse, under Clients.",
        ),
    };
    Refusal::new(401, ErrorKind::Authentication, code, message).retry(RetryAdvice::Never)
}

/// The gateway behind the names of one port.
struct GatewayDoor {
    gateway: Arc<Gateway>,
    hosts: AllowedHosts,
    /// The time for answers after a stop is over.
    stopped: CancellationToken,
}

impl Answers for GatewayDoor {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<AnswerBody> {
        let gateway = &self.gateway;
        let begun = gateway.clock().now();
        let started = gateway.clock().wall();
        let id = RequestId::generate(started, &gateway.ids);
        let is_chunked = door::is_chunked(request.headers());
        let project = project(request.headers());
        let dialect = route::dialect(request.uri().path(), request.headers());
        let stopped = self.stopped.clone();
        let arrival = Arrival { id, begun, started, project, dialect, stopped };
        let mut answer = match self.admit(&request) {
            Ok(route) => self.route(route, arrival, request).await,
            Err(refusal) => self.refuse(&refusal, dialect, request).await,
        };
        answer::stamp(&mut answer, id, dialect);
        if is_chunked {
            answer::close(&mut answer);
        }
        answer
    }
}

impl GatewayDoor {
    fn admit(&self, request: &Request<Incoming>) -> Result<Route, Refusal> {
        door::check_framing(request)?;
        door::check_host(request, &self.hosts)?;
        door::check_no_browser(request)?;
        if request.headers().contains_key(HOP) {
            return Err(loops());
        }
        let (path, query) = (request.uri().path(), request.uri().query());
        let route = Route::of(path, query, request.headers()).ok_or_else(|| not_found(path))?;
        if !route.takes(request.method()) {
            return Err(wrong_method());
        }
        Ok(route)
    }

    async fn route(
        &self,
        route: Route,
        arrival: Arrival,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let gateway = &self.gateway;
        match route {
            Route::Health => return answer::json(200, Bytes::from_static(b"{\"status\":\"ok\"}")),
            Route::Hello => {
                let hello = b"{\"name\":\"gatehouse\",\"openai_base_path\":\"/v1\"}";
                return answer::json(200, Bytes::from_static(hello));
            }
            Route::ResponsesSocket => return upgrade_required(),
            _ => {}
        }
        let snapshot = gateway.snapshot.load_full();
        let dialect = arrival.dialect;
        let connection = request.extensions().get::<Arc<Connection>>();
        let client = match gateway.client(&request, &snapshot) {
            Ok(client) => {
                connection.iter().for_each(|connection| connection.authenticated());
                client
            }
            Err(refusal) => {
                connection.iter().for_each(|connection| connection.not_authenticated());
                if refusal.code == INVALID_TOKEN {
                    gateway.wrong_tokens.note(gateway.clock().now()).await;
                }
                return self.refuse(&refusal, dialect, request).await;
            }
        };
        match route {
            Route::Models => models::list(&snapshot, &client, dialect),
            Route::Model(id) => models::one(&snapshot, &client, dialect, &id),
            _ => self.post(route, arrival, &client, snapshot, request).await,
        }
    }

    async fn post(
        &self,
        route: Route,
        arrival: Arrival,
        client: &Client,
        snapshot: Arc<Snapshot>,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let dialect = arrival.dialect;
        if let Err(refusal) = door::check_json(request.headers()) {
            return self.refuse(&refusal, dialect, request).await;
        }
        let (head, incoming) = request.into_parts();
        let bytes_max = snapshot.limits.body_bytes_max;
        let body = match body::read(incoming, bytes_max, &self.gateway.limits).await {
            Ok(body) => body,
            Err(refusal) => {
                let mut answer = refusal.answer(dialect);
                answer::close(&mut answer);
                return answer;
            }
        };
        let headers = head.headers;
        let call = Call { arrival, client, snapshot, headers, body };
        match route {
            Route::Generate(surface) => self.gateway.generate(surface, call).await,
            Route::CountTokens(counted) => self.gateway.count_tokens(counted, call).await,
            Route::Embeddings(embedded) => self.gateway.embed(embedded, call).await,
            // The others were answered before a body was read.
            _ => not_found(head.uri.path()).answer(dialect),
        }
    }

    async fn refuse(
        &self,
        refusal: &Refusal,
        dialect: Dialect,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let bytes_max = self.gateway.snapshot.load().limits.body_bytes_max;
        let uri = request.uri();
        let route = Route::of(uri.path(), uri.query(), request.headers());
        let route = route.as_ref().map_or("unknown", Route::template);
        self.gateway.refusals.note(refusal.code, route, self.gateway.clock().now());
        body::swallow_refused(request, bytes_max).await;
        refusal.answer(dialect)
    }
}

/// Codex opens a WebSocket first and falls back to POST at once when it is told to.
fn upgrade_required() -> Response<AnswerBody> {
    let message = "WebSockets are not supported. Use POST /v1/responses.";
    let refusal = Refusal::new(426, ErrorKind::InvalidRequest, "upgrade_required", message)
        .retry(RetryAdvice::Never);
    let mut answer = refusal.answer(Dialect::OpenAiResponses);
    // RFC 9110, section 15.5.22: the header names what is spoken.
    answer.headers_mut().insert(UPGRADE, HeaderValue::from_static("HTTP/1.1"));
    answer::close(&mut answer);
    answer
}

/// The client's tag, if it is plain text; the ledger cuts it to its length.
fn project(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(PROJECT)?.to_str().ok()?.trim();
    (!tag.is_empty()).then(|| tag.to_owned())
}

fn loops() -> Refusal {
    let message = "This request already passed through a Gatehouse. Correct the base URL of the \
                   backend that points to this gateway.";
    Refusal::new(508, ErrorKind::Api, "loop_detected", message).retry(RetryAdvice::Never)
}

fn not_found(path: &str) -> Refusal {
    let shown: String = path.chars().take(200).collect();
    let message = format!(
        "There is nothing at {shown}. Use /v1/chat/completions, /v1/responses, /v1/messages, \
         /v1/embeddings, /v1/models or /v1beta/models/…."
    );
    Refusal::new(404, ErrorKind::NotFound, "unknown_path", message).retry(RetryAdvice::Never)
}

fn wrong_method() -> Refusal {
    let message = "This path does not support that method.";
    Refusal::new(405, ErrorKind::InvalidRequest, "method_not_allowed", message)
        .retry(RetryAdvice::Never)
}
