//! Statements made from lists of columns, which are always literals of this program.

use std::borrow::Borrow;

use rusqlite::{Statement, ToSql};

/// An INSERT of one row, with a parameter for each of `columns`.
pub(crate) fn insert_into(table: &str, columns: &[impl Borrow<str>]) -> String {
    let values = vec!["?"; columns.len()].join(", ");
    format!("INSERT INTO {table} ({}) VALUES ({values})", columns.join(", "))
}

/// Executes a statement with `values`, followed by `integers`.
pub(crate) fn execute_with_integers(
    statement: &mut Statement<'_>,
    values: &[&dyn ToSql],
    integers: &[Option<i64>],
) -> rusqlite::Result<usize> {
    let integers = integers.iter().map(|integer| integer as &dyn ToSql);
    let values: Vec<&dyn ToSql> = values.iter().copied().chain(integers).collect();
    statement.execute(values.as_slice())
}
