//! The journal: what was promised but is not yet committed, in two append-only files beside the
//! ledger.
//!
//! One `write` puts a record into the page cache, from which no killed process can take it, within
//! microseconds and in the caller's own thread; a commit costs two changes of thread and some seven
//! pages. A power cut may take the last moments, as it may from a log written with
//! `synchronous = NORMAL`. A record is its length, its CRC-32 (both 32 bits, little endian) and
//! `MessagePack` (<https://github.com/msgpack/msgpack/blob/master/spec.md>) with named fields: a newer
//! program finds them by name, as in JSON, and they are written in a quarter of the time, twice in
//! every request.
//!
//! When the file in use has grown, what is still uncommitted is copied to the other one, which is
//! then used, and only then the first is emptied. A process killed in between leaves records twice,
//! which replaying does not mind: a request is reserved once and settled once.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{LedgerError, NewRequest, Settlement, database};

/// Size of the file in use past which it is exchanged for the other: some thousand requests, which
/// are replayed in a few hundredths of a second.
pub const JOURNAL_BYTES_MAX: u64 = 1_048_576;

/// Size in bytes that neither file grows past while the ledger takes no commits.
pub const JOURNAL_UNCOMMITTED_BYTES_MAX: u64 = 67_108_864;

/// Largest record in bytes. A longer one, which no request of the gateway's comes near, is not
/// journaled: its settlement waits for the commit.
pub const JOURNAL_RECORD_BYTES_MAX: usize = 262_144;

/// Length and checksum.
const HEAD_BYTES: usize = 8;

/// Room that the settlement of a request with one try fits into.
const USUAL_RECORD_BYTES: usize = 1_024;

/// How the two files are named after the ledger, and how one that cannot be read is put aside.
const ENDINGS: [&str; 2] = [".journal-a", ".journal-b"];
const ASIDE: &str = "-aside";

/// What is written down ahead of its commit, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Entry {
    Reserve(NewRequest),
    Settle(Box<Settlement>),
}

/// [`Entry`] on its way into the file.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EntryRef<'a> {
    Reserve(&'a NewRequest),
    Settle(&'a Settlement),
}

impl EntryRef<'_> {
    /// The record as it is appended; `None` past [`JOURNAL_RECORD_BYTES_MAX`].
    pub(crate) fn record(&self) -> Option<Vec<u8>> {
        let mut record = Vec::with_capacity(USUAL_RECORD_BYTES);
        record.resize(HEAD_BYTES, 0);
        self.serialize(&mut rmp_serde::Serializer::new(&mut record).with_struct_map()).ok()?;
        let (head, body) = record.split_at_mut(HEAD_BYTES);
        let length = u32::try_from(body.len()).ok()?;
        let (first, second) = head.split_at_mut(4);
        first.copy_from_slice(&length.to_le_bytes());
        second.copy_from_slice(&crc32fast::hash(body).to_le_bytes());
        (record.len() <= JOURNAL_RECORD_BYTES_MAX).then_some(record)
    }
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

/// The two files, one of them in use.
#[derive(Debug)]
pub(crate) struct Journal {
    in_use: Segment,
    other: Segment,
    /// Size at which the files are next exchanged; more than the limit while much is uncommitted.
    exchange_at: u64,
}

#[derive(Debug)]
struct Segment {
    path: PathBuf,
    file: File,
    bytes: u64,
    /// Whether the file may be longer than `bytes`, with the beginning of a record at its end.
    is_torn: bool,
}

impl Journal {
    /// Opens and makes (0600) the files beside `ledger`, and gives what a killed process left in
    /// them. A file that cannot be read to its end is put aside and replaced, after its readable
    /// part was taken.
    pub(crate) fn open(ledger: &Path) -> Result<(Self, Vec<Entry>), LedgerError> {
        let mut left = Vec::new();
        let [in_use, other] = ENDINGS.map(|ending| {
            let path = database::beside(ledger, ending);
            Segment::open(&path, &mut left).map_err(|error| database::file_error(&path, error))
        });
        Ok((Self { in_use: in_use?, other: other?, exchange_at: JOURNAL_BYTES_MAX }, left))
    }

    /// Adds one record. After an error it is not in the file.
    pub(crate) fn append(&mut self, record: &[u8]) -> Result<(), LedgerError> {
        if self.in_use.bytes >= JOURNAL_UNCOMMITTED_BYTES_MAX {
            return Err(LedgerError::Busy);
        }
        let appended = self.in_use.append(record);
        appended.map_err(|error| refused(&self.in_use.path, error))
    }

    /// Whether it has grown enough for [`Journal::keep_only`].
    pub(crate) const fn is_long(&self) -> bool {
        self.in_use.bytes >= self.exchange_at
    }

    /// Forgets everything but these `uncommitted` records, one after the other.
    pub(crate) fn keep_only(&mut self, uncommitted: &[u8]) -> Result<(), LedgerError> {
        let kept = self.exchange(uncommitted);
        self.exchange_at = JOURNAL_BYTES_MAX.max(2 * self.in_use.bytes);
        kept.map_err(|error| refused(&self.in_use.path, error))
    }

    fn exchange(&mut self, records: &[u8]) -> std::io::Result<()> {
        if !records.is_empty() {
            self.other.empty()?;
            self.other.append(records)?;
            std::mem::swap(&mut self.in_use, &mut self.other);
            return self.other.empty();
        }
        self.in_use.empty()?;
        self.other.empty()
    }

    /// Keeps a copy of what cannot be committed, for whoever mends the ledger; the first only.
    pub(crate) fn put_aside(&self) {
        let aside = database::beside(&self.in_use.path, ASIDE);
        if !aside.exists()
            && let Err(error) = std::fs::copy(&self.in_use.path, &aside)
        {
            tracing::error!(%error, "the ledger's journal could not be put aside");
        }
    }

    /// Takes the files away when everything in them is committed.
    pub(crate) fn remove(&self) {
        for segment in [&self.in_use, &self.other] {
            if let Err(error) = std::fs::remove_file(&segment.path) {
                tracing::warn!(%error, path = %segment.path.display(), "an empty journal stays");
            }
        }
    }
}

impl Segment {
    fn open(path: &Path, left: &mut Vec<Entry>) -> std::io::Result<Self> {
        if path.exists() {
            database::restrict(path)?;
            let bytes = std::fs::read(path)?;
            match read(&bytes, left) {
                Ending::Whole => {}
                Ending::Torn => tracing::warn!("the journal's last record was cut off; dropped"),
                Ending::Corrupt => {
                    let aside = database::beside(path, ASIDE);
                    std::fs::rename(path, &aside)?;
                    tracing::error!(aside = %aside.display(), "the ledger's journal is damaged; what could be read is replayed, the file was put aside");
                }
            }
        }
        if !path.exists() {
            database::create_private(path)?;
        }
        let file = OpenOptions::new().append(true).open(path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, bytes, is_torn: false })
    }

    fn append(&mut self, record: &[u8]) -> std::io::Result<()> {
        if self.is_torn {
            self.file.set_len(self.bytes)?;
        }
        // A disk that fills up in the middle leaves half a record, after which none could be read.
        self.is_torn = true;
        let written = self.file.write_all(record);
        if written.is_ok() {
            self.bytes += u64::try_from(record.len()).unwrap_or(u64::MAX);
            self.is_torn = false;
        } else if self.file.set_len(self.bytes).is_ok() {
            self.is_torn = false;
        }
        written
    }

    fn empty(&mut self) -> std::io::Result<()> {
        if self.bytes > 0 || self.is_torn {
            self.file.set_len(0)?;
            (self.bytes, self.is_torn) = (0, false);
        }
        Ok(())
    }
}

#[cfg(all(test, target_os = "linux"))]
impl Journal {
    /// Writes to a device that is always full from now on.
    pub(crate) fn fill_disk(&mut self) -> std::io::Result<()> {
        self.in_use.file = OpenOptions::new().append(true).open("/dev/full")?;
        Ok(())
    }
}

/// Takes the entries of a file up to its end or to the first that is not whole.
fn read(mut bytes: &[u8], left: &mut Vec<Entry>) -> Ending {
    while !bytes.is_empty() {
        let Some((length, rest)) = number(bytes) else { return Ending::Torn };
        let Some((checksum, rest)) = number(rest) else { return Ending::Torn };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > JOURNAL_RECORD_BYTES_MAX {
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
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    Some((u32::from_le_bytes(*first), rest))
}

fn refused(path: &Path, error: std::io::Error) -> LedgerError {
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => LedgerError::Full,
        _ => database::file_error(path, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(folder: &Path) -> (Journal, Vec<Entry>) {
        Journal::open(&folder.join("l")).expect("a journal")
    }

    fn record(number: u32) -> (Vec<u8>, Entry) {
        let ended = crate::tests::ended(number);
        let record = EntryRef::Settle(&ended).record().expect("short enough");
        (record, Entry::Settle(Box::new(ended)))
    }

    #[test]
    fn a_record_is_read_back_as_it_was_written() {
        let (record, entry) = record(1);
        let mut left = Vec::new();
        assert_eq!((read(&record, &mut left), left), (Ending::Whole, vec![entry]));
        let request = crate::tests::request(2);
        let reserved = EntryRef::Reserve(&request).record().expect("short enough");
        let mut left = Vec::new();
        let entry = Entry::Reserve(request);
        assert_eq!((read(&reserved, &mut left), left), (Ending::Whole, vec![entry]));
    }

    #[test]
    fn a_record_cut_off_anywhere_is_torn_and_one_changed_anywhere_is_not_taken() {
        let ((one, entry), (two, _)) = (record(1), record(2));
        let both = [one.clone(), two].concat();
        for end in one.len() + 1..both.len() {
            let mut left = Vec::new();
            assert_eq!(read(&both[..end], &mut left), Ending::Torn, "{end}");
            assert_eq!(left, std::slice::from_ref(&entry), "{end}");
        }
        for at in 0..one.len() {
            let mut spoiled = both.clone();
            spoiled[at] ^= 0x10;
            let mut left = Vec::new();
            assert_ne!(read(&spoiled, &mut left), Ending::Whole, "{at}");
            assert_eq!(left, [], "{at}");
        }
    }

    #[test]
    fn a_record_at_the_limit_fits_and_a_longer_one_does_not() {
        let mut ended = crate::tests::ended(1);
        // Already so long that its length takes no more bytes when it grows.
        ended.request.model_asked = "m".repeat(JOURNAL_RECORD_BYTES_MAX / 2);
        let bytes = EntryRef::Settle(&ended).record().expect("short enough").len();
        ended.request.model_asked.push_str(&"m".repeat(JOURNAL_RECORD_BYTES_MAX - bytes));
        let record = EntryRef::Settle(&ended).record().expect("at the limit");
        assert_eq!(record.len(), JOURNAL_RECORD_BYTES_MAX);
        assert_eq!(read(&record, &mut Vec::new()), Ending::Whole);
        ended.request.model_asked.push('m');
        assert_eq!(EntryRef::Settle(&ended).record(), None);
    }

    #[test]
    fn what_is_kept_moves_to_the_other_file_and_the_rest_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = opened(folder.path());
        let ((one, _), (two, entry)) = (record(1), record(2));
        journal.append(&one).and_then(|()| journal.append(&two)).expect("room");
        for _exchange in 0..3 {
            journal.keep_only(&two).expect("room");
            assert_eq!(opened(folder.path()).1, std::slice::from_ref(&entry));
        }
        journal.keep_only(&[]).expect("room");
        assert_eq!(opened(folder.path()).1, []);
    }

    #[test]
    fn half_a_record_on_a_disk_that_filled_up_is_cut_off_before_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = opened(folder.path());
        let ((one, entry), (two, other)) = (record(1), record(2));
        journal.append(&one).expect("room");
        journal.in_use.file.write_all(&two[..two.len() / 2]).expect("half of it");
        journal.in_use.is_torn = true;
        journal.append(&two).expect("room again");
        assert_eq!(opened(folder.path()).1, [entry, other]);
    }

    #[test]
    fn the_journal_is_long_at_its_limit_and_refuses_at_the_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut journal, _) = opened(folder.path());
        let (record, _) = record(1);
        journal.in_use.bytes = JOURNAL_BYTES_MAX - 1;
        assert!(!journal.is_long());
        journal.in_use.bytes = JOURNAL_BYTES_MAX;
        assert!(journal.is_long());
        journal.in_use.bytes = JOURNAL_UNCOMMITTED_BYTES_MAX - 1;
        journal.append(&record).expect("room");
        let refused = journal.append(&record);
        assert!(matches!(refused, Err(LedgerError::Busy)), "{refused:?}");
    }
}
