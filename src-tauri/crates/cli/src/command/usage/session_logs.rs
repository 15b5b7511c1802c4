//! `gatehouse usage import-logs` and `gatehouse usage session-logs`: usage that coding tools wrote
//! down, apart from what the gateway measured.

use control::view::{
    Count, LogImportState, LogImportView, SessionGroupBy, SessionLogTotalsView, SessionLogsQuery,
    SessionLogsView, TimeZoneChoice, UnixMs,
};
use control::{ChangeTag, Core, CoreEvents, PanelEvent};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{CostSum, format_count, format_counted_noun};
use crate::sign::Tone;
use crate::span::parse_span_ms;
use crate::text::{Column, StyledText, TableCell, TextTable};
use crate::word::word;

/// Problems that are listed before the rest is counted.
const PROBLEMS_SHOWN: usize = 10;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum SessionLogsCommand {
    /// Import usage from the session logs of Claude Code, Codex CLI, Gemini CLI and OpenCode
    ///
    /// Reads what is new in the logs that these tools keep on this machine. Only tokens, models,
    /// times and folders are kept, never a prompt or an answer. Ctrl-C cancels; the next import
    /// resumes there.
    ImportLogs,
    /// Show the usage from session logs, which no other total holds
    SessionLogs(SessionLogsArguments),
}

#[derive(Debug, clap::Args)]
pub(crate) struct SessionLogsArguments {
    /// How far back: a time span such as 12h, 7d or 4w; without it, all that was imported
    #[arg(long, value_name = "TIME", value_parser = parse_span_ms)]
    since: Option<i64>,
    /// One row per tool, model, project folder or day
    #[arg(long, value_parser = word::<SessionGroupBy>(), default_value_t = SessionGroupBy::Tool)]
    by: SessionGroupBy,
    /// Days are in UTC instead of local time
    #[arg(long)]
    utc: bool,
}

pub(super) async fn run(
    command: &SessionLogsCommand,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match command {
        SessionLogsCommand::ImportLogs => import(core, console).await,
        SessionLogsCommand::SessionLogs(wanted) => {
            let query = SessionLogsQuery {
                from: wanted.since.map(|span| UnixMs(console.now().0 - span)),
                group_by: wanted.by,
                zone: if wanted.utc { TimeZoneChoice::Utc } else { TimeZoneChoice::Local },
            };
            let logs = control::session_logs(core, query).await?;
            console.print_view(&logs, render_usage)?;
            Ok(Exit::Success)
        }
    }
}

async fn import(core: &Core, console: &mut Console) -> Result<Exit, CommandError> {
    let ended = tokio::select! {
        ended = follow_import(core, console) => ended?,
        _ = tokio::signal::ctrl_c() => {
            control::session_logs_cancel(core).await?;
            return Err(CommandError::new(Exit::Negative, "the import was cancelled")
                .with_hint("Everything read so far is kept; the next import resumes there."));
        }
    };
    let query = SessionLogsQuery {
        from: None,
        group_by: SessionGroupBy::Tool,
        zone: TimeZoneChoice::Local,
    };
    let logs = SessionLogsView { import: Some(ended), ..control::session_logs(core, query).await? };
    console.print_view(&logs, render_import)?;
    let is_finished = logs.import.is_some_and(|import| import.state == LogImportState::Finished);
    Ok(if is_finished { Exit::Success } else { Exit::Negative })
}

async fn follow_import(core: &Core, console: &mut Console) -> Result<LogImportView, CommandError> {
    // Subscribe before the import starts, so that its end cannot be missed.
    let mut events = CoreEvents::subscribe(core).await?;
    let started = control::session_logs_import(core).await?;
    let is_live = console.shows_progress();
    loop {
        let import = match events.next().await {
            Some(PanelEvent::LogImport { import }) => Some(*import),
            // Events may have been lost, so fetch the import instead.
            Some(PanelEvent::Changed { tags }) if tags.contains(&ChangeTag::SessionLogs) => {
                fetch_import(core).await?
            }
            Some(_) => None,
            None => {
                let message = "Gatehouse stopped before the import finished";
                return Err(CommandError::new(Exit::Internal, message));
            }
        };
        let Some(import) = import.filter(|it| it.started_at == started.started_at) else {
            continue;
        };
        let is_running = import.state == LogImportState::Running;
        if is_live {
            show_progress(&import, is_running, console);
        }
        if !is_running {
            return Ok(import);
        }
    }
}

async fn fetch_import(core: &Core) -> Result<Option<LogImportView>, CommandError> {
    let query =
        SessionLogsQuery { from: None, group_by: SessionGroupBy::Tool, zone: TimeZoneChoice::Utc };
    Ok(control::session_logs(core, query).await?.import)
}

/// Writes over the line of the progress before.
fn show_progress(import: &LogImportView, is_running: bool, console: &mut Console) {
    let mut text = StyledText::new();
    text.rewrite_line();
    if is_running {
        text.piece(Tone::Muted, &import.sentence);
    }
    console.print_remark(&text);
}

pub(in crate::command) fn render_import(logs: &SessionLogsView) -> StyledText {
    let mut text = StyledText::new();
    if let Some(import) = &logs.import {
        let tone = match import.state {
            LogImportState::Finished | LogImportState::Running => Tone::Good,
            LogImportState::Cancelled | LogImportState::Failed => Tone::Bad,
        };
        text.line(tone, &import.sentence);
        for place in &import.skipped {
            text.line(Tone::Warn, &format!("{}: {}", place.path, place.what));
        }
    }
    if logs.files.0 == 0 {
        text.line(Tone::Muted, "Looked in:");
        for place in &logs.places {
            text.line(Tone::Muted, &format!("  {} ({})", place.path, place.tool_name));
        }
        return text;
    }
    text.end();
    append_usage(&mut text, logs);
    text
}

pub(in crate::command) fn render_usage(logs: &SessionLogsView) -> StyledText {
    let mut text = StyledText::new();
    append_usage(&mut text, logs);
    text
}

fn append_usage(text: &mut StyledText, logs: &SessionLogsView) {
    text.line(Tone::Strong, &logs.finding);
    if logs.groups.is_empty() {
        text.line(Tone::Muted, "`gatehouse usage import-logs` imports it.");
        return;
    }
    let mut table = TextTable::new(&[
        Column::Left("Name"),
        Column::Right("List value"),
        Column::Right("Answers"),
        Column::Right("Tokens in").hidden_at_rank(2),
        Column::Right("Cached").hidden_at_rank(4),
        Column::Right("Tokens out").hidden_at_rank(2),
        Column::Right("Measured").hidden_at_rank(3),
    ]);
    for group in &logs.groups {
        table.row(totals_row(TableCell::from(&group.label), &group.totals));
    }
    if logs.groups.len() > 1 {
        table.row(totals_row(TableCell::styled(Tone::Strong, "Total"), &logs.totals));
    }
    text.end().table(&table);
    let note = "Not part of any other total. The value is what the providers' APIs would have \
        charged; a plan may have covered it.";
    text.end().line(Tone::Muted, note);
    append_problems(text, logs);
}

fn totals_row(name: TableCell, totals: &SessionLogTotalsView) -> [TableCell; 7] {
    [
        name,
        CostSum::from(totals).text().into(),
        format_count(totals.answers).into(),
        format_count(totals.input_tokens).into(),
        format_count(totals.cache_read_tokens).into(),
        format_count(totals.output_tokens).into(),
        format_count(totals.measured_answers).into(),
    ]
}

fn append_problems(text: &mut StyledText, logs: &SessionLogsView) {
    if logs.problems_total.0 == 0 {
        return;
    }
    let counted = format_counted_noun(logs.problems_total, "problem");
    text.end().line(Tone::Warn, &format!("{counted} in the logs:"));
    let shown = logs.problems.iter().take(PROBLEMS_SHOWN);
    for problem in shown.clone() {
        let line = problem.line.map_or_else(String::new, |line| format!(":{}", line.0));
        let field = if problem.field.is_empty() { "" } else { " " };
        let told = format!("  {}{line}{field}{} {}", problem.path, problem.field, problem.what);
        text.line(Tone::Plain, &told);
    }
    let more = logs.problems_total.0.saturating_sub(u64::try_from(shown.len()).unwrap_or(0));
    if more > 0 {
        let more = format_count(Count(more));
        text.line(Tone::Muted, &format!("  and {more} more; --json lists up to 200"));
    }
}
