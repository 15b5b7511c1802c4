//! Tests must not touch the developer's own Gatehouse: folders, settings, keychain.
//!
//! Two measures ensure this. Tests run with a separate home folder and without a session bus, so a
//! test that forgets its temporary folder writes there, and no keychain answers. In addition the
//! real folders are compared before and after, to detect tests that find them without the
//! environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result, bail};

use super::StepOutcome;
use crate::call::EnvironmentVariable;
use crate::repository::{Repository, all_below};

/// Folders with programs' files, relative to the home folder.
const PARENTS: [&str; 9] = [
    ".local/share",
    ".local/state",
    ".config",
    ".cache",
    "Library/Application Support",
    "Library/Preferences",
    "Library/Caches",
    "AppData/Roaming",
    "AppData/Local",
];

/// Parts of folder names that belong to Gatehouse or the Linux keychain.
const OURS: [&str; 2] = ["gatehouse", "keyrings"];

/// Path of a file → its length and modification time.
type FolderSnapshot = BTreeMap<PathBuf, (u64, u128)>;

/// The home folder of the tests, and a snapshot of the real one.
pub(super) struct HermeticHome {
    test_home: PathBuf,
    home: Option<PathBuf>,
    before: Option<FolderSnapshot>,
}

impl HermeticHome {
    /// Creates an empty home for the tests of this run. If `testing` is false (the check runs
    /// alone), keeps the home of the last run, which the check then examines.
    pub(super) fn prepare(repository: &Repository, testing: bool) -> Result<Self> {
        let decoy = repository.scratch()?.join("home");
        let home = std::env::home_dir();
        if !testing {
            return Ok(Self { test_home: decoy, home, before: None });
        }
        if decoy.exists() {
            std::fs::remove_dir_all(&decoy)
                .with_context(|| format!("could not empty {}", decoy.display()))?;
        }
        std::fs::create_dir_all(&decoy)
            .with_context(|| format!("could not create {}", decoy.display()))?;
        let before = home.as_deref().map(snapshot).transpose()?;
        Ok(Self { test_home: decoy, home, before })
    }

    /// The environment of the tests. Cargo's and rustup's own folders stay the real ones.
    pub(super) fn environment(&self) -> Vec<EnvironmentVariable> {
        let real = |name: &str, folder: &str| {
            let value = std::env::var_os(name)
                .or_else(|| Some(self.home.as_ref()?.join(folder).into_os_string()));
            (name.to_owned(), value)
        };
        let no_bus = format!("unix:path={}", self.test_home.join("no-session-bus").display());
        let absent = [
            "XDG_DATA_HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
            "XDG_RUNTIME_DIR",
            "DISPLAY",
            "WAYLAND_DISPLAY",
            "GATEHOUSE_HOME",
            "GATEHOUSE_PASSPHRASE",
        ];
        let mut variables = vec![real("CARGO_HOME", ".cargo"), real("RUSTUP_HOME", ".rustup")];
        variables.push(("HOME".to_owned(), Some(self.test_home.clone().into_os_string())));
        variables.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), Some(no_bus.into())));
        // In CI mode snapshot tools write nothing, and a stray `.only` fails.
        variables.push(("CI".to_owned(), Some("true".into())));
        variables.push(("GATEHOUSE_TESTS_STRICT".to_owned(), Some("1".into())));
        variables.extend(absent.map(|name| (name.to_owned(), None)));
        variables
    }

    /// Fails with the names of all files that tests left in the user's folders.
    pub(super) fn check(&self) -> Result<StepOutcome> {
        if !self.test_home.is_dir() {
            return Ok(StepOutcome::Skipped("no tests have been run yet"));
        }
        let mut left: Vec<String> =
            strays(&self.test_home)?.iter().map(|path| format!("~/{}", path.display())).collect();
        if let (Some(home), Some(before)) = (&self.home, &self.before) {
            left.extend(changes(before, &snapshot(home)?));
        }
        if !left.is_empty() {
            bail!(
                "the tests wrote into the user's folders (unless Gatehouse itself was in use meanwhile):\n  {}",
                left.join("\n  ")
            );
        }
        Ok(StepOutcome::Passed)
    }
}

fn is_ours(part: &str) -> bool {
    let part = part.to_lowercase();
    OURS.iter().any(|name| part.contains(name))
}

fn strays(decoy: &Path) -> Result<Vec<PathBuf>> {
    let mut files = all_below(decoy)?;
    files.retain(|path| path.components().any(|part| is_ours(&part.as_os_str().to_string_lossy())));
    Ok(files)
}

fn snapshot(home: &Path) -> Result<FolderSnapshot> {
    let mut snapshot = FolderSnapshot::new();
    for parent in PARENTS {
        let Ok(entries) = std::fs::read_dir(home.join(parent)) else { continue };
        for entry in entries {
            let folder = entry.context("could not look into the home folder")?.path();
            if !folder.file_name().is_some_and(|name| is_ours(&name.to_string_lossy())) {
                continue;
            }
            for file in all_below(&folder)? {
                let path = folder.join(file);
                let Ok(metadata) = path.metadata() else { continue };
                let changed =
                    metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
                let changed = changed.unwrap_or_default().as_nanos();
                snapshot.insert(path, (metadata.len(), changed));
            }
        }
    }
    Ok(snapshot)
}

fn changes(before: &FolderSnapshot, after: &FolderSnapshot) -> Vec<String> {
    let written = after.iter().filter(|(path, state)| before.get(*path) != Some(state));
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let written = written.map(|(path, _)| format!("{} (written)", path.display()));
    written.chain(gone.map(|path| format!("{} (deleted)", path.display()))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{changes, snapshot, strays};

    fn write(home: &Path, file: &str, contents: &str) {
        let path = home.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    #[test]
    fn a_file_in_the_users_folders_is_seen() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), ".config/gatehouse/settings.toml", "a");
        write(home.path(), ".local/share/keyrings/login.keyring", "a");
        write(home.path(), ".cache/other/file", "a");
        let before = snapshot(home.path()).unwrap();
        assert_eq!(before.len(), 2);
        assert!(changes(&before, &snapshot(home.path()).unwrap()).is_empty());

        write(home.path(), ".config/gatehouse/settings.toml", "longer");
        write(home.path(), ".local/share/dev.gatehouse/ledger.db", "new");
        write(home.path(), ".cache/other/file", "changed");
        std::fs::remove_file(home.path().join(".local/share/keyrings/login.keyring")).unwrap();
        let found = changes(&before, &snapshot(home.path()).unwrap());
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(found.iter().any(|line| line.ends_with("login.keyring (deleted)")), "{found:?}");
    }

    #[test]
    fn strays_in_the_tests_home_are_ours_only() {
        let home = tempfile::tempdir().unwrap();
        write(home.path(), ".npm/_logs/today.txt", "");
        assert!(strays(home.path()).unwrap().is_empty());
        write(home.path(), ".local/state/gatehouse/today.log", "");
        assert_eq!(strays(home.path()).unwrap(), [Path::new(".local/state/gatehouse/today.log")]);
    }
}
