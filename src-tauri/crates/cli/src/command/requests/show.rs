//! `gatehouse requests show ID`: shows one request attempt by attempt.

use control::Core;
use control::view::{RequestAttemptView, RequestPathView, RequestRef};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_duration};
use crate::sign::Tone;
use crate::text::{Column, StyledText, TableCell, TextTable};

#[derive(Debug, clap::Args)]
pub(crate) struct ShowRequestArguments {
    /// The request's id, req_…: see the header x-gatehouse-request-id or `gatehouse requests --json`
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) async fn run(
    wanted: &ShowRequestArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    let path = control::request_path(core, RequestRef { id: wanted.id.clone() }).await?;
    console.print_view(&path, render_request)?;
    Ok(Exit::Success)
}

pub(in crate::command) fn render_request(path: &RequestPathView) -> StyledText {
    let mut text = StyledText::new();
    let mut facts = TextTable::without_header();
    let mut fact = |name: &str, value: &str| {
        facts.row([TableCell::styled(Tone::Muted, name), value.into()]);
    };
    fact("Request", &path.id);
    fact("Route", path.route.as_deref().unwrap_or("none, by model name"));
    fact("Queued", &path.queued_ms.map_or_else(|| UNKNOWN.to_owned(), format_duration));
    fact("Cache", &path.cache.reason);
    text.table(&facts);
    if path.attempts.is_empty() {
        text.line(Tone::Plain, "No backend was tried.");
    } else {
        text.end().table(&attempts_table(&path.attempts));
    }
    for passed in &path.passed_over {
        let line = format!("Skipped: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn attempts_table(attempts: &[RequestAttemptView]) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Right("#"),
        Column::Left("Backend"),
        Column::Left("Key").hidden_at_rank(1),
        Column::Left("Model").hidden_at_rank(2),
        Column::Right("Status"),
        Column::Right("Took"),
        Column::Left("Error"),
    ]);
    for (number, attempt) in attempts.iter().enumerate() {
        table.row([
            (number + 1).to_string().into(),
            TableCell::styled(Tone::Strong, &attempt.backend),
            attempt.credential.as_deref().unwrap_or(UNKNOWN).into(),
            attempt.model.as_str().into(),
            attempt.http_status.map_or_else(|| UNKNOWN.to_owned(), |code| code.to_string()).into(),
            format_duration(attempt.duration_ms).into(),
            attempt.error.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}
