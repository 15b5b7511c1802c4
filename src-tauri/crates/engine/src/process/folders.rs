//! Paths of all files and folders. Shells pass in what they read from the environment.

use std::io;
use std::path::{Path, PathBuf};

/// The folders of one installation.
///
/// They come from `directories` (XDG on Linux, Application Support on macOS, AppData on Windows),
/// unless a home folder is given: then all of them lie under it (portable use, tests).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// Holds `settings.toml`.
    pub config: PathBuf,
    /// Holds the ledger, the file vault, the cache and the owner lock.
    pub data: PathBuf,
    /// Holds the logs and the revision of the vault file.
    pub state: PathBuf,
    /// Holds the control address and token of the running engine. The system clears it at log-out
    /// where such a place exists.
    pub runtime: PathBuf,
    /// Where statements are saved for the user: the folder for downloads, or else the home folder.
    /// Not private, and not created by [`Folders::create`].
    pub downloads: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this user has no home folder; set GATEHOUSE_HOME to a folder of your choice")]
pub struct NoHome;

impl Folders {
    /// All under `home`, otherwise at the system's locations.
    pub fn resolve(home: Option<&Path>) -> Result<Self, NoHome> {
        match home {
            Some(home) => Ok(Self::in_home(home)),
            None => Self::at_system_locations(),
        }
    }

    fn in_home(home: &Path) -> Self {
        let folder = |name| home.join(name);
        Self {
            config: folder("config"),
            data: folder("data"),
            state: folder("state"),
            runtime: folder("runtime"),
            downloads: folder("downloads"),
        }
    }

    fn at_system_locations() -> Result<Self, NoHome> {
        let system = directories::ProjectDirs::from("dev", "", "gatehouse").ok_or(NoHome)?;
        let data = system.data_local_dir().to_path_buf();
        let user = directories::UserDirs::new().ok_or(NoHome)?;
        Ok(Self {
            config: system.config_dir().to_path_buf(),
            state: system.state_dir().map_or_else(|| data.join("state"), Path::to_path_buf),
            runtime: system.runtime_dir().map_or_else(|| data.join("runtime"), Path::to_path_buf),
            downloads: user.download_dir().unwrap_or_else(|| user.home_dir()).to_path_buf(),
            data,
        })
    }

    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("settings.toml")
    }

    #[must_use]
    pub(crate) fn ledger_file(&self) -> PathBuf {
        self.data.join("ledger.sqlite")
    }

    #[must_use]
    pub(crate) fn cache_file(&self) -> PathBuf {
        self.data.join("cache.sqlite")
    }

    /// Prices recorded for the cached responses.
    #[must_use]
    pub(crate) fn cache_prices_file(&self) -> PathBuf {
        self.data.join("cache-prices.json")
    }

    #[must_use]
    pub fn vault_file(&self) -> PathBuf {
        self.data.join("vault.age")
    }

    /// The highest known revision of the vault file. It lies in another folder, so that restoring a
    /// backup of the data folder does not reset both.
    #[must_use]
    pub(crate) fn vault_revision_file(&self) -> PathBuf {
        self.state.join("vault-revision")
    }

    /// What a backup is made of, or an archive is unpacked in; deleted at the start.
    #[must_use]
    pub(crate) fn archive_scratch_folder(&self) -> PathBuf {
        self.data.join("archive.partial")
    }

    /// A checked archive that is being restored. While it is there, the restore is not finished.
    #[must_use]
    pub(crate) fn restore_folder(&self) -> PathBuf {
        self.data.join("restoring")
    }

    /// What is known of the last backup. It lies in another folder than what is backed up.
    #[must_use]
    pub(crate) fn last_backup_file(&self) -> PathBuf {
        self.state.join("last-backup.json")
    }

    /// Which program each client called with last.
    #[must_use]
    pub(crate) fn client_programs_file(&self) -> PathBuf {
        self.state.join("client-programs.json")
    }

    /// When a price list was last compared with the prices in use.
    #[must_use]
    pub(crate) fn price_list_date_file(&self) -> PathBuf {
        self.state.join("price-list-compared")
    }

    /// The last fix of the settings file.
    #[must_use]
    pub(crate) fn settings_fix_file(&self) -> PathBuf {
        self.state.join("settings-fix.json")
    }

    /// How long the last starts took.
    #[must_use]
    pub(crate) fn starts_file(&self) -> PathBuf {
        self.state.join("starts.json")
    }

    #[must_use]
    pub fn log_folder(&self) -> PathBuf {
        self.state.join("logs")
    }

    /// Creates the first four with access for this user only. Fails where another user could replace
    /// them.
    pub fn create(&self) -> Result<(), FolderError> {
        [&self.config, &self.data, &self.state, &self.runtime].into_iter().try_for_each(|folder| {
            // Before the mode is changed, which only the owner may do.
            if folder.exists() {
                check_owner(folder)?;
            }
            create_private(folder).map_err(|source| refused(folder, source))?;
            folder.parent().map_or(Ok(()), check_not_world_writable)
        })
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// The file system or a parent folder cannot be written.
    #[error(
        "nothing can be written to {}: its file system is read-only; make it writable, or set \
         GATEHOUSE_HOME to another folder", .path.display()
    )]
    ReadOnly {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// Another user owns it and could read or replace its content.
    #[error(
        "{} belongs to another user (uid {owner}); change its owner, or set GATEHOUSE_HOME to a folder \
         of your own", .path.display()
    )]
    NotOwned {
        path: PathBuf,
        /// Its owner's uid.
        owner: u32,
    },
    /// Every user can replace its content.
    #[error("every user can write to {0}; run `chmod o-w {0}`", .path.display())]
    WorldWritable {
        /// The parent of our folder.
        path: PathBuf,
    },
    #[error("{} cannot be created or made private; check its permissions and the free space", .path.display())]
    Failed {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

impl FolderError {
    fn from_io(folder: &Path, source: io::Error) -> Self {
        let path = folder.to_owned();
        match source.kind() {
            io::ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path, source },
            _ => Self::Failed { path, source },
        }
    }
}

fn create_private(folder: &Path) -> io::Result<()> {
    private_files::create_folder(folder)?;
    private_files::restrict_folder(folder)
}

/// Root may use every user's folders, which is common in containers.
#[cfg(unix)]
fn check_owner(folder: &Path) -> Result<(), FolderError> {
    use std::os::unix::fs::MetadataExt;
    let owner = folder.metadata().map_err(|source| FolderError::from_io(folder, source))?.uid();
    let this_user = rustix::process::geteuid();
    match this_user.is_root() || owner == this_user.as_raw() {
        true => Ok(()),
        false => Err(FolderError::NotOwned { path: folder.to_owned(), owner }),
    }
}

/// Why `folder` could not be created: mostly the first folder above it that exists is another user's.
#[cfg(unix)]
fn refused(folder: &Path, source: io::Error) -> FolderError {
    let above = folder.ancestors().skip(1).find(|above| above.symlink_metadata().is_ok());
    match (source.kind(), above.map(check_owner)) {
        (io::ErrorKind::PermissionDenied, Some(Err(not_owned @ FolderError::NotOwned { .. }))) => {
            not_owned
        }
        _ => FolderError::from_io(folder, source),
    }
}

/// Fails if every user can write to the folder. Sticky folders like `/tmp` pass, because users cannot
/// replace each other's files there.
#[cfg(unix)]
fn check_not_world_writable(parent: &Path) -> Result<(), FolderError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = parent.metadata().map_err(|source| FolderError::from_io(parent, source))?;
    match mode.permissions().mode() & 0o1002 {
        0o0002 => Err(FolderError::WorldWritable { path: parent.to_owned() }),
        _ => Ok(()),
    }
}

#[cfg(not(unix))]
fn refused(folder: &Path, source: io::Error) -> FolderError {
    FolderError::from_io(folder, source)
}

#[cfg(not(unix))]
const fn check_owner(_folder: &Path) -> Result<(), FolderError> {
    Ok(())
}

#[cfg(not(unix))]
const fn check_not_world_writable(_parent: &Path) -> Result<(), FolderError> {
    Ok(())
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

    #[cfg(unix)]
    #[test]
    fn a_home_that_others_can_write_to_is_refused_by_name() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().expect("a folder");
        let folders = Folders::resolve(Some(home.path())).expect("folders");
        let set = |mode| std::fs::set_permissions(home.path(), PermissionsExt::from_mode(mode));
        set(0o777).expect("set");
        let error = folders.create().expect_err("refused").to_string();
        assert!(error.contains(&*home.path().to_string_lossy()), "{error}");
        assert!(error.contains("chmod o-w"), "{error}");
        for mode in [0o1777, 0o775, 0o755, 0o700] {
            set(mode).expect("set");
            folders.create().unwrap_or_else(|error| panic!("{mode:o}: {error}"));
        }
    }

    #[test]
    fn a_read_only_home_is_said_in_words_that_name_the_folder() {
        let folder = Path::new("/home/me/.config/gatehouse");
        let error =
            FolderError::from_io(folder, io::ErrorKind::ReadOnlyFilesystem.into()).to_string();
        assert!(
            error.starts_with("nothing can be written to /home/me/.config/gatehouse"),
            "{error}"
        );
        assert!(error.contains("read-only") && error.contains("GATEHOUSE_HOME"), "{error}");
    }
}
