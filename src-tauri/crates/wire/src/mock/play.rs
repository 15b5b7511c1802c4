//! Selects an answer by the model name and turns it into timed pieces.

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use super::fault::{self, Fault};
use super::script::{Manner, Script, UsageIn};
use super::voice::{Beat, BeatKind, Voice, voice};
use super::{CHAT_TOKEN_DELAY_MS, MockAnswer, MockEnd, MockPiece, SLOW_TOKEN_DELAY_MS};
use crate::{Delivery, UsageChunk};

/// One request to the mock.
pub(super) struct Question<'a> {
    pub(super) dialect: Dialect,
    pub(super) model: &'a str,
    pub(super) delivery: Delivery,
    pub(super) body: &'a [u8],
    pub(super) created_unix_s: i64,
}

/// A good answer as a list of events, before delays and faults are applied.
pub(super) struct Performance {
    pub(super) voice: &'static dyn Voice,
    pub(super) delivery: Delivery,
    pub(super) delay_ms: u64,
    /// A complete answer is one event.
    pub(super) beats: Vec<Beat>,
}

impl Question<'_> {
    pub(super) fn answer(&self) -> MockAnswer {
        let voice = voice(self.dialect);
        let (manner, delay_ms, usage) = match self.model {
            "echo" => (Manner::Echo, 0, UsageIn::Answer),
            "think" => (Manner::Think, CHAT_TOKEN_DELAY_MS, UsageIn::Answer),
            "chat" => (Manner::Chat, CHAT_TOKEN_DELAY_MS, UsageIn::Answer),
            "text-and-tool" => (Manner::TextAndTool, CHAT_TOKEN_DELAY_MS, UsageIn::Answer),
            "slow" => (Manner::Chat, SLOW_TOKEN_DELAY_MS, UsageIn::Answer),
            "fault-no-usage" => (Manner::Chat, 0, UsageIn::Nothing),
            model => match Fault::named(model) {
                Some(fault) => {
                    let good = self.perform(voice, Manner::Chat, 0, UsageIn::Answer);
                    return good.map_or_else(|| fault::unreadable(voice), |good| fault.spoil(good));
                }
                None => return fault::unknown_model(voice, model),
            },
        };
        let good = self.perform(voice, manner, delay_ms, usage);
        good.map_or_else(|| fault::unreadable(voice), |good| good.play(MockEnd::Done))
    }

    /// `None` if a `Value` cannot hold the body (a lone surrogate, `1e999`) or it is no request of
    /// the dialect.
    fn perform(
        &self,
        voice: &'static dyn Voice,
        manner: Manner,
        delay_ms: u64,
        usage: UsageIn,
    ) -> Option<Performance> {
        let body: Value = serde_json::from_slice(self.body).ok()?;
        let prompt = voice.prompt(&body)?;
        let script = Script::new(self.model, &prompt, manner, usage, self.created_unix_s);
        let (beats, delay_ms) = match self.delivery {
            Delivery::Whole => {
                let delay_ms = delay_ms.saturating_mul(script.tokens());
                (vec![Beat::token(voice.whole(&script))], delay_ms)
            }
            Delivery::Stream(usage) => (voice.stream(&script, usage), delay_ms),
            Delivery::StreamArray => (voice.stream(&script, UsageChunk::Asked), delay_ms),
        };
        Some(Performance { voice, delivery: self.delivery, delay_ms, beats })
    }
}

impl Performance {
    /// Status 200, then every event after its delay.
    pub(super) fn play(self, end: MockEnd) -> MockAnswer {
        let content_type = match self.delivery {
            Delivery::Whole => "application/json",
            Delivery::Stream(_) | Delivery::StreamArray => self.voice.stream_type(),
        };
        let piece = |beat: Beat| {
            let delay_ms = if beat.kind == BeatKind::Token { self.delay_ms } else { 0 };
            MockPiece { delay_ms, bytes: beat.bytes }
        };
        let body = self.beats.into_iter().map(piece).collect();
        MockAnswer { status: 200, content_type, retry_after_s: None, body, end }
    }

    /// Keeps the events up to and including token number `tokens`, counted from one.
    pub(super) fn begun(mut self, tokens: usize) -> Self {
        let is_token = |(_, beat): &(usize, &Beat)| beat.kind == BeatKind::Token;
        let last = self.beats.iter().enumerate().filter(is_token).nth(tokens.saturating_sub(1));
        if let Some((place, _)) = last {
            self.beats.truncate(place + 1);
        }
        self
    }

    /// Removes the second half of the last event.
    pub(super) fn torn(mut self) -> Self {
        if let Some(last) = self.beats.last_mut() {
            last.bytes.truncate(last.bytes.len() / 2);
        }
        self
    }

    /// Appends an event.
    pub(super) fn followed_by(mut self, bytes: Bytes) -> Self {
        self.beats.push(Beat::frame(bytes));
        self
    }

    /// Removes the terminator.
    pub(super) fn unterminated(mut self) -> Self {
        self.beats.retain(|beat| beat.kind != BeatKind::Terminator);
        self
    }

    /// Removes all events.
    pub(super) fn silent(mut self) -> Self {
        self.beats.clear();
        self
    }
}
