//! Finds keys that lie in plain text on this machine: in shell profiles, in the files of coding
//! tools, and in files and folders that the user names.
//!
//! [`scan`] reads; nothing here writes. A key is recognised by the variable it is assigned to or by
//! its vendor's prefix. What looks like a placeholder, a reference to another place or the login of
//! a tool's own account is none, since a report of those would send people to the wrong files.
//!
//! Invariants: a found key is a [`domain::Secret`] and its places hold none of it; the same key in
//! several places is one [`PlainKey`]; the files of a browser, a mail program or a password
//! store are never opened.

mod candidate;
mod files;
mod known_file;
mod plain_key;
mod provider;
mod report;

pub use files::{FILE_BYTES_MAX, FILES_MAX, FOLDER_DEPTH_MAX};
pub use plain_key::{KeyPlace, PlainKey};
pub use provider::KeyProvider;
pub use report::{ScanProblem, ScanReport, key_in_variable, scan};

#[cfg(test)]
mod tests;
