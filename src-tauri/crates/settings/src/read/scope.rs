//! Reads the access lists of a client.

use std::str::FromStr;

use domain::IdError;
use toml_edit::{Array, Item};

use super::entries::id_hint;
use super::names::{NameList, names};
use crate::finding::Findings;
use crate::section::Section;
use crate::{ClientScope, MODEL_CHARS_MAX, SCOPE_ENTRIES_MAX};

/// Reads the allow lists. A list with a mistake is an error, so that none allows more than its
/// writer meant.
pub(super) fn scope(entry: &Section, findings: &mut Findings) -> ClientScope {
    let backends = allowed(entry, "allow_backends", "backend", "openai", findings);
    let routes = allowed(entry, "allow_routes", "route", "fast", findings);
    ClientScope {
        models: allowed(entry, "allow_models", "model", "gpt-4o", findings),
        backends: ids(entry, "allow_backends", &backends, findings),
        routes: ids(entry, "allow_routes", &routes, findings),
    }
}

fn allowed(
    entry: &Section,
    field: &'static str,
    one: &'static str,
    example: &'static str,
    findings: &mut Findings,
) -> Vec<String> {
    if entry.item(field).and_then(Item::as_array).is_some_and(Array::is_empty) {
        let what = "an empty list would allow everything";
        let hint = format!("list what is allowed, or remove {field}");
        entry.wrong(field, what, hint, None, findings);
    }
    let rule = NameList {
        field,
        one,
        example,
        entries_max: SCOPE_ENTRIES_MAX,
        chars_max: MODEL_CHARS_MAX,
        fewer: "remove {field} to allow all",
    };
    names(entry, &rule, findings)
}

fn ids<Id: FromStr<Err = IdError>>(
    entry: &Section,
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
                entry.wrong(field, what, id_hint(&error), None, findings);
            }
        }
    }
    ids
}
