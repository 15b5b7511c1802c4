//! Levels of thinking, between the dialects that have words for them and those that have numbers.

use crate::neutral::{Effort, Reasoning};

impl Reasoning {
    /// The level it stands for; `None` if nothing was said or it is off.
    #[must_use]
    pub fn effort(&self) -> Option<Effort> {
        None
    }

    /// The tokens of thought it stands for; `None` if nothing was said or it is off.
    #[must_use]
    pub fn budget_tokens(&self) -> Option<u64> {
        None
    }

    /// Whether thoughts are wanted in the answer.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        false
    }
}

impl Effort {
    /// The common word for it (`minimal`, `low`, `medium`, `high`, `xhigh`, `max`).
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::ExtraHigh => "xhigh",
            Self::Max => "max",
        }
    }
}
