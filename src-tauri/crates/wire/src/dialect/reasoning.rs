//! Converts between reasoning levels, which some dialects use, and token budgets, which others use.
//!
//! The numbers are those of Google's own table for this purpose
//! (<https://ai.google.dev/gemini-api/docs/openai#thinking>): low 1,024, medium 8,192 and high
//! 24,576 tokens. Above these, 32,768 is the maximum of Gemini 2.5 Pro and 65,536 is twice that;
//! writers clamp to what their dialect allows.

use crate::neutral::{Reasoning, ThinkingEffort};

impl Reasoning {
    /// The equivalent level; `None` if unspecified, off, or left to the model.
    #[must_use]
    pub fn effort(&self) -> Option<ThinkingEffort> {
        match *self {
            Self::Unset | Self::Off => None,
            Self::Adaptive { effort, .. } => effort,
            Self::Effort { effort, .. } => Some(effort),
            Self::Budget { tokens_max, .. } => Some(ThinkingEffort::of_budget(tokens_max)),
        }
    }

    /// The equivalent budget in tokens; `None` if unspecified, off, or left to the model.
    #[must_use]
    pub fn budget_tokens(&self) -> Option<u64> {
        match *self {
            Self::Budget { tokens_max, .. } => Some(tokens_max),
            _ => self.effort().map(ThinkingEffort::budget_tokens),
        }
    }

    /// True if the client wants the reasoning in the answer.
    #[must_use]
    pub const fn is_visible(&self) -> bool {
        match *self {
            Self::Unset | Self::Off => false,
            Self::Adaptive { visible, .. }
            | Self::Effort { visible, .. }
            | Self::Budget { visible, .. } => visible,
        }
    }
}

impl ThinkingEffort {
    /// The common name (`minimal`, `low`, `medium`, `high`, `xhigh`, `max`).
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

    /// Parses a common name.
    #[must_use]
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::ExtraHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// The equivalent budget in tokens.
    #[must_use]
    pub const fn budget_tokens(self) -> u64 {
        match self {
            Self::Minimal | Self::Low => 1_024,
            Self::Medium => 8_192,
            Self::High => 24_576,
            Self::ExtraHigh => 32_768,
            Self::Max => 65_536,
        }
    }

    /// The lowest level with a budget of at least `tokens`.
    #[must_use]
    pub const fn of_budget(tokens: u64) -> Self {
        match tokens {
            0..=1_024 => Self::Low,
            1_025..=8_192 => Self::Medium,
            8_193..=24_576 => Self::High,
            24_577..=32_768 => Self::ExtraHigh,
            _ => Self::Max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_budgets_lead_to_each_other() {
        for effort in [
            ThinkingEffort::Low,
            ThinkingEffort::Medium,
            ThinkingEffort::High,
            ThinkingEffort::ExtraHigh,
            ThinkingEffort::Max,
        ] {
            assert_eq!(ThinkingEffort::of_budget(effort.budget_tokens()), effort);
            assert_eq!(ThinkingEffort::from_word(effort.word()), Some(effort));
        }
        let budget = Reasoning::Budget { tokens_max: 5_000, visible: true };
        assert_eq!(
            (budget.effort(), budget.budget_tokens()),
            (Some(ThinkingEffort::Medium), Some(5_000))
        );
        assert!(budget.is_visible() && !Reasoning::Unset.is_visible());
        assert_eq!(Reasoning::Off.budget_tokens(), None);
        assert_eq!(ThinkingEffort::from_word("none"), None);
    }
}
