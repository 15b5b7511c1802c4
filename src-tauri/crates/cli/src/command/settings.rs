//! `gatehouse settings`: shows and changes settings, and repairs a broken settings file.

mod value;

use clap::Subcommand;
use control::view::{SettingsProblemView, SettingsView, VaultKind};
use control::{Core, Setting, SettingValue, Settings};

use super::keys::vault_kind_word;
use crate::confirm::confirm_plan;
use crate::console::{Console, ConsoleFormat};
use crate::exit::{CommandError, Exit};
use crate::quantity::{format_count, format_duration};
use crate::sign::{Mark, Tone};
use crate::text::{StyledText, TableCell, TextTable, render_sentence};

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show the current settings and file locations
    #[command(visible_alias = "list", alias = "ls")]
    Show,
    /// Print one setting, or all by name
    Get(value::GetSettingArguments),
    /// Change one setting
    Set(value::SetSettingArguments),
    /// Check the settings file and propose a repair
    Check,
    /// Apply the proposed repair, or undo the last one
    #[command(alias = "repair")]
    Fix(FixArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct FixArguments {
    /// Put the file back as it was before the last repair, unless it was changed since
    #[arg(long, conflicts_with = "yes")]
    undo: bool,
    /// Repair without confirmation
    #[arg(long, short = 'y')]
    yes: bool,
}

pub(crate) async fn run(
    wanted: &SettingsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted {
        SettingsCommand::Show => {
            console.print_view(&control::settings(core).await?, render_settings)?;
            Ok(Exit::Success)
        }
        SettingsCommand::Check => {
            let settings = control::settings(core).await?;
            console.print_view(&settings, render_check)?;
            Ok(validity_exit(&settings))
        }
        SettingsCommand::Get(wanted) => value::get(wanted, core, console).await,
        SettingsCommand::Set(wanted) => value::set(wanted, core, console).await,
        SettingsCommand::Fix(wanted) if wanted.undo => undo_fix(core, console).await,
        SettingsCommand::Fix(wanted) => fix(wanted, core, console).await,
    }
}

async fn fix(
    wanted: &FixArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let before = control::settings(core).await?;
    let Some(proposed) = &before.proposed_fix else {
        console.print_view(&before, render_check)?;
        return Ok(validity_exit(&before));
    };
    if !wanted.yes {
        if console.format == ConsoleFormat::Text {
            let mut text = StyledText::new();
            text.diff(proposed);
            console.print_remark(&text);
        }
        let question = format!("This repairs {} and keeps a copy beside it.", before.path);
        if !confirm_plan(&question, console)? {
            return Err(CommandError::new(Exit::Negative, "nothing was changed"));
        }
    }
    let settings = control::settings_fix(core).await?;
    console.print_view(&settings, |settings| {
        let mut text = render_sentence(&format!("Repaired {}.", settings.path));
        if wanted.yes {
            text.lines(Tone::Muted, proposed);
        }
        append_problems(&mut text, settings);
        text.line(Tone::Muted, "`gatehouse settings fix --undo` puts the old file back.");
        text
    })?;
    Ok(validity_exit(&settings))
}

async fn undo_fix(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let settings = control::settings_fix_undo(core).await?;
    console.print_view(&settings, |settings| {
        let sentence = format!("{} is as it was before its repair.", settings.path);
        let mut text = render_sentence(&sentence);
        append_problems(&mut text, settings);
        text
    })?;
    Ok(Exit::Success)
}

/// `Fine` if the settings file is valid.
pub(super) const fn validity_exit(settings: &SettingsView) -> Exit {
    if settings.valid { Exit::Success } else { Exit::Negative }
}

pub(super) fn render_check(settings: &SettingsView) -> StyledText {
    let mut text = StyledText::new();
    match (settings.valid, settings.problems.is_empty()) {
        (true, true) => text.marked_line(Mark::Done, &format!("{} is valid.", settings.path)),
        (true, false) => text
            .marked_line(Mark::Attention, &format!("{} is valid, with warnings.", settings.path)),
        (false, _) => text.marked_line(
            Mark::Failed,
            &format!(
                "{} has errors; defaults or the last valid settings are in use.",
                settings.path
            ),
        ),
    };
    append_problems(&mut text, settings);
    if let Some(diff) = &settings.proposed_fix {
        text.end().line(Tone::Strong, "Proposed repair (`gatehouse settings fix` applies it):");
        text.lines(Tone::Plain, diff);
    }
    text
}

/// Prints one line for each problem as `path:line: message`, the compilers' format, so that editors
/// can jump there.
fn append_problems(text: &mut StyledText, settings: &SettingsView) {
    for problem in &settings.problems {
        let SettingsProblemView { path, line, fatal, message } = problem;
        let place = match line {
            Some(line) => format!("{}:{line}: ", settings.path),
            None => format!("{}: ", settings.path),
        };
        let (word, tone) = if *fatal { ("error", Tone::Bad) } else { ("warning", Tone::Warn) };
        text.piece(Tone::Plain, &place).piece(tone, word);
        text.line(Tone::Plain, &format!(": {path}: {message}"));
    }
}

pub(super) fn render_settings(settings: &SettingsView) -> StyledText {
    let mut table = TextTable::without_header();
    let mut fact = |name: &str, value: String| {
        table.row([TableCell::styled(Tone::Muted, name), value.into()]);
    };
    let mut shown = Settings::table();
    // What the panel shows elsewhere is the last.
    shown.sort_by_key(|setting| (setting.panel.is_none(), setting.panel.map(|(card, _)| card)));
    for setting in shown {
        if let Some(label) = setting.summary {
            fact(label, format_value(setting, settings.values.get(setting.key)));
        }
    }
    let vault = settings.values.get("vault_kind").to_string();
    fact(
        "Vault",
        vault.parse::<VaultKind>().map_or(vault, |kind| vault_kind_word(kind).to_owned()),
    );
    fact("Settings", settings.path.clone());
    fact("Data", settings.folders.data.clone());
    fact("Logs", settings.folders.state.clone());
    let mut text = StyledText::new();
    text.table(&table);
    append_problems(&mut text, settings);
    text
}

fn format_value(setting: &Setting, value: &SettingValue) -> String {
    match value {
        SettingValue::Switch(true) => "on".to_owned(),
        SettingValue::Switch(false) => "off".to_owned(),
        SettingValue::Number(number) => {
            let size = u32::try_from(*number).unwrap_or(u32::MAX);
            match setting.unit() {
                "ms" => format_duration(f64::from(size)),
                "bytes" => format!("{} bytes", format_count(u64::from(size).into())),
                unit @ ("s" | "days") => format!("{number} {unit}"),
                _ => number.to_string(),
            }
        }
        other => other.to_string(),
    }
}
