//! The input of the panel's other generated files: tables of the core that the panel and its fake
//! host need as values, not as types. It stands apart from the bindings because those import Tauri.

use std::collections::BTreeSet;
use std::fmt::{self, Write};
use std::ops::RangeInclusive;

use control::{
    ChangeTag, Choice, ChoiceTable, LabelTable, OPERATIONS, Setting, SettingKind, Settings, Shape,
    Sign, SignTable, Tone,
};
use domain::capitalize;
use serde_json::json;

/// The tables as TypeScript.
pub fn panel_tables() -> anyhow::Result<String> {
    let signs = control::sign_tables()?;
    let labels = control::label_tables()?;
    let mut text = String::new();
    let states = signs.iter().map(|table| table.state_type);
    let values = labels.iter().map(|table| table.value_type);
    write_imports(&mut text, states.chain(values).chain(["ChangeTag"]).collect())?;
    write_operations(&mut text)?;
    write_signs(&mut text, &signs)?;
    write_labels(&mut text, &labels)?;
    writeln!(text, "\n/** Local hour at which `tomorrow` is. */")?;
    writeln!(text, "export const MORNING_HOUR = {};", control::MORNING_HOUR)?;
    let starts = control::FORMULA_STARTS.map(|start| json!(start).to_string()).join(", ");
    writeln!(text, "\n/** What a cell begins with that a spreadsheet would run as a formula. */")?;
    writeln!(text, "export const FORMULA_STARTS = [{starts}];")?;
    Ok(text)
}

/// The tables that only forms need. They stand apart because the first screen has no form.
pub fn form_tables() -> anyhow::Result<String> {
    let choices = control::choice_tables();
    let types = choices.iter().map(|table| table.value_type).chain(["SettingsValues"]);
    let mut text = String::new();
    write_imports(&mut text, types.collect())?;
    write_choices(&mut text, &choices)?;
    write_settings(&mut text)?;
    Ok(text)
}

/// The presets as TypeScript, for the panel's fake host.
pub fn fake_presets() -> anyhow::Result<String> {
    let mut text = String::from("import type { BackendPresetView } from \"@/ipc/bindings\";\n\n");
    writeln!(text, "export const PRESETS: BackendPresetView[] = [")?;
    for preset in control::preset_views() {
        writeln!(text, "  {},", serde_json::to_string(&preset)?)?;
    }
    writeln!(text, "];")?;
    Ok(text)
}

fn write_imports(text: &mut String, types: BTreeSet<&str>) -> fmt::Result {
    writeln!(text, "import type {{")?;
    for name in types {
        writeln!(text, "  {name},")?;
    }
    writeln!(text, "}} from \"@/ipc/bindings\";\n")
}

fn write_operations(text: &mut String) -> anyhow::Result<()> {
    let meaning = "What each operation of the core changes.";
    let changes = OPERATIONS.iter().map(|it| (camel_case(it.name), it.changes));
    write_tags(text, meaning, "OPERATION_CHANGES", changes)?;
    let meaning =
        "The operations whose answers screens keep, and the changes that make each answer stale.";
    let reads = OPERATIONS.iter().filter_map(|it| Some((it.name.to_owned(), it.reads?)));
    write_tags(text, meaning, "OPERATION_READS", reads)
}

fn write_tags(
    text: &mut String,
    meaning: &str,
    name: &str,
    operations: impl Iterator<Item = (String, &'static [ChangeTag])>,
) -> anyhow::Result<()> {
    writeln!(text, "/** {meaning} */")?;
    writeln!(text, "export const {name} = {{")?;
    for (operation, tags) in operations {
        let tags = serde_json::to_string(tags)?.replace(",", ", ");
        writeln!(text, "  {operation}: {tags},")?;
    }
    writeln!(text, "}} as const satisfies Record<string, readonly ChangeTag[]>;\n")?;
    Ok(())
}

fn write_signs(text: &mut String, tables: &[SignTable]) -> fmt::Result {
    writeln!(text, "/** The colour role of a state. */")?;
    writeln!(text, "export type Tone = {};\n", union(Tone::WORDS))?;
    writeln!(text, "/** The symbol of a state. */")?;
    writeln!(text, "export type Shape = {};\n", union(Shape::WORDS))?;
    writeln!(text, "/** A state as it is displayed, never by colour alone. */")?;
    writeln!(
        text,
        "export interface Sign {{\n  word: string;\n  shape: Shape;\n  tone: Tone;\n}}"
    )?;
    for SignTable { name, state_type, signs } in tables {
        writeln!(text, "\nexport const {name}: Record<{state_type}, Sign> = {{")?;
        for (state, Sign { word, shape, tone }) in signs {
            let (name, word) = (property_name(state), capitalize(word));
            writeln!(
                text,
                "  {name}: {{ word: \"{word}\", shape: \"{shape}\", tone: \"{tone}\" }},"
            )?;
        }
        writeln!(text, "}};")?;
    }
    Ok(())
}

/// A word with a dash is no name in TypeScript.
fn property_name(word: &str) -> String {
    if word.contains('-') { format!("{word:?}") } else { word.to_owned() }
}

fn write_labels(text: &mut String, tables: &[LabelTable]) -> fmt::Result {
    for LabelTable { name, value_type, labels } in tables {
        writeln!(text, "\nexport const {name}: Record<{value_type}, string> = {{")?;
        for (value, label) in labels {
            writeln!(text, "  {}: \"{}\",", property_name(value), capitalize(label))?;
        }
        writeln!(text, "}};")?;
    }
    Ok(())
}

fn write_choices(text: &mut String, tables: &[ChoiceTable]) -> fmt::Result {
    writeln!(
        text,
        "/** A value that a form offers. */\n\
         export interface FormChoice<Value> {{\n  \
           value: Value;\n  label: string;\n  note: string;\n}}"
    )?;
    for ChoiceTable { name, value_type, choices } in tables {
        writeln!(text, "\nexport const {name}: readonly FormChoice<{value_type}>[] = [")?;
        for Choice { word, label, note } in choices {
            let stop = if note.is_empty() { "" } else { "." };
            let note = json!(format!("{note}{stop}"));
            writeln!(text, "  {{ value: \"{word}\", label: \"{label}\", note: {note} }},")?;
        }
        writeln!(text, "];")?;
    }
    Ok(())
}

/// Settings with a dot in their key are thresholds, which the form shows by their names.
fn write_settings(text: &mut String) -> fmt::Result {
    let (form, thresholds): (Vec<_>, Vec<_>) =
        Settings::table().into_iter().partition(|setting| !setting.key.contains('.'));
    writeln!(
        text,
        "\n/** A setting with its place in the form. A number has its range in its own unit. */\n\
         export interface SettingField {{\n  \
           key: Exclude<keyof SettingsValues, \"resilience\">;\n  \
           path: string;\n  kind: \"number\" | \"switch\" | \"word\" | \"text\";\n  \
           card: string | null;\n  label: string;\n  meaning: string;\n  unit: string;\n  \
           min: number;\n  max: number;\n  words: readonly string[];\n  \
           default: string | number | boolean | null;\n}}\n\n\
         export const SETTINGS: readonly SettingField[] = ["
    )?;
    for setting in form {
        write_setting(text, setting)?;
    }
    writeln!(text, "];\n\n/** The label of each resilience threshold. */")?;
    writeln!(text, "export const THRESHOLD_LABELS: Record<string, string> = {{")?;
    for Setting { name, panel, .. } in thresholds {
        if let Some((_, label)) = panel {
            writeln!(text, "  {name}: {},", json!(label))?;
        }
    }
    writeln!(text, "}};")
}

fn write_setting(text: &mut String, setting: &Setting) -> fmt::Result {
    let (kind, words) = match setting.kind {
        SettingKind::Number => ("number", [].as_slice()),
        SettingKind::Switch => ("switch", [].as_slice()),
        SettingKind::Word(words) => ("word", words),
        SettingKind::Text => ("text", [].as_slice()),
    };
    let (min, max) = setting.range.clone().map_or((0, 0), RangeInclusive::into_inner);
    let card = setting.panel.map(|(card, _)| card);
    let label = setting.panel.map_or(setting.name, |(_, label)| label);
    let fields = [
        ("key", json!(setting.key)),
        ("path", json!(setting.path)),
        ("kind", json!(kind)),
        ("card", json!(card)),
        ("label", json!(label)),
        ("meaning", json!(setting.meaning())),
        ("unit", json!(setting.unit())),
        ("min", json!(min)),
        ("max", json!(max)),
        ("words", json!(words)),
        ("default", json!(setting.default_value())),
    ];
    writeln!(text, "  {{")?;
    for (name, value) in fields {
        writeln!(text, "    {name}: {},", value.to_string().replace("\",\"", "\", \""))?;
    }
    writeln!(text, "  }},")
}

fn union(words: &[&str]) -> String {
    format!("\"{}\"", words.join("\" | \""))
}

/// The name that a generated command has in TypeScript.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default();
    words.fold(first.to_owned(), |joined, word| joined + &capitalize(word))
}

#[cfg(test)]
mod tests {
    use super::panel_tables;

    #[test]
    fn tables_use_the_names_that_the_panel_uses() {
        let text = panel_tables().expect("tables");
        for line in [
            "  cachePurge: [\"cache\"],",
            "export const HEALTH: Record<ShownHealth, Sign> = {",
            "  up: { word: \"Up\", shape: \"disc\", tone: \"ok\" },",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is missing in\n{text}");
        }
    }
}
