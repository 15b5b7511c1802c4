//! The typed API of the core: one function for each operation, the views they return, and one error
//! type.
//!
//! The table in `operations` is the whole API. The window, the command line and the control
//! listener are generated from it, so none of them has rules of its own. Invariant: no operation
//! returns a secret, except the two that give a client's local token to the command line.

mod core;
mod display;
mod door;
mod error;
mod event;
mod inward;
mod json;
mod operation;
mod operations;
mod remote;
mod unknown_name;
pub mod view;

pub use crate::core::Core;
pub use display::Display;
pub use door::{Assets, serve};
pub use engine::{
    ALLOCATOR, Allocator, ConfigError, Engine, EngineConfig, Folders, LockError, ServeError,
    Served, StartError, Started, WindowFocus, harden_process, private_variables, start_log,
};
pub use error::{ApiError, ErrorCode};
pub use event::{CHANGES_GATHERED_MS, CoreEvents, PanelEvent, PanelEvents, Tag};
pub use gateway::Asset;
pub use monitor::{DesktopChannel, Identity};
pub use operations::*;
pub use remote::Owner;
pub use unknown_name::{nearest, unknown_name};
pub use vault::{KNOWN_VARIABLES, KnownVariable};
