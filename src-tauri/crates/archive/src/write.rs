//! Writes an archive beside its final name and gives it that name once it is whole and on the disk.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use private_files::folder_of;
use sha2::{Digest, Sha256};
use tar::{Builder, Header};

use crate::manifest::MANIFEST_NAME;
use crate::{ArchiveError, ArchivePart, ArchiveWatch, Manifest, PartName};

/// zstd's default, three times as fast as the disk of a laptop reads.
const COMPRESSION_LEVEL: i32 = 3;
/// Bytes read in one piece; a cancel takes effect after it.
pub(crate) const PIECE_BYTES: usize = 262_144;

/// Where a part is read from. The file may not change meanwhile.
#[derive(Debug, Clone)]
pub struct PartSource {
    pub name: PartName,
    pub path: PathBuf,
}

/// Writes the parts into the new file `target`, for this user only. Returns the manifest and the
/// size of the archive in bytes. Blocks.
///
/// # Errors
/// [`ArchiveError::Exists`] if there is such a file; disk errors. Nothing is left behind then.
pub fn write_archive(
    target: &Path,
    mut manifest: Manifest,
    parts: &[PartSource],
    watch: &dyn ArchiveWatch,
) -> Result<(Manifest, u64), ArchiveError> {
    let failed = |error: io::Error| ArchiveError::file(target, error);
    if target.symlink_metadata().is_ok() {
        return Err(ArchiveError::Exists(target.to_owned()));
    }
    manifest.parts = parts.iter().map(describe_part).collect::<Result<_, _>>()?;
    let mut beside = tempfile::Builder::new()
        .prefix(".gatehouse-backup-")
        .tempfile_in(folder_of(target))
        .map_err(failed)?;
    let mut encoder =
        zstd::Encoder::new(beside.as_file_mut(), COMPRESSION_LEVEL).map_err(failed)?;
    encoder.include_checksum(true).map_err(failed)?;
    let mut archive = Builder::new(encoder);
    append_manifest(&mut archive, &manifest).map_err(failed)?;
    let mut progress = Progress { done: 0, total: manifest.bytes(), watch };
    for (part, source) in manifest.parts.iter().zip(parts) {
        append_part(&mut archive, part, &source.path, &mut progress)
            .map_err(|error| progress.explain(target, error))?;
    }
    archive.into_inner().and_then(zstd::Encoder::finish).map_err(failed)?;
    beside.as_file().sync_all().map_err(failed)?;
    let written = beside.persist_noclobber(target).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => ArchiveError::Exists(target.to_owned()),
        _ => failed(error.error),
    })?;
    let bytes = written.metadata().map_err(failed)?.len();
    Ok((manifest, bytes))
}

/// Size and SHA-256 of a part.
fn describe_part(source: &PartSource) -> Result<ArchivePart, ArchiveError> {
    let failed = |error| ArchiveError::file(&source.path, error);
    let mut file = File::open(&source.path).map_err(failed)?;
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(failed)?;
    Ok(ArchivePart { name: source.name, bytes, sha256: hex(&hash.finalize()) })
}

fn append_manifest(archive: &mut Builder<impl Write>, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_vec_pretty(manifest)?;
    archive.append(&header(MANIFEST_NAME, text.len() as u64, manifest)?, text.as_slice())
}

fn append_part(
    archive: &mut Builder<impl Write>,
    part: &ArchivePart,
    path: &Path,
    progress: &mut Progress<'_>,
) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_path(part.name.word())?;
    header.set_size(part.bytes);
    header.set_mode(0o600);
    header.set_cksum();
    let file = File::open(path)?.take(part.bytes);
    archive.append(&header, WatchedReader { inner: file, progress })
}

fn header(name: &str, bytes: u64, manifest: &Manifest) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_path(name)?;
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(manifest.created.unix_ms() / 1_000).unwrap_or_default());
    header.set_cksum();
    Ok(header)
}

pub(crate) struct Progress<'a> {
    pub(crate) done: u64,
    pub(crate) total: u64,
    pub(crate) watch: &'a dyn ArchiveWatch,
}

impl Progress<'_> {
    /// Counts a piece; an error if the watch has enough.
    pub(crate) fn count(&mut self, bytes: usize) -> io::Result<()> {
        self.done = self.done.saturating_add(bytes as u64);
        match self.watch.goes_on(self.done, self.total) {
            true => Ok(()),
            // Not `Interrupted`, which is tried again.
            false => Err(io::Error::other(CancelledRead)),
        }
    }

    fn explain(&self, path: &Path, error: io::Error) -> ArchiveError {
        match error.get_ref().is_some_and(|inner| inner.is::<CancelledRead>()) {
            true => ArchiveError::Cancelled,
            false => ArchiveError::file(path, error),
        }
    }
}

/// Marks the error of a read that the watch ended.
#[derive(Debug, thiserror::Error)]
#[error("cancelled")]
pub(crate) struct CancelledRead;

struct WatchedReader<'a, 'w, R> {
    inner: R,
    progress: &'a mut Progress<'w>,
}

impl<R: Read> Read for WatchedReader<'_, '_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.count(read)?;
        Ok(read)
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
