//! `gatehouse vault`: shows, unlocks and changes the vault, and moves keys between vaults.

use clap::Subcommand;
use control::Core;
use control::view::{
    VaultChangeView, VaultKind, VaultMove, VaultSet, VaultStateView, VaultUnlock, VaultView,
};

use super::keys::vault_kind_word;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::passphrase::Passphrases;
use crate::sign::{Mark, Sign, Tone};
use crate::text::{StyledText, render_sentence};
use crate::unlock::unlock_interactively;
use crate::word::word;

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Show which vault is in use and whether it works
    #[command(visible_alias = "show", alias = "check")]
    Status,
    /// Unlock the encrypted file with its passphrase, or create it
    Unlock,
    /// Use another vault, now and after a restart
    #[command(alias = "use")]
    Set(SetVaultArguments),
    /// Move keys from another vault into the one in use
    #[command(alias = "mv")]
    Move(MoveKeysArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetVaultArguments {
    /// Where keys are stored
    #[arg(value_parser = word::<VaultKind>())]
    kind: VaultKind,
    /// Move the stored keys and tokens there
    #[arg(long = "move")]
    move_keys: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MoveKeysArguments {
    /// The vault that holds them now
    #[arg(value_parser = word::<VaultKind>())]
    from: VaultKind,
}

pub(crate) async fn run(
    wanted: Option<VaultCommand>,
    core: &Core,
    passphrases: &Passphrases,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match wanted.unwrap_or(VaultCommand::Status) {
        VaultCommand::Status => {
            let vault = control::vault_check(core).await?;
            console.print_view(&vault, render_status)?;
            Ok(vault_exit(&vault))
        }
        VaultCommand::Unlock => unlock(core, passphrases, console).await,
        VaultCommand::Set(wanted) => {
            let (kind, move_keys) = (wanted.kind, wanted.move_keys);
            let passphrase = match kind {
                VaultKind::File => {
                    let vault = control::vault_check(core).await?;
                    let open = vault.kind == kind && vault.state == VaultStateView::Ready;
                    if open { None } else { Some(passphrases.for_file(&vault, console)?) }
                }
                _ => None,
            };
            if move_keys && kind != VaultKind::File {
                // The current vault may be a locked file.
                unlock_interactively(core, console).await?;
            }
            let req = VaultSet { kind, passphrase, move_keys };
            console.print_view(&control::vault_set(core, req).await?, render_change)?;
            Ok(Exit::Success)
        }
        VaultCommand::Move(wanted) => {
            let from = wanted.from;
            unlock_interactively(core, console).await?;
            let vault = control::vault_check(core).await?;
            let in_file = from == VaultKind::File && vault.kind != from;
            let passphrase = match in_file {
                true => Some(passphrases.for_file(&vault, console)?),
                false => None,
            };
            let moved = control::vault_move(core, VaultMove { from, passphrase }).await?;
            console.print_view(&moved, render_change)?;
            Ok(if moved.left.is_empty() { Exit::Success } else { Exit::Negative })
        }
    }
}

async fn unlock(
    core: &Core,
    passphrases: &Passphrases,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let vault = control::vault_check(core).await?;
    if vault.kind != VaultKind::File {
        let message =
            format!("the vault is {}, which has no passphrase", vault_kind_word(vault.kind));
        return Err(CommandError::new(Exit::Negative, message)
            .with_hint("To store keys in an encrypted file: `gatehouse vault set file`."));
    }
    if vault.state == VaultStateView::Ready {
        console.print_view(&vault, |_| render_sentence("The vault is already unlocked."))?;
        return Ok(Exit::Success);
    }
    let passphrase = passphrases.for_file(&vault, console)?;
    let vault = control::vault_unlock(core, VaultUnlock { passphrase }).await?;
    console.print_view(&vault, render_status)?;
    Ok(vault_exit(&vault))
}

fn vault_exit(vault: &VaultView) -> Exit {
    if vault.state == VaultStateView::Ready { Exit::Success } else { Exit::Negative }
}

pub(super) fn render_status(vault: &VaultView) -> StyledText {
    let mut text = StyledText::new();
    text.sign(vault.state).line(Tone::Plain, &format!("  {}", vault_kind_word(vault.kind)));
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
pub(crate) fn render_vault_line(vault: &VaultView) -> StyledText {
    let mut text = StyledText::new();
    let sign = Sign::from(vault.state);
    let kind = vault_kind_word(vault.kind);
    match vault.keychain_missing {
        true => {
            text.marked(
                Mark::Attention,
                "vault: none (no keychain on this machine). To store keys: `gatehouse vault set \
                 file`",
            );
        }
        false => {
            text.piece(sign.tone.into(), &sign.shape.symbol().to_string());
            text.piece(Tone::Plain, &format!(" vault: {kind}, {}", sign.word));
            let hint = vault.hint.as_deref().map(|hint| format!(". {hint}")).unwrap_or_default();
            text.line(Tone::Plain, &hint);
        }
    }
    text
}

fn render_change(change: &VaultChangeView) -> StyledText {
    let mut text = render_sentence(&change.sentence);
    if !change.left.is_empty() {
        text.line(Tone::Warn, &format!("Still in the old vault: {}", change.left.join(", ")));
    }
    text
}
