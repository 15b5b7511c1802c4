//! The panic message: short and redacted.

use std::io::Write;
use std::panic::PanicHookInfo;

/// Replaces Rust's panic hook, which would print the panic's payload unredacted.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map_or_else(String::new, |place| format!(" ({place})"));
        // If standard error is closed, there is nowhere else to report.
        let _ = write!(anstream::stderr(), "{}", format_panic_message(panic_payload(info), &place));
    }));
}

fn panic_payload<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload_as_str().unwrap_or("no details")
}

fn format_panic_message(said: &str, place: &str) -> String {
    let said = domain::redact(said);
    let said = crate::escape::escape(&said);
    format!(
        "error: gatehouse crashed: {said}{place}\n\
         hint: This is a bug in Gatehouse. Please report it with the line above.\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_a_panic_is_not_printed() {
        let told =
            format_panic_message("no header for sk-CANARY-0123456789\u{1b}[2J", " (a.rs:1:1)");
        assert!(
            told.starts_with("error: gatehouse crashed: no header for sk-…\\u{1b}[2J (a.rs:1:1)\n")
        );
        assert!(told.contains("hint: "));
    }
}
