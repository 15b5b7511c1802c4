//! Judges how a backend's stream ended.

use bytes::Bytes;
use domain::BackendId;
use wire::{AnswerStream, StreamEnd};

use crate::handle::failure::{BackendWork, ErrorContext, Failure};
use crate::outbound::upstream::UpstreamFailure;

pub(crate) enum StreamOutcome {
    /// Complete; `last` are its last bytes for the client.
    Complete {
        last: Bytes,
    },
    /// No event arrived.
    Empty,
    Failed {
        failure: Failure,
    },
}

/// Judges the end of `stream`. `cause` says why it ended, if the backend did not end it.
pub(crate) fn judge(
    stream: &mut AnswerStream,
    cause: Option<UpstreamFailure>,
    backend: &BackendId,
    context: &ErrorContext<'_>,
) -> StreamOutcome {
    let failure = match (stream.finish(), cause) {
        (StreamEnd::Complete { append }, _) => return StreamOutcome::Complete { last: append },
        (StreamEnd::UpstreamError(error), _) => {
            let mut failure = Failure::reported(backend, &error, context);
            if stream.content_seen() {
                failure.work = BackendWork::Unknown;
            }
            failure
        }
        (StreamEnd::Broken(fault), _) => Failure::broken_stream(backend, fault),
        (StreamEnd::Truncated, Some(cause)) => Failure::upstream(backend, &cause),
        (StreamEnd::Truncated, None) if !stream.content_seen() && stream.facts().is_empty() => {
            return StreamOutcome::Empty;
        }
        (StreamEnd::Truncated, None) => Failure::upstream(backend, &UpstreamFailure::Broken),
    };
    StreamOutcome::Failed { failure }
}
