//! `cargo xtask tidy`: checks the project's style rules that rustfmt and clippy do not have.
//!
//! Lengths, names, module docs, leftovers. Each rule is a number or word list below; tolerated
//! violations are listed in `tidy/exceptions.rs`, and that list may only shrink.

mod exceptions;
mod rust;
mod text;

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context, Result, bail};

use crate::repository::Repository;
use exceptions::EXCEPTIONS;

/// Longest function, in lines from `fn` to the closing brace (TigerStyle: what fits a screen).
const FUNCTION_LINES_MAX: usize = 70;

/// 90th percentile of function lengths (measured on linkerd2-proxy and ripgrep: 26 and 24).
const FUNCTION_LINES_P90_MAX: usize = 35;

/// Longest file in lines of code: blank lines, comments and tests are not counted.
const FILE_LINES_MAX: usize = 400;

/// Longest file whose module doc has a line that begins with `One piece:` and gives the reason not
/// to split it.
const ONE_PIECE_LINES_MAX: usize = 600;

/// Largest file in the repository in bytes; larger ones stay in its history for ever.
const FILE_BYTES_MAX: usize = 400_000;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum TidyRule {
    Unreadable,
    ModuleDoc,
    FileLength,
    FunctionLength,
    Name,
    Leftover,
    NeverRun,
    FileSize,
    Barrel,
    Expose,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Violation {
    rule: TidyRule,
    path: String,
    line: usize,
    message: String,
    /// The value that the ratchet compares: a length or size for the rules that have one, else 1.
    measure: usize,
}

struct ToleratedViolation {
    rule: TidyRule,
    path: &'static str,
    /// Exactly the current value. A lower value also fails the check: then this number has to come
    /// down.
    measure: usize,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.path, self.line, self.message)
    }
}

/// The result of one pass over the files.
#[derive(Default)]
struct TidyFindings {
    faults: Vec<Violation>,
    /// Lengths of all functions outside tests.
    function_lines: Vec<usize>,
    files: usize,
}

/// Checks every file of the repository.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    let findings = read(repository)?;
    let mut complaints = compare_with_exceptions(&findings.faults, EXCEPTIONS);
    let p90 = percentile_90(&findings.function_lines);
    if p90 > FUNCTION_LINES_P90_MAX {
        complaints.push(format!(
            "nine of ten functions have up to {p90} lines; at most {FUNCTION_LINES_P90_MAX} are wanted"
        ));
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    println!(
        "{} files, {} functions, nine of ten at most {p90} lines long, {} exceptions",
        findings.files,
        findings.function_lines.len(),
        EXCEPTIONS.len()
    );
    if !complaints.is_empty() {
        bail!("{} thing(s) to tidy", complaints.len());
    }
    Ok(())
}

fn read(repository: &Repository) -> Result<TidyFindings> {
    let mut findings = TidyFindings::default();
    let mut sources = Vec::new();
    for relative in repository.files()? {
        let path = relative.to_string_lossy().replace('\\', "/");
        let full = repository.root.join(&relative);
        let bytes =
            std::fs::read(&full).with_context(|| format!("could not read {}", full.display()))?;
        findings.files += 1;
        findings.faults.extend(text::check_path(&path, bytes.len()));
        let Ok(source) = String::from_utf8(bytes) else { continue };
        findings.faults.extend(text::check_contents(&path, &source));
        if path.ends_with(".rs") {
            rust::check(&path, &source, &mut findings);
            sources.push((path, source));
        }
    }
    text::remove_self_started(&mut findings.faults, &sources);
    Ok(findings)
}

/// Compares the faults with the exceptions. A fault beyond its exception is a complaint, and so is
/// an exception that is larger than needed.
fn compare_with_exceptions(faults: &[Violation], exceptions: &[ToleratedViolation]) -> Vec<String> {
    let mut measured: BTreeMap<(TidyRule, &str), usize> = BTreeMap::new();
    for fault in faults {
        let measure = measured.entry((fault.rule, &fault.path)).or_default();
        *measure = if fault.measure == 1 { *measure + 1 } else { (*measure).max(fault.measure) };
    }
    let excepted = |rule: TidyRule, path: &str| {
        exceptions.iter().find(|e| e.rule == rule && e.path == path).map_or(0, |e| e.measure)
    };
    let worse = faults.iter().filter(|fault| {
        let now = measured.get(&(fault.rule, fault.path.as_str())).copied().unwrap_or_default();
        now > excepted(fault.rule, &fault.path)
    });
    let loose = exceptions.iter().filter_map(|exception| {
        let now = measured.get(&(exception.rule, exception.path)).copied().unwrap_or_default();
        (now < exception.measure).then(|| {
            let ToleratedViolation { rule, path, measure } = exception;
            format!("{path}: its {rule:?} exception of {measure} can come down to {now}")
        })
    });
    worse.map(ToString::to_string).chain(loose).collect()
}

/// The 90th percentile (nearest rank).
fn percentile_90(lengths: &[usize]) -> usize {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 9).div_ceil(10);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
