//! Reads `generationConfig` of a client's request.

use super::fields::RemainingMembers;
use super::schema::to_json_schema;
use crate::RequestError;
use crate::dialect::field_filter::FieldKind;
use crate::json::json_node::JsonNode;
use crate::neutral::{ExtraField, JsonText, OutputFormat, Reasoning, ThinkingEffort};

/// `generationConfig` in neutral terms.
#[derive(Debug)]
pub(super) struct GenerationOptions {
    pub(super) output: OutputFormat,
    pub(super) reasoning: Reasoning,
    pub(super) output_tokens_max: Option<u64>,
    pub(super) temperature: Option<JsonText>,
    pub(super) top_p: Option<JsonText>,
    pub(super) top_k: Option<JsonText>,
    pub(super) stop: Vec<String>,
    pub(super) choices: Option<u64>,
}

/// Fields that the neutral form does not have.
const EXTRAS: [(&str, FieldKind); 7] = [
    ("seed", FieldKind::Seed),
    ("presencePenalty", FieldKind::Penalties),
    ("frequencyPenalty", FieldKind::Penalties),
    ("logprobs", FieldKind::Logprobs),
    ("speechConfig", FieldKind::AudioOutput),
    ("imageConfig", FieldKind::AudioOutput),
    ("mediaResolution", FieldKind::Presentation),
];

impl GenerationOptions {
    /// Without `node`, every option is unset.
    pub(super) fn read(
        node: Option<&JsonNode<'_>>,
        extras: &mut Vec<ExtraField>,
    ) -> Result<Self, RequestError> {
        let mut options = Self {
            output: OutputFormat::Text,
            reasoning: Reasoning::Unset,
            output_tokens_max: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Vec::new(),
            choices: None,
        };
        let Some(node) = node else { return Ok(options) };
        let mut fields = RemainingMembers::from_node(node)?;
        let mut count = |key| fields.take(key).map(|node| read_count(&node)).transpose();
        options.output_tokens_max = count("maxOutputTokens")?;
        options.choices = count("candidateCount")?;
        let mut number = |key| fields.take(key).map(|node| node.number()).transpose();
        options.temperature = number("temperature")?;
        options.top_p = number("topP")?;
        options.top_k = number("topK")?;
        let stop = fields.take("stopSequences").map(|stop| stop.array()).transpose()?;
        options.stop =
            stop.unwrap_or_default().iter().map(JsonNode::text).collect::<Result<_, _>>()?;
        options.output = read_output(&mut fields)?;
        if let Some(node) = fields.take("thinkingConfig") {
            options.reasoning = read_thinking(&node, extras)?;
        }
        take_extras(&mut fields, extras)?;
        fields.keep_rest(extras);
        Ok(options)
    }
}

/// Reads a count, which SDKs may write as `256.0`.
fn read_count(node: &JsonNode<'_>) -> Result<u64, RequestError> {
    let digits = node.raw().strip_suffix(".0").unwrap_or(node.raw());
    digits.parse().map_err(|_| node.wrong_type("a whole number, 0 or more"))
}

fn read_output(fields: &mut RemainingMembers<'_>) -> Result<OutputFormat, RequestError> {
    let kind = fields.take("responseMimeType");
    let own = fields.take("responseSchema").map(|node| to_json_schema(&node.json()));
    let standard = fields.take("responseJsonSchema").or_else(|| fields.take("_responseJsonSchema"));
    let schema = standard.map(|node| node.json()).or(own);
    let word = kind.as_ref().map(JsonNode::text).transpose()?.unwrap_or_default();
    match (word.as_str(), kind) {
        ("" | "text/plain", _) => Ok(OutputFormat::Text),
        ("application/json", _) => Ok(match schema {
            Some(schema) => {
                OutputFormat::Schema { name: None, description: None, schema, strict: None }
            }
            None => OutputFormat::AnyJson,
        }),
        // Google answers an enumeration with a bare word; other dialects would put it in quotes.
        (_, Some(kind)) => {
            Err(kind.bad_value("only text/plain and application/json can be translated"))
        }
        (_, None) => Ok(OutputFormat::Text),
    }
}

fn read_thinking(
    node: &JsonNode<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<Reasoning, RequestError> {
    let mut fields = RemainingMembers::from_node(node)?;
    let visible = fields.take("includeThoughts").map(|flag| flag.flag()).transpose()?;
    let visible = visible.unwrap_or(false);
    let budget = fields.take("thinkingBudget");
    let level = fields.take("thinkingLevel");
    fields.keep_rest(extras);
    if let Some(level) = level {
        let word = level.text()?.to_ascii_lowercase();
        return match (word.as_str(), ThinkingEffort::from_word(&word)) {
            ("thinking_level_unspecified", _) => Ok(reasoning_from_visibility(visible)),
            (_, Some(effort)) => Ok(Reasoning::Effort { effort, visible }),
            (_, None) => Err(level.bad_value("use MINIMAL, LOW, MEDIUM or HIGH")),
        };
    }
    match budget.as_ref().map(JsonNode::raw) {
        None => Ok(reasoning_from_visibility(visible)),
        Some("0") => Ok(Reasoning::Off),
        Some("-1") => Ok(Reasoning::Adaptive { visible, effort: None }),
        Some(_) => match budget {
            Some(budget) => Ok(Reasoning::Budget { tokens_max: read_count(&budget)?, visible }),
            None => Ok(reasoning_from_visibility(visible)),
        },
    }
}

/// Reasoning of a request that only says whether to show thoughts.
const fn reasoning_from_visibility(visible: bool) -> Reasoning {
    if visible { Reasoning::Adaptive { visible, effort: None } } else { Reasoning::Unset }
}

fn take_extras(
    fields: &mut RemainingMembers<'_>,
    extras: &mut Vec<ExtraField>,
) -> Result<(), RequestError> {
    for (key, field) in EXTRAS {
        fields.take_extra(key, field, extras);
    }
    let logprobs = fields.take("responseLogprobs").filter(|flag| flag.raw() != "false");
    extras.extend(logprobs.map(|node| node.extra(FieldKind::Logprobs)));
    if let Some(node) = fields.take("responseModalities") {
        let words: Vec<String> =
            node.array()?.iter().map(JsonNode::text).collect::<Result<_, _>>()?;
        if words.iter().any(|word| !word.eq_ignore_ascii_case("TEXT")) {
            extras.push(node.extra(FieldKind::AudioOutput));
        }
    }
    Ok(())
}
