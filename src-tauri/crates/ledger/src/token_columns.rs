//! The token columns, one for each [`TokenClass`], named alike in requests, attempts and roll-ups.

use domain::{TokenClass, TokenUsage};
use rusqlite::{Row, Statement, ToSql};

use crate::integer_columns::{clamp_count, get_count};
use crate::statements::execute_with_integers;

pub(crate) fn token_columns() -> impl Iterator<Item = &'static str> {
    TokenClass::ALL.iter().map(|class| class.name())
}

/// `columns` and the token columns, in the order of [`execute_with_tokens`].
pub(crate) fn with_token_columns(columns: &[&'static str]) -> Vec<&'static str> {
    columns.iter().copied().chain(token_columns()).collect()
}

/// Executes a statement with `values`, followed by the tokens.
pub(crate) fn execute_with_tokens(
    statement: &mut Statement<'_>,
    values: &[&dyn ToSql],
    usage: Option<&TokenUsage>,
) -> rusqlite::Result<usize> {
    let tokens: Vec<Option<i64>> = TokenClass::ALL
        .iter()
        .map(|class| usage.map(|usage| clamp_count(usage.get(*class))))
        .collect();
    execute_with_integers(statement, values, &tokens)
}

pub(crate) fn read_tokens(row: &Row<'_>) -> rusqlite::Result<TokenUsage> {
    TokenUsage::try_from_fn(|class| get_count(row, class.name()))
}
