//! The log: JSON lines in files of limited size, with fields of limited length.
//!
//! Each call chooses what it logs (ids, states, durations), never prompts, responses or header
//! values. As a last safeguard, the sink masks everything that looks like a key.

mod files;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use files::LogFiles;

/// Maximum length of a field's text, in characters.
const FIELD_CHARS_MAX: usize = 1_000;

/// Writes logs to `folder` until the guard is dropped. Shells call it once. `filter` uses the
/// syntax of `tracing` (`info`, `gateway=debug,info`).
pub fn start_log(folder: &Path, filter: &str) -> io::Result<WorkerGuard> {
    let (sink, guard) = tracing_appender::non_blocking(LogFiles::open(folder)?);
    let filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_env_filter(filter)
        .with_writer(RedactingSink(sink))
        .finish();
    if tracing::subscriber::set_global_default(log).is_err() {
        tracing::debug!("this process has a log already");
    }
    Ok(guard)
}

/// A sink that masks anything that looks like a key and cuts long fields before it writes a line.
#[derive(Debug, Clone)]
pub struct RedactingSink<S>(pub S);

impl<'a, S: MakeWriter<'a>> MakeWriter<'a> for RedactingSink<S> {
    type Writer = RedactingWriter<S::Writer>;
    fn make_writer(&'a self) -> Self::Writer {
        RedactingWriter(self.0.make_writer())
    }
}

#[derive(Debug)]
pub struct RedactingWriter<W>(W);

impl<W: Write> Write for RedactingWriter<W> {
    /// Expects a whole line per call, as `tracing` passes it.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.write_all(cut_long_fields(&domain::redact(&text)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Cuts each text in `line` to [`FIELD_CHARS_MAX`]. Short lines are not parsed.
fn cut_long_fields(line: &str) -> Cow<'_, str> {
    if line.len() <= FIELD_CHARS_MAX {
        return Cow::Borrowed(line);
    }
    match serde_json::from_str::<Value>(line) {
        Ok(mut fields) => {
            cut_texts(&mut fields);
            Cow::Owned(format!("{fields}\n"))
        }
        Err(_no_json) => {
            Cow::Owned(format!("{}\n", line.chars().take(FIELD_CHARS_MAX).collect::<String>()))
        }
    }
}

fn cut_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(FIELD_CHARS_MAX) {
                text.truncate(end);
                text.push('…');
            }
        }
        Value::Array(items) => items.iter_mut().for_each(cut_texts),
        Value::Object(fields) => fields.values_mut().for_each(cut_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct CapturedLogLines(Arc<Mutex<Vec<u8>>>);

    impl Write for CapturedLogLines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("lines").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(event: impl FnOnce()) -> String {
        let lines = CapturedLogLines::default();
        let sink = lines.clone();
        let log = tracing_subscriber::fmt()
            .json()
            .with_writer(RedactingSink(move || sink.clone()))
            .finish();
        tracing::subscriber::with_default(log, event);
        let written = String::from_utf8(lines.0.lock().expect("lines").clone()).expect("text");
        assert_eq!(written.lines().count(), 1, "one event is one line");
        written
    }

    #[test]
    fn a_key_in_any_field_does_not_reach_the_file() {
        let key = "sk-CANARY-0123456789";
        let written =
            logged(|| tracing::warn!(field = key, ?key, "message with {key} and a\nline break"));
        assert!(!written.contains("CANARY") && written.contains("sk-…"), "{written}");
    }

    #[test]
    fn every_field_is_cut_at_its_limit_and_the_line_stays_json() {
        let (long, whole) = ("ü".repeat(FIELD_CHARS_MAX + 1), "ü".repeat(FIELD_CHARS_MAX));
        let written = logged(|| tracing::warn!(long, whole, count = 7, "{}", "m".repeat(64_000)));
        let line: Value = serde_json::from_str(&written).expect("JSON");
        let fields = &line["fields"];
        assert_eq!(fields["whole"], whole);
        assert_eq!(fields["long"], format!("{whole}…"));
        assert_eq!(fields["count"], 7);
        assert_eq!(fields["message"], format!("{}…", "m".repeat(FIELD_CHARS_MAX)));
    }
}
