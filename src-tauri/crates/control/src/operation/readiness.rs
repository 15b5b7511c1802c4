//! Operations on readiness runs and their history.

use domain::{ReadinessVerdict, capitalize};
use engine::Engine;
use readiness::{CategoryScore, CheckResult, FixAction, ReadinessReport, RunEnd, RunSnapshot};

use crate::ApiError;
use crate::view::{
    CheckCategoryView, CheckView, PanelActionView, ReadinessRunStateView, ReadinessRunSummaryView,
    ReadinessRunView, ReadinessStart, ReadinessView,
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
    let started = engine
        .readiness()
        .start(req.set)
        .await
        .map_err(|error| ApiError::failed(error.to_string()))?;
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
    Ok(rows.iter().map(summary_view).collect())
}

fn summary_view(row: &ledger::ReadinessRunSummary) -> ReadinessRunSummaryView {
    let verdict = capitalize(row.verdict.label());
    let score = u32::from(row.score);
    let score = Some(score).filter(|_| row.verdict != ReadinessVerdict::NotSetUp);
    ReadinessRunSummaryView {
        id: row.id.to_string(),
        set: row.set,
        ended_at: row.ended.into(),
        verdict: row.verdict,
        sentence: match score {
            Some(tenths) => format!("{verdict}, {}.{} of 10", tenths / 10, tenths % 10),
            None => verdict,
        },
        score_tenths: score,
    }
}

async fn load_newest_report(engine: &Engine) -> Result<Option<ReadinessReport>, ApiError> {
    let Some(newest) = engine.ledger().runs(1).await?.into_iter().next() else { return Ok(None) };
    let run = engine.ledger().run(newest.id).await?;
    Ok(run.and_then(|run| serde_json::from_str(&run.report).ok()))
}

pub(crate) fn snapshot_view(snapshot: &RunSnapshot) -> ReadinessRunView {
    ReadinessRunView {
        id: snapshot.run.to_string(),
        set: snapshot.set,
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

pub(crate) fn report_view(report: &ReadinessReport) -> ReadinessRunView {
    let judgement = &report.judgement;
    let category = |part: &CategoryScore| CheckCategoryView {
        name: part.category.name().to_owned(),
        score_tenths: part.score_tenths,
    };
    ReadinessRunView {
        id: report.run.to_string(),
        set: report.set,
        state: match report.end {
            RunEnd::Finished => ReadinessRunStateView::Finished,
            RunEnd::Cancelled => ReadinessRunStateView::Cancelled,
        },
        started_at: report.started.into(),
        ended_at: Some(report.ended.into()),
        verdict: judgement.verdict,
        sentence: judgement.sentence.clone(),
        score_tenths: judgement.score_tenths,
        score_change_tenths: judgement.score_change_tenths,
        confidence_percent: judgement.confidence_percent,
        categories: judgement.categories.iter().map(category).collect(),
        checks: report.checks.iter().map(check_view).collect(),
        best_fixes: judgement.best_fixes.iter().map(|fix| fix.check.to_string()).collect(),
    }
}

fn check_view(row: &CheckResult) -> CheckView {
    CheckView {
        id: row.id.to_string(),
        title: row.title.clone(),
        category: row.category.name().to_owned(),
        severity: row.severity,
        state: row.status,
        evidence: row.evidence.clone(),
        cause: row.cause.clone(),
        fix: row.fix.clone(),
        action: row.action.as_ref().map(action_view),
        depends_on: row.depends_on.iter().map(ToString::to_string).collect(),
        duration_ms: row.duration_ms,
    }
}

fn action_view(action: &FixAction) -> PanelActionView {
    match action {
        FixAction::OpenBackend { id } => PanelActionView::OpenBackend { id: id.to_string() },
        FixAction::OpenKey { id } => PanelActionView::OpenKey { id: id.to_string() },
        FixAction::OpenSettings => PanelActionView::OpenSettings,
        FixAction::OpenBudgets => PanelActionView::OpenBudgets,
        FixAction::OpenPrices => PanelActionView::OpenPrices,
        FixAction::OpenAlertChannels => PanelActionView::OpenAlertChannels,
        FixAction::OpenLedger => PanelActionView::OpenLedger,
        FixAction::AddBackend => PanelActionView::AddBackend,
        FixAction::AddClient => PanelActionView::AddClient,
        FixAction::FindKeys => PanelActionView::FindKeys,
    }
}
