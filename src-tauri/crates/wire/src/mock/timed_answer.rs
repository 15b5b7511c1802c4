//! Selects an answer by the model name and turns it into timed pieces.

use bytes::Bytes;
use domain::Dialect;
use serde_json::Value;

use super::fault::{self, MockFault};
use super::mock_dialect::{AnswerFrame, AnswerFrameKind, MockDialect, mock_dialect};
use super::script::{AnswerScript, AnswerStyle, UsageReporting};
use super::{CHAT_TOKEN_DELAY_MS, MockAnswer, MockChunk, MockEnd, SLOW_TOKEN_DELAY_MS};
use crate::{Delivery, UsageChunk};

/// One request to the mock.
pub(super) struct MockRequest<'a> {
    pub(super) dialect: Dialect,
    pub(super) model: &'a str,
    pub(super) delivery: Delivery,
    pub(super) body: &'a [u8],
    pub(super) created_unix_s: i64,
}

/// A good answer as a list of events, before delays and faults are applied.
pub(super) struct AnswerFrames {
    pub(super) dialect: &'static dyn MockDialect,
    pub(super) delivery: Delivery,
    pub(super) delay_ms: u64,
    /// A complete answer is one event.
    pub(super) frames: Vec<AnswerFrame>,
}

impl MockRequest<'_> {
    pub(super) fn answer(&self) -> MockAnswer {
        let voice = mock_dialect(self.dialect);
        let (manner, delay_ms, usage) = match self.model {
            "echo" => (AnswerStyle::Echo, 0, UsageReporting::Reported),
            "think" => (AnswerStyle::Think, CHAT_TOKEN_DELAY_MS, UsageReporting::Reported),
            "chat" => (AnswerStyle::Chat, CHAT_TOKEN_DELAY_MS, UsageReporting::Reported),
            "text-and-tool" => {
                (AnswerStyle::TextAndTool, CHAT_TOKEN_DELAY_MS, UsageReporting::Reported)
            }
            "slow" => (AnswerStyle::Chat, SLOW_TOKEN_DELAY_MS, UsageReporting::Reported),
            "fault-no-usage" => (AnswerStyle::Chat, 0, UsageReporting::Omitted),
            model => match MockFault::from_model_name(model) {
                Some(fault) => {
                    let good =
                        self.write_frames(voice, AnswerStyle::Chat, 0, UsageReporting::Reported);
                    return good.map_or_else(
                        || fault::unreadable_request_answer(voice),
                        |good| fault.apply(good),
                    );
                }
                None => return fault::unknown_model_answer(voice, model),
            },
        };
        let good = self.write_frames(voice, manner, delay_ms, usage);
        good.map_or_else(
            || fault::unreadable_request_answer(voice),
            |good| good.into_answer(MockEnd::Done),
        )
    }

    /// `None` if a `Value` cannot hold the body (a lone surrogate, `1e999`) or it is no request of
    /// the dialect.
    fn write_frames(
        &self,
        voice: &'static dyn MockDialect,
        manner: AnswerStyle,
        delay_ms: u64,
        usage: UsageReporting,
    ) -> Option<AnswerFrames> {
        let body: Value = serde_json::from_slice(self.body).ok()?;
        let prompt = voice.read_prompt(&body)?;
        let script = AnswerScript::new(self.model, &prompt, manner, usage, self.created_unix_s);
        let (beats, delay_ms) = match self.delivery {
            Delivery::Whole => {
                let delay_ms = delay_ms.saturating_mul(script.token_count());
                (vec![AnswerFrame::token(voice.write_answer(&script))], delay_ms)
            }
            Delivery::Stream(usage) => (voice.write_stream(&script, usage), delay_ms),
            Delivery::StreamArray => (voice.write_stream(&script, UsageChunk::Asked), delay_ms),
        };
        Some(AnswerFrames { dialect: voice, delivery: self.delivery, delay_ms, frames: beats })
    }
}

impl AnswerFrames {
    /// Status 200, then every event after its delay.
    pub(super) fn into_answer(self, end: MockEnd) -> MockAnswer {
        let content_type = match self.delivery {
            Delivery::Whole => "application/json",
            Delivery::Stream(_) | Delivery::StreamArray => self.dialect.stream_content_type(),
        };
        let piece = |beat: AnswerFrame| {
            let delay_ms = if beat.kind == AnswerFrameKind::Token { self.delay_ms } else { 0 };
            MockChunk { delay_ms, bytes: beat.bytes }
        };
        let body = self.frames.into_iter().map(piece).collect();
        MockAnswer { status: 200, content_type, retry_after_s: None, body, end }
    }

    /// Keeps the events up to and including token number `tokens`, counted from one.
    pub(super) fn truncate_after_tokens(mut self, tokens: usize) -> Self {
        let is_token = |(_, beat): &(usize, &AnswerFrame)| beat.kind == AnswerFrameKind::Token;
        let last = self.frames.iter().enumerate().filter(is_token).nth(tokens.saturating_sub(1));
        if let Some((place, _)) = last {
            self.frames.truncate(place + 1);
        }
        self
    }

    /// Removes the second half of the last event.
    pub(super) fn truncate_last_frame(mut self) -> Self {
        if let Some(last) = self.frames.last_mut() {
            last.bytes.truncate(last.bytes.len() / 2);
        }
        self
    }

    /// Appends an event.
    pub(super) fn with_frame(mut self, bytes: Bytes) -> Self {
        self.frames.push(AnswerFrame::frame(bytes));
        self
    }

    /// Removes the terminator.
    pub(super) fn without_terminator(mut self) -> Self {
        self.frames.retain(|beat| beat.kind != AnswerFrameKind::Terminator);
        self
    }

    /// Removes all events.
    pub(super) fn without_frames(mut self) -> Self {
        self.frames.clear();
        self
    }
}
