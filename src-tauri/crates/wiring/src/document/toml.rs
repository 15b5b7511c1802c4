//! TOML, with comments kept.

use domain::redact;
use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, TableLike};

use super::{SyntaxProblem, position_of};

pub(super) struct TomlTree(DocumentMut);

impl TomlTree {
    pub(super) fn parse(text: &str) -> Result<Self, SyntaxProblem> {
        text.parse().map(Self).map_err(|error: toml_edit::TomlError| SyntaxProblem {
            position: error.span().map(|span| position_of(text, span.start)),
            // The message is a rule; should it ever quote the text, no key goes with it.
            what: redact(&format!("is not valid TOML: {}", error.message())).into_owned(),
        })
    }

    pub(super) fn value(&self) -> Value {
        table_value(self.0.as_table())
    }

    pub(super) fn text(&self) -> String {
        self.0.to_string()
    }

    pub(super) fn set(
        &mut self,
        parents: &[String],
        name: &str,
        value: &Value,
    ) -> Result<(), SyntaxProblem> {
        let mut table: &mut dyn TableLike = self.0.as_table_mut();
        let mut inline = false;
        for parent in parents {
            let inner = table.entry(parent).or_insert_with(|| match inline {
                true => Item::Value(InlineTable::new().into()),
                false => Item::Table(implicit_table()),
            });
            inline = inner.is_inline_table();
            let inner = inner.as_table_like_mut();
            table = inner.ok_or_else(|| SyntaxProblem::new(format!("{parent} is no table")))?;
        }
        let mut item = new_item(value, inline);
        if let (Some(new), Some(Item::Value(old))) = (item.as_value_mut(), table.get(name)) {
            *new.decor_mut() = old.decor().clone();
        }
        table.insert(name, item);
        Ok(())
    }

    pub(super) fn remove(&mut self, parents: &[String], name: &str) -> Result<(), SyntaxProblem> {
        let mut item = self.0.as_item_mut();
        for parent in parents {
            match item.as_table_like_mut().and_then(|table| table.get_mut(parent)) {
                Some(inner) => item = inner,
                None => return Ok(()),
            }
        }
        if let Some(table) = item.as_table_like_mut() {
            table.remove(name);
        }
        // Without a header an empty table would vanish from the text, though nobody removed it.
        if let Some(table) = item.as_table_mut().filter(|table| table.is_empty()) {
            table.set_implicit(false);
            table.set_dotted(false);
        }
        Ok(())
    }
}

/// A table that has no header of its own.
fn implicit_table() -> Table {
    let mut table = Table::new();
    table.set_implicit(true);
    table
}

fn new_item(value: &Value, inline: bool) -> Item {
    match value {
        Value::Object(fields) if !inline => {
            let mut table = Table::new();
            for (name, value) in fields {
                table.insert(name, new_item(value, false));
            }
            Item::Table(table)
        }
        _ => new_value(value).map_or(Item::None, Item::Value),
    }
}

/// TOML has no null; a field without a value is left out.
fn new_value(value: &Value) -> Option<toml_edit::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(value) => (*value).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => items.iter().filter_map(new_value).collect::<Array>().into(),
        Value::Object(fields) => {
            let mut table = InlineTable::new();
            for (name, value) in fields {
                if let Some(value) = new_value(value) {
                    table.insert(name, value);
                }
            }
            table.into()
        }
    })
}

fn table_value(table: &dyn TableLike) -> Value {
    Value::Object(table.iter().map(|(name, item)| (name.to_owned(), item_value(item))).collect())
}

fn item_value(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => json_value(value),
        Item::Table(table) => table_value(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table_value(table)).collect(),
    }
}

fn json_value(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(value) => Value::from(*value.value()),
        toml_edit::Value::Datetime(time) => Value::from(time.value().to_string()),
        toml_edit::Value::Array(items) => items.iter().map(json_value).collect(),
        toml_edit::Value::InlineTable(table) => table_value(table),
    }
}
