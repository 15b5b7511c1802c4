//! `gatehouse requests`: lists single requests, newest first.

use control::Core;
use control::view::{
    CostBasisView, Count, RequestStateView, RequestView, RequestsQuery, RequestsView, UnixMs,
    UsageBasis,
};

use super::completers;
use super::keys::render_sentence;
use super::usage::parse_span_ms;
use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count, format_distance, format_duration};
use crate::sign::Sign;
use crate::text::{Column, StyledText, TableCell, TextTable};

pub(super) mod show;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RequestsArguments {
    #[command(subcommand)]
    one: Option<RequestsCommand>,
    /// Number of requests, at most 500
    #[arg(long, short = 'n', visible_alias = "count", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Only requests to this backend
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Only requests from this client
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::client_names))]
    client: Option<String>,
    /// Only requests on this route
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::route_names))]
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
    #[arg(long, value_name = "TIME", value_parser = parse_span_ms)]
    since: Option<i64>,
}

#[derive(Debug, clap::Subcommand)]
enum RequestsCommand {
    /// Show one request: its route, its attempts, and what the cache did
    #[command(alias = "get")]
    Show(show::ShowRequestArguments),
    /// List requests, as without a subcommand
    #[command(hide = true, alias = "ls")]
    List,
}

pub(crate) async fn run(
    wanted: &RequestsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    if let Some(RequestsCommand::Show(wanted)) = &wanted.one {
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
    console.print_view(&control::requests(core, query).await?, |requests| table(requests, now))?;
    Ok(Exit::Success)
}

pub(super) fn table(page: &RequestsView, now: UnixMs) -> StyledText {
    if page.requests.is_empty() {
        return render_sentence("No requests found.");
    }
    let mut table = TextTable::new(&[
        Column::Left("When"),
        Column::Left("Client").hidden_at_rank(4),
        Column::Left("Model"),
        Column::Left("Backend").hidden_at_rank(1),
        Column::Left("Outcome"),
        Column::Right("In").hidden_at_rank(6),
        Column::Right("Out").hidden_at_rank(5),
        Column::Right("Cost").hidden_at_rank(2),
        Column::Right("Took").hidden_at_rank(3),
    ]);
    for request in &page.requests {
        table.row([
            format_distance(now, request.started_at).into(),
            request.client.as_str().into(),
            request.model_asked.as_str().into(),
            request.backend.as_deref().unwrap_or(UNKNOWN).into(),
            outcome_cell(request),
            format_tokens(request.input_tokens, request.usage_basis).into(),
            format_tokens(request.output_tokens, request.usage_basis).into(),
            format_request_cost(request).into(),
            request.total_ms.map_or_else(|| UNKNOWN.to_owned(), format_duration).into(),
        ]);
    }
    let mut text = StyledText::new();
    text.table(&table);
    text
}

fn outcome_cell(request: &RequestView) -> TableCell {
    let sign = Sign::from(request.state);
    // The row has room for the error class only; `--json` includes the sentence.
    match (request.error_class.as_ref().or(request.error.as_ref()), request.http_status) {
        (Some(error), Some(status)) => {
            TableCell::styled(sign.tone.into(), &format!("{} ({status}, {error})", sign.text()))
        }
        (Some(error), None) => {
            TableCell::styled(sign.tone.into(), &format!("{} ({error})", sign.text()))
        }
        (None, _) => sign.into(),
    }
}

/// `~` marks an estimate: the backend reported no usage.
fn format_tokens(count: Option<Count>, basis: Option<UsageBasis>) -> String {
    match (count, basis) {
        (Some(count), Some(UsageBasis::Estimated)) => format!("~{}", format_count(count)),
        (Some(count), _) => format_count(count),
        (None, _) => UNKNOWN.to_owned(),
    }
}

/// The cost, with its basis unless the provider reported it.
fn format_request_cost(request: &RequestView) -> String {
    match (request.cost_nano_usd, request.cost_basis) {
        (Some(amount), CostBasisView::Reported) => amount.to_string(),
        (Some(amount), CostBasisView::Computed) => format!("{amount} computed"),
        (Some(amount), CostBasisView::Estimated) => format!("~{amount} estimated"),
        (Some(_), CostBasisView::NotBilled) => "free".to_owned(),
        (_, CostBasisView::Unpriced) | (None, _) => "unpriced".to_owned(),
    }
}
