//! Options whose value is a time span: until now, or from now.

/// Parses a time span such as `90m`, `12h`, `7d` or `4w` into milliseconds.
pub(crate) fn parse_span_ms(text: &str) -> Result<i64, String> {
    let span = control::parse_span(text).and_then(|span| i64::try_from(span.as_millis()).ok());
    span.ok_or_else(|| format!("{text:?} is not a time span; write it like 90m, 12h, 7d or 4w"))
}
