//! Captures logs, so that tests can check what they contain and what they must not.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt;

/// Captures every log line of the current thread at every level, until dropped.
pub struct CapturedLogs {
    lines: LogBuffer,
    _subscriber: tracing::subscriber::DefaultGuard,
}

/// Starts capturing on this thread. `#[tokio::test]` runs everything on one thread by default, so
/// its tasks are captured too; a multi-threaded runtime is not.
#[must_use]
pub fn capture_logs() -> CapturedLogs {
    let lines = LogBuffer::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .set_default();
    CapturedLogs { lines, _subscriber: subscriber }
}

impl CapturedLogs {
    /// All lines so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock()).into_owned()
    }
}

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogBuffer {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_every_level_are_captured_until_the_end() {
        let logs = capture_logs();
        tracing::trace!(answer = 42, "low");
        tracing::error!("high");
        assert!(logs.text().contains("low answer=42") && logs.text().contains("ERROR"));
        let lines = logs.lines.clone();
        drop(logs);
        tracing::error!("after");
        assert!(!String::from_utf8_lossy(&lines.0.lock()).contains("after"));
    }
}
