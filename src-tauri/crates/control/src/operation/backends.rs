//! Backends: added with their key, edited, tried, switched, removed.

use std::collections::{BTreeSet, HashMap};

use domain::{BackendId, CredentialId, Crossing, Origin, WallTime};
use engine::{Engine, ProbeReport, ProbeStep};
use ledger::{Price, UsageKey, UsageSummary, UsageTotals};
use monitor::State;
use settings::{BackendKind, BackendSettings, PresetPlace, Settings};
use vault::VaultError;

use super::keys::{origin_of, remove_key, spend_of, store_key};
use super::{input, last_day_by_backend};
use crate::ApiError;
use crate::view::{
    BackendAdd, BackendDayView, BackendEdit, BackendKey, BackendKindView, BackendRef,
    BackendSwitch, BackendTestView, BackendView, HealthStateView, HealthView, ModelView,
    PresetView, PriceView, TestStepState, TestStepView,
};

/// Hours in the little chart of a backend.
const HOURS: usize = 24;

pub(crate) async fn backends(engine: &Engine) -> Result<Vec<BackendView>, ApiError> {
    let settings = engine.settings();
    let day = last_day_by_backend(engine).await?;
    let mock = mock_view(engine, &day);
    let own = settings.backends.iter().map(|(id, known)| backend_view(engine, id, known, &day));
    Ok(std::iter::once(mock).chain(own).collect())
}

pub(crate) async fn presets(_: &Engine) -> Result<Vec<PresetView>, ApiError> {
    let view = |preset: &settings::Preset| PresetView {
        id: preset.id.to_owned(),
        label: preset.label.to_owned(),
        kind: kind_view(preset.kind),
        base_url: preset.base_url.to_owned(),
        key_prefix: preset.key_prefix.map(str::to_owned),
        docs_url: preset.docs_url.to_owned(),
        local: preset.place == PresetPlace::Local,
    };
    Ok(settings::presets().iter().map(view).collect())
}

pub(crate) async fn backend_add(engine: &Engine, req: BackendAdd) -> Result<BackendView, ApiError> {
    let settings = engine.settings();
    let id = new_backend_id(&settings, &req.id)?;
    let base_url = input::base_url("base_url", &req.base_url, engine)?.url;
    let kind = kind_of(req.kind)?;
    let origin = origin_of(&base_url)?;
    let key_is_new = matches!(req.key, BackendKey::New { .. });
    let credential = match req.key {
        BackendKey::None => None,
        BackendKey::Stored { id } => Some(attach(engine, &settings, &id, &origin).await?),
        BackendKey::New { secret } => {
            let key = new_key_id(&settings, &id)?;
            let label = input::label(&req.label, id.as_str());
            store_key(engine, &key, label, secret, Some(origin)).await?;
            Some(key)
        }
    };
    let label = input::label(&req.label, id.as_str());
    let models = clean(req.models);
    let added = BackendSettings {
        label,
        kind,
        base_url,
        credential,
        enabled: true,
        models,
        lacks: BTreeSet::new(),
        offers: BTreeSet::new(),
        crossing: Crossing::default(),
    };
    let (place, key) = (id.clone(), added.credential.clone());
    let edited = engine.edit(move |draft| {
        draft.backends.insert(place, added);
    });
    if let Err(error) = edited.await {
        if let (true, Some(key)) = (key_is_new, key) {
            drop(remove_key(engine, key).await);
        }
        return Err(error.into());
    }
    engine.probe_soon(&id);
    one_backend(engine, &id).await
}

pub(crate) async fn backend_edit(
    engine: &Engine,
    req: BackendEdit,
) -> Result<BackendView, ApiError> {
    let settings = engine.settings();
    let id = input::known_backend(&settings, &req.id)?;
    let base_url = input::base_url("base_url", &req.base_url, engine)?.url;
    let origin = origin_of(&base_url)?;
    let credential = match req.credential.as_deref() {
        Some(key) => Some(attach(engine, &settings, key, &origin).await?),
        None => None,
    };
    let label = input::label(&req.label, &req.id);
    let models = clean(req.models);
    let place = id.clone();
    engine
        .edit(move |draft| {
            if let Some(known) = draft.backends.get_mut(&place) {
                known.label = label;
                known.base_url = base_url;
                known.credential = credential;
                known.models = models;
            }
        })
        .await?;
    engine.forget_health(&id);
    one_backend(engine, &id).await
}

pub(crate) async fn backend_switch(
    engine: &Engine,
    req: BackendSwitch,
) -> Result<BackendView, ApiError> {
    let id = input::known_backend(&engine.settings(), &req.id)?;
    let (place, enabled) = (id.clone(), req.enabled);
    engine
        .edit(move |draft| {
            if let Some(known) = draft.backends.get_mut(&place) {
                known.enabled = enabled;
            }
        })
        .await?;
    one_backend(engine, &id).await
}

pub(crate) async fn backend_test(
    engine: &Engine,
    req: BackendRef,
) -> Result<BackendTestView, ApiError> {
    let id = match req.id.as_str() {
        settings::MOCK_BACKEND_ID => input::id("id", &req.id)?,
        _ => input::known_backend(&engine.settings(), &req.id)?,
    };
    let report = engine.probe(&id).await;
    Ok(test_view(req.id, report))
}

pub(crate) async fn backend_remove(engine: &Engine, req: BackendRef) -> Result<(), ApiError> {
    let id = input::known_backend(&engine.settings(), &req.id)?;
    engine
        .edit(move |draft| {
            draft.backends.shift_remove(&id);
        })
        .await?;
    Ok(())
}

fn new_backend_id(settings: &Settings, text: &str) -> Result<BackendId, ApiError> {
    let id: BackendId = input::id("id", text)?;
    if id.as_str() == settings::MOCK_BACKEND_ID {
        let message = "mock is the name of the built-in mock; choose another name";
        return Err(ApiError::invalid("id", message));
    }
    if settings.backends.contains_key(&id) {
        let message = format!("a backend named {id} exists; edit it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    Ok(id)
}

fn new_key_id(settings: &Settings, backend: &BackendId) -> Result<CredentialId, ApiError> {
    let id: CredentialId = input::id("id", backend.as_str())?;
    if settings.credentials.contains_key(&id) {
        let message = format!("a key named {id} exists; use it, or choose another name");
        return Err(ApiError::invalid("id", message));
    }
    Ok(id)
}

/// Binds a stored key to `origin` if it is not bound yet; a key of another origin is refused.
async fn attach(
    engine: &Engine,
    settings: &Settings,
    text: &str,
    origin: &Origin,
) -> Result<CredentialId, ApiError> {
    let id: CredentialId = input::id("key", text)?;
    let bound = engine.vault().get(&id).await.map_err(|error| match error {
        VaultError::NotFound(_) => ApiError::invalid("key", error.to_string()),
        other => other.into(),
    })?;
    let (secret, own) = bound.parts();
    match own {
        Some(own) if own == origin => return Ok(id),
        Some(own) => {
            let message = format!("the key {id} belongs to {own}, not to {origin}");
            let hint = "Keys are bound to one host. Enter the key again for this one.";
            return Err(ApiError::invalid("key", message).with_hint(hint));
        }
        None => {}
    }
    let bound = domain::BoundSecret::new(secret.clone(), Some(origin.clone()));
    engine.vault().put(&id, bound).await?;
    if settings.credentials.contains_key(&id) {
        let (place, origin) = (id.clone(), origin.clone());
        engine
            .edit(move |draft| {
                if let Some(known) = draft.credentials.get_mut(&place) {
                    known.origin = Some(origin);
                }
            })
            .await?;
    }
    Ok(id)
}

fn clean(models: Vec<String>) -> Vec<String> {
    let trimmed = models.into_iter().map(|model| model.trim().to_owned());
    trimmed.filter(|model| !model.is_empty()).collect()
}

fn kind_of(kind: BackendKindView) -> Result<BackendKind, ApiError> {
    match kind {
        BackendKindView::Openai => Ok(BackendKind::OpenAi),
        BackendKindView::Anthropic => Ok(BackendKind::Anthropic),
        BackendKindView::Gemini => Ok(BackendKind::Gemini),
        BackendKindView::OpenaiCompatible => Ok(BackendKind::OpenAiCompatible),
        BackendKindView::Ollama => Ok(BackendKind::Ollama),
        BackendKindView::Mock => {
            Err(ApiError::invalid("kind", "the mock is built in and cannot be added"))
        }
    }
}

const fn kind_view(kind: BackendKind) -> BackendKindView {
    match kind {
        BackendKind::OpenAi => BackendKindView::Openai,
        BackendKind::Anthropic => BackendKindView::Anthropic,
        BackendKind::Gemini => BackendKindView::Gemini,
        BackendKind::OpenAiCompatible => BackendKindView::OpenaiCompatible,
        BackendKind::Ollama => BackendKindView::Ollama,
        BackendKind::Mock => BackendKindView::Mock,
    }
}

async fn one_backend(engine: &Engine, id: &BackendId) -> Result<BackendView, ApiError> {
    let found = backends(engine).await?.into_iter().find(|backend| backend.id == id.as_str());
    found.ok_or_else(|| ApiError::not_found(format!("there is no backend named {id}")))
}

fn backend_view(
    engine: &Engine,
    id: &BackendId,
    known: &BackendSettings,
    day: &UsageSummary,
) -> BackendView {
    BackendView {
        id: id.to_string(),
        label: known.label.clone(),
        kind: kind_view(known.kind),
        base_url: Some(known.base_url.to_string()),
        enabled: known.enabled,
        built_in: false,
        credential: known.credential.as_ref().map(ToString::to_string),
        health: if known.enabled { health_view(engine, id) } else { disabled() },
        models: models_view(engine, id),
        declared_models: known.models.clone(),
        last_day: day_view(id.as_str(), day),
    }
}

fn mock_view(engine: &Engine, day: &UsageSummary) -> BackendView {
    let id = engine.mock_id();
    BackendView {
        id: id.to_string(),
        label: "Mock".to_owned(),
        kind: BackendKindView::Mock,
        base_url: None,
        enabled: true,
        built_in: true,
        credential: None,
        health: health_view(engine, id),
        models: models_view(engine, id),
        declared_models: Vec::new(),
        last_day: day_view(id.as_str(), day),
    }
}

fn disabled() -> HealthView {
    HealthView {
        state: HealthStateView::Disabled,
        reason: "switched off by you".to_owned(),
        since: None,
        last_checked: None,
        probe_ms: None,
    }
}

fn health_view(engine: &Engine, id: &BackendId) -> HealthView {
    let Some(health) = engine.health(id) else {
        return HealthView {
            state: HealthStateView::Unknown,
            reason: "not checked yet".to_owned(),
            since: None,
            last_checked: None,
            probe_ms: None,
        };
    };
    let ms = |time: std::time::Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
    HealthView {
        state: match health.state {
            State::Up => HealthStateView::Up,
            State::Down => HealthStateView::Down,
            State::Unknown => HealthStateView::Unknown,
        },
        reason: health.reason,
        since: health.since.map(Into::into),
        last_checked: health.observed.map(Into::into),
        probe_ms: health.probe_duration.map(ms),
    }
}

fn models_view(engine: &Engine, id: &BackendId) -> Vec<ModelView> {
    let price = |model: &String| engine.price(id, model).map(|price| price_view(&price));
    let view = |model: String| ModelView { price: price(&model), id: model };
    engine.models(id).into_iter().map(view).collect()
}

fn price_view(price: &Price) -> PriceView {
    let day = |time: WallTime| time.to_rfc3339().chars().take(10).collect();
    PriceView {
        input: price.rates.input.map(Into::into),
        output: price.rates.output.map(Into::into),
        cache_read: price.rates.cache_read.map(Into::into),
        valid_from: day(price.valid_from),
        source: price.source.clone(),
    }
}

fn day_view(id: &str, day: &UsageSummary) -> BackendDayView {
    let key = UsageKey::Named(id.to_owned());
    let totals: HashMap<&UsageKey, &UsageTotals> =
        day.groups.iter().map(|(key, totals)| (key, totals)).collect();
    let totals = totals.get(&key).copied();
    let of_hour = |bucket: &ledger::UsageBucket| {
        let found = bucket.groups.iter().find(|(group, _)| *group == key);
        found.map_or(0, |(_, totals)| u32::try_from(totals.requests).unwrap_or(u32::MAX))
    };
    let mut hours: Vec<u32> = day.buckets.iter().rev().take(HOURS).map(of_hour).collect();
    hours.resize(HOURS, 0);
    hours.reverse();
    let mean = totals.and_then(UsageTotals::first_token_mean);
    BackendDayView {
        spend: spend_of(totals),
        failed: totals.map_or(0, |totals| totals.failed).into(),
        requests_per_hour: hours,
        first_token_ms: mean.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)),
    }
}

fn test_view(id: String, report: ProbeReport) -> BackendTestView {
    BackendTestView {
        id,
        passed: report.steps.iter().all(|step| matches!(step, ProbeStep::Passed { .. })),
        steps: report.steps.into_iter().map(step_view).collect(),
    }
}

fn step_view(step: ProbeStep) -> TestStepView {
    let ms = |time: std::time::Duration| u32::try_from(time.as_millis()).ok();
    let view = |title, state, detail, fix, duration_ms| TestStepView {
        title,
        state,
        detail,
        fix,
        duration_ms,
    };
    match step {
        ProbeStep::Passed { title, detail, duration } => {
            view(title, TestStepState::Pass, detail, None, duration.and_then(ms))
        }
        ProbeStep::Failed { title, detail, fix } => {
            view(title, TestStepState::Fail, detail, fix, None)
        }
        ProbeStep::Skipped { title } => {
            let detail = "not tried, because an earlier step failed".to_owned();
            view(title, TestStepState::Skipped, detail, None, None)
        }
    }
}
