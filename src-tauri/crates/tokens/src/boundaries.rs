//! The fitted table: the average number of tokens that begin at a character, given the character
//! before it.
//!
//! `boundaries.txt` has one row for each kind of the preceding character and two hexadecimal digits
//! for each kind of the character itself. `examples/fit.rs` generates it; do not edit it by hand.

use crate::character::KINDS_COUNT;

/// One whole token, in units of a table cell.
pub(crate) const CELLS_PER_TOKEN: u8 = 50;

/// Factor, in percent, on a cell for Latin letters soon after a letter with a diacritic. English
/// hardly uses diacritics, and vocabularies cut the languages that do into more pieces.
pub(crate) const DIACRITIC_PERCENT: u64 = 174;

static CELLS: [[u8; KINDS_COUNT]; KINDS_COUNT] = parse_table(include_bytes!("boundaries.txt"));

/// Tokens that begin at a character of kind `this` after one of kind `before`, in units of
/// [`CELLS_PER_TOKEN`]. Exceeds one token where one character has several.
pub(crate) fn cells_at_boundary(before: u8, this: u8) -> u8 {
    let row = CELLS.get(usize::from(before));
    row.and_then(|row| row.get(usize::from(this))).copied().unwrap_or(CELLS_PER_TOKEN)
}

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which refuses a wrong place")]
const fn parse_table(text: &[u8]) -> [[u8; KINDS_COUNT]; KINDS_COUNT] {
    const LINE_BYTES: usize = 2 * KINDS_COUNT + 1;
    assert!(text.len() == KINDS_COUNT * LINE_BYTES, "boundaries.txt has a row for each kind");
    let mut cells = [[0; KINDS_COUNT]; KINDS_COUNT];
    let mut place = 0;
    while place < KINDS_COUNT * KINDS_COUNT {
        let (row, column) = (place / KINDS_COUNT, place % KINDS_COUNT);
        let digits = row * LINE_BYTES + 2 * column;
        cells[row][column] = parse_hex_digit(text[digits]) * 16 + parse_hex_digit(text[digits + 1]);
        place += 1;
    }
    cells
}

#[expect(clippy::panic, reason = "run by the compiler: a wrong file does not build")]
const fn parse_hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("boundaries.txt has only hexadecimal digits"),
    }
}
