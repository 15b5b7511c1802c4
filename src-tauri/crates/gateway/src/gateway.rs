//! The gateway's parts, and the listener that passes each request to [`crate::handle`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use arc_swap::ArcSwap;
use cache::SingleFlight;
use domain::{Clock, Entropy, SeededEntropy};
use endpoints::EndpointRegistry;
use hyper::body::Incoming;
use hyper::{Request, Response};
use ledger::Ledger;
use tokio_util::sync::CancellationToken;

use crate::event::EventSink;
use crate::handle::accounting::Accounting;
use crate::handle::admission::AdmissionControl;
use crate::handle::budget_guard::Budgets;
use crate::handle::cache_step::single_flight::{self, Item};
use crate::handle::guard::AllowedHosts;
use crate::handle::handle;
use crate::handle::response::ResponseBody;
use crate::handle::response_items::ResponseItemStore;
use crate::limits::{ListenerLimits, SHARED_BYTES_MAX};
use crate::listener::agents::{AgentEndpoint, AgentSlot};
use crate::listener::metrics::MetricsSource;
use crate::listener::refusals::RefusalLog;
use crate::listener::wrong_token_limiter::WrongTokenLimiter;
use crate::listener::{self, Listener, RequestHandler, StopSignal};
use crate::outbound::Outbound;
use crate::outbound::access_tokens::AccessTokens;
use crate::outbound::upstream::Upstream;
use crate::snapshot::Snapshot;

pub struct GatewayParts {
    /// Monotonic and wall time.
    pub clock: Arc<dyn Clock>,
    /// Seeds request ids.
    pub entropy: Arc<dyn Entropy>,
    pub ledger: Ledger,
    pub access_tokens: Arc<AccessTokens>,
    /// Swapped by the engine whenever the settings change.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    pub network: Arc<dyn Upstream>,
    pub mock: Arc<dyn Upstream>,
    pub events: Arc<dyn EventSink>,
    /// Shared with the engine.
    pub endpoints: Arc<EndpointRegistry>,
    /// Shared with the engine.
    pub budgets: Arc<Budgets>,
    pub metrics: Arc<dyn MetricsSource>,
}

/// The local gateway: answers requests from tools on this machine through backends.
pub struct Gateway {
    /// Makes request ids, which are unique and not secret.
    pub(crate) ids: SeededEntropy,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) limits: ListenerLimits,
    pub(crate) refusals: RefusalLog,
    pub(crate) wrong_tokens: WrongTokenLimiter,
    pub(crate) admission: Arc<AdmissionControl>,
    pub(crate) accounting: Arc<Accounting>,
    pub(crate) flights: SingleFlight<Item>,
    pub(crate) items: Arc<ResponseItemStore>,
    pub(crate) budgets: Arc<Budgets>,
    pub(crate) outbound: Outbound,
    pub(crate) agents: AgentSlot,
    pub(crate) metrics: Arc<dyn MetricsSource>,
}

impl Gateway {
    /// Serves nothing until [`Self::serve`].
    #[must_use]
    pub fn new(parts: GatewayParts, limits: ListenerLimits) -> Arc<Self> {
        let GatewayParts {
            clock,
            entropy,
            ledger,
            access_tokens,
            snapshot,
            network,
            mock,
            events,
            endpoints,
            budgets,
            metrics,
        } = parts;
        let accounting =
            Accounting { ledger, clock: Arc::clone(&clock), events: Arc::clone(&events) };
        Arc::new(Self {
            ids: SeededEntropy::seeded_by(entropy.as_ref()),
            snapshot,
            limits,
            refusals: RefusalLog::default(),
            wrong_tokens: WrongTokenLimiter::default(),
            admission: AdmissionControl::new(Arc::clone(&clock)),
            accounting: Arc::new(accounting),
            flights: SingleFlight::new(SHARED_BYTES_MAX, single_flight::weight),
            items: ResponseItemStore::new(Arc::clone(&clock)),
            budgets,
            agents: AgentSlot::default(),
            metrics,
            outbound: Outbound {
                clock,
                events,
                registry: endpoints,
                keys: access_tokens,
                network,
                mock,
                port: AtomicU16::new(0),
            },
        })
    }

    /// The number of requests that hold a slot.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.admission.in_flight()
    }

    /// Refuses new requests to models until [`Self::resume`]. The port stays taken, so that no other program
    /// gets the clients' tokens meanwhile.
    pub fn pause(&self) {
        self.admission.pause();
    }

    pub fn resume(&self) {
        self.admission.resume();
    }

    /// True between [`Self::pause`] and [`Self::resume`].
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.admission.is_paused()
    }

    /// Sets what answers at `/mcp`. Without it nothing does.
    pub fn serve_agents(&self, endpoint: Arc<dyn AgentEndpoint>) {
        self.agents.set(endpoint);
    }

    /// Ends the sessions at `/mcp`, whose streams would otherwise have no end.
    pub fn stop_agents(&self) {
        self.agents.clear();
    }

    /// Logs refusals that were only counted. Call it every few seconds.
    pub fn log_counted_refusals(&self) {
        self.refusals.log_counted(self.outbound.clock.now());
    }

    /// Serves `listener` until `stop`; answers in flight may then finish within
    /// [`ListenerLimits::stop_grace`]. Returns when every request has been handed to the ledger. May then
    /// be called again with another listener.
    pub async fn serve(self: Arc<Self>, listener: Listener, stop: StopSignal) {
        let port = listener.port();
        self.outbound.port.store(port, Ordering::Relaxed);
        let (gateway, hosts) = (Arc::clone(&self), AllowedHosts::on(port));
        let answers = Arc::new(GatewayListener { gateway, hosts, stopped: stop.over.clone() });
        listener::serve(listener, answers, self.limits, stop).await;
    }
}

/// The gateway under the host names of one port.
struct GatewayListener {
    gateway: Arc<Gateway>,
    hosts: AllowedHosts,
    /// Cancelled when answers in flight must end.
    stopped: CancellationToken,
}

impl RequestHandler for GatewayListener {
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Response<ResponseBody> {
        handle(&self.gateway, &self.hosts, self.stopped.clone(), request).await
    }
}
