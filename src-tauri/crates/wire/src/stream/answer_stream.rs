//! Returns a backend's stream to the client, passed through or translated.
//!
//! The gateway must never end a broken stream as if it were complete: most clients take a clean end
//! for success. So only this module decides how a stream ended. It also withholds what must not be
//! relayed: usage that nobody asked for, in-band errors in a backend's words, anything after the
//! end, and the beginning of an answer until its first content, so that another backend can still
//! replace one that fails before it.

use bytes::{Bytes, BytesMut};
use domain::Dialect;

use crate::dialect::error_event;
use crate::dialect::openai_chat::ChatTap;
use crate::dialect::translation::AnswerTranslation;
use crate::stream::passthrough_tap::PassthroughTap;
use crate::stream::translating_tap::TranslatingTap;
use crate::{AnswerFacts, Delivery, ErrorAnswer, StreamEnd, TapOutput, UsageChunk};

/// Maximum number of bytes withheld before an answer's first content.
pub(crate) const HELD_BYTES_MAX: usize = 65_536;

/// One backend's stream to one client.
pub struct AnswerStream {
    client: Dialect,
    tap: Tap,
    held: BytesMut,
    is_released: bool,
}

enum Tap {
    Chat(Box<ChatTap>),
    Pass(Box<PassthroughTap>),
    Cross(Box<TranslatingTap>),
}

impl AnswerStream {
    pub(crate) fn new(
        client: Dialect,
        backend: Dialect,
        delivery: Delivery,
        crossing: Option<&AnswerTranslation>,
    ) -> Self {
        let tap = match crossing {
            Some(crossing) => Tap::Cross(Box::new(TranslatingTap::new(client, backend, crossing))),
            None if backend == Dialect::OpenAiChat => {
                let usage = match delivery {
                    Delivery::Stream(usage) => usage,
                    _ => UsageChunk::Asked,
                };
                Tap::Chat(Box::new(ChatTap::new(usage)))
            }
            None => Tap::Pass(Box::new(PassthroughTap::new(backend, delivery))),
        };
        Self { client, tap, held: BytesMut::new(), is_released: false }
    }

    /// Feeds bytes from the backend and returns the bytes for the client.
    pub fn feed(&mut self, chunk: &[u8]) -> TapOutput {
        let tapped = match &mut self.tap {
            Tap::Chat(tap) => tap.feed(chunk),
            Tap::Pass(tap) => tap.feed(chunk),
            Tap::Cross(tap) => tap.feed(chunk),
        };
        if self.is_released {
            return tapped;
        }
        self.held.extend_from_slice(&tapped.relay);
        let relay = if self.content_seen() || self.held.len() > HELD_BYTES_MAX {
            self.take_held()
        } else {
            Bytes::new()
        };
        TapOutput { relay, flow: tapped.flow }
    }

    /// Returns the withheld beginning and stops withholding. For a backend that has begun and then
    /// stays silent for so long that the client must receive something.
    pub fn release_held(&mut self) -> Bytes {
        let held = self.take_held();
        match &mut self.tap {
            Tap::Cross(tap) if held.is_empty() => tap.begin(),
            _ => held,
        }
    }

    fn take_held(&mut self) -> Bytes {
        self.is_released = true;
        self.held.split().freeze()
    }

    #[must_use]
    pub fn facts(&self) -> &AnswerFacts {
        match &self.tap {
            Tap::Chat(tap) => tap.facts(),
            Tap::Pass(tap) => tap.facts(),
            Tap::Cross(tap) => tap.facts(),
        }
    }

    /// True once text, thinking or a call has arrived. Before that, another backend may still be
    /// tried if nothing was relayed.
    #[must_use]
    pub fn content_seen(&self) -> bool {
        match &self.tap {
            Tap::Chat(tap) => tap.content_seen(),
            Tap::Pass(tap) => tap.content_seen(),
            Tap::Cross(tap) => tap.content_seen(),
        }
    }

    /// Number of pieces dropped because they arrived after their choice finished; worth a warning.
    #[must_use]
    pub fn late_chunks(&self) -> u32 {
        match &self.tap {
            Tap::Chat(tap) => tap.late_chunks(),
            Tap::Pass(_) => 0,
            Tap::Cross(tap) => tap.late_chunks(),
        }
    }

    /// How the stream ended, once the backend's bytes have ended or [`crate::Flow::Stop`] was returned.
    /// Also valid after a broken connection: what had arrived by then counts. Withheld bytes come
    /// first in [`StreamEnd::Complete`].
    pub fn finish(&mut self) -> StreamEnd {
        let end = match &mut self.tap {
            Tap::Chat(tap) => tap.finish(),
            Tap::Pass(tap) => tap.finish(),
            Tap::Cross(tap) => tap.finish(),
        };
        match end {
            StreamEnd::Complete { append } if !self.held.is_empty() => {
                self.held.extend_from_slice(&append);
                StreamEnd::Complete { append: self.take_held() }
            }
            other => other,
        }
    }

    /// The event that reports an incomplete answer to the client in mid-stream; end the stream
    /// cleanly after it. Use it only if something was relayed before.
    #[must_use]
    pub fn error_event(&self, error: &ErrorAnswer<'_>) -> Bytes {
        match &self.tap {
            Tap::Chat(_) => error_event(self.client, error, 0, None),
            Tap::Pass(tap) => tap.error_event(error),
            Tap::Cross(tap) => tap.error_event(error),
        }
    }
}
