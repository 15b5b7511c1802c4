//! `gatehouse settings get` and `set`: any setting by its name, as the file or the panel names it.
//!
//! The names are those of the settings view itself, so that a new setting is here without a word more.

use clap::Args;
use control::view::{SettingsValues, SettingsView};
use control::{ApiError, Core};
use serde_json::{Map, Value};

use crate::command::completions;
use crate::command::keys::done;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::sign::Tone;
use crate::text::{Piece, Table, Text};

/// Which setting.
#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The setting, for example gateway_port; by default all of them
    #[arg(add = completions::of(completions::settings))]
    name: Option<String>,
}

/// A setting and its new value.
#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The setting, for example gateway_port
    #[arg(add = completions::of(completions::settings))]
    name: String,
    /// The new value; `none` clears it, `default` resets it
    #[arg(allow_hyphen_values = true)]
    value: String,
}

pub(super) async fn get(wanted: &Get, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let all = flat(&control::settings(core).await?.values)?;
    match &wanted.name {
        None => console.answer(&all, table)?,
        Some(name) => {
            let name = known_name(&all, name)?;
            let value = all.get(&name).cloned().unwrap_or_default();
            console.answer(&value, |value| done(&plain(value)))?;
        }
    }
    Ok(Exit::Fine)
}

pub(super) async fn set(wanted: &Set, core: &Core, console: &mut Console) -> Result<Exit, Failure> {
    let SettingsView { values, defaults, .. } = control::settings(core).await?;
    let mut all = flat(&values)?;
    let name = known_name(&all, &wanted.name)?;
    if name == "vault_kind" {
        let message = "the vault is changed with its own command";
        return Err(Failure::new(Exit::Usage, message)
            .with_hint(format!("Run `gatehouse vault set {}`.", wanted.value)));
    }
    let known = all.get(&name).cloned().unwrap_or_default();
    let value = match wanted.value.as_str() {
        "default" => flat(&defaults)?.get(&name).cloned().unwrap_or_default(),
        typed => parse(&name, &known, typed)?,
    };
    all.insert(name.clone(), value);
    // There is no switch of that name, so the message says which setting it is about.
    let named = |error: ApiError| match &error.field {
        Some(field) => ApiError { message: format!("{field}: {}", error.message), ..error },
        None => error,
    };
    let edited = control::settings_edit(core, nested(all)?).await.map_err(named)?;
    let now = flat(&edited.values)?.get(&name).cloned().unwrap_or_default();
    console.answer(&now, |now| done(&format!("{name} is now {}.", plain(now))))?;
    Ok(Exit::Fine)
}

/// Every setting by one name; those of a group are joined with dots, `resilience.custom.open_secs`.
fn flat(values: &SettingsValues) -> Result<Map<String, Value>, Failure> {
    let json = serde_json::to_value(values).map_err(|error| Failure::fault(&error))?;
    let mut all = Map::new();
    flatten("", json, &mut all);
    Ok(all)
}

fn flatten(prefix: &str, value: Value, into: &mut Map<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
                flatten(&name, value, into);
            }
        }
        value => {
            into.insert(prefix.to_owned(), value);
        }
    }
}

fn nested(all: Map<String, Value>) -> Result<SettingsValues, Failure> {
    let mut root = Map::new();
    for (name, value) in all {
        let mut place = &mut root;
        let mut parts = name.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                place.insert(part.to_owned(), value);
                break;
            }
            let inner = place.entry(part).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else { break };
            place = inner;
        }
    }
    let read = serde_json::from_value(Value::Object(root));
    read.map_err(|error| Failure::new(Exit::Usage, format!("the value was not accepted: {error}")))
}

/// The setting that is meant: `gateway_port`, `gateway.port` as in the file, or `port` where no other
/// setting ends so.
fn known_name(all: &Map<String, Value>, typed: &str) -> Result<String, Failure> {
    let same = |name: &str| name.replace(['.', '-'], "_");
    let typed_same = same(typed);
    if let Some(name) = all.keys().find(|name| same(name) == typed_same) {
        return Ok(name.clone());
    }
    let ending = format!("_{typed_same}");
    let mut ending_so = all.keys().filter(|name| same(name).ends_with(&ending));
    if let (Some(name), None) = (ending_so.next(), ending_so.next()) {
        return Ok(name.clone());
    }
    Err(control::unknown_name("setting", typed, all.keys().map(String::as_str)).into())
}

/// The typed text as the kind of value that the setting has. One that is empty now may be either.
fn parse(name: &str, known: &Value, typed: &str) -> Result<Value, Failure> {
    let wrong = |what: &str| Failure::new(Exit::Usage, format!("{name}: {typed:?} is not {what}"));
    match known {
        Value::Bool(_) => match typed {
            "true" | "on" | "yes" => Ok(Value::Bool(true)),
            "false" | "off" | "no" => Ok(Value::Bool(false)),
            _ => Err(wrong("on or off")),
        },
        Value::Number(_) => {
            let number: u64 = typed.parse().map_err(|_| wrong("a whole number"))?;
            Ok(Value::from(number))
        }
        _ if typed == "none" => Ok(Value::Null),
        _ => Ok(Value::from(typed)),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(all: &Map<String, Value>) -> Text {
    let mut table = Table::of_facts();
    for (name, value) in all {
        table.row([Piece::toned(Tone::Muted, name), plain(value).into()]);
    }
    let mut text = Text::new();
    text.table(&table);
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all() -> Map<String, Value> {
        let json = json!({"gateway_port": 4283, "cache_ttl_secs": 600, "cache_disk": true,
            "theme": "system", "cache_redis_url": null, "resilience.custom.open_secs": 30});
        let Value::Object(all) = json else { unreachable!("an object") };
        all
    }

    #[test]
    fn a_setting_is_found_by_every_name_that_says_which() {
        let check = |typed: &str, name: Option<&str>| {
            assert_eq!(known_name(&all(), typed).ok().as_deref(), name, "{typed}");
        };
        check("gateway_port", Some("gateway_port"));
        check("gateway.port", Some("gateway_port"));
        check("gateway-port", Some("gateway_port"));
        check("port", Some("gateway_port"));
        check("open_secs", Some("resilience.custom.open_secs"));
        check("secs", None);
        check("prot", None);
    }

    #[test]
    fn a_value_has_the_kind_of_the_one_before() {
        let check = |name: &str, typed: &str, value: Option<Value>| {
            let known = all().get(name).cloned().expect("known");
            assert_eq!(parse(name, &known, typed).ok(), value, "{name} {typed}");
        };
        check("gateway_port", "4284", Some(json!(4284)));
        check("gateway_port", "many", None);
        check("cache_disk", "off", Some(json!(false)));
        check("cache_disk", "maybe", None);
        check("theme", "dark", Some(json!("dark")));
        check("cache_redis_url", "none", Some(Value::Null));
    }

    #[test]
    fn what_is_taken_apart_is_put_together_again() {
        let mut root = Map::new();
        flatten("", json!({"a": 1, "b": {"c": {"d": 2}}}), &mut root);
        assert_eq!(root.keys().collect::<Vec<_>>(), ["a", "b.c.d"]);
    }
}
