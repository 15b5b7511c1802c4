//! Backups of everything in one file, their check, and their restore.
//!
//! A backup holds the settings and the ledger, and so backends, routes, clients with the hashes of
//! their tokens, budgets, prices, alerts and what was spent. It holds no key: those stay in the
//! vault, and a restore tells which of them the vault lacks. Left out are caches, logs, and the
//! records of wired tools, which may hold copies of the user's files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use archive::{ArchiveError, ArchiveWatch, Manifest, PartName, PartSource};
use domain::{Clock, CredentialId, WallTime};
use ledger::{Ledger, LedgerError, RestoreReport};
use private_files::{create_new_folder, write_atomic};
use serde::{Deserialize, Serialize};
use settings::{FileProblem, Settings, SettingsDifference, SettingsError};
use vault::{Vault, VaultError};

use crate::alerts::watch::AlertWatch;
use crate::backups::progress::BackupTask;
use crate::backups::progress_teller::ProgressTeller;
use crate::backups::restore::{self, RestoreError, remove_folder};
use crate::budgets::watch::BudgetWatch;
use crate::costs::prices_in_use::PricesInUse;
use crate::events::EventBus;
use crate::ledger_file::watch::LedgerWatch;
use crate::process::folders::Folders;
use crate::settings_editor::SettingsEditor;
use crate::topic::Topic;

/// Free space that is left beyond what a backup or a restore needs, in bytes.
const HEADROOM_BYTES: u64 = 200_000_000;
/// Largest note of the last backup that is read, in bytes.
const NOTE_BYTES_MAX: u64 = 16_384;

/// Makes, checks and restores archives; one at a time.
pub struct BackupArchives {
    pub(crate) folders: Folders,
    pub(crate) ledger: Ledger,
    pub(crate) ledger_watch: Arc<LedgerWatch>,
    pub(crate) settings: Arc<SettingsEditor>,
    pub(crate) budgets: Arc<BudgetWatch>,
    pub(crate) alerts: Arc<AlertWatch>,
    pub(crate) prices: PricesInUse,
    pub(crate) vault: Vault,
    pub(crate) clock: Arc<dyn Clock>,
    /// Of this program, for the manifest.
    pub(crate) version: &'static str,
    pub(crate) events: EventBus,
    pub(crate) working: tokio::sync::Mutex<()>,
    pub(crate) cancelled: Arc<AtomicBool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    pub path: PathBuf,
    pub at: WallTime,
    pub bytes: u64,
    pub requests: u64,
}

/// An archive that was unpacked and opened.
#[derive(Debug, Clone)]
pub struct ArchiveCheck {
    pub manifest: Manifest,
    pub settings: Settings,
    /// Requests counted in its ledger.
    pub requests: u64,
    /// Duration of the check, in milliseconds.
    pub took_ms: u64,
}

/// What a restore would change.
#[derive(Debug, Clone)]
pub struct RestorePlan {
    pub check: ArchiveCheck,
    /// What the settings would become.
    pub differences: Vec<SettingsDifference>,
    pub requests_here: u64,
    pub keys: MissingKeys,
}

/// Keys that settings name and the vault does not have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MissingKeys {
    pub missing: Vec<CredentialId>,
    /// Why the vault could not tell of the others.
    pub unknown: Option<String>,
}

#[derive(Debug, Clone)]
pub struct RestoreDone {
    pub manifest: Manifest,
    pub ledger: RestoreReport,
    /// Name of the copy of the settings before, in their folder.
    pub settings_kept: Option<String>,
    pub keys: MissingKeys,
}

/// Settings that fit into a file fit into an archive, and no others are read from one.
const _: () = assert!(archive::SETTINGS_BYTES_MAX == settings::FILE_BYTES_MAX);

#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("another backup or restore is in progress")]
    Busy,
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The ledger here. Nothing was changed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("the settings in this backup have errors: {0}")]
    SettingsInside(Box<FileProblem>),
    #[error("the ledger in this backup cannot be used: {}", .0.with_detail())]
    LedgerInside(LedgerError),
    #[error("it needs {needed_mb} MB of free space in {}, which has {free_mb} MB", .folder.display())]
    NoSpace { folder: PathBuf, needed_mb: u64, free_mb: u64 },
    #[error("the backup could not be unpacked or packed in {}: {source}", .folder.display())]
    Scratch {
        folder: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The ledger is restored, the settings are as before.
    #[error("the ledger was restored, but the settings were not: {0}")]
    HalfRestored(String),
}

impl BackupArchives {
    /// Backs everything up into the new file `target`, for this user only.
    ///
    /// # Errors
    /// See [`BackupError`]. Then no file is left.
    pub async fn create(&self, target: PathBuf) -> Result<BackupMade, BackupError> {
        let _turn = self.working.try_lock().map_err(|_| BackupError::Busy)?;
        let teller = self.begin(BackupTask::Create);
        let scratch = self.new_scratch()?;
        let made = self.create_in(&scratch, target, teller).await;
        remove_folder(&scratch);
        let made = made?;
        self.note_last(&made);
        tracing::info!(bytes = made.bytes, requests = made.requests, "everything was backed up");
        self.events.send_changed(&[Topic::Ledger, Topic::Readiness]);
        Ok(made)
    }

    /// Unpacks the archive into a scratch folder and opens all of it, as a restore would.
    ///
    /// # Errors
    /// The archive is damaged, foreign, newer or unsafe; see [`BackupError`].
    pub async fn check(&self, source: PathBuf) -> Result<ArchiveCheck, BackupError> {
        let _turn = self.working.try_lock().map_err(|_| BackupError::Busy)?;
        let checked = self.check_in_scratch(source, BackupTask::Check).await;
        remove_folder(&self.folders.archive_scratch_folder());
        checked
    }

    /// Checks the archive and tells what a restore of it would change.
    ///
    /// # Errors
    /// As for [`Self::check`].
    pub async fn plan(&self, source: PathBuf) -> Result<RestorePlan, BackupError> {
        let check = self.check(source).await?;
        let differences = self.settings.store.current().differences(&check.settings);
        let keys = self.missing_keys(&check.settings).await;
        let requests_here = self.ledger_watch.recovery().requests().await?;
        Ok(RestorePlan { check, differences, requests_here, keys })
    }

    /// Restores everything from the archive. Records made since then stay, and the files before are
    /// kept. Once it has begun to replace files, it is finished whatever happens to this process.
    ///
    /// # Errors
    /// As for [`Self::check`]; nothing was changed then, but for [`BackupError::HalfRestored`].
    pub async fn restore(&self, source: PathBuf) -> Result<RestoreDone, BackupError> {
        let _turn = self.working.try_lock().map_err(|_| BackupError::Busy)?;
        let checked = self.check_in_scratch(source, BackupTask::Restore).await;
        let check =
            checked.inspect_err(|_| remove_folder(&self.folders.archive_scratch_folder()))?;
        let scratch = |source| BackupError::Scratch { folder: self.folders.data.clone(), source };
        restore::commit(&self.folders).map_err(scratch)?;
        let recovery = self.ledger_watch.recovery();
        let store = &self.settings.store;
        let done = restore::finish(&self.folders, store, recovery, &*self.clock).await;
        // The user is told of a failure, so no later start may surprise with the rest.
        let done = done.inspect_err(|_| remove_folder(&self.folders.restore_folder()));
        self.reload().await;
        let done = done.map_err(|error| match error {
            RestoreError::Ledger(error) => BackupError::Ledger(error),
            RestoreError::Settings(error) => BackupError::HalfRestored(error.to_string()),
            RestoreError::File(error) => BackupError::HalfRestored(error.to_string()),
        })?;
        tracing::info!(requests = done.ledger.requests, "everything was restored from a backup");
        let keys = self.missing_keys(&check.settings).await;
        let (manifest, settings_kept) = (check.manifest, done.settings_kept);
        Ok(RestoreDone { manifest, ledger: done.ledger, settings_kept, keys })
    }

    /// Stops what is in progress, unless it already replaces files.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// The last backup that was made; `None` if there is none, or its file is gone.
    #[must_use]
    pub fn last(&self) -> Option<BackupMade> {
        let file = self.folders.last_backup_file();
        let size = std::fs::metadata(&file).ok()?.len();
        let text = (size <= NOTE_BYTES_MAX).then(|| std::fs::read(&file).ok())??;
        let made: BackupMade = serde_json::from_slice(&text).ok()?;
        made.path.is_file().then_some(made)
    }

    /// Which keys of `settings` the vault lacks.
    pub async fn missing_keys(&self, settings: &Settings) -> MissingKeys {
        let mut found = MissingKeys::default();
        for id in settings.credentials.keys() {
            match self.vault.get(id).await {
                Ok(_) => {}
                Err(VaultError::NotFound(_)) => found.missing.push(id.clone()),
                Err(error) => {
                    found.unknown = Some(error.to_string());
                    break;
                }
            }
        }
        found
    }

    async fn create_in(
        &self,
        scratch: &Path,
        target: PathBuf,
        teller: ProgressTeller,
    ) -> Result<BackupMade, BackupError> {
        let store = Arc::clone(&self.settings.store);
        let text = run_blocking(move || store.text()).await??;
        self.require_space(&self.folders.data, self.ledger.size_bytes())?;
        let parts = PartName::ALL
            .iter()
            .map(|name| PartSource { name: *name, path: scratch.join(name.word()) });
        let parts: Vec<_> = parts.collect();
        let requests =
            self.ledger_watch.recovery().copy_to(scratch.join(PartName::Ledger.word())).await?;
        write_atomic(&scratch.join(PartName::Settings.word()), text.as_bytes())
            .map_err(|source| BackupError::Scratch { folder: scratch.to_owned(), source })?;
        let at = self.clock.wall();
        let manifest = Manifest::new(self.version, at, ledger::schema_version(), requests);
        let path = target.clone();
        let packed =
            run_blocking(move || archive::write_archive(&target, manifest, &parts, &teller));
        let (_, bytes) = packed.await??;
        Ok(BackupMade { path, at, bytes, requests })
    }

    /// Leaves the unpacked and upgraded parts in the scratch folder.
    async fn check_in_scratch(
        &self,
        source: PathBuf,
        task: BackupTask,
    ) -> Result<ArchiveCheck, BackupError> {
        let teller = self.begin(task);
        let begun = self.clock.now();
        let announced = source.clone();
        let manifest = run_blocking(move || archive::read_manifest(&announced)).await??;
        // Unpacked, and once more as the new ledger.
        self.require_space(&self.folders.data, manifest.bytes().saturating_mul(2))?;
        let scratch = self.new_scratch()?;
        let (manifest, text, requests) = run_blocking(move || {
            let manifest = archive::unpack(&source, &scratch, &teller)?;
            let failed = |source| BackupError::Scratch { folder: scratch.clone(), source };
            let text = std::fs::read(scratch.join(PartName::Settings.word())).map_err(failed)?;
            let requests = ledger::examine_copy(&scratch.join(PartName::Ledger.word()))
                .map_err(BackupError::LedgerInside)?;
            match teller.goes_on(manifest.bytes(), manifest.bytes()) {
                true => Ok((manifest, text, requests)),
                false => Err(BackupError::Archive(ArchiveError::Cancelled)),
            }
        })
        .await??;
        let text = String::from_utf8(text)
            .map_err(|_| ArchiveError::Damaged("its settings are not UTF-8 text".to_owned()))?;
        let settings = Settings::from_text(&text).map_err(|problems| {
            let worst = problems.into_iter().find(|it| it.severity == settings::Severity::Error);
            worst.map_or(
                ArchiveError::Damaged("its settings cannot be read".to_owned()).into(),
                |problem| BackupError::SettingsInside(Box::new(problem)),
            )
        })?;
        let took = self.clock.now().since(begun).as_millis();
        let took_ms = u64::try_from(took).unwrap_or(u64::MAX);
        Ok(ArchiveCheck { manifest, settings, requests, took_ms })
    }

    /// Puts the restored files in force in the parts that keep something of them in memory.
    async fn reload(&self) {
        match self.ledger.price_book().await {
            Ok(book) => self.prices.store(Arc::new(book)),
            Err(error) => tracing::warn!(%error, "the restored prices were not loaded"),
        }
        self.settings.apply();
        if let Err(error) = self.budgets.load().await {
            tracing::warn!(%error, "what budgets spent was not loaded");
        }
        if let Err(error) = self.alerts.restore().await {
            tracing::warn!(%error, "the restored alerts were not loaded");
        }
        self.ledger_watch.announce_change();
    }

    fn begin(&self, task: BackupTask) -> ProgressTeller {
        ProgressTeller::begin(task, self.events.clone(), Arc::clone(&self.cancelled))
    }

    fn new_scratch(&self) -> Result<PathBuf, BackupError> {
        let folder = self.folders.archive_scratch_folder();
        remove_folder(&folder);
        match create_new_folder(&folder) {
            Ok(()) => Ok(folder),
            Err(source) => Err(BackupError::Scratch { folder, source }),
        }
    }

    fn require_space(&self, folder: &Path, needed: u64) -> Result<(), BackupError> {
        let needed = needed.saturating_add(HEADROOM_BYTES);
        match fs4::available_space(folder) {
            Ok(free) if free < needed => Err(BackupError::NoSpace {
                folder: folder.to_owned(),
                needed_mb: needed / 1_000_000,
                free_mb: free / 1_000_000,
            }),
            _ => Ok(()),
        }
    }

    /// A note that cannot be written costs the date of the last backup, not the backup.
    fn note_last(&self, made: &BackupMade) {
        let text = serde_json::to_vec_pretty(made).unwrap_or_default();
        if let Err(error) = write_atomic(&self.folders.last_backup_file(), &text) {
            tracing::warn!(%error, "the date of the backup could not be noted");
        }
    }
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, BackupError> {
    let stopped =
        |error| BackupError::Scratch { folder: PathBuf::new(), source: io::Error::other(error) };
    tokio::task::spawn_blocking(work).await.map_err(stopped)
}
