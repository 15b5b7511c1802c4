//! `gatehouse usage advice`: what to change to spend less.

use control::Core;
use control::view::{
    UsageAdviceBackTestView, UsageAdviceCardView, UsageAdviceQuery, UsageAdviceView,
};

use super::anomalies::ZoneArguments;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_money;
use crate::sign::Tone;
use crate::text::StyledText;

pub(super) async fn run(
    wanted: ZoneArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let found = control::usage_advice(core, UsageAdviceQuery { zone: wanted.zone() }).await?;
    console.print_view(&found, text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn text(found: &UsageAdviceView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &found.finding);
    for card in &found.advice {
        add_card(text.end(), card);
    }
    text.end();
    for rule in &found.unavailable_rules {
        text.line(Tone::Muted, rule);
    }
    text
}

fn add_card(text: &mut StyledText, card: &UsageAdviceCardView) {
    let title = match card.saving_nano_usd_per_month {
        Some(saving) => format!("{}: {} less a month", card.title, format_money(saving)),
        None => card.title.clone(),
    };
    text.line(Tone::Plain, &title);
    for row in &card.evidence {
        text.line(Tone::Muted, &format!("  {}: {}", row.label, row.value));
    }
    if let Some(UsageAdviceBackTestView { estimated_nano_usd, saved_nano_usd }) = card.back_test {
        let [estimated, saved] = [estimated_nano_usd, saved_nano_usd].map(format_money);
        let sentence = format!(
            "  Found 30 days earlier too: {estimated} then, {saved} saved since if followed."
        );
        text.line(Tone::Muted, &sentence);
    }
    text.line(Tone::Plain, &format!("  {}", card.next_step));
}
