//! Readiness runs, and the facts that their checks read.

pub(crate) mod environment;
pub(crate) mod runs;
