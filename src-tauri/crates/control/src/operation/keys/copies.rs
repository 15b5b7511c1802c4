//! Removes plain copies of keys that the vault holds, after their owner has seen the diff, and puts them
//! back.

use engine::{Engine, KeyCopiesError};
use wiring::{CopyFilePlan, LeftCopy, RemovedCopy, WiringError};

use crate::ApiError;
use crate::operation::keys::scan::{count, scan_places};
use crate::view::{
    KeyCopiesFileView, KeyCopiesOutcomeView, KeyCopiesPlanView, KeyCopiesQuery, KeyCopiesRemove,
    LeftKeyCopyView, RemovedKeyCopyRef, RemovedKeyCopyView,
};

pub(crate) async fn key_copies_plan(
    engine: &Engine,
    req: KeyCopiesQuery,
) -> Result<KeyCopiesPlanView, ApiError> {
    let plan = engine.key_copies().plan(scan_places(&req.scan)?, &req.fingerprints).await?;
    Ok(KeyCopiesPlanView {
        files: plan.files.into_iter().map(|file| file_view(engine, file)).collect(),
        left: plan.left.into_iter().map(|left| left_view(engine, left)).collect(),
        fingerprint: plan.fingerprint,
    })
}

/// A file that cannot be changed does not stop the others.
pub(crate) async fn key_copies_remove(
    engine: &Engine,
    req: KeyCopiesRemove,
) -> Result<Vec<KeyCopiesOutcomeView>, ApiError> {
    // No key leaves the vault while its copies go.
    let _held = engine.vault_switch().lock_changes().await;
    let places = scan_places(&req.scan)?;
    let outcomes = engine.key_copies().remove(places, &req.fingerprints, req.plan).await?;
    let view = |(path, outcome): wiring::CopyRemovalOutcome| {
        let path = engine.key_scanner().short_path(&path);
        match outcome {
            Ok(removed) => {
                let removed = Some(removed_view(engine, removed));
                KeyCopiesOutcomeView { path, error: None, removed }
            }
            Err(error) => {
                let error = Some(ApiError::from(KeyCopiesError::File(error)).message);
                KeyCopiesOutcomeView { path, error, removed: None }
            }
        }
    };
    Ok(outcomes.into_iter().map(view).collect())
}

pub(crate) async fn key_copies_removed(
    engine: &Engine,
) -> Result<Vec<RemovedKeyCopyView>, ApiError> {
    let removed = engine.key_copies().removed().await?;
    Ok(removed.into_iter().map(|removed| removed_view(engine, removed)).collect())
}

pub(crate) async fn key_copies_restore(
    engine: &Engine,
    req: RemovedKeyCopyRef,
) -> Result<RemovedKeyCopyView, ApiError> {
    Ok(removed_view(engine, engine.key_copies().restore(req.id).await?))
}

fn file_view(engine: &Engine, file: CopyFilePlan) -> KeyCopiesFileView {
    let CopyFilePlan { path, lines, diff, is_tracked } = file;
    let warning = "Git tracks this file, and its history keeps the key. Replace the key at its \
                   provider if others can read the repository.";
    KeyCopiesFileView {
        path: engine.key_scanner().short_path(&path),
        lines: lines.into_iter().map(count).collect(),
        diff,
        warning: is_tracked.then(|| warning.to_owned()),
    }
}

fn left_view(engine: &Engine, left: LeftCopy) -> LeftKeyCopyView {
    let LeftCopy { place, reason } = left;
    let path = engine.key_scanner().short_path(&place.path);
    LeftKeyCopyView { path, line: count(place.line), reason }
}

fn removed_view(engine: &Engine, removed: RemovedCopy) -> RemovedKeyCopyView {
    let RemovedCopy { id, path, at, lines, keys, can_restore } = removed;
    let problem = "The file was changed where the key was, or is gone.";
    RemovedKeyCopyView {
        id,
        path: engine.key_scanner().short_path(&path),
        removed_at: at.into(),
        lines: lines.into_iter().map(count).collect(),
        keys,
        problem: (!can_restore).then(|| problem.to_owned()),
    }
}

impl From<KeyCopiesError> for ApiError {
    fn from(error: KeyCopiesError) -> Self {
        let message = error.to_string();
        match error {
            KeyCopiesError::Vault(error) => error.into(),
            KeyCopiesError::Scan(_) => Self::invalid("known_files", message),
            KeyCopiesError::Gone | KeyCopiesError::NotStored | KeyCopiesError::NotKept => {
                Self::invalid("fingerprints", message)
            }
            KeyCopiesError::File(WiringError::NotRemoved(_)) => Self::not_found(message),
            KeyCopiesError::File(WiringError::Io { source, .. }) => {
                Self::failed(format!("{message}: {source}"))
            }
            _ => Self::failed(message),
        }
    }
}
