//! Removes the key from a body as it arrives, even if it spans two chunks.
//!
//! Bytes are held back only while they could begin the key. Held bytes are then a prefix of the
//! key, so only their number is stored. Every other byte passes unchanged and at once.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use hyper::header::HeaderValue;
use memchr::memmem;

use super::{REMOVED, key_of};
use crate::outbound::upstream::UpstreamFailure;

/// A body without the key that was sent for it.
pub(super) struct ScrubbedBody<S> {
    body: S,
    /// The header that held the key.
    sent: HeaderValue,
    /// Bytes at the end of the last chunk that begin the key and were not passed on yet.
    held_bytes: usize,
    end: End,
}

/// The end of the body, while held bytes are still to be passed on.
enum End {
    NotYet,
    Whole,
    Failed(UpstreamFailure),
}

impl<S> ScrubbedBody<S> {
    pub(super) const fn new(body: S, sent: HeaderValue) -> Self {
        Self { body, sent, held_bytes: 0, end: End::NotYet }
    }

    /// The bytes to pass on after `piece` arrived, held ones included.
    fn scrubbed(&mut self, piece: Bytes) -> Bytes {
        let key = key_of(&self.sent).as_bytes();
        let mut rest = match std::mem::take(&mut self.held_bytes) {
            0 => piece,
            held => joined(key.get(..held).unwrap_or_default(), &piece),
        };
        let mut out = BytesMut::new();
        while let Some(at) = memmem::find(&rest, key) {
            out.extend_from_slice(&rest.split_to(at));
            out.extend_from_slice(REMOVED.as_bytes());
            drop(rest.split_to(key.len()));
        }
        self.held_bytes = beginning_at_end(&rest, key);
        rest.truncate(rest.len() - self.held_bytes);
        if out.is_empty() { rest } else { joined(&out, &rest) }
    }

    /// Releases the held bytes at the end, when nothing can complete the key.
    fn released(&mut self) -> Option<Bytes> {
        let held = std::mem::take(&mut self.held_bytes);
        let bytes = key_of(&self.sent).as_bytes().get(..held)?;
        (held > 0).then(|| Bytes::copy_from_slice(bytes))
    }
}

impl<S: Stream<Item = Result<Bytes, UpstreamFailure>> + Unpin> Stream for ScrubbedBody<S> {
    type Item = Result<Bytes, UpstreamFailure>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match std::mem::replace(&mut self.end, End::Whole) {
            End::NotYet => self.end = End::NotYet,
            End::Whole => return Poll::Ready(None),
            End::Failed(failure) => return Poll::Ready(Some(Err(failure))),
        }
        loop {
            match ready!(self.body.poll_next_unpin(cx)) {
                Some(Ok(piece)) => {
                    let was_empty = piece.is_empty();
                    let passed = self.scrubbed(piece);
                    if was_empty || !passed.is_empty() {
                        return Poll::Ready(Some(Ok(passed)));
                    }
                }
                ended => {
                    let Some(held) = self.released() else { return Poll::Ready(ended) };
                    self.end = match ended {
                        Some(Err(failure)) => End::Failed(failure),
                        _ => End::Whole,
                    };
                    return Poll::Ready(Some(Ok(held)));
                }
            }
        }
    }
}

/// Number of bytes at the end of `piece` that begin `key`, without being all of it.
fn beginning_at_end(piece: &[u8], key: &[u8]) -> usize {
    let longest = piece.len().min(key.len().saturating_sub(1));
    let begins = |length: &usize| key.get(..*length).is_some_and(|begin| piece.ends_with(begin));
    (1..=longest).rev().find(begins).unwrap_or(0)
}

fn joined(first: &[u8], second: &[u8]) -> Bytes {
    [first, second].concat().into()
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::stream;

    use super::*;

    const KEY: &str = "kkey-kkey-kkey-1";

    fn scrubbed(pieces: &[&str]) -> Vec<String> {
        let pieces = pieces.iter().map(|piece| Ok(Bytes::from((*piece).to_owned())));
        let passed = passed(stream::iter(pieces.collect::<Vec<_>>()));
        passed.into_iter().map(|piece| piece.expect("a piece")).collect()
    }

    fn passed(
        body: impl Stream<Item = Result<Bytes, UpstreamFailure>> + Unpin,
    ) -> Vec<Result<String, UpstreamFailure>> {
        let body = ScrubbedBody::new(body, HeaderValue::from_static(KEY));
        let text = |piece: Bytes| String::from_utf8(piece.to_vec()).expect("text");
        let all = body.map(|piece| piece.map(text)).collect::<Vec<_>>();
        all.now_or_never().expect("nothing to wait for")
    }

    #[test]
    fn the_key_is_taken_out_wherever_it_is_cut() {
        let text = format!("a{KEY}b{KEY}{KEY}kkey-c");
        for first in 0..text.len() {
            for second in first..text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                let out = scrubbed(&pieces).concat();
                assert_eq!(out, "a[key removed]b[key removed][key removed]kkey-c", "{pieces:?}");
            }
        }
        let bytewise: Vec<_> = (0..text.len()).map(|at| &text[at..=at]).collect();
        assert_eq!(scrubbed(&bytewise).concat(), "a[key removed]b[key removed][key removed]kkey-c");
    }

    #[test]
    fn other_bytes_pass_untouched_and_only_a_possible_beginning_waits() {
        let pieces = ["data: x\n\n", "", "data: k\n\n"];
        assert_eq!(scrubbed(&pieces), pieces);
        assert_eq!(scrubbed(&["ask", "kkey-no"]), ["as", "kkkey-no"]);
        assert_eq!(scrubbed(&["end kkey-"]), ["end ", "kkey-"], "released at the end");
        let piece = Bytes::from_static(b"data: untouched\n\n");
        let mut body = ScrubbedBody::new(stream::empty::<()>(), HeaderValue::from_static(KEY));
        assert_eq!(body.scrubbed(piece.clone()).as_ptr(), piece.as_ptr(), "not copied");
    }

    #[test]
    fn what_is_held_goes_out_before_a_failure() {
        let body = stream::iter([Ok(Bytes::from_static(b"x kkey")), Err(UpstreamFailure::Broken)]);
        let expected = [Ok("x ".to_owned()), Ok("kkey".to_owned()), Err(UpstreamFailure::Broken)];
        assert_eq!(passed(body), expected);
    }
}
