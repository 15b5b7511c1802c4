//! The time of a request by the purge marks of the shared tier.

use serde::{Deserialize, Serialize};

/// Time of a request by the server's marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MarkTime {
    pub(crate) epoch: u64,
    pub(crate) count: u64,
}
