//! `gatehouse audit`: what was changed, and by what.

use control::view::{AuditEntryView, AuditLogQuery, AuditLogView, CallerKind, UnixMs};
use control::{Core, Sign};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::format_distance;
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};
use crate::word::word;

#[derive(Debug, clap::Args)]
pub(crate) struct AuditArguments {
    /// Only calls from there
    #[arg(long, value_name = "CALLER", value_parser = word::<CallerKind>())]
    by: Option<CallerKind>,
    /// Only calls of this operation, such as backend_add
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// Show at most this many, from 1 to 200
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: u32,
    /// Only entries before this number: the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<u32>,
}

pub(crate) async fn run(
    wanted: AuditArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let AuditArguments { by, operation, limit, before } = wanted;
    let query = AuditLogQuery { before, caller: by, operation, limit };
    let now = console.now();
    console.print_view(&control::audit_log(core, query).await?, |log| render(log, now))?;
    Ok(Exit::Success)
}

pub(super) fn render(log: &AuditLogView, now: UnixMs) -> StyledText {
    if log.entries.is_empty() {
        return render_sentence("Nothing was changed.");
    }
    let mut table = TextTable::new(&[
        Column::Right("No."),
        Column::Left("Time"),
        Column::Left("By"),
        Column::Left("Operation"),
        Column::Left("On").hidden_at_rank(1),
        Column::Left("Outcome"),
    ]);
    for entry in &log.entries {
        let outcome = Sign::from(entry.outcome);
        table.row([
            entry.number.to_string().into(),
            format_distance(now, entry.at).into(),
            caller(entry).into(),
            entry.operation.as_str().into(),
            entry.subject.clone().unwrap_or_default().into(),
            TableCell::styled(outcome.tone.into(), outcome.word),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    if let Some(next) = log.next {
        text.line(Tone::Muted, &format!("Older entries: gatehouse audit --before {next}"));
    }
    text
}

/// `mcp: Claude Code 2.1.0 (token of editor, confirmed)`.
fn caller(entry: &AuditEntryView) -> String {
    let kind = entry.caller.word();
    let named = match (&entry.agent, &entry.agent_version) {
        (Some(agent), Some(version)) => format!("{kind}: {agent} {version}"),
        (Some(agent), None) => format!("{kind}: {agent}"),
        (None, _) => kind.to_owned(),
    };
    let token = entry.client.as_ref().map(|client| format!("token of {client}"));
    let answer = entry.confirmed.map(|confirmed| match confirmed {
        true => "confirmed".to_owned(),
        false => "not confirmed".to_owned(),
    });
    let known: Vec<_> = token.into_iter().chain(answer).collect();
    match known.as_slice() {
        [] => named,
        known => format!("{named} ({})", known.join(", ")),
    }
}
