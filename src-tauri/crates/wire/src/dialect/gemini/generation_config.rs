//! Writes `generationConfig` for a backend.

use serde::Serialize;

use super::model_features::ModelGeneration;
use crate::RequestError;
use crate::dialect::field_filter::{FieldDecision, FieldFilter, FieldKind};
use crate::neutral::{ExtraField, JsonText, ModelRequest, OutputFormat, ToolChoice, ToolKind};

/// Most stop texts that Google accepts.
const STOP_TEXTS_MAX: usize = 5;

#[derive(Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<JsonText>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<JsonText>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

/// Thinking settings: a budget or a level, never both.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ThinkingConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) include_thoughts: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_budget: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) thinking_level: Option<&'static str>,
}

impl GenerationConfig {
    /// Extras must have been settled before.
    pub(super) fn from_request(
        request: &ModelRequest,
        generation: ModelGeneration,
        crossings: &mut FieldFilter,
    ) -> Result<Self, RequestError> {
        let mut config = Self {
            max_output_tokens: request.output_tokens_max,
            temperature: request.temperature.clone(),
            top_p: request.top_p.clone(),
            top_k: request.top_k.clone(),
            stop_sequences: request.stop.clone(),
            candidate_count: request.choices.filter(|count| *count > 1),
            thinking_config: generation.thinking_config(request.reasoning),
            ..Self::default()
        };
        if config.stop_sequences.len() > STOP_TEXTS_MAX {
            crossings.check_unsupported("stop")?;
            config.stop_sequences.truncate(STOP_TEXTS_MAX);
        }
        if generation == ModelGeneration::NoThinking && request.reasoning.effort().is_some() {
            crossings.record_dropped("reasoning");
        }
        config.add_output(request, generation, crossings)?;
        config.add_extras(&request.extras);
        Ok(config)
    }

    /// Models before Gemini 3 refuse JSON answers beside functions (class 18 of the translators'
    /// faults). Strict crossing refuses the request and names the field; lenient crossing drops the
    /// format and reports it. If no function may be called, there is no conflict: the functions are
    /// left out.
    fn add_output(
        &mut self,
        request: &ModelRequest,
        generation: ModelGeneration,
        crossings: &mut FieldFilter,
    ) -> Result<(), RequestError> {
        if request.output == OutputFormat::Text {
            return Ok(());
        }
        if has_callable_functions(request)
            && !generation.takes_json_beside_tools()
            && crossings.check_unsupported("response_format")? == FieldDecision::Omit
        {
            return Ok(());
        }
        self.response_mime_type = Some("application/json");
        if let OutputFormat::Schema { schema, .. } = &request.output {
            self.response_json_schema = Some(schema.clone());
        }
        Ok(())
    }

    fn add_extras(&mut self, extras: &[ExtraField]) {
        for ExtraField { field, path, value } in extras {
            let number = || Some(value.clone());
            let is = |word: &str| path.to_ascii_lowercase().contains(word);
            match field {
                FieldKind::Seed => self.seed = number(),
                FieldKind::Penalties if is("presence") => self.presence_penalty = number(),
                FieldKind::Penalties if is("frequency") => self.frequency_penalty = number(),
                _ => {}
            }
        }
    }
}

/// True if the model may call functions.
fn has_callable_functions(request: &ModelRequest) -> bool {
    let has_tools = request.tools.iter().any(|tool| !matches!(tool.kind, ToolKind::Server { .. }));
    has_tools && request.tool_choice != Some(ToolChoice::None)
}

/// True if the functions are left out so that the answer may be JSON.
pub(super) fn omits_tools(request: &ModelRequest, generation: ModelGeneration) -> bool {
    request.output != OutputFormat::Text
        && request.tool_choice == Some(ToolChoice::None)
        && !generation.takes_json_beside_tools()
}
