//! `gatehouse keys`: adds, verifies, replaces and removes keys. No command prints a key.

mod import;

use clap::{Subcommand, ValueHint};
use control::Core;
use control::view::{
    KeyAdd, KeyRef, KeyReplace, KeyStateView, KeyVerificationView, KeyView, UnixMs, VaultKindView,
};

use super::completions;
use crate::arguments::Named;
use crate::confirm::{Yes, confirm, consequences};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, distance_if_known, spend};
use crate::secret_input::{Source, Stdin, read_secret};
use crate::session::unlock_by_hand;
use crate::sign::{Sign, Tone};
use crate::text::{Column, Piece, Table, Text};

/// What to do with keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List keys with their last four characters, state and use
    #[command(visible_alias = "ls")]
    List,
    /// Add a key; it is prompted for, or read from standard input
    #[command(visible_alias = "new")]
    Add(Add),
    /// Import keys from a file of variables such as .env
    Import(import::Import),
    /// Check that the provider accepts a key; nothing is billed
    #[command(alias = "test")]
    Verify(Key),
    /// Replace a key, for example after rotating it
    #[command(aliases = ["rotate", "set", "update"])]
    Replace(Replace),
    /// Remove a key from the vault and from the backends that use it
    #[command(visible_aliases = ["rm", "del"], alias = "delete")]
    Remove(Remove),
}

/// Names one key.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// Its name
    #[arg(value_name = "NAME", add = completions::of(completions::keys))]
    name: String,
}

/// A key that goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    yes: Yes,
}

/// A new key.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    stdin: Stdin,
    /// Allowed host. Defaults to the preset of that name, else to the first backend that uses the
    /// key
    #[arg(long, value_hint = ValueHint::Url)]
    url: Option<String>,
    /// Display name
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
}

/// Another key for a name.
#[derive(Debug, clap::Args)]
pub(crate) struct Replace {
    #[command(flatten)]
    named: Key,
    #[command(flatten)]
    stdin: Stdin,
}

pub(crate) async fn run(wanted: Keys, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    match wanted {
        Keys::List => {
            let now = console.now();
            console.answer(&control::keys(core).await?, |keys| table(keys, now))?;
            Ok(Exit::Fine)
        }
        Keys::Add(wanted) => add(wanted, core, console).await,
        Keys::Import(wanted) => import::run(wanted, core, console).await,
        Keys::Verify(named) => verify(named, core, console).await,
        Keys::Replace(wanted) => replace(wanted, core, console).await,
        Keys::Remove(wanted) => remove(wanted, core, console).await,
    }
}

async fn remove(wanted: Remove, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let Remove { key: Key { name }, yes } = wanted;
    let known = control::keys(core).await?;
    if let Some(key) = known.iter().find(|key| key.id == name) {
        let told = consequences(&key.dependents);
        confirm(&format!("Remove the key {name}?"), &told, yes, console)?;
    }
    unlock_by_hand(core, console).await?;
    control::key_remove(core, KeyRef { id: name.clone() }).await?;
    console.answer(&(), |()| done(&format!("Removed the key {name}.")))?;
    Ok(Exit::Fine)
}

async fn add(wanted: Add, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let secret = read_secret(Source::chosen_by(wanted.stdin), &wanted.named.name, console)?;
    unlock_by_hand(core, console).await?;
    let (id, label) = (wanted.named.name, wanted.label);
    let url = match wanted.url {
        Some(url) => Some(url),
        None => preset_address(&id, core).await?,
    };
    let key = control::key_add(core, KeyAdd { id, label, secret, url }).await?;
    console.answer(&key, |key| kept("Stored", "in", key))?;
    Ok(Exit::Fine)
}

/// The base URL of the hosted preset of that name.
async fn preset_address(name: &str, core: &Core) -> Result<Option<String>, Failure> {
    let presets = control::presets(core).await?;
    let known = presets.into_iter().find(|preset| preset.id == name && !preset.local);
    Ok(known.map(|preset| preset.base_url))
}

async fn replace(wanted: Replace, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let secret = read_secret(Source::chosen_by(wanted.stdin), &wanted.named.name, console)?;
    unlock_by_hand(core, console).await?;
    let key = control::key_replace(core, KeyReplace { id: wanted.named.name, secret }).await?;
    console.answer(&key, |key| kept("Replaced", "in", key))?;
    Ok(Exit::Fine)
}

async fn verify(named: Key, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    unlock_by_hand(core, console).await?;
    let verification = control::key_verify(core, KeyRef { id: named.name }).await?;
    console.answer(&verification, verified)?;
    Ok(match verification.state {
        KeyStateView::Valid => Exit::Fine,
        KeyStateView::Unverified | KeyStateView::Rejected | KeyStateView::Missing => Exit::No,
    })
}

/// A text of one sentence.
pub(super) fn done(sentence: &str) -> Text {
    let mut text = Text::new();
    text.line(Tone::Plain, sentence);
    text
}

pub(super) const fn vault_kind(kind: VaultKindView) -> &'static str {
    match kind {
        VaultKindView::Keychain => "keychain",
        VaultKindView::File => "encrypted file",
        VaultKindView::Env => "environment",
        VaultKindView::Memory => "memory",
    }
}

fn tail(key: &KeyView) -> String {
    key.tail.as_ref().map_or_else(|| UNKNOWN.to_owned(), |tail| format!("…{tail}"))
}

pub(super) fn kept(what: &str, whither: &str, key: &KeyView) -> Text {
    done(&kept_sentence(what, whither, key))
}

fn kept_sentence(what: &str, whither: &str, key: &KeyView) -> String {
    let place = vault_kind(key.storage);
    let origin = match &key.origin {
        Some(origin) => format!("Allowed host: {origin}."),
        None => "It will be locked to the first backend that uses it.".to_owned(),
    };
    let tail = tail(key);
    format!("{what} the key {} ({tail}) {whither} the vault ({place}). {origin}", key.id)
}

pub(super) fn verified(verification: &KeyVerificationView) -> Text {
    let mut text = Text::new();
    text.sign(verification.state).piece(Tone::Plain, "  ");
    text.line(Tone::Plain, &format!("{}: {}", verification.id, verification.detail));
    if let Some(fix) = &verification.fix {
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, fix);
    }
    text
}

pub(super) fn table(keys: &Vec<KeyView>, now: UnixMs) -> Text {
    if keys.is_empty() {
        return done("No API keys yet. Add one with `gatehouse keys add NAME`.");
    }
    let mut table = Table::new(&[
        Column::Left("Key"),
        Column::Left("State"),
        Column::Left("Ends in").minor(1),
        Column::Left("Allowed host").minor(4),
        Column::Left("Used by").minor(2),
        Column::Right("30 days").minor(3),
        Column::Left("Last used"),
    ]);
    for key in keys {
        table.row([
            Piece::toned(Tone::Strong, &key.id),
            Sign::from(key.state).into(),
            tail(key).into(),
            key.origin.as_deref().unwrap_or("any, until first use").into(),
            used_by(key).into(),
            spend(&key.last_month).into(),
            distance_if_known(now, key.used_at).into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    for key in keys {
        if let Some(reason) = &key.reason {
            text.line(Tone::Muted, &format!("{}: {reason}", key.id));
        }
    }
    text
}

fn used_by(key: &KeyView) -> String {
    if key.used_by.is_empty() { "not used".to_owned() } else { key.used_by.join(", ") }
}
