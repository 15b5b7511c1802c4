//! Tools that are pointed at this gateway, and whether they still are.

pub(crate) mod client_wiring;
pub(crate) mod record_keys;
pub(crate) mod tool_attempt;
pub(crate) mod tool_watch;
pub(crate) mod trouble;
