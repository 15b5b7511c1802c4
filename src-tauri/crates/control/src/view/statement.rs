//! Request and view types for statements.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, TimeZoneChoice};

domain::words! {
    /// How a statement is written.
    #[derive(Default)]
    StatementFormat {
        /// A page to print.
        #[default]
        Html = "html",
        Csv = "csv",
        Json = "json",
    }
}

/// Asks for the statement of a month.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatementQuery {
    /// Year and month: `2026-11`. None for the present one.
    #[serde(default)]
    pub month: Option<String>,
    /// Only this project; empty for the requests without one. None for all requests.
    #[serde(default)]
    pub project: Option<String>,
    pub zone: TimeZoneChoice,
    pub format: StatementFormat,
}

/// A statement as a file.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatementFile {
    /// For example `gatehouse-2026-11.html`.
    pub name: String,
    pub media_type: String,
    pub text: String,
    pub requests: Count,
    /// Of these, requests whose cost is not known.
    pub unpriced_requests: Count,
    pub cost_nano_usd: NanoDollars,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatementSaved {
    pub path: String,
}
