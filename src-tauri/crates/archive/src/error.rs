//! Why an archive was not written, or is not taken.

use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("could not read or write {}: {source}", .path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// It is another kind of file, or of another program.
    #[error("this is not a backup of Gatehouse: {0}")]
    Foreign(String),
    /// It was a backup, but is not whole.
    #[error("this backup is damaged: {0}")]
    Damaged(String),
    /// A backup of ours never holds such a thing, so somebody made this file.
    #[error("this backup holds {0}, which no backup of Gatehouse does; nothing was taken from it")]
    Unsafe(String),
    #[error(
        "this backup has format {found}, but this Gatehouse reads formats up to {known}; install \
         the newer Gatehouse first"
    )]
    Newer { found: u32, known: u32 },
    #[error("{} exists already", .0.display())]
    Exists(PathBuf),
    #[error("it was cancelled")]
    Cancelled,
}

impl ArchiveError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}
