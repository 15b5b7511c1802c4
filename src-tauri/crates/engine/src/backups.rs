//! Backups of everything in one file, and their restore.

pub(crate) mod archives;
pub(crate) mod progress;
pub(crate) mod progress_teller;
pub(crate) mod restore;
