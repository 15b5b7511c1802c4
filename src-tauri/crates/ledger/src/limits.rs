//! The resource limits of the ledger.

use std::time::Duration;

/// Default of the queued bytes from which new requests are refused: some twenty thousand requests.
/// Running requests are still settled beyond it; the gateway bounds their number.
pub const QUEUE_BYTES_MAX: usize = 33_554_432;

/// Wait for another program's lock in one attempt. Longer locks count as a refusal, so that the
/// state is known within the wait of an answer.
pub(crate) const LOCK_WAIT: Duration = Duration::from_millis(250);

#[derive(Debug, Clone, Copy)]
pub struct LedgerLimits {
    /// Largest size of the main file in bytes; writes then fail as on a full disk. `None` is
    /// SQLite's own limit.
    pub file_bytes_max: Option<u64>,
    /// Bytes of queued records from which new requests are refused.
    pub queue_bytes_max: usize,
    /// Wait for another program's lock in one attempt.
    pub lock_wait: Duration,
}

impl Default for LedgerLimits {
    fn default() -> Self {
        Self { file_bytes_max: None, queue_bytes_max: QUEUE_BYTES_MAX, lock_wait: LOCK_WAIT }
    }
}
