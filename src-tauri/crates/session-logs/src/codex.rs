//! Codex CLI: `sessions/<year>/<month>/<day>/rollout-….jsonl`, later compressed.
//!
//! Two kinds of lines report usage. A `token_count` has the totals of the session so far and the
//! usage of the last answer; it is repeated without news. Newer versions also write a
//! `token_usage_record` for each answer, for compactions sometimes it alone. Forks and subagents
//! begin with a copy of their parent's lines, often with new times. A count is therefore recognised
//! by the family of its session and the totals, which copies share.

use std::borrow::Cow;
use std::collections::VecDeque;

use domain::{PriceTier, TokenUsage};
use memchr::memmem;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::Raw;
use crate::part::PartBuilder;
use crate::record::{RecordKey, UsageRecord};

/// The beginning of a line, which holds its type and that of its payload.
const LINE_HEAD_BYTES: usize = 512;

/// Words in the head of the lines that are read.
const WANTED: &[&[u8]] = &[
    b"session_meta",
    b"turn_context",
    b"token_count",
    b"thread_settings_applied",
    b"token_usage",
    b"web_search_call",
    b"image_generation_call",
];

/// Most answers that wait for their other line.
const WAITING_MAX: usize = 16;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct CodexParser {
    session: Option<String>,
    /// Id of the first ancestor, or of the session.
    family: Option<String>,
    project: Option<String>,
    model: Option<String>,
    service_tier: Option<String>,
    totals: Option<Counts>,
    /// Calls of OpenAI's tools since the last answer, whose items stand before its usage.
    tools: ToolCalls,
    /// Usage of the last counts, until the record of the same answer follows.
    counted: VecDeque<Counts>,
    /// Records whose count may follow.
    responses: VecDeque<Response>,
}

/// Input, cached, cache writes, output, reasoning; cached and writes are part of the input,
/// reasoning of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Counts([u64; 5]);

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct ToolCalls {
    web_searches: u64,
    unread: Option<Cow<'static, str>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Response {
    id: String,
    usage: Counts,
    time_ms: i64,
    model: Option<String>,
    line: u64,
    is_added: bool,
    #[serde(default)]
    unread: Option<Cow<'static, str>>,
    #[serde(default)]
    tools: ToolCalls,
}

/// Tiers whose price is known. What was served for `auto` is not, as for an answer of the gateway.
const KNOWN_TIERS: [&str; 4] = ["default", "fast", "flex", "priority"];

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
    timestamp: Raw<'a>,
    payload: Raw<'a>,
}

#[derive(Deserialize)]
struct SessionMeta<'a> {
    #[serde(borrow)]
    id: Raw<'a>,
    session_id: Raw<'a>,
    forked_from_id: Raw<'a>,
    parent_thread_id: Raw<'a>,
    source: Raw<'a>,
    cwd: Raw<'a>,
}

#[derive(Deserialize)]
struct TurnContext<'a> {
    #[serde(borrow)]
    model: Raw<'a>,
    cwd: Raw<'a>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
    action: Raw<'a>,
}

#[derive(Deserialize)]
struct Action<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, rename = "type")]
    kind: Raw<'a>,
    info: Raw<'a>,
    thread_settings: Raw<'a>,
}

#[derive(Deserialize)]
struct Info<'a> {
    #[serde(borrow)]
    total_token_usage: Raw<'a>,
    last_token_usage: Raw<'a>,
}

#[derive(Deserialize)]
struct Tokens<'a> {
    #[serde(borrow)]
    input_tokens: Raw<'a>,
    cached_input_tokens: Raw<'a>,
    cache_write_input_tokens: Raw<'a>,
    output_tokens: Raw<'a>,
    reasoning_output_tokens: Raw<'a>,
}

#[derive(Deserialize)]
struct ThreadSettings<'a> {
    #[serde(borrow)]
    service_tier: Raw<'a>,
}

#[derive(Deserialize)]
struct UsageOfResponse<'a> {
    #[serde(borrow)]
    response_id: Raw<'a>,
    usage: Raw<'a>,
}

impl CodexParser {
    pub(crate) fn is_wanted(line: &[u8]) -> bool {
        let head = line.get(..LINE_HEAD_BYTES).unwrap_or(line);
        let has = |word: &[u8]| memmem::find(head, word).is_some();
        !has(br#""type""#) || WANTED.iter().any(|word| has(word))
    }

    pub(crate) fn read_line(&mut self, text: &str, part: &mut PartBuilder) {
        let Some(line) = part.parse::<Line<'_>>("", text) else { return };
        match line.kind.map(|kind| kind.get()) {
            Some(r#""session_meta""#) => self.read_session(line.payload, part),
            Some(r#""turn_context""#) => self.read_turn(line.payload, part),
            Some(r#""event_msg""#) => self.read_event(&line, part),
            Some(r#""token_usage_record""#) => self.read_response(&line, part),
            Some(r#""response_item""#) => self.read_item(line.payload, part),
            _ => {}
        }
    }

    /// Adds the answers that have a record and no count.
    pub(crate) fn finish(&mut self, part: &mut PartBuilder) {
        let mut responses = std::mem::take(&mut self.responses);
        for response in responses.iter_mut().filter(|response| !response.is_added) {
            self.add_response(response, part);
        }
        self.responses = responses;
    }

    fn read_session(&mut self, payload: Raw<'_>, part: &mut PartBuilder) {
        let Some(meta) = part.object::<SessionMeta<'_>>("payload", payload) else { return };
        let id = part.text("payload.id", meta.id);
        let root = part.text("payload.session_id", meta.session_id);
        let parent = part.text("payload.forked_from_id", meta.forked_from_id);
        let parent =
            parent.or_else(|| part.text("payload.parent_thread_id", meta.parent_thread_id));
        let parent = parent.or_else(|| spawning_thread(meta.source));
        let root = root.filter(|root| Some(root) != id.as_ref());
        self.family = root.or(parent).or_else(|| id.clone());
        if self.session.is_some() && self.session != id {
            // A copied head: that of an ancestor.
            return;
        }
        self.session = id;
        self.project = part.text("payload.cwd", meta.cwd);
    }

    fn read_turn(&mut self, payload: Raw<'_>, part: &mut PartBuilder) {
        let Some(turn) = part.object::<TurnContext<'_>>("payload", payload) else { return };
        if let Some(model) = part.text("payload.model", turn.model) {
            self.model = Some(model);
        }
        if let Some(folder) = part.text("payload.cwd", turn.cwd) {
            self.project = Some(folder);
        }
    }

    fn read_event(&mut self, line: &Line<'_>, part: &mut PartBuilder) {
        let Some(event) = part.object::<Event<'_>>("payload", line.payload) else { return };
        match event.kind.map(|kind| kind.get()) {
            Some(r#""token_count""#) => self.read_count(line, event.info, part),
            Some(r#""thread_settings_applied""#) => {
                let at = "payload.thread_settings";
                let settings = part.object::<ThreadSettings<'_>>(at, event.thread_settings);
                if let Some(tier) = settings.and_then(|settings| settings.service_tier) {
                    self.service_tier = part.text(&format!("{at}.service_tier"), Some(tier));
                }
            }
            _ => {}
        }
    }

    /// OpenAI bills searches of the web by the call; opening or searching a page that was found is free.
    fn read_item(&mut self, payload: Raw<'_>, part: &mut PartBuilder) {
        let Some(item) = part.object::<Item<'_>>("payload", payload) else { return };
        let kind = item.kind.map(|kind| kind.get());
        if kind == Some(r#""image_generation_call""#) {
            self.tools.unread = Some("image_generation_call".into());
        }
        if kind != Some(r#""web_search_call""#) {
            return;
        }
        let action = part.object::<Action<'_>>("payload.action", item.action);
        match action.and_then(|action| action.kind).map(|kind| kind.get()) {
            // The first version of the tool reported no actions.
            Some(r#""search""#) | None => self.tools.web_searches += 1,
            Some(r#""open_page""# | r#""find_in_page""# | r#""find""#) => {}
            Some(_) => self.tools.unread = Some("web_search_call.action".into()),
        }
    }

    fn read_count(&mut self, line: &Line<'_>, info: Raw<'_>, part: &mut PartBuilder) {
        let Some(info) = part.object::<Info<'_>>("payload.info", info) else { return };
        let totals = read_counts(part, "payload.info.total_token_usage", info.total_token_usage);
        let unread_total = part.take_unread();
        let last = read_counts(part, "payload.info.last_token_usage", info.last_token_usage);
        if last.is_none()
            && let Some(unread) = unread_total
        {
            part.note_unread(unread);
        }
        if totals.is_some() && totals == self.totals {
            return;
        }
        let usage = last.or_else(|| totals.map(|totals| totals.since(self.totals)));
        self.totals = totals.or(self.totals);
        let Some(usage) = usage else { return };
        if let Some(at) = self.responses.iter().position(|response| response.usage == usage)
            && let Some(response) = self.responses.remove(at)
        {
            if response.is_added {
                return;
            }
            self.tools.add(response.tools);
        } else {
            push_bounded(&mut self.counted, usage);
        }
        let time = part.time("timestamp", line.timestamp);
        let family = self.family.clone().unwrap_or_default();
        let at = match totals {
            Some(totals) => format!("{:?}", totals.0),
            None => time.unix_ms().to_string(),
        };
        let key = RecordKey::of(part.tool(), &[&family, &at, &format!("{:?}", usage.0)]);
        let tools = std::mem::take(&mut self.tools);
        let record = UsageRecord { time, usage: usage.as_usage(), ..self.new_record(key, part) };
        part.add(tools.added_to(record));
    }

    fn read_response(&mut self, line: &Line<'_>, part: &mut PartBuilder) {
        let Some(told) = part.object::<UsageOfResponse<'_>>("payload", line.payload) else {
            return;
        };
        let Some(usage) = read_counts(part, "payload.usage", told.usage) else { return };
        let Some(id) = part.text("payload.response_id", told.response_id) else { return };
        if let Some(at) = self.counted.iter().position(|counted| *counted == usage) {
            self.counted.remove(at);
            return;
        }
        let time_ms = part.time("timestamp", line.timestamp).unix_ms();
        let (model, line) = (self.model.clone(), part.line());
        let unread = part.take_unread();
        let tools = std::mem::take(&mut self.tools);
        let response = Response { id, usage, time_ms, model, line, is_added: false, unread, tools };
        if let Some(mut oldest) = push_bounded(&mut self.responses, response)
            && !oldest.is_added
        {
            self.add_response(&mut oldest, part);
        }
    }

    fn add_response(&self, response: &mut Response, part: &mut PartBuilder) {
        response.is_added = true;
        let key = RecordKey::of(part.tool(), &["response", &response.id]);
        let record = UsageRecord {
            message_id: Some(response.id.clone()),
            time: domain::WallTime::from_unix_ms(response.time_ms),
            model: response.model.clone(),
            usage: response.usage.as_usage(),
            line: response.line,
            ..self.new_record(key, part)
        };
        if let Some(unread) = response.unread.take() {
            part.note_unread(unread);
        }
        part.add(std::mem::take(&mut response.tools).added_to(record));
    }

    fn new_record(&self, key: RecordKey, part: &PartBuilder) -> UsageRecord {
        UsageRecord {
            key,
            session: self.session.clone(),
            message_id: None,
            request_id: None,
            time: part.last_time(),
            model: self.model.clone(),
            provider: None,
            project: self.project.clone(),
            usage: TokenUsage::default(),
            inner_calls: Vec::new(),
            web_searches: 0,
            service_tier: match self.service_tier.as_deref() {
                Some("priority" | "fast") => PriceTier::Priority,
                Some("flex") => PriceTier::Flex,
                _ => PriceTier::Standard,
            },
            region: None,
            unread: self
                .service_tier
                .as_deref()
                .filter(|tier| !KNOWN_TIERS.contains(tier))
                .map(|_| "service_tier".into()),
            stated_cost: None,
            line: part.line(),
        }
    }
}

impl ToolCalls {
    fn add(&mut self, other: Self) {
        self.web_searches += other.web_searches;
        self.unread = self.unread.take().or(other.unread);
    }

    fn added_to(self, record: UsageRecord) -> UsageRecord {
        let unread = record.unread.or(self.unread);
        UsageRecord { web_searches: self.web_searches, unread, ..record }
    }
}

/// The thread that spawned a subagent, in versions that name it only here.
fn spawning_thread(source: Raw<'_>) -> Option<String> {
    let source: Value = serde_json::from_str(source?.get()).ok()?;
    let parent = source.pointer("/subagent/thread_spawn/parent_thread_id")?;
    parent.as_str().map(str::to_owned)
}

fn read_counts(part: &mut PartBuilder, at: &str, raw: Raw<'_>) -> Option<Counts> {
    let tokens = part.object::<Tokens<'_>>(at, raw)?;
    part.check_names(at, raw, &COUNT_NAMES);
    let mut count = |name: &str, raw| part.count(&format!("{at}.{name}"), raw);
    let counts @ [input, cached, written, output, reasoning] = [
        count("input_tokens", tokens.input_tokens),
        count("cached_input_tokens", tokens.cached_input_tokens),
        count("cache_write_input_tokens", tokens.cache_write_input_tokens),
        count("output_tokens", tokens.output_tokens),
        count("reasoning_output_tokens", tokens.reasoning_output_tokens),
    ];
    part.part_of(cached.saturating_add(written), input);
    part.part_of(reasoning, output);
    Some(Counts(counts))
}

/// Counts that are read, and their sum.
const COUNT_NAMES: [&str; 6] = [
    "input_tokens",
    "cached_input_tokens",
    "cache_write_input_tokens",
    "output_tokens",
    "reasoning_output_tokens",
    "total_tokens",
];

impl Counts {
    /// The growth since `earlier`. Totals that shrink have begun anew.
    fn since(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else { return self };
        let mut growth = self.0;
        for (now, before) in growth.iter_mut().zip(earlier.0) {
            match now.checked_sub(before) {
                Some(grown) => *now = grown,
                None => return self,
            }
        }
        Self(growth)
    }

    fn as_usage(self) -> TokenUsage {
        let Self([input, cached, written, output, reasoning]) = self;
        let cache_read = cached.min(input);
        let cache_write_5m = written.min(input - cache_read);
        let reasoning = reasoning.min(output);
        TokenUsage {
            input_uncached: input - cache_read - cache_write_5m,
            cache_read,
            cache_write_5m,
            cache_write_1h: 0,
            output_visible: output - reasoning,
            reasoning,
        }
    }
}

/// Appends; returns the oldest if there are too many.
fn push_bounded<T>(queue: &mut VecDeque<T>, item: T) -> Option<T> {
    queue.push_back(item);
    if queue.len() > WAITING_MAX { queue.pop_front() } else { None }
}
