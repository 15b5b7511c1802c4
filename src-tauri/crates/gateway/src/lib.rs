//! Serves the gateway API for tools and the control API for Gatehouse's own panel and command line.
//!
//! All HTTP enters and leaves the process through this crate. Invariants: sockets bind to loopback
//! only; every request passes its checks; a key leaves only in the header of a request to its own
//! origin; no lock is held across a network wait; only connections are spawned as tasks; an answer
//! that a client has received to its end is in the ledger.

mod access_tokens;
mod accounting;
mod admission;
mod agents;
mod attempts;
mod auth;
mod body;
mod budget_guard;
mod cache_mode;
mod cache_step;
mod call;
mod choose;
mod connection_limiter;
mod context;
mod control_listener;
mod control_tokens;
mod embeddings;
mod event;
mod failure;
mod fetch;
mod gateway;
mod generation;
mod guard;
mod handle;
mod headers;
mod limits;
mod listener;
mod loopback;
mod metrics;
mod models;
mod outbound;
mod probe;
mod quota_headers;
mod refusals;
mod relay;
mod request_heads;
mod response;
mod response_items;
mod scope;
mod service_call;
mod snapshot;
mod stream_end;
mod surface;
mod token;
mod token_count;
mod unpaused_timeout;
mod upstream;
mod wrong_token_limiter;

pub use access_tokens::{AccessTokenStatus, AccessTokens, KeyError};
pub use agents::{AgentBody, AgentEndpoint};
pub use budget_guard::Budgets;
pub use control_listener::{
    Asset, ControlCaller, ControlListener, ControlOperations, ControlReply,
};
pub use control_tokens::ControlTokens;
pub use event::{AttemptSummary, EventSink, GatewayEvent, Recorded, RequestSummary};
pub use fetch::{
    FetchError, PostError, ReportCall, fetch_report, fetch_text, is_reachable, post_json,
    post_protobuf,
};
pub use gateway::{Gateway, GatewayParts};
pub use limits::{
    ANSWER_BYTES_MAX, CONNECTIONS_MAX, CONTROL_BODY_BYTES_MAX, HEAD_BYTES_MAX, HEADERS_MAX,
    HEARTBEAT, ListenerLimits, RequestLimits, STREAM_BYTES_MAX,
};
pub use listener::{BindError, Ipv6State, Listener, StopSignal};
pub use loopback::{
    LoopbackAnswer, LoopbackCall, LoopbackError, LoopbackEvents, LoopbackReply, loopback_call,
};
pub use metrics::MetricsSource;
pub use probe::{PROBE_TIMEOUT, ProbeFailure, probe};
pub use scope::{Forbidden, apply_scope, check_model};
pub use service_call::{ServiceAnswer, ServiceCall, call_service};
pub use snapshot::{Backend, CacheUse, GatewayClient, GatewayClients, Snapshot, TokenState};
pub use token::{NewToken, TOKEN_PREFIX, TokenHash, hash_token, new_token};
pub use upstream::{
    CONNECT_LIMIT, HttpUpstream, KeyCarrier, KeyScrubber, MockUpstream, NameLookup, Proxies,
    SystemNameLookup, TlsFault, Upstream, UpstreamEnvironment, UpstreamFailure, UpstreamRequest,
    UpstreamResponse, connect, is_offline,
};
