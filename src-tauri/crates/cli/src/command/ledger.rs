//! `gatehouse ledger`: shows the ledger file's state, and makes backups, restores and repairs.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use control::Core;
use control::view::{
    Count, LedgerBackupView, LedgerExport, LedgerExportedView, LedgerMerge, LedgerMergePlanView,
    LedgerMergedView, LedgerPerformanceView, LedgerRepair, LedgerRestore, LedgerRestoredView,
    LedgerSalvageView, LedgerView, UnixMs,
};

use super::backup::follow;
use crate::confirm::confirm_plan;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{
    format_bytes, format_count, format_counted_noun, format_distance, format_distance_if_known,
    format_duration,
};
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Show whether requests are recorded, what happened to the file, and its backups
    Status,
    /// Make a backup now; Gatehouse also makes one every day
    Backup,
    /// Restore records from a backup; newer records stay
    Restore(RestoreLedgerArguments),
    /// Recover what can be read from a damaged ledger file; newer records stay
    Repair(RepairLedgerArguments),
    /// Copy the ledger into a file, to be merged on another machine; it holds no secret
    Export(ExportLedgerArguments),
    /// Merge another machine's export; merging it again changes nothing
    Merge(MergeLedgerArguments),
    /// Acknowledge what happened to the ledger file, so that it is no longer shown
    Acknowledge,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreLedgerArguments {
    /// A backup from `gatehouse ledger status`; by default the newest usable one
    #[arg(value_name = "BACKUP")]
    backup: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportLedgerArguments {
    /// A new file; by default one in the folder for downloads
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// What this machine is called on the other one; by default its host name
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MergeLedgerArguments {
    /// A file from `gatehouse ledger export`
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Show what would be added, and add nothing
    #[arg(long)]
    preview: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RepairLedgerArguments {
    /// A kept file from `gatehouse ledger status`; by default the damaged one
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(
    wanted: LedgerCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        LedgerCommand::Status => {
            let ledger = control::ledger(core).await?;
            let now = console.now();
            console.print_view(&ledger, |ledger| render_status(ledger, now))?;
            Ok(if ledger.problems.is_empty() { Exit::Success } else { Exit::Negative })
        }
        LedgerCommand::Backup => {
            let made = control::ledger_backup(core).await?;
            console.print_view(&made, |made| {
                render_sentence(&format!(
                    "Backed up as {}, {}.",
                    made.name,
                    format_bytes(made.bytes)
                ))
            })?;
            Ok(Exit::Success)
        }
        LedgerCommand::Restore(wanted) => restore(wanted, core, console).await,
        LedgerCommand::Repair(wanted) => repair(wanted, core, console).await,
        LedgerCommand::Export(wanted) => {
            let path = wanted.file.as_deref().map(absolute).transpose()?;
            let req = LedgerExport { path, device: wanted.device };
            console.print_view(&control::ledger_export(core, req).await?, render_exported)?;
            Ok(Exit::Success)
        }
        LedgerCommand::Merge(wanted) => {
            let req = LedgerMerge { path: absolute(&wanted.file)? };
            if wanted.preview {
                let plan = control::ledger_merge_plan(core, req).await?;
                let now = console.now();
                console.print_view(&plan, |plan| render_merge_plan(plan, now))?;
                return Ok(Exit::Success);
            }
            let merged = follow(control::ledger_merge(core, req), core, console).await?;
            console.print_view(&merged, render_merged)?;
            Ok(if merged.is_cancelled { Exit::Negative } else { Exit::Success })
        }
        LedgerCommand::Acknowledge => {
            let ledger = control::ledger_acknowledge(core).await?;
            console.print_view(&ledger, |_| {
                render_sentence("Acknowledged. Kept files and backups stay.")
            })?;
            Ok(Exit::Success)
        }
    }
}

async fn restore(
    wanted: RestoreLedgerArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if !wanted.yes {
        let ledger = control::ledger(core).await?;
        let from = match (&wanted.backup, ledger.backups.first()) {
            (Some(name), _) => name.clone(),
            (None, Some(newest)) => format!("{}, or an older one if it is damaged", newest.name),
            (None, None) => "the newest backup".to_owned(),
        };
        let plan = format!(
            "This restores records from {from}. Newer records stay, and the current file is kept."
        );
        if !confirm_plan(&plan, console)? {
            return Ok(Exit::Negative);
        }
    }
    let req = LedgerRestore { backup: wanted.backup };
    console.print_view(&control::ledger_restore(core, req).await?, render_restored)?;
    Ok(Exit::Success)
}

async fn repair(
    wanted: RepairLedgerArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let req = LedgerRepair { file: wanted.file };
    if !wanted.yes {
        let found = control::ledger_examine(core, req.clone()).await?;
        if !confirm_plan(&describe_repair_plan(&found), console)? {
            return Ok(Exit::Negative);
        }
    }
    console.print_view(&control::ledger_repair(core, req).await?, render_restored)?;
    Ok(Exit::Success)
}

fn absolute(path: &Path) -> Result<String, CommandError> {
    let whole = std::path::absolute(path)
        .map_err(|error| CommandError::new(Exit::Usage, format!("{}: {error}", path.display())))?;
    Ok(whole.display().to_string())
}

fn render_exported(made: &LedgerExportedView) -> StyledText {
    render_sentence(&format!(
        "Exported {} of {} to {}, {}. Merge it on another machine: gatehouse ledger merge FILE",
        format_counted_noun(made.requests, "request"),
        made.device,
        made.path,
        format_bytes(made.bytes)
    ))
}

pub(super) fn render_merge_plan(plan: &LedgerMergePlanView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let added = format_counted_noun(plan.added, "new request");
    let of = device_name(plan.device.as_deref());
    let known = format_count(plan.known);
    text.line(Tone::Strong, &format!("{added} of {of}; {known} are here already."));
    add_replaced(plan.replaced, &mut text);
    if let (Some(first), Some(last)) = (plan.first, plan.last) {
        let (first, last) = (format_distance(now, first), format_distance(now, last));
        text.line(Tone::Plain, &format!("The first began {first}, the last {last}."));
    }
    add_unfinished(plan.unfinished, &mut text);
    text
}

fn render_merged(merged: &LedgerMergedView) -> StyledText {
    let mut text = StyledText::new();
    let added = format_counted_noun(merged.added, "request");
    let of = device_name(merged.device.as_deref());
    let known = format_count(merged.known);
    if merged.is_cancelled {
        let line = format!("Cancelled after {added} of {of}. Merge again for the rest.");
        text.marked_line(Mark::Attention, &line);
    } else {
        text.marked_line(Mark::Done, &format!("Added {added} of {of}; {known} were here already."));
    }
    add_replaced(merged.replaced, &mut text);
    add_unfinished(merged.unfinished, &mut text);
    text
}

fn device_name(device: Option<&str>) -> &str {
    device.unwrap_or("this machine")
}

fn add_replaced(replaced: Count, text: &mut StyledText) {
    if replaced.0 > 0 {
        let requests = format_counted_noun(replaced, "known request");
        let line = format!("Of {requests} the file has the later version, such as a cost.");
        text.line(Tone::Plain, &line);
    }
}

fn add_unfinished(unfinished: Count, text: &mut StyledText) {
    if unfinished.0 > 0 {
        let line = format!(
            "{} had not ended when the file was made. Merge a later export.",
            format_counted_noun(unfinished, "request")
        );
        text.line(Tone::Muted, &line);
    }
}

/// A sentence on what a repair can recover, shown before it starts.
pub(super) fn describe_repair_plan(found: &LedgerSalvageView) -> String {
    let of = match found.requests_before {
        Some(before) => format!(" of {}", format_count(before)),
        None => String::new(),
    };
    let damage = match found.damaged_tables.as_slice() {
        [] => "Every table can be read.".to_owned(),
        tables => format!("Damage in: {}.", tables.join(", ")),
    };
    format!(
        "{}: {}{of} requests, {} attempts, {} totals and {} other rows can be read. {damage} Newer \
         records stay, and the damaged file is kept.",
        found.file,
        format_count(found.requests),
        format_count(found.attempts),
        format_count(found.sums),
        format_count(found.other_rows),
    )
}

pub(super) fn render_restored(restored: &LedgerRestoredView) -> StyledText {
    let mut text = StyledText::new();
    for skipped in &restored.skipped {
        let line = format!("{} cannot be used: {}", skipped.name, skipped.reason);
        text.marked_line(Mark::Attention, &line);
    }
    let sentence = format!(
        "Restored from {}: {} in the ledger, {} of them newer.",
        restored.from,
        format_counted_noun(restored.requests, "request"),
        format_count(restored.added)
    );
    text.marked_line(Mark::Done, &sentence);
    if let Some(kept) = &restored.kept {
        text.line(Tone::Muted, &format!("The previous file is kept as {kept}."));
    }
    text
}

pub(super) fn render_status(ledger: &LedgerView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    if ledger.problems.is_empty() {
        text.marked_line(Mark::Done, "Every request is recorded.");
    }
    for problem in &ledger.problems {
        text.sign(problem.level).piece(Tone::Plain, "  ").line(Tone::Strong, &problem.title);
        text.piece(Tone::Plain, "      ").line(Tone::Muted, &problem.detail);
    }
    let mut table = TextTable::without_header();
    let mut fact = |name: &str, value: String| {
        table.row([TableCell::styled(Tone::Muted, name), value.into()]);
    };
    fact("File", ledger.path.clone());
    fact("Size", format_bytes(ledger.bytes));
    fact("Waiting", format_counted_noun(ledger.waiting_records, "record"));
    performance_facts(&ledger.performance, now, &mut fact);
    fact("Backups", ledger.backup_folder.clone());
    for kept in &ledger.kept_files {
        fact("Kept file", kept.clone());
    }
    for device in &ledger.devices {
        let requests = format_counted_noun(device.requests, "request");
        let merged = format_distance(now, device.merged);
        fact("Merged", format!("{}, {requests}, {merged}", device.name));
    }
    text.end().table(&table);
    if !ledger.performance.slow_statements.is_empty() {
        text.end().table(&slow_statements_table(&ledger.performance));
    }
    if !ledger.backups.is_empty() {
        text.end().table(&backups_table(&ledger.backups, now));
    }
    text
}

/// How fast the ledger answers, and when it was checked.
pub(super) fn performance_facts(
    ledger: &LedgerPerformanceView,
    now: UnixMs,
    fact: &mut impl FnMut(&str, String),
) {
    fact("Log", format_bytes(ledger.log_bytes));
    let check = match &ledger.check {
        None => "not yet since the start".to_owned(),
        Some(check) if check.is_sound => format!("sound, {}", format_distance(now, check.at)),
        Some(check) => format!("damaged, {}", format_distance(now, check.at)),
    };
    fact("Check", check);
    fact("Backup", format_distance_if_known(now, ledger.last_backup));
    let waits = match ledger.waited_reads.0 {
        0 => "none waited".to_owned(),
        _ => format!(
            "{} waited, at most {}",
            format_count(ledger.waited_reads),
            format_duration(ledger.longest_wait_ms)
        ),
    };
    fact("Reads", format!("{} since the start, {waits}", format_count(ledger.reads)));
    let limit = format_duration(ledger.slow_limit_ms);
    let slow =
        format!("{} of {limit} or more", format_counted_noun(ledger.slow_count, "statement"));
    fact("Slow", slow);
}

/// The slowest statements, each with its plan.
pub(super) fn slow_statements_table(ledger: &LedgerPerformanceView) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Right("Worst"),
        Column::Right("Times"),
        Column::Left("Statement"),
        Column::Left("Plan").hidden_at_rank(1),
    ]);
    for statement in &ledger.slow_statements {
        table.row([
            format_duration(statement.worst_ms).into(),
            format_count(statement.count).into(),
            statement.text.as_str().into(),
            statement.plan.join("; ").into(),
        ]);
    }
    table
}

fn backups_table(backups: &[LedgerBackupView], now: UnixMs) -> TextTable {
    let mut table =
        TextTable::new(&[Column::Left("Backup"), Column::Left("Created"), Column::Right("Size")]);
    for backup in backups {
        table.row([
            TableCell::styled(Tone::Strong, &backup.name),
            format_distance(now, backup.at).into(),
            format_bytes(backup.bytes).into(),
        ]);
    }
    table
}
