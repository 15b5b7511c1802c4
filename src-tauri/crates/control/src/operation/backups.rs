//! Operations on backups of everything.

use std::path::PathBuf;

use domain::count_noun;
use engine::{
    ArchiveCheck, BackupError, BackupMade, BackupProgress, Engine, MissingKeys, RestoreDone,
    RestorePlan,
};
use settings::{Settings, SettingsDifference};
use vault::VaultError;

use crate::ApiError;
use crate::operation::clients::token_vault_id;
use crate::operation::ledger::absolute_path;
use crate::view::{
    BackupCheckView, BackupCreate, BackupProgressView, BackupRef, BackupView, BackupsView, Count,
    FieldDifferenceView, MissingKeysView, RestorePlanView, RestoredView, SettingsDifferenceView,
};

pub(crate) async fn backups(engine: &Engine) -> Result<BackupsView, ApiError> {
    let last = engine.backup_archives().last();
    let folder = engine.folders().downloads.display().to_string();
    Ok(BackupsView { last: last.as_ref().map(backup_view), folder })
}

pub(crate) async fn backup(engine: &Engine, req: BackupCreate) -> Result<BackupView, ApiError> {
    let path = match req.path.as_deref() {
        Some(path) => absolute_path(path)?,
        None => new_download(engine, "gatehouse", "tar.zst")?,
    };
    Ok(backup_view(&engine.backup_archives().create(path).await?))
}

pub(crate) async fn backup_check(
    engine: &Engine,
    req: BackupRef,
) -> Result<BackupCheckView, ApiError> {
    let path = absolute_path(&req.path)?;
    let check = engine.backup_archives().check(path).await?;
    Ok(check_view(req.path, &check))
}

pub(crate) async fn backup_cancel(engine: &Engine) -> Result<(), ApiError> {
    engine.backup_archives().cancel();
    engine.ledger_watch().cancel_merge();
    Ok(())
}

pub(crate) async fn restore_plan(
    engine: &Engine,
    req: BackupRef,
) -> Result<RestorePlanView, ApiError> {
    let path = absolute_path(&req.path)?;
    let RestorePlan { check, differences, requests_here, keys } =
        engine.backup_archives().plan(path).await?;
    Ok(RestorePlanView {
        check: check_view(req.path, &check),
        differences: differences.into_iter().map(difference_view).collect(),
        requests_here: requests_here.into(),
        keys: missing_keys_view(engine, &engine.settings(), &check.settings, keys).await,
    })
}

pub(crate) async fn restore(engine: &Engine, req: BackupRef) -> Result<RestoredView, ApiError> {
    let (path, before) = (absolute_path(&req.path)?, engine.settings());
    let RestoreDone { manifest, ledger, settings_kept, keys } =
        engine.backup_archives().restore(path).await?;
    let folder = &engine.folders().config;
    let mut sentence = format!(
        "Restored: {} and all settings of the backup.",
        count_noun(ledger.requests, "request")
    );
    if !keys.missing.is_empty() {
        let keys = count_noun(keys.missing.len() as u64, "key");
        sentence.push_str(&format!(" The vault lacks {keys}, to be added again."));
    }
    let keys = missing_keys_view(engine, &before, &engine.settings(), keys).await;
    if !keys.lost_tokens.is_empty() {
        let clients = count_noun(keys.lost_tokens.len() as u64, "client");
        sentence.push_str(&format!(
            " The vault lacks the tokens of {clients}; tools that ask for one are refused until \
             they are connected with a new one."
        ));
    }
    Ok(RestoredView {
        made: manifest.created.into(),
        requests: ledger.requests.into(),
        added: ledger.added.into(),
        ledger_kept: ledger.kept,
        settings_kept: settings_kept.map(|name| folder.join(name).display().to_string()),
        keys,
        sentence,
    })
}

pub(crate) fn backup_progress_view(progress: &BackupProgress) -> BackupProgressView {
    let BackupProgress { task, done, total, is_running } = *progress;
    let percent = done.saturating_mul(100).checked_div(total);
    let percent = percent.and_then(|percent| u32::try_from(percent.min(100)).ok());
    BackupProgressView { task, percent, is_running }
}

pub(super) fn difference_view(difference: SettingsDifference) -> SettingsDifferenceView {
    let fields = difference.fields.into_iter();
    SettingsDifferenceView {
        path: difference.path,
        kind: difference.kind,
        fields: fields
            .map(|field| FieldDifferenceView {
                name: field.name,
                here: field.here,
                there: field.there,
            })
            .collect(),
    }
}

/// What the vault lacks for the settings `after`, which take the place of `before`.
pub(super) async fn missing_keys_view(
    engine: &Engine,
    before: &Settings,
    after: &Settings,
    keys: MissingKeys,
) -> MissingKeysView {
    let missing = keys.missing.iter().map(ToString::to_string).collect();
    let lost_tokens = lost_tokens(engine, before, after).await;
    MissingKeysView { missing, unknown: keys.unknown, lost_tokens }
}

/// The clients whose token the vault cannot give out: it has none, or the one of `before`. A vault that
/// does not answer says nothing of them.
async fn lost_tokens(engine: &Engine, before: &Settings, after: &Settings) -> Vec<String> {
    let mut lost = Vec::new();
    for (id, client) in &after.clients {
        let is_other =
            before.clients.get(id).is_some_and(|known| known.token_sha256 != client.token_sha256);
        let Ok(vault_id) = token_vault_id(id) else { continue };
        let is_there = match engine.vault().get(&vault_id).await {
            Ok(_) => true,
            Err(VaultError::NotFound(_)) => false,
            Err(_) => return Vec::new(),
        };
        if is_other || !is_there {
            lost.push(id.to_string());
        }
    }
    lost
}

/// A new file in the folder for downloads, named with the time to the second.
pub(super) fn new_download(engine: &Engine, stem: &str, ending: &str) -> Result<PathBuf, ApiError> {
    let folder = &engine.folders().downloads;
    std::fs::create_dir_all(folder).map_err(|error| {
        ApiError::failed(format!("could not create {}: {error}", folder.display()))
            .with_hint("Name a new file instead.")
    })?;
    Ok(folder.join(format!("{stem}-{}.{ending}", engine.clock().wall().to_file_stamp())))
}

fn backup_view(made: &BackupMade) -> BackupView {
    BackupView {
        path: made.path.display().to_string(),
        at: made.at.into(),
        bytes: made.bytes.into(),
        requests: made.requests.into(),
    }
}

fn check_view(path: String, check: &ArchiveCheck) -> BackupCheckView {
    let ArchiveCheck { manifest, settings, requests, took_ms } = check;
    let count = |number: usize| Count(number as u64);
    let sentence = format!(
        "Sound: {}, {} and {}. Restored into a scratch folder and opened in {}.{} s.",
        count_noun(*requests, "request"),
        count_noun(settings.backends.len() as u64, "backend"),
        count_noun(settings.clients.len() as u64, "client"),
        took_ms / 1_000,
        took_ms % 1_000 / 100,
    );
    BackupCheckView {
        path,
        made: manifest.created.into(),
        app_version: manifest.app_version.clone(),
        bytes: manifest.bytes().into(),
        requests: (*requests).into(),
        backends: count(settings.backends.len()),
        routes: count(settings.routes.len()),
        clients: count(settings.clients.len()),
        budgets: count(settings.budgets.len()),
        keys: count(settings.credentials.len()),
        took_ms: (*took_ms).into(),
        sentence,
    }
}

impl From<BackupError> for ApiError {
    fn from(error: BackupError) -> Self {
        match error {
            BackupError::Ledger(error) => error.into(),
            BackupError::Settings(error) => error.into(),
            BackupError::Archive(_)
            | BackupError::SettingsInside(_)
            | BackupError::LedgerInside(_) => Self::invalid("path", error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}
