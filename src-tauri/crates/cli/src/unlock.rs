//! What commands that need the vault do first.

use control::Core;
use control::view::{VaultKind, VaultStateView, VaultUnlock};

use crate::console::{Console, StreamPeer};
use crate::exit::CommandError;
use crate::passphrase::Passphrases;

/// Prompts for the passphrase of a locked vault file if a person is at a terminal. Without a
/// terminal the vault's own error follows, which says what to do.
pub(crate) async fn unlock_interactively(
    core: &Core,
    console: &Console,
) -> Result<(), CommandError> {
    if console.stdin == StreamPeer::Other || console.stderr == StreamPeer::Other {
        return Ok(());
    }
    let vault = control::vault_check(core).await?;
    if vault.kind == VaultKind::File && vault.state == VaultStateView::Locked {
        let passphrase = Passphrases::none().for_file(&vault, console)?;
        control::vault_unlock(core, VaultUnlock { passphrase }).await?;
    }
    Ok(())
}
