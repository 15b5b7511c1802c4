//! Logs refusals: the first at once, then one line with a count per interval. A flood of ten
//! thousand a second does not fill the disk and still shows in the log.

use std::collections::HashMap;
use std::time::Duration;

use domain::Moment;
use parking_lot::Mutex;

/// Interval in which equal refusals are counted for one line.
const COUNTED_FOR: Duration = Duration::from_secs(30);

/// Counts refusals by code and route. Both come from fixed sets of this program, so the map stays
/// small.
#[derive(Debug, Default)]
pub(crate) struct RefusalLog {
    counted: Mutex<HashMap<(&'static str, &'static str), RefusalCount>>,
}

#[derive(Debug)]
struct RefusalCount {
    since: Moment,
    count: u64,
}

#[derive(Debug, PartialEq, Eq)]
struct RefusalLine {
    code: &'static str,
    route: &'static str,
    count: u64,
}

impl RefusalLog {
    /// Logs the first refusal of its kind, and counts the following ones.
    pub(crate) fn note(&self, code: &'static str, route: &'static str, now: Moment) {
        if let Some(line) = self.record(code, route, now) {
            line.log();
        }
    }

    /// Logs the counts that are [`COUNTED_FOR`] old.
    pub(crate) fn log_counted(&self, now: Moment) {
        for line in self.due_lines(now) {
            line.log();
        }
    }

    fn record(&self, code: &'static str, route: &'static str, now: Moment) -> Option<RefusalLine> {
        let mut counted = self.counted.lock();
        if let Some(counted) = counted.get_mut(&(code, route)) {
            counted.count = counted.count.saturating_add(1);
            return None;
        }
        counted.insert((code, route), RefusalCount { since: now, count: 0 });
        Some(RefusalLine { code, route, count: 1 })
    }

    /// Takes the lines whose interval is over. Forgets a kind that was not refused again within it.
    fn due_lines(&self, now: Moment) -> Vec<RefusalLine> {
        let mut lines = Vec::new();
        self.counted.lock().retain(|&(code, route), counted| {
            if now.since(counted.since) < COUNTED_FOR {
                return true;
            }
            let count = std::mem::take(&mut counted.count);
            counted.since = now;
            if count > 0 {
                lines.push(RefusalLine { code, route, count });
            }
            count > 0
        });
        lines
    }
}

impl RefusalLine {
    fn log(&self) {
        let Self { code, route, count } = self;
        match count {
            1 => tracing::info!(code, route, "a request was refused"),
            _ => tracing::info!(code, route, count, "requests were refused"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_secs(seconds)
    }

    #[test]
    fn a_flood_is_one_line_and_then_one_for_each_interval() {
        let log = RefusalLog::default();
        let line = |count| RefusalLine { code: "missing_token", route: "/v1/models", count };
        let knock = |now| log.record("missing_token", "/v1/models", now);
        assert_eq!(knock(at(0)), Some(line(1)));
        for _ in 0..100_000 {
            assert_eq!(knock(at(1)), None);
        }
        assert_eq!(log.due_lines(at(29)), []);
        assert_eq!(log.due_lines(at(30)), [line(100_000)]);
        assert_eq!(knock(at(31)), None, "still the same flood");
        assert_eq!(log.due_lines(at(60)), [line(1)]);
        assert_eq!(log.due_lines(at(90)), []);
        assert_eq!(knock(at(91)), Some(line(1)), "a new one is seen at once");
    }

    #[test]
    fn each_kind_is_counted_by_itself() {
        let log = RefusalLog::default();
        for (code, route) in [("missing_token", "/"), ("missing_token", "unknown"), ("x", "/")] {
            assert!(log.record(code, route, at(0)).is_some(), "{code} {route}");
        }
    }
}
