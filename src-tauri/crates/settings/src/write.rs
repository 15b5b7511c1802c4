//! Writes settings back to the file and touches only what differs: the rest is the user's own text.

mod tables;

use toml_edit::{DocumentMut, Item, Table, TableLike, TomlError, Value};

pub(crate) use self::tables::to_tables;
use crate::Settings;
use crate::finding::{Repair, RepairAction};
use crate::setting::TableFields;

pub(crate) const NEW_FILE_TEXT: &str = "\
# Settings of Gatehouse. You can edit this file; comments and order are kept.
# Keys do not belong here; `gatehouse keys add` puts them into the vault.
version = 1
";

/// Tables with names chosen by the user, whose order matters.
const NAMED: [&str; 7] =
    ["credentials", "backends", "routes", "clients", "views", "pins", "budgets"];

/// The two forms of a backend's keys; the file may have only one of them.
const KEY_SPELLINGS: [&str; 2] = ["credential", "credentials"];

/// Changes `text`, which contains `before`, so that it contains `after`.
pub(crate) fn rewrite(
    text: &str,
    before: &Settings,
    after: &Settings,
) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    let root = document.as_table_mut();
    let (old, new) = (to_tables(before), to_tables(after));
    for path in old.keys().filter(|path| !new.contains_key(*path)) {
        if let [parent, name] = path.as_slice()
            && let Some(parent) = root.get_mut(parent).and_then(Item::as_table_like_mut)
        {
            parent.remove(name);
        }
    }
    let nothing = TableFields::new();
    for (path, fields) in &new {
        write_fields(root, path, old.get(path).unwrap_or(&nothing), fields);
    }
    for name in NAMED {
        let order: Vec<&String> = new
            .keys()
            .filter(|path| path[..].first().is_some_and(|first| first == name))
            .filter_map(|path| path.get(1))
            .collect();
        if let Some(parent) = root.get_mut(name) {
            reorder(parent, &order);
        }
    }
    Ok(keep_line_ends(text, document.to_string()))
}

/// `text` with all repairs applied.
pub(crate) fn apply_repairs(text: &str, repairs: &[Repair]) -> Result<String, TomlError> {
    let mut document: DocumentMut = text.parse()?;
    // Fields before their tables, since a rename changes the path of what is inside.
    let mut repairs: Vec<&Repair> = repairs.iter().collect();
    repairs.sort_by_key(|repair| std::cmp::Reverse(repair.path.len()));
    for Repair { path, action } in repairs {
        let Some((name, parents)) = path.split_last() else { continue };
        let parent = parents.iter().try_fold(document.as_item_mut(), |item, name| {
            item.as_table_like_mut().and_then(|table| table.get_mut(name))
        });
        let Some(parent) = parent else { continue };
        match action {
            RepairAction::Set(value) => {
                if let Some(table) = parent.as_table_like_mut() {
                    set(table, name, value.clone());
                }
            }
            RepairAction::Rename(new) => rename(parent, name, new),
            RepairAction::SetAt { place, field, value } => {
                let list = parent.as_table_like_mut().and_then(|table| table.get_mut(name));
                list.into_iter().for_each(|list| set_at(list, *place, field, value.clone()));
            }
        }
    }
    Ok(keep_line_ends(text, document.to_string()))
}

/// Keeps the line ends of a Windows editor: the TOML library writes its own.
fn keep_line_ends(text: &str, written: String) -> String {
    if text.contains("\r\n") {
        written.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        written
    }
}

fn write_fields(root: &mut Table, path: &[String], old: &TableFields, new: &TableFields) {
    let is_changed = |name: &str| match (old.get(name), new.get(name)) {
        (Some(old), Some(new)) => old.to_string() != new.to_string(),
        (old, new) => old.is_some() != new.is_some(),
    };
    let mut names: Vec<&str> =
        new.keys().chain(old.keys()).copied().filter(|name| is_changed(name)).collect();
    // The file may have the other form than the one we write.
    if names.iter().any(|name| KEY_SPELLINGS.contains(name)) {
        names.extend(KEY_SPELLINGS);
    }
    let [parents @ .., last] = path else { return };
    if names.is_empty() {
        return;
    }
    let mut table: &mut dyn TableLike = root;
    for name in parents {
        let mut implicit = Table::new();
        implicit.set_implicit(true);
        let item = table.entry(name).or_insert(Item::Table(implicit));
        let Some(inner) = item.as_table_like_mut() else { return };
        table = inner;
    }
    if !table.contains_key(last) {
        table.insert(last, Item::Table(Table::new()));
    }
    let Some(table) = table.get_mut(last).and_then(Item::as_table_like_mut) else { return };
    for name in names {
        match new.get(name) {
            Some(value) => set(table, name, value.clone()),
            None => drop(table.remove(name)),
        }
    }
}

/// Sets a value and keeps the comment behind an existing one.
fn set(table: &mut dyn TableLike, name: &str, value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(existing) => {
            if !append_entries(existing, &value) {
                replace(existing, value);
            }
        }
        None => drop(table.insert(name, Item::Value(value))),
    }
}

fn set_at(list: &mut Item, place: usize, field: &str, value: Value) {
    match list {
        Item::ArrayOfTables(tables) => {
            if let Some(table) = tables.get_mut(place) {
                set(table, field, value);
            }
        }
        Item::Value(Value::Array(values)) => match values.get_mut(place) {
            Some(Value::InlineTable(table)) => set(table, field, value),
            Some(plain) => replace(plain, value),
            None => {}
        },
        _ => {}
    }
}

fn replace(existing: &mut Value, mut value: Value) {
    *value.decor_mut() = existing.decor().clone();
    *existing = value;
}

/// Appends to a list, which keeps the comments inside it; `false` if `new` does not start with the
/// existing entries. A list with removed entries is rewritten, because their comments cannot be
/// told from those of their neighbours.
fn append_entries(existing: &mut Value, new: &Value) -> bool {
    let (Some(list), Some(new)) = (existing.as_array_mut(), new.as_array()) else { return false };
    let known = list.len();
    let same = list.iter().zip(new).all(|(old, new)| are_equal(old, new));
    if known > new.len() || !same {
        return false;
    }
    new.iter().skip(known).for_each(|value| list.push(value.clone()));
    true
}

/// True if two values are equal, however they are written.
fn are_equal(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.value() == other.value(),
        (Value::Integer(one), Value::Integer(other)) => one.value() == other.value(),
        (Value::InlineTable(one), Value::InlineTable(other)) => {
            let same =
                |(name, value)| other.get(name).is_some_and(|theirs| are_equal(value, theirs));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => false,
    }
}

fn names_of(item: &Item) -> Vec<String> {
    let table = item.as_table_like();
    table.map(|table| table.iter().map(|(name, _)| name.to_owned()).collect()).unwrap_or_default()
}

/// Renames in place, including comments.
fn rename(parent: &mut Item, name: &str, new: &str) {
    let mut order = names_of(parent);
    let Some(table) = parent.as_table_like_mut() else { return };
    let decor = table.key(name).map(|key| key.leaf_decor().clone());
    let Some(item) = table.remove(name) else { return };
    table.insert(new, item);
    if let (Some(decor), Some(mut key)) = (decor, table.key_mut(new)) {
        *key.leaf_decor_mut() = decor;
    }
    order.iter_mut().filter(|known| *known == name).for_each(|known| new.clone_into(known));
    sort(parent, &order.iter().collect::<Vec<_>>());
}

/// Sorts the entries of a table by `order`; other entries come last.
fn reorder(parent: &mut Item, order: &[&String]) {
    let names = names_of(parent);
    let present: Vec<&String> = names.iter().filter(|name| order.contains(name)).collect();
    if present == order {
        return;
    }
    sort(parent, order);
    // A table's position decides where it is printed: all move to the position of the first.
    let Some(table) = parent.as_table_like_mut() else { return };
    let mut first = None;
    for (_, item) in table.iter_mut() {
        clear_positions(item, &mut first);
    }
    let mut tables = table.iter_mut().filter_map(|(_, item)| item.as_table_mut());
    if let Some(table) = tables.next() {
        table.set_position(first);
    }
}

fn clear_positions(item: &mut Item, first: &mut Option<isize>) {
    let Item::Table(table) = item else { return };
    let position = table.position();
    *first = [*first, position].into_iter().flatten().min();
    table.set_position(None);
    table.iter_mut().for_each(|(_, inner)| clear_positions(inner, first));
}

fn sort(parent: &mut Item, order: &[&String]) {
    let rank = |name: &str| order.iter().position(|known| *known == name).unwrap_or(order.len());
    match parent {
        Item::Table(table) => table.sort_values_by(|a, _, b, _| rank(a).cmp(&rank(b))),
        Item::Value(Value::InlineTable(table)) => {
            table.sort_values_by(|a, _, b, _| rank(a).cmp(&rank(b)));
        }
        _ => {}
    }
}
