//! From the model a client asks for to the backends that may answer, with the reason.
//!
//! Invariant: nothing here does IO, reads a clock, holds a lock or sees a credential. A
//! [`RouteTable`] is a snapshot: a request keeps the one it began with.

mod table;

pub use table::{
    BackendModels, BackendRole, Candidate, Decision, MODEL_NAME_BYTES_MAX, ModelEntry, NoRoute,
    RouteTable, Standing,
};
