//! CSV cells that no spreadsheet runs.

use std::borrow::Cow;

/// What a text begins with that a spreadsheet would run as a formula.
pub const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// Puts an apostrophe before a text that a spreadsheet would run as a formula (OWASP, "CSV
/// injection"). Model names come from other people's servers.
#[must_use]
pub fn guard_formula(text: &str) -> Cow<'_, str> {
    match text.starts_with(FORMULA_STARTS) {
        true => Cow::Owned(format!("'{text}")),
        false => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_a_text_and_a_text_stays() {
        for formula in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"] {
            assert_eq!(guard_formula(formula), format!("'{formula}"));
        }
        assert_eq!(guard_formula("gpt-6=x"), "gpt-6=x");
    }
}
