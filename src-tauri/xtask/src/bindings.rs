//! `cargo xtask bindings`: generates the panel's TypeScript types from the Rust types, its tables
//! (what each operation changes, the sign of each state, the settings, the presets) from those of the
//! core, the window's capability file from the table of operations, and the reference of settings.
//!
//! The generated files are committed, so that work on the panel needs no Rust. `--check` compares
//! contents instead of git's status, so it also detects a file that was never committed.

use anyhow::{Context, Result, bail};
use similar::TextDiff;

use crate::call::ProgramCall;
use crate::panel;
use crate::repository::Repository;

/// The committed files, relative to the root.
const FILES: [&str; 6] = [
    "ui/src/ipc/bindings.ts",
    "ui/src/lib/tables.ts",
    "ui/src/lib/form-tables.ts",
    "ui/src/ipc/fake/presets.ts",
    "src-tauri/capabilities/panel.json",
    "SETTINGS.md",
];

/// Lines of unchanged text shown around a difference.
const CONTEXT_LINES: usize = 2;

#[derive(clap::Args)]
pub(crate) struct BindingsArguments {
    /// Change nothing; fail when a committed file differs
    #[arg(long)]
    check: bool,
}

/// Writes the committed files, or checks them.
pub(crate) fn run(repository: &Repository, arguments: &BindingsArguments) -> Result<()> {
    if arguments.check {
        check(repository)?;
        println!("{} are up to date", FILES.join(", "));
        return Ok(());
    }
    for (name, fresh) in FILES.iter().zip(generate(repository)?) {
        let path = repository.root.join(name);
        std::fs::write(&path, fresh)
            .with_context(|| format!("could not write {}", path.display()))?;
        println!("wrote {name}");
    }
    Ok(())
}

/// Fails with the difference if a committed file is out of date.
pub(crate) fn check(repository: &Repository) -> Result<()> {
    for (name, fresh) in FILES.iter().zip(generate(repository)?) {
        let path = repository.root.join(name);
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(difference) = difference(&committed, &fresh) {
            bail!(
                "{name} differs from the Rust types; run `cargo xtask bindings` and \
                 commit it\n{difference}"
            );
        }
    }
    Ok(())
}

/// The contents of [`FILES`].
///
/// Builds with `--workspace`: cargo unifies features over the packages of a call, so any narrower
/// call would compile half of the dependencies a second time.
fn generate(repository: &Repository) -> Result<Vec<String>> {
    panel::ensure_embeddable(repository)?;
    ProgramCall::cargo("build --quiet --workspace --example bindings", &repository.root).run()?;
    let folder = repository.scratch()?;
    ProgramCall::new(repository.built("examples/bindings"), &repository.root).arg(&folder).run()?;
    let read = |path: &&str| {
        let name = path.rsplit('/').next().unwrap_or(path);
        std::fs::read_to_string(folder.join(name))
            .with_context(|| format!("the generator wrote no {name}"))
    };
    FILES.iter().map(read).collect()
}

fn difference(committed: &str, fresh: &str) -> Option<String> {
    if committed == fresh {
        return None;
    }
    let diff = TextDiff::from_lines(committed, fresh);
    let text =
        diff.unified_diff().context_radius(CONTEXT_LINES).header("committed", "fresh").to_string();
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn equal_texts_have_no_difference() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    }

    #[test]
    fn one_letter_is_shown_with_both_sides() {
        let shown = difference("export type A = string\n", "export type B = string\n").unwrap();
        assert!(shown.contains("-export type A") && shown.contains("+export type B"), "{shown}");
    }

    #[test]
    fn a_file_that_was_never_committed_differs() {
        assert!(difference("", "export type A = string\n").is_some());
    }
}
