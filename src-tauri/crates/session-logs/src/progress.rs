//! How far a file has been read, and whether it is still the same file.

use crate::discovery::LogFile;

/// Bytes at the beginning of a file that tell it from another one of the same name.
pub(crate) const HEAD_BYTES: usize = 4_096;

/// How far a file has been read. To be stored with the records before it and given back to the next
/// import.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileProgress {
    /// Size and time of change when the reading began.
    pub bytes: u64,
    pub modified_ns: i64,
    /// Where to go on: an offset, or in a database the newest change in milliseconds.
    pub position: u64,
    /// Lines before `position`.
    pub lines: u64,
    /// Hash of the first `head_bytes` bytes.
    pub head: u64,
    pub head_bytes: u64,
    /// What the parser knows at `position`, as JSON.
    pub state: String,
    /// False if the reading was cut off before the end.
    pub is_complete: bool,
}

impl FileProgress {
    /// True if the file has not changed since it was read to its end.
    #[must_use]
    pub fn is_current(&self, file: &LogFile) -> bool {
        self.is_complete && self.bytes == file.bytes && self.modified_ns == file.modified_ns
    }

    /// True if `head` is the beginning of the file that this is about.
    pub(crate) fn is_head(&self, head: &[u8]) -> bool {
        let bytes = usize::try_from(self.head_bytes).unwrap_or(usize::MAX);
        head.get(..bytes).is_some_and(|head| hash_of(head) == self.head)
    }
}

pub(crate) fn hash_of(head: &[u8]) -> u64 {
    let hash = blake3::hash(head);
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(hash.as_bytes()).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(bytes)
}
