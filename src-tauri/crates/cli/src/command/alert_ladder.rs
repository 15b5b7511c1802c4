//! `gatehouse alerts ladder`: who is told of an alert when, until somebody acknowledges it.

use std::time::Duration;

use control::view::{AlertLadderStepView, AlertLadderView};
use domain::format_span;

use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

/// The sentence, and the steps with the settings that change them.
pub(super) fn render_ladder(ladder: &AlertLadderView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &ladder.sentence);
    let mut table = TextTable::new(&[
        Column::Left("Step"),
        Column::Right("After"),
        Column::Left("From"),
        Column::Left("What").hidden_at_rank(1),
    ]);
    for step in &ladder.steps {
        table.row([
            step.step.word().into(),
            after(step).into(),
            step.from_severity.word().into(),
            step.text.as_str().into(),
        ]);
    }
    text.end().table(&table);
    text
}

fn after(step: &AlertLadderStepView) -> String {
    match (step.is_on, step.wait_secs) {
        (false, _) => "off".to_owned(),
        (true, 0) => "at once".to_owned(),
        (true, secs) => format_span(Duration::from_secs(secs.into())),
    }
}
