//! The gateway's door: one origin, a handful of routes, and nothing behind them that a request
//! reaches without passing every check.
//!
//! A match instead of a router: five routes, of which later ones (`/v1beta/models/{m}:generate…`)
//! fit no router's patterns, and every refusal has to be spelled in a dialect anyway.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use arc_swap::ArcSwap;
use bytes::Bytes;
use domain::{Clock, Entropy, RequestId};
use hyper::body::Incoming;
use hyper::header::HeaderMap;
use hyper::{Method, Request, Response};
use ledger::Ledger;
use settings::BackendKind;
use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;
use vault::Vault;
use wire::ErrorKind;

use crate::answer::{self, AnswerBody, Refusal, RetryAdvice};
use crate::door::{self, AllowedHosts};
use crate::event::EventSink;
use crate::headers::{HOP, PROJECT, to_backend};
use crate::in_flight::InFlight;
use crate::limits::{DoorLimits, LATE_SETTLEMENTS_MAX};
use crate::listener::{self, Answers, Listener};
use crate::models;
use crate::pipeline::Arrival;
use crate::record::{self, Books, LateSettlement};
use crate::snapshot::{Client, Snapshot, TokenRefused};
use crate::upstream::Upstream;
use crate::{body, token};

/// Everything the gateway is given.
pub struct GatewayParts {
    /// Both clocks.
    pub clock: Arc<dyn Clock>,
    /// For request ids.
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
}

/// The local gateway: takes requests from tools on this machine and answers them through backends.
pub struct Gateway {
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) vault: Vault,
    pub(crate) books: Arc<Books>,
    pub(crate) in_flight: InFlight,
    snapshot: Arc<ArcSwap<Snapshot>>,
    network: Arc<dyn Upstream>,
    mock: Arc<dyn Upstream>,
    limits: DoorLimits,
    late: Mutex<mpsc::Receiver<LateSettlement>>,
    port: AtomicU16,
}

impl Gateway {
    /// A gateway that serves nothing yet.
    #[must_use]
    pub fn new(parts: GatewayParts, limits: DoorLimits) -> Arc<Self> {
        let GatewayParts { clock, entropy, ledger, vault, snapshot, network, mock, events } = parts;
        let (sender, receiver) = mpsc::channel(LATE_SETTLEMENTS_MAX);
        Arc::new(Self {
            entropy,
            vault,
            books: Arc::new(Books { ledger, clock, events, late: sender }),
            in_flight: InFlight::default(),
            snapshot,
            network,
            mock,
            limits,
            late: Mutex::new(receiver),
            port: AtomicU16::new(0),
        })
    }

    /// Requests on their way now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// Serves `listener` until `stop`; then answers in flight may finish within
    /// [`DoorLimits::stop_grace`]. Returns when every request has been written down. May be called
    /// again, with another listener, once it has returned.
    pub async fn serve(self: Arc<Self>, listener: Listener, stop: CancellationToken) {
        let port = listener.port();
        self.port.store(port, Ordering::Relaxed);
        let door =
            Arc::new(GatewayDoor { gateway: Arc::clone(&self), hosts: AllowedHosts::on(port) });
        let closed = CancellationToken::new();
        let served = async {
            listener::serve(listener, door, self.limits, stop).await;
            closed.cancel();
        };
        tokio::join!(served, self.settle_late(&closed));
    }

    /// Writes down requests that were dropped on the way.
    async fn settle_late(&self, closed: &CancellationToken) {
        let mut late = self.late.lock().await;
        loop {
            let next = tokio::select! {
                biased;
                next = late.recv() => next,
                () = closed.cancelled() => break,
            };
            let Some(settlement) = next else { break };
            record::settle(&self.books.ledger, settlement).await;
        }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.books.clock.as_ref()
    }

    pub(crate) fn port(&self) -> u16 {
        self.port.load(Ordering::Relaxed)
    }

    pub(crate) fn upstream(&self, kind: BackendKind) -> &Arc<dyn Upstream> {
        match kind {
            BackendKind::Mock => &self.mock,
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

fn unauthorized(refused: Option<TokenRefused>) -> Refusal {
    let (code, message) = match refused {
        None => {
            ("missing_token", "Send your local Gatehouse token as 'Authorization: Bearer ghk_…'.")
        }
        Some(TokenRefused::Unknown) => (
            "invalid_token",
            "This is no local token of this Gatehouse. Get one with `gatehouse clients add`.",
        ),
        Some(TokenRefused::Expired) => {
            ("expired_token", "This local token has expired. Make a new one in Gatehouse.")
        }
        Some(TokenRefused::Revoked) => {
            ("revoked_token", "This local token was revoked. Make a new one in Gatehouse.")
        }
    };
    Refusal::new(401, ErrorKind::Authentication, code, message).retry(RetryAdvice::Never)
}

/// The gateway behind the names of one port.
struct GatewayDoor {
    gateway: Arc<Gateway>,
    hosts: AllowedHosts,
}

/// What a path asks for.
enum Route<'a> {
    Health,
    Root,
    Chat,
    Models,
    Model(&'a str),
}

impl<'a> Route<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "/health" => Self::Health,
            "/" => Self::Root,
            "/v1/chat/completions" => Self::Chat,
            "/v1/models" => Self::Models,
            _ => Self::Model(path.strip_prefix("/v1/models/").filter(|id| !id.is_empty())?),
        })
    }

    fn takes(&self, method: &Method) -> bool {
        match self {
            Self::Chat => method == Method::POST,
            _ => method == Method::GET || method == Method::HEAD,
        }
    }
}

impl Answers for GatewayDoor {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<AnswerBody> {
        let gateway = &self.gateway;
        let begun = gateway.clock().now();
        let started = gateway.clock().wall();
        let id = RequestId::generate(started, gateway.entropy.as_ref());
        let is_chunked = door::is_chunked(request.headers());
        let project = project(request.headers());
        let arrival = Arrival { id, begun, started, project };
        let mut answer = match self.admit(&request) {
            Ok(route) => self.route(route, arrival, request).await,
            Err(refusal) => self.refuse(&refusal, request).await,
        };
        answer::stamp(&mut answer, id);
        if is_chunked {
            answer::close(&mut answer);
        }
        answer
    }
}

/// What a request that passed the door asks for, free of borrows from it.
enum Errand {
    Health,
    Root,
    Chat,
    Models,
    Model(String),
}

impl GatewayDoor {
    fn admit(&self, request: &Request<Incoming>) -> Result<Errand, Refusal> {
        door::check_host(request, &self.hosts)?;
        door::check_no_browser(request)?;
        if request.headers().contains_key(HOP) {
            return Err(loops());
        }
        let path = request.uri().path();
        let route = Route::of(path).ok_or_else(|| not_found(path))?;
        if !route.takes(request.method()) {
            return Err(wrong_method());
        }
        Ok(match route {
            Route::Health => Errand::Health,
            Route::Root => Errand::Root,
            Route::Chat => Errand::Chat,
            Route::Models => Errand::Models,
            Route::Model(id) => Errand::Model(models::decoded(id)),
        })
    }

    async fn route(
        &self,
        errand: Errand,
        arrival: Arrival,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        let gateway = &self.gateway;
        match errand {
            Errand::Health => return answer::json(200, Bytes::from_static(b"{\"status\":\"ok\"}")),
            Errand::Root => {
                let hello = b"{\"name\":\"gatehouse\",\"openai_base_path\":\"/v1\"}";
                return answer::json(200, Bytes::from_static(hello));
            }
            Errand::Chat | Errand::Models | Errand::Model(_) => {}
        }
        let snapshot = gateway.snapshot.load_full();
        let client = match gateway.client(&request, &snapshot) {
            Ok(client) => client,
            Err(refusal) => return self.refuse(&refusal, request).await,
        };
        match errand {
            Errand::Models => models::list(&snapshot),
            Errand::Model(id) => models::one(&snapshot, &id),
            _ => self.chat(arrival, &client, snapshot, request).await,
        }
    }

    async fn chat(
        &self,
        arrival: Arrival,
        client: &Client,
        snapshot: Arc<Snapshot>,
        request: Request<Incoming>,
    ) -> Response<AnswerBody> {
        if let Err(refusal) = door::check_json(request.headers()) {
            return self.refuse(&refusal, request).await;
        }
        let (head, incoming) = request.into_parts();
        let bytes_max = snapshot.limits.body_bytes_max;
        match body::read(incoming, bytes_max, &self.gateway.limits).await {
            Err(refusal) => {
                let mut answer = refusal.answer();
                answer::close(&mut answer);
                answer
            }
            Ok(body) => {
                let headers = to_backend(&head.headers);
                self.gateway.chat(arrival, client, snapshot, headers, body).await
            }
        }
    }

    async fn refuse(&self, refusal: &Refusal, request: Request<Incoming>) -> Response<AnswerBody> {
        let bytes_max = self.gateway.snapshot.load().limits.body_bytes_max;
        // The path only: a token may stand in the query.
        tracing::info!(code = refusal.code, path = request.uri().path(), "a request was refused");
        body::swallow_refused(request, bytes_max).await;
        refusal.answer()
    }
}

/// The client's tag, if it is plain text; the ledger cuts it to its length.
fn project(headers: &HeaderMap) -> Option<String> {
    let tag = headers.get(PROJECT)?.to_str().ok()?.trim();
    (!tag.is_empty()).then(|| tag.to_owned())
}

fn loops() -> Refusal {
    let message = "This request came from a Gatehouse already. Correct the base URL of the backend that \
                   points here.";
    Refusal::new(508, ErrorKind::Api, "loop_detected", message).retry(RetryAdvice::Never)
}

fn not_found(path: &str) -> Refusal {
    let shown: String = path.chars().take(200).collect();
    let message = format!("There is nothing at {shown}. Use /v1/chat/completions or /v1/models.");
    Refusal::new(404, ErrorKind::NotFound, "unknown_path", message).retry(RetryAdvice::Never)
}

fn wrong_method() -> Refusal {
    let message = "This path does not take that method.";
    Refusal::new(405, ErrorKind::InvalidRequest, "method_not_allowed", message)
        .retry(RetryAdvice::Never)
}
