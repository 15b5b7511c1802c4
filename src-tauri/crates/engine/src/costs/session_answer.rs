//! What an answer of a session log would have cost.

use std::sync::Arc;

use domain::{BackendId, NanoUsd, SessionTool, Usage, WallTime};
use pricing::{AttemptPricing, PriceBook, Provider};

/// Stands for the backend where prices are looked up: no user's prices apply to these answers.
const NO_BACKEND: &str = "session-logs.none";

pub(crate) struct SessionAnswer<'a> {
    pub(crate) tool: SessionTool,
    /// As the tool names it, where it has several.
    pub(crate) provider: Option<&'a str>,
    pub(crate) model: &'a str,
    pub(crate) time: WallTime,
    pub(crate) usage: &'a Usage,
}

impl SessionAnswer<'_> {
    /// The cost at the list prices of its provider, with the id of the price: those of its day, else
    /// those of `now`, since the list knows no prices of earlier days. `None` if it is unknown.
    pub(crate) fn value(
        &self,
        prices: &Arc<PriceBook>,
        now: WallTime,
    ) -> Option<(NanoUsd, String)> {
        let provider = match self.tool {
            SessionTool::ClaudeCode => Provider::Anthropic,
            SessionTool::Codex => Provider::OpenAi,
            SessionTool::GeminiCli => Provider::Google,
            SessionTool::OpenCode => self.provider?.parse().ok()?,
        };
        let pricing = AttemptPricing {
            prices: Arc::clone(prices),
            provider: Some(provider),
            backend: BackendId::new(NO_BACKEND).ok()?,
            model: self.model.to_owned(),
        };
        let cost_at = |time| pricing.cost(self.usage, None, time).cost;
        let cost = Some(cost_at(self.time)).filter(|cost| cost.amount().is_some());
        let cost = cost.unwrap_or_else(|| cost_at(now));
        Some((cost.amount()?, cost.price_id()?.to_owned()))
    }
}
