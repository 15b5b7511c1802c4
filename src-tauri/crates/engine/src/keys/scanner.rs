//! Looks for keys in plain text, and tells which of them the vault holds.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::{CredentialId, Secret, known_variables};
use key_scan::{PlainKey, ScanProblem, ScanReport};
use settings::SettingsStore;
use vault::{EnvStore, Vault, VaultState};

/// Finds keys in the files of this user.
pub struct KeyScanner {
    /// None where the shell knows no home folder.
    pub(crate) home: Option<PathBuf>,
    pub(crate) settings: Arc<SettingsStore>,
    pub(crate) vault: Vault,
    /// The keys in the environment that this program was started with.
    pub(crate) environment: Arc<EnvStore>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyScanPlaces {
    /// Shell profiles and the files of known tools.
    pub known_files: bool,
    pub environment: ScannedEnvironment,
    /// Files, and folders whose `.env` files are read.
    pub named: Vec<PathBuf>,
}

/// The variables that are searched for keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum ScannedEnvironment {
    #[default]
    None,
    /// Those that this program was started with.
    Own,
    /// Those of the caller, which may have been started in another shell: names and keys. Variables that
    /// are not known are left out.
    Caller(Vec<(String, Secret)>),
}

/// A key in plain text.
#[derive(Debug)]
pub struct FoundKey {
    pub key: PlainKey,
    /// The variable that holds it in the environment that was searched.
    pub variable: Option<&'static str>,
    /// The key of the vault that is the same one.
    pub stored_as: Option<CredentialId>,
}

#[derive(Debug)]
pub struct KeyScan {
    pub keys: Vec<FoundKey>,
    /// Files that were read.
    pub files: usize,
    pub problems: Vec<ScanProblem>,
    /// True if shell profiles and files of tools were not looked into, since the home folder is not
    /// known.
    pub is_without_home: bool,
    /// True if there is more than a scan reports.
    pub is_truncated: bool,
    /// False while the vault is locked or missing: then it is not known which keys it holds.
    pub vault_was_read: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum KeyScanError {
    #[error("the home folder is not known; set HOME, or name the files to look into")]
    NoHome,
    #[error("the files could not be read: {0}")]
    Stopped(#[from] tokio::task::JoinError),
}

impl KeyScanner {
    pub async fn scan(&self, places: KeyScanPlaces) -> Result<KeyScan, KeyScanError> {
        let KeyScanPlaces { known_files, environment, named } = places;
        let home = self.home.clone().filter(|_| known_files);
        let is_without_home = known_files && home.is_none();
        if is_without_home && environment == ScannedEnvironment::None {
            return Err(KeyScanError::NoHome);
        }
        let look = move || key_scan::scan(home.as_deref(), &named);
        let ScanReport { keys, files, problems, is_truncated } =
            tokio::task::spawn_blocking(look).await?;
        let mut found: Vec<_> =
            keys.into_iter().map(|key| FoundKey { key, variable: None, stored_as: None }).collect();
        match &environment {
            ScannedEnvironment::None => {}
            ScannedEnvironment::Own => {
                let own = self.environment.keys();
                add_variables(&mut found, own.map(|(name, bound)| (name, bound.parts().0)));
            }
            ScannedEnvironment::Caller(given) => add_variables(&mut found, known_among(given)),
        }
        let vault_was_read = self.mark_stored(&mut found).await;
        Ok(KeyScan { keys: found, files, problems, is_without_home, is_truncated, vault_was_read })
    }

    /// How many keys lie in plain text in the files that are known to hold some. The vault is not asked.
    pub(crate) async fn known_keys(&self) -> Result<usize, KeyScanError> {
        let home = self.home.clone().ok_or(KeyScanError::NoHome)?;
        let look = move || key_scan::scan(Some(&home), &[]);
        let report = tokio::task::spawn_blocking(look).await?;
        Ok(report.keys.len())
    }

    /// Nobody is asked to unlock the vault for it.
    async fn mark_stored(&self, found: &mut [FoundKey]) -> bool {
        let state = match self.vault.state() {
            VaultState::Unchecked => self.vault.recheck().await,
            known => known,
        };
        if state != VaultState::Ready {
            return false;
        }
        for id in self.settings.current().credentials.keys() {
            let Ok(bound) = self.vault.get(id).await else { continue };
            let same = found.iter_mut().find(|found| found.key.secret == *bound.parts().0);
            if let Some(same) = same {
                same.stored_as = Some(id.clone());
            }
        }
        true
    }

    /// A path as people write it: `~/.zshrc`.
    #[must_use]
    pub fn short_path(&self, path: &Path) -> String {
        let below = self.home.as_deref().and_then(|home| path.strip_prefix(home).ok());
        below.map_or_else(|| path.display().to_string(), |below| format!("~/{}", below.display()))
    }
}

/// The known variables among those of a caller, in the order in which they are known.
fn known_among(given: &[(String, Secret)]) -> impl Iterator<Item = (&'static str, &Secret)> {
    known_variables().filter_map(|known| {
        let (_, secret) = given.iter().find(|(name, _)| name == known.variable)?;
        Some((known.variable, secret))
    })
}

fn add_variables<'a>(
    found: &mut Vec<FoundKey>,
    variables: impl Iterator<Item = (&'static str, &'a Secret)>,
) {
    for (variable, secret) in variables {
        let Some(key) = key_scan::key_in_variable(variable, secret) else { continue };
        match found.iter_mut().find(|known| known.key.secret == key.secret) {
            Some(known) => {
                known.key.provider = known.key.provider.or(key.provider);
                known.variable = Some(variable);
            }
            None => found.push(FoundKey { key, variable: Some(variable), stored_as: None }),
        }
    }
}
