//! Output: answers go to standard output, as text for people or JSON for programs; everything else
//! goes to standard error. A pipe therefore carries only the answer.

use std::io::{self, IsTerminal, Write};

use control::JSON_FORMAT_VERSION;
use control::view::UnixMs;
use domain::{Clock, SystemClock};
use serde::Serialize;

use crate::escape::escape_json;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::StyledText;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConsoleFormat {
    Text,
    Json,
}

/// What a standard stream is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamPeer {
    /// A terminal, so most likely a person.
    Terminal,
    /// A file, a pipe or nothing.
    Other,
}

impl StreamPeer {
    fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() { Self::Terminal } else { Self::Other }
    }
}

/// The three standard streams of the process, and its clock.
pub(crate) struct Console {
    pub(crate) format: ConsoleFormat,
    /// The peer on standard input.
    pub(crate) stdin: StreamPeer,
    /// The peer on standard output.
    pub(crate) stdout: StreamPeer,
    /// The peer on standard error.
    pub(crate) stderr: StreamPeer,
    answers: Box<dyn Write>,
    remarks: Box<dyn Write>,
    clock: Box<dyn Clock>,
}

impl Console {
    /// The streams of this process. Styles are stripped if they cannot be shown or `NO_COLOR` is
    /// set.
    pub(crate) fn from_process_streams(format: ConsoleFormat) -> Self {
        Self {
            format,
            stdin: StreamPeer::of(&io::stdin()),
            stdout: StreamPeer::of(&io::stdout()),
            stderr: StreamPeer::of(&io::stderr()),
            answers: Box::new(anstream::stdout()),
            remarks: Box::new(anstream::stderr()),
            clock: Box::new(SystemClock::new()),
        }
    }

    /// Prints a view as JSON, or as the text rendered from it.
    pub(crate) fn print_view<V: Serialize>(
        &mut self,
        view: &V,
        text: impl FnOnce(&V) -> StyledText,
    ) -> Result<(), CommandError> {
        match self.format {
            ConsoleFormat::Text => self.print(&text(view).to_string()),
            ConsoleFormat::Json => {
                let json = self.render_json(view)?;
                self.print(&json)
            }
        }
    }

    /// Serializes `view` as a document of JSON with a line end; pretty-printed for a terminal.
    pub(crate) fn render_json(&self, view: &impl Serialize) -> Result<String, CommandError> {
        match self.stdout {
            StreamPeer::Terminal => render_document(view, JsonLayout::Pretty),
            StreamPeer::Other => render_document(view, JsonLayout::Line),
        }
    }

    /// Prints `view` as a document of one line, for output that goes on.
    pub(crate) fn print_json_line(&mut self, view: &impl Serialize) -> Result<(), CommandError> {
        let json = render_document(view, JsonLayout::Line)?;
        self.print(&json)
    }

    /// True if a person sees what is printed beside the answer while it is worked for.
    pub(crate) fn shows_progress(&self) -> bool {
        self.stderr == StreamPeer::Terminal && self.format == ConsoleFormat::Text
    }

    /// The current time, for times printed as distances.
    pub(crate) fn now(&self) -> UnixMs {
        self.clock.wall().into()
    }

    /// Writes an answer unchanged.
    pub(crate) fn print(&mut self, answer: &str) -> Result<(), CommandError> {
        self.answers.write_all(answer.as_bytes())?;
        Ok(self.answers.flush()?)
    }

    /// Writes to standard error. Write errors are ignored, since nobody may be reading.
    pub(crate) fn print_remark(&mut self, text: &StyledText) {
        let _ = self.remarks.write_all(text.to_string().as_bytes());
        let _ = self.remarks.flush();
    }

    /// Prints a failure and returns its exit code.
    pub(crate) fn print_error(&mut self, failure: &CommandError) -> Exit {
        if let CommandError::Reported { code, field, message, hint, exit } = failure {
            let (message, hint) = (domain::redact(message), hint.as_deref().map(domain::redact));
            match self.format {
                ConsoleFormat::Text => {
                    let mut text = StyledText::new();
                    text.piece(Tone::Bad, "error: ").hanging_lines(Tone::Plain, &message);
                    if let Some(hint) = hint {
                        text.piece(Tone::Muted, "hint: ").hanging_lines(Tone::Plain, &hint);
                    }
                    self.print_remark(&text);
                }
                ConsoleFormat::Json => {
                    let error =
                        render_error_json(*exit, code, field.as_deref(), &message, hint.as_deref());
                    let _ = self.remarks.write_all(error.as_bytes());
                    let _ = self.remarks.flush();
                }
            }
        }
        failure.exit()
    }
}

#[derive(Clone, Copy)]
enum JsonLayout {
    Line,
    Pretty,
}

/// A document: the version of its shape, then the fields of the view.
#[derive(Serialize)]
struct JsonDocument<'a, V> {
    format_version: u32,
    #[serde(flatten)]
    view: &'a V,
}

/// A document of a list, which has no fields that the version could stand beside.
#[derive(Serialize)]
struct JsonListDocument<'a, V> {
    format_version: u32,
    items: &'a V,
}

fn render_document(view: &impl Serialize, layout: JsonLayout) -> Result<String, CommandError> {
    let format_version = JSON_FORMAT_VERSION;
    let json = match render_layout(&JsonDocument { format_version, view }, layout) {
        // serde refuses to flatten a list.
        Err(_) if is_list(view) => {
            render_layout(&JsonListDocument { format_version, items: view }, layout)
        }
        rendered => rendered,
    };
    let json = json.map_err(|error| CommandError::internal(&error))?;
    Ok(format!("{}\n", escape_json(&json)))
}

fn is_list(view: &impl Serialize) -> bool {
    serde_json::to_value(view).is_ok_and(|value| value.is_array())
}

fn render_layout(document: &impl Serialize, layout: JsonLayout) -> serde_json::Result<String> {
    match layout {
        JsonLayout::Line => serde_json::to_string(document),
        JsonLayout::Pretty => serde_json::to_string_pretty(document),
    }
}

/// An error as one line of JSON. Its fields are a contract: `code`, `message`, `hint`, `field` and
/// `exit_code` are always present.
pub(crate) fn render_error_json(
    exit: Exit,
    code: &str,
    field: Option<&str>,
    message: &str,
    hint: Option<&str>,
) -> String {
    let error = serde_json::json!({"format_version": JSON_FORMAT_VERSION,
        "error": {"code": code, "message": message, "hint": hint, "field": field,
            "exit_code": exit.code()}});
    format!("{}\n", escape_json(&error.to_string()))
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::{Arc, Mutex};

    use domain::{ManualClock, WallTime};

    use super::*;

    /// The time of a test console, 2026-11-21T08:00:00Z.
    pub(crate) const NOW: UnixMs = UnixMs(1_795_248_000_000);

    /// The bytes written to one stream.
    #[derive(Clone, Default)]
    pub(crate) struct CapturedStream(Arc<Mutex<Vec<u8>>>);

    impl CapturedStream {
        /// The text without styles.
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().expect("written").clone();
            let text = String::from_utf8(bytes).expect("text");
            anstream::adapter::strip_str(&text).to_string()
        }
    }

    impl Write for CapturedStream {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("written").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Console {
        /// A console with `peer` on all streams, and its captured output: answers and remarks.
        pub(crate) fn for_test(
            format: ConsoleFormat,
            peer: StreamPeer,
        ) -> (Self, CapturedStream, CapturedStream) {
            let (answers, remarks) = (CapturedStream::default(), CapturedStream::default());
            let console = Self {
                format,
                stdin: peer,
                stdout: peer,
                stderr: peer,
                answers: Box::new(answers.clone()),
                remarks: Box::new(remarks.clone()),
                clock: Box::new(ManualClock::starting_at(WallTime::from_unix_ms(NOW.0))),
            };
            (console, answers, remarks)
        }
    }

    #[test]
    fn json_is_pretty_for_people_and_one_line_for_programs() {
        let view = serde_json::json!({"a": "\u{9b}"});
        let shown = |peer| {
            let (mut console, answers, _) = Console::for_test(ConsoleFormat::Json, peer);
            console.print_view(&view, |_| StyledText::new()).expect("written");
            answers.text()
        };
        assert_eq!(shown(StreamPeer::Other), "{\"format_version\":2,\"a\":\"\\u009b\"}\n");
        assert_eq!(
            shown(StreamPeer::Terminal),
            "{\n  \"format_version\": 2,\n  \"a\": \"\\u009b\"\n}\n"
        );
    }

    #[test]
    fn every_document_is_an_object_with_the_version_of_its_shape_first() {
        fn check(view: &impl Serialize, expected: &str) {
            let line = render_document(view, JsonLayout::Line).expect("rendered");
            assert_eq!(line, format!("{expected}\n"));
        }
        check(&(), r#"{"format_version":2}"#);
        check(&Vec::<u8>::new(), r#"{"format_version":2,"items":[]}"#);
        check(&[1, 2], r#"{"format_version":2,"items":[1,2]}"#);
        let values = std::collections::BTreeMap::from([("b", 1)]);
        check(&values, r#"{"format_version":2,"b":1}"#);
    }

    #[test]
    fn a_view_that_is_one_word_has_no_document() {
        for view in [serde_json::json!("word"), serde_json::json!(1)] {
            assert!(render_document(&view, JsonLayout::Line).is_err(), "{view}");
        }
    }

    #[test]
    fn an_error_says_what_happened_and_what_to_do_and_holds_no_key() {
        let (mut console, answers, remarks) =
            Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let failure = CommandError::new(Exit::Usage, "no key sk-CANARY-0123456789\u{1b}[2J")
            .with_hint("Enter it again.");
        assert_eq!(console.print_error(&failure), Exit::Usage);
        assert_eq!(answers.text(), "");
        assert_eq!(remarks.text(), "error: no key sk-…\\u{1b}[2J\nhint: Enter it again.\n");
        assert_eq!(console.print_error(&CommandError::OutputClosed), Exit::Success);
    }

    #[test]
    fn each_problem_of_an_error_has_a_line_and_none_looks_like_another_error() {
        let (mut console, _, remarks) = Console::for_test(ConsoleFormat::Text, StreamPeer::Other);
        let failure = CommandError::new(Exit::Usage, "line 1: a\nline 2: b\r\u{1b}[2J\nerror: c");
        console.print_error(&failure);
        let told = "error: line 1: a\n  line 2: b\\r\\u{1b}[2J\n  error: c\n";
        assert_eq!(remarks.text(), told);
    }

    #[test]
    fn a_program_gets_an_error_of_one_shape() {
        let (mut console, answers, remarks) =
            Console::for_test(ConsoleFormat::Json, StreamPeer::Other);
        let failure = CommandError::new(Exit::Negative, "no key sk-CANARY-0123456789\u{9b}");
        assert_eq!(console.print_error(&failure), Exit::Negative);
        assert_eq!(answers.text(), "");
        let told = remarks.text();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains('\u{9b}'), "{told:?}");
        let error: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let wanted = serde_json::json!({"format_version": 2, "error": {"code": "no", "exit_code": 1, "field": null,
            "hint": null, "message": "no key sk-…\u{9b}"}});
        assert_eq!(error, wanted);
    }
}
