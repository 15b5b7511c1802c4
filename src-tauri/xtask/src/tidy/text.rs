//! Checks that need no parser: file size, names, forgotten notes.

use super::{FILE_BYTES_MAX, TidyRule, Violation};

/// Filler words in names. Compared in lower case and without a plural's `s`.
const BANNED_WORDS: [&str; 6] = ["manager", "helper", "util", "service", "misc", "common"];

/// Forgotten notes. Split in halves, so that this list does not match itself.
const LEFTOVERS: [&str; 4] =
    [concat!("FIX", "ME"), concat!("XX", "X"), concat!("TO", "DO"), concat!("(to be ", "written)")];

/// Endings of hand-written files; generated files and drawings are not checked.
const HANDWRITTEN_EXTENSIONS: [&str; 8] = ["rs", "ts", "tsx", "css", "html", "toml", "md", "sh"];

/// Where a test may be marked `#[ignore]`: these files have steps of their own that run such tests.
const IGNORED_ALLOWED: [&str; 4] =
    ["tests/window.rs", "tests/window/", "tests/sdk.rs", "tests/sdk/"];

/// The argument of a test program that starts its own ignored tests inside a session.
const STARTS_IGNORED: &str = concat!("\"--", "ignored\"");

/// Keywords that start a type in TypeScript.
const TYPE_WORDS: [&str; 4] = ["class ", "interface ", "type ", "enum "];

/// Checks a file's path and size.
pub(super) fn check_path(path: &str, bytes: usize) -> Vec<Violation> {
    let mut faults = Vec::new();
    let mut fault = |rule, says, measure| {
        faults.push(Violation { rule, path: path.to_owned(), line: 1, message: says, measure });
    };
    if bytes > FILE_BYTES_MAX {
        fault(
            TidyRule::FileSize,
            format!("{bytes} bytes, at most {FILE_BYTES_MAX} are kept"),
            bytes,
        );
    }
    let folder_or_stem = path.split('/').map(|part| part.split('.').next().unwrap_or(part));
    for part in folder_or_stem {
        if let Some(word) = banned_word(part) {
            fault(TidyRule::Name, format!("the path says \"{word}\", which names nothing"), 1);
        }
    }
    if path.starts_with("ui/src/") && (path.ends_with("/index.ts") || path.ends_with("/index.tsx"))
    {
        fault(TidyRule::Barrel, "no barrels: import from the file that has it".to_owned(), 1);
    }
    faults
}

/// Checks a file's text.
pub(super) fn check_contents(path: &str, source: &str) -> Vec<Violation> {
    let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
    if !HANDWRITTEN_EXTENSIONS.contains(&ending) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    for (index, line) in source.lines().enumerate() {
        let mut fault = |rule, says| {
            faults.push(Violation {
                rule,
                path: path.to_owned(),
                line: index + 1,
                message: says,
                measure: 1,
            });
        };
        for leftover in LEFTOVERS.into_iter().filter(|word| has_word(line, word)) {
            fault(
                TidyRule::Leftover,
                format!("\"{leftover}\": do it, or write it down outside the code"),
            );
        }
        let has_step = IGNORED_ALLOWED.iter().any(|place| path.starts_with(place));
        if line.trim_start().starts_with("#[ignore") && !has_step {
            fault(TidyRule::NeverRun, "no step runs an ignored test of this file".to_owned());
        }
        let name = if ending.starts_with("ts") { typescript_type(line) } else { None };
        if let Some(word) = name.and_then(banned_word) {
            fault(TidyRule::Name, format!("the type's name says \"{word}\", which names nothing"));
        }
    }
    faults
}

/// Removes the faults of ignored tests that a file of the same test program starts itself.
/// `sources` holds paths and texts.
pub(super) fn remove_self_started(faults: &mut Vec<Violation>, sources: &[(String, String)]) {
    faults.retain(|fault| {
        let module = format!("{}/", fault.path.trim_end_matches(".rs"));
        let mut program =
            sources.iter().filter(|(path, _)| *path == fault.path || path.starts_with(&module));
        fault.rule != TidyRule::NeverRun || !program.any(|(_, text)| text.contains(STARTS_IGNORED))
    });
}

/// The first banned word in a name, in any case style. A service is something that is watched, so
/// the word may begin a name or stand inside it (`ServiceKind`); at the end it names nothing
/// (`KeyService`).
pub(super) fn banned_word(name: &str) -> Option<&'static str> {
    let mut words = split_words(name);
    words.retain(|word| !word.is_empty());
    words.iter().enumerate().find_map(|(place, word)| {
        let is_last = place + 1 == words.len();
        let banned = |banned: &&str| word == banned || word.strip_suffix('s') == Some(*banned);
        let found = BANNED_WORDS.into_iter().find(banned)?;
        let is_term = found == "service" && (place == 0 || !is_last);
        (!is_term).then_some(found)
    })
}

/// Splits `BackendKind`, `backend_kind` or `backend-kind` into `backend` and `kind`.
fn split_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for character in name.chars() {
        if !character.is_alphanumeric() || character.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    words
}

fn has_word(line: &str, word: &str) -> bool {
    let part_of_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    line.match_indices(word).any(|(start, _)| {
        let before = line.get(..start).and_then(|text| text.chars().next_back());
        let after = line.get(start + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part_of_a_name) && !after.is_some_and(part_of_a_name)
    })
}

fn typescript_type(line: &str) -> Option<&str> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let line = line.strip_prefix("declare ").unwrap_or(line);
    let name = TYPE_WORDS.into_iter().find_map(|word| line.strip_prefix(word))?;
    name.split(|c: char| !c.is_alphanumeric()).next()
}
