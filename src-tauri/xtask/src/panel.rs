//! Builds the web panel, only when its sources have changed.
//!
//! The desktop program embeds `ui/dist` at compile time, and a missing or stale panel causes a
//! confusing compile error. Every command that compiles it calls [`build`] first.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::call::ProgramCall;
use crate::repository::{Repository, tracked_below};

/// Most script that the page loads before its first screen, in bytes. May only come down; 400,000 is
/// the aim.
const START_SCRIPT_BYTES_MAX: u64 = 420_000;

/// Installs the panel's packages if the lock file has changed since the last time.
pub(crate) fn install(repository: &Repository) -> Result<()> {
    install_packages(repository, &repository.ui(), "ui-packages")
}

/// Installs the packages of the npm project in `folder` if its lock file has changed.
pub(crate) fn install_packages(repository: &Repository, folder: &Path, stamp: &str) -> Result<()> {
    let stamp = BuildStamp::new(repository, stamp, folder, &["package-lock.json".into()])?;
    if stamp.is_current() && folder.join("node_modules").is_dir() {
        return Ok(());
    }
    if !ProgramCall::npm("--version", &repository.root).succeeds_silently() {
        bail!("Node 20 or newer with npm is needed; install it from https://nodejs.org");
    }
    if !ProgramCall::npm("ci --ignore-scripts --no-audit --no-fund", folder).try_run()? {
        // If the registry lacks builds of some packages for other systems, npm writes a lock file
        // that `npm ci` then refuses. `install` takes the same versions and does not change the
        // file.
        println!("`npm ci` refused the lock file; taking its versions with `npm install` instead.");
        ProgramCall::npm("install --no-save --ignore-scripts --no-audit --no-fund", folder)
            .run()?;
    }
    stamp.set()
}

/// Builds the panel if one of its sources has changed since the last build.
pub(crate) fn build(repository: &Repository) -> Result<()> {
    install(repository)?;
    let ui = repository.ui();
    let stamp = BuildStamp::new(repository, "ui-sources", &ui, &sources(&ui)?)?;
    if stamp.is_current() && ui.join("dist/index.html").is_file() {
        return Ok(());
    }
    ProgramCall::npm("run build", &ui).run()?;
    stamp.set()
}

/// Fails if the built page loads too much script before its first screen.
pub(crate) fn check_start_script(repository: &Repository) -> Result<()> {
    let dist = repository.ui().join("dist");
    let read = |name: &str| {
        let path = dist.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("could not read {}", path.display()))
    };
    let mut bytes = 0;
    for script in start_scripts(&read("index.html")?) {
        bytes += read(script)?.len() as u64;
    }
    println!("the page loads {bytes} bytes of script before its first screen");
    if bytes > START_SCRIPT_BYTES_MAX {
        bail!(
            "the page loads {bytes} bytes of script before its first screen, at most \
             {START_SCRIPT_BYTES_MAX} are allowed; load what that screen does not need later, as \
             `ui/src/components/overlay/lazy.tsx` does"
        );
    }
    Ok(())
}

/// The scripts that the page itself names, relative to it.
fn start_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split('"').filter(|text| text.starts_with("./") && text.ends_with(".js"))
}

/// Writes a placeholder page if the panel is not built, so that the desktop program, which embeds
/// it, compiles. The type generator needs this, since a panel with outdated types does not build.
pub(crate) fn ensure_embeddable(repository: &Repository) -> Result<()> {
    let page = repository.ui().join("dist/index.html");
    if page.is_file() {
        return Ok(());
    }
    let stamp = BuildStamp::new(repository, "ui-sources", &repository.ui(), &[])?;
    stamp.forget()?;
    std::fs::create_dir_all(repository.ui().join("dist"))
        .and_then(|()| {
            std::fs::write(&page, "<!doctype html><title>The panel is not built</title>")
        })
        .with_context(|| format!("could not write {}", page.display()))
}

/// The inputs of the build. Tests are left out: a change to one must not rebuild the program.
fn sources(ui: &Path) -> Result<Vec<PathBuf>> {
    let mut files = tracked_below(ui)?;
    files.retain(|path| {
        !path.starts_with("node_modules")
            && !path.starts_with("dist")
            && !path.starts_with("test")
            && !path.to_string_lossy().contains(".test.")
    });
    Ok(files)
}

/// Remembers a hash of the files that something was built from.
struct BuildStamp {
    path: PathBuf,
    contents: String,
}

impl BuildStamp {
    fn new(repository: &Repository, name: &str, folder: &Path, files: &[PathBuf]) -> Result<Self> {
        let mut hasher = DefaultHasher::new();
        for file in files {
            let path = folder.join(file);
            file.hash(&mut hasher);
            std::fs::read(&path)
                .with_context(|| format!("could not read {}", path.display()))?
                .hash(&mut hasher);
        }
        let path = repository.scratch()?.join(format!("{name}.stamp"));
        Ok(Self { path, contents: format!("{:016x}", hasher.finish()) })
    }

    fn is_current(&self) -> bool {
        std::fs::read_to_string(&self.path).is_ok_and(|known| known == self.contents)
    }

    fn forget(&self) -> Result<()> {
        if self.path.exists() {
            std::fs::remove_file(&self.path)
                .with_context(|| format!("could not remove {}", self.path.display()))?;
        }
        Ok(())
    }

    fn set(&self) -> Result<()> {
        std::fs::write(&self.path, &self.contents)
            .with_context(|| format!("could not write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::{BuildStamp, sources};
    use crate::repository::Repository;

    fn check(change: impl Fn(&std::path::Path)) -> bool {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.ts"), "one").unwrap();
        let repository =
            Repository { root: folder.path().into(), target: folder.path().join("target") };
        let files = [PathBuf::from("a.ts")];
        BuildStamp::new(&repository, "s", folder.path(), &files).unwrap().set().unwrap();
        change(folder.path());
        BuildStamp::new(&repository, "s", folder.path(), &files).unwrap().is_current()
    }

    #[test]
    fn a_stamp_is_current_until_a_content_changes() {
        assert!(check(|_| ()));
        assert!(check(|folder| std::fs::write(folder.join("a.ts"), "one").unwrap()));
        assert!(!check(|folder| std::fs::write(folder.join("a.ts"), "two").unwrap()));
    }

    #[test]
    fn a_stand_in_page_never_passes_for_a_built_panel() {
        let folder = tempfile::tempdir().unwrap();
        let repository =
            Repository { root: folder.path().into(), target: folder.path().join("target") };
        let built = || BuildStamp::new(&repository, "ui-sources", folder.path(), &[]).unwrap();
        built().set().unwrap();
        super::ensure_embeddable(&repository).unwrap();
        assert!(repository.ui().join("dist/index.html").is_file());
        assert!(!built().is_current());
        built().set().unwrap();
        super::ensure_embeddable(&repository).unwrap();
        assert!(built().is_current(), "a page that is there is left alone");
    }

    #[test]
    fn a_page_with_too_much_script_is_refused() {
        let check = |bytes: usize| {
            let folder = tempfile::tempdir().unwrap();
            let repository =
                Repository { root: folder.path().into(), target: folder.path().join("target") };
            let dist = repository.ui().join("dist");
            std::fs::create_dir_all(dist.join("assets")).unwrap();
            let page = r#"<script src="./a.js"></script><link href="./assets/b.js"><i id="b.js">"#;
            std::fs::write(dist.join("index.html"), page).unwrap();
            std::fs::write(dist.join("a.js"), "a").unwrap();
            std::fs::write(dist.join("assets/b.js"), "b".repeat(bytes - 1)).unwrap();
            super::check_start_script(&repository).is_ok()
        };
        let most = usize::try_from(super::START_SCRIPT_BYTES_MAX).unwrap();
        assert!(check(most) && !check(most + 1));
    }

    #[test]
    fn tests_and_built_files_are_no_sources() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["src/a.ts", "src/a.test.ts", "dist/index.html", "test/walk.ts"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(sources(folder.path()).unwrap(), [PathBuf::from("src/a.ts")]);
    }
}
