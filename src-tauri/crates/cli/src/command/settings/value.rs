//! `gatehouse settings get` and `set`: reads and writes one setting by its name in the file or the
//! panel. They come from the table of settings, so a new setting needs no code here.

use std::collections::BTreeMap;

use clap::Args;
use control::view::{SettingsValues, SettingsView};
use control::{ApiError, Core, SettingKind, SettingValue, Settings};

use crate::command::completers;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::sign::Tone;
use crate::text::{StyledText, TableCell, TextTable, render_sentence};

#[derive(Debug, Args)]
pub(crate) struct GetSettingArguments {
    /// The setting, for example gateway_port; by default all of them
    #[arg(add = completers::candidates_from(completers::setting_names))]
    name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SetSettingArguments {
    /// The setting, for example gateway_port
    #[arg(add = completers::candidates_from(completers::setting_names))]
    name: String,
    /// The new value; `none` clears it, `default` resets it
    #[arg(allow_hyphen_values = true)]
    value: String,
}

type Values = BTreeMap<String, SettingValue>;

/// A setting as programs get it.
#[derive(serde::Serialize)]
struct NamedValue {
    name: String,
    value: SettingValue,
}

pub(super) async fn get(
    wanted: &GetSettingArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let all = all_values(control::settings(core).await?);
    match &wanted.name {
        None => console.print_view(&all, table)?,
        Some(name) => {
            let name = find_setting(&all, name)?;
            let value = value_of(&all, &name);
            console.print_view(&NamedValue { name, value }, |named| {
                render_sentence(&named.value.to_string())
            })?;
        }
    }
    Ok(Exit::Success)
}

pub(super) async fn set(
    wanted: &SetSettingArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let before = control::settings(core).await?;
    let resilience = before.values.resilience.clone();
    let name = find_setting(&all_values(before), &wanted.name)?;
    if name == "vault_kind" {
        let message = "the vault is changed with its own command";
        return Err(CommandError::new(Exit::Usage, message)
            .with_hint(format!("Run `gatehouse vault set {}`.", wanted.value)));
    }
    let value = parse_value(&name, &wanted.value)?;
    // There is no switch of that name, so the message says which setting it is about.
    let named = |error: ApiError| match &error.field {
        Some(field) => ApiError { message: format!("{field}: {}", error.message), ..error },
        None => error,
    };
    let change = SettingsValues { fields: [(name.clone(), value)].into(), resilience };
    let edited = control::settings_edit(core, change).await.map_err(named)?;
    let value = value_of(&all_values(edited), &name);
    console.print_view(&NamedValue { name, value }, |now| {
        render_sentence(&format!("{} is now {}.", now.name, now.value))
    })?;
    Ok(Exit::Success)
}

/// Settings of sections by key, and settings of entries by path.
fn all_values(settings: SettingsView) -> Values {
    let mut all = settings.values.by_key();
    all.extend(settings.entries);
    all
}

fn value_of(all: &Values, name: &str) -> SettingValue {
    all.get(name).cloned().unwrap_or(SettingValue::None)
}

/// Finds a setting by its key (`gateway_port`), its path in the file (`gateway.port`), or an
/// unambiguous ending (`port`).
fn find_setting(all: &Values, typed: &str) -> Result<String, CommandError> {
    if all.contains_key(typed) {
        return Ok(typed.to_owned());
    }
    let same = |name: &str| name.replace(['.', '-'], "_");
    let typed_same = same(typed);
    let mut alike = all.keys().filter(|name| same(name) == typed_same);
    // Ids may differ in these characters alone; then only the exact spelling names one.
    if let (Some(name), None) = (alike.next(), alike.next()) {
        return Ok(name.clone());
    }
    if let Some(setting) = Settings::table().into_iter().find(|setting| setting.path == typed) {
        return Ok(setting.key.to_owned());
    }
    let table = Settings::table();
    let mut named = table.iter().filter(|setting| setting.name == typed_same);
    if let (Some(setting), None) = (named.next(), named.next()) {
        return Ok(setting.key.to_owned());
    }
    let ending = format!("_{typed_same}");
    let mut ending_so = all.keys().filter(|name| same(name).ends_with(&ending));
    if let (Some(name), None) = (ending_so.next(), ending_so.next()) {
        return Ok(name.clone());
    }
    Err(control::unknown_name_error("setting", typed, all.keys().map(String::as_str)).into())
}

/// Parses the typed text as the type of the setting. The core checks it against its rules.
fn parse_value(name: &str, typed: &str) -> Result<SettingValue, CommandError> {
    let wrong =
        |what: &str| CommandError::new(Exit::Usage, format!("{name}: {typed:?} is not {what}"));
    let setting = Settings::setting(name);
    match (setting, typed) {
        (Some(setting), "default") => return Ok(setting.default_value()),
        (Some(setting), "none") if setting.optional => return Ok(SettingValue::None),
        _ => {}
    }
    match setting.map(|setting| setting.kind) {
        Some(SettingKind::Switch) => match typed {
            "true" | "on" | "yes" => Ok(SettingValue::Switch(true)),
            "false" | "off" | "no" => Ok(SettingValue::Switch(false)),
            _ => Err(wrong("on or off")),
        },
        Some(SettingKind::Number) => {
            typed.parse().map(SettingValue::Number).map_err(|_| wrong("a whole number"))
        }
        _ => Ok(SettingValue::Text(typed.to_owned())),
    }
}

fn table(all: &Values) -> StyledText {
    let mut table = TextTable::without_header();
    for (name, value) in all {
        table.row([TableCell::styled(Tone::Muted, name), value.to_string().into()]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Values {
        let settings = Settings::table().into_iter();
        let mut all: Values =
            settings.map(|setting| (setting.key.to_owned(), setting.default_value())).collect();
        for id in ["up", "gpt-4", "gpt_4"] {
            all.insert(format!("backends.{id}.in_flight_max"), SettingValue::None);
        }
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
        check("smtp_port", Some("mail_smtp_port"));
        check("gateway.in_flight_max", Some("in_flight_max"));
        check("backends.up.in_flight_max", Some("backends.up.in_flight_max"));
        check("backends.gpt-4.in_flight_max", Some("backends.gpt-4.in_flight_max"));
        check("backends.gpt_4.in_flight_max", Some("backends.gpt_4.in_flight_max"));
        check("backends.gpt.4.in_flight_max", None);
        check("open_ms_first", Some("resilience.custom.open_ms_first"));
        check("secs", None);
        check("prot", None);
    }

    #[test]
    fn a_value_has_the_type_of_its_setting() {
        let check = |name: &str, typed: &str, value: Option<SettingValue>| {
            assert_eq!(parse_value(name, typed).ok(), value, "{name} {typed}");
        };
        use SettingValue::{None as Absent, Number, Switch, Text};
        check("gateway_port", "4284", Some(Number(4284)));
        check("gateway_port", "default", Some(Number(4283)));
        check("gateway_port", "many", None);
        check("gateway_port", "none", None);
        check("cache_disk", "off", Some(Switch(false)));
        check("cache_disk", "maybe", None);
        check("theme", "dark", Some(Text("dark".to_owned())));
        check("cache_redis_url", "none", Some(Absent));
        check("backends.up.in_flight_max", "4", Some(Number(4)));
        check("backends.up.in_flight_max", "none", Some(Absent));
    }
}
