//! Operations on backends: list, add with a key, edit, test, switch, remove.

use std::collections::BTreeSet;

use domain::{
    BackendId, ClientTarget, CredentialId, ExtraDialect, Origin, Preset, PresetLocation,
    UnsupportedFeature,
};
use engine::Engine;
use settings::{
    AllowedNetwork, BackendKind, BackendSettings, KeyPoolSettings, OwnObjective,
    PoolMemberSettings, Settings, TrafficLimits,
};
use vault::VaultError;

use super::{input, sum_last_day_by_backend};
use crate::ApiError;
use crate::operation::clients::switched::replace_target;
use crate::operation::keys::{parse_origin, remove_key, store_key};
use crate::view::{
    BackendAdd, BackendEdit, BackendKey, BackendPresetView, BackendRef, BackendSwitch,
    BackendTestView, BackendView, KeyPoolView,
};

mod ask;
mod views;

pub(crate) use ask::{backend_ask, backend_ask_cancel, backend_ask_price};
pub(super) use views::{
    backend_health_view, disabled_health_view, health_view, observed_health_view, step_view,
};
use views::{backend_view, mock_view, test_view};

pub(crate) async fn backends(engine: &Engine) -> Result<Vec<BackendView>, ApiError> {
    let settings = engine.settings();
    let day = sum_last_day_by_backend(engine).await?;
    let mock = mock_view(engine, &day);
    let own = settings.backends.iter().map(|(id, known)| backend_view(engine, id, known, &day));
    Ok(std::iter::once(mock).chain(own).collect())
}

pub(crate) async fn presets(_: &Engine) -> Result<Vec<BackendPresetView>, ApiError> {
    Ok(preset_views())
}

/// The table of presets as the panel gets it.
#[must_use]
pub fn preset_views() -> Vec<BackendPresetView> {
    let view = |preset: &Preset| BackendPresetView {
        id: preset.id.to_owned(),
        label: preset.label.to_owned(),
        kind: preset.kind,
        base_url: preset.base_url.to_owned(),
        key_prefix: preset.key_prefix.map(str::to_owned),
        docs_url: preset.docs_url.to_owned(),
        keys_url: preset.keys_url.map(str::to_owned),
        local: preset.location == PresetLocation::Local,
        lacks: preset.lacks.to_vec(),
        offers: preset.offers.to_vec(),
    };
    domain::presets().map(view).collect()
}

pub(crate) async fn backend_add(engine: &Engine, req: BackendAdd) -> Result<BackendView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let settings = engine.settings();
    let id = parse_new_backend_id(&settings, &req.id)?;
    let base_url = input::check_base_url("base_url", &req.base_url, engine)?.url;
    let kind = parse_backend_kind(req.kind)?;
    let asked = DialectDifferences::from_request(req.lacks, req.offers);
    let (lacks, offers) = check_dialect_differences(asked, kind, &DialectDifferences::default())?;
    let origin = parse_origin(&base_url)?;
    let key_is_new = matches!(req.key, BackendKey::New { .. });
    let credential = match req.key {
        BackendKey::None => None,
        BackendKey::Stored { id } => Some(bind_stored_key(engine, &settings, &id, &origin).await?),
        BackendKey::New { secret } => {
            let key = parse_new_key_id(&settings, &id)?;
            let label = input::label_or_id(&req.label, id.as_str());
            store_key(engine, &key, label, secret, Some(origin), None).await?;
            Some(key)
        }
    };
    let label = input::label_or_id(&req.label, id.as_str());
    let models = input::trim_names(req.models);
    let added = BackendSettings {
        label,
        kind,
        base_url,
        pool: KeyPoolSettings::from_credential(credential),
        enabled: true,
        models,
        lacks,
        offers,
        crossing: req.crossing,
        network: AllowedNetwork::default(),
        limits: TrafficLimits::default(),
        objective: OwnObjective::default(),
    };
    let (place, key) = (id.clone(), added.credential().cloned());
    let edited = engine.settings_editor().edit(move |draft| {
        draft.backends.insert(place, added);
    });
    if let Err(error) = edited.await {
        if let (true, Some(key)) = (key_is_new, key) {
            drop(remove_key(engine, key).await);
        }
        return Err(error.into());
    }
    engine.health_watch().request_probe(&id);
    find_backend_view(engine, &id).await
}

pub(crate) async fn backend_edit(
    engine: &Engine,
    req: BackendEdit,
) -> Result<BackendView, ApiError> {
    let _held = engine.vault_switch().lock_changes().await;
    let settings = engine.settings();
    let id = input::parse_known_backend(&settings, &req.id)?;
    let base_url = input::check_base_url("base_url", &req.base_url, engine)?.url;
    let kind = parse_backend_kind(req.kind)?;
    let known =
        settings.backends.get(&id).map(DialectDifferences::from_settings).unwrap_or_default();
    let (lacks, offers) = check_dialect_differences(
        DialectDifferences::from_request(req.lacks, req.offers),
        kind,
        &known,
    )?;
    let crossing = req.crossing;
    let origin = parse_origin(&base_url)?;
    let (names_all, limits) = (req.pool.is_some(), req.limits);
    let pool = match (req.pool, req.credential.as_deref()) {
        (Some(pool), _) => parse_pool(engine, &settings, pool, &origin).await?,
        (None, Some(key)) => KeyPoolSettings::from_credential(Some(
            bind_stored_key(engine, &settings, key, &origin).await?,
        )),
        (None, None) => KeyPoolSettings::default(),
    };
    let label = input::label_or_id(&req.label, &req.id);
    let models = input::trim_names(req.models);
    let place = id.clone();
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(known) = draft.backends.get_mut(&place) {
                known.label = label;
                known.kind = kind;
                known.lacks = lacks;
                known.offers = offers;
                known.crossing = crossing;
                known.base_url = base_url;
                // The request names only the first key, so the pool stays unless that key changes.
                if names_all || known.credential() != pool.credentials().next() {
                    known.pool = pool;
                }
                if let Some(limits) = limits {
                    limits.apply(&mut known.limits);
                }
                known.models = models;
            }
        })
        .await?;
    engine.prober().forget(&id);
    find_backend_view(engine, &id).await
}

pub(crate) async fn backend_switch(
    engine: &Engine,
    req: BackendSwitch,
) -> Result<BackendView, ApiError> {
    let id = input::parse_known_backend(&engine.settings(), &req.id)?;
    let (place, enabled) = (id.clone(), req.enabled);
    engine
        .settings_editor()
        .edit(move |draft| {
            if let Some(known) = draft.backends.get_mut(&place) {
                known.enabled = enabled;
            }
        })
        .await?;
    find_backend_view(engine, &id).await
}

pub(crate) async fn backend_test(
    engine: &Engine,
    req: BackendRef,
) -> Result<BackendTestView, ApiError> {
    let id = match req.id.as_str() {
        settings::MOCK_BACKEND_ID => input::parse_id("id", &req.id)?,
        _ => input::parse_known_backend(&engine.settings(), &req.id)?,
    };
    let report = engine.prober().probe_now(&id).await;
    Ok(test_view(req.id, report))
}

pub(crate) async fn backend_remove(engine: &Engine, req: BackendRef) -> Result<(), ApiError> {
    let id = input::parse_known_backend(&engine.settings(), &req.id)?;
    engine
        .settings_editor()
        .edit(move |draft| {
            draft.backends.shift_remove(&id);
            replace_target(draft, &ClientTarget::Backend(id.clone()), None);
            for profile in draft.profiles.values_mut() {
                profile.backends.retain(|named| *named != id);
            }
        })
        .await?;
    Ok(())
}

fn parse_new_backend_id(settings: &Settings, text: &str) -> Result<BackendId, ApiError> {
    let id: BackendId = input::parse_id("id", text)?;
    if id.as_str() == settings::MOCK_BACKEND_ID {
        let message = "mock is the name of the built-in mock; choose another name";
        return Err(ApiError::invalid("id", message));
    }
    if settings.backends.contains_key(&id) {
        let message =
            format!("a backend named {id} already exists; edit it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    Ok(id)
}

fn parse_new_key_id(settings: &Settings, backend: &BackendId) -> Result<CredentialId, ApiError> {
    let id: CredentialId = input::parse_id("id", backend.as_str())?;
    if settings.credentials.contains_key(&id) {
        let message = format!("a key named {id} already exists; use it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    Ok(id)
}

/// Builds a pool from a form. [`bind_stored_key`] binds each key to `origin`.
async fn parse_pool(
    engine: &Engine,
    settings: &Settings,
    pool: KeyPoolView,
    origin: &Origin,
) -> Result<KeyPoolSettings, ApiError> {
    let mut members: Vec<PoolMemberSettings> = Vec::with_capacity(pool.members.len());
    for member in pool.members {
        let credential = bind_stored_key(engine, settings, &member.credential, origin).await?;
        if members.iter().any(|known| known.credential == credential) {
            return Err(ApiError::invalid("pool", format!("the key {credential} is listed twice")));
        }
        members.push(PoolMemberSettings { credential, weight: member.weight });
    }
    Ok(KeyPoolSettings { order: pool.order, members })
}

/// Binds a stored key to `origin` if it is not bound yet. A key bound to another origin is refused.
pub(super) async fn bind_stored_key(
    engine: &Engine,
    settings: &Settings,
    text: &str,
    origin: &Origin,
) -> Result<CredentialId, ApiError> {
    let id: CredentialId = input::parse_id("key", text)?;
    let bound = engine.vault().get(&id).await.map_err(|error| match error {
        VaultError::NotFound(_) => ApiError::invalid("key", error.to_string()),
        other => other.into(),
    })?;
    match bound.parts().1 {
        Some(own) if own == origin => return Ok(id),
        Some(own) => {
            let message = format!("the key {id} is locked to {own} and cannot be sent to {origin}");
            let hint = "A key is only sent to its allowed host. Add the key again for this host.";
            return Err(ApiError::invalid("key", message).with_hint(hint));
        }
        None => {}
    }
    engine.vault().put(&id, bound.with_origin(origin.clone())).await?;
    // An access token from before may be sent nowhere.
    engine.keys().access_tokens().forget(&id);
    if settings.credentials.contains_key(&id) {
        let (place, origin) = (id.clone(), origin.clone());
        engine
            .settings_editor()
            .edit(move |draft| {
                if let Some(known) = draft.credentials.get_mut(&place) {
                    known.origin = Some(origin);
                }
            })
            .await?;
    }
    Ok(id)
}

fn parse_backend_kind(kind: BackendKind) -> Result<BackendKind, ApiError> {
    match kind {
        BackendKind::Mock => {
            Err(ApiError::invalid("kind", "the mock is built in and cannot be added"))
        }
        kind => Ok(kind),
    }
}

/// Checks how a backend deviates from its protocol. Kinds other than `openai-compatible` ignore
/// this, so it is refused for them unless the settings already said the same.
fn check_dialect_differences(
    req: DialectDifferences,
    kind: BackendKind,
    known: &DialectDifferences,
) -> Result<(BTreeSet<UnsupportedFeature>, BTreeSet<ExtraDialect>), ApiError> {
    if kind != BackendKind::OpenAiCompatible {
        for (field, is_new) in [
            ("lacks", !req.lacks.is_empty() && req.lacks != known.lacks),
            ("offers", !req.offers.is_empty() && req.offers != known.offers),
        ] {
            if is_new {
                let message = format!("this has no effect on backends of kind {kind}");
                let hint = "Choose the kind openai-compatible, or leave it out.";
                return Err(ApiError::invalid(field, message).with_hint(hint));
            }
        }
    }
    Ok((req.lacks, req.offers))
}

/// How a backend deviates from the protocol it speaks.
#[derive(Default)]
struct DialectDifferences {
    lacks: BTreeSet<UnsupportedFeature>,
    offers: BTreeSet<ExtraDialect>,
}

impl DialectDifferences {
    fn from_request(lacks: Vec<UnsupportedFeature>, offers: Vec<ExtraDialect>) -> Self {
        Self { lacks: lacks.into_iter().collect(), offers: offers.into_iter().collect() }
    }

    fn from_settings(backend: &BackendSettings) -> Self {
        Self { lacks: backend.lacks.clone(), offers: backend.offers.clone() }
    }
}

async fn find_backend_view(engine: &Engine, id: &BackendId) -> Result<BackendView, ApiError> {
    let found = backends(engine).await?.into_iter().find(|backend| backend.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no backend named {id}")))
}
