//! Export and import of the settings without keys, and of the keys alone, encrypted.

use std::path::Path;
use std::sync::Arc;

use domain::{BoundSecret, CredentialId};
use engine::Engine;
use private_files::write_new;
use settings::{ConflictChoice, MergedSettings, Settings, Severity};
use vault::{Passphrase, VaultError};

use crate::operation::backups::{difference_view, missing_keys_view, new_download};
use crate::operation::input::TOKEN_VAULT_PREFIX;
use crate::operation::keys::replace::begin_replaced;
use crate::operation::ledger::absolute_path;
use crate::view::{
    ConfigExport, ConfigExportedView, ConfigImport, ConfigImportView, Count, SecretsExport,
    SecretsExportedView, SecretsImport, SecretsImportedView,
};
use crate::{ApiError, ErrorCode};

/// Problems of a file that are named in one error.
const PROBLEMS_TOLD_MAX: usize = 5;

pub(crate) async fn config_export(
    engine: &Engine,
    req: ConfigExport,
) -> Result<ConfigExportedView, ApiError> {
    let path = match req.path.as_deref() {
        Some(path) => absolute_path(path)?,
        None => new_download(engine, "gatehouse-settings", "toml")?,
    };
    let text = engine.settings_editor().text().await?;
    let settings = Settings::from_text(&text).unwrap_or_default();
    write_new(&path, text.as_bytes()).map_err(|error| {
        ApiError::invalid("path", format!("could not write {}: {error}", path.display()))
            .with_hint("Choose a new file in a folder that you can write to.")
    })?;
    let count = |number: usize| Count(number as u64);
    Ok(ConfigExportedView {
        path: path.display().to_string(),
        backends: count(settings.backends.len()),
        routes: count(settings.routes.len()),
        clients: count(settings.clients.len()),
        budgets: count(settings.budgets.len()),
    })
}

pub(crate) async fn config_import_plan(
    engine: &Engine,
    req: ConfigImport,
) -> Result<ConfigImportView, ApiError> {
    let there = read_settings(&absolute_path(&req.path)?)?;
    let here = engine.settings();
    let merged = here.merged_with(&there, req.on_conflict)?;
    Ok(import_view(engine, &here, &there, merged).await)
}

pub(crate) async fn config_import(
    engine: &Engine,
    req: ConfigImport,
) -> Result<ConfigImportView, ApiError> {
    let there = read_settings(&absolute_path(&req.path)?)?;
    let here = engine.settings();
    let view = {
        let merged = here.merged_with(&there, req.on_conflict)?;
        import_view(engine, &here, &there, merged).await
    };
    let choice = req.on_conflict;
    let editor = engine.settings_editor();
    // Merged once more: the settings may have changed since they were read.
    editor
        .try_edit(move |draft| {
            *draft = draft.merged_with(&there, choice)?.settings;
            Ok(())
        })
        .await?;
    Ok(view)
}

pub(crate) async fn secrets_export(
    engine: &Engine,
    req: SecretsExport,
) -> Result<SecretsExportedView, ApiError> {
    let path = absolute_path(&req.path)?;
    let passphrase = parse_passphrase(req.passphrase)?;
    let (mut secrets, mut missing) = (Vec::new(), Vec::new());
    for id in vault_names(&engine.settings()) {
        match engine.vault().get(&id).await {
            Ok(secret) => secrets.push((id, BoundSecret::clone(&secret))),
            Err(VaultError::NotFound(_)) => missing.push(id),
            Err(error) => return Err(error.into()),
        }
    }
    if secrets.is_empty() {
        return Err(ApiError::failed("the vault has no key to export"));
    }
    let (keys, clients) = split_names(secrets.iter().map(|(id, _)| id));
    let file = path.clone();
    run_blocking(move || vault::export_secrets(&file, &secrets, &passphrase)).await?;
    let path = path.display().to_string();
    // Only keys: a client's token may have been printed once and never stored.
    let missing = split_names(missing.iter()).0;
    Ok(SecretsExportedView { path, keys, clients, missing })
}

pub(crate) async fn secrets_import(
    engine: &Engine,
    req: SecretsImport,
) -> Result<SecretsImportedView, ApiError> {
    let path = absolute_path(&req.path)?;
    let passphrase = parse_passphrase(req.passphrase)?;
    let secrets = run_blocking(move || vault::import_secrets(&path, &passphrase)).await?;
    let _held = engine.vault_switch().lock_changes().await;
    let mut imported = ImportedSecrets::default();
    let outcome = imported.write(engine, secrets, req.on_conflict).await;
    // Also what was written before a failure is in use.
    engine.vault_switch().announce_change(&imported.changed);
    outcome.map(|()| imported.view)
}

#[derive(Default)]
struct ImportedSecrets {
    view: SecretsImportedView,
    /// Those that were written and of which the statuses of keys do not know yet.
    changed: Vec<CredentialId>,
}

impl ImportedSecrets {
    async fn write(
        &mut self,
        engine: &Engine,
        secrets: Vec<(CredentialId, BoundSecret)>,
        on_conflict: ConflictChoice,
    ) -> Result<(), ApiError> {
        let known = vault_names(&engine.settings());
        for (id, secret) in secrets {
            let name = id.to_string();
            if !known.contains(&id) {
                self.view.unknown.push(name);
                continue;
            }
            let old = match engine.vault().get(&id).await {
                Ok(here) if *here == secret => {
                    self.view.same.push(name);
                    continue;
                }
                Ok(_) if on_conflict == ConflictChoice::Skip => {
                    self.view.kept.push(name);
                    continue;
                }
                Ok(here) => Some(here),
                Err(VaultError::NotFound(_)) => None,
                Err(error) => return Err(error.into()),
            };
            self.write_one(engine, id, old, secret).await?;
            self.view.imported.push(name);
        }
        Ok(())
    }

    async fn write_one(
        &mut self,
        engine: &Engine,
        id: CredentialId,
        old: Option<Arc<BoundSecret>>,
        secret: BoundSecret,
    ) -> Result<(), ApiError> {
        let settings = engine.settings();
        let described = settings.credentials.get(&id);
        self.changed.extend(described.is_some().then(|| id.clone()));
        engine.vault().put(&id, secret.clone()).await?;
        if *engine.vault().get(&id).await? != secret {
            let message = format!("the vault did not keep {id}");
            return Err(ApiError::failed(message).with_hint("Check the vault, then import again."));
        }
        if described.is_some_and(|known| engine::is_replaced(known, old.as_deref(), &secret)) {
            begin_replaced(engine, &id, old, &secret).await?;
            // What is tried with it already counts.
            self.changed.pop();
        }
        Ok(())
    }
}

/// What a person is told before and after an import.
async fn import_view(
    engine: &Engine,
    here: &Settings,
    there: &Settings,
    merged: MergedSettings,
) -> ConfigImportView {
    let MergedSettings { settings, detached } = merged;
    let changes = here.differences(&settings);
    let kept = settings.differences(there).into_iter();
    let kept = kept.filter(|it| it.kind == settings::DifferenceKind::Differs);
    let new_clients = settings.clients.keys().filter(|id| !here.clients.contains_key(*id));
    let keys = engine.backup_archives().missing_keys(&settings).await;
    ConfigImportView {
        changes: changes.into_iter().map(difference_view).collect(),
        kept: kept.map(difference_view).collect(),
        detached: detached.iter().map(|(backend, key)| format!("{backend}: {key}")).collect(),
        new_clients: new_clients.map(ToString::to_string).collect(),
        keys: missing_keys_view(engine, here, &settings, keys).await,
    }
}

/// Reads a file that anybody may have made. Errors name lines, and quote none of it.
fn read_settings(path: &Path) -> Result<Settings, ApiError> {
    let text =
        settings::read_text(path).map_err(|error| ApiError::invalid("path", error.to_string()))?;
    Settings::from_text(&text).map_err(|problems| {
        let errors = problems.iter().filter(|problem| problem.severity == Severity::Error);
        let told: Vec<String> = errors.map(ToString::to_string).collect();
        let more = told.len().saturating_sub(PROBLEMS_TOLD_MAX);
        let mut message: String =
            told.into_iter().take(PROBLEMS_TOLD_MAX).collect::<Vec<_>>().join("\n");
        if more > 0 {
            message.push_str(&format!("\nand {more} more"));
        }
        ApiError::invalid("path", message).with_hint("Nothing was changed. Correct the file.")
    })
}

fn parse_passphrase(mut text: zeroize::Zeroizing<String>) -> Result<Passphrase, ApiError> {
    // `parse` zeroes its argument.
    Passphrase::parse(std::mem::take(&mut *text))
        .map_err(|error| ApiError::invalid("passphrase", error.to_string()))
}

/// Keys and tokens that the settings name, as they are called in the vault.
fn vault_names(settings: &Settings) -> Vec<CredentialId> {
    let tokens = settings.clients.keys();
    let tokens =
        tokens.filter_map(|id| CredentialId::new(format!("{TOKEN_VAULT_PREFIX}{id}")).ok());
    settings.credentials.keys().cloned().chain(tokens).collect()
}

/// Names of keys, and of clients whose tokens are among them.
fn split_names<'a>(ids: impl Iterator<Item = &'a CredentialId>) -> (Vec<String>, Vec<String>) {
    let (mut keys, mut clients) = (Vec::new(), Vec::new());
    for id in ids {
        match id.as_str().strip_prefix(TOKEN_VAULT_PREFIX) {
            Some(client) => clients.push(client.to_owned()),
            None => keys.push(id.to_string()),
        }
    }
    (keys, clients)
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| ApiError::failed(format!("it was cut off: {error}")))?;
    done.map_err(|error| match error {
        VaultError::Damaged(_) => ApiError::invalid(
            "path",
            "this file is damaged, or no export of keys by `gatehouse export --secrets`",
        ),
        VaultError::Locked(_) => {
            ApiError::invalid("passphrase", "this passphrase does not open it")
        }
        other => ApiError { code: ErrorCode::Failed, ..other.into() },
    })
}
