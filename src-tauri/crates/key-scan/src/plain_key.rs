//! A key that was found, and where.

use std::path::PathBuf;

use domain::Secret;

use crate::provider::KeyProvider;

/// A key in plain text, once for all of its places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainKey {
    pub secret: Secret,
    /// None if neither the variable nor the prefix tells.
    pub provider: Option<KeyProvider>,
    /// At most `PLACES_MAX`.
    pub places: Vec<KeyPlace>,
}

/// A line that holds a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPlace {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// The variable or field that holds it.
    pub name: Option<String>,
    /// The program that reads the file; none for a file that the user named.
    pub reader: Option<&'static str>,
}
