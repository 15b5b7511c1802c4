//! The settings form: what it changes, and the resilience thresholds with their presets.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use domain::CredentialId;
use settings::{
    ResilienceNumbers, ResiliencePreset, ResilienceSettings, Setting, SettingValue, Settings,
};

use crate::ApiError;
use crate::operation::input;
use crate::view::{
    NumberFieldView, ResilienceFormView, ResiliencePresetView, ResilienceValues, SettingsValues,
};

/// The changes that a form asks for, by the paths of the settings. A field may be named by its key
/// or, as those of entries are, by its path; it wins over [`SettingsValues::resilience`].
pub(super) fn form_changes(
    req: &SettingsValues,
    now: &Settings,
) -> Result<Vec<(String, SettingValue)>, ApiError> {
    check_cache_server(req, now)?;
    let preset = req.resilience.preset.word().to_owned();
    let mut changes = vec![("resilience.preset".to_owned(), SettingValue::Text(preset))];
    for (name, number) in &req.resilience.custom {
        if !ResilienceNumbers::fields().any(|field| field.name == name) {
            return Err(ApiError::invalid(name, "there is no threshold with this name"));
        }
        changes.push((format!("resilience.{name}"), SettingValue::Number((*number).into())));
    }
    let table = Settings::table();
    changes.extend(req.fields.iter().map(|(key, value)| {
        let known = table.iter().find(|setting| setting.key == key);
        (known.map_or(key.as_str(), |setting| setting.path).to_owned(), value.clone())
    }));
    Ok(changes)
}

/// Checks the server of the shared cache. A key bound to an origin is refused as its password,
/// unless the settings already name it.
fn check_cache_server(req: &SettingsValues, now: &Settings) -> Result<(), ApiError> {
    let typed = |key: &str| match req.get(key) {
        SettingValue::Text(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        _ => None,
    };
    // The text may hold a password, so no message repeats it.
    if typed("cache_redis_url").is_some_and(|text| text.parse::<url::Url>().is_err()) {
        return Err(ApiError::invalid("cache_redis_url", "this is not a valid address")
            .with_hint("Write it like rediss://cache.example.com:6379/0."));
    }
    let field = "cache_redis_credential";
    let Some(text) = typed(field) else { return Ok(()) };
    let id: CredentialId = input::parse_id(field, &text)?;
    if now.cache.redis_credential.as_ref() == Some(&id) {
        return Ok(());
    }
    match now.credentials.get(&id).map(|known| &known.origin) {
        None => Err(ApiError::invalid(field, format!("there is no key named {id}"))
            .with_hint("Add the password as a key first, without an allowed host.")),
        Some(None) => Ok(()),
        Some(Some(origin)) => {
            let message = format!("the key {id} is locked to {origin} and cannot be used here");
            Err(ApiError::invalid(field, message)
                .with_hint("Choose a key without an allowed host."))
        }
    }
}

pub(super) fn resilience_values(settings: &ResilienceSettings) -> ResilienceValues {
    ResilienceValues { preset: settings.preset, custom: threshold_values(&settings.custom) }
}

pub(super) fn resilience_form() -> ResilienceFormView {
    let preset = |preset: &ResiliencePreset| {
        let numbers = threshold_values(&preset.numbers()?);
        Some(ResiliencePresetView { preset: *preset, numbers })
    };
    let presets = ResiliencePreset::ALL.iter().filter_map(preset).collect();
    let fields = ResilienceNumbers::fields().map(number_field_view).collect();
    ResilienceFormView { fields, presets }
}

fn number_field_view(field: &Setting) -> NumberFieldView {
    let number = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let (min, max) = field.range.clone().map_or((0, 0), RangeInclusive::into_inner);
    let default = match field.default_value() {
        SettingValue::Number(number) => number,
        _ => min,
    };
    NumberFieldView {
        name: field.name.to_owned(),
        meaning: field.meaning().to_owned(),
        unit: field.unit().to_owned(),
        min: number(min),
        max: number(max),
        default: number(default),
    }
}

fn threshold_values(numbers: &ResilienceNumbers) -> BTreeMap<String, u32> {
    numbers.values().map(|(name, number)| (name.to_owned(), number)).collect()
}
