//! Sums over the usage from session logs.

use std::collections::BTreeMap;

use domain::{NanoUsd, TokenUsage, WallTime};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, Row, params};

use crate::columns::integer_columns::get_count;
use crate::columns::token_columns::{read_tokens, token_columns};
use crate::sessions::session_imports::{self, SessionProblem};

/// Most groups in a [`SessionSummary`]: the newest days, or else those of most value.
pub(crate) const SESSION_GROUPS_MAX: usize = 500;

domain::words! {
    /// Dimension of a report on session logs.
    SessionGroupBy {
        Tool = "tool",
        Model = "model",
        /// The folder that the tool worked in.
        Project = "project",
        Day = "day",
    }
}

#[derive(Debug, Clone)]
pub struct SessionQuery {
    pub from: WallTime,
    /// Exclusive.
    pub to: WallTime,
    pub group_by: SessionGroupBy,
    /// Whose days are counted.
    pub zone: TimeZone,
}

/// Sums over rows that the gateway did not measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionTotals {
    pub answers: u64,
    pub tokens: TokenUsage,
    /// What they would have cost at the providers' prices, as far as that is known.
    pub value: NanoUsd,
    /// Answers without a known price, which are not in `value`.
    pub unpriced: u64,
    /// What the tools say that they cost.
    pub stated: NanoUsd,
    /// Further answers that are in no other sum, because the gateway measured them.
    pub measured: u64,
}

impl std::ops::AddAssign for SessionTotals {
    fn add_assign(&mut self, other: Self) {
        self.answers += other.answers;
        self.tokens += other.tokens;
        self.value += other.value;
        self.unpriced += other.unpriced;
        self.stated += other.stated;
        self.measured += other.measured;
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionSummary {
    /// Ordered by name for days, else by value. '' stands for none.
    pub groups: Vec<(String, SessionTotals)>,
    /// Further groups, past `SESSION_GROUPS_MAX`.
    pub groups_left_out: u64,
    /// Of the further groups together.
    pub rest: SessionTotals,
    pub totals: SessionTotals,
    /// The first of them; see `SESSION_PROBLEMS_MAX`.
    pub problems: Vec<SessionProblem>,
    pub problems_total: u64,
    /// Logs that were read.
    pub files: u64,
}

pub(crate) fn summarize(
    connection: &Connection,
    query: &SessionQuery,
) -> rusqlite::Result<SessionSummary> {
    let group = match query.group_by {
        SessionGroupBy::Tool => "tool",
        SessionGroupBy::Model => "model",
        SessionGroupBy::Project => "project",
        // Every time zone begins its days at a quarter of an hour.
        SessionGroupBy::Day => "CAST(time_ms - time_ms % 900000 AS TEXT)",
    };
    let mut groups = list(connection, query, group)?;
    let mut totals = SessionTotals::default();
    groups.iter().for_each(|(_, sums)| totals += *sums);
    let left_out = if query.group_by == SessionGroupBy::Day {
        groups = fold_days(groups, &query.zone);
        let kept = groups.split_off(groups.len().saturating_sub(SESSION_GROUPS_MAX));
        std::mem::replace(&mut groups, kept)
    } else {
        groups.sort_by_key(|(_, sums)| {
            std::cmp::Reverse((sums.value, sums.tokens.total(), sums.measured))
        });
        groups.split_off(groups.len().min(SESSION_GROUPS_MAX))
    };
    let mut rest = SessionTotals::default();
    left_out.iter().for_each(|(_, sums)| rest += *sums);
    let groups_left_out = u64::try_from(left_out.len()).unwrap_or(u64::MAX);
    let (problems, problems_total) = session_imports::list_problems(connection)?;
    let files = connection.query_row("SELECT count(*) AS files FROM session_files", [], |row| {
        get_count(row, "files")
    })?;
    Ok(SessionSummary { groups, groups_left_out, rest, totals, problems, problems_total, files })
}

/// Sums of quarter hours, named by their start, as days of the zone.
fn fold_days(
    quarters: Vec<(String, SessionTotals)>,
    zone: &TimeZone,
) -> Vec<(String, SessionTotals)> {
    let mut days: BTreeMap<String, SessionTotals> = BTreeMap::new();
    for (start, sums) in quarters {
        let start = start.parse().ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let day = start.map(|start| start.to_zoned(zone.clone()).date().to_string());
        *days.entry(day.unwrap_or_default()).or_default() += sums;
    }
    days.into_iter().collect()
}

fn list(
    connection: &Connection,
    query: &SessionQuery,
    group: &str,
) -> rusqlite::Result<Vec<(String, SessionTotals)>> {
    let counted = |column: &str| format!("sum(iif(measured_by IS NULL, {column}, 0)) AS {column}");
    let tokens: Vec<_> = token_columns().map(counted).collect();
    let sql = format!(
        "SELECT {group} AS name, sum(measured_by IS NULL) AS answers,
          sum(measured_by IS NOT NULL) AS measured,
          sum(measured_by IS NULL AND value_nano_usd IS NULL) AS unpriced,
          sum(iif(measured_by IS NULL, coalesce(value_nano_usd, 0), 0)) AS value,
          sum(iif(measured_by IS NULL, coalesce(stated_nano_usd, 0), 0)) AS stated, {}
         FROM session_usage WHERE time_ms >= ?1 AND time_ms < ?2
         GROUP BY 1 ORDER BY 1",
        tokens.join(", ")
    );
    let read = |row: &Row<'_>| {
        let totals = SessionTotals {
            answers: get_count(row, "answers")?,
            tokens: read_tokens(row)?,
            value: NanoUsd::new(row.get("value")?),
            unpriced: get_count(row, "unpriced")?,
            stated: NanoUsd::new(row.get("stated")?),
            measured: get_count(row, "measured")?,
        };
        Ok((row.get("name")?, totals))
    };
    let range = params![query.from.unix_ms(), query.to.unix_ms()];
    connection.prepare_cached(&sql)?.query_map(range, read)?.collect()
}
