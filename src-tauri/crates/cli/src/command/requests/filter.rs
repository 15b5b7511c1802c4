//! The filters of `gatehouse requests`.

use control::view::{CacheOutcome, RequestState, RequestsQuery, UnixMs, WasteKind};
use control::{Core, unknown_name_error};

use super::super::completers;
use crate::exit::CommandError;
use crate::span::parse_span_ms;
use crate::word::word;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(super) struct RequestFilterArguments {
    /// Start from a saved view; the other filters change it
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// Only requests to this backend
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Only requests with this key
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
    /// Only requests from this client
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::client_names))]
    client: Option<String>,
    /// Only requests on this route
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::route_names))]
    route: Option<String>,
    /// Only requests of this project
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Only requests for this model; * matches anything
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Only requests that failed
    #[arg(long, conflicts_with = "state")]
    failed: bool,
    /// Only requests in this state
    #[arg(long, value_name = "STATE", value_parser = word::<RequestState>())]
    state: Option<RequestState>,
    /// Only requests with this HTTP status, for example 503 or 5xx
    #[arg(long, value_name = "CODE")]
    status: Option<String>,
    /// Only requests with this class of failure or error code, for example rate-limited
    #[arg(long, value_name = "WORD")]
    class: Option<String>,
    /// Only requests with this outcome of the cache
    #[arg(long, value_name = "OUTCOME", value_parser = word::<CacheOutcome>())]
    cache: Option<CacheOutcome>,
    /// Only requests since then, for example 90m, 12h or 7d
    #[arg(long, value_name = "TIME", value_parser = parse_span_ms)]
    since: Option<i64>,
    /// Only requests until then, for example 30m
    #[arg(long, value_name = "TIME", value_parser = parse_span_ms)]
    until: Option<i64>,
    /// Only requests of this period: last 3h, yesterday, 2026-11-03 or 2026-11-01..2026-11-07
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["since", "until"])]
    within: Option<String>,
    /// Only requests that cost at least this much in US dollars, for example 0.10
    #[arg(long, value_name = "USD")]
    min_cost: Option<String>,
    /// Only requests that cost at most this much in US dollars
    #[arg(long, value_name = "USD")]
    max_cost: Option<String>,
    /// Only requests whose cost is not known
    #[arg(long)]
    unpriced: bool,
    /// Only requests that were wasted in this way
    #[arg(long, value_name = "KIND", value_parser = word::<WasteKind>())]
    waste: Option<WasteKind>,
    /// Only requests that took at least this long, for example 5s or 800ms
    #[arg(long, value_name = "TIME")]
    slower_than: Option<String>,
    /// Only requests that took at most this long
    #[arg(long, value_name = "TIME")]
    faster_than: Option<String>,
}

pub(super) async fn build_query(
    wanted: &RequestFilterArguments,
    limit: u32,
    core: &Core,
    now: UnixMs,
) -> Result<RequestsQuery, CommandError> {
    let saved = match &wanted.view {
        Some(name) => find_view(name, core).await?,
        None => RequestsQuery::default(),
    };
    let ago = |span: i64| UnixMs(now.0.saturating_sub(span));
    let failed = wanted.failed.then_some(RequestState::Failed);
    let text = |own: &Option<String>, saved: Option<String>| own.clone().or(saved);
    Ok(RequestsQuery {
        limit,
        backend: text(&wanted.backend, saved.backend),
        key: text(&wanted.key, saved.key),
        client: text(&wanted.client, saved.client),
        route: text(&wanted.route, saved.route),
        project: text(&wanted.project, saved.project),
        model: text(&wanted.model, saved.model),
        http_status: text(&wanted.status, saved.http_status),
        failure: text(&wanted.class, saved.failure),
        min_cost: text(&wanted.min_cost, saved.min_cost),
        max_cost: text(&wanted.max_cost, saved.max_cost),
        slower_than: text(&wanted.slower_than, saved.slower_than),
        faster_than: text(&wanted.faster_than, saved.faster_than),
        state: wanted.state.or(failed).or(saved.state),
        cache: wanted.cache.or(saved.cache),
        waste: wanted.waste.or(saved.waste),
        unpriced: wanted.unpriced.then_some(true).or(saved.unpriced),
        within: text(&wanted.within, saved.within.filter(|_| wanted.since.is_none())),
        since: wanted.since.map(ago).or(saved.since),
        until: wanted.until.map(ago).or(saved.until),
        ..RequestsQuery::default()
    })
}

async fn find_view(name: &str, core: &Core) -> Result<RequestsQuery, CommandError> {
    let views = control::saved_views(core).await?;
    let found = views.iter().find(|view| view.name == name);
    let known = views.iter().map(|view| view.name.as_str());
    Ok(found.ok_or_else(|| unknown_name_error("view", name, known))?.query.clone())
}
