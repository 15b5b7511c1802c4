//! Reads a response body within limits of size and silence.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use endpoints::EndpointRegistry;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::outbound::unpaused_timeout::within;
use crate::outbound::upstream::UpstreamFailure;

#[derive(Clone, Copy)]
pub(crate) struct ReadLimits {
    pub(crate) bytes_max: usize,
    /// Longest silence between two chunks.
    pub(crate) stall: Duration,
}

/// Why a body was not read to its end.
pub(crate) enum ReadError {
    TooLarge,
    /// The body was cut off; holds what had arrived.
    Failed(UpstreamFailure, Bytes),
}

/// Reads the whole body. A body that arrives in one chunk is not copied.
pub(crate) async fn to_end(
    registry: &EndpointRegistry,
    mut body: BoxStream<'static, Result<Bytes, UpstreamFailure>>,
    limits: ReadLimits,
) -> Result<Bytes, ReadError> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let next = within(registry, limits.stall, body.next()).await;
        let failure = match next {
            Some(None) if rest.is_empty() => return Ok(first),
            Some(None) => return Ok(rest.freeze()),
            Some(Some(Ok(chunk))) => {
                if first.len().max(rest.len()) + chunk.len() > limits.bytes_max {
                    return Err(ReadError::TooLarge);
                }
                if first.is_empty() {
                    first = chunk;
                } else {
                    if rest.is_empty() {
                        rest.extend_from_slice(&first);
                    }
                    rest.extend_from_slice(&chunk);
                }
                continue;
            }
            Some(Some(Err(failure))) => failure,
            None => UpstreamFailure::Timeout,
        };
        return Err(ReadError::Failed(
            failure,
            if rest.is_empty() { first } else { rest.freeze() },
        ));
    }
}
