//! A stream as one JSON array: what Gemini sends to clients that did not ask for `alt=sse`.

use bytes::{Bytes, BytesMut};

/// Frames the items of a stream as one JSON array.
#[derive(Debug, Default)]
pub(crate) struct ArrayFrame {
    has_begun: bool,
}

impl ArrayFrame {
    /// Appends one item: the `data` of an event.
    pub(crate) fn item(&mut self, data: &[u8], out: &mut BytesMut) {
        out.extend_from_slice(if self.has_begun { b",\r\n" } else { b"[" });
        self.has_begun = true;
        out.extend_from_slice(data);
    }

    /// The end of the array.
    pub(crate) fn end(&self) -> Bytes {
        Bytes::from_static(if self.has_begun { b"]" } else { b"[]" })
    }

    /// An error as the last item, and the end. `event` is the error's event.
    pub(crate) fn error(&self, event: &[u8]) -> Bytes {
        let data = event.strip_prefix(b"data: ").unwrap_or(event).trim_ascii();
        let before: &[u8] = if self.has_begun { b",\r\n" } else { b"[" };
        Bytes::from([before, data, b"]"].concat())
    }
}
