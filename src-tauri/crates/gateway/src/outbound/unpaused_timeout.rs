//! A timeout that does not count pauses of this machine.
//!
//! After a pause all timers have expired and fire before the sockets are polled, even if the
//! awaited bytes are already there.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use endpoints::EndpointRegistry;

/// Time to read bytes already in a socket after a timer has fired.
pub(crate) const LAST_LOOK: Duration = Duration::from_millis(20);

/// Waits for `future` up to `limit`, not counting pauses of this machine; `None` on timeout.
pub(crate) async fn within<F: Future>(
    registry: &EndpointRegistry,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    let begun = registry.moment();
    let mut future = pin!(future);
    let (mut wait, mut counted) = (limit, Duration::ZERO);
    loop {
        if let Ok(output) = tokio::time::timeout(wait, future.as_mut()).await {
            return Some(output);
        }
        let paused = registry.paused_since(begun).unwrap_or_default();
        wait = paused.saturating_sub(counted).min(limit);
        if wait.is_zero() {
            return tokio::time::timeout(LAST_LOOK, future).await.ok();
        }
        counted = paused;
    }
}
