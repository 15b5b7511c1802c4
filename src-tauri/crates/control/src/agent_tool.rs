//! Tools of the MCP server: which operations agents can call, what each needs, and the JSON schemas of
//! their requests and views, which are made from the Rust types.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use settings::Settings;
use specta::datatype::{DataType, Fields, NamedReferenceType, Primitive, Reference};
use specta::{Format, FormatError, Type, Types};
use specta_jsonschema::JsonSchema;

domain::words! {
    /// What an agent must be allowed before it can call a tool.
    AgentPermission {
        /// Status, usage, routes, prices and records of requests. Always allowed.
        Read = "read",
        /// Readiness checks. Nothing is billed.
        Checks = "checks",
        /// Prompts to backends, which cost money.
        Spend = "spend",
        /// Changes of backends, routes and the cache.
        Change = "change",
    }
}

impl AgentPermission {
    /// The setting that allows it; `None` if it is always allowed.
    #[must_use]
    pub const fn setting_key(self) -> Option<&'static str> {
        match self {
            Self::Read => None,
            Self::Checks => Some("mcp_checks"),
            Self::Spend => Some("mcp_spend"),
            Self::Change => Some("mcp_change"),
        }
    }

    pub(crate) const fn is_allowed(self, settings: &Settings) -> bool {
        match self {
            Self::Read => true,
            Self::Checks => settings.mcp.checks,
            Self::Spend => settings.mcp.spend,
            Self::Change => settings.mcp.change,
        }
    }
}

/// An operation that agents can call.
#[derive(Debug, Clone, Copy)]
pub struct AgentTool {
    pub name: &'static str,
    pub operation: &'static str,
    /// Fixed text, never from a backend.
    pub description: &'static str,
    pub permission: AgentPermission,
    pub input_schema: fn() -> Result<Map<String, Value>, SchemaError>,
    pub output_schema: fn() -> Result<Map<String, Value>, SchemaError>,
}

/// The input of a tool without arguments.
#[derive(Debug, Serialize, Deserialize, Type)]
pub(crate) struct NoInput {}

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("a type has no JSON schema: {0}")]
    Type(#[from] specta_jsonschema::Error),
    #[error("the root of a JSON schema is not an object")]
    Root,
}

/// The JSON schema of a type. Its root is the type itself, as MCP clients expect, and named types are in
/// `$defs`.
pub fn json_schema<T: Type>() -> Result<Map<String, Value>, SchemaError> {
    let exporter = JsonSchema::new().allow_additional_properties(true);
    let Value::Object(mut root) = exporter.export_type_value::<T>(JsonFormat)? else {
        return Err(SchemaError::Root);
    };
    // Clients read schemas by the dialect that their revision of the protocol names, and some refuse
    // one that names another.
    root.remove("$schema");
    if let Some(Value::String(path)) = root.remove("$ref") {
        let name = path.strip_prefix("#/$defs/").ok_or(SchemaError::Root)?;
        let definitions = root.get_mut("$defs").and_then(Value::as_object_mut);
        let definition = definitions.and_then(|all| all.remove(name));
        let Some(Value::Object(definition)) = definition else { return Err(SchemaError::Root) };
        root.extend(definition);
        if root.get("$defs").and_then(Value::as_object).is_some_and(Map::is_empty) {
            root.remove("$defs");
        }
    }
    root.values_mut().for_each(tidy);
    root.remove("title");
    Ok(root)
}

/// Takes out what costs an agent's context and says nothing: the names of Rust types, and the spaces
/// that documentation begins with.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            // A field of a view may have the name "title" too; then its value is a schema.
            if fields.get("title").is_some_and(Value::is_string) {
                fields.remove("title");
            }
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = in_terms_of_json(text.trim());
            }
            fields.values_mut().for_each(tidy);
        }
        Value::Array(parts) => parts.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The documentation of a type without the terms of Rust: its `None` is JSON's `null`, and a link is its
/// text.
fn in_terms_of_json(text: &str) -> String {
    let text = text.replace("[`", "`").replace("`]", "`");
    let mut said = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_') {
        let is_start = said.is_empty() || said.ends_with(". ");
        match word.strip_prefix("None") {
            Some(end) if !end.starts_with(|c: char| c.is_alphanumeric() || c == '_') => {
                said.push_str(if is_start { "Null" } else { "null" });
                said.push_str(end);
            }
            _ => said.push_str(word),
        }
    }
    said
}

/// The types as serde writes them, with `number` for the numbers that TypeScript has.
struct JsonFormat;

impl Format for JsonFormat {
    fn map_types(&self, types: &Types) -> Result<Cow<'_, Types>, FormatError> {
        let mut mapped = specta_serde::Format.map_types(types)?.into_owned();
        mapped.iter_mut(|named| named.ty.iter_mut().for_each(replace_numbers));
        Ok(Cow::Owned(mapped))
    }

    fn map_type(&self, types: &Types, of: &DataType) -> Result<Cow<'_, DataType>, FormatError> {
        let mut mapped = specta_serde::Format.map_type(types, of)?.into_owned();
        replace_numbers(&mut mapped);
        Ok(Cow::Owned(mapped))
    }
}

/// Replaces the opaque `Number` of `specta_typescript`, which has no schema of its own.
fn replace_numbers(of: &mut DataType) {
    match of {
        DataType::Reference(Reference::Opaque(_)) => *of = DataType::Primitive(Primitive::f64),
        DataType::Reference(Reference::Named(named)) => match &mut named.inner {
            NamedReferenceType::Inline { dt, .. } => replace_numbers(dt),
            NamedReferenceType::Reference { generics, .. } => {
                generics.iter_mut().for_each(|(_, of)| replace_numbers(of));
            }
            NamedReferenceType::Recursive(_) => {}
        },
        DataType::List(list) => replace_numbers(&mut list.ty),
        DataType::Map(map) => replace_numbers(map.value_ty_mut()),
        DataType::Nullable(inner) => replace_numbers(inner),
        DataType::Struct(of) => replace_numbers_in(&mut of.fields),
        DataType::Enum(of) => {
            of.variants.iter_mut().for_each(|(_, variant)| replace_numbers_in(&mut variant.fields));
        }
        DataType::Tuple(of) => of.elements.iter_mut().for_each(replace_numbers),
        DataType::Intersection(parts) => parts.iter_mut().for_each(replace_numbers),
        DataType::Primitive(_) | DataType::Generic(_) => {}
    }
}

fn replace_numbers_in(fields: &mut Fields) {
    let types: Vec<&mut DataType> = match fields {
        Fields::Unit => Vec::new(),
        Fields::Unnamed(fields) => {
            fields.fields.iter_mut().filter_map(|field| field.ty.as_mut()).collect()
        }
        Fields::Named(fields) => {
            fields.fields.iter_mut().filter_map(|(_, field)| field.ty.as_mut()).collect()
        }
    };
    types.into_iter().for_each(replace_numbers);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::agent_tools;

    #[test]
    fn every_tool_has_schemas_and_its_own_name() {
        let mut names = BTreeSet::new();
        for tool in agent_tools() {
            assert!(names.insert(tool.name), "{} is there twice", tool.name);
            let input =
                (tool.input_schema)().unwrap_or_else(|error| panic!("{}: {error}", tool.name));
            assert_eq!(input.get("type"), Some(&Value::from("object")), "{}", tool.name);
            let output = (tool.output_schema)();
            assert!(output.is_ok(), "{}: {output:?}", tool.name);
        }
        for name in
            ["status", "usage_summary", "run_checks", "list_backends", "explain_route", "ask"]
        {
            assert!(names.contains(name), "{name}");
        }
    }

    #[test]
    fn descriptions_are_in_terms_of_json() {
        let check = |text: &str, told: &str| assert_eq!(in_terms_of_json(text), told);
        check(
            "When it ends; None for never. None if unknown.",
            "When it ends; null for never. Null if unknown.",
        );
        check(
            "`None` for a None_such, at most [`ROWS_MAX`].",
            "`null` for a None_such, at most `ROWS_MAX`.",
        );
        let of_rust =
            ["None ", "None.", "Option<", "Vec<", " u32", " u64", "usize", "struct ", "[`"];
        for tool in agent_tools() {
            let schemas = [(tool.input_schema)(), (tool.output_schema)()];
            for schema in schemas {
                let text = serde_json::to_string(&schema.expect("a schema")).expect("JSON");
                let found: Vec<_> = of_rust.iter().filter(|term| text.contains(*term)).collect();
                assert!(found.is_empty(), "{}: {found:?}", tool.name);
            }
        }
    }

    #[test]
    fn a_schema_says_what_must_be_given() {
        let tool = agent_tools().find(|tool| tool.name == "explain_route").expect("a tool");
        let input = (tool.input_schema)().expect("a schema");
        assert_eq!(input.get("required"), Some(&serde_json::json!(["model"])));
        let usage = agent_tools().find(|tool| tool.name == "usage_summary").expect("a tool");
        let input = (usage.input_schema)().expect("a schema");
        assert_eq!(input.get("required").and_then(Value::as_array).map_or(0, Vec::len), 0);
    }
}
