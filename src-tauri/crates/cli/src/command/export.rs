//! `gatehouse export` and `gatehouse import`: the settings without keys, or the keys encrypted.

use std::path::PathBuf;

use clap::ValueHint;
use control::Core;
use control::view::{
    ConfigExport, ConfigExportedView, ConfigImport, ConfigImportView, ConflictChoice,
    SecretsExport, SecretsExportedView, SecretsImport, SecretsImportedView,
};
use zeroize::Zeroizing;

use super::backup::{absolute, add_differences, add_missing_keys};
use crate::confirm::{confirm_plan, confirm_typed};
use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::passphrase::ask_new;
use crate::quantity::format_counted_noun;
use crate::secret_input::{prompt_hidden, read_line_limited};
use crate::sign::{Mark, Tone};
use crate::text::StyledText;
use crate::word::word;

/// Typed before keys leave the vault.
const EXPORT_WORD: &str = "export";

#[derive(Debug, clap::Args)]
pub(crate) struct ExportArguments {
    /// A new file; by default one in the folder for downloads
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath, required_if_eq("secrets", "true"))]
    file: Option<PathBuf>,
    /// Write the keys instead of the settings, encrypted with a passphrase
    #[arg(long)]
    secrets: bool,
    /// Read the passphrase from standard input instead of prompting for it
    #[arg(long, requires = "secrets")]
    stdin: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "secrets")]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArguments {
    /// A file from `gatehouse export`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// What becomes of settings that differ
    #[arg(long, value_name = "CHOICE", default_value = "skip", value_parser = word::<ConflictChoice>())]
    on_conflict: ConflictChoice,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with_all = ["yes", "secrets"])]
    preview: bool,
    /// Read keys from a file of `gatehouse export --secrets`
    #[arg(long)]
    secrets: bool,
    /// Read the passphrase from standard input instead of prompting for it
    #[arg(long, requires = "secrets")]
    stdin: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn export(
    wanted: ExportArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let path = wanted.file.as_deref().map(absolute).transpose()?;
    let Some(path) = path.clone().filter(|_| wanted.secrets) else {
        let made = control::config_export(core, ConfigExport { path }).await?;
        console.print_view(&made, render_exported)?;
        return Ok(Exit::Success);
    };
    if !wanted.yes {
        let plan = "This writes all keys and local tokens into a file, encrypted with a \
            passphrase. Whoever has both can use your keys.";
        if !confirm_typed(plan, EXPORT_WORD, console)? {
            return Err(CommandError::new(Exit::Negative, "nothing was exported"));
        }
    }
    let passphrase = read_passphrase(wanted.stdin, console, || ask_new("the file"))?;
    let made = control::secrets_export(core, SecretsExport { path, passphrase }).await?;
    console.print_view(&made, render_secrets_exported)?;
    Ok(if made.missing.is_empty() { Exit::Success } else { Exit::Negative })
}

pub(crate) async fn import(
    wanted: ImportArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let path = absolute(&wanted.file)?;
    if wanted.secrets {
        return import_secrets(path, wanted.on_conflict, wanted.stdin, core, console).await;
    }
    let req = ConfigImport { path, on_conflict: wanted.on_conflict };
    if !wanted.yes {
        let plan = control::config_import_plan(core, req.clone()).await?;
        if wanted.preview {
            console.print_view(&plan, |plan| render_import(plan, ImportTense::Would))?;
            return Ok(Exit::Success);
        }
        if console.stdin == StreamPeer::Terminal {
            console.print_remark(&render_import(&plan, ImportTense::Would));
        }
        if !confirm_plan("This imports settings. Nothing that is here alone is removed.", console)?
        {
            return Ok(Exit::Negative);
        }
    }
    let done = control::config_import(core, req).await?;
    console.print_view(&done, |done| render_import(done, ImportTense::Did))?;
    Ok(Exit::Success)
}

async fn import_secrets(
    path: String,
    on_conflict: ConflictChoice,
    stdin: bool,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let ask = || prompt_hidden("Passphrase of the file (not shown): ");
    let passphrase = read_passphrase(stdin, console, ask)?;
    let req = SecretsImport { path, passphrase, on_conflict };
    let done = control::secrets_import(core, req).await?;
    console.print_view(&done, render_secrets_imported)?;
    let is_whole = done.kept.is_empty() && done.unknown.is_empty();
    Ok(if is_whole { Exit::Success } else { Exit::Negative })
}

fn read_passphrase(
    stdin: bool,
    console: &Console,
    ask: impl FnOnce() -> Result<Zeroizing<String>, CommandError>,
) -> Result<Zeroizing<String>, CommandError> {
    match (stdin, console.stdin) {
        (true, _) => read_line_limited(std::io::stdin().lock()),
        (false, StreamPeer::Terminal) => ask(),
        (false, StreamPeer::Other) => {
            Err(CommandError::new(Exit::Usage, "there is no terminal to ask for the passphrase")
                .with_hint("Pass --stdin and pipe the passphrase in."))
        }
    }
}

pub(super) fn render_exported(made: &ConfigExportedView) -> StyledText {
    let mut text = StyledText::new();
    let line = format!(
        "Exported to {}: {}, {}, {} and {}.",
        made.path,
        format_counted_noun(made.backends, "backend"),
        format_counted_noun(made.routes, "route"),
        format_counted_noun(made.clients, "client"),
        format_counted_noun(made.budgets, "budget"),
    );
    text.marked_line(Mark::Done, &line);
    text.line(Tone::Muted, "It holds no key.");
    text
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ImportTense {
    Would,
    Did,
}

pub(super) fn render_import(view: &ConfigImportView, tense: ImportTense) -> StyledText {
    let mut text = StyledText::new();
    let changes = format_counted_noun((view.changes.len() as u64).into(), "setting");
    match (view.changes.is_empty(), tense) {
        (true, _) => text
            .marked_line(Mark::Done, "Nothing to import: everything in the file is already here."),
        (false, ImportTense::Would) => text.line(Tone::Strong, &format!("{changes} would change.")),
        (false, ImportTense::Did) => {
            text.marked_line(Mark::Done, &format!("Imported: {changes} changed."))
        }
    };
    for client in &view.new_clients {
        let line = format!("New client {client}: anyone with its token can call the gateway.");
        text.marked_line(Mark::Attention, &line);
    }
    for detached in &view.detached {
        let line = format!("{detached} is bound to another host, so it is no longer used here.");
        text.marked_line(Mark::Attention, &line);
    }
    add_missing_keys(&mut text, &view.keys);
    if !view.changes.is_empty() {
        add_differences(&mut text, &view.changes);
    }
    if !view.kept.is_empty() {
        text.end()
            .line(Tone::Muted, "Different in the file, kept as here (--on-conflict replace):");
        for kept in &view.kept {
            text.line(Tone::Muted, &format!("  {}", kept.path));
        }
    }
    text
}

pub(super) fn render_secrets_exported(made: &SecretsExportedView) -> StyledText {
    let mut text = StyledText::new();
    let keys = format_counted_noun((made.keys.len() as u64).into(), "key");
    let tokens = format_counted_noun((made.clients.len() as u64).into(), "token");
    text.marked_line(
        Mark::Done,
        &format!("Exported {keys} and {tokens}, encrypted, to {}.", made.path),
    );
    text.line(Tone::Muted, "`age -d FILE` opens it too, with the same passphrase.");
    if !made.missing.is_empty() {
        let names = made.missing.join(", ");
        text.marked_line(Mark::Attention, &format!("The vault lacks these keys: {names}"));
    }
    text
}

pub(super) fn render_secrets_imported(done: &SecretsImportedView) -> StyledText {
    let mut text = StyledText::new();
    if done.imported.is_empty() {
        text.line(Tone::Plain, "Nothing was imported.");
    } else {
        let names = done.imported.join(", ");
        text.marked_line(Mark::Done, &format!("Imported, read back and compared: {names}"));
    }
    if !done.same.is_empty() {
        text.line(Tone::Muted, &format!("The same already: {}", done.same.join(", ")));
    }
    if !done.kept.is_empty() {
        let names = done.kept.join(", ");
        let line = format!("Kept as here (--on-conflict replace takes the file's): {names}");
        text.marked_line(Mark::Attention, &line);
    }
    if !done.unknown.is_empty() {
        let names = done.unknown.join(", ");
        text.marked_line(
            Mark::Attention,
            &format!("Not imported, since no settings name them: {names}"),
        );
        text.line(Tone::Muted, "Import the settings first: gatehouse import FILE");
    }
    text
}
