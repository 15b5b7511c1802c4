//! How records reach the file: queued by requests, committed as groups by one thread.

pub(crate) mod queue;
pub(crate) mod state;
pub(crate) mod writer;
pub(crate) mod writes;
