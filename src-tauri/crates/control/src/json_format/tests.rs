//! The shapes of all views are written down in `shapes.txt`, a line for each field and each word, with
//! the version they belong to. What is gone or changed needs a higher version.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::JSON_FORMAT_VERSION;
use crate::json_schema;
use crate::operations;
use crate::view::*;

const RECORDED: &str = include_str!("shapes.txt");

macro_rules! view_schemas {
    ($($(#[doc = $doc:literal])* $name:ident($($req:ident: $Req:ty)?) -> $View:ty, $effect:ident [$($tag:ident),*] $(, audit $audit:literal)? $(, tool $tool:literal $permission:ident)?;)*) => {
        /// The schema of each operation's view, by the operation's name.
        fn view_schemas() -> Vec<(&'static str, Map<String, Value>)> {
            vec![$((stringify!($name), json_schema::<$View>().expect("a schema")),)*]
        }
    };
}

operations!(view_schemas);

/// A line for each field with its type, and one for each word.
fn shape_lines() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (operation, mut schema) in view_schemas() {
        if let Some(Value::Object(named)) = schema.remove("$defs") {
            named.iter().for_each(|(name, schema)| add_lines(&mut lines, name, schema));
        }
        add_lines(&mut lines, operation, &Value::Object(schema));
    }
    lines
}

fn add_lines(lines: &mut BTreeSet<String>, path: &str, schema: &Value) {
    if let Some(name) = schema["$ref"].as_str() {
        lines.insert(format!("{path}: {}", name.trim_start_matches("#/$defs/")));
    }
    for word in schema["enum"].as_array().into_iter().flatten().chain(schema.get("const")) {
        lines.insert(format!("{path} = {word}"));
    }
    for kind in schema["type"].as_array().into_iter().flatten().chain(schema.get("type")) {
        lines.extend(kind.as_str().map(|kind| format!("{path}: {kind}")));
    }
    for either in ["anyOf", "oneOf", "allOf"] {
        let choices = schema[either].as_array().into_iter().flatten();
        choices.for_each(|choice| add_lines(lines, path, choice));
    }
    let required = schema["required"].as_array();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let is_required = required.is_some_and(|names| names.contains(&Value::from(name.as_str())));
        let mark = if is_required { "" } else { "?" };
        add_lines(lines, &format!("{path}.{name}{mark}"), field);
    }
    let items = schema["prefixItems"].as_array().into_iter().flatten().chain(schema.get("items"));
    items.for_each(|item| add_lines(lines, &format!("{path}[]"), item));
    if let Some(values) = schema.get("additionalProperties").filter(|values| values.is_object()) {
        add_lines(lines, &format!("{path}{{}}"), values);
    }
}

fn render(lines: &BTreeSet<String>) -> String {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    format!("format_version {JSON_FORMAT_VERSION}\n{}\n", lines.join("\n"))
}

/// The version and the lines of a recorded text.
fn read(recorded: &str) -> (u32, BTreeSet<String>) {
    let mut lines = recorded.lines();
    let version = lines.next().and_then(|line| line.strip_prefix("format_version "));
    let version = version.and_then(|version| version.parse().ok()).expect("a version");
    (version, lines.map(str::to_owned).collect())
}

/// Lines that are gone although the version is the recorded one, and further types of paths that
/// have one.
fn changed_lines(
    (recorded_version, recorded): &(u32, BTreeSet<String>),
    version: u32,
    lines: &BTreeSet<String>,
) -> Vec<String> {
    if version > *recorded_version {
        return Vec::new();
    }
    let typed: BTreeSet<&str> = recorded.iter().filter_map(|line| typed_path(line)).collect();
    let is_retyped = |line: &&String| typed_path(line).is_some_and(|path| typed.contains(path));
    let retyped = lines.difference(recorded).filter(is_retyped);
    recorded.difference(lines).chain(retyped).cloned().collect()
}

/// The path of a line that says a type.
fn typed_path(line: &str) -> Option<&str> {
    line.split_once(": ").map(|(path, _)| path).filter(|path| !path.contains(" = "))
}

/// `SHAPES_UPDATE=1` records new fields and words, and under a higher version all that changed.
#[test]
#[expect(clippy::disallowed_methods, reason = "only to renew the recorded shapes")]
fn a_shape_that_changes_has_a_higher_version() {
    let lines = shape_lines();
    assert!(lines.contains("status.version: string"), "{lines:?}");
    let changed = changed_lines(&read(RECORDED), JSON_FORMAT_VERSION, &lines).join("\n");
    assert!(
        changed.is_empty(),
        "gone or changed; raise JSON_FORMAT_VERSION and say so:\n{changed}"
    );
    if std::env::var_os("SHAPES_UPDATE").is_some() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/json_format/shapes.txt");
        std::fs::write(path, render(&lines)).expect("written");
    } else {
        let is_recorded = RECORDED == render(&lines);
        assert!(is_recorded, "the shapes have more than is recorded; renew with SHAPES_UPDATE=1");
    }
}

#[test]
fn what_is_gone_or_changed_is_told_until_the_version_is_raised() {
    let lines = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let recorded = (3, lines(&["a.b: string", "a.c: number"]));
    let changed = changed_lines(&recorded, 3, &lines(&["a.b: string", "a.c: string"]));
    assert_eq!(changed, ["a.c: number", "a.c: string"]);
    let nullable = lines(&["a.b: string", "a.c: null", "a.c: number"]);
    assert_eq!(changed_lines(&recorded, 3, &nullable), ["a.c: null"]);
    assert_eq!(changed_lines(&recorded, 4, &lines(&["a.b: string"])), [""; 0]);
    let more = lines(&["a.b = \"x: y\"", "a.b: string", "a.c: number", "a.d: null", "a.d: number"]);
    assert_eq!(changed_lines(&recorded, 3, &more), [""; 0]);
    assert_eq!(read(&render(&more)), (JSON_FORMAT_VERSION, more));
}
