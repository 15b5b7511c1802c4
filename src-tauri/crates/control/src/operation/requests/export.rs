//! Requests as a file: one row each, exact, so that the column of costs adds up to the total.

use domain::{NanoUsd, WallTime};
use engine::Engine;
use ledger::{REQUESTS_PAGE_ROWS_MAX, RequestQuery, RequestRow};
use pricing::Cost;
use serde::Serialize;

use super::filter::filters;
use crate::ApiError;
use crate::csv_cell::guard_formula;
use crate::operation::text_file::{self, CSV, JSON};
use crate::operation::usage::cost_view;
use crate::view::{
    CacheOutcome, CostBasisView, Count, RequestState, RequestsExport, RequestsFormat, SavedFile,
    TextFile,
};

/// Most requests in a file, about 30 MB of CSV.
const REQUESTS_MAX: usize = 100_000;

/// A row of the file. Texts from elsewhere are the client's and the providers' names; no message is
/// among them.
#[derive(Debug, Serialize)]
struct ExportedRequest {
    id: String,
    /// RFC 3339 in UTC, as `ended`.
    started: String,
    ended: Option<String>,
    client: String,
    project: Option<String>,
    route: String,
    backend: Option<String>,
    key: Option<String>,
    model_asked: String,
    model_billed: Option<String>,
    state: RequestState,
    http_status: Option<u16>,
    error_class: Option<String>,
    stream: bool,
    finish_reason: Option<String>,
    attempts: u32,
    input_tokens: Option<u64>,
    /// Of the input.
    cache_read_tokens: Option<u64>,
    output_tokens: Option<u64>,
    /// What is known, in US dollars, exact; none if nothing is.
    cost_usd: Option<String>,
    cost_basis: CostBasisView,
    /// Why the cost is not known, or only a part of it.
    unpriced: Option<&'static str>,
    cache: CacheOutcome,
    first_token_ms: Option<u64>,
    total_ms: Option<u64>,
    /// The other machine that it was made on.
    device: Option<String>,
}

pub(crate) async fn requests_export(
    engine: &Engine,
    req: RequestsExport,
) -> Result<TextFile, ApiError> {
    let now = engine.clock().wall();
    let rows_max = match usize::try_from(req.query.limit).unwrap_or(usize::MAX) {
        0 => REQUESTS_MAX,
        limit @ 1..=REQUESTS_MAX => limit,
        _ => {
            return Err(ApiError::invalid("limit", format!("choose 1 to {REQUESTS_MAX} requests")));
        }
    };
    let (rows, is_whole) = collect(engine, &filters(&req.query, now)?, rows_max).await?;
    let requests = count(rows.len());
    let billed = rows.iter().filter(|row| row.cost != Cost::NotBilled).count();
    let unpriced_requests = count(rows.iter().filter(|row| row.is_unpriced()).count());
    let cost: NanoUsd = rows.iter().filter_map(RequestRow::known_cost).sum();
    let rows = rows.into_iter().map(exported);
    let (text, media_type) = match req.format {
        RequestsFormat::Csv => (csv_text(rows.map(ExportedRequest::guarded))?, CSV),
        RequestsFormat::Json => {
            let rows: Vec<_> = rows.collect();
            let text = serde_json::to_string_pretty(&rows);
            (text.map_err(|error| ApiError::failed(error.to_string()))?, JSON)
        }
    };
    Ok(TextFile {
        name: format!("gatehouse-requests-{}.{}", now.to_file_stamp(), req.format),
        media_type: media_type.to_owned(),
        text,
        requests,
        unpriced_requests,
        cost_nano_usd: cost.into(),
        is_cost_unknown: domain::is_cost_unknown(cost, count(billed).0, unpriced_requests.0),
        is_whole,
    })
}

/// Writes the file into the folder for downloads, beside what is there.
pub(crate) async fn requests_export_save(
    engine: &Engine,
    req: RequestsExport,
) -> Result<SavedFile, ApiError> {
    text_file::save(engine, requests_export(engine, req).await?).await
}

/// The newest requests that match, and whether these are all.
async fn collect(
    engine: &Engine,
    filters: &RequestQuery,
    rows_max: usize,
) -> Result<(Vec<RequestRow>, bool), ApiError> {
    let mut rows = Vec::new();
    let mut before = None;
    loop {
        // One more than may be: it says that there are others.
        let limit = REQUESTS_PAGE_ROWS_MAX.min(rows_max + 1 - rows.len());
        let page = engine.ledger().request_page(RequestQuery { before, limit, ..filters.clone() });
        let page = page.await?;
        rows.extend(page.rows);
        if rows.len() > rows_max {
            rows.truncate(rows_max);
            return Ok((rows, false));
        }
        before = page.next;
        if before.is_none() {
            return Ok((rows, true));
        }
    }
}

/// A header and the rows; nothing for no rows.
fn csv_text(rows: impl Iterator<Item = ExportedRequest>) -> Result<String, ApiError> {
    let broken = |error: csv::Error| ApiError::failed(error.to_string());
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn exported(row: RequestRow) -> ExportedRequest {
    let (_, cost_basis) = cost_view(&row.cost, row.usage_basis);
    let cost_usd = row.known_cost().map(|amount| amount.to_string());
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    ExportedRequest {
        id: row.request.id.to_string(),
        started: row.request.started.to_rfc3339(),
        ended: row.ended.map(WallTime::to_rfc3339),
        client: row.request.client.to_string(),
        project: row.request.project,
        route: row.request.route,
        backend: row.backend.map(|id| id.to_string()),
        key: row.credential.map(|id| id.to_string()),
        model_asked: row.request.model_asked,
        model_billed: row.model_billed,
        state: row.state,
        http_status: row.http_status,
        error_class: row.error_class,
        stream: row.request.streamed,
        finish_reason: row.finish_reason,
        attempts: row.attempts,
        input_tokens: row.usage.map(|usage| usage.input()),
        cache_read_tokens: row.usage.map(|usage| usage.cache_read),
        output_tokens: row.usage.map(|usage| usage.output()),
        cost_usd,
        cost_basis,
        unpriced: row.unpriced.map(|why| why.reason.word()),
        cache: row.cache,
        first_token_ms: row.timings.first_token.map(ms),
        total_ms: row.timings.total.map(ms),
        device: row.device,
    }
}

impl ExportedRequest {
    /// With no text that a spreadsheet would run.
    fn guarded(mut self) -> Self {
        let guard = |text: &mut String| *text = guard_formula(text).into_owned();
        guard(&mut self.route);
        guard(&mut self.model_asked);
        let others = [
            &mut self.project,
            &mut self.model_billed,
            &mut self.error_class,
            &mut self.finish_reason,
            &mut self.device,
        ];
        others.into_iter().flatten().for_each(guard);
        self
    }
}

fn count(number: usize) -> Count {
    u64::try_from(number).unwrap_or(u64::MAX).into()
}
