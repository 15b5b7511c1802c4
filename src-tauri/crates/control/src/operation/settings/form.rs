//! Parses the parts of the settings form that need more than a range check: the cache with its
//! server, and the resilience thresholds, which have names.

use domain::CredentialId;
use settings::{
    CacheSettings, NumberField, ResilienceNumbers, ResiliencePreset, ResilienceSettings, Settings,
};

use crate::ApiError;
use crate::operation::input;
use crate::view::{
    NumberFieldView, ResilienceFormView, ResiliencePresetName, ResiliencePresetView,
    ResilienceValues, SettingsValues,
};

/// Parsed parts of a form, before they are applied to the settings.
#[derive(Debug)]
pub(super) struct ParsedSettingsForm {
    pub(super) cache: CacheSettings,
    pub(super) resilience: ResilienceSettings,
}

impl ParsedSettingsForm {
    /// Checks what the settings' own ranges do not cover.
    pub(super) fn parse(req: &SettingsValues, now: &Settings) -> Result<Self, ApiError> {
        Ok(Self {
            cache: parse_cache(req, now)?,
            resilience: parse_resilience(&req.resilience, now)?,
        })
    }
}

fn parse_cache(req: &SettingsValues, now: &Settings) -> Result<CacheSettings, ApiError> {
    let typed = |text: &Option<String>| {
        text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let url = typed(&req.cache_redis_url).map(|text| text.parse()).transpose();
    // The text may hold a password, so no message repeats it.
    let url = url.map_err(|_| {
        ApiError::invalid("cache_redis_url", "this is not a valid address")
            .with_hint("Write it like rediss://cache.example.com:6379/0.")
    })?;
    let credential = typed(&req.cache_redis_credential);
    let credential = credential.map(|text| parse_cache_credential(&text, now)).transpose()?;
    Ok(CacheSettings {
        enabled: req.cache_enabled,
        memory_bytes_max: req.cache_memory_bytes_max.0,
        entry_bytes_max: req.cache_entry_bytes_max.0,
        disk: req.cache_disk,
        disk_bytes_max: req.cache_disk_bytes_max.0,
        ttl_secs: req.cache_ttl_secs,
        redis_url: url,
        redis_credential: credential,
    })
}

/// Parses the key that is the cache server's password. A key bound to an origin is refused, unless
/// the settings already name it.
fn parse_cache_credential(text: &str, now: &Settings) -> Result<CredentialId, ApiError> {
    let field = "cache_redis_credential";
    let id: CredentialId = input::parse_id(field, text)?;
    if now.cache.redis_credential.as_ref() == Some(&id) {
        return Ok(id);
    }
    match now.credentials.get(&id) {
        None => Err(ApiError::invalid(field, format!("there is no key named {id}"))
            .with_hint("Add the password as a key first, without an allowed host.")),
        Some(known) => match &known.origin {
            None => Ok(id),
            Some(origin) => {
                let message = format!("the key {id} is locked to {origin} and cannot be used here");
                Err(ApiError::invalid(field, message)
                    .with_hint("Choose a key without an allowed host."))
            }
        },
    }
}

fn parse_resilience(
    req: &ResilienceValues,
    now: &Settings,
) -> Result<ResilienceSettings, ApiError> {
    let mut custom = now.resilience.custom.clone();
    for (name, number) in &req.custom {
        let set = custom.set(name, *number);
        set.ok_or_else(|| ApiError::invalid(name, "there is no threshold with this name"))?;
    }
    Ok(ResilienceSettings { preset: resilience_preset(req.preset), custom })
}

pub(super) fn resilience_values(settings: &ResilienceSettings) -> ResilienceValues {
    ResilienceValues {
        preset: resilience_preset_name(settings.preset),
        custom: threshold_values(&settings.custom),
    }
}

pub(super) fn resilience_form() -> ResilienceFormView {
    let preset = |preset: &ResiliencePreset| {
        let numbers = threshold_values(&preset.numbers()?);
        Some(ResiliencePresetView { preset: resilience_preset_name(*preset), numbers })
    };
    let presets = ResiliencePreset::ALL.iter().filter_map(preset).collect();
    let fields = ResilienceNumbers::FIELDS.iter().map(number_field_view).collect();
    ResilienceFormView { fields, presets }
}

fn number_field_view(field: &NumberField) -> NumberFieldView {
    NumberFieldView {
        name: field.name.to_owned(),
        meaning: field.meaning.to_owned(),
        unit: field.unit().to_owned(),
        min: *field.range.start(),
        max: *field.range.end(),
        default: field.default,
    }
}

fn threshold_values(numbers: &ResilienceNumbers) -> std::collections::BTreeMap<String, u32> {
    let fields = ResilienceNumbers::FIELDS.iter();
    fields.filter_map(|field| Some((field.name.to_owned(), numbers.get(field.name)?))).collect()
}

const fn resilience_preset(name: ResiliencePresetName) -> ResiliencePreset {
    match name {
        ResiliencePresetName::Careful => ResiliencePreset::Careful,
        ResiliencePresetName::Balanced => ResiliencePreset::Balanced,
        ResiliencePresetName::Eager => ResiliencePreset::Eager,
        ResiliencePresetName::Custom => ResiliencePreset::Custom,
    }
}

const fn resilience_preset_name(preset: ResiliencePreset) -> ResiliencePresetName {
    match preset {
        ResiliencePreset::Careful => ResiliencePresetName::Careful,
        ResiliencePreset::Balanced => ResiliencePresetName::Balanced,
        ResiliencePreset::Eager => ResiliencePresetName::Eager,
        ResiliencePreset::Custom => ResiliencePresetName::Custom,
    }
}
