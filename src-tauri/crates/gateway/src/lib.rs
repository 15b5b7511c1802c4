//! Serves the gateway API for tools and the control API for Gatehouse's own panel and command line.
//!
//! All HTTP enters and leaves the process through this crate. Invariants: sockets bind to loopback
//! only; every request passes its checks; a key leaves only in the header of a request to its own
//! origin; no lock is held across a network wait; only connections are spawned as tasks; an answer
//! that a client has received to its end is in the ledger.

mod event;
mod gateway;
mod handle;
mod headers;
mod limits;
mod listener;
mod loopback;
mod outbound;
mod snapshot;
mod token;

pub use event::{AttemptSummary, EventSink, GatewayEvent, Recorded, RequestSummary};
pub use gateway::{Gateway, GatewayParts};
pub use handle::budget_guard::Budgets;
pub use handle::scope::{Forbidden, apply_scope, check_model};
pub use limits::{
    ANSWER_BYTES_MAX, CONNECTIONS_MAX, CONTROL_BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX,
    HEARTBEAT, ListenerLimits, RequestLimits, STREAM_BYTES_MAX,
};
pub use listener::agents::{AgentBody, AgentEndpoint};
pub use listener::control_listener::{
    Asset, ControlCaller, ControlListener, ControlOperations, ControlReply,
};
pub use listener::control_tokens::ControlTokens;
pub use listener::metrics::MetricsSource;
pub use listener::{BindError, Ipv6State, Listener, StopSignal};
pub use loopback::{
    LoopbackAnswer, LoopbackCall, LoopbackError, LoopbackEvents, LoopbackReply, loopback_call,
};
pub use outbound::access_tokens::{AccessTokenStatus, AccessTokens, KeyError};
pub use outbound::fetch::{
    FetchError, PostError, ReportCall, fetch_report, fetch_text, is_reachable, post_json,
    post_protobuf,
};
pub use outbound::probe::{PROBE_TIMEOUT, ProbeFailure, probe};
pub use outbound::service_call::{ServiceAnswer, ServiceCall, call_service};
pub use outbound::upstream::{
    CONNECT_LIMIT, HttpUpstream, KeyCarrier, KeyScrubber, MockUpstream, NameLookup, Proxies,
    SystemNameLookup, TlsFault, Upstream, UpstreamEnvironment, UpstreamFailure, UpstreamRequest,
    UpstreamResponse, connect, is_offline,
};
pub use snapshot::{Backend, CacheUse, GatewayClient, GatewayClients, Snapshot, TokenState};
pub use token::{NewToken, TOKEN_PREFIX, TokenHash, hash_token, new_token};
