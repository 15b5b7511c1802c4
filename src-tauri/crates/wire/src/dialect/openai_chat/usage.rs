//! The usage of one Chat answer, whole or streamed: its usage object, and what stands beside it.
//!
//! Every chunk names the service tier, and the usage comes in one of the last. Some servers report it
//! in the choice (Moonshot) or in a member of their own (Groq). Tools that a server ran are billed
//! beside the usage.

use serde_json::value::RawValue;

use crate::UsageReport;
use crate::dialect::openai_usage::{CHAT, apply_tier, read_usage};
use crate::json::{Members, array_items, decode_string, pick};
use crate::neutral::ProviderEvent;
use crate::usage::mark_unread;
use domain::{Meter, Usage};

/// Models that search the web for every request and are billed for one search
/// (<https://platform.openai.com/docs/guides/tools-web-search>).
const SEARCH_MODELS: [&str; 2] = ["-search-preview", "-search-api"];

/// True for a model that is billed for a web search with every request.
#[must_use]
pub fn is_search_model(model: &str) -> bool {
    SEARCH_MODELS.iter().any(|word| model.contains(word))
}

/// Members of a chunk, or of a whole answer, that say what it costs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ChunkBill<'a> {
    pub(super) usage: Option<&'a RawValue>,
    pub(super) service_tier: Option<&'a RawValue>,
    pub(super) model: Option<&'a str>,
    /// True if the text cites web pages.
    pub(super) has_citations: bool,
    /// What shows that something is billed beside the usage.
    pub(super) billed_beside: Option<&'static str>,
}

/// What shows a tool of the server's own beside the choices: Z.ai's search
/// (<https://docs.z.ai/guides/tools/web-search>), and the other models that Groq's systems asked
/// (<https://console.groq.com/docs/compound>).
pub(super) const BESIDE_CHOICES: [&str; 2] = ["web_search", "usage_breakdown"];

/// The first of [`BESIDE_CHOICES`] that has something, by its values in an answer or a chunk.
pub(super) fn server_work(values: [Option<&RawValue>; 2]) -> Option<&'static str> {
    let found = BESIDE_CHOICES.into_iter().zip(values).find(|(_, value)| is_filled(*value));
    found.map(|(name, _)| name)
}

/// What shows in a message or a delta that the server ran tools of its own: Groq's
/// (<https://console.groq.com/docs/tool-use/built-in-tools>), and calls of those of Moonshot
/// (<https://platform.moonshot.ai/docs/guide/use-web-search>).
pub(super) fn server_tool(
    executed: Option<&RawValue>,
    calls: Option<&RawValue>,
) -> Option<&'static str> {
    if is_filled(executed) {
        return Some("choices.message.executed_tools");
    }
    let calls = calls.filter(|calls| calls.get().contains(BUILTIN_CALL));
    let is_builtin = |call: &RawValue| {
        let kind = pick(call.get(), ["type"]).and_then(|[kind]| decode_string(kind?));
        kind.as_deref() == Some(BUILTIN_CALL)
    };
    let has_builtin = calls.and_then(array_items).unwrap_or_default().into_iter().any(is_builtin);
    has_builtin.then_some("choices.message.tool_calls: builtin_function")
}

const BUILTIN_CALL: &str = "builtin_function";

pub(super) fn is_filled(value: Option<&RawValue>) -> bool {
    value.is_some_and(|value| !matches!(value.get(), "null" | "\"\"" | "[]" | "{}"))
}

impl<'a> ChunkBill<'a> {
    /// The usage of `chunk`, wherever it is.
    pub(super) fn usage_of(
        usage: Option<&'a RawValue>,
        choice_usage: Option<&'a RawValue>,
        x_groq: Option<&'a RawValue>,
    ) -> Option<&'a RawValue> {
        let of_groq = || pick(x_groq?.get(), ["usage"])?[0];
        usage.or(choice_usage).or_else(of_groq)
    }
}

/// What the chunks read so far say.
#[derive(Debug, Default)]
pub(crate) struct ChatUsage {
    report: Option<UsageReport>,
    service_tier: Option<Box<RawValue>>,
    is_search_model: bool,
    has_citations: bool,
    billed_beside: Option<&'static str>,
}

impl ChatUsage {
    /// Reads the next chunk. Returns the usage so far if this chunk changed it, or what is billed
    /// beside it.
    pub(super) fn read(&mut self, chunk: ChunkBill<'_>) -> Option<ProviderEvent> {
        let mut is_news = false;
        if let Some(report) = chunk.usage.and_then(|usage| read_usage(usage, &CHAT)) {
            self.report = Some(report);
            is_news = true;
        }
        if let Some(tier) = chunk.service_tier
            && self.service_tier.as_ref().is_none_or(|known| known.get() != tier.get())
        {
            self.service_tier = Some(tier.to_owned());
            is_news = true;
        }
        if !self.is_search_model && chunk.model.is_some_and(is_search_model) {
            self.is_search_model = true;
            is_news = true;
        }
        if chunk.has_citations && !self.has_citations {
            self.has_citations = true;
            is_news = true;
        }
        if chunk.billed_beside.is_some() && self.billed_beside.is_none() {
            self.billed_beside = chunk.billed_beside;
            is_news = true;
        }
        is_news.then(|| self.bill())
    }

    fn bill(&self) -> ProviderEvent {
        match self.report.clone() {
            Some(mut report) => {
                self.add_beside(&mut report.usage);
                ProviderEvent::Usage(report)
            }
            None => {
                let mut usage = Usage::default();
                self.add_beside(&mut usage);
                ProviderEvent::BilledBeside(usage)
            }
        }
    }

    fn add_beside(&self, usage: &mut Usage) {
        if let Some(tier) = &self.service_tier {
            apply_tier(usage, tier);
        }
        let searches = usage.quantities.get(Meter::WebSearch);
        if self.is_search_model {
            usage.quantities.set(Meter::WebSearch, searches.max(1));
        } else if self.has_citations && searches == 0 {
            mark_unread(usage, "choices.message.annotations");
        }
        if let Some(name) = self.billed_beside {
            mark_unread(usage, name);
        }
    }
}

/// True if `annotations` of a message or a delta cite a page of the web.
pub(super) fn has_citations(annotations: Option<&RawValue>) -> bool {
    let is_citation = |item: &&RawValue| {
        Members::parse(item.get())
            .is_ok_and(|item| item.string("type").as_deref() == Some("url_citation"))
    };
    annotations.and_then(array_items).unwrap_or_default().iter().any(is_citation)
}
