//! Finds keys written into the file. They are errors, not warnings: a file with a key ends up in
//! backups, dotfile repositories and screenshots.

use toml_edit::{Item, Table, TableLike, Value};

use crate::finding::{Findings, SettingsPath, looks_secret, position};

/// Field names that hold only secrets.
const NAMES: [&str; 8] = [
    "api_key",
    "apikey",
    "token",
    "secret",
    "password",
    "passphrase",
    "auth_token",
    "access_token",
];
const HINT: &str = "store it with `gatehouse keys add` and delete it here; if others could read \
                    this file, also replace the key at its provider";

pub(super) fn report_secrets(text: &str, table: &Table, findings: &mut Findings) {
    walk(table, &mut Vec::new(), findings);
    let known: Vec<usize> = findings.problems.iter().filter_map(|problem| problem.line).collect();
    // Comments and names, which are not values of the tables.
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        if looks_secret(line) && !known.contains(&position(text, offset).0) {
            let what = "this line contains something that looks like a key";
            findings.error(&[], Some(offset..offset), what, HINT);
        }
        offset += line.len();
    }
}

fn walk(table: &dyn TableLike, path: &mut SettingsPath, findings: &mut Findings) {
    for (name, item) in table.iter() {
        path.push(name.to_owned());
        match item {
            Item::Table(inner) => walk(inner, path, findings),
            Item::ArrayOfTables(list) => list.iter().for_each(|inner| walk(inner, path, findings)),
            Item::Value(value) => walk_value(name, value, path, findings),
            Item::None => {}
        }
        path.pop();
    }
}

fn walk_value(name: &str, value: &Value, path: &mut SettingsPath, findings: &mut Findings) {
    match value {
        Value::String(text) => {
            let named = NAMES.contains(&name.to_ascii_lowercase().replace('-', "_").as_str());
            if looks_secret(text.value()) || (named && !text.value().is_empty()) {
                findings.hidden.extend(value.span());
                findings.error(path, value.span(), "this looks like a secret", HINT);
            }
        }
        Value::Array(list) => {
            list.iter().for_each(|inner| walk_value(name, inner, path, findings));
        }
        Value::InlineTable(inner) => walk(inner, path, findings),
        _ => {}
    }
}
