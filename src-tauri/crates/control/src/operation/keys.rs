//! Operations on keys: list, add, edit, verify, remove. A key is never read back.

pub(in crate::operation) mod balance;
pub(in crate::operation) mod copies;
pub(in crate::operation) mod history;
pub(in crate::operation) mod notices;
pub(in crate::operation) mod oauth;
pub(in crate::operation) mod replace;
pub(in crate::operation) mod scan;

use std::collections::HashMap;
use std::sync::Arc;

use domain::{
    BillingProvider, BoundSecret, CredentialId, Origin, Secret, WallTime, known_variables,
};
use engine::{Engine, KeyState, KeyTrial, ProviderVerdict, RECORD_KEY_PREFIX, provider_at};
use ledger::{GroupBy, UsageKey, UsageTotals};
use settings::{CredentialSettings, KEY_NOTE_CHARS_MAX, Settings, VaultKind};
use vault::{VaultError, VaultState};

use super::{dependents, input, sum_last_days};
use crate::ApiError;
use crate::operation::keys::balance::{current_permissions, key_balance_view};
use crate::operation::keys::oauth::oauth_view;
use crate::view::{
    KeyAdd, KeyEdit, KeyRef, KeyVerificationView, KeyView, RetiredKeyView, SpendView,
};

/// Days over which a key's usage is summed.
const KEY_USAGE_DAYS: i64 = 30;

pub(crate) async fn keys(engine: &Engine) -> Result<Vec<KeyView>, ApiError> {
    let settings = engine.settings();
    let used = sum_last_days(engine, KEY_USAGE_DAYS, GroupBy::Credential).await?;
    let mut keys: Vec<KeyView> = Vec::with_capacity(settings.credentials.len());
    let (mut balances, shown) = (engine.key_balances().balances(), settings.currency.shown().0);
    let mut secrets: Vec<Option<Arc<BoundSecret>>> = Vec::with_capacity(settings.credentials.len());
    for (id, known) in &settings.credentials {
        let used_at = engine.keys().last_used(id, &backends_using_key(&settings, id)).await?;
        let view = key_view(engine, &settings, id, known, &used);
        let bound = read_if_unlocked(engine, id).await;
        let origin = bound.as_ref().and_then(|bound| bound.parts().1);
        let keys_url = origin.and_then(keys_page).or_else(|| view.keys_url.clone());
        let provider = origin.and_then(provider_at).filter(|_| known.billing.is_none());
        let provider = provider.map(|preset| preset.label.to_owned());
        let origin = origin.map(Origin::to_string);
        // A refresh token may have been replaced by its server since the settings were written.
        let rotated = bound.as_ref().filter(|bound| bound.exchange().is_some());
        let tail = rotated.map_or_else(|| view.tail.clone(), |bound| bound.parts().0.tail());
        secrets.push(bound);
        let known = balances.remove(id).flatten();
        let permissions = current_permissions(known.as_ref(), view.state, shown);
        let balance = known.and_then(|known| key_balance_view(known, shown));
        let used_at = used_at.map(Into::into);
        keys.push(KeyView {
            origin,
            tail,
            balance,
            permissions,
            used_at,
            keys_url,
            provider,
            ..view
        });
    }
    let (tunings, now) = (engine.alerts().tunings(), engine.clock().wall().into());
    notices::add_notices(&mut keys, &secrets, &tunings, now);
    if engine.vault().kind() == VaultKind::Env {
        keys.extend(environment_key_views(engine, &settings, &used).await);
    }
    Ok(keys)
}

/// Returns a key with the origin that the vault binds it to. The settings hold only a copy, which
/// anyone who can write the file may have changed. Returns `None` unless the vault is ready; nobody
/// is asked to unlock it.
async fn read_if_unlocked(engine: &Engine, id: &CredentialId) -> Option<Arc<BoundSecret>> {
    if engine.vault().state() != VaultState::Ready {
        return None;
    }
    engine.vault().get(id).await.ok()
}

pub(crate) async fn key_add(engine: &Engine, req: KeyAdd) -> Result<KeyView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let settings = engine.settings();
    let id = parse_new_key_name(&settings, "id", &req.id)?;
    let origin = match req.url.as_deref().map(str::trim).filter(|url| !url.is_empty()) {
        Some(url) => Some(parse_origin(&input::check_base_url("url", url, engine)?.url)?),
        None => req.billing.and_then(|provider| provider.address().parse().ok()),
    };
    let label = input::label_or_id(&req.label, &req.id);
    store_key(engine, &id, label, req.secret, origin, req.billing).await?;
    find_key_view(engine, &id).await
}

/// In the vault, what begins so is a client's token or the key of a wiring's record.
const RESERVED_PREFIXES: [&str; 2] = [input::TOKEN_VAULT_PREFIX, RECORD_KEY_PREFIX];

pub(super) fn parse_new_key_name(
    settings: &Settings,
    field: &str,
    name: &str,
) -> Result<CredentialId, ApiError> {
    let id: CredentialId = input::parse_id(field, name)?;
    let own = RESERVED_PREFIXES.iter().find(|prefix| id.as_str().starts_with(**prefix));
    if let Some(prefix) = own {
        let message =
            format!("names that begin with {prefix} are for Gatehouse's own keys; choose another");
        return Err(ApiError::invalid(field, message));
    }
    if settings.credentials.contains_key(&id) {
        let message =
            format!("a key named {id} already exists; replace it, or choose another name");
        return Err(ApiError::invalid(field, message));
    }
    Ok(id)
}

/// Stores a new key that requests carry.
pub(super) async fn store_key(
    engine: &Engine,
    id: &CredentialId,
    label: String,
    secret: Secret,
    origin: Option<Origin>,
    billing: Option<BillingProvider>,
) -> Result<(), ApiError> {
    let known = CredentialSettings {
        label,
        origin: origin.clone(),
        tail: secret.tail(),
        created: engine.clock().wall(),
        replaced: None,
        expires: None,
        note: None,
        billing,
        oauth: None,
    };
    store_new_key(engine, id, known, BoundSecret::new(secret, origin)).await
}

/// Stores a new key with its description, both or neither.
pub(super) async fn store_new_key(
    engine: &Engine,
    id: &CredentialId,
    known: CredentialSettings,
    bound: BoundSecret,
) -> Result<(), ApiError> {
    engine.vault().put(id, bound).await?;
    let place = id.clone();
    let added = engine.settings_editor().edit(move |draft| {
        draft.credentials.insert(place, known);
    });
    if let Err(error) = added.await {
        // The settings were refused, so the key must not stay in the vault unseen.
        if let Err(left) = engine.vault().remove(id).await {
            tracing::warn!(
                credential = %id, error = %left,
                "a key without an entry in the settings remains in the vault"
            );
        }
        return Err(error.into());
    }
    Ok(())
}

/// Sets what only the user knows of a key.
pub(crate) async fn key_edit(engine: &Engine, req: KeyEdit) -> Result<KeyView, ApiError> {
    let id = input::parse_known_credential(&engine.settings(), &req.id)?;
    let (place, label) = (id.clone(), input::label_or_id(&req.label, &req.id));
    let expires = req.expires_at.map(|at| WallTime::from_unix_ms(at.0));
    let note = parse_note(req.note.as_deref())?;
    let edit = move |draft: &mut Settings| {
        if let Some(known) = draft.credentials.get_mut(&place) {
            (known.label, known.expires, known.note) = (label, expires, note);
        }
    };
    engine.settings_editor().edit(edit).await?;
    find_key_view(engine, &id).await
}

/// A note, or `None` if there is no word in it. Notes are plain text in the settings, so one with a
/// key is refused.
fn parse_note(text: Option<&str>) -> Result<Option<String>, ApiError> {
    const FIELD: &str = "note";
    let note = text.map(str::trim).filter(|note| !note.is_empty());
    let Some(note) = note else { return Ok(None) };
    if note.chars().count() > KEY_NOTE_CHARS_MAX {
        let message = format!("the note is too long; use at most {KEY_NOTE_CHARS_MAX} characters");
        return Err(ApiError::invalid(FIELD, message));
    }
    if domain::redact(note) != note {
        let message = "the note seems to hold a key; notes are stored as plain text";
        return Err(ApiError::invalid(FIELD, message)
            .with_hint("Leave the key out: its last four characters tell it apart."));
    }
    Ok(Some(note.to_owned()))
}

pub(crate) async fn key_verify(
    engine: &Engine,
    req: KeyRef,
) -> Result<KeyVerificationView, ApiError> {
    let settings = engine.settings();
    let id = input::parse_known_credential(&settings, &req.id)?;
    if let Some(provider) = settings.credentials.get(&id).and_then(|known| known.billing) {
        let fetch = format!("`gatehouse usage reconcile --provider {}`", provider.word());
        return Ok(KeyVerificationView {
            id: req.id,
            state: KeyState::Unverified,
            detail: "it reads cost reports and is sent with no request".to_owned(),
            fix: Some(format!("{fetch} tries it.")),
        });
    }
    let Some(backend) = backends_using_key(&settings, &id).into_iter().next() else {
        return verify_with_service(engine, id).await;
    };
    engine.keys().access_tokens().retry(&id);
    let report = engine.prober().probe_now(&backend).await;
    let standing = engine.keys().status(&id);
    let own = report.keys.into_iter().find(|key| key.credential == id);
    let (detail, fix) = own.map_or((report.detail, report.fix), |own| (own.detail, own.fix));
    Ok(KeyVerificationView {
        id: req.id,
        state: standing.state,
        detail: standing.reason.unwrap_or(detail),
        fix,
    })
}

/// Verifies a key that no backend uses with the service that is checked with it.
async fn verify_with_service(
    engine: &Engine,
    id: CredentialId,
) -> Result<KeyVerificationView, ApiError> {
    let settings = engine.settings();
    let Some(service) = settings.services_with(&id).next() else {
        return verify_with_provider(engine, id).await;
    };
    let report = engine.services().check_now(service).await;
    Ok(KeyVerificationView {
        id: id.to_string(),
        state: engine.keys().status(&id).state,
        detail: report.detail,
        fix: report.fix,
    })
}

/// Verifies a key that nothing uses with the provider whose host it is bound to.
async fn verify_with_provider(
    engine: &Engine,
    id: CredentialId,
) -> Result<KeyVerificationView, ApiError> {
    engine.keys().access_tokens().retry(&id);
    let verdict = match engine.provider_key_check().check(&id).await {
        Ok(verdict) => verdict,
        Err(error) => {
            let fix = error.hint().map(str::to_owned);
            return Ok(verification(engine, &id, error.to_string(), fix));
        }
    };
    let Some(ProviderVerdict { provider, trial }) = verdict else {
        let detail = "no backend and no service uses this key, and it is bound to no host of a \
                      known provider, so nobody can be asked about it";
        let fix = "Use the key for a backend or a service first.";
        return Ok(verification(engine, &id, detail.to_owned(), Some(fix.to_owned())));
    };
    Ok(match trial {
        KeyTrial::Accepted => {
            verification(engine, &id, format!("{provider} accepts it; nothing was billed"), None)
        }
        KeyTrial::Rejected(why) => {
            let fix = "Replace the key with one the provider accepts.";
            verification(engine, &id, format!("{provider} {why}"), Some(fix.to_owned()))
        }
        KeyTrial::Unknown(why) => verification(engine, &id, format!("{provider}: {why}"), None),
    })
}

fn verification(
    engine: &Engine,
    id: &CredentialId,
    detail: String,
    fix: Option<String>,
) -> KeyVerificationView {
    KeyVerificationView { id: id.to_string(), state: engine.keys().status(id).state, detail, fix }
}

pub(crate) async fn key_remove(engine: &Engine, req: KeyRef) -> Result<(), ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    remove_key(engine, input::parse_known_credential(&engine.settings(), &req.id)?).await
}

/// Removes a key from the vault and its description from the settings.
pub(super) async fn remove_key(engine: &Engine, id: CredentialId) -> Result<(), ApiError> {
    match engine.vault().remove(&id).await {
        Ok(()) | Err(VaultError::NotFound(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let place = id.clone();
    engine
        .settings_editor()
        .edit(move |draft| {
            draft.credentials.shift_remove(&place);
            detach_key(draft, &place);
        })
        .await?;
    engine.keys().forget_secret(&id, engine.clock().wall());
    engine.keys().retired().forget(&id);
    Ok(())
}

/// Detaches the key from every backend and service that uses it, from the cache server and from the
/// collector.
fn detach_key(draft: &mut Settings, id: &CredentialId) {
    for backend in draft.backends.values_mut() {
        backend.pool.remove(id);
    }
    for service in draft.services.values_mut() {
        service.credential.take_if(|used| used == id);
    }
    draft.cache.redis_credential.take_if(|used| used == id);
    draft.telemetry.credential.take_if(|used| used == id);
}

pub(super) fn backends_using_key(settings: &Settings, id: &CredentialId) -> Vec<domain::BackendId> {
    let uses =
        |backend: &settings::BackendSettings| backend.pool.credentials().any(|used| used == id);
    settings.backends.iter().filter(|(_, b)| uses(b)).map(|(id, _)| id.clone()).collect()
}

pub(super) fn configured_origin(settings: &Settings, id: &CredentialId) -> Option<Origin> {
    let known = settings.credentials.get(id).and_then(|known| known.origin.clone());
    let user = backends_using_key(settings, id).into_iter().next();
    known.or_else(|| Origin::from_url(&settings.backends.get(&user?)?.base_url).ok())
}

/// The page where a provider at `origin` makes and revokes keys, if it is known.
fn keys_page(origin: &Origin) -> Option<String> {
    domain::preset_at(origin)?.keys_url.map(str::to_owned)
}

pub(super) fn parse_origin(url: &url::Url) -> Result<Origin, ApiError> {
    Origin::from_url(url).map_err(|error| ApiError::invalid("url", error.to_string()))
}

pub(super) async fn find_key_view(engine: &Engine, id: &CredentialId) -> Result<KeyView, ApiError> {
    let found = keys(engine).await?.into_iter().find(|key| key.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no key named {id}")))
}

fn key_view(
    engine: &Engine,
    settings: &Settings,
    id: &CredentialId,
    known: &CredentialSettings,
    used: &HashMap<UsageKey, UsageTotals>,
) -> KeyView {
    let standing = engine.keys().status(id);
    KeyView {
        id: id.to_string(),
        label: known.label.clone(),
        tail: known.tail.clone(),
        origin: known.origin.as_ref().map(Origin::to_string),
        created_at: Some(known.created.into()),
        replaced_at: known.replaced.map(Into::into),
        state: standing.state,
        reason: standing.reason,
        verified_at: standing.verified_at.map(Into::into),
        used_at: standing.used_at.map(Into::into),
        used_by: backends_using_key(settings, id).iter().map(ToString::to_string).collect(),
        dependents: dependents::key_dependents(settings, id),
        storage: engine.vault().kind(),
        billing: known.billing,
        expires_at: known.expires.map(Into::into),
        note: known.note.clone(),
        oauth: oauth_view(engine, settings, id),
        balance: None,
        permissions: None,
        notices: Vec::new(),
        keys_url: configured_origin(settings, id)
            .as_ref()
            .or(known.origin.as_ref())
            .and_then(keys_page),
        provider: None,
        retired: engine.keys().retired().get(id, engine.clock().now()).map(|retired| {
            RetiredKeyView {
                tail: retired.key.parts().0.tail(),
                replaced_at: retired.replaced_at.into(),
            }
        }),
        read_only: false,
        last_month: spend_view(used.get(&UsageKey::Named(id.to_string()))),
    }
}

/// Lists the keys that the environment vault found. The settings do not describe them.
async fn environment_key_views(
    engine: &Engine,
    settings: &Settings,
    used: &HashMap<UsageKey, UsageTotals>,
) -> Vec<KeyView> {
    let mut keys: Vec<KeyView> = Vec::new();
    for variable in known_variables() {
        let Ok(id) = CredentialId::new(variable.credential) else { continue };
        let listed = keys.iter().any(|key| key.id == id.as_str());
        if listed || settings.credentials.contains_key(&id) {
            continue;
        }
        if let Ok(bound) = engine.vault().get(&id).await {
            let known = CredentialSettings {
                label: variable.variable.to_owned(),
                origin: bound.parts().1.cloned(),
                tail: bound.parts().0.tail(),
                created: engine.clock().wall(),
                replaced: None,
                expires: None,
                note: None,
                billing: None,
                oauth: None,
            };
            let view = key_view(engine, settings, &id, &known, used);
            keys.push(KeyView { created_at: None, read_only: true, ..view });
        }
    }
    keys
}

pub(super) fn spend_view(totals: Option<&UsageTotals>) -> SpendView {
    let totals = totals.copied().unwrap_or_default();
    SpendView {
        cost_nano_usd: totals.cost.into(),
        is_cost_unknown: totals.is_cost_unknown(),
        requests: totals.requests.into(),
        unpriced_requests: totals.unpriced_requests.into(),
    }
}
