//! Backup archives: one file with a manifest and a few known parts, written whole and read with
//! distrust.
//!
//! An archive is a tar file in zstd, so that any system can open it without Gatehouse. Invariants:
//! a path in an archive is compared with the names that we know and never used as a path; nothing
//! is taken from an archive before its size and SHA-256 agree with the manifest.

mod error;
mod manifest;
mod progress;
mod read;
mod write;

pub use error::ArchiveError;
pub use manifest::{ArchivePart, FORMAT, Manifest, PartName, SETTINGS_BYTES_MAX};
pub use progress::{ArchiveWatch, Unwatched};
pub use read::{read_manifest, unpack};
pub use write::{PartSource, write_archive};

#[cfg(test)]
mod tests;
