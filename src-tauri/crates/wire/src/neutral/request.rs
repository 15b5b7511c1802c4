//! A request for an answer.

use domain::Dialect;

use crate::Delivery;
use crate::crossing::Field;

/// JSON text as it came, known to be valid. Line breaks between its tokens (there are none inside
/// strings) become spaces: it may end up in the one `data` line of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Box<str>);

impl Json {
    /// Takes JSON text as it stands in a document that was parsed.
    #[must_use]
    pub fn of(raw: &serde_json::value::RawValue) -> Self {
        let text = raw.get();
        if text.contains(['\r', '\n']) {
            return Self(text.replace(['\r', '\n'], " ").into());
        }
        Self(text.into())
    }

    /// Takes any value.
    #[must_use]
    pub fn from_value(value: &serde_json::Value) -> Self {
        Self(value.to_string().into())
    }

    /// `text` if it is one valid JSON value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str::<&serde_json::value::RawValue>(text.trim()).ok().map(Self::of)
    }

    /// `{}`.
    #[must_use]
    pub fn empty_object() -> Self {
        Self("{}".into())
    }

    /// The text.
    #[must_use]
    pub fn get(&self) -> &str {
        &self.0
    }

    /// Whether it is an object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        self.0.starts_with('{')
    }
}

impl serde::Serialize for Json {
    /// Writes the text as it is.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &serde_json::value::RawValue =
            serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

/// A request for an answer, as any dialect may have said it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The model as the client named it; a writer puts the backend's name in its place.
    pub model: String,
    /// Whole or streamed.
    pub delivery: Delivery,
    /// The conversation in order, system turns included, wherever they stand.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether it must.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may make several calls in one turn.
    pub parallel_calls: ParallelCalls,
    /// The shape of the answer's text.
    pub output: OutputFormat,
    /// How much it is to think.
    pub reasoning: Reasoning,
    /// Most tokens of the answer, thinking included.
    pub output_tokens_max: Option<u64>,
    /// Sampling temperature as a JSON number; 0 to 2 in OpenAI's and Gemini's range.
    pub temperature: Option<Json>,
    /// Nucleus sampling as a JSON number.
    pub top_p: Option<Json>,
    /// Top-k sampling as a JSON number.
    pub top_k: Option<Json>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// How many answers (`n`, `candidateCount`).
    pub choices: Option<u64>,
    /// An opaque name of the end user.
    pub user: Option<String>,
    /// What the neutral form has no place for, in the order in which it stands in the request.
    pub extras: Vec<Extra>,
}

impl Request {
    /// A request that says nothing yet.
    pub(crate) fn new(model: &str, delivery: Delivery) -> Self {
        Self {
            model: model.to_owned(),
            delivery,
            messages: Vec::new(),
            tools: Vec::new(),
            tool_choice: None,
            parallel_calls: ParallelCalls::Unsaid,
            output: OutputFormat::Text,
            reasoning: Reasoning::Unsaid,
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

    /// Whether anything in it is marked for a prompt cache.
    pub(crate) fn has_cache_marks(&self) -> bool {
        let marked = |part: &Part| matches!(part, Part::Text { cache: Some(_), .. });
        self.messages.iter().any(|message| message.parts.iter().any(marked))
            || self.tools.iter().any(|tool| tool.cache.is_some())
            || self.extras.iter().any(|extra| extra.field == Field::PromptCache)
    }
}

/// A field of the request that the neutral form has no place for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extra {
    /// What it is; the table in `crossing` says what becomes of it.
    pub field: Field,
    /// Where it stands in the client's words, such as `logit_bias` or `messages[2].content[0]`.
    pub path: String,
    /// Its value.
    pub value: Json,
}

impl Extra {
    /// OpenAI's word for a field that Gemini and Ollama have too, by the last word of its path in
    /// either spelling; `None` for a field that only one dialect can say.
    pub(crate) fn common_word(&self) -> Option<&'static str> {
        let word = self.path.rsplit('.').next().unwrap_or_default();
        match (self.field, word) {
            (Field::Seed, _) => Some("seed"),
            (Field::Penalties, "frequencyPenalty" | "frequency_penalty") => {
                Some("frequency_penalty")
            }
            (Field::Penalties, "presencePenalty" | "presence_penalty") => Some("presence_penalty"),
            _ => None,
        }
    }
}

/// One turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

/// Who speaks. Tool results are parts of a user's turn, as Anthropic and Gemini have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Instructions (`system`, `developer`, `instructions`, `systemInstruction`).
    System,
    /// The person, and what tools gave back.
    User,
    /// The model.
    Assistant,
}

/// One part of a turn or of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text, with the place of a prompt cache marker behind it.
    Text {
        /// The text.
        text: String,
        /// Anthropic's `cache_control`, kept for Anthropic only.
        cache: Option<CacheMark>,
    },
    /// A refusal in words.
    Refusal(String),
    /// An image, a document or sound.
    Media(Media),
    /// Thinking. Text may be empty when only the signature matters: then the signature belongs to
    /// the next part (Gemini's `thoughtSignature` on a call, Anthropic's `display: "omitted"`).
    Thinking {
        /// The thoughts, or a summary of them.
        text: String,
        /// The provider's proof that it is its own thinking.
        signature: Option<Signature>,
    },
    /// Thinking that the provider encrypted (`redacted_thinking`).
    RedactedThinking(Signature),
    /// The model calls a tool.
    ToolCall(ToolCall),
    /// What a tool gave back.
    ToolResult(ToolResult),
}

impl Part {
    /// Plain text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), cache: None }
    }
}

/// Anthropic's `cache_control` value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheMark(pub Json);

/// Opaque bytes of one provider, bound to it: given back to the same dialect as they came, never to
/// another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Whose it is.
    pub origin: Dialect,
    /// What it says, in that dialect's own spelling.
    pub data: String,
}

impl Signature {
    /// How a crossed signature begins in a client's dialect, so that it is known when it comes back.
    pub(crate) const CROSSED_PREFIX: &str = "gh1.";

    /// How it is spelled for a client of `dialect`: as it is at home, else with its origin in front.
    #[must_use]
    pub fn for_client(&self, dialect: Dialect) -> String {
        if dialect == self.origin {
            return self.data.clone();
        }
        format!("{}{}.{}", Self::CROSSED_PREFIX, self.origin.word(), self.data)
    }

    /// What a client of `dialect` gave back.
    #[must_use]
    pub fn from_client(text: &str, dialect: Dialect) -> Self {
        let crossed = text.strip_prefix(Self::CROSSED_PREFIX).and_then(|rest| {
            let (word, data) = rest.split_once('.')?;
            Some(Self { origin: word.parse().ok()?, data: data.to_owned() })
        });
        crossed.unwrap_or_else(|| Self { origin: dialect, data: text.to_owned() })
    }
}

/// An image, a document or sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// What it is.
    pub kind: MediaKind,
    /// Where it is.
    pub source: MediaSource,
    /// Its MIME type, if it was said or told by its first bytes.
    pub media_type: Option<String>,
    /// OpenAI's `detail`, Gemini's `mediaResolution` word; a hint only.
    pub detail: Option<String>,
    /// The name of a document.
    pub title: Option<String>,
}

/// What a medium is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// A picture.
    Image,
    /// A PDF or a text.
    Document,
    /// Sound.
    Audio,
}

/// Where a medium is. Nothing is ever fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// Standard base64, as it came.
    Base64(String),
    /// An address that the provider fetches.
    Url(String),
    /// A file at the provider, by its id or URI; bound to that provider.
    File(String),
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// The id that joins it to its result; never empty.
    pub id: String,
    /// The name as the tool list has it, namespace apart.
    pub name: String,
    /// Codex' `namespace`, where the tool lies in one.
    pub namespace: Option<String>,
    /// Function or free text.
    pub kind: CallKind,
    /// A function's arguments as JSON text, by intent an object; of a custom tool the text itself.
    /// What the model wrote is kept even if it is no JSON.
    pub arguments: String,
}

/// What kind of tool is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// Arguments are JSON.
    Function,
    /// The input is free text (Responses' `custom_tool_call`).
    Custom,
}

/// What a tool gave back.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolResult {
    /// The call's id; may be empty in Gemini requests (then matched by name and order).
    pub call_id: String,
    /// The tool's name, where the dialect says it.
    pub name: Option<String>,
    /// Text and images; may be empty, and is sent all the same.
    pub content: Vec<Part>,
    /// Whether it is an error.
    pub is_error: bool,
    /// The call's kind.
    pub kind: CallKind,
}

/// A tool the model may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Codex' `namespace` around it.
    pub namespace: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Function, free text, or the provider's own.
    pub kind: ToolKind,
    /// Anthropic's cache marker on it.
    pub cache: Option<CacheMark>,
}

impl Tool {
    /// What it is called where a client is told that it, or something of it, was left out: by its name,
    /// since dialects group tools differently and its place in one list says nothing in another.
    pub(crate) fn path(&self) -> String {
        format!("tools.{}", self.name)
    }
}

/// What kind of tool it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolKind {
    /// A function with a JSON schema of its arguments; `None` means no arguments.
    Function {
        /// The schema of the arguments.
        schema: Option<Json>,
        /// OpenAI's `strict`.
        strict: Option<bool>,
    },
    /// Free text (Responses' `custom`), with the `format` it may have.
    Custom {
        /// The grammar, if there is one.
        format: Option<Json>,
    },
    /// A tool that the provider runs itself (`web_search`, `code_execution`): its whole declaration
    /// in the words of `origin`. Crosses to no other dialect.
    Server {
        /// Whose words.
        origin: Dialect,
        /// The declaration.
        declaration: Json,
    },
}

/// Whether tools must be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolChoice {
    /// As the model likes.
    Auto,
    /// Not at all.
    None,
    /// At least one.
    Required,
    /// This one.
    Named {
        /// Its name.
        name: String,
        /// Its namespace.
        namespace: Option<String>,
    },
}

/// Whether several calls may come in one turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ParallelCalls {
    /// Nothing was said.
    Unsaid,
    /// Yes.
    Allowed,
    /// One at a time.
    OneAtATime,
}

/// The shape of the answer's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputFormat {
    /// Text.
    Text,
    /// Any JSON object (`json_object`).
    AnyJson,
    /// JSON that fits a schema.
    Schema {
        /// A name, where the dialect has one.
        name: Option<String>,
        /// What it is for.
        description: Option<String>,
        /// The schema.
        schema: Json,
        /// OpenAI's `strict`.
        strict: Option<bool>,
    },
}

/// How much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reasoning {
    /// Nothing was said.
    Unsaid,
    /// Not at all.
    Off,
    /// As much as the model likes, shown or not (`adaptive`, Gemini's budget -1).
    Adaptive {
        /// Whether thoughts (or a summary) are wanted in the answer.
        visible: bool,
        /// An effort beside it, where the dialect says both.
        effort: Option<Effort>,
    },
    /// By a level.
    Effort {
        /// The level.
        effort: Effort,
        /// Whether thoughts (or a summary) are wanted in the answer.
        visible: bool,
    },
    /// By a number of tokens.
    Budget {
        /// The most tokens of thought.
        tokens_max: u64,
        /// Whether thoughts are wanted in the answer.
        visible: bool,
    },
}

/// A level of thinking, lowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effort {
    /// The least there is (OpenAI's `minimal`).
    Minimal,
    /// `low`.
    Low,
    /// `medium`.
    Medium,
    /// `high`.
    High,
    /// `xhigh`.
    ExtraHigh,
    /// Anthropic's `max`.
    Max,
}
