//! Measures what dashboards ask: `dashboards PATH [ZONE]`, on a ledger of the example `fill`.
//!
//! Prints the time until all hours are folded, and each question over the ranges that the panel
//! offers.

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of its own")]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::{BudgetDimension, Clock, DAY_MS, SystemClock, WallTime};
use jiff::tz::TimeZone;
use ledger::{
    BucketWidth, CrossQuery, DimensionFilter, GroupBy, LatencyGroupBy, Ledger, LedgerError,
    UsageQuery,
};

/// Times that each question is asked.
const ROUNDS: usize = 20;

/// The panel's ranges in days; the first begins at midnight.
const RANGES: [(&str, i64); 5] =
    [("today", 1), ("7 d", 7), ("30 d", 30), ("90 d", 90), ("365 d", 365)];

/// A range, with the steps that the panel shows it in.
struct Range {
    from: WallTime,
    to: WallTime,
    bucket: BucketWidth,
    zone: TimeZone,
}

impl Range {
    fn query(&self, group_by: GroupBy) -> Result<UsageQuery, Box<dyn Error>> {
        Ok(UsageQuery::new(self.from, self.to, self.bucket, &self.zone, group_by)?)
    }

    /// The range before, as long.
    fn previous(&self) -> Self {
        let from = WallTime::from_unix_ms(2 * self.from.unix_ms() - self.to.unix_ms());
        Self { from, to: self.from, bucket: self.bucket, zone: self.zone.clone() }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: dashboards PATH [ZONE]")?;
    let zone = std::env::args().nth(2).unwrap_or_else(|| "Europe/Berlin".to_owned());
    let zone = TimeZone::get(&zone)?;
    let opened = Instant::now();
    let ledger = Ledger::open(Path::new(&path))?;
    println!("opened in {:.1?}, {} MB", opened.elapsed(), ledger.size_bytes() / 1_000_000);
    ledger.wait_until_folded().await;
    println!("folded after {:.1?}", opened.elapsed());
    let now = SystemClock::new().wall();
    for (name, days) in RANGES {
        let from = match days {
            1 => now.day_start(),
            days => now.minus_ms(days * DAY_MS),
        };
        let bucket = if days == 1 { BucketWidth::Hour } else { BucketWidth::Day };
        let range = Range { from, to: now, bucket, zone: zone.clone() };
        println!("{name}");
        sums(&ledger, &range).await?;
        crossed(&ledger, &range).await?;
        others(&ledger, &range).await?;
    }
    Ok(())
}

async fn sums(ledger: &Ledger, range: &Range) -> Result<(), Box<dyn Error>> {
    for group_by in GroupBy::ALL {
        let query = range.query(*group_by)?;
        measure(&format!("by {}", group_by.word()), || ledger.usage(query.clone())).await?;
    }
    let (query, before) = (range.query(GroupBy::Model)?, range.previous().query(GroupBy::Model)?);
    measure("compared", || async {
        ledger.usage(query.clone()).await?;
        ledger.usage(before.clone()).await
    })
    .await?;
    for (by, name) in [
        (GroupBy::Client, "agent"),
        (GroupBy::Backend, "openai"),
        (GroupBy::Project, "website"),
        (GroupBy::Model, "gpt-5-mini"),
    ] {
        let query = range.query(GroupBy::Model)?.filter(filter(by, name));
        measure(&format!("of a {}", by.word()), || ledger.usage(query.clone())).await?;
    }
    let both = [(GroupBy::Client, "agent".to_owned()), (GroupBy::Project, "website".to_owned())];
    let query = range.query(GroupBy::Backend)?.filter(both.into_iter().collect());
    measure("of a client and a project", || ledger.usage(query.clone())).await
}

async fn crossed(ledger: &Ledger, range: &Range) -> Result<(), Box<dyn Error>> {
    let none = DimensionFilter::default();
    for (rows, columns, filter) in [
        (GroupBy::Project, GroupBy::Model, none.clone()),
        (GroupBy::Client, GroupBy::Backend, none.clone()),
        (GroupBy::Route, GroupBy::Credential, none),
        (GroupBy::Project, GroupBy::Model, filter(GroupBy::Client, "agent")),
    ] {
        let of = if filter.is_empty() { "" } else { ", of a client" };
        let name = format!("{} by {}{of}", rows.word(), columns.word());
        let query = CrossQuery::new(range.from, range.to, (rows, columns), filter)?;
        measure(&name, || ledger.usage_cross(query.clone())).await?;
    }
    Ok(())
}

async fn others(ledger: &Ledger, range: &Range) -> Result<(), Box<dyn Error>> {
    let Range { from, to, .. } = *range;
    let of_client = filter(GroupBy::Client, "agent");
    for (name, filter) in
        [("heatmap", DimensionFilter::default()), ("heatmap of a client", of_client)]
    {
        measure(name, || ledger.usage_by_hour(from, to, filter.clone())).await?;
    }
    let steps = range.query(GroupBy::Backend)?;
    for group_by in LatencyGroupBy::ALL {
        let name = format!("latency by {}", group_by.word());
        measure(&name, || ledger.latencies(steps.clone(), *group_by, None)).await?;
    }
    let model = || Some("gpt-5-mini".to_owned());
    measure("latency of a model", || {
        ledger.latencies(steps.clone(), LatencyGroupBy::Model, model())
    })
    .await?;
    measure("failures", || ledger.failed_attempts(from, to)).await?;
    measure("meters", || ledger.meter_totals(from, to)).await?;
    measure("bypasses", || ledger.cache_bypasses(from, to)).await?;
    // A statement has whole days.
    let (first, last) = (from.day_start(), to.day_start());
    measure("statement", || ledger.statement_rows(first, last, None)).await?;
    let project = || Some("website".to_owned());
    measure("statement of a project", || ledger.statement_rows(first, last, project())).await?;
    measure("spend", || ledger.spend(from, to)).await?;
    let scope = || Some((BudgetDimension::Client, "agent".to_owned()));
    measure("spend of a client", || ledger.spend_in(scope(), from, to)).await
}

fn filter(by: GroupBy, name: &str) -> DimensionFilter {
    [(by, name.to_owned())].into_iter().collect()
}

async fn measure<T, F>(name: &str, ask: impl Fn() -> F) -> Result<(), Box<dyn Error>>
where
    F: Future<Output = Result<T, LedgerError>>,
{
    let mut took = Vec::new();
    for _ in 0..ROUNDS {
        let asked = Instant::now();
        ask().await?;
        took.push(asked.elapsed());
    }
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
    let mark = if at(95) > Duration::from_millis(50) { "  <-- over 50 ms" } else { "" };
    println!("  {name:<28} p50 {:>9.1?} p95 {:>9.1?}{mark}", at(50), at(95));
    Ok(())
}
