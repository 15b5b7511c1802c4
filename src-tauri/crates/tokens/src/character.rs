//! Character kinds that tokenizers treat alike.
//!
//! Each printable ASCII character is a kind of its own, because words, code and data differ by
//! them. For other scripts only the script counts: there a character costs about the same at any
//! position.

pub(crate) const KINDS_COUNT: usize = 111;

/// Line ends; also assumed before the first character of a text.
pub(crate) const NEWLINE: u8 = 95;

/// Latin letters with a diacritic, and the few others that English does not use.
const LATIN_WITH_DIACRITIC: u8 = 98;

/// The kind of a character, always below [`KINDS_COUNT`].
pub(crate) const fn character_kind(character: char) -> u8 {
    match character {
        ' '..='~' => character as u8 - b' ',
        '\n' | '\r' => NEWLINE,
        '\t' => 96,
        '\0'..='\u{1F}' | '\u{7F}' => 97,
        '\u{C0}'..='\u{24F}' | '\u{1E00}'..='\u{1EFF}' => LATIN_WITH_DIACRITIC,
        '\u{370}'..='\u{3FF}' => 99,    // Greek
        '\u{400}'..='\u{52F}' => 100,   // Cyrillic
        '\u{590}'..='\u{8FF}' => 101,   // Hebrew, Arabic and their neighbours
        '\u{900}'..='\u{10FF}' => 102,  // India, Thai and their neighbours
        '\u{3040}'..='\u{30FF}' => 103, // Kana
        '\u{4E00}'..='\u{9FFF}' => 104, // Han, without the rare extensions
        '\u{AC00}'..='\u{D7AF}' => 105, // Hangul
        '\u{3000}'..='\u{303F}' | '\u{FF00}'..='\u{FFEF}' => 106, // punctuation beside Han
        '\u{80}'..='\u{BF}' | '\u{2000}'..='\u{206F}' => 107, // typographic punctuation
        '\u{2070}'..='\u{2FFF}' => 108, // arrows, boxes, other symbols
        '\u{10000}'.. => 109,           // emoji and rare scripts
        _ => 110,
    }
}

/// True for a letter of the Latin script, with or without a diacritic.
pub(crate) const fn is_latin(kind: u8) -> bool {
    (kind + b' ').is_ascii_alphabetic() || has_diacritic(kind)
}

/// True for a Latin letter that English does not use.
pub(crate) const fn has_diacritic(kind: u8) -> bool {
    kind == LATIN_WITH_DIACRITIC
}
