//! The environment of the process as text.

use std::ffi::OsString;

/// The variables that are valid Unicode; all of Gatehouse's variables are.
pub(crate) fn unicode_variables(
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(String, String)> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    variables.filter_map(text).collect()
}
