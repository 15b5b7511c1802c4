//! Request and view types for statements.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::TimeZoneChoice;

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
