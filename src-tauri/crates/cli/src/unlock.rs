//! What commands that need the vault do first.

use control::view::{VaultKind, VaultStateView, VaultUnlock};
use control::{ApiError, Core, ErrorCode};

use crate::console::{Console, StreamPeer};
use crate::exit::CommandError;
use crate::passphrase::Passphrases;

/// Prompts for the passphrase of a locked vault file if a person is at a terminal. Without a
/// terminal the vault's own error follows, which says what to do. True if it was unlocked by this.
pub(crate) async fn unlock_interactively(
    core: &Core,
    console: &Console,
) -> Result<bool, CommandError> {
    if console.stdin == StreamPeer::Other || console.stderr == StreamPeer::Other {
        return Ok(false);
    }
    let vault = control::vault_check(core).await?;
    if vault.kind != VaultKind::File || vault.state != VaultStateView::Locked {
        return Ok(false);
    }
    let passphrase = Passphrases::none().for_file(&vault, console)?;
    control::vault_unlock(core, VaultUnlock { passphrase }).await?;
    Ok(true)
}

/// The answer of `ask`, which needs the vault in some cases alone: asked again once the person has
/// unlocked it.
pub(crate) async fn ask_with_vault<T>(
    core: &Core,
    console: &Console,
    ask: impl AsyncFn() -> Result<T, ApiError>,
) -> Result<T, CommandError> {
    let answer = ask().await;
    let is_missing = |error: &ApiError| error.code == ErrorCode::VaultUnavailable;
    if answer.as_ref().is_err_and(is_missing) && unlock_interactively(core, console).await? {
        return Ok(ask().await?);
    }
    Ok(answer?)
}
