//! Files for the user, in the folder for downloads.

use std::path::Path;

use engine::Engine;

use crate::ApiError;
use crate::view::{SavedFile, TextFile};

/// Files of one name in a folder before saving fails.
const SAME_NAMES_MAX: usize = 1_000;

/// The media type of CSV (RFC 4180).
pub(super) const CSV: &str = "text/csv;charset=utf-8";
pub(super) const JSON: &str = "application/json";

/// Writes `file` into the folder for downloads, beside what is there.
pub(super) async fn save(engine: &Engine, file: TextFile) -> Result<SavedFile, ApiError> {
    let folder = engine.folders().downloads.clone();
    let saved = tokio::task::spawn_blocking(move || {
        write_new(&folder, &file.name, &file.text).map(|path| file.saved_at(path))
    });
    saved.await.map_err(|error| ApiError::failed(error.to_string()))?
}

/// Creates `name`, or `name (2)` if that exists.
fn write_new(folder: &Path, name: &str, text: &str) -> Result<String, ApiError> {
    let failed = |path: &Path, error: &std::io::Error| {
        ApiError::failed(format!("could not write {}: {error}", path.display()))
            .with_hint("Make the folder writable, or use the command with `--output FILE`.")
    };
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, "txt"));
    for number in 1..=SAME_NAMES_MAX {
        let name = match number {
            1 => name.to_owned(),
            number => format!("{stem} ({number}).{extension}"),
        };
        let path = folder.join(name);
        match std::fs::File::create_new(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed(&path, &error)),
            Ok(mut file) => {
                std::io::Write::write_all(&mut file, text.as_bytes())
                    .map_err(|error| failed(&path, &error))?;
                return Ok(path.display().to_string());
            }
        }
    }
    Err(ApiError::failed(format!("{} has too many files of this name", folder.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_beside_those_of_the_same_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let into = folder.path().join("new");
        let paths: Vec<_> =
            (0..3).map(|_| write_new(&into, "a.html", "x").expect("written")).collect();
        let names: Vec<_> =
            paths.iter().filter_map(|path| Path::new(path).file_name()?.to_str()).collect();
        assert_eq!(names, ["a.html", "a (2).html", "a (3).html"]);
    }
}
