//! The limits of a plan, as Codex CLI wrote them down with its last answers.
//!
//! Codex repeats in each `token_count` what OpenAI's servers say of the account's windows: the share
//! that is used, how long the window is and when it starts again. The other tools write no limits.
//! Only the ends of the newest files are read, since an old figure is of no use; nothing is stored.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use domain::{SessionTool, WallTime};
use memchr::memmem;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::discovery::{LogFile, LogFormat, find_files};
use crate::roots::LogRoot;

/// Files that are looked into, newest first.
pub(crate) const PLAN_FILES_MAX: usize = 20;

/// The end of a file that is looked into; a single answer seldom has more after its count.
pub(crate) const PLAN_TAIL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Files that have not changed for longer are not looked into: the longest window is a week.
const AGE_MS_MAX: i64 = 8 * 24 * 3_600 * 1_000;

/// Longest name of a plan or of a limit, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Longest window that is believed: a year, in minutes.
const WINDOW_MINUTES_MAX: i64 = 366 * 24 * 60;

/// By how much clocks of this machine and the provider may differ: an hour.
const CLOCK_MS_MAX: i64 = 3_600 * 1_000;

/// How far two times of one window's end lie apart at most: ten minutes.
const SAME_WINDOW_MS: i64 = 600_000;

/// The id of the plan's own limit, also where none is told.
const OWN_LIMIT: &str = "codex";

/// What the account had used of one limit when an answer ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReading {
    pub tool: SessionTool,
    /// When a tool last wrote of it.
    pub read: WallTime,
    /// The provider's word, such as `plus`.
    pub plan: Option<String>,
    /// The provider's name of a limit of its own, for example for one model; None for the plan's.
    pub limit: Option<String>,
    /// The provider's id of the limit, by which readings of it are told apart.
    pub id: String,
    /// Shortest first; never empty.
    pub windows: Vec<PlanWindowReading>,
}

/// A window of a plan, as it was told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PlanWindowReading {
    pub minutes: i64,
    /// 0 to 100.
    pub used_percent: f64,
    pub resets: WallTime,
    /// When the tool wrote it.
    pub read: WallTime,
}

#[derive(Deserialize)]
struct Line<'a> {
    timestamp: &'a RawValue,
    #[serde(borrow)]
    payload: Payload<'a>,
}

#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow)]
    rate_limits: Limits<'a>,
}

/// Each field is read on its own, so that one of another shape costs only itself.
#[derive(Deserialize)]
struct Limits<'a> {
    #[serde(borrow)]
    limit_id: Option<&'a RawValue>,
    limit_name: Option<&'a RawValue>,
    plan_type: Option<&'a RawValue>,
    primary: Option<&'a RawValue>,
    secondary: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Window {
    used_percent: f64,
    window_minutes: i64,
    /// Seconds since 1970. Versions before October 2025 told the seconds from a line's time instead,
    /// which a copy of the line has not.
    resets_at: i64,
}

/// What was last told of each limit under `roots`, the plan's own first. Times after `now` are not
/// believed. Blocks; a file that cannot be read has no reading.
#[must_use]
pub fn read_plan_limits(roots: &[LogRoot], now: WallTime) -> Vec<PlanReading> {
    let is_codex = |root: &&LogRoot| root.tool == SessionTool::Codex;
    let roots: Vec<LogRoot> = roots.iter().filter(is_codex).cloned().collect();
    let mut files = find_files(&roots).files;
    let earliest_ms = now.unix_ms().saturating_sub(AGE_MS_MAX);
    files.retain(|file| file.format == LogFormat::Lines);
    files.retain(|file| file.modified_ns / 1_000_000 >= earliest_ms);
    files.sort_by_key(|file| std::cmp::Reverse(file.modified_ns));
    let mut limits: Vec<PlanReading> = Vec::new();
    for file in files.iter().take(PLAN_FILES_MAX) {
        for reading in read_file(file, now).unwrap_or_default() {
            match limits.iter_mut().find(|known| known.id == reading.id) {
                Some(known) => known.merge(reading),
                None => limits.push(reading),
            }
        }
    }
    limits.sort_by(|a, b| a.limit.cmp(&b.limit));
    limits
}

impl PlanReading {
    /// A session that was forked begins with its parent's lines, often with new times, so times do not
    /// tell which reading is newer. Within a window use only grows: of each length, the window that
    /// ends last counts, with the most that was told of it.
    fn merge(&mut self, other: Self) {
        for window in other.windows {
            match self.windows.iter_mut().find(|known| known.length() == window.length()) {
                Some(known) if known.is_before(&window) => *known = window,
                Some(_) => {}
                None => self.windows.push(window),
            }
        }
        self.windows.sort_by_key(|window| window.minutes);
        if other.read > self.read {
            (self.read, self.plan, self.limit) = (other.read, other.plan, other.limit);
        }
    }
}

impl PlanWindowReading {
    /// In minutes: windows are told as 299 minutes, too.
    #[must_use]
    pub const fn length(&self) -> i64 {
        if self.minutes % 60 == 59 { self.minutes + 1 } else { self.minutes }
    }

    fn is_before(&self, other: &Self) -> bool {
        let later_ms = other.resets.unix_ms().saturating_sub(self.resets.unix_ms());
        if later_ms.abs() <= SAME_WINDOW_MS {
            (self.used_percent, self.read) < (other.used_percent, other.read)
        } else {
            later_ms > 0
        }
    }
}

/// The last reading of each limit in the end of a file.
fn read_file(file: &LogFile, now: WallTime) -> io::Result<Vec<PlanReading>> {
    let mut source = File::open(&file.path)?;
    let start = source.metadata()?.len().saturating_sub(PLAN_TAIL_BYTES_MAX);
    source.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    source.take(PLAN_TAIL_BYTES_MAX).read_to_end(&mut tail)?;
    let mut last: Vec<PlanReading> = Vec::new();
    for line in tail.rsplit(|byte| *byte == b'\n') {
        if memmem::find(line, b"\"rate_limits\"").is_some()
            && let Some(reading) = read_line(line, now)
            && last.iter().all(|known| known.id != reading.id)
        {
            last.push(reading);
        }
    }
    Ok(last)
}

fn read_line(line: &[u8], now: WallTime) -> Option<PlanReading> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    let time: jiff::Timestamp = text(Some(line.timestamp))?.parse().ok()?;
    let read = WallTime::from_unix_ms(time.as_millisecond());
    let limits = line.payload.rate_limits;
    let windows = [limits.primary, limits.secondary].into_iter();
    let mut windows: Vec<_> = windows.filter_map(|raw| read_window(raw?, read)).collect();
    windows.sort_by_key(|window| window.minutes);
    let id = text(limits.limit_id).unwrap_or_else(|| OWN_LIMIT.to_owned());
    let limit = text(limits.limit_name).unwrap_or_else(|| id.clone());
    (read <= now && !windows.is_empty()).then(|| PlanReading {
        tool: SessionTool::Codex,
        read,
        plan: text(limits.plan_type),
        limit: (id != OWN_LIMIT).then_some(limit),
        id,
        windows,
    })
}

fn read_window(raw: &RawValue, read: WallTime) -> Option<PlanWindowReading> {
    let window: Window = serde_json::from_str(raw.get()).ok()?;
    let resets_ms = window.resets_at.checked_mul(1_000)?;
    let is_length = (1..=WINDOW_MINUTES_MAX).contains(&window.window_minutes);
    // It starts again within its length. A copied line may be of a window that is over.
    let latest_ms = window.window_minutes.saturating_mul(60_000).saturating_add(CLOCK_MS_MAX);
    let until_ms = resets_ms.saturating_sub(read.unix_ms());
    let is_plausible = is_length
        && (0.0..=100.0).contains(&window.used_percent)
        && (-AGE_MS_MAX..=latest_ms).contains(&until_ms);
    is_plausible.then(|| PlanWindowReading {
        minutes: window.window_minutes,
        used_percent: window.used_percent,
        resets: WallTime::from_unix_ms(resets_ms),
        read,
    })
}

/// A text that is not empty and not too long.
fn text(raw: Option<&RawValue>) -> Option<String> {
    let text: String = serde_json::from_str(raw?.get()).ok()?;
    (!text.is_empty() && text.chars().count() <= NAME_CHARS_MAX).then_some(text)
}
