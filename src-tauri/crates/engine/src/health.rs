//! Whether backends and services can be used: probes, states, observed time and service levels.

pub(crate) mod backend_answers;
pub(crate) mod backend_states;
pub(crate) mod backend_watch;
pub(crate) mod endpoint_saver;
pub(crate) mod model_limits;
pub(crate) mod network_gate;
pub(crate) mod objectives;
pub(crate) mod probe;
pub(crate) mod quality_watch;
pub(crate) mod service_level_watch;
pub(crate) mod service_watch;
pub(crate) mod time_observer;
pub(crate) mod uptime;
