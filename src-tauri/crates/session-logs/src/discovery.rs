//! Lists log files: regular files under the tools' folders, found by name and place.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use domain::SessionTool;
use walkdir::{DirEntry, WalkDir};

use crate::roots::LogRoot;

/// Most files in one import; the rest is reported.
pub const FILES_MAX: usize = 500_000;

/// Deepest folder under a root that is looked into.
pub const FOLDER_DEPTH_MAX: usize = 12;

/// A log file as it was when it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    pub tool: SessionTool,
    pub(crate) format: LogFormat,
    pub path: PathBuf,
    /// With the log of changes, if it is a database.
    pub bytes: u64,
    pub modified_ns: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// One JSON object a line, appended to.
    Lines,
    /// The same, compressed and no longer appended to.
    CompressedLines,
    /// One JSON document, written anew each time.
    Document,
    Database,
}

/// What was found, and the places that could not be looked into, with the reason.
#[derive(Debug, Clone, Default)]
pub struct LogScan {
    pub files: Vec<LogFile>,
    pub skipped: Vec<(PathBuf, String)>,
}

/// Lists the log files under `roots` in the order of their paths. A root that does not exist has
/// none. A root may be a link; links below it are skipped with a reason.
#[must_use]
pub fn find_files(roots: &[LogRoot]) -> LogScan {
    let mut scan = LogScan::default();
    for root in roots {
        match root.path.canonicalize() {
            Ok(real) => scan_root(root.tool, &real, &mut scan),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => scan.skipped.push((root.path.clone(), reason(&error))),
        }
    }
    scan.files.sort_by(|a, b| a.path.cmp(&b.path));
    scan.files.dedup_by(|a, b| a.path == b.path);
    scan
}

fn scan_root(tool: SessionTool, root: &Path, scan: &mut LogScan) {
    let walk = WalkDir::new(root).follow_links(false).max_depth(FOLDER_DEPTH_MAX);
    for entry in walk.into_iter().filter_entry(|entry| is_wanted_folder(tool, entry)) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                let what = error.io_error().map_or_else(|| "is a circle".to_owned(), reason);
                scan.skipped.push((path, what));
                continue;
            }
        };
        let format = format_of(tool, root, entry.path());
        if entry.file_type().is_symlink() {
            if format.is_some() || entry.path().is_dir() {
                let what = "is a link, which is not followed".to_owned();
                scan.skipped.push((entry.into_path(), what));
            }
        } else if let Some(format) = format.filter(|_| entry.file_type().is_file()) {
            if scan.files.len() >= FILES_MAX {
                let what = format!("only {FILES_MAX} files are read");
                scan.skipped.push((entry.into_path(), what));
                return;
            }
            match entry.metadata().map_err(io::Error::from) {
                Ok(metadata) => scan.files.push(log_file(tool, format, entry.path(), &metadata)),
                Err(error) => scan.skipped.push((entry.into_path(), reason(&error))),
            }
        }
    }
}

/// OpenCode's folder also holds copies of projects and packages, which are large.
fn is_wanted_folder(tool: SessionTool, entry: &DirEntry) -> bool {
    if tool != SessionTool::OpenCode || !entry.file_type().is_dir() {
        return true;
    }
    match (entry.depth(), entry.file_name().to_str()) {
        (1, name) => name == Some("storage"),
        (2, name) => name == Some("message"),
        _ => true,
    }
}

fn format_of(tool: SessionTool, root: &Path, path: &Path) -> Option<LogFormat> {
    let name = path.file_name()?.to_str()?;
    let has_end = |end: &str| name.ends_with(end);
    match tool {
        SessionTool::ClaudeCode => has_end(".jsonl").then_some(LogFormat::Lines),
        SessionTool::Codex if has_end(".jsonl.zst") => Some(LogFormat::CompressedLines),
        SessionTool::Codex => has_end(".jsonl").then_some(LogFormat::Lines),
        SessionTool::GeminiCli => {
            let inside = path.strip_prefix(root).ok()?;
            let is_chat = inside.components().nth(1)?.as_os_str() == "chats";
            match () {
                () if !is_chat || name.contains(".tmp") => None,
                () if has_end(".jsonl") => Some(LogFormat::Lines),
                () => has_end(".json").then_some(LogFormat::Document),
            }
        }
        SessionTool::OpenCode if path == root => Some(LogFormat::Database),
        SessionTool::OpenCode if has_end(".db") && name.starts_with("opencode") => {
            (path.parent() == Some(root)).then_some(LogFormat::Database)
        }
        SessionTool::OpenCode => {
            (has_end(".json") && name.starts_with("msg_")).then_some(LogFormat::Document)
        }
    }
}

fn log_file(tool: SessionTool, format: LogFormat, path: &Path, metadata: &Metadata) -> LogFile {
    let (mut bytes, mut modified_ns) = (metadata.len(), modified_ns(metadata));
    if format == LogFormat::Database
        && let Ok(changes) = std::fs::metadata(sqlite_file::wal_path(path))
    {
        bytes = bytes.saturating_add(changes.len());
        modified_ns = modified_ns.max(self::modified_ns(&changes));
    }
    LogFile { tool, format, path: path.to_owned(), bytes, modified_ns }
}

fn modified_ns(metadata: &Metadata) -> i64 {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    modified.map_or(0, |since| i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// The system's words for an error, which name no content.
pub(crate) fn reason(error: &io::Error) -> String {
    error.kind().to_string()
}
