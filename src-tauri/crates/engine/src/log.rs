//! Logs: JSON, one file a day, a fixed number of days, and a last net against keys at the sink.
//!
//! What is logged is chosen at each call (ids, states, durations); prompts, answers and header values
//! never are. The net under that masks whatever still looks like a key.

use std::io::{self, Write};
use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Days of logs that are kept.
const LOG_DAYS_MAX: usize = 14;

/// Writes logs to `folder` until the guard is dropped. Called once, by the program's shell. What is
/// logged is said by `filter` in the words of `tracing` (`info`, `gateway=debug,info`).
pub fn start_log(folder: &Path, filter: &str) -> Result<WorkerGuard, InitError> {
    // The builder makes the folder too, but complains on standard error before it does.
    let _ = std::fs::create_dir_all(folder);
    let files = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("gatehouse")
        .filename_suffix("log.json")
        .max_log_files(LOG_DAYS_MAX)
        .build(folder)?;
    let (sink, guard) = tracing_appender::non_blocking(files);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(Redacted(sink))
        .finish();
    if tracing::subscriber::set_global_default(log).is_err() {
        tracing::debug!("this process has a log already");
    }
    Ok(guard)
}

/// A sink that masks what looks like a key before it is written.
#[derive(Debug, Clone)]
pub struct Redacted<S>(pub S);

impl<'a, S: MakeWriter<'a>> MakeWriter<'a> for Redacted<S> {
    type Writer = RedactedWriter<S::Writer>;
    fn make_writer(&'a self) -> Self::Writer {
        RedactedWriter(self.0.make_writer())
    }
}

/// The writer of one line.
#[derive(Debug)]
pub struct RedactedWriter<W>(W);

impl<W: Write> Write for RedactedWriter<W> {
    /// Takes a whole line at once, as `tracing` hands it over.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(domain::redact(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("lines").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_key_in_any_field_does_not_reach_the_file() {
        let lines = Lines::default();
        let sink = lines.clone();
        let log =
            tracing_subscriber::fmt().json().with_writer(Redacted(move || sink.clone())).finish();
        tracing::subscriber::with_default(log, || {
            let key = "sk-CANARY-0123456789";
            tracing::warn!(field = key, ?key, "message with {key} and a\nline break");
        });
        let written = String::from_utf8(lines.0.lock().expect("lines").clone()).expect("text");
        assert!(!written.contains("CANARY") && written.contains("sk-…"), "{written}");
        assert_eq!(written.lines().count(), 1, "one event is one line");
    }
}
