//! Reads the access lists of a client.

use std::str::FromStr;

use domain::IdError;
use toml_edit::{Array, Item};

use super::names::{NameListRules, read_names};
use crate::finding::{Findings, id_error_hint};
use crate::section_reader::SectionReader;
use crate::{ClientScope, MODEL_CHARS_MAX, SCOPE_ENTRIES_MAX};

/// Reads the allow lists. A list with a mistake is an error, so that none allows more than its
/// writer meant.
pub(super) fn read_scope(entry: &SectionReader, findings: &mut Findings) -> ClientScope {
    let backends = read_allow_list(entry, "allow_backends", "backend", "openai", findings);
    let routes = read_allow_list(entry, "allow_routes", "route", "fast", findings);
    ClientScope {
        models: read_allow_list(entry, "allow_models", "model", "gpt-4o", findings),
        backends: parse_ids(entry, "allow_backends", &backends, findings),
        routes: parse_ids(entry, "allow_routes", &routes, findings),
    }
}

fn read_allow_list(
    entry: &SectionReader,
    field: &'static str,
    one: &'static str,
    example: &'static str,
    findings: &mut Findings,
) -> Vec<String> {
    if entry.item(field).and_then(Item::as_array).is_some_and(Array::is_empty) {
        let what = "an empty list would allow everything";
        let hint = format!("list what is allowed, or remove {field}");
        entry.report_error(field, what, hint, None, findings);
    }
    let rule = NameListRules {
        field,
        one,
        example,
        entries_max: SCOPE_ENTRIES_MAX,
        chars_max: MODEL_CHARS_MAX,
        fewer: "remove {field} to allow all",
    };
    read_names(entry, &rule, findings)
}

fn parse_ids<Id: FromStr<Err = IdError>>(
    entry: &SectionReader,
    field: &str,
    names: &[String],
    findings: &mut Findings,
) -> Vec<Id> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        match Id::from_str(name) {
            Ok(id) => ids.push(id),
            Err(error) => {
                let what = "this is not a valid name";
                entry.report_error(field, what, id_error_hint(&error), None, findings);
            }
        }
    }
    ids
}
