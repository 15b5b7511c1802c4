//! Renders a readiness report as text.

use crate::quantity::format_duration;
use crate::sign::{Shape, Sign, Tone};
use crate::text::StyledText;
use control::view::{CheckStatus, CheckView, ReadinessRunView};

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
        None => (Tone::Muted, format!("{} cancelled", Shape::Square.symbol())),
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
