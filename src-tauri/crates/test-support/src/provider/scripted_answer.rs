//! The dialect-independent request and answer of the mock provider.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::strict_object::ParseResult;

/// The parts of a request that the answer depends on.
#[derive(Debug, Default)]
pub(crate) struct ParsedPrompt {
    pub(crate) model: String,
    /// The user's last text.
    pub(crate) user: String,
    /// System texts, in order.
    pub(crate) system: Vec<String>,
    /// One note for each image of the last user turn.
    pub(crate) images: Vec<String>,
    /// The tool results, if the conversation ends with them.
    pub(crate) results: Vec<String>,
    pub(crate) tools: Vec<DeclaredTool>,
    pub(crate) choice: ToolChoiceMode,
    pub(crate) one_call: bool,
    pub(crate) schema: Option<Value>,
    pub(crate) tokens_max: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct DeclaredTool {
    pub(crate) name: String,
    /// The namespace around it (Responses only).
    pub(crate) namespace: Option<String>,
    /// `None` for a tool that takes free text (Responses only).
    pub(crate) schema: Option<Value>,
}

impl DeclaredTool {
    pub(crate) fn function(name: &str, schema: Value) -> Self {
        Self { name: name.to_owned(), namespace: None, schema: Some(schema) }
    }
}

#[derive(Debug, Default)]
pub(crate) enum ToolChoiceMode {
    #[default]
    Auto,
    None,
    Any,
    Named(String),
}

/// An answer; its parts are sent in this order.
#[derive(Debug, Default)]
pub(crate) struct ScriptedAnswer {
    pub(crate) thinking: Option<String>,
    pub(crate) text: String,
    pub(crate) calls: Vec<ScriptedToolCall>,
    pub(crate) cut_short: bool,
}

#[derive(Debug)]
pub(crate) struct ScriptedToolCall {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) namespace: Option<String>,
    /// A text for a tool that takes free text.
    pub(crate) arguments: Value,
}

/// The text of `text-and-tool` before its calls.
const TEXT_BEFORE_CALLS: &str = "Let me look.";

impl ParsedPrompt {
    /// The status that the model name selects.
    pub(crate) fn fault_status(&self) -> Option<u16> {
        self.model.strip_prefix("fault-")?.parse().ok()
    }

    /// The user's last word: "Call get_weather for Paris" gives "Paris".
    fn last_word(&self) -> &str {
        let mut words = self.user.split(|c: char| !c.is_alphanumeric());
        words.rfind(|word| !word.is_empty()).unwrap_or("text")
    }

    fn called_tools(&self) -> Vec<&DeclaredTool> {
        let named = |tool: &&DeclaredTool| self.user.contains(&tool.name);
        let mut called: Vec<&DeclaredTool> = match &self.choice {
            ToolChoiceMode::None => Vec::new(),
            ToolChoiceMode::Named(name) => {
                self.tools.iter().filter(|tool| tool.name == *name).collect()
            }
            ToolChoiceMode::Any => self.tools.iter().take(1).collect(),
            ToolChoiceMode::Auto if self.results.is_empty() => {
                self.tools.iter().filter(named).collect()
            }
            ToolChoiceMode::Auto => Vec::new(),
        };
        if self.one_call {
            called.truncate(1);
        }
        called
    }
}

impl ScriptedAnswer {
    pub(crate) fn of(question: &ParsedPrompt) -> Self {
        let word = question.last_word();
        let call = |(tool, place): (&DeclaredTool, u32)| ScriptedToolCall {
            id: format!("call_{place}"),
            name: tool.name.clone(),
            namespace: tool.namespace.clone(),
            arguments: match &tool.schema {
                Some(schema) => schema_instance(schema, word),
                None => json!(word),
            },
        };
        let calls: Vec<ScriptedToolCall> =
            question.called_tools().into_iter().zip(0..).map(call).collect();
        let thinks = question.model == "think";
        let thinking = thinks.then(|| format!("The user says: {}", question.user));
        if !calls.is_empty() {
            let text = if question.model == "text-and-tool" { TEXT_BEFORE_CALLS } else { "" };
            return Self { thinking, text: text.to_owned(), calls, cut_short: false };
        }
        let full = match &question.schema {
            Some(schema) => schema_instance(schema, word).to_string(),
            None if question.model == "system" => question.system.join(" | "),
            None if !question.results.is_empty() => question.results.join("; "),
            None => question.images.iter().fold(question.user.clone(), |all, note| all + note),
        };
        let most = question.tokens_max.and_then(|most| usize::try_from(most).ok());
        let pieces: Vec<&str> = full.split_inclusive(' ').collect();
        let kept = pieces.get(..most.unwrap_or(usize::MAX).min(pieces.len())).unwrap_or_default();
        let cut_short = kept.len() < pieces.len();
        Self { thinking, text: kept.concat().trim_end().to_owned(), calls, cut_short }
    }

    /// The text split into stream deltas, one word each.
    pub(crate) fn text_deltas(&self) -> impl Iterator<Item = &str> {
        self.text.split_inclusive(' ')
    }
}

impl ScriptedToolCall {
    /// The arguments as JSON text, or the free text.
    pub(crate) fn arguments_text(&self) -> String {
        self.arguments.as_str().map_or_else(|| self.arguments.to_string(), str::to_owned)
    }

    /// [`Self::arguments_text`], split into stream deltas of three characters.
    pub(crate) fn argument_deltas(&self) -> Vec<String> {
        let letters: Vec<char> = self.arguments_text().chars().collect();
        letters.chunks(3).map(|piece| piece.iter().collect()).collect()
    }
}

/// A note about an inline image, for the echo: ` [image image/png 68 bytes]`. Fails if the bytes do
/// not match the media type.
pub(crate) fn image_note(place: &str, media_type: &str, base64: &str) -> ParseResult<String> {
    let bytes = STANDARD.decode(base64).map_err(|error| format!("{place}: {error}"))?;
    let png = bytes.starts_with(b"\x89PNG");
    if png != (media_type == "image/png") {
        return Err(format!("{place}: the image is not {media_type}"));
    }
    Ok(format!(" [image {media_type} {} bytes]", bytes.len()))
}

/// The note for an image in a data URL.
pub(crate) fn data_url_note(place: &str, url: &str) -> ParseResult<String> {
    let parts = url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,"));
    let (media_type, data) = parts.ok_or_else(|| format!("{place}: {url:.40} is no data URL"))?;
    image_note(place, media_type, data)
}

/// A valid value for a simple schema: all properties present, strings set to `word`.
fn schema_instance(schema: &Value, word: &str) -> Value {
    let kind = schema.get("type").and_then(Value::as_str).unwrap_or("object");
    match kind.to_lowercase().as_str() {
        "string" => json!(word),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => json!([]),
        _ => {
            let none = Map::new();
            let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
            let member = |(name, of): (&String, &Value)| (name.clone(), schema_instance(of, word));
            Value::Object(properties.iter().map(member).collect())
        }
    }
}
