//! Keys of OAuth: the secret in the vault is exchanged for the access tokens that requests carry.

use domain::{BoundSecret, CredentialId, Secret, TokenExchange};
use engine::Engine;
use gateway::{AccessTokenStatus, KeyError};
use settings::{CredentialSettings, OAUTH_TEXT_CHARS_MAX, OAuthSettings, Settings};

use crate::ApiError;
use crate::operation::input;
use crate::operation::keys::{
    configured_origin, find_key_view, parse_new_key_name, parse_origin, remove_key, store_new_key,
};
use crate::view::{KeyOAuthAdd, KeyOAuthView, KeyView};

/// Stores the secret and gets the first access token with it. A secret that the token endpoint
/// rejects is not kept.
pub(crate) async fn key_oauth_add(engine: &Engine, req: KeyOAuthAdd) -> Result<KeyView, ApiError> {
    let held = engine.vault_switch().lock_changes().await;
    let id = parse_new_key_name(&engine.settings(), "id", &req.id)?;
    let url = req.url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let origin = match url {
        Some(url) => Some(parse_origin(&input::check_base_url("url", url, engine)?.url)?),
        None => None,
    };
    let token_url = input::check_base_url("token_url", &req.token_url, engine)?.url;
    let endpoint = parse_origin(&token_url)?;
    let scope = req.scope.as_deref().map(str::trim).filter(|scope| !scope.is_empty());
    let oauth = OAuthSettings {
        token_url,
        client_id: short_text("client_id", &req.client_id)?,
        grant: req.grant,
        scope: scope.map(|scope| short_text("scope", scope)).transpose()?,
    };
    let known = CredentialSettings {
        label: input::label_or_id(&req.label, &req.id),
        origin: origin.clone(),
        tail: req.secret.tail(),
        created: engine.clock().wall(),
        replaced: None,
        expires: None,
        note: None,
        billing: None,
        oauth: Some(oauth),
    };
    let exchange = TokenExchange { endpoint, client_secret: req.client_secret };
    let bound = BoundSecret::exchanged(req.secret, origin, exchange);
    store_new_key(engine, &id, known, bound).await?;
    drop(held);
    if let Err(KeyError::Rejected(why)) = engine.keys().access_tokens().key(&id).await {
        remove_key(engine, id).await?;
        return Err(rejected(&why));
    }
    find_key_view(engine, &id).await
}

/// Puts `secret` in the place of `old` and gets an access token with it. The old one comes back if
/// the token endpoint rejects the new one.
pub(in crate::operation) async fn exchange_anew(
    engine: &Engine,
    id: &CredentialId,
    old: Option<&BoundSecret>,
    secret: Secret,
) -> Result<(), ApiError> {
    let new = match old {
        Some(old) => old.with_secret(secret),
        None => from_settings(&engine.settings(), id, secret)?,
    };
    engine.vault().put(id, new).await?;
    engine.keys().forget(id);
    if let Err(KeyError::Rejected(why)) = engine.keys().access_tokens().key(id).await {
        match old {
            Some(old) => engine.vault().put(id, old.clone()).await?,
            None => engine.vault().remove(id).await?,
        }
        engine.keys().forget(id);
        return Err(rejected(&why));
    }
    Ok(())
}

/// A secret that the vault has lost is bound again as the settings say, like a plain key.
fn from_settings(
    settings: &Settings,
    id: &CredentialId,
    secret: Secret,
) -> Result<BoundSecret, ApiError> {
    let known = settings.credentials.get(id).and_then(|known| known.oauth.as_ref());
    let known = known.ok_or_else(|| ApiError::not_found(format!("{id} is not refreshed")))?;
    let exchange = TokenExchange { endpoint: parse_origin(&known.token_url)?, client_secret: None };
    Ok(BoundSecret::exchanged(secret, configured_origin(settings, id), exchange))
}

fn rejected(why: &str) -> ApiError {
    ApiError::invalid("secret", format!("it was not stored: {why}"))
}

fn short_text(field: &str, text: &str) -> Result<String, ApiError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > OAUTH_TEXT_CHARS_MAX {
        let message = format!("it must have 1 to {OAUTH_TEXT_CHARS_MAX} characters");
        return Err(ApiError::invalid(field, message));
    }
    Ok(text.to_owned())
}

/// `None` for a plain key.
pub(in crate::operation) fn oauth_view(
    engine: &Engine,
    settings: &Settings,
    id: &CredentialId,
) -> Option<KeyOAuthView> {
    let OAuthSettings { token_url, client_id, grant, scope } =
        settings.credentials.get(id)?.oauth.as_ref()?;
    let status = engine.keys().access_tokens().status(id);
    let times = status.and_then(|AccessTokenStatus { times, .. }| times);
    Some(KeyOAuthView {
        token_url: token_url.to_string(),
        client_id: client_id.clone(),
        grant: *grant,
        scope: scope.clone(),
        refreshed_at: times.map(|(refreshed, _)| refreshed.into()),
        access_expires_at: times.map(|(_, end)| end.into()),
    })
}
