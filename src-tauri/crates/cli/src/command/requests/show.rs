//! `gatehouse requests show ID`: shows one request attempt by attempt.

use control::Core;
use control::view::{
    InvoiceView, LineItemView, RequestAttemptView, RequestPathView, RequestRef, RequestView, Unit,
    UnixMs,
};

use super::{format_request_cost, format_tokens, outcome_text};
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{
    UNKNOWN, format_count, format_distance, format_duration, format_shortest_dollars,
};
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
    let now = console.now();
    console.print_view(&path, |path| render_request(path, now))?;
    Ok(Exit::Success)
}

pub(in crate::command) fn render_request(path: &RequestPathView, now: UnixMs) -> StyledText {
    let mut text = StyledText::new();
    let mut facts = TextTable::without_header();
    let mut fact = |name: &str, value: &str| {
        facts.row([TableCell::styled(Tone::Muted, name), value.into()]);
    };
    let request = &path.request;
    fact("Request", &request.id);
    fact("Outcome", &outcome_text(request));
    fact("Began", &format_distance(now, request.started_at));
    fact("Client", &request.client);
    if let Some(project) = &request.project {
        fact("Project", project);
    }
    fact("Model", &model_text(request));
    fact("Route", path.route.as_deref().unwrap_or("none, by model name"));
    fact("Reason", &request.explanation);
    if let Some(device) = &request.device {
        fact("Made on", device);
    }
    fact("Queued", &path.queued_ms.map_or_else(|| UNKNOWN.to_owned(), format_duration));
    fact("Took", &request.total_ms.map_or_else(|| UNKNOWN.to_owned(), format_duration));
    fact("Tokens in", &format_tokens(request.input_tokens, request.usage_basis));
    fact("Tokens out", &format_tokens(request.output_tokens, request.usage_basis));
    fact("Cost", &format_request_cost(request));
    fact("Cache", &path.cache.reason);
    if let Some(failure) = &path.failure {
        fact("Cause", &failure.cause);
        fact("Next step", &failure.next_step);
    }
    text.table(&facts);
    if path.attempts.is_empty() {
        text.line(Tone::Plain, "No backend was tried.");
    } else {
        text.end().table(&attempts_table(&path.attempts));
    }
    for (number, attempt) in path.attempts.iter().enumerate() {
        if !attempt.invoice.lines.is_empty() || attempt.invoice.unpriced.is_some() {
            text.end();
            text.line(Tone::Strong, &format!("Cost of attempt {}", number + 1));
            render_invoice(&attempt.invoice, &mut text);
        }
    }
    for passed in &path.passed_over {
        let line = format!("Skipped: {}/{}. {}", passed.backend, passed.model, passed.reason);
        text.line(Tone::Muted, &line);
    }
    text
}

fn render_invoice(invoice: &InvoiceView, text: &mut StyledText) {
    if !invoice.lines.is_empty() {
        text.table(&invoice_table(invoice));
    }
    if let Some(unpriced) = &invoice.unpriced {
        text.line(Tone::Warn, &format!("Unpriced. {}", unpriced.sentence));
    }
    if let Some(stated) = invoice.stated_nano_usd {
        let line = format!("The backend states {}, which counts.", format_shortest_dollars(stated));
        text.line(Tone::Plain, &line);
    }
    if let Some(price) = &invoice.price {
        let line = format!("Price of {} from {}", price.valid_from, price.source);
        text.line(Tone::Muted, &line);
    }
}

fn invoice_table(invoice: &InvoiceView) -> TextTable {
    let mut table = TextTable::new(&[
        Column::Left("Counted"),
        Column::Right("Quantity"),
        Column::Left("Unit").hidden_at_rank(2),
        Column::Right("Rate"),
        Column::Right("Amount"),
    ]);
    let dollars =
        |amount: Option<_>| amount.map_or_else(|| UNKNOWN.to_owned(), format_shortest_dollars);
    for line in &invoice.lines {
        table.row([
            line.meter.as_str().into(),
            format_count(line.quantity).into(),
            line.unit.word().into(),
            format_rate(line).into(),
            dollars(line.amount_nano_usd).into(),
        ]);
    }
    if invoice.lines.len() > 1 {
        let total = dollars(invoice.computed_nano_usd);
        let name = TableCell::styled(Tone::Strong, "Computed");
        table.row([name, "".into(), "".into(), "".into(), total.into()]);
    }
    table
}

/// `$2.50 / 1,000,000`.
fn format_rate(line: &LineItemView) -> String {
    let per = match line.unit {
        Unit::Tokens | Unit::Calls => format!(" / {}", format_count(line.quoted_for)),
        Unit::Images | Unit::Seconds | Unit::Requests => String::new(),
    };
    line.rate_nano_usd.map_or_else(
        || UNKNOWN.to_owned(),
        |rate| format!("{}{per}", format_shortest_dollars(rate)),
    )
}

/// The requested model, and the billed one if it has another name.
fn model_text(request: &RequestView) -> String {
    match request.model_billed.as_deref().filter(|billed| *billed != request.model_asked) {
        Some(billed) => format!("{}, billed as {billed}", request.model_asked),
        None => request.model_asked.clone(),
    }
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
