//! Rules that tell often of what nobody acts on, and which of their settings would end that.
//!
//! A suggestion is measured on the alerts themselves: those that a longer hold would have kept away are
//! counted. What was severe is never made quiet for being frequent.

use std::time::Duration;

use domain::{AlertDelivery, AlertSeverity, WallTime, count_noun, format_span};

use crate::rule::{
    AlertEnding, AlertRule, RuleTuning, RuleTunings, SHOWN_FROM, SeverityRow, tuning_of,
};

/// Days that are reviewed.
pub const NOISE_DAYS: u32 = 7;
/// Alerts of a rule in that time from which it is noisy, if nobody acted on any of them.
pub const NOISY_FROM: usize = 5;
/// The same for a rule whose alerts are for the inbox alone, where they disturb nobody.
pub const NOISY_INBOX_FROM: usize = 20;

/// Holds that are suggested. A longer one would tell of little in time.
const HOLDS: [Duration; 7] = [
    Duration::from_secs(60),
    Duration::from_secs(2 * 60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(10 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(60 * 60),
];
/// Share of the alerts, in percent, that a longer hold must have kept away.
const KEPT_AWAY_PERCENT: usize = 75;

/// An alert that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastAlert {
    pub rule: AlertRule,
    pub severity: AlertSeverity,
    /// When its condition began.
    pub since: WallTime,
    /// `None` while it fires.
    pub ended: Option<(WallTime, AlertEnding)>,
    /// True if it was acknowledged, noted down, or something that it is about was changed meanwhile.
    pub is_acted_on: bool,
}

impl PastAlert {
    /// How long its condition held, but for pauses shorter than the rule keeps an alert; `None` if it
    /// still does or nobody knows.
    fn held(&self) -> Option<Duration> {
        let Some((at, AlertEnding::Resolved)) = self.ended else { return None };
        let ms = u64::try_from(at.unix_ms() - self.since.unix_ms()).ok()?;
        Some(Duration::from_millis(ms).saturating_sub(self.rule.row().keep))
    }
}

/// A setting of a rule that makes it quieter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoiseRemedy {
    /// It must hold for longer. So many of its alerts would not have fired.
    Hold {
        hold: Duration,
        kept_away: usize,
    },
    /// Below what the desktop shows.
    Severity(AlertSeverity),
    Delivery(AlertDelivery),
}

/// A rule that fired often and that nobody acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoisyRule {
    pub rule: AlertRule,
    /// In [`NOISE_DAYS`] days; what the settings of today would keep away is not counted.
    pub fired: usize,
    /// `None` where no setting helps: it is severe, so its cause has to go.
    pub remedy: Option<NoiseRemedy>,
}

/// The noisy rules of `alerts`, which fired in the last [`NOISE_DAYS`] days, in the order of the table.
#[must_use]
pub fn noisy_rules(alerts: &[PastAlert], tunings: &RuleTunings) -> Vec<NoisyRule> {
    let noisy = |rule: &AlertRule| {
        let tuning = tuning_of(tunings, *rule);
        let still_fires = |it: &&PastAlert| it.held().is_none_or(|held| held >= tuning.hold);
        let own: Vec<&PastAlert> =
            alerts.iter().filter(|it| it.rule == *rule).filter(still_fires).collect();
        let is_noisy = *rule != AlertRule::Digest
            && tuning.delivery != AlertDelivery::Off
            && own.len() >= noisy_from(*rule, &tuning)
            && own.iter().all(|it| !it.is_acted_on);
        is_noisy.then(|| NoisyRule {
            rule: *rule,
            fired: own.len(),
            remedy: remedy(*rule, &tuning, &own),
        })
    };
    AlertRule::ALL.iter().filter_map(noisy).collect()
}

/// True if alerts of a rule come to the screen.
fn is_loud(rule: AlertRule, tuning: &RuleTuning) -> bool {
    let is_severe = match rule.row().severity {
        SeverityRow::Set => tuning.severity >= SHOWN_FROM,
        SeverityRow::Follows(_) => true,
    };
    tuning.delivery == AlertDelivery::Notification && is_severe
}

fn noisy_from(rule: AlertRule, tuning: &RuleTuning) -> usize {
    if is_loud(rule, tuning) { NOISY_FROM } else { NOISY_INBOX_FROM }
}

fn remedy(rule: AlertRule, tuning: &RuleTuning, own: &[&PastAlert]) -> Option<NoiseRemedy> {
    let kept_away =
        |hold: Duration| own.iter().filter(|it| it.held().is_some_and(|held| held < hold)).count();
    let holds = HOLDS.iter().filter(|hold| **hold > tuning.hold);
    let mut counted = holds.map(|hold| (*hold, kept_away(*hold)));
    if let Some((hold, kept_away)) =
        counted.find(|(_, kept_away)| kept_away * 100 >= own.len() * KEPT_AWAY_PERCENT)
    {
        return Some(NoiseRemedy::Hold { hold, kept_away });
    }
    if own.iter().any(|it| it.severity >= AlertSeverity::High) {
        return None;
    }
    Some(match (is_loud(rule, tuning), rule.row().severity) {
        (true, SeverityRow::Set) => NoiseRemedy::Severity(AlertSeverity::Low),
        (true, SeverityRow::Follows(_)) => NoiseRemedy::Delivery(AlertDelivery::Inbox),
        (false, _) => NoiseRemedy::Delivery(AlertDelivery::Off),
    })
}

impl NoisyRule {
    /// How often it fired, and what would help.
    #[must_use]
    pub fn sentence(&self) -> String {
        let times = count_noun(self.fired as u64, "time");
        let days = count_noun(NOISE_DAYS.into(), "day");
        let fired = format!("Fired {times} in {days}, and nobody acted on it.");
        let help = match self.remedy {
            Some(NoiseRemedy::Hold { hold, kept_away }) => format!(
                "If it had to hold for {}, {kept_away} of them would not have fired.",
                format_span(hold)
            ),
            Some(NoiseRemedy::Severity(severity)) => {
                format!("If it were {severity}, the desktop would not show it.")
            }
            Some(NoiseRemedy::Delivery(AlertDelivery::Off)) => "It may be switched off.".to_owned(),
            Some(NoiseRemedy::Delivery(_)) => "It may be for the inbox alone.".to_owned(),
            None => "It was severe, so look for the cause; no setting helps.".to_owned(),
        };
        format!("{fired} {help}")
    }
}

impl NoiseRemedy {
    /// What it does, as a button says it.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Hold { hold, .. } => format!("Hold for {}", format_span(hold)),
            Self::Severity(severity) => format!("Make it {severity}"),
            Self::Delivery(AlertDelivery::Off) => "Switch off".to_owned(),
            Self::Delivery(_) => "Inbox only".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::MINUTE_MS;

    use super::*;
    use crate::rule::tunings;

    /// An alert whose condition held for so many minutes. The rules of these tests are kept for five.
    fn alert(rule: AlertRule, minutes: i64) -> PastAlert {
        let ended = WallTime::from_unix_ms((minutes + 5) * MINUTE_MS);
        PastAlert {
            rule,
            severity: AlertSeverity::Medium,
            since: WallTime::from_unix_ms(0),
            ended: Some((ended, AlertEnding::Resolved)),
            is_acted_on: false,
        }
    }

    fn found(alerts: &[PastAlert]) -> Vec<(usize, Option<NoiseRemedy>)> {
        noisy_rules(alerts, &tunings()).iter().map(|it| (it.fired, it.remedy)).collect()
    }

    #[test]
    fn a_rule_is_noisy_from_five_alerts_on_unless_somebody_acted_on_one() {
        let mut all = vec![alert(AlertRule::DiskSpace, 6); NOISY_FROM - 1];
        assert_eq!(found(&all), []);
        all.push(alert(AlertRule::DiskSpace, 6));
        let hold = NoiseRemedy::Hold { hold: Duration::from_secs(600), kept_away: 5 };
        assert_eq!(found(&all), [(5, Some(hold))]);
        all[2].is_acted_on = true;
        assert_eq!(found(&all), []);
    }

    #[test]
    fn the_shortest_hold_is_suggested_that_keeps_three_quarters_away() {
        let minutes = |minutes: &[i64]| -> Vec<PastAlert> {
            minutes.iter().map(|it| alert(AlertRule::DiskSpace, *it)).collect()
        };
        let hold = |secs, kept_away| {
            Some(NoiseRemedy::Hold { hold: Duration::from_secs(secs), kept_away })
        };
        assert_eq!(found(&minutes(&[6, 7, 8, 9, 40, 50, 55, 58])), [(8, hold(3_600, 8))]);
        assert_eq!(found(&minutes(&[6, 7, 8, 9, 9, 9, 55, 58])), [(8, hold(600, 6))]);
        // Exactly as long as the hold is not kept away: it fires then.
        assert_eq!(found(&minutes(&[6, 7, 10, 10, 10])), [(5, hold(900, 5))]);
        // The disk was full for two hours each time. No hold helps.
        let quiet = Some(NoiseRemedy::Severity(AlertSeverity::Low));
        assert_eq!(found(&minutes(&[120; 5])), [(5, quiet)]);
    }

    #[test]
    fn what_the_settings_of_today_keep_away_is_counted_no_more() {
        let all = vec![alert(AlertRule::DiskSpace, 6); 8];
        let mut later = tunings();
        later.entry(AlertRule::DiskSpace).or_default().hold = Duration::from_secs(600);
        assert_eq!(noisy_rules(&all, &later), []);
        // What ended otherwise, or has not ended, may hold for any time.
        let unknown = PastAlert {
            ended: Some((WallTime::from_unix_ms(0), AlertEnding::Unknown)),
            ..alert(AlertRule::DiskSpace, 6)
        };
        let firing = PastAlert { ended: None, ..unknown };
        let five = [unknown.clone(), unknown.clone(), unknown, firing.clone(), firing];
        assert_eq!(noisy_rules(&five, &later).len(), 1);
    }

    #[test]
    fn what_disturbs_nobody_is_noisy_later_and_may_be_switched_off() {
        let mut quiet = tunings();
        quiet.entry(AlertRule::DiskSpace).or_default().delivery = AlertDelivery::Inbox;
        let all = vec![alert(AlertRule::DiskSpace, 120); NOISY_INBOX_FROM];
        assert_eq!(noisy_rules(&all[1..], &quiet), []);
        let off = Some(NoiseRemedy::Delivery(AlertDelivery::Off));
        assert_eq!(noisy_rules(&all, &quiet)[0].remedy, off);
        let own = quiet.entry(AlertRule::DiskSpace).or_default();
        (own.delivery, own.severity) = (AlertDelivery::Notification, AlertSeverity::Low);
        assert_eq!(noisy_rules(&all[1..], &quiet), [], "the desktop does not show it");
        quiet.entry(AlertRule::DiskSpace).or_default().delivery = AlertDelivery::Off;
        assert_eq!(noisy_rules(&all, &quiet), []);
    }

    #[test]
    fn what_is_severe_is_never_made_quiet() {
        let severe = |minutes| PastAlert {
            severity: AlertSeverity::Critical,
            ..alert(AlertRule::BackendDown, minutes)
        };
        assert_eq!(found(&vec![severe(120); 9]), [(9, None)]);
        let mut mixed = vec![alert(AlertRule::BackendDown, 120); 9];
        let inbox = Some(NoiseRemedy::Delivery(AlertDelivery::Inbox));
        assert_eq!(found(&mixed), [(9, inbox)]);
        mixed.push(severe(120));
        assert_eq!(found(&mixed), [(10, None)]);
        // A backend that is back within seconds is another matter.
        let blips = vec![severe(-2); 9];
        let hold = NoiseRemedy::Hold { hold: Duration::from_secs(120), kept_away: 9 };
        assert_eq!(found(&blips), [(9, Some(hold))]);
    }

    #[test]
    fn it_says_how_often_and_what_helps() {
        let noisy = |remedy| NoisyRule { rule: AlertRule::DiskSpace, fired: 9, remedy };
        let hold = NoiseRemedy::Hold { hold: Duration::from_secs(600), kept_away: 7 };
        assert_eq!(
            noisy(Some(hold)).sentence(),
            "Fired 9 times in 7 days, and nobody acted on it. If it had to hold for 10 min, 7 of them \
             would not have fired."
        );
        assert_eq!(hold.label(), "Hold for 10 min");
        let low = NoiseRemedy::Severity(AlertSeverity::Low);
        assert!(
            noisy(Some(low)).sentence().ends_with("If it were low, the desktop would not show it.")
        );
        assert_eq!(low.label(), "Make it low");
        assert!(noisy(None).sentence().ends_with("look for the cause; no setting helps."));
    }
}
