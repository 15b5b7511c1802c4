//! Worker threads that serve requests, each with its own single-threaded runtime.
//!
//! In one multi-threaded runtime, the parts of a request (client connection, backend connection,
//! timers) wake on whichever thread is free, so a request changes threads several times at some ten
//! microseconds each. Here a client connection and all its requests stay on one worker. The
//! engine's own tasks run elsewhere, so they are not delayed.

use std::io;
use std::sync::mpsc;
use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio_util::sync::CancellationToken;

/// Maximum number of workers. One relays some ten thousand responses a second, so more of them
/// serve bursts of streams, not more cores.
pub(crate) const WORKERS_MAX: usize = 4;

/// Running workers. Dropping this stops them and drops the tasks still running on them.
#[derive(Debug)]
pub(crate) struct Workers {
    handles: Vec<Handle>,
    stop: CancellationToken,
}

impl Workers {
    /// Starts one worker per core, at most [`WORKERS_MAX`].
    pub(crate) fn start() -> io::Result<Self> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let mut workers = Self { handles: Vec::new(), stop: CancellationToken::new() };
        for number in 0..cores.min(WORKERS_MAX) {
            workers.handles.push(start_worker(number, workers.stop.clone())?);
        }
        Ok(workers)
    }

    /// Runtime handles to spawn on.
    pub(crate) fn handles(&self) -> Vec<Handle> {
        self.handles.clone()
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn start_worker(number: usize, stop: CancellationToken) -> io::Result<Handle> {
    let (send, receive) = mpsc::sync_channel(1);
    let run = move || {
        let built = Builder::new_current_thread().enable_all().build();
        let runtime = match built {
            Ok(runtime) => runtime,
            Err(error) => return drop(send.send(Err(error))),
        };
        // If the receiver is gone, dropping the workers stops this thread.
        drop(send.send(Ok(runtime.handle().clone())));
        runtime.block_on(stop.cancelled());
        // A hanging keychain blocks a thread forever, so do not wait for it.
        runtime.shutdown_background();
    };
    thread::Builder::new().name(format!("worker-{number}")).spawn(run)?;
    receive.recv().unwrap_or_else(|_ended| Err(io::Error::other("the thread stopped immediately")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_run_on_their_worker_until_the_workers_are_dropped() {
        let workers = Workers::start().expect("workers");
        let handles = workers.handles();
        assert!((1..=WORKERS_MAX).contains(&handles.len()));
        let (send, receive) = mpsc::channel();
        for handle in &handles {
            let send = send.clone();
            handle.spawn(async move { send.send(thread::current().name().map(str::to_owned)) });
        }
        let mut names: Vec<_> = receive.iter().take(handles.len()).flatten().collect();
        names.sort_unstable();
        let expected: Vec<_> =
            (0..handles.len()).map(|number| format!("worker-{number}")).collect();
        assert_eq!(names, expected);

        let (held, dropped) = mpsc::channel::<()>();
        let first = handles.first().expect("one");
        first.spawn(async move {
            let _held = held;
            std::future::pending::<()>().await;
        });
        drop(workers);
        assert!(dropped.recv().is_err(), "what ran there is dropped with them");
    }
}
