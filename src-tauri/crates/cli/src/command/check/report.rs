//! Renders a readiness report as text and writes it to a file.

use std::io::{self, Write};
use std::path::Path;

use control::view::{CheckStatus, CheckView, ReadinessRunView};
use tempfile::NamedTempFile;

use crate::exit::{CommandError, Exit};
use crate::quantity::format_duration;
use crate::sign::{Sign, Tone};
use crate::text::StyledText;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::command) enum ReportDetail {
    /// All checks, then the verdict and the findings.
    EveryCheck,
    /// The verdict and the findings.
    Findings,
}

pub(super) const fn has_ended(state: CheckStatus) -> bool {
    !matches!(state, CheckStatus::Waiting | CheckStatus::Running)
}

/// Appends one line for a finished check.
pub(in crate::command) fn append_finished_check(text: &mut StyledText, check: &CheckView) {
    let took = check.duration_ms.map(|ms| format!(" ({})", format_duration(ms.into())));
    text.sign(check.state).piece(Tone::Muted, &format!("  {}  ", check.id));
    text.piece(Tone::Plain, &check.title).line(Tone::Muted, &took.unwrap_or_default());
}

/// Renders the verdict, the category scores, and each finding with evidence, cause and fix.
pub(in crate::command) fn render_report(
    run: &ReadinessRunView,
    detail: ReportDetail,
) -> StyledText {
    let mut text = StyledText::new();
    if detail == ReportDetail::EveryCheck {
        for check in &run.checks {
            append_finished_check(&mut text, check);
        }
    }
    text.end();
    let (tone, sign) = match run.verdict.map(Sign::from) {
        Some(sign) => (sign.tone.into(), sign.text()),
        None => (Tone::Muted, "■ cancelled".to_owned()),
    };
    text.piece(tone, &sign).line(Tone::Strong, &format!("  {}", run.sentence));
    for category in &run.categories {
        let score = category.score_tenths.map_or_else(|| "not checked".to_owned(), format_tenths);
        text.line(Tone::Muted, &format!("  {}: {score}", category.name));
    }
    let finding = |check: &&CheckView| {
        matches!(check.state, CheckStatus::Fail | CheckStatus::Warn | CheckStatus::Crashed)
    };
    for check in run.checks.iter().filter(finding) {
        append_finding(&mut text, check);
    }
    text
}

/// Formats tenths of a point as points: `9.3`.
fn format_tenths(score: u32) -> String {
    format!("{}.{}", score / 10, score % 10)
}

fn append_finding(text: &mut StyledText, check: &CheckView) {
    text.end().sign(check.state).piece(Tone::Muted, &format!("  {}  ", check.id));
    text.line(Tone::Strong, &check.title);
    for seen in &check.evidence {
        text.piece(Tone::Muted, "    seen:  ").line(Tone::Plain, seen);
    }
    if let Some(cause) = &check.cause {
        text.piece(Tone::Muted, "    cause: ").line(Tone::Plain, cause);
    }
    if let Some(fix) = &check.fix {
        text.piece(Tone::Muted, "    fix:   ").line(Tone::Plain, fix);
    }
}

/// Writes a file atomically: into a temporary file beside it, synced, then renamed. An existing
/// path that is no regular file (a pipe, a folder) is an error.
pub(super) fn write_file(path: &Path, content: &str) -> Result<(), CommandError> {
    let failed = |error: io::Error| {
        let message = format!("could not write {}: {error}", path.display());
        CommandError::new(Exit::Internal, message).with_hint("Choose another --output.")
    };
    if path.exists() && !path.is_file() {
        return Err(CommandError::new(
            Exit::Usage,
            format!("output: {} is not a file", path.display()),
        ));
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut beside = NamedTempFile::new_in(folder).map_err(failed)?;
    beside.write_all(content.as_bytes()).map_err(failed)?;
    beside.as_file().sync_all().map_err(failed)?;
    beside.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_takes_the_place_of_the_one_before_and_of_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.json");
        write_file(&path, "one").expect("written");
        write_file(&path, "two").expect("written again");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "two");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
        assert_eq!(write_file(folder.path(), "x").expect_err("a folder").exit(), Exit::Usage);
        let nowhere = folder.path().join("missing/report.json");
        assert_eq!(write_file(&nowhere, "x").expect_err("no folder").exit(), Exit::Internal);
    }
}
