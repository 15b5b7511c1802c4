//! Where everything lies. The shells pass in what they read from the environment.

use std::path::{Path, PathBuf};

/// The folders of one installation.
///
/// `directories` decides (XDG on Linux, Application Support on macOS, AppData on Windows), unless
/// one home is given: then all four lie under it (portable use, tests).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// `settings.toml`.
    pub config: PathBuf,
    /// The ledger, the file vault and the owner's lock.
    pub data: PathBuf,
    /// Logs.
    pub state: PathBuf,
    /// The control address and token of the running engine; cleared by the system at log-out where
    /// it has such a place.
    pub runtime: PathBuf,
}

/// No home folder could be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this user has no home folder; set GATEHOUSE_HOME to a folder of your choice")]
pub struct NoHome;

impl Folders {
    /// All four under `home`, or where the system wants them.
    pub fn resolve(home: Option<&Path>) -> Result<Self, NoHome> {
        match home {
            Some(home) => Ok(Self::under(home)),
            None => Self::of_the_system(),
        }
    }

    fn under(home: &Path) -> Self {
        let folder = |name| home.join(name);
        Self {
            config: folder("config"),
            data: folder("data"),
            state: folder("state"),
            runtime: folder("runtime"),
        }
    }

    fn of_the_system() -> Result<Self, NoHome> {
        let system = directories::ProjectDirs::from("dev", "", "gatehouse").ok_or(NoHome)?;
        let data = system.data_local_dir().to_path_buf();
        Ok(Self {
            config: system.config_dir().to_path_buf(),
            state: system.state_dir().map_or_else(|| data.join("state"), Path::to_path_buf),
            runtime: system.runtime_dir().map_or_else(|| data.join("runtime"), Path::to_path_buf),
            data,
        })
    }

    /// The settings file.
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    /// The ledger file.
    #[must_use]
    pub fn ledger_file(&self) -> PathBuf {
        self.data.join("ledger.sqlite")
    }

    /// The file of the answers that are kept.
    #[must_use]
    pub fn cache_file(&self) -> PathBuf {
        self.data.join("cache.sqlite")
    }

    /// The prices by which those answers were paid.
    #[must_use]
    pub fn cache_prices_file(&self) -> PathBuf {
        self.data.join("cache-prices.json")
    }

    /// The encrypted file vault.
    #[must_use]
    pub fn vault_file(&self) -> PathBuf {
        self.data.join("vault.age")
    }

    /// The folder of the logs.
    #[must_use]
    pub fn log_folder(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// Makes all four, readable by this user only.
    pub fn create(&self) -> std::io::Result<()> {
        [&self.config, &self.data, &self.state, &self.runtime]
            .into_iter()
            .try_for_each(|folder| create_private(folder))
    }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_home_holds_everything_and_is_private() {
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::resolve(Some(home.path())).expect("folders");
        folders.create().expect("created");
        assert_eq!(folders.settings_file(), home.path().join("config/settings.toml"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = folders.data.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o777, 0o700);
        }
    }
}
