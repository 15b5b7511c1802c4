//! Anthropic Messages, both API versions.

use bytes::{Bytes, BytesMut};

use crate::dialect::{Closing, Echo, Written};
use crate::neutral::{Answer, Event, Piece, Request};
use crate::{
    BadAnswer, Delivery, ErrorAnswer, RequestError, SseEvent, StreamFault, Target, UpstreamError,
};

/// Reads the whole request of a client.
pub(crate) fn read_request(
    _text: &str,
    _model: &str,
    _delivery: Delivery,
) -> Result<Request, RequestError> {
    Err(RequestError::NotAnObject)
}

/// Writes a request for a backend.
pub(crate) fn write_request(_request: &Request, _target: &Target) -> Result<Written, RequestError> {
    Err(RequestError::NotAnObject)
}

/// What a whole answer says.
pub(crate) fn read_answer(_text: &str) -> Result<Vec<Piece>, BadAnswer> {
    Err(BadAnswer::NotJson)
}

/// A whole answer for a client.
pub(crate) fn write_answer(_answer: &Answer, _echo: &Echo) -> Bytes {
    Bytes::new()
}

/// Reads a backend's stream.
#[derive(Debug, Default)]
pub(crate) struct StreamReader {}

impl crate::dialect::StreamReader for StreamReader {
    fn read(&mut self, _event: &SseEvent) -> Result<Vec<Piece>, StreamFault> {
        Ok(Vec::new())
    }
}

/// Writes a client's stream.
#[derive(Debug)]
pub(crate) struct StreamWriter {}

impl StreamWriter {
    pub(crate) fn new(_echo: Echo) -> Self {
        Self {}
    }
}

impl crate::dialect::StreamWriter for StreamWriter {
    fn write(&mut self, _event: &Event, _out: &mut BytesMut) {}

    fn error_event(&self, _error: &ErrorAnswer<'_>) -> (Bytes, Closing) {
        (Bytes::new(), Closing::Abort)
    }
}

/// What a backend says about its failure.
pub(crate) fn upstream_error(status: u16, body: &[u8]) -> UpstreamError {
    crate::openai_chat::upstream_error(status, body)
}

/// The body of an error for a client.
pub(crate) fn error_body(error: &ErrorAnswer<'_>) -> Bytes {
    crate::openai_chat::error_body(error)
}

/// The status with which a client is told of an error.
pub(crate) fn error_status(error: &ErrorAnswer<'_>) -> u16 {
    error.status
}

/// The event that tells a client in mid-stream that its answer is not whole.
pub(crate) fn error_event(error: &ErrorAnswer<'_>) -> Bytes {
    crate::openai_chat::error_event(error)
}
