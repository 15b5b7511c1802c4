//! Operations on the ledger's file: state, backup, restore, repair, export and merge.

use std::path::PathBuf;

use engine::{Engine, LedgerProblem, LedgerSeverity};
use ledger::{LedgerBackup, LedgerDevice, LedgerError, LedgerIncident, LedgerState, RestoreReport};

use crate::ApiError;
use crate::operation::backups::new_download;
use crate::view::{
    LedgerBackupView, LedgerDeviceView, LedgerExport, LedgerExportedView, LedgerIncidentView,
    LedgerMerge, LedgerMergePlanView, LedgerMergedView, LedgerProblemView, LedgerRepair,
    LedgerRestore, LedgerRestoredView, LedgerSalvageView, LedgerStateView, LedgerView,
    SkippedBackupView, VerdictLevel,
};

pub(crate) async fn ledger(engine: &Engine) -> Result<LedgerView, ApiError> {
    let recovery = engine.ledger_watch().recovery();
    let state = engine.ledger().state();
    let waiting = state.backlog().map_or(0, |backlog| backlog.records as u64);
    let backups = recovery.backups()?;
    Ok(LedgerView {
        state: state_view(state),
        waiting_records: waiting.into(),
        problems: engine.ledger_watch().problems().iter().map(problem_view).collect(),
        incident: recovery.incident().as_ref().map(incident_view),
        path: recovery.path().display().to_string(),
        bytes: engine.ledger().size_bytes().into(),
        backup_folder: recovery.backup_folder().display().to_string(),
        backups: backups.iter().map(backup_view).collect(),
        kept_files: recovery.kept_files()?,
        performance: crate::operation::local::ledger_performance(engine, backups.first()).await?,
        devices: recovery.devices().await?.into_iter().map(device_view).collect(),
    })
}

fn device_view(device: LedgerDevice) -> LedgerDeviceView {
    LedgerDeviceView {
        name: device.name,
        requests: device.requests.into(),
        merged: device.merged.into(),
    }
}

pub(crate) async fn ledger_export(
    engine: &Engine,
    req: LedgerExport,
) -> Result<LedgerExportedView, ApiError> {
    let path = match req.path.as_deref() {
        Some(path) => absolute_path(path)?,
        None => new_download(engine, "gatehouse-ledger", "sqlite")?,
    };
    let device = match req.device.as_deref().map(str::trim) {
        Some("") => return Err(ApiError::invalid("device", "name this machine")),
        Some(name) if name.chars().count() > ledger::NAME_CHARS_MAX => {
            return Err(ApiError::invalid("device", "this name is too long"));
        }
        Some(name) => name.to_owned(),
        None => gethostname::gethostname().to_string_lossy().into_owned(),
    };
    if path.exists() {
        let message = format!("{} exists already", path.display());
        return Err(ApiError::invalid("path", message).with_hint("Choose another name."));
    }
    let made = engine.ledger_watch().recovery().export(path, device.clone()).await?;
    Ok(LedgerExportedView {
        path: made.path.display().to_string(),
        device,
        requests: made.requests.into(),
        bytes: made.bytes.into(),
    })
}

pub(crate) async fn ledger_merge(
    engine: &Engine,
    req: LedgerMerge,
) -> Result<LedgerMergedView, ApiError> {
    let path = absolute_path(&req.path)?;
    let merged = engine.ledger_watch().merge(path).await;
    let merged = merged.map_err(|error| export_error(&req.path, error))?;
    Ok(LedgerMergedView {
        device: merged.device,
        added: merged.added.into(),
        known: merged.known.into(),
        replaced: merged.replaced.into(),
        unfinished: merged.unfinished.into(),
        is_cancelled: merged.is_cancelled,
    })
}

pub(crate) async fn ledger_merge_plan(
    engine: &Engine,
    req: LedgerMerge,
) -> Result<LedgerMergePlanView, ApiError> {
    let path = absolute_path(&req.path)?;
    let plan = engine.ledger_watch().recovery().plan_merge(path).await;
    let plan = plan.map_err(|error| export_error(&req.path, error))?;
    Ok(LedgerMergePlanView {
        device: plan.device,
        added: plan.added.into(),
        first: plan.period.map(|(first, _)| first.into()),
        last: plan.period.map(|(_, last)| last.into()),
        known: plan.known.into(),
        replaced: plan.replaced.into(),
        unfinished: plan.unfinished.into(),
    })
}

/// Three of the errors speak of the file, not of this machine's ledger.
fn export_error(path: &str, error: LedgerError) -> ApiError {
    match error {
        LedgerError::Corrupt { detail } => {
            ApiError::invalid("path", format!("{path} is no sound export of a ledger: {detail}"))
                .with_hint("Make one on the other machine: gatehouse ledger export FILE")
        }
        LedgerError::NewerSchema { .. } => {
            ApiError::invalid("path", format!("{path} was made by a newer Gatehouse"))
                .with_hint("Install that version here too.")
        }
        LedgerError::File { source, .. } => {
            ApiError::invalid("path", format!("could not read {path}: {source}"))
        }
        other => other.into(),
    }
}

/// A path of this machine. Relative ones would depend on where the engine was started.
pub(super) fn absolute_path(text: &str) -> Result<PathBuf, ApiError> {
    let path = PathBuf::from(text);
    match path.is_absolute() {
        true => Ok(path),
        false => Err(ApiError::invalid("path", "give the whole path, from the root on")),
    }
}

pub(crate) async fn ledger_backup(engine: &Engine) -> Result<LedgerBackupView, ApiError> {
    Ok(backup_view(&engine.ledger_watch().back_up().await?))
}

pub(crate) async fn ledger_restore(
    engine: &Engine,
    req: LedgerRestore,
) -> Result<LedgerRestoredView, ApiError> {
    let wanted = req.backup.clone();
    if let Some(name) = &wanted {
        let backups = engine.ledger_watch().recovery().backups()?;
        if !backups.iter().any(|backup| backup.name == *name) {
            // The name is not repeated, because it may be a key in the wrong field.
            return Err(ApiError::not_found("there is no backup with this name")
                .with_hint("`gatehouse ledger status` lists the backups."));
        }
    }
    let restored = engine.ledger_watch().recovery().restore(wanted).await?;
    engine.ledger_watch().announce_change();
    Ok(restored_view(restored))
}

pub(crate) async fn ledger_examine(
    engine: &Engine,
    req: LedgerRepair,
) -> Result<LedgerSalvageView, ApiError> {
    let recovery = engine.ledger_watch().recovery();
    let (file, report) = recovery.examine(req.file).await?;
    let incident = recovery.incident().filter(|incident| incident.kept.as_ref() == Some(&file));
    Ok(LedgerSalvageView {
        file,
        requests: report.requests.into(),
        requests_before: incident.and_then(|known| known.requests_before).map(Into::into),
        attempts: report.attempts.into(),
        sums: report.sums.into(),
        other_rows: report.other_rows.into(),
        damaged_tables: report.damaged_tables.iter().map(|table| (*table).to_owned()).collect(),
    })
}

pub(crate) async fn ledger_repair(
    engine: &Engine,
    req: LedgerRepair,
) -> Result<LedgerRestoredView, ApiError> {
    let (_, restored) = engine.ledger_watch().recovery().repair(req.file).await?;
    engine.ledger_watch().announce_change();
    Ok(restored_view(restored))
}

pub(crate) async fn ledger_acknowledge(engine: &Engine) -> Result<LedgerView, ApiError> {
    engine.ledger_watch().recovery().acknowledge()?;
    engine.ledger_watch().announce_change();
    ledger(engine).await
}

const fn state_view(state: LedgerState) -> LedgerStateView {
    match state {
        LedgerState::Current => LedgerStateView::Current,
        LedgerState::Behind(_) => LedgerStateView::Behind,
        LedgerState::Refusing(_) => LedgerStateView::Refusing,
    }
}

/// Level of a ledger problem in the verdict.
pub(super) const fn verdict_level(severity: LedgerSeverity) -> VerdictLevel {
    match severity {
        LedgerSeverity::Attention => VerdictLevel::Attention,
        LedgerSeverity::Problem => VerdictLevel::Problem,
    }
}

fn problem_view(problem: &LedgerProblem) -> LedgerProblemView {
    LedgerProblemView {
        id: problem.id.clone(),
        level: verdict_level(problem.severity),
        title: problem.title.clone(),
        detail: problem.detail.clone(),
        since: problem.since.map(Into::into),
    }
}

fn incident_view(incident: &LedgerIncident) -> LedgerIncidentView {
    LedgerIncidentView {
        cause: incident.cause.word().to_owned(),
        at: incident.at.into(),
        detail: incident.detail.clone(),
        kept: incident.kept.clone(),
        requests_before: incident.requests_before.map(Into::into),
        lacks_records: incident.cause.lacks_records(),
    }
}

fn backup_view(backup: &LedgerBackup) -> LedgerBackupView {
    LedgerBackupView { name: backup.name.clone(), at: backup.at.into(), bytes: backup.bytes.into() }
}

fn restored_view(restored: RestoreReport) -> LedgerRestoredView {
    let skipped = restored.skipped.into_iter();
    LedgerRestoredView {
        from: restored.from,
        requests: restored.requests.into(),
        added: restored.added.into(),
        kept: restored.kept,
        skipped: skipped
            .map(|backup| SkippedBackupView { name: backup.name, reason: backup.reason })
            .collect(),
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        let message = match &error {
            LedgerError::File { .. } => error.with_detail(),
            other => other.to_string(),
        };
        match ledger_error_hint(&error) {
            Some(text) => Self::failed(message).with_hint(text),
            None => Self::failed(message),
        }
    }
}

/// The next step for errors that have one.
const fn ledger_error_hint(error: &LedgerError) -> Option<&'static str> {
    match error {
        LedgerError::NoBackup { skipped: 0 } => Some(
            "Gatehouse makes one a day. `gatehouse ledger repair` recovers what it can \
                 from a damaged file.",
        ),
        LedgerError::NoBackup { .. } => Some(
            "All of them are damaged. `gatehouse ledger repair` recovers what it can from \
                 a damaged ledger file.",
        ),
        LedgerError::NothingToRepair => Some("`gatehouse ledger status` lists the kept files."),
        _ => None,
    }
}
