//! One file with its copies emptied, thought through and not carried out.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;
use similar::TextDiff;

use super::find::{CopyFormat, FoundCopy, key_of};
use super::{CopyFilePlan, CopyPlace, LeftCopy, StoredKey};
use crate::document::SyntaxProblem;
use crate::mask::{find_secrets, mask};

/// Unchanged lines around each change.
const DIFF_CONTEXT_LINES: usize = 2;

/// Characters of a longer line that are shown at each of its ends. Tools write some files on one line.
const LINE_END_CHARS: usize = 80;

/// A key whose place stays empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole {
    /// Bytes of the text before that go.
    pub(super) removed: Range<usize>,
    /// What stands there instead.
    pub(super) filler: Filler,
    /// Index in the list of keys.
    pub(super) key: usize,
}

domain::words! {
    /// What is left where a key was.
    Filler {
        /// Nothing: quotes around the key stay.
        Nothing = "nothing",
        /// An empty text in quotes, where a comment follows a bare value: some readers of `.env` files
        /// take what follows nothing for the value.
        Quotes = "quotes",
        /// `null` instead of the key and its quotes.
        Null = "null",
    }
}

impl Filler {
    /// Codex CLI takes an empty text for a key, and writes `null` where it has none.
    fn of_copy(path: &Path, format: CopyFormat, rest: &str) -> Self {
        match format {
            CopyFormat::Env if rest.starts_with([' ', '\t']) => Self::Quotes,
            _ if path.ends_with(".codex/auth.json") => Self::Null,
            _ => Self::Nothing,
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Quotes => "\"\"",
            Self::Null => "null",
        }
    }

    /// What is around the key in its place.
    pub(super) const fn quotes(self) -> &'static str {
        match self {
            Self::Nothing | Self::Quotes => "",
            Self::Null => "\"",
        }
    }
}

pub(super) struct CopyEdit {
    pub(super) path: PathBuf,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) holes: Vec<Hole>,
    diff: String,
    pub(super) is_tracked: bool,
}

impl CopyEdit {
    /// Empties the copies in `before`, and checks on plain values that nothing else changed.
    pub(super) fn new(
        path: &Path,
        format: CopyFormat,
        before: String,
        keys: &[StoredKey],
    ) -> Result<Self, SyntaxProblem> {
        let hole = |FoundCopy { bytes, key }| {
            let rest = before.get(bytes.end..).unwrap_or_default();
            let filler = Filler::of_copy(path, format, rest);
            let quotes = filler.quotes().len();
            Hole { removed: bytes.start - quotes..bytes.end + quotes, filler, key }
        };
        let holes: Vec<Hole> = format.find(&before, keys)?.into_iter().map(hole).collect();
        let after = fill(&before, &holes, |hole| hole.filler.text().to_owned(), str::to_owned);
        let mut expected = format.values(&before)?;
        let is_null = holes.iter().any(|hole| hole.filler == Filler::Null);
        empty_keys(&mut expected, keys, &if is_null { Value::Null } else { Value::from("") });
        if format.values(&after)? != expected {
            return Err(SyntaxProblem::new("has a form that cannot be edited"));
        }
        let diff = masked_diff(path, format, (&before, &after), &holes, keys);
        Ok(Self { path: path.to_owned(), before, after, holes, diff, is_tracked: false })
    }

    pub(super) fn changes_something(&self) -> bool {
        !self.holes.is_empty()
    }

    /// Lines that change, from 1.
    fn lines(&self) -> Vec<usize> {
        let line_of = |hole: &Hole| {
            let before = self.before.get(..hole.removed.start).unwrap_or_default();
            before.matches('\n').count() + 1
        };
        let mut lines: Vec<_> = self.holes.iter().map(line_of).collect();
        lines.dedup();
        lines
    }

    /// Why a copy is still there after the edit; none if it is not.
    pub(super) fn leave(&self, place: &CopyPlace) -> Option<LeftCopy> {
        (!self.lines().contains(&place.line)).then(|| LeftCopy {
            place: place.clone(),
            reason: "The key is in a comment, or is part of a longer value. Delete it there in an \
                     editor."
                .to_owned(),
        })
    }

    pub(super) fn plan(&self) -> CopyFilePlan {
        CopyFilePlan {
            path: self.path.clone(),
            lines: self.lines(),
            diff: self.diff.clone(),
            is_tracked: self.is_tracked,
        }
    }
}

/// Identifies the edits by all of their texts.
pub(super) fn fingerprint(edits: &[CopyEdit]) -> String {
    let mut hasher = blake3::Hasher::new();
    for CopyEdit { path, before, after, .. } in edits {
        for part in [path.to_string_lossy().as_bytes(), before.as_bytes(), after.as_bytes()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// The text with something else in each hole, and `keep` of what is between. Holes are in order.
fn fill(
    text: &str,
    holes: &[Hole],
    filler: impl Fn(&Hole) -> String,
    keep: impl Fn(&str) -> String,
) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut from = 0;
    for hole in holes {
        filled.push_str(&keep(text.get(from..hole.removed.start).unwrap_or_default()));
        filled.push_str(&filler(hole));
        from = hole.removed.end;
    }
    filled.push_str(&keep(text.get(from..).unwrap_or_default()));
    filled
}

fn empty_keys(value: &mut Value, keys: &[StoredKey], empty: &Value) {
    match value {
        Value::String(text) if key_of(text, keys).is_some() => *value = empty.clone(),
        Value::Array(items) => items.iter_mut().for_each(|item| empty_keys(item, keys, empty)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|field| empty_keys(field, keys, empty));
        }
        _ => {}
    }
}

/// The removed keys are shown by their last characters. Everything else that may be a secret is masked:
/// of a `.env` file each value, of other files what the plan of a wiring masks, and keys by their form.
fn masked_diff(
    path: &Path,
    format: CopyFormat,
    (before, after): (&str, &str),
    holes: &[Hole],
    keys: &[StoredKey],
) -> String {
    let removed =
        |hole: &Hole| Some(before.get(hole.removed.clone())?.trim_matches('"').to_owned());
    let mut secrets: Vec<String> = holes.iter().filter_map(removed).collect();
    secrets.extend(match (format, format.values(after)) {
        (_, Err(_)) => Vec::new(),
        (CopyFormat::Document(_), Ok(values)) => find_secrets(&values),
        (CopyFormat::Env, Ok(values)) => env_values(&values),
    });
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let tail = |hole: &Hole| {
        let tail = keys.get(hole.key).and_then(|key| key.secret.tail()).unwrap_or_default();
        let quotes = hole.filler.quotes();
        format!("{quotes}…{tail}{quotes}")
    };
    // Masked before it is shortened: half a secret is one too.
    let shown = |text: &str| shorten_lines(&mask(text, &secrets));
    let from = fill(before, holes, tail, shown);
    let to = fill(before, holes, |hole| hole.filler.text().to_owned(), shown);
    let name = path.display().to_string();
    let diff = TextDiff::from_lines(&from, &to);
    let mut unified = diff.unified_diff();
    unified.context_radius(DIFF_CONTEXT_LINES).header(&name, &name);
    unified.to_string()
}

/// Values that may be passwords. Short ones are shown, since they would be masked wherever they occur.
fn env_values(values: &Value) -> Vec<String> {
    const SECRET_CHARS_MIN: usize = 6;
    let pairs = values.as_array().into_iter().flatten();
    let texts = pairs.filter_map(|pair| pair.get(1)?.as_str());
    texts.filter(|text| text.chars().count() >= SECRET_CHARS_MIN).map(str::to_owned).collect()
}

/// Cuts out the middle of long lines, so that what is beside a hole stays.
fn shorten_lines(text: &str) -> String {
    let shorten = |line: &str| {
        let count = line.chars().count();
        if count <= 2 * LINE_END_CHARS {
            return line.to_owned();
        }
        let first: String = line.chars().take(LINE_END_CHARS).collect();
        let last: String = line.chars().skip(count - LINE_END_CHARS).collect();
        format!("{first} … {last}")
    };
    text.split_inclusive('\n').map(shorten).collect()
}
