//! The filters of `gatehouse requests`.

use control::view::{
    CacheOutcome, RequestQueryText, RequestState, RequestsQuery, UnixMs, WasteKind,
};
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
    /// Filters as one text, such as 'status:5xx cost>0.1 client:codex'; the other filters change it
    ///
    /// The words are state, status, failure, waste, backend, key, client, project, route, model,
    /// cache, cost, took and within. `cost>0.1` is at least, `cost<1` at most and `cost:unknown`
    /// without a price; `took>5s` is at least. A text without a word is a part of the model's name.
    #[arg(long, value_name = "TEXT")]
    query: Option<String>,
    /// Only requests to this backend; "" for those to none
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::backend_names))]
    backend: Option<String>,
    /// Only requests with this key; "" for those without one
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::key_names))]
    key: Option<String>,
    /// Only requests from this client
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::client_names))]
    client: Option<String>,
    /// Only requests on this route
    #[arg(long, value_name = "NAME", add = completers::candidates_from(completers::route_names))]
    route: Option<String>,
    /// Only requests of this project; "" for those without one
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

impl RequestFilterArguments {
    /// True if a bound is given that is a moment once it is read.
    pub(super) const fn is_at_a_moment(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }
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
    let written = match &wanted.query {
        Some(text) => {
            control::request_query(core, RequestQueryText { text: text.clone() }).await?.query
        }
        None => RequestsQuery::default(),
    };
    let own = over(own_query(wanted, now), over(written, saved));
    Ok(RequestsQuery { limit, ..own })
}

/// The filters that have an option of their own.
fn own_query(wanted: &RequestFilterArguments, now: UnixMs) -> RequestsQuery {
    let ago = |span: i64| UnixMs(now.0.saturating_sub(span));
    let failed = wanted.failed.then_some(RequestState::Failed);
    RequestsQuery {
        backend: wanted.backend.clone(),
        key: wanted.key.clone(),
        client: wanted.client.clone(),
        route: wanted.route.clone(),
        project: wanted.project.clone(),
        model: wanted.model.clone(),
        http_status: wanted.status.clone(),
        failure: wanted.class.clone(),
        min_cost: wanted.min_cost.clone(),
        max_cost: wanted.max_cost.clone(),
        slower_than: wanted.slower_than.clone(),
        faster_than: wanted.faster_than.clone(),
        state: wanted.state.or(failed),
        cache: wanted.cache,
        waste: wanted.waste,
        unpriced: wanted.unpriced.then_some(true),
        within: wanted.within.clone(),
        since: wanted.since.map(ago),
        until: wanted.until.map(ago),
        ..RequestsQuery::default()
    }
}

/// The filters of `top`, and those of `base` that it does not have.
fn over(top: RequestsQuery, base: RequestsQuery) -> RequestsQuery {
    RequestsQuery {
        backend: top.backend.or(base.backend),
        key: top.key.or(base.key),
        client: top.client.or(base.client),
        route: top.route.or(base.route),
        project: top.project.or(base.project),
        model: top.model.or(base.model),
        http_status: top.http_status.or(base.http_status),
        failure: top.failure.or(base.failure),
        min_cost: top.min_cost.or(base.min_cost),
        max_cost: top.max_cost.or(base.max_cost),
        slower_than: top.slower_than.or(base.slower_than),
        faster_than: top.faster_than.or(base.faster_than),
        state: top.state.or(base.state),
        cache: top.cache.or(base.cache),
        waste: top.waste.or(base.waste),
        unpriced: top.unpriced.or(base.unpriced),
        within: top.within.or(base.within.filter(|_| top.since.is_none())),
        since: top.since.or(base.since),
        until: top.until.or(base.until),
        ..RequestsQuery::default()
    }
}

async fn find_view(name: &str, core: &Core) -> Result<RequestsQuery, CommandError> {
    let views = control::saved_views(core).await?;
    let found = views.iter().find(|view| view.name == name);
    let known = views.iter().map(|view| view.name.as_str());
    Ok(found.ok_or_else(|| unknown_name_error("view", name, known))?.query.clone())
}

#[cfg(test)]
mod tests {
    use clap::Args as _;

    use super::*;

    #[test]
    fn the_help_names_every_word_of_a_query() {
        let command = RequestFilterArguments::augment_args(clap::Command::new("requests"));
        let query = command.get_arguments().find(|one| one.get_long() == Some("query"));
        let help = query.and_then(clap::Arg::get_long_help).expect("a long help").to_string();
        let words: Vec<_> =
            control::request_query_words().into_iter().map(|known| known.word).collect();
        let (last, others) = words.split_last().expect("words");
        let sentence = format!("The words are {} and {last}.", others.join(", "));
        assert!(help.contains(&sentence), "{sentence} is not in\n{help}");
    }
}
