//! Reads one table of the file: typed fields with ranges, and a report for each mistake.

use std::collections::BTreeSet;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use domain::{IdError, WallTime};
use toml_edit::{Datetime, Item, TableLike, Value};

use crate::Severity;
use crate::finding::{
    Finding, Findings, RepairAction, SettingsPath, closest_word, display_path, id_error_hint,
    looks_secret, quote_value,
};

/// A table of the file and its position; an absent table reads as all defaults.
pub(crate) struct SectionReader<'doc> {
    pub(crate) path: SettingsPath,
    table: Option<&'doc dyn TableLike>,
    span: Option<Range<usize>>,
    /// Index in a list. The path is then the list's, since an entry has no name.
    place: Option<usize>,
}

impl<'doc> SectionReader<'doc> {
    pub(crate) fn root(table: &'doc toml_edit::Table) -> Self {
        Self { path: Vec::new(), table: Some(table), span: None, place: None }
    }

    /// The entry at index `place` of the list at `path`.
    pub(crate) fn list_entry(
        path: &[String],
        place: usize,
        table: &'doc dyn TableLike,
        span: Option<Range<usize>>,
    ) -> Self {
        Self { path: path.to_vec(), table: Some(table), span, place: Some(place) }
    }

    /// The table under `name`; any other type is an error and reads as absent.
    pub(crate) fn section(&self, name: &str, findings: &mut Findings) -> Self {
        let path = self.path_of(name);
        let item = self.item(name);
        let table = item.and_then(Item::as_table_like);
        let span = item.and_then(Item::span);
        if item.is_some() && table.is_none() {
            let what = format!("this must be a table, but it is {}", type_name(item));
            findings.error(
                &path,
                span.clone(),
                what,
                format!("write it as [{}]", display_path(&path)),
            );
        }
        Self { path, table, span, place: None }
    }

    pub(crate) const fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Its names, in file order.
    pub(crate) fn names(&self) -> Vec<&'doc str> {
        self.table.map(|table| table.iter().map(|(name, _)| name).collect()).unwrap_or_default()
    }

    pub(crate) fn path_of(&self, name: &str) -> SettingsPath {
        let name = self.place.is_none().then(|| name.to_owned());
        self.path.iter().cloned().chain(name).collect()
    }

    pub(crate) fn item(&self, name: &str) -> Option<&'doc Item> {
        self.table?.get(name)
    }

    pub(crate) fn span_of(&self, name: &str) -> Option<Range<usize>> {
        self.item(name).and_then(Item::span).or_else(|| self.span.clone())
    }

    /// Warns of every name that is not in `known`. Secrets are reported elsewhere.
    pub(crate) fn check_names(&self, known: &[&str], findings: &mut Findings) {
        for name in self.names().into_iter().filter(|name| !known.contains(name)) {
            let free = known.iter().copied().filter(|known| self.item(known).is_none());
            let meant = closest_word(name, free).filter(|_| !looks_secret(name));
            let hint = meant.map_or_else(
                || "remove it, or correct the name".to_owned(),
                |meant| format!("did you mean {meant}?"),
            );
            findings.add(Finding {
                severity: Severity::Warning,
                path: self.path_of(name),
                span: self.key_span(name),
                what: "unknown setting, ignored".to_owned(),
                hint,
                action: meant
                    .filter(|_| self.place.is_none())
                    .map(|meant| RepairAction::Rename(meant.to_owned())),
            });
        }
    }

    /// A number within `range`; `None` if it is absent or, with an error, unusable.
    pub(crate) fn integer<T: TryFrom<i64>>(
        &self,
        name: &str,
        range: &RangeInclusive<i64>,
        findings: &mut Findings,
    ) -> Option<T> {
        let item = self.item(name)?;
        let quoted = item.as_str().and_then(|text| text.trim().replace('_', "").parse().ok());
        let Some(number) = item.as_integer().or(quoted) else {
            self.report_wrong_type(name, "a whole number", None, findings);
            return None;
        };
        if quoted.is_none() && range.contains(&number) {
            return T::try_from(number).ok();
        }
        let (low, high) = (*range.start(), *range.end());
        let what = match quoted {
            Some(_) => "this must be a number without quotes".to_owned(),
            None => format!("{number} is outside {low} to {high}"),
        };
        let nearest = number.clamp(low, high);
        let action = Some(RepairAction::Set(nearest.into()));
        self.report_error(name, what, format!("write {name} = {nearest}"), action, findings);
        None
    }

    /// `None` if it is absent or, with an error, neither true nor false.
    pub(crate) fn boolean(&self, name: &str, findings: &mut Findings) -> Option<bool> {
        let item = self.item(name)?;
        if let Some(value) = item.as_bool() {
            return Some(value);
        }
        let meant = match (item.as_str(), item.as_integer()) {
            (Some("true" | "on" | "yes"), _) | (_, Some(1)) => Some(true),
            (Some("false" | "off" | "no"), _) | (_, Some(0)) => Some(false),
            _ => None,
        };
        self.report_wrong_type(name, "true or false", meant.map(Value::from), findings);
        None
    }

    /// The name of a `noun`, such as "key".
    pub(crate) fn id<Id: FromStr<Err = IdError>>(
        &self,
        name: &str,
        noun: &str,
        findings: &mut Findings,
    ) -> Option<Id> {
        let id = self.text(name, findings)?.parse();
        id.map_err(|error| {
            let what = format!("this is not a valid {noun} name");
            self.report_error(name, what, id_error_hint(&error), None, findings);
        })
        .ok()
    }

    /// Parses a word; `None` if it is absent or, with an error, unknown.
    pub(crate) fn word<T: FromStr>(
        &self,
        name: &str,
        words: &[&str],
        findings: &mut Findings,
    ) -> Option<T> {
        let text = self.text(name, findings)?;
        let value = text.parse().ok();
        if value.is_none() {
            let action = closest_word(text, words.iter().copied())
                .map(|meant| RepairAction::Set(Value::from(meant)));
            let what = format!("{} is not one of the allowed values", quote_value(text));
            self.report_error(
                name,
                what,
                format!("use one of: {}", words.join(", ")),
                action,
                findings,
            );
        }
        value
    }

    /// Parses a list of words; unknown ones are reported and left out.
    pub(crate) fn words<T: FromStr + Ord>(
        &self,
        name: &str,
        words: &[&str],
        findings: &mut Findings,
    ) -> BTreeSet<T> {
        let Some(item) = self.item(name) else { return BTreeSet::new() };
        let hint = format!("write a list with any of: {}", words.join(", "));
        let Some(list) = item.as_array() else {
            let single = item.as_str().filter(|word| words.contains(word));
            let meant = single.map(|word| RepairAction::Set(list_of([word])));
            let what = format!("this must be a list, but it is {}", type_name(Some(item)));
            self.report_error(name, what, hint, meant, findings);
            return BTreeSet::new();
        };
        let known = |value: &Value| value.as_str().filter(|word| words.contains(word)).is_some();
        if let Some(unknown) = list.iter().find(|value| !known(value)) {
            let what = match unknown.as_str() {
                Some(word) => format!("{} is not one of the allowed values", quote_value(word)),
                None => format!("{} is not a string", quote_value(unknown.to_string().trim())),
            };
            let meant = |value: &Value| closest_word(value.as_str()?, words.iter().copied());
            let meant: Option<Vec<&str>> = list.iter().map(meant).collect();
            let action = meant.map(|words| RepairAction::Set(list_of(words)));
            self.report_error(name, what, hint, action, findings);
        }
        list.iter().filter_map(Value::as_str).filter_map(|word| word.parse().ok()).collect()
    }

    pub(crate) fn text(&self, name: &str, findings: &mut Findings) -> Option<&'doc str> {
        let item = self.item(name)?;
        let text = item.as_str();
        if text.is_none() {
            self.report_wrong_type(name, "a string in quotes", None, findings);
        }
        text
    }

    /// A point in time, in TOML's own date-time format.
    pub(crate) fn time(&self, name: &str, findings: &mut Findings) -> Option<WallTime> {
        let item = self.item(name)?;
        if let Some(time) = item.as_datetime().and_then(wall_time) {
            return Some(time);
        }
        let quoted = item.as_str().and_then(|text| text.trim().parse::<Datetime>().ok());
        let action = quoted.filter(|time| wall_time(time).is_some()).map(Value::from);
        self.report_wrong_type(name, "a time such as 2026-01-31T09:30:00Z", action, findings);
        None
    }

    /// Reports an error if a required field is absent.
    pub(crate) fn require(&self, name: &str, hint: &str, findings: &mut Findings) {
        if self.item(name).is_none() {
            findings.error(&self.path_of(name), self.span.clone(), "this is missing", hint);
        }
    }

    /// Reports a name of something that does not exist: a `noun` such as `route`. `otherwise` is the
    /// hint where no known name is close.
    pub(crate) fn report_unknown_name<'a>(
        &self,
        field: &str,
        (noun, asked): (&str, &str),
        known: impl Iterator<Item = &'a str>,
        otherwise: impl FnOnce() -> String,
        findings: &mut Findings,
    ) {
        let meant = closest_word(asked, known);
        let hint = meant.map_or_else(otherwise, |meant| format!("did you mean {meant}?"));
        let what = format!("there is no {noun} named {}", quote_value(asked));
        let action = meant.map(|meant| RepairAction::Set(meant.into()));
        self.report_error(field, what, hint, action, findings);
    }

    /// Reports a field whose value is not used.
    pub(crate) fn report_error(
        &self,
        name: &str,
        what: impl Into<String>,
        hint: impl Into<String>,
        action: Option<RepairAction>,
        findings: &mut Findings,
    ) {
        self.report(Severity::Error, name, (what.into(), hint.into()), action, findings);
    }

    /// Reports a warning for a field that is still used.
    pub(crate) fn report_warning(
        &self,
        name: &str,
        what: impl Into<String>,
        hint: impl Into<String>,
        action: Option<RepairAction>,
        findings: &mut Findings,
    ) {
        self.report(Severity::Warning, name, (what.into(), hint.into()), action, findings);
    }

    fn report(
        &self,
        severity: Severity,
        name: &str,
        (what, hint): (String, String),
        action: Option<RepairAction>,
        findings: &mut Findings,
    ) {
        let action = match (action, self.place) {
            (Some(RepairAction::Set(value)), Some(place)) => {
                Some(RepairAction::SetAt { place, field: name.to_owned(), value })
            }
            (action, _) => action,
        };
        let (path, span) = (self.path_of(name), self.span_of(name));
        findings.add(Finding { severity, path, span, what, hint, action });
    }

    fn report_wrong_type(
        &self,
        name: &str,
        expected: &str,
        meant: Option<Value>,
        findings: &mut Findings,
    ) {
        let what = format!("this must be {expected}, but it is {}", type_name(self.item(name)));
        let hint = match &meant {
            Some(value) => format!("write {name} = {}", value.to_string().trim()),
            None => format!("write {expected}"),
        };
        self.report_error(name, what, hint, meant.map(RepairAction::Set), findings);
    }

    pub(crate) fn key_span(&self, name: &str) -> Option<Range<usize>> {
        self.table?.key(name).and_then(toml_edit::Key::span).or_else(|| self.span_of(name))
    }
}

/// The time of a TOML date-time with an offset; `None` for a local one.
fn wall_time(time: &Datetime) -> Option<WallTime> {
    let time: jiff::Timestamp = time.to_string().parse().ok()?;
    Some(WallTime::from_unix_ms(time.as_millisecond()))
}

fn list_of<'a>(words: impl IntoIterator<Item = &'a str>) -> Value {
    Value::Array(words.into_iter().collect())
}

fn type_name(item: Option<&Item>) -> &'static str {
    match item.map_or("none", Item::type_name) {
        "string" => "text",
        "integer" => "a whole number",
        "float" => "a fraction",
        "boolean" => "true or false",
        "datetime" => "a date, or a time without a UTC offset",
        "array" | "array of tables" => "a list",
        "inline table" | "table" => "a table",
        _ => "nothing",
    }
}
