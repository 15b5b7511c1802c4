//! Imports the journal of older versions: uncommitted records in two files beside the ledger. It is
//! read once at the start, committed and removed; this version writes none.
//!
//! A record is its length, its CRC-32 (both 32 bits, little endian) and `MessagePack`
//! (<https://github.com/msgpack/msgpack/blob/master/spec.md>) with named fields. Older versions
//! kept a file with a damaged or invalid record as `….journal-a-aside` and never read it again.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::LedgerError;
use crate::file::database;
use crate::file::spill::{self, SpilledRecord};
use crate::write::writes;

/// Longest record ever written, in bytes.
const RECORD_BYTES_MAX: usize = 262_144;

/// File name endings. The `-aside` files may hold records that were committed and purged long ago.
const ENDINGS: [(&str, JournalFileAge); 4] = [
    (".journal-a", JournalFileAge::Recent),
    (".journal-b", JournalFileAge::Recent),
    (".journal-a-aside", JournalFileAge::Any),
    (".journal-b-aside", JournalFileAge::Any),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum JournalFileAge {
    Recent,
    Any,
}

#[derive(Debug, PartialEq, Eq)]
enum JournalEnd {
    Whole,
    /// The last record is incomplete: the machine stopped while it was written.
    Torn,
    /// A complete record has a wrong checksum or content.
    Corrupt,
}

/// Commits the records of the files. Safe to repeat: a request is reserved once and settled once.
pub(crate) fn replay(connection: &Connection, ledger: &Path) -> Result<(), LedgerError> {
    for (ending, age) in ENDINGS {
        let path = sqlite_file::with_suffix(ledger, ending);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(crate::error::file_error(&path, error)),
        };
        let mut left = Vec::new();
        let ended = read_entries(&bytes, &mut left);
        if age == JournalFileAge::Any {
            retain_unpurged(connection, &mut left)?;
        }
        let records = left.len();
        writes::replay(connection, ledger, left)?;
        // The commits must be on disk before their only other copy is deleted.
        database::flush_to_disk(connection)?;
        spill::retire(&path, ended == JournalEnd::Corrupt)
            .map_err(|error| crate::error::file_error(&path, error))?;
        tracing::info!(file = %path.display(), records,
            "an older journal was imported into the ledger");
    }
    Ok(())
}

/// Drops records of requests that may have been purged: their roll-ups stayed, so a second
/// settlement would count them twice. Purges start with the oldest, so records newer than the
/// oldest row were not purged.
fn retain_unpurged(
    connection: &Connection,
    left: &mut Vec<SpilledRecord>,
) -> Result<(), LedgerError> {
    let sql = "SELECT min(started_ms) FROM requests";
    let oldest: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten();
    let sql = "SELECT EXISTS (SELECT 1 FROM rollup_quarter)";
    let has_sums: bool = connection.query_row(sql, [], |row| row.get(0))?;
    let was_not_purged = |entry: &SpilledRecord| {
        let request = match entry {
            SpilledRecord::Reserve(request) | SpilledRecord::ReserveAmounts { request, .. } => {
                request
            }
            SpilledRecord::Settle(ended) | SpilledRecord::SettleNano(ended) => &ended.request,
        };
        oldest.map_or(!has_sums, |oldest| request.started.unix_ms() >= oldest)
    };
    let all = left.len();
    left.retain(was_not_purged);
    if left.len() < all {
        tracing::warn!(
            records = all - left.len(),
            "records of a journal that were too old were not imported"
        );
    }
    Ok(())
}

/// Appends the entries of a file up to its end or its first incomplete one.
fn read_entries(mut bytes: &[u8], left: &mut Vec<SpilledRecord>) -> JournalEnd {
    while !bytes.is_empty() {
        let Some((length, rest)) = read_u32(bytes) else { return JournalEnd::Torn };
        let Some((checksum, rest)) = read_u32(rest) else { return JournalEnd::Torn };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RECORD_BYTES_MAX {
            return JournalEnd::Corrupt;
        }
        let Some((body, rest)) = rest.split_at_checked(length) else { return JournalEnd::Torn };
        match rmp_serde::from_slice(body) {
            Ok(entry) if crc32fast::hash(body) == checksum => left.push(entry),
            // After a power cut a file may have its length but not its last bytes.
            _ if rest.is_empty() => return JournalEnd::Torn,
            _ => return JournalEnd::Corrupt,
        }
        bytes = rest;
    }
    JournalEnd::Whole
}

fn read_u32(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}
