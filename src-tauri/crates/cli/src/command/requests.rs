//! `gatehouse requests`: single requests, newest first.

use control::Core;
use control::view::{
    CostBasisView, Count, RequestView, RequestsQuery, RequestsView, UnixMs, UsageBasisView,
};

use super::keys::done;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, distance, duration, grouped};
use crate::sign::Sign;
use crate::text::{Column, Piece, Table, Text};

/// Which requests.
#[derive(Debug, clap::Args)]
pub(crate) struct Requests {
    /// How many, at most 500
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Only of this backend
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Only of this client
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
}

/// Answers with them.
pub(crate) async fn run(
    wanted: &Requests,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    let query = RequestsQuery {
        before: None,
        limit: wanted.limit,
        backend: wanted.backend.clone(),
        client: wanted.client.clone(),
    };
    let now = console.now();
    console.answer(&control::requests(core, query).await?, |requests| table(requests, now))?;
    Ok(Exit::Fine)
}

pub(super) fn table(page: &RequestsView, now: UnixMs) -> Text {
    if page.requests.is_empty() {
        return done("No requests yet.");
    }
    let mut table = Table::new(&[
        Column::Left("When"),
        Column::Left("Client"),
        Column::Left("Model"),
        Column::Left("Backend"),
        Column::Left("Outcome"),
        Column::Right("In"),
        Column::Right("Out"),
        Column::Right("Cost"),
        Column::Right("Took"),
    ]);
    for request in &page.requests {
        table.row([
            distance(now, request.started_at).into(),
            request.client.as_str().into(),
            request.model_asked.as_str().into(),
            request.backend.as_deref().unwrap_or(UNKNOWN).into(),
            outcome(request),
            tokens(request.input_tokens, request.usage_basis).into(),
            tokens(request.output_tokens, request.usage_basis).into(),
            cost(request).into(),
            request.total_ms.map_or_else(|| UNKNOWN.to_owned(), duration).into(),
        ]);
    }
    let mut text = Text::new();
    text.table(&table);
    text
}

fn outcome(request: &RequestView) -> Piece {
    let sign = Sign::from(request.state);
    match (&request.error, request.http_status) {
        (Some(error), Some(status)) => {
            Piece::toned(sign.tone, &format!("{} ({status}, {error})", sign.text()))
        }
        (Some(error), None) => Piece::toned(sign.tone, &format!("{} ({error})", sign.text())),
        (None, _) => sign.into(),
    }
}

/// `~` marks an estimate: the backend reported no usage.
fn tokens(count: Option<Count>, basis: Option<UsageBasisView>) -> String {
    match (count, basis) {
        (Some(count), Some(UsageBasisView::Estimated)) => format!("~{}", grouped(count)),
        (Some(count), _) => grouped(count),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// What it cost, and how that is known where it was not the provider who said so.
fn cost(request: &RequestView) -> String {
    match (request.cost, request.cost_basis) {
        (Some(amount), CostBasisView::Reported) => amount.to_string(),
        (Some(amount), CostBasisView::Computed) => format!("{amount} computed"),
        (Some(amount), CostBasisView::Estimated) => format!("~{amount} estimated"),
        (_, CostBasisView::Unpriced) | (None, _) => "unpriced".to_owned(),
    }
}
