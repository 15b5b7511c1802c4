//! Request and view types for asking a model of a backend: its price first, then its answer.

use serde::{Deserialize, Serialize};
use specta::Type;

use super::{AskOutcome, CostBasisView, Count, FailureCauseView, NanoDollars};

/// Asks what asking a model would cost.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendAskQuery {
    pub id: String,
    /// A model that is not listed, for its price; it is then the one that is proposed.
    pub model: Option<String>,
}

/// What is sent to a model, and what that costs at most.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendAskPriceView {
    pub backend: String,
    pub label: String,
    /// The prompt, as it is sent.
    pub prompt: String,
    /// Limit of the answer.
    pub output_tokens_max: u32,
    /// Time after which the request is given up, in seconds.
    pub time_limit_secs: u32,
    /// The one that is proposed comes first. Empty if no model is known; then one must be named.
    pub models: Vec<AskedModelView>,
}

/// A model and the price of asking it.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct AskedModelView {
    /// The provider's model name.
    pub id: String,
    /// True if a route leads to it.
    pub in_routes: bool,
    /// Most that one request costs, by the price book; 0 if it is free, None if not known.
    pub cost_nano_usd_max: Option<NanoDollars>,
    /// The same in words: "Free", "At most $0.0003", "Price unknown".
    pub price: String,
}

/// Sends one prompt to a model.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendAsk {
    pub id: String,
    pub model: String,
    /// [`AskedModelView::cost_nano_usd_max`], as it was shown; None if it was shown as unknown. A higher
    /// price is refused, and one that is known by now.
    pub accepted_nano_usd: Option<NanoDollars>,
}

/// What became of a prompt that was sent to a model.
#[derive(Debug, Clone, Serialize, Deserialize, Type)]
pub struct BackendAnswerView {
    pub backend: String,
    pub model: String,
    pub outcome: AskOutcome,
    /// The outcome in one sentence.
    pub finding: String,
    /// What the model wrote. Written by the model, not by Gatehouse.
    pub text: String,
    /// Time to the first token, in milliseconds.
    pub first_token_ms: Option<f64>,
    /// Time from sending to the end, in milliseconds.
    #[specta(type = specta_typescript::Number)]
    pub elapsed_ms: f64,
    /// None if the backend reported no usage.
    pub input_tokens: Option<Count>,
    /// Includes reasoning.
    pub output_tokens: Option<Count>,
    /// None if not known.
    pub cost_nano_usd: Option<NanoDollars>,
    /// None if the request is not in the ledger yet.
    pub cost_basis: Option<CostBasisView>,
    /// Why there is no whole answer, and what to do about it.
    pub failure: Option<FailureCauseView>,
    /// Id of the request in the log.
    pub request: Option<String>,
}
