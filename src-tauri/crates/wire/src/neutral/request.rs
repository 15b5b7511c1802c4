//! A request in the neutral form.

use domain::Dialect;

use crate::Delivery;
use crate::dialect::field_filter::FieldKind;

/// Valid JSON text, kept as it came. Line breaks between tokens (strings contain none) become
/// spaces: the text may end up in the single `data` line of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonText(Box<str>);

impl JsonText {
    /// Takes JSON text from a parsed document.
    #[must_use]
    pub fn from_raw(raw: &serde_json::value::RawValue) -> Self {
        let text = raw.get();
        if text.contains(['\r', '\n']) {
            return Self(text.replace(['\r', '\n'], " ").into());
        }
        Self(text.into())
    }

    #[must_use]
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// `None` unless `text` is one valid JSON value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&serde_json::value::RawValue>(text.trim()).ok().map(Self::from_raw)
    }

    #[must_use]
    pub(crate) fn empty_object() -> Self {
        Self("{}".into())
    }

    #[must_use]
    pub fn get(&self) -> &str {
        &self.0
    }

    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl serde::Serialize for JsonText {
    /// Writes the text unchanged.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &serde_json::value::RawValue =
            serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// A request in any dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelRequest {
    /// Name sent by the client; a writer puts the backend's name in its place.
    pub model: String,
    pub delivery: Delivery,
    /// The conversation in order, with system turns at their original positions.
    pub messages: Vec<ConversationTurn>,
    pub tools: Vec<ToolDefinition>,
    pub tool_choice: Option<ToolChoice>,
    pub parallel_calls: ParallelCalls,
    pub output: OutputFormat,
    pub reasoning: Reasoning,
    /// Limit of the answer, thinking included.
    pub output_tokens_max: Option<u64>,
    /// JSON number; 0 to 2, OpenAI's and Gemini's range.
    pub temperature: Option<JsonText>,
    /// Nucleus sampling as a JSON number.
    pub top_p: Option<JsonText>,
    /// Top-k sampling as a JSON number.
    pub top_k: Option<JsonText>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// Number of answers (`n`, `candidateCount`).
    pub choices: Option<u64>,
    /// Opaque name of the end user.
    pub user: Option<String>,
    /// Fields that the neutral form cannot express, in the order of the request.
    pub extras: Vec<ExtraField>,
}

impl ModelRequest {
    /// A request with every option unset.
    pub(crate) fn new(model: &str, delivery: Delivery) -> Self {
        Self {
            model: model.to_owned(),
            delivery,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_calls: ParallelCalls::Unset,
            output: OutputFormat::Text,
            reasoning: Reasoning::Unset,
            output_tokens_max: None,
            temperature: None,
            top_p: None,
            top_k: None,
            stop: Vec::new(),
            choices: None,
            user: None,
            extras: Vec::new(),
        }
    }

    /// True if anything is marked for a prompt cache.
    pub(crate) fn has_cache_breakpoints(&self) -> bool {
        let marked = |part: &ContentPart| matches!(part, ContentPart::Text { cache: Some(_), .. });
        self.messages.iter().any(|message| message.parts.iter().any(marked))
            || self.tools.iter().any(|tool| tool.cache.is_some())
            || self.extras.iter().any(|extra| extra.field == FieldKind::PromptCache)
    }
}

/// A field of a request that the neutral form cannot express.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraField {
    /// Key of the table in `crossing`, which decides about it.
    pub field: FieldKind,
    /// Path in the client's request, such as `logit_bias` or `messages[2].content[0]`.
    pub path: String,
    pub value: JsonText,
}

impl ExtraField {
    /// OpenAI's name for a field that several dialects have, by the last word of its path in either
    /// spelling. `None` for a field that only one dialect has.
    pub(crate) fn shared_field_name(&self) -> Option<&'static str> {
        let word = self.path.rsplit('.').next().unwrap_or_default();
        match (self.field, word) {
            (FieldKind::Seed, _) => Some("seed"),
            (FieldKind::Verbosity, _) => Some("verbosity"),
            (FieldKind::Penalties, "frequencyPenalty" | "frequency_penalty") => {
                Some("frequency_penalty")
            }
            (FieldKind::Penalties, "presencePenalty" | "presence_penalty") => {
                Some("presence_penalty")
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct ConversationTurn {
    pub role: Role,
    pub parts: Vec<ContentPart>,
}

/// Author of a turn. Tool results are parts of a user turn, as at Anthropic and Gemini.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions (`system`, `developer`, `instructions`, `systemInstruction`).
    System,
    /// The person, and tool results.
    User,
    Assistant,
}

/// One part of a turn or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum ContentPart {
    /// Text, with a prompt cache marker behind it.
    Text {
        text: String,
        /// Anthropic's `cache_control`, sent to Anthropic only.
        cache: Option<CacheBreakpoint>,
    },
    /// Text of a refusal.
    Refusal(String),
    Media(MediaContent),
    /// Thinking. The text may be empty if only the signature matters. The signature then belongs to
    /// the next part (Gemini's `thoughtSignature` on a call, Anthropic's `display: "omitted"`).
    Thinking {
        /// Thoughts, or a summary of them.
        text: String,
        /// The provider's proof that the thinking is its own.
        signature: Option<ThoughtSignature>,
    },
    /// Thinking encrypted by the provider (`redacted_thinking`).
    RedactedThinking(ThoughtSignature),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
}

impl ContentPart {
    /// A text, also that of a refusal.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text { text, .. } | Self::Refusal(text) => Some(text),
            _ => None,
        }
    }

    /// Text without a cache marker.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache: None }
    }
}

/// Anthropic's `cache_control` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheBreakpoint(pub JsonText);

/// Opaque data of one provider. It goes back to the same dialect unchanged and never to another
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThoughtSignature {
    /// Dialect that issued it.
    pub origin: Dialect,
    /// Data in that dialect's own spelling.
    pub data: String,
}

impl ThoughtSignature {
    /// Prefix of another provider's signature at a client, which identifies it when it comes back.
    pub(crate) const FOREIGN_PREFIX: &str = "gh1.";

    /// Spelling for a client of `dialect`: unchanged in its own dialect, else prefixed with its
    /// origin.
    #[must_use]
    pub(crate) fn encode_for_client(&self, dialect: Dialect) -> String {
        if dialect == self.origin {
            return self.data.clone();
        }
        format!("{}{}.{}", Self::FOREIGN_PREFIX, self.origin.word(), self.data)
    }

    /// Reads a signature that a client of `dialect` sent back.
    #[must_use]
    pub(crate) fn from_client(text: &str, dialect: Dialect) -> Self {
        let crossed = text.strip_prefix(Self::FOREIGN_PREFIX).and_then(|rest| {
            let (word, data) = rest.split_once('.')?;
            Some(Self { origin: word.parse().ok()?, data: data.to_owned() })
        });
        crossed.unwrap_or_else(|| Self { origin: dialect, data: text.to_owned() })
    }
}

/// An image, a document or audio.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaContent {
    pub kind: MediaKind,
    pub source: MediaSource,
    /// MIME type, if declared or detected from the first bytes.
    pub media_type: Option<String>,
    /// OpenAI's `detail` or Gemini's `mediaResolution`; a hint only.
    pub detail: Option<String>,
    /// Name of a document.
    pub title: Option<String>,
}

impl MediaContent {
    /// The URL, or the bytes as a data URL; `usual` is the MIME type of media without one. `None`
    /// for a file at the provider.
    pub(crate) fn url(&self, usual: &str) -> Option<String> {
        match &self.source {
            MediaSource::Url(url) => Some(url.clone()),
            MediaSource::Base64(data) => {
                let media_type = self.media_type.as_deref().unwrap_or(usual);
                Some(format!("data:{media_type};base64,{data}"))
            }
            MediaSource::File(_) => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    Image,
    /// A PDF or a text.
    Document,
    Audio,
}

/// Where the media is. The gateway never fetches it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// Standard base64, as it came.
    Base64(String),
    /// A URL that the provider fetches.
    Url(String),
    /// A file at the provider, by its id or URI; only that provider can read it.
    File(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// Links the call to its result; never empty.
    pub id: String,
    /// Name in the tool list, without the namespace.
    pub name: String,
    /// Codex's `namespace`, if the tool is in one.
    pub namespace: Option<String>,
    pub kind: CallKind,
    /// A function's arguments as JSON text, by intent an object; for a custom tool, the text
    /// itself. The model's text is kept even if it is not JSON.
    pub arguments: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// Arguments are JSON.
    Function,
    /// Input is free text (Responses' `custom_tool_call`).
    Custom,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// May be empty in Gemini requests, whose results are matched by name and order.
    pub call_id: String,
    /// Name of the tool, if the dialect sends it.
    pub name: Option<String>,
    /// Text and images. May be empty, and is sent even then.
    pub content: Vec<ContentPart>,
    pub is_error: bool,
    pub kind: CallKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolDefinition {
    pub name: String,
    /// Codex's `namespace` around it.
    pub namespace: Option<String>,
    pub description: Option<String>,
    pub kind: ToolKind,
    /// Anthropic's cache marker.
    pub cache: Option<CacheBreakpoint>,
}

impl ToolDefinition {
    /// Path that reports this tool, or a field of it, as left out. It consists of the name:
    /// dialects group tools differently, so an index would mean nothing in another dialect.
    pub(crate) fn path(&self) -> String {
        format!("tools.{}", self.name)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolKind {
    /// A function. Without a schema it takes no arguments.
    Function {
        /// JSON schema of the arguments.
        schema: Option<JsonText>,
        /// OpenAI's `strict`.
        strict: Option<bool>,
    },
    /// Free text (Responses' `custom`).
    Custom {
        /// Grammar of the text, if there is one.
        format: Option<JsonText>,
    },
    /// A tool that the provider runs (`web_search`, `code_execution`). It cannot be translated to
    /// another dialect.
    Server {
        /// Dialect of the declaration.
        origin: Dialect,
        declaration: JsonText,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    None,
    /// At least one call.
    Required,
    /// A call of this tool.
    Named {
        name: String,
        /// Codex's `namespace`, if the tool is in one.
        namespace: Option<String>,
    },
}

/// Whether the model may make several calls in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParallelCalls {
    /// Not set in the request.
    Unset,
    Allowed,
    OneAtATime,
}

/// Format of the answer's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputFormat {
    Text,
    /// Any JSON object (`json_object`).
    AnyJson,
    /// JSON that matches a schema.
    Schema {
        name: Option<String>,
        description: Option<String>,
        schema: JsonText,
        /// OpenAI's `strict`.
        strict: Option<bool>,
    },
}

/// How much the model is to think. `visible` asks for thoughts, or a summary of them, in the
/// answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reasoning {
    /// Not set in the request.
    Unset,
    Off,
    /// As much as the model decides (`adaptive`, Gemini's budget -1).
    Adaptive {
        visible: bool,
        /// An effort beside it, if the dialect sends both.
        effort: Option<ThinkingEffort>,
    },
    Effort {
        effort: ThinkingEffort,
        visible: bool,
    },
    Budget {
        tokens_max: u64,
        visible: bool,
    },
}

/// Levels of thinking, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ThinkingEffort {
    /// The lowest level (OpenAI's `minimal`).
    Minimal,
    Low,
    Medium,
    High,
    /// `xhigh`.
    ExtraHigh,
    /// Anthropic's `max`.
    Max,
}
