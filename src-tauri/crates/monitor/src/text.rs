//! Durations in words.

use std::time::Duration;

/// Formats a duration in its largest fitting unit: `45 s`, `3 min`, `5 h`, `2 d`.
pub(crate) fn format_duration(length: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match length.as_secs() {
        secs if secs < MINUTE => format!("{secs} s"),
        secs if secs < HOUR => format!("{} min", secs / MINUTE),
        secs if secs < DAY => format!("{} h", secs / HOUR),
        secs => format!("{} d", secs / DAY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_change_unit_at_its_limit() {
        for (secs, text) in
            [(59, "59 s"), (60, "1 min"), (3_599, "59 min"), (3_600, "1 h"), (86_400, "1 d")]
        {
            assert_eq!(format_duration(Duration::from_secs(secs)), text);
        }
    }
}
