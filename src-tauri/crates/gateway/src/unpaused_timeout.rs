//! Waiting that a pause of this machine does not use up.
//!
//! After a pause all timers have expired and fire before the sockets are looked at, although the bytes
//! that were waited for may lie there.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use endpoints::EndpointRegistry;

/// How long bytes that lie in a socket may take to be seen after a timer has fired.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(20);

/// Waits for `future` for as long as `limit`, pauses of this machine not counted; `None` when it is over.
pub(crate) async fn within<F: Future>(
    live: &EndpointRegistry,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let begun = live.moment();
    let mut future = pin!(future);
    let (mut wait, mut counted) = (limit, Duration::ZERO);
    loop {
        if let Ok(output) = tokio::time::timeout(wait, future.as_mut()).await {
            return Some(output);
        }
        let paused = live.paused_since(begun).unwrap_or_default();
        wait = paused.saturating_sub(counted).min(limit);
        if wait.is_zero() {
            return tokio::time::timeout(LAST_LOOK, future).await.ok();
        }
        counted = paused;
    }
}
