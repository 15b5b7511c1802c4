//! The settings as a form: values, ranges, presets and problems.

use std::collections::BTreeMap;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use settings::{Setting, SettingKind, SettingValue, Settings, Theme};
use specta::datatype::{DataType, Enum, Field, Struct, Variant};
use specta::{Type, Types};

use super::{Count, ResiliencePreset, VaultView};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsView {
    pub path: String,
    /// False if the file cannot be used. Defaults or the last valid settings are then in force, and
    /// edits are refused.
    pub valid: bool,
    pub values: SettingsValues,
    /// Values of a fresh install.
    pub defaults: SettingsValues,
    /// Settings of backends and clients by their paths, such as `backends.up.in_flight_max`.
    #[serde(default)]
    #[specta(skip)]
    pub entries: BTreeMap<String, SettingValue>,
    /// Range of each number, by key.
    pub ranges: BTreeMap<String, RangeView>,
    /// Resilience thresholds and presets.
    pub resilience: ResilienceFormView,
    /// Errors and warnings in the file.
    pub problems: Vec<SettingsProblemView>,
    /// A certain fix of the file, as a unified diff.
    pub proposed_fix: Option<String>,
    pub vault: VaultView,
    pub folders: FoldersView,
}

/// The settings of all sections by their keys. An edit leaves settings that it does not name as they
/// are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct SettingsValues {
    #[serde(flatten, deserialize_with = "read_fields")]
    #[specta(type = SettingFields)]
    pub fields: BTreeMap<String, SettingValue>,
    pub resilience: ResilienceValues,
}

impl SettingsValues {
    /// All values by key, the resilience settings as `resilience.preset` and
    /// `resilience.custom.attempts_max`.
    #[must_use]
    pub fn by_key(&self) -> BTreeMap<String, SettingValue> {
        let mut all = self.fields.clone();
        let ResilienceValues { preset, custom } = &self.resilience;
        let preset =
            serde_json::to_value(preset).ok().and_then(|it| it.as_str().map(str::to_owned));
        let preset = preset.map_or(SettingValue::None, SettingValue::Text);
        all.insert("resilience.preset".to_owned(), preset);
        all.extend(custom.iter().map(|(name, number)| {
            (format!("resilience.custom.{name}"), SettingValue::Number((*number).into()))
        }));
        all
    }

    /// The value of the setting with this key.
    #[must_use]
    pub fn get(&self, key: &str) -> &SettingValue {
        self.fields.get(key).unwrap_or(&SettingValue::None)
    }

    pub fn set(&mut self, key: &str, value: SettingValue) {
        self.fields.insert(key.to_owned(), value);
    }

    #[must_use]
    pub fn theme(&self) -> Theme {
        self.get("theme").to_string().parse().unwrap_or_default()
    }
}

/// Reads the fields one by one, since serde names no field of a flattened map in its errors.
fn read_fields<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, SettingValue>, D::Error> {
    let read = |(key, value): (String, serde_json::Value)| match serde_json::from_value(value) {
        Ok(value) => Ok((key, value)),
        Err(_) => Err(D::Error::custom(format!(
            "{key}: expected a whole number, true, false, a text or null"
        ))),
    };
    BTreeMap::deserialize(deserializer)?.into_iter().map(read).collect()
}

/// The TypeScript type of [`SettingsValues::fields`].
struct SettingFields;

impl Type for SettingFields {
    fn definition(types: &mut Types) -> DataType {
        let mut shape = Struct::named();
        for setting in form_settings() {
            let mut of_kind = match setting.kind {
                SettingKind::Number => u32::definition(types),
                SettingKind::Switch => bool::definition(types),
                SettingKind::Text => String::definition(types),
                SettingKind::Word(words) => {
                    let mut union = Enum::default();
                    union.variants =
                        words.iter().map(|word| ((*word).into(), Variant::unit())).collect();
                    union.into()
                }
            };
            if setting.optional {
                of_kind = DataType::Nullable(Box::new(of_kind));
            }
            let mut field = Field::new(of_kind);
            field.docs = format!(" {}", setting.meaning()).into();
            shape.field_mut(setting.key, field);
        }
        shape.build()
    }
}

/// The settings with a field of their own in [`SettingsValues`].
pub(crate) fn form_settings() -> impl Iterator<Item = &'static Setting> {
    Settings::table().into_iter().filter(|setting| !setting.key.contains('.'))
}

/// When a breaker opens, how it recovers, and how often a request is retried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceValues {
    pub preset: ResiliencePreset,
    /// Custom thresholds by the names in [`ResilienceFormView::fields`]. They apply only with the
    /// custom preset. An edit leaves thresholds that it does not name as they are.
    pub custom: BTreeMap<String, u32>,
}

/// Thresholds and presets for the form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResilienceFormView {
    /// In display order.
    pub fields: Vec<NumberFieldView>,
    /// All presets except the custom one.
    pub presets: Vec<ResiliencePresetView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct NumberFieldView {
    /// Name in the settings file.
    pub name: String,
    /// One sentence.
    pub meaning: String,
    /// `ms`, `s` or `%`; empty for counts.
    pub unit: String,
    pub min: u32,
    pub max: u32,
    pub default: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct ResiliencePresetView {
    pub preset: ResiliencePreset,
    /// Every threshold by its name.
    pub numbers: BTreeMap<String, u32>,
}

/// Both ends are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct RangeView {
    pub min: Count,
    pub max: Count,
}

/// An error or a warning in the settings file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SettingsProblemView {
    /// Path of the setting, `backends.up.base_url`.
    pub path: String,
    /// None if not known.
    pub line: Option<u32>,
    /// True if it stops the file from being used.
    pub fatal: bool,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct FoldersView {
    /// Holds the settings.
    pub config: String,
    /// Holds the ledger and the vault file.
    pub data: String,
    /// Holds the logs.
    pub state: String,
    pub ledger_bytes: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct NotificationTestView {
    /// True if the desktop accepted it.
    pub delivered: bool,
    /// What happened and what to do.
    pub detail: String,
}
