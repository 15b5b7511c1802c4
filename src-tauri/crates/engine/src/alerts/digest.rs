//! The digest: when it is due, and what it says.

use alerts::AlertRule;
use domain::{DigestPeriod, ShownCurrency, WallTime, count_noun, group_digits, list_names};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use ledger::{AlertQuery, AlertRow, GroupBy, Ledger, LedgerError, UsageQuery};

/// Most alerts that are named.
const TITLES_MAX: usize = 5;
/// Most alerts that are counted.
const ALERTS_MAX: usize = 1_000;

/// The last moment up to `now` at which a digest was to be made; `None` if there is none.
pub(crate) fn last_due(
    period: DigestPeriod,
    hour: u32,
    now: WallTime,
    zone: &TimeZone,
) -> Option<WallTime> {
    let now = Timestamp::from_millisecond(now.unix_ms()).ok()?.to_zoned(zone.clone());
    let hour = i8::try_from(hour).ok()?;
    let at_hour = |day: &Zoned| day.date().at(hour, 0, 0, 0).to_zoned(zone.clone()).ok();
    let days_back = match period {
        DigestPeriod::Off => return None,
        DigestPeriod::Daily => 0,
        DigestPeriod::Weekly => i64::from(now.weekday().since(Weekday::Monday)),
    };
    let length = if period == DigestPeriod::Daily { 1 } else { 7 };
    let day = now.checked_sub(days_back.days()).ok()?;
    let mut due = at_hour(&day)?;
    if due > now {
        due = at_hour(&day.checked_sub(i64::from(length).days()).ok()?)?;
    }
    Some(WallTime::from_unix_ms(due.timestamp().as_millisecond()))
}

/// Title and body about the time from `from` to `to`.
pub(crate) async fn digest_text(
    ledger: &Ledger,
    (from, to): (WallTime, WallTime),
    shown: ShownCurrency,
) -> Result<(String, String), LedgerError> {
    let query = AlertQuery { limit: ALERTS_MAX, ..AlertQuery::default() };
    let all = ledger.alerts(query).await?;
    let own: Vec<&AlertRow> = all
        .iter()
        .filter(|row| row.fired >= from && row.fired < to && row.rule != AlertRule::Digest.word())
        .collect();
    let open = all.iter().filter(|row| row.ended.is_none()).count();
    let title = match (own.len(), open) {
        (0, 0) => "Digest: no alert".to_owned(),
        (fired, open) => {
            format!("Digest: {} fired, {open} open", count_noun(fired as u64, "alert"))
        }
    };
    let mut lines = Vec::new();
    if !own.is_empty() {
        let titles = own.iter().map(|row| row.title.clone());
        lines.push(format!("Alerts: {}.", list_names(titles, TITLES_MAX)));
    }
    if let Ok(query) = UsageQuery::whole(from, to, GroupBy::Backend) {
        let usage = ledger.usage(query).await?;
        let (mut requests, mut failed, mut unpriced) = (0, 0, 0);
        let mut cost = domain::NanoUsd::ZERO;
        for (_, totals) in &usage.groups {
            requests += totals.requests;
            failed += totals.failed;
            unpriced += totals.unpriced_requests;
            cost += totals.cost;
        }
        let mut line = format!(
            "Requests: {}, {} failed. Known cost: {}",
            group_digits(requests),
            group_digits(failed),
            shown.format(cost)
        );
        line.push_str(&match unpriced {
            0 => ".".to_owned(),
            number => format!("; {} without a price.", group_digits(number)),
        });
        lines.push(line);
    }
    Ok((title, lines.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(period: DigestPeriod, now: &str) -> String {
        let zone = TimeZone::get("Europe/Berlin").expect("a zone");
        let at = |text: &str| {
            let time: Timestamp = text.parse().expect("a time");
            WallTime::from_unix_ms(time.as_millisecond())
        };
        let found = last_due(period, 9, at(now), &zone).expect("due");
        found.to_rfc3339()
    }

    #[test]
    fn a_digest_is_due_at_its_hour_of_the_day_or_of_monday() {
        // 21 November 2026 is a Saturday; Berlin is one hour ahead of UTC.
        assert_eq!(due(DigestPeriod::Daily, "2026-11-21T08:00:00Z"), "2026-11-21T08:00:00.000Z");
        assert_eq!(due(DigestPeriod::Daily, "2026-11-21T07:59:59Z"), "2026-11-20T08:00:00.000Z");
        assert_eq!(due(DigestPeriod::Weekly, "2026-11-21T08:00:00Z"), "2026-11-16T08:00:00.000Z");
        assert_eq!(due(DigestPeriod::Weekly, "2026-11-23T07:00:00Z"), "2026-11-16T08:00:00.000Z");
        assert_eq!(due(DigestPeriod::Weekly, "2026-11-23T08:00:00Z"), "2026-11-23T08:00:00.000Z");
        assert_eq!(last_due(DigestPeriod::Off, 9, WallTime::default(), &TimeZone::UTC), None);
    }
}
