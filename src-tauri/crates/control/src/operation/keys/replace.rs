//! Replaces keys, and asks whether the replaced ones still work.

use std::sync::Arc;

use domain::{BoundSecret, CredentialId, Origin, Secret, WallTime};
use engine::{Engine, KeyTrial, ProviderVerdict, RetiredKey};
use vault::VaultError;

use crate::ApiError;
use crate::operation::input;
use crate::operation::keys::oauth::exchange_anew;
use crate::operation::keys::{backends_using_key, configured_origin, find_key_view};
use crate::view::{KeyRef, KeyReplace, KeyView, RetiredKeyCheckView, RetiredKeyState};

pub(crate) async fn key_replace(engine: &Engine, req: KeyReplace) -> Result<KeyView, ApiError> {
    let id = input::parse_known_credential(&engine.settings(), &req.id)?;
    let old = read_replaced(engine, &id).await?;
    if engine.settings().credentials.get(&id).is_some_and(|known| known.oauth.is_some()) {
        return replace_exchanged(engine, id, old.as_deref(), req.secret).await;
    }
    let bound = match &old {
        Some(old) => old.parts().1.cloned(),
        None => configured_origin(&engine.settings(), &id),
    };
    if !req.untested {
        refuse_rejected(engine, &id, BoundSecret::new(req.secret.clone(), bound.clone())).await?;
    }
    let _held = engine.vault_switch().lock_changes().await;
    let new = BoundSecret::new(req.secret, bound);
    engine.vault().put(&id, new.clone()).await?;
    begin_replaced(engine, &id, old, &new).await?;
    find_key_view(engine, &id).await
}

/// What follows once `new` is in the vault in the place of `old`: nothing of the old one holds.
pub(in crate::operation) async fn begin_replaced(
    engine: &Engine,
    id: &CredentialId,
    old: Option<Arc<BoundSecret>>,
    new: &BoundSecret,
) -> Result<(), ApiError> {
    let (secret, origin) = new.parts();
    let replaced = note_replacement(engine, id, secret.tail(), origin.cloned()).await?;
    engine.keys().forget_secret(id, replaced);
    // Only its use could tell whether an old secret of OAuth still works.
    let old = old.filter(|old| old.parts().0 != secret && old.exchange().is_none());
    if let Some(key) = old {
        let retired = RetiredKey { key, replaced_at: replaced };
        engine.keys().retired().keep(id.clone(), retired, engine.clock().now());
    }
    probe_users(engine, id);
    Ok(())
}

/// The old secret of OAuth is not kept: only its use could tell whether it still works.
async fn replace_exchanged(
    engine: &Engine,
    id: CredentialId,
    old: Option<&BoundSecret>,
    secret: Secret,
) -> Result<KeyView, ApiError> {
    let held = engine.vault_switch().lock_changes().await;
    let tail = secret.tail();
    exchange_anew(engine, &id, old, secret).await?;
    drop(held);
    let origin = configured_origin(&engine.settings(), &id);
    let replaced = note_replacement(engine, &id, tail, origin).await?;
    // The exchange has forgotten the old one; its access token is the new one's.
    engine.keys().begin_anew(&id, replaced);
    probe_users(engine, &id);
    find_key_view(engine, &id).await
}

/// Writes down that the key is another one since now.
async fn note_replacement(
    engine: &Engine,
    id: &CredentialId,
    tail: Option<String>,
    bound: Option<Origin>,
) -> Result<WallTime, ApiError> {
    let (place, replaced) = (id.clone(), engine.clock().wall());
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(known) = draft.credentials.get_mut(&place) {
                known.set_replaced(tail, bound, replaced);
            }
        })
        .await?;
    Ok(replaced)
}

fn probe_users(engine: &Engine, id: &CredentialId) {
    for backend in backends_using_key(&engine.settings(), id) {
        engine.health_watch().request_probe(&backend);
    }
    engine.services().request_checks_with(id);
}

/// The key that is about to be replaced; `None` if the vault has none.
async fn read_replaced(
    engine: &Engine,
    id: &CredentialId,
) -> Result<Option<Arc<BoundSecret>>, ApiError> {
    match engine.vault().get(id).await {
        Ok(old) => Ok(Some(old)),
        Err(VaultError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Tries `key` in the place of the one named `id` with a backend that uses that one, or else with a
/// service, or with its provider where nothing uses it; the name is told too. None if nobody can be asked.
async fn try_key(
    engine: &Engine,
    id: &CredentialId,
    key: Arc<BoundSecret>,
) -> Option<(String, KeyTrial)> {
    let settings = engine.settings();
    if let Some(backend) = backends_using_key(&settings, id).first() {
        return Some((backend.to_string(), engine.prober().try_key(backend, key).await));
    }
    if let Some(service) = settings.services_with(id).next() {
        return Some((service.to_string(), engine.services().try_key(service, key).await));
    }
    // An admin key is sent with no request, so nobody is asked for a model list with it.
    if settings.credentials.get(id).is_some_and(|known| known.billing.is_some()) {
        return None;
    }
    let ProviderVerdict { provider, trial } = engine.provider_key_check().try_key(key).await?;
    Some((provider.to_owned(), trial))
}

/// Refuses a key that its provider rejects. One that could not be asked about passes.
async fn refuse_rejected(
    engine: &Engine,
    id: &CredentialId,
    key: BoundSecret,
) -> Result<(), ApiError> {
    let Some((who, trial)) = try_key(engine, id, Arc::new(key)).await else { return Ok(()) };
    match trial {
        KeyTrial::Rejected(why) => {
            let message = format!("the new key does not work, so the old one stays: {who} {why}");
            Err(ApiError::invalid("secret", message)
                .with_hint("Check that it was copied whole. Some providers need a minute."))
        }
        KeyTrial::Accepted | KeyTrial::Unknown(_) => Ok(()),
    }
}

/// Asks whether the key before the present one still works. One that is rejected is forgotten.
pub(crate) async fn key_retired_check(
    engine: &Engine,
    req: KeyRef,
) -> Result<RetiredKeyCheckView, ApiError> {
    let id = input::parse_known_credential(&engine.settings(), &req.id)?;
    let retired = engine.keys().retired().get(&id, engine.clock().now()).ok_or_else(|| {
        let message = format!("{id} was not replaced since this start in the last 24 hours");
        ApiError::not_found(message)
    })?;
    let (state, sentence) = match try_key(engine, &id, retired.key).await {
        None => {
            let sentence = "No backend and no service uses the key, and its provider is not known, so \
                            none can be asked.";
            (RetiredKeyState::Unknown, sentence.to_owned())
        }
        Some((who, KeyTrial::Accepted)) => {
            let sentence = format!("{who} still accepts the old key. Revoke it there.");
            (RetiredKeyState::Accepted, sentence)
        }
        Some((who, KeyTrial::Rejected(_))) => {
            engine.keys().retired().forget(&id);
            (RetiredKeyState::Rejected, format!("{who} rejects the old key."))
        }
        Some((_, KeyTrial::Unknown(why))) => {
            (RetiredKeyState::Unknown, format!("Not known: {why}."))
        }
    };
    Ok(RetiredKeyCheckView { id: req.id, state, sentence })
}
