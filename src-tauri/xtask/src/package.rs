//! `cargo xtask package`: builds the installable packages for this system.

use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::call::ProgramCall;
use crate::install::{self, Prerequisite};
use crate::panel;
use crate::repository::{Repository, all_below};

/// The kinds of package that need no download. The fourth one that Tauri supports on Linux,
/// AppImage, is left out because Tauri downloads its builder.
const KINDS: &str = if cfg!(target_os = "macos") {
    "app,dmg"
} else if cfg!(windows) {
    "nsis"
} else {
    "deb,rpm"
};

/// File endings of installable packages.
const ENDINGS: [&str; 5] = ["deb", "rpm", "dmg", "exe", "msi"];

/// Builds the packages and prints their paths.
pub(crate) fn run(repository: &Repository) -> Result<()> {
    install::ensure(repository, &[Prerequisite::WebView])?;
    panel::build(repository)?;
    ProgramCall::cargo("build --release -p cli --bin gatehouse", &repository.root).run()?;
    ProgramCall::npm("--prefix ui run tauri build -- --bundles", &repository.root)
        .arg(KINDS)
        .run()?;
    let packages = built(repository)?;
    if packages.is_empty() {
        bail!("the build ended well but left no package in target/release/bundle");
    }
    for path in packages {
        println!("{}", path.display());
    }
    Ok(())
}

fn built(repository: &Repository) -> Result<Vec<PathBuf>> {
    let folder = repository.target.join("release/bundle");
    let packages = all_below(&folder)?
        .into_iter()
        .filter(|path| {
            path.extension().is_some_and(|end| ENDINGS.iter().any(|known| end == *known))
        })
        .map(|path| folder.join(path))
        .collect();
    Ok(packages)
}
