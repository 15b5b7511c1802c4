//! Operations on readiness runs and their history.

use engine::Engine;
use readiness::{
    Action, CategoryScore, CheckRow, CheckSet, Report, RunEnd, RunSnapshot, RunVerdict, Severity,
    Status,
};

use crate::ApiError;
use crate::view::{
    ActionView, CategoryView, CheckSetView, CheckStateView, CheckView, ReadinessStart,
    ReadinessView, RunStateView, RunSummaryView, RunVerdictView, RunView, SeverityView,
};

const HISTORY_MAX: usize = 30;

pub(crate) async fn readiness(engine: &Engine) -> Result<ReadinessView, ApiError> {
    let run = match engine.run_in_progress() {
        Some(going) => Some(snapshot_view(&going)),
        None => newest_report(engine).await?.as_ref().map(report_view),
    };
    Ok(ReadinessView { run, history: history(engine, HISTORY_MAX).await? })
}

pub(crate) async fn readiness_start(
    engine: &Engine,
    req: ReadinessStart,
) -> Result<RunView, ApiError> {
    let set = match req.set {
        CheckSetView::Quick => CheckSet::Quick,
        CheckSetView::Full => CheckSet::Full,
    };
    let started =
        engine.start_run(set).await.map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(snapshot_view(&started))
}

pub(crate) async fn readiness_cancel(engine: &Engine) -> Result<(), ApiError> {
    engine.cancel_run();
    Ok(())
}

/// Returns the summary of the newest finished run.
pub(super) async fn last_run(engine: &Engine) -> Result<Option<RunSummaryView>, ApiError> {
    Ok(history(engine, 1).await?.into_iter().next())
}

async fn history(engine: &Engine, limit: usize) -> Result<Vec<RunSummaryView>, ApiError> {
    let rows = engine.ledger().runs(limit).await?;
    Ok(rows.iter().filter_map(summary_view).collect())
}

fn summary_view(row: &ledger::RunSummary) -> Option<RunSummaryView> {
    let verdict = match row.verdict.as_str() {
        "ready" => RunVerdictView::Ready,
        "ready_with_warnings" => RunVerdictView::ReadyWithWarnings,
        "not_ready" => RunVerdictView::NotReady,
        _ => return None,
    };
    let score_tenths = u32::from(row.score);
    Some(RunSummaryView {
        id: row.id.to_string(),
        set: if row.set == "quick" { CheckSetView::Quick } else { CheckSetView::Full },
        ended_at: row.ended.into(),
        verdict,
        sentence: format!("{}, {}.{} of 10", word(verdict), score_tenths / 10, score_tenths % 10),
        score_tenths,
    })
}

const fn word(verdict: RunVerdictView) -> &'static str {
    match verdict {
        RunVerdictView::Ready => "Ready",
        RunVerdictView::ReadyWithWarnings => "Ready with warnings",
        RunVerdictView::NotReady => "Not ready",
    }
}

async fn newest_report(engine: &Engine) -> Result<Option<Report>, ApiError> {
    let Some(newest) = engine.ledger().runs(1).await?.into_iter().next() else { return Ok(None) };
    let run = engine.ledger().run(newest.id).await?;
    Ok(run.and_then(|run| serde_json::from_str(&run.report).ok()))
}

/// View of a run in progress.
pub(crate) fn snapshot_view(snapshot: &RunSnapshot) -> RunView {
    RunView {
        id: snapshot.run.to_string(),
        set: set_view(snapshot.set),
        state: RunStateView::Running,
        started_at: snapshot.started.into(),
        ended_at: None,
        verdict: None,
        sentence: format!("{} of {} checks done", snapshot.done(), snapshot.checks.len()),
        score_tenths: None,
        score_change_tenths: None,
        confidence_percent: 0,
        categories: Vec::new(),
        checks: snapshot.checks.iter().map(check_view).collect(),
        best_fixes: Vec::new(),
    }
}

/// View of a run that has ended.
pub(crate) fn report_view(report: &Report) -> RunView {
    let judgement = &report.judgement;
    let category = |part: &CategoryScore| CategoryView {
        name: part.category.name().to_owned(),
        score_tenths: part.score_tenths,
    };
    RunView {
        id: report.run.to_string(),
        set: set_view(report.set),
        state: match report.end {
            RunEnd::Finished => RunStateView::Finished,
            RunEnd::Cancelled => RunStateView::Cancelled,
        },
        started_at: report.started.into(),
        ended_at: Some(report.ended.into()),
        verdict: judgement.verdict.map(verdict_view),
        sentence: judgement.sentence.clone(),
        score_tenths: judgement.score_tenths,
        score_change_tenths: judgement.score_change_tenths,
        confidence_percent: judgement.confidence_percent,
        categories: judgement.categories.iter().map(category).collect(),
        checks: report.checks.iter().map(check_view).collect(),
        best_fixes: judgement.best_fixes.iter().map(|fix| fix.check.to_string()).collect(),
    }
}

const fn set_view(set: CheckSet) -> CheckSetView {
    match set {
        CheckSet::Quick => CheckSetView::Quick,
        CheckSet::Full => CheckSetView::Full,
    }
}

pub(crate) const fn verdict_view(verdict: RunVerdict) -> RunVerdictView {
    match verdict {
        RunVerdict::Ready => RunVerdictView::Ready,
        RunVerdict::ReadyWithWarnings => RunVerdictView::ReadyWithWarnings,
        RunVerdict::NotReady => RunVerdictView::NotReady,
    }
}

fn check_view(row: &CheckRow) -> CheckView {
    CheckView {
        id: row.id.to_string(),
        title: row.title.clone(),
        category: row.category.name().to_owned(),
        severity: match row.severity {
            Severity::Blocker => SeverityView::Blocker,
            Severity::Major => SeverityView::Major,
            Severity::Minor => SeverityView::Minor,
            Severity::Info => SeverityView::Info,
        },
        state: state_view(row.status),
        evidence: row.evidence.clone(),
        cause: row.cause.clone(),
        fix: row.fix.clone(),
        action: row.action.as_ref().map(action_view),
        depends_on: row.depends_on.iter().map(ToString::to_string).collect(),
        duration_ms: row.duration_ms,
    }
}

const fn state_view(status: Status) -> CheckStateView {
    match status {
        Status::Waiting => CheckStateView::Waiting,
        Status::Running => CheckStateView::Running,
        Status::Pass => CheckStateView::Pass,
        Status::Warn => CheckStateView::Warn,
        Status::Fail => CheckStateView::Fail,
        Status::Skipped => CheckStateView::Skipped,
        Status::NotApplicable => CheckStateView::NotApplicable,
        Status::Crashed => CheckStateView::Crashed,
        Status::Cancelled => CheckStateView::Cancelled,
    }
}

fn action_view(action: &Action) -> ActionView {
    match action {
        Action::OpenBackend { id } => ActionView::OpenBackend { id: id.to_string() },
        Action::OpenKey { id } => ActionView::OpenKey { id: id.to_string() },
        Action::OpenSettings => ActionView::OpenSettings,
        Action::OpenLedger => ActionView::OpenLedger,
        Action::AddBackend => ActionView::AddBackend,
        Action::AddClient => ActionView::AddClient,
    }
}
