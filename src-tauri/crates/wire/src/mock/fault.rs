//! The mock's faults, selected by the model name.

use bytes::Bytes;
use domain::Dialect;

use super::frames::AnswerFrames;
use super::{MODELS, MockAnswer, MockChunk, MockEnd, TOKENS_BEFORE_FAULT};
use crate::dialect::error_body;
use crate::{ErrorAnswer, ErrorKind, RequestError};

/// `retry-after` of `fault-429`, in seconds.
const RETRY_AFTER_S: u32 = 1;

const HTML_PAGE: &[u8] =
    b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Wi-Fi login</body></html>";

pub(super) enum MockFault {
    Status(ErrorAnswer<'static>),
    Cut,
    Stall,
    Html,
    Empty,
    TruncatedJson,
    ErrorEvent,
    NoDone,
    NoUsage,
}

const fn status_fault(
    status: u16,
    kind: ErrorKind,
    code: Option<&'static str>,
    message: &'static str,
) -> MockFault {
    MockFault::Status(ErrorAnswer { status, kind, code, message, param: None })
}

const IN_BAND_ERROR: ErrorAnswer<'static> = ErrorAnswer {
    status: 500,
    kind: ErrorKind::Api,
    code: Some("mock_fault"),
    message: "the mock failed in the middle of its response, as requested",
    param: None,
};

impl MockFault {
    /// The fault that a `fault-…` model name selects; `None` for other names.
    pub(super) fn from_model_name(model: &str) -> Option<Self> {
        let code = Some("mock_fault");
        Some(match model.strip_prefix("fault-")? {
            "400" => {
                status_fault(400, ErrorKind::InvalidRequest, code, "the mock refuses this request")
            }
            "401" => status_fault(
                401,
                ErrorKind::Authentication,
                Some("invalid_api_key"),
                "the mock rejects this key",
            ),
            "402" => {
                status_fault(402, ErrorKind::Billing, code, "the mock's account has no credit")
            }
            "403" => status_fault(
                403,
                ErrorKind::Permission,
                code,
                "the mock's key has no permission \
             for this",
            ),
            "404" => status_fault(
                404,
                ErrorKind::NotFound,
                Some("model_not_found"),
                "the mock has no such model",
            ),
            "429" => status_fault(
                429,
                ErrorKind::RateLimit,
                Some("rate_limit_exceeded"),
                "the mock received too many requests",
            ),
            "500" => status_fault(500, ErrorKind::Api, code, "the mock has an internal error"),
            "503" => status_fault(503, ErrorKind::Overloaded, code, "the mock is unavailable"),
            "529" => status_fault(529, ErrorKind::Overloaded, code, "the mock is overloaded"),
            "cut" => Self::Cut,
            "stall" => Self::Stall,
            "html" => Self::Html,
            "empty" => Self::Empty,
            "truncated-json" => Self::TruncatedJson,
            "error-event" => Self::ErrorEvent,
            "no-done" => Self::NoDone,
            "no-usage" => Self::NoUsage,
            _ => return None,
        })
    }

    /// Content tokens that a stream sends before this fault.
    pub(super) const fn tokens_max(&self) -> usize {
        match self {
            Self::Cut | Self::Stall | Self::ErrorEvent => TOKENS_BEFORE_FAULT,
            Self::TruncatedJson => TOKENS_BEFORE_FAULT + 1,
            _ => usize::MAX,
        }
    }

    /// Applies the fault to a good answer, whose stream has at most [`Self::tokens_max`] tokens.
    pub(super) fn apply(self, good: AnswerFrames) -> MockAnswer {
        let done = MockEnd::Done;
        match (self, good.is_streamed()) {
            (Self::Status(error), _) => error_answer(good.dialect, &error),
            (Self::Html, _) => ok_answer("text/html; charset=utf-8", Bytes::from_static(HTML_PAGE)),
            (Self::Empty, _) => good.without_frames().into_answer(done),
            (Self::Cut, true) => good.into_answer(MockEnd::Cut),
            (Self::Cut, false) => good.truncate_last_frame().into_answer(MockEnd::Cut),
            (Self::Stall, true) => good.into_answer(MockEnd::Stall),
            (Self::Stall, false) => good.without_frames().into_answer(MockEnd::Stall),
            (Self::TruncatedJson, _) => good.truncate_last_frame().into_answer(done),
            (Self::ErrorEvent, true) => good.with_error_event(&IN_BAND_ERROR).into_answer(done),
            (Self::ErrorEvent, false) => {
                ok_answer("application/json", error_body(good.dialect, &IN_BAND_ERROR))
            }
            (Self::NoDone, _) => good.without_terminator().into_answer(done),
            (Self::NoUsage, _) => good.without_usage().into_answer(done),
        }
    }
}

pub(super) fn unknown_model_answer(dialect: Dialect, model: &str) -> MockAnswer {
    let shown = crate::error::sanitize(model, crate::error::ERROR_FIELD_CHARS_MAX);
    let message =
        format!("The model '{shown}' does not exist. The mock has: {}.", MODELS.join(", "));
    let error = ErrorAnswer {
        status: 404,
        kind: ErrorKind::NotFound,
        code: Some("model_not_found"),
        message: &message,
        param: Some("model"),
    };
    error_answer(dialect, &error)
}

/// Answer to a body that is no request of the dialect.
pub(super) fn unreadable_request_answer(dialect: Dialect, reason: &RequestError) -> MockAnswer {
    let message = format!("The mock cannot read this request: {reason}");
    let error = ErrorAnswer {
        status: 400,
        kind: ErrorKind::InvalidRequest,
        code: Some(reason.code()),
        message: &message,
        param: reason.param(),
    };
    error_answer(dialect, &error)
}

fn error_answer(dialect: Dialect, error: &ErrorAnswer<'_>) -> MockAnswer {
    MockAnswer {
        status: error.status,
        content_type: "application/json",
        retry_after_s: (error.status == 429).then_some(RETRY_AFTER_S),
        body: vec![MockChunk { delay_ms: 0, bytes: error_body(dialect, error) }],
        end: MockEnd::Done,
    }
}

/// Status 200 with another body.
pub(super) fn ok_answer(content_type: &'static str, bytes: Bytes) -> MockAnswer {
    let body = vec![MockChunk { delay_ms: 0, bytes }];
    MockAnswer { status: 200, content_type, retry_after_s: None, body, end: MockEnd::Done }
}
