//! A small pool of read-only connections, used on tokio's blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use domain::Clock;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::LedgerError;
use crate::file::database;
use crate::file::slow_statements::{ReaderWaits, SlowStatements};

/// Concurrent reads; more of them wait.
const READERS_MAX: usize = 4;

pub(crate) struct ReaderPool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
    slow: Arc<SlowStatements>,
    waits: Mutex<ReaderWaits>,
    /// Waits are not timed without one.
    clock: OnceLock<Arc<dyn Clock>>,
}

impl ReaderPool {
    pub(crate) fn new(path: PathBuf, slow: Arc<SlowStatements>) -> Arc<Self> {
        let (permits, clock) = (Semaphore::new(READERS_MAX), OnceLock::new());
        let (idle, waits) = (Mutex::default(), Mutex::default());
        Arc::new(Self { path, idle, permits, slow, waits, clock })
    }

    /// Waits are timed by `clock` from now on.
    pub(crate) fn time_waits(&self, clock: Arc<dyn Clock>) {
        // A second clock would tell the same time.
        let _already = self.clock.set(clock);
    }

    pub(crate) fn waits(&self) -> ReaderWaits {
        *self.waits.lock()
    }

    async fn permit(&self) -> Result<SemaphorePermit<'_>, LedgerError> {
        if let Ok(permit) = self.permits.try_acquire() {
            self.waits.lock().add(None);
            return Ok(permit);
        }
        let begun = self.clock.get().map(|clock| (clock, clock.now()));
        let permit = self.permits.acquire().await.map_err(|_| LedgerError::Closed)?;
        let waited = begun.map(|(clock, begun)| clock.now().since(begun)).unwrap_or_default();
        self.waits.lock().add(Some(waited));
        Ok(permit)
    }

    /// Waits until no connection is in use and closes the open ones. New reads wait until the
    /// permit is dropped and then open the file at the path.
    pub(crate) async fn pause(&self) -> Result<SemaphorePermit<'_>, LedgerError> {
        let all = u32::try_from(READERS_MAX).unwrap_or(u32::MAX);
        let permit = self.permits.acquire_many(all).await.map_err(|_| LedgerError::Closed)?;
        self.close_idle();
        Ok(permit)
    }

    /// Closes the unused connections.
    pub(crate) fn close_idle(&self) {
        self.idle.lock().clear();
    }

    /// Runs `question` on a pooled connection. Needs a tokio runtime.
    pub(crate) async fn run<T, E, Q>(self: &Arc<Self>, question: Q) -> Result<T, LedgerError>
    where
        T: Send + 'static,
        E: Into<LedgerError>,
        Q: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    {
        let _permit = self.permit().await?;
        let pool = Arc::clone(self);
        let answered = tokio::task::spawn_blocking(move || {
            let idle = pool.idle.lock().pop();
            let connection = idle.map_or_else(|| database::open_reader(&pool.path), Ok)?;
            pool.slow.watch_thread();
            let answer = question(&connection).map_err(Into::into)?;
            pool.idle.lock().push(connection);
            Ok(answer)
        });
        answered.await.unwrap_or(Err(LedgerError::Closed))
    }
}

impl std::fmt::Debug for ReaderPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReaderPool").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::ManualClock;
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_read_that_finds_every_connection_in_use_is_counted_with_its_wait() {
        let pool = ReaderPool::new(PathBuf::new(), Arc::default());
        let clock = Arc::new(ManualClock::default());
        pool.time_waits(Arc::<ManualClock>::clone(&clock));
        let mut held = Vec::new();
        for _ in 0..READERS_MAX {
            held.push(pool.permit().await.expect("a permit"));
        }
        let mut waiting = std::pin::pin!(pool.permit());
        assert!(waiting.as_mut().now_or_never().is_none());
        clock.advance(Duration::from_millis(30));
        drop(held);
        let _permit = waiting.await.expect("a permit");
        let expected = ReaderWaits { reads: 5, waited: 1, longest: Duration::from_millis(30) };
        assert_eq!(pool.waits(), expected);
    }
}
