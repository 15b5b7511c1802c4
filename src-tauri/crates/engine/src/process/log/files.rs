//! Log files: numbered, each limited in size, and limited in total size.
//!
//! `tracing-appender` limits by days, not bytes. `file-rotate` and `tracing-rolling-file` rename
//! files that another process (the window beside `gatehouse serve`) has open, which panics or
//! exceeds the limit. Here nothing is renamed: a full file is followed by the next number, and the
//! oldest files are deleted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Size at which a file is full, in bytes.
pub(crate) const LOG_FILE_BYTES_MAX: u64 = 1_000_000;

/// Maximum total size of all log files, in bytes, including those of older versions. Two processes
/// may fill a file each.
pub(crate) const LOG_BYTES_MAX: u64 = 10_000_000;

/// Maximum length of a line, in bytes; longer lines are dropped.
pub(crate) const LOG_LINE_BYTES_MAX: usize = 64_000;

const PREFIX: &str = "gatehouse.";
const SUFFIX: &str = ".log.json";

/// Appends lines to the newest file of a folder.
#[derive(Debug)]
pub(crate) struct LogFiles {
    folder: PathBuf,
    file: File,
    number: u64,
}

impl LogFiles {
    /// Opens the newest file of `folder`, or creates the first. Creates the folder if needed.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let newest = list_log_files(folder)?.into_iter().filter_map(|found| found.number).max();
        let number = newest.unwrap_or(1);
        let file =
            OpenOptions::new().create(true).append(true).open(log_file_path(folder, number))?;
        let files = Self { folder: folder.to_owned(), file, number };
        files.delete_oldest()?;
        Ok(files)
    }

    /// Switches to the next file. If another process has created it already, both share it.
    fn open_next_file(&mut self) -> io::Result<()> {
        let newest =
            list_log_files(&self.folder)?.into_iter().filter_map(|found| found.number).max();
        let mut number = newest.unwrap_or(0).max(self.number);
        loop {
            let next = OpenOptions::new()
                .create(true)
                .append(true)
                .open(log_file_path(&self.folder, number))?;
            if next.metadata()?.len() < LOG_FILE_BYTES_MAX {
                (self.file, self.number) = (next, number);
                break;
            }
            number += 1;
        }
        self.delete_oldest()
    }

    /// Deletes old files until there is room for two files to fill up: this one and another
    /// process's.
    fn delete_oldest(&self) -> io::Result<()> {
        let mut all = list_log_files(&self.folder)?;
        all.sort_by(|one, other| (one.number, &one.path).cmp(&(other.number, &other.path)));
        let mut bytes: u64 = all.iter().map(|found| found.bytes).sum();
        let room = 2 * (LOG_FILE_BYTES_MAX + LOG_LINE_BYTES_MAX as u64);
        for old in all.iter().filter(|found| found.number != Some(self.number)) {
            if bytes <= LOG_BYTES_MAX - room {
                break;
            }
            match fs::remove_file(&old.path) {
                // Another process was faster. Where deleting is forbidden because it still has the
                // file open, the file stays.
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(_kept) => continue,
                Ok(()) => {}
            }
            bytes = bytes.saturating_sub(old.bytes);
        }
        Ok(())
    }
}

impl Write for LogFiles {
    /// Expects a whole line per call.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if line.len() <= LOG_LINE_BYTES_MAX {
            // Read from the file, because another process may write to it too.
            if self.file.metadata()?.len() >= LOG_FILE_BYTES_MAX {
                self.open_next_file()?;
            }
            self.file.write_all(line)?;
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct LogFile {
    path: PathBuf,
    /// `None` for a file of an older version, which is named after a day.
    number: Option<u64>,
    bytes: u64,
}

fn log_file_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{PREFIX}{number:06}{SUFFIX}"))
}

/// Lists the log files in `folder`.
fn list_log_files(folder: &Path) -> io::Result<Vec<LogFile>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Some(middle) = name.strip_prefix(PREFIX).and_then(|it| it.strip_suffix(SUFFIX)) else {
            continue;
        };
        // Skip a file that another process has just deleted.
        let Ok(metadata) = entry.metadata() else { continue };
        let number = middle.parse().ok();
        all.push(LogFile { path: entry.path(), number, bytes: metadata.len() });
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(folder: &Path) -> u64 {
        list_log_files(folder).expect("readable").iter().map(|found| found.bytes).sum()
    }

    fn names(folder: &Path) -> Vec<String> {
        let name =
            |found: LogFile| found.path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut names: Vec<_> =
            list_log_files(folder).expect("readable").into_iter().map(name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_flood_from_two_processes_never_passes_the_limit_and_the_newest_lines_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut one = LogFiles::open(folder.path()).expect("a log");
        let mut other = LogFiles::open(folder.path()).expect("a log");
        let text = vec![b'x'; 999];
        for number in 0..20_000_u32 {
            let writer = if number % 3 == 0 { &mut other } else { &mut one };
            writer.write_all(&[&text[..], b"\n"].concat()).expect("written");
            if number % 500 == 0 {
                assert!(bytes(folder.path()) <= LOG_BYTES_MAX, "{number}");
            }
        }
        one.write_all(b"the last line\n").expect("written");
        let all = bytes(folder.path());
        assert!((LOG_BYTES_MAX - 4 * LOG_FILE_BYTES_MAX..=LOG_BYTES_MAX).contains(&all), "{all}");
        let newest = log_file_path(folder.path(), one.number);
        assert!(fs::read(newest).expect("readable").ends_with(b"the last line\n"));
    }

    #[test]
    fn a_file_takes_lines_up_to_its_limit_and_a_restart_goes_on_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = LogFiles::open(folder.path()).expect("a log");
        files.write_all(&vec![b'x'; LOG_LINE_BYTES_MAX]).expect("written");
        files.write_all(&vec![b'x'; LOG_LINE_BYTES_MAX + 1]).expect("left out");
        assert_eq!(bytes(folder.path()), LOG_LINE_BYTES_MAX as u64);
        drop(files);
        let first = log_file_path(folder.path(), 1);
        let file = OpenOptions::new().write(true).open(&first).expect("the file");
        file.set_len(LOG_FILE_BYTES_MAX - 1).expect("grown");
        let mut files = LogFiles::open(folder.path()).expect("a log");
        files.write_all(b"ab").expect("written");
        assert_eq!(names(folder.path()), ["gatehouse.000001.log.json"]);
        files.write_all(b"c").expect("written");
        assert_eq!(
            names(folder.path()),
            ["gatehouse.000001.log.json", "gatehouse.000002.log.json"]
        );
    }

    #[test]
    fn logs_of_older_versions_count_and_go_first_and_other_files_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, length) in [
            ("gatehouse.2026-11-01.log.json", 466_000_000),
            ("gatehouse.2026-11-02.log.json", 1_000),
            ("notes.txt", 20_000_000),
        ] {
            let file = File::create(folder.path().join(name)).expect("a file");
            file.set_len(length).expect("grown");
        }
        drop(LogFiles::open(folder.path()).expect("a log"));
        let expected = ["gatehouse.000001.log.json", "gatehouse.2026-11-02.log.json"];
        assert_eq!(names(folder.path()), expected);
        assert!(folder.path().join("notes.txt").exists());
    }

    #[test]
    fn a_file_that_somebody_deleted_is_no_end_of_the_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut files = LogFiles::open(folder.path()).expect("a log");
        fs::remove_file(log_file_path(folder.path(), 1)).expect("deleted");
        files.write_all(b"lost\n").expect("written");
        files.file.set_len(LOG_FILE_BYTES_MAX).expect("grown");
        files.write_all(b"kept\n").expect("written");
        assert_eq!(bytes(folder.path()), 5);
    }
}
