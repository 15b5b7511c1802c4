//! Which statements took long, and how long reads waited for a connection.
//!
//! SQLite times each statement itself and calls a plain function, which has no state. So each thread
//! knows the list of the ledger that it works for. The text of a statement holds parameters instead
//! of values, because values are always bound.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::one_line;
use parking_lot::Mutex;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

/// A statement that takes this long is slow.
pub const SLOW_STATEMENT: Duration = Duration::from_millis(100);
/// Most statements that are listed; the one with the least worst time makes room.
pub(crate) const SLOW_STATEMENTS_KEPT_MAX: usize = 20;
/// Longest text of a statement, in characters.
const STATEMENT_CHARS_MAX: usize = 2_000;
/// Most lines of a plan.
const PLAN_LINES_MAX: usize = 40;

thread_local! {
    static LIST: RefCell<Weak<SlowStatements>> = const { RefCell::new(Weak::new()) };
}

/// A statement that was slow at least once since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowStatement {
    /// One line, with parameters instead of values.
    pub text: String,
    /// How often it was slow.
    pub count: u64,
    pub worst: Duration,
    /// How SQLite would run it now, one line per step, indented by depth; empty for a statement that
    /// has none, such as COMMIT.
    pub plan: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct SlowStatements {
    found: Mutex<Found>,
}

#[derive(Debug, Default)]
struct Found {
    /// Also of statements that are not listed any more.
    count: u64,
    listed: BTreeMap<String, (u64, Duration)>,
}

impl SlowStatements {
    /// From now on the statements of this thread are listed here.
    pub(crate) fn watch_thread(self: &Arc<Self>) {
        LIST.with_borrow_mut(|list| *list = Arc::downgrade(self));
    }

    /// How often a statement was slow since the start.
    pub(crate) fn count(&self) -> u64 {
        self.found.lock().count
    }

    /// The slowest first, each with its plan of this moment.
    pub(crate) fn list(&self, connection: &Connection) -> Vec<SlowStatement> {
        let mut listed: Vec<SlowStatement> = self
            .found
            .lock()
            .listed
            .iter()
            .map(|(text, (count, worst))| SlowStatement {
                text: text.clone(),
                count: *count,
                worst: *worst,
                plan: Vec::new(),
            })
            .collect();
        listed.sort_by_key(|statement| std::cmp::Reverse(statement.worst));
        for statement in &mut listed {
            // A statement whose text was cut, or whose table is gone, has no plan.
            statement.plan = query_plan(connection, &statement.text).unwrap_or_default();
        }
        listed
    }

    fn add(&self, text: &str, taken: Duration) {
        // Checks of the whole file take long by their nature.
        if taken < SLOW_STATEMENT || text.trim_start().starts_with("PRAGMA") {
            return;
        }
        let text = one_line(text, STATEMENT_CHARS_MAX);
        let mut found = self.found.lock();
        found.count += 1;
        let (count, worst) = found.listed.entry(text).or_default();
        *count += 1;
        *worst = taken.max(*worst);
        while found.listed.len() > SLOW_STATEMENTS_KEPT_MAX {
            let least = found.listed.iter().min_by_key(|(_, (_, worst))| *worst);
            let Some(least) = least.map(|(text, _)| text.clone()) else { return };
            found.listed.remove(&least);
        }
    }
}

/// Times the statements of a connection for the list of the thread that runs them.
pub(crate) fn time_statements(connection: &Connection) {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(record));
}

fn record(event: TraceEvent<'_>) {
    let TraceEvent::Profile(statement, taken) = event else { return };
    if taken < SLOW_STATEMENT {
        return;
    }
    if let Some(list) = LIST.with_borrow(Weak::upgrade) {
        list.add(&statement.sql(), taken);
    }
}

/// Parameters are NULL in a plan, which does not change it.
fn query_plan(connection: &Connection, text: &str) -> rusqlite::Result<Vec<String>> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {text}"))?;
    let mut rows = explain.raw_query();
    let (mut depths, mut lines): (BTreeMap<i64, usize>, Vec<String>) = Default::default();
    while let Some(row) = rows.next()? {
        let (id, parent, detail): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let depth = depths.get(&parent).map_or(0, |depth| depth + 1);
        depths.insert(id, depth);
        if lines.len() < PLAN_LINES_MAX {
            lines.push(format!("{}{detail}", "  ".repeat(depth)));
        }
    }
    Ok(lines)
}

/// How long reads waited for one of the connections since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReaderWaits {
    pub reads: u64,
    /// Reads that found every connection in use.
    pub waited: u64,
    pub longest: Duration,
}

impl ReaderWaits {
    pub(crate) fn add(&mut self, wait: Option<Duration>) {
        self.reads += 1;
        if let Some(wait) = wait {
            self.waited += 1;
            self.longest = self.longest.max(wait);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_statement_counts_from_the_limit_on_and_the_slowest_stay() {
        let list = SlowStatements::default();
        list.add("SELECT\n  1", MS(99));
        assert_eq!(list.count(), 0);
        list.add("SELECT\n  1", MS(100));
        list.add("SELECT 1", MS(300));
        list.add("PRAGMA quick_check(1)", MS(9_000));
        let connection = Connection::open_in_memory().expect("a database");
        let listed = list.list(&connection);
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!((listed[0].text.as_str(), listed[0].count), ("SELECT 1", 2));
        assert_eq!(listed[0].worst, MS(300));
        for number in 0..SLOW_STATEMENTS_KEPT_MAX {
            list.add(&format!("SELECT {number}, ?"), MS(400));
        }
        let listed = list.list(&connection);
        assert_eq!(listed.len(), SLOW_STATEMENTS_KEPT_MAX);
        assert!(listed.iter().all(|statement| statement.worst == MS(400)), "the least made room");
        assert_eq!(list.count(), 22, "what is not listed any more still counts");
    }

    #[test]
    fn the_hook_lists_a_slow_statement_with_its_plan_and_no_value() {
        let list = Arc::new(SlowStatements::default());
        list.watch_thread();
        let connection = Connection::open_in_memory().expect("a database");
        time_statements(&connection);
        connection.execute_batch("CREATE TABLE word (text TEXT)").expect("created");
        let slow = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                    SELECT count(*) FROM n LEFT JOIN word ON word.text = ?2";
        let mut steps = 1_000_000_i64;
        while list.count() == 0 {
            let values = (steps, "MARKED-VALUE");
            let count: i64 = connection.query_row(slow, values, |row| row.get(0)).expect("counted");
            assert_eq!(count, steps);
            steps *= 2;
        }
        let listed = list.list(&connection);
        let [statement] = listed.as_slice() else { panic!("{listed:?}") };
        assert!(statement.text.starts_with("WITH RECURSIVE n(i)") && statement.text.contains("?2"));
        assert!(!format!("{statement:?}").contains("MARKED-VALUE"));
        assert!(statement.plan.iter().any(|line| line.contains("SCAN n")), "{:?}", statement.plan);
    }
}
