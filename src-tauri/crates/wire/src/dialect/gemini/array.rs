//! Frames a stream as one JSON array, which Gemini sends to clients that did not ask for `alt=sse`.

use bytes::{Bytes, BytesMut};

#[derive(Debug, Default)]
pub(crate) struct JsonArrayFramer {
    has_begun: bool,
}

impl JsonArrayFramer {
    /// Appends one item: the `data` of an event.
    pub(crate) fn push_item(&mut self, data: &[u8], out: &mut BytesMut) {
        out.extend_from_slice(if self.has_begun { b",\r\n" } else { b"[" });
        self.has_begun = true;
        out.extend_from_slice(data);
    }

    /// Returns the bytes that close the array.
    pub(crate) fn close(&self) -> Bytes {
        Bytes::from_static(if self.has_begun { b"]" } else { b"[]" })
    }

    /// Returns an error's body as the last item, and the end of the array.
    pub(crate) fn close_with_error(&self, body: &[u8]) -> Bytes {
        let before: &[u8] = if self.has_begun { b",\r\n" } else { b"[" };
        Bytes::from([before, body, b"]"].concat())
    }
}
