//! Gemini CLI: `tmp/<project>/chats/session-….jsonl`, in older versions one `.json` document.
//!
//! A message is written again when its tokens are known and when a tool has answered, and whole
//! conversations are repeated by `$set`; all have the message's id. What was rewound was billed.

use std::path::Path;

use domain::{PriceTier, TokenUsage};
use memchr::{memchr_iter, memmem};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fields::Raw;
use crate::part::PartBuilder;
use crate::record::{RecordKey, UsageRecord};

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GeminiCliParser {
    session: Option<String>,
    project: Option<String>,
}

/// A line, or a document: the head of a conversation, a message, or a change of the head.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    #[serde(borrow)]
    session_id: Raw<'a>,
    directories: Raw<'a>,
    messages: Option<Vec<&'a RawValue>>,
    #[serde(rename = "$set")]
    set: Raw<'a>,
    tokens: Raw<'a>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    timestamp: Raw<'a>,
    model: Raw<'a>,
    tokens: Raw<'a>,
}

#[derive(Deserialize)]
struct Tokens<'a> {
    #[serde(borrow)]
    input: Raw<'a>,
    output: Raw<'a>,
    cached: Raw<'a>,
    thoughts: Raw<'a>,
    tool: Raw<'a>,
}

impl GeminiCliParser {
    /// For a file at `path`: the project's folder is named beside the chats, else the project is
    /// known by the name that the tool gave it.
    pub(crate) fn for_file(path: &Path) -> Self {
        let chats = path.ancestors().find(|folder| folder.ends_with("chats"));
        let Some(folder) = chats.and_then(Path::parent) else { return Self::default() };
        let named = std::fs::read_to_string(folder.join(".project_root")).ok();
        let named = named.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        let slug = || Some(folder.file_name()?.to_str()?.to_owned());
        Self { session: None, project: named.or_else(slug) }
    }

    pub(crate) fn is_wanted(line: &[u8]) -> bool {
        memmem::find(line, br#""tokens""#).is_some()
            || memmem::find(line, br#""sessionId""#).is_some()
    }

    pub(crate) fn read_line(&mut self, text: &str, part: &mut PartBuilder) {
        self.read_value(text, part, 0);
    }

    /// A whole conversation. Messages are reported by the lines of the document.
    pub(crate) fn read_document(&mut self, text: &str, part: &mut PartBuilder) {
        match serde_json::from_str::<Line<'_>>(text) {
            Ok(_) => self.read_value(text, part, 0),
            Err(error) => {
                part.set_line(u64::try_from(error.line()).unwrap_or(0));
                part.parse::<Line<'_>>("", text);
            }
        }
    }

    fn read_value(&mut self, text: &str, part: &mut PartBuilder, depth: u8) {
        let Some(line) = part.parse::<Line<'_>>("", text) else { return };
        if let Some(session) = part.text("sessionId", line.session_id) {
            self.session = Some(session);
        }
        if let Some(folders) = part.object::<Vec<String>>("directories", line.directories)
            && let Some(first) = folders.into_iter().find(|folder| !folder.is_empty())
        {
            self.project = Some(first);
        }
        if let Some(set) = line.set.filter(|_| depth == 0) {
            self.read_value(set.get(), part, depth + 1);
        }
        if line.tokens.is_some() {
            self.read_message(text, part);
        }
        let first = part.line();
        let mut read = 0;
        for message in line.messages.unwrap_or_default() {
            let start = message.get().as_ptr().addr() - text.as_ptr().addr();
            let between = text.as_bytes().get(read..start).unwrap_or_default();
            part.set_line(part.line() + count_lines(between));
            read = start;
            if memmem::find(message.get().as_bytes(), br#""tokens""#).is_some() {
                self.read_message(message.get(), part);
            }
        }
        part.set_line(first);
    }

    fn read_message(&self, text: &str, part: &mut PartBuilder) {
        let Some(message) = part.parse::<Message<'_>>("", text) else { return };
        let Some(tokens) = part.object::<Tokens<'_>>("tokens", message.tokens) else { return };
        let usage = read_usage(part, &tokens);
        part.check_names("tokens", message.tokens, &COUNT_NAMES);
        let id = part.text("id", message.id);
        let time = part.time("timestamp", message.timestamp);
        let session = self.session.as_deref().unwrap_or_default();
        let at = time.unix_ms().to_string();
        let key = match &id {
            Some(id) => RecordKey::of(part.tool(), &[id]),
            None => RecordKey::of(part.tool(), &[session, &at]),
        };
        let record = UsageRecord {
            key,
            session: self.session.clone(),
            message_id: id,
            request_id: None,
            time,
            model: part.text("model", message.model),
            provider: None,
            project: self.project.clone(),
            usage,
            inner_calls: Vec::new(),
            web_searches: 0,
            service_tier: PriceTier::Standard,
            region: None,
            unread: None,
            stated_cost: None,
            line: part.line(),
        };
        part.add(record);
    }
}

/// Counts that are read, and their sum.
const COUNT_NAMES: [&str; 6] = ["input", "output", "cached", "thoughts", "tool", "total"];

/// Input includes the cache but not what tools were given; output excludes thoughts.
fn read_usage(part: &mut PartBuilder, tokens: &Tokens<'_>) -> TokenUsage {
    let input = part.count("tokens.input", tokens.input);
    let cached = part.count("tokens.cached", tokens.cached);
    let cached = part.part_of(cached, input);
    let tool = part.count("tokens.tool", tokens.tool);
    TokenUsage {
        input_uncached: input - cached + tool,
        cache_read: cached,
        output_visible: part.count("tokens.output", tokens.output),
        reasoning: part.count("tokens.thoughts", tokens.thoughts),
        ..TokenUsage::default()
    }
}

fn count_lines(text: &[u8]) -> u64 {
    u64::try_from(memchr_iter(b'\n', text).count()).unwrap_or(u64::MAX)
}
