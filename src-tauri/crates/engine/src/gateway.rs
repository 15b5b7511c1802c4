//! The gateway as this process runs it, and what it learns from its traffic.

pub(crate) mod breaker_back_test;
pub(crate) mod model_catalogue;
pub(crate) mod playground_host;
pub(crate) mod resilience_rules;
pub(crate) mod response_cache;
pub(crate) mod route_explainer;
pub(crate) mod server;
pub(crate) mod snapshot;
pub(crate) mod traffic_sink;
pub(crate) mod workers;
