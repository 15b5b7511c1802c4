//! What an attempt needs to reach a backend: its key, its transport, and the endpoint registry.

pub(crate) mod access_tokens;
pub(crate) mod fetch;
pub(crate) mod probe;
pub(crate) mod quota_headers;
pub(crate) mod service_call;
pub(crate) mod unpaused_timeout;
pub(crate) mod upstream;

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use domain::{BoundSecret, Clock, Endpoint};
use endpoints::EndpointRegistry;
use routing::Candidate;
use wire::TargetKind;

use crate::event::EventSink;
use crate::handle::failure::Failure;
use crate::outbound::access_tokens::AccessTokens;
use crate::outbound::upstream::Upstream;
use crate::snapshot::{Backend, Snapshot};

/// Keys, transports and endpoint state for calls to backends.
pub(crate) struct Outbound {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) registry: Arc<EndpointRegistry>,
    pub(crate) keys: Arc<AccessTokens>,
    pub(crate) network: Arc<dyn Upstream>,
    pub(crate) mock: Arc<dyn Upstream>,
    /// The gateway's own port, to recognise a backend that points back to it; 0 before it listens.
    pub(crate) port: AtomicU16,
}

impl Outbound {
    /// The transport for backends of this kind.
    pub(crate) fn upstream(&self, kind: &TargetKind) -> &Arc<dyn Upstream> {
        match kind {
            TargetKind::Mock => &self.mock,
            _ => &self.network,
        }
    }

    /// The backend of a candidate. Fails if it was removed, or if it is this gateway itself.
    pub(crate) fn reachable<'a>(
        &self,
        snapshot: &'a Snapshot,
        candidate: &Candidate,
    ) -> Result<&'a Backend, Failure> {
        let id = &candidate.endpoint.backend;
        let Some(backend) = snapshot.backends.get(id) else {
            return Err(Failure::misconfigured(id, "no longer exists."));
        };
        if backend.is_this_gateway(self.port.load(Ordering::Relaxed)) {
            let what = "has this gateway's own address as its base URL. Correct it.";
            return Err(Failure::misconfigured(&backend.id, what));
        }
        Ok(backend)
    }

    /// The key of `endpoint` or its access token; `None` if the backend is called without one.
    pub(crate) async fn key(
        &self,
        endpoint: &Endpoint,
    ) -> Result<Option<Arc<BoundSecret>>, Failure> {
        let Some(id) = &endpoint.credential else { return Ok(None) };
        let read = self.keys.key(id).await;
        read.map(Some).map_err(|error| Failure::key(&endpoint.backend, &error))
    }
}
