//! Reads log files, several at once, each in parts that can be stored one by one.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use domain::{SessionTool, WallTime};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::claude_code;
use crate::codex::CodexParser;
use crate::discovery::{LogFile, LogFormat, reason};
use crate::gemini_cli::GeminiCliParser;
use crate::lines::{LINE_BYTES_MAX, LineReader, LogLine};
use crate::opencode;
use crate::part::{FilePart, PartBuilder};
use crate::progress::{FileProgress, HEAD_BYTES, hash_of};

/// Records after which a part is handed out.
pub(crate) const RECORDS_PER_PART: usize = 512;

/// Most threads that read.
pub const WORKERS_MAX: usize = 10;

/// Lines between two looks at the sign to stop.
const LINES_PER_CHECK: u64 = 4_096;

/// A file to be read, and how far it was read before.
#[derive(Debug, Clone)]
pub struct PlannedFile {
    pub file: LogFile,
    pub known: Option<FileProgress>,
}

#[derive(Debug)]
pub struct ReadOptions<'a> {
    pub workers: usize,
    /// Times later than this are not believed.
    pub now: WallTime,
    /// Ends the reading as soon as it is true. What was handed out is kept.
    pub stop: &'a AtomicBool,
}

type PartSink<'a> = &'a (dyn Fn(FilePart) -> ControlFlow<()> + Sync);

/// Reads what is new in `files`. `on_part` gets each part, from any of the threads; it may block to
/// slow the reading down, and end it by breaking. Blocks until all is read. A file that cannot be
/// read is a part with a problem.
pub fn read_files(files: &[PlannedFile], options: &ReadOptions<'_>, on_part: PartSink<'_>) {
    let next = AtomicUsize::new(0);
    let workers = options.workers.clamp(1, WORKERS_MAX).min(files.len().max(1));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = files.get(index) else { return };
            let mut reading = FileReading::new(index, planned, options, on_part);
            if reading.run().is_break() {
                options.stop.store(true, Ordering::Relaxed);
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
}

/// What a tool's parser does with lines.
#[derive(Debug)]
enum LineParser {
    ClaudeCode,
    Codex(Box<CodexParser>),
    GeminiCli(GeminiCliParser),
}

impl LineParser {
    fn new(file: &LogFile, state: Option<&str>) -> Self {
        match file.tool {
            SessionTool::Codex => Self::Codex(restore(state).unwrap_or_default()),
            SessionTool::GeminiCli => {
                let parser = restore(state);
                Self::GeminiCli(parser.unwrap_or_else(|| GeminiCliParser::for_file(&file.path)))
            }
            SessionTool::ClaudeCode | SessionTool::OpenCode => Self::ClaudeCode,
        }
    }

    fn is_wanted(&self, line: &[u8]) -> bool {
        match self {
            Self::ClaudeCode => claude_code::is_wanted(line),
            Self::Codex(_) => CodexParser::is_wanted(line),
            Self::GeminiCli(_) => GeminiCliParser::is_wanted(line),
        }
    }

    fn read_line(&mut self, text: &str, part: &mut PartBuilder) {
        match self {
            Self::ClaudeCode => claude_code::read_line(text, part),
            Self::Codex(parser) => parser.read_line(text, part),
            Self::GeminiCli(parser) => parser.read_line(text, part),
        }
    }

    fn finish(&mut self, part: &mut PartBuilder) {
        if let Self::Codex(parser) = self {
            parser.finish(part);
        }
    }

    fn state(&self) -> String {
        fn saved(parser: &impl Serialize) -> String {
            serde_json::to_string(parser).unwrap_or_default()
        }
        match self {
            Self::ClaudeCode => String::new(),
            Self::Codex(parser) => saved(parser),
            Self::GeminiCli(parser) => saved(parser),
        }
    }
}

fn restore<T: DeserializeOwned>(state: Option<&str>) -> Option<T> {
    serde_json::from_str(state?).ok()
}

struct FileReading<'a> {
    index: usize,
    file: &'a LogFile,
    known: Option<&'a FileProgress>,
    options: &'a ReadOptions<'a>,
    on_part: PartSink<'a>,
    part: PartBuilder,
    /// Without position, lines and state, which each part sets.
    progress: FileProgress,
}

impl<'a> FileReading<'a> {
    fn new(
        index: usize,
        planned: &'a PlannedFile,
        options: &'a ReadOptions<'a>,
        on_part: PartSink<'a>,
    ) -> Self {
        let file = &planned.file;
        let changed = WallTime::from_unix_ms(file.modified_ns / 1_000_000);
        let progress = FileProgress {
            bytes: file.bytes,
            modified_ns: file.modified_ns,
            ..FileProgress::default()
        };
        let part = PartBuilder::new(file.tool, options.now, changed, 0);
        Self { index, file, known: planned.known.as_ref(), options, on_part, part, progress }
    }

    fn run(&mut self) -> ControlFlow<()> {
        let read = match self.file.format {
            LogFormat::Lines => self.read_lines_file(),
            LogFormat::CompressedLines => self.read_compressed(),
            LogFormat::Document => self.read_document(),
            LogFormat::Database => self.read_database(),
        };
        read.unwrap_or_else(|error| {
            self.part.set_line(0);
            self.part.problem("", format!("could not be read: {}", reason(&error)));
            (self.on_part)(self.part.take(self.index, None, 0))
        })
    }

    fn must_stop(&self) -> bool {
        self.options.stop.load(Ordering::Relaxed)
    }

    fn read_lines_file(&mut self) -> io::Result<ControlFlow<()>> {
        let mut file = File::open(&self.file.path)?;
        let mut head = Vec::with_capacity(HEAD_BYTES);
        let head_bytes_max = u64::try_from(HEAD_BYTES).unwrap_or(u64::MAX);
        file.by_ref().take(head_bytes_max).read_to_end(&mut head)?;
        // Appended to: the beginning is the same, and nothing was cut off.
        let known = self.known.filter(|known| known.position <= self.file.bytes);
        let known = known.filter(|known| known.is_head(&head));
        let (position, lines) = known.map_or((0, 0), |known| (known.position, known.lines));
        self.progress.head = hash_of(&head);
        self.progress.head_bytes = u64::try_from(head.len()).unwrap_or(u64::MAX);
        let parser = LineParser::new(self.file, known.map(|known| known.state.as_str()));
        file.seek(SeekFrom::Start(position))?;
        self.read_lines(file, parser, position, lines)
    }

    /// Never appended to, so it is read from its beginning.
    fn read_compressed(&mut self) -> io::Result<ControlFlow<()>> {
        let file = BufReader::new(File::open(&self.file.path)?);
        let decoder = ruzstd::decoding::StreamingDecoder::new(file).map_err(io::Error::other)?;
        let parser = LineParser::new(self.file, None);
        self.read_lines(decoder, parser, 0, 0)
    }

    fn read_lines(
        &mut self,
        source: impl Read,
        mut parser: LineParser,
        position: u64,
        lines: u64,
    ) -> io::Result<ControlFlow<()>> {
        let mut reader = LineReader::new(source, position, LINE_BYTES_MAX);
        let (mut position, mut lines) = (position, lines);
        let changed = self.part.last_time();
        self.part = PartBuilder::new(self.file.tool, self.options.now, changed, lines + 1);
        while let Some(line) = reader.next_line()? {
            self.part.set_line(lines + 1);
            let is_consumed = match line {
                LogLine::Whole(line) => {
                    self.read_line(line, lines == 0, &mut parser);
                    true
                }
                LogLine::Unfinished(line) => self.read_unfinished(line, lines == 0, &mut parser),
                LogLine::TooLong(bytes) => {
                    let what = format!("is longer than {LINE_BYTES_MAX} bytes ({bytes})");
                    self.part.problem("", what);
                    true
                }
            };
            if !is_consumed {
                break;
            }
            (position, lines) = (reader.position(), lines + 1);
            let must_stop = lines % LINES_PER_CHECK == 0 && self.must_stop();
            if must_stop || self.part.len() >= RECORDS_PER_PART {
                let next = self.hand_out(position, lines, &parser, false);
                if must_stop || next.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        parser.finish(&mut self.part);
        Ok(self.hand_out(position, lines, &parser, true))
    }

    fn hand_out(
        &mut self,
        position: u64,
        lines: u64,
        parser: &LineParser,
        is_complete: bool,
    ) -> ControlFlow<()> {
        let progress = FileProgress {
            position,
            lines,
            state: parser.state(),
            is_complete,
            ..self.progress.clone()
        };
        (self.on_part)(self.part.take(self.index, Some(progress), lines + 1))
    }

    fn read_line(&mut self, line: &[u8], is_first: bool, parser: &mut LineParser) {
        let line = match line.strip_prefix(b"\xEF\xBB\xBF") {
            Some(rest) if is_first => rest,
            _ => line,
        };
        if is_first && (line.starts_with(b"\xFF\xFE") || line.starts_with(b"\xFE\xFF")) {
            self.part.problem("", "is UTF-16; session logs are UTF-8");
        }
        if line.is_empty() || !parser.is_wanted(line) {
            return;
        }
        match std::str::from_utf8(line) {
            Ok(text) => parser.read_line(text, &mut self.part),
            Err(error) => {
                // The damage is most likely in a text that is not needed.
                self.part.problem("", format!("is not UTF-8 at byte {}", error.valid_up_to() + 1));
                parser.read_line(&String::from_utf8_lossy(line), &mut self.part);
            }
        }
    }

    /// The last line without a line feed: used if it is whole; else it is left for the next import,
    /// since its tool may still be writing it.
    fn read_unfinished(&mut self, line: &[u8], is_first: bool, parser: &mut LineParser) -> bool {
        let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(line).is_ok();
        if is_whole {
            self.read_line(line, is_first, parser);
        } else {
            self.part.problem("", "ends in the middle, at the end of the file");
        }
        is_whole
    }

    fn read_document(&mut self) -> io::Result<ControlFlow<()>> {
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        File::open(&self.file.path)?.take(limit + 1).read_to_end(&mut bytes)?;
        self.part.set_line(1);
        if bytes.len() > LINE_BYTES_MAX {
            self.part.problem("", format!("is longer than {LINE_BYTES_MAX} bytes"));
        } else {
            let text = String::from_utf8_lossy(&bytes);
            if matches!(text, std::borrow::Cow::Owned(_)) {
                self.part.problem("", "is not UTF-8");
            }
            let text = text.trim_start_matches('\u{feff}');
            match self.file.tool {
                SessionTool::GeminiCli => {
                    let mut parser = GeminiCliParser::for_file(&self.file.path);
                    parser.read_document(text, &mut self.part);
                }
                _ => opencode::read_document(text, &mut self.part),
            }
        }
        let progress = FileProgress { is_complete: true, ..self.progress.clone() };
        Ok((self.on_part)(self.part.take(self.index, Some(progress), 0)))
    }

    fn read_database(&mut self) -> io::Result<ControlFlow<()>> {
        let since = self.known.map_or(0, |known| i64::try_from(known.position).unwrap_or(0));
        let (mut newest, mut is_stopped) = (since, false);
        let (index, on_part) = (self.index, self.on_part);
        let base = self.progress.clone();
        let progress = |newest: i64, is_complete| FileProgress {
            position: u64::try_from(newest).unwrap_or(0),
            is_complete,
            ..base.clone()
        };
        let (path, stop) = (&self.file.path, self.options.stop);
        let read = opencode::read_database(path, since, &mut self.part, |part, changed| {
            newest = changed.max(newest);
            if part.len() >= RECORDS_PER_PART {
                let taken = part.take(index, Some(progress(newest, false)), 0);
                is_stopped = on_part(taken).is_break() || stop.load(Ordering::Relaxed);
            }
            !is_stopped
        });
        if is_stopped {
            return Ok(ControlFlow::Break(()));
        }
        let progress = match read {
            Ok(()) => Some(progress(newest, true)),
            Err(error) => {
                let code = error.sqlite_error_code();
                let what = code.map_or_else(|| "unknown".to_owned(), |code| format!("{code:?}"));
                self.part.problem("", format!("is a database that could not be read: {what}"));
                None
            }
        };
        Ok(on_part(self.part.take(index, progress, 0)))
    }
}
