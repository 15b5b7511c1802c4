//! `gatehouse settings`: shows and changes settings, and repairs a broken settings file.

mod value;

use clap::Subcommand;
use control::Core;
use control::view::{ProblemView, SettingsView, ThemeChoice};

use super::keys::{done, vault_kind};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{duration, grouped};
use crate::sign::Tone;
use crate::text::{Piece, Table, Text};

/// What to do with the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum Settings {
    /// Show the current settings and file locations
    #[command(visible_alias = "list", alias = "ls")]
    Show,
    /// Print one setting, or all by name
    Get(value::Get),
    /// Change one setting
    Set(value::Set),
    /// Check the settings file and propose a repair
    Check,
    /// Apply the proposed repair
    #[command(alias = "repair")]
    Fix,
}

pub(crate) async fn run(
    wanted: &Settings,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted {
        Settings::Show => {
            console.answer(&control::settings(core).await?, shown)?;
            Ok(Exit::Fine)
        }
        Settings::Check => {
            let settings = control::settings(core).await?;
            console.answer(&settings, checked)?;
            Ok(verdict(&settings))
        }
        Settings::Get(wanted) => value::get(wanted, core, console).await,
        Settings::Set(wanted) => value::set(wanted, core, console).await,
        Settings::Fix => fix(core, console).await,
    }
}

async fn fix(core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let before = control::settings(core).await?;
    if before.proposed_fix.is_none() {
        console.answer(&before, checked)?;
        return Ok(verdict(&before));
    }
    let settings = control::settings_fix(core).await?;
    console.answer(&settings, |settings| {
        let mut text = done(&format!("Repaired {}.", settings.path));
        text.lines(Tone::Muted, before.proposed_fix.as_deref().unwrap_or_default());
        tell_problems(&mut text, settings);
        text
    })?;
    Ok(verdict(&settings))
}

/// `Fine` if the settings file is valid.
pub(super) const fn verdict(settings: &SettingsView) -> Exit {
    if settings.valid { Exit::Fine } else { Exit::No }
}

pub(super) fn checked(settings: &SettingsView) -> Text {
    let mut text = Text::new();
    match (settings.valid, settings.problems.is_empty()) {
        (true, true) => text.line(Tone::Good, &format!("● {} is valid.", settings.path)),
        (true, false) => {
            text.line(Tone::Warn, &format!("▲ {} is valid, with warnings.", settings.path))
        }
        (false, _) => text.line(
            Tone::Bad,
            &format!(
                "▬ {} has errors; defaults or the last valid settings are in use.",
                settings.path
            ),
        ),
    };
    tell_problems(&mut text, settings);
    if let Some(diff) = &settings.proposed_fix {
        text.end().line(Tone::Strong, "Proposed repair (`gatehouse settings fix` applies it):");
        text.lines(Tone::Plain, diff);
    }
    text
}

/// Prints one line for each problem as `path:line: message`, the compilers' format, so that editors
/// can jump there.
fn tell_problems(text: &mut Text, settings: &SettingsView) {
    for problem in &settings.problems {
        let ProblemView { path, line, fatal, message } = problem;
        let place = match line {
            Some(line) => format!("{}:{line}: ", settings.path),
            None => format!("{}: ", settings.path),
        };
        let (word, tone) = if *fatal { ("error", Tone::Bad) } else { ("warning", Tone::Warn) };
        text.piece(Tone::Plain, &place).piece(tone, word);
        text.line(Tone::Plain, &format!(": {path}: {message}"));
    }
}

pub(super) fn shown(settings: &SettingsView) -> Text {
    let values = &settings.values;
    let mut table = Table::of_facts();
    let mut fact = |name: &str, value: String| {
        table.row([Piece::toned(Tone::Muted, name), value.into()]);
    };
    let ms = |ms: u32| duration(f64::from(ms));
    let theme = match values.theme {
        ThemeChoice::System => "system",
        ThemeChoice::Light => "light",
        ThemeChoice::Dark => "dark",
    };
    let notifications = if values.notifications_enabled { "on" } else { "off" };
    fact("Gateway port", values.gateway_port.to_string());
    fact("Concurrent requests", values.in_flight_max.to_string());
    fact(
        "Maximum request size",
        format!("{} bytes", grouped(u64::from(values.body_bytes_max).into())),
    );
    fact("Connect timeout", ms(values.connect_timeout_ms));
    fact("First token timeout", ms(values.first_token_timeout_ms));
    fact("Stream stall timeout", ms(values.stall_timeout_ms));
    fact("Total timeout", ms(values.total_timeout_ms));
    fact("Probe interval", format!("{} s", values.health_interval_secs));
    fact("Keep requests", format!("{} days", values.retention_days));
    fact("Notifications", notifications.to_owned());
    fact("Theme", theme.to_owned());
    fact("Vault", vault_kind(values.vault_kind).to_owned());
    fact("Settings", settings.path.clone());
    fact("Data", settings.folders.data.clone());
    fact("Logs", settings.folders.state.clone());
    let mut text = Text::new();
    text.table(&table);
    tell_problems(&mut text, settings);
    text
}
