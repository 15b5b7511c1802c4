//! Settings that come from another file: read without being used, compared, and merged.
//!
//! A merge loses nothing: what only this machine has stays, and it decides over conflicts alone.
//! A key's record never changes by a merge, and a key is detached from a backend that would send it
//! to another host.

use domain::{CredentialId, Origin};
use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use crate::read::parse;
use crate::setting::TableFields;
use crate::write::{NEW_FILE_TEXT, rewrite, to_tables};
use crate::{FILE_BYTES_MAX, FileProblem, Settings, SettingsError, Severity};

domain::words! {
    /// How two settings differ at one place.
    DifferenceKind {
        /// Only this machine has it, or only here it is not the default.
        OnlyHere = "only_here",
        /// Only the file has it, or here it is the default.
        OnlyThere = "only_there",
        /// Both have it, with other values.
        Differs = "differs",
    }
}

domain::words! {
    /// What a merge does where both sides have something else.
    #[derive(Default)]
    ConflictChoice {
        /// Keeps what is here.
        #[default]
        Skip = "skip",
        /// Takes what the file has.
        Replace = "replace",
    }
}

/// One place at which two settings differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsDifference {
    /// `gateway.port` for a setting, `backends.openai` for an entry.
    pub path: String,
    pub kind: DifferenceKind,
    /// Values that differ, by their names. Of a setting, one without a name.
    pub fields: Vec<FieldDifference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDifference {
    pub name: String,
    pub here: Option<String>,
    pub there: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergedSettings {
    pub settings: Settings,
    /// Backends and services, each with the key that it named but would have sent to another host. It
    /// names it no longer.
    pub detached: Vec<(String, CredentialId)>,
}

/// The section that says where keys are stored, which is a matter of this machine.
const LOCAL_SECTION: &str = "vault";

impl Settings {
    /// Reads the text of a settings file without using it.
    ///
    /// # Errors
    /// All problems of a text that is not usable, each with its line.
    pub fn from_text(text: &str) -> Result<Self, Vec<FileProblem>> {
        let parsed = parse(text);
        match parsed.errors() {
            0 => Ok(parsed.settings),
            _ => Err(parsed.problems),
        }
    }

    /// Places at which `there` differs, in the order of the file.
    #[must_use]
    pub fn differences(&self, there: &Self) -> Vec<SettingsDifference> {
        let (here, there) = (to_tables(self), to_tables(there));
        let defaults = to_tables(&Self::default());
        let mut found = Vec::new();
        let only_there = there.keys().filter(|path| !here.contains_key(*path));
        for path in here.keys().chain(only_there) {
            let nothing = TableFields::new();
            let fields = field_differences(
                here.get(path).unwrap_or(&nothing),
                there.get(path).unwrap_or(&nothing),
            );
            if fields.is_empty() {
                continue;
            }
            match path.as_slice() {
                [section] => {
                    let default = defaults.get(path).unwrap_or(&nothing);
                    found.extend(
                        fields.into_iter().map(|field| of_setting(section, default, field)),
                    );
                }
                _ => {
                    let kind = match (here.contains_key(path), there.contains_key(path)) {
                        (true, true) => DifferenceKind::Differs,
                        (true, false) => DifferenceKind::OnlyHere,
                        (false, _) => DifferenceKind::OnlyThere,
                    };
                    found.push(SettingsDifference { path: path.join("."), kind, fields });
                }
            }
        }
        found
    }

    /// These settings with what only `there` has, and with its side of conflicts if `choice` says
    /// so. The order of what is here stays; what is new comes last. The vault stays.
    ///
    /// # Errors
    /// [`SettingsError::Rejected`] if both together break a rule, such as a limit on their number.
    pub fn merged_with(
        &self,
        there: &Self,
        choice: ConflictChoice,
    ) -> Result<MergedSettings, SettingsError> {
        let rejected = |problems| SettingsError::Rejected { problems };
        let text = rewrite(NEW_FILE_TEXT, &Self::default(), self).unwrap_or_default();
        let mut document = text.parse::<DocumentMut>().unwrap_or_default();
        let (here_tables, defaults) = (to_tables(self), to_tables(&Self::default()));
        for (path, fields) in to_tables(there) {
            match path.as_slice() {
                [section] if section == LOCAL_SECTION => {}
                [section] => {
                    let here = here_tables.get(&path);
                    let default = defaults.get(&path);
                    for (name, value) in fields {
                        let here = here.and_then(|fields| fields.get(name));
                        let is_default = same(here, default.and_then(|fields| fields.get(name)));
                        if is_default || choice == ConflictChoice::Replace {
                            table_of(&mut document, section).insert(name, Item::Value(value));
                        }
                    }
                }
                [collection, name] => {
                    let is_here = here_tables.contains_key(&path);
                    let is_key = collection == "credentials";
                    if !is_here || (choice == ConflictChoice::Replace && !is_key) {
                        let entry: InlineTable = fields.into_iter().collect();
                        let entry = Item::Table(entry.into_table());
                        table_of(&mut document, collection).insert(name, entry);
                    }
                }
                _ => {}
            }
        }
        let merged = document.to_string();
        let (mut settings, detached) =
            detach_foreign_keys(Self::parse_merged(&merged).map_err(rejected)?, self);
        settings.vault = self.vault.clone();
        Ok(MergedSettings { settings, detached })
    }

    fn parse_merged(text: &str) -> Result<Self, Vec<FileProblem>> {
        let parsed = parse(text);
        let mut problems = parsed.problems;
        problems.retain(|problem| problem.severity == Severity::Error);
        // The lines are those of a text that nobody sees.
        problems.iter_mut().for_each(|problem| (problem.line, problem.column) = (None, None));
        if text.len() as u64 > FILE_BYTES_MAX {
            problems.push(crate::store::too_large_problem());
        }
        if problems.is_empty() { Ok(parsed.settings) } else { Err(problems) }
    }
}

fn table_of<'a>(document: &'a mut DocumentMut, name: &str) -> &'a mut Table {
    let item = document.entry(name).or_insert_with(|| Item::Table(Table::new()));
    if !item.is_table() {
        *item = Item::Table(Table::new());
    }
    #[expect(clippy::expect_used, reason = "made a table on the line before")]
    item.as_table_mut().expect("a table")
}

/// Takes from changed backends and services the keys that are bound to another host.
fn detach_foreign_keys(
    mut settings: Settings,
    before: &Settings,
) -> (Settings, Vec<(String, CredentialId)>) {
    let mut detached = Vec::new();
    let Settings { backends, services, credentials, .. } = &mut settings;
    for (id, service) in services {
        if before.services.get(id) == Some(&*service) {
            continue;
        }
        let asked = service.address.origin();
        let is_foreign = |key: &mut CredentialId| {
            let bound = credentials.get(key).and_then(|known| known.origin.as_ref());
            bound.is_some() && bound != asked.as_ref()
        };
        let taken = service.credential.take_if(is_foreign);
        detached.extend(taken.map(|key| (id.to_string(), key)));
    }
    for (id, backend) in backends {
        if before.backends.get(id) == Some(&*backend) {
            continue;
        }
        let asked = Origin::from_url(&backend.base_url).ok();
        backend.pool.members.retain(|member| {
            let bound = credentials.get(&member.credential).and_then(|key| key.origin.as_ref());
            let stays = bound.is_none() || bound == asked.as_ref();
            if !stays {
                detached.push((id.to_string(), member.credential.clone()));
            }
            stays
        });
    }
    (settings, detached)
}

fn field_differences(here: &TableFields, there: &TableFields) -> Vec<FieldDifference> {
    let only_there = there.keys().filter(|name| !here.contains_key(*name));
    let names = here.keys().chain(only_there);
    let differing = names.filter(|name| !same(here.get(*name), there.get(*name)));
    differing
        .map(|name| FieldDifference {
            name: (*name).to_owned(),
            here: value_text(here.get(name)),
            there: value_text(there.get(name)),
        })
        .collect()
}

fn of_setting(section: &str, default: &TableFields, field: FieldDifference) -> SettingsDifference {
    let default = value_text(default.get(field.name.as_str()));
    let kind = match (field.here == default, field.there == default) {
        (true, _) => DifferenceKind::OnlyThere,
        (false, true) => DifferenceKind::OnlyHere,
        (false, false) => DifferenceKind::Differs,
    };
    SettingsDifference {
        path: format!("{section}.{}", field.name),
        kind,
        fields: vec![FieldDifference { name: String::new(), ..field }],
    }
}

/// Compares as text: values of the library are not comparable.
fn same(one: Option<&Value>, other: Option<&Value>) -> bool {
    value_text(one) == value_text(other)
}

/// As it stands in the file, without the space around it.
fn value_text(value: Option<&Value>) -> Option<String> {
    value.map(|value| value.to_string().trim().to_owned())
}
