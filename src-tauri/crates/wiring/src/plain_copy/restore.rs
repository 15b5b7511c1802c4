//! Puts keys of the vault back where a removal took them out. The one place of this crate that writes a
//! key, into a file that held it before, because its owner asks for that.

use super::StoredKey;
use super::record::{EmptiedLine, RemovalRecord};
use crate::error::{ToolFileProblem, WiringError};

const CHANGED: &str = "was changed where the key was; put it back in an editor";

/// The text with the keys in their places.
pub(super) fn restore(
    record: &RemovalRecord,
    text: &str,
    keys: &[StoredKey],
) -> Result<String, WiringError> {
    let problem = |what: String| ToolFileProblem::new(&record.path, what);
    let lines = record.find_lines(text).ok_or_else(|| problem(CHANGED.to_owned()))?;
    let mut restored = String::with_capacity(text.len());
    for (at, line) in text.split_inclusive('\n').enumerate() {
        let emptied = lines.iter().zip(&record.lines).find(|(index, _)| **index == at);
        restored.push_str(&match emptied {
            Some((_, emptied)) => restore_line(emptied, line, keys).map_err(problem)?,
            None => line.to_owned(),
        });
    }
    Ok(restored)
}

/// The error says what is wrong with the file.
fn restore_line(emptied: &EmptiedLine, line: &str, keys: &[StoredKey]) -> Result<String, String> {
    let mut restored = line.to_owned();
    // From right to left, so that the columns hold.
    for hole in emptied.holes.iter().rev() {
        let stored = keys.iter().find(|key| key.secret.fingerprint() == hole.fingerprint);
        let stored = stored.ok_or_else(|| {
            let key = &hole.key;
            format!("held a key that the vault no longer has as {key}; put the new one in with an editor")
        })?;
        let (filler, quotes) = (hole.filler.text(), hole.filler.quotes());
        let end = hole.column + filler.len();
        if restored.get(hole.column..end) != Some(filler) {
            return Err(CHANGED.to_owned());
        }
        let value = format!("{quotes}{}{quotes}", stored.secret.expose());
        restored.replace_range(hole.column..end, &value);
    }
    Ok(restored)
}
