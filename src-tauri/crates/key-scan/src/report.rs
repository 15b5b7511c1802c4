//! What a scan found.

use std::io;
use std::path::{Path, PathBuf};

use domain::Secret;

use crate::candidate::{KeyCandidate, candidate, find_candidates};
use crate::files::{ScanFile, find_files, read_text};
use crate::plain_key::{KeyPlace, PlainKey};

/// Most keys in a report.
pub(crate) const KEYS_MAX: usize = 200;

/// Most places of one key in a report.
pub(crate) const PLACES_MAX: usize = 20;

/// Problems of a report; a folder without permission has one for each of its own.
const PROBLEMS_MAX: usize = 50;

/// Keys in plain text, in the order in which they were found.
#[derive(Debug, Default)]
pub struct ScanReport {
    pub keys: Vec<PlainKey>,
    /// Files that were read.
    pub files: usize,
    pub problems: Vec<ScanProblem>,
    /// True if there are more keys or places than a report has.
    pub is_truncated: bool,
}

/// A file or folder that could not be looked into. Holds nothing of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanProblem {
    pub path: PathBuf,
    /// Continues a sentence that begins with the path.
    pub what: String,
}

impl ScanProblem {
    pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self { path: path.to_owned(), what: format!("cannot be read: {error}") }
    }
}

/// Looks into the known files below `home`, if it is given, and into the files and folders in
/// `named`.
#[must_use]
pub fn scan(home: Option<&Path>, named: &[PathBuf]) -> ScanReport {
    let (files, problems) = find_files(home, named);
    let mut report = ScanReport { problems, ..ScanReport::default() };
    for file in &files {
        match read_text(&file.path) {
            Ok(text) => {
                report.files += 1;
                report.add_file(file, &text);
            }
            Err(problem) => report.problems.push(problem),
        }
    }
    report.is_truncated |= report.problems.len() > PROBLEMS_MAX;
    report.problems.truncate(PROBLEMS_MAX);
    report
}

/// The key in a variable of an environment, by the same rules; it has no place in a file.
#[must_use]
pub fn key_in_variable(name: &str, secret: &Secret) -> Option<PlainKey> {
    let KeyCandidate { provider, .. } = candidate(Some(name), secret.expose())?;
    Some(PlainKey { secret: secret.clone(), provider, places: Vec::new() })
}

impl ScanReport {
    fn add_file(&mut self, file: &ScanFile, text: &str) {
        for (number, line) in (1..).zip(text.lines()) {
            for candidate in find_candidates(line) {
                self.add(file, number, &candidate);
            }
        }
    }

    fn add(&mut self, file: &ScanFile, line: usize, candidate: &KeyCandidate<'_>) {
        let Ok(secret) = Secret::parse(candidate.value.to_owned()) else { return };
        let name = candidate.name.map(str::to_owned);
        let place = KeyPlace { path: file.path.clone(), line, name, reader: file.reader };
        let is_full = self.keys.len() >= KEYS_MAX;
        match self.keys.iter_mut().find(|key| key.secret == secret) {
            Some(known) => {
                // A later place may tell whose key it is.
                known.provider = known.provider.or(candidate.provider);
                let has_room = known.places.len() < PLACES_MAX;
                self.is_truncated |= !has_room;
                known.places.extend(Some(place).filter(|_| has_room));
            }
            None if !is_full => {
                let provider = candidate.provider;
                self.keys.push(PlainKey { secret, provider, places: vec![place] });
            }
            None => self.is_truncated = true,
        }
    }
}
