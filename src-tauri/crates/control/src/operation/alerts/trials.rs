//! Tries a rule of alerts: when it would have fired in the past, and what it would do with made-up
//! facts.

use std::time::Duration;

use alerts::{
    AlertRule, MessageKind, MetricLine, PastFiring, PastMetric, RehearsalEvent, RehearsalStep,
    RuleTuning, RuleTunings, SHOWN_FROM, Threshold, ThresholdSide, tuning_of,
};
use domain::{AlertDelivery, AlertSeverity, DAY_MS, WallTime, capitalize, count_noun, format_span};
use engine::{Engine, RuleBackTest, RuleSettingNames, rule_tunings};
use ledger::{ALERTS_KEPT_MAX, AlertQuery, AlertRow};
use settings::AlertSettings;

use crate::ApiError;
use crate::operation::alerts::rules::with_rule;
use crate::operation::resilience::times_text;
use crate::view::{
    ALERT_BACKTEST_DAYS_MAX, AlertBacktestView, AlertFiringView, AlertMetricLineView,
    AlertMetricView, AlertRehearsalStepView, AlertRehearsalView, AlertRuleBacktest, AlertRuleSet,
    RehearsalStepKind,
};

/// Less than this much unknown is not worth a sentence.
const UNKNOWN_MIN: Duration = Duration::from_secs(3_600);

pub(crate) async fn alert_rule_backtest(
    engine: &Engine,
    req: AlertRuleBacktest,
) -> Result<AlertBacktestView, ApiError> {
    let AlertRuleBacktest { numbers, days } = req;
    if !(1..=ALERT_BACKTEST_DAYS_MAX).contains(&days) {
        let message = format!("choose 1 to {ALERT_BACKTEST_DAYS_MAX}");
        return Err(ApiError::invalid("days", message));
    }
    let rule = numbers.rule;
    let saved = rule_tunings(&engine.settings().alerts);
    let tried = rule_tunings(&with_rule(&engine.settings(), &numbers)?.alerts);
    let judged = |all: &RuleTunings| {
        // What becomes of the alerts is no part of when they fire.
        RuleTuning { delivery: AlertDelivery::Inbox, ..tuning_of(all, rule) }
    };
    let is_saved = judged(&saved) == judged(&tried);
    let threshold = tuning_of(&tried, rule).threshold;
    let mut tunings = vec![tried];
    tunings.extend((!is_saved).then_some(saved));
    let tested = engine.alert_history().back_test(rule, tunings, days).await?;
    let to = engine.clock().wall();
    let wanted = to.minus_ms(i64::from(days) * DAY_MS);
    let from = tested.as_ref().map_or(wanted, |tested| tested.from);
    let fired = really_fired(engine, rule, from, to).await?;
    let (tried, saved) = match &tested {
        None => (None, None),
        Some(tested) => {
            let mut all = tested.firings.iter().map(|own| firing_views(own, to));
            (all.next(), all.next())
        }
    };
    let metric = tested.as_ref().and_then(|tested| metric_view(rule, threshold, tested));
    let period = period_text(days, wanted, (from, to));
    Ok(AlertBacktestView {
        from: from.into(),
        to: to.into(),
        sentence: sentence(tried.as_deref(), saved.as_deref(), &fired, &period, from),
        notes: notes(rule, tested.as_ref()),
        tried,
        saved,
        fired,
        metric,
    })
}

/// `None` if there is nothing to draw.
fn metric_view(rule: AlertRule, threshold: u32, tested: &RuleBackTest) -> Option<AlertMetricView> {
    let metric = tested.metric.as_ref().filter(|metric| !metric.lines.is_empty())?;
    let row = rule.row().threshold?;
    let unit = RuleSettingNames::of(rule).threshold.and_then(|name| AlertSettings::setting(&name));
    let line = |line: &MetricLine| AlertMetricLineView {
        name: line.scope.clone(),
        values: line.values.clone(),
    };
    Some(AlertMetricView {
        finding: metric_finding(row, threshold, metric),
        threshold,
        unit: unit.map_or("", |setting| setting.unit()).to_owned(),
        steps: metric.steps.iter().map(|at| (*at).into()).collect(),
        lines: metric.lines.iter().map(line).collect(),
        left_out: u32::try_from(metric.left_out).unwrap_or(u32::MAX),
    })
}

/// What came closest to the threshold, and where that is.
fn metric_finding(row: Threshold, threshold: u32, metric: &PastMetric) -> String {
    let all = metric.lines.iter().flat_map(|line| &line.values).flatten().copied();
    let number = |value: f64| match value < 10.0 && value.fract() >= 0.05 {
        true => format!("{value:.1}{}", row.unit),
        false => format!("{value:.0}{}", row.unit),
    };
    let limit = number(threshold.into());
    let (extreme, fires) = match row.side {
        ThresholdSide::AtLeast => {
            (all.reduce(f64::max).map(|it| ("most", it)), format!("from {limit} on"))
        }
        ThresholdSide::AtMost => {
            (all.reduce(f64::min).map(|it| ("least", it)), format!("at {limit} or less"))
        }
        ThresholdSide::Below => {
            (all.reduce(f64::min).map(|it| ("least", it)), format!("below {limit}"))
        }
    };
    let was =
        extreme.map_or_else(String::new, |(which, it)| format!("At {which} {}; ", number(it)));
    format!("{was}fires {fires}.")
}

async fn really_fired(
    engine: &Engine,
    rule: AlertRule,
    from: WallTime,
    to: WallTime,
) -> Result<Vec<AlertFiringView>, ApiError> {
    let all = AlertQuery { limit: ALERTS_KEPT_MAX, ..AlertQuery::default() };
    let rows = engine.ledger().alerts(all).await?;
    let own =
        |row: &&AlertRow| row.rule == rule.word() && row.ended.is_none_or(|ended| ended > from);
    let view = |row: &AlertRow| firing_view(row.title.clone(), row.fired, row.ended, to);
    let mut fired: Vec<_> = rows.iter().filter(own).map(view).collect();
    fired.reverse();
    Ok(fired)
}

fn firing_views(firings: &[PastFiring], to: WallTime) -> Vec<AlertFiringView> {
    firings.iter().map(|it| firing_view(it.title.clone(), it.fired, it.ended, to)).collect()
}

fn firing_view(
    title: String,
    from: WallTime,
    ended: Option<WallTime>,
    to: WallTime,
) -> AlertFiringView {
    let ms = ended.unwrap_or(to).unix_ms() - from.unix_ms();
    AlertFiringView {
        title,
        from: from.into(),
        to: ended.map(Into::into),
        lasted_secs: (u64::try_from(ms).unwrap_or_default() / 1_000).into(),
    }
}

/// "in 7 days", or in as much of them as is known.
fn period_text(days: u32, wanted: WallTime, (from, to): (WallTime, WallTime)) -> String {
    let between = |from: WallTime, to: WallTime| {
        Duration::from_millis(u64::try_from(to.unix_ms() - from.unix_ms()).unwrap_or_default())
    };
    match between(wanted, from) < UNKNOWN_MIN {
        true => format!("in {}", count_noun(days.into(), "day")),
        false => format!("in the {} that are known", format_span(between(from, to))),
    }
}

fn sentence(
    tried: Option<&[AlertFiringView]>,
    saved: Option<&[AlertFiringView]>,
    fired: &[AlertFiringView],
    period: &str,
    from: WallTime,
) -> String {
    let since = |all: &[AlertFiringView]| {
        let fired = all.iter().filter(|it| it.from.0 >= from.unix_ms()).count();
        u32::try_from(fired).unwrap_or(u32::MAX)
    };
    let really = match since(fired) {
        0 => "In fact it did not fire".to_owned(),
        count => format!("In fact it fired {}", times_text(count)),
    };
    let Some(tried) = tried else {
        return format!("Too little is recorded to try this rule. {really} {period}.");
    };
    let secs: u64 = tried.iter().map(|it| it.lasted_secs.0).sum();
    let would = match since(tried) {
        0 => format!("Would not have fired {period}"),
        count => format!(
            "Would have fired {} {period}, for {} in all",
            times_text(count),
            format_span(Duration::from_secs(secs))
        ),
    };
    let saved = saved.map_or_else(String::new, |saved| match since(saved) {
        0 => "; with the saved numbers: never".to_owned(),
        count => format!("; with the saved numbers: {}", times_text(count)),
    });
    format!("{would}{saved}. {really}.")
}

fn notes(rule: AlertRule, tested: Option<&RuleBackTest>) -> Vec<String> {
    let Some(tested) = tested else { return Vec::new() };
    let mut notes = Vec::new();
    if tested.unseen >= UNKNOWN_MIN {
        let unseen = format_span(tested.unseen);
        notes
            .push(format!("Nothing was watched for {unseen} of that time, so nothing fires then."));
    }
    let own = match rule {
        AlertRule::RouteDead => "Based on today's routes.",
        AlertRule::KeyExpiry | AlertRule::KeyAge => "Based on today's keys and their dates.",
        AlertRule::KeyBlocked => {
            "Based on today's keys and the results of checks and requests. A key counts as rejected \
             until the place that rejected it accepts it. When a key was missing from the vault is not \
             recorded."
        }
        AlertRule::KeyUnused => "Based on today's keys and the hours in which they were used.",
        AlertRule::SpendAnomaly
        | AlertRule::UnusualUse
        | AlertRule::SlowAnswers
        | AlertRule::FirstUse => "By whole hours: it may fire up to an hour earlier.",
        AlertRule::StoppedLoop => "By the newest hundred loops that were stopped.",
        AlertRule::UnpricedModel => "A cost that became known since then counts as known.",
        AlertRule::BudgetMark => {
            "By the marks that were reached. Rolling budgets are left out, since it is not recorded \
             when they leave a mark."
        }
        AlertRule::BudgetForecast => {
            "By whole hours, the budgets of today and the allowances of that time. Budgets of a model \
             are left out, since what they count is not kept by the hour."
        }
        AlertRule::BillDrift => {
            "By the bills as they are known today; each counts from the end of its day."
        }
        AlertRule::ServiceDown => "By the services of today at their addresses of today.",
        AlertRule::SlowStart => "By the starts that are kept, thirty at most.",
        AlertRule::DiskSpace
        | AlertRule::AppMemory
        | AlertRule::AppProcessor
        | AlertRule::MachineMemory
        | AlertRule::SlowQueries
        | AlertRule::ProbeCoverage => {
            "By the samples since Gatehouse started, of six hours at most; older ones are not kept."
        }
        _ => return notes,
    };
    notes.push(own.to_owned());
    notes
}

pub(crate) async fn alert_rule_rehearse(
    engine: &Engine,
    req: AlertRuleSet,
) -> Result<AlertRehearsalView, ApiError> {
    let settings = engine.settings();
    let tunings = rule_tunings(&with_rule(&settings, &req)?.alerts);
    let tuning = tuning_of(&tunings, req.rule);
    let steps = engine.alerts().rehearse(req.rule, tunings).await;
    let severity = steps.iter().find_map(|step| match &step.event {
        RehearsalEvent::Fired(alert) => Some(alert.condition.severity),
        _ => None,
    });
    Ok(AlertRehearsalView {
        sentence: rehearsal_sentence(&steps),
        notes: rehearsal_notes(tuning.delivery, severity, settings.notifications.enabled),
        steps: steps.into_iter().map(step_view).collect(),
    })
}

fn rehearsal_sentence(steps: &[RehearsalStep]) -> String {
    let after = |is: &dyn Fn(&RehearsalEvent) -> bool| {
        let step = steps.iter().find(|step| is(&step.event))?;
        Some(match step.after.is_zero() {
            true => "at once".to_owned(),
            false => format!("after {}", format_span(step.after)),
        })
    };
    let Some(fired) = after(&|event| matches!(event, RehearsalEvent::Fired(_))) else {
        return "It tells nothing.".to_owned();
    };
    let mut parts = vec![format!("an entry of the inbox {fired}")];
    let shown = after(&|event| matches!(event, RehearsalEvent::Shown(_)));
    parts.extend(shown.map(|after| format!("a notification {after}")));
    for channel in domain::AlertChannel::ALL {
        let sent = after(
            &|event| matches!(event, RehearsalEvent::Posted { channel: own, .. } if own == channel),
        );
        parts.extend(sent.map(|after| format!("a message to {} {after}", channel.word())));
    }
    format!("{}.", capitalize(&parts.join("; ")))
}

/// Why nothing is shown on the desktop.
fn rehearsal_notes(
    delivery: AlertDelivery,
    severity: Option<AlertSeverity>,
    is_on: bool,
) -> Vec<String> {
    let note = match (delivery, severity) {
        (AlertDelivery::Off, _) => "The rule is off: no alert fires.",
        (_, None) => "The digest has no condition; it is made on schedule.",
        (AlertDelivery::Inbox, _) => "Its alerts are for the inbox alone.",
        (AlertDelivery::Notification, _) if !is_on => "Notifications are switched off.",
        (AlertDelivery::Notification, Some(severity)) if severity < SHOWN_FROM => {
            return vec![format!(
                "The desktop shows alerts from {SHOWN_FROM} on; this one is less severe."
            )];
        }
        (AlertDelivery::Notification, Some(_)) => {
            "Outside of quiet hours, while the window is not in front, if nobody acknowledges it."
        }
    };
    vec![note.to_owned()]
}

fn step_view(step: RehearsalStep) -> AlertRehearsalStepView {
    let after_secs = u32::try_from(step.after.as_secs()).unwrap_or(u32::MAX);
    let view = |kind, text: &str| AlertRehearsalStepView {
        kind,
        after_secs,
        text: text.to_owned(),
        severity: None,
        channel: None,
        title: None,
        body: None,
    };
    match step.event {
        RehearsalEvent::Pending => view(RehearsalStepKind::Pending, "The condition holds."),
        RehearsalEvent::Fired(alert) => AlertRehearsalStepView {
            severity: Some(alert.condition.severity),
            title: Some(alert.condition.title),
            body: Some(alert.condition.detail),
            ..view(RehearsalStepKind::Fired, "The alert fires and is in the inbox.")
        },
        RehearsalEvent::Shown(shown) => {
            let text = match shown.has_sound {
                true => "The desktop shows it again, with a sound.",
                false => "The desktop shows a notification.",
            };
            AlertRehearsalStepView {
                title: Some(shown.title),
                body: Some(shown.body),
                ..view(RehearsalStepKind::Shown, text)
            }
        }
        RehearsalEvent::ToldOver(shown) => AlertRehearsalStepView {
            title: Some(shown.title),
            body: Some(shown.body),
            ..view(RehearsalStepKind::ToldOver, "The desktop shows that the alert is resolved.")
        },
        RehearsalEvent::Withdrawn => {
            view(RehearsalStepKind::Withdrawn, "The notification is withdrawn.")
        }
        RehearsalEvent::Posted { channel, message } => {
            let what = match message.kind {
                MessageKind::Resolved => "is told that it is over",
                _ => "gets a message",
            };
            AlertRehearsalStepView {
                channel: Some(channel),
                title: Some(message.title),
                body: Some(message.body),
                ..view(RehearsalStepKind::Sent, &format!("{} {what}.", channel.label()))
            }
        }
        RehearsalEvent::Over => view(RehearsalStepKind::Over, "The condition is over."),
        RehearsalEvent::Ended => {
            view(RehearsalStepKind::Ended, "The alert ends. Its entry stays in the inbox.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_says_what_came_closest_and_where_it_fires() {
        let finding = |rule: AlertRule, threshold, values: &[Option<f64>]| {
            let line = MetricLine { scope: "a".to_owned(), values: values.to_vec() };
            let metric = PastMetric { lines: vec![line], ..PastMetric::default() };
            metric_finding(rule.row().threshold.expect("it has one"), threshold, &metric)
        };
        let some = [Some(0.0), None, Some(2.34), Some(1.0)];
        assert_eq!(finding(AlertRule::ErrorRate, 1, &some), "At most 2.3 %; fires from 1 % on.");
        let free = [Some(47_000.0), Some(46_200.4)];
        assert_eq!(
            finding(AlertRule::DiskSpace, 500, &free),
            "At least 46200 MB; fires below 500 MB."
        );
        let days = [Some(20.0), Some(14.0)];
        assert_eq!(
            finding(AlertRule::KeyExpiry, 14, &days),
            "At least 14 days; fires at 14 days or less."
        );
    }
}
