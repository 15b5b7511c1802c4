//! Reads a request's body within limits of size and time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::header::EXPECT;
use wire::ErrorKind;

use crate::handle::response::{Refusal, RetryAdvice};
use crate::limits::ListenerLimits;

/// Longest time spent draining the body of a refused request.
const DRAIN: Duration = Duration::from_secs(1);

/// Largest buffer allocated on the client's stated length alone, in bytes.
const TRUSTED_LENGTH_BYTES: usize = 1_048_576;

/// Reads the whole body. Fails with 413 if it is larger than `bytes_max`, by its stated length or while
/// reading, and with 408 if it arrives too slowly.
pub(crate) async fn read(
    body: Incoming,
    bytes_max: usize,
    limits: &ListenerLimits,
) -> Result<Bytes, Refusal> {
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if stated > bytes_max {
        swallow(body, bytes_max).await;
        return Err(too_large(bytes_max));
    }
    let reading = collect(body, stated, bytes_max, limits.body_idle_timeout);
    match tokio::time::timeout(limits.body_total_timeout, reading).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(too_slow()),
    }
}

async fn collect(
    mut body: Incoming,
    stated: usize,
    bytes_max: usize,
    idle: Duration,
) -> Result<Bytes, Refusal> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        let frame = match tokio::time::timeout(idle, body.frame()).await {
            Err(_elapsed) => return Err(too_slow()),
            Ok(None) => break,
            Ok(Some(Err(_broken))) => return Err(cut_short()),
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(data) = frame.into_data() else { continue };
        let so_far = first.as_ref().map_or(0, Bytes::len).max(rest.len());
        if so_far + data.len() > bytes_max {
            swallow(body, bytes_max).await;
            return Err(too_large(bytes_max));
        }
        match (&first, rest.is_empty()) {
            // A body that arrives in one chunk is not copied.
            (None, true) => first = Some(data),
            (Some(piece), true) => {
                rest.reserve(stated.min(TRUSTED_LENGTH_BYTES).max(piece.len() + data.len()));
                rest.extend_from_slice(piece);
                rest.extend_from_slice(&data);
            }
            _ => rest.extend_from_slice(&data),
        }
    }
    if rest.is_empty() { Ok(first.unwrap_or_default()) } else { Ok(rest.freeze()) }
}

/// Drains the body of a refused request, within bounds: closing a socket with unread bytes resets it, and
/// the client would never read the refusal. A client that waits for `100 Continue` sends no body, so
/// nothing is drained.
pub(crate) async fn swallow_refused(request: Request<Incoming>, bytes_max: usize) {
    if !request.headers().contains_key(EXPECT) {
        swallow(request.into_body(), bytes_max).await;
    }
}

async fn swallow(mut body: Incoming, bytes_max: usize) {
    let stated = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if body.is_end_stream() || stated > bytes_max.saturating_mul(2) {
        return;
    }
    let swallowing = async {
        let mut left = bytes_max;
        while let Some(Ok(frame)) = body.frame().await {
            left = match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
                Some(left) => left,
                None => break,
            };
        }
    };
    // After the timeout the connection is closed with bytes unread.
    drop(tokio::time::timeout(DRAIN, swallowing).await);
}

fn too_large(bytes_max: usize) -> Refusal {
    let message = format!("The request body is too large: at most {bytes_max} bytes are allowed.");
    Refusal::new(413, ErrorKind::TooLarge, "request_too_large", message).retry(RetryAdvice::Never)
}

fn too_slow() -> Refusal {
    let message = "The request body arrived too slowly. Send it again.";
    Refusal::new(408, ErrorKind::Timeout, "request_timeout", message)
}

fn cut_short() -> Refusal {
    let message = "The request body is shorter than its Content-Length. Send it again.";
    Refusal::new(400, ErrorKind::InvalidRequest, "body_cut_short", message)
}
