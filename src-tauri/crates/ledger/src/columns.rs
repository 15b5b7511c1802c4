//! How values stand in columns: whole numbers, bounded text, token classes, packed JSON.

pub(crate) mod integer_columns;
pub(crate) mod packed_text;
pub(crate) mod statements;
pub(crate) mod text_columns;
pub(crate) mod token_columns;
