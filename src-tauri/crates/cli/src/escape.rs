//! Escapes untrusted text before it reaches a terminal.
//!
//! Model names, error messages and finish reasons come from upstreams. A control character in them
//! could clear the screen, change the window title, or make one row look like another; a
//! bidirectional mark could reverse a sentence. All of them are printed as escape sequences.

use std::borrow::Cow;

/// Replaces each control and bidirectional character in `text` with its escape, such as `\u{1b}`.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(is_active) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            active if is_active(active) => shown.extend(active.escape_unicode()),
            plain => shown.push(plain),
        }
    }
    Cow::Owned(shown)
}

/// The same for JSON text: replaces such characters with `\u001b` escapes, so that its value stays
/// the same. Apart from line ends they can occur only inside JSON strings.
pub(crate) fn escape_json(json: &str) -> Cow<'_, str> {
    let left_alone = |character: char| is_active(character) && character != '\n';
    if !json.contains(left_alone) {
        return Cow::Borrowed(json);
    }
    let mut shown = String::with_capacity(json.len() + 8);
    for character in json.chars() {
        if left_alone(character) {
            shown.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Control characters (C0, DEL, C1), characters that change the text direction (Unicode's
/// `Bidi_Control`), and line breaks.
fn is_active(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_written_out() {
        let check = |text: &str, shown: &str| assert_eq!(escape(text), shown);
        check("plain ünïcode ●", "plain ünïcode ●");
        check("\u{1b}[2Jgone", "\\u{1b}[2Jgone");
        check("\u{9b}31m", "\\u{9b}31m");
        check("two\r\nlines\tand\u{7f}", "two\\r\\nlines\\tand\\u{7f}");
        check("abc\u{202e}cba", "abc\\u{202e}cba");
        assert!(matches!(escape("nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn json_keeps_its_meaning() {
        let hostile = "\u{9b}31m \u{7f} \u{202e} \u{1b} ü";
        let json = serde_json::to_string_pretty(&vec![hostile]).expect("JSON");
        let shown = escape_json(&json);
        assert!(!shown.contains(|c: char| is_active(c) && c != '\n'), "{shown:?}");
        let back: Vec<String> = serde_json::from_str(&shown).expect("still JSON");
        assert_eq!(back, [hostile]);
    }
}
