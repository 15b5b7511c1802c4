//! The version of the JSON that the command line prints, which is made of the views of the operations.

/// Version of all shapes, `format_version` of each document. Raised when a field or a word of one is
/// removed or renamed, or gets another type or meaning; a program ignores fields and words that it does
/// not know, so new ones may come at any time.
pub const JSON_FORMAT_VERSION: u32 = 2;

#[cfg(test)]
mod tests;
