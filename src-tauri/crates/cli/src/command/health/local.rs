//! `gatehouse health --local`: this program and its machine.

use control::view::{LocalHealthView, StartView, UnixMs};

use crate::command::ledger::{performance_facts, slow_statements_table};
use crate::quantity::{UNKNOWN, format_distance, format_duration};
use crate::sign::{Mark, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable};

/// Starts that are printed; the view has more.
const STARTS_SHOWN: usize = 5;

pub(in crate::command) fn render_local(local: &LocalHealthView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    text.line(Tone::Strong, &local.finding);
    let mut table = TextTable::new(&[
        Column::Left("Measure"),
        Column::Right("Now"),
        Column::Right("Worst"),
        Column::Left("Alert"),
    ]);
    for chart in &local.charts {
        let known = |value: &Option<String>| value.clone().unwrap_or_else(|| UNKNOWN.to_owned());
        let beyond = if chart.is_beyond {
            Mark::Attention.before("beyond its threshold")
        } else {
            UNKNOWN.to_owned()
        };
        table.row([
            chart.label.as_str().into(),
            known(&chart.latest).into(),
            known(&chart.extreme).into(),
            TableCell::styled(Tone::Warn, &beyond),
        ]);
    }
    text.table(&table);
    let mut facts = TextTable::without_header();
    performance_facts(&local.ledger, now, &mut |name, value| {
        facts.row([TableCell::styled(Tone::Muted, name), value.into()]);
    });
    text.end().line(Tone::Strong, "Ledger").table(&facts);
    if !local.ledger.slow_statements.is_empty() {
        text.end().table(&slow_statements_table(&local.ledger));
    }
    if let Some(newest) = local.starts.first() {
        render_starts(&mut text, newest, &local.starts, now);
    }
    let mut facts = TextTable::without_header();
    for fact in &local.machine {
        let value = fact.value.as_deref().unwrap_or("Unknown");
        facts.row([TableCell::styled(Tone::Muted, &fact.label), value.into()]);
    }
    text.end().line(Tone::Strong, "This machine").table(&facts);
    text
}

fn render_starts(text: &mut StyledText, newest: &StartView, starts: &[StartView], now: UnixMs) {
    let mut stages = TextTable::new(&[Column::Left("This start"), Column::Right("Time")]);
    for stage in &newest.stages {
        stages.row([stage.meaning.as_str().into(), format_duration(stage.ms).into()]);
    }
    let later = [
        ("until the first probe", newest.first_probe_ms),
        ("until the panel was painted", newest.panel_ms),
    ];
    for (name, ms) in later.into_iter().filter_map(|(name, ms)| Some((name, ms?))) {
        stages.row([TableCell::styled(Tone::Muted, name), format_duration(ms).into()]);
    }
    text.end().table(&stages);
    let mut table = TextTable::new(&[
        Column::Left("Start"),
        Column::Right("Until served"),
        Column::Left("Note"),
        Column::Left("Version").hidden_at_rank(1),
    ]);
    for start in starts.iter().take(STARTS_SHOWN) {
        let tone = if start.is_slow { Tone::Warn } else { Tone::Plain };
        table.row([
            format_distance(now, start.at).into(),
            TableCell::styled(tone, &format_duration(start.ready_ms)),
            start.finding.as_str().into(),
            start.version.as_str().into(),
        ]);
    }
    text.end().table(&table);
}
