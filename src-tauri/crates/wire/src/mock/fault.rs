//! The mock's faults, selected by the model name.

use bytes::Bytes;

use super::play::Performance;
use super::voice::Voice;
use super::{MODELS, MockAnswer, MockEnd, MockPiece, TOKENS_BEFORE_FAULT};
use crate::{Delivery, ErrorAnswer, ErrorKind};

/// `retry-after` of `fault-429`, in seconds.
const RETRY_AFTER_S: u32 = 1;

const PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Wi-Fi login</body></html>";

pub(super) enum Fault {
    Status(ErrorAnswer<'static>),
    Cut,
    Stall,
    Html,
    Empty,
    TruncatedJson,
    ErrorEvent,
    NoDone,
}

const fn status(
    status: u16,
    kind: ErrorKind,
    code: Option<&'static str>,
    message: &'static str,
) -> Fault {
    Fault::Status(ErrorAnswer { status, kind, code, message, param: None })
}

const IN_BAND: ErrorAnswer<'static> = ErrorAnswer {
    status: 500,
    kind: ErrorKind::Api,
    code: Some("mock_fault"),
    message: "the mock failed in the middle of its response, as requested",
    param: None,
};

impl Fault {
    /// The fault that a `fault-…` model name selects; `None` for other names.
    pub(super) fn named(model: &str) -> Option<Self> {
        let code = Some("mock_fault");
        Some(match model.strip_prefix("fault-")? {
            "400" => status(400, ErrorKind::InvalidRequest, code, "the mock refuses this request"),
            "401" => status(
                401,
                ErrorKind::Authentication,
                Some("invalid_api_key"),
                "the mock rejects this key",
            ),
            "402" => status(402, ErrorKind::Billing, code, "the mock's account has no credit"),
            "403" => status(
                403,
                ErrorKind::Permission,
                code,
                "the mock's key has no permission \
             for this",
            ),
            "404" => status(
                404,
                ErrorKind::NotFound,
                Some("model_not_found"),
                "the mock has no such model",
            ),
            "429" => status(
                429,
                ErrorKind::RateLimit,
                Some("rate_limit_exceeded"),
                "the mock received too many requests",
            ),
            "500" => status(500, ErrorKind::Api, code, "the mock has an internal error"),
            "503" => status(503, ErrorKind::Overloaded, code, "the mock is unavailable"),
            "529" => status(529, ErrorKind::Overloaded, code, "the mock is overloaded"),
            "cut" => Self::Cut,
            "stall" => Self::Stall,
            "html" => Self::Html,
            "empty" => Self::Empty,
            "truncated-json" => Self::TruncatedJson,
            "error-event" => Self::ErrorEvent,
            "no-done" => Self::NoDone,
            _ => return None,
        })
    }

    /// Applies the fault to a good answer.
    pub(super) fn spoil(self, good: Performance) -> MockAnswer {
        let done = MockEnd::Done;
        match (self, good.delivery) {
            (Self::Status(error), _) => refusal(good.voice, &error),
            (Self::Html, _) => replaced("text/html; charset=utf-8", Bytes::from_static(PAGE)),
            (Self::Empty, _) => good.silent().play(done),
            (Self::Cut, Delivery::Whole) => good.torn().play(MockEnd::Cut),
            (Self::Cut, _) => good.begun(TOKENS_BEFORE_FAULT).play(MockEnd::Cut),
            (Self::Stall, Delivery::Whole) => good.silent().play(MockEnd::Stall),
            (Self::Stall, _) => good.begun(TOKENS_BEFORE_FAULT).play(MockEnd::Stall),
            (Self::TruncatedJson, Delivery::Whole) => good.torn().play(done),
            (Self::TruncatedJson, _) => good.begun(TOKENS_BEFORE_FAULT + 1).torn().play(done),
            (Self::ErrorEvent, Delivery::Whole) => {
                replaced("application/json", good.voice.error(&IN_BAND))
            }
            (Self::ErrorEvent, _) => {
                let begun = good.begun(TOKENS_BEFORE_FAULT);
                let event = begun.voice.error_event(&IN_BAND, begun.beats.len());
                begun.followed_by(event).play(done)
            }
            (Self::NoDone, _) => good.unterminated().play(done),
        }
    }
}

/// Answer to an unknown model name.
pub(super) fn unknown_model(voice: &dyn Voice, model: &str) -> MockAnswer {
    let shown = crate::error::clean(model, crate::ERROR_FIELD_CHARS_MAX);
    let message =
        format!("The model '{shown}' does not exist. The mock has: {}.", MODELS.join(", "));
    let error = ErrorAnswer {
        status: 404,
        kind: ErrorKind::NotFound,
        code: Some("model_not_found"),
        message: &message,
        param: Some("model"),
    };
    refusal(voice, &error)
}

/// Answer to a body that cannot be parsed into a request of the dialect.
pub(super) fn unreadable(voice: &dyn Voice) -> MockAnswer {
    let error = ErrorAnswer {
        status: 400,
        kind: ErrorKind::InvalidRequest,
        code: None,
        message: "The mock cannot read this request: it has half a surrogate pair, a number out of range, or no conversation.",
        param: None,
    };
    refusal(voice, &error)
}

fn refusal(voice: &dyn Voice, error: &ErrorAnswer<'_>) -> MockAnswer {
    MockAnswer {
        status: error.status,
        content_type: "application/json",
        retry_after_s: (error.status == 429).then_some(RETRY_AFTER_S),
        body: vec![MockPiece { delay_ms: 0, bytes: voice.error(error) }],
        end: MockEnd::Done,
    }
}

/// Status 200 with another body.
pub(super) fn replaced(content_type: &'static str, bytes: Bytes) -> MockAnswer {
    let body = vec![MockPiece { delay_ms: 0, bytes }];
    MockAnswer { status: 200, content_type, retry_after_s: None, body, end: MockEnd::Done }
}
