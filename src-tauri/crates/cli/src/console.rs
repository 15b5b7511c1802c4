//! Output: answers go to standard output, as text for people or JSON for programs; everything else
//! goes to standard error. A pipe therefore carries only the answer.

use std::io::{self, IsTerminal, Write};

use control::view::UnixMs;
use domain::{Clock, SystemClock};
use serde::Serialize;

use crate::escape::escape_json;
use crate::exit::{Exit, Failure};
use crate::sign::Tone;
use crate::text::Text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
}

/// What a standard stream is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A terminal, so most likely a person.
    Terminal,
    /// A file, a pipe or nothing.
    Other,
}

impl Peer {
    fn of(stream: &impl IsTerminal) -> Self {
        if stream.is_terminal() { Self::Terminal } else { Self::Other }
    }
}

/// The three standard streams of the process, and its clock.
pub(crate) struct Console {
    pub(crate) format: Format,
    /// The peer on standard input.
    pub(crate) typing: Peer,
    /// The peer on standard output.
    pub(crate) reading: Peer,
    /// The peer on standard error.
    pub(crate) watching: Peer,
    answers: Box<dyn Write>,
    remarks: Box<dyn Write>,
    clock: Box<dyn Clock>,
}

impl Console {
    /// The streams of this process. Styles are stripped if they cannot be shown or `NO_COLOR` is
    /// set.
    pub(crate) fn of_the_process(format: Format) -> Self {
        Self {
            format,
            typing: Peer::of(&io::stdin()),
            reading: Peer::of(&io::stdout()),
            watching: Peer::of(&io::stderr()),
            answers: Box::new(anstream::stdout()),
            remarks: Box::new(anstream::stderr()),
            clock: Box::new(SystemClock::new()),
        }
    }

    /// Prints a view as JSON, or as the text rendered from it.
    pub(crate) fn answer<V: Serialize>(
        &mut self,
        view: &V,
        text: impl FnOnce(&V) -> Text,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Text => self.print(&text(view).to_string()),
            Format::Json => {
                let json = self.json(view)?;
                self.print(&json)
            }
        }
    }

    /// Serializes `view` as JSON with a line end; pretty-printed for a terminal.
    pub(crate) fn json(&self, view: &impl Serialize) -> Result<String, Failure> {
        let json = match self.reading {
            Peer::Terminal => serde_json::to_string_pretty(view),
            Peer::Other => serde_json::to_string(view),
        };
        let json = json.map_err(|error| Failure::fault(&error))?;
        Ok(format!("{}\n", escape_json(&json)))
    }

    /// The current time, for times printed as distances.
    pub(crate) fn now(&self) -> UnixMs {
        self.clock.wall().into()
    }

    /// Writes an answer unchanged.
    pub(crate) fn print(&mut self, answer: &str) -> Result<(), Failure> {
        self.answers.write_all(answer.as_bytes())?;
        Ok(self.answers.flush()?)
    }

    /// Writes to standard error. Write errors are ignored, since nobody may be reading.
    pub(crate) fn remark(&mut self, text: &Text) {
        let _ = self.remarks.write_all(text.to_string().as_bytes());
        let _ = self.remarks.flush();
    }

    /// Prints a failure and returns its exit code.
    pub(crate) fn fail(&mut self, failure: &Failure) -> Exit {
        if let Failure::Told { code, field, message, hint, exit } = failure {
            let (message, hint) = (domain::redact(message), hint.as_deref().map(domain::redact));
            match self.format {
                Format::Text => {
                    let mut text = Text::new();
                    text.piece(Tone::Bad, "error: ").line(Tone::Plain, &message);
                    if let Some(hint) = hint {
                        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, &hint);
                    }
                    self.remark(&text);
                }
                Format::Json => {
                    let error =
                        error_json(*exit, code, field.as_deref(), &message, hint.as_deref());
                    let _ = self.remarks.write_all(error.as_bytes());
                    let _ = self.remarks.flush();
                }
            }
        }
        failure.exit()
    }
}

/// An error as one line of JSON. Its fields are a contract: `code`, `message`, `hint`, `field` and
/// `exit_code` are always present.
pub(crate) fn error_json(
    exit: Exit,
    code: &str,
    field: Option<&str>,
    message: &str,
    hint: Option<&str>,
) -> String {
    let error = serde_json::json!({"error": {"code": code, "message": message, "hint": hint,
        "field": field, "exit_code": exit.code()}});
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
    pub(crate) struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        /// The text without styles.
        pub(crate) fn text(&self) -> String {
            let bytes = self.0.lock().expect("written").clone();
            let text = String::from_utf8(bytes).expect("text");
            anstream::adapter::strip_str(&text).to_string()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("written").write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Console {
        /// A console with `peer` on all streams, and its captured output: answers and remarks.
        pub(crate) fn for_test(format: Format, peer: Peer) -> (Self, Written, Written) {
            let (answers, remarks) = (Written::default(), Written::default());
            let console = Self {
                format,
                typing: peer,
                reading: peer,
                watching: peer,
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
            let (mut console, answers, _) = Console::for_test(Format::Json, peer);
            console.answer(&view, |_| Text::new()).expect("written");
            answers.text()
        };
        assert_eq!(shown(Peer::Other), "{\"a\":\"\\u009b\"}\n");
        assert_eq!(shown(Peer::Terminal), "{\n  \"a\": \"\\u009b\"\n}\n");
    }

    #[test]
    fn an_error_says_what_happened_and_what_to_do_and_holds_no_key() {
        let (mut console, answers, remarks) = Console::for_test(Format::Text, Peer::Other);
        let failure = Failure::new(Exit::Usage, "no key sk-CANARY-0123456789\u{1b}[2J")
            .with_hint("Enter it again.");
        assert_eq!(console.fail(&failure), Exit::Usage);
        assert_eq!(answers.text(), "");
        assert_eq!(remarks.text(), "error: no key sk-…\\u{1b}[2J\nhint: Enter it again.\n");
        assert_eq!(console.fail(&Failure::ReaderLeft), Exit::Fine);
    }

    #[test]
    fn a_program_gets_an_error_of_one_shape() {
        let (mut console, answers, remarks) = Console::for_test(Format::Json, Peer::Other);
        let failure = Failure::new(Exit::No, "no key sk-CANARY-0123456789\u{9b}");
        assert_eq!(console.fail(&failure), Exit::No);
        assert_eq!(answers.text(), "");
        let told = remarks.text();
        assert_eq!(told.lines().count(), 1, "{told}");
        assert!(!told.contains('\u{9b}'), "{told:?}");
        let error: serde_json::Value = serde_json::from_str(&told).expect("JSON");
        let wanted = serde_json::json!({"error": {"code": "no", "exit_code": 1, "field": null,
            "hint": null, "message": "no key sk-…\u{9b}"}});
        assert_eq!(error, wanted);
    }
}
