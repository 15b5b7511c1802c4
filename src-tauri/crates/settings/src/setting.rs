//! The rows of the settings table. One row in `model` defines a setting; its field in Rust, its
//! reading with located errors, its writing, the command line, the panel's form and the reference
//! page are made from it.

use std::fmt;
use std::ops::RangeInclusive;

use domain::serde::{Deserialize, Serialize};
use domain::{
    AlertDelivery, AlertSeverity, CacheMode, CredentialId, DigestPeriod, MailEncryption, ProfileId,
    RoutePolicy, ServiceGoal, ServicePeriod, TranslationMode, VaultKind, WebhookFormat,
};
use indexmap::IndexMap;
use toml_edit::Value;

use crate::finding::Findings;
use crate::section_reader::SectionReader;

/// Fields of one table of the file.
pub(crate) type TableFields = IndexMap<&'static str, Value>;

#[derive(Debug)]
pub struct Setting {
    /// Path in the file. `<name>` stands for the name of an entry.
    pub path: &'static str,
    /// Last part of the path, with the unit last.
    pub name: &'static str,
    /// Name in the panel's form and on the command line.
    pub key: &'static str,
    pub kind: SettingKind,
    /// True if it may be absent, which is then its default.
    pub optional: bool,
    /// Of a number.
    pub range: Option<RangeInclusive<i64>>,
    /// What a number without a unit in its name counts.
    pub(crate) counts: Option<&'static str>,
    /// From the doc comment, with the space before its text.
    pub(crate) doc: &'static str,
    /// Where the panel shows it, and under which label.
    pub panel: Option<(Card, &'static str)>,
    /// Its label in `gatehouse settings show`.
    pub summary: Option<&'static str>,
    pub needs_restart: bool,
    pub(crate) default: fn() -> Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SettingKind {
    Number,
    Switch,
    Word(&'static [&'static str]),
    Text,
}

domain::words! {
    /// The group of settings in which the panel shows a setting.
    Card {
        Gateway = "Gateway",
        Timeouts = "Timeouts",
        Probes = "Probes and retention",
        Cache = "Cache",
        SharedCache = "Shared cache",
        Resilience = "Resilience",
        Currency = "Currency",
        Notifications = "Notifications",
        Digest = "Digest",
        Webhook = "Webhook",
        Mail = "Mail",
        Agents = "Agents",
        Metrics = "Metrics",
        Appearance = "Appearance",
        Vault = "Vault",
    }
}

impl Setting {
    /// One or two sentences.
    #[must_use]
    pub fn meaning(&self) -> &'static str {
        self.doc.trim()
    }

    #[must_use]
    pub fn default_value(&self) -> SettingValue {
        (self.default)().into()
    }

    /// The unit of a number: `ms`, `s`, `days`, `bytes` or `%` by its name, otherwise what it
    /// counts, which may be empty.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        let mut units = self.name.split('_').filter_map(|word| match word {
            "ms" => Some("ms"),
            "secs" => Some("s"),
            "days" => Some("days"),
            "bytes" => Some("bytes"),
            "percent" => Some("%"),
            _ => None,
        });
        units.next().or(self.counts).unwrap_or_default()
    }
}

/// The value of a setting in JSON and on the command line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "domain::serde", untagged)]
pub enum SettingValue {
    None,
    Switch(bool),
    Number(i64),
    Text(String),
}

impl From<Option<Value>> for SettingValue {
    fn from(value: Option<Value>) -> Self {
        match value {
            None => Self::None,
            Some(Value::Boolean(switch)) => Self::Switch(switch.into_value()),
            Some(Value::Integer(number)) => Self::Number(number.into_value()),
            Some(Value::String(text)) => Self::Text(text.into_value()),
            Some(other) => Self::Text(other.to_string().trim().to_owned()),
        }
    }
}

impl SettingValue {
    /// Text without the white space around it, as it is often pasted.
    pub(crate) fn to_toml(&self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Switch(switch) => Some((*switch).into()),
            Self::Number(number) => Some((*number).into()),
            Self::Text(text) => Some(text.trim().into()),
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Switch(switch) => write!(f, "{switch}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

pub(crate) trait SettingType: Sized {
    const KIND: SettingKind;
    const IS_OPTIONAL: bool = false;

    /// `None` if it is absent or, with a report, unusable.
    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self>;

    fn write(&self) -> Option<Value>;
}

macro_rules! number_types {
    ($($number:ty)+) => {
        $(impl SettingType for $number {
            const KIND: SettingKind = SettingKind::Number;

            fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
                section.integer(setting.name, setting.range.as_ref()?, findings)
            }

            /// A number above `i64::MAX` is written as that, so that the range check rejects it.
            fn write(&self) -> Option<Value> {
                Some(i64::try_from(*self).unwrap_or(i64::MAX).into())
            }
        })+
    };
}

number_types!(u8 u16 u32 u64 usize);

/// Makes enums of [`domain::words!`] types of settings.
macro_rules! word_types {
    ($($word:ty)+) => {
        $(impl $crate::setting::SettingType for $word {
            const KIND: $crate::SettingKind = $crate::SettingKind::Word(<$word>::WORDS);

            fn read(
                section: &$crate::section_reader::SectionReader,
                setting: &$crate::Setting,
                findings: &mut $crate::finding::Findings,
            ) -> Option<Self> {
                section.word(setting.name, Self::WORDS, findings)
            }

            fn write(&self) -> Option<toml_edit::Value> {
                Some(self.word().into())
            }
        })+
    };
}

word_types!(
    AlertDelivery AlertSeverity CacheMode DigestPeriod MailEncryption RoutePolicy ServiceGoal
    ServicePeriod TranslationMode VaultKind WebhookFormat
);
pub(crate) use word_types;

impl SettingType for bool {
    const KIND: SettingKind = SettingKind::Switch;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        section.boolean(setting.name, findings)
    }

    fn write(&self) -> Option<Value> {
        Some((*self).into())
    }
}

impl SettingType for String {
    const KIND: SettingKind = SettingKind::Text;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        section.text(setting.name, findings).map(str::to_owned)
    }

    fn write(&self) -> Option<Value> {
        Some(self.as_str().into())
    }
}

macro_rules! id_types {
    ($($id:ty: $noun:literal)+) => {
        $(impl SettingType for $id {
            const KIND: SettingKind = SettingKind::Text;

            fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
                section.id(setting.name, $noun, findings)
            }

            fn write(&self) -> Option<Value> {
                Some(self.as_str().into())
            }
        })+
    };
}

id_types!(CredentialId: "key" ProfileId: "profile");

impl<T: SettingType> SettingType for Option<T> {
    const KIND: SettingKind = T::KIND;
    const IS_OPTIONAL: bool = true;

    fn read(section: &SectionReader, setting: &Setting, findings: &mut Findings) -> Option<Self> {
        T::read(section, setting, findings).map(Some)
    }

    fn write(&self) -> Option<Value> {
        self.as_ref().and_then(T::write)
    }
}

/// A row with access to its field.
pub(crate) struct Row<T> {
    pub(crate) setting: Setting,
    pub(crate) read: fn(&mut T, &SectionReader, &Setting, &mut Findings),
    pub(crate) write: fn(&T) -> Option<Value>,
}

/// A struct made by [`settings!`].
pub(crate) trait Rows: Sized + 'static {
    const ROWS: &'static [Row<Self>];

    fn settings() -> impl Iterator<Item = &'static Setting> {
        Self::ROWS.iter().map(|row| &row.setting)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        Self::settings().map(|setting| setting.name)
    }

    /// Reads what `section` has; the rest stays.
    fn read_rows(&mut self, section: &SectionReader, findings: &mut Findings) {
        for row in Self::ROWS {
            (row.read)(self, section, &row.setting, findings);
        }
    }

    fn write_rows(&self) -> TableFields {
        let value = |row: &Row<Self>| Some((row.setting.name, (row.write)(self)?));
        Self::ROWS.iter().filter_map(value).collect()
    }
}

/// A table of the file with a fixed name.
pub(crate) trait Section: Default {
    fn read(section: &SectionReader, findings: &mut Findings) -> Self;

    fn write(&self) -> TableFields;

    fn settings() -> Vec<&'static Setting>;
}

impl<T: Rows + Default> Section for T {
    fn read(section: &SectionReader, findings: &mut Findings) -> Self {
        section.check_names(&Self::names().collect::<Vec<_>>(), findings);
        let mut settings = Self::default();
        settings.read_rows(section, findings);
        settings
    }

    fn write(&self) -> TableFields {
        self.write_rows()
    }

    fn settings() -> Vec<&'static Setting> {
        <Self as Rows>::settings().collect()
    }
}

/// Defines the settings of one table of the file, a row each:
///
/// ```text
/// /// The meaning, for the reference, the panel and here.
/// name: type = default, in 1..=9, counts "requests", panel Gateway "Label", key "other_key",
///     summary "Label", after restart;
/// ```
///
/// Only the meaning, the name and the type are required; a number needs a range. The key is
/// otherwise `keys` and the name.
macro_rules! settings {
    ($(#[$about:meta])* $visible:vis $struct:ident in $section:literal, keys $keys:literal {
        $(
            $(#[doc = $doc:literal])+
            $name:ident: $type:ty $(= $default:expr)? $(, in $range:expr)?
            $(, counts $counts:literal)? $(, panel $card:ident $label:literal)?
            $(, key $key:literal)? $(, summary $summary:literal)?
            $(, after $restart:ident)?;
        )+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        $visible struct $struct {
            $($(#[doc = $doc])+ pub $name: $type,)+
        }

        impl Default for $struct {
            fn default() -> Self {
                Self { $($name: $crate::setting::first!($($default,)? <$type>::default()),)+ }
            }
        }

        impl $crate::setting::Rows for $struct {
            const ROWS: &'static [$crate::setting::Row<Self>] = &[$($crate::setting::Row {
                setting: $crate::setting::Setting {
                    path: concat!($section, ".", stringify!($name)),
                    name: stringify!($name),
                    key: $crate::setting::first!($($key,)? concat!($keys, stringify!($name))),
                    kind: <$type as $crate::setting::SettingType>::KIND,
                    optional: <$type as $crate::setting::SettingType>::IS_OPTIONAL,
                    range: $crate::setting::first!($(Some($range),)? None),
                    counts: $crate::setting::first!($(Some($counts),)? None),
                    doc: concat!($($doc),+),
                    panel: $crate::setting::first!(
                        $(Some(($crate::setting::Card::$card, $label)),)? None
                    ),
                    summary: $crate::setting::first!($(Some($summary),)? None),
                    needs_restart: $crate::setting::is_given!($($restart)?),
                    default: || {
                        let default: $type =
                            $crate::setting::first!($($default,)? <$type>::default());
                        $crate::setting::SettingType::write(&default)
                    },
                },
                read: |settings, section, setting, findings| {
                    let read = $crate::setting::SettingType::read(section, setting, findings);
                    if let Some(value) = read {
                        settings.$name = value;
                    }
                },
                write: |settings| $crate::setting::SettingType::write(&settings.$name),
            }),+];
        }
    };
}

/// The first of one or two expressions.
macro_rules! first {
    ($first:expr $(, $other:expr)*) => {
        $first
    };
}

macro_rules! is_given {
    () => {
        false
    };
    ($given:ident) => {
        true
    };
}

pub(crate) use {first, is_given, settings};
