//! View types for plans: subscriptions of coding tools, with windows instead of prices.

pub use analytics::PlanWindowState;
use domain::SessionTool;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{Count, NanoDollars, UnixMs};

/// What is left of plans, and what usage of them is worth.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlansView {
    /// What matters most, in a sentence.
    pub finding: String,
    /// None has told its limits within eight days if it is empty.
    pub plans: Vec<PlanView>,
    /// Usage of the last 30 days from imported session logs, by tool.
    pub values: Vec<PlanValueView>,
}

/// A limit of a plan as its tool was last told.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlanView {
    pub tool: SessionTool,
    /// Tool and plan, and the limit's name if it is not the plan's own: `Codex CLI (plus)`.
    pub label: String,
    /// When a tool last wrote of it.
    pub read_at: UnixMs,
    /// Shortest first.
    pub windows: Vec<PlanWindowView>,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlanWindowView {
    /// `5 hours`, `7 days`.
    pub label: String,
    pub state: PlanWindowState,
    /// 0 to 100, as it was told; None once the window has started again.
    pub used_percent: Option<f64>,
    /// Share of its time that was over when it was told, 0 to 100; None once it has started again.
    pub elapsed_percent: Option<f64>,
    /// When the tool wrote it: use since then is not in it.
    pub read_at: UnixMs,
    /// When it starts again, or did.
    pub resets_at: UnixMs,
    /// When it is used up at the pace so far; None if it lasts, or that moment is over.
    pub runs_out_at: Option<UnixMs>,
}

/// What a tool's usage would have cost at the providers' list prices. It is no money that was paid.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct PlanValueView {
    pub tool: SessionTool,
    pub tool_name: String,
    pub answers: Count,
    pub value_nano_usd: NanoDollars,
    /// True if no answer has a known price; the value is then no zero.
    pub is_value_unknown: bool,
    /// Answers without a known price; not in `value`.
    pub unpriced_answers: Count,
}
