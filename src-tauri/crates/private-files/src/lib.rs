//! Files and folders of this user alone, replaced so that a crash leaves the old or the new one, never
//! half of either.
//!
//! Invariant: no other crate states a mode. On Unix files get 0600 and folders 0700 before they hold
//! anything; elsewhere the user's profile folder is private already.

mod modes;

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

pub use modes::{restrict_file, restrict_folder};

/// Creates a folder and those above it. One that is there is left unchanged, since it may be the user's
/// home.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    modes::private_folder(DirBuilder::new().recursive(true)).create(folder)
}

/// Creates a folder where nothing is yet.
pub fn create_new_folder(folder: &Path) -> io::Result<()> {
    modes::private_folder(&mut DirBuilder::new()).create(folder)
}

/// Creates a file where nothing is yet, not even a link.
pub fn create_new_file(path: &Path) -> io::Result<File> {
    modes::private_file(OpenOptions::new().write(true).create_new(true)).open(path)
}

/// Opens a file to write, with what it holds; creates one if there is none.
pub fn open_or_create_file(path: &Path) -> io::Result<File> {
    modes::private_file(OpenOptions::new().write(true).create(true).truncate(false)).open(path)
}

/// Writes `bytes` to `path`: to a temporary file beside it (created exclusively, mode 0600), which
/// is synced and renamed over the old one; then syncs the folder. Creates a missing folder with
/// mode 0700.
///
/// # Errors
/// [`io::ErrorKind::InvalidInput`] when `path` names no file or is a symbolic link: a rename would
/// replace the link and silently leave its target unchanged.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let refused = |reason: &str| io::Error::new(io::ErrorKind::InvalidInput, reason);
    path.file_name().ok_or_else(|| refused("the path names no file"))?;
    if path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink()) {
        return Err(refused("the path is a symbolic link; put a regular file there"));
    }
    let folder = folder_of(path);
    create_folder(folder)?;
    write_temporary(path, bytes)?.persist(path).map_err(|error| error.error)?;
    sync_folder(folder)
}

/// Writes `bytes` to the new file at `path`, whole or not at all, for this user only.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is anything at this path.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = write_temporary(path, bytes)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_folder(folder_of(path))
}

/// Writes `bytes` to a synced temporary file beside `path`, for this user only. It is deleted unless it
/// is persisted.
///
/// # Errors
/// The folder of `path` is not there or may not be written to, or the disk failed.
pub fn write_temporary(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = modes::private_temporary().tempfile_in(folder_of(path))?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The folder of `path`; the current one for a bare file name.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Makes renames in a folder durable; Windows has no handle for a folder and needs none.
///
/// # Errors
/// The folder is gone, or the disk failed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    #[test]
    fn the_whole_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = folder();
        let path = folder.path().join("new/deep/settings.toml");
        write_atomic(&path, b"a longer first text").expect("first");
        write_atomic(&path, b"second").expect("second");
        assert_eq!(std::fs::read(&path).expect("read"), b"second");
        let names = std::fs::read_dir(path.parent().expect("parent")).expect("list");
        assert_eq!(names.count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn files_are_0600_and_new_folders_0700_even_over_a_readable_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let path = folder.path().join("private/settings.toml");
        write_atomic(&path, b"x").expect("first");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
        write_atomic(&path, b"y").expect("second");
        let mode = |path: &Path| path.metadata().expect("stat").permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().expect("parent")), 0o700);
    }

    #[cfg(unix)]
    #[test]
    fn a_symbolic_link_is_refused_and_its_target_untouched() {
        let folder = folder();
        let target = folder.path().join("target");
        write_atomic(&target, b"precious").expect("target");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&target, &link).expect("link");
        let error = write_atomic(&link, b"x").expect_err("refused");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert_eq!(std::fs::read(&target).expect("read"), b"precious");
        assert!(write_atomic(Path::new("/"), b"x").is_err());
    }
}
