//! The token columns, one for each [`TokenClass`], named alike in requests, attempts and roll-ups.

use domain::{TokenClass, TokenUsage};
use rusqlite::{Row, Statement, ToSql};

use crate::columns::integer_columns::clamp_count;
use crate::columns::statements::execute_with_integers;

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

/// Reads the tokens. A class that is younger than the row is null, which is zero tokens of it.
pub(crate) fn read_tokens(row: &Row<'_>) -> rusqlite::Result<TokenUsage> {
    TokenUsage::try_from_fn(|class| {
        let count: Option<i64> = row.get(class.name())?;
        Ok(count.map_or(0, i64::unsigned_abs))
    })
}
