//! The files to look into, and their text.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};
use zeroize::Zeroizing;

use crate::known_file::KNOWN_FILES;
use crate::report::ScanProblem;

/// Largest file that is read, in bytes. Files with keys have a few kilobytes; Claude Code's
/// `~/.claude.json` can have a megabyte.
pub const FILE_BYTES_MAX: u64 = 4 << 20;

/// Most files that are read.
pub const FILES_MAX: usize = 2_000;

/// Levels of folders below a named one that are looked into.
pub const FOLDER_DEPTH_MAX: usize = 6;

/// Folders that hold what others wrote, and much of it.
const SKIPPED_FOLDERS: [&str; 8] =
    [".git", "node_modules", "target", "venv", ".venv", "__pycache__", "dist", "vendor"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ScanFile {
    pub(crate) path: PathBuf,
    pub(crate) reader: Option<&'static str>,
}

/// The known files that exist, and those that `named` leads to.
pub(crate) fn find_files(
    home: Option<&Path>,
    named: &[PathBuf],
) -> (Vec<ScanFile>, Vec<ScanProblem>) {
    let mut files: Vec<ScanFile> = Vec::new();
    let mut problems = Vec::new();
    if let Some(home) = home {
        let known = KNOWN_FILES.iter();
        let known =
            known.map(|file| ScanFile { path: home.join(file.path), reader: Some(file.reader) });
        files.extend(known.filter(|file| file.path.is_file()));
    }
    for path in named {
        let found = find_named(path, &mut problems);
        let is_new = |path: &PathBuf| files.iter().all(|file| file.path != *path);
        let new: Vec<_> = found.into_iter().filter(is_new).collect();
        files.extend(new.into_iter().map(|path| ScanFile { path, reader: None }));
    }
    if let Some(first) = files.get(FILES_MAX) {
        let what = format!("was not read, nor were those after it: at most {FILES_MAX} files are");
        problems.push(ScanProblem { path: first.path.clone(), what });
        files.truncate(FILES_MAX);
    }
    (files, problems)
}

/// The file itself, or the `.env` files of a folder.
fn find_named(path: &Path, problems: &mut Vec<ScanProblem>) -> Vec<PathBuf> {
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) => {
            problems.push(ScanProblem::unreadable(path, &error));
            return Vec::new();
        }
    };
    if !metadata.is_dir() {
        return vec![path.to_owned()];
    }
    let walk = WalkDir::new(path).max_depth(FOLDER_DEPTH_MAX).sort_by_file_name();
    let mut found = Vec::new();
    for entry in walk.into_iter().filter_entry(|entry| !is_skipped(entry)) {
        match entry {
            Ok(entry) if is_env_file(&entry, path) => found.push(entry.into_path()),
            Ok(_) => {}
            Err(error) => {
                let place = error.path().unwrap_or(path).to_owned();
                let what = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                problems.push(ScanProblem { path: place, what: format!("cannot be read: {what}") });
            }
        }
    }
    found
}

fn is_skipped(entry: &DirEntry) -> bool {
    let named = |name: &str| entry.file_name() == name;
    entry.depth() > 0 && entry.file_type().is_dir() && SKIPPED_FOLDERS.iter().any(|n| named(n))
}

/// `.env`, `.env.local`, `production.env`; `.env.example` too, since some hold a real key. A link
/// counts if it leads to a place in `folder`, which the user named; no other project is read.
fn is_env_file(entry: &DirEntry, folder: &Path) -> bool {
    let name = entry.file_name().to_string_lossy();
    let stays_inside = || {
        let (target, folder) = (entry.path().canonicalize(), folder.canonicalize());
        target.ok().zip(folder.ok()).is_some_and(|(target, folder)| target.starts_with(folder))
    };
    let is_file = entry.file_type().is_file() || (entry.path_is_symlink() && stays_inside());
    is_file && (name == ".env" || name.starts_with(".env.") || name.ends_with(".env"))
}

/// The text of a file. Bytes that are no UTF-8 are replaced: a key has none.
pub(crate) fn read_text(path: &Path) -> Result<Zeroizing<String>, ScanProblem> {
    let unreadable = |error: std::io::Error| ScanProblem::unreadable(path, &error);
    let problem = |what: String| ScanProblem { path: path.to_owned(), what };
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err(problem("is not a regular file".to_owned()));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let opened = File::open(path).map_err(unreadable)?;
    opened.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(problem(format!("has more than {} MiB", FILE_BYTES_MAX >> 20)));
    }
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}
