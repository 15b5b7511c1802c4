//! Settings by their path in the file, for forms and the command line.

use toml_edit::{DocumentMut, Item, Table, TableLike};

use crate::read::parse;
use crate::setting::{Rows as _, Setting, SettingValue};
use crate::write::{NEW_FILE_TEXT, rewrite, to_tables};
use crate::{FileProblem, Settings, SettingsError, Severity, TrafficLimits};

impl Settings {
    /// The settings of each entry of a collection, such as `backends`.
    #[must_use]
    pub fn entry_table(collection: &str) -> Vec<&'static Setting> {
        match collection {
            "backends" | "clients" => TrafficLimits::settings().collect(),
            _ => Vec::new(),
        }
    }

    /// The setting with this key or path, such as `theme`, `gateway.port` or
    /// `backends.up.in_flight_max`.
    #[must_use]
    pub fn setting(name: &str) -> Option<&'static Setting> {
        let is_named = |setting: &&Setting| setting.key == name || setting.path == name;
        Self::table().into_iter().find(is_named).or_else(|| {
            let (place, last) = name.rsplit_once('.')?;
            let (collection, _entry) = place.split_once('.')?;
            Self::entry_table(collection).into_iter().find(|setting| setting.name == last)
        })
    }

    /// Each setting of the table and of the entries, by its path in the file.
    #[must_use]
    pub fn values(&self) -> Vec<(String, SettingValue)> {
        let tables = to_tables(self);
        let values = tables.iter().flat_map(|(path, fields)| {
            let place = path.join(".");
            settings_of(path).into_iter().map(move |setting| {
                let value = fields.get(setting.name).cloned();
                let value = value.or_else(|| (setting.default)());
                (format!("{place}.{}", setting.name), value.into())
            })
        });
        values.collect()
    }

    /// These settings with some values replaced, by their paths. The rules and their messages are
    /// those of the file.
    pub fn with_values(&self, changes: &[(String, SettingValue)]) -> Result<Self, SettingsError> {
        let refused = |problems| SettingsError::Rejected { problems };
        let text = rewrite(NEW_FILE_TEXT, &Self::default(), self).unwrap_or_default();
        let mut document = text.parse::<DocumentMut>().unwrap_or_default();
        for (path, value) in changes {
            set(document.as_table_mut(), path, value)
                .map_err(|(what, hint)| refused(vec![problem(path, what, hint)]))?;
        }
        let parsed = parse(&document.to_string());
        let mut problems = parsed.problems;
        problems.retain(|problem| problem.severity == Severity::Error);
        // The lines are those of a text that nobody sees.
        problems.iter_mut().for_each(|problem| problem.line = None);
        if problems.is_empty() { Ok(parsed.settings) } else { Err(refused(problems)) }
    }
}

/// The settings of the table at `path` of the file.
fn settings_of(path: &[String]) -> Vec<&'static Setting> {
    match path {
        [section] => {
            let is_inside = |setting: &&Setting| {
                setting.path.split_once('.').is_some_and(|(first, _)| first == section)
            };
            Settings::table().into_iter().filter(is_inside).collect()
        }
        [collection, _] => Settings::entry_table(collection),
        _ => Vec::new(),
    }
}

type Refusal = (&'static str, &'static str);

fn set(root: &mut Table, path: &str, value: &SettingValue) -> Result<(), Refusal> {
    let unknown = ("there is no setting with this name", "`gatehouse settings get` lists them");
    let (place, name) = path.rsplit_once('.').ok_or(unknown)?;
    let place: Vec<String> = place.splitn(2, '.').map(str::to_owned).collect();
    let known = settings_of(&place);
    let setting = known.iter().find(|setting| setting.name == name).ok_or(unknown)?;
    let table: &mut dyn TableLike = match place.as_slice() {
        [collection, entry] => {
            let entries = root.get_mut(collection).and_then(Item::as_table_like_mut);
            let entry = entries.and_then(|entries| entries.get_mut(entry));
            entry.and_then(Item::as_table_like_mut).ok_or(unknown)?
        }
        sections => {
            let section = sections.first().ok_or(unknown)?;
            let section = root.entry(section).or_insert(Item::Table(Table::new()));
            section.as_table_like_mut().ok_or(unknown)?
        }
    };
    let value = match value {
        SettingValue::Text(text) if setting.optional && text.trim().is_empty() => None,
        value => value.to_toml(),
    };
    match value {
        Some(value) => drop(table.insert(name, Item::Value(value))),
        None if setting.optional => drop(table.remove(name)),
        None => return Err(("this has no value", "give it a value")),
    }
    Ok(())
}

fn problem(path: &str, what: &str, hint: &str) -> FileProblem {
    FileProblem {
        severity: Severity::Error,
        path: path.to_owned(),
        line: None,
        column: None,
        what: what.to_owned(),
        hint: hint.to_owned(),
        fix: None,
    }
}
