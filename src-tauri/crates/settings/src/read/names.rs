//! Reads lists of names: models of a backend; names, clients and projects of a route.

use toml_edit::{Item, Value};

use crate::finding::{Findings, RepairAction, quote_value};
use crate::section_reader::SectionReader;

pub(super) struct NameListRules {
    /// Name in the file.
    pub(super) field: &'static str,
    /// Singular noun for an entry, such as "model".
    pub(super) one: &'static str,
    /// A name for the hint.
    pub(super) example: &'static str,
    pub(super) entries_max: usize,
    pub(super) chars_max: usize,
    /// Advice if there are too many.
    pub(super) fewer: &'static str,
}

/// The names of a list, without duplicates; invalid ones are reported and left out.
pub(super) fn read_names(
    entry: &SectionReader,
    rule: &NameListRules,
    findings: &mut Findings,
) -> Vec<String> {
    let NameListRules { field, one, example, entries_max, chars_max, fewer } = rule;
    let Some(item) = entry.item(field) else { return Vec::new() };
    let hint = format!("write a list of names, such as {field} = [\"{example}\"]");
    let Some(list) = item.as_array() else {
        let single = item.as_str().map(|name| {
            RepairAction::Set(Value::Array(std::iter::once(Value::from(name)).collect()))
        });
        entry.report_error(field, "this must be a list of names", hint, single, findings);
        return Vec::new();
    };
    if list.len() > *entries_max {
        let what = format!("{} {one}s; at most {entries_max} are allowed", list.len());
        entry.report_error(field, what, *fewer, None, findings);
    }
    let mut names: Vec<String> = Vec::new();
    for value in list {
        let name = value.as_str().unwrap_or_default();
        let length = name.chars().count();
        if length == 0 || length > *chars_max || name.chars().any(char::is_control) {
            let what = format!("a {one} name must be a string of 1 to {chars_max} characters");
            entry.report_error(field, what, &*hint, None, findings);
        } else if names.iter().any(|known| known == name) {
            report_repeated_name(entry, rule, name, item, findings);
        } else {
            names.push(name.to_owned());
        }
    }
    names
}

fn report_repeated_name(
    entry: &SectionReader,
    rule: &NameListRules,
    name: &str,
    item: &Item,
    findings: &mut Findings,
) {
    let what = format!("the {} {} is listed twice", rule.one, quote_value(name));
    findings.warning(&entry.path_of(rule.field), item.span(), what, "remove one of the two");
}
