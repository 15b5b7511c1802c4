//! Removes plain copies of keys (`gatehouse keys scan --remove`), lists what was removed, and puts it
//! back (`gatehouse keys copies`).

use clap::Subcommand;
use control::Core;
use control::view::{
    Count, KeyCopiesOutcomeView, KeyCopiesPlanView, KeyCopiesQuery, KeyCopiesRemove, KeysScan,
    KeysScanView, LeftKeyCopyView, RemovedKeyCopyRef, RemovedKeyCopyView, UnixMs,
};

use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::unlock::unlock_interactively;

#[derive(Debug, Subcommand)]
pub(crate) enum CopiesCommand {
    /// List the plain copies that were removed
    #[command(visible_alias = "ls")]
    List,
    /// Put the keys back into a file
    #[command(visible_alias = "undo")]
    Restore(RestoreCopyArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RestoreCopyArguments {
    /// Its id, as `gatehouse keys copies list` prints it
    #[arg(value_name = "ID")]
    id: String,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct RemoveOptions {
    pub(super) dry_run: bool,
    pub(super) yes: bool,
}

pub(super) async fn run(
    wanted: CopiesCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        CopiesCommand::List => {
            let now = console.now();
            let removed = control::key_copies_removed(core).await?;
            console.print_view(&removed, |removed| render_removed(removed, now))?;
        }
        CopiesCommand::Restore(RestoreCopyArguments { id }) => {
            unlock_interactively(core, console).await?;
            let restored = control::key_copies_restore(core, RemovedKeyCopyRef { id }).await?;
            console.print_view(&restored, |restored| {
                render_sentence(&format!(
                    "{} is in {} again.",
                    restored.keys.join(", "),
                    restored.path
                ))
            })?;
        }
    }
    Ok(Exit::Success)
}

/// Removes the copies of the keys that the vault holds.
pub(super) async fn remove(
    scan: KeysScan,
    options: RemoveOptions,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    unlock_interactively(core, console).await?;
    let found = control::keys_scan(core, scan.clone()).await?;
    let stored = found.keys.iter().filter(|key| key.stored_as.is_some());
    let fingerprints: Vec<String> = stored.map(|key| key.fingerprint.clone()).collect();
    if fingerprints.is_empty() {
        console.print_view(&Vec::<KeyCopiesOutcomeView>::new(), |_| render_nothing(&found))?;
        return Ok(Exit::Success);
    }
    let query = KeyCopiesQuery { scan: scan.clone(), fingerprints: fingerprints.clone() };
    let plan = control::key_copies_plan(core, query).await?;
    if options.dry_run || plan.files.is_empty() {
        console.print_view(&plan, render_plan)?;
        return Ok(if plan.left.is_empty() { Exit::Success } else { Exit::Negative });
    }
    if !options.yes && !confirm(&plan, console)? {
        return Err(CommandError::new(Exit::Negative, "nothing was removed"));
    }
    let request = KeyCopiesRemove { scan, fingerprints, plan: plan.fingerprint };
    let outcomes = control::key_copies_remove(core, request).await?;
    console.print_view(&outcomes, |outcomes| render_outcomes(outcomes, &plan.left))?;
    let is_done = outcomes.iter().all(|it| it.error.is_none()) && plan.left.is_empty();
    Ok(if is_done { Exit::Success } else { Exit::Negative })
}

fn confirm(plan: &KeyCopiesPlanView, console: &mut Console) -> Result<bool, CommandError> {
    if console.format == ConsoleFormat::Text {
        console.print_remark(&render_plan(plan));
    }
    let question = match &plan.files[..] {
        [file] => format!("This removes keys from {}. It can be undone.", file.path),
        files => format!("This removes keys from {} files. It can be undone.", files.len()),
    };
    confirm_plan(&question, console)
}

fn render_nothing(found: &KeysScanView) -> StyledText {
    render_sentence(match (found.keys.is_empty(), found.vault_was_read) {
        (true, _) => "No file holds a key in plain text.",
        (false, true) => "None of these keys is in the vault. Add --import to store them first.",
        (false, false) => "The vault is not open, so it is not known which keys it holds.",
    })
}

fn render_plan(plan: &KeyCopiesPlanView) -> StyledText {
    let mut text = StyledText::new();
    for file in &plan.files {
        text.diff(&file.diff);
        if let Some(warning) = &file.warning {
            text.marked(Mark::Attention, warning);
        }
    }
    render_left(&mut text, &plan.left);
    text
}

fn render_left(text: &mut StyledText, left: &[LeftKeyCopyView]) {
    for LeftKeyCopyView { path, line, reason } in left {
        let sentence = format!("{path}:{} stays. {reason}", line.0);
        text.marked(Mark::Attention, &sentence);
    }
}

fn render_outcomes(outcomes: &[KeyCopiesOutcomeView], left: &[LeftKeyCopyView]) -> StyledText {
    let mut text = StyledText::new();
    for KeyCopiesOutcomeView { path, error, removed } in outcomes {
        match (error, removed) {
            (None, Some(removed)) => {
                let sentence = format!("Removed {} from {path}.", removed.keys.join(", "));
                text.marked(Mark::Done, &sentence);
                let hint = format!("`gatehouse keys copies restore {}` puts it back.", removed.id);
                text.piece(Tone::Muted, "  ").line(Tone::Muted, &hint);
            }
            (error, _) => {
                let error = error.as_deref().unwrap_or_default();
                text.marked(Mark::Failed, &format!("{path}: {error}"));
            }
        }
    }
    render_left(&mut text, left);
    text
}

fn render_removed(removed: &[RemovedKeyCopyView], now: UnixMs) -> StyledText {
    if removed.is_empty() {
        return render_sentence("No plain copies were removed.");
    }
    let mut table = TextTable::new(&[
        Column::Left("Id"),
        Column::Left("File"),
        Column::Left("Lines").hidden_at_rank(2),
        Column::Left("Keys").hidden_at_rank(1),
        Column::Left("Removed"),
        Column::Left("Undo"),
    ]);
    for copy in removed {
        let lines: Vec<String> = copy.lines.iter().map(|Count(line)| line.to_string()).collect();
        table.row([
            copy.id.as_str().into(),
            TableCell::styled(Tone::Strong, &copy.path),
            lines.join(", ").into(),
            copy.keys.join(", ").into(),
            format_distance(now, copy.removed_at).into(),
            match copy.problem {
                None => "yes".into(),
                Some(_) => TableCell::styled(Tone::Muted, "no"),
            },
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}
