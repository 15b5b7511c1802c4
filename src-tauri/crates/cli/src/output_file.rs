//! Files that a command writes where the user says.

use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::exit::{CommandError, Exit};

/// Writes a file atomically: into a temporary file beside it, synced, then renamed. An existing
/// path that is no regular file (a pipe, a folder) is an error.
pub(crate) fn write_file(path: &Path, content: &str) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        let message = format!("could not write {}: {error}", path.display());
        CommandError::new(Exit::Internal, message).with_hint("Choose another --output.")
    };
    if path.exists() && !path.is_file() {
        return Err(CommandError::new(
            Exit::Usage,
            format!("output: {} is not a file", path.display()),
        ));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = NamedTempFile::new_in(folder).map_err(failed)?;
    beside.write_all(content.as_bytes()).map_err(failed)?;
    beside.as_file().sync_all().map_err(failed)?;
    beside.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_the_one_before_and_of_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        write_file(&path, "one").expect("written");
        write_file(&path, "two").expect("written again");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert_eq!(write_file(folder.path(), "x").expect_err("a folder").exit(), Exit::Usage);
        let nowhere = folder.path().join("missing/report.json");
        assert_eq!(write_file(&nowhere, "x").expect_err("no folder").exit(), Exit::Internal);
    }
}
