//! Decodes a stream of JSON lines (`application/x-ndjson`), with the same limit as server-sent
//! events.

use bytes::{Bytes, BytesMut};

use crate::{SSE_EVENT_BYTES_MAX, SseEvent, SseEventTooLarge, SsePayload};

/// Splits a stream of JSON lines into events. Memory: one unfinished line and the last chunk.
#[derive(Debug, Default)]
pub(crate) struct JsonLineDecoder {
    buffer: BytesMut,
    /// Bytes of `buffer` already searched.
    scanned: usize,
}

impl JsonLineDecoder {
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        self.buffer.extend_from_slice(chunk);
    }

    /// Returns the next complete line. Errors if it is longer than [`SSE_EVENT_BYTES_MAX`].
    pub(crate) fn next_event(&mut self) -> Result<Option<SseEvent>, SseEventTooLarge> {
        let rest = self.buffer.get(self.scanned..).unwrap_or_default();
        let end = rest.iter().position(|byte| *byte == b'\n').map(|at| self.scanned + at + 1);
        if end.unwrap_or(self.buffer.len()) > SSE_EVENT_BYTES_MAX {
            *self = Self::default();
            return Err(SseEventTooLarge);
        }
        let Some(end) = end else {
            self.scanned = self.buffer.len();
            return Ok(None);
        };
        self.scanned = 0;
        Ok(Some(line_event(self.buffer.split_to(end).freeze())))
    }

    /// Returns the unfinished line at the end.
    pub(crate) fn finish(self) -> Option<SseEvent> {
        (!self.buffer.is_empty()).then(|| line_event(self.buffer.freeze()))
    }
}

fn line_event(raw: Bytes) -> SseEvent {
    let line = raw.trim_ascii();
    let payload = match line {
        [] => SsePayload::Nothing,
        line => SsePayload::Data(raw.slice_ref(line)),
    };
    SseEvent { name: None, payload, raw }
}
