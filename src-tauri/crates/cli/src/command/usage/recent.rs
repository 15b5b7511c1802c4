//! `gatehouse usage recent`: the last hour at a glance.

use control::Core;
use control::view::UsageRecentView;

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TextTable};

pub(super) async fn run(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let recent = control::usage_recent(core).await?;
    console.print_view(&recent, recent_text)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn recent_text(recent: &UsageRecentView) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &recent.finding);
    if recent.requests.0 == 0 {
        return text;
    }
    let percent = |share: Option<f64>| {
        share.map_or_else(|| UNKNOWN.to_owned(), |share| format!("{share:.1} %"))
    };
    let mut table = TextTable::new(&[Column::Left("Last hour"), Column::Right("")]);
    table.row([
        "Requests a minute, in the last 5".into(),
        format!("{:.1}", recent.requests_per_minute).into(),
    ]);
    table.row([
        "Tokens a minute, in the last 5".into(),
        format_count(recent.tokens_per_minute).into(),
    ]);
    table.row(["Complete answers".into(), percent(recent.complete_percent).into()]);
    let looked = format!("Served from the cache, of {}", format_count(recent.cache_eligible));
    table.row([looked.into(), percent(recent.cache_percent).into()]);
    for failure in &recent.failures {
        table.row([
            format!("Failed: {}", failure.class).into(),
            format_count(failure.requests).into(),
        ]);
    }
    text.end().table(&table);
    text
}
