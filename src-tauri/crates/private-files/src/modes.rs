//! The modes of files and folders, where the system has modes.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};

/// Start of the name of a file that is about to replace another one.
const TEMPORARY_PREFIX: &str = ".gatehouse-";

#[cfg(unix)]
pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

#[cfg(unix)]
pub(crate) fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

#[cfg(unix)]
pub(crate) fn private_temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX).permissions(std::fs::Permissions::from_mode(0o600));
    builder
}

/// Takes away the permissions of other users.
#[cfg(unix)]
pub fn restrict_file(path: &Path) -> io::Result<()> {
    match path.metadata()?.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)),
    }
}

/// Gives this user all permissions and others none. Changes nothing that is right, so that reading
/// commands also work on a read-only file system.
#[cfg(unix)]
pub fn restrict_folder(folder: &Path) -> io::Result<()> {
    match folder.metadata()?.permissions().mode() & 0o777 {
        0o700 => Ok(()),
        _ => std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)),
    }
}

#[cfg(not(unix))]
pub(crate) const fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

#[cfg(not(unix))]
pub(crate) const fn private_file(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(not(unix))]
pub(crate) fn private_temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY_PREFIX);
    builder
}

#[cfg(not(unix))]
pub const fn restrict_file(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
pub const fn restrict_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}
