//! `gatehouse settings get` and `set`: reads and writes one setting by its name in the file or the
//! panel.
//!
//! The names come from the settings view itself, so a new setting needs no code here.

use clap::Args;
use control::view::{SettingsValues, SettingsView};
use control::{ApiError, Core};
use serde_json::{Map, Value};

use crate::command::completers;
use crate::command::keys::render_sentence;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{StyledText, TableCell, TextTable};

#[derive(Debug, Args)]
pub(crate) struct GetSettingArguments {
    /// The setting, for example gateway_port; by default all of them
    #[arg(add = completers::candidates_from(completers::setting_names))]
    name: Option<String>,
}

/// A setting and its new value.
#[derive(Debug, Args)]
pub(crate) struct SetSettingArguments {
    /// The setting, for example gateway_port
    #[arg(add = completers::candidates_from(completers::setting_names))]
    name: String,
    /// The new value; `none` clears it, `default` resets it
    #[arg(allow_hyphen_values = true)]
    value: String,
}

pub(super) async fn get(
    wanted: &GetSettingArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let all = flatten_settings(&control::settings(core).await?.values)?;
    match &wanted.name {
        None => console.print_view(&all, table)?,
        Some(name) => {
            let name = find_setting(&all, name)?;
            let value = all.get(&name).cloned().unwrap_or_default();
            console.print_view(&value, |value| render_sentence(&format_value(value)))?;
        }
    }
    Ok(Exit::Success)
}

pub(super) async fn set(
    wanted: &SetSettingArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let SettingsView { values, defaults, .. } = control::settings(core).await?;
    let mut all = flatten_settings(&values)?;
    let name = find_setting(&all, &wanted.name)?;
    if name == "vault_kind" {
        let message = "the vault is changed with its own command";
        return Err(CommandError::new(Exit::Usage, message)
            .with_hint(format!("Run `gatehouse vault set {}`.", wanted.value)));
    }
    let known = all.get(&name).cloned().unwrap_or_default();
    let value = match wanted.value.as_str() {
        "default" => flatten_settings(&defaults)?.get(&name).cloned().unwrap_or_default(),
        typed => parse_value(&name, &known, typed)?,
    };
    all.insert(name.clone(), value);
    // There is no switch of that name, so the message says which setting it is about.
    let named = |error: ApiError| match &error.field {
        Some(field) => ApiError { message: format!("{field}: {}", error.message), ..error },
        None => error,
    };
    let edited = control::settings_edit(core, unflatten_settings(all)?).await.map_err(named)?;
    let now = flatten_settings(&edited.values)?.get(&name).cloned().unwrap_or_default();
    console.print_view(&now, |now| {
        render_sentence(&format!("{name} is now {}.", format_value(now)))
    })?;
    Ok(Exit::Success)
}

/// All settings in one map; names in a group are joined with dots, as in
/// `resilience.custom.open_secs`.
fn flatten_settings(values: &SettingsValues) -> Result<Map<String, Value>, CommandError> {
    let json = serde_json::to_value(values).map_err(|error| CommandError::internal(&error))?;
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

fn unflatten_settings(all: Map<String, Value>) -> Result<SettingsValues, CommandError> {
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
    read.map_err(|error| {
        CommandError::new(Exit::Usage, format!("the value was not accepted: {error}"))
    })
}

/// Finds a setting by its name (`gateway_port`), its path in the file (`gateway.port`), or an
/// unambiguous ending (`port`).
fn find_setting(all: &Map<String, Value>, typed: &str) -> Result<String, CommandError> {
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
    Err(control::unknown_name_error("setting", typed, all.keys().map(String::as_str)).into())
}

/// Parses the typed text as the type of the setting's current value. For a setting without a value
/// it stays text.
fn parse_value(name: &str, known: &Value, typed: &str) -> Result<Value, CommandError> {
    let wrong =
        |what: &str| CommandError::new(Exit::Usage, format!("{name}: {typed:?} is not {what}"));
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

fn format_value(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn table(all: &Map<String, Value>) -> StyledText {
    let mut table = TextTable::without_header();
    for (name, value) in all {
        table.row([TableCell::styled(Tone::Muted, name), format_value(value).into()]);
    }
    let mut text = StyledText::new();
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
            assert_eq!(find_setting(&all(), typed).ok().as_deref(), name, "{typed}");
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
            assert_eq!(parse_value(name, &known, typed).ok(), value, "{name} {typed}");
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
