//! View types: plain copies of the core's types for the panel and the command line.
//!
//! No view has a field that could carry a secret: keys come in through write-only request types,
//! and only their last four characters come back. Field names are the same in Rust, JSON and
//! TypeScript.

mod backends;
mod cache;
mod clients;
mod dialects;
mod keys;
mod ledger;
mod number;
mod playground;
mod readiness;
mod resilience;
mod routes;
mod settings;
mod status;
mod traffic;
mod usage;
mod vault;

pub use backends::*;
pub use cache::*;
pub use clients::*;
pub use dialects::*;
pub use keys::*;
pub use ledger::*;
pub use number::{Count, MicroDollars, UnixMs};
pub use playground::*;
pub use readiness::*;
pub use resilience::*;
pub use routes::*;
pub use settings::*;
pub use status::*;
pub use traffic::*;
pub use usage::*;
pub use vault::*;
