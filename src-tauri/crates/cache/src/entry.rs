//! A stored answer: its body in the original chunks, and its metadata.

use std::time::Duration;

use bytes::Bytes;
use domain::{BackendId, ClientId, NanoUsd, TokenUsage, WallTime};
use serde::{Deserialize, Serialize};

/// Most chunks of one answer. The longest real answers have some 30,000 events.
pub(crate) const CHUNKS_MAX: usize = 65_536;

/// Memory of an entry beyond its bytes, as measured.
const OVERHEAD_BYTES: usize = 768;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheEntry {
    /// The body as the client received it.
    pub answer: CachedBody,
    /// Value of the content type header.
    pub content_type: String,
    /// Request fields dropped for the backend, as listed in the response header.
    pub dropped: Option<String>,
    pub backend: BackendId,
    /// The model name sent to the backend.
    pub model: String,
    /// The model that the backend reports.
    pub model_billed: Option<String>,
    pub usage: Option<TokenUsage>,
    /// Known cost, saved by each hit.
    pub cost: Option<NanoUsd>,
    /// The reason why the model stopped, as named by the backend.
    pub finish_reason: Option<String>,
    /// Time of the request.
    pub created: WallTime,
    /// Duration of the backend's answer, saved by each hit.
    pub took: Duration,
}

impl CacheEntry {
    /// Bytes in memory.
    #[must_use]
    pub fn weight(&self) -> usize {
        let texts = [&self.dropped, &self.model_billed, &self.finish_reason];
        let texts: usize = texts.iter().filter_map(|text| text.as_ref()).map(String::len).sum();
        let chunks = self.answer.ends.len().saturating_mul(size_of::<u32>());
        let named = self.content_type.len() + self.model.len() + self.backend.as_str().len();
        self.answer.bytes.len() + chunks + texts + named + OVERHEAD_BYTES
    }
}

/// Tags that a purge can select.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryTags {
    pub backend: BackendId,
    /// The model name that the client sent.
    pub model_asked: String,
    /// The model name sent to the backend.
    pub model: String,
    pub client: ClientId,
    pub route: String,
}

/// A body with its original chunk boundaries, in one buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedBody {
    bytes: Bytes,
    /// End offset of each chunk; the last is the length of the body.
    ends: Box<[u32]>,
}

impl CachedBody {
    /// A body in one chunk; `None` if it is 4 GiB or longer.
    #[must_use]
    pub fn single_chunk(body: &[u8]) -> Option<Self> {
        let end = u32::try_from(body.len()).ok()?;
        Some(Self { bytes: Bytes::copy_from_slice(body), ends: Box::new([end]) })
    }

    /// The chunks, in order. They share one buffer.
    pub fn chunks(&self) -> impl ExactSizeIterator<Item = Bytes> + '_ {
        (0..self.ends.len()).map(|place| self.chunk(place).unwrap_or_default())
    }

    /// The chunk at index `place`; `None` past the last.
    #[must_use]
    pub fn chunk(&self, place: usize) -> Option<Bytes> {
        let start = match place.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        let range = usize::try_from(start).ok()?..usize::try_from(*self.ends.get(place)?).ok()?;
        // `new` and `Recording` ensure that the ends are sorted.
        (range.start <= range.end && range.end <= self.bytes.len()).then(|| self.bytes.slice(range))
    }

    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// A stored body; `None` if the ends do not match it.
    pub(crate) fn new(bytes: Bytes, ends: Box<[u32]>) -> Option<Self> {
        let is_ordered = ends.is_sorted() && ends.len() <= CHUNKS_MAX;
        let last = ends.last().map_or(0, |end| usize::try_from(*end).unwrap_or(usize::MAX));
        (is_ordered && last == bytes.len()).then_some(Self { bytes, ends })
    }
}

/// Records a streamed answer. Past its size limit it drops the content.
#[derive(Debug)]
pub struct BodyRecorder {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    bytes_max: usize,
    is_too_large: bool,
}

impl BodyRecorder {
    /// Accepts at most `bytes_max` bytes and `CHUNKS_MAX` chunks.
    #[must_use]
    pub const fn new(bytes_max: usize) -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), bytes_max, is_too_large: false }
    }

    /// Appends a chunk. Empty chunks are ignored.
    pub fn push(&mut self, chunk: &[u8]) {
        if chunk.is_empty() || self.is_too_large {
            return;
        }
        let length = self.bytes.len().saturating_add(chunk.len());
        match u32::try_from(length) {
            Ok(end) if length <= self.bytes_max && self.ends.len() < CHUNKS_MAX => {
                self.bytes.extend_from_slice(chunk);
                self.ends.push(end);
            }
            _ => *self = Self { is_too_large: true, ..Self::new(self.bytes_max) },
        }
    }

    /// The recorded answer; `None` if it was too large or empty.
    #[must_use]
    pub fn finish(self) -> Option<CachedBody> {
        if self.ends.is_empty() {
            return None;
        }
        Some(CachedBody { bytes: Bytes::from(self.bytes), ends: self.ends.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_gives_back_the_same_pieces() {
        let mut recording = BodyRecorder::new(10);
        for chunk in ["one", "", "two", "four"] {
            recording.push(chunk.as_bytes());
        }
        let answer = recording.finish().expect("ten bytes fit");
        let chunks: Vec<_> = answer.chunks().collect();
        assert_eq!(chunks, ["one", "two", "four"]);
        assert_eq!(answer.bytes(), "onetwofour");
        assert_eq!(answer.chunk(3), None);
    }

    #[test]
    fn past_its_limits_a_recording_keeps_nothing() {
        let mut recording = BodyRecorder::new(10);
        recording.push(b"0123456789");
        recording.push(b"x");
        recording.push(b"y");
        assert_eq!(recording.bytes.capacity(), 0);
        assert_eq!(recording.finish(), None);
        let mut many = BodyRecorder::new(usize::MAX);
        (0..CHUNKS_MAX).for_each(|_| many.push(b"x"));
        assert!(many.bytes.len() == CHUNKS_MAX);
        many.push(b"x");
        assert_eq!(many.finish(), None);
        assert_eq!(BodyRecorder::new(10).finish(), None);
    }

    #[test]
    fn ends_that_do_not_fit_are_no_answer() {
        let read = |ends: &[u32]| CachedBody::new(Bytes::from_static(b"abc"), ends.into());
        assert!(read(&[1, 3]).is_some());
        for bad in [&[3, 1][..], &[1], &[4], &[]] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
