//! A statement as CSV (RFC 4180): a row a day, backend and model, and no row of totals, so that the
//! columns can be summed.

use super::Statement;
use crate::ApiError;
use crate::csv_cell::guard_formula;

const COLUMNS: [&str; 10] = [
    "day",
    "backend",
    "model",
    "requests",
    "unpriced_requests",
    "failed_requests",
    "input_tokens",
    "cache_read_tokens",
    "output_tokens",
    "cost_usd",
];

pub(super) fn render(statement: &Statement) -> Result<String, ApiError> {
    let broken = |error: csv::Error| ApiError::failed(error.to_string());
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(broken)?;
    for row in &statement.rows {
        let it = &row.amounts;
        let numbers = [
            it.requests,
            it.unpriced_requests,
            it.failed,
            it.tokens.input(),
            it.tokens.cache_read,
            it.tokens.output(),
        ];
        let mut cells: Vec<String> = vec![
            row.day.clone(),
            guard_formula(&row.backend).into_owned(),
            guard_formula(&row.model).into_owned(),
        ];
        cells.extend(numbers.map(|number| number.to_string()));
        // A cell without a value is none in sums, as a zero is, but does not pass for one.
        cells.push(it.known_cost().as_ref().map(ToString::to_string).unwrap_or_default());
        writer.write_record(&cells).map_err(broken)?;
    }
    let bytes = writer.into_inner().map_err(|error| ApiError::failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
