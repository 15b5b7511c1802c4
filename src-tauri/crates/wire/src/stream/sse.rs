//! Decodes server-sent events byte-exactly and with bounded memory.
//!
//! Follows the WHATWG specification (HTML, section 9.2.6), with one addition: each event keeps its
//! raw bytes, so that a pass-through relays exactly what arrived. The raw bytes of all events, in
//! order, are the stream, however it was split into chunks.

use bytes::{Bytes, BytesMut};

/// Largest single event, in bytes. Image and audio deltas are the largest seen, a few hundred
/// kilobytes; anything above the limit is a fault of the backend (a line without an end).
pub const SSE_EVENT_BYTES_MAX: usize = 1_048_576;

const BOM: &[u8] = b"\xef\xbb\xbf";

/// One block of a stream, including its blank line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SseEvent {
    /// The bytes as received.
    pub raw: Bytes,
    pub name: Option<Bytes>,
    pub payload: SsePayload,
}

/// The payload of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SsePayload {
    /// The `data` lines, joined with line feeds.
    Data(Bytes),
    /// Comment lines only: a heartbeat.
    Comment,
    /// Neither: blank lines, lone `id` and `retry` fields, or text that is not an event stream.
    Nothing,
}

/// One event exceeded [`SSE_EVENT_BYTES_MAX`]. The decoder discards it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream has more than {SSE_EVENT_BYTES_MAX} bytes")]
pub struct SseEventTooLarge;

/// An incremental decoder. It holds one unfinished event and the last chunk.
#[derive(Debug, Default)]
pub struct SseDecoder {
    buffer: BytesMut,
    /// Bytes of `buffer` already scanned, so that small chunks cause no rescans.
    scanned: usize,
    state: ScanState,
    /// True after the first event (a byte order mark is allowed only before it).
    has_begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ScanState {
    #[default]
    LineStart,
    /// In a line that is not empty.
    InLine,
    /// After the carriage return that ends a line that is not empty; a line feed would belong to
    /// it.
    AfterReturn,
    /// After the carriage return of a blank line; waits for its line feed, so that a relay does not
    /// deliver it one event late.
    AfterBlankReturn,
    /// After an event that ended with two bare carriage returns; a line feed would belong to it.
    AfterEvent,
}

impl SseDecoder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the next bytes of the stream. Drain the events before pushing more.
    pub fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// The next complete event, or `None` until more bytes are pushed.
    pub fn next_event(&mut self) -> Result<Option<SseEvent>, SseEventTooLarge> {
        let end = self.find_end();
        if end.unwrap_or(self.buffer.len()) > SSE_EVENT_BYTES_MAX {
            *self = Self::new();
            return Err(SseEventTooLarge);
        }
        Ok(end.map(|end| self.take_event(end)))
    }

    /// The unfinished event at the end of the stream, parsed as if a blank line followed. The
    /// specification discards it; some servers end with `data: [DONE]` and a single line feed.
    #[must_use]
    pub fn finish(mut self) -> Option<SseEvent> {
        (!self.buffer.is_empty()).then(|| self.take_event(self.buffer.len()))
    }

    /// Position after the blank line that ends the event. Depends on the bytes only, not on how
    /// they were split.
    fn find_end(&mut self) -> Option<usize> {
        while let Some(&byte) = self.buffer.get(self.scanned) {
            let (place, end) = match (self.state, byte) {
                (ScanState::LineStart, b'\n') => (ScanState::LineStart, Some(self.scanned + 1)),
                (ScanState::LineStart | ScanState::AfterEvent, b'\r') => {
                    (ScanState::AfterBlankReturn, None)
                }
                (ScanState::InLine | ScanState::AfterReturn | ScanState::AfterEvent, b'\n') => {
                    (ScanState::LineStart, None)
                }
                (ScanState::InLine, b'\r') => (ScanState::AfterReturn, None),
                (ScanState::AfterReturn, b'\r') => (ScanState::AfterEvent, Some(self.scanned + 1)),
                (ScanState::AfterBlankReturn, b'\n') => {
                    (ScanState::LineStart, Some(self.scanned + 1))
                }
                (ScanState::AfterBlankReturn, _) => (ScanState::LineStart, Some(self.scanned)),
                _ => (ScanState::InLine, None),
            };
            self.state = place;
            if end.is_some() {
                return end;
            }
            self.scanned += 1;
        }
        None
    }

    fn take_event(&mut self, end: usize) -> SseEvent {
        let raw = self.buffer.split_to(end).freeze();
        self.scanned = 0;
        let mark = if self.has_begun || !raw.starts_with(BOM) { 0 } else { BOM.len() };
        self.has_begun = true;
        parse_event(raw, mark)
    }
}

/// Parses the fields of one block, whose text begins at `start`.
fn parse_event(raw: Bytes, start: usize) -> SseEvent {
    let (mut name, mut data, mut has_comment) = (None, Vec::new(), false);
    let text = raw.slice(start..);
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty()) {
        let colon = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let (field, rest) = line.split_at(colon);
        let value = rest.strip_prefix(b":").unwrap_or(rest);
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"" => has_comment = true,
            b"data" => data.push(raw.slice_ref(value)),
            b"event" => name = Some(raw.slice_ref(value)),
            _ => {}
        }
    }
    let payload = match data.as_slice() {
        [] if has_comment => SsePayload::Comment,
        [] => SsePayload::Nothing,
        [one] => SsePayload::Data(one.clone()),
        [first, rest @ ..] => {
            let mut joined = BytesMut::from(first.as_ref());
            for line in rest {
                joined.extend_from_slice(b"\n");
                joined.extend_from_slice(line);
            }
            SsePayload::Data(joined.freeze())
        }
    };
    SseEvent { raw, name, payload }
}

#[cfg(test)]
mod tests;
