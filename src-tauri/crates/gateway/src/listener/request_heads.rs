//! Keeps the raw bytes of each request head until it has been checked.
//!
//! hyper drops a `Content-Length` beside `Transfer-Encoding`, as RFC 9112 section 6.3 allows. The
//! section also says that such a request ought to be an error: two servers that disagree about its
//! end let a second request be smuggled in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use memchr::memmem;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::limits::{HEAD_BYTES_MAX, HEADERS_MAX};

const HEAD_END: &[u8] = b"\r\n\r\n";

/// The request head being read on one connection.
#[derive(Debug, Default)]
pub(crate) struct RequestHeads(Mutex<RequestHead>);

#[derive(Debug, Default)]
struct RequestHead {
    bytes: Vec<u8>,
    /// The end of the head was seen.
    is_whole: bool,
}

impl RequestHeads {
    /// True if the last head has a `Content-Length`, or cannot be parsed. Meant for chunked
    /// requests only.
    pub(crate) fn has_length(&self) -> bool {
        let head = self.0.lock();
        let mut headers = vec![httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(&head.bytes) {
            Ok(httparse::Status::Complete(_)) => {
                let is_length = |header: &httparse::Header<'_>| {
                    header.name.eq_ignore_ascii_case("content-length")
                };
                request.headers.iter().any(is_length)
            }
            _ => true,
        }
    }

    /// Starts the next head after a request was answered.
    pub(crate) fn next(&self) {
        let mut head = self.0.lock();
        head.bytes.clear();
        head.is_whole = false;
    }

    fn note(&self, bytes: &[u8]) {
        let mut head = self.0.lock();
        if head.is_whole {
            return;
        }
        let room = HEAD_BYTES_MAX.saturating_sub(head.bytes.len());
        head.bytes.extend(bytes.iter().take(room));
        if let Some(end) = memmem::find(&head.bytes, HEAD_END) {
            head.bytes.truncate(end + HEAD_END.len());
            head.is_whole = true;
        }
    }
}

/// A stream that records the request heads read from it.
pub(crate) struct HeadWatchingStream<S> {
    stream: S,
    heads: Arc<RequestHeads>,
}

impl<S> HeadWatchingStream<S> {
    pub(crate) const fn new(stream: S, heads: Arc<RequestHeads>) -> Self {
        Self { stream, heads }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HeadWatchingStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        self.heads.note(buf.filled().get(before..).unwrap_or_default());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HeadWatchingStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_seen_in_a_head_of_any_cut_and_nowhere_else() {
        let check = |head: &str, expected: bool| {
            for cut in 0..head.len() {
                let heads = RequestHeads::default();
                heads.note(&head.as_bytes()[..cut]);
                heads.note(&head.as_bytes()[cut..]);
                assert_eq!(heads.has_length(), expected, "{head} cut at {cut}");
            }
        };
        check("POST / HTTP/1.1\r\nCONTENT-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", true);
        check("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length:5\r\n\r\nx", true);
        check(
            "POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\ncontent-length: 5\r\n\r\n",
            false,
        );
        check("POST / HTTP/1.1\ntransfer-encoding: chunked\n\n", false);
        check("no head at all", true);
    }

    #[test]
    fn each_request_has_a_head_of_its_own_and_no_body_is_kept() {
        let heads = RequestHeads::default();
        heads.note(b"POST /1 HTTP/1.1\r\ncontent-length: 5\r\n\r\n");
        heads.note(&[b'x'; HEAD_BYTES_MAX]);
        assert!(heads.0.lock().bytes.len() < 100);
        heads.next();
        heads.note(b"POST /2 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n");
        assert!(!heads.has_length());
        heads.next();
        heads.note(&[b'x'; HEAD_BYTES_MAX + 1]);
        assert_eq!(heads.0.lock().bytes.len(), HEAD_BYTES_MAX);
    }
}
