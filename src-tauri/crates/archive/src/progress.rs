//! How far a long read or write is, and whether it should go on.

/// Watches the bytes of an archive go by.
pub trait ArchiveWatch {
    /// `done` of `total` bytes of the parts have gone by. False stops with
    /// [`ArchiveError::Cancelled`](crate::ArchiveError::Cancelled).
    fn goes_on(&self, done: u64, total: u64) -> bool;
}

/// Watches nothing and never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl ArchiveWatch for Unwatched {
    fn goes_on(&self, _done: u64, _total: u64) -> bool {
        true
    }
}
