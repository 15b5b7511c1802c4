//! `gatehouse keys import`: stores keys from a file of variables such as `.env` in the vault.
//!
//! Each known variable becomes a key bound to its vendor's own host, so a file from elsewhere
//! cannot send it to another. The file itself is not changed, since it may belong to other tools.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

use control::Core;
use control::view::{KeyAdd, KeyView};
use domain::{KnownVariable, Secret, known_variables, preset_at};
use zeroize::{Zeroize as _, Zeroizing};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{StyledText, render_sentence};
use crate::unlock::unlock_interactively;

/// Largest file read, in bytes. A `.env` file usually has a few kilobytes.
const FILE_BYTES_MAX: u64 = 1_048_576;

#[derive(Debug, clap::Args)]
pub(crate) struct ImportKeysArguments {
    /// A file of lines such as OPENAI_API_KEY=…, for example .env
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
}

/// A key found in the file, with its variable.
struct FoundKey {
    known: KnownVariable,
    /// Its name in the vault: another key of the same provider has a number.
    name: String,
    secret: Secret,
}

pub(super) async fn run(
    wanted: ImportKeysArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let found = find_keys(&wanted)?;
    unlock_interactively(core, console).await?;
    let mut kept: Vec<KeyView> = Vec::new();
    let mut next_steps: Vec<String> = Vec::new();
    for FoundKey { known, name: id, secret } in found {
        let (label, url) = (String::new(), Some(known.origin.to_owned()));
        match control::key_add(core, KeyAdd { id, label, secret, url, billing: None }).await {
            Ok(key) => {
                next_steps.extend(backend_command(&known, &key.id));
                kept.push(key);
            }
            Err(error) if error.field.as_deref() == Some("id") => {
                console.print_remark(&render_sentence(&format!(
                    "{}: {}",
                    known.variable, error.message
                )));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let file = wanted.file.display().to_string();
    console.print_view(&kept, |kept| render_imported_keys(kept, &next_steps, &file))?;
    Ok(if kept.is_empty() { Exit::Negative } else { Exit::Success })
}

/// Adds a backend that uses a key, with which the key is checked. None for a key that no preset is for.
fn backend_command(known: &KnownVariable, key: &str) -> Option<String> {
    let preset = preset_at(&known.origin.parse().ok()?)?;
    Some(match preset.id == key {
        true => format!("gatehouse backends add {key} --key {key}"),
        false => format!("gatehouse backends add {key} --preset {} --key {key}", preset.id),
    })
}

/// The keys of known variables, in the file's order, each once.
fn find_keys(wanted: &ImportKeysArguments) -> Result<Vec<FoundKey>, CommandError> {
    let text = read_file(wanted)?;
    let mut found: Vec<FoundKey> = Vec::new();
    for (number, line) in dotenvy::from_read_iter(text.as_slice()).enumerate() {
        // The parser's error quotes the line, which may hold a key.
        let Ok((name, mut value)) = line else {
            let message = format!("entry {} of the file is not valid", number + 1);
            return Err(CommandError::new(Exit::Usage, message)
                .with_hint("Write one NAME=value on each line, in quotes if it has spaces."));
        };
        let known = known_variables().find(|known| known.variable == name);
        match known.filter(|_| !value.trim().is_empty()) {
            None => value.zeroize(),
            Some(known) => {
                let secret = Secret::parse(value).map_err(|rejected| {
                    CommandError::new(Exit::Usage, format!("{}: {rejected}", known.variable))
                })?;
                if found.iter().any(|other| other.secret == secret) {
                    continue;
                }
                let others = found.iter().filter(|it| it.known.credential == known.credential);
                let name = match others.count() {
                    0 => known.credential.to_owned(),
                    others => format!("{}-{}", known.credential, others + 1),
                };
                found.push(FoundKey { known, name, secret });
            }
        }
    }
    Ok(found)
}

fn read_file(wanted: &ImportKeysArguments) -> Result<Zeroizing<Vec<u8>>, CommandError> {
    let failed = |error: std::io::Error| {
        let file = wanted.file.display();
        CommandError::new(Exit::Usage, format!("{file} could not be read: {error}"))
    };
    let file = File::open(&wanted.file).map_err(failed)?;
    let mut text = Zeroizing::new(Vec::new());
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        let message = format!("the file has more than {FILE_BYTES_MAX} bytes");
        return Err(CommandError::new(Exit::Usage, message));
    }
    Ok(text)
}

fn render_imported_keys(kept: &[KeyView], next_steps: &[String], file: &str) -> StyledText {
    let mut text = StyledText::new();
    if kept.is_empty() {
        let known = "Gatehouse imports known variables such as OPENAI_API_KEY.";
        text.line(Tone::Plain, &format!("No new keys in {file}. {known}"));
        return text;
    }
    for key in kept {
        text.line(Tone::Plain, &super::describe_stored_key("Stored", "in", key));
    }
    if !next_steps.is_empty() {
        let hint = "These commands add the backends of the keys:";
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, hint);
        for command in next_steps {
            text.line(Tone::Plain, &format!("  {command}"));
        }
    }
    let hint =
        format!("{file} still has them in plain text; delete those lines once everything works.");
    text.piece(Tone::Muted, "hint: ").line(Tone::Plain, &hint);
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn find_in(text: &str) -> Result<Vec<String>, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        let found = find_keys(&ImportKeysArguments { file: file.path().to_owned() });
        let told = |found: Vec<FoundKey>| {
            found.iter().map(|one| format!("{} at {}", one.name, one.known.origin)).collect()
        };
        found.map(told).map_err(|failure| format!("{failure:?}"))
    }

    #[test]
    fn known_variables_are_found_and_others_left() {
        let text = "# mine\nexport OPENAI_API_KEY='sk-CANARY-0123456789'\nDATABASE_URL=\"x y\"\n\
                    GEMINI_API_KEY=AIza-CANARY-0123456789\nGOOGLE_API_KEY=AIza-CANARY-again-012345\n\
                    GROQ_API_KEY=\nGOOGLE_API_KEY=AIza-CANARY-0123456789\n";
        let found = find_in(text).expect("found");
        assert_eq!(
            found,
            [
                "openai at https://api.openai.com",
                "gemini at https://generativelanguage.googleapis.com",
                "gemini-2 at https://generativelanguage.googleapis.com"
            ]
        );
    }

    #[test]
    fn a_stored_key_is_led_to_its_backend() {
        let known = |variable: &str| {
            known_variables().find(|known| known.variable == variable).expect("a variable")
        };
        let command = |variable, key| backend_command(&known(variable), key);
        let told = command("OPENAI_API_KEY", "openai");
        assert_eq!(told.as_deref(), Some("gatehouse backends add openai --key openai"));
        let told = command("GOOGLE_API_KEY", "gemini-2");
        let expected = "gatehouse backends add gemini-2 --preset google --key gemini-2";
        assert_eq!(told.as_deref(), Some(expected));
    }

    #[test]
    fn what_cannot_be_read_is_named_and_not_quoted() {
        let refused = find_in("A=1\nOPENAI_API_KEY=sk-CANARY 0123456789\n").expect_err("refused");
        assert!(refused.contains("entry 2") && !refused.contains("CANARY"), "{refused}");
        let refused = find_in("OPENAI_API_KEY=\"sk-CANARY 0123456789\"\n").expect_err("refused");
        assert!(refused.contains("OPENAI_API_KEY") && !refused.contains("CANARY"), "{refused}");
        let most = usize::try_from(FILE_BYTES_MAX).expect("a number");
        assert!(find_in(&"#".repeat(most)).expect("at the limit").is_empty());
        assert!(find_in(&"#".repeat(most + 1)).is_err());
    }
}
