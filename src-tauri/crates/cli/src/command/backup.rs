//! `gatehouse backup` and `gatehouse restore`: everything in one file, checked before it is used.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use control::view::{
    BackupCheckView, BackupCreate, BackupProgressView, BackupRef, BackupTask, BackupView,
    DifferenceKind, MissingKeysView, RestorePlanView, RestoredView, SettingsDifferenceView, UnixMs,
};
use control::{ApiError, Core, CoreEvents, PanelEvent};

use crate::confirm::confirm_plan;
use crate::console::{Console, StreamPeer};
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_bytes, format_counted_noun, format_distance};
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable};

/// Width of a progress bar in characters.
const BAR_CELLS: u32 = 24;

/// Differences that are listed.
const DIFFERENCES_SHOWN: usize = 40;

#[derive(Debug, clap::Args)]
pub(crate) struct BackupArguments {
    /// A new file; by default one in the folder for downloads
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Check that this backup can be restored, and make none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "file")]
    verify: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreArguments {
    /// A file from `gatehouse backup`
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,
    /// Show what would change, and change nothing
    #[arg(long, conflicts_with = "yes")]
    preview: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(
    wanted: BackupArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if let Some(file) = wanted.verify {
        let req = BackupRef { path: absolute(&file)? };
        let check = follow(control::backup_check(core, req), core, console).await?;
        let now = console.now();
        console.print_view(&check, |check| render_check(check, now))?;
        return Ok(Exit::Success);
    }
    let path = wanted.file.as_deref().map(absolute).transpose()?;
    let made = follow(control::backup(core, BackupCreate { path }), core, console).await?;
    console.print_view(&made, render_made)?;
    Ok(Exit::Success)
}

pub(crate) async fn restore(
    wanted: RestoreArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let req = BackupRef { path: absolute(&wanted.file)? };
    if !wanted.yes {
        let plan = follow(control::restore_plan(core, req.clone()), core, console).await?;
        let now = console.now();
        if wanted.preview {
            console.print_view(&plan, |plan| render_plan(plan, now))?;
            return Ok(Exit::Success);
        }
        if console.stdin == StreamPeer::Terminal {
            console.print_remark(&render_plan(&plan, now));
        }
        let question = "This restores settings and ledger from the backup. Requests made since \
            then stay, and the files before are kept.";
        if !confirm_plan(question, console)? {
            return Ok(Exit::Negative);
        }
    }
    let restored = follow(control::restore(core, req), core, console).await?;
    console.print_view(&restored, render_restored)?;
    Ok(Exit::Success)
}

/// Shows how far a long call is, until it ends or Ctrl+C cancels it.
pub(super) async fn follow<V>(
    call: impl Future<Output = Result<V, ApiError>>,
    core: &Core,
    console: &mut Console,
) -> Result<V, CommandError> {
    let is_live = console.shows_progress();
    let mut events = CoreEvents::subscribe(core).await?;
    let mut call = Box::pin(call);
    let mut is_cancelled = false;
    loop {
        tokio::select! {
            view = &mut call => return Ok(view?),
            event = events.next() => match event {
                Some(PanelEvent::BackupProgress { progress }) if is_live => {
                    show_progress(&progress, console);
                }
                Some(_) => {}
                // The call tells why the core is gone.
                None => return Ok(call.await?),
            },
            // Ends with the call: it knows whether files are being replaced already.
            _ = tokio::signal::ctrl_c(), if !is_cancelled => {
                is_cancelled = true;
                control::backup_cancel(core).await?;
            }
        }
    }
}

/// Writes over the line of the progress before.
fn show_progress(progress: &BackupProgressView, console: &mut Console) {
    let mut text = StyledText::new();
    text.rewrite_line();
    if progress.is_running {
        let percent = progress.percent.unwrap_or_default();
        let done = (BAR_CELLS * percent.min(100) / 100) as usize;
        let bar = format!("{}{}", "█".repeat(done), "░".repeat(BAR_CELLS as usize - done));
        let what = match progress.task {
            BackupTask::Create => "Backing up",
            BackupTask::Check => "Checking the backup",
            BackupTask::Restore => "Restoring",
            BackupTask::Merge => "Merging",
        };
        let line = match progress.percent {
            Some(percent) => format!("{bar} {what}: {percent} %"),
            None => format!("{bar} {what}"),
        };
        text.piece(Tone::Muted, &line);
    }
    console.print_remark(&text);
}

pub(super) fn absolute(path: &Path) -> Result<String, CommandError> {
    let whole = std::path::absolute(path)
        .map_err(|error| CommandError::new(Exit::Usage, format!("{}: {error}", path.display())))?;
    Ok(whole.display().to_string())
}

pub(super) fn render_made(made: &BackupView) -> StyledText {
    let mut text = StyledText::new();
    let requests = format_counted_noun(made.requests, "request");
    let size = format_bytes(made.bytes);
    let line = format!("Backed up to {}, {size}: all settings and {requests}.", made.path);
    text.marked_line(Mark::Done, &line);
    text.line(
        Tone::Muted,
        "It holds no key. `gatehouse export --secrets FILE` writes those, encrypted.",
    );
    text
}

pub(super) fn render_check(check: &BackupCheckView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.marked_line(Mark::Done, &check.sentence);
    let age = format_distance(now, check.made);
    text.line(Tone::Muted, &format!("Made {age} by Gatehouse {}.", check.app_version));
    text
}

pub(super) fn render_plan(plan: &RestorePlanView, now: UnixMs) -> StyledText {
    let mut text = render_check(&plan.check, now);
    let (there, here) = (plan.check.requests, plan.requests_here);
    let line = format!(
        "Requests: {} in the backup, {} here. Requests missing from the backup are kept.",
        format_counted_noun(there, "request"),
        format_counted_noun(here, "request")
    );
    text.line(Tone::Plain, &line);
    add_missing_keys(&mut text, &plan.keys);
    add_differences(&mut text, &plan.differences);
    text
}

pub(super) fn add_differences(text: &mut StyledText, differences: &[SettingsDifferenceView]) {
    if differences.is_empty() {
        text.line(Tone::Muted, "The settings are the same.");
        return;
    }
    let mut table = TextTable::new(&[
        Column::Left("Setting"),
        Column::Left("Here"),
        Column::Left("In the file"),
    ]);
    for difference in differences.iter().take(DIFFERENCES_SHOWN) {
        let sides = match (difference.kind, difference.fields.as_slice()) {
            (_, [field]) if field.name.is_empty() => [&field.here, &field.there]
                .map(|side| side.clone().unwrap_or_else(|| "not set".to_owned())),
            (DifferenceKind::OnlyHere, _) => ["there".to_owned(), "missing".to_owned()],
            (DifferenceKind::OnlyThere, _) => ["missing".to_owned(), "new".to_owned()],
            (DifferenceKind::Differs, fields) => {
                let names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
                ["there".to_owned(), format!("other {}", names.join(", "))]
            }
        };
        let [here, there] = sides;
        table.row([TableCell::styled(Tone::Strong, &difference.path), here.into(), there.into()]);
    }
    text.end().table(&table);
    let hidden = differences.len().saturating_sub(DIFFERENCES_SHOWN) as u64;
    if hidden > 0 {
        text.line(Tone::Muted, &format!("and {hidden} more"));
    }
}

pub(super) fn add_missing_keys(text: &mut StyledText, keys: &MissingKeysView) {
    if !keys.missing.is_empty() {
        let names = keys.missing.join(", ");
        text.marked_line(Mark::Attention, &format!("The vault lacks these keys: {names}"));
        text.line(Tone::Muted, "To add one again: gatehouse keys replace NAME");
    }
    if !keys.lost_tokens.is_empty() {
        let names = keys.lost_tokens.join(", ");
        text.marked_line(
            Mark::Attention,
            &format!("The vault lacks the tokens of these clients: {names}"),
        );
        text.line(
            Tone::Muted,
            "For a new one: gatehouse clients revoke NAME, then clients wire TOOL or clients add NAME",
        );
    }
    if let Some(reason) = &keys.unknown {
        let line = format!("Could not check which keys are missing from the vault: {reason}");
        text.marked_line(Mark::Attention, &line);
    }
}

pub(super) fn render_restored(restored: &RestoredView) -> StyledText {
    let mut text = StyledText::new();
    text.marked_line(Mark::Done, &restored.sentence);
    for kept in [&restored.ledger_kept, &restored.settings_kept].into_iter().flatten() {
        text.line(Tone::Muted, &format!("The previous file is kept as {kept}."));
    }
    add_missing_keys(&mut text, &restored.keys);
    text
}
