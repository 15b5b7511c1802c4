//! The repository's folders, so that every command works from any folder inside it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ignore::WalkBuilder;

pub(crate) struct Repository {
    /// The folder of the workspace manifest.
    pub(crate) root: PathBuf,
    /// Cargo's target folder; respects `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
}

impl Repository {
    /// Finds the repository from the path where this program was compiled.
    pub(crate) fn locate() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("xtask must lie two folders below the repository's root")?
            .to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |folder| root.join(folder));
        Ok(Self { root, target })
    }

    pub(crate) fn ui(&self) -> PathBuf {
        self.root.join("ui")
    }

    /// Our folder inside the target folder, for stamps and reports.
    pub(crate) fn scratch(&self) -> Result<PathBuf> {
        let folder = self.target.join("xtask");
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("could not create {}", folder.display()))?;
        Ok(folder)
    }

    /// The path of a program that cargo built without `--release`.
    pub(crate) fn built(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Every file that git would track, relative to the root, sorted. Reads `.gitignore` and needs
    /// no git.
    pub(crate) fn files(&self) -> Result<Vec<PathBuf>> {
        tracked_below(&self.root)
    }
}

/// Every file below `folder` that `.gitignore` does not exclude, relative to it, sorted.
pub(crate) fn tracked_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut walk = WalkBuilder::new(folder);
    walk.hidden(false).require_git(false).git_global(false).git_exclude(false);
    walk.filter_entry(|entry| entry.file_name() != ".git");
    listed(folder, &walk)
}

/// Every file below `folder`, relative to it, sorted.
pub(crate) fn all_below(folder: &Path) -> Result<Vec<PathBuf>> {
    listed(folder, WalkBuilder::new(folder).standard_filters(false))
}

fn listed(folder: &Path, walk: &WalkBuilder) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in walk.build() {
        let entry = entry.with_context(|| format!("could not list {}", folder.display()))?;
        if entry.file_type().is_some_and(|kind| kind.is_file()) {
            let path = entry.path();
            files.push(path.strip_prefix(folder).unwrap_or(path).to_path_buf());
        }
    }
    files.sort();
    Ok(files)
}
