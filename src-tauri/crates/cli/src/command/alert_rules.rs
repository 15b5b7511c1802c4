//! `gatehouse alerts rules`: when each rule fires, and the numbers that it judges by.

use control::view::{
    ALERT_BACKTEST_DAYS_MAX, AlertDelivery, AlertNoiseView, AlertRule, AlertRuleNumberView,
    AlertRuleSet, AlertRuleView, AlertSeverity, UnixMs,
};
use control::{ApiError, Core};

use crate::console::Console;
use crate::exit::CommandError;
use crate::quantity::format_distance;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct RuleArguments {
    /// The rule to show or set; lists all without one
    #[arg(value_parser = word::<AlertRule>())]
    rule: Option<AlertRule>,
    /// What becomes of its alerts
    #[arg(value_parser = word::<AlertDelivery>())]
    delivery: Option<AlertDelivery>,
    /// How long its condition must hold, such as 90s, 5m or 0
    #[arg(long = "for", value_name = "TIME", requires = "rule")]
    hold: Option<String>,
    /// The number that it compares with, in its unit
    #[arg(long, value_name = "NUMBER", requires = "rule")]
    threshold: Option<u32>,
    /// Least number of requests
    #[arg(long, value_name = "REQUESTS", requires = "rule")]
    minimum: Option<u32>,
    /// How severe its alerts are
    #[arg(long, requires = "rule", value_parser = word::<AlertSeverity>())]
    severity: Option<AlertSeverity>,
    /// Say when it would have fired in the last days, with these numbers or the saved ones; change
    /// nothing
    #[arg(long, requires = "rule")]
    backtest: bool,
    /// How far back
    #[arg(long, value_name = "N", default_value_t = 7, requires = "backtest",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(ALERT_BACKTEST_DAYS_MAX)))]
    days: u32,
}

pub(super) async fn run(
    typed: RuleArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let now = console.now();
    let Some(rule) = typed.rule else {
        let rules = control::alert_rules(core).await?;
        console.print_view(&rules, |rules| render_rules(rules, now))?;
        return Ok(());
    };
    let hold_secs = typed.hold.as_deref().map(parse_hold).transpose()?;
    let RuleArguments { delivery, threshold, minimum, severity, backtest, days, .. } = typed;
    let wanted = AlertRuleSet { rule, delivery, hold_secs, threshold, minimum, severity };
    if backtest {
        return super::alert_trials::backtest(wanted, days, core, console).await;
    }
    let is_change = delivery.is_some()
        || severity.is_some()
        || [hold_secs, threshold, minimum].iter().any(Option::is_some);
    let rules = match is_change {
        true => control::alert_rule_set(core, wanted).await?,
        false => control::alert_rules(core).await?,
    };
    if let Some(view) = rules.into_iter().find(|view| view.rule == rule) {
        console.print_view(&view, |view| render_rule(view, now))?;
    }
    Ok(())
}

/// In seconds.
fn parse_hold(text: &str) -> Result<u32, ApiError> {
    if matches!(text.trim(), "0" | "0s") {
        return Ok(0);
    }
    let secs = control::parse_span(text).map(|span| span.as_secs());
    secs.and_then(|secs| u32::try_from(secs).ok())
        .ok_or_else(|| ApiError::invalid("for", "name a time such as 90s, 5m, 2h or 0"))
}

/// The rules, and what becomes of their alerts.
pub(super) fn render_rules(rules: &[AlertRuleView], now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let mut table = TextTable::new(&[
        Column::Left("Rule"),
        Column::Left("Group").hidden_at_rank(2),
        Column::Left("Alerts are"),
        Column::Right("In 7 days"),
        Column::Left("Last fired"),
        Column::Left("When").hidden_at_rank(1),
    ]);
    for rule in rules {
        table.row([
            TableCell::styled(Tone::Strong, rule.rule.word()),
            rule.group.word().into(),
            rule.delivery.word().into(),
            rule.fired_last_week.0.to_string().into(),
            last_fired(rule, now).into(),
            rule.condition.as_str().into(),
        ]);
    }
    text.table(&table);
    let noisy: Vec<_> =
        rules.iter().filter_map(|rule| rule.noise.as_ref().zip(Some(rule))).collect();
    if !noisy.is_empty() {
        text.end().line(Tone::Strong, "Nobody acted on these");
        for (noise, rule) in noisy {
            text.line(Tone::Plain, &format!("{}: {}", rule.rule, noise_text(noise)));
        }
    }
    text
}

/// What a rule told for nothing, with the command that would help.
fn noise_text(noise: &AlertNoiseView) -> String {
    let command = noise.change.as_ref().map(|change| {
        let hold = change.hold_secs.map(|secs| format!(" --for {secs}s"));
        let severity = change.severity.map(|severity| format!(" --severity {severity}"));
        let delivery = change.delivery.map(|delivery| format!(" {delivery}"));
        let words: String = [delivery, hold, severity].into_iter().flatten().collect();
        format!(" Try `gatehouse alerts rules {}{words}`.", change.rule)
    });
    format!("{}{}", noise.sentence, command.unwrap_or_default())
}

pub(super) fn render_rule(rule: &AlertRuleView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &rule.title);
    text.line(Tone::Plain, &rule.condition);
    let mut table = TextTable::new(&[
        Column::Left("Setting"),
        Column::Left("Value"),
        Column::Left("Default"),
        Column::Left("Meaning").hidden_at_rank(1),
    ]);
    let number = |value: u32, unit: &str| format!("{value} {unit}").trim_end().to_owned();
    let numbers =
        [("--for", &rule.hold), ("--threshold", &rule.threshold), ("--minimum", &rule.minimum)];
    for (name, view) in numbers {
        let Some(AlertRuleNumberView { value, default, unit, meaning, .. }) = view else {
            continue;
        };
        table.row([
            name.into(),
            number(*value, unit).into(),
            number(*default, unit).into(),
            meaning.as_str().into(),
        ]);
    }
    if let Some(severity) = &rule.severity {
        table.row([
            "--severity".into(),
            severity.value.word().into(),
            severity.default.word().into(),
            "How severe it is.".into(),
        ]);
    }
    text.table(&table);
    text.line(Tone::Plain, &format!("Alerts are: {}.", rule.delivery.word()));
    let times = domain::count_noun(rule.fired_last_week.0, "time");
    text.line(Tone::Plain, &format!("Fired {times} in 7 days; last: {}.", last_fired(rule, now)));
    if let Some(noise) = &rule.noise {
        text.line(Tone::Plain, &noise_text(noise));
    }
    text
}

fn last_fired(rule: &AlertRuleView, now: UnixMs) -> String {
    rule.last_fired_at.map_or_else(|| "–".to_owned(), |at| format_distance(now, at))
}
