//! A small pool of read-only connections, used on tokio's blocking threads.

use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::{LedgerError, database};

/// Concurrent reads; more of them wait.
const READERS_MAX: usize = 4;

#[derive(Debug)]
pub(crate) struct ReaderPool {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    permits: Semaphore,
}

impl ReaderPool {
    pub(crate) fn new(path: PathBuf) -> Arc<Self> {
        let permits = Semaphore::new(READERS_MAX);
        Arc::new(Self { path, idle: Mutex::default(), permits })
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
        let _permit = self.permits.acquire().await.map_err(|_| LedgerError::Closed)?;
        let pool = Arc::clone(self);
        let answered = tokio::task::spawn_blocking(move || {
            let idle = pool.idle.lock().pop();
            let connection = idle.map_or_else(|| database::open_reader(&pool.path), Ok)?;
            let answer = question(&connection).map_err(Into::into)?;
            pool.idle.lock().push(connection);
            Ok(answer)
        });
        answered.await.unwrap_or(Err(LedgerError::Closed))
    }
}
