//! Everything the doors may ask of the core, typed.

mod error;
mod event;
pub mod view;

pub use error::{ApiError, ErrorCode};
pub use event::{PanelEvent, Tag};
