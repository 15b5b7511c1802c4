//! Features of Gemini models, by the model name. Generations differ in how thinking is requested,
//! which answers may be JSON beside tools and where a tool's images belong.
//!
//! Unknown names count as the newest generation.

use super::generation_config::ThinkingConfig;
use crate::neutral::{Reasoning, ThinkingEffort};

/// Largest thinking budget of Gemini 2.5 Flash and Flash-Lite, in tokens
/// (<https://ai.google.dev/gemini-api/docs/thinking#set-budget>).
const FLASH_BUDGET_TOKENS_MAX: u64 = 24_576;
/// Smallest thinking budget of Flash-Lite, besides zero.
const LITE_BUDGET_TOKENS_MIN: u64 = 512;
/// Smallest and largest thinking budget of Pro, which always thinks.
const PRO_BUDGET_TOKENS: (u64, u64) = (128, 32_768);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelGeneration {
    /// Gemini up to 2.0, and Gemma: thinking cannot be requested.
    NoThinking,
    /// Gemini 2.5: takes a budget of tokens.
    Budget {
        /// Smallest budget besides zero.
        tokens_min: u64,
        tokens_max: u64,
        off: ThinkingOff,
    },
    /// Gemini 3 and later: takes a level.
    Levels(ThinkingLevels),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThinkingOff {
    Possible,
    Impossible,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThinkingLevels {
    /// Low and high: Gemini 3 Pro.
    Two,
    /// Low, medium and high: later Pro models.
    Three,
    /// Minimal, low, medium and high: Flash models.
    Four,
}

impl ModelGeneration {
    pub(super) fn from_model_name(model: &str) -> Self {
        let name = model.rsplit('/').next().unwrap_or(model).to_ascii_lowercase();
        let Some(version) = name.strip_prefix("gemini-") else {
            let is_gemma = name.starts_with("gemma");
            return if is_gemma { Self::NoThinking } else { Self::Levels(ThinkingLevels::Four) };
        };
        if version.starts_with("1.") || version.starts_with("2.0") {
            return Self::NoThinking;
        }
        if version.starts_with("2.5") {
            return Self::budget_generation(version);
        }
        Self::Levels(match version {
            "3-pro" | "3-pro-preview" => ThinkingLevels::Two,
            version if version.contains("pro") => ThinkingLevels::Three,
            _ => ThinkingLevels::Four,
        })
    }

    fn budget_generation(version: &str) -> Self {
        let (tokens_min, tokens_max, off) = match version {
            version if version.contains("lite") => {
                (LITE_BUDGET_TOKENS_MIN, FLASH_BUDGET_TOKENS_MAX, ThinkingOff::Possible)
            }
            version if version.contains("pro") => {
                (PRO_BUDGET_TOKENS.0, PRO_BUDGET_TOKENS.1, ThinkingOff::Impossible)
            }
            _ => (1, FLASH_BUDGET_TOKENS_MAX, ThinkingOff::Possible),
        };
        Self::Budget { tokens_min, tokens_max, off }
    }

    /// True if the model accepts `responseMimeType: application/json` beside functions. Older
    /// models answer 400 ("Function calling with a response mime type: 'application/json' is
    /// unsupported").
    pub(super) const fn takes_json_beside_tools(self) -> bool {
        matches!(self, Self::Levels(_))
    }

    /// True if a tool's images may be inside `functionResponse`.
    pub(super) const fn takes_media_in_results(self) -> bool {
        matches!(self, Self::Levels(_))
    }

    /// True if calls in the history must be signed.
    pub(super) const fn demands_signatures(self) -> bool {
        matches!(self, Self::Levels(_))
    }

    /// Thinking settings for `reasoning`; `None` if it is unset or the model takes none.
    pub(super) fn thinking_config(self, reasoning: Reasoning) -> Option<ThinkingConfig> {
        if reasoning == Reasoning::Unset {
            return None;
        }
        let include_thoughts = reasoning.is_visible().then_some(true);
        let (thinking_budget, thinking_level) = match self {
            Self::NoThinking => return None,
            Self::Budget { tokens_min, tokens_max, off } => {
                let budget = match (reasoning, off) {
                    (Reasoning::Off, ThinkingOff::Possible) => 0,
                    (Reasoning::Off, ThinkingOff::Impossible) => to_signed(tokens_min),
                    _ => reasoning
                        .budget_tokens()
                        .map_or(-1, |tokens| to_signed(tokens.clamp(tokens_min, tokens_max))),
                };
                (Some(budget), None)
            }
            Self::Levels(levels) => {
                let effort = match reasoning {
                    // These models cannot turn thinking off; this is the lowest level.
                    Reasoning::Off => Some(ThinkingEffort::Minimal),
                    reasoning => reasoning.effort(),
                };
                (None, effort.map(|effort| level_name(effort, levels)))
            }
        };
        Some(ThinkingConfig { include_thoughts, thinking_budget, thinking_level })
    }
}

fn to_signed(tokens: u64) -> i64 {
    i64::try_from(tokens).unwrap_or(i64::MAX)
}

const fn level_name(effort: ThinkingEffort, levels: ThinkingLevels) -> &'static str {
    match (effort, levels) {
        (ThinkingEffort::Minimal, ThinkingLevels::Four) => "MINIMAL",
        (ThinkingEffort::Minimal | ThinkingEffort::Low, _) => "LOW",
        (ThinkingEffort::Medium, ThinkingLevels::Three | ThinkingLevels::Four) => "MEDIUM",
        (
            ThinkingEffort::Medium
            | ThinkingEffort::High
            | ThinkingEffort::ExtraHigh
            | ThinkingEffort::Max,
            _,
        ) => "HIGH",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(model: &str, reasoning: Reasoning, budget: Option<i64>, level: Option<&str>) {
        let config = ModelGeneration::from_model_name(model).thinking_config(reasoning);
        let asked = config.as_ref().map(|c| (c.thinking_budget, c.thinking_level));
        assert_eq!(asked, Some((budget, level)), "{model} {reasoning:?}");
        let visible = config.and_then(|config| config.include_thoughts);
        assert_eq!(visible, reasoning.is_visible().then_some(true));
    }

    #[test]
    fn class_16_each_generation_is_asked_in_its_own_words() {
        let budget = |tokens_max| Reasoning::Budget { tokens_max, visible: true };
        let effort = |effort| Reasoning::Effort { effort, visible: false };
        check("gemini-2.5-flash", Reasoning::Off, Some(0), None);
        check("gemini-2.5-pro", Reasoning::Off, Some(128), None);
        check("models/gemini-2.5-pro", budget(100_000), Some(32_768), None);
        check("gemini-2.5-flash-lite", budget(1), Some(512), None);
        check("gemini-2.5-flash", effort(ThinkingEffort::Max), Some(24_576), None);
        let adaptive = Reasoning::Adaptive { visible: true, effort: None };
        check("gemini-2.5-flash", adaptive, Some(-1), None);
        check("gemini-3-flash-preview", adaptive, None, None);
        check("gemini-3-flash-preview", Reasoning::Off, None, Some("MINIMAL"));
        check("gemini-3-pro-preview", Reasoning::Off, None, Some("LOW"));
        check("gemini-3-pro-preview", effort(ThinkingEffort::Medium), None, Some("HIGH"));
        check("gemini-3.1-pro-preview", effort(ThinkingEffort::Medium), None, Some("MEDIUM"));
        check("gemini-3.5-flash", budget(8_000), None, Some("MEDIUM"));
        for model in ["gemini-2.0-flash", "gemma-3-27b-it", "gemini-1.5-pro"] {
            assert_eq!(
                ModelGeneration::from_model_name(model)
                    .thinking_config(effort(ThinkingEffort::High)),
                None,
                "{model}"
            );
        }
        assert_eq!(
            ModelGeneration::from_model_name("gemini-3-flash").thinking_config(Reasoning::Unset),
            None
        );
    }
}
