//! `gatehouse ledger`: shows the ledger file's state, and makes backups, restores and repairs.

use clap::Subcommand;
use control::Core;
use control::view::{
    Count, LedgerBackupView, LedgerRepair, LedgerRestore, LedgerRestoredView, LedgerSalvageView,
    LedgerView, UnixMs,
};

use super::keys::done;
use crate::confirm::is_agreed;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{counted, distance, grouped};
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// What to do with the ledger.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Show whether requests are recorded, what happened to the file, and its backups
    Status,
    /// Make a backup now; Gatehouse also makes one every day
    Backup,
    /// Restore records from a backup; newer records stay
    Restore(Restore),
    /// Recover what can be read from a damaged ledger file; newer records stay
    Repair(Repair),
    /// Acknowledge what happened to the ledger file, so that it is no longer shown
    Acknowledge,
}

/// From which backup.
#[derive(Debug, clap::Args)]
pub(crate) struct Restore {
    /// A backup from `gatehouse ledger status`; by default the newest usable one
    #[arg(value_name = "BACKUP")]
    backup: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Which file.
#[derive(Debug, clap::Args)]
pub(crate) struct Repair {
    /// A kept file from `gatehouse ledger status`; by default the damaged one
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

pub(crate) async fn run(
    wanted: Ledger,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Ledger::Status => {
            let ledger = control::ledger(core).await?;
            let now = console.now();
            console.answer(&ledger, |ledger| status(ledger, now))?;
            Ok(if ledger.problems.is_empty() { Exit::Fine } else { Exit::No })
        }
        Ledger::Backup => {
            let made = control::ledger_backup(core).await?;
            console.answer(&made, |made| {
                done(&format!("Backed up as {}, {}.", made.name, size(made.bytes)))
            })?;
            Ok(Exit::Fine)
        }
        Ledger::Restore(wanted) => restore(wanted, core, console).await,
        Ledger::Repair(wanted) => repair(wanted, core, console).await,
        Ledger::Acknowledge => {
            let ledger = control::ledger_acknowledge(core).await?;
            console.answer(&ledger, |_| done("Acknowledged. Kept files and backups stay."))?;
            Ok(Exit::Fine)
        }
    }
}

async fn restore(wanted: Restore, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
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
        if !is_agreed(&plan, console)? {
            return Ok(Exit::No);
        }
    }
    let req = LedgerRestore { backup: wanted.backup };
    console.answer(&control::ledger_restore(core, req).await?, restored)?;
    Ok(Exit::Fine)
}

async fn repair(wanted: Repair, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let req = LedgerRepair { file: wanted.file };
    if !wanted.yes {
        let found = control::ledger_examine(core, req.clone()).await?;
        if !is_agreed(&plan(&found), console)? {
            return Ok(Exit::No);
        }
    }
    console.answer(&control::ledger_repair(core, req).await?, restored)?;
    Ok(Exit::Fine)
}

/// A sentence on what a repair can recover, shown before it starts.
pub(super) fn plan(found: &LedgerSalvageView) -> String {
    let of = match found.requests_before {
        Some(before) => format!(" of {}", grouped(before)),
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
        grouped(found.requests),
        grouped(found.attempts),
        grouped(found.sums),
        grouped(found.other_rows),
    )
}

pub(super) fn restored(restored: &LedgerRestoredView) -> Text {
    let mut text = Text::new();
    for skipped in &restored.skipped {
        let line = format!("▲ {} cannot be used: {}", skipped.name, skipped.reason);
        text.line(Tone::Warn, &line);
    }
    let sentence = format!(
        "● Restored from {}: {} in the ledger, {} of them newer.",
        restored.from,
        counted(restored.requests, "request"),
        grouped(restored.added)
    );
    text.line(Tone::Good, &sentence);
    if let Some(kept) = &restored.kept {
        text.line(Tone::Muted, &format!("The previous file is kept as {kept}."));
    }
    text
}

pub(super) fn status(ledger: &LedgerView, now: UnixMs) -> Text {
    let mut text = Text::new();
    if ledger.problems.is_empty() {
        text.line(Tone::Good, "● Every request is recorded.");
    }
    for problem in &ledger.problems {
        text.sign(problem.level).piece(Tone::Plain, "  ").line(Tone::Strong, &problem.title);
        text.piece(Tone::Plain, "      ").line(Tone::Muted, &problem.detail);
    }
    let mut table = Table::of_facts();
    let mut fact = |name: &str, value: String| {
        table.row([Piece::toned(Tone::Muted, name), value.into()]);
    };
    fact("File", ledger.path.clone());
    fact("Size", size(ledger.bytes));
    fact("Waiting", counted(ledger.waiting_records, "record"));
    fact("Backups", ledger.backup_folder.clone());
    for kept in &ledger.kept_files {
        fact("Kept file", kept.clone());
    }
    text.end().table(&table);
    if !ledger.backups.is_empty() {
        text.end().table(&backups(&ledger.backups, now));
    }
    text
}

fn backups(backups: &[LedgerBackupView], now: UnixMs) -> Table {
    let mut table =
        Table::new(&[Column::Left("Backup"), Column::Left("Created"), Column::Right("Size")]);
    for backup in backups {
        table.row([
            Piece::toned(Tone::Strong, &backup.name),
            distance(now, backup.at).into(),
            size(backup.bytes).into(),
        ]);
    }
    table
}

/// Formats bytes as `4.1 MB`.
fn size(bytes: Count) -> String {
    format!("{}.{} MB", bytes.0 / 1_000_000, bytes.0 % 1_000_000 / 100_000)
}
