//! Operations on readiness runs and their history.

use engine::Engine;
use readiness::{
    CategoryScore, CheckResult, CheckSet, CheckSeverity, CheckStatus, FixAction, ReadinessReport,
    RunEnd, RunSnapshot, RunVerdict,
};

use crate::ApiError;
use crate::view::{
    CheckCategoryView, CheckSetView, CheckSeverityView, CheckStateView, CheckView, PanelActionView,
    ReadinessRunStateView, ReadinessRunSummaryView, ReadinessRunView, ReadinessStart,
    ReadinessVerdictView, ReadinessView,
};

const HISTORY_MAX: usize = 30;

pub(crate) async fn readiness(engine: &Engine) -> Result<ReadinessView, ApiError> {
    let run = match engine.readiness().in_progress() {
        Some(going) => Some(snapshot_view(&going)),
        None => load_newest_report(engine).await?.as_ref().map(report_view),
    };
    Ok(ReadinessView { run, history: load_run_history(engine, HISTORY_MAX).await? })
}

pub(crate) async fn readiness_start(
    engine: &Engine,
    req: ReadinessStart,
) -> Result<ReadinessRunView, ApiError> {
    let set = match req.set {
        CheckSetView::Quick => CheckSet::Quick,
        CheckSetView::Full => CheckSet::Full,
    };
    let started =
        engine.readiness().start(set).await.map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(snapshot_view(&started))
}

pub(crate) async fn readiness_cancel(engine: &Engine) -> Result<(), ApiError> {
    engine.readiness().cancel();
    Ok(())
}

/// Returns the summary of the newest finished run.
pub(super) async fn load_last_run(
    engine: &Engine,
) -> Result<Option<ReadinessRunSummaryView>, ApiError> {
    Ok(load_run_history(engine, 1).await?.into_iter().next())
}

async fn load_run_history(
    engine: &Engine,
    limit: usize,
) -> Result<Vec<ReadinessRunSummaryView>, ApiError> {
    let rows = engine.ledger().runs(limit).await?;
    Ok(rows.iter().filter_map(summary_view).collect())
}

fn summary_view(row: &ledger::ReadinessRunSummary) -> Option<ReadinessRunSummaryView> {
    let verdict = match row.verdict.as_str() {
        "ready" => ReadinessVerdictView::Ready,
        "ready_with_warnings" => ReadinessVerdictView::ReadyWithWarnings,
        "not_ready" => ReadinessVerdictView::NotReady,
        _ => return None,
    };
    let score_tenths = u32::from(row.score);
    Some(ReadinessRunSummaryView {
        id: row.id.to_string(),
        set: if row.set == "quick" { CheckSetView::Quick } else { CheckSetView::Full },
        ended_at: row.ended.into(),
        verdict,
        sentence: format!(
            "{}, {}.{} of 10",
            verdict_text(verdict),
            score_tenths / 10,
            score_tenths % 10
        ),
        score_tenths,
    })
}

const fn verdict_text(verdict: ReadinessVerdictView) -> &'static str {
    match verdict {
        ReadinessVerdictView::Ready => "Ready",
        ReadinessVerdictView::ReadyWithWarnings => "Ready with warnings",
        ReadinessVerdictView::NotReady => "Not ready",
    }
}

async fn load_newest_report(engine: &Engine) -> Result<Option<ReadinessReport>, ApiError> {
    let Some(newest) = engine.ledger().runs(1).await?.into_iter().next() else { return Ok(None) };
    let run = engine.ledger().run(newest.id).await?;
    Ok(run.and_then(|run| serde_json::from_str(&run.report).ok()))
}

/// View of a run in progress.
pub(crate) fn snapshot_view(snapshot: &RunSnapshot) -> ReadinessRunView {
    ReadinessRunView {
        id: snapshot.run.to_string(),
        set: set_view(snapshot.set),
        state: ReadinessRunStateView::Running,
        started_at: snapshot.started.into(),
        ended_at: None,
        verdict: None,
        sentence: format!("{} of {} checks done", snapshot.done_count(), snapshot.checks.len()),
        score_tenths: None,
        score_change_tenths: None,
        confidence_percent: 0,
        categories: Vec::new(),
        checks: snapshot.checks.iter().map(check_view).collect(),
        best_fixes: Vec::new(),
    }
}

/// View of a run that has ended.
pub(crate) fn report_view(report: &ReadinessReport) -> ReadinessRunView {
    let judgement = &report.judgement;
    let category = |part: &CategoryScore| CheckCategoryView {
        name: part.category.name().to_owned(),
        score_tenths: part.score_tenths,
    };
    ReadinessRunView {
        id: report.run.to_string(),
        set: set_view(report.set),
        state: match report.end {
            RunEnd::Finished => ReadinessRunStateView::Finished,
            RunEnd::Cancelled => ReadinessRunStateView::Cancelled,
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

pub(crate) const fn verdict_view(verdict: RunVerdict) -> ReadinessVerdictView {
    match verdict {
        RunVerdict::Ready => ReadinessVerdictView::Ready,
        RunVerdict::ReadyWithWarnings => ReadinessVerdictView::ReadyWithWarnings,
        RunVerdict::NotReady => ReadinessVerdictView::NotReady,
    }
}

fn check_view(row: &CheckResult) -> CheckView {
    CheckView {
        id: row.id.to_string(),
        title: row.title.clone(),
        category: row.category.name().to_owned(),
        severity: match row.severity {
            CheckSeverity::Blocker => CheckSeverityView::Blocker,
            CheckSeverity::Major => CheckSeverityView::Major,
            CheckSeverity::Minor => CheckSeverityView::Minor,
            CheckSeverity::Info => CheckSeverityView::Info,
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

const fn state_view(status: CheckStatus) -> CheckStateView {
    match status {
        CheckStatus::Waiting => CheckStateView::Waiting,
        CheckStatus::Running => CheckStateView::Running,
        CheckStatus::Pass => CheckStateView::Pass,
        CheckStatus::Warn => CheckStateView::Warn,
        CheckStatus::Fail => CheckStateView::Fail,
        CheckStatus::Skipped => CheckStateView::Skipped,
        CheckStatus::NotApplicable => CheckStateView::NotApplicable,
        CheckStatus::Crashed => CheckStateView::Crashed,
        CheckStatus::Cancelled => CheckStateView::Cancelled,
    }
}

fn action_view(action: &FixAction) -> PanelActionView {
    match action {
        FixAction::OpenBackend { id } => PanelActionView::OpenBackend { id: id.to_string() },
        FixAction::OpenKey { id } => PanelActionView::OpenKey { id: id.to_string() },
        FixAction::OpenSettings => PanelActionView::OpenSettings,
        FixAction::OpenLedger => PanelActionView::OpenLedger,
        FixAction::AddBackend => PanelActionView::AddBackend,
        FixAction::AddClient => PanelActionView::AddClient,
    }
}
