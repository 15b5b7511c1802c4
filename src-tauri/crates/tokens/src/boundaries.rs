//! The fitted table: the average number of tokens that begin at a character, given the character
//! before it.
//!
//! `boundaries.txt` has one row for each kind of the preceding character and two hexadecimal digits
//! for each kind of the character itself. `examples/fit.rs` generates it; do not edit it by hand.

use crate::character::KINDS;

/// One whole token, in units of a table cell.
pub(crate) const CELL_PER_TOKEN: u8 = 50;

/// Factor, in percent, on a cell for Latin letters soon after a letter with a diacritic. English
/// hardly uses diacritics, and vocabularies cut the languages that do into more pieces.
pub(crate) const MARKED_PERCENT: u64 = 174;

static CELLS: [[u8; KINDS]; KINDS] = parse(include_bytes!("boundaries.txt"));

/// Tokens that begin at a character of kind `this` after one of kind `before`, in units of
/// [`CELL_PER_TOKEN`]. Exceeds one token where one character has several.
pub(crate) fn cell(before: u8, this: u8) -> u8 {
    let row = CELLS.get(usize::from(before));
    row.and_then(|row| row.get(usize::from(this))).copied().unwrap_or(CELL_PER_TOKEN)
}

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which refuses a wrong place")]
const fn parse(text: &[u8]) -> [[u8; KINDS]; KINDS] {
    const LINE_BYTES: usize = 2 * KINDS + 1;
    assert!(text.len() == KINDS * LINE_BYTES, "boundaries.txt has a row for each kind");
    let mut cells = [[0; KINDS]; KINDS];
    let mut place = 0;
    while place < KINDS * KINDS {
        let (row, column) = (place / KINDS, place % KINDS);
        let digits = row * LINE_BYTES + 2 * column;
        cells[row][column] = nibble(text[digits]) * 16 + nibble(text[digits + 1]);
        place += 1;
    }
    cells
}

#[expect(clippy::panic, reason = "run by the compiler: a wrong file does not build")]
const fn nibble(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => panic!("boundaries.txt has only hexadecimal digits"),
    }
}
