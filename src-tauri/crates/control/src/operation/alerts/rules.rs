//! Operations on the rules of alerts.

use alerts::{AlertRule, tuning_of};
use domain::{AlertSeverity, DAY_MS};
use engine::{Engine, RuleSettingNames, rule_tunings};
use ledger::AlertQuery;
use settings::{AlertSettings, SettingValue, Settings};

use crate::ApiError;
use crate::operation::alerts::noise;
use crate::operation::input;
use crate::view::{
    AlertRuleNumberView, AlertRulePreviewView, AlertRuleSet, AlertRuleSeverityView, AlertRuleView,
};

const WEEK_MS: i64 = 7 * DAY_MS;

pub(crate) async fn alert_rules(engine: &Engine) -> Result<Vec<AlertRuleView>, ApiError> {
    let all = AlertQuery { limit: usize::MAX, ..AlertQuery::default() };
    let fired = engine.ledger().alerts(all).await?;
    let week_ago = engine.clock().wall().minus_ms(WEEK_MS);
    let settings = engine.settings();
    let tunings = rule_tunings(&settings.alerts);
    let mut noise = noise::noise(engine, &fired, &tunings).await?;
    let view = |rule: &AlertRule| {
        let (row, tuning) = (rule.row(), tuning_of(&tunings, *rule));
        let names = RuleSettingNames::of(*rule);
        let number = |name: Option<String>| number_view(&settings.alerts, &name?);
        let of_rule = || fired.iter().filter(|it| it.rule == rule.word());
        let lately = of_rule().filter(|it| it.fired >= week_ago).count();
        AlertRuleView {
            rule: *rule,
            group: row.group,
            title: row.title.to_owned(),
            condition: tuning.sentence(*rule),
            delivery: tuning.delivery,
            hold: number(names.hold),
            threshold: number(names.threshold),
            minimum: number(names.minimum),
            severity: names.severity.map(|name| AlertRuleSeverityView {
                value: tuning.severity,
                default: default_severity(&name),
            }),
            keep_secs: u32::try_from(row.keep.as_secs()).unwrap_or(u32::MAX),
            fired_last_week: (lately as u64).into(),
            last_fired_at: of_rule().next().map(|it| it.fired.into()),
            noise: noise.remove(rule),
        }
    };
    Ok(AlertRule::ALL.iter().map(view).collect())
}

pub(crate) async fn alert_rule_set(
    engine: &Engine,
    req: AlertRuleSet,
) -> Result<Vec<AlertRuleView>, ApiError> {
    let changes = rule_changes(&req)?;
    engine.settings_editor().set_values(changes).await?;
    alert_rules(engine).await
}

pub(crate) async fn alert_rule_preview(
    engine: &Engine,
    req: AlertRuleSet,
) -> Result<AlertRulePreviewView, ApiError> {
    let tunings = rule_tunings(&with_rule(&engine.settings(), &req)?.alerts);
    Ok(AlertRulePreviewView { sentence: tuning_of(&tunings, req.rule).sentence(req.rule) })
}

/// The settings with the changes of a request.
pub(in crate::operation) fn with_rule(
    settings: &Settings,
    req: &AlertRuleSet,
) -> Result<Settings, ApiError> {
    let draft = settings.with_values(&rule_changes(req)?);
    draft.map_err(|error| ApiError::invalid("rule", error.to_string()))
}

/// The settings that a request changes, by their paths.
fn rule_changes(req: &AlertRuleSet) -> Result<Vec<(String, SettingValue)>, ApiError> {
    let names = RuleSettingNames::of(req.rule);
    let path = |name: &str| format!("alerts.{name}");
    let mut changes = Vec::new();
    if let Some(delivery) = req.delivery {
        let word = SettingValue::Text(delivery.word().to_owned());
        changes.push((path(&names.delivery), word));
    }
    let numbers = [
        ("hold_secs", req.hold_secs, &names.hold),
        ("threshold", req.threshold, &names.threshold),
        ("minimum", req.minimum, &names.minimum),
    ];
    for (field, number, name) in numbers {
        let Some(number) = number else { continue };
        let name = name.as_ref().ok_or_else(|| no_such_field(field, req.rule))?;
        input::check_range(field, number, &path(name))?;
        changes.push((path(name), SettingValue::Number(number.into())));
    }
    if let Some(severity) = req.severity {
        let name = names.severity.ok_or_else(|| {
            let message = format!("the severity of {} follows from what happened", req.rule);
            ApiError::invalid("severity", message)
        })?;
        changes.push((path(&name), SettingValue::Text(severity.word().to_owned())));
    }
    Ok(changes)
}

fn no_such_field(field: &'static str, rule: AlertRule) -> ApiError {
    let what = match field {
        "threshold" => "threshold",
        "minimum" => "least number of requests",
        _ => "time",
    };
    ApiError::invalid(field, format!("the rule {rule} has no {what} to set"))
}

fn number_view(settings: &AlertSettings, name: &str) -> Option<AlertRuleNumberView> {
    let setting = AlertSettings::setting(name)?;
    let range = setting.range.as_ref()?;
    let number = |value: i64| u32::try_from(value).unwrap_or_default();
    let of_value = |value: SettingValue| match value {
        SettingValue::Number(value) => number(value),
        SettingValue::None | SettingValue::Switch(_) | SettingValue::Text(_) => 0,
    };
    Some(AlertRuleNumberView {
        value: of_value(settings.value(name)?),
        default: of_value(setting.default_value()),
        min: number(*range.start()),
        max: number(*range.end()),
        unit: setting.unit().to_owned(),
        meaning: setting.meaning().to_owned(),
    })
}

fn default_severity(name: &str) -> AlertSeverity {
    let value = AlertSettings::setting(name).map(settings::Setting::default_value);
    match value {
        Some(SettingValue::Text(word)) => word.parse().unwrap_or_default(),
        _ => AlertSeverity::default(),
    }
}
