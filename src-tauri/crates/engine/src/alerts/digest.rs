//! The digest: when it is due, and what it says.

use alerts::{AlertRule, Measurement};
use domain::{DigestPeriod, ShownCurrency, WallTime, count_noun, group_digits, list_names};
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use ledger::{
    AlertQuery, AlertRow, GroupBy, Ledger, LedgerError, UsageKey, UsageQuery, UsageSummary,
    UsageTotals,
};
use settings::Settings;

use crate::alerts::facts::key_times;

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

/// What a digest is about.
pub(crate) struct DigestSources<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) settings: &'a Settings,
    pub(crate) from: WallTime,
    pub(crate) to: WallTime,
}

impl DigestSources<'_> {
    /// Title and body.
    pub(crate) async fn text(&self) -> Result<(String, String), LedgerError> {
        let query = AlertQuery { limit: ALERTS_MAX, ..AlertQuery::default() };
        let mut all = self.ledger.alerts(query).await?;
        all.retain(|row| row.rule != AlertRule::Digest.word() && row.fired < self.to);
        let fired: Vec<&AlertRow> = all.iter().filter(|row| row.fired >= self.from).collect();
        let open: Vec<&AlertRow> = all.iter().filter(|row| row.ended.is_none()).collect();
        let title = match (fired.len(), open.len()) {
            (0, 0) => "Digest: no alert".to_owned(),
            (fired, open) => {
                format!("Digest: {} fired, {open} open", count_noun(fired as u64, "alert"))
            }
        };
        let usage = self.usage_lines().await?;
        let lines = [titles("Alerts", &fired), titles("Still open", &open)].into_iter().flatten();
        let lines: Vec<String> = lines.chain(usage).chain(self.expiring_keys()).collect();
        Ok((title, lines.join(" ")))
    }

    /// Requests and their cost, beside the same time before, and what most of it was for.
    async fn usage_lines(&self) -> Result<Vec<String>, LedgerError> {
        let length_ms = self.to.unix_ms().saturating_sub(self.from.unix_ms());
        let Some(now) = self.usage(self.from, self.to, GroupBy::Model).await? else {
            return Ok(Vec::new());
        };
        let before = self.usage(self.from.minus_ms(length_ms), self.from, GroupBy::Model).await?;
        let before = before.map(|it| it.totals).filter(|it| it.requests > 0);
        let clients = self.usage(self.from, self.to, GroupBy::Client).await?;
        let (shown, _) = self.settings.currency.shown();
        let mut lines = vec![usage_line(&now.totals, before.as_ref(), shown)];
        let models = most_costly(&now).map(|name| format!("the model {name}"));
        let clients = clients.as_ref().and_then(most_costly).map(|name| format!("by {name}"));
        let most: Vec<String> = models.into_iter().chain(clients).collect();
        if !most.is_empty() {
            lines.push(format!("Most of the cost: {}.", most.join(", ")));
        }
        Ok(lines)
    }

    async fn usage(
        &self,
        from: WallTime,
        to: WallTime,
        group: GroupBy,
    ) -> Result<Option<UsageSummary>, LedgerError> {
        match UsageQuery::whole(from, to, group) {
            Ok(query) => self.ledger.usage(query).await.map(Some),
            Err(_) => Ok(None),
        }
    }

    fn expiring_keys(&self) -> Option<String> {
        let within = i64::from(self.settings.alerts.key_expiry_days);
        let expiring = key_times(self.settings, self.to).into_iter().filter_map(|it| match it {
            Measurement::KeyExpiry { key, days } if days <= within => Some(key.to_string()),
            _ => None,
        });
        let keys: Vec<String> = expiring.collect();
        let names = list_names(keys.iter(), TITLES_MAX);
        (!keys.is_empty()).then(|| format!("Keys that expire within {within} days: {names}."))
    }
}

fn titles(what: &str, rows: &[&AlertRow]) -> Option<String> {
    let titles = rows.iter().map(|row| row.title.clone());
    (!rows.is_empty()).then(|| format!("{what}: {}.", list_names(titles, TITLES_MAX)))
}

fn usage_line(now: &UsageTotals, before: Option<&UsageTotals>, shown: ShownCurrency) -> String {
    let mut line = format!(
        "Requests: {}, {} failed. Known cost: {}",
        group_digits(now.requests),
        group_digits(now.failed),
        shown.format(now.cost)
    );
    if let Some(before) = before {
        line.push_str(&format!(" ({} in the same time before)", shown.format(before.cost)));
    }
    line.push_str(&match now.unpriced_requests {
        0 => ".".to_owned(),
        number => format!("; {} without a price.", group_digits(number)),
    });
    line
}

/// The group with at least half of the known cost.
fn most_costly(usage: &UsageSummary) -> Option<&str> {
    let (key, totals) = usage.groups.iter().max_by_key(|(_, totals)| totals.cost)?;
    let UsageKey::Named(name) = key else { return None };
    let (own, all) = (totals.cost.nanos(), usage.totals.cost.nanos());
    (own > 0 && own.saturating_mul(2) >= all).then_some(name)
}

#[cfg(test)]
mod tests {
    use domain::{ClientId, CredentialId, NanoUsd};
    use pricing::Cost;

    use super::*;
    use crate::alerts::measurements::tests::{answered, settle, with_backend_and_keys};
    use crate::gateway::response_cache::tests::opened;
    use crate::test_parts::NOW;

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

    #[tokio::test(flavor = "multi_thread")]
    async fn a_digest_compares_its_cost_and_names_what_is_open_and_what_expires() {
        const DAY_SECS: i64 = 86_400;
        let home = tempfile::tempdir().expect("a folder");
        let engine = opened(&home).await;
        with_backend_and_keys(&engine).await;
        let dollars = |dollars: i64| Cost::Reported(NanoUsd::new(dollars * 1_000_000_000));
        let mut other = answered(3, 600, dollars(1), 100);
        other.request.client = ClientId::new("cursor").expect("a name");
        let mut all =
            vec![answered(1, 3_600, dollars(3), 100), answered(2, 7_200, Cost::Unpriced, 100)];
        all.extend([other, answered(4, DAY_SECS + 3_600, dollars(2), 100)]);
        settle(&engine, all).await;
        let mut settings = (*engine.settings()).clone();
        let key = CredentialId::new("used").expect("a name");
        let expires = NOW.plus_ms(3 * DAY_SECS * 1_000);
        settings.credentials.get_mut(&key).expect("the key").expires = Some(expires);
        let digest =
            |from| DigestSources { ledger: engine.ledger(), settings: &settings, from, to: NOW };
        let (title, body) = digest(NOW.minus_ms(DAY_SECS * 1_000)).text().await.expect("read");
        assert_eq!(title, "Digest: no alert");
        assert_eq!(
            body,
            "Requests: 3, 0 failed. Known cost: $4.00 ($2.00 in the same time before); 1 without a \
             price. Most of the cost: the model llama, by editor. Keys that expire within 14 days: \
             used."
        );
        let (_, body) = digest(NOW.minus_ms(30 * DAY_SECS * 1_000)).text().await.expect("read");
        assert!(body.starts_with("Requests: 4, 0 failed. Known cost: $6.00; 1 without"), "{body}");
        engine.stop().await;
    }
}
