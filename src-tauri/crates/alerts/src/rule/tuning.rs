//! The numbers of a rule that the settings hold, and the sentence that says when it fires.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::{AlertDelivery, AlertSeverity, capitalize, count_noun, group_digits};

use super::{AlertRule, SHOWN_FROM, SeverityRow, ThresholdSide};

/// What the settings say of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RuleTuning {
    pub delivery: AlertDelivery,
    /// How long the condition must hold before an alert fires.
    pub hold: Duration,
    /// In the unit of its row; not used by a rule without one.
    pub threshold: u32,
    /// Least number of requests; not used by a rule without one.
    pub minimum: u32,
    /// Not used where it follows from what happened.
    pub severity: AlertSeverity,
}

/// By rule; one that is missing has the default.
pub type RuleTunings = BTreeMap<AlertRule, RuleTuning>;

/// The rule's part of `tunings`.
#[must_use]
pub fn tuning_of(tunings: &RuleTunings, rule: AlertRule) -> RuleTuning {
    tunings.get(&rule).copied().unwrap_or_default()
}

/// On which side of its threshold a measurement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Position {
    Beyond,
    /// Not beyond it, and not far enough from it for an alert to end.
    Near,
    Inside,
}

impl RuleTuning {
    /// Where a measurement of `rule` is; `None` for a rule without a threshold.
    pub(crate) fn position(&self, rule: AlertRule, value: f64) -> Option<Position> {
        let row = rule.row().threshold?;
        let limit = f64::from(self.threshold);
        let clear = limit * f64::from(row.clear_percent) / 100.0;
        let (is_beyond, is_near) = match row.side {
            ThresholdSide::AtLeast => (value >= limit, value > clear),
            ThresholdSide::AtMost => (value <= limit, value < clear),
            ThresholdSide::Below => (value < limit, value < clear),
        };
        Some(match (is_beyond, is_near) {
            (true, _) => Position::Beyond,
            (false, true) => Position::Near,
            (false, false) => Position::Inside,
        })
    }

    /// True if a measurement of `rule` is on the side of its threshold on which it fires.
    #[must_use]
    pub fn is_beyond(&self, rule: AlertRule, value: f64) -> bool {
        self.position(rule, value) == Some(Position::Beyond)
    }

    /// When an alert of `rule` fires and ends, and how severe it is, in sentences.
    #[must_use]
    pub fn sentence(&self, rule: AlertRule) -> String {
        let row = rule.row();
        let unit = row.threshold.map_or("", |threshold| threshold.unit);
        let threshold = format!("{}{unit}", group_digits(self.threshold.into()));
        let when = row
            .when
            .replace("{threshold}", &threshold)
            .replace("{minimum}", &group_digits(self.minimum.into()));
        let (hold, keep) = (for_clause(self.hold), for_clause(row.keep));
        let severity = match row.severity {
            SeverityRow::Set if self.is_too_low_to_show() => format!(
                "{}; the desktop shows alerts from {SHOWN_FROM} on.",
                capitalize(self.severity.word())
            ),
            SeverityRow::Set => format!("{}.", capitalize(self.severity.word())),
            SeverityRow::Follows(sentence) => sentence.to_owned(),
        };
        format!("Fires when {when}{hold}. Ends when {}{keep}. {severity}", row.over)
    }
}

impl RuleTuning {
    /// True if a notification is wanted, which the desktop does not show of alerts so little severe.
    fn is_too_low_to_show(&self) -> bool {
        self.delivery == AlertDelivery::Notification && self.severity < SHOWN_FROM
    }
}

/// ", for 5 minutes"; empty for no time at all.
fn for_clause(span: Duration) -> String {
    let secs = span.as_secs();
    let (count, unit) = match secs {
        0 => return String::new(),
        _ if secs.is_multiple_of(3_600) => (secs / 3_600, "hour"),
        _ if secs.is_multiple_of(60) => (secs / 60, "minute"),
        _ => (secs, "second"),
    };
    format!(", for {}", count_noun(count, unit))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The numbers that the tests of this crate are written for.
    pub(crate) fn tunings() -> RuleTunings {
        let tuning = |secs, threshold, minimum, severity| RuleTuning {
            delivery: AlertDelivery::Notification,
            hold: Duration::from_secs(secs),
            threshold,
            minimum,
            severity,
        };
        use AlertSeverity::{High, Info, Low, Medium};
        BTreeMap::from([
            (AlertRule::BreakerOpen, tuning(120, 0, 0, High)),
            (AlertRule::RouteDead, tuning(10, 0, 0, High)),
            (AlertRule::BudgetForecast, tuning(1_800, 0, 0, Medium)),
            (AlertRule::BurnFast, tuning(120, 0, 0, High)),
            (AlertRule::BurnSlow, tuning(900, 0, 0, Medium)),
            (AlertRule::ChannelFault, tuning(0, 0, 0, Medium)),
            (AlertRule::ErrorRate, tuning(300, 1, 20, Medium)),
            (AlertRule::SlowAnswers, tuning(300, 200, 10, Low)),
            (AlertRule::SpendAnomaly, tuning(300, 150, 0, High)),
            (AlertRule::UnpricedModel, tuning(0, 1, 0, Low)),
            (AlertRule::BillDrift, tuning(0, 2, 0, Low)),
            (AlertRule::CacheHits, tuning(86_400, 50, 50, Info)),
            (AlertRule::DiskSpace, tuning(300, 500, 0, Medium)),
            (AlertRule::VaultFault, tuning(30, 0, 0, High)),
            (AlertRule::KeyExpiry, tuning(0, 14, 0, Low)),
            (AlertRule::KeyAge, tuning(0, 90, 0, Low)),
            (AlertRule::KeyUnused, tuning(0, 0, 0, Info)),
            (AlertRule::UnusualUse, tuning(60, 500, 0, High)),
            (AlertRule::FirstUse, tuning(0, 0, 0, Low)),
            (AlertRule::StoppedLoop, tuning(0, 0, 0, High)),
            (AlertRule::PlainKey, tuning(0, 1, 0, Low)),
            (AlertRule::QuotaLow, tuning(120, 10, 0, Medium)),
            (AlertRule::BalanceLow, tuning(120, 3, 0, Medium)),
            (AlertRule::SlowStart, tuning(0, 1_000, 0, Info)),
            (AlertRule::AppMemory, tuning(300, 240, 0, Medium)),
            (AlertRule::AppProcessor, tuning(300, 80, 0, Medium)),
            (AlertRule::MachineMemory, tuning(300, 85, 0, Medium)),
            (AlertRule::SlowQueries, tuning(60, 3, 0, Medium)),
            (AlertRule::ProbeCoverage, tuning(60, 90, 0, Medium)),
            (AlertRule::ChecksOld, tuning(0, 30, 0, Low)),
        ])
    }

    #[test]
    fn a_sentence_says_when_a_rule_fires_and_ends_and_how_severe_it_is() {
        let all = tunings();
        let sentence = |rule| tuning_of(&all, rule).sentence(rule);
        assert_eq!(
            sentence(AlertRule::DiskSpace),
            "Fires when less than 500 MB are free on the disk with the data, for 5 minutes. Ends \
             when there is more space, for 5 minutes. Medium."
        );
        assert_eq!(
            sentence(AlertRule::ErrorRate),
            "Fires when 1 % or more of at least 20 requests to a backend failed in half an hour, and \
             five of them or more, for 5 minutes. Ends when fewer fail, for 5 minutes. Medium from \
             10 %, low below."
        );
        assert_eq!(
            sentence(AlertRule::KeyUnused),
            "Fires when no request used a key in 30 days. Ends when one uses it. Info; the \
             desktop shows alerts from medium on."
        );
        let in_inbox =
            RuleTuning { delivery: AlertDelivery::Inbox, ..tuning_of(&all, AlertRule::KeyUnused) };
        assert!(in_inbox.sentence(AlertRule::KeyUnused).ends_with("one uses it. Info."));
        let hour = RuleTuning { hold: Duration::from_secs(5_400), ..RuleTuning::default() };
        assert!(hour.sentence(AlertRule::VaultFault).contains("cannot be read, for 90 minutes."));
    }

    #[test]
    fn a_measurement_near_its_threshold_is_neither_beyond_nor_inside() {
        let all = tunings();
        let at = |rule, value| tuning_of(&all, rule).position(rule, value);
        let (beyond, near, inside) =
            (Some(Position::Beyond), Some(Position::Near), Some(Position::Inside));
        let positions = [
            (AlertRule::ErrorRate, 1.0, beyond),
            (AlertRule::ErrorRate, 0.99, near),
            (AlertRule::ErrorRate, 0.8, inside),
            (AlertRule::DiskSpace, 499.0, beyond),
            (AlertRule::DiskSpace, 500.0, near),
            (AlertRule::DiskSpace, 600.0, inside),
            (AlertRule::KeyExpiry, 14.0, beyond),
            (AlertRule::KeyExpiry, 15.0, inside),
            (AlertRule::KeyAge, 90.0, beyond),
            (AlertRule::KeyAge, 89.0, inside),
            (AlertRule::SlowStart, 999.0, inside),
            (AlertRule::AppMemory, 239.0, near),
            (AlertRule::SlowQueries, 3.0, beyond),
            (AlertRule::ProbeCoverage, 90.0, near),
            (AlertRule::ProbeCoverage, 92.0, inside),
            (AlertRule::VaultFault, 1.0, None),
        ];
        for (rule, value, expected) in positions {
            assert_eq!(at(rule, value), expected, "{rule} {value}");
        }
    }
}
