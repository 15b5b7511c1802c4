//! Names in a sentence.

/// Most names in a sentence.
pub(super) const NAMES_LISTED_MAX: usize = 4;

/// `a`, `a and b`, `a, b, c, d and 2 more`.
pub(super) fn join_names(all: impl ExactSizeIterator<Item = String>) -> String {
    domain::list_names(all, NAMES_LISTED_MAX)
}
