//! Usage from the session logs of coding tools, kept apart from what the gateway measured.

pub(crate) mod session_imports;
pub(crate) mod session_matches;
pub(crate) mod session_merge;
pub(crate) mod session_usage;
pub(crate) mod session_values;
