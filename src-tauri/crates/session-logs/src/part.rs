//! Collects what a file yields until there is enough to be stored.

use std::borrow::Cow;
use std::collections::HashMap;

use domain::{SessionTool, WallTime};

use crate::progress::FileProgress;
use crate::record::{LogProblem, RecordKey, UsageRecord};

/// Most problems of a part that are listed; all are counted.
pub(crate) const PROBLEMS_PER_PART_MAX: usize = 100;

/// New usage of one file. Storing the records together with `progress` in one transaction makes an
/// import resumable: after a kill it goes on behind the last stored part.
#[derive(Debug, Clone)]
pub struct FilePart {
    /// Index of the file in the list that [`crate::read_files`] got.
    pub file: usize,
    /// One for each key, the one that replaces the others.
    pub records: Vec<UsageRecord>,
    /// At most `PROBLEMS_PER_PART_MAX`.
    pub problems: Vec<LogProblem>,
    pub problems_total: u64,
    /// Problems of an earlier import from this line on are out of date.
    pub from_line: u64,
    /// `None` if the file could not be read; it is tried again the next time.
    pub progress: Option<FileProgress>,
    pub is_last: bool,
}

/// The records and problems of a part in the making, and where the reading is.
#[derive(Debug)]
pub(crate) struct PartBuilder {
    tool: SessionTool,
    now: WallTime,
    last_time: WallTime,
    line: u64,
    /// What since the last record may cost money and is not understood, or a wrong count.
    unread: Option<Cow<'static, str>>,
    from_line: u64,
    records: Vec<UsageRecord>,
    places: HashMap<RecordKey, usize>,
    problems: Vec<LogProblem>,
    problems_total: u64,
}

impl PartBuilder {
    /// `changed`: when the file was changed, for records whose own time cannot be used.
    pub(crate) fn new(tool: SessionTool, now: WallTime, changed: WallTime, line: u64) -> Self {
        Self {
            tool,
            now,
            last_time: changed.min(now),
            line,
            unread: None,
            from_line: line,
            records: Vec::new(),
            places: HashMap::new(),
            problems: Vec::new(),
            problems_total: 0,
        }
    }

    pub(crate) const fn tool(&self) -> SessionTool {
        self.tool
    }

    pub(crate) const fn now(&self) -> WallTime {
        self.now
    }

    pub(crate) const fn last_time(&self) -> WallTime {
        self.last_time
    }

    pub(crate) const fn set_last_time(&mut self, time: WallTime) {
        self.last_time = time;
    }

    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    pub(crate) fn set_line(&mut self, line: u64) {
        self.line = line;
        self.unread = None;
    }

    /// Notes why the next record has no price. The first one counts.
    pub(crate) fn note_unread(&mut self, what: impl Into<Cow<'static, str>>) {
        self.unread.get_or_insert_with(|| what.into());
    }

    pub(crate) const fn take_unread(&mut self) -> Option<Cow<'static, str>> {
        self.unread.take()
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn problem(&mut self, field: &str, what: impl Into<String>) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_PER_PART_MAX {
            let (line, field) = (self.line, field.to_owned());
            self.problems.push(LogProblem { line, field, what: what.into() });
        }
    }

    /// Adds a record unless one of its key is as good. Answers without tokens are none.
    pub(crate) fn add(&mut self, mut record: UsageRecord) {
        record.unread = record.unread.or(self.take_unread());
        if record.usage.total() == 0 && record.web_searches == 0 {
            return;
        }
        match self.places.get(&record.key).and_then(|place| self.records.get_mut(*place)) {
            Some(known) if record.replaces(known) => *known = record,
            Some(_) => {}
            None => {
                self.places.insert(record.key, self.records.len());
                self.records.push(record);
            }
        }
    }

    /// The part so far; the next one begins at `next_line`.
    pub(crate) fn take(
        &mut self,
        file: usize,
        progress: Option<FileProgress>,
        next_line: u64,
    ) -> FilePart {
        self.places.clear();
        let from_line = std::mem::replace(&mut self.from_line, next_line);
        FilePart {
            file,
            records: std::mem::take(&mut self.records),
            problems: std::mem::take(&mut self.problems),
            problems_total: std::mem::take(&mut self.problems_total),
            from_line,
            is_last: progress.as_ref().is_none_or(|progress| progress.is_complete),
            progress,
        }
    }
}
