//! `gatehouse keys`: put in, tried, replaced, removed; never read back.

mod import;

use clap::Subcommand;
use control::Core;
use control::view::{
    KeyAdd, KeyRef, KeyReplace, KeyStateView, KeyVerificationView, KeyView, UnixMs, VaultKindView,
};

use crate::arguments::Named;
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
    /// List keys: their last four characters, state and use
    List,
    /// Put a key into the vault; it is asked for, or read from standard input
    Add(Add),
    /// Put the keys of a file of variables, such as .env, into the vault
    Import(import::Import),
    /// Ask the provider whether it accepts a key; nothing is billed
    Verify(Named),
    /// Put another key in the place of one
    Replace(Replace),
    /// Remove a key from the vault and from the backends that use it
    Remove(Named),
}

/// A new key.
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    stdin: Stdin,
    /// The address it may be sent to; without one, that of the first backend that takes it
    #[arg(long)]
    url: Option<String>,
    /// Its name for people
    #[arg(long, default_value = "", hide_default_value = true)]
    label: String,
}

/// Another key for a name.
#[derive(Debug, clap::Args)]
pub(crate) struct Replace {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    stdin: Stdin,
}

/// Does it.
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
        Keys::Remove(named) => {
            unlock_by_hand(core, console).await?;
            control::key_remove(core, KeyRef { id: named.name.clone() }).await?;
            console.answer(&(), |()| done(&format!("Removed the key {}.", named.name)))?;
            Ok(Exit::Fine)
        }
    }
}

async fn add(wanted: Add, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let secret = read_secret(Source::chosen_by(wanted.stdin), &wanted.named.name, console)?;
    unlock_by_hand(core, console).await?;
    let (id, label, url) = (wanted.named.name, wanted.label, wanted.url);
    let key = control::key_add(core, KeyAdd { id, label, secret, url }).await?;
    console.answer(&key, |key| kept("Put", "into", key))?;
    Ok(Exit::Fine)
}

async fn replace(wanted: Replace, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let secret = read_secret(Source::chosen_by(wanted.stdin), &wanted.named.name, console)?;
    unlock_by_hand(core, console).await?;
    let key = control::key_replace(core, KeyReplace { id: wanted.named.name, secret }).await?;
    console.answer(&key, |key| kept("Replaced", "in", key))?;
    Ok(Exit::Fine)
}

async fn verify(named: Named, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    unlock_by_hand(core, console).await?;
    let verification = control::key_verify(core, KeyRef { id: named.name }).await?;
    console.answer(&verification, verified)?;
    Ok(match verification.state {
        KeyStateView::Valid => Exit::Fine,
        KeyStateView::Unverified | KeyStateView::Rejected | KeyStateView::Missing => Exit::No,
    })
}

/// A sentence that says what was done.
pub(super) fn done(sentence: &str) -> Text {
    let mut text = Text::new();
    text.line(Tone::Plain, sentence);
    text
}

/// The word for a kind of vault.
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
        Some(origin) => format!("It may be sent to {origin} only."),
        None => "It is bound to the first backend that takes it.".to_owned(),
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
        return done("No keys yet. Put one in with `gatehouse keys add NAME`.");
    }
    let mut table = Table::new(&[
        Column::Left("Key"),
        Column::Left("State"),
        Column::Left("Ends in"),
        Column::Left("May go to"),
        Column::Left("Used by"),
        Column::Right("30 days"),
        Column::Left("Used"),
    ]);
    for key in keys {
        table.row([
            Piece::toned(Tone::Strong, &key.id),
            Sign::from(key.state).into(),
            tail(key).into(),
            key.origin.as_deref().unwrap_or("nowhere yet").into(),
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
    if key.used_by.is_empty() { "nobody".to_owned() } else { key.used_by.join(", ") }
}
