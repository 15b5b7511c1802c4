//! Request and view types for agents: what they ask several models at once.

use ::playground::ReasoningEffort;
use serde::{Deserialize, Serialize};
use specta::Type;

use super::{CostBasisView, NanoDollars, PlaygroundUsageView};

/// A prompt for one model or several at once.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AskQuery {
    /// Model names as clients use them: `backend/model`, a bare name, or a name that a route matches.
    /// One to four.
    pub models: Vec<String>,
    pub prompt: String,
    /// System prompt.
    #[serde(default)]
    #[specta(optional)]
    pub system: Option<String>,
    /// 0 to 2; by default the backend's own.
    #[serde(default)]
    #[specta(optional)]
    pub temperature: Option<f64>,
    /// Limit of each answer, in tokens; by default the backend's own.
    #[serde(default)]
    #[specta(optional)]
    pub max_tokens: Option<u32>,
    #[serde(default)]
    #[specta(optional)]
    pub effort: Option<ReasoningEffort>,
    /// Time for each model, in seconds: 1 to 600, by default 120.
    #[serde(default)]
    #[specta(optional)]
    pub timeout_secs: Option<u32>,
}

/// The answers, in the order of the models that were asked.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AskView {
    pub answers: Vec<AskAnswerView>,
    /// Sum of the known costs.
    pub cost_nano_usd: NanoDollars,
    /// Answers whose cost is not known; not in the sum.
    pub unpriced_answers: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AskAnswerView {
    /// As it was asked for.
    pub model: String,
    pub outcome: AskOutcome,
    /// What the model wrote, also if it did not end. Written by the model, not by Gatehouse.
    pub text: String,
    /// Why there is no whole answer.
    pub error: Option<String>,
    /// The backend that answered or failed last.
    pub backend: Option<String>,
    /// The model that the backend reports.
    pub model_billed: Option<String>,
    pub usage: Option<PlaygroundUsageView>,
    /// None if not known.
    pub cost_nano_usd: Option<NanoDollars>,
    /// None if the request is not in the ledger.
    pub cost_basis: Option<CostBasisView>,
    /// Time from sending to the end, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
    /// Id of the request in the log.
    pub request: Option<String>,
}

domain::words! {
    /// How a model's answer ended.
    AskOutcome {
        Answered = "answered",
        Failed = "failed",
        /// The time for the model was over.
        TimedOut = "timed_out",
        Cancelled = "cancelled",
    }
}
