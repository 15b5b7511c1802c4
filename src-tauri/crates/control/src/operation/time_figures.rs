//! Times as the views and their sentences have them.

use std::time::Duration;

use domain::format_seconds;

pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// `612 ms`; from a second on `4.2 s`.
pub(super) fn latency_text(latency: Duration) -> String {
    match latency.as_millis() {
        ms @ ..1_000 => format!("{ms} ms"),
        _ => format_seconds(latency),
    }
}
