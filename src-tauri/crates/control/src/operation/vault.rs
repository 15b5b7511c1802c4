//! Operations on the vault: check, unlock, change, move keys. Also creates the address of the
//! browser panel.

use domain::CredentialId;
use engine::{
    Engine, VaultChangeError, VaultChangeRequest, VaultChangeResult, change_vault,
    describe_unlocked_keys, move_keys_from,
};
use settings::VaultKind;
use vault::{OUTDATED_HINT, Passphrase, VaultError, VaultState};
use zeroize::Zeroizing;

use crate::operation::clients::token_vault_id;
use crate::operation::input::TOKEN_VAULT_PREFIX;
use crate::view::{VaultChangeView, VaultMove, VaultSet, VaultStateView, VaultUnlock, VaultView};
use crate::{ApiError, ErrorCode};

/// View of the vault as of its last call.
pub(crate) fn vault_view(engine: &Engine) -> VaultView {
    let (kind, state) = (engine.vault().kind(), engine.vault().state());
    let hint = match state {
        VaultState::Ready if engine.vault().is_outdated() => Some(OUTDATED_HINT.to_owned()),
        VaultState::Ready | VaultState::Unchecked => None,
        other => Some(other.hint().to_owned()),
    };
    let absent = matches!(state, VaultState::Unavailable | VaultState::NoCollection);
    VaultView {
        kind,
        state: vault_state(state),
        hint,
        keychain_missing: kind == VaultKind::Keychain && absent,
        file_exists: engine.folders().vault_file().exists(),
        set_by_environment: engine.vault_switch().forced().is_some(),
    }
}

const fn vault_state(state: VaultState) -> VaultStateView {
    match state {
        VaultState::Unchecked => VaultStateView::Unknown,
        VaultState::Ready => VaultStateView::Ready,
        VaultState::Locked(_) => VaultStateView::Locked,
        VaultState::NoCollection => VaultStateView::NoCollection,
        VaultState::Unavailable | VaultState::FileUnusable => VaultStateView::Unavailable,
        VaultState::Hung => VaultStateView::Hung,
        VaultState::Damaged => VaultStateView::Damaged,
    }
}

pub(crate) async fn vault_check(engine: &Engine) -> Result<VaultView, ApiError> {
    engine.vault().recheck().await;
    Ok(vault_view(engine))
}

pub(crate) async fn vault_unlock(engine: &Engine, req: VaultUnlock) -> Result<VaultView, ApiError> {
    unlock(engine, parse_passphrase(&req.passphrase)?).await?;
    Ok(vault_view(engine))
}

pub(crate) async fn vault_set(engine: &Engine, req: VaultSet) -> Result<VaultChangeView, ApiError> {
    let (kind, old) = (req.kind, engine.vault().kind());
    let passphrase = req.passphrase.as_ref().map(parse_passphrase).transpose()?;
    if kind == old {
        return keep_vault_kind(engine, kind, passphrase).await;
    }
    let moving = if req.move_keys { list_stored_ids(engine)? } else { Vec::new() };
    let change = VaultChangeRequest { kind, passphrase, moving };
    let changed = change_vault(engine.vault_switch(), engine.settings_editor(), change).await?;
    engine.client_wiring().repair().await;
    let mut sentence = format!("The vault is now {}.", vault_description(kind));
    let keys = engine.settings().credentials.len();
    if req.move_keys {
        sentence = format!("{sentence} {}", moved_sentence(&changed, old));
    } else if keys > 0 && old != VaultKind::Env {
        sentence = format!(
            "{sentence} {} in {}: move them with `gatehouse vault move {old}`.",
            if keys == 1 { "1 key is still".to_owned() } else { format!("{keys} keys are still") },
            vault_description(old),
        );
    }
    Ok(change_view(engine, &changed, sentence))
}

pub(crate) async fn vault_move(
    engine: &Engine,
    req: VaultMove,
) -> Result<VaultChangeView, ApiError> {
    let (from, kind) = (req.from, engine.vault().kind());
    if from == kind {
        let message = format!("the keys are already in {}", vault_description(kind));
        return Err(ApiError::invalid("from", message).with_hint(
            "To move them elsewhere: `gatehouse vault set file --move`, or `keychain`.",
        ));
    }
    if matches!(from, VaultKind::Env | VaultKind::Memory) {
        let message = format!("the {from} vault has no keys that can be moved");
        return Err(ApiError::invalid("from", message)
            .with_hint("`gatehouse keys import FILE` reads keys from a file of variables."));
    }
    let passphrase = req.passphrase.as_ref().map(parse_passphrase).transpose()?;
    let moving = list_stored_ids(engine)?;
    let changed = move_keys_from(
        engine.vault_switch(),
        engine.settings_editor(),
        VaultChangeRequest { kind: from, passphrase, moving },
    )
    .await?;
    let sentence = moved_sentence(&changed, from);
    Ok(change_view(engine, &changed, sentence))
}

/// Creates an address that opens the panel in a browser.
pub(crate) fn panel_address(engine: &Engine) -> Result<Zeroizing<String>, ApiError> {
    engine.control().panel_address().ok_or_else(|| {
        ApiError::failed("the running Gatehouse does not serve the panel to browsers").with_hint(
            "Use its window, or quit it and run `gatehouse serve`, then `gatehouse panel`.",
        )
    })
}

/// Keeps the kind of vault, and unlocks it if there is a passphrase.
async fn keep_vault_kind(
    engine: &Engine,
    kind: VaultKind,
    passphrase: Option<Passphrase>,
) -> Result<VaultChangeView, ApiError> {
    if let Some(passphrase) = passphrase {
        unlock(engine, passphrase).await?;
    }
    engine.settings_editor().edit(move |draft| draft.vault.kind = kind).await?;
    engine.vault().recheck().await;
    let sentence = format!("The vault is {}.", vault_description(kind));
    Ok(change_view(engine, &VaultChangeResult::default(), sentence))
}

async fn unlock(engine: &Engine, passphrase: Passphrase) -> Result<(), ApiError> {
    engine.vault().unlock(passphrase).await.map_err(passphrase_error)?;
    describe_unlocked_keys(engine.vault_switch(), engine.settings_editor()).await;
    engine.client_wiring().repair().await;
    engine.health_watch().request_all_probes();
    Ok(())
}

fn parse_passphrase(passphrase: &Zeroizing<String>) -> Result<Passphrase, ApiError> {
    Passphrase::parse(passphrase.as_str().to_owned())
        .map_err(|error| ApiError::invalid("passphrase", error.to_string()))
}

/// Reports a wrong or missing passphrase as an error of the field, and anything else as an error of
/// the vault.
fn passphrase_error(error: VaultError) -> ApiError {
    match error {
        VaultError::Locked(lock) => {
            ApiError::invalid("passphrase", error.to_string()).with_hint(lock.hint())
        }
        other => other.into(),
    }
}

/// Lists everything that Gatehouse stores in a vault: keys and client tokens.
fn list_stored_ids(engine: &Engine) -> Result<Vec<CredentialId>, ApiError> {
    let settings = engine.settings();
    let tokens = settings.clients.keys().map(token_vault_id);
    settings.credentials.keys().cloned().map(Ok).chain(tokens).collect()
}

fn change_view(engine: &Engine, changed: &VaultChangeResult, sentence: String) -> VaultChangeView {
    let name = |id: &CredentialId| {
        id.as_str().strip_prefix(TOKEN_VAULT_PREFIX).unwrap_or(id.as_str()).to_owned()
    };
    let is_token = |id: &&CredentialId| id.as_str().starts_with(TOKEN_VAULT_PREFIX);
    VaultChangeView {
        vault: vault_view(engine),
        moved: changed.moved.iter().filter(|id| !is_token(id)).map(name).collect(),
        moved_tokens: changed.moved.iter().filter(is_token).map(name).collect(),
        left: changed.not_removed.iter().map(name).collect(),
        sentence,
    }
}

fn moved_sentence(changed: &VaultChangeResult, old: VaultKind) -> String {
    let (copied, left) =
        (changed.moved.len() + changed.not_removed.len(), changed.not_removed.len());
    let what = match copied {
        0 => return format!("Nothing to move from {}.", vault_description(old)),
        1 => "1 key or token was".to_owned(),
        many => format!("{many} keys and tokens were"),
    };
    match left {
        0 => format!("{what} moved from {}.", vault_description(old)),
        left => format!(
            "{what} copied from {}, but {left} could not be removed there; remove them by hand.",
            vault_description(old)
        ),
    }
}

const fn vault_description(kind: VaultKind) -> &'static str {
    match kind {
        VaultKind::Keychain => "the keychain",
        VaultKind::File => "an encrypted file",
        VaultKind::Env => "the environment",
        VaultKind::Memory => "memory",
    }
}

impl From<VaultChangeError> for ApiError {
    fn from(error: VaultChangeError) -> Self {
        let message = error.to_string();
        match error {
            VaultChangeError::Forced(_) => Self::failed(message)
                .with_hint("Unset it, stop Gatehouse with `gatehouse stop`, and start it again."),
            VaultChangeError::NotPersistent(_) => Self::invalid("kind", message)
                .with_hint("Choose keychain or file, or leave the keys where they are."),
            VaultChangeError::Vault(source) => passphrase_error(source),
            VaultChangeError::Key { source, .. } => {
                Self { message, field: None, ..passphrase_error(source) }
            }
            VaultChangeError::Settings(error) => error.into(),
        }
    }
}

impl From<VaultError> for ApiError {
    fn from(error: VaultError) -> Self {
        let code = match error {
            VaultError::NotFound(_) => ErrorCode::NotFound,
            VaultError::ReadOnly | VaultError::TooLarge { .. } => ErrorCode::InvalidInput,
            _ => ErrorCode::VaultUnavailable,
        };
        let hint = error.hint().map(str::to_owned);
        Self { code, message: error.to_string(), hint, field: None }
    }
}
