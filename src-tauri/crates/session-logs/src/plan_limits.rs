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
pub const PLAN_FILES_MAX: usize = 20;

/// The end of a file that is looked into; a single answer seldom has more after its count.
pub const PLAN_TAIL_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Files that have not changed for longer are not looked into: the longest window is a week.
const AGE_MS_MAX: i64 = 8 * 24 * 3_600 * 1_000;

/// Longest name of a plan or of a limit, in characters.
const NAME_CHARS_MAX: usize = 64;

/// Longest window that is believed: a year, in minutes.
const WINDOW_MINUTES_MAX: i64 = 366 * 24 * 60;

/// What the account had used of one limit when an answer ended.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanReading {
    pub tool: SessionTool,
    /// When the tool wrote it.
    pub read: WallTime,
    /// The provider's word, such as `plus`.
    pub plan: Option<String>,
    /// The provider's name of a limit of its own, for example for one model; None for the plan's.
    pub limit: Option<String>,
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
    /// Seconds since 1970.
    resets_at: Option<i64>,
    /// Seconds from the line's time, in versions of 2025.
    resets_in_seconds: Option<i64>,
}

/// The newest reading of each limit under `roots`, the plan's own first. Times after `now` are not
/// believed. Blocks; a file that cannot be read has no reading.
#[must_use]
pub fn read_plan_limits(roots: &[LogRoot], now: WallTime) -> Vec<PlanReading> {
    let mut files = find_files(roots).files;
    let earliest_ms = now.unix_ms().saturating_sub(AGE_MS_MAX);
    files.retain(|file| file.tool == SessionTool::Codex && file.format == LogFormat::Lines);
    files.retain(|file| file.modified_ns / 1_000_000 >= earliest_ms);
    files.sort_by_key(|file| std::cmp::Reverse(file.modified_ns));
    let mut newest: Vec<PlanReading> = Vec::new();
    for file in files.iter().take(PLAN_FILES_MAX) {
        for reading in read_file(file, now).unwrap_or_default() {
            match newest.iter_mut().find(|known| known.limit == reading.limit) {
                Some(known) if known.read < reading.read => *known = reading,
                Some(_) => {}
                None => newest.push(reading),
            }
        }
    }
    newest.sort_by(|a, b| a.limit.cmp(&b.limit));
    newest
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
        if memmem::find(line, b"\"rate_limits\"").is_none() {
            continue;
        }
        if let Some(reading) = read_line(line, now)
            && last.iter().all(|known| known.limit != reading.limit)
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
    let is_own = text(limits.limit_id).is_none_or(|id| id == "codex");
    let limit = text(limits.limit_name).or_else(|| text(limits.limit_id));
    (read <= now && !windows.is_empty()).then(|| PlanReading {
        tool: SessionTool::Codex,
        read,
        plan: text(limits.plan_type),
        limit: limit.filter(|_| !is_own),
        windows,
    })
}

fn read_window(raw: &RawValue, read: WallTime) -> Option<PlanWindowReading> {
    let window: Window = serde_json::from_str(raw.get()).ok()?;
    let resets_ms = match (window.resets_at, window.resets_in_seconds) {
        (Some(at), _) => at.checked_mul(1_000)?,
        (None, Some(seconds)) => read.unix_ms().checked_add(seconds.checked_mul(1_000)?)?,
        (None, None) => return None,
    };
    let is_plausible = (0.0..=100.0).contains(&window.used_percent)
        && (1..=WINDOW_MINUTES_MAX).contains(&window.window_minutes);
    is_plausible.then(|| PlanWindowReading {
        minutes: window.window_minutes,
        used_percent: window.used_percent,
        resets: WallTime::from_unix_ms(resets_ms),
    })
}

/// A text that is not empty and not too long.
fn text(raw: Option<&RawValue>) -> Option<String> {
    let text: String = serde_json::from_str(raw?.get()).ok()?;
    (!text.is_empty() && text.chars().count() <= NAME_CHARS_MAX).then_some(text)
}
