//! `gatehouse vault`: shows, unlocks and changes the vault, and moves keys between vaults.

use clap::{Subcommand, ValueEnum};
use control::Core;
use control::view::{
    VaultChangeView, VaultKindView, VaultMove, VaultSet, VaultStateView, VaultUnlock, VaultView,
};

use super::keys::{done, vault_kind};
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::passphrase::Passphrases;
use crate::session::unlock_by_hand;
use crate::sign::{Sign, Tone};
use crate::text::Text;

/// What to do with the vault.
#[derive(Debug, Subcommand)]
pub(crate) enum Vault {
    /// Show which vault is in use and whether it works
    #[command(visible_alias = "show", alias = "check")]
    Status,
    /// Unlock the encrypted file with its passphrase, or create it
    Unlock,
    /// Use another vault, now and after a restart
    #[command(alias = "use")]
    Set(Set),
    /// Move keys from another vault into the one in use
    #[command(alias = "mv")]
    Move(Move),
}

/// Another vault.
#[derive(Debug, clap::Args)]
pub(crate) struct Set {
    /// Where keys are stored
    #[arg(value_enum)]
    kind: Kind,
    /// Move the stored keys and tokens there
    #[arg(long = "move")]
    move_keys: bool,
}

/// Where keys are.
#[derive(Debug, clap::Args)]
pub(crate) struct Move {
    /// The vault that holds them now
    #[arg(value_enum)]
    from: Kind,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The operating system's keychain
    Keychain,
    /// A file encrypted with a passphrase
    File,
    /// Read-only: variables such as OPENAI_API_KEY
    Env,
    /// In memory only; lost when Gatehouse stops
    Memory,
}

impl From<Kind> for VaultKindView {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Keychain => Self::Keychain,
            Kind::File => Self::File,
            Kind::Env => Self::Env,
            Kind::Memory => Self::Memory,
        }
    }
}

pub(crate) async fn run(
    wanted: Option<Vault>,
    core: &Core,
    passphrases: &Passphrases,
    console: &mut Console,
) -> Result<Exit, Failure> {
    match wanted.unwrap_or(Vault::Status) {
        Vault::Status => {
            let vault = control::vault_check(core).await?;
            console.answer(&vault, status)?;
            Ok(verdict(&vault))
        }
        Vault::Unlock => unlock(core, passphrases, console).await,
        Vault::Set(wanted) => {
            let (kind, move_keys) = (wanted.kind.into(), wanted.move_keys);
            let passphrase = match kind {
                VaultKindView::File => {
                    let vault = control::vault_check(core).await?;
                    let open = vault.kind == kind && vault.state == VaultStateView::Ready;
                    if open { None } else { Some(passphrases.for_file(&vault, console)?) }
                }
                _ => None,
            };
            if move_keys && kind != VaultKindView::File {
                // The current vault may be a locked file.
                unlock_by_hand(core, console).await?;
            }
            let req = VaultSet { kind, passphrase, move_keys };
            console.answer(&control::vault_set(core, req).await?, changed)?;
            Ok(Exit::Fine)
        }
        Vault::Move(wanted) => {
            let from = wanted.from.into();
            unlock_by_hand(core, console).await?;
            let vault = control::vault_check(core).await?;
            let in_file = from == VaultKindView::File && vault.kind != from;
            let passphrase = match in_file {
                true => Some(passphrases.for_file(&vault, console)?),
                false => None,
            };
            let moved = control::vault_move(core, VaultMove { from, passphrase }).await?;
            console.answer(&moved, changed)?;
            Ok(if moved.left.is_empty() { Exit::Fine } else { Exit::No })
        }
    }
}

async fn unlock(
    core: &Core,
    passphrases: &Passphrases,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let vault = control::vault_check(core).await?;
    if vault.kind != VaultKindView::File {
        let message = format!("the vault is {}, which has no passphrase", vault_kind(vault.kind));
        return Err(Failure::new(Exit::No, message)
            .with_hint("To store keys in an encrypted file: `gatehouse vault set file`."));
    }
    if vault.state == VaultStateView::Ready {
        console.answer(&vault, |_| done("The vault is already unlocked."))?;
        return Ok(Exit::Fine);
    }
    let passphrase = passphrases.for_file(&vault, console)?;
    let vault = control::vault_unlock(core, VaultUnlock { passphrase }).await?;
    console.answer(&vault, status)?;
    Ok(verdict(&vault))
}

fn verdict(vault: &VaultView) -> Exit {
    if vault.state == VaultStateView::Ready { Exit::Fine } else { Exit::No }
}

pub(super) fn status(vault: &VaultView) -> Text {
    let mut text = Text::new();
    text.sign(vault.state).line(Tone::Plain, &format!("  {}", vault_kind(vault.kind)));
    if vault.set_by_environment {
        text.line(Tone::Muted, "Set by the environment variable GATEHOUSE_VAULT.");
    }
    if let Some(hint) = &vault.hint {
        text.piece(Tone::Muted, "hint: ").line(Tone::Plain, hint);
    }
    text
}

/// The vault's state in one line, printed by `serve` at start; with a hint only if action is
/// needed.
pub(crate) fn first_line(vault: &VaultView) -> Text {
    let mut text = Text::new();
    let sign = Sign::from(vault.state);
    let kind = vault_kind(vault.kind);
    match vault.keychain_missing {
        true => {
            text.piece(Tone::Warn, "▲ ").line(
                Tone::Plain,
                "vault: none (no keychain on this machine). To store keys: `gatehouse vault set \
                 file`",
            );
        }
        false => {
            text.piece(sign.tone, &sign.shape.to_string());
            text.piece(Tone::Plain, &format!(" vault: {kind}, {}", sign.word));
            let hint = vault.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
            text.line(Tone::Plain, &hint);
        }
    }
    text
}

fn changed(change: &VaultChangeView) -> Text {
    let mut text = done(&change.sentence);
    if !change.left.is_empty() {
        text.line(Tone::Warn, &format!("Still in the old vault: {}", change.left.join(", ")));
    }
    text
}
