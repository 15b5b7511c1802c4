//! `gatehouse requests`: lists single requests, newest first.

use control::Core;
use control::view::{
    CostBasisView, Count, RequestStateView, RequestView, RequestsQuery, RequestsView, UnixMs,
    UsageBasisView,
};

use super::completions;
use super::keys::done;
use super::usage::span_ms;
use crate::console::Console;
use crate::exit::{Exit, Failure};
use crate::quantity::{UNKNOWN, distance, duration, grouped};
use crate::sign::Sign;
use crate::text::{Column, Piece, Table, Text};

pub(super) mod show;

/// Which requests.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Requests {
    #[command(subcommand)]
    one: Option<One>,
    /// Number of requests, at most 500
    #[arg(long, short = 'n', visible_alias = "count", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Only requests to this backend
    #[arg(long, value_name = "NAME", add = completions::of(completions::backends))]
    backend: Option<String>,
    /// Only requests from this client
    #[arg(long, value_name = "NAME", add = completions::of(completions::clients))]
    client: Option<String>,
    /// Only requests on this route
    #[arg(long, value_name = "NAME", add = completions::of(completions::routes))]
    route: Option<String>,
    /// Only requests for this model; * matches anything
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Only requests that failed
    #[arg(long)]
    failed: bool,
    /// Only requests with this HTTP status, for example 503 or 5xx
    #[arg(long, value_name = "CODE")]
    status: Option<String>,
    /// Only requests since then, for example 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = span_ms)]
    since: Option<i64>,
}

#[derive(Debug, clap::Subcommand)]
enum One {
    /// Show one request: its route, its attempts, and what the cache did
    #[command(alias = "get")]
    Show(show::Show),
    /// List requests, as without a subcommand
    #[command(hide = true, alias = "ls")]
    List,
}

pub(crate) async fn run(
    wanted: &Requests,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, Failure> {
    if let Some(One::Show(wanted)) = &wanted.one {
        return show::run(wanted, core, console).await;
    }
    let query = RequestsQuery {
        limit: wanted.limit,
        backend: wanted.backend.clone(),
        client: wanted.client.clone(),
        route: wanted.route.clone(),
        model: wanted.model.clone(),
        http_status: wanted.status.clone(),
        state: wanted.failed.then_some(RequestStateView::Failed),
        since: wanted.since.map(|span| UnixMs(console.now().0 - span)),
        ..RequestsQuery::default()
    };
    let now = console.now();
    console.answer(&control::requests(core, query).await?, |requests| table(requests, now))?;
    Ok(Exit::Fine)
}

pub(super) fn table(page: &RequestsView, now: UnixMs) -> Text {
    if page.requests.is_empty() {
        return done("No requests found.");
    }
    let mut table = Table::new(&[
        Column::Left("When"),
        Column::Left("Client").minor(4),
        Column::Left("Model"),
        Column::Left("Backend").minor(1),
        Column::Left("Outcome"),
        Column::Right("In").minor(6),
        Column::Right("Out").minor(5),
        Column::Right("Cost").minor(2),
        Column::Right("Took").minor(3),
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
    // The row has room for the error class only; `--json` includes the sentence.
    match (request.error_class.as_ref().or(request.error.as_ref()), request.http_status) {
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

/// The cost, with its basis unless the provider reported it.
fn cost(request: &RequestView) -> String {
    match (request.cost, request.cost_basis) {
        (Some(amount), CostBasisView::Reported) => amount.to_string(),
        (Some(amount), CostBasisView::Computed) => format!("{amount} computed"),
        (Some(amount), CostBasisView::Estimated) => format!("~{amount} estimated"),
        (Some(_), CostBasisView::NotBilled) => "free".to_owned(),
        (_, CostBasisView::Unpriced) | (None, _) => "unpriced".to_owned(),
    }
}
