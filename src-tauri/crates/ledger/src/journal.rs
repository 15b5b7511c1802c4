//! The journal of older versions: records that they had promised and not yet committed, in two files
//! beside the ledger. Read once at the start, committed, and removed; nothing writes it any more.
//!
//! A record is its length, its CRC-32 (both 32 bits, little endian) and `MessagePack`
//! (<https://github.com/msgpack/msgpack/blob/master/spec.md>) with named fields. A file that met a
//! damaged or impossible record was kept beside as `….journal-a-aside`, and read by nobody.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use crate::leftover::{self, Entry};
use crate::{LedgerError, database, job};

/// Longest record that was ever written, in bytes.
const RECORD_BYTES_MAX: usize = 262_144;

/// The files after the ledger's name. Those aside may hold what was committed and purged long ago.
const ENDINGS: [(&str, Age); 4] = [
    (".journal-a", Age::Recent),
    (".journal-b", Age::Recent),
    (".journal-a-aside", Age::Any),
    (".journal-b-aside", Age::Any),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Age {
    Recent,
    Any,
}

/// What a journal file ends with.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Whole,
    /// A last record that was being written when the machine stopped.
    Torn,
    /// A record that is all there and not what was written.
    Corrupt,
}

/// Commits what the files hold, which is safe to do twice: a request is reserved once and settled once.
pub(crate) fn replay(connection: &Connection, ledger: &Path) -> Result<(), LedgerError> {
    for (ending, age) in ENDINGS {
        let path = database::beside(ledger, ending);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(database::file_error(&path, error)),
        };
        let mut left = Vec::new();
        let ended = read(&bytes, &mut left);
        if age == Age::Any {
            keep_unpurged(connection, &mut left)?;
        }
        let records = left.len();
        job::replay(connection, ledger, left)?;
        // The commits must be on the disk before their only other copy goes.
        database::flush(connection)?;
        leftover::retire(&path, ended == Ending::Corrupt)
            .map_err(|error| database::file_error(&path, error))?;
        tracing::info!(file = %path.display(), records,
            "an older journal was imported into the ledger");
    }
    Ok(())
}

/// Drops records of requests that may have been purged: their sums stayed, so a second settlement
/// would count them twice. Purges begin with the oldest, so what is younger than a row that is still
/// there was not purged.
fn keep_unpurged(connection: &Connection, left: &mut Vec<Entry>) -> Result<(), LedgerError> {
    let sql = "SELECT min(started_ms) FROM requests";
    let oldest: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).optional()?.flatten();
    let sql = "SELECT EXISTS (SELECT 1 FROM rollup_quarter)";
    let has_sums: bool = connection.query_row(sql, [], |row| row.get(0))?;
    let was_not_purged = |entry: &Entry| {
        let request = match entry {
            Entry::Reserve(request) => request,
            Entry::Settle(ended) => &ended.request,
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

/// Takes the entries of a file up to its end or to the first that is not whole.
fn read(mut bytes: &[u8], left: &mut Vec<Entry>) -> Ending {
    while !bytes.is_empty() {
        let Some((length, rest)) = number(bytes) else { return Ending::Torn };
        let Some((checksum, rest)) = number(rest) else { return Ending::Torn };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > RECORD_BYTES_MAX {
            return Ending::Corrupt;
        }
        let Some((body, rest)) = rest.split_at_checked(length) else { return Ending::Torn };
        match rmp_serde::from_slice(body) {
            Ok(entry) if crc32fast::hash(body) == checksum => left.push(entry),
            // A machine that lost its power may have kept the length of a file and not its end.
            _ if rest.is_empty() => return Ending::Torn,
            _ => return Ending::Corrupt,
        }
        bytes = rest;
    }
    Ending::Whole
}

fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*number), rest))
}
