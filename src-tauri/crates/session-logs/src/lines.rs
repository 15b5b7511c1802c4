//! Cuts a stream into lines, with a limit on their length.

use std::io::{self, Read};

use memchr::memchr;

/// Longest line that is read; a longer one is skipped without being held in memory.
pub(crate) const LINE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// First size of the buffer. Most lines are shorter, and most files are.
const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LogLine<'a> {
    /// Without the line feed.
    Whole(&'a [u8]),
    /// The last one, without a line feed: it may still be being written.
    Unfinished(&'a [u8]),
    /// Longer than the limit: its bytes.
    TooLong(u64),
}

/// Reads lines from `source`.
pub(crate) struct LineReader<R> {
    source: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    line_bytes_max: usize,
    /// Offset in the source of the first byte that is not yet returned.
    position: u64,
}

impl<R: Read> LineReader<R> {
    pub(crate) fn new(source: R, position: u64, line_bytes_max: usize) -> Self {
        let buffer = vec![0; BUFFER_BYTES.min(line_bytes_max.saturating_add(1))];
        Self { source, buffer, start: 0, end: 0, line_bytes_max, position }
    }

    /// Offset in the source after the last returned line and its line feed.
    pub(crate) const fn position(&self) -> u64 {
        self.position
    }

    /// The next line; `None` at the end.
    pub(crate) fn next_line(&mut self) -> io::Result<Option<LogLine<'_>>> {
        let mut searched = self.start;
        loop {
            let rest = self.buffer.get(searched..self.end).unwrap_or_default();
            if let Some(found) = memchr(b'\n', rest) {
                let line = self.start..searched + found;
                self.start = line.end + 1;
                self.position += as_u64(line.len() + 1);
                return Ok(self.buffer.get(line).map(LogLine::Whole));
            }
            if self.end - self.start > self.line_bytes_max {
                return self.skip_long_line().map(Some);
            }
            searched = self.end - self.start;
            if self.fill()? == 0 {
                let line = self.start..self.end;
                if line.is_empty() {
                    return Ok(None);
                }
                self.start = line.end;
                self.position += as_u64(line.len());
                return Ok(self.buffer.get(line).map(LogLine::Unfinished));
            }
        }
    }

    /// Moves what is left to the beginning and reads more behind it.
    fn fill(&mut self) -> io::Result<usize> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            let larger = (self.buffer.len() * 2).min(self.line_bytes_max.saturating_add(1));
            self.buffer.resize(larger.max(self.end + 1), 0);
        }
        let free = self.buffer.get_mut(self.end..).unwrap_or_default();
        let read = read_retrying(&mut self.source, free)?;
        self.end += read;
        Ok(read)
    }

    /// Reads on to the next line feed and keeps nothing before it.
    fn skip_long_line(&mut self) -> io::Result<LogLine<'_>> {
        let mut bytes = as_u64(self.end - self.start);
        loop {
            let read = read_retrying(&mut self.source, &mut self.buffer)?;
            (self.start, self.end) = (0, read);
            let chunk = self.buffer.get(..read).unwrap_or_default();
            let feed = memchr(b'\n', chunk);
            bytes += as_u64(feed.unwrap_or(read));
            if feed.is_some() || read == 0 {
                self.start = feed.map_or(read, |at| at + 1);
                self.position += bytes + u64::from(feed.is_some());
                return Ok(LogLine::TooLong(bytes));
            }
        }
    }
}

fn read_retrying(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match source.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

fn as_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives a few bytes at a time, so that lines are cut anywhere.
    struct Trickle<'a>(&'a [u8], usize);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let step = self.1.min(buffer.len());
            self.0.read(&mut buffer[..step])
        }
    }

    fn read_all(text: &[u8], step: usize, limit: usize) -> Vec<(String, u64)> {
        let mut lines = LineReader::new(Trickle(text, step), 0, limit);
        let mut read = Vec::new();
        loop {
            let told = match lines.next_line().expect("memory is readable") {
                None => return read,
                Some(LogLine::Whole(line)) => String::from_utf8_lossy(line).into_owned(),
                Some(LogLine::Unfinished(line)) => format!("{}…", String::from_utf8_lossy(line)),
                Some(LogLine::TooLong(bytes)) => format!("<{bytes} bytes>"),
            };
            read.push((told, lines.position()));
        }
    }

    #[test]
    fn lines_end_at_line_feeds_and_the_last_may_be_unfinished() {
        let told = |text: &str| read_all(text.as_bytes(), 3, 100);
        assert_eq!(
            told("ab\n\ncdefgh\nij"),
            [("ab".into(), 3), (String::new(), 4), ("cdefgh".into(), 11), ("ij…".into(), 13)]
        );
        assert_eq!(told(""), []);
    }

    #[test]
    fn a_long_line_is_skipped_with_its_length_and_the_next_is_whole() {
        let text = format!("a\n{}\nb\n{}", "x".repeat(5_000), "y".repeat(300));
        for step in [1, 7, 100_000] {
            assert_eq!(
                read_all(text.as_bytes(), step, 100),
                [
                    ("a".into(), 2),
                    ("<5000 bytes>".into(), 5_003),
                    ("b".into(), 5_005),
                    ("<300 bytes>".into(), 5_305)
                ]
            );
        }
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_in_any_cut(
            lines in proptest::collection::vec("[a-z]{0,40}", 0..20), step in 1usize..50,
        ) {
            let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
            let read = read_all(text.as_bytes(), step, 64);
            let told: Vec<_> = read.iter().map(|(line, _)| line.clone()).collect();
            prop_assert_eq!(told, lines);
            let end = read.last().map_or(0, |(_, position)| *position);
            prop_assert_eq!(usize::try_from(end), Ok(text.len()));
        }
    }
}
