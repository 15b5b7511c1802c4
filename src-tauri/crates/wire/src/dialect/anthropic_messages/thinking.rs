//! Reads and writes the thinking settings: `thinking` and `output_config.effort`.

use serde::Serialize;

use super::model_features::thinks_adaptively;
use crate::RequestError;
use crate::dialect::field_filter::{FieldFilter, FieldKind};
use crate::json::json_node::JsonObject;
use crate::neutral::{ExtraField, ModelRequest, Reasoning, ThinkingEffort, ToolChoice};

/// Smallest budget that Anthropic accepts, in tokens.
const BUDGET_TOKENS_MIN: u64 = 1_024;

pub(super) fn read_reasoning(
    root: &JsonObject<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Reasoning, RequestError> {
    let config = root.get("output_config").map(|node| node.object()).transpose()?;
    let level = config.as_ref().and_then(|config| config.get("effort"));
    let effort = match &level {
        Some(node) => Some(
            ThinkingEffort::from_word(&node.text()?)
                .ok_or_else(|| node.bad_value("the levels are low, medium, high, xhigh and max"))?,
        ),
        None => None,
    };
    let Some(thinking) = root.get("thinking") else {
        // An effort alone does not ask for thoughts in the answer.
        let alone = effort.map(|effort| Reasoning::Effort { effort, visible: false });
        return Ok(alone.unwrap_or(Reasoning::Unset));
    };
    let thinking = thinking.object()?;
    let visible = thinking.text("display")?.as_deref() != Some("omitted");
    let kind = thinking.required("type")?;
    let reasoning = match kind.text()?.as_str() {
        "adaptive" => return Ok(Reasoning::Adaptive { visible, effort }),
        "enabled" => {
            let tokens_max = thinking.required("budget_tokens")?.whole_number()?;
            Reasoning::Budget { tokens_max, visible }
        }
        // `between_tools` means no thinking before the answer.
        "disabled" | "between_tools" => Reasoning::Off,
        _ => return Err(kind.bad_value("the types are enabled, disabled and adaptive")),
    };
    // A level has no meaning beside a budget or with thinking off.
    extras.extend(level.map(|node| node.extra(FieldKind::Presentation)));
    Ok(reasoning)
}

/// The `thinking` field of a backend request.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Thinking {
    Enabled { budget_tokens: u64 },
    Adaptive { display: &'static str },
}

/// The thinking fields of a backend request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct WrittenReasoning {
    pub(super) thinking: Option<Thinking>,
    pub(super) effort: Option<&'static str>,
}

/// Writes the reasoning settings in the form that `model` takes.
///
/// Newer models get `adaptive` and an effort. Older models get a budget, which must be below
/// `tokens_max`. `Off` writes nothing: it is the default of models that can answer without
/// thinking, and the others refuse it. Thinking is dropped and reported beside a forced call (a 400
/// at Anthropic) and where no budget fits.
pub(super) fn write_reasoning(
    request: &ModelRequest,
    model: &str,
    tokens_max: u64,
    crossings: &mut FieldFilter,
) -> WrittenReasoning {
    let mut written = WrittenReasoning::default();
    if matches!(request.reasoning, Reasoning::Unset | Reasoning::Off) {
        return written;
    }
    let is_forced =
        matches!(request.tool_choice, Some(ToolChoice::Required | ToolChoice::Named { .. }))
            && !request.tools.is_empty();
    if thinks_adaptively(model) {
        written.effort = request.reasoning.effort().map(effort_name);
        if is_forced {
            crossings.record_dropped("reasoning");
            return written;
        }
        let display = if request.reasoning.is_visible() { "summarized" } else { "omitted" };
        written.thinking = Some(Thinking::Adaptive { display });
        return written;
    }
    // If the model is to decide by itself, the medium level is the nearest equivalent.
    let wanted =
        request.reasoning.budget_tokens().unwrap_or(ThinkingEffort::Medium.budget_tokens());
    let budget_tokens = wanted.max(BUDGET_TOKENS_MIN).min(tokens_max.saturating_sub(1));
    if is_forced || budget_tokens < BUDGET_TOKENS_MIN {
        crossings.record_dropped("reasoning");
    } else {
        written.thinking = Some(Thinking::Enabled { budget_tokens });
    }
    written
}

/// Anthropic has no `minimal`, so `low` replaces it.
const fn effort_name(effort: ThinkingEffort) -> &'static str {
    match effort {
        ThinkingEffort::Minimal => ThinkingEffort::Low.word(),
        other => other.word(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{Dialect, TranslationMode};

    use super::*;
    use crate::test_requests::request;

    fn read(body: &str) -> (Reasoning, Vec<String>) {
        let mut extras = Vec::new();
        let root = JsonObject::root(body).expect("an object");
        let reasoning = read_reasoning(&root, &mut extras).expect("reasoning");
        (reasoning, extras.into_iter().map(|extra| extra.path).collect())
    }

    fn written(
        reasoning: Reasoning,
        model: &str,
        tokens_max: u64,
    ) -> (WrittenReasoning, Vec<String>) {
        let mut crossings =
            FieldFilter::for_dialect(Dialect::AnthropicMessages, TranslationMode::Strict);
        let request = ModelRequest { reasoning, ..request("hi") };
        let written = write_reasoning(&request, model, tokens_max, &mut crossings);
        (written, crossings.into_dropped())
    }

    #[test]
    fn every_form_is_read() {
        let visible = true;
        let high = ThinkingEffort::High;
        assert_eq!(read("{}").0, Reasoning::Unset);
        let adaptive = r#"{"thinking":{"type":"adaptive","display":"omitted"},"output_config":{"effort":"high"}}"#;
        assert_eq!(read(adaptive).0, Reasoning::Adaptive { visible: false, effort: Some(high) });
        let budget = r#"{"thinking":{"type":"enabled","budget_tokens":4096},"output_config":{"effort":"low"}}"#;
        let left = vec!["output_config.effort".to_owned()];
        assert_eq!(read(budget), (Reasoning::Budget { tokens_max: 4_096, visible }, left));
        let alone = r#"{"output_config":{"effort":"high"}}"#;
        assert_eq!(read(alone).0, Reasoning::Effort { effort: high, visible: false });
        assert_eq!(read(r#"{"thinking":{"type":"disabled"}}"#).0, Reasoning::Off);
        let refused = |body: &str| {
            let root = JsonObject::root(body).expect("an object");
            read_reasoning(&root, &mut Vec::new()).expect_err("refused").param().map(str::to_owned)
        };
        assert_eq!(
            refused(r#"{"thinking":{"type":"enabled"}}"#).as_deref(),
            Some("thinking.budget_tokens")
        );
        assert_eq!(refused(r#"{"thinking":{"type":"on"}}"#).as_deref(), Some("thinking.type"));
        assert_eq!(
            refused(r#"{"output_config":{"effort":"huge"}}"#).as_deref(),
            Some("output_config.effort")
        );
    }

    #[test]
    fn newer_models_get_an_effort_and_older_ones_a_budget() {
        let high = Reasoning::Effort { effort: ThinkingEffort::High, visible: true };
        let (new, dropped) = written(high, "claude-opus-4-7", 32_000);
        let display = "summarized";
        assert_eq!(new.thinking, Some(Thinking::Adaptive { display }));
        assert_eq!((new.effort, dropped.len()), (Some("high"), 0));
        let (old, _) = written(high, "claude-sonnet-4-5", 32_000);
        assert_eq!(old.thinking, Some(Thinking::Enabled { budget_tokens: 24_576 }));
        assert_eq!(old.effort, None);
        let minimal = Reasoning::Effort { effort: ThinkingEffort::Minimal, visible: false };
        assert_eq!(written(minimal, "claude-opus-4-6", 9).0.effort, Some("low"));
        assert_eq!(written(Reasoning::Off, "claude-opus-4-6", 9).0, WrittenReasoning::default());
    }

    #[test]
    fn a_budget_stays_under_the_limit_or_is_left_out_and_named() {
        let most = Reasoning::Budget { tokens_max: 50_000, visible: true };
        let budget = |tokens_max| written(most, "claude-sonnet-4-5", tokens_max);
        assert_eq!(budget(1_025).0.thinking, Some(Thinking::Enabled { budget_tokens: 1_024 }));
        assert_eq!(budget(1_024), (WrittenReasoning::default(), vec!["reasoning".to_owned()]));
    }
}
