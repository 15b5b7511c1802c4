//! Clients as the gateway knows them: their requests, programs and state.

pub(crate) mod activity;
pub(crate) mod programs;
pub(crate) mod revoked;
pub(crate) mod state;
