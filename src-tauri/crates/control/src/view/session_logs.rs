//! Request and view types for usage from the session logs of coding tools.

use domain::SessionTool;
use engine::LogImportState;
use ledger::SessionGroupBy;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, TimeZoneChoice, UnixMs};

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SessionLogsQuery {
    /// Start of the period; None for all that was imported.
    pub from: Option<UnixMs>,
    pub group_by: SessionGroupBy,
    pub zone: TimeZoneChoice,
}

/// Usage that coding tools wrote down. No other sum holds it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SessionLogsView {
    /// The import in progress, or else the last one since the start.
    pub import: Option<LogImportView>,
    /// What the totals say in a sentence.
    pub finding: String,
    pub totals: SessionLogTotalsView,
    /// Days in their order, others by value. Past 500 the others together are one.
    pub groups: Vec<SessionLogGroupView>,
    /// Log files read so far.
    pub files: Count,
    /// What could not be used; at most 200.
    pub problems: Vec<SessionLogProblemView>,
    pub problems_total: Count,
    pub places: Vec<SessionLogPlaceView>,
}

/// A folder or file that is looked into.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SessionLogPlaceView {
    pub tool: SessionTool,
    pub tool_name: String,
    pub path: String,
}

/// Sums over answers that the gateway did not measure.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, Type)]
pub struct SessionLogTotalsView {
    pub answers: Count,
    /// Every class of input.
    pub input_tokens: Count,
    /// Part of `input_tokens`.
    pub cache_read_tokens: Count,
    /// Includes reasoning.
    pub output_tokens: Count,
    /// What they would have cost at the providers' list prices. No money was paid if a plan covered
    /// them.
    pub value_nano_usd: NanoDollars,
    /// True if no answer has a known price; the value is then no zero.
    pub is_value_unknown: bool,
    /// Answers without a known price; not in `value`.
    pub unpriced_answers: Count,
    /// What the tools say that they cost.
    pub stated_nano_usd: NanoDollars,
    /// Further answers that the gateway measured; in no other field.
    pub measured_answers: Count,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SessionLogGroupView {
    pub key: String,
    pub label: String,
    pub totals: SessionLogTotalsView,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct SessionLogProblemView {
    pub path: String,
    /// None if it concerns the whole file.
    pub line: Option<Count>,
    /// `message.usage.output_tokens`; empty for the whole line.
    pub field: String,
    pub what: String,
}

/// An import, in progress or ended.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct LogImportView {
    pub state: LogImportState,
    pub started_at: UnixMs,
    pub ended_at: Option<UnixMs>,
    pub files: Count,
    /// Part of `files`: not changed since an earlier import.
    pub unchanged_files: Count,
    /// Part of `files`: read to the end, or unchanged.
    pub done_files: Count,
    /// Answers that are new, or known more completely.
    pub answers: Count,
    /// Answers found to be measured by the gateway.
    pub measured_answers: Count,
    /// Problems in the lines that were read.
    pub problems: Count,
    /// Places that could not be looked into.
    pub skipped: Vec<SessionLogProblemView>,
    /// How far it is, or how it ended.
    pub sentence: String,
}
