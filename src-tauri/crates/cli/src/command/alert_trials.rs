//! `gatehouse alerts rules RULE --backtest` and `gatehouse alerts rehearse`: when a rule would have
//! fired, and what it would do.

use std::time::Duration;

use control::Core;
use control::view::{
    AlertBacktestView, AlertFiringView, AlertRehearsalView, AlertRule, AlertRuleBacktest,
    AlertRuleSet, UnixMs,
};
use domain::format_span;

use crate::console::Console;
use crate::exit::CommandError;
use crate::quantity::format_distance;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct RehearseArguments {
    /// The rule to play
    #[arg(value_parser = word::<AlertRule>())]
    rule: AlertRule,
}

pub(super) async fn backtest(
    numbers: AlertRuleSet,
    days: u32,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let query = AlertRuleBacktest { numbers, days };
    let view = control::alert_rule_backtest(core, query).await?;
    let now = console.now();
    console.print_view(&view, |view| render_backtest(view, now))
}

pub(super) async fn rehearse(
    wanted: RehearseArguments,
    core: &Core,
    console: &mut Console,
) -> Result<(), CommandError> {
    let RehearseArguments { rule } = wanted;
    let (delivery, hold_secs, threshold, minimum, severity) = (None, None, None, None, None);
    let saved = AlertRuleSet { rule, delivery, hold_secs, threshold, minimum, severity };
    let view = control::alert_rule_rehearse(core, saved).await?;
    console.print_view(&view, render_rehearsal)
}

/// The sentence, and what would have fired beside what did.
pub(super) fn render_backtest(tested: &AlertBacktestView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &tested.sentence);
    for note in &tested.notes {
        text.line(Tone::Plain, note);
    }
    let groups = [
        ("would have fired", tested.tried.as_deref().unwrap_or_default()),
        ("with the saved numbers", tested.saved.as_deref().unwrap_or_default()),
        ("fired", tested.fired.as_slice()),
    ];
    if groups.iter().all(|(_, firings)| firings.is_empty()) {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Left("What"),
        Column::Left("When"),
        Column::Left("For"),
        Column::Left("Alert").hidden_at_rank(1),
    ]);
    for (what, firings) in groups {
        for firing in firings {
            table.row([
                what.into(),
                format_distance(now, firing.from).into(),
                duration_text(firing).into(),
                firing.title.as_str().into(),
            ]);
        }
    }
    text.end().table(&table);
    text
}

fn duration_text(firing: &AlertFiringView) -> String {
    let lasted = format_span(Duration::from_secs(firing.lasted_secs.0));
    if firing.to.is_none() { format!("{lasted}, still") } else { lasted }
}

/// What would be told, and the steps.
pub(super) fn render_rehearsal(played: &AlertRehearsalView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &played.sentence);
    for note in &played.notes {
        text.line(Tone::Plain, note);
    }
    text.line(Tone::Plain, "A rehearsal: nothing was saved, shown or sent.");
    if played.steps.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&[
        Column::Right("After"),
        Column::Left("What happens"),
        Column::Left("Text").hidden_at_rank(1),
    ]);
    for step in &played.steps {
        let shown = [&step.title, &step.body].into_iter().flatten();
        let shown: Vec<&str> = shown.map(String::as_str).collect();
        table.row([
            format_span(Duration::from_secs(step.after_secs.into())).into(),
            step.text.as_str().into(),
            shown.join(". ").into(),
        ]);
    }
    text.end().table(&table);
    text
}
