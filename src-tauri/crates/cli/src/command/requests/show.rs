//! `gatehouse requests show ID`: shows one request attempt by attempt.

use control::Core;
use control::view::{RequestAttemptView, RequestPathView, RequestRef};

use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, duration};
use crate::sign::Tone;
use crate::text::{Column, Piece, Table, Text};

/// Which request.
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The request's id, req_…: see the header x-gatehouse-request-id or `gatehouse requests --json`
    #[arg(value_name = "ID")]
    id: String,
}

pub(super) async fn run(
    wanted: &Show,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let path = control::request_path(core, RequestRef { id: wanted.id.clone() }).await?;
    console.answer(&path, shown)?;
    Ok(Exit::Fine)
}

pub(in crate::command) fn shown(path: &RequestPathView) -> Text {
    let mut text = Text::new();
    let mut facts = Table::of_facts();
    let mut fact = |name: &str, value: &str| {
        facts.row([Piece::toned(Tone::Muted, name), value.into()]);
    };
    fact("Request", &path.id);
    fact("Route", path.route.as_deref().unwrap_or("none, by model name"));
    fact("Queued", &path.queued_ms.map_or_else(|| UNKNOWN.to_owned(), duration));
    fact("Cache", &path.cache.reason);
    text.table(&facts);
    if path.attempts.is_empty() {
        text.line(Tone::Plain, "No backend was tried.");
    } else {
        text.end().table(&attempts(&path.attempts));
    }
    for passed in &path.passed_over {
        let line = format!("Skipped: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn attempts(attempts: &[RequestAttemptView]) -> Table {
    let mut table = Table::new(&[
        Column::Right("#"),
        Column::Left("Backend"),
        Column::Left("Key").minor(1),
        Column::Left("Model").minor(2),
        Column::Right("Status"),
        Column::Right("Took"),
        Column::Left("Error"),
    ]);
    for (number, attempt) in attempts.iter().enumerate() {
        table.row([
            (number + 1).to_string().into(),
            Piece::toned(Tone::Strong, &attempt.backend),
            attempt.credential.as_deref().unwrap_or(UNKNOWN).into(),
            attempt.model.as_str().into(),
            attempt.http_status.map_or_else(|| UNKNOWN.to_owned(), |code| code.to_string()).into(),
            duration(attempt.duration_ms).into(),
            attempt.error.as_deref().unwrap_or_default().into(),
        ]);
    }
    table
}
