//! Which rules of alerts told often of what nobody acted on.

use std::collections::{BTreeMap, BTreeSet};

use alerts::{
    AlertEnding, AlertRule, AlertSeverity, NOISE_DAYS, NoiseRemedy, NoisyRule, PastAlert,
    RuleTunings, noisy_rules,
};
use domain::{AuditOutcome, DAY_MS, WallTime};
use engine::Engine;
use ledger::{AlertRow, AuditRow};

use crate::ApiError;
use crate::operation::audit;
use crate::view::{AlertNoiseView, AlertRuleSet};

/// Beginnings of operations that say how alerts are told. That is no action on what they are about.
const TELLING: [&str; 4] = ["alert_", "silence_", "inbox_", "incident_"];

/// The noisy rules, by `fired`, the alerts that the ledger has.
pub(in crate::operation) async fn noise(
    engine: &Engine,
    fired: &[AlertRow],
    tunings: &RuleTunings,
) -> Result<BTreeMap<AlertRule, AlertNoiseView>, ApiError> {
    let now = engine.clock().wall();
    let from = now.minus_ms(i64::from(NOISE_DAYS) * DAY_MS);
    let lately: Vec<&AlertRow> = fired.iter().filter(|row| row.fired >= from).collect();
    if lately.len() < alerts::NOISY_FROM {
        return Ok(BTreeMap::new());
    }
    let noted = engine.ledger().noted_alerts().await?;
    let entries = audit::entries_until(engine, now).await?;
    let past: Vec<PastAlert> =
        lately.into_iter().filter_map(|row| past_alert(row, now, &noted, &entries)).collect();
    let noisy = noisy_rules(&past, tunings);
    Ok(noisy.into_iter().map(|noisy| (noisy.rule, noise_view(noisy))).collect())
}

/// `None` for an alert of a rule that this version does not have.
fn past_alert(
    row: &AlertRow,
    now: WallTime,
    noted: &BTreeSet<u64>,
    entries: &[AuditRow],
) -> Option<PastAlert> {
    let rule: AlertRule = row.rule.parse().ok()?;
    let severity: AlertSeverity = row.severity.parse().ok()?;
    let ending = row.ending.as_ref().and_then(|ending| ending.parse().ok());
    let until = row.ended.unwrap_or(now);
    let changed = || {
        entries.iter().any(|AuditRow { record, .. }| {
            let is_about = record.subject.as_ref().is_some_and(|it| row.scopes.contains(it));
            let is_meanwhile = row.since <= record.at && record.at <= until;
            is_about
                && is_meanwhile
                && record.outcome == AuditOutcome::Done
                && !TELLING.iter().any(|telling| record.operation.starts_with(telling))
        })
    };
    Some(PastAlert {
        rule,
        severity,
        since: row.since,
        ended: row.ended.map(|at| (at, ending.unwrap_or(AlertEnding::Unknown))),
        is_acted_on: row.acknowledged.is_some() || noted.contains(&row.number) || changed(),
    })
}

fn noise_view(noisy: NoisyRule) -> AlertNoiseView {
    AlertNoiseView {
        sentence: noisy.sentence(),
        label: noisy.remedy.map(NoiseRemedy::label),
        change: noisy.remedy.map(|remedy| change(noisy.rule, remedy)),
    }
}

fn change(rule: AlertRule, remedy: NoiseRemedy) -> AlertRuleSet {
    let (delivery, hold_secs, threshold, minimum, severity) = (None, None, None, None, None);
    let none = AlertRuleSet { rule, delivery, hold_secs, threshold, minimum, severity };
    match remedy {
        NoiseRemedy::Hold { hold, .. } => {
            AlertRuleSet { hold_secs: u32::try_from(hold.as_secs()).ok(), ..none }
        }
        NoiseRemedy::Severity(severity) => AlertRuleSet { severity: Some(severity), ..none },
        NoiseRemedy::Delivery(delivery) => AlertRuleSet { delivery: Some(delivery), ..none },
    }
}

#[cfg(test)]
mod tests {
    use domain::CallerKind;
    use ledger::AuditRecord;

    use super::*;

    fn at(minute: i64) -> WallTime {
        WallTime::from_unix_ms(1_795_248_000_000 + minute * 60_000)
    }

    /// Of the backend `up`, from minute 10 to minute 20.
    fn alert() -> AlertRow {
        AlertRow {
            number: 7,
            rule: "backend-down".to_owned(),
            severity: "medium".to_owned(),
            scopes: vec!["up".to_owned()],
            title: "Up is down".to_owned(),
            detail: String::new(),
            path: "/backends/up".to_owned(),
            since: at(10),
            fired: at(11),
            ended: Some(at(20)),
            ending: Some("resolved".to_owned()),
            acknowledged: None,
            notified: None,
            is_read: true,
        }
    }

    fn entry(operation: &str, subject: &str, minute: i64) -> AuditRow {
        let record = AuditRecord {
            at: at(minute),
            caller: CallerKind::Panel,
            agent: None,
            agent_version: None,
            client: None,
            confirmed: None,
            operation: operation.to_owned(),
            subject: Some(subject.to_owned()),
            outcome: AuditOutcome::Done,
        };
        AuditRow { number: 1, record }
    }

    #[test]
    fn what_is_acknowledged_noted_or_changed_meanwhile_is_acted_on() {
        let acted = |row: &AlertRow, noted: &[u64], entries: &[AuditRow]| {
            let noted = noted.iter().copied().collect();
            past_alert(row, at(99), &noted, entries).expect("known").is_acted_on
        };
        assert!(!acted(&alert(), &[], &[]), "it was read alone");
        assert!(acted(&AlertRow { acknowledged: Some(at(12)), ..alert() }, &[], &[]));
        assert!(acted(&alert(), &[7], &[]));
        assert!(!acted(&alert(), &[8], &[]));
        assert!(acted(&alert(), &[], &[entry("backend_edit", "up", 20)]));
        assert!(!acted(&alert(), &[], &[entry("backend_edit", "up", 21)]), "later");
        assert!(!acted(&alert(), &[], &[entry("backend_edit", "other", 15)]));
        assert!(
            !acted(&alert(), &[], &[entry("alert_silence", "up", 15)]),
            "it was only told less"
        );
        let firing = AlertRow { ended: None, ending: None, ..alert() };
        assert!(acted(&firing, &[], &[entry("backend_edit", "up", 21)]));
        let mut failed = entry("backend_edit", "up", 15);
        failed.record.outcome = AuditOutcome::Failed;
        assert!(!acted(&alert(), &[], &[failed]));
    }
}
