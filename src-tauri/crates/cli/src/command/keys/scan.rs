//! `gatehouse keys scan`: finds keys in plain text, imports them, and removes their copies.

use std::path::PathBuf;

use control::Core;
use control::view::{
    KeyImportView, KeysImport, KeysScan, KeysScanView, PlainKeyImport, PlainKeyPlaceView,
    PlainKeyView, VariableKey,
};

use super::copies::{RemoveOptions, remove};
use crate::confirm::confirm_plan;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::UNKNOWN;
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::unlock::unlock_interactively;

#[derive(Debug, clap::Args)]
pub(crate) struct ScanKeysArguments {
    /// More files, or folders whose .env files are read
    #[arg(value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    paths: Vec<PathBuf>,
    /// Store the keys that are not in the vault yet; the files stay as they are
    #[arg(long, group = "change")]
    import: bool,
    /// Also add a backend for each imported key whose provider is known
    #[arg(long, requires = "import")]
    backends: bool,
    /// Remove the keys that the vault holds from .env files and the files of tools; undo it with
    /// `gatehouse keys copies`
    #[arg(long, group = "change")]
    remove: bool,
    /// Print what --remove would change, and change nothing
    #[arg(long, requires = "remove", conflicts_with = "yes")]
    dry_run: bool,
    /// Import or remove without confirmation
    #[arg(long, short = 'y', requires = "change")]
    yes: bool,
}

pub(super) async fn run(
    wanted: ScanKeysArguments,
    core: &Core,
    environment: &[VariableKey],
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let paths = absolute_paths(&wanted.paths)?;
    // Only files are changed, so what the environment holds is not sent for that.
    let environment = if wanted.remove { Vec::new() } else { environment.to_vec() };
    let scan = KeysScan { known_files: true, paths, environment: Some(environment) };
    if wanted.remove {
        let options = RemoveOptions { dry_run: wanted.dry_run, yes: wanted.yes };
        return remove(scan, options, core, console).await;
    }
    if !wanted.import {
        let found = control::keys_scan(core, scan).await?;
        console.print_view(&found, render_scan)?;
        return Ok(exit(&found));
    }
    unlock_interactively(core, console).await?;
    let found = control::keys_scan(core, scan.clone()).await?;
    let new: Vec<&PlainKeyView> = found.keys.iter().filter(|key| key.stored_as.is_none()).collect();
    if new.is_empty() {
        console.print_view(&Vec::<KeyImportView>::new(), |_| render_nothing_new(&found))?;
        return Ok(Exit::Success);
    }
    if !wanted.yes && !confirm_plan(&describe_plan(&new), console)? {
        return Err(CommandError::new(Exit::Negative, "nothing was imported"));
    }
    let keys = new.iter().map(|key| PlainKeyImport {
        fingerprint: key.fingerprint.clone(),
        name: key.name.clone(),
        add_backend: wanted.backends && key.preset.is_some(),
    });
    let request = KeysImport { scan, keys: keys.collect() };
    let outcomes = control::keys_import(core, request).await?;
    console.print_view(&outcomes, |outcomes| render_import(outcomes, &found))?;
    let all_stored = outcomes.iter().all(|outcome| outcome.error.is_none());
    Ok(if all_stored { Exit::Success } else { Exit::Negative })
}

/// Negative if a key lies in a file. A variable alone is where the environment vault reads keys.
fn exit(found: &KeysScanView) -> Exit {
    let is_in_file = found.keys.iter().any(|key| !key.places.is_empty());
    if is_in_file { Exit::Negative } else { Exit::Success }
}

/// The engine may run in another folder.
fn absolute_paths(paths: &[PathBuf]) -> Result<Vec<String>, CommandError> {
    let absolute = |path: &PathBuf| {
        let whole = std::path::absolute(path)?;
        whole.into_os_string().into_string().map_err(|path| {
            let message = format!("{} is not UTF-8", path.display());
            CommandError::new(Exit::Usage, message)
        })
    };
    paths.iter().map(absolute).collect()
}

fn render_scan(found: &KeysScanView) -> StyledText {
    let mut text = StyledText::new();
    if found.keys.is_empty() {
        let files = found.files.0;
        text.line(Tone::Plain, &format!("No keys in plain text. Read {files} files."));
    } else {
        text.table(&keys_table(&found.keys));
        let is_new = |key: &&PlainKeyView| key.stored_as.is_none();
        if !found.vault_was_read {
            text.line(Tone::Muted, "The vault is not open, so it is not known which it holds.");
        }
        let is_in_files = found.keys.iter().any(|key| !key.places.is_empty());
        let hint = match (found.keys.iter().any(|key| is_new(&key)), is_in_files) {
            (true, _) => "`gatehouse keys scan --import` stores them in the vault.",
            (false, true) => {
                "All of them are in the vault; `gatehouse keys scan --remove` removes them from the files."
            }
            (false, false) => {
                "All of them are in the vault; unset the variables where they are set."
            }
        };
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, hint);
    }
    render_limits(&mut text, found);
    text
}

fn render_limits(text: &mut StyledText, found: &KeysScanView) {
    for problem in &found.problems {
        text.marked(Mark::Attention, problem);
    }
    if found.is_truncated {
        text.line(Tone::Warn, "There are more than this list has.");
    }
}

fn keys_table(keys: &[PlainKeyView]) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Left("Provider"),
        Column::Left("Ends in").hidden_at_rank(2),
        Column::Left("In the vault"),
        Column::Left("Where"),
        Column::Left("Read by").hidden_at_rank(1),
    ]);
    for key in keys {
        let variable = key.variable.iter().map(|name| (describe_variable(name), String::new()));
        let files = key.places.iter().map(|place| (describe_place(place), describe_reader(place)));
        let mut places = variable.chain(files);
        let (place, reader) = places.next().unwrap_or_default();
        table.row([
            TableCell::styled(Tone::Strong, key.provider.as_deref().unwrap_or(UNKNOWN)),
            key.tail.as_ref().map_or_else(|| UNKNOWN.to_owned(), |tail| format!("…{tail}")).into(),
            match &key.stored_as {
                Some(name) => format!("as {name}").into(),
                None => TableCell::styled(Tone::Warn, "no"),
            },
            place.into(),
            reader.into(),
        ]);
        for (place, reader) in places {
            let empty = || TableCell::from(String::new());
            table.row([empty(), empty(), empty(), place.into(), reader.into()]);
        }
    }
    table
}

fn describe_variable(name: &str) -> String {
    format!("{name} in this shell's environment")
}

fn describe_place(place: &PlainKeyPlaceView) -> String {
    let line = format!("{}:{}", place.path, place.line.0);
    place.name.as_ref().map_or_else(|| line.clone(), |name| format!("{line} {name}"))
}

fn describe_reader(place: &PlainKeyPlaceView) -> String {
    place.reader.clone().unwrap_or_default()
}

fn describe_plan(new: &[&PlainKeyView]) -> String {
    let names: Vec<&str> = new.iter().map(|key| key.name.as_str()).collect();
    match names.len() {
        1 => format!("This stores 1 key in the vault: {}.", names.join(", ")),
        count => format!("This stores {count} keys in the vault: {}.", names.join(", ")),
    }
}

fn render_nothing_new(found: &KeysScanView) -> StyledText {
    let mut text = StyledText::new();
    let line = match found.keys.len() {
        0 => "No keys in plain text.",
        _ => "All keys that were found are in the vault already.",
    };
    text.line(Tone::Plain, line);
    render_limits(&mut text, found);
    text
}

fn render_import(outcomes: &[KeyImportView], found: &KeysScanView) -> StyledText {
    let mut text = StyledText::new();
    for outcome in outcomes {
        let name = &outcome.name;
        match &outcome.error {
            Some(error) => {
                text.marked(Mark::Failed, &format!("{name}: {error}"));
            }
            None => {
                text.marked(Mark::Done, &describe_import(outcome));
            }
        }
    }
    let stored = |key: &&PlainKeyView| {
        let stored = |outcome: &&KeyImportView| outcome.fingerprint == key.fingerprint;
        outcomes.iter().find(stored).is_some_and(|outcome| outcome.error.is_none())
    };
    let places: Vec<String> =
        found.keys.iter().filter(stored).flat_map(|key| &key.places).map(describe_place).collect();
    if !places.is_empty() {
        text.line(Tone::Plain, "Still in plain text; once everything works, `gatehouse keys scan --remove` removes them:");
        for place in places {
            text.piece(Tone::Plain, "  ").line(Tone::Plain, &place);
        }
    }
    text
}

fn describe_import(outcome: &KeyImportView) -> String {
    let mut sentence = format!("Stored {} in the vault.", outcome.name);
    if let Some(backend) = &outcome.backend {
        sentence.push_str(&format!(" Added the backend {backend}."));
    }
    if let Some(error) = &outcome.backend_error {
        sentence.push_str(&format!(" No backend was added: {error}."));
    }
    if let Some(verification) = &outcome.verification {
        sentence.push_str(&format!(" Check: {}.", verification.detail));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use control::view::Count;

    use super::*;

    #[test]
    fn a_key_in_a_file_is_a_no_and_a_variable_alone_is_none() {
        let variable = PlainKeyView {
            fingerprint: "0".repeat(16),
            tail: None,
            provider: None,
            preset: None,
            origin: None,
            name: "openai".to_owned(),
            stored_as: None,
            variable: Some("OPENAI_API_KEY".to_owned()),
            places: Vec::new(),
        };
        let place = PlainKeyPlaceView {
            path: "~/.zshrc".to_owned(),
            line: Count(1),
            name: None,
            reader: None,
        };
        let in_file = PlainKeyView { places: vec![place], ..variable.clone() };
        let of = |keys| {
            let (files, problems) = (Count(1), Vec::new());
            exit(&KeysScanView { keys, files, problems, is_truncated: false, vault_was_read: true })
        };
        assert_eq!(of(Vec::new()), Exit::Success);
        assert_eq!(of(vec![variable.clone()]), Exit::Success);
        assert_eq!(of(vec![variable, in_file]), Exit::Negative);
    }
}
