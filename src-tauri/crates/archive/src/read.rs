//! Reads an archive that anybody may have made.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tar::{Archive, Entry, EntryType};

use crate::manifest::MANIFEST_BYTES_MAX;
use crate::manifest::MANIFEST_NAME;
use crate::write::{CancelledRead, PIECE_BYTES, Progress, hex};
use crate::{ArchiveError, ArchivePart, ArchiveWatch, Manifest};

/// First bytes of a zstd frame (RFC 8878, section 3.1.1).
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Bytes after the end of the tar file that are still read, to see the frame's checksum.
const TAIL_BYTES_MAX: u64 = 1_048_576;

type TarReader = Archive<zstd::Decoder<'static, BufReader<File>>>;

/// The manifest alone. The parts are not looked at.
///
/// # Errors
/// [`ArchiveError::Foreign`], [`ArchiveError::Damaged`], [`ArchiveError::Newer`], disk errors.
pub fn read_manifest(path: &Path) -> Result<Manifest, ArchiveError> {
    let mut archive = open(path)?;
    let mut entries = archive.entries().map_err(|error| broken(&error))?.raw(true);
    take_manifest(entries.next())
}

/// Checks every part against the manifest and writes it into `folder`, under the name that we know
/// it by. Blocks.
///
/// # Errors
/// As for [`read_manifest`]; [`ArchiveError::Unsafe`] for links, folders and any other name. What
/// was written till then stays in `folder`, for the caller to remove.
pub fn unpack(
    path: &Path,
    folder: &Path,
    watch: &dyn ArchiveWatch,
) -> Result<Manifest, ArchiveError> {
    let mut archive = open(path)?;
    let manifest = {
        let mut entries = archive.entries().map_err(|error| broken(&error))?.raw(true);
        let manifest = take_manifest(entries.next())?;
        let mut progress = Progress { done: 0, total: manifest.bytes(), watch };
        for part in &manifest.parts {
            let entry = entries.next().ok_or_else(|| missing(part))?;
            let mut entry = entry.map_err(|error| broken(&error))?;
            check_entry(&entry, part.name.word(), part.bytes)?;
            take_part(&mut entry, part, folder, &mut progress)?;
        }
        if let Some(further) = entries.next() {
            let further = further.map_err(|error| broken(&error))?;
            return Err(refusal(&further));
        }
        manifest
    };
    let mut tail = archive.into_inner().take(TAIL_BYTES_MAX + 1);
    let read = io::copy(&mut tail, &mut io::sink()).map_err(|error| broken(&error))?;
    if read > TAIL_BYTES_MAX {
        return Err(ArchiveError::Unsafe("data after its end".to_owned()));
    }
    Ok(manifest)
}

fn open(path: &Path) -> Result<TarReader, ArchiveError> {
    let failed = |error| ArchiveError::file(path, error);
    // Opening a pipe would wait for a writer.
    if !std::fs::metadata(path).map_err(failed)?.is_file() {
        return Err(ArchiveError::Foreign("it is not a file".to_owned()));
    }
    let mut start = Vec::new();
    let first = File::open(path).map_err(failed)?;
    first.take(MAGIC.len() as u64).read_to_end(&mut start).map_err(failed)?;
    if start != MAGIC {
        return Err(ArchiveError::Foreign("it is no tar file in zstd".to_owned()));
    }
    let decoder = zstd::Decoder::new(File::open(path).map_err(failed)?).map_err(failed)?;
    Ok(Archive::new(decoder))
}

fn take_manifest<R: Read>(
    entry: Option<io::Result<Entry<'_, R>>>,
) -> Result<Manifest, ArchiveError> {
    let no_manifest = || ArchiveError::Foreign(format!("it does not begin with {MANIFEST_NAME}"));
    let mut entry = entry.ok_or_else(no_manifest)?.map_err(|error| broken(&error))?;
    if entry.header().path_bytes().as_ref() != MANIFEST_NAME.as_bytes() {
        return Err(no_manifest());
    }
    let bytes = entry.header().entry_size().map_err(|error| broken(&error))?;
    check_entry(&entry, MANIFEST_NAME, bytes)?;
    if bytes > MANIFEST_BYTES_MAX {
        return Err(ArchiveError::Damaged(format!("its manifest has {bytes} bytes")));
    }
    let mut text = Vec::new();
    entry.read_to_end(&mut text).map_err(|error| broken(&error))?;
    if text.len() as u64 != bytes {
        return Err(ArchiveError::Damaged("its manifest is cut off".to_owned()));
    }
    Manifest::parse(&text)
}

/// Fails unless the entry is a plain file of this name and size.
fn check_entry<R: Read>(entry: &Entry<'_, R>, name: &str, bytes: u64) -> Result<(), ArchiveError> {
    let header = entry.header();
    let is_plain = header.entry_type() == EntryType::Regular;
    if !is_plain || header.path_bytes().as_ref() != name.as_bytes() {
        return Err(refusal(entry));
    }
    match header.entry_size() {
        Ok(found) if found == bytes => Ok(()),
        _ => Err(ArchiveError::Damaged(format!("{name} does not match its size in the manifest"))),
    }
}

/// Names what is wrong with an entry that none of ours is like.
fn refusal<R: Read>(entry: &Entry<'_, R>) -> ArchiveError {
    let header = entry.header();
    let name: String = String::from_utf8_lossy(&header.path_bytes()).chars().take(100).collect();
    let name = domain::redact(&name).into_owned();
    let leads_out =
        name.starts_with('/') || name.contains('\\') || name.split('/').any(|it| it == "..");
    ArchiveError::Unsafe(match header.entry_type() {
        EntryType::Symlink | EntryType::Link => format!("a link, {name:?}"),
        EntryType::Regular if leads_out => format!("a file outside of it, {name:?}"),
        EntryType::Regular => format!("the file {name:?}"),
        _ => format!("{name:?}, which is no plain file"),
    })
}

fn take_part<R: Read>(
    entry: &mut Entry<'_, R>,
    part: &ArchivePart,
    folder: &Path,
    progress: &mut Progress<'_>,
) -> Result<(), ArchiveError> {
    let path = folder.join(part.name.word());
    let failed = |error| ArchiveError::file(&path, error);
    let mut file = private_files::create_new_file(&path).map_err(failed)?;
    let (mut hash, mut piece, mut taken) = (Sha256::new(), vec![0_u8; PIECE_BYTES], 0_u64);
    loop {
        let read = entry.read(&mut piece).map_err(|error| broken(&error))?;
        let Some(bytes) = piece.get(..read).filter(|bytes| !bytes.is_empty()) else { break };
        hash.update(bytes);
        file.write_all(bytes).map_err(failed)?;
        taken = taken.saturating_add(read as u64);
        progress.count(read).map_err(|_: io::Error| ArchiveError::Cancelled)?;
    }
    if taken != part.bytes {
        return Err(ArchiveError::Damaged(format!("{} is cut off", part.name)));
    }
    if hex(&hash.finalize()) != part.sha256 {
        return Err(ArchiveError::Damaged(format!("{} is not what was backed up", part.name)));
    }
    file.sync_all().map_err(failed)
}

fn missing(part: &ArchivePart) -> ArchiveError {
    ArchiveError::Damaged(format!("{} is missing", part.name))
}

fn broken(error: &io::Error) -> ArchiveError {
    match error.get_ref().is_some_and(|inner| inner.is::<CancelledRead>()) {
        true => ArchiveError::Cancelled,
        false => ArchiveError::Damaged(format!("it cannot be unpacked: {error}")),
    }
}
