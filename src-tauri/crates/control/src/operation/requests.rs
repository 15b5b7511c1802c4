//! Operations on single requests: pages of them by filters, saved views, one request as code.

mod code;
mod export;
mod filter;
mod query_text;
mod saved;

use domain::{DAY_MS, RequestId, WallTime, count_noun};
use engine::Engine;
use ledger::RequestRow;

pub(crate) use code::request_code;
pub(crate) use export::{requests_export, requests_export_save};
pub(crate) use query_text::request_query;
pub use query_text::request_query_words;
pub(crate) use saved::{saved_view_remove, saved_view_set, saved_views};

use crate::ApiError;
use crate::operation::invoice::unpriced_view;
use crate::operation::time_figures::milliseconds;
use crate::operation::usage::cost_view;
use crate::view::{RequestView, RequestsQuery, RequestsView, UnixMs};

pub(crate) async fn requests(
    engine: &Engine,
    req: RequestsQuery,
) -> Result<RequestsView, ApiError> {
    let now = engine.clock().wall();
    let query = filter::ledger_query(&req, now)?;
    let no_longer_kept = query.since.and_then(|since| no_longer_kept(engine, since, now));
    let page = engine.ledger().request_page(query).await?;
    // An id begins with its time.
    let looked_back_to = page.next.filter(|_| page.is_cut).map(|id| id.created().into());
    Ok(RequestsView {
        requests: page.rows.into_iter().map(request_view).collect(),
        next: page.next.map(|id: RequestId| id.to_string()),
        looked_back_to,
        no_longer_kept,
    })
}

/// What a period that begins before the kept requests leaves out; `None` for any other.
fn no_longer_kept(engine: &Engine, since: WallTime, now: WallTime) -> Option<String> {
    let days = engine.settings().ledger.retention_days;
    let kept_ms = i64::from(days) * DAY_MS;
    let is_before = since.unix_ms() < now.unix_ms().saturating_sub(kept_ms);
    let days = count_noun(days.into(), "day");
    is_before.then(|| format!("Requests older than {days} are no longer kept; sums stay."))
}

pub(super) fn request_view(row: RequestRow) -> RequestView {
    let (cost, cost_basis) = cost_view(&row.cost, row.usage_basis);
    RequestView {
        id: row.request.id.to_string(),
        started_at: row.request.started.into(),
        ended_at: row.ended.map(UnixMs::from),
        client: row.request.client.to_string(),
        project: row.request.project,
        route: row.request.route,
        backend: row.backend.map(|id| id.to_string()),
        key: row.credential.map(|id| id.to_string()),
        model_asked: row.request.model_asked,
        model_billed: row.model_billed,
        state: row.state,
        http_status: row.http_status,
        error: row.error_message.or_else(|| row.error_class.clone()),
        error_class: row.error_class,
        explanation: row.explanation.unwrap_or_default(),
        device: row.device,
        stream: row.request.streamed,
        finish_reason: row.finish_reason,
        input_tokens: row.usage.map(|usage| usage.input().into()),
        cache_read_tokens: row.usage.map(|usage| usage.cache_read.into()),
        output_tokens: row.usage.map(|usage| usage.output().into()),
        usage_basis: row.usage_basis,
        usage_raw: row.usage_raw,
        cost_nano_usd: cost,
        cost_basis,
        unpriced: row.unpriced.as_ref().map(unpriced_view),
        cache: row.cache,
        first_token_ms: row.timings.first_token.map(milliseconds),
        total_ms: row.timings.total.map(milliseconds),
        attempts: row.attempts,
    }
}
