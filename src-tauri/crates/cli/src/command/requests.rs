//! `gatehouse requests`: lists single requests, newest first.

use control::Core;
use control::view::{
    CostBasisView, Count, NanoDollars, RequestView, RequestsQuery, RequestsView, UnixMs, UsageBasis,
};

use crate::console::Console;
use crate::exit::{CommandError, Exit};
use crate::quantity::{UNKNOWN, format_count, format_distance, format_duration, format_money};
use crate::sign::{Sign, Tone};
use crate::text::{Column, StyledText, TableCell, TextTable, render_sentence};

mod export;
mod filter;
mod follow;
pub(super) mod show;
pub(super) mod views;

/// Most pages looked through for one list: where few requests match, the core returns after some
/// thousand requests, matching or not.
const PAGES_MAX: usize = 200;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RequestsArguments {
    #[command(subcommand)]
    one: Option<RequestsCommand>,
    /// Number of requests, at most 500
    #[arg(long, short = 'n', visible_alias = "count", value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Print requests as they end, until Ctrl-C
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    filter: Box<filter::RequestFilterArguments>,
}

#[derive(Debug, clap::Subcommand)]
enum RequestsCommand {
    /// Show one request: its outcome, its attempts, its cost and what to do about a failure
    #[command(alias = "get")]
    Show(show::ShowRequestArguments),
    /// Write all requests that match filters as CSV or JSON, at most 100,000
    Export(export::ExportRequestsArguments),
    /// Save, list and remove views: filters under a name, for --view
    Views(views::ViewsArguments),
    /// List requests, as without a subcommand
    #[command(hide = true, alias = "ls")]
    List,
}

pub(crate) async fn run(
    wanted: &RequestsArguments,
    core: &Core,
    console: &mut Console,
) -> Result<Exit, CommandError> {
    match &wanted.one {
        Some(RequestsCommand::Show(wanted)) => return show::run(wanted, core, console).await,
        Some(RequestsCommand::Export(wanted)) => return export::run(wanted, core, console).await,
        Some(RequestsCommand::Views(wanted)) => return views::run(wanted, core, console).await,
        Some(RequestsCommand::List) | None => {}
    }
    let now = console.now();
    let query = filter::build_query(&wanted.filter, wanted.limit, core, now).await?;
    if wanted.follow {
        return follow::run(query, core, console).await;
    }
    let found = list(query, core).await?;
    console.print_view(&found, |requests| table(requests, now))?;
    if let Some(remarks) = remarks(&found, now) {
        console.print_remark(&remarks);
    }
    Ok(Exit::Success)
}

/// What the list leaves out.
pub(super) fn remarks(found: &RequestsView, now: UnixMs) -> Option<StyledText> {
    let looked_back = found.looked_back_to.map(|back_to| {
        format!("Looked back to {}; older requests may match.", format_distance(now, back_to))
    });
    let sentences: Vec<String> =
        looked_back.into_iter().chain(found.no_longer_kept.clone()).collect();
    let mut text = StyledText::new();
    for sentence in &sentences {
        text.line(Tone::Muted, sentence);
    }
    (!sentences.is_empty()).then_some(text)
}

/// The newest requests that match, up to the query's limit.
async fn list(query: RequestsQuery, core: &Core) -> Result<RequestsView, CommandError> {
    let mut found = control::requests(core, query.clone()).await?;
    for _ in 1..PAGES_MAX {
        let held = u32::try_from(found.requests.len()).unwrap_or(u32::MAX);
        let limit = query.limit.saturating_sub(held);
        let Some(before) = found.next.clone().filter(|_| limit > 0) else { break };
        let next = RequestsQuery { before: Some(before), limit, ..query.clone() };
        let next = control::requests(core, next).await?;
        found.requests.extend(next.requests);
        (found.next, found.looked_back_to) = (next.next, next.looked_back_to);
    }
    Ok(found)
}

pub(super) fn table(page: &RequestsView, now: UnixMs) -> StyledText {
    if page.requests.is_empty() {
        return render_sentence("No requests found.");
    }
    let mut text = StyledText::new();
    text.table(&request_rows(&page.requests, now));
    text
}

pub(super) fn request_rows(requests: &[RequestView], now: UnixMs) -> TextTable {
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
    for request in requests {
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
    table
}

fn outcome_cell(request: &RequestView) -> TableCell {
    let sign = Sign::from(request.state);
    match (&request.error_class, &request.error) {
        (None, None) => sign.into(),
        _ => TableCell::styled(sign.tone.into(), &outcome_text(request)),
    }
}

/// The state, with the status and the error. There is room for the error class only; `--json`
/// includes the sentence.
fn outcome_text(request: &RequestView) -> String {
    let sign = Sign::from(request.state);
    match (request.error_class.as_ref().or(request.error.as_ref()), request.http_status) {
        (Some(error), Some(status)) => format!("{} ({status}, {error})", sign.text()),
        (Some(error), None) => format!("{} ({error})", sign.text()),
        (None, _) => sign.text(),
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

fn format_request_cost(request: &RequestView) -> String {
    format_cost_and_basis(request.cost_nano_usd, request.cost_basis)
}

/// The cost, with its basis unless the provider reported it.
pub(super) fn format_cost_and_basis(cost: Option<NanoDollars>, basis: CostBasisView) -> String {
    match (cost, basis) {
        (Some(amount), CostBasisView::Reported) => format_money(amount),
        (Some(amount), CostBasisView::Computed) => format!("{} computed", format_money(amount)),
        (Some(amount), CostBasisView::Estimated) => format!("~{} estimated", format_money(amount)),
        (Some(_), CostBasisView::NotBilled) => "not billed".to_owned(),
        (_, CostBasisView::Unpriced) | (None, _) => "unpriced".to_owned(),
    }
}
