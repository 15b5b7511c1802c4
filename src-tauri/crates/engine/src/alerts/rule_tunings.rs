//! The settings of the alert rules, as the rules read them.

use std::time::Duration;

use alerts::{AlertRule, RuleTuning, RuleTunings, SeverityRow};
use settings::{AlertSettings, SettingValue};

/// Names of the settings of a rule, in the section `alerts`; `None` for what it does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSettingNames {
    pub delivery: String,
    pub hold: Option<String>,
    pub threshold: Option<String>,
    pub minimum: Option<String>,
    pub severity: Option<String>,
}

impl RuleSettingNames {
    #[must_use]
    pub fn of(rule: AlertRule) -> Self {
        let row = rule.row();
        let delivery = rule.word().replace('-', "_");
        let named = |last: &str| format!("{delivery}_{last}");
        Self {
            hold: (rule != AlertRule::Digest).then(|| named("for_secs")),
            threshold: row.threshold.map(|threshold| named(threshold.setting)),
            minimum: row.minimum.map(named),
            severity: (row.severity == SeverityRow::Set).then(|| named("severity")),
            delivery,
        }
    }
}

/// What the settings say of every rule.
#[must_use]
pub fn rule_tunings(settings: &AlertSettings) -> RuleTunings {
    AlertRule::ALL.iter().map(|rule| (*rule, rule_tuning(settings, *rule))).collect()
}

fn rule_tuning(settings: &AlertSettings, rule: AlertRule) -> RuleTuning {
    let names = RuleSettingNames::of(rule);
    let value = |name: Option<&String>| settings.value(name?);
    let number = |name: Option<&String>| match value(name) {
        Some(SettingValue::Number(number)) => u32::try_from(number).unwrap_or_default(),
        _ => 0,
    };
    let text = |name: Option<&String>| match value(name) {
        Some(SettingValue::Text(text)) => text,
        _ => String::new(),
    };
    RuleTuning {
        delivery: text(Some(&names.delivery)).parse().unwrap_or_default(),
        hold: Duration::from_secs(number(names.hold.as_ref()).into()),
        threshold: number(names.threshold.as_ref()),
        minimum: number(names.minimum.as_ref()),
        severity: text(names.severity.as_ref()).parse().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{AlertDelivery, AlertSeverity};

    use super::*;

    /// Settings of the section that belong to no rule.
    const OTHERS: [&str; 4] =
        ["digest_period", "digest_hour", "quiet_from_hour", "quiet_until_hour"];

    #[test]
    fn every_setting_of_the_section_belongs_to_a_rule_and_every_rule_has_its_settings() {
        let mut of_rules: Vec<String> = OTHERS.map(str::to_owned).to_vec();
        for rule in AlertRule::ALL {
            let names = RuleSettingNames::of(*rule);
            let own = [names.hold, names.threshold, names.minimum, names.severity];
            of_rules.extend([Some(names.delivery)].into_iter().chain(own).flatten());
        }
        for name in &of_rules {
            assert!(AlertSettings::setting(name).is_some(), "there is no setting {name}");
        }
        let table = settings::Settings::table();
        let section = table.iter().filter_map(|setting| setting.path.strip_prefix("alerts."));
        for name in section {
            assert!(of_rules.iter().any(|known| known == name), "{name} belongs to no rule");
        }
    }

    #[test]
    fn a_new_home_has_every_rule_switched_on_and_those_one_acts_on_shown() {
        let all = rule_tunings(&AlertSettings::default());
        assert_eq!(all.len(), AlertRule::ALL.len());
        let groups: BTreeSet<_> =
            AlertRule::ALL.iter().map(|rule| rule.row().group.word()).collect();
        assert!(all.len() >= 20 && groups.len() >= 4, "{groups:?}");
        for (rule, tuning) in &all {
            assert_ne!(tuning.delivery, AlertDelivery::Off, "{rule}");
            let is_severe =
                rule.row().severity == SeverityRow::Set && tuning.severity >= AlertSeverity::High;
            assert!(!is_severe || tuning.delivery == AlertDelivery::Notification, "{rule}");
        }
        assert!(settings::Settings::default().notifications.enabled);
    }

    #[test]
    fn the_numbers_of_a_rule_are_those_of_the_settings() {
        let settings = AlertSettings {
            disk_space: AlertDelivery::Inbox,
            disk_space_for_secs: 60,
            disk_space_megabytes: 900,
            disk_space_severity: AlertSeverity::Critical,
            ..AlertSettings::default()
        };
        let all = rule_tunings(&settings);
        let expected = RuleTuning {
            delivery: AlertDelivery::Inbox,
            hold: Duration::from_secs(60),
            threshold: 900,
            minimum: 0,
            severity: AlertSeverity::Critical,
        };
        assert_eq!(all.get(&AlertRule::DiskSpace), Some(&expected));
        let errors = alerts::tuning_of(&all, AlertRule::ErrorRate);
        assert_eq!((errors.threshold, errors.minimum), (1, 20));
    }
}
