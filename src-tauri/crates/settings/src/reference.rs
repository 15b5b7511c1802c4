//! The reference of all settings as Markdown. `cargo xtask bindings` writes it to `SETTINGS.md`.

use std::fmt::{self, Write};

use crate::entry_field::{EntryField, EntryValue};
use crate::read::budgets::BUDGET_FIELDS;
use crate::read::client_target::CLIENT_FIELDS;
use crate::read::objective::{BACKEND_OBJECTIVE_FIELD, OBJECTIVE_FIELD};
use crate::read::pins::PIN_FIELDS;
use crate::read::services::SERVICE_FIELDS;
use crate::{Setting, SettingKind, SettingValue, Settings};

const HEAD: &str = "# Settings

The settings with a single value in `settings.toml`, with their defaults. `gatehouse settings get`, `set` and `check`
read, change and check them; comments and order in the file are kept. Backends, services, routes, clients, budgets,
pinned figures and keys have commands of their own for the rest.

This page is generated from the tables in `src-tauri/crates/settings/src/model`; `cargo xtask bindings` writes it.
";

pub fn reference() -> Result<String, fmt::Error> {
    let mut page = HEAD.to_owned();
    let mut section = "";
    for setting in Settings::table() {
        let own = setting.path.split('.').next().unwrap_or_default();
        if own != section {
            section = own;
            write_head(&mut page, section)?;
        }
        write_row(&mut page, setting)?;
    }
    for collection in ["backends", "clients"] {
        write_head(&mut page, &format!("{collection}.<name>"))?;
        Settings::entry_table(collection)
            .into_iter()
            .try_for_each(|it| write_row(&mut page, it))?;
        if collection == "backends" {
            write_field(&mut page, &BACKEND_OBJECTIVE_FIELD)?;
        } else {
            CLIENT_FIELDS.iter().try_for_each(|field| write_field(&mut page, field))?;
        }
    }
    for (collection, fields) in [
        ("routes", &[OBJECTIVE_FIELD][..]),
        ("services", SERVICE_FIELDS),
        ("budgets", BUDGET_FIELDS),
        ("pins", PIN_FIELDS),
    ] {
        write_head(&mut page, &format!("{collection}.<name>"))?;
        fields.iter().try_for_each(|field| write_field(&mut page, field))?;
    }
    Ok(page)
}

fn write_field(page: &mut String, field: &EntryField) -> fmt::Result {
    let value = match field.value {
        EntryValue::Text(text) => text.to_owned(),
        EntryValue::Words(words) => format!("`{}`", words.join("`, `")),
    };
    let default = field.default.map_or_else(|| "none".to_owned(), |it| format!("`{it}`"));
    let EntryField { name, meaning, .. } = field;
    writeln!(page, "| `{name}` | {value} | {default} | | {meaning} |")
}

fn write_head(page: &mut String, section: &str) -> fmt::Result {
    writeln!(
        page,
        "\n## `{section}`\n\n| Name | Value | Default | In the panel | Meaning |\n| --- | --- | --- | --- | --- |"
    )
}

fn write_row(page: &mut String, setting: &Setting) -> fmt::Result {
    let code = |words: &[&str]| format!("`{}`", words.join("`, `"));
    let value = match (setting.kind, &setting.range) {
        (SettingKind::Number, Some(range)) => {
            format!("{} to {} {}", range.start(), range.end(), setting.unit()).trim().to_owned()
        }
        (SettingKind::Switch, _) => code(&["true", "false"]),
        (SettingKind::Word(words), _) => code(words),
        _ => "text".to_owned(),
    };
    let default = match setting.default_value() {
        SettingValue::None => "none".to_owned(),
        default => format!("`{default}`"),
    };
    let label = setting.panel.map_or_else(String::new, |(card, label)| format!("{card}: {label}"));
    let restart = if setting.needs_restart { " Takes effect after a restart." } else { "" };
    let (name, meaning) = (setting.name, setting.meaning());
    writeln!(page, "| `{name}` | {value} | {default} | {label} | {meaning}{restart} |")
}
