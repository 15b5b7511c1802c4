//! Request and view types for what providers billed, and how far it is from what was computed.

use domain::{BilledSource, BillingProvider};
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, UnixMs};

/// Asks a provider for its cost report with the stored admin key.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BillingFetch {
    pub provider: BillingProvider,
    /// UTC days back, without today; 1 to 30.
    pub days: u32,
}

/// Reads a file that the provider's console exported.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BillingImport {
    pub provider: BillingProvider,
    /// Shown with what could not be read.
    pub file_name: String,
    /// The file as text. A byte that is no text stands as U+FFFD.
    pub text: String,
}

/// What a report said. Stored under its days, in place of what the same source said of them.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BillingReportView {
    pub provider: BillingProvider,
    pub source: BilledSource,
    /// Days that were stored, those without costs among them.
    pub days: Count,
    pub lines: Count,
    pub billed_nano_usd: NanoDollars,
    /// What of a file could not be used. A day with such a line is not stored.
    pub problems: Vec<BillingProblemView>,
    /// "OpenAI billed $41.20 on 12 days. 1 problem."
    pub finding: String,
}

/// How far the fetch of a cost report is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct BillingProgressView {
    pub provider: BillingProvider,
    /// UTC days of the report that are read.
    pub days_read: Count,
    /// UTC days that were asked for.
    pub days: Count,
    /// "OpenAI: day 7 of 30"
    pub sentence: String,
    /// False in the last event of a fetch, whatever its outcome.
    pub is_running: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BillingProblemView {
    pub file: String,
    /// Counted from 1.
    pub line: Count,
    /// The column; empty for a whole line.
    pub field: String,
    pub problem: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DriftQuery {
    /// UTC days back, today included; 1 to 90.
    pub days: u32,
    /// One provider; None for all.
    #[serde(default)]
    #[specta(optional)]
    pub provider: Option<BillingProvider>,
}

/// What was billed beside what was computed.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DriftView {
    /// "OpenAI billed $4.10 and Gatehouse computed $4.05 on 7 reconciled days."
    pub finding: String,
    /// "Marked are differences of more than 0.5 % of the bill. The alert "Bill differs" begins at 2 % of
    /// a provider's week and $1.00."
    pub levels: String,
    pub providers: Vec<DriftProviderView>,
    /// Newest first; days with traffic or a report.
    pub days: Vec<DriftDayView>,
    /// "openrouter states $4.20 and Gatehouse computes $4.10 for the same 120 answers (+2.4 %)."
    /// None if no backend stated a cost.
    pub stated_finding: Option<String>,
    /// What backends stated in their answers, by backend and model; the largest difference first.
    pub stated: Vec<StatedDriftView>,
}

/// Answers of a model whose backend stated what they cost, which is what counts.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct StatedDriftView {
    pub backend: String,
    pub model: String,
    pub answers: Count,
    /// Answers that the price list computes too. The others have no price, or a part that is not
    /// understood.
    pub compared: Count,
    /// Of the compared answers alone, as the next two; None if there are none.
    pub stated_nano_usd: Option<NanoDollars>,
    pub computed_nano_usd: Option<NanoDollars>,
    /// Stated minus computed.
    pub difference_nano_usd: Option<NanoDollars>,
    /// Share of what was stated, in percent with one decimal; None if nothing was stated.
    pub difference_percent: Option<f64>,
    /// True if it is more than is expected of a computed cost.
    pub is_marked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DriftProviderView {
    pub provider: BillingProvider,
    pub label: String,
    /// Its admin key; None if there is none.
    pub key: Option<String>,
    /// When the newest report was read.
    pub fetched: Option<UnixMs>,
    pub reconciled_days: Count,
    /// Days with traffic and without a report.
    pub open_days: Count,
    /// Of the reconciled days alone, as the next two.
    pub computed_nano_usd: NanoDollars,
    pub billed_nano_usd: NanoDollars,
    /// Billed minus computed.
    pub difference_nano_usd: NanoDollars,
    /// Share of what was billed, in percent with one decimal; None if nothing was billed.
    pub difference_percent: Option<f64>,
    /// True if it is more than is expected of a computed cost.
    pub is_marked: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct DriftDayView {
    pub provider: BillingProvider,
    /// In UTC: `2026-11-20`.
    pub day: String,
    pub state: DriftState,
    pub computed_nano_usd: NanoDollars,
    /// None without a report, which is not zero.
    pub billed_nano_usd: Option<NanoDollars>,
    /// Billed minus computed; None without a report.
    pub difference_nano_usd: Option<NanoDollars>,
    /// Share of what was billed, in percent with one decimal.
    pub difference_percent: Option<f64>,
    /// True if it is more than is expected of a computed cost.
    pub is_marked: bool,
    pub requests: Count,
    /// Requests whose cost is not known; not in the computed cost.
    pub unpriced_requests: Count,
    /// Percentage of the requests that a backend worked for with a known cost, rounded down; None without
    /// such requests.
    pub priced_percent: Option<u32>,
    pub source: Option<BilledSource>,
    pub fetched: Option<UnixMs>,
    /// Reasons that are seen: "2 requests have no price".
    pub reasons: Vec<String>,
    /// As the provider names them, highest first.
    pub lines: Vec<BilledLineView>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum DriftState {
    /// There is a report of the day.
    Reconciled,
    NotReconciled,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BilledLineView {
    pub line: String,
    pub amount_nano_usd: NanoDollars,
}
